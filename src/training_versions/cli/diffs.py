"""Print differences, one per line: coloured on a terminal, unshortened in a pipe."""

from __future__ import annotations

from typing import Final

from training_versions import ChangeKind, Version, VersionDiff, VersionSummary
from training_versions.cli.context import Session
from training_versions.cli.output import Output
from training_versions.cli.text import printable

CONTENT: Final = ("/config_snapshot", "/model_snapshot", "/dataset_snapshot")
_SIGNS: Final = {ChangeKind.ADDED: "+", ChangeKind.REMOVED: "-", ChangeKind.CHANGED: "~"}
_STYLES: Final = {
    ChangeKind.ADDED: "green",
    ChangeKind.REMOVED: "red",
    ChangeKind.CHANGED: "yellow",
}
_WHOLE: Final = 10**9


def print_diff(output: Output, diff: VersionDiff) -> None:
    """Print the differences."""
    if not output.is_terminal:
        output.line(diff.to_text(width=_WHOLE), is_safe=True)
        return
    width = output.console.width
    # A line has two values, each with room for ellipses, and an arrow between them.
    lines = diff.to_text(width=max(12, (width - 20) // 2)).split("\n")
    if not diff:
        output.styled(lines[0], "dim")
        return
    for change, line in zip(diff, lines, strict=True):
        style = _STYLES[change.kind]
        if len(line) <= width:
            output.styled(line, style)
            continue
        # Print the path on its own line, and the values below it.
        label = f"{_SIGNS[change.kind]} {printable(change.label)}"
        output.styled(label, style)
        output.styled(f"    {line.removeprefix(label).strip()}", style)


def content_diff(session: Session, left: Version | None, right: Version) -> VersionDiff | None:
    """Compare the content of two versions: config, model and data sets."""
    if left is None:
        return None
    return session.versions.compare(left, right).filter(*CONTENT)


def version_before(session: Session, version: VersionSummary) -> Version | None:
    """Return the existing version with the next lower number."""
    before = session.versions.list(version.package_id, number_below=version.version_number, limit=1)
    for summary in before:
        return session.versions.get(summary.id)
    return None


def preview(session: Session, heading: str, diff: VersionDiff | None) -> None:
    """Print the expected differences on stderr. `--json` has them in its result instead."""
    output = session.output
    if output.mode != "text":
        return
    if diff is None:
        # There is no version to compare with.
        output.say(f"{heading}.", style="bold")
        return
    output.say(f"{heading}:", style="bold")
    shown = Output(out=output.err, err=output.err, secrets=output.secrets)
    print_diff(shown, diff)
    shown.flush()
