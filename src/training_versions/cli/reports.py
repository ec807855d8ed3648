"""What a command says it did to a version: the same sentences for all of them."""

from __future__ import annotations

from training_versions.cli.context import Session
from training_versions.cli.results import Done


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
