"""Restore and fork: create drafts with the content of another version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from training_versions import CopiedDraft, Package
from training_versions.cli.command import command, dry_run_option, id_option, pass_session
from training_versions.cli.context import Session
from training_versions.cli.diffs import content_diff, preview
from training_versions.cli.lookup import FoundVersion, find_package, find_version
from training_versions.cli.names import write_name, write_version
from training_versions.cli.reports import report
from training_versions.cli.results import Difference, Done, summary_of

F = TypeVar("F", bound=Callable[..., Any])


def _draft_options(function: F) -> F:
    """Add the options for the draft that the command creates."""
    for option in (
        id_option("new_id", "The draft's"),
        click.option(
            "--summary", metavar="TEXT", help="What is new; says by default what it was made from."
        ),
        click.option("--name", metavar="NAME", help="The name of the draft."),
    ):
        function = option(function)
    return function


@command(
    "restore",
    result=Done,
    example=(
        "training-versions restore support-bot@1",
        "training-versions restore support-bot@2026-05-03 --dry-run",
    ),
)
@click.argument("version", metavar="VERSION")
@_draft_options
@click.option("--force", is_flag=True, help="Make it even where no content would change.")
@dry_run_option
@pass_session
def restore(
    session: Session,
    version: str,
    name: str | None,
    summary: str | None,
    new_id: UUID | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Make a draft with the content of an old version, which itself stays as it is.

    Shows what changes back, compared with the newest version. If that has the same content, no
    draft is made. The version must be named.
    """
    found = find_version(session, version)
    old = found.version
    newest = session.versions.latest(found.package.id)
    assert newest is not None
    diff = content_diff(session, newest, old)
    newest_written = write_version(found.package.name, newest.version_number)
    preview(session, f"{newest_written} -> {found.written}", diff)
    difference = Difference.of(newest, old, diff)
    would_change = bool(diff) or force or _is_repeat(session, new_id)
    if dry_run or not would_change:
        result = Done(
            action="restored",
            dry_run=dry_run,
            changed=would_change,
            version=summary_of(old),
            difference=difference,
        )
        report(session, result, found.written, unchanged=f"{newest_written} has that content")
        if not would_change:
            session.output.say("--force makes a draft all the same.")
        return
    copied = session.versions.restore(
        old.id, name=name, change_summary=summary, new_version_id=new_id
    )
    _report_copy(session, "restored", found, found.package, copied, difference)


def _is_repeat(session: Session, new_id: UUID | None) -> bool:
    """Return whether a draft with this id exists, so that the command is a repeat."""
    return new_id is not None and session.versions.find(new_id) is not None


@command(
    "fork",
    result=Done,
    example=(
        "training-versions fork support-bot --into sales-bot",
        "training-versions fork support-bot@2 --into sales-bot --summary 'from support'",
    ),
)
@click.argument("version", metavar="VERSION")
@click.option("--into", required=True, metavar="PACKAGE", help="The package for the draft.")
@_draft_options
@dry_run_option
@pass_session
def fork(
    session: Session,
    version: str,
    into: str,
    name: str | None,
    summary: str | None,
    new_id: UUID | None,
    dry_run: bool,
) -> None:
    """Make a draft in another package with the content of a version.

    The name of a package alone is its latest published version.
    """
    found = find_version(session, version, default="published")
    old = found.version
    target = find_package(session, into)
    if dry_run:
        result = Done(action="forked", dry_run=True, changed=True, version=summary_of(old))
        report(session, result, f"{found.written} into {write_name(target.name)}")
        return
    copied = session.versions.fork(
        old.id, into=target.id, name=name, change_summary=summary, new_version_id=new_id
    )
    _report_copy(session, "forked", found, target, copied, None)


def _report_copy(
    session: Session,
    action: str,
    source: FoundVersion,
    package: Package,
    copied: CopiedDraft,
    difference: Difference | None,
) -> None:
    draft = copied.draft
    result = Done(
        action=action,
        dry_run=False,
        changed=not copied.replayed,
        version=summary_of(draft),
        difference=difference,
    )
    written = write_version(package.name, draft.version_number)
    report(session, result, f"{source.written} as {written}")
    if copied.replayed:
        session.output.say("The draft was there already; nothing was created.")
