"""`local`, `serve` and `demo`: what they say, what answers there, and that nothing is left."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jsonschema_rs
import psutil
import pytest

from tests.server.cli.conftest import Terminal
from tests.server.web.visitor import OURS, PASSWORD, csrf_token, make_account
from training_versions.local import LocalSupabase

PROGRAM = Path(sys.executable).with_name("training-versions")
TIMEOUT = 60


class Server:
    """A command that runs until it is stopped."""

    def __init__(self, folder: Path, *arguments: object, **variables: str) -> None:
        self._mark = uuid4().hex
        self.folder = folder
        self._process = subprocess.Popen(
            [PROGRAM, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | variables | {"TEST_MARK": self._mark, "TMPDIR": str(folder)},
        )
        self.err = ""
        self._is_starting = threading.Event()
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read_err, daemon=True)
        self._reader.start()

    def _read_err(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self.err += line
                self._is_starting.set()
                if "ctrl-C" in line:
                    self._is_ready.set()

    def read_json(self) -> Any:
        """Return the object that it prints, which is all that it prints until it is stopped."""
        assert self._process.stdout is not None
        text = ""
        while True:
            text += self._process.stdout.readline()
            try:
                return json.loads(text)
            except ValueError:
                assert self._process.poll() is None, self.err

    def read_text(self) -> str:
        """Return what it prints once it says how to stop it, and after it has ended."""
        assert self._is_ready.wait(TIMEOUT), self.err
        return self.stop(signal.SIGINT)[1]

    def wait_until_it_starts(self) -> None:
        assert self._is_starting.wait(TIMEOUT)

    def stop(self, number: int) -> tuple[int, str]:
        self._process.send_signal(number)
        assert self._process.stdout is not None
        out = self._process.stdout.read()
        return self._process.wait(TIMEOUT), out

    def left(self) -> list[str]:
        """Return the processes that it started and that run, and the files that it left."""
        left: list[str] = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TEST_MARK") == self._mark:
                    left.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        return left + [path.name for path in self.folder.iterdir()]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*arguments: object, **variables: str) -> Server:
        # Short, as the path of a socket in it may have 107 characters.
        folder = Path(tempfile.mkdtemp(prefix="tv-"))
        started.append(Server(folder, *arguments, **variables))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        for path in each.folder.iterdir():
            pytest.fail(f"{path} is left")
        each.folder.rmdir()


def check_schema(schema: dict[str, Any], name: str, value: Any) -> None:
    jsonschema_rs.validate({"$defs": schema["$defs"], **schema["properties"][name]}, value)


class TestLocal:
    @pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_it_runs_a_project_until_it_is_stopped(
        self, server, schema, number: int, status: int
    ) -> None:
        local = server("local", "--json")
        project = local.read_json()

        check_schema(schema, "local", project)
        reply = httpx.get(
            f"{project['url']}/rest/v1/training_configs",
            headers={"apikey": project["secret_key"]},
        )
        assert reply.json() == []
        assert local.stop(number) == (status, "")
        assert local.left() == []

    def test_what_cannot_be_is_said(self, run, tmp_path) -> None:
        (tmp_path / "file").touch()

        refused = run("local", "--data-dir", tmp_path / "file")

        assert refused.status == 2
        assert "--data-dir" in refused.err


class TestServe:
    def test_it_serves_pages_and_endpoints_of_a_project(
        self, server, schema, stack: LocalSupabase
    ) -> None:
        serve = server(
            *("serve", "--port", 0, "--json"),
            SUPABASE_URL=stack.url,
            SUPABASE_PUBLISHABLE_KEY=stack.publishable_key,
        )
        served = serve.read_json()

        check_schema(schema, "serve", served)
        assert served["project"] == stack.url
        page = httpx.get(served["page"], follow_redirects=True)
        assert (page.status_code, "Sign in" in page.text) == (200, True)
        token = stack.token("serve@example.com")
        reply = httpx.get(f"{served['api']}/packages", headers={"Authorization": f"Bearer {token}"})
        assert reply.status_code == 200
        assert serve.stop(signal.SIGTERM) == (143, "")
        assert serve.left() == []

    def test_no_proxy_is_asked_for_a_project_on_this_machine(
        self, server, stack: LocalSupabase
    ) -> None:
        email = f"{uuid4().hex}@example.com"
        make_account(stack, email)
        serve = server(
            *("serve", "--port", 0, "--json"),
            SUPABASE_URL=stack.url,
            SUPABASE_PUBLISHABLE_KEY=stack.publishable_key,
            HTTP_PROXY="http://127.0.0.1:9",
        )
        served = serve.read_json()

        with httpx.Client(base_url=served["page"]) as browser:
            form = {"csrf_token": csrf_token(browser.get("/sign-in")), "next": "/"}
            form |= {"email": email, "password": PASSWORD}
            signed_in = browser.post("/sign-in", data=form, headers=OURS)
            page = browser.get("/")
            ready = browser.get(f"{served['api']}/ready")

        assert (signed_in.status_code, page.status_code, ready.status_code) == (303, 200, 204)
        assert serve.stop(signal.SIGTERM) == (143, "")

    def test_it_serves_the_endpoints_alone(self, server, stack: LocalSupabase) -> None:
        serve = server(
            *("serve", "--port", 0, "--json", "--api-only"),
            SUPABASE_URL=stack.url,
            SUPABASE_KEY=stack.anon_key,
        )
        served = serve.read_json()

        assert served["page"] is None
        base = served["api"].removesuffix("/api/training")
        assert httpx.get(base).status_code == 404
        assert httpx.get(f"{served['api']}/health").status_code == 200
        assert serve.stop(signal.SIGINT)[0] == 130

    def test_a_header_has_an_end_whatever_is_installed(
        self, server, stack: LocalSupabase, tmp_path: Path
    ) -> None:
        (tmp_path / "httptools.py").write_text("raise SystemExit('it was taken')")
        serve = server(
            *("serve", "--port", 0, "--json", "--api-only"),
            SUPABASE_URL=stack.url,
            SUPABASE_KEY=stack.anon_key,
            PYTHONPATH=str(tmp_path),
        )
        port = httpx.URL(serve.read_json()["api"]).port

        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: api\r\nX-Long: ")
            with pytest.raises(ConnectionError):
                connection.sendall(b"a" * 64 * 1024 * 1024)
        assert serve.stop(signal.SIGINT)[0] == 130

    def test_a_port_that_is_taken_is_said(self, run, ada) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            refused = run("serve", "--port", port)

        assert refused.status == 2
        assert f"port {port}" in refused.err
        assert "--port" in refused.err

    def test_without_a_project_or_its_key_it_says_what_to_set(
        self, run, stack: LocalSupabase, monkeypatch
    ) -> None:
        unknown = run("serve")
        monkeypatch.setenv("SUPABASE_URL", stack.url)
        monkeypatch.setenv("SUPABASE_SECRET_KEY", stack.secret_key)
        secret = run("serve")

        assert (unknown.status, secret.status) == (2, 2)
        assert "SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY" in unknown.err
        assert "SUPABASE_PUBLISHABLE_KEY" in secret.err
        assert stack.secret_key not in secret.err


class TestDemo:
    def test_it_has_a_page_and_two_logins_and_leaves_nothing(self, server, schema) -> None:
        demo = server("demo", "--json")
        project = demo.read_json()

        check_schema(schema, "demo", project)
        page = httpx.get(project["page"], follow_redirects=True)
        assert "Sign in" in page.text
        names = []
        for login in project["logins"]:
            reply = httpx.post(
                f"{project['url']}/auth/v1/token?grant_type=password",
                headers={"apikey": project["publishable_key"]},
                json=login,
            )
            headers = {"Authorization": f"Bearer {reply.json()['access_token']}"}
            listed = httpx.get(f"{project['page']}api/training/packages", headers=headers)
            names.append({package["name"] for package in listed.json()["items"]})
        assert names == [{"support-bot", "sales-assistant"}, {"meeting-notes"}]
        assert demo.stop(signal.SIGINT) == (130, "")
        assert demo.left() == []

    def test_it_says_plainly_where_it_is_and_who_can_sign_in(self, server) -> None:
        demo = server("demo")

        said = demo.read_text()

        assert re.search(r"^The page: http://127\.0\.0\.1:\d+/$", said, re.MULTILINE)
        assert re.search(r"^Sign in as ada@example.com\n  password \w+$", said, re.MULTILINE)
        assert "Sign in as grace@example.com" in said
        assert max(map(len, said.splitlines())) <= 80

    def test_stopped_while_it_starts_it_leaves_nothing(self, server) -> None:
        demo = server("demo")
        demo.wait_until_it_starts()

        status, said = demo.stop(signal.SIGTERM)

        assert (status, said) == (143, "")
        assert demo.left() == []


MISSING = {
    "serve": ("api", "fastapi"),
    "demo": ("web", "jinja2"),
    "local": ("local", "jwt"),
}


@pytest.mark.parametrize("command", MISSING)
def test_an_extra_that_is_missing_is_named(
    command: str, stack: LocalSupabase, tmp_path: Path
) -> None:
    extra, module = MISSING[command]
    # A folder on the path in which the module refuses to be imported.
    (tmp_path / f"{module}.py").write_text(
        f"raise ModuleNotFoundError('no {module}', name={module!r})"
    )
    code = "import sys; from training_versions.cli import main; sys.exit(main(sys.argv[1:]))"
    project = {"SUPABASE_URL": stack.url, "SUPABASE_KEY": stack.anon_key}

    done = subprocess.run(
        [sys.executable, "-c", code, command, *(["--api-only"] if command == "serve" else [])],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=os.environ | project | {"PYTHONPATH": str(tmp_path)},
    )

    assert done.returncode == 1
    assert f"{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["local"], ["serve", "--port", 0], ["demo"]])
def test_on_a_terminal_ctrl_c_ends_it(reader, arguments: list[object]) -> None:
    command = Terminal(*arguments)
    command.wait_for("ctrl-C")

    command.interrupt()

    ran = command.finish()
    assert ran.status == 130
    assert "Traceback" not in ran.plain
