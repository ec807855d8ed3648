"""JSON for people: write values, follow JSON Pointers, and count values."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final, cast

from training_versions import JsonValue

# Letters of all languages are written without escapes.
_COMPACT: Final = json.JSONEncoder(ensure_ascii=False)
_PRETTY: Final = json.JSONEncoder(ensure_ascii=False, indent=2)
# Control characters except the line feeds of the indentation, and characters that change the
# direction of text, which could make a value look like another one. Joiners, which emoji need, are
# not escaped.
_NOT_SHOWN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


def json_text(value: object) -> str:
    """Return a value as JSON on one line, with characters that a page cannot show escaped."""
    if isinstance(value, Decimal):
        # An amount keeps both of its decimals.
        return str(value)
    return visible(_COMPACT.encode(value))


def pretty_json(value: object) -> str:
    """Return a value as indented JSON."""
    if isinstance(value, Decimal):
        return str(value)
    return visible(_PRETTY.encode(value))


def visible(text: str) -> str:
    """Escape control characters, and characters that change the direction of text."""
    return _NOT_SHOWN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def steps_of(pointer: str) -> list[str]:
    """Return the steps of a JSON Pointer (RFC 6901)."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def pointer_to(pointer: str, step: str | int) -> str:
    """Return the JSON Pointer of a member or entry of the value at a pointer."""
    escaped = str(step).replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{escaped}"


def find_value(document: JsonValue, pointer: str) -> JsonValue:
    """Return the value at a JSON Pointer.

    Raises:
        LookupError: There is no value at the pointer.
    """
    value = document
    if pointer and not pointer.startswith("/"):
        raise LookupError(pointer)
    for step in steps_of(pointer):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and _is_position(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise LookupError(pointer)
    return value


def _is_position(step: str) -> bool:
    # No array has so many entries, and Python refuses to parse numbers of thousands of digits.
    return step.isascii() and step.isdigit() and len(step) < 10


def members_of(value: JsonValue) -> Iterator[tuple[str | int, JsonValue]]:
    """Iterate over the members of an object or the entries of an array; other values have none."""
    if isinstance(value, dict):
        yield from cast("dict[str, JsonValue]", value).items()
    elif isinstance(value, list):
        yield from enumerate(cast("list[JsonValue]", value))


def count_values(value: JsonValue, *, most: int) -> int:
    """Count a value and all values in it, and stop when the count exceeds `most`."""
    count = 0
    ahead = [value]
    while ahead and count <= most:
        current = ahead.pop()
        count += 1
        if isinstance(current, dict | list):
            ahead.extend(member for _, member in members_of(current))
    return count
