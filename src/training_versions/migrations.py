"""The command ``training-versions``: copies the shipped SQL to where the Supabase CLI finds it.

It applies nothing; ``supabase db push`` does. A file that is there already is never overwritten.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from training_versions._packaged import migrations_dir, rollbacks_dir


def copy_migrations(folder: Path) -> dict[str, str]:
    """Copy the migrations that are missing in a folder, which is made if need be.

    Returns:
        What was found for each file name: ``"copied"``, ``"unchanged"`` (the same is there already) or ``"kept"``
        (a different one is there, and was left alone).

    Example:
        >>> copy_migrations(Path("supabase/migrations"))
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcome: dict[str, str] = {}
    for source in sorted(migrations_dir().glob("*.sql")):
        content = source.read_bytes()
        try:
            with (folder / source.name).open("xb") as file:
                file.write(content)
            outcome[source.name] = "copied"
        except FileExistsError:
            # git may have turned line ends around; that is no change
            there = (folder / source.name).read_bytes().replace(b"\r\n", b"\n")
            outcome[source.name] = (
                "unchanged" if there == content.replace(b"\r\n", b"\n") else "kept"
            )
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 1 if a different file was in the way."""
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
    options = parser.parse_args(arguments)

    if options.command == "rollback":
        for file in sorted(rollbacks_dir().glob("*.sql")):
            sys.stdout.write(file.read_text(encoding="utf-8"))
        return 0

    try:
        outcome = copy_migrations(options.folder)
    except OSError as exc:
        print(
            f"training-versions: cannot write to {options.folder}: {exc.strerror}", file=sys.stderr
        )
        return 1
    for name, what in outcome.items():
        print(f"{what:9}  {options.folder / name}")
    if "kept" in outcome.values():
        print(
            "kept: it differs from the shipped one, which you get once you move it away.",
            file=sys.stderr,
        )
        return 1
    if "copied" in outcome.values():
        print(
            "Next: supabase link, then supabase db push --remote (before Supabase CLI 3 without --remote)"
        )
    return 0
