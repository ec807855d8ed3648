"""`export` and `import`: files and streams, and what goes wrong with them."""

from __future__ import annotations

import pytest


def test_a_package_goes_through_a_file_to_somebody_else(
    run, validated, ada, bot, person, monkeypatch, tmp_path
) -> None:
    file = tmp_path / "bot.jsonl"

    exported = validated("export", "support-bot", file)
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", person().token)
    imported = validated("import", file)
    again = validated("import", file)

    assert exported["versions"] == imported["versions_created"] == 2
    assert (again["versions_created"], again["versions_present"]) == (0, 2)
    assert [line.split("\t")[0] for line in run("packages").lines] == ["support-bot"]


def test_a_dry_run_says_what_would_come_of_it_and_writes_nothing(
    run, validated, bot, person, monkeypatch, tmp_path
) -> None:
    file = tmp_path / "bot.jsonl"
    run("export", "support-bot", file)
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", person().token)

    said = run("import", file, "--dry-run")
    would = validated("import", file, "--dry-run")

    assert run("packages").out == ""
    assert "package created\tyes" in said.lines
    assert "nothing was written" in said.err
    assert would == validated("import", file)
    assert validated("import", file, "--dry-run")["versions_present"] == 2


def test_a_package_goes_through_pipes(run, validated, bot, person, monkeypatch) -> None:
    whole = run("export", "support-bot", "-")
    assert whole.lines[-1].startswith('{"footer":')
    assert "Exported 2 versions" in whole.err

    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", person().token)
    imported = run("import", "-", "-q", stdin=whole.out)

    assert imported.status == 0
    assert run("show", imported.out.strip(), "-q").out == imported.out


def test_a_file_that_is_there_is_not_replaced_without_being_asked(run, bot, tmp_path) -> None:
    file = tmp_path / "bot.jsonl"
    file.write_text("mine")

    refused = run("export", "support-bot", file)

    assert refused.status == 2
    assert "--yes" in refused.err
    assert file.read_text() == "mine"
    assert run("export", "support-bot", file, "--yes").status == 0
    assert file.read_text().startswith('{"header"')


def test_a_terminal_is_asked_and_sees_progress(terminal, bot, tmp_path) -> None:
    file = tmp_path / "bot.jsonl"
    file.write_text("mine")

    kept = terminal("export", "support-bot", file, typed="n\n")
    replaced = terminal("export", "support-bot", file, typed="y\n")

    assert kept.status != 0
    assert "Replace it?" in kept.plain
    assert replaced.status == 0
    assert "Exporting ####" in replaced.plain
    assert "Importing ####" in terminal("import", file).plain
    assert "####" not in terminal("import", file, "--json").plain


def test_no_progress_is_drawn_off_a_terminal(run, bot, tmp_path) -> None:
    file = tmp_path / "bot.jsonl"

    said = [run("export", "support-bot", file), run("import", file), run("migrations", "check")]

    assert [ran.status for ran in said] == [0, 0, 0]
    assert "\r" not in "".join(ran.out + ran.err for ran in said)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["export", "support-bot", "-", "--json"], 2, "goes to stdout"),
        (["export", "support-bot", "no/such/folder"], 2, "cannot write no/such/folder"),
        (["export", "nobody", "x"], 3, "there is no package nobody"),
        (["export", "support-bot@1", "x"], 2, "names a version"),
        (["import", "no-such-file"], 2, "cannot read no-such-file"),
        (["import", "."], 2, "cannot read ."),
        (["import", "-"], 2, "the file is cut off"),
        (["import", "broken"], 2, "not a line of a bundle"),
        (["import", "broken", "--into", "nobody"], 3, "there is no package nobody"),
    ],
)
def test_what_cannot_be_done_is_said(
    run, bot, tmp_path, monkeypatch, arguments: list[str], status: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").write_text("{}\n")

    refused = run(*arguments)

    assert refused.status == status, refused.err
    assert said in refused.err
    assert refused.out == ""
    assert [path.name for path in tmp_path.iterdir() if path.name != "stdin"] == ["broken"]


def test_parents_that_are_missing_are_said(run, ada, bot, person, monkeypatch, tmp_path) -> None:
    other = ada.package("sales-bot")
    ada.versions.fork(ada.versions.get_by_number(bot.id, 1).id, into=other.id)
    run("export", "sales-bot", tmp_path / "sales.jsonl")

    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", person().token)
    imported = run("import", tmp_path / "sales.jsonl")

    assert "parents missing\t1" in imported.lines
    assert "import those, and then this file again" in imported.err
