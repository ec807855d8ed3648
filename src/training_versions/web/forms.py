"""Forms that come back with what was typed, and with what is wrong beside its field."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from starlette.datastructures import FormData

from training_versions import InvalidInputError, TrainingVersionsError
from training_versions.web.errors import status_of, words_of


@dataclass
class Form:
    """What was typed into the fields of a form, and what is wrong with it."""

    values: dict[str, str]
    problems: dict[str, str] = field(default_factory=dict[str, str])
    """By field; those of no field are under the empty name."""
    status: int = 200

    @classmethod
    def of(cls, sent: FormData, *names: str) -> Form:
        """Read the fields of these names; one that was not sent is empty."""
        # Browsers send line ends as CR LF, whatever was typed or pasted.
        return cls({name: str(sent.get(name, "")).replace("\r\n", "\n") for name in names})

    def refuse(self, error: TrainingVersionsError, fields: dict[str, str]) -> None:
        """Note an error of the SDK beside the field of the argument that it names.

        Args:
            error: The error.
            fields: The field of each argument that the form fills.
        """
        text, hint = words_of(error)
        if hint:
            text = f"{text} {hint}"
        name = ""
        if isinstance(error, InvalidInputError):
            name = fields.get(cast("str", error.field), "")
        self.problems[name] = text
        self.status = status_of(error)


def read_edit_token(text: str, name: str) -> datetime:
    """Read the edit token in a field of a form: when the draft that a page showed was last edited.

    Raises:
        InvalidInputError: It is no moment, so no page of ours sent it.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        problem = f"{name} must be the moment of the last edit, not {text!r:.80}."
        raise InvalidInputError(problem, field=name) from None


def read_new_id(sent: FormData, name: str) -> UUID:
    """Return the identifier that the form brought for what it makes.

    A form that is sent twice, by a double click say, so makes one thing.
    """
    try:
        return UUID(str(sent.get(name, "")))
    except ValueError:
        return uuid4()
