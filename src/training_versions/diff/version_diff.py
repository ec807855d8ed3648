"""A `VersionDiff`: the changes between two versions, which can be filtered and written.

It is made in `compare.py`. What is here selects changes, and never looks at the versions again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, overload

from training_versions.diff.changes import DEFAULT_WIDTH, Change, ChangeKind, PatchOperation
from training_versions.diff.documents import json_copy
from training_versions.diff.patch import json_patch
from training_versions.diff.text import lines
from training_versions.errors import InvalidInputError
from training_versions.models import JsonObject


@dataclass(frozen=True, repr=False)
class VersionDiff(Sequence[Change]):
    """The differences between two versions, in the order of their content; falsy if there are none.

    Example:
        >>> diff = compare_versions(before, after)
        >>> print(diff.filter("/config_snapshot"))
        ~ /config_snapshot/lora/r  8 -> 16  (+8)
    """

    __module__ = "training_versions"

    _changes: tuple[Change, ...]
    # Of all changes, or after a filter of those that can be patched: an array is patched as a whole
    # or not at all, as what happens to one entry decides where the others are.
    _operations: tuple[PatchOperation, ...]
    # The arrays of which a filter kept changes, but not the operations.
    _partial_arrays: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self._changes)

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Change, ...]: ...
    def __getitem__(self, index: int | slice) -> Change | tuple[Change, ...]:
        return self._changes[index]

    def __repr__(self) -> str:
        noun = "change" if len(self) == 1 else "changes"
        return f"<VersionDiff: {len(self)} {noun}>"

    def __str__(self) -> str:
        return self.to_text()

    def filter(self, *prefixes: str) -> "VersionDiff":
        """Keep what lies at or below one of these paths.

        Names count as a whole: `/config_snapshot/r` does not find `/config_snapshot/rank`, and a
        slash at the end is followed by a name that is empty. What was added or removed with all
        that is in it is one change, at its own path.

        Args:
            *prefixes: The beginnings of paths or of labels.

        Raises:
            InvalidInputError: No path is given, or one is neither empty nor begins with a slash.

        Example:
            >>> content = diff.filter("/config_snapshot", "/model_snapshot", "/dataset_snapshot")
            >>> faq = diff.filter("/dataset_snapshot/datasetId=faq")
        """
        _check_prefixes(prefixes)
        # With a slash at the end of both, names are compared as a whole.
        starts = tuple(f"{prefix}/" for prefix in prefixes)

        def is_kept(path: str) -> bool:
            return f"{path}/".startswith(starts)

        changes = [each for each in self if is_kept(each.path) or is_kept(each.label)]
        operations = [each for each in self._operations if is_kept(_patched_whole(each))]

        # Arrays that the diff could patch, and those that it still can. `None`, for what lies in no
        # array, may be in both.
        patched_before = {change.array for _, change in self._operations}
        still_patched = {change.array for _, change in operations}
        # Arrays that cannot be patched: this filter took their operations, or an earlier one did.
        not_patched = (patched_before - still_patched) | self._partial_arrays
        # Arrays of which changes are left. If all are gone, a patch may leave the array out.
        with_changes = {change.array for change in changes if change.array is not None}
        partial_arrays = frozenset(with_changes & not_patched)
        return VersionDiff(tuple(changes), tuple(operations), partial_arrays)

    def to_text(self, *, width: int = DEFAULT_WIDTH) -> str:
        """Return a line for each change, for people: `+` is added, `-` removed, `~` changed.

        Args:
            width: How much of a value to show, in characters; of two long ones, it is where they
                begin to differ.

        Raises:
            InvalidInputError: The width is not a positive integer.

        Example:
            >>> print(diff.to_text(width=20))
        """
        if type(width) is not int or width < 1:
            problem = f"width must be a positive integer, not {width!r:.80}."
            raise InvalidInputError(problem, field="width")
        if not self:
            return "no differences"
        return "\n".join(lines(self, width))

    def to_json_patch(self) -> list[JsonObject]:
        """Return the operations (RFC 6902) that turn `document(left)` into `document(right)`.

        After a filter, they change that part alone. An array whose entries changed places, or in
        which more than 1,000 entries were added and removed together, is replaced as a whole.

        Raises:
            InvalidInputError: A filter went inside an array, whose entries can only be patched
                together.

        Example:
            >>> from training_versions.diff import document
            >>> patch = compare_versions(left, right).to_json_patch()
            >>> jsonpatch.apply_patch(document(left), patch) == document(right)
            True
        """
        if self._partial_arrays:
            problem = f"A part of the array {min(self._partial_arrays)} cannot be patched alone"
            raise InvalidInputError(
                f"{problem}; filter by the path of the array.", field="prefixes"
            )
        return json_patch(self._operations)

    def to_dict(self) -> JsonObject:
        """Return plain data for `json.dumps`.

        Costs are numbers, and what a change does not have is left out.

        Example:
            >>> json.dumps(diff.to_dict())
            '{"changes": [{"path": "/config_snapshot/r", "label": "/config_snapshot/r", "kind": ...
        """
        changes = [_change_to_dict(change) for change in self]
        return cast("JsonObject", json_copy({"changes": changes}))


def _check_prefixes(prefixes: tuple[object, ...]) -> None:
    if not prefixes:
        raise InvalidInputError("Name at least one path to keep.", field="prefixes")
    for prefix in prefixes:
        # The empty pointer leads to the whole document.
        if not isinstance(prefix, str) or (prefix != "" and not prefix.startswith("/")):
            problem = f"{prefix!r:.80} is not a path such as '/config_snapshot'."
            raise InvalidInputError(problem, field="prefixes")


def _patched_whole(operation: PatchOperation) -> str:
    """Return the path of what is patched with an operation or not at all."""
    path, change = operation
    if change.array is not None:
        return change.array
    return path


def _change_to_dict(change: Change) -> dict[str, object]:
    plain: dict[str, object] = {
        "path": change.path,
        "label": change.label,
        "kind": change.kind,
    }
    if change.kind != ChangeKind.ADDED:
        plain["old"] = change.old
    if change.kind != ChangeKind.REMOVED:
        plain["new"] = change.new
    if change.delta is not None:
        plain["delta"] = change.delta
    return plain
