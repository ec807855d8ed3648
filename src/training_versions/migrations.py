"""The command `training-versions`: copies the shipped SQL to where the Supabase CLI finds it.

It applies nothing; `supabase db push` does. A file that is there already is never overwritten.
Nothing is imported before it is needed: the command starts in about twice the time of Python.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from training_versions._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# With a width, argparse does not import what asks the terminal for it.
_formatter = partial(argparse.HelpFormatter, width=80)


def migrations_dir() -> Path:
    """Return the folder with the migrations that this release ships.

    Example:
        >>> names = [path.name for path in migrations_dir().glob("*.sql")]
    """
    return _sql_dir("migrations")


def rollbacks_dir() -> Path:
    """Return the folder with the scripts that take the migrations back.

    Example:
        >>> names = [path.name for path in rollbacks_dir().glob("*.sql")]
    """
    return _sql_dir("rollbacks")


def _sql_dir(name: str) -> Path:
    from pathlib import Path

    package = Path(__file__).resolve().parent
    in_wheel = package / "_sql" / name
    in_checkout = package.parents[1] / "supabase" / name
    for folder in (in_wheel, in_checkout):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"the installation of training-versions is incomplete: {in_wheel} is missing"
    )


def copy_migrations(folder: Path) -> dict[str, str]:
    """Copy the migrations that a folder lacks; the folder is created if need be.

    Returns:
        For each file name `"copied"`, `"unchanged"` (the same file is there already) or `"kept"`
        (a different one is there, and was left alone).

    Example:
        >>> copy_migrations(Path("supabase/migrations"))
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcome: dict[str, str] = {}
    for source in sorted(migrations_dir().glob("*.sql")):
        content = source.read_bytes()
        target = folder / source.name
        if not target.exists():
            _write_whole(target, content)
            outcome[source.name] = "copied"
        elif _normalize(target.read_bytes()) == _normalize(content):
            outcome[source.name] = "unchanged"
        else:
            outcome[source.name] = "kept"
    return outcome


def _write_whole(target: Path, content: bytes) -> None:
    """Write a file that has its name only when it is complete: a disk may be full."""
    # Not a name that `supabase db push` would take for a migration.
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _normalize(content: bytes) -> bytes:
    # git may have changed the line endings; that is no difference.
    return content.replace(b"\r\n", b"\n")


def newer_migrations(folder: Path, than: str) -> list[str]:
    """Return the names of a project's own migrations that sort after one of ours.

    Example:
        >>> newer_migrations(Path("supabase/migrations"), "20250131000001")
    """
    ours = {file.name for file in migrations_dir().glob("*.sql")}
    names = sorted(file.name for file in folder.glob("*.sql"))
    return [name for name in names if name not in ours and _version(name) > _version(than)]


def _version(name: str) -> str:
    """Return the digits that the name of a migration begins with; empty if it is none."""
    digits = name.partition("_")[0]
    return digits if digits.isdecimal() else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status: 1 if a file could not be copied."""
    options = _parser().parse_args(arguments)
    if options.command == "rollback":
        return _print_rollback()
    return _copy(options.folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="training-versions",
        description="The SQL that training-versions ships.",
        formatter_class=_formatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    migrations = commands.add_parser(
        "migrations",
        help="copy the migrations into a folder, for `supabase db push`",
        formatter_class=_formatter,
    )
    migrations.add_argument(
        "folder",
        nargs="?",
        default="supabase/migrations",
        help="supabase/migrations by default",
    )
    commands.add_parser(
        "rollback",
        help="print the SQL that takes everything back and deletes all version history",
        formatter_class=_formatter,
    )
    return parser


def _print_rollback() -> int:
    for file in sorted(rollbacks_dir().glob("*.sql")):
        sys.stdout.write(file.read_text(encoding="utf-8"))
    return 0


def _copy(name: str) -> int:
    from pathlib import Path

    folder = Path(name)
    try:
        outcome = copy_migrations(folder)
    except OSError as exc:
        print(f"training-versions: cannot write to {folder}: {exc.strerror}", file=sys.stderr)
        return 1
    for file, what in outcome.items():
        print(f"{what:9}  {folder / file}")
    _print_how_to_push(folder, outcome)
    if "kept" in outcome.values():
        print(
            "kept: it differs from the shipped one, which you get once you move it away.",
            file=sys.stderr,
        )
        return 1
    return 0


def _print_how_to_push(folder: Path, outcome: dict[str, str]) -> None:
    # What is new to the project. One that was there is most likely applied already.
    new = [file for file, what in outcome.items() if what == "copied"]
    if not new:
        new = [file for file, what in outcome.items() if what == "unchanged"]
    newer = newer_migrations(folder, new[0]) if new else []
    command = "supabase db push --remote"
    if newer:
        command += " --include-all"
    print("\nNext, with Supabase CLI 3 (before, without --remote; in CI, push with --yes):")
    print(f"  supabase link\n  {command}")
    if newer:
        print(
            f"--include-all, because your {newer[-1]} is newer than\n{new[0]}, "
            "and a push without it\napplies nothing that comes before what is applied already."
        )
