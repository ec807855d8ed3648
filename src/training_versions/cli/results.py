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
        """Name a version."""
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
    """What differs between two versions, and the JSON Patch that leads from left to right."""

    left: VersionName | None
    """`None` where there is nothing to compare with, as before the first publication."""
    right: VersionName
    changes: list[ChangeRow]
    patch: list[dict[str, Any]] | None

    @classmethod
    def of(
        cls, left: VersionSummary | None, right: VersionSummary, diff: VersionDiff | None
    ) -> Difference:
        """Write a diff of the SDK; without one, nothing differs from nothing."""
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
        # A filter kept a part of an array, which cannot be patched alone.
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
        """Write a version of the SDK."""
        return cls.model_validate(version.model_dump())


class Done(BaseModel):
    """What a command did to a version, or with `--dry-run` would do."""

    action: str
    dry_run: bool
    changed: bool
    """Whether anything changed, or would; what was done already is done again without effect."""
    version: VersionSummary
    difference: Difference | None = None


class Deployed(Done):
    """What was deployed or undeployed, and what was live there before."""

    replaced: Deployment | None = None


class Deleted(BaseModel):
    """What was deleted, or with `--dry-run` would be."""

    action: Literal["deleted"] = "deleted"
    dry_run: bool
    kind: Literal["package", "version"]
    id: str
    name: str


class Edited(BaseModel):
    """A draft after an edit, and which of its fields changed."""

    action: Literal["edited"] = "edited"
    changed: bool
    fields: list[str]
    version: WholeVersion


class Family(BaseModel):
    """A version, where it comes from, and what came of it."""

    version: LineageNode
    ancestors: list[LineageNode]
    descendants: list[LineageNode]

    @classmethod
    def of(cls, lineage: Lineage) -> Family:
        """Write a lineage of the SDK."""
        return cls(
            version=lineage.version,
            ancestors=list(lineage.ancestors),
            descendants=list(lineage.descendants),
        )


# --- migrations, which print without this module, as they work without the extra


class ListedMigration(BaseModel):
    """A migration of this release."""

    file: str
    version: str
    sha256: str


class CopiedMigration(BaseModel):
    """What became of a file of the folder."""

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
