"""Changes as text for people, one line each.

The labels, which name entries of arrays, come with the changes; here they are only aligned.
"""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from training_versions.diff.changes import Change, ChangeKind, Value
from training_versions.diff.identities import identities_of
from training_versions.models import JsonValue

_Array: TypeAlias = list[JsonValue]

# Values begin in one column, unless a label is longer than this.
_MAX_LABEL_COLUMN: Final = 60
_SIGNS: Final = {
    ChangeKind.ADDED: "+",
    ChangeKind.REMOVED: "-",
    ChangeKind.CHANGED: "~",
}
# Letters of every language stay readable; what is not printable is escaped afterwards.
_TEXT: Final = json.JSONEncoder(ensure_ascii=False)


def lines(changes: Sequence[Change], width: int) -> Iterator[str]:
    """Write each change on a line, with values of at most so many characters."""
    longest_label = max((len(change.label) for change in changes), default=0)
    label_column = min(longest_label, _MAX_LABEL_COLUMN)
    for change in changes:
        sign = _SIGNS[change.kind]
        line = f"{sign} {change.label:{label_column}}  {_values(change, width)}"
        delta = change.delta
        # From 1 to 1.0 the number is the same.
        if delta:
            line += f"  ({delta:+})"
        yield _printable(line)


def _values(change: Change, width: int) -> str:
    """Write the value that was added or removed, or both values of a change."""
    if change.kind == ChangeKind.ADDED:
        return _excerpt(_text(change.new), 0, width)
    if change.kind == ChangeKind.REMOVED:
        return _excerpt(_text(change.old), 0, width)

    old, new = change.old, change.new
    heading = ""
    if isinstance(old, list) and isinstance(new, list):
        old, new = _names_in_order(old, new), _names_in_order(new, old)
        heading = "order: "
    old_text, new_text = _text(old), _text(new)
    start = 0
    if max(len(old_text), len(new_text)) > width:
        # With some of what is the same before it, so that the difference is seen in its place.
        start = _first_difference(old_text, new_text) - width // 4
    before = _excerpt(old_text, start, width)
    after = _excerpt(new_text, start, width)
    return f"{heading}{before} -> {after}"


def _names_in_order(array: _Array, other: _Array) -> _Array:
    """Return the names of those entries that the other array has as well."""
    in_other = {*identities_of(other).values()}
    identities = identities_of(array).values()
    return [name for key, name, before in identities if (key, name, before) in in_other]


def _text(value: Value) -> str:
    if isinstance(value, Decimal):
        # A cost as it is written, with both its decimals.
        return str(value)
    return _TEXT.encode(value)


def _first_difference(old: str, new: str) -> int:
    """Return the first position at which two texts differ."""
    for position, (before, after) in enumerate(zip(old, new, strict=False)):
        if before != after:
            return position
    return min(len(old), len(new))


def _excerpt(text: str, start: int, width: int) -> str:
    """Cut a text to a width, with dots where something is left out."""
    if len(text) <= width:
        return text
    start = max(0, start)
    stop = start + width
    excerpt = text[start:stop]
    if start > 0:
        excerpt = f"...{excerpt}"
    if stop < len(text):
        excerpt += "..."
    return excerpt


def _printable(line: str) -> str:
    """Escape what would break the line or steer the terminal."""
    if line.isprintable():
        return line
    return "".join(map(_printable_character, line))


def _printable_character(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
