"""Foreign errors: whatever a caller's value raises when it is looked at, as an error of ours.

A value may be anything: a config that is missing something, a date that is none, a class whose
`__eq__` compares arrays. What it raises is refused as an argument that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from training_versions.errors import InvalidInputError, TrainingVersionsError

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def refusing_foreign_errors(argument: str) -> Generator[None, None, None]:
    """Refuse an argument if looking at it raises."""
    try:
        yield
    except TrainingVersionsError:
        raise
    except Exception as exc:
        raise InvalidInputError(
            f"{argument} cannot be read: {_describe(exc)}.", field=argument
        ) from exc


def refuses_foreign_errors(
    check: Callable[Concatenate[object, str, P], R],
) -> Callable[Concatenate[object, str, P], R]:
    """Make a check of an argument refuse what raises when it is looked at."""

    @wraps(check)
    def guarded(value: object, argument: str, *args: P.args, **kwargs: P.kwargs) -> R:
        with refusing_foreign_errors(argument):
            return check(value, argument, *args, **kwargs)

    return guarded


def _describe(exc: Exception) -> str:
    kind = type(exc).__name__
    try:
        return f"{kind}: {exc!s:.200}".rstrip(".: ")
    except Exception:  # its own text may raise
        return kind
