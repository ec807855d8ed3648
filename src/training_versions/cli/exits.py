"""The exit status of every outcome: one table, which the documentation shows.

Errors are told apart by their class, as the SDK classifies them; never by their words.
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
"""128 and the number of the signal, as shells say it."""
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
"""What to do when nothing answers."""

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
    """What a command cannot do, in one sentence, with what to do about it."""

    def __init__(self, message: str, *, hint: str | None = None, status: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status


def usage(message: str, *, hint: str | None = None) -> CommandError:
    """Make the error for an argument that cannot be used."""
    return CommandError(message, hint=hint, status=USAGE)


def not_found(message: str, *, hint: str | None = None) -> CommandError:
    """Make the error for what is not there."""
    return CommandError(message, hint=hint, status=NOT_FOUND)


def conflict(message: str, *, hint: str | None = None) -> CommandError:
    """Make the error for what is in a state that does not allow it."""
    return CommandError(message, hint=hint, status=CONFLICT)


def not_allowed(message: str, *, hint: str | None = None) -> CommandError:
    """Make the error for somebody who may not, or who has not signed in."""
    return CommandError(message, hint=hint, status=NOT_ALLOWED)
