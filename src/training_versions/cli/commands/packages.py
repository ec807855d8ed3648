"""Packages: list and create them."""

from __future__ import annotations

import click

from training_versions import Package
from training_versions.cli.command import command, pass_session
from training_versions.cli.context import Session
from training_versions.cli.names import write_name
from training_versions.cli.output import Column


@command(
    "packages",
    result=list[Package],
    example=("training-versions packages", "training-versions packages --text bot --json"),
)
@click.option("--text", metavar="TEXT", help="Only those with this in their name.")
@click.option("--type", "template_type", metavar="TYPE", help="Only those of this type.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many.")
@pass_session
def packages(
    session: Session, text: str | None, template_type: str | None, limit: int | None
) -> None:
    """List packages, newest first."""
    found: list[Package] = []
    for package in session.packages.iterate(text=text, template_type=template_type):
        if limit is not None and len(found) == limit:
            session.output.note(
                f"The newest {limit}; there are more, which a higher --limit shows."
            )
            break
        found.append(package)

    columns = [
        Column("name", may_wrap=True),
        Column("type", may_wrap=True),
        Column("versions", is_number=True),
        Column("published", is_number=True),
        Column("created"),
        Column("id", only_piped=True),
    ]
    rows = [
        (
            write_name(package.name),
            package.template_type,
            package.version_count,
            package.latest_published_version or None,
            package.created_at,
            str(package.id),
        )
        for package in found
    ]
    session.output.show(
        found,
        ids=[package.id for package in found],
        text=lambda: session.output.table(
            columns, rows, empty="No packages yet: training-versions create NAME --type TYPE"
        ),
    )
