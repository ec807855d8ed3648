"""How commands end: exit statuses, what is asked for first, and what `--dry-run` leaves alone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.server.cli.conftest import PROGRAM, TIMEOUT, Terminal, spawn

MISSING_ID = "00000000-0000-4000-8000-000000000000"


# The command, its exit status, and how the error begins.
ENDINGS = [
    (["packages"], 0, ""),
    (["versions", "support-bot", "--status", "published"], 0, ""),
    (["create", "bad", "--type", "t", "--config", "-"], 2, "stdin, line 1, column 1: "),
    (["draft", "support-bot", "--config", "-"], 2, "stdin, line 1, column 1: it is empty"),
    (["draft", "support-bot", "--budget", "-5"], 2, "--budget must be 0 to "),
    (["import", "nofile"], 2, "cannot read nofile: No such file or directory"),
    (["import", "nofile", "--into", "no-such-bot"], 2, "cannot read nofile: "),
    (["draft", "no-such-bot", "--config", "nofile"], 2, "cannot read nofile: "),
    (["edit", "no-such-bot", "--from", "nofile"], 2, "cannot read nofile: "),
    (["edit", "no-such-bot", "--config", "nofile"], 2, "cannot read nofile: "),
    (["versions"], 2, "missing argument 'PACKAGE'"),
    (["versions", "support-bot@1"], 2, "support-bot@1 names a version, and a package is meant"),
    (["archive", "support-bot"], 2, "support-bot names a package, and a version is meant"),
    (["show", "support-bot@0"], 2, "support-bot@0 has no version number"),
    (["show", "support-bot@2026-02-30"], 2, "2026-02-30 in support-bot@2026-02-30 is not a day"),
    (["show", "support-bot@live:mars"], 2, "there is no target 'mars'"),
    (["show", "support-bot@9999-01-01"], 2, "9999-01-01 is still to come"),
    (["show", '"support-bot"@nine'], 2, "@nine does not name a version"),
    (["show", '"support-bot'], 2, '"support-bot begins with a quote'),
    (["show", ""], 2, "the name of a package or a version is empty"),
    (["show", "support-bot", "--json", "-q"], 2, "--json and --quiet exclude each other"),
    (["live", "--on", "9999-01-01"], 2, "9999-01-01 is still to come"),
    (["live", "--on", "live"], 2, "--on is no day: 'live'"),
    (["history", "--since", "yesterday"], 2, "--since is no day and no moment"),
    (["deploy", "support-bot@1"], 2, "missing argument 'TARGET'. Choose from: local, hf_space\n"),
    (["deploy", "support-bot@1", "mars", "--yes"], 2, "invalid value for"),
    (["deploy", "support-bot@1", "local", "--yes", "--id", "x"], 2, "invalid value for '--id'"),
    (["deploy", "support-bot@1", "local", "--yes", "--url", ""], 2, "--url must not be empty"),
    (["create", "bad", "--type", ""], 2, "--type must not be empty"),
    (["diff", "support-bot", "--only", "config"], 2, "--only: 'config' is not a path"),
    (["live", "--on", "2026-02-30"], 2, "--on is no day: '2026-02-30'"),
    (["migrations", "chekc"], 2, "migrations has no part 'chekc'"),
    (["serve", "--host", ""], 2, "--host is empty"),
    (["login", "--url", "http://[::1"], 2, "--url is no address: http://[::1"),
    (["pubish", "support-bot"], 2, "there is no command 'pubish'"),
    (["packages", "--jsn"], 2, "no such option '--jsn'"),
    (["--json", "packages"], 2, "--json stands before the command"),
    (["show", "no-such-bot"], 3, "there is no package no-such-bot"),
    (["show", "support-bot@7"], 3, "support-bot has no version 7"),
    (["show", "support-bot@live"], 3, "no version of support-bot is live"),
    (["show", "support-bot@2020-01-01"], 3, "no version of support-bot was live at the end of"),
    (["show", MISSING_ID], 3, f"there is no package and no version {MISSING_ID}"),
    (["delete", "support-bot", "--yes"], 1, "the package has published or archived versions"),
    (["delete", "support-bot@1", "--yes"], 5, "version 1 of 'support-bot' is published"),
    (["archive", "support-bot@2", "--yes"], 5, "version 2 of 'support-bot' is a draft"),
    (["deploy", "support-bot@2", "local", "--yes"], 5, "version 2 of 'support-bot' is a draft"),
    (["edit", "support-bot@1", "--summary", "x"], 5, "version 1 of 'support-bot' is published"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), ENDINGS, ids=lambda value: str(value))
def test_commands_end_with_the_status_of_the_table(run, reader, arguments, status, message) -> None:
    ran = run(*arguments)

    assert ran.status == status, ran.err
    if message:
        assert ran.out == ""
        assert f"error: {message}" in ran.err
    else:
        assert ran.err == ""


def test_what_is_misspelt_suggests_what_is_near(run, reader) -> None:
    assert "hint: Did you mean: training-versions publish\n" in run("pubish").err
    assert "hint: Did you mean support-bot?\n" in run("show", "suport-bot").err
    assert "hint: A version is written with an @: support-bot@3.\n" in run("diff", "3").err


def test_content_in_place_of_a_file_is_told_where_it_belongs(run, reader) -> None:
    refused = run("draft", "support-bot", "--config", '{"r": 8}')

    assert refused.status == 2
    assert "hint: Give the name of a file that holds it, or pipe it in" in refused.err


def test_a_stranger_sees_nothing_and_nobody_is_told_to_sign_in(
    run, ada, bot, person, monkeypatch
) -> None:
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", person().token)
    assert run("show", bot.id).status == 3
    assert run("packages").out == ""

    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", "not.a.token")
    refused = run("packages")
    monkeypatch.delenv("SUPABASE_ACCESS_TOKEN")
    nobody = run("packages")

    assert (refused.status, nobody.status) == (4, 4)
    assert nobody.err.startswith("error: you are not signed in\nhint: training-versions login")


def test_a_package_of_somebody_else_cannot_be_forked_into(run, ada, bot, person) -> None:
    theirs = person().package("theirs")

    assert run("fork", "support-bot", "--into", theirs.id).status == 3


def test_the_service_role_is_not_allowed_what_it_may_not_and_sees_everybody(
    run, ada, bot, stack, monkeypatch
) -> None:
    monkeypatch.delenv("SUPABASE_ACCESS_TOKEN")
    monkeypatch.setenv("SUPABASE_SECRET_KEY", stack.secret_key)

    assert run("show", bot.id, "-q").out.strip() == str(bot.id)


def test_without_the_tables_the_error_says_so(run, ada, monkeypatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:1")

    unreachable = run("packages")

    assert unreachable.status == 6
    assert unreachable.err.startswith(
        "error: http://127.0.0.1:1 cannot be reached, and nothing was changed"
    )


@pytest.mark.parametrize("url", ["ftp://x", "x", "http://"])
def test_an_address_that_is_none_is_named(run, ada, monkeypatch, url) -> None:
    monkeypatch.setenv("SUPABASE_URL", url)

    ran = run("packages")

    assert ran.status in (2, 6)
    assert ran.err.startswith("error: ")
    assert "unexpected" not in ran.err


def test_a_project_that_answers_with_a_page_is_unreachable(run, ada, monkeypatch) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(502)
            self.end_headers()
            self.wfile.write(b"<h1>Bad gateway</h1>")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("SUPABASE_URL", f"http://127.0.0.1:{server.server_port}")
    try:
        ran = run("packages")
    finally:
        server.shutdown()
        thread.join(TIMEOUT)
        server.server_close()

    assert ran.status == 6
    assert "<h1>" not in ran.err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "socks5://127.0.0.1:9"),
        ("HTTPS_PROXY", "socks4://user:geheim@127.0.0.1:9"),
        ("HTTPS_PROXY", "http://user:geheim/er@127.0.0.1:9"),
        ("NO_PROXY", "fd00::/8"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(run, reader, monkeypatch, variable, value) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://project.supabase.co")
    monkeypatch.setenv(variable, value)

    for command in (["packages"], ["doctor"], ["serve", "--port", 0]):
        ran = run(*command)
        assert ran.status == 2
        assert "the proxy of the environment cannot be used" in ran.err
        assert variable in ran.err
        assert "geheim" not in ran.err


@pytest.mark.parametrize("file", ["/no/such/file", __file__])
def test_certificates_that_cannot_be_read_are_named(run, reader, monkeypatch, file) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", file)

    for command in (["packages"], ["doctor"], ["serve", "--port", 0]):
        ran = run(*command)
        assert ran.status == 2
        assert "the certificates of the environment cannot be read" in ran.err
        assert "SSL_CERT_FILE" in ran.err


# --- what the SDK says to programs is said to people in a shell

SECRET = '{"token": "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD"}'
NIL = "00000000-0000-0000-0000-000000000000"
OTHER_WORDS = [
    ({"SUPABASE_PUBLISHABLE_KEY": "sb_publishable_other"}, ["packages"], "", 4, "Set SUPABASE_URL"),
    ({"SUPABASE_ACCESS_TOKEN": "x"}, ["packages"], "", 4, "Set SUPABASE_ACCESS_TOKEN to a new one"),
    ({"SUPABASE_URL": "{url}/rest/v1"}, ["packages"], "", 2, "SUPABASE_URL is the project's alone"),
    ({"SUPABASE_URL": "http://127.0.0.1:1"}, ["packages"], "", 6, "Nothing listens at http"),
    ({"SUPABASE_DB_URL": "x"}, ["migrations", "check"], "", 2, "It looks like postgresql://"),
    ({"SUPABASE_DB_URL": "x"}, ["doctor"], "", 2, "It looks like postgresql://"),
    ({}, ["draft", "support-bot", "--config", "-"], SECRET, 2, "A version is kept for ever"),
    ({}, ["draft", "support-bot", "--config", "-"], '{"lr": NaN}', 2, "Write null, or text"),
    ({}, ["train", "log", "support-bot@2", "loss=1", "--step", "1"], "", 5, "Start training first"),
    ({}, ["create", "bot", "--type", "x", "--owner", NIL], "", 4, "Leave --owner out."),
    (
        {},
        ["train", "end", "support-bot@1", "--run", NIL],
        "",
        3,
        "training-versions train",
    ),
]
OF_PYTHON = re.compile(
    r"=True|\w\(|\breposit|\bclient\b|\bNone\b|user_id|db_url|\.reply|\w+\.\w+_\w+"
)


@pytest.mark.parametrize(
    ("environment", "arguments", "stdin", "status", "hint"),
    OTHER_WORDS,
    ids=lambda value: str(value),
)
def test_no_hint_speaks_of_python(
    run, reader, stack, monkeypatch, environment, arguments, stdin, status, hint
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(url=stack.url))

    refused = run(*arguments, stdin=stdin)

    assert refused.status == status
    assert f"\nhint: {hint}" in refused.err
    assert not OF_PYTHON.search(refused.err)


def test_the_secret_key_creates_for_the_owner_that_is_named(
    run, validated, ada, stack, monkeypatch
) -> None:
    owner = ada.package("first").user_id
    monkeypatch.delenv("SUPABASE_ACCESS_TOKEN")
    monkeypatch.setenv("SUPABASE_SECRET_KEY", stack.secret_key)

    nobody = run("create", "second", "--type", "t")
    made = validated("create", "second", "--type", "t", "--owner", owner)
    again = validated("create", "second", "--type", "t", "--owner", owner, "--if-missing")

    assert nobody.err.startswith("error: --owner must say whose package it is\nhint: ")
    assert "with --owner" in nobody.err
    assert made["id"] == again["id"] == str(ada.packages.find_by_name("second").id)


# --- nothing asks without a terminal


ASKING = [
    ["publish", "support-bot"],
    ["archive", "support-bot@1"],
    ["delete", "support-bot@2"],
    ["delete", "empty"],
    ["deploy", "support-bot@1", "local"],
    ["undeploy", "support-bot@1"],
]


@pytest.mark.parametrize("arguments", ASKING, ids=" ".join)
def test_without_a_terminal_what_cannot_be_taken_back_names_yes(run, ada, bot, arguments) -> None:
    ada.package("empty")
    ada.versions.deploy(ada.versions.get_by_number(bot.id, 1).id, "hf_space")
    before = _state(ada)

    refused = run(*arguments, stdin="y\n")
    looked = run(*arguments, "--dry-run")

    assert refused.status == 2
    assert "needs a yes, and there is no terminal to ask" in refused.err
    assert refused.err.endswith("hint: Add --yes.\n")
    assert looked.status == 0
    assert looked.out.startswith("would ")
    assert _state(ada) == before
    assert run(*arguments, "--yes").status == 0
    assert _state(ada) != before


def test_a_dry_run_shows_the_difference_and_is_refused_like_the_real_thing(run, ada, bot) -> None:
    before = _state(ada)
    restored = run("restore", "support-bot@1", "--dry-run", "--json")

    assert "16 -> 8" in run("restore", "support-bot@1", "--dry-run").err
    assert restored.json["difference"]["changes"][0]["new"] == 8
    assert "8 -> 16" in run("publish", "support-bot", "--dry-run").err
    assert run("archive", "support-bot@2", "--dry-run").status == 5
    assert run("deploy", "support-bot@2", "local", "--dry-run").status == 5
    assert run("delete", "support-bot@1", "--dry-run").status == 5
    assert run("delete", "support-bot", "--dry-run").status == 1
    assert _state(ada) == before


def _state(ada) -> list[object]:
    versions = [each.model_dump(exclude={"updated_at"}) for each in ada.versions.iterate()]
    return [*versions, *ada.versions.iterate_deployments(), *ada.packages.iterate()]


def test_a_question_is_answered_on_a_terminal(terminal, ada, bot) -> None:
    no = terminal("publish", "support-bot", typed="n\n")
    assert ada.versions.latest(bot.id).status == "draft"
    yes = terminal("publish", "support-bot", typed="y\n")

    assert (no.status, yes.status) == (1, 0)
    assert "nothing was changed" in no.plain
    assert "Publish support-bot@2? [y/N]" in yes.plain
    assert yes.plain.endswith("published support-bot@2\n")
    assert ada.versions.latest(bot.id).status == "published"


# --- pipes and signals, as programs of their own


def test_a_reader_that_stops_ends_the_command_quietly(ada) -> None:
    # More than a pipe holds.
    ada.published(ada.package("large"), change_summary="x", config={"text": "y" * 200_000})
    with subprocess.Popen(
        [PROGRAM, "show", "large@1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.readline()
        command.stdout.close()
        said = command.stderr.read()
        status = command.wait(TIMEOUT)

    assert (status, said) == (141, b"")


def test_ctrl_c_ends_with_130_and_changes_nothing(ada, bot) -> None:
    command = Terminal("publish", "support-bot")
    command.wait_for("[y/N]")
    command.interrupt()

    ran = command.finish()

    assert ran.status == 130
    assert "Traceback" not in ran.out
    assert ada.versions.latest(bot.id).status == "draft"


def test_ctrl_c_while_a_project_does_not_answer(ada, monkeypatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("SUPABASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        silent.settimeout(TIMEOUT)
        with subprocess.Popen([PROGRAM, "packages"], stderr=subprocess.PIPE) as command:
            connection, _ = silent.accept()
            command.send_signal(signal.SIGINT)
            assert command.stderr is not None
            said = command.stderr.read()
            status = command.wait(TIMEOUT)
            connection.close()

    assert status == 130
    assert said == b"\nerror: interrupted\n"


FULL = [["packages"], ["--help"], ["migrations", "list"], ["export", "support-bot", "-"]]
# The command, which of its streams are closed, and its exit status.
CLOSED = [
    ("packages", ">&- 2>&-", 0),
    ("--help", ">&-", 0),
    ("migrations list", ">&-", 0),
    ("edit support-bot --from -", "<&-", 2),
    ("publish support-bot", "<&-", 2),
    ("import -", "<&-", 2),
]


@pytest.mark.parametrize("arguments", FULL, ids=" ".join)
def test_a_full_disk_is_no_crash(reader, arguments) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=TIMEOUT
        )

    assert done.returncode == 1
    assert done.stderr.startswith(b"error: cannot ")
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("arguments", "streams", "status"), CLOSED)
def test_closed_streams_are_no_crash(reader, tmp_path, arguments, streams, status) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{PROGRAM}' {arguments} {streams}"],
        stderr=subprocess.PIPE,
        timeout=TIMEOUT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )

    assert done.returncode == status, done.stderr
    assert b"unexpected" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_language_that_cannot_write_a_name_does_not_end_the_command(ada, monkeypatch) -> None:
    ada.package("🦜")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    table, document = spawn("packages"), spawn("packages", "--json")

    assert (table.status, document.status) == (0, 0)
    assert table.out.startswith("\\ud83e\\udd9c\t")
    assert document.json[0]["name"] == "🦜"
