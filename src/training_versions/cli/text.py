"""Text that is safe for a terminal: control characters are escaped."""

from __future__ import annotations

import json
from typing import Final

_JSON: Final = json.JSONEncoder(ensure_ascii=False)


def printable(text: str) -> str:
    r"""Return text on one line, with characters that are not printable as `\n`, `\x1b` etc."""
    if text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    # Lone surrogates are escaped, too.
    return character.encode("unicode_escape", "surrogatepass").decode()


def json_text(value: object, *, indent: int | None = 2) -> str:
    r"""Return a value as JSON, with characters that are not printable escaped (`\u001b`)."""
    encoder = _JSON
    if indent is not None:
        encoder = json.JSONEncoder(ensure_ascii=False, indent=indent)
    text = encoder.encode(value)
    if text.replace("\n", "").isprintable():
        return text
    # Outside of strings, the only characters of JSON that are not printable are line breaks.
    return "".join(each if each == "\n" else _json_escaped(each) for each in text)


def _json_escaped(character: str) -> str:
    if character.isprintable():
        return character
    return json.dumps(character)[1:-1]


def described(status: str) -> str:
    """Return the status of a version in words: a draft, published or archived."""
    if status == "draft":
        return "a draft"
    return status
