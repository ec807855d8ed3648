"""Actions that cannot be undone: publish, archive and delete."""

from __future__ import annotations

import click

from training_versions import Package, Version, VersionStatus
from training_versions.cli.command import (
    command,
    confirm,
    dry_run_option,
    pass_session,
    yes_option,
)
from training_versions.cli.context import Session
from training_versions.cli.diffs import content_diff, preview
from training_versions.cli.exits import CommandError, conflict
from training_versions.cli.lookup import FoundVersion, find, find_version
from training_versions.cli.names import write_name, write_version
from training_versions.cli.reports import report
from training_versions.cli.results import Deleted, Difference, Done, summary_of
from training_versions.cli.text import described


@command(
    "publish",
    result=Done,
    example=(
        "training-versions publish support-bot",
        "training-versions publish support-bot@3 --dry-run",
        "training-versions publish support-bot@3 --name support-bot-rank-16 --yes",
    ),
)
@click.argument("draft", metavar="VERSION")
@click.option("--name", metavar="NAME", help="Its name from now on.")
@yes_option
@dry_run_option
@pass_session
def publish(session: Session, draft: str, name: str | None, yes: bool, dry_run: bool) -> None:
    """Publish a draft; from then on its content never changes.

    Shows what differs from the latest published version, and asks. The name of a package alone is
    its only draft. If somebody edits the draft meanwhile, it is not published.
    """
    found = find_version(session, draft, default="draft")
    version = found.version
    if version.status == VersionStatus.PUBLISHED:
        result = Done(
            action="published", dry_run=dry_run, changed=False, version=summary_of(version)
        )
        report(session, result, found.written, unchanged=f"{found.written} is published already")
        return
    if dry_run and version.status != VersionStatus.DRAFT:
        raise conflict(
            f"{found.written} is {described(version.status)}, and only drafts are published"
        )
    difference = _show_difference(session, found)
    if not dry_run:
        confirm(session, f"Publish {found.written}?", yes=yes)
        version = session.versions.publish(
            version.id, name=name, expected_updated_at=version.updated_at
        )
    result = Done(
        action="published",
        dry_run=dry_run,
        changed=True,
        version=summary_of(version),
        difference=difference,
    )
    report(session, result, found.written)


def _show_difference(session: Session, found: FoundVersion) -> Difference:
    """Show the differences from the latest published version, unless it is not a draft any more."""
    version = found.version
    latest = session.versions.latest_published(found.package.id)
    diff = content_diff(session, latest, version)
    if version.status == VersionStatus.DRAFT:
        since = "the first one to be published"
        if latest is not None:
            since = f"since {write_version(found.package.name, latest.version_number)}"
        preview(session, f"{found.written}, {since}", diff)
    return Difference.of(latest, version, diff)


@command(
    "archive",
    result=Done,
    example=(
        "training-versions archive support-bot@1",
        "training-versions archive support-bot@1 --dry-run",
    ),
)
@click.argument("version", metavar="VERSION")
@yes_option
@dry_run_option
@pass_session
def archive(session: Session, version: str, yes: bool, dry_run: bool) -> None:
    """Archive a published version; its deployments end.

    It cannot be taken back. The version must be named: the name of a package alone is not enough.
    """
    found = find_version(session, version)
    before = found.version
    is_done = before.status == VersionStatus.ARCHIVED
    if dry_run and before.status == VersionStatus.DRAFT:
        raise conflict(f"{found.written} is a draft, and only published versions are archived")
    if before.status == VersionStatus.PUBLISHED:
        session.output.say(f"{found.written}: {before.status} -> archived")
        if before.is_deployed:
            session.output.say(
                f"It is live at {before.deployment_target}, and that deployment ends."
            )
    after = before
    if not dry_run:
        if not is_done:
            confirm(session, f"Archive {found.written}?", yes=yes)
        # The database refuses to archive a draft, and gives the reason.
        after = session.versions.archive(before.id)
    result = Done(
        action="archived", dry_run=dry_run, changed=not is_done, version=summary_of(after)
    )
    report(session, result, found.written, unchanged=f"{found.written} is archived already")


@command(
    "delete",
    result=Deleted,
    example=(
        "training-versions delete support-bot@4",
        "training-versions delete support-bot --yes",
    ),
)
@click.argument("what", metavar="PACKAGE|VERSION")
@yes_option
@dry_run_option
@pass_session
def delete(session: Session, what: str, yes: bool, dry_run: bool) -> None:
    """Delete a draft, or a package with its drafts.

    The name of a package alone is the package. A package with published or archived versions, and
    these versions themselves, are history and stay.
    """
    found = find(session, what)
    if found.version is None:
        _delete_package(session, found.package, yes=yes, dry_run=dry_run)
    else:
        _delete_draft(session, found.written, found.version, yes=yes, dry_run=dry_run)


def _delete_package(session: Session, package: Package, *, yes: bool, dry_run: bool) -> None:
    written = write_name(package.name)
    drafts = session.versions.count(package.id, status="draft")
    noun = "drafts"
    if drafts == 1:
        noun = "draft"
    if dry_run and drafts < session.versions.count(package.id):
        raise CommandError(f"{written} has published or archived versions, which are history")
    session.output.say(f"The package {written} ({package.id}) has {drafts} {noun}.")
    if not dry_run:
        confirm(session, f"Delete {written} and its {drafts} {noun}?", yes=yes)
        session.packages.delete(package.id)
    _report_deleted(
        session,
        f"package {written}",
        Deleted(dry_run=dry_run, kind="package", id=str(package.id), name=package.name),
    )


def _delete_draft(
    session: Session, written: str, version: Version, *, yes: bool, dry_run: bool
) -> None:
    if not dry_run:
        confirm(session, f"Delete the {version.status} {written} ({version.name})?", yes=yes)
        session.versions.delete_draft(version.id, expected_updated_at=version.updated_at)
    elif version.status != VersionStatus.DRAFT:
        raise conflict(f"{written} is {described(version.status)}, and only drafts are deleted")
    _report_deleted(
        session,
        written,
        Deleted(dry_run=dry_run, kind="version", id=str(version.id), name=version.name),
    )


def _report_deleted(session: Session, written: str, result: Deleted) -> None:
    output = session.output
    verb = "deleted"
    if result.dry_run:
        verb = "would delete"
    output.show(result, ids=[result.id], text=lambda: output.line(f"{verb} {written}"))
