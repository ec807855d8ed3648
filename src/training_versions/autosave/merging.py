"""Merging: two edits of one draft, compared with the draft that both began from. Pure, no IO.

This is a three-way merge by path. Where one side left a path as it was, the other side wins; where
both changed it, or one changed what lies inside of what the other changed, they overlap, and
nothing is merged. Arrays are single values: without identities, entries that moved cannot be
distinguished from entries that changed.

`merge_edits` is for callers that hold no state, such as a server; an autosaver finds its conflicts
with the same functions, in `conflicts.py`.
"""

# Annotations are not postponed: those of the public classes are read by `typing.get_type_hints`,
# which looks in the module that they name.

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final, Literal, TypeAlias, cast

from training_versions.autosave.content import Content
from training_versions.diff.documents import json_copy
from training_versions.errors import InvalidInputError
from training_versions.models import (
    UNSET,
    CostRule,
    DraftFields,
    JsonLike,
    JsonValue,
    Unset,
    UuidRule,
    Version,
)
from training_versions.operations.checks import check_cost, check_uuid
from training_versions.operations.drafts import FIELD_RULES
from training_versions.snapshots import (
    MISSING,
    KeyPath,
    changed_paths,
    json_equal,
    pointer,
    refusing_foreign_errors,
    stored_form,
)

AnyVersion: TypeAlias = "Version[Any, Any, Any]"
Edit: TypeAlias = "AnyVersion | Mapping[str, object]"
"""One side: a version, or arguments of `update_draft`."""

ChangedBy: TypeAlias = Literal["me", "them", "both"]

# The arguments of `update_draft`, in the order in which changes are listed, and their columns.
_COLUMNS: Final = {
    "config": "config_snapshot",
    "model": "model_snapshot",
    "dataset": "dataset_snapshot",
    "name": "name",
    **{field: field for field in FIELD_RULES},
}


class DraftContent(DraftFields, total=False):
    """What can be edited of a draft, as the arguments of `update_draft`."""

    config: JsonLike | Unset
    model: JsonLike | Unset
    dataset: Sequence[JsonLike] | Unset
    name: str | Unset


# The body of a TypedDict cannot say this.
DraftContent.__module__ = "training_versions"


@dataclass(frozen=True, slots=True)
class EditChange:
    """What became of one path that at least one of two edits changed."""

    __module__ = "training_versions"

    path: str
    """A JSON Pointer, as in `compare_versions`: `/config_snapshot/r`. An array is one value."""
    base: JsonValue
    """The value that both began from; `None` if there was none, or if it was `null`."""
    mine: JsonValue
    theirs: JsonValue
    in_base: bool
    """Whether there is a value, which tells `null` from nothing."""
    in_mine: bool
    in_theirs: bool
    changed_by: ChangedBy
    overlaps: bool
    """Whether both changed it differently, or one changed what lies inside of the other's path."""


@dataclass(frozen=True, slots=True)
class EditMerge:
    """Two edits of one draft, side by side, and together if they do not overlap."""

    __module__ = "training_versions"

    changes: tuple[EditChange, ...]
    """Every path that at least one side changed: column by column, and sorted in each."""
    my_paths: tuple[str, ...]
    """What `mine` changed in `base`, in the same order."""
    their_paths: tuple[str, ...]
    """What `theirs` changed in `base`."""
    overlapping: tuple[str, ...]
    """The part of `my_paths` that `theirs` changed differently."""
    merged: DraftContent | None
    """What to pass to `update_draft` to have both: the arguments that differ from `theirs`, so none
    if `theirs` has it all. `None` if something overlaps."""


def merge_edits(base: Edit, mine: Edit, theirs: Edit) -> EditMerge:
    """Compare two edits of one draft with the draft that both began from, and merge them.

    Each side is a version, or a mapping of arguments of `update_draft`; what a mapping leaves out
    is as in `base` (and what `base` leaves out, as in `theirs`). Nothing is read or saved: pass
    what is `merged` to `update_draft`, with the `updated_at` of the draft that you call `theirs`.

    Args:
        base: The draft that both sides began from.
        mine: What one side made of it, which is not saved.
        theirs: What it has become meanwhile.

    Raises:
        InvalidInputError: A mapping has a key that is no argument, or an amount or identifier that
            is none.

    Example:
        >>> both = merge_edits(draft, {"config": {"r": 16}}, current)
        >>> if both.merged:
        ...     versions.update_draft(
        ...         draft.id, expected_updated_at=current.updated_at, **both.merged
        ...     )
    """
    their_content = _content_of(theirs, "theirs")
    base_content = their_content | _content_of(base, "base")
    my_content = base_content | _content_of(mine, "mine")
    their_content = base_content | their_content

    my_changes = changed_paths(base_content, my_content)
    their_changes = changed_paths(base_content, their_content)
    overlapping = overlapping_paths(my_changes, their_changes)
    merged: DraftContent | None = None
    if not overlapping:
        merged = _differing_arguments(apply_changes(their_content, my_changes), their_content)

    sides = _Sides(base_content, my_content, their_content)
    overlaps = {*overlapping, *overlapping_paths(their_changes, my_changes)}
    changes: list[EditChange] = []
    for path in sorted({*my_changes, *their_changes}, key=_place):
        changed_by: ChangedBy = "both"
        if path not in their_changes:
            changed_by = "me"
        elif path not in my_changes:
            changed_by = "them"
        changes.append(sides.change_at(path, changed_by, overlaps=path in overlaps))
    return EditMerge(
        changes=tuple(changes),
        my_paths=pointers(sorted(my_changes, key=_place)),
        their_paths=pointers(sorted(their_changes, key=_place)),
        overlapping=pointers(sorted(overlapping, key=_place)),
        merged=merged,
    )


#
# What the autosavers use as well
#


def overlapping_paths(
    my_changes: Mapping[KeyPath, object], their_changes: Mapping[KeyPath, object]
) -> list[KeyPath]:
    """Find which of my paths equal, lie inside of, or contain one of theirs.

    A path that both sides changed to the same value does not overlap.
    """
    above_theirs = {parent for path in their_changes for parent in _parents(path)}
    found: list[KeyPath] = []
    for path, value in my_changes.items():
        contains_theirs = path in above_theirs
        is_inside_theirs = any(parent in their_changes for parent in _parents(path))
        is_changed_differently = path in their_changes and not json_equal(
            value, their_changes[path]
        )
        if contains_theirs or is_inside_theirs or is_changed_differently:
            found.append(path)
    return found


def apply_changes(content: Content, changes: Mapping[KeyPath, object]) -> Content:
    """Return a copy of the content in which these paths are changed."""
    changed = copy.deepcopy(content)
    for path, value in changes.items():
        _put(changed, path, value)
    return changed


def value_at(content: object, path: KeyPath) -> object:
    """Return the value at a path, or `MISSING`."""
    value = content
    for key in path:
        if not isinstance(value, dict):
            return MISSING
        value = cast("dict[str, object]", value).get(key, MISSING)
    return value


def pointers(paths: Iterable[KeyPath]) -> tuple[str, ...]:
    """Write each path as a JSON Pointer."""
    return tuple(pointer(path) for path in paths)


def _put(target: dict[str, Any], path: KeyPath, value: object) -> None:
    """Set the value at a path, or remove it if it is `MISSING`."""
    *parents, last = path
    for key in parents:
        # A parent that is missing is missing in the base, too: had the other side removed it, the
        # paths would overlap.
        target = target.setdefault(key, {})
    if value is MISSING:
        target.pop(last, None)
    else:
        target[last] = value


def _parents(path: KeyPath) -> list[KeyPath]:
    """Return the paths of everything that a path lies in."""
    return [path[:length] for length in range(1, len(path))]


#
# Only for `merge_edits`
#


@dataclass(frozen=True)
class _Sides:
    base: Content
    mine: Content
    theirs: Content

    def change_at(self, path: KeyPath, changed_by: ChangedBy, *, overlaps: bool) -> EditChange:
        """Put together what the three have at a path."""
        base, mine, theirs = (
            value_at(content, path) for content in (self.base, self.mine, self.theirs)
        )
        return EditChange(
            path=pointer(path),
            base=_shown(base),
            mine=_shown(mine),
            theirs=_shown(theirs),
            in_base=base is not MISSING,
            in_mine=mine is not MISSING,
            in_theirs=theirs is not MISSING,
            changed_by=changed_by,
            overlaps=overlaps,
        )


def _shown(value: object) -> JsonValue:
    if value is MISSING:
        return None
    return cast("JsonValue", value)


def _place(path: KeyPath) -> tuple[int, KeyPath]:
    return list(_COLUMNS.values()).index(path[0]), path


def _content_of(side: object, argument: str) -> Content:
    """Return by column what one side says of the content of a draft, as it would be stored."""
    if isinstance(side, Version):
        version = cast("AnyVersion", side)
        given = {name: getattr(version, column) for name, column in _COLUMNS.items()}
    elif isinstance(side, Mapping):
        given = dict(cast("Mapping[str, object]", side))
    else:
        raise InvalidInputError(
            f"{argument} must be a Version with its snapshots, or a mapping of arguments of "
            f"update_draft, not {side!r:.80}.",
            field=argument,
        )
    content: Content = {}
    for name, value in given.items():
        if name not in _COLUMNS:
            raise InvalidInputError(
                f"{argument} has {name!r:.80}, which is no argument of update_draft.",
                field=argument,
                hint=f"There are {', '.join(_COLUMNS)}.",
            )
        if value is not UNSET:
            content[_COLUMNS[name]] = _as_stored(value, name)
    return content


def _as_stored(value: object, name: str) -> JsonValue:
    """Write a value as the database's JSON has it; whether it can be stored is not checked here."""
    if value is None:
        return None
    rule = FIELD_RULES.get(name)
    if isinstance(rule, CostRule):
        if isinstance(value, Decimal) and value.is_finite():
            # What is stored need not obey the rules of today.
            return float(value)
        return check_cost(value, name)
    if isinstance(rule, UuidRule):
        return check_uuid(value, name)
    with refusing_foreign_errors(name):
        return json_copy(value, partial(stored_form, at=name))


def _differing_arguments(content: Content, theirs: Content) -> DraftContent:
    """Return what an edit would have to say to make `content` of `theirs`."""
    arguments = {
        name: content[column]
        for name, column in _COLUMNS.items()
        if column in content and not json_equal(content[column], theirs.get(column, MISSING))
    }
    return cast("DraftContent", arguments)
