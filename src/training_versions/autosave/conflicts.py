"""Conflicts: what somebody else changed in the draft that an autosaver has not saved yet.

Both sides are compared with the draft as the autosaver last saw it, by the three-way merge of
`merging.py`.

When drafts are compared, and what happens after the caller's decision, is left to `state.py`.
"""

# Annotations are not postponed: those of the public error are read by `typing.get_type_hints`,
# which looks in the module that it names.

from collections.abc import Mapping, Sequence
from typing import Generic

from training_versions.autosave.content import Content, StoredDraft
from training_versions.autosave.failures import EDITED_SINCE
from training_versions.autosave.merging import overlapping_paths, pointers, value_at
from training_versions.errors import ConflictError
from training_versions.models import C, D, JsonValue, M, Version
from training_versions.snapshots import KeyPath, changed_paths, json_equal


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
    overlapping = pointers(overlapping_paths(my_changes, their_changes))

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
    error.my_paths = pointers(my_changes)
    error.their_paths = pointers(their_changes)
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
        if not json_equal(value, value_at(base.content, path))
    }
