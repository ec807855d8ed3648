"""Validation errors: a message for each invalid field that does not repeat the value."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from training_versions.rest.problems import INVALID_INPUT, InvalidField, Problem

_MAX_ERRORS: Final = 100
"""The most fields that a problem lists."""
_BODY: Final = "body"
# For these errors, the message of Pydantic shows a part of the value, or is about Python.
_WORDS: Final = {
    "uuid_parsing": "Input should be a valid UUID",
    "uuid_type": "Input should be a valid UUID",
    "string_pattern_mismatch": "Input does not have the form that is described",
    "datetime_from_date_parsing": "Input should be a valid datetime, such as 2026-01-31T12:00:00Z",
    "datetime_parsing": "Input should be a valid datetime, such as 2026-01-31T12:00:00Z",
    "decimal_parsing": "Input should be a valid decimal",
    "value_error": "Input is not valid",
    "model_attributes_type": "Input should be a JSON object",
    "dict_type": "Input should be a JSON object",
    "list_type": "Input should be a JSON array",
    "extra_forbidden": "There is no such field",
    "string_unicode": "Input holds half of a surrogate pair, which is not text",
}


def check_query(request: Request, known: Set[str], lists: Set[str]) -> None:
    """Raise a problem for an unknown or repeated query parameter, which would be ignored.

    Args:
        request: The request.
        known: The parameters of the endpoint.
        lists: The parameters that may be repeated.

    Raises:
        Problem: A parameter is unknown, or is repeated and not among `lists`.
    """
    _refuse_twice(request, known - lists)
    unknown = [name for name in request.query_params if name not in known]
    if not unknown:
        return
    choices = f"there are {', '.join(sorted(known))}" if known else "there is none"
    detail = f"The query has a parameter that this address does not have; {choices}."
    errors = [
        InvalidField(detail="Unknown parameter", parameter=name) for name in unknown[:_MAX_ERRORS]
    ]
    raise Problem(INVALID_INPUT, detail, errors=errors)


def _refuse_twice(request: Request, names: Set[str]) -> None:
    query = request.query_params
    twice = [name for name in sorted(names) if len(query.getlist(name)) > 1]
    if twice:
        detail = f"The query has {twice[0]} more than once."
        errors = [InvalidField(detail="More than once", parameter=name) for name in twice]
        raise Problem(INVALID_INPUT, detail, errors=errors)


def problem_of_validation(exc: RequestValidationError) -> Problem:
    """Convert a validation error to a problem that lists the invalid fields."""
    found: Sequence[Any] = exc.errors()
    errors = [_describe(error) for error in found[:_MAX_ERRORS]]
    number = len(found)
    detail = f"One field is not valid: {errors[0].detail}."
    if number > 1:
        detail = f"{number} fields are not valid; see errors."
    return Problem(INVALID_INPUT, detail, errors=errors)


def _describe(error: dict[str, Any]) -> InvalidField:
    where, *steps = error["loc"]
    words = _WORDS.get(error["type"], str(error["msg"]))
    if where == _BODY and not steps and error["type"] == "missing":
        words = "The request has no body"
    if where != _BODY:
        name = ".".join(str(step) for step in steps)
        return InvalidField(detail=words, parameter=name or str(where))
    path = "".join(f"/{_escape(str(step))}" for step in steps)
    return InvalidField(detail=words, pointer=f"#{path}")


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
