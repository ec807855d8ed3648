"""Signing in and out: the session between commands, and that nothing secret is ever shown."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.server.cli.conftest import PROGRAM, TIMEOUT, Ran, Terminal, spawn
from training_versions.cli.context import secrets_of_environment

PASSWORD = "correct horse 🐎 battery"


@pytest.fixture
def email(stack, unique) -> str:
    """The address of somebody who has signed up with the password."""
    address = unique("eve@")
    reply = httpx.post(
        f"{stack.url}/auth/v1/signup",
        headers={"apikey": stack.publishable_key},
        json={"email": address, "password": PASSWORD},
        timeout=TIMEOUT,
        trust_env=False,
    )
    reply.raise_for_status()
    return address


@pytest.fixture
def login(run, stack, email):
    """Signs in, and gives what the command said."""

    def sign_in(*more: object, password: str = PASSWORD) -> Ran:
        project = ("--url", stack.url, "--key", stack.publishable_key)
        return run("login", *project, "--email", email, "--password-stdin", *more, stdin=password)

    return sign_in


def session_file() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "training-versions" / "session.json"


def stored() -> dict[str, object]:
    return json.loads(session_file().read_text())


def expire() -> None:
    """Let the stored session look as if its access token were about to end."""
    session_file().write_text(json.dumps(stored() | {"expires_at": time.time() + 10}))


def test_a_session_is_kept_for_later_commands_until_logout(run, validated, login, email) -> None:
    assert login().out.endswith(f"as {email}.\n")

    made = run("create", "mine", "--type", "t", "-q")
    assert made.status == 0
    assert run("packages", "-q").out == made.out
    out = validated("logout")

    assert out == {"was_signed_in": True, "revoked": True}
    assert not session_file().exists()
    assert run("packages").status == 4
    assert run("logout").out == "You were not signed in.\n"


def test_the_doctor_looks_at_the_project_that_one_is_signed_in_to(run, login) -> None:
    login()

    report = run("doctor", "--json")

    assert (report.status, report.err) == (0, "")
    assert "api" in report.json["done"]


def test_only_the_user_can_read_the_session(login, monkeypatch) -> None:
    before = os.umask(0)
    try:
        login()
    finally:
        os.umask(before)

    assert stat.S_IMODE(session_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(session_file().parent.stat().st_mode) == 0o700
    assert PASSWORD not in session_file().read_text()
    assert {path.name for path in session_file().parent.iterdir()} == {
        "session.json",
        "session.lock",
    }


def test_a_session_that_others_can_read_is_made_private_and_said(run, login) -> None:
    login()
    session_file().chmod(0o644)

    warned = run("packages", "--json")
    after = run("packages", "--json")

    assert (warned.status, warned.json) == (0, [])
    assert warned.err.startswith("Others on this machine could read your session")
    assert "training-versions logout" in warned.err
    assert stat.S_IMODE(session_file().stat().st_mode) == 0o600
    assert after.err == ""


def test_a_session_that_is_about_to_end_is_renewed(run, login) -> None:
    login()
    before = stored()
    expire()

    assert run("packages").status == 0

    assert stored()["refresh_token"] != before["refresh_token"]
    assert stored()["expires_at"] > time.time() + 600
    assert stat.S_IMODE(session_file().stat().st_mode) == 0o600


def test_two_commands_at_once_renew_it_once(run, login) -> None:
    login()
    expire()

    commands = [
        subprocess.Popen([PROGRAM, "packages"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    said = [command.communicate(timeout=TIMEOUT) for command in commands]

    assert [command.returncode for command in commands] == [0, 0, 0, 0], said
    assert run("packages").status == 0


def test_a_session_that_was_ended_elsewhere_says_to_sign_in(run, login) -> None:
    login()
    session_file().write_text(
        json.dumps(stored() | {"expires_at": 0, "refresh_token": "used-up-long-ago"})
    )

    ran = run("packages")

    assert ran.status == 4
    assert ran.err == (
        "error: your session has ended\nhint: Sign in again: training-versions login\n"
    )


DAMAGED = [b"{", b"", b"[]", b"\xff\xfe", b'{"url": 1}', b'"expires_at": "soon"', b'"url": 5']


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_session_that_cannot_be_read_says_so(run, login, damage) -> None:
    login()
    content = json.loads(session_file().read_bytes())
    if damage.startswith(b'"'):
        damage = json.dumps({**content, **json.loads(b"{%b}" % damage)}).encode()
    session_file().write_bytes(damage)

    ran = run("packages")
    out = run("logout")

    assert ran.status == 4
    assert "training-versions login writes it anew" in ran.err
    assert out.status == 0
    assert out.out == "Removed a session that could not be read.\n"
    assert not session_file().exists()


def test_a_login_writes_a_damaged_session_anew(run, login) -> None:
    login()
    session_file().write_text("{")

    assert login().status == 0
    assert run("packages").status == 0


def test_another_project_in_the_environment_does_not_get_the_session(
    run, login, monkeypatch
) -> None:
    login()
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:9")

    ran = run("packages")

    assert ran.status == 4
    assert "you are not signed in to http://127.0.0.1:9" in ran.err


def test_the_token_of_the_supabase_cli_is_not_taken_for_a_users(
    run, login, stack, monkeypatch
) -> None:
    login()
    monkeypatch.setenv("SUPABASE_URL", stack.url)
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", "sbp_0123456789")

    assert run("packages").status == 0


def test_a_secret_key_acts_as_the_service_role(run, stack, ada, bot, monkeypatch) -> None:
    monkeypatch.delenv("SUPABASE_ACCESS_TOKEN")
    for name in ("SUPABASE_SECRET_KEY", "SUPABASE_KEY"):
        monkeypatch.delenv("SUPABASE_PUBLISHABLE_KEY", raising=False)
        for key in (stack.secret_key, stack.service_key):
            monkeypatch.setenv(name, key)
            assert run("show", bot.id, "-q").out.strip() == str(bot.id)
        monkeypatch.delenv(name)


@pytest.mark.parametrize("name", ["SUPABASE_PUBLISHABLE_KEY", "SUPABASE_KEY"])
def test_a_secret_key_under_a_public_name_is_hidden_in_all_output(monkeypatch, name) -> None:
    monkeypatch.setenv(name, "sb_secret_0123456789")

    assert "sb_secret_0123456789" in secrets_of_environment()


def test_what_is_missing_is_named_and_nothing_asks_without_a_terminal(run, stack) -> None:
    url, key = ("--url", stack.url), ("--key", stack.publishable_key)

    for arguments, missing in (
        ((), "Project URL is missing"),
        (url, "Publishable key is missing"),
        ((*url, *key), "Email is missing"),
        ((*url, *key, "--email", "a@b.c"), "the password is missing"),
        ((*url, "--key", stack.secret_key), "that is a secret key"),
    ):
        ran = run("login", *arguments)
        assert (ran.status, ran.out) == (2, "")
        assert f"error: {missing}" in ran.err
        assert stack.secret_key not in ran.err


@pytest.mark.parametrize("command", ["login", "serve"])
def test_what_stands_under_the_wrong_name_is_told_and_not_shown(
    run, stack, monkeypatch, command
) -> None:
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", stack.secret_key)
    monkeypatch.setenv("SUPABASE_URL", stack.url)
    secret = run(command)
    monkeypatch.setenv("SUPABASE_URL", "postgresql://postgres:geheim@db.example.com/postgres")
    database = run(command)

    assert (secret.status, database.status) == (2, 2)
    assert "a secret key" in secret.err
    assert stack.secret_key not in secret.err
    assert "That of the database is SUPABASE_DB_URL." in database.err
    assert "geheim" not in database.err


def test_a_wrong_password_and_a_wrong_address_are_refused(run, login, stack) -> None:
    wrong = login(password="not the password")

    assert wrong.status == 4
    assert "not the password" not in wrong.err
    assert not session_file().exists()
    away = ("--url", "http://127.0.0.1:1", "--key", "k", "--email", "a@b.c", "--password-stdin")
    assert run("login", *away, stdin="x").status == 6


def test_a_password_is_asked_for_without_being_shown(stack, email) -> None:
    command = Terminal("login", "--url", stack.url, "--key", stack.publishable_key)
    command.wait_for("Email: ")
    command.type(f"{email}\n")
    command.wait_for("Password: ")
    command.type(f"{PASSWORD}\n")

    ran = command.finish()

    assert ran.status == 0, ran.out
    assert PASSWORD not in ran.out
    assert f"Signed in to {stack.url} as {email}." in ran.plain


def test_no_secret_is_in_any_output_or_argument_list(run, login, stack, monkeypatch) -> None:
    said = [login("--debug")]
    session = stored()
    said += [run("packages", "--debug"), run("show", "nothing", "--debug")]
    # Pasted where it does not belong.
    mistaken = run("show", f"bot {session['access_token']}", "--debug")
    assert "there is no package bot [hidden]" in mistaken.err
    said.append(mistaken)
    expire()
    said += [run("packages", "--debug"), run("logout", "--debug")]
    monkeypatch.setenv("SUPABASE_URL", stack.url)
    monkeypatch.setenv("SUPABASE_SECRET_KEY", f"{stack.secret_key}\nx")
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://a:hunter2hunter2@db/x")
    said += [run("packages", "--debug"), run("doctor", "--debug")]
    monkeypatch.setenv("SUPABASE_SECRET_KEY", stack.secret_key)
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:1")
    said += [run("packages", "--debug"), run("doctor", "--debug"), run("doctor", "--json")]

    text = "".join(ran.out + ran.err for ran in said)
    assert "Traceback" in text
    for secret in (
        PASSWORD,
        session["access_token"],
        session["refresh_token"],
        stack.secret_key,
        "hunter2hunter2",
    ):
        assert str(secret) not in text


def test_what_goes_before_the_session_is_said(login, monkeypatch) -> None:
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", "another")

    assert "SUPABASE_ACCESS_TOKEN is set, and goes before the session" in login().err


def test_debug_says_what_was_asked_for(run, login) -> None:
    login()

    assert "debug: GET /rest/v1/training_configs 200\n" in run("packages", "--debug").err


def test_a_folder_that_cannot_be_written_is_named(stack, email, monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))

    ran = spawn(
        "login",
        "--url",
        stack.url,
        "--key",
        stack.publishable_key,
        "--email",
        email,
        "--password-stdin",
        stdin=PASSWORD,
    )

    assert ran.status == 1
    assert ran.err.startswith("error: the stored session cannot be used: ")
