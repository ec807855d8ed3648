"""Failures: what an exception that a client raised means for the caller.

Two questions are answered here: may the request have been carried out all the same (`is_lost`), and
which error of ours is it (`translate`). When to repeat is decided in `retries.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, cast

import httpx
from postgrest.exceptions import APIError

from training_versions.errors import (
    ConnectionFailedError,
    DatabaseError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SchemaMismatchError,
    TrainingVersionsError,
    UnavailableError,
    class_of,
)
from training_versions.operations.tokens import is_signed_in

TRANSPORT_ERRORS: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
)
CLIENT_ERRORS: Final = (APIError, *TRANSPORT_ERRORS)
"""Everything that a client raises when no successful reply came."""
UNREADABLE_JSON: Final = (ValueError, RecursionError)
"""What a client raises for a successful reply that is valid JSON and that Python cannot hold, such
as one nested thousands of levels deep. A reply that is no JSON arrives as text instead."""

# The request never left this machine. Every other error is treated as if a part of it may have.
_NOTHING_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
# PostgREST lost its connection to the database, which may have committed by then.
_CONNECTION_LOST: Final = "PGRST001"

_HINT_MIGRATE: Final = (
    "Copy the migrations with `training-versions migrations <your project>/supabase/migrations` "
    "and apply them with `supabase db push` (Supabase CLI 3: with --remote); when they are applied "
    "already, reload the schema cache: notify pgrst, 'reload schema'."
)
_HINT_SIGN_IN: Final = (
    "Sign in first: client.auth.sign_in_with_password({'email': …, 'password': …})."
)
_HINT_REFRESH: Final = "Sign in again, or call client.auth.refresh_session()."


def is_lost(exc: Exception) -> bool:
    """Return whether the request may have been carried out although its reply never came."""
    if not isinstance(exc, APIError):
        return not isinstance(exc, _NOTHING_SENT)
    if exc.code is None:
        # JSON of a gateway, which has no codes. Supabase's own gateway gives a hint where it turns
        # a request down: {"message": "Invalid API key", "hint": "Double check your key."}. Whatever
        # else answers without a code may have lost the database's reply.
        return not exc.hint
    return exc.code == _CONNECTION_LOST or _is_page_of_a_proxy(exc.code)


def translate(
    exc: Exception, operation: str, headers: Mapping[str, str], *, is_write: bool
) -> TrainingVersionsError:
    """Return our error for one that a client raised; the caller raises it `from` that one."""
    if is_write and is_lost(exc):
        return OutcomeUnknownError(
            f"The reply to {operation} was lost, so it may or may not have happened: "
            f"{_describe(exc)}.",
            operation=operation,
        )
    if not isinstance(exc, APIError) or _is_page_of_a_proxy(exc.code):
        return ConnectionFailedError(
            f"No reply came to {operation}, and nothing was changed: {_describe(exc)}.",
            operation=operation,
            hint="Check the project's URL and the network, and try again.",
        )
    return _refusal(exc, operation, headers)


def _refusal(exc: APIError, operation: str, headers: Mapping[str, str]) -> DatabaseError:
    """Make the error for a request that the database, PostgREST or a gateway turned down."""
    error_class = class_of(exc.code)
    message = exc.message
    if not message:
        message = f"{operation} was refused with code {exc.code}."
    reason = message.rstrip(".")
    hint = exc.hint

    if exc.code == "42501":
        if not is_signed_in(headers):
            message = f"You are not signed in, so {operation} was refused: {reason}."
            hint = _HINT_SIGN_IN
    elif error_class is PermissionDeniedError:
        state = "was refused"
        if exc.code in ("PGRST301", "PGRST303"):
            state = "has expired or is not valid"
        message = f"The access token {state}: {reason}."
        if not hint:
            hint = _HINT_REFRESH if is_signed_in(headers) else _HINT_SIGN_IN
    elif error_class is SchemaMismatchError:
        message = f"The database lacks something that {operation} needs: {reason}."
        hint = _HINT_MIGRATE
    elif error_class is UnavailableError and not hint:
        hint = "Try again in a moment."

    return error_class(
        message,
        code=exc.code,
        details=_parse_details(cast("object", exc.details)),
        operation=operation,
        hint=hint,
    )


def _is_page_of_a_proxy(code: str | None) -> bool:
    """Return whether a proxy answered instead of the database, which may have done its work."""
    # Such a page arrives as an APIError whose code is the HTTP status: "408", "502".
    if code is None:
        return False
    return code == "408" or (len(code) == 3 and code.startswith("5"))


def _describe(exc: Exception) -> str:
    if isinstance(exc, APIError):
        source = "a gateway said" if exc.code is None else exc.code
        return f"{source} {exc.message}" if exc.message else source
    if not str(exc):
        return type(exc).__name__
    return f"{type(exc).__name__}: {exc}"


def _parse_details(details: object) -> dict[str, object] | str | None:
    """Return the details as an object where they are one: the migrations write JSON."""
    if isinstance(details, str):
        try:
            details = cast("object", json.loads(details))
        except (ValueError, RecursionError):
            return details
    if details is None or isinstance(details, dict):
        return cast("dict[str, object] | None", details)
    return str(details)
