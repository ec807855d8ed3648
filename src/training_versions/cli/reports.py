"""What a command says it did: the same sentences for all of them."""

from __future__ import annotations

from training_versions.cli.context import Session
from training_versions.cli.results import Done


def say_next(session: Session, command: str, *, replayed: bool) -> None:
    """Say what to type after something was created, or that a repeat created nothing."""
    if replayed:
        session.output.say("It was there already; nothing was created.")
    else:
        session.output.say(f"Next: {command}", style="dim")


def report(session: Session, result: Done, what: str, *, unchanged: str = "") -> None:
    """Print what was done to a version, or with `--dry-run` would be.

    Args:
        session: Whose.
        result: What `--json` prints.
        what: What it was done to, such as `support-bot@3 at local`.
        unchanged: What to say instead where nothing changed.
    """
    output = session.output
    text = f"{result.action} {what}"
    if result.dry_run:
        text = f"would be {result.action}: {what}"
    if unchanged and not result.changed:
        text = f"unchanged: {unchanged}"
    output.show(result, ids=[result.version.id], text=lambda: output.line(text, is_safe=True))
