"""When two JSON values are equal, and where two objects differ.

The project has one equality of JSON: two values are equal if `jsonb` writes them alike. 1 and 1.0
are two values, since to a trainer 1 may be one batch and 1.0 all of them; `true` is not 1; the
order of keys does not count; and `null` is not a missing key. Python's `==` takes all three of
`True`, 1 and 1.0 for one, and so does that of `jsonb` for the last two; the database compares what
it writes, as this does.

It comes in two forms. `json_equal` compares two values once. `ContentFingerprints` is for comparing
parts of the same documents many times, as the diff does.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Final, TypeAlias, cast

from training_versions.snapshots.limits import INTEGERS_ONLY

KeyPath: TypeAlias = tuple[str, ...]
"""The keys that lead to a value, from the outermost object inwards; never an index."""

_Object: TypeAlias = dict[str, object]
_Array: TypeAlias = list[object]


class Missing(enum.Enum):
    """The type of `MISSING`, which separates "there is no such key" from `null`."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


def json_equal(left: object, right: object) -> bool:
    """Return whether `jsonb` writes two JSON values alike; `MISSING` equals itself alone."""
    if isinstance(left, dict) and isinstance(right, dict):
        old, new = cast("_Object", left), cast("_Object", right)
        if old.keys() != new.keys():
            return False
        return all(json_equal(old[key], new[key]) for key in old)
    if isinstance(left, list) and isinstance(right, list):
        olds, news = cast("_Array", left), cast("_Array", right)
        if len(olds) != len(news):
            return False
        return all(map(json_equal, olds, news))
    stored, other = _as_stored(cast("object", left)), _as_stored(right)
    # To Python, true equals 1, and 1 equals 1.0.
    return (
        isinstance(stored, bool) == isinstance(other, bool)
        and isinstance(stored, float) == isinstance(other, float)
        and stored == other
    )


def _as_stored(value: object) -> object:
    """Return a large float as the integer that `json_values.py` writes it as."""
    if isinstance(value, float) and INTEGERS_ONLY <= abs(value) < inf:
        return int(value)
    return value


def changed_paths(old: Mapping[str, object], new: Mapping[str, object]) -> dict[KeyPath, object]:
    """Find where two objects differ, and what the new one has there.

    What the new one lacks is `MISSING`. An array counts as one value: a change inside it is a
    change of the whole.

    Example:
        >>> changed_paths({"lora": {"r": 8}, "seed": 1}, {"lora": {"r": 16}})
        {('lora', 'r'): 16, ('seed',): MISSING}
    """
    return dict(_changes(old, new, ()))


def _changes(
    old: Mapping[str, object], new: Mapping[str, object], parent: KeyPath
) -> Iterator[tuple[KeyPath, object]]:
    # The keys of the old one, then those that only the new one has.
    for key in {**old, **new}:
        path = (*parent, key)
        before, after = old.get(key, MISSING), new.get(key, MISSING)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(cast("_Object", before), cast("_Object", after), path)
        elif not json_equal(cast("object", before), after):
            yield path, after


class ContentFingerprints:
    """Gives every JSON value a fingerprint; two values have equal ones exactly if they are equal.

    This is hash-consing: each content has one fingerprint, and that of an array or object is looked
    up by the fingerprints of what it holds. So every value is visited once, however often it is
    compared and however deep a difference lies; `json_equal` at each level would visit the
    innermost values once for every level above them. And fingerprints can be hashed, which is how
    the diff finds equal entries of long arrays in linear time.

    Containers are recognised by their `id`, so the documents must outlive this object, unchanged.
    """

    def __init__(self) -> None:
        self._by_id: dict[int, object] = {}
        self._by_content: dict[tuple[object, ...], object] = {}

    def of(self, value: object) -> object:
        """Return the fingerprint of one value."""
        fingerprint = self._by_id.get(id(value))
        if fingerprint is not None:
            return fingerprint
        if isinstance(value, list):
            if not value:
                return list
            content = tuple(self.of_each(cast("_Array", value)))
        elif isinstance(value, dict):
            if not value:
                return dict
            members = cast("_Object", value)
            names = tuple(sorted(members))
            # An array is never taken for this: no fingerprint is a tuple, as the names are.
            content = (names, *self.of_each(map(members.__getitem__, names)))
        elif isinstance(value, bool):
            return _FINGERPRINTS_OF_BOOLEANS[value]
        elif isinstance(value, float) and value.is_integer():
            # Not its own, which would be that of the integer, too. No array is taken for this: no
            # fingerprint is the type `float`.
            stored = _as_stored(value)
            if isinstance(stored, int):
                return stored
            return self._by_content.setdefault((float, value), object())
        else:
            return value
        fingerprint = self._by_content.setdefault(content, object())
        self._by_id[id(cast("object", value))] = fingerprint
        return fingerprint

    def of_each(self, values: Iterable[object]) -> list[object]:
        """Return the fingerprint of each of several values, in their order."""
        fingerprints = list(values)
        for index, value in enumerate(fingerprints):
            # Most values are their own, and not calling for those is what makes this fast.
            if type(value) not in _OWN_FINGERPRINTS:
                fingerprints[index] = self.of(value)
        return fingerprints


_OWN_FINGERPRINTS: Final = frozenset({str, int, type(None)})
_FINGERPRINTS_OF_BOOLEANS: Final = {False: object(), True: object()}
