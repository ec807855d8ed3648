"""The embedded stack in the foreground: a Supabase project on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import BaseModel

from training_versions.cli.command import command, pass_session
from training_versions.cli.context import Session
from training_versions.cli.exits import INTERRUPTED
from training_versions.cli.foreground import ending_on_sigterm, local_stack, wait_for_a_signal

if TYPE_CHECKING:
    from training_versions.local import LocalSupabase


class LocalProject(BaseModel):
    """What `local --json` prints once the project answers."""

    url: str
    publishable_key: str
    secret_key: str
    db_url: str
    data_dir: str | None


@command(
    "local",
    result=LocalProject,
    example=("training-versions local", "training-versions local --data-dir my-project"),
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep data, users and keys there, and find them again.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="A free one by default."
)
@click.option("--empty", is_flag=True, help="Apply no migrations.")
@pass_session
def local(session: Session, data_dir: Path | None, port: int, empty: bool) -> int:
    """Run a Supabase project on this machine, until ctrl-C.

    It is for development and trying things out. Without --data-dir, everything in it is thrown
    away at the end.
    """
    options: dict[str, object] = {"data_dir": data_dir, "port": port}
    if empty:
        options["migrations"] = None
    output = session.output
    try:
        with ending_on_sigterm(), local_stack(**options) as stack:
            project = _describe(stack, data_dir)
            output.show(project, ids=[stack.url], text=lambda: _print(session, project))
            output.say("It runs until you press ctrl-C.")
            output.flush()
            wait_for_a_signal()
    except KeyboardInterrupt:
        output.say()
        output.say("Stopped.")
    return INTERRUPTED


def _describe(stack: LocalSupabase, data_dir: Path | None) -> LocalProject:
    return LocalProject(
        url=stack.url,
        publishable_key=stack.publishable_key,
        secret_key=stack.secret_key,
        db_url=stack.db_url,
        data_dir=None if data_dir is None else str(data_dir.absolute()),
    )


def _print(session: Session, project: LocalProject) -> None:
    output = session.output
    facts = project.model_dump()
    if not output.is_terminal:
        output.fields(facts.items())
        return
    for name, value in facts.items():
        if value is not None:
            # Not in a table, which would wrap a key: keys must be easy to copy.
            output.line(f"{name:16} {value}")
