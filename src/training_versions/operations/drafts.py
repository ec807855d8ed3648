"""Drafts: from the next number to publishing and archiving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias, TypeVar, get_type_hints

from training_versions.models import (
    C,
    D,
    DraftFields,
    Id,
    JsonLike,
    JsonValue,
    M,
    Rule,
    Unset,
    Version,
)
from training_versions.operations.checks import (
    check_known,
    check_moment,
    check_name,
    check_or_make_uuid,
    check_rule,
    check_uuid,
    nothing_to_change,
    optional,
)
from training_versions.operations.requests import Operation, Rpc, call, hint_to_repeat_with
from training_versions.operations.rows import SnapshotCodecs, read_integer, read_nothing

T = TypeVar("T")

Columns: TypeAlias = dict[str, JsonValue]
"""What to write into the columns of a draft, checked and as JSON."""

FIELD_RULES: Final[dict[str, Rule]] = {
    name: annotation.__metadata__[0]
    for name, annotation in get_type_hints(DraftFields, include_extras=True).items()
}
"""The rule of each editable field, as `DraftFields` declares it. Fields are named as columns."""

OTHER_FIELDS: Final = ("config", "model", "dataset", "name")
"""The other fields of a draft, for the error that lists them all."""


def next_version_number(package_id: Id) -> Operation[int]:
    """Read the number that the next draft of a package will get."""
    params = {"p_package_id": check_uuid(package_id, "package_id")}
    rpc = Rpc("versions.next_version_number", "get_next_version_number", params, is_write=False)
    return call(rpc, read_integer)


def create_draft(
    codecs: SnapshotCodecs[C, M, D],
    package_id: Id,
    *,
    config: C | JsonLike,
    model: M | JsonLike,
    dataset: D | Sequence[JsonLike],
    name: str | None,
    version_id: Id | None,
    fields: DraftFields,
) -> Operation[Version[C, M, D]]:
    """Create a draft with the next number of its package."""
    columns = check_snapshots(codecs, config=config, model=model, dataset=dataset)
    columns["name"] = optional(check_name, name, "name")
    columns |= check_fields(fields)
    new_id = check_or_make_uuid(version_id, "version_id")
    params = {
        "p_package_id": check_uuid(package_id, "package_id"),
        "p_version_id": new_id,
        # In a new draft `None` means what the database gives; in an edit it means "make it empty".
        "p_fields": {column: value for column, value in columns.items() if value is not None},
    }
    rpc = Rpc(
        "versions.create_draft",
        "create_training_draft",
        params,
        retry_hint=hint_to_repeat_with("version_id", new_id),
    )
    return call(rpc, codecs.read_version)


def update_draft(
    codecs: SnapshotCodecs[C, M, D],
    version_id: Id,
    *,
    config: C | JsonLike | Unset,
    model: M | JsonLike | Unset,
    dataset: D | Sequence[JsonLike] | Unset,
    name: str | Unset,
    expected_updated_at: datetime | None,
    fields: DraftFields,
) -> Operation[Version[C, M, D]]:
    """Change the named fields of a draft."""
    changes = check_changes(
        codecs, config=config, model=model, dataset=dataset, name=name, fields=fields
    )
    return save_changes(
        version_id, changes, expected_updated_at=expected_updated_at, read=codecs.read_version
    )


def check_changes(
    codecs: SnapshotCodecs[C, M, D],
    *,
    config: C | JsonLike | Unset,
    model: M | JsonLike | Unset,
    dataset: D | Sequence[JsonLike] | Unset,
    name: str | Unset,
    fields: DraftFields,
) -> Columns:
    """Check everything that an edit names, and return it by column.

    Separate from `save_changes`: autosave checks a change when it is made, and saves it later.
    """
    changes = check_snapshots(codecs, config=config, model=model, dataset=dataset)
    if not isinstance(name, Unset):
        changes["name"] = check_name(name)
    changes |= check_fields(fields)
    if not changes:
        raise nothing_to_change()
    return changes


def save_changes(
    version_id: Id,
    changes: Columns,
    *,
    expected_updated_at: datetime | None,
    read: Callable[[object], T],
) -> Operation[T]:
    """Save changes that are checked already, and return what `read` makes of the row."""
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_changes": changes,
        "p_expected_updated_at": optional(check_moment, expected_updated_at, "expected_updated_at"),
    }
    return call(Rpc("versions.update_draft", "update_training_draft", params), read)


def delete_draft(version_id: Id, *, expected_updated_at: datetime | None) -> Operation[None]:
    """Delete a draft."""
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_expected_updated_at": optional(check_moment, expected_updated_at, "expected_updated_at"),
    }
    return call(Rpc("versions.delete_draft", "delete_training_draft", params), read_nothing)


def publish(
    codecs: SnapshotCodecs[C, M, D],
    version_id: Id,
    *,
    name: str | None,
    expected_updated_at: datetime | None,
) -> Operation[Version[C, M, D]]:
    """Publish a draft."""
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_name": optional(check_name, name, "name"),
        "p_expected_updated_at": optional(check_moment, expected_updated_at, "expected_updated_at"),
    }
    return call(Rpc("versions.publish", "publish_training_version", params), codecs.read_version)


def archive(codecs: SnapshotCodecs[C, M, D], version_id: Id) -> Operation[Version[C, M, D]]:
    """Archive a published version."""
    params = {"p_version_id": check_uuid(version_id, "version_id")}
    return call(Rpc("versions.archive", "archive_training_version", params), codecs.read_version)


def check_snapshots(
    codecs: SnapshotCodecs[C, M, D],
    *,
    config: C | JsonLike | Unset,
    model: M | JsonLike | Unset,
    dataset: D | Sequence[JsonLike] | Unset,
) -> Columns:
    """Return the snapshots that are given, as JSON, by column."""
    columns: Columns = {}
    if not isinstance(config, Unset):
        columns[codecs.config.column] = codecs.config.write(config)
    if not isinstance(model, Unset):
        columns[codecs.model.column] = codecs.model.write(model)
    if not isinstance(dataset, Unset):
        columns[codecs.dataset.column] = codecs.dataset.write(dataset)
    return columns


def check_fields(fields: DraftFields) -> Columns:
    """Check the editable fields that are given; each has the name of its column."""
    check_known(fields, DraftFields, noun="draft field", besides=OTHER_FIELDS)
    columns: Columns = {}
    for name, rule in FIELD_RULES.items():
        value: object = fields.get(name, Unset.UNSET)
        if isinstance(value, Unset):
            continue
        columns[name] = None if value is None else check_rule(value, name, rule)
    return columns
