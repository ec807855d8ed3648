"""Where the SQL files that ship with the package lie, in a wheel as in a checkout."""

from __future__ import annotations

from pathlib import Path


def migrations_dir() -> Path:
    """The folder with the migrations of this version of the package."""
    return _sql_dir("migrations")


def rollbacks_dir() -> Path:
    """The folder with the scripts that take the migrations back."""
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
