"""Watch the events of a version, of a package, or of everything that the caller can see."""

from __future__ import annotations

import time
from collections.abc import Iterable

import click

from training_versions import Event, EventKind, HistoryFilters, TrainingVersionsError
from training_versions.cli.command import command, filter_option, pass_session
from training_versions.cli.context import Session
from training_versions.cli.events import describe
from training_versions.cli.exits import INTERRUPTED
from training_versions.cli.follow import Follower
from training_versions.cli.lookup import PackageNames, find
from training_versions.cli.names import write_version
from training_versions.cli.output import Column
from training_versions.cli.people import who
from training_versions.cli.sdk_errors import as_command_error, is_unreachable
from training_versions.cli.text import json_text

# Styles for important events.
_STYLES = {
    "published": "green",
    "deployed": "green",
    "training_completed": "green",
    "training_failed": "red",
    "cost_alert": "yellow",
}
# The columns are those of `history`.
_COLUMNS = [Column(title) for title in ("when", "version", "what", "who", "details", "id")]


@command(
    "watch",
    result=Event,
    example=(
        "training-versions watch support-bot",
        "training-versions watch support-bot@3 --json --lines 0",
    ),
)
@click.argument("name", metavar="[PACKAGE|VERSION]", required=False)
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(0),
    default=10,
    metavar="N",
    help="Begin with the newest N events; 10 if left out.",
)
@filter_option("--kind", EventKind, "Only events of this kind")
@click.option(
    "--interval",
    type=click.FloatRange(0.1),
    default=2.0,
    metavar="SECONDS",
    help="How often to look; every 2 seconds if left out.",
)
@pass_session
def watch(
    session: Session, name: str | None, lines: int, kind: tuple[str, ...], interval: float
) -> int:
    """Print events as they come, one line each, until ctrl-C.

    Each event is printed once. One to which later edits of the same minute are added is printed
    again, with the moment of the last of them. With --json, each line is one object.
    """
    filters: HistoryFilters = {}
    if name is not None:
        found = find(session, name)
        if found.version is not None:
            filters["version_id"] = found.version.id
        else:
            filters["package_id"] = found.package.id
    if kind:
        filters["kind"] = kind
    printer = _Printer(session)
    follower = Follower(session.versions, filters)
    try:
        printer.print(follower.begin(lines))
        while True:
            time.sleep(interval)
            printer.print(_look_again(session, follower))
    except KeyboardInterrupt:
        return INTERRUPTED


def _look_again(session: Session, follower: Follower) -> list[Event]:
    try:
        return follower.again()
    except TrainingVersionsError as exc:
        if not is_unreachable(session, exc):
            raise
        # No event is missed: the next poll starts where the last successful one did.
        message = as_command_error(session, exc).message
        session.output.note(f"{message}. Trying again.")
        return []


class _Printer:
    """Prints events as JSON, ids or text."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names = PackageNames(session)

    def print(self, events: Iterable[Event]) -> None:
        output = self._session.output
        for event in events:
            if output.mode == "json":
                line = json_text(event.model_dump(mode="json"), indent=None)
                output.line(line, is_safe=True)
            elif output.mode == "quiet":
                output.line(str(event.id))
            elif output.is_terminal:
                self._print_for_people(event)
            else:
                self._print_row(event)
        # Flush, so that a reader gets each event at once.
        output.flush()

    def _print_for_people(self, event: Event) -> None:
        moment = (event.last_at or event.occurred_at).astimezone()
        words = [f"{moment:%Y-%m-%d %H:%M:%S}", self._version(event), str(event.kind)]
        words.append(f"by {self._who(event)}")
        details = describe(event)
        if details:
            words.append(details)
        self._session.output.styled("  ".join(words), _STYLES.get(str(event.kind), ""))

    def _print_row(self, event: Event) -> None:
        row = (
            event.last_at or event.occurred_at,
            self._version(event),
            str(event.kind),
            self._who(event),
            json_text(event.details, indent=None) if event.details else None,
            event.id,
        )
        self._session.output.table(_COLUMNS, [row])

    def _version(self, event: Event) -> str:
        return write_version(self._names.name(event.package_id), event.version_number)

    def _who(self, event: Event) -> str:
        return who(self._session, event.actor_id) or "service role"
