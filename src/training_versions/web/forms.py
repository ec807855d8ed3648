"""Forms that are shown again with the text that was typed and the problem of each field."""

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
    """The texts of a form, and their problems."""

    values: dict[str, str]
    problems: dict[str, str] = field(default_factory=dict[str, str])
    """Messages by field. A problem of the whole form has the empty name."""
    status: int = 200

    @classmethod
    def of(cls, sent: FormData, *names: str) -> Form:
        """Read the named fields. A field that was not sent is empty."""
        # Browsers send every line end as CR LF.
        return cls({name: str(sent.get(name, "")).replace("\r\n", "\n") for name in names})

    def refuse(self, error: TrainingVersionsError, fields: dict[str, str]) -> None:
        """Add an error of the SDK as the problem of the field that sets the refused argument.

        Args:
            error: The error.
            fields: The form field of each argument.
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
    """Read an edit token from a form field: when the draft that the page showed was last edited.

    Raises:
        InvalidInputError: It is not a date and time. No page of this site sends such a token.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        problem = f"{name} must be the moment of the last edit, not {text!r:.80}."
        raise InvalidInputError(problem, field=name) from None


def read_new_id(sent: FormData, name: str) -> UUID:
    """Return the id that the form holds for the object it creates.

    So a form that is sent twice, for example by a double click, creates only one object.
    """
    try:
        return UUID(str(sent.get(name, "")))
    except ValueError:
        return uuid4()
