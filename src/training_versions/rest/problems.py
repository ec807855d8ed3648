"""Problems: every error as `application/problem+json` (RFC 9457).

`KINDS` lists the kinds of problems, which `docs/problems.md` explains. `OF_CLASS` maps the error
classes of the SDK to kinds. `OF_CODE` maps database codes whose class is not specific enough.

A problem never shows a token or a snapshot. Details of server errors are logged, not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from training_versions import (
    AutosaveConflictError,
    BundleError,
    ConflictError,
    ConnectionFailedError,
    DatabaseError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    SchemaMismatchError,
    TrainingVersionsError,
    UnavailableError,
    UnreadableReplyError,
)
from training_versions.wording import describe_hint

TYPES: Final = "tag:training-versions,2026:"
"""The beginning of every `type`. A tag URI (RFC 4151) is a name, not an address, so it is the same
under every prefix and host."""
MEDIA_TYPE: Final = "application/problem+json"
NO_SNIFFING: Final = {"X-Content-Type-Options": "nosniff"}
"""Browsers must trust the `Content-Type` of a reply, whatever text the body contains."""
RETRY_AFTER: Final = 5
"""Seconds until a client may retry."""


@dataclass(frozen=True, eq=False)  # compared by identity, so it can be a key of a dict
class Kind:
    """A kind of problem. `slug` is the end of its `type`."""

    slug: str
    status: int
    title: str
    headers: Mapping[str, str]

    @property
    def type(self) -> str:
        """Return the URI that identifies the kind."""
        return TYPES + self.slug


KINDS: Final[dict[str, Kind]] = {}
"""Every kind by its slug, in the order of `docs/problems.md`."""


def _kind(slug: str, status: int, title: str, headers: Mapping[str, str] | None = None) -> Kind:
    kind = Kind(slug, status, title, headers or {})
    KINDS[slug] = kind
    return kind


_RETRY: Final = {"Retry-After": str(RETRY_AFTER)}

NOT_JSON = _kind("not-json", 400, "The body is not JSON")
BAD_HEADER = _kind("bad-header", 400, "A header cannot be read")
BAD_REQUEST = _kind("bad-request", 400, "The request cannot be read")
NOT_SIGNED_IN = _kind("not-signed-in", 401, "Not signed in", {"WWW-Authenticate": "Bearer"})
NOT_ALLOWED = _kind("not-allowed", 403, "Not allowed")
NOT_FOUND = _kind("not-found", 404, "Not found")
NO_SUCH_PAGE = _kind("no-such-page", 404, "There is no such page")
METHOD_NOT_ALLOWED = _kind("method-not-allowed", 405, "Method not allowed")
CONFLICT = _kind("conflict", 409, "Conflict")
ID_TAKEN = _kind("id-taken", 409, "The identifier is taken")
NOT_A_DRAFT = _kind("not-a-draft", 409, "Not a draft")
WRONG_STATUS = _kind("wrong-status", 409, "The status does not allow it")
TRAINING_CONFLICT = _kind("training-conflict", 409, "The training does not allow it")
NOT_PUBLISHED = _kind("not-published", 409, "Not published")
FROZEN = _kind("frozen", 409, "Published content never changes")
HISTORY_IS_KEPT = _kind("history-is-kept", 409, "History is kept")
EDITED_SINCE = _kind("edited-since", 412, "Edited since it was read")
BODY_TOO_LARGE = _kind("body-too-large", 413, "The body is too large")
UNSUPPORTED_MEDIA_TYPE = _kind("unsupported-media-type", 415, "The body is of another type")
INVALID_INPUT = _kind("invalid-input", 422, "The input is not valid")
REJECTED = _kind("rejected", 422, "The input breaks a rule")
KEY_REUSED = _kind("idempotency-key-reused", 422, "The idempotency key was used for something else")
IF_MATCH_REQUIRED = _kind("if-match-required", 428, "If-Match is required")
TOO_MANY_REQUESTS = _kind("too-many-requests", 429, "Too many requests", _RETRY)
INTERNAL_ERROR = _kind("internal-error", 500, "Internal error")
OUTCOME_UNKNOWN = _kind("outcome-unknown", 500, "It may or may not have happened")
UNREADABLE = _kind("unreadable", 500, "What is stored cannot be read")
UNAVAILABLE = _kind("unavailable", 503, "Not available now", _RETRY)
SCHEMA_MISMATCH = _kind("schema-mismatch", 503, "The database is not up to date", _RETRY)

OF_CLASS: Final[dict[type[TrainingVersionsError], Kind]] = {
    AutosaveConflictError: EDITED_SINCE,
    BundleError: INVALID_INPUT,
    ConflictError: CONFLICT,
    ConnectionFailedError: UNAVAILABLE,
    DatabaseError: INTERNAL_ERROR,
    InvalidInputError: INVALID_INPUT,
    NotFoundError: NOT_FOUND,
    NotSignedInError: NOT_SIGNED_IN,
    OutcomeUnknownError: OUTCOME_UNKNOWN,
    PermissionDeniedError: NOT_ALLOWED,
    RejectedError: REJECTED,
    SchemaMismatchError: SCHEMA_MISMATCH,
    TrainingVersionsError: INTERNAL_ERROR,
    UnavailableError: UNAVAILABLE,
    UnreadableReplyError: UNREADABLE,
}
"""The kind for each error class of the SDK. A class that is missing here has the kind of its
nearest base class."""

OF_CODE: Final[dict[str, Kind]] = {
    "TV101": NOT_FOUND,
    "TV102": NOT_FOUND,
    "TV103": NOT_FOUND,
    "TV104": NOT_FOUND,
    "TV201": EDITED_SINCE,
    "TV202": NOT_A_DRAFT,
    "TV203": WRONG_STATUS,
    "TV204": ID_TAKEN,
    "TV205": TRAINING_CONFLICT,
    "TV206": NOT_PUBLISHED,
    "TV207": CONFLICT,
    "TV301": FROZEN,
    "TV302": WRONG_STATUS,
    "TV303": HISTORY_IS_KEPT,
    "TV304": HISTORY_IS_KEPT,
    "TV305": REJECTED,
    "TV306": INVALID_INPUT,
    "TV307": REJECTED,
    "TV308": HISTORY_IS_KEPT,
    "TV309": HISTORY_IS_KEPT,
    "40001": UNAVAILABLE,  # rolled back, also when the SDK retried; a later retry may succeed
    "40P01": UNAVAILABLE,
    "413": BODY_TOO_LARGE,
    "414": INVALID_INPUT,
    "429": TOO_MANY_REQUESTS,
}
"""The kind for each code of the migrations, and for others whose class is not specific enough."""

_SERVER_ERRORS: Final = {
    INTERNAL_ERROR: "Something went wrong here. The server's log says what.",
    OUTCOME_UNKNOWN: "The reply of the database was lost.",
    UNREADABLE: "A row that was asked for does not have the form that this server knows.",
    UNAVAILABLE: "The database cannot answer now; nothing was changed.",
    SCHEMA_MISMATCH: "The database lacks something that this server needs: its migrations are "
    "missing or older.",
    TOO_MANY_REQUESTS: "The project takes no more requests at the moment.",
}
"""The detail of errors that are not the caller's fault. Their messages may name internals."""
_HINTS: Final = {
    OUTCOME_UNKNOWN: "Send the same request again: with the same Idempotency-Key, if it creates "
    "something.",
    UNAVAILABLE: "Try again in a moment.",
    TOO_MANY_REQUESTS: "Try again in a moment.",
    NOT_SIGNED_IN: "Send an access token: Authorization: Bearer <token>.",
}


_RENAMED: Final = {"into": "package_id", "moment": "at", "prefixes": "path"}
"""Arguments of the SDK that have another name in the endpoints."""


class InvalidField(BaseModel):
    """What is wrong with one field of a request."""

    detail: str
    """The mistake, in words."""
    pointer: str | None = None
    """The place in the body: a JSON Pointer as a URI fragment, such as `#/config/r`."""
    parameter: str | None = None
    """The name of a path parameter, a query parameter or a header."""


class TrainingProblem(BaseModel):
    """An error (RFC 9457). `type` is stable, and says which other members there are."""

    model_config = ConfigDict(title="TrainingProblem", extra="forbid")

    type: str = Field(examples=["tag:training-versions,2026:not-found"])
    title: str
    status: int
    detail: str
    hint: str | None = None
    """What to do about it."""
    code: str | None = None
    """The error code of the database, such as `TV202`."""
    errors: list[InvalidField] | None = None
    """For an invalid request: the mistakes, field by field."""
    line: int | None = None
    """For a body that is not JSON: the line of the mistake."""
    column: int | None = None
    """And the column."""
    expected_updated_at: AwareDatetime | None = None
    """For a draft that was edited since: the `updated_at` of the state in `If-Match`."""
    updated_at: AwareDatetime | None = None
    """The `updated_at` of the current draft."""
    changed_there: list[str] | None = None
    """The paths that were edited since the state in `If-Match`."""
    changed_here: list[str] | None = None
    """The paths at which the request differs from the current draft."""
    rows: list[UUID | str] | None = None
    """The identifiers of the rows that cannot be read."""


class Problem(HTTPException):
    """A problem as an exception. FastAPI passes an `HTTPException` on without wrapping it."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(kind.status, detail, {**kind.headers, **(headers or {})})
        self.kind = kind
        self.members = members

    def as_model(self) -> TrainingProblem:
        """Return the body of the reply."""
        kind = self.kind
        return TrainingProblem(
            type=kind.type,
            title=kind.title,
            status=kind.status,
            detail=str(self.detail),
            **self.members,
        )


class ProblemResponse(JSONResponse):
    """A response whose body is a problem."""

    media_type = MEDIA_TYPE


def problem_response(problem: Problem) -> ProblemResponse:
    """Return the response for a problem. Members that are `None` are left out."""
    body = problem.as_model().model_dump(mode="json", exclude_none=True)
    headers = {"Cache-Control": "no-store", **NO_SNIFFING, **(problem.headers or {})}
    return ProblemResponse(body, problem.status_code, headers)


def kind_of(exc: TrainingVersionsError) -> Kind:
    """Return the kind of an error of the SDK."""
    if isinstance(exc, InvalidInputError) and exc.field == "cursor":
        # The request asks for a page that no list ever linked to.
        return NO_SUCH_PAGE
    if isinstance(exc, PermissionDeniedError) and exc.code is None:
        # The gateway refused this server's key, which is not the caller's fault.
        return UNAVAILABLE
    if isinstance(exc, DatabaseError) and exc.code in OF_CODE:
        return OF_CODE[exc.code]
    for base in type(exc).__mro__:
        if base in OF_CLASS:
            return OF_CLASS[base]
    return INTERNAL_ERROR


def problem_of(exc: TrainingVersionsError, *, has_body: bool = False) -> Problem:
    """Convert an error of the SDK to a problem.

    Args:
        exc: The error.
        has_body: Whether the arguments of the SDK came from the body, not from path or query.
    """
    kind = kind_of(exc)
    code = None
    if isinstance(exc, DatabaseError) and _is_of_migrations(exc.code):
        code = exc.code
    if kind in _SERVER_ERRORS:
        return _problem_of_server(exc, kind, code)
    if kind is NOT_SIGNED_IN:
        # After the colon comes text of PostgREST or PostgreSQL, which may show a claim.
        return unknown_token(f"{exc.message.partition(':')[0].rstrip('.')}.")

    detail = exc.message
    if isinstance(exc, RejectedError) and code is None:
        # The message comes from PostgreSQL itself and may show a value.
        detail = f"The database does not take a value (SQLSTATE {exc.code})."
    errors = None
    field_name = _field_of(exc)
    if field_name is not None:
        place = {"pointer": f"#/{field_name}"} if has_body else {"parameter": field_name}
        errors = [InvalidField(detail=detail, **place)]
    return Problem(kind, detail, code=code, hint=describe_hint(exc.hint), errors=errors)


def _problem_of_server(exc: TrainingVersionsError, kind: Kind, code: str | None) -> Problem:
    headers = None
    is_passing = isinstance(exc, ConnectionFailedError | UnavailableError)
    if is_passing and exc.retry_after is not None:
        headers = {"Retry-After": str(exc.retry_after)}
    rows = None
    if isinstance(exc, UnreadableReplyError) and exc.rows:
        rows = [str(row.id) for row in exc.rows]
    return Problem(
        kind, _SERVER_ERRORS[kind], headers=headers, code=code, hint=_HINTS.get(kind), rows=rows
    )


def unknown_token(detail: str) -> Problem:
    """Return the problem for an access token that is invalid or has expired."""
    return Problem(
        NOT_SIGNED_IN,
        detail,
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        hint=_HINTS[NOT_SIGNED_IN],
    )


def missing_token() -> Problem:
    """Return the problem for a request without an access token."""
    return Problem(
        NOT_SIGNED_IN,
        "The request has no access token.",
        hint=_HINTS[NOT_SIGNED_IN],
    )


def _field_of(exc: TrainingVersionsError) -> str | None:
    if isinstance(exc, InvalidInputError) and exc.field is not None:
        return _RENAMED.get(exc.field, exc.field)
    if isinstance(exc, DatabaseError) and exc.code == "TV306" and isinstance(exc.details, dict):
        name = exc.details.get("field")
        if isinstance(name, str):
            return name
    return None


def _is_of_migrations(code: str | None) -> bool:
    return code is not None and code.startswith("TV")
