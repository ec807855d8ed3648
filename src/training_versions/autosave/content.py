"""The editable content of a draft: every column that `update_draft` can change, as JSON.

Content is compared to find out who changed what. A typed repository sees a draft through its
types, so content comes in two forms, which `StoredDraft` keeps side by side. How it is compared is
left to `conflicts.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeAlias

from training_versions.models import C, D, JsonValue, M, Version
from training_versions.operations.drafts import FIELD_RULES
from training_versions.operations.rows import SnapshotCodecs, expect_object
from training_versions.snapshots import json_equal

Content: TypeAlias = dict[str, JsonValue]
"""Values by column: all editable ones, or those that a save changes."""

PLAIN_COLUMNS: Final = ("name", *FIELD_RULES)
"""The editable columns beside the snapshots."""


@dataclass(frozen=True)
class StoredDraft(Generic[C, M, D]):
    """A draft, and its editable content in two forms.

    The forms differ where a type drops keys that it does not know, fills in defaults, or writes a
    value differently from how it was stored. Conflicts compare `content`, since an edit of a key
    that the type drops is an edit, too. Local changes compare `serialized`, since a caller who
    never touched such a key did not remove it.

    For example, let the stored config be `{"r": 8, "x": 1}`, and its type know `r` and `alpha`,
    which is 16 by default:

        content       {"r": 8, "x": 1}
        serialized    {"r": 8, "alpha": 16}

    The caller makes `r` 9, and the type writes `{"r": 9, "alpha": 16}`. Compared with `serialized`,
    that is one change, and compared with `content`, it would also add `alpha` and remove `x`. If
    somebody else makes `x` 2, only `content` shows it.
    """

    version: Version[C, M, D]
    content: Content
    """As it is stored."""
    serialized: Content
    """As the repository's types write what they read."""
    edited_at: datetime
    """When its content was last edited, or later: at most its `updated_at`."""


def read_draft(codecs: SnapshotCodecs[C, M, D], row: object) -> StoredDraft[C, M, D]:
    """Read a row.

    Raises:
        ValueError: A snapshot does not fit its type; the message says which.
    """
    version = codecs.read_version(row)
    values = expect_object(row)
    snapshots = _serialize_snapshots(codecs, version)
    # Copied, since without types the version's snapshots are those of the row.
    content: Content = {
        column: copy.deepcopy(values[column]) for column in (*snapshots, *PLAIN_COLUMNS)
    }
    return StoredDraft(version, content, content | snapshots, _edited_at(values, version))


def assume_draft(
    codecs: SnapshotCodecs[C, M, D], version: Version[C, M, D]
) -> StoredDraft[C, M, D]:
    """Take a version whose row is not at hand, and assume that it is stored as its types write it.

    `is_certainly_stored` says whether that must be so.
    """
    content = _serialize_snapshots(codecs, version)
    for column in PLAIN_COLUMNS:
        content[column] = _as_json(getattr(version, column))
    # Copied, since callers may edit the snapshots of the version that they hold.
    return StoredDraft(copy.deepcopy(version), content, content, version.updated_at)


def is_certainly_stored(codecs: SnapshotCodecs[C, M, D], assumed: StoredDraft[C, M, D]) -> bool:
    """Return whether content that was assumed must be what is stored."""
    for codec in codecs.as_tuple():
        value: object = getattr(assumed.version, codec.column)
        if codec.is_typed or not json_equal(value, assumed.content[codec.column]):
            return False
    return True


def _edited_at(row: Mapping[str, Any], version: Version[C, M, D]) -> datetime:
    edited_at: str | None = row.get("content_updated_at")
    if edited_at is None:
        return version.updated_at
    # In a draft from before there was this column, it is the time of the migration.
    return min(datetime.fromisoformat(edited_at), version.updated_at)


def _serialize_snapshots(codecs: SnapshotCodecs[C, M, D], version: Version[C, M, D]) -> Content:
    """Write the snapshots of a version as their types do."""
    snapshots: Content = {}
    for codec in codecs.as_tuple():
        snapshots[codec.column] = codec.rewrite(getattr(version, codec.column))
    return snapshots


def _as_json(value: object) -> JsonValue:
    """Write the value of a plain column as the database's JSON has it."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
