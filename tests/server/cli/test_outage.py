"""A project that goes away in the middle of a command: what is said, and what is left behind."""

from __future__ import annotations

import re

import pytest

from tests.server.sdk.cutter import ALWAYS
from training_versions._sync import transport

MANY = 120
"""Versions of a package that is read and written by several requests."""


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    """The SDK repeats what failed at once, which leaves more time for other tests."""
    monkeypatch.setattr(transport, "sleep", lambda seconds: None)


@pytest.fixture(scope="module")
def large(standing):
    """A package that a command asks for several times."""
    package = standing.package("large")
    for number in range(MANY):
        standing.draft(package, change_summary=f"{number} " + "x" * 9000)
    return package


@pytest.fixture
def through(reader, cutter, monkeypatch):
    """The line that all commands go through."""
    monkeypatch.setenv("SUPABASE_URL", cutter.url)
    return cutter


@pytest.fixture
def last(run, through):
    """Runs a command, and says how many requests it sends."""

    def count(*arguments: object) -> int:
        through.mend()
        through.requests = 0
        assert run(*arguments).status == 0
        return through.requests

    return count


@pytest.mark.parametrize(
    "arguments", [["versions", "large"], ["history", "large"], ["lineage", "large@1"]]
)
def test_what_is_read_ends_with_an_error_and_prints_no_part(
    run, large, through, last, arguments
) -> None:
    for answered in range(last(*arguments)):
        through.cut("dropped", times=ALWAYS, after=answered)

        ran = run(*arguments)

        assert (ran.status, ran.out) == (6, "")
        assert ran.err.startswith(f"error: {through.url} cannot be reached")
        assert "hint: " in ran.err


def test_an_export_leaves_the_file_as_it_was(run, large, through, last, tmp_path) -> None:
    file = tmp_path / "large.jsonl"
    requests = last("export", "large", file)
    whole = file.read_bytes()
    assert requests > 3

    for answered in range(requests):
        through.cut("dropped", times=ALWAYS, after=answered)

        ran = run("export", "large", file, "--yes")

        assert (ran.status, ran.out) == (6, "")
        assert file.read_bytes() == whole
        assert list(tmp_path.glob("*.jsonl*")) == [file]


def test_an_import_says_how_far_it_came_and_goes_on_from_there(
    run, large, through, last, person, monkeypatch, tmp_path
) -> None:
    file = tmp_path / "large.jsonl"
    last("export", "large", file)
    somebody = person()
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", somebody.token)

    said: list[str] = []
    for answered in range(5):
        through.cut("dropped", times=ALWAYS, after=answered)
        ran = run("import", file)
        assert (ran.status, ran.out) == (6, "")
        said.append(ran.err)
    through.mend()
    last_time = run("import", file)

    stopped = [each for each in said if "versions were created before" in each]
    package = somebody.packages.find_by_name("large")
    assert stopped
    assert all("\nhint: Run the same command again: " in each for each in stopped)
    assert package is not None
    assert (last_time.status, package.version_count) == (0, MANY)


CREATING = [
    ["create", "another", "--type", "t"],
    ["draft", "support-bot"],
    ["restore", "support-bot@1"],
    ["fork", "support-bot@1", "--into", "support-bot"],
    ["deploy", "support-bot@1", "local", "--yes"],
    ["cost", "record", "support-bot@1", "5"],
    ["train", "start", "support-bot@1"],
]


@pytest.mark.parametrize("arguments", CREATING, ids=" ".join)
def test_what_may_have_been_created_says_how_to_go_on_without_a_second_one(
    run, ada, bot, cutter, monkeypatch, arguments
) -> None:
    monkeypatch.setenv("SUPABASE_URL", cutter.url)
    cutter.cut("lost", times=ALWAYS, method="POST")

    lost = run(*arguments)
    cutter.mend()
    found = re.search(r"hint: Run the same command again with (--\S+ \S+): ", lost.err)
    assert found is not None, lost.err
    there = (run("packages", "-q").lines, run("history", "-q").lines)
    again = run(*arguments, *found[1].split(), "-q")

    assert (lost.status, again.status) == (6, 0)
    assert "may or may not have happened" in lost.err
    assert (run("packages", "-q").lines, run("history", "-q").lines) == there


ENDING = [
    (["publish", "support-bot@2", "--yes"], "Run the same command again: "),
    (["archive", "support-bot@1", "--yes"], "Run the same command again: "),
    (["edit", "support-bot@2", "--summary", "new"], "Run the same command again: "),
    (["train", "end", "support-bot@1"], "Look first, with `training-versions train runs VERSION`"),
    (["undeploy", "support-bot@1", "--yes"], "Look first, with `training-versions live`"),
]


@pytest.mark.parametrize(("arguments", "hint"), ENDING, ids=str)
def test_what_may_have_been_changed_says_how_to_go_on(
    run, ada, bot, cutter, monkeypatch, arguments, hint
) -> None:
    first = ada.versions.get_by_number(bot.id, 1)
    if arguments[0] != "archive":
        ada.versions.deploy(first.id, "local")
        ada.versions.start_training(first.id)
    monkeypatch.setenv("SUPABASE_URL", cutter.url)
    cutter.cut("lost", times=ALWAYS, method="POST")

    lost = run(*arguments)
    cutter.mend()

    assert lost.status == 6
    assert f"\nhint: {hint}" in lost.err
    if hint.startswith("Run"):
        assert run(*arguments).status == 0
