"""The comparison: one walk over two documents, which collects changes and operations.

Which entries of arrays belong together is decided in `matching.py`.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from training_versions.diff.changes import Change, ChangeKind, PatchOperation, Value
from training_versions.diff.documents import AnyVersion, compared_values
from training_versions.diff.identities import Identity, entry_label
from training_versions.diff.matching import (
    Array,
    DifferingPart,
    Matching,
    differing_part,
    match_entries,
)
from training_versions.diff.version_diff import VersionDiff
from training_versions.snapshots import ContentFingerprints, escape_step

# Many single steps on a long array are slow to apply. Beyond this many entries that are added or
# removed, both taken together, a patch replaces the array.
MAX_STEPS: Final = 1000

_Object: TypeAlias = dict[str, Value]


def compare_versions(left: AnyVersion, right: AnyVersion) -> VersionDiff:
    """Return what differs between two versions, of one package or of two.

    Compared are the snapshots, name, status, change summary, training status and metrics, costs and
    deployment. What identifies a version is not: ids, number, parent, who and when. Typed snapshots
    are compared as they would be stored, so what their type ignores is not seen, and its defaults
    are; `versions.compare` reads what is stored.

    Entries of arrays that have a `datasetId`, else an `id`, else a `name`, as text or a number, are
    matched by it, the first with the first if several have the same: an entry inserted at the front
    is one addition, and entries that changed places are one more change, which says `reordered`.
    The others are aligned by what is equal, and by position between that.

    Raises:
        InvalidInputError: One of them is not a version with its snapshots.

    Example:
        >>> first = versions.get_by_number(package.id, 1)
        >>> second = versions.get_by_number(package.id, 2)
        >>> print(compare_versions(first, second))
        ~ /name                                "support-bot-v1" -> "support-bot-v2"
        ~ /config_snapshot/lora/r              8 -> 16  (+8)
        + /dataset_snapshot/datasetId=tickets  {"datasetId": "tickets", "split": "train"}
    """
    old, new = compared_values(left, "left"), compared_values(right, "right")
    comparison = _Comparison()
    comparison.compare_objects(old, new, _Place("", "", "", None))
    return VersionDiff(tuple(comparison.changes), tuple(comparison.operations))


# Not frozen, since to make a frozen one takes twice the time.
@dataclass(slots=True)
class _Place:
    """Where the walk is. The paths differ below arrays, where entries may have moved."""

    left: str
    right: str
    label: str
    """The path for people."""
    array: str | None
    """The path on the right of the outermost array that it lies in."""

    def member(self, name: str) -> "_Place":
        """Go down to a member of an object, which has the same name on both sides."""
        step = f"/{escape_step(name)}"
        return _Place(self.left + step, self.right + step, self.label + step, self.array)

    def entry(self, left: int, right: int, identity: Identity | None = None) -> "_Place":
        """Go down to an entry of an array, by its position on each side."""
        label = entry_label(right, identity)
        return _Place(
            f"{self.left}/{left}",
            f"{self.right}/{right}",
            f"{self.label}/{label}",
            self.array_of_entries(),
        )

    def array_of_entries(self) -> str:
        """Return the outermost array that the entries of an array at this place lie in."""
        if self.array is not None:
            return self.array
        return self.right


class _Comparison:
    """One walk over two documents.

    Operations apply one after the other, so each is written for a document in which everything
    before it is as on the right already. Within an array, entries are removed first, from the last
    to the first; then, from the first to the last, entries are added, and what is inside the others
    changes. So from the array [a, b, c] to [x, c]:

        remove /1       of [a, b, c], where entries are still at their positions on the left
        replace /0, x   of [a, c], where all before the entry is as on the right, and so it is at
                        its position on the right
    """

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.operations: list[PatchOperation] = []
        # Not `json_equal`, which would visit each value once for every level above it, and could
        # find equal entries of two arrays only by trying each with each.
        self._fingerprints = ContentFingerprints()

    def compare_objects(self, left: _Object, right: _Object, at: _Place) -> None:
        """Collect what differs between two objects."""
        fingerprint = self._fingerprints.of
        for name, old in left.items():
            if name not in right:
                self._record(ChangeKind.REMOVED, at.member(name), old, None)
            elif fingerprint(old) != fingerprint(right[name]):
                self._compare_values(old, right[name], at.member(name))
        for name, new in right.items():
            if name not in left:
                self._record(ChangeKind.ADDED, at.member(name), None, new)

    def _compare_values(self, left: Value, right: Value, at: _Place) -> None:
        """Collect what differs between two values that are not equal."""
        if isinstance(left, dict) and isinstance(right, dict):
            self.compare_objects(cast("_Object", left), cast("_Object", right), at)
        elif isinstance(left, list) and isinstance(right, list):
            self._compare_arrays(left, right, at)
        else:
            self._record(ChangeKind.CHANGED, at, left, right)

    def _compare_arrays(self, left: Array, right: Array, at: _Place) -> None:
        left_prints = self._fingerprints.of_each(left)
        right_prints = self._fingerprints.of_each(right)
        part = differing_part(left_prints, right_prints)
        if _is_one_value(left, right, part):
            # By far the most frequent case, which needs no search.
            at_entry = at.entry(part.start, part.start)
            self._compare_values(left[part.start], right[part.start], at_entry)
            return

        matching = match_entries(left, right, left_prints, right_prints, part)
        first_operation = len(self.operations)
        self._record_removed(left, matching, at)
        # From the last to the first, so that each is still where it is on the left.
        self.operations[first_operation:] = reversed(self.operations[first_operation:])

        whole = Change(at.right, at.label, ChangeKind.CHANGED, left, right, at.array_of_entries())
        if matching.reordered:
            self.changes.append(whole)

        partners, identities = matching.partners, matching.right_identities
        for position in range(part.start, part.right_stop):
            partner = partners.get(position)
            if partner is None:
                at_entry = at.entry(position, position, identities.get(position))
                self._record(ChangeKind.ADDED, at_entry, None, right[position])
            elif left_prints[partner] != right_prints[position]:
                at_entry = at.entry(partner, position, identities.get(position))
                self._compare_values(left[partner], right[position], at_entry)

        if matching.reordered or matching.unpaired() > MAX_STEPS:
            self.operations[first_operation:] = [(at.right, whole)]

    def _record_removed(self, left: Array, matching: Matching, at: _Place) -> None:
        # An entry that is removed has no position on the right, and keeps that on the left.
        for position in matching.removed():
            identity = matching.left_identities.get(position)
            self._record(
                ChangeKind.REMOVED, at.entry(position, position, identity), left[position], None
            )

    def _record(self, kind: ChangeKind, at: _Place, old: Value, new: Value) -> None:
        path = at.right
        if kind is ChangeKind.REMOVED:
            path = at.left
        change = Change(path, at.label, kind, old, new, at.array)
        self.changes.append(change)
        # All before this place is as on the right when the operation applies. To a removed entry,
        # `at.right` leads by its position on the left; see `_record_removed`.
        self.operations.append((at.right, change))


def _is_one_value(left: Array, right: Array, part: DifferingPart) -> bool:
    """Whether all that differs is one entry on each side, and neither can have an identity."""
    start, left_stop, right_stop = part
    if left_stop != start + 1 or right_stop != start + 1:
        return False
    return not isinstance(left[start], dict) and not isinstance(right[start], dict)
