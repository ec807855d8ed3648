"""Two values side by side: short ones whole, long texts around where they differ."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from training_versions import JsonValue
from training_versions.diff import entry_label, identities_of
from training_versions.web.views.json_text import json_text, pretty_json, steps_of

Value: TypeAlias = JsonValue | Decimal
"""What is compared: JSON, and costs as they are read."""

MAX_SHOWN: Final = 2_000
"""How many characters of a value a row shows."""
# How much of what is the same is shown on each side of where two long texts differ.
_CONTEXT: Final = 60
# A longer value is shown folded.
_LONG: Final = 300
# Words up to this length are marked whole if a part of them differs.
_WORD: Final = 30


@dataclass(frozen=True)
class Side:
    """One side of a row."""

    before: str
    """What is the same as on the other side, up to where they differ."""
    differs: str
    after: str
    """What is the same again."""
    size: int
    """How many characters the value has as JSON."""
    is_json: bool = False
    """Whether it is an object or array, written over several lines."""

    @property
    def shown(self) -> int:
        """How many characters are shown, with the marks of what is left out."""
        return len(self.before) + len(self.differs) + len(self.after)

    @property
    def is_cut(self) -> bool:
        """Whether something is left out."""
        return self.size > MAX_SHOWN

    @property
    def is_long(self) -> bool:
        """Whether it is better folded."""
        return self.shown > _LONG


@dataclass(frozen=True)
class Sides:
    """Both sides of a row; a side is `None` where there is no value."""

    old: Side | None
    new: Side | None


def show_sides(old: Value, new: Value, *, has_old: bool = True, has_new: bool = True) -> Sides:
    """Show two values, of which one may not be there."""
    if not has_old:
        return Sides(None, _whole(new))
    if not has_new:
        return Sides(_whole(old), None)
    if isinstance(old, str) and isinstance(new, str):
        return _texts(json_text(old), json_text(new))
    return Sides(_whole(old), _whole(new))


def show_order(old: Value, new: Value) -> Sides:
    """Show the order of the entries of two arrays, by what they are recognised by."""
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
    """Mark where two texts differ, and leave out what is far from there."""
    same_before = _common_words(old, new)
    rest_of_old, rest_of_new = old[same_before:], new[same_before:]
    same_after = _common_words(rest_of_old[::-1], rest_of_new[::-1])
    return Sides(
        _around(old, same_before, len(old) - same_after),
        _around(new, same_before, len(new) - same_after),
    )


def _common_words(left: str, right: str) -> int:
    """Count the characters at the beginning that are the same, without a part of a word.

    A long word, such as a hash, is told apart inside of it.
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
    """Count the characters at the beginning of two texts that are the same."""
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
