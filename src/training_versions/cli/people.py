"""Who did something: "you", or a part of the identifier on a terminal and all of it in a pipe."""

from __future__ import annotations

from uuid import UUID

from training_versions.cli.context import Session


def who(session: Session, user_id: UUID | None) -> str | None:
    """Name a user, as far as other users can be named."""
    if user_id is None:
        return None
    if not session.output.is_terminal:
        return str(user_id)
    if user_id == session.user_id:
        return "you"
    return str(user_id)[:8]
