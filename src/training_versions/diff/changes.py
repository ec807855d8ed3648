"""A single change: what happened to the value at a path, and where a patch applies it.

How changes are found is left to `compare.py`, and how they are written to `text.py` and `patch.py`.
"""

import enum
from dataclasses import dataclass
from decimal import Context, Decimal
from math import isfinite
from typing import Final, TypeAlias, TypeGuard

from training_versions.models import JsonValue
from training_versions.snapshots.limits import TOO_LARGE

Value: TypeAlias = JsonValue | Decimal
"""What is compared: JSON, and costs as they are read."""

DEFAULT_WIDTH: Final = 60
"""How much of a value a line shows, in characters."""

# Enough digits for any cost and any float as written, and no exception in place of a result.
_EXACT: Final = Context(prec=50, traps=[])


class ChangeKind(enum.StrEnum):
    """What happened to the value at a path."""

    __module__ = "training_versions"

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, repr=False)
class Change:
    """One difference between two versions. `str()` is its line in the text of the diff."""

    __module__ = "training_versions"

    path: str
    """A JSON Pointer (RFC 6901) such as `/config_snapshot/lora/r`.

    In arrays, where positions shift, it leads to the value in the right version, or, if it was
    removed, in the left one.
    """
    label: str
    """The path for people: an entry with an identity is named by it.

    An example is `/dataset_snapshot/datasetId=faq/split`. A text that reads as a number is quoted
    (`id="1"`), and of entries with the same identity only the first is named.
    """
    kind: ChangeKind
    old: Value = None
    """The value in the left version; `None` if it was added, or if it was `null`."""
    new: Value = None
    """The value in the right version; `None` if it was removed, or if it is `null`."""
    array: str | None = None
    """The path of the outermost array that it lies in, if it does."""

    def __repr__(self) -> str:
        return f"<Change {self.kind} {self.label!r}>"

    def __str__(self) -> str:
        from training_versions.diff.text import lines  # which knows this class

        (line,) = lines([self], DEFAULT_WIDTH)
        return line

    @property
    def delta(self) -> int | float | Decimal | None:
        """By how much a number changed; `None` if it is not two numbers, or more than JSON holds.

        Exact for integers and costs; floats count as written: 0.3 - 0.1 is 0.2, and from 1 to 1.0
        it is 0.0.
        """
        old, new = self.old, self.new
        if not _is_number(old) or not _is_number(new):
            return None
        if isinstance(old, int) and isinstance(new, int):
            whole = new - old
            if abs(whole) >= TOO_LARGE:
                return None  # Python does not write it
            return whole
        difference = _EXACT.subtract(_as_written(new), _as_written(old))
        if isinstance(old, Decimal):
            return difference
        as_float = float(difference)
        if not isfinite(as_float):
            return None
        return as_float

    @property
    def reordered(self) -> bool:
        """Whether entries of the array at `path` changed places.

        Then `old` and `new` are the whole array.
        """
        return isinstance(self.old, list) and isinstance(self.new, list)


PatchOperation: TypeAlias = tuple[str, Change]
"""A change, after the path at which a patch applies it.

The operations of a patch apply one after the other, so when one applies, an entry of an array may
be where it is in neither version. `compare.py` has an example.
"""


def _is_number(value: Value) -> TypeGuard[int | float | Decimal]:
    # To Python, a boolean is an integer.
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _as_written(value: int | float | Decimal) -> Decimal:
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value)
