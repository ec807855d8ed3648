"""The command `training-versions`: copies the shipped SQL to where the Supabase CLI finds it.

It applies nothing; `supabase db push` does. A file that is there already is never overwritten.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status: 1 if a file could not be copied."""
    options = _parser().parse_args(arguments)
    if options.command == "rollback":
        return _print_rollback()
    return _copy(options.folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="training-versions", description="The SQL that training-versions ships."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    migrations = commands.add_parser(
        "migrations", help="copy the migrations into a folder, for `supabase db push`"
    )
    migrations.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("supabase/migrations"),
        help="supabase/migrations by default",
    )
    commands.add_parser(
        "rollback", help="print the SQL that takes everything back and deletes all version history"
    )
    return parser


def _print_rollback() -> int:
    for file in sorted(rollbacks_dir().glob("*.sql")):
        sys.stdout.write(file.read_text(encoding="utf-8"))
    return 0


def _copy(folder: Path) -> int:
    try:
        outcome = copy_migrations(folder)
    except OSError as exc:
        print(f"training-versions: cannot write to {folder}: {exc.strerror}", file=sys.stderr)
        return 1
    for name, what in outcome.items():
        print(f"{what:9}  {folder / name}")
    if "kept" in outcome.values():
        print(
            "kept: it differs from the shipped one, which you get once you move it away.",
            file=sys.stderr,
        )
        return 1
    if "copied" in outcome.values():
        print(
            "Next: supabase link, then supabase db push --remote "
            "(before Supabase CLI 3 without --remote)"
        )
    return 0
