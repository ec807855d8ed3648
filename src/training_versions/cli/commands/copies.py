"""Copies: drafts with the content of another version."""

from __future__ import annotations

from uuid import UUID

import click

from training_versions import CopiedDraft, VersionSummary
from training_versions.cli.command import command, dry_run_option, pass_session
from training_versions.cli.context import Session
from training_versions.cli.diffs import content_diff, preview
from training_versions.cli.lookup import find_package, find_version
from training_versions.cli.names import write_version
from training_versions.cli.results import Difference, Done, summary_of


@command(
    "restore",
    result=Done,
    example=(
        "training-versions restore support-bot@1",
        "training-versions restore support-bot@2026-05-03 --dry-run",
    ),
)
@click.argument("version", metavar="VERSION")
@click.option("--name", metavar="NAME", help="The name of the draft.")
@click.option("--summary", metavar="TEXT", help="What is new; says by default what was restored.")
@click.option(
    "--id", "new_id", type=click.UUID, metavar="ID", help="The draft's id; repeats then do nothing."
)
@dry_run_option
@pass_session
def restore(
    session: Session,
    version: str,
    name: str | None,
    summary: str | None,
    new_id: UUID | None,
    dry_run: bool,
) -> None:
    """Make a draft with the content of an old version, which itself stays as it is.

    Shows what changes back, compared with the newest version. The version must be named.
    """
    found = find_version(session, version)
    old = found.version
    newest = session.versions.latest(found.package.id)
    assert newest is not None
    diff = content_diff(session, newest, old)
    newest_written = write_version(found.package.name, newest.version_number)
    preview(session, f"{newest_written} -> {found.written}:", diff)
    difference = Difference.of(newest, old, diff)
    if dry_run:
        _report(session, "restored", found.written, None, old, difference)
        return
    copied = session.versions.restore(
        old.id, name=name, change_summary=summary, new_version_id=new_id
    )
    written = write_version(found.package.name, copied.draft.version_number)
    _report(session, "restored", f"{found.written} as {written}", copied, old, difference)


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
@click.option("--name", metavar="NAME", help="The name of the draft.")
@click.option("--summary", metavar="TEXT", help="What is new; says by default what was forked.")
@click.option(
    "--id", "new_id", type=click.UUID, metavar="ID", help="The draft's id; repeats then do nothing."
)
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
        _report(session, "forked", found.written, None, old, None)
        return
    copied = session.versions.fork(
        old.id, into=target.id, name=name, change_summary=summary, new_version_id=new_id
    )
    written = write_version(target.name, copied.draft.version_number)
    _report(session, "forked", f"{found.written} as {written}", copied, old, None)


def _report(
    session: Session,
    action: str,
    written: str,
    copied: CopiedDraft | None,
    old: VersionSummary,
    difference: Difference | None,
) -> None:
    output = session.output
    text = f"{action} {written}"
    shown = old
    is_repeat = copied is not None and copied.replayed
    if copied is None:
        text = f"would be {action}: {written}"
    else:
        shown = copied.draft
    result = Done(
        action=action,
        dry_run=copied is None,
        changed=not is_repeat,
        version=summary_of(shown),
        difference=difference,
    )
    output.show(result, ids=[shown.id], text=lambda: output.line(text, is_safe=True))
    if is_repeat:
        output.say("The draft was there already; nothing was created.")
