"""Packages: list and create them."""

from __future__ import annotations

from uuid import UUID

import click

from training_versions import Package
from training_versions.cli.command import command, id_option, limit_option, pass_session
from training_versions.cli.context import Session
from training_versions.cli.documents import Document, read_object
from training_versions.cli.names import for_shell, write_name
from training_versions.cli.output import Cell, Column
from training_versions.cli.reports import say_next

_COLUMNS = (
    Column("name", may_wrap=True),
    Column("type", may_wrap=True),
    Column("versions", is_number=True),
    Column("latest published", is_number=True),
    Column("created"),
)


@command(
    "packages",
    result=list[Package],
    example=("training-versions packages", "training-versions packages --text bot --json"),
)
@click.option("--text", metavar="TEXT", help="Only those with this in their name.")
@click.option("--type", "template_type", metavar="TYPE", help="Only those of this type.")
@limit_option
@pass_session
def packages(
    session: Session, text: str | None, template_type: str | None, limit: int | None
) -> None:
    """List packages, newest first.

    `latest published` is the number of that version. Two packages of one name are told apart by
    their ids, which a pipe, `-q` and `--json` show.
    """
    output = session.output
    walk = session.packages.iterate(text=text, template_type=template_type)
    found = output.limited(walk, limit)
    empty = "No packages. A first one: training-versions create NAME --type TYPE"
    if text is not None or template_type is not None:
        empty = "No package is like that."
    # A terminal shows ids only if packages have the same name, as they take much space.
    has_twins = len({package.name for package in found}) < len(found)
    output.show(
        found,
        ids=[package.id for package in found],
        text=lambda: output.table(
            [*_COLUMNS, Column("id", only_piped=not has_twins)],
            [_row(package) for package in found],
            empty=empty,
        ),
    )


def _row(package: Package) -> tuple[Cell, ...]:
    return (
        write_name(package.name),
        package.template_type,
        package.version_count,
        package.latest_published_version or None,
        package.created_at,
        str(package.id),
    )


@command(
    "create",
    result=Package,
    example=(
        "training-versions create support-bot --type lora_finetuning",
        "training-versions create support-bot --type lora --config base.json --if-missing",
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--type", "template_type", required=True, metavar="TYPE", help="Kind of training.")
@click.option("--config", metavar="FILE", help="JSON that a first draft starts from; - is stdin.")
@click.option("--if-missing", is_flag=True, help="Use the package of this name, if there is one.")
@id_option("package_id")
@click.option("--owner", type=click.UUID, metavar="ID", help="Whose it is; for the service role.")
@pass_session
def create(
    session: Session,
    name: str,
    template_type: str,
    config: str | None,
    if_missing: bool,
    package_id: UUID | None,
    owner: UUID | None,
) -> None:
    """Create a package. NAME is taken as it is, quotes and @ included.

    A draft in it: `training-versions draft`. Names need not be unique.
    """
    output = session.output
    content: Document = {}
    if config is not None:
        content = read_object(config)
    if if_missing and package_id is not None:
        raise click.UsageError("--if-missing and --id exclude each other")
    if if_missing:
        package = session.packages.get_or_create(
            name, template_type=template_type, config=content, user_id=owner
        )
    else:
        package = session.packages.create(
            name,
            template_type=template_type,
            config=content,
            package_id=package_id,
            user_id=owner,
        )
    output.show(
        package,
        ids=[package.id],
        text=lambda: output.line(f"package {write_name(package.name)}", is_safe=True),
    )
    name = for_shell(write_name(package.name))
    say_next(session, f"training-versions draft {name}", replayed=package.replayed)
