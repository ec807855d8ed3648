"""Create a draft in a package."""

from __future__ import annotations

from uuid import UUID

import click

from training_versions.cli.command import command, id_option, pass_session
from training_versions.cli.context import Session
from training_versions.cli.documents import (
    as_arguments,
    content_options,
    read_content,
)
from training_versions.cli.lookup import find_package, find_version
from training_versions.cli.names import for_shell, write_version
from training_versions.cli.reports import say_next
from training_versions.cli.results import Done, summary_of


@command(
    "draft",
    result=Done,
    example=(
        "training-versions draft support-bot",
        "training-versions draft support-bot --config config.json --dataset data.json",
        "training-versions draft support-bot --parent @latest --summary 'rank 16'",
    ),
)
@click.argument("package", metavar="PACKAGE")
@content_options
@click.option("--parent", metavar="VERSION", help="The version that it comes from.")
@id_option("version_id")
@pass_session
def draft(
    session: Session,
    package: str,
    parent: str | None,
    version_id: UUID | None,
    **options: str | None,
) -> None:
    """Create a draft in a package.

    What is not given starts from the config of the package, and else empty. `restore` and `fork`
    make drafts with the content of another version.
    """
    output = session.output
    # Read the files first: a missing file is wrong use, whatever the package.
    fields = read_content(options)
    found = find_package(session, package)
    fields.setdefault("config_snapshot", found.config_json)
    fields.setdefault("model_snapshot", {})
    fields.setdefault("dataset_snapshot", [])
    if parent is not None:
        fields["parent_version_id"] = find_version(session, parent, beside=found).version.id
    made = session.versions.create_draft(found.id, version_id=version_id, **as_arguments(fields))

    written = write_version(found.name, made.version_number)
    output.show(
        Done(action="created", dry_run=False, changed=not made.replayed, version=summary_of(made)),
        ids=[made.id],
        text=lambda: output.line(f"draft {written}", is_safe=True),
    )
    say_next(session, f"training-versions edit {for_shell(written)}", replayed=made.replayed)
