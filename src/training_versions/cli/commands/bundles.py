"""Export and import bundles: a package with its versions and history in one file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

import click

from training_versions import ExportResult, ImportResult
from training_versions.cli.command import (
    command,
    confirm,
    dry_run_option,
    pass_session,
    yes_option,
)
from training_versions.cli.context import Session
from training_versions.cli.exits import FAILED, USAGE, CommandError, usage
from training_versions.cli.lookup import find_package
from training_versions.cli.names import write_name
from training_versions.cli.output import Cell, Output
from training_versions.cli.progress import Report, progress_bar

STANDARD: Final = "-"
"""The file name that means stdin or stdout."""
_STANDARD_STREAMS: Final = {"read": "stdin", "write": "stdout"}
_NO_SUCH_FILE: Final = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


@command(
    "export",
    result=ExportResult,
    example=(
        "training-versions export support-bot support-bot.jsonl",
        "training-versions export support-bot - | gzip > support-bot.jsonl.gz",
    ),
)
@click.argument("package", metavar="PACKAGE")
@click.argument("file", metavar="FILE")
@yes_option
@pass_session
def export(session: Session, package: str, file: str, yes: bool) -> None:
    """Write a package with its versions and history into a file; `-` is stdout.

    The file shows the whole package or nothing. Deployments, training runs with their curves and
    the entries of costs are not in it.
    """
    output = session.output
    to_stdout = file == STANDARD
    if to_stdout and output.mode != "text":
        raise usage("the package itself goes to stdout, so that nothing else can")
    found = find_package(session, package)
    if not to_stdout and Path(file).is_file():
        confirm(session, f"{file} is there already. Replace it?", yes=yes)
    target = file
    if to_stdout:
        target = sys.stdout.buffer
    with _no_file_errors("write", file), _bar(output, "Exporting") as progress:
        result = session.packages.export(found.id, target, progress=progress)
    if to_stdout:
        sys.stdout.buffer.flush()
        output.say(f"Exported {result.versions} versions and {result.events} events.")
        return
    facts: list[tuple[str, Cell]] = [
        ("package", write_name(found.name)),
        ("versions", result.versions),
        ("events", result.events),
        ("file", file),
    ]
    output.show(result, ids=[result.package_id], text=lambda: output.fields(facts))


@command(
    "import",
    result=ImportResult,
    example=(
        "training-versions import support-bot.jsonl",
        "training-versions import support-bot.jsonl --dry-run",
        "zcat support-bot.jsonl.gz | training-versions import -",
    ),
)
@click.argument("file", metavar="FILE")
@click.option("--into", metavar="PACKAGE", help="If not the package that the file names.")
@click.option(
    "--owner", type=click.UUID, metavar="ID", help="Of a new package; for the service role."
)
@dry_run_option
@pass_session
def import_(
    session: Session, file: str, into: str | None, owner: UUID | None, dry_run: bool
) -> None:
    """Read a package with its versions and history from a file; `-` is stdin.

    The file is read through before anything is written. Importing it again changes nothing.
    """
    output = session.output
    with ExitStack() as stack:
        stack.enter_context(_no_file_errors("read", file))
        # Open the file first: a missing file is wrong use, whatever the package.
        source = stack.enter_context(_opened(file))
        package_id = None
        if into is not None:
            package_id = find_package(session, into).id
        progress = stack.enter_context(_bar(output, "Importing"))
        result = session.packages.import_(
            source,
            package_id=package_id,
            user_id=owner,
            progress=progress,
            dry_run=dry_run,
        )
    facts: list[tuple[str, Cell]] = [
        ("package", write_name(result.package_name)),
        ("package created", result.package_created),
        ("versions created", result.versions_created),
        ("versions present", result.versions_present),
        ("of these different", result.versions_differing or None),
        ("parents missing", result.parents_missing or None),
        ("events added", result.events_added),
        ("id", str(result.package_id)),
    ]
    output.show(result, ids=[result.package_id], text=lambda: output.fields(facts))
    if dry_run:
        output.say("That is what would come of it; nothing was written.")
    if result.parents_missing:
        output.say("Parents in other packages are missing: import those, and then this file again.")


@contextmanager
def _no_file_errors(verb: str, file: str) -> Generator[None, None, None]:
    """Convert errors of a file to command errors of one sentence."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as exc:
        reason = exc.strerror or str(exc)
        where = file
        if file == STANDARD:
            where = _STANDARD_STREAMS[verb]
        status = FAILED
        if isinstance(exc, _NO_SUCH_FILE):
            status = USAGE
        raise CommandError(f"cannot {verb} {where}: {reason}", status=status) from None


@contextmanager
def _opened(file: str) -> Generator[BinaryIO, None, None]:
    """Open a file. Stdin is copied to a temporary file, as it is read twice."""
    if file != STANDARD:
        with open(file, "rb") as opened:
            yield opened
        return
    if sys.stdin.isatty():
        raise usage("stdin is a terminal", hint="Name a file, or send one: import - < FILE.")
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.seek(0)
        yield kept


def _bar(output: Output, what: str) -> AbstractContextManager[Report | None]:
    if output.mode != "text" or output.debug:
        # The lines of --debug would interrupt the progress bar.
        return nullcontext()
    return progress_bar(output.err, what)
