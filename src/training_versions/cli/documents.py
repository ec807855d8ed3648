"""JSON that people write: files, stdin, and the document that `edit` opens.

A document holds what can be edited of a draft, under the names of its columns. What is not in it
stays as it is.
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
"""The columns of the snapshots, and the arguments of the SDK that set them."""
EDITABLE: Final = ("name", *DraftFields.__annotations__, *SNAPSHOTS)
"""Everything in a document, in its order."""
STDIN: Final = "-"
_SHOWN: Final = 40
"""Characters that an error shows of a number."""


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
    """Parse a JSON object that people wrote."""
    value = parse_json(text, path)
    if not isinstance(value, dict):
        raise usage(f"{_named(path)} must hold an object, in {{ }}")
    return cast("Document", value)


def parse_json(text: str, path: str) -> Any:
    """Parse JSON that people wrote; the error says where it is wrong."""
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
        # Python's own words are for whoever writes Python.
        raise usage(f"{_named(path)}: a number has thousands of digits") from None


def _exact(digits: str, path: str) -> float:
    """Refuse a number of which a part would be lost."""
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
    """Refuse a key that is there twice: one of its values would be lost."""
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
    """Return what can be edited of a draft."""
    return {name: _plain(getattr(version, name)) for name in EDITABLE}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, UUID):
        return str(value)
    return value


def changed_fields(version: Version, wanted: Document, path: str) -> Document:
    """Return what a document changes; refuse what it cannot change.

    The whole of `show --json` may be given, too: what is no content must be as it is.
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
    # As they are written: 1 and 1.0 are two values, and the order of keys is none.
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _is_amount(value: object, amount: object) -> bool:
    """Return whether a cost is written as `show --json` does, as text, and is the same."""
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
    """Return the moment of the draft that the document was made from, if it says so."""
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
    """Return fields under the names that the SDK's arguments have."""
    return {SNAPSHOTS.get(name, name): value for name, value in changed.items()}


def write_document(document: Document) -> str:
    """Write a document for an editor."""
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
    """Give a command the options that name what a draft holds."""
    for flag, name, metavar, text in reversed(_OPTIONS):
        function = click.option(flag, name, metavar=metavar, help=text)(function)
    return function


def read_content(options: dict[str, str | None]) -> Document:
    """Return the fields that options name, with the content of their files."""
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
