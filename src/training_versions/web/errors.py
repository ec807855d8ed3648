"""Error pages: convert errors to responses, with the message of the SDK and an HTTP status."""

from __future__ import annotations

import logging
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from training_versions import (
    ConflictError,
    ConnectionFailedError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    PermissionDeniedError,
    RejectedError,
    SchemaMismatchError,
    TrainingVersionsError,
    UnavailableError,
)
from training_versions.web.auth import AuthError
from training_versions.web.render import render
from training_versions.web.security import add_headers
from training_versions.wording import describe_hint

logger = logging.getLogger(__name__)


class SignedOutError(TrainingVersionsError):
    """A form was sent by a user who is not signed in."""

    def __init__(self) -> None:
        super().__init__(
            "You are signed out, and nothing was saved.",
            hint="Sign in in another tab, come back to this one, go back and send it again: "
            "what you typed is still there.",
        )


class CrossSiteError(TrainingVersionsError):
    """A request that changes something has no valid CSRF token, or comes from another site."""

    def __init__(self) -> None:
        super().__init__(
            "This was not sent from a page of this site that is still good, "
            "and nothing was changed.",
            hint="Go back and send it again. If that does not help, copy what you typed, reload "
            "the page, and send it then.",
        )


# The first class that matches decides. All other errors are 500. A test compares this with the
# statuses of the REST endpoints.
STATUSES: Final[dict[type[TrainingVersionsError], int]] = {
    SignedOutError: 401,
    CrossSiteError: 403,
    NotSignedInError: 401,
    PermissionDeniedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    InvalidInputError: 422,
    RejectedError: 422,
    ConnectionFailedError: 503,
    UnavailableError: 503,
    SchemaMismatchError: 503,
}
_TITLES: Final = {
    400: "That cannot be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Changed meanwhile",
    413: "Too large",
    422: "Not accepted",
    429: "Too many requests",
    503: "Out of reach",
}
_RETRY_AFTER: Final = "5"


def status_of(error: TrainingVersionsError) -> int:
    """Return the HTTP status of an error."""
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            return status
    return 500


def words_of(error: TrainingVersionsError) -> tuple[str, str | None]:
    """Return the message and the hint of an error, in words for users of the pages."""
    if isinstance(error, ConnectionFailedError):
        logger.warning("%s", error.message)
        return "The project does not answer, and nothing was changed.", "Try again in a moment."
    message, hint = error.message, describe_hint(error.hint)
    if error.after_lost_reply:
        message += " The reply to an earlier try was lost; that try may have been carried out."
    if isinstance(error, NotFoundError):
        hint = "It may have been deleted, or you are signed in as somebody else."
    return message, hint


def error_page(request: Request, error: TrainingVersionsError) -> Response:
    """Convert an error of the SDK to an error page."""
    message, hint = words_of(error)
    return show_error(request, status_of(error), message, hint=hint)


def auth_error_page(request: Request, error: AuthError) -> Response:
    """Return the error page for a session that cannot be renewed now."""
    status = 429 if error.status == 429 else 503
    response = show_error(
        request,
        status,
        "Your session could not be renewed, since the project's sign-in does not answer now.",
        hint="You are still signed in: reload in a moment.",
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def http_error_page(request: Request, error: Exception) -> Response:
    """Convert an error of the framework: an unknown path, a method, a body that is too large."""
    assert isinstance(error, HTTPException)
    message, hint = error.detail, None
    if error.status_code == 404:
        message = "There is no page at this address."
        hint = "It may have been deleted, or the address may be incomplete."
    if error.status_code == 405:
        message = f"This address does not take {request.method}."
    if error.status_code == 413:
        message = f"That is too large, and nothing was saved. {message}"
        hint = (
            "Go back: what you typed is still there. What does not fit is saved from a file, with "
            "the command training-versions edit."
        )
    response = show_error(request, error.status_code, message, hint=hint)
    for name, value in dict(error.headers or {}).items():
        response.headers[name] = value
    return response


async def failure_page(request: Request, error: Exception) -> Response:
    """Return the error page for an unexpected exception, which is in the log."""
    response = show_error(
        request,
        500,
        "Something went wrong here, and it is not your fault.",
        hint="The log of the server says what. Reload to see what was saved.",
    )
    # This response does not pass through the middleware.
    add_headers(response.headers)
    return response


def show_error(request: Request, status: int, message: str, *, hint: str | None = None) -> Response:
    """Return an error page, or for a request of htmx the part of a page with the error."""
    title = _TITLES.get(status, "Something went wrong")
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "error.html"
    if is_fragment:
        template = "_error.html"
    response = render(request, template, status=status, title=title, message=message, hint=hint)
    if is_fragment and request.method == "GET":
        # An error while reading a part of a page replaces the whole page.
        response.headers["HX-Retarget"] = "#main"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Reselect"] = ".error"
    if status == 503:
        response.headers["Retry-After"] = _RETRY_AFTER
    return response
