"""Request headers: those that may be repeated, and those that may not."""

from __future__ import annotations

from fastapi import Request

from training_versions.rest.problems import BAD_HEADER, InvalidField, Problem


def joined(request: Request, name: str) -> str | None:
    """Return the value of a list header, with repeated headers joined by commas."""
    values = request.headers.getlist(name)
    if not values:
        return None
    return ", ".join(values).strip()


def single(request: Request, name: str) -> str | None:
    """Return the value of a header that must not be repeated.

    Raises:
        Problem: The request has several headers of this name.
    """
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise bad_header(name, f"The request has {len(values)} headers {name}; one is the most.")
    return values[0] if values else None


def bad_header(name: str, detail: str) -> Problem:
    """Return the problem for a header that cannot be read."""
    errors = [InvalidField(detail=detail, parameter=name)]
    return Problem(BAD_HEADER, detail, errors=errors)
