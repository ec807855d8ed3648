"""The exit statuses, in a table that the documentation shows, too.

The class of an SDK error decides its status, never its message.
"""

from __future__ import annotations

from typing import Final

from training_versions.errors import (
    ConflictError,
    ConnectionFailedError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    TrainingVersionsError,
    UnavailableError,
)

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
NOT_ALLOWED: Final = 4
CONFLICT: Final = 5
UNREACHABLE: Final = 6
INTERRUPTED: Final = 130
"""128 plus the number of the signal, as in shells."""
PIPE_CLOSED: Final = 141
TERMINATED: Final = 143

MEANINGS: Final = {
    DONE: "done",
    FAILED: "refused by a rule of the database, or failed otherwise",
    USAGE: "wrong use: an argument is missing or not valid; nothing was sent",
    NOT_FOUND: "not found, or not yours to see",
    NOT_ALLOWED: "not allowed, or not signed in",
    CONFLICT: "conflict: somebody else was faster, or it is in another state",
    UNREACHABLE: "the project cannot be reached, or its answer was lost",
    INTERRUPTED: "interrupted by ctrl-C",
    PIPE_CLOSED: "whoever read the output stopped reading, as `head` does",
    TERMINATED: "ended by SIGTERM",
}

CHECK_ADDRESS: Final = "Is SUPABASE_URL the project's address, and is there a network?"
"""The hint for a project that cannot be reached."""

_BY_CLASS: Final[tuple[tuple[type[TrainingVersionsError], int], ...]] = (
    (InvalidInputError, USAGE),
    (NotFoundError, NOT_FOUND),
    (PermissionDeniedError, NOT_ALLOWED),
    (ConflictError, CONFLICT),
    (ConnectionFailedError, UNREACHABLE),
    (OutcomeUnknownError, UNREACHABLE),
    (UnavailableError, UNREACHABLE),
)


def status_of(error: TrainingVersionsError) -> int:
    """Return the exit status for an error of the SDK."""
    for kind, status in _BY_CLASS:
        if isinstance(error, kind):
            return status
    return FAILED


class CommandError(Exception):
    """An error that ends a command: a message of one sentence, a hint and an exit status."""

    def __init__(self, message: str, *, hint: str | None = None, status: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status


def usage(message: str, *, hint: str | None = None) -> CommandError:
    """Return the error for wrong use, such as an invalid argument."""
    return CommandError(message, hint=hint, status=USAGE)


def not_found(message: str, *, hint: str | None = None) -> CommandError:
    """Return the error for an object that does not exist or is not visible."""
    return CommandError(message, hint=hint, status=NOT_FOUND)


def conflict(message: str, *, hint: str | None = None) -> CommandError:
    """Return the error for an object whose state does not allow the command."""
    return CommandError(message, hint=hint, status=CONFLICT)


def not_allowed(message: str, *, hint: str | None = None) -> CommandError:
    """Return the error for a caller who is not allowed or not signed in."""
    return CommandError(message, hint=hint, status=NOT_ALLOWED)
