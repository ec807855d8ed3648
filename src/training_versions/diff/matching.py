"""Which entries of two arrays belong together.

What is equal at both ends of the arrays is left out first. Of the entries in between, those with an
identity are paired by it, wherever they are. The others keep their order: equal ones are paired, as
many as can be without a crossing, and what lies between two such pairs is paired by position.

No step takes more time than n log n in the length. What differs inside two entries that belong
together is left to `compare.py`.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from training_versions.diff.identities import Identity, identities_of
from training_versions.models import JsonValue

Array: TypeAlias = list[JsonValue]
Fingerprints: TypeAlias = list[object]
"""One for each entry of an array; equal entries have equal ones (`ContentFingerprints`)."""
_Pair: TypeAlias = tuple[int, int]
"""The positions of an entry on the left and of its partner on the right."""


class DifferingPart(NamedTuple):
    """The part of two arrays that is left without what is equal at both ends."""

    start: int
    left_stop: int
    right_stop: int


@dataclass(frozen=True, slots=True)
class Matching:
    """Which entries of the differing part belong together."""

    part: DifferingPart
    partners: dict[int, int]
    """The positions on the left of the partners that entries on the right have."""
    reordered: bool
    """Whether entries with an identity changed places."""
    left_identities: dict[int, Identity]
    right_identities: dict[int, Identity]

    def removed(self) -> list[int]:
        """Return the positions of entries on the left that have no partner."""
        on_left = {*range(self.part.start, self.part.left_stop)}
        return sorted(on_left.difference(self.partners.values()))

    def unpaired(self) -> int:
        """Count the entries on both sides that have no partner."""
        start, left_stop, right_stop = self.part
        entries = (left_stop - start) + (right_stop - start)
        return entries - 2 * len(self.partners)


def differing_part(left_prints: Fingerprints, right_prints: Fingerprints) -> DifferingPart:
    """Leave out what is equal at both ends of two arrays."""
    start = 0
    left_stop, right_stop = len(left_prints), len(right_prints)
    shorter = min(left_stop, right_stop)
    while start < shorter and left_prints[start] == right_prints[start]:
        start += 1
    while (
        left_stop > start
        and right_stop > start
        and left_prints[left_stop - 1] == right_prints[right_stop - 1]
    ):
        left_stop -= 1
        right_stop -= 1
    return DifferingPart(start, left_stop, right_stop)


def match_entries(
    left: Array,
    right: Array,
    left_prints: Fingerprints,
    right_prints: Fingerprints,
    part: DifferingPart,
) -> Matching:
    """Decide which entries of two arrays belong together, within the part that differs."""
    start, left_stop, right_stop = part
    left_identities = _identities_within(left, start, left_stop)
    right_identities = _identities_within(right, start, right_stop)
    pairs = _pairs_by_identity(left_identities, right_identities, part)
    reordered = any(after < before for (_, before), (_, after) in pairwise(pairs))

    # The other entries are aligned between one pair and the next, the ends being borders as well.
    # If pairs cross there is no between, and then they are aligned from end to end.
    borders = [(start - 1, start - 1), (left_stop, right_stop)]
    if not reordered:
        borders[1:1] = pairs
    for (left_border, right_border), (next_left, next_right) in pairwise(borders):
        lefts = _unnamed(range(left_border + 1, next_left), left_identities)
        rights = _unnamed(range(right_border + 1, next_right), right_identities)
        if lefts and rights:
            pairs += _align(left_prints, right_prints, lefts, rights)

    partners = {on_right: on_left for on_left, on_right in pairs}
    return Matching(part, partners, reordered, left_identities, right_identities)


def _identities_within(array: Array, start: int, stop: int) -> dict[int, Identity]:
    # Most arrays hold no objects, and this is the quickest way to know.
    if dict not in map(type, array[start:stop]):
        return {}
    # Of the whole array, since occurrences count from its beginning.
    return identities_of(array)


def _pairs_by_identity(
    left: dict[int, Identity], right: dict[int, Identity], part: DifferingPart
) -> list[_Pair]:
    """Pair entries of the part that have the same identity, in the order of the left."""
    lefts = range(part.start, part.left_stop)
    rights = range(part.start, part.right_stop)
    on_right = {identity: n for n, identity in right.items() if n in rights}
    return [
        (n, on_right[identity])
        for n, identity in left.items()
        if n in lefts and identity in on_right
    ]


def _unnamed(positions: range, identities: dict[int, Identity]) -> Sequence[int]:
    """Leave out the positions of entries that have an identity."""
    if not identities:
        return positions
    return [position for position in positions if position not in identities]


def _align(
    left_prints: Fingerprints,
    right_prints: Fingerprints,
    lefts: Sequence[int],
    rights: Sequence[int],
) -> list[_Pair]:
    """Pair entries in order: equal ones, and by position what lies between those."""
    if len(lefts) == len(rights) == 1:
        # Whether they are equal or not.
        return [(lefts[0], rights[0])]
    equal = _longest_increasing(
        _pairs_of_equals([left_prints[n] for n in lefts], [right_prints[n] for n in rights])
    )
    pairs: list[_Pair] = []
    left = right = 0
    for left_stop, right_stop in equal:
        # Often nothing lies between, and to find that out is quicker than to pair it.
        if left < left_stop and right < right_stop:
            pairs += zip(lefts[left:left_stop], rights[right:right_stop], strict=False)
        pairs.append((lefts[left_stop], rights[right_stop]))
        left, right = left_stop + 1, right_stop + 1
    pairs += zip(lefts[left:], rights[right:], strict=False)
    return pairs


def _pairs_of_equals(left_prints: Fingerprints, right_prints: Fingerprints) -> list[_Pair]:
    """Pair equal entries, the n-th of several with the n-th on the other side.

    Pairs may cross, so afterwards some are given up. What is left is not always the longest common
    subsequence, but to find that would take time in proportion to the square of the length.
    """
    positions: dict[object, list[int]] = {}
    # From the last to the first, so that `pop` returns the first of those that are left.
    for position in range(len(right_prints) - 1, -1, -1):
        positions.setdefault(right_prints[position], []).append(position)

    pairs: list[_Pair] = []
    for position, fingerprint in enumerate(left_prints):
        left_over = positions.get(fingerprint)
        if left_over:
            pairs.append((position, left_over.pop()))
    return pairs


def _longest_increasing(pairs: list[_Pair]) -> list[_Pair]:
    """Select as many pairs as possible that do not cross.

    This is the longest increasing subsequence, found by patience sorting in n log n. Of all
    selections of a length it remembers the one that ends lowest, as that is the easiest to
    continue; each pair continues the longest selection that ends below it.
    """
    # By length, beginning with the empty selection: where it ends on the right, and the index of
    # its last pair.
    lowest_ends = [-1]
    last_pairs = [-1]
    # By pair: the index of the one before it in its selection, or -1.
    previous: list[int] = []
    for index, (_, end) in enumerate(pairs):
        length = bisect_left(lowest_ends, end)
        previous.append(last_pairs[length - 1])
        if length == len(lowest_ends):
            lowest_ends.append(end)
            last_pairs.append(index)
        else:
            lowest_ends[length] = end
            last_pairs[length] = index

    selection: list[_Pair] = []
    index = last_pairs[-1]
    while index >= 0:
        selection.append(pairs[index])
        index = previous[index]
    selection.reverse()
    return selection
