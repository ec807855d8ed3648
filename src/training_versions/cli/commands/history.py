"""The history of packages and versions, and the line of descent."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from training_versions import Event, EventKind, HistoryFilters, Lineage, LineageNode
from training_versions.cli.command import (
    command,
    filter_option,
    limit_option,
    oldest_option,
    pass_session,
)
from training_versions.cli.context import Session
from training_versions.cli.events import describe
from training_versions.cli.exits import usage
from training_versions.cli.lookup import PackageNames, find, find_version
from training_versions.cli.names import write_version
from training_versions.cli.output import Cell, Column, style_of
from training_versions.cli.people import who
from training_versions.cli.results import Family
from training_versions.cli.text import json_text

_EVENTS = (
    Column("when"),
    Column("version", may_wrap=True),
    Column("what", is_styled=True),
    Column("who"),
    Column("details", may_wrap=True),
    Column("id", only_piped=True),
)


@command(
    "history",
    result=list[Event],
    example=(
        "training-versions history support-bot",
        "training-versions history support-bot@3 --kind published --kind deployed",
        "training-versions history --since 2026-05-01",
    ),
)
@click.argument("what", metavar="[PACKAGE|VERSION]", required=False)
@filter_option("--kind", EventKind, "Only those")
@click.option("--since", metavar="DAY", help="From this day or moment on; a day begins in UTC.")
@click.option("--until", metavar="DAY", help="Before this day or moment.")
@oldest_option
@limit_option
@pass_session
def history(
    session: Session,
    what: str | None,
    kind: tuple[str, ...],
    since: str | None,
    until: str | None,
    oldest: bool,
    limit: int | None,
) -> None:
    """Show who did what, and when, newest first.

    The name of a package alone is all of its history, also of drafts that were deleted; without a
    name it is that of all packages.
    """
    output = session.output
    names = PackageNames(session)
    package_id, version_id = None, None
    if what is not None:
        found = find(session, what)
        names.add(found.package)
        if found.version is None:
            package_id = found.package.id
        else:
            version_id = found.version.id
    filters: HistoryFilters = {
        "package_id": package_id,
        "version_id": version_id,
        "kind": kind or None,
        "since": _moment(since, "--since"),
        "until": _moment(until, "--until"),
    }
    walk = session.versions.iterate_history(order="oldest" if oldest else "newest", **filters)
    events = output.limited(walk, limit)
    output.show(
        events,
        ids=[event.id for event in events],
        text=lambda: output.table(
            _EVENTS, [_row(session, names, event) for event in events], empty="Nothing happened."
        ),
    )


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise usage(
            f"{option} is no day and no moment: {text!r}",
            hint="As in 2026-05-03, or 2026-05-03T14:30+02:00.",
        ) from None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


def _row(session: Session, names: PackageNames, event: Event) -> tuple[Cell, ...]:
    return (
        event.occurred_at,
        write_version(names.name(event.package_id), event.version_number),
        str(event.kind),
        who(session, event.actor_id) or "service role",
        _details(session, event),
        event.id,
    )


def _details(session: Session, event: Event) -> str | None:
    if not event.details:
        return None
    if not session.output.is_terminal:
        return json_text(event.details, indent=None)
    return describe(event)


@command(
    "lineage",
    result=Family,
    example=("training-versions lineage support-bot@3", "training-versions lineage support-bot"),
)
@click.argument("version", metavar="VERSION")
@pass_session
def lineage(session: Session, version: str) -> None:
    """Show where a version comes from, and what was made from it, across packages.

    The name of a package alone is its newest version.
    """
    output = session.output
    found = find_version(session, version, default="latest")
    family = session.versions.lineage(found.version.id)
    members = [*reversed(family.ancestors), family.version, *family.descendants]
    output.show(
        Family.of(family),
        ids=[node.id for node in members],
        text=lambda: _draw(session, family, members),
    )


def _draw(session: Session, family: Lineage, members: list[LineageNode]) -> None:
    output = session.output
    if output.is_terminal:
        _draw_tree(session, family)
        return
    names = PackageNames(session)
    above = {node.id for node in family.ancestors}
    for node in members:
        relation = "ancestor" if node.id in above else "descendant"
        if node.id == family.version.id:
            relation = "version"
        written = write_version(names.name(node.package_id), node.version_number)
        parent = None if node.parent_version_id is None else str(node.parent_version_id)
        output.row((relation, written, node.status, node.created_at, parent, str(node.id)))


def _draw_tree(session: Session, family: Lineage) -> None:
    """Draw the line of descent as the SDK does, with references that commands accept."""
    names = PackageNames(session)
    for indent, node in family.outline():
        mark = "*" if node.id == family.version.id else " "
        written = write_version(names.name(node.package_id), node.version_number)
        line = f"{mark} {'  ' * indent}{written}  {node.name} ({node.status})"
        session.output.styled(line, "bold" if mark == "*" else style_of(node.status))
