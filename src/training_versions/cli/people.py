"""Users in output: "you" or a part of the id on a terminal, the whole id in a pipe."""

from __future__ import annotations

from uuid import UUID

from training_versions.cli.context import Session


def who(session: Session, user_id: UUID | None) -> str | None:
    """Return the text for a user; `None` for the service role."""
    if user_id is None:
        return None
    if not session.output.is_terminal:
        return str(user_id)
    if user_id == session.user_id:
        return "you"
    return str(user_id)[:8]
