"""Strict JSON parsing: nothing is guessed, rounded or dropped.

Python's own parser accepts NaN and infinity, which are not JSON. It rounds a number to the nearest
double, and keeps the last of two members with the same name. This parser refuses them and reports
the position. A number is refused only if no program would write the resulting double that way.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from training_versions.exact_numbers import read_float
from training_versions.rest.problems import NOT_JSON, Problem

_TOKENS: Final = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],]|-?(?:NaN|Infinity)|-?[0-9][0-9.eE+-]*')
_OUTSIDE: Final = "JSON has no NaN and no infinity."
_TWICE: Final = "An object has two members of the same name."


class _FoundError(ValueError):
    """The parser met a value that is refused. Its position is searched for afterwards."""


def read_json(body: bytes) -> Any:
    """Parse JSON.

    Raises:
        Problem: The text is not JSON, or a value in it would not be kept exactly. The problem has
            line and column where they are known.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Problem(NOT_JSON, f"The body is not UTF-8 at byte {exc.start}.") from None
    if text.startswith("\ufeff"):
        raise Problem(NOT_JSON, "It begins with a byte order mark, which JSON has not.")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as exc:
        _refuse(text, exc.pos, f"{exc.msg.removesuffix(' at')}.")
    except _FoundError as exc:
        problem = str(exc)
        _refuse(text, _find(text, problem), problem)
    except RecursionError:
        raise Problem(NOT_JSON, "It is nested too deeply.") from None
    except ValueError:
        raise Problem(NOT_JSON, "A number has too many digits.") from None


def _refuse(text: str, position: int, problem: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    detail = f"{problem} At line {line}, column {column}."
    raise Problem(NOT_JSON, detail, line=line, column=column) from None


def _no_constant(_name: str) -> NoReturn:
    raise _FoundError(_OUTSIDE)


def _exact(digits: str) -> float:
    try:
        return read_float(digits)
    except ValueError as exc:
        raise _FoundError(f"The number {exc}.") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _FoundError(_TWICE)
    return members


_DECODER: Final = json.JSONDecoder(
    parse_constant=_no_constant, parse_float=_exact, object_pairs_hook=_distinct
)


def _find(text: str, problem: str) -> int:
    """Return the first position of a problem that the parser has found, by scanning the tokens."""
    names: list[set[str] | None] = []  # the names in each open object; `None` for an array
    is_name = False
    for token in _TOKENS.finditer(text):
        word = token.group()
        if word in ("{", "["):
            names.append(set() if word == "{" else None)
            is_name = word == "{"
        elif word in ("}", "]"):
            names.pop()
            is_name = False
        elif word == ",":
            is_name = bool(names) and names[-1] is not None
        elif word.startswith('"'):
            known = names[-1] if names and is_name else None
            is_name = False
            if known is None:
                continue
            name = str(json.loads(word))
            if name in known and problem == _TWICE:
                return token.start()
            known.add(name)
        elif word.endswith(("NaN", "Infinity")):
            if problem == _OUTSIDE:
                return token.start()
        elif not word.lstrip("-").isdigit():
            try:
                _exact(word)
            except _FoundError:
                return token.start()
    return 0
