"""Conflicts: what two editors of one draft changed, where it overlaps, and how it is merged.

This is a three-way merge by path. Both sides are compared with the base that they share: the draft
as the autosaver last saw it. Where one side left a path as it was, the other side wins; where both
changed it, or one changed what lies inside of what the other changed, they overlap, and nothing is
merged. Arrays are single values: without identities, entries that moved cannot be distinguished
from entries that changed.

When drafts are compared, and what happens after the caller's decision, is left to `state.py`.
"""

# Annotations are not postponed: those of the public error are read by `typing.get_type_hints`,
# which looks in the module that it names.

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, cast

from training_versions.autosave.content import Content, StoredDraft
from training_versions.autosave.failures import EDITED_SINCE
from training_versions.errors import ConflictError
from training_versions.models import C, D, JsonValue, M, Version
from training_versions.snapshots import MISSING, KeyPath, changed_paths, json_equal, pointer


class AutosaveConflictError(ConflictError, Generic[C, M, D]):
    """Somebody else edited the draft. Nothing was overwritten; autosaving waits for your decision.

    Paths are JSON Pointers, as in `compare_versions`: `/config_snapshot/r`. An array counts as one
    value.
    """

    __module__ = "training_versions"

    mine: Mapping[str, JsonValue]
    """What is not saved, as arguments for `update_draft`."""
    base: Version[C, M, D]
    """The draft as the autosaver last saw it."""
    theirs: Version[C, M, D]
    """The draft as it is now in the database."""
    my_paths: tuple[str, ...]
    """What `mine` changes in `base`."""
    their_paths: tuple[str, ...]
    """What `theirs` changed in `base`."""
    overlapping: tuple[str, ...]
    """The part of `my_paths` that `theirs` changed differently; `merge()` works if it is empty."""


def make_conflict(
    base: StoredDraft[C, M, D],
    theirs: StoredDraft[C, M, D],
    *,
    changes: Content,
    pending: Mapping[str, JsonValue],
) -> AutosaveConflictError[C, M, D]:
    """Make the error that shows both sides.

    Args:
        base: The draft as the autosaver last saw it.
        theirs: The draft as somebody else left it.
        changes: What is not saved, by column.
        pending: The same, by argument.
    """
    my_changes = local_changes(base, changes)
    their_changes = changed_paths(base.content, theirs.content)
    overlapping = _pointers(overlapping_paths(my_changes, their_changes))

    choices = "merge(), overwrite() or discard()"
    if overlapping:
        choices = "overwrite() or discard()"
    error: AutosaveConflictError[C, M, D] = AutosaveConflictError(
        _describe(theirs.version.version_number, their_changes, overlapping),
        operation="versions.update_draft",
        code=EDITED_SINCE,
        hint=f"Nothing was overwritten; {choices}.",
    )
    # Not as arguments: an exception is unpickled by its message alone.
    error.mine = pending
    error.base = base.version
    error.theirs = theirs.version
    error.my_paths = _pointers(my_changes)
    error.their_paths = _pointers(their_changes)
    error.overlapping = overlapping
    return error


def _describe(
    number: int, their_changes: Mapping[KeyPath, object], overlapping: Sequence[str]
) -> str:
    """Say what happened to the draft, and where both sides changed it."""
    # After a lost reply, a draft that moved is a conflict even if no path differs.
    what = "moved, and may have been edited and put back,"
    if their_changes:
        what = "was edited by somebody else"
    how = "the changes do not overlap"
    if overlapping:
        how = f"both changed {', '.join(overlapping)}"
    return f"Version {number} {what} since it was last saved here, and {how}."


def local_changes(base: StoredDraft[C, M, D], changes: Content) -> dict[KeyPath, object]:
    """Find what the caller's changes really change, by path."""
    # The caller's JSON was written by the type, so it is compared with what the type writes of the
    # base. Otherwise every key that the type drops or adds would look like a change.
    changed = changed_paths(base.serialized, base.serialized | changes)
    # A change back to the stored value is not a change either.
    return {
        path: value
        for path, value in changed.items()
        if not json_equal(value, _value_at(base.content, path))
    }


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


def _value_at(content: object, path: KeyPath) -> object:
    """Return the value at a path, or `MISSING`."""
    value = content
    for key in path:
        if not isinstance(value, dict):
            return MISSING
        value = cast("dict[str, object]", value).get(key, MISSING)
    return value


def _parents(path: KeyPath) -> list[KeyPath]:
    """Return the paths of everything that a path lies in."""
    return [path[:length] for length in range(1, len(path))]


def _pointers(paths: Iterable[KeyPath]) -> tuple[str, ...]:
    return tuple(pointer(path) for path in paths)
