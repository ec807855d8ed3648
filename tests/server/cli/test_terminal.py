"""What people see on a terminal: tables, colours, and lines that fit."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from tests.server.cli.conftest import ANSI, Terminal
from training_versions.cli.index import SUMMARIES

SHOWN = [
    ["packages"],
    ["versions", "support-bot"],
    ["show", "support-bot"],
    ["show", "support-bot@1"],
    ["diff", "support-bot@1", "@2"],
    ["lineage", "support-bot"],
    ["history", "support-bot"],
    ["live"],
    ["publish", "support-bot", "--dry-run"],
    ["archive", "support-bot@1", "--dry-run"],
    ["restore", "support-bot@1", "--dry-run"],
    ["fork", "support-bot", "--into", "support-bot", "--dry-run"],
    ["deploy", "support-bot", "local", "--dry-run"],
    ["undeploy", "support-bot", "--dry-run"],
    ["delete", "support-bot@2", "--dry-run"],
    ["logout"],
]
CHANGING = [
    ["edit", "support-bot", "--summary", "from a terminal"],
    ["draft", "support-bot"],
    ["create", "another", "--type", "t"],
    ["restore", "support-bot@1"],
    ["fork", "support-bot@1", "--into", "another"],
    ["publish", "support-bot@2", "--yes"],
    ["train", "start", "support-bot@2"],
    ["train", "log", "support-bot@2", "loss=0.5", "accuracy=0.87", "--step", "1"],
    ["train", "curve", "support-bot@2"],
    ["train", "end", "support-bot@2", "--status", "failed", "--reason", "no memory"],
    ["train", "runs", "support-bot@2"],
    ["cost", "record", "support-bot@2", "1250.25", "--note", "eight hours"],
    ["cost", "list", "support-bot@2"],
    ["cost", "total", "support-bot"],
    ["deploy", "support-bot@2", "hf_space", "--yes"],
    ["undeploy", "support-bot@2", "--yes"],
    ["archive", "support-bot@1", "--yes"],
    ["delete", "another@1", "--yes"],
]
ELSEWHERE = ["export", "import", "migrations", "doctor", "watch", "login", "local", "demo", "serve"]
"""Commands that other files run on a terminal."""


@pytest.fixture(scope="module")
def deployed_once(standing):
    """The package, with an address and a summary that ask for room."""
    package = standing.packages.find_by_name("support-bot")
    first = standing.versions.get_by_number(package.id, 1)
    standing.versions.deploy(first.id, "hf_space", url="https://ada-support-bot.hf.space")
    draft = standing.versions.latest(package.id)
    summary = "what else was tried in the meantime " * 4
    standing.versions.update_draft(draft.id, change_summary=summary)


@pytest.fixture
def deployed(reader, deployed_once):
    """The same, signed in."""


@pytest.mark.parametrize("arguments", SHOWN, ids=" ".join)
def test_every_command_fits_a_narrow_terminal_and_a_wide_one(terminal, deployed, arguments) -> None:
    for columns in (40, 120):
        _check_that_it_fits(terminal(*arguments, columns=columns), columns)


def test_what_changes_something_fits_as_well(terminal, ada, bot) -> None:
    for arguments in CHANGING:
        _check_that_it_fits(terminal(*arguments, columns=40), 40)


def test_no_command_is_left_out() -> None:
    run = {arguments[0] for arguments in [*SHOWN, *CHANGING]}

    assert run.isdisjoint(ELSEWHERE)
    assert {*run, *ELSEWHERE, "rollback"} == set(SUMMARIES)


def _check_that_it_fits(ran, columns) -> None:
    assert ran.status == 0, ran.out
    shown = ran.plain.replace("\n", "")
    assert shown.isprintable()
    tables = [line for line in ran.plain.split("\n") if not _may_be_longer(line)]
    assert [line for line in tables if cell_len(line) > columns] == []


def _may_be_longer(line: str) -> bool:
    # Sentences and changes are wrapped by the terminal itself, so that they can be copied whole.
    return not line.startswith("  ") or " -> " in line


def test_colours_are_for_terminals_alone(terminal, run, deployed, monkeypatch) -> None:
    coloured = terminal("versions", "support-bot")
    monkeypatch.setenv("NO_COLOR", "1")
    without = terminal("versions", "support-bot")
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    piped = run("versions", "support-bot")

    assert "\x1b[32mpublished\x1b[0m" in coloured.out
    assert "\x1b" not in without.out + piped.out + piped.err
    assert coloured.plain == without.plain


def test_a_diff_is_coloured_and_puts_values_below_long_paths(terminal, deployed) -> None:
    wide = terminal("diff", "support-bot@1", "@2", "--only", "/config_snapshot", columns=80)
    narrow = terminal("diff", "support-bot@1", "@2", "--only", "/change_summary", columns=40)

    assert "\x1b[33m~ /config_snapshot/lora/r  8 -> 16  (+8)\x1b[0m" in wide.out
    assert "~ /change_summary\n    " in narrow.plain


def test_names_that_would_steer_the_terminal_are_shown_as_escapes(terminal, ada) -> None:
    evil = ada.package("\x1b[2J\x9b31m\u202e[red]x[/red]\r\x07")
    version = ada.draft(evil, config={"\x1b]0;x\x07": "\x1b[31m"}, change_summary="\x1b[5m\x08\nx")

    for arguments in (["packages"], ["versions", evil.id], ["show", version.id], ["live"]):
        shown = ANSI.sub("", terminal(*arguments).out.replace("\r\n", "\n"))
        assert shown.replace("\n", "").isprintable()
    assert "[red]x[/red]" in terminal("packages").plain
    assert '"\\u001b]0;x\\u0007": "\\u001b[31m"' in terminal("show", version.id).plain


def test_who_and_when_are_told_as_people_say_it(terminal, run, ada, bot) -> None:
    shown = terminal("history", "support-bot").plain

    assert "you" in shown
    assert "just now" in shown or "seconds ago" in shown
    row = run("versions", "support-bot").lines[0].split("\t")
    assert row[3].endswith("Z")
    assert len(row[4]) == 36


def test_versions_are_a_table_with_a_line_each_at_80_columns(terminal, deployed) -> None:
    for columns in (80, 120):
        shown = terminal("versions", "support-bot", columns=columns).plain
        heading, newest, oldest = shown.splitlines()

        assert heading.split() == ["version", "status", "created", "live", "summary"]
        assert newest.startswith("@2 ")
        assert newest.endswith("…")
        assert oldest.startswith("@1 ")
        assert "hf_space" in oldest


def test_what_has_nothing_to_compare_with_says_so_in_a_sentence(run, ada) -> None:
    ada.draft(ada.package("first"))

    published = run("publish", "first", "--yes")
    deployed = run("deploy", "first", "local", "--yes")
    again = run("deploy", "first", "local", "--yes")

    assert published.err == "first@1, the first one to be published.\n"
    assert deployed.err == "first@1 at local, where nothing is live.\n"
    assert again.err == "first@1 is live at local already, and stays so.\n"
    assert len(run("live", "first", "--all").lines) == 1


def test_a_parent_is_shown_by_its_name(terminal, run, ada, bot) -> None:
    other = ada.package("sales-bot")
    first = ada.versions.get_by_number(bot.id, 1)
    ada.versions.restore(first.id)
    ada.versions.fork(first.id, into=other.id)

    assert re.search(r"^parent +support-bot@1$", terminal("show", "support-bot@3").plain, re.M)
    assert re.search(r"^parent +support-bot@1$", terminal("show", "sales-bot@1").plain, re.M)
    assert f"parent\t{first.id}" in run("show", "support-bot@3").lines


def test_a_difference_of_two_long_values_fits(terminal, ada, bot) -> None:
    draft = ada.versions.latest(bot.id)
    ada.versions.update_draft(draft.id, name="n" * 60 + draft.name, change_summary="m" * 300)

    for columns in (40, 80):
        shown = terminal("diff", "support-bot@1", "@2", columns=columns).plain
        assert max(map(cell_len, shown.splitlines())) <= columns


def test_history_says_that_a_fork_comes_from_another_package(terminal, ada, bot) -> None:
    other = ada.packages.create("other-bot", template_type="lora", config={})
    ada.versions.fork(ada.versions.get_by_number(bot.id, 1).id, into=other.id)

    history = terminal("history", "other-bot", columns=120).plain

    assert "from version 1 of another package" in history


def test_history_and_lineage_are_told_in_words_and_names(terminal, ada, bot) -> None:
    ada.versions.restore(ada.versions.get_by_number(bot.id, 1).id)

    history = terminal("history", "support-bot", "--limit", "1").plain
    lineage = terminal("lineage", "support-bot@3").plain

    assert "from version 1\n" in history
    assert "parent_version_id" not in history
    assert "  support-bot@1  " in lineage
    assert "* support-bot@3  " in lineage


def test_nothing_to_list_says_what_to_do_next(terminal, run, ada) -> None:
    assert "training-versions create" in terminal("packages").plain
    assert run("packages").out == ""

    ada.package("support-bot")
    assert "training-versions draft support-bot" in terminal("versions", "support-bot").plain
    assert "training-versions draft support-bot" in run("show", "support-bot@latest").err
    assert "training-versions draft support-bot" in run("show", "support-bot@3").err


def test_nothing_that_fits_a_filter_is_not_called_nothing(terminal, ada, bot) -> None:
    versions = terminal("versions", "support-bot", "--status", "archived")
    packages = terminal("packages", "--type", "other")

    assert versions.plain == "No version is like that.\n"
    assert packages.plain == "No package is like that.\n"


def test_a_real_terminal_of_forty_columns(ada, bot) -> None:
    command = Terminal("versions", "support-bot", columns=40)

    ran = command.finish()

    assert ran.status == 0
    assert "@2 " in ran.plain
    assert max(map(cell_len, ran.plain.split("\n"))) <= 40


def test_help_of_a_command_with_parts_fits_and_has_examples(terminal) -> None:
    shown = terminal("cost", "--help", columns=40).plain
    parts, _, examples = shown.partition("Examples:")

    assert max(map(cell_len, parts.split("\n"))) <= 40
    assert "..." not in parts.partition("Commands:")[2]
    assert "training-versions cost record" in examples


@pytest.mark.parametrize("name", ["publish", "edit"])
def test_help_is_drawn_on_a_terminal_and_plain_in_a_pipe(terminal, run, name) -> None:
    drawn = terminal(name, "--help", columns=60)
    piped = run(name, "--help")

    assert drawn.status == piped.status == 0
    assert "\x1b[" in drawn.out
    assert "\x1b" not in piped.out
    for shown in (drawn.plain, piped.out):
        assert f"training-versions {name} support-bot" in shown
        assert "--summary" in shown or name != "edit"
