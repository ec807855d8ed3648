"""The SQL that this release ships: where it is, and how a project's copy of it compares.

Nothing is applied here; `supabase db push` does that. A file that is there already is never
overwritten. Nothing is imported before it is needed: the command line waits for this.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


def copy_migrations(
    folder: Path, *, progress: Callable[[int, int], object] | None = None
) -> dict[str, str]:
    """Copy the migrations that a folder lacks; the folder is created if need be.

    Args:
        folder: Where they are copied to.
        progress: Called after each file with how many are done and how many there are.

    Returns:
        For each file name `"copied"`, `"unchanged"` (the same file is there already) or `"kept"`
        (a different one is there, and was left alone).

    Example:
        >>> copy_migrations(Path("supabase/migrations"))
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcome: dict[str, str] = {}
    for source in _each_file(progress):
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


def _each_file(progress: Callable[[int, int], object] | None) -> Iterator[Path]:
    """Walk through the shipped migrations, and tell how far the walk is."""
    files = sorted(migrations_dir().glob("*.sql"))
    for done, file in enumerate(files, start=1):
        yield file
        if progress is not None:
            progress(done, len(files))


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


def check_migrations(
    folder: Path, *, progress: Callable[[int, int], object] | None = None
) -> dict[str, str]:
    """Compare the migrations that a folder has with those of this release, by their hashes.

    Args:
        folder: Which folder.
        progress: Called after each file with how many are done and how many there are.

    Returns:
        For each file name of this release `"same"`, `"different"` or `"missing"`.

    Example:
        >>> check_migrations(Path("supabase/migrations"))
    """
    states: dict[str, str] = {}
    for source in _each_file(progress):
        there = folder / source.name
        if not there.exists():
            states[source.name] = "missing"
        elif hash_of(there) == hash_of(source):
            states[source.name] = "same"
        else:
            states[source.name] = "different"
    return states


def hash_of(migration: Path) -> str:
    """Return the SHA-256 of a migration, which is the same with other line endings.

    Example:
        >>> hash_of(migrations_dir() / "20261122000090_grants.sql")
    """
    import hashlib

    return hashlib.sha256(_normalize(migration.read_bytes())).hexdigest()


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
