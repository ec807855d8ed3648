"""Versions: list, show and compare them."""

from __future__ import annotations

import click

from training_versions import (
    InvalidInputError,
    Package,
    TrainingStatus,
    Version,
    VersionDiff,
    VersionStatus,
    VersionSummary,
)
from training_versions.cli.command import (
    command,
    filter_option,
    limit_option,
    oldest_option,
    pass_session,
)
from training_versions.cli.context import Session
from training_versions.cli.diffs import print_diff, version_before
from training_versions.cli.documents import SNAPSHOTS
from training_versions.cli.exits import usage
from training_versions.cli.lookup import (
    Found,
    FoundVersion,
    PackageNames,
    find,
    find_package,
    find_version,
)
from training_versions.cli.names import for_shell, write_name, write_version
from training_versions.cli.output import Cell, Column
from training_versions.cli.people import who
from training_versions.cli.results import Difference, WholeVersion
from training_versions.cli.text import json_text

_COLUMNS = (
    Column("version", may_wrap=True),
    Column("status", is_styled=True),
    Column("name", only_piped=True),
    Column("created"),
    Column("by", only_piped=True),
    Column("published", only_piped=True),
    Column("live"),
    Column("training"),
    Column("estimated", only_piped=True),
    Column("cost", is_number=True),
    Column("budget", only_piped=True),
    Column("summary", may_cut=True),
    Column("id", only_piped=True),
)


@command(
    "versions",
    result=list[VersionSummary],
    example=(
        "training-versions versions support-bot",
        "training-versions versions support-bot --status draft -q",
    ),
)
@click.argument("package", metavar="PACKAGE")
@filter_option("--status", VersionStatus, "Only those")
@filter_option("--training", TrainingStatus, "Only those whose training is so")
@click.option("--deployed", is_flag=True, help="Only those that are live.")
@click.option("--text", metavar="TEXT", help="Only those with this in their name or summary.")
@oldest_option
@limit_option
@pass_session
def versions(
    session: Session,
    package: str,
    status: tuple[str, ...],
    training: tuple[str, ...],
    deployed: bool,
    text: str | None,
    oldest: bool,
    limit: int | None,
) -> None:
    """List the versions of a package, newest first."""
    output = session.output
    found = find_package(session, package)
    walk = session.versions.iterate(
        found.id,
        order="oldest" if oldest else "newest",
        status=status or None,
        training_status=training or None,
        deployed=deployed or None,
        text=text,
    )
    rows = output.limited(walk, limit)
    empty = "No version is like that."
    if found.version_count == 0:
        name = for_shell(write_name(found.name))
        empty = f"No versions. A first one: training-versions draft {name}"
    output.show(
        rows,
        ids=[row.id for row in rows],
        text=lambda: output.table(
            _COLUMNS,
            [_row(session, found, row) for row in rows],
            empty=empty,
        ),
    )


def _row(session: Session, package: Package, version: VersionSummary) -> tuple[Cell, ...]:
    written = write_version(package.name, version.version_number)
    if session.output.is_terminal:
        # The name of the package is in the command line already, and takes much space.
        written = f"@{version.version_number}"
    return (
        written,
        version.status,
        version.name,
        version.created_at,
        who(session, version.created_by),
        version.published_at,
        version.deployment_target if version.is_deployed else None,
        version.training_status,
        version.estimated_cost,
        version.actual_cost,
        version.budget_limit,
        version.change_summary,
        str(version.id),
    )


@command(
    "show",
    result=Package | WholeVersion,
    example=(
        "training-versions show support-bot",
        "training-versions show support-bot@3",
        "training-versions show support-bot@live:hf_space --json",
    ),
)
@click.argument("what", metavar="PACKAGE|VERSION")
@pass_session
def show(session: Session, what: str) -> None:
    """Show a package, or a version with its content.

    The name alone is the package; `support-bot@latest` is its newest version.
    """
    output = session.output
    found = find(session, what)
    version = found.version
    if version is None:
        output.show(
            found.package, ids=[found.package.id], text=lambda: _show_package(session, found)
        )
    else:
        output.show(version, ids=[version.id], text=lambda: _show_version(session, found, version))


def _show_package(session: Session, found: Found) -> None:
    output = session.output
    package = found.package
    output.heading("package", found.written)
    output.fields(
        [
            ("type", package.template_type),
            ("versions", package.version_count),
            ("published", package.latest_published_version or None),
            ("created", package.created_at),
            ("owner", who(session, package.user_id)),
            ("id", str(package.id)),
        ]
    )
    _print_json(session, "config_json", package.config_json)


def _show_version(session: Session, found: Found, version: Version) -> None:
    output = session.output
    output.heading("version", found.written)
    live = None
    if version.is_deployed:
        live = " ".join(filter(None, (version.deployment_target, version.deployment_url)))
    metrics = None
    if version.training_metrics:
        metrics = json_text(version.training_metrics, indent=None)
    output.fields(
        [
            ("status", version.status),
            ("name", version.name),
            ("summary", version.change_summary),
            ("created", version.created_at),
            ("created by", who(session, version.created_by)),
            ("published", version.published_at),
            ("published by", who(session, version.published_by)),
            ("updated", version.updated_at),
            ("parent", _parent(session, found.package, version)),
            ("live", live),
            ("training", version.training_status),
            ("metrics", metrics),
            ("estimated cost", version.estimated_cost),
            ("actual cost", version.actual_cost),
            ("budget", version.budget_limit),
            ("id", str(version.id)),
        ]
    )
    for column in SNAPSHOTS:
        _print_json(session, column, getattr(version, column))


def _parent(session: Session, package: Package, version: Version) -> str | None:
    """Return the reference of the parent on a terminal, or its id in a pipe or if it is hidden."""
    parent_id = version.parent_version_id
    if parent_id is None:
        return None
    parent = None
    if session.output.is_terminal:
        parent = session.versions.find(parent_id)
    if parent is None:
        return str(parent_id)
    names = PackageNames(session)
    names.add(package)
    return write_version(names.name(parent.package_id), parent.version_number)


def _print_json(session: Session, name: str, value: object) -> None:
    output = session.output
    if not output.is_terminal:
        output.line(f"{name}\t{json_text(value, indent=None)}", is_safe=True)
        return
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    output.styled("")
    output.styled(name, "bold")
    text = Text(json_text(value))
    JSONHighlighter().highlight(text)
    output.console.print(text, soft_wrap=True)


@command(
    "diff",
    result=Difference,
    example=(
        "training-versions diff support-bot@2 support-bot@3",
        "training-versions diff support-bot@2 @live:hf_space",
        "training-versions diff support-bot --only /config_snapshot",
    ),
)
@click.argument("left", metavar="VERSION")
@click.argument("right", metavar="[VERSION]", required=False)
@click.option("--only", multiple=True, metavar="PATH", help="Only what lies at or below it.")
@click.option("--patch", is_flag=True, help="Print a JSON Patch (RFC 6902).")
@pass_session
def diff(
    session: Session, left: str, right: str | None, only: tuple[str, ...], patch: bool
) -> None:
    """Show what differs between two versions.

    One version is compared with the one before it. The name of a package alone is its newest
    version; in the second place, `@3` is version 3 of the same package.
    """
    output = session.output
    if right is None:
        after = find_version(session, left, default="latest")
        before = _before(session, after)
    else:
        before = find_version(session, left, default="latest")
        after = find_version(session, right, default="latest", beside=before.package)
    found = session.versions.compare(before.version, after.version)
    if only:
        found = _filtered(found, only)
    if patch and output.mode != "text":
        raise usage("--patch is JSON itself; --json holds it, too")
    if patch:
        output.line(json_text(found.to_json_patch()), is_safe=True)
        return

    def as_text() -> None:
        output.say(f"{before.written} -> {after.written}", style="bold")
        print_diff(output, found)

    output.show(
        Difference.of(before.version, after.version, found),
        ids=[before.version.id, after.version.id],
        text=as_text,
    )


def _filtered(found: VersionDiff, only: tuple[str, ...]) -> VersionDiff:
    try:
        return found.filter(*only)
    except InvalidInputError as exc:
        raise usage(f"--only: {exc.message}", hint=exc.hint) from None


def _before(session: Session, after: FoundVersion) -> FoundVersion:
    version = version_before(session, after.version)
    if version is None:
        raise usage(
            f"{after.written} has no version before it", hint="Name two versions to compare."
        )
    return FoundVersion(after.package, version)
