"""Requests that are not valid: what is wrong with each field, without what was sent."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from training_versions.rest.problems import INVALID_INPUT, InvalidField, Problem

_MOST: Final = 100
"""How many fields a problem lists."""
_BODY: Final = "body"
# Pydantic's own words show a part of what was sent in these.
_WORDS: Final = {
    "uuid_parsing": "Input should be a valid UUID",
    "uuid_type": "Input should be a valid UUID",
    "string_pattern_mismatch": "Input does not have the form that is described",
    "datetime_from_date_parsing": "Input should be a valid datetime, such as 2026-01-31T12:00:00Z",
    "datetime_parsing": "Input should be a valid datetime, such as 2026-01-31T12:00:00Z",
    "decimal_parsing": "Input should be a valid decimal",
    "value_error": "Input is not valid",
}


def check_query(request: Request, known: Set[str]) -> None:
    """Refuse a parameter that the endpoint does not have: a filter that is misspelt keeps nothing.

    Raises:
        Problem: The query has such a parameter.
    """
    unknown = [name for name in request.query_params if name not in known]
    if not unknown:
        return
    choices = f"there are {', '.join(sorted(known))}" if known else "there is none"
    detail = f"The query has a parameter that this address does not have; {choices}."
    errors = [InvalidField(detail="Unknown parameter", parameter=name) for name in unknown[:_MOST]]
    raise Problem(INVALID_INPUT, detail, errors=errors)


def problem_of_validation(exc: RequestValidationError) -> Problem:
    """Return how a request that is not valid is told."""
    found: Sequence[Any] = exc.errors()
    errors = [_describe(error) for error in found[:_MOST]]
    number = len(found)
    detail = f"One field is not valid: {errors[0].detail}."
    if number > 1:
        detail = f"{number} fields are not valid; see errors."
    return Problem(INVALID_INPUT, detail, errors=errors)


def _describe(error: dict[str, Any]) -> InvalidField:
    where, *steps = error["loc"]
    words = _WORDS.get(error["type"], str(error["msg"]))
    if where != _BODY:
        name = ".".join(str(step) for step in steps)
        return InvalidField(detail=words, parameter=name or str(where))
    path = "".join(f"/{_escape(str(step))}" for step in steps)
    return InvalidField(detail=words, pointer=f"#{path}")


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
