"""What the tests of the command line share: somebody who is signed in, and ways to run a command.

Most commands run in this process, with real pipes or a real pseudo-terminal in place of the
streams: starting Python and importing the client takes half a second each time.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import jsonschema_rs
import pytest

import training_versions.cli
from training_versions import PackageRepository, VersionRepository
from training_versions.cli import main
from training_versions.local import LocalSupabase

PROGRAM = Path(sys.executable).with_name("training-versions")
SCHEMA = Path(training_versions.cli.__file__).with_name("output-schema.json")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
TIMEOUT = 60


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    status: int
    out: str
    err: str = ""

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def plain(self) -> str:
        """What a terminal shows, without colours and without blanks at the ends of lines."""
        text = ANSI.sub("", self.out.replace("\r\n", "\n"))
        return "\n".join(line.rstrip() for line in text.split("\n"))

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine that runs the tests."""
    for name in [name for name in os.environ if name.startswith("SUPABASE_")]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "EDITOR", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TERM", "xterm-256color")


@dataclass
class Person:
    """Somebody who is signed in, with the SDK to look at what commands did."""

    email: str
    token: str
    packages: PackageRepository
    versions: VersionRepository

    def package(self, name: str = "support-bot", **given: Any) -> Any:
        usual = {"template_type": "lora_finetuning", "config": {"r": 8}}
        return self.packages.create(name, **usual | given)

    def draft(self, package: Any, rank: int = 8, **given: Any) -> Any:
        usual = {"config": {"lora": {"r": rank}}, "model": {"id": "m"}, "dataset": []}
        return self.versions.create_draft(package.id, **usual | given)

    def published(self, package: Any, rank: int = 8, **given: Any) -> Any:
        return self.versions.publish(self.draft(package, rank, **given).id)


@pytest.fixture
def person(stack: LocalSupabase, unique: Callable[[str], str]) -> Callable[[], Person]:
    """Signs somebody new up."""

    def sign_up() -> Person:
        email = unique("ada@")
        client = stack.sign_in(email)
        session = client.auth.get_session()
        assert session is not None
        return Person(
            email, session.access_token, PackageRepository(client), VersionRepository(client)
        )

    return sign_up


@pytest.fixture
def ada(
    stack: LocalSupabase, person: Callable[[], Person], monkeypatch: pytest.MonkeyPatch
) -> Person:
    """Somebody who is signed in by the environment of the commands."""
    somebody = person()
    monkeypatch.setenv("SUPABASE_URL", stack.url)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", stack.publishable_key)
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", somebody.token)
    return somebody


@pytest.fixture(scope="module")
def standing(stack: LocalSupabase) -> Person:
    """Somebody whose package nobody changes, for tests that only read or are refused."""
    client = stack.sign_in(f"standing-{uuid4()}@example.com")
    session = client.auth.get_session()
    assert session is not None
    made = Person("", session.access_token, PackageRepository(client), VersionRepository(client))
    _fill(made)
    return made


@pytest.fixture
def reader(stack: LocalSupabase, standing: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    """The same person, signed in by the environment of the commands."""
    monkeypatch.setenv("SUPABASE_URL", stack.url)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", stack.publishable_key)
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", standing.token)
    return standing


@pytest.fixture
def bot(ada: Person) -> Any:
    """A package with a published version 1 and a draft, 2."""
    return _fill(ada)


def _fill(somebody: Person) -> Any:
    package = somebody.package("support-bot")
    somebody.published(package, 8, change_summary="rank 8")
    somebody.draft(package, 16, change_summary="rank 16", budget_limit="1250.50")
    return package


# --- running commands


class _Reader(threading.Thread):
    """Reads the other end until it is closed, so that no writer waits for it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self._descriptor = descriptor
        self._read = b""
        self.start()

    def run(self) -> None:
        while True:
            try:
                block = os.read(self._descriptor, 65536)
            except OSError:  # how a pseudo-terminal says that nobody writes to it any more
                break
            if not block:
                break
            self._read += block
        os.close(self._descriptor)

    def text(self) -> str:
        self.join(TIMEOUT)
        assert not self.is_alive()
        return self._read.decode()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """Runs a command in this process, with pipes as its streams."""

    def piped(*arguments: object, stdin: str = "") -> Ran:
        source = tmp_path / "stdin"
        source.write_text(stdin, encoding="utf-8")
        out_end, out = os.pipe()
        err_end, err = os.pipe()
        readers = (_Reader(out_end), _Reader(err_end))
        with (
            source.open(encoding="utf-8") as stdin_file,
            open(out, "w", encoding="utf-8") as out_file,
            open(err, "w", encoding="utf-8") as err_file,
        ):
            status = _run_with(monkeypatch, (stdin_file, out_file, err_file), arguments)
        return Ran(status, readers[0].text(), readers[1].text())

    return piped


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a command in this process, with a pseudo-terminal as its streams."""

    def on_terminal(*arguments: object, columns: int = 80, typed: str = "") -> Ran:
        monkeypatch.setenv("COLUMNS", str(columns))
        ours, theirs = pty.openpty()
        os.write(ours, typed.encode())
        reader = _Reader(ours)
        with (
            open(os.dup(theirs), encoding="utf-8") as stdin_file,
            open(os.dup(theirs), "w", encoding="utf-8") as out_file,
            open(theirs, "w", encoding="utf-8") as err_file,
        ):
            status = _run_with(monkeypatch, (stdin_file, out_file, err_file), arguments)
        return Ran(status, reader.text())

    return on_terminal


def _run_with(
    monkeypatch: pytest.MonkeyPatch,
    streams: tuple[TextIO, TextIO, TextIO],
    arguments: tuple[object, ...],
) -> int:
    with monkeypatch.context() as patched:
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patched.setattr(sys, name, stream)
        return main([str(argument) for argument in arguments])


def spawn(*arguments: object, stdin: str = "", **options: Any) -> Ran:
    """Run a command as a program of its own, with pipes as its streams."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        **options,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class Terminal:
    """A command as a program of its own, with a terminal that it controls."""

    def __init__(self, *arguments: object, columns: int = 80) -> None:
        command = [str(PROGRAM), *map(str, arguments)]
        self._child, self._ours = pty.fork()
        if self._child == 0:  # pragma: no cover
            # A shell without job control has its programs in the background ignore ctrl-C.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execv(command[0], command)
        size = struct.pack("HHHH", 40, columns, 0, 0)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, size)
        self.shown = ""
        self._status: int | None = None

    def wait_for(self, text: str) -> None:
        """Read until a text is on the screen."""
        until = time.monotonic() + TIMEOUT
        while text not in self.shown:
            assert self._read(until), f"{text!r} never came, but:\n{self.shown}"

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Press ctrl-C until the command has ended.

        Python forgets one that comes after the question is printed and before it waits for a line.
        """
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until:
            self.type("\x03")
            next_press = time.monotonic() + 2
            while (left := next_press - time.monotonic()) > 0:
                ready, _, _ = select.select([self._ours], [], [], left)
                if ready and not self._read(until):
                    return

    def finish(self) -> Ran:
        """Read to the end."""
        until = time.monotonic() + TIMEOUT
        while self._read(until):
            pass
        _, status = os.waitpid(self._child, 0)
        self._status = os.waitstatus_to_exitcode(status)
        os.close(self._ours)
        return Ran(self._status, self.shown)

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0, until - time.monotonic()))
        assert ready, f"nothing more came after:\n{self.shown}"
        try:
            block = os.read(self._ours, 65536)
        except OSError:
            return False
        self.shown += block.decode()
        return bool(block)


# --- what --json prints


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    """The schema that ships."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


@pytest.fixture
def validated(run: Callable[..., Ran], schema: dict[str, Any]) -> Callable[..., Any]:
    """Runs a command with `--json`, and gives what it prints once that fits the schema."""

    def check(*arguments: object, stdin: str = "", status: int = 0) -> Any:
        ran = run(*arguments, "--json", stdin=stdin)
        assert ran.status == status, ran.err
        name = str(arguments[0])
        if name not in schema["properties"]:
            name = f"{name} {arguments[1]}"
        part = {"$defs": schema["$defs"], **schema["properties"][name]}
        jsonschema_rs.validate(part, ran.json)
        return ran.json

    return check
