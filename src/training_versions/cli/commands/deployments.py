"""Deployments: show live versions, deploy and undeploy."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import click

from training_versions import Deployment, DeploymentTarget, VersionStatus
from training_versions.cli.command import (
    command,
    confirm,
    dry_run_option,
    id_option,
    pass_session,
    yes_option,
)
from training_versions.cli.context import Session
from training_versions.cli.diffs import content_diff, preview
from training_versions.cli.exits import conflict, usage
from training_versions.cli.lookup import PackageNames, find_package, find_version
from training_versions.cli.names import Selector, write_version
from training_versions.cli.output import Cell, Column
from training_versions.cli.people import who
from training_versions.cli.reports import report
from training_versions.cli.results import Deployed, Difference, summary_of
from training_versions.cli.text import described

_TARGETS = tuple(DeploymentTarget)
_TARGET = click.Choice([str(target) for target in _TARGETS])
_COLUMNS = (
    Column("version", may_wrap=True),
    Column("target"),
    Column("since"),
    Column("until"),
    Column("by"),
    Column("url", may_wrap=True),
    Column("deployment", only_piped=True),
    Column("version id", only_piped=True),
)


@command(
    "live",
    result=list[Deployment],
    example=(
        "training-versions live",
        "training-versions live support-bot",
        "training-versions live support-bot --on 2026-05-03",
    ),
)
@click.argument("package", metavar="[PACKAGE]", required=False)
@click.option("--on", "day", metavar="DAY", help="What was live at the end of that day, in UTC.")
@click.option("--all", "everything", is_flag=True, help="What was live before, too.")
@pass_session
def live(session: Session, package: str | None, day: str | None, everything: bool) -> None:
    """Show what is live, or was; without a name, of all packages."""
    output = session.output
    if day is not None and everything:
        raise usage("--on and --all exclude each other")
    moment = None
    if day is not None:
        moment = _end_of(day)
    # Today means now, as the clock of this machine may be behind that of the database.
    is_now = moment is None and not everything
    names = PackageNames(session)
    package_id = None
    if package is not None:
        found = find_package(session, package)
        names.add(found)
        package_id = found.id
    walk = session.versions.iterate_deployments(
        package_id=package_id, live=True if is_now else None, at=moment
    )
    stays = list(walk)
    output.show(
        stays,
        ids=[stay.version_id for stay in stays],
        text=lambda: output.table(
            _COLUMNS,
            [_row(session, names, stay) for stay in stays],
            empty="Nothing is live." if is_now else "Nothing was live.",
        ),
    )


def _end_of(day: str) -> datetime | None:
    """Return the end of a day, or `None` for today, which means now."""
    try:
        selector = Selector(day=date.fromisoformat(day))
    except ValueError:
        raise usage(f"--on is no day: {day!r}", hint="As in 2026-05-03.") from None
    return selector.moment_of_past()


def _row(session: Session, names: PackageNames, stay: Deployment) -> tuple[Cell, ...]:
    return (
        write_version(names.name(stay.package_id), stay.version_number),
        stay.target,
        stay.started_at,
        stay.ended_at,
        who(session, stay.started_by),
        stay.url,
        stay.deployment_id,
        str(stay.version_id),
    )


@command(
    "deploy",
    result=Deployed,
    example=(
        "training-versions deploy support-bot@3 hf_space --url https://ada-bot.hf.space",
        "training-versions deploy support-bot local --dry-run",
    ),
)
@click.argument("version", metavar="VERSION")
@click.argument("target", type=_TARGET, metavar="TARGET")
@click.option("--url", metavar="URL", help="Where it answers.")
@click.option("--deployment-id", metavar="TEXT", help="What the target calls it.")
@id_option("stay_id")
@yes_option
@dry_run_option
@pass_session
def deploy(
    session: Session,
    version: str,
    target: str,
    url: str | None,
    deployment_id: str | None,
    stay_id: UUID | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Make a published version live at a target: local or hf_space.

    It replaces the version that is live there; shows what differs from that, and asks. The name of
    a package alone is its latest published version.
    """
    found = find_version(session, version, default="published")
    chosen = found.version
    if dry_run and chosen.status != VersionStatus.PUBLISHED:
        raise conflict(
            f"{found.written} is {described(chosen.status)}, and only published ones are deployed"
        )
    where = DeploymentTarget(target)
    replaced = session.versions.live(found.package.id, where)
    before = None
    if replaced is not None:
        before = session.versions.get(replaced.version_id)
    diff = content_diff(session, before, chosen)
    heading = f"{found.written} at {target}, where nothing is live"
    if before is not None:
        replaced_name = write_version(found.package.name, before.version_number)
        heading = f"{found.written} at {target}, instead of {replaced_name}"
    if before is not None and before.id == chosen.id:
        preview(session, f"{found.written} is live at {target} already, and stays so", None)
    elif chosen.status == VersionStatus.PUBLISHED:
        preview(session, heading, diff)
    shown = summary_of(chosen)
    if not dry_run:
        confirm(session, f"Make {found.written} live at {target}?", yes=yes)
        shown = session.versions.deploy(
            chosen.id, where, url=url, deployment_id=deployment_id, stay_id=stay_id
        )
    result = Deployed(
        action="deployed",
        dry_run=dry_run,
        changed=not shown.replayed,
        version=shown,
        difference=Difference.of(before, chosen, diff),
        replaced=replaced,
    )
    where_it_is = f"{found.written} at {target}"
    report(session, result, where_it_is, unchanged=f"{where_it_is} was deployed by this id already")


@command(
    "undeploy",
    result=Deployed,
    example=(
        "training-versions undeploy support-bot",
        "training-versions undeploy support-bot@3 hf_space --yes",
    ),
)
@click.argument("version", metavar="VERSION")
@click.argument("target", type=_TARGET, metavar="[TARGET]", required=False)
@yes_option
@dry_run_option
@pass_session
def undeploy(session: Session, version: str, target: str | None, yes: bool, dry_run: bool) -> None:
    """Take a version down, at one target or wherever it is live.

    The name of a package alone is the version that is live there.
    """
    default = Selector(is_live=True, target=target)
    found = find_version(session, version, default=default)
    chosen = found.version
    where = None
    if target is not None:
        where = DeploymentTarget(target)
    ending = list(session.versions.deployments(version_id=chosen.id, target=where, live=True))
    places = " and ".join(sorted(str(stay.target) for stay in ending))
    shown = summary_of(chosen)
    if ending and not dry_run:
        confirm(session, f"Take {found.written} down at {places}?", yes=yes)
        shown = session.versions.undeploy(chosen.id, target=where)
    result = Deployed(
        action="undeployed", dry_run=dry_run, changed=bool(ending), version=shown, replaced=None
    )
    unchanged = f"{found.written} is not live"
    if target is not None:
        unchanged += f" at {target}"
    report(session, result, f"{found.written} from {places}", unchanged=unchanged)
