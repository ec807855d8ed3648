"""Errors of the SDK in the words of the command line, and which of them pass by themselves."""

from __future__ import annotations

from training_versions.cli.context import Session
from training_versions.cli.exits import UNREACHABLE, CommandError, status_of
from training_versions.errors import (
    ConnectionFailedError,
    NotSignedInError,
    TrainingVersionsError,
)


def as_command_error(session: Session, error: TrainingVersionsError) -> CommandError:
    """Return what a command says of an error of the SDK, and the status that it ends with."""
    if isinstance(error.__cause__, CommandError):
        # What happens while the SDK asks for the token, such as a session that has ended.
        return error.__cause__
    message, hint = _explain(session, error)
    return CommandError(message, hint=hint, status=status_of(error))


def is_unreachable(session: Session, error: TrainingVersionsError) -> bool:
    """Return whether nothing was refused, so that the same call may succeed a little later."""
    return as_command_error(session, error).status == UNREACHABLE


def _explain(session: Session, error: TrainingVersionsError) -> tuple[str, str | None]:
    message = error.message
    if isinstance(error, ConnectionFailedError):
        reached = f"{session.settings.url} cannot be reached"
        message = message.replace(f"No reply came to {error.operation}", reached)
        return message.rstrip("."), error.hint
    if error.operation is not None:
        # Which call of the SDK it was says nothing to people who typed a command.
        message = message.replace(error.operation, "this command")
    message = as_part(message)
    if error.after_lost_reply:
        message += "; an earlier try lost its reply, and may have been carried out"
    if isinstance(error, NotSignedInError):
        if session.settings.token is None:
            return message, "Sign in: training-versions login"
        # As long as it is set, it counts more than a session that is kept.
        return message, (
            "Set SUPABASE_ACCESS_TOKEN to a new one, or unset it and sign in: "
            "training-versions login"
        )
    # Such as how far an import came.
    notes: list[str] = getattr(error, "__notes__", [])
    return ". ".join([message, *(note.rstrip(".") for note in notes)]), error.hint


def as_part(sentence: str) -> str:
    """Write a sentence as it stands behind `error:`."""
    if sentence[1:2].islower():
        sentence = sentence[:1].lower() + sentence[1:]
    return sentence.rstrip(".")
