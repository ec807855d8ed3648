"""Convert a draft to the texts of the editor, and the texts back to values.

Every field of the editor is a text: JSON, an amount, or plain text. The text that a browser sends
is compared with the text that the page was loaded with. So an unchanged field is never written,
even if a form cannot carry its stored value exactly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, TypeAlias

from training_versions import InvalidInputError, JsonValue, Version
from training_versions.web.views.json_text import pretty_json
from training_versions.web.views.typed_json import Mistake, read_json
from training_versions.wording import describe_hint

AnyVersion: TypeAlias = "Version[Any, Any, Any]"


@dataclass(frozen=True)
class Field:
    """A field of the editor."""

    name: str
    """The name of the argument of `update_draft`, and of the field in the form."""
    column: str
    label: str
    kind: Literal["json", "amount", "lines", "line"]
    help: str


FIELDS: Final = (
    Field("name", "name", "Name", "line", "1 to 255 characters."),
    Field(
        "change_summary",
        "change_summary",
        "Summary",
        "lines",
        "What is new, for whoever reads the history later. May be empty.",
    ),
    Field("config", "config_snapshot", "Config", "json", "How it is trained: a JSON object."),
    Field("model", "model_snapshot", "Base model", "json", "What it begins from: a JSON object."),
    Field("dataset", "dataset_snapshot", "Data sets", "json", "A JSON array of objects."),
    Field("budget_limit", "budget_limit", "Budget", "amount", "The most that training may cost."),
    Field("estimated_cost", "estimated_cost", "Estimated cost", "amount", "What it should cost."),
)
BY_NAME: Final = {field.name: field for field in FIELDS}
AMOUNTS: Final = {field.column: field for field in FIELDS if field.kind == "amount"}
LABELS: Final = {field.column: field.label for field in FIELDS} | {"parent_version_id": "Parent"}
"""The labels of the columns of a draft."""


@dataclass(frozen=True)
class Problem:
    """Why a field was not saved."""

    message: str
    hint: str | None = None
    mistake: Mistake | None = None
    """The mistake with its position, if that is known."""


def text_of_value(value: object, field: Field) -> str:
    """Return a value as the text that the editor shows."""
    if field.kind == "json":
        return pretty_json(value)
    if value is None:
        return ""
    if field.kind == "amount":
        return f"{Decimal(str(value)):.2f}"
    return str(value)


def text_of(version: AnyVersion, field: Field) -> str:
    """Return the value of a field of a draft as the text that the editor shows."""
    return text_of_value(getattr(version, field.column), field)


def texts_of(version: AnyVersion) -> dict[str, str]:
    """Return the texts of all fields by their names."""
    return {field.name: text_of(version, field) for field in FIELDS}


def marks_of(version: AnyVersion) -> dict[str, str]:
    """Return a hash of each field's value, with which a script detects changes."""
    return {field.name: _mark(value_of(version, field)) for field in FIELDS}


def _mark(value: JsonValue | Decimal) -> str:
    # Hash the JSON text: 1 and 1.0 are different values, but equal in Python.
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def value_of(version: AnyVersion, field: Field) -> JsonValue | Decimal:
    """Return the stored value of a field."""
    return getattr(version, field.column)


def as_sent(field: Field, text: str) -> str:
    """Return a text with the line ends that the field has in a browser.

    A form turns every line end into CR LF. An input of one line drops them.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if field.kind in ("line", "amount"):
        text = text.replace("\n", "")
    return text


def read_text(field: Field, text: str) -> JsonValue:
    """Convert the text of a field to its value.

    Raises:
        Mistake: The text is not valid JSON.
    """
    if field.kind == "json":
        return read_json(text)
    if field.kind == "amount":
        text = text.strip()
    if not text and field.kind != "line":
        return None
    return text


@dataclass(frozen=True)
class Edit:
    """The changed fields of a draft."""

    values: dict[str, JsonValue]
    """The changed values, as arguments of `update_draft`."""
    problems: dict[str, Problem]
    """The problems of fields that cannot be saved."""


def read_edit(texts: Mapping[str, str], base: Mapping[str, str]) -> Edit:
    """Read the fields that were sent, without those that are the same in `base`."""
    values: dict[str, JsonValue] = {}
    problems: dict[str, Problem] = {}
    for name, text in texts.items():
        field = BY_NAME[name]
        sent = as_sent(field, text)
        if name in base and as_sent(field, base[name]) == sent:
            continue
        try:
            values[name] = read_text(field, sent)
        except Mistake as mistake:
            problems[name] = Problem(mistake.message, mistake=mistake)
    return Edit(values, problems)


def without_refused(edit: Edit, error: InvalidInputError) -> Edit:
    """Return an edit in which the value that the SDK refused is a problem.

    Raises:
        InvalidInputError: The refused argument is not a field of the edit.
    """
    name = error.field
    if name is None or name not in edit.values:
        raise error
    message = error.message
    if message.startswith(f"{name} "):
        # The SDK names the argument, the page shows the label.
        message = f"{BY_NAME[name].label}{message.removeprefix(name)}"
    values = {other: value for other, value in edit.values.items() if other != name}
    problem = Problem(message, describe_hint(error.hint))
    return Edit(values, {**edit.problems, name: problem})


def read_base(base: Mapping[str, str], stored: AnyVersion) -> dict[str, JsonValue | Decimal]:
    """Convert the texts that the page was loaded with to values.

    Args:
        base: The texts as a browser sent them.
        stored: The draft as it is now. A field that has not changed since gets its stored value,
            even if a form cannot carry it exactly.

    Raises:
        InvalidInputError: A text is not valid JSON or not a number. No page of this site sends such
            a text.
    """
    values: dict[str, JsonValue | Decimal] = {}
    for name, text in base.items():
        field = BY_NAME[name]
        sent = as_sent(field, text)
        if sent == as_sent(field, text_of(stored, field)):
            values[name] = value_of(stored, field)
            continue
        try:
            values[name] = _read_stored(field, sent)
        except Mistake as mistake:
            raise InvalidInputError(
                f"What {name} was before is not JSON: {mistake.message}", field=name
            ) from None
        except InvalidOperation:
            raise InvalidInputError(
                f"What {name} was before is not a number: {sent!r:.80}", field=name
            ) from None
    return values


def _read_stored(field: Field, text: str) -> JsonValue | Decimal:
    """Convert the text of a stored value, which may not satisfy today's rules."""
    if field.kind == "amount" and text:
        return Decimal(text)
    return read_text(field, text)


def labels_of(names: Container[str]) -> str:
    """Return the labels of fields as a list in words: "Name, Config and Base model"."""
    labels = [field.label for field in FIELDS if field.name in names]
    if len(labels) < 2:
        return "".join(labels)
    return f"{', '.join(labels[:-1])} and {labels[-1]}"
