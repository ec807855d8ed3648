"""Headers of requests that may come several times, and those that may not."""

from __future__ import annotations

from fastapi import Request

from training_versions.rest.problems import BAD_HEADER, InvalidField, Problem


def joined(request: Request, name: str) -> str | None:
    """Return a header whose value is a list: several of one name are one list."""
    values = request.headers.getlist(name)
    if not values:
        return None
    return ", ".join(values).strip()


def single(request: Request, name: str) -> str | None:
    """Return a header that a request has once at most.

    Raises:
        Problem: There are several, and none is the one that is meant.
    """
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise bad_header(name, f"The request has {len(values)} headers {name}; one is the most.")
    return values[0] if values else None


def bad_header(name: str, detail: str) -> Problem:
    """Return the problem that a header cannot be read."""
    errors = [InvalidField(detail=detail, parameter=name)]
    return Problem(BAD_HEADER, detail, errors=errors)
