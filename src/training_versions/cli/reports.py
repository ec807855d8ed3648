"""Messages about the effect of a command, shared by all commands."""

from __future__ import annotations

from training_versions.cli.context import Session
from training_versions.cli.results import Done


def say_next(session: Session, command: str, *, replayed: bool) -> None:
    """Print the next command after something was created, or that a repeat created nothing."""
    if replayed:
        session.output.say("It was there already; nothing was created.")
    else:
        session.output.say(f"Next: {command}", style="dim")


def report(session: Session, result: Done, what: str, *, unchanged: str = "") -> None:
    """Print what a command did to a version, or would do without `--dry-run`.

    Args:
        session: The session of the command.
        result: The result for `--json`.
        what: The object of the action, such as `support-bot@3 at local`.
        unchanged: The message if nothing changed.
    """
    output = session.output
    text = f"{result.action} {what}"
    if result.dry_run:
        text = f"would be {result.action}: {what}"
    if unchanged and not result.changed:
        text = f"unchanged: {unchanged}"
    output.show(result, ids=[result.version.id], text=lambda: output.line(text, is_safe=True))
