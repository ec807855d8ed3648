"""Copies and comparison: compare two versions, restore or fork one, and follow its lineage.

How two versions are compared is left to `diff/`. Content is copied inside the database, so it does
not come through here.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from training_versions.diff import VersionDiff, compare_versions
from training_versions.models import (
    C,
    CopiedDraft,
    D,
    Id,
    Lineage,
    LineageNode,
    M,
    Version,
    VersionSummary,
)
from training_versions.operations.checks import (
    MAX_VERSION_NUMBER,
    check_name,
    check_or_make_uuid,
    check_positive,
    check_summary,
    check_uuid,
    optional,
)
from training_versions.operations.filters import of_package
from training_versions.operations.requests import (
    SUMMARY_COLUMN,
    Comparison,
    Operation,
    Rpc,
    Select,
    call,
    expect_array,
    hint_to_repeat_with,
    not_found,
    read_rows,
)
from training_versions.operations.rows import (
    VERSIONS,
    SnapshotCodecs,
    expect_object,
    read_stored_version,
    read_summary,
)
from training_versions.snapshots import refuses_foreign_errors

StoredVersion: TypeAlias = "Version[Any, Any, Any]"
"""A version as it is stored, past the types of the repository."""


def compare(
    codecs: SnapshotCodecs[C, M, D], left: Id | VersionSummary, right: Id | VersionSummary
) -> Operation[VersionDiff]:
    """Compare two versions as they are stored."""
    left_id, right_id = _id_of(left, "left"), _id_of(right, "right")
    stored = _StoredVersions("versions.compare", "id")
    return _compare(stored, left_id, right_id, _stored(codecs, left), _stored(codecs, right))


def compare_numbers(package_id: Id, left: int, right: int) -> Operation[VersionDiff]:
    """Compare two versions of a package as they are stored."""
    package = of_package(package_id)
    left_number = check_positive(left, "left", most=MAX_VERSION_NUMBER)
    right_number = check_positive(right, "right", most=MAX_VERSION_NUMBER)
    stored = _StoredVersions("versions.compare_numbers", "version_number", package)
    return _compare(stored, str(left_number), str(right_number), None, None)


@dataclass(frozen=True)
class _StoredVersions:
    """Reads versions past the codecs: a type drops what it does not know, and adds defaults."""

    operation: str
    key: Literal["id", "version_number"]
    package: Comparison | None = None

    def read(self, keys: list[str]) -> Operation[dict[str, StoredVersion]]:
        """Read versions by their keys; at least one."""
        where = [Comparison(self.key, "in", f"({','.join(keys)})")]
        if self.package is not None:
            where.append(self.package)
        select = Select(self.operation, VERSIONS, where=tuple(where), limit=2)
        versions = yield from read_rows(select, read_stored_version)
        if not versions:
            of_package = f" of package {self.package.value}" if self.package else ""
            raise not_found(self.operation, f"version {keys[0]}{of_package}")
        return {str(getattr(version, self.key)): version for version in versions}


def _compare(
    stored: _StoredVersions,
    left_key: str,
    right_key: str,
    left: StoredVersion | None,
    right: StoredVersion | None,
) -> Operation[VersionDiff]:
    # A server may cap replies at one row, so whatever did not come is asked for again.
    while left is None or right is None:
        missing: list[str] = []
        if left is None:
            missing.append(left_key)
        if right is None and right_key not in missing:
            missing.append(right_key)
        found = yield from stored.read(missing)
        if left is None:
            left = found.get(left_key)
        if right is None:
            right = found.get(right_key)
    return compare_versions(left, right)


@refuses_foreign_errors
def _id_of(given: object, argument: str) -> str:
    if isinstance(given, VersionSummary):
        return str(given.id)
    return check_uuid(given, argument)


def _stored(codecs: SnapshotCodecs[C, M, D], given: Id | VersionSummary) -> StoredVersion | None:
    """Return a version that need not be read again: one that shows what is stored.

    A typed snapshot does not: its type may have dropped or added keys. The snapshot itself cannot
    always tell that it is typed, since a `TypedDict` reads plain dictionaries.
    """
    if not isinstance(given, Version):
        return None
    if any(codec.is_typed for codec in codecs.as_tuple()):
        return None
    # The version may come from another repository, one with types.
    version = cast("StoredVersion", given)
    snapshots = (version.config_snapshot, version.model_snapshot, version.dataset_snapshot)
    if not all(isinstance(snapshot, dict | list) for snapshot in snapshots):
        return None
    try:
        json.dumps(snapshots)
    except (TypeError, ValueError):
        return None
    return version


def restore(
    codecs: SnapshotCodecs[C, M, D],
    version_id: Id,
    *,
    name: str | None,
    change_summary: str | None,
    new_version_id: Id | None,
) -> Operation[CopiedDraft]:
    """Make a draft in the same package with the content of a version."""
    return _copy(
        codecs,
        "restore",
        version_id,
        into=None,
        name=name,
        change_summary=change_summary,
        new_version_id=new_version_id,
    )


def fork(
    codecs: SnapshotCodecs[C, M, D],
    version_id: Id,
    *,
    into: Id,
    name: str | None,
    change_summary: str | None,
    new_version_id: Id | None,
) -> Operation[CopiedDraft]:
    """Make a draft in another package with the content of a version."""
    return _copy(
        codecs,
        "fork",
        version_id,
        into=check_uuid(into, "into"),
        name=name,
        change_summary=change_summary,
        new_version_id=new_version_id,
    )


def _copy(
    codecs: SnapshotCodecs[C, M, D],
    verb: Literal["restore", "fork"],
    version_id: Id,
    *,
    into: str | None,
    name: str | None,
    change_summary: str | None,
    new_version_id: Id | None,
) -> Operation[CopiedDraft]:
    """Make a draft with the content of a version; only a fork goes into another package."""
    new_id = check_or_make_uuid(new_version_id, "new_version_id")
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_new_version_id": new_id,
        "p_name": optional(check_name, name, "name"),
        "p_change_summary": optional(check_summary, change_summary, "change_summary"),
    }
    if into is not None:
        params["p_into_package_id"] = into

    # Only snapshots that have a type can misfit, so only those are asked for.
    typed = [codec for codec in codecs.as_tuple() if codec.is_typed]

    def read(reply: object) -> CopiedDraft:
        row = expect_object(reply)
        misfits = [misfit for codec in typed for misfit in codec.misfits(row[codec.column])]
        draft = read_summary(row.get(SUMMARY_COLUMN))
        return CopiedDraft(draft=draft, misfits=tuple(misfits))

    rpc = Rpc(
        f"versions.{verb}",
        f"{verb}_training_version",
        params,
        (SUMMARY_COLUMN, *(codec.column for codec in typed)),
        retry_hint=hint_to_repeat_with("new_version_id", new_id),
    )
    return call(rpc, read)


def lineage(version_id: Id) -> Operation[Lineage]:
    """Read where a version comes from and what was made from it."""
    asked_for = check_uuid(version_id, "version_id")
    rpc = Rpc(
        "versions.lineage", "get_version_lineage", {"p_version_id": asked_for}, is_write=False
    )
    return call(rpc, lambda reply: _read_lineage(reply, uuid.UUID(asked_for)))


def _read_lineage(reply: object, asked_for: uuid.UUID) -> Lineage:
    nodes = LineageNode.link(expect_array(reply))
    version = nodes.get(asked_for)
    if version is None:
        raise ValueError("the version is not in its own lineage")
    ancestors = _ancestors(version, nodes)
    descendants = {node.id for node in version.walk()} - {version.id}
    return Lineage(
        version=version,
        ancestors=tuple(ancestors),
        descendants=tuple(node for node in nodes.values() if node.id in descendants),
        root=ancestors[-1] if ancestors else version,
    )


def _ancestors(version: LineageNode, nodes: dict[uuid.UUID, LineageNode]) -> list[LineageNode]:
    """Follow the parents of a version as far as they can be seen."""
    ancestors: list[LineageNode] = []
    seen = {version.id}
    parent_id = version.parent_version_id
    while parent_id is not None and parent_id in nodes:
        if parent_id in seen:
            # Rows that are older than the rule against it.
            raise ValueError("the ancestors of the version make a circle")
        seen.add(parent_id)
        parent = nodes[parent_id]
        ancestors.append(parent)
        parent_id = parent.parent_version_id
    return ancestors
