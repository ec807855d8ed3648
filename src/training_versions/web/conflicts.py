"""Conflicts between two edits of one draft: the changes of both sides, and their merge.

"Mine" is the edit that was sent, "theirs" the draft as it is stored now. The SDK merges them. This
module prepares the result for the editor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from training_versions import EditChange, EditMerge, InvalidInputError, JsonValue, merge_edits
from training_versions.web.editing import (
    AMOUNTS,
    BY_NAME,
    LABELS,
    AnyVersion,
    Edit,
    labels_of,
    read_base,
    read_edit,
    text_of_value,
    texts_of,
    without_refused,
)
from training_versions.web.views.json_text import json_text, steps_of, visible

MAX_ROWS: Final = 200
_MAX_VALUE: Final = 300


@dataclass(frozen=True)
class Row:
    """One changed place of a draft: its value before, on my side and on theirs."""

    place: str
    base: str | None
    """The value as JSON, or as its field shows it for an amount; `None` if there was none."""
    mine: str | None
    theirs: str | None
    is_mine: bool
    """Whether I changed it."""
    is_theirs: bool
    overlaps: bool


def _row(change: EditChange) -> Row:
    column, *steps = steps_of(change.path)

    def cell(value: JsonValue, in_content: bool) -> str | None:
        # In a snapshot, null is a value. For a whole column, it means that there is no value.
        if not in_content or (value is None and not steps):
            return None
        if column in AMOUNTS:
            # As its field shows it: 33.00, not 33.0 as in JSON.
            return text_of_value(value, AMOUNTS[column])
        return _shortened(json_text(value))

    return Row(
        place=" / ".join([LABELS[column], *map(visible, steps)]),
        base=cell(change.base, change.in_base),
        mine=cell(change.mine, change.in_mine),
        theirs=cell(change.theirs, change.in_theirs),
        is_mine=change.changed_by != "them",
        is_theirs=change.changed_by != "me",
        overlaps=change.overlaps,
    )


def _unread_row(name: str) -> Row:
    return Row(
        place=BY_NAME[name].label,
        base=None,
        mine="not valid JSON yet, see the mistake below",
        theirs="changed",
        is_mine=True,
        is_theirs=True,
        overlaps=True,
    )


def _shortened(text: str) -> str:
    if len(text) > _MAX_VALUE:
        return f"{text[:_MAX_VALUE]}…"
    return text


@dataclass(frozen=True)
class Conflict:
    """Two edits of one draft, and their merge."""

    merge: EditMerge
    edit: Edit
    """My edit: the values, and the problems of texts that could not be read."""
    theirs: AnyVersion
    texts: Mapping[str, str]
    """My texts."""

    @property
    def _their_columns(self) -> set[str]:
        return {path.split("/")[1] for path in self.merge.their_paths}

    @property
    def unread(self) -> list[str]:
        """Fields with a problem on my side that their side changed, too. They cannot be merged."""
        theirs = self._their_columns
        return [name for name in self.edit.problems if BY_NAME[name].column in theirs]

    @property
    def rows(self) -> list[Row]:
        """The changes of both sides that are shown."""
        rows = [_unread_row(name) for name in self.unread]
        rows.extend(_row(change) for change in self.merge.changes[:MAX_ROWS])
        return rows

    @property
    def more_rows(self) -> int:
        """How many changes are not shown."""
        return max(0, len(self.merge.changes) - MAX_ROWS)

    @property
    def overwritten(self) -> str:
        """The labels of the fields in which overwriting drops their changes."""
        theirs = self._their_columns
        return labels_of([name for name in self.edit.values if BY_NAME[name].column in theirs])

    @property
    def can_merge(self) -> bool:
        """Whether no changes overlap."""
        return self.merge.merged is not None and not self.unread

    @property
    def has_mine(self) -> bool:
        """Whether my side has a change that theirs does not have."""
        return bool(self.edit.problems) or self.merge.merged != {}

    @property
    def merged_texts(self) -> dict[str, str] | None:
        """The texts of all fields after a merge; `None` if changes overlap."""
        if self.merge.merged is None or not self.can_merge:
            return None
        texts = texts_of(self.theirs)
        merged = cast("dict[str, JsonValue]", self.merge.merged)
        for name, value in merged.items():
            texts[name] = text_of_value(value, BY_NAME[name])
        for name in self.edit.problems:
            texts[name] = self.texts[name]
        return texts


def find_conflict(
    texts: Mapping[str, str], base: Mapping[str, str], theirs: AnyVersion
) -> Conflict:
    """Compare texts with the stored draft. Both sides began from `base`."""
    begun = read_base(base, theirs)
    edit = read_edit(texts, base)
    while True:
        try:
            merge = merge_edits(begun, edit.values, theirs)
        except InvalidInputError as exc:
            edit = without_refused(edit, exc)
        else:
            return Conflict(merge, edit, theirs, texts)
