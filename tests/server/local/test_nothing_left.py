"""However the program ends that uses a stack, no process and no temporary folder stays behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from training_versions.local import LocalSupabase

REPOSITORY = Path(__file__).parents[3]

START_STACK = """
import json, sys, time
from training_versions.local import LocalSupabase

stack = LocalSupabase(migrations=None, data_dir=json.loads(sys.argv[1]))
stack.start()
state = {
    "url": stack.url,
    "folder": str(stack._running.temporary_folder),
    "supervisor": stack._supervisor.pid,
}
print(json.dumps(state), flush=True)
"""
WAIT = "time.sleep(120)"


@dataclass
class Program:
    """A program that uses a stack, and every process of that stack."""

    process: subprocess.Popen[str]
    url: str
    folder: Path
    supervisor: psutil.Process
    stack: list[psutil.Process]

    def is_gone(self) -> bool:
        return not self.folder.exists() and not any(is_alive(process) for process in self.stack)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.02)


def read_line(stream: IO[str] | None) -> str:
    assert stream is not None
    with ThreadPoolExecutor(1) as reader:
        return reader.submit(stream.readline).result(60)


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    processes: list[subprocess.Popen[str]] = []

    def start(data_dir: Path | None = None) -> Program:
        argument = json.dumps(data_dir, default=str)
        process = subprocess.Popen(
            [sys.executable, "-c", START_STACK + WAIT, argument],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=REPOSITORY,
            start_new_session=True,
        )
        processes.append(process)
        state: dict[str, Any] = json.loads(read_line(process.stdout))
        supervisor = psutil.Process(state["supervisor"])
        children = supervisor.children(recursive=True)
        assert {"postgres", "postgrest", "caddy"} <= {child.name() for child in children}
        stack = [supervisor, *children]
        return Program(process, state["url"], Path(state["folder"]), supervisor, stack)

    yield start

    for process in processes:
        process.kill()
        process.communicate(timeout=20)


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    """A terminal sends the signal to the whole group of processes."""
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(subprocess.Popen.terminate, id="SIGTERM"),
        pytest.param(subprocess.Popen.kill, id="SIGKILL"),
        pytest.param(press_ctrl_c, id="ctrl-C"),
    ],
)
def test_no_process_and_no_folder_is_left_when_the_program_is_ended_by(
    program: Callable[..., Program], end: Callable[[subprocess.Popen[str]], None]
) -> None:
    running = program()

    end(running.process)

    wait_until(running.is_gone)


def test_no_process_and_no_folder_is_left_when_the_program_ends_without_stopping_it() -> None:
    command = [sys.executable, "-W", "error", "-c", START_STACK, "null"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.stderr == ""
    state = json.loads(done.stdout)
    assert not Path(state["folder"]).exists()
    assert not psutil.pid_exists(state["supervisor"])


def test_a_kept_folder_starts_again_at_once_after_kill_9_of_the_program(
    program: Callable[..., Program], folder: Path
) -> None:
    running = program(data_dir=folder / "data")
    running.process.kill()

    with LocalSupabase(folder / "data", migrations=None) as stack:
        assert stack.url != running.url

    wait_until(running.is_gone)


def test_a_kept_folder_starts_again_at_once_after_kill_9_of_the_supervisor(
    program: Callable[..., Program], folder: Path
) -> None:
    running = program(data_dir=folder / "data")
    running.supervisor.kill()

    with LocalSupabase(folder / "data", migrations=None) as stack:
        assert stack.psql("select 1") == "1\n"

    if sys.platform == "linux":  # elsewhere only PostgreSQL is found again
        wait_until(lambda: not any(is_alive(process) for process in running.stack))
    shutil.rmtree(running.folder, ignore_errors=True)
