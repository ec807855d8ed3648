"""Text that is safe to print: what would steer a terminal is written as an escape."""

from __future__ import annotations

import json
from typing import Final

_JSON: Final = json.JSONEncoder(ensure_ascii=False)


def printable(text: str) -> str:
    r"""Return text on one line, with `\n`, `\x1b` and the like for what is not printable."""
    if text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    # A surrogate that has no partner stays readable, too.
    return character.encode("unicode_escape", "surrogatepass").decode()


def json_text(value: object, *, indent: int | None = 2) -> str:
    r"""Write JSON in which whatever is not printable is escaped (`\u001b`); letters stay."""
    encoder = _JSON
    if indent is not None:
        encoder = json.JSONEncoder(ensure_ascii=False, indent=indent)
    text = encoder.encode(value)
    if text.replace("\n", "").isprintable():
        return text
    # Outside of strings JSON is printable, except for its own line breaks.
    return "".join(each if each == "\n" else _json_escaped(each) for each in text)


def _json_escaped(character: str) -> str:
    if character.isprintable():
        return character
    return json.dumps(character)[1:-1]


def described(status: str) -> str:
    """Say what a version is: a draft, published or archived."""
    if status == "draft":
        return "a draft"
    return status
