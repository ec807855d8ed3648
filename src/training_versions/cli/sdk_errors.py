"""Convert errors of the SDK to errors of the command line."""

from __future__ import annotations

from training_versions.cli.context import Session
from training_versions.cli.exits import UNREACHABLE, CommandError, status_of
from training_versions.errors import (
    ConnectionFailedError,
    NotSignedInError,
    TrainingVersionsError,
)


def as_command_error(session: Session, error: TrainingVersionsError) -> CommandError:
    """Convert an error of the SDK to a command error with a message, a hint and a status."""
    if isinstance(error.__cause__, CommandError):
        # Raised when the SDK asked for the token, for example because the session has ended.
        return error.__cause__
    message, hint = _explain(session, error)
    return CommandError(message, hint=hint, status=status_of(error))


def is_unreachable(session: Session, error: TrainingVersionsError) -> bool:
    """Return whether the project could not be reached, so that a retry may succeed."""
    return as_command_error(session, error).status == UNREACHABLE


def _explain(session: Session, error: TrainingVersionsError) -> tuple[str, str | None]:
    message = error.message
    if isinstance(error, ConnectionFailedError):
        reached = f"{session.settings.url} cannot be reached"
        message = message.replace(f"No reply came to {error.operation}", reached)
        return message.rstrip("."), error.hint
    if error.operation is not None:
        # The name of the SDK method means nothing to users of the command line.
        message = message.replace(error.operation, "this command")
    message = as_part(message)
    if error.after_lost_reply:
        message += "; an earlier try lost its reply, and may have been carried out"
    if isinstance(error, NotSignedInError):
        if session.settings.token is None:
            return message, "Sign in: training-versions login"
        # The variable has priority over the stored session.
        return message, (
            "Set SUPABASE_ACCESS_TOKEN to a new one, or unset it and sign in: "
            "training-versions login"
        )
    # For example how far an import came.
    notes: list[str] = getattr(error, "__notes__", [])
    return ". ".join([message, *(note.rstrip(".") for note in notes)]), error.hint


def as_part(sentence: str) -> str:
    """Return a sentence in the form that follows `error:`, without capital and full stop."""
    if sentence[1:2].islower():
        sentence = sentence[:1].lower() + sentence[1:]
    return sentence.rstrip(".")
