"""Models of `--json` output, for commands that do not print records of the SDK.

The JSON Schema in the package is made from these.
"""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import BaseModel

from training_versions import Deployment, Lineage, LineageNode, Version, VersionDiff, VersionSummary


class VersionName(BaseModel):
    """A version as it is named."""

    id: str
    package_id: str
    version_number: int
    name: str

    @classmethod
    def of(cls, version: VersionSummary) -> VersionName:
        """Return the name of a version."""
        return cls(
            id=str(version.id),
            package_id=str(version.package_id),
            version_number=version.version_number,
            name=version.name,
        )


class ChangeRow(BaseModel):
    """One difference; see `Change` of the SDK."""

    path: str
    label: str
    kind: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None
    delta: float | None = None


class Difference(BaseModel):
    """The differences between two versions, and the JSON Patch from the left to the right one."""

    left: VersionName | None
    """`None` where there is nothing to compare with, as before the first publication."""
    right: VersionName
    changes: list[ChangeRow]
    patch: list[dict[str, Any]] | None

    @classmethod
    def of(
        cls, left: VersionSummary | None, right: VersionSummary, diff: VersionDiff | None
    ) -> Difference:
        """Convert a diff of the SDK. Without a diff, there are no changes."""
        changes: list[ChangeRow] = []
        patch: list[dict[str, Any]] | None = []
        if diff is not None:
            rows = cast("list[dict[str, Any]]", diff.to_dict()["changes"])
            changes = [ChangeRow.model_validate(row) for row in rows]
            patch = _patch(diff)
        return cls(
            left=None if left is None else VersionName.of(left),
            right=VersionName.of(right),
            changes=changes,
            patch=patch,
        )


def _patch(diff: VersionDiff) -> list[dict[str, Any]] | None:
    from training_versions import InvalidInputError

    try:
        return cast("list[dict[str, Any]]", diff.to_json_patch())
    except InvalidInputError:
        # The filter selected a part of an array, for which there is no JSON Patch.
        return None


def summary_of(version: VersionSummary) -> VersionSummary:
    """Return a version without its snapshots."""
    if type(version) is VersionSummary:
        return version
    return VersionSummary.model_validate(version.model_dump())


class WholeVersion(VersionSummary):
    """A version with its content as plain JSON."""

    __module__ = "training_versions.cli.results"

    config_snapshot: dict[str, Any]
    model_snapshot: dict[str, Any]
    dataset_snapshot: list[dict[str, Any]]

    @classmethod
    def of(cls, version: Version) -> WholeVersion:
        """Convert a version of the SDK."""
        return cls.model_validate(version.model_dump())


class Done(BaseModel):
    """The effect of a command on a version, or with `--dry-run` its expected effect."""

    action: str
    dry_run: bool
    changed: bool
    """Whether anything changed, or would change. Repeating a completed action changes nothing."""
    version: VersionSummary
    difference: Difference | None = None


class Deployed(Done):
    """A deployment or undeployment, and the deployment that it replaced."""

    replaced: Deployment | None = None


class Deleted(BaseModel):
    """The deleted package or version, or with `--dry-run` the one to delete."""

    action: Literal["deleted"] = "deleted"
    dry_run: bool
    kind: Literal["package", "version"]
    id: str
    name: str


class Edited(BaseModel):
    """A draft after an edit, and its changed fields."""

    action: Literal["edited"] = "edited"
    changed: bool
    fields: list[str]
    version: WholeVersion


class Family(BaseModel):
    """A version, its ancestors and its descendants."""

    version: LineageNode
    ancestors: list[LineageNode]
    descendants: list[LineageNode]

    @classmethod
    def of(cls, lineage: Lineage) -> Family:
        """Convert a lineage of the SDK."""
        return cls(
            version=lineage.version,
            ancestors=list(lineage.ancestors),
            descendants=list(lineage.descendants),
        )


# --- migrations, which do not import this module, as they work without the extra


class ListedMigration(BaseModel):
    """A migration of this release."""

    file: str
    version: str
    sha256: str


class CopiedMigration(BaseModel):
    """A migration file in the folder, and the outcome of copying it."""

    file: str
    outcome: Literal["copied", "unchanged", "kept"]


class CheckedMigration(BaseModel):
    """Whether a folder and the database have a migration; `None` without a database."""

    file: str
    folder: Literal["same", "different", "missing"]
    database: Literal["applied", "missing", "changed", "unrecorded"] | None


MIGRATIONS = {
    "migrations list": list[ListedMigration],
    "migrations copy": list[CopiedMigration],
    "migrations check": list[CheckedMigration],
}
