"""Two values side by side: short values whole, long texts around their differences."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from training_versions import JsonValue
from training_versions.diff import entry_label, identities_of
from training_versions.web.views.json_text import json_text, pretty_json, steps_of

Value: TypeAlias = JsonValue | Decimal
"""A value to compare: JSON, or an amount."""

MAX_SHOWN: Final = 2_000
"""The most characters of a value that a row shows."""
# The characters of equal text that are shown before and after a difference.
_CONTEXT: Final = 60
# Longer values are folded.
_LONG: Final = 300
# Words up to this length are marked as a whole if a part of them differs.
_WORD: Final = 30


@dataclass(frozen=True)
class Side:
    """One side of a row."""

    before: str
    """The equal text before the difference."""
    differs: str
    after: str
    """The equal text after the difference."""
    size: int
    """The number of characters of the value as JSON."""
    is_json: bool = False
    """Whether the value is an object or array, written on several lines."""

    @property
    def shown(self) -> int:
        """The number of characters that are shown, including ellipses."""
        return len(self.before) + len(self.differs) + len(self.after)

    @property
    def is_cut(self) -> bool:
        """Whether the value is longer than the limit of a row."""
        return self.size > MAX_SHOWN

    @property
    def is_long(self) -> bool:
        """Whether the value is folded."""
        return self.shown > _LONG


@dataclass(frozen=True)
class Sides:
    """Both sides of a row. A side is `None` if it has no value."""

    old: Side | None
    new: Side | None


def show_sides(old: Value, new: Value, *, has_old: bool = True, has_new: bool = True) -> Sides:
    """Return both sides of a row, of which one may have no value."""
    if not has_old:
        return Sides(None, _whole(new))
    if not has_new:
        return Sides(_whole(old), None)
    if isinstance(old, str) and isinstance(new, str):
        return _texts(json_text(old), json_text(new))
    return Sides(_whole(old), _whole(new))


def show_order(old: Value, new: Value) -> Sides:
    """Return the order of the entries of two arrays, by the keys that comparisons match them by."""
    return Sides(_whole(_names(old)), _whole(_names(new)))


def _names(array: Value) -> Value:
    if not isinstance(array, list):
        return array
    labels = [entry_label(position, each) for position, each in identities_of(array).items()]
    return [step for label in labels for step in steps_of(f"/{label}")]


def _whole(value: Value) -> Side:
    if isinstance(value, dict | list) and value:
        text = pretty_json(value)
        return Side("", text[:MAX_SHOWN], "", len(text), is_json=True)
    text = json_text(value)
    return Side("", text[:MAX_SHOWN], "", len(text))


def _texts(old: str, new: str) -> Sides:
    """Mark the difference of two texts, and shorten the equal text around it."""
    same_before = _common_words(old, new)
    rest_of_old, rest_of_new = old[same_before:], new[same_before:]
    same_after = _common_words(rest_of_old[::-1], rest_of_new[::-1])
    return Sides(
        _around(old, same_before, len(old) - same_after),
        _around(new, same_before, len(new) - same_after),
    )


def _common_words(left: str, right: str) -> int:
    """Return the length of the common beginning of two texts, cut at a word boundary.

    It may end inside of a long word, such as a hash.
    """
    length = _common_length(left, right)
    start = length
    while start > 0 and left[start - 1].isalnum():
        start -= 1
    if length - start > _WORD or not (_goes_on(left, length) or _goes_on(right, length)):
        return length
    return start


def _goes_on(text: str, position: int) -> bool:
    return text[position : position + 1].isalnum()


def _common_length(left: str, right: str) -> int:
    """Return the length of the common beginning of two texts."""
    for position, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return position
    return min(len(left), len(right))


def _around(text: str, start: int, stop: int) -> Side:
    before, differs, after = text[:start], text[start:stop], text[stop:]
    if len(text) > _LONG:
        before = _end_of(before)
        after = _beginning_of(after)
    return Side(before, differs[:MAX_SHOWN], after, len(text))


def _end_of(text: str) -> str:
    if len(text) <= _CONTEXT:
        return text
    return f"…{text[-_CONTEXT:]}"


def _beginning_of(text: str) -> str:
    if len(text) <= _CONTEXT:
        return text
    return f"{text[:_CONTEXT]}…"
