"""Every command through a pipe: what it does, and what it prints as text, as ids and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from training_versions import NotFoundError


def test_packages_are_listed_in_all_three_forms(run, validated, ada) -> None:
    first, second = ada.package("support-bot"), ada.package("sales-bot", template_type="dpo")

    assert [line.split("\t")[0] for line in run("packages").lines] == ["sales-bot", "support-bot"]
    assert run("packages", "-q").lines == [str(second.id), str(first.id)]
    assert [each["name"] for each in validated("packages")] == ["sales-bot", "support-bot"]
    assert run("packages", "--text", "sales", "-q").lines == [str(second.id)]
    assert run("packages", "--type", "dpo", "-q").lines == [str(second.id)]


def test_a_list_that_is_cut_says_so(run, ada) -> None:
    for name in ("a", "b", "c"):
        ada.package(name)

    cut, whole = run("packages", "--limit", 2, "-q"), run("packages", "--limit", 3, "-q")

    assert (len(cut.lines), len(whole.lines)) == (2, 3)
    assert "there are more" in cut.err
    assert whole.err == ""


def test_create_makes_a_package_from_a_file_or_stdin(run, validated, ada, tmp_path) -> None:
    (tmp_path / "base.json").write_text('{"r": 32}')

    made = run("create", "support-bot", "--type", "lora", "--config", tmp_path / "base.json")

    assert made.out == "package support-bot\n"
    package = ada.packages.find_by_name("support-bot")
    assert package.config_json == {"r": 32}
    assert validated("create", "support-bot", "--type", "lora", "--if-missing")["id"] == str(
        package.id
    )
    piped = run("create", "b", "--type", "t", "--config", "-", "-q", stdin='{"r": 1.0}')
    assert ada.packages.get(piped.out.strip()).config_json == {"r": 1.0}


def test_versions_are_listed_and_filtered(run, validated, ada, bot) -> None:
    newest_first = [each["version_number"] for each in validated("versions", "support-bot")]

    assert newest_first == [2, 1]
    row = run("versions", "support-bot").lines[0].split("\t")
    assert row[:3] == ["support-bot@2", "draft", ada.versions.latest(bot.id).name]
    assert "1250.50" in row
    assert len(run("versions", "support-bot", "--status", "published", "-q").lines) == 1
    assert run("versions", "support-bot", "--text", "rank 16", "-q").lines == [
        str(ada.versions.latest(bot.id).id)
    ]
    assert run("versions", bot.id, "--oldest").lines[0].startswith("support-bot@1\t")


def test_show_tells_all_of_a_package_and_of_a_version(run, validated, ada, bot) -> None:
    facts = dict(line.split("\t") for line in run("show", "support-bot@2").lines)

    assert facts["version"] == "support-bot@2"
    assert json.loads(facts["config_snapshot"]) == {"lora": {"r": 16}}
    assert facts["budget"] == "1250.50"
    assert validated("show", "support-bot@1")["config_snapshot"] == {"lora": {"r": 8}}
    assert validated("show", "support-bot")["config_json"] == {"r": 8}
    assert run("show", "support-bot", "-q").out == f"{bot.id}\n"


def test_diff_compares_two_versions_or_one_with_the_one_before(run, validated, bot) -> None:
    path = "~ /config_snapshot/lora/r  8 -> 16  (+8)"

    assert run("diff", "support-bot", "--only", "/config_snapshot").lines == [path]
    assert run("diff", "support-bot@1", "@2", "--only", "/config_snapshot").lines == [path]
    whole = validated("diff", "support-bot@1", "support-bot@2")
    assert (whole["left"]["version_number"], whole["right"]["version_number"]) == (1, 2)
    assert {"op": "replace", "path": "/config_snapshot/lora/r", "value": 16} in whole["patch"]
    assert json.loads(run("diff", "support-bot", "--patch").out) == whole["patch"]
    assert run("diff", "support-bot@2", "@2").lines == ["no differences"]
    assert run("diff", "support-bot@1").status == 2


def test_the_version_before_is_the_next_that_is_left(run, ada, bot) -> None:
    ada.versions.delete_draft(ada.versions.latest(bot.id).id)
    ada.draft(bot, 32)

    assert run("diff", "support-bot", "--only", "/config_snapshot").lines == [
        "~ /config_snapshot/lora/r  8 -> 32  (+24)"
    ]


def test_a_long_value_is_whole_in_a_pipe(run, ada, bot) -> None:
    ada.draft(bot, 8, change_summary="x" * 5000)

    assert "x" * 5000 in run("diff", "support-bot@2", "@3").out
    assert "x" * 5000 in run("versions", "support-bot").out


def test_a_draft_starts_from_the_package_and_takes_files(run, validated, ada, tmp_path) -> None:
    package = ada.package("support-bot", config={"r": 8})
    (tmp_path / "data.json").write_text('[{"datasetId": "faq"}]')

    first = validated("draft", "support-bot", "--dataset", tmp_path / "data.json")
    second = run("draft", "support-bot", "--parent", "@1", "--budget", "12.50", "--summary", "s")

    made = ada.versions.get(first["version"]["id"])
    assert (made.config_snapshot, made.model_snapshot) == ({"r": 8}, {})
    assert made.dataset_snapshot == [{"datasetId": "faq"}]
    assert second.out == "draft support-bot@2\n"
    child = ada.versions.get_by_number(package.id, 2)
    assert (child.parent_version_id, str(child.budget_limit)) == (made.id, "12.50")


def test_publish_shows_what_differs_and_publishes_once(run, validated, ada, bot) -> None:
    done = run("publish", "support-bot", "--yes", "--name", "rank-16")

    assert done.out == "published support-bot@2\n"
    assert "~ /config_snapshot/lora/r  8 -> 16  (+8)" in done.err
    assert ada.versions.latest_published(bot.id).name == "rank-16"
    again = validated("publish", "support-bot@2", "--yes")
    assert (again["changed"], again["version"]["name"]) == (False, "rank-16")


def test_archive_takes_a_version_out_of_use(run, validated, ada, bot) -> None:
    version = ada.versions.get_by_number(bot.id, 1)
    ada.versions.deploy(version.id, "local")

    done = run("archive", "support-bot@1", "--yes")

    assert done.out == "archived support-bot@1\n"
    assert "that deployment ends" in done.err
    assert ada.versions.get(version.id).status == "archived"
    assert validated("archive", "support-bot@1")["changed"] is False


def test_restore_and_fork_make_drafts_of_old_content(run, validated, ada, bot) -> None:
    other = ada.package("sales-bot")

    restored = validated("restore", "support-bot@1")
    forked = run("fork", "support-bot", "--into", "sales-bot")

    assert restored["version"]["version_number"] == 3
    assert [change["path"] for change in restored["difference"]["changes"]] == [
        "/config_snapshot/lora/r"
    ]
    assert forked.out == "forked support-bot@1 as sales-bot@1\n"
    assert ada.versions.latest(other.id).config_snapshot == {"lora": {"r": 8}}


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_what_the_newest_version_holds_is_restored_only_if_forced(
    run, validated, ada, bot, dry_run
) -> None:
    ran = run("restore", "support-bot@2", *dry_run)
    result = validated("restore", "support-bot@2", *dry_run)

    assert (ran.status, ran.out) == (0, "unchanged: support-bot@2 has that content\n")
    assert "--force makes a draft all the same" in ran.err
    assert (result["changed"], result["version"]["version_number"]) == (False, 2)
    assert ada.versions.count(bot.id) == 2
    forced = run("restore", "support-bot@2", "--force")
    assert forced.out == "restored support-bot@2 as support-bot@3\n"


def test_a_fork_that_is_not_made_says_where_it_would_be(run, ada, bot) -> None:
    ada.package("sales-bot")

    planned = run("fork", "support-bot", "--into", "sales-bot", "--dry-run")

    assert planned.out == "would be forked: support-bot@1 into sales-bot\n"


def test_delete_deletes_a_draft_or_a_package(run, validated, ada, bot) -> None:
    empty = ada.package("empty")

    assert run("delete", "support-bot@2", "--yes").out == "deleted support-bot@2\n"
    assert ada.versions.latest(bot.id).version_number == 1
    assert validated("delete", "empty", "--yes") == {
        "action": "deleted",
        "dry_run": False,
        "kind": "package",
        "id": str(empty.id),
        "name": "empty",
    }
    with pytest.raises(NotFoundError):
        ada.packages.get(empty.id)


def test_lineage_and_history_are_told(run, validated, ada, bot) -> None:
    restored = ada.versions.restore(ada.versions.get_by_number(bot.id, 1).id).draft

    family = validated("lineage", "support-bot@3")
    rows = [line.split("\t")[:3] for line in run("lineage", "support-bot@1").lines]

    assert [node["version_number"] for node in family["ancestors"]] == [1]
    assert rows == [
        ["version", "support-bot@1", "published"],
        ["descendant", "support-bot@3", "draft"],
    ]
    kinds = [event["kind"] for event in validated("history", "support-bot", "--oldest")]
    assert kinds == ["created", "published", "created", "restored"]
    assert run("history", restored.id, "--kind", "restored").lines[0].split("\t")[1:3] == [
        "support-bot@3",
        "restored",
    ]
    assert run("history", "support-bot", "--until", "2020-01-01").out == ""
    assert len(run("history", "-q").lines) == 4


def test_deploy_live_and_undeploy(run, validated, ada, bot) -> None:
    today = datetime.now(UTC).date()
    ada.versions.publish(ada.versions.latest(bot.id).id)
    run("deploy", "support-bot@1", "hf_space", "--yes")

    replaced = validated("deploy", "support-bot", "hf_space", "--url", "https://x.test", "--yes")
    run("deploy", "support-bot@1", "local", "--yes")

    assert (replaced["version"]["version_number"], replaced["replaced"]["version_number"]) == (2, 1)
    assert {(each["version_number"], each["target"]) for each in validated("live")} == {
        (1, "local"),
        (2, "hf_space"),
    }
    assert len(run("live", "support-bot", "--all", "-q").lines) == 3
    assert len(run("live", "support-bot", "--on", today, "-q").lines) == 2
    assert run("live", "--on", "2020-01-01", "--json").json == []
    assert run("undeploy", "support-bot", "hf_space", "--yes").out == (
        "undeployed support-bot@2 from hf_space\n"
    )
    assert validated("undeploy", "support-bot@2", "--yes")["changed"] is False


def test_versions_are_found_by_every_selector(run, ada, bot) -> None:
    today = datetime.now(UTC).date()
    first, second = (str(ada.versions.get_by_number(bot.id, number).id) for number in (1, 2))
    ada.versions.deploy(first, "hf_space")
    of = {
        "support-bot@1": first,
        "support-bot@latest": second,
        "support-bot@draft": second,
        "support-bot@published": first,
        "support-bot@live": first,
        "support-bot@live:hf_space": first,
        f"support-bot@{today}": first,
        f"support-bot@{today}:hf_space": first,
        f"{bot.id}@2": second,
        "@2": second,
        '"support-bot"@1': first,
        second: second,
    }

    assert {name: run("show", name, "-q").out.strip() for name in of} == of


def test_what_was_live_at_two_targets_asks_which(run, ada, bot) -> None:
    today = datetime.now(UTC).date()
    second = ada.versions.publish(ada.versions.latest(bot.id).id)
    ada.versions.deploy(second.id, "local")
    ada.versions.deploy(ada.versions.get_by_number(bot.id, 1).id, "hf_space")

    for selector in ("live", today):
        said = run("show", f"support-bot@{selector}")
        assert said.status == 2
        assert f"support-bot@{selector}:local or support-bot@{selector}:hf_space" in said.err


def test_two_packages_of_one_name_are_told_apart(run, ada) -> None:
    ids = {str(ada.package("twin").id) for _ in range(2)}

    said = run("versions", "twin")

    assert said.status == 2
    assert said.err.startswith("error: 2 packages are called twin\n")
    assert all(package_id in said.err for package_id in ids)
    for package_id in ids:
        assert run("show", package_id, "-q").out.strip() == package_id


HOSTILE = [
    "bot@3",
    "bot@latest",
    "@live",
    "@",
    "a@b@2026-05-03",
    "two words",
    " around ",
    "'single' \"double\"",
    '"quoted"',
    '"quoted"@3',
    "-q",
    "--help",
    "new\nline",
    "tab\tand \\t",
    "\u202eright to left",
    "شكرا",
    "🦜 zwj 👩\u200d🔬",
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b31m",
    "[red]markup[/red] :smile:",
    "latest",
    "0b1d6b1e-7b8a-4a59-9a55-3d1f0c6a2b11",
    "%s {x} $HOME `id`",
    "x" * 255,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_is_printed_for_a_package_finds_it_again(run, reader, name) -> None:
    made = run("create", "--type", "t", "-q", "--", name).out.strip()
    reader.draft(reader.packages.get(made))

    listed = run("packages", "--limit", 1).out
    written = listed.split("\t")[0]
    version = run("versions", "-q", "--", written)

    assert reader.packages.get(made).name == name
    assert len(listed.splitlines()) == 1
    assert listed.replace("\t", "").replace("\n", "").isprintable()
    assert run("show", written, "-q").out.strip() == made
    assert run("show", f"{written}@1", "-q").out == version.out
    assert run("packages", "--json", "--limit", 1).json[0]["name"] == name
    assert run("versions", written).lines[0].split("\t")[0] == f"{written}@1"


def test_a_repeat_with_the_same_id_says_that_nothing_was_created(run, validated, ada, bot) -> None:
    def new_id() -> str:
        return str(uuid4())

    package_id, draft_id, copy_id, stay_id = new_id(), new_id(), new_id(), new_id()
    calls = [
        ("create", "again", "--type", "t", "--id", package_id),
        ("draft", "support-bot", "--id", draft_id),
        ("restore", "support-bot@1", "--id", copy_id),
        ("deploy", "support-bot@1", "local", "--yes", "--id", stay_id),
    ]

    for call in calls:
        first, second = validated(*call), validated(*call)
        assert first.get("changed", True) is True
        assert second.get("changed", False) is False
        assert "already" in "".join(run(*call).out + run(*call).err)
    assert run("draft", "support-bot", "--id", draft_id, "--summary", "other").status == 5
