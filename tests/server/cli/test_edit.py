"""Editing a draft: in an editor, from a file or stdin, field by field; no text is ever lost."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import sys
from pathlib import Path

import pytest

from tests.server.cli.conftest import Terminal

EDITORS = {
    # Changes the rank, as somebody at the keyboard would.
    "changes": "import sys,re; p=sys.argv[1]; t=open(p).read(); "
    "open(p,'w').write(t.replace('\"r\": 16','\"r\": 64'))",
    "breaks": "import sys; p=sys.argv[1]; t=open(p).read(); open(p,'w').write(t[:-4])",
    "leaves": "pass",
}


@pytest.fixture
def editor(monkeypatch, tmp_path):
    """Sets the editor to a small program."""

    def use(kind: str, more: str = "") -> None:
        script = tmp_path / "an editor.py"
        script.write_text(f"{EDITORS[kind]}\n{more}")
        monkeypatch.setenv("VISUAL", shlex.join([sys.executable, str(script)]))

    return use


@pytest.fixture
def draft(ada, bot):
    return ada.versions.latest(bot.id)


def kept_in(text: str) -> Path:
    found = re.search(r"(/\S+\.json)", text)
    assert found is not None, text
    return Path(found[1])


def test_the_editor_changes_what_it_changes_and_nothing_else(terminal, ada, draft, editor) -> None:
    editor("changes")

    ran = terminal("edit", "support-bot")

    assert ran.plain == "edited support-bot@2: config_snapshot\n"
    after = ada.versions.get(draft.id)
    assert after.config_snapshot == {"lora": {"r": 64}}
    assert (after.name, after.change_summary, after.budget_limit) == (
        draft.name,
        draft.change_summary,
        draft.budget_limit,
    )


def test_leaving_the_editor_without_a_change_changes_nothing(terminal, ada, draft, editor) -> None:
    editor("leaves")

    assert terminal("edit", "support-bot").plain == "unchanged support-bot@2\n"
    assert ada.versions.get(draft.id) == draft


def test_a_text_that_is_no_json_can_be_mended_or_is_kept(terminal, ada, draft, editor) -> None:
    editor("breaks")

    ran = terminal("edit", "support-bot", typed="y\nn\n")

    assert ran.status == 2
    assert ran.plain.count("Edit it again? [Y/n]") == 2
    kept = kept_in(ran.plain.rpartition("kept in")[2])
    assert '"change_summary": "rank 16"' in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert ada.versions.get(draft.id) == draft
    kept.unlink()


def test_an_edit_of_somebody_else_meanwhile_is_a_conflict_and_the_text_is_kept(
    terminal, run, ada, stack, draft, editor
) -> None:
    editor(
        "changes",
        "import httpx, os\n"
        "key, token = os.environ['SUPABASE_PUBLISHABLE_KEY'], os.environ['SUPABASE_ACCESS_TOKEN']\n"
        f"httpx.post('{stack.rest_url}/rpc/update_training_draft', trust_env=False, headers={{\n"
        "  'apikey': key, 'Authorization': f'Bearer {token}'}, json={\n"
        f"  'p_version_id': '{draft.id}', 'p_changes': {{'change_summary': 'other'}}}})\n",
    )

    ran = terminal("edit", "support-bot")

    assert ada.versions.get(draft.id).change_summary == "other"
    assert ran.status == 5, ran.plain
    kept = kept_in(ran.plain)
    assert json.loads(kept.read_text())["config_snapshot"] == {"lora": {"r": 64}}
    again = run("edit", "support-bot", "--from", kept, "--overwrite")
    assert again.status == 0
    assert ada.versions.get(draft.id).config_snapshot == {"lora": {"r": 64}}
    kept.unlink()


def test_an_editor_that_cannot_be_used_is_named_and_what_was_written_is_kept(
    terminal, draft, editor, monkeypatch
) -> None:
    editor("changes", "sys.exit(3)")
    failed = terminal("edit", "support-bot")
    monkeypatch.setenv("VISUAL", "no-such-editor --wait")
    missing = terminal("edit", "support-bot")

    assert (failed.status, missing.status) == (1, 2)
    assert "ended with status 3" in failed.plain
    assert "'no-such-editor --wait' cannot be started" in missing.plain
    kept = kept_in(failed.plain)
    assert '"r": 64' in kept.read_text()
    # Nothing was written with the other one, so that there is nothing to keep.
    assert "kept" not in missing.plain
    kept.unlink()


def test_ctrl_c_in_the_editor_is_the_editors(ada, draft, editor) -> None:
    waits = (
        "import time\ntry:\n  print('ready', flush=True)\n  time.sleep(30)\n"
        "except KeyboardInterrupt: pass"
    )
    editor("leaves", waits)
    command = Terminal("edit", "support-bot")
    command.wait_for("ready")
    command.type("\x03")

    ran = command.finish()

    assert ran.status == 0
    assert "unchanged support-bot@2" in ran.plain


def test_sigterm_while_the_editor_is_open_names_the_file_and_ends_the_editor(
    ada, draft, editor
) -> None:
    waits = (
        "import os, time\nprint('editor', os.getpid(), 'ready', flush=True)\n"
        "os.kill(os.getppid(), 15)\ntime.sleep(30)"
    )
    editor("changes", waits)
    command = Terminal("edit", "support-bot")

    ran = command.finish()

    assert ran.status == 143
    kept = kept_in(ran.plain.rpartition("kept in")[2])
    assert '"r": 64' in kept.read_text()
    assert ada.versions.get(draft.id) == draft
    (process,) = re.findall(r"editor (\d+) ready", ran.plain)
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)
    kept.unlink()


def test_what_stdin_said_is_kept_where_the_draft_is_not_found(run, ada, bot) -> None:
    refused = run("edit", "no-such-bot", "--from", "-", stdin='{"name": "mine"}')

    assert refused.status == 3
    kept = kept_in(refused.err)
    assert kept.read_text() == '{"name": "mine"}'
    kept.unlink()


def test_without_a_terminal_an_edit_needs_a_source(run, bot) -> None:
    ran = run("edit", "support-bot")

    assert ran.status == 2
    assert "--from FILE" in ran.err


def test_what_show_prints_can_be_edited_and_given_back(
    run, validated, ada, draft, tmp_path
) -> None:
    document = run("show", "support-bot@2", "--json").json
    document["config_snapshot"] = {"lora": {"r": 16.0}}
    (tmp_path / "draft.json").write_text(json.dumps(document))

    edited = validated("edit", "support-bot@2", "--from", tmp_path / "draft.json")

    assert edited["fields"] == ["config_snapshot"]
    assert edited["version"]["budget_limit"] == "1250.50"
    # 16 and 16.0 are two values.
    assert repr(ada.versions.get(draft.id).config_snapshot) == "{'lora': {'r': 16.0}}"
    stale = run("edit", "support-bot@2", "--from", "-", stdin=json.dumps(document | {"name": "n"}))
    assert stale.status == 5
    assert json.loads(kept_in(stale.err).read_text())["name"] == "n"
    kept_in(stale.err).unlink()


def test_fields_are_edited_one_by_one_and_emptied(run, ada, draft, tmp_path) -> None:
    (tmp_path / "data.json").write_text('[{"datasetId": "faq"}]')

    ran = run(
        "edit",
        "support-bot",
        "--summary",
        "",
        "--budget",
        "7.5",
        "--dataset",
        tmp_path / "data.json",
    )

    assert ran.out == "edited support-bot@2: change_summary, budget_limit, dataset_snapshot\n"
    after = ada.versions.get(draft.id)
    assert (after.change_summary, str(after.budget_limit)) == (None, "7.50")
    assert after.dataset_snapshot == [{"datasetId": "faq"}]


WRONG = [
    ("[]", "stdin must hold an object"),
    ("{", "stdin, line 1, column 2: "),
    ('{"a": 1, "a": 2}', 'stdin has the key "a" twice in one object'),
    ('{"confg_snapshot": {}}', 'stdin has a key "confg_snapshot", which no draft has'),
    ('{"status": "published"}', "stdin would change status, which no edit does"),
    ('{"config_snapshot": {"r": NaN}}', "config"),
    ('{"config_snapshot": 3}', "config"),
    ('{"budget_limit": -1}', "budget_limit must be 0 to"),
    ('{"name": ""}', "name must not be empty"),
    ('{"updated_at": "now"}', "stdin: updated_at is no moment"),
    ('{"config_snapshot": {"token": "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH"}}', "config"),
    ("[" * 100_000, "stdin is nested too deeply"),
    ('{"config_snapshot": {"n": 1' + "0" * 5000 + "}}", "stdin: a number has thousands of digits"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=lambda value: value[:40])
def test_what_cannot_be_saved_is_named_and_kept(run, ada, draft, text, message) -> None:
    ran = run("edit", "support-bot", "--from", "-", stdin=text)

    assert ran.status == 2, ran.err
    assert f"error: {message}" in ran.err
    kept = kept_in(ran.err)
    assert kept.read_text() == text
    kept.unlink()
    assert ada.versions.get(draft.id) == draft
    assert "hf_abc" not in ran.err
