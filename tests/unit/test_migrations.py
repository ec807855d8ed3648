"""The command `training-versions`: what it says to do next, and that it starts quickly.

What the Supabase CLI makes of it is in `tests/server/schema/test_push.py`.
"""

import ast
import json
import os
import pty
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import training_versions
from training_versions.cli import main
from training_versions.migrations import (
    check_migrations,
    copy_migrations,
    hash_of,
    migrations_dir,
)

OURS = sorted(file.name for file in migrations_dir().glob("*.sql"))
PLAIN = "\n  supabase link\n  supabase db push --remote\n"
FIRST_OF_ALL = "\n  supabase link\n  supabase db push --remote --include-all\n"

# Migrations that a project has of its own, and the push that it needs.
PROJECTS: dict[str, tuple[list[str], str]] = {
    "nothing": ([], PLAIN),
    "older ones": (["20240101000000_app.sql", "20250131000000_app.sql"], PLAIN),
    "a newer one": (["20240101000000_app.sql", "20250131000002_app.sql"], FIRST_OF_ALL),
    "one newer than all of ours": (["99990101000000_app.sql"], FIRST_OF_ALL),
    "files that are no migrations": (["notes.sql", "2099.txt", "seed_2099.sql", "_x.sql"], PLAIN),
}


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize("times", [1, 2])
def test_the_command_prints_the_push_that_the_project_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], project: str, times: int
) -> None:
    files, push = PROJECTS[project]
    for name in files:
        (tmp_path / name).touch()

    for _ in range(times):
        capsys.readouterr()
        assert main(["migrations", str(tmp_path)]) == 0

    said = capsys.readouterr().out
    assert push in said
    assert "in CI, push with --yes" in said
    if push == FIRST_OF_ALL:
        assert f"your {files[-1]} is newer than\n{OURS[0]}" in said


def test_a_project_of_the_first_release_needs_a_plain_push(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / OURS[0]).write_text("-- as it was released\n")
    (tmp_path / "20250214120000_app.sql").touch()

    assert main(["migrations", str(tmp_path)]) == 1

    said = capsys.readouterr()
    assert PLAIN in said.out
    assert said.err.startswith("kept: it differs")


def test_a_project_that_gets_a_later_migration_is_told_of_what_is_newer_than_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_migrations(tmp_path)
    (tmp_path / OURS[-1]).unlink()
    (tmp_path / "20250214120000_app.sql").touch()

    assert main(["migrations", str(tmp_path)]) == 0
    assert PLAIN in capsys.readouterr().out

    (tmp_path / OURS[-1]).unlink()
    (tmp_path / "99990101000000_app.sql").touch()

    assert main(["migrations", str(tmp_path)]) == 0
    assert FIRST_OF_ALL in capsys.readouterr().out


def test_the_migrations_are_listed_with_their_hashes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrations", "list"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert main(["migrations", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert main(["migrations", "list", "-q"]) == 0

    assert capsys.readouterr().out.splitlines() == OURS
    assert rows == [[file, hash_of(migrations_dir() / file)] for file in OURS]
    assert [(row["file"], row["sha256"]) for row in listed] == [tuple(row) for row in rows]
    assert {row["version"] for row in listed} == {file[:14] for file in OURS}


def test_copy_is_what_a_folder_alone_means_even_if_it_is_called_like_a_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrations", "copy", str(tmp_path / "list"), "--json"]) == 0

    copied = json.loads(capsys.readouterr().out)
    assert copied == [{"file": file, "outcome": "copied"} for file in OURS]
    assert main(["migrations", str(tmp_path / "list"), "-q"]) == 0
    assert capsys.readouterr().out.splitlines() == OURS


def test_a_folder_is_checked_by_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy_migrations(tmp_path)
    assert main(["migrations", "check", str(tmp_path)]) == 0
    first, second, third, *_ = OURS
    with_other_ends = (tmp_path / first).read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / first).write_bytes(with_other_ends)
    (tmp_path / second).write_text("select 1;")
    (tmp_path / third).unlink()
    capsys.readouterr()

    assert main(["migrations", "check", str(tmp_path), "--json"]) == 1

    said = capsys.readouterr()
    states = {row["file"]: row["folder"] for row in json.loads(said.out)}
    assert (states[first], states[second], states[third]) == ("same", "different", "missing")
    assert {row["database"] for row in json.loads(said.out)} == {None}
    assert f"Not as shipped: {second}, {third}" in said.err
    assert states == check_migrations(tmp_path)


def test_a_file_in_place_of_the_folder_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    assert main(["migrations", str(tmp_path / "file")]) == 1

    assert f"cannot write to {tmp_path / 'file'}: " in capsys.readouterr().err


def test_the_command_says_which_version_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"training-versions {training_versions.__version__}\n"
    assert training_versions.__version__ == version("training-versions")


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_command_starts_without_what_it_does_not_need(argument: str) -> None:
    code = f"""
import sys
from training_versions.cli import main
try:
    main([{argument!r}])
finally:
    print([*sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in ast.literal_eval(done.stderr)}
    # Each of the last four would take a tenth to a half of the time in which Python starts.
    assert not loaded & {
        *("supabase", "postgrest", "pydantic", "httpx"),
        *("typing", "pathlib", "shutil", "email"),
    }


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(("part", "what"), [("copy", "Copying"), ("check", "Checking")])
def test_a_terminal_sees_a_bar_without_the_extra_and_a_pipe_none(
    tmp_path: Path, part: str, what: str, columns: int
) -> None:
    code = f"""
import sys
sys.modules.update(dict.fromkeys(["click", "rich", "rich_click"]))
from training_versions.cli import main
main(["migrations", {part!r}, {str(tmp_path)!r}])
"""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns)}
    command = [sys.executable, "-c", code]
    piped = subprocess.run(command, capture_output=True, check=True, env=environment)
    subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, env=environment)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)

    pictures = shown.partition("The database")[0].split("\r")
    assert what not in piped.stdout.decode() + piped.stderr.decode()
    assert f"{what}..." in pictures
    assert re.fullmatch(rf"{what} #+ {len(OURS)}/{len(OURS)}", pictures[-3])
    assert max(map(len, pictures)) < columns
    # Wiped out in the end.
    assert pictures[-2:] == [" " * len(pictures[-3]), ""]


def test_a_narrow_terminal_has_what_belongs_to_a_file_below_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    shown: dict[str, list[str]] = {}
    for columns in ("80", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        assert main(["migrations", "list"]) == 0
        shown[columns] = capsys.readouterr().out.splitlines()

    hashes = [hash_of(migrations_dir() / file) for file in OURS]
    assert shown["80"][::2] == OURS
    assert shown["80"][1::2] == [f"  {each}" for each in hashes]
    assert [line.split() for line in shown["120"]] == [
        list(pair) for pair in zip(OURS, hashes, strict=True)
    ]
