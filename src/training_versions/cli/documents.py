"""JSON that users write: files, stdin, and the document that `edit` opens.

A document holds the editable columns of a draft. Columns that are not in it are not changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import click

from training_versions import DraftFields, Version
from training_versions.cli.exits import usage
from training_versions.cli.text import json_text
from training_versions.exact_numbers import read_float

F = TypeVar("F", bound=Callable[..., Any])
Document = dict[str, Any]

SNAPSHOTS: Final = {
    "config_snapshot": "config",
    "model_snapshot": "model",
    "dataset_snapshot": "dataset",
}
"""The arguments of the SDK that set the columns of the snapshots."""
EDITABLE: Final = ("name", *DraftFields.__annotations__, *SNAPSHOTS)
"""The columns of a document, in their order."""
STDIN: Final = "-"
_SHOWN: Final = 40
"""The most characters of a number that an error shows."""


# --- reading


def read_text(path: str) -> str:
    """Return the text of a file, or of stdin."""
    try:
        if path == STDIN:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as exc:
        hint = None
        if path.lstrip().startswith(("{", "[")):
            hint = "Give the name of a file that holds it, or pipe it in and write - for stdin."
        raise usage(f"cannot read {path}: {exc.strerror}", hint=hint) from None
    except UnicodeDecodeError as exc:
        raise usage(f"cannot read {path}: it is not text in UTF-8 (byte {exc.start})") from None


def read_object(path: str) -> Document:
    """Read a JSON object from a file, or from stdin."""
    return parse_object(read_text(path), path)


def read_list(path: str) -> list[Any]:
    """Read a JSON list from a file, or from stdin."""
    value = parse_json(read_text(path), path)
    if not isinstance(value, list):
        raise usage(f"{_named(path)} must hold a list, in [ ]")
    return cast("list[Any]", value)


def parse_object(text: str, path: str) -> Document:
    """Parse a JSON object. `path` is for error messages."""
    value = parse_json(text, path)
    if not isinstance(value, dict):
        raise usage(f"{_named(path)} must hold an object, in {{ }}")
    return cast("Document", value)


def parse_json(text: str, path: str) -> Any:
    """Parse JSON. An error names the path, the line and the column.

    Raises:
        CommandError: The text is not valid JSON, or a part of it would be lost.
    """
    try:
        return json.loads(
            text,
            parse_float=lambda digits: _exact(digits, path),
            object_pairs_hook=lambda pairs: _unique(pairs, path),
        )
    except json.JSONDecodeError as exc:
        where = f"{_named(path)}, line {exc.lineno}, column {exc.colno}"
        problem = f"{exc.msg[:1].lower()}{exc.msg[1:]}"
        if not text.strip():
            problem = "it is empty"
        raise usage(f"{where}: {problem}") from None
    except RecursionError:
        raise usage(f"{_named(path)} is nested too deeply") from None
    except ValueError:
        # Python's own message is for programmers.
        raise usage(f"{_named(path)}: a number has thousands of digits") from None


def _exact(digits: str, path: str) -> float:
    """Parse a number, and refuse it if it would lose digits."""
    try:
        return read_float(digits)
    except ValueError as exc:
        raise usage(
            f"{_named(path)} has a number that {exc}: {_shortened(digits)}",
            hint="Write fewer digits, or put it in quotes to store it as text.",
        ) from None


def _shortened(digits: str) -> str:
    if len(digits) <= _SHOWN:
        return digits
    return f"{digits[:_SHOWN]}…"


def _unique(pairs: list[tuple[str, Any]], path: str) -> Document:
    """Make an object, and refuse a duplicate key, as one of its values would be lost."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise usage(f"{_named(path)} has the key {json.dumps(key)} twice in one object")
            seen.add(key)
    return made


def _named(path: str) -> str:
    if path == STDIN:
        return "stdin"
    return path


# --- documents


def document_of(version: Version) -> Document:
    """Return the editable columns of a draft."""
    return {name: _plain(getattr(version, name)) for name in EDITABLE}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, UUID):
        return str(value)
    return value


def changed_fields(version: Version, wanted: Document, path: str) -> Document:
    """Return the fields that a document changes.

    The document may be the whole output of `show --json`. Then its columns that cannot be edited
    must be unchanged.

    Raises:
        CommandError: The document has an unknown key, or changes a column that cannot be edited.
    """
    now = document_of(version)
    everything = version.model_dump(mode="json")
    changed: Document = {}
    for name, value in wanted.items():
        if name in now:
            if not _same(value, now[name]) and not _is_amount(value, getattr(version, name)):
                changed[name] = value
        elif name not in everything:
            raise usage(
                f"{_named(path)} has a key {json.dumps(name)}, which no draft has",
                hint=_nearest(name),
            )
        elif name != "updated_at" and value != everything[name]:
            raise usage(f"{_named(path)} would change {name}, which no edit does")
    return changed


def _same(left: object, right: object) -> bool:
    # Compare as JSON: 1 and 1.0 differ, and the order of keys does not matter.
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _is_amount(value: object, amount: object) -> bool:
    """Return whether a value is this amount as text, as `show --json` writes it."""
    if not isinstance(amount, Decimal) or not isinstance(value, str):
        return False
    try:
        return Decimal(value) == amount
    except ArithmeticError:
        return False


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, EDITABLE, n=1, cutoff=0.4)
    if close:
        return f"Did you mean {close[0]}?"
    return f"There are {', '.join(EDITABLE)}."


def edit_token_of(wanted: Document, path: str) -> datetime | None:
    """Return the edit token in a document: the `updated_at` of the draft it was made from."""
    value = wanted.get("updated_at")
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise usage(f"{_named(path)}: updated_at is no moment as show --json writes it")
    return moment


def as_arguments(changed: Document) -> Document:
    """Return changed columns as arguments of the SDK."""
    return {SNAPSHOTS.get(name, name): value for name, value in changed.items()}


def write_document(document: Document) -> str:
    """Return a document as text for an editor."""
    return f"{json_text(document)}\n"


# --- options that name content


_OPTIONS: Final = (
    ("--config", "config_snapshot", "FILE", "The config: a JSON object; - is stdin."),
    ("--model", "model_snapshot", "FILE", "The base model: a JSON object."),
    ("--dataset", "dataset_snapshot", "FILE", "The data sets: a JSON list of objects."),
    ("--name", "name", "NAME", "Its name."),
    ("--summary", "change_summary", "TEXT", "What is new; '' empties it."),
    ("--estimated-cost", "estimated_cost", "AMOUNT", "What training should cost."),
    ("--budget", "budget_limit", "AMOUNT", "What training may cost."),
)


def content_options(function: F) -> F:
    """Add the options for the content of a draft."""
    for flag, name, metavar, text in reversed(_OPTIONS):
        function = click.option(flag, name, metavar=metavar, help=text)(function)
    return function


def read_content(options: dict[str, str | None]) -> Document:
    """Return the columns that the options set, with the content of their files."""
    if list(options.values()).count(STDIN) > 1:
        raise usage("stdin can be read once only: give - to one option")
    made: Document = {}
    for name, value in options.items():
        if value is None:
            continue
        if name == "dataset_snapshot":
            made[name] = read_list(value)
        elif name in SNAPSHOTS:
            made[name] = read_object(value)
        elif value == "" and name != "name":
            made[name] = None
        else:
            made[name] = value
    return made
