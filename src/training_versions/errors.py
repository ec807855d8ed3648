"""Every error of this package, and the one table that says which database code becomes which error.

    TrainingVersionsError                .operation .hint
    ├── InvalidInputError                refused before sending (also a ValueError); .field
    ├── ConnectionFailedError            no reply, and nothing can have changed; retry freely
    ├── OutcomeUnknownError              a write may have happened; the same call can be made again
    ├── UnreadableReplyError             success that does not fit the model (a write did happen); .reply
    └── DatabaseError                    refused by the database, nothing written; .code .details
        ├── NotFoundError                there is no such row, or it is not yours
        ├── ConflictError                somebody else was faster, or the row is in another state
        ├── RejectedError                the value or the change breaks a rule
        ├── PermissionDeniedError        not signed in, token expired, or not allowed
        ├── SchemaMismatchError          the migrations are missing or older than this package
        └── UnavailableError             the database cannot answer now

Classified by code, never by text. Deciding when to send again is kept in `_calls.py`.
"""

import base64
import json
from collections.abc import Mapping
from typing import cast

import httpx
from postgrest.exceptions import APIError


class TrainingVersionsError(Exception):
    """Base of all errors of this package."""

    operation: str | None = None
    hint: str | None = None

    def __init__(self, message: str, **attributes: object) -> None:
        super().__init__(message)
        self.__dict__.update(attributes)  # which pickle keeps

    @property
    def message(self) -> str:
        """What happened, in one sentence."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}" if self.hint else self.message


class InvalidInputError(TrainingVersionsError, ValueError):
    """An argument cannot be right; nothing was sent."""

    field: str | None = None


class ConnectionFailedError(TrainingVersionsError):
    """No reply came, and nothing can have changed; try again freely."""


class OutcomeUnknownError(TrainingVersionsError):
    """The reply to a write was lost, so it may have happened; the same call can be made again."""


class UnreadableReplyError(TrainingVersionsError):
    """The reply says success, but is not what was asked for, or does not fit the types of the repository.

    A write that says so was carried out.
    """

    reply: object = None


class DatabaseError(TrainingVersionsError):
    """The database refused; nothing was written."""

    code: str | None = None
    details: dict[str, object] | str | None = None


class NotFoundError(DatabaseError):
    """There is no such row, or the caller may not see it."""


class ConflictError(DatabaseError):
    """Somebody else was faster, or the row is in a state that does not allow this."""


class RejectedError(DatabaseError):
    """A value or a change breaks a rule that the database keeps."""


class PermissionDeniedError(DatabaseError):
    """Not signed in, signed in no longer, or not allowed."""


class SchemaMismatchError(DatabaseError):
    """The database lacks something that this package needs: its migrations are missing or older."""


class UnavailableError(DatabaseError):
    """The database cannot answer now."""


# Looked up by the whole code, then by its first three characters, then by its first two. TVnnn are raised by the
# migrations; three digits are the HTTP status of a proxy's page, which postgrest passes on as the code.
_TABLE: dict[type[DatabaseError], str] = {
    NotFoundError: "TV101 TV102 TV103 TV104 TV1 PGRST116",
    ConflictError: "TV201 TV202 TV203 TV204 TV205 TV206 TV207 TV2 23503 23505 40001 40P01",
    RejectedError: "TV301 TV302 TV303 TV304 TV305 TV306 TV307 TV308 TV309 TV3 22 23 413 414",
    PermissionDeniedError: "42501 PGRST301 PGRST302 PGRST303 401 403",
    SchemaMismatchError: "PGRST202 PGRST204 PGRST205 42P01 42703 42883",
    UnavailableError: "53 57 429 PGRST000 PGRST001 PGRST002 PGRST003",
}
CODES = {code: kind for kind, codes in _TABLE.items() for code in codes.split()}

_MIGRATE = (
    "Copy the migrations with `training-versions migrations <your project>/supabase/migrations` and apply them with "
    "`supabase db push` (Supabase CLI 3: with --remote); when they are applied already, reload the schema cache: "
    "notify pgrst, 'reload schema'."
)
_SIGN_IN = "Sign in first: client.auth.sign_in_with_password({'email': …, 'password': …})."
_REFRESH = "Sign in again, or call client.auth.refresh_session()."

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


def class_of(code: str | None) -> type[DatabaseError]:
    """Tell which error a code of the database, of PostgREST or of a proxy becomes."""
    return next(
        (CODES[key] for key in (code, (code or "")[:3], (code or "")[:2]) if key in CODES),
        DatabaseError,
    )


def is_lost(exc: Exception) -> bool:
    """Tell whether the request may have been carried out although this came instead of its reply."""
    if isinstance(exc, APIError):
        code = exc.code
        if (
            code is None
        ):  # a gateway's own JSON: with a hint it turned the request down, without it lost the reply
            return not exc.hint
        # PGRST001: PostgREST lost its connection to the database, which may have committed by then.
        return code in ("408", "PGRST001") or (len(code) == 3 and code.startswith("5"))
    return isinstance(exc, TRANSPORT_ERRORS) and not isinstance(exc, _NOTHING_SENT)


def translate(
    exc: Exception, operation: str, headers: Mapping[str, str], *, write: bool
) -> TrainingVersionsError:
    """Make the error to raise of one that the client raised; the caller raises it `from` that one."""
    if is_lost(exc) and write:
        return OutcomeUnknownError(
            f"The reply to {operation} was lost, so it may or may not have happened: {_words(exc)}.",
            operation=operation,
        )
    if not isinstance(exc, APIError) or (
        is_lost(exc) and exc.code is not None and exc.code.isdigit()
    ):
        return ConnectionFailedError(
            f"No reply came to {operation}, and nothing was changed: {_words(exc)}.",
            operation=operation,
            hint="Check the project's URL and the network, and try again.",
        )
    details = cast("object", exc.details)
    message, hint, code = (
        exc.message or f"{operation} was refused with code {exc.code}.",
        exc.hint,
        exc.code,
    )
    made = class_of(code)
    if code == "42501" and not _is_signed_in(headers):
        message, hint = (
            f"You are not signed in, so {operation} was refused: {message.rstrip('.')}.",
            _SIGN_IN,
        )
    elif made is PermissionDeniedError and code != "42501":
        expired = code in ("PGRST301", "PGRST303")
        message = f"The access token {'has expired or is not valid' if expired else 'was refused'}: {message.rstrip('.')}."
        hint = hint or (_REFRESH if _is_signed_in(headers) else _SIGN_IN)
    elif made is SchemaMismatchError:
        message, hint = (
            f"The database lacks something that {operation} needs: {message.rstrip('.')}.",
            _MIGRATE,
        )
    elif made is UnavailableError:
        hint = hint or "Try again in a moment."
    return made(message, code=code, details=_parsed(details), operation=operation, hint=hint)


def _words(exc: Exception) -> str:
    if isinstance(exc, APIError):
        return f"{exc.code or 'the gateway'} {exc.message or ''}".strip()
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__


def _parsed(details: object) -> dict[str, object] | str | None:
    if isinstance(details, str):
        try:
            details = cast("object", json.loads(details))
        except (ValueError, RecursionError):
            return details
    if details is None or isinstance(details, dict):
        return cast("dict[str, object] | None", details)
    return str(details)


def claims_of(headers: Mapping[str, str]) -> dict[str, object]:
    """Read what the token that is sent says, unverified; nothing if it is none."""
    try:
        payload = headers.get("Authorization", "").split(".")[1]
        claims = cast(
            "object", json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        )
    except (IndexError, ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", claims) if isinstance(claims, dict) else {}


def _is_signed_in(headers: Mapping[str, str]) -> bool:
    # postgrest drops the HTTP status, which would tell (401); so the token that was sent does.
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return bool(scheme)
    if token.startswith("sb_secret_"):
        return True
    claims = claims_of(headers)
    role, sub = claims.get("role"), claims.get("sub")
    return role == "service_role" or (role != "anon" and bool(sub))
