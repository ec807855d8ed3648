"""The errors of this package, and the one table that says which database code becomes which.

    TrainingVersionsError                .operation .hint .after_lost_reply
    ├── InvalidInputError                refused before sending (also a ValueError); .field
    ├── ConnectionFailedError            no reply, and nothing can have changed; .retry_after
    ├── OutcomeUnknownError              a write may have happened; the hint says how to go on
    ├── UnreadableReplyError             success that does not fit the model; .reply .rows
    └── DatabaseError                    refused by the database, nothing written; .code .details
        ├── NotFoundError                no such row, or the caller may not see it
        ├── ConflictError                somebody else was faster, or the row is in another state
        ├── RejectedError                the value or the change breaks a rule
        ├── PermissionDeniedError        not allowed
        │   └── NotSignedInError         no token, or one that has ended or is not valid
        ├── SchemaMismatchError          the migrations are missing or older than this package
        └── UnavailableError             the database says that it cannot answer now; .retry_after

`BundleError` (an `InvalidInputError`) is defined in `bundle/`, `AutosaveConflictError` (a
`ConflictError`) in `autosave/`. An error page of a proxy, 502 say, is not a refusal: a read fails
with `ConnectionFailedError`, and the outcome of a write is unknown.

Errors are classified by code, never by their words. What a client's exception means is decided in
`operations/failures.py`, when to repeat a request in `operations/retries.py`.
"""

from dataclasses import dataclass, field
from typing import Final

_AFTER_LOST_REPLY: Final = (
    "The reply to an earlier try of this call was lost; that try may have been carried out."
)


class TrainingVersionsError(Exception):
    """Base of all errors of this package."""

    __module__ = "training_versions"

    operation: str | None
    """The operation that failed, such as `versions.publish`.

    Mostly `None` if an argument was refused: the traceback shows the call.
    """
    hint: str | None
    """What to do about it."""
    after_lost_reply: bool = False
    """Whether this is the database's answer to a write whose earlier attempt lost its reply.

    That attempt may have been carried out. (An `OutcomeUnknownError` says so by its class.)
    """

    # Everything but the message is optional: unpickling calls the class with the message alone, and
    # then restores the attributes.
    def __init__(
        self, message: str, *, operation: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.hint = hint

    @property
    def message(self) -> str:
        """What happened, in one sentence."""
        return str(self.args[0])

    def __str__(self) -> str:
        lines = [self.message]
        if self.after_lost_reply:
            lines.append(_AFTER_LOST_REPLY)
        if self.hint:
            lines.append(f"Hint: {self.hint}")
        return "\n".join(lines)


class InvalidInputError(TrainingVersionsError, ValueError):
    """An argument is not valid; nothing was sent."""

    __module__ = "training_versions"

    field: str | None
    """The argument that is not valid."""

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        operation: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, hint=hint)
        self.field = field


class ConnectionFailedError(TrainingVersionsError):
    """No reply came, and nothing can have changed; try again freely."""

    __module__ = "training_versions"

    retry_after: int | None = None
    """Seconds after which to ask again, where a proxy that answered instead says so."""


class OutcomeUnknownError(TrainingVersionsError):
    """The reply to a write was lost, so it may have happened; the hint says how to go on."""

    __module__ = "training_versions"


@dataclass(frozen=True)
class UnreadableRow:
    """A row that is stored and cannot be read."""

    __module__ = "training_versions"

    id: object
    """Its identifier, if that could be read."""
    problem: str
    """What is wrong with it."""
    reply: object = field(repr=False)
    """The row, or as much of it as could be read."""


class UnreadableReplyError(TrainingVersionsError):
    """The reply says success, but it is not what was asked for or does not fit the types.

    Where the message says that a write was carried out, it was.
    """

    __module__ = "training_versions"

    reply: object
    """What came: parsed JSON, or text if it was no JSON; `None` if there is nothing to show."""
    rows: tuple[UnreadableRow, ...]
    """Of a list or a walk: the rows that cannot be read.

    A walk ends with this error, after all rows that can be read.
    """

    def __init__(
        self,
        message: str,
        *,
        reply: object = None,
        rows: tuple[UnreadableRow, ...] = (),
        operation: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, hint=hint)
        self.reply = reply
        self.rows = rows


class DatabaseError(TrainingVersionsError):
    """The database, or a gateway in front of it, refused; nothing was written."""

    __module__ = "training_versions"

    code: str | None
    """The SQLSTATE, or the code of PostgREST or of a proxy."""
    details: dict[str, object] | str | None
    """What the refusal is about: an object where the migrations raised it."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: dict[str, object] | str | None = None,
        operation: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, hint=hint)
        self.code = code
        self.details = details


class NotFoundError(DatabaseError):
    """There is no such row, or the caller may not see it."""

    __module__ = "training_versions"


class ConflictError(DatabaseError):
    """Somebody else was faster, or the row is in a state that does not allow this."""

    __module__ = "training_versions"


class RejectedError(DatabaseError):
    """A value or a change breaks a rule that the database keeps."""

    __module__ = "training_versions"


class PermissionDeniedError(DatabaseError):
    """The caller may not do this; see `NotSignedInError` for a caller who is nobody."""

    __module__ = "training_versions"


class NotSignedInError(PermissionDeniedError):
    """The client has no access token, or one that has ended or is not valid: sign in again."""

    __module__ = "training_versions"


class SchemaMismatchError(DatabaseError):
    """The database lacks something that this package needs: its migrations are missing or older."""

    __module__ = "training_versions"


class UnavailableError(DatabaseError):
    """The database cannot answer now."""

    __module__ = "training_versions"

    retry_after: int | None = None
    """Seconds after which to ask again, where the database or a gateway says so."""


# TVnnn are raised by the migrations; they are listed one by one, so that a test can compare this
# table with the migrations. Three digits are the HTTP status of a proxy's page, which postgrest
# passes on as the code. A code that is not listed is looked up by its first three characters (TV1:
# a code of a newer database), then by its first two (08, 22, 23, 53 and 57: classes of SQLSTATE).
_TABLE: dict[type[DatabaseError], str] = {
    NotFoundError: "TV101 TV102 TV103 TV104 TV1 PGRST116",
    ConflictError: "TV201 TV202 TV203 TV204 TV205 TV206 TV207 TV2 23503 23505 40001 40P01",
    RejectedError: "TV301 TV302 TV303 TV304 TV305 TV306 TV307 TV308 TV309 TV3 22 23 413 414",
    PermissionDeniedError: "42501 403",
    NotSignedInError: "PGRST301 PGRST302 PGRST303 401",
    SchemaMismatchError: (
        "PGRST106 PGRST202 PGRST203 PGRST204 PGRST205 42P01 42703 42704 42725 42804 42883"
    ),
    UnavailableError: "08 53 57 25006 25P03 25P04 55P03 429 PGRST000 PGRST001 PGRST002 PGRST003",
}
CODES = {code: kind for kind, codes in _TABLE.items() for code in codes.split()}


def class_of(code: str | None) -> type[DatabaseError]:
    """Return the error class of a code of the database, of PostgREST or of a proxy."""
    if code is None:
        return DatabaseError
    for key in (code, code[:3], code[:2]):
        if key in CODES:
            return CODES[key]
    return DatabaseError
