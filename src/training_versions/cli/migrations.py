"""The commands `migrations` and `rollback`, which work without the extra.

Modules are imported only when they are needed, so these commands start in about twice the time of
Python.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial

from training_versions import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from training_versions.cli.progress import Report as Progress
    from training_versions.doctor import Report

_FOLDER = "supabase/migrations"
# Without a width, argparse imports shutil to get that of the terminal.
_formatter = partial(argparse.RawDescriptionHelpFormatter, width=80)

_EPILOG = """\
examples:
  training-versions migrations                 copy what is missing
  training-versions migrations list
  training-versions migrations copy FOLDER
  training-versions migrations check
  SUPABASE_DB_URL=postgresql://… training-versions migrations check
"""


def run(arguments: Sequence[str]) -> int:
    """Run `migrations`, `rollback` or `--version`, and return its exit status."""
    arguments = list(arguments)
    if _leaves_out_part(arguments):
        meant = _meant_by(arguments[1:2])
        if meant:
            return _fail(
                f"migrations has no part {arguments[1]!r}",
                f"Did you mean: training-versions migrations {meant}? A folder of that name: "
                f"training-versions migrations copy {arguments[1]}",
                status=2,
            )
        arguments.insert(1, "copy")
    options = parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        # Flush here, where a full disk is handled, and not when Python exits.
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as exc:
        if exc.filename is None:
            # The error is of stdout and not of a file, for example because the disk is full.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _fail(f"cannot write: {exc.strerror}")
        return _fail(f"cannot use {exc.filename}: {exc.strerror}")


def _leaves_out_part(arguments: Sequence[str]) -> bool:
    """Return whether these are `migrations` without a subcommand, which means `copy`."""
    if arguments[:1] != ["migrations"]:
        return False
    return len(arguments) == 1 or arguments[1] not in (*PARTS, "-h", "--help")


def _meant_by(words: Sequence[str]) -> str | None:
    """Return the subcommand that a word probably means, unless it is a folder."""
    from difflib import get_close_matches

    if not words or os.path.isdir(words[0]):
        return None
    return next(iter(get_close_matches(words[0], PARTS, n=1)), None)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    whole = argparse.ArgumentParser(
        prog="training-versions",
        description="The SQL that training-versions ships.",
        formatter_class=_formatter,
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = whole.add_subparsers(dest="command", required=True)
    migrations = commands.add_parser(
        "migrations",
        help="copy, list or check the migrations",
        description="Copy, list or check the migrations. Without a word: copy.",
        formatter_class=_formatter,
        epilog=_EPILOG,
    )
    parts = migrations.add_subparsers(dest="part", required=True)
    for name, (run_part, summary) in PARTS.items():
        part = parts.add_parser(name, help=summary, description=summary, formatter_class=_formatter)
        form = part.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print JSON")
        form.add_argument("-q", "--quiet", action="store_true", help="print names of files only")
        part.set_defaults(run=run_part, folder=_FOLDER)
        if name != "list":
            part.add_argument("folder", nargs="?", default=_FOLDER, help=f"{_FOLDER} by default")
    rollback = commands.add_parser(
        "rollback",
        help="print the SQL that takes everything back and deletes all version history",
        formatter_class=_formatter,
    )
    rollback.set_defaults(run=_print_rollback, folder="")
    return whole


#
# list
#


def _list(options: argparse.Namespace) -> int:
    from training_versions.migrations import hash_of, migrations_dir

    rows = [
        {"file": path.name, "version": path.name.partition("_")[0], "sha256": hash_of(path)}
        for path in sorted(migrations_dir().glob("*.sql"))
    ]
    _print_rows(options, rows, ("file", "sha256"))
    return 0


#
# copy
#


def _copy(options: argparse.Namespace) -> int:
    from pathlib import Path

    from training_versions.migrations import copy_migrations

    folder = Path(options.folder)
    try:
        with _bar(options, "Copying") as progress:
            outcome = copy_migrations(folder, progress=progress)
    except OSError as exc:
        return _fail(f"cannot write to {folder}: {exc.strerror}")
    if options.json or options.quiet:
        rows = [{"file": file, "outcome": what} for file, what in outcome.items()]
        _print_rows(options, rows, ("outcome", "file"))
    else:
        for file, what in outcome.items():
            _print(f"{what:9}  {folder / file}")
        _print_how_to_push(folder, outcome)
    if "kept" in outcome.values():
        sys.stdout.flush()
        sys.stderr.write(
            "kept: it differs from the shipped one, which you get once you move it away.\n"
        )
        return 1
    return 0


def _print_how_to_push(folder: Path, outcome: Mapping[str, str]) -> None:
    from training_versions.migrations import newer_migrations

    # The files that are new to the project. Those that were there are probably applied already.
    new = [file for file, what in outcome.items() if what == "copied"]
    if not new:
        new = [file for file, what in outcome.items() if what == "unchanged"]
    newer: list[str] = []
    if new:
        newer = newer_migrations(folder, new[0])
    command = "supabase db push --remote"
    if newer:
        command += " --include-all"
    _print()
    _print("Next, with Supabase CLI 3 (before, without --remote; in CI, push with --yes):")
    _print("  supabase link")
    _print(f"  {command}")
    if newer:
        _print(f"--include-all, because your {newer[-1]} is newer than")
        _print(f"{new[0]}, and a push without it")
        _print("applies nothing that comes before what is applied already.")


#
# check
#


def _check(options: argparse.Namespace) -> int:
    from pathlib import Path

    from training_versions.migrations import check_migrations

    with _bar(options, "Checking") as progress:
        in_folder = check_migrations(Path(options.folder), progress=progress)
    db_url = os.environ.get("SUPABASE_DB_URL")
    in_database: dict[str, str] = {}
    if db_url:
        from training_versions.doctor import examine
        from training_versions.errors import InvalidInputError

        try:
            with _bar(options, "Asking the database"):
                report = examine(db_url=db_url)
        except InvalidInputError as exc:
            return _fail(exc.message, exc.hint, status=2)
        if "migrations" not in report.done:
            # The database could not be read. The first finding has the reason.
            return _fail(report.findings[0].what, status=6)
        in_database = _states_in_database(report, in_folder)
    rows = [
        {"file": file, "folder": state, "database": in_database.get(file)}
        for file, state in in_folder.items()
    ]
    _print_rows(options, rows, ("file", "folder", "database"))
    sys.stdout.flush()
    wrong = [file for file, state in in_database.items() if state != "applied"]
    wrong += [file for file, state in in_folder.items() if state == "different"]
    if db_url is None:
        _note("The database was not asked: set SUPABASE_DB_URL, as no key may read its history.")
        wrong += [file for file, state in in_folder.items() if state == "missing"]
    if wrong:
        _note(f"Not as shipped: {', '.join(sorted({*wrong}))}")
        return 1
    return 0


def _states_in_database(report: Report, files: Iterable[str]) -> dict[str, str]:
    """Return the state of each migration in the database, according to the doctor."""
    states = dict.fromkeys(files, "applied")
    first = min(states)
    for finding in report.findings:
        file = finding.object.removeprefix("migration ")
        if finding.id == "migrations-not-applied":
            states = dict.fromkeys(states, "missing")
        elif finding.id == "first-release-only":
            states = {name: "applied" if name == first else "missing" for name in states}
        elif finding.id == "migration-history-missing":
            # The objects exist, but the history does not tell which files created them.
            states = dict.fromkeys(states, "unrecorded")
        elif finding.id == "migration-missing":
            states[file] = "missing"
        elif finding.id == "migration-changed":
            states[file] = "changed"
    return states


#
# rollback
#


def _print_rollback(options: argparse.Namespace) -> int:
    from training_versions.migrations import rollbacks_dir

    for file in sorted(rollbacks_dir().glob("*.sql")):
        sys.stdout.write(file.read_text(encoding="utf-8"))
    sys.stdout.flush()
    return 0


PARTS = {
    "list": (_list, "the migrations of this release, with their hashes"),
    "copy": (_copy, "copy what a folder lacks, for `supabase db push`"),
    "check": (_check, "compare them with a folder, and with the database of SUPABASE_DB_URL"),
}


#
# Printing
#


def _print_rows(
    options: argparse.Namespace,
    rows: Sequence[Mapping[str, str | None]],
    columns: Sequence[str],
) -> None:
    """Print rows as JSON, as file names, as columns on a terminal, or tab-separated in a pipe."""
    if options.json:
        import json

        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    if options.quiet:
        columns = ("file",)
    cells = [[row[column] or "" for column in columns] for row in rows]
    if not sys.stdout.isatty() or options.quiet:
        for row in cells:
            _print("\t".join(row))
        return
    _print_aligned(cells)


def _bar(options: argparse.Namespace, what: str) -> AbstractContextManager[Progress | None]:
    from contextlib import nullcontext

    from training_versions.cli.progress import progress_bar

    if options.json or options.quiet:
        return nullcontext()
    return progress_bar(sys.stderr, what)


def _print_aligned(rows: Sequence[Sequence[str]]) -> None:
    """Print columns, or on a narrow terminal each name with its values on the line below."""
    from training_versions.cli.index import terminal_columns

    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    is_narrow = sum(widths) + 2 * (len(widths) - 1) > terminal_columns()
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if is_narrow:
            _print(row[0])
            _print(f"  {'  '.join(cells[1:])}".rstrip())
        else:
            _print("  ".join(cells).rstrip())


def _print(text: str = "") -> None:
    """Print a line to stdout."""
    from training_versions.cli.text import printable

    # The tabs separate columns. A tab in a file name is escaped.
    sys.stdout.write("\t".join(map(printable, text.split("\t"))) + "\n")


def _note(text: str) -> None:
    """Print a line to stderr."""
    from training_versions.cli.text import printable

    sys.stderr.write(f"{printable(text)}\n")


def _fail(message: str, hint: str | None = None, *, status: int = 1) -> int:
    from training_versions.cli.shell_words import in_shell_words

    sys.stdout.flush()
    _note(f"error: {in_shell_words(message).rstrip('.')}")
    if hint:
        _note(f"hint: {in_shell_words(hint)}")
    return status
