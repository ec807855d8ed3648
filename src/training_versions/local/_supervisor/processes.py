"""Starts programs, waits for them and ends them; knows nothing of what they are.

No program outlives the supervisor. When the supervisor stops, it ends them itself. When it is
killed, Linux sends each of them the signal that ends it; other systems have no such service.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .errors import LocalStackError
from .files import write_private

START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
_POLL_INTERVAL = 0.01
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def clean_environment() -> dict[str, str]:
    """Return the user's environment without the variables that would redirect a program."""
    # Messages in English: some are looked for in logs.
    environment = {"LC_ALL": "C.UTF-8"}
    for name, value in os.environ.items():
        # libpq reads PGHOST and others like it, PostgREST everything that starts with PGRST_.
        redirects = name.startswith("PG") or name.upper() in _PROXY_VARIABLES
        if not redirects and name != "LC_ALL":
            environment[name] = value
    return environment


@dataclass(frozen=True)
class SystemUser:
    """The user that a program runs as; None keeps what this process has."""

    uid: int | None
    gid: int | None
    extra_groups: tuple[int, ...] | None


SAME_USER = SystemUser(uid=None, gid=None, extra_groups=None)


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and what it gets from this process."""

    arguments: list[str]
    environment: dict[str, str] = field(default_factory=clean_environment)
    user: SystemUser = SAME_USER
    open_files: tuple[int, ...] = ()  # descriptors that stay open in the program

    @property
    def name(self) -> str:
        """The program's name, for messages."""
        return Path(self.arguments[0]).name


def run(command: Command, *, stdin: str = "", timeout: float = START_TIMEOUT) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        LocalStackError: It failed; the message has what it complained about.
    """
    try:
        done = subprocess.run(
            command.arguments,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
            # Not the folder of this process, which another user may not be allowed to enter.
            cwd="/",
            env=command.environment,
            user=command.user.uid,
            group=command.user.gid,
            extra_groups=command.user.extra_groups,
            pass_fds=command.open_files,
        )
    except subprocess.TimeoutExpired as exc:
        raise LocalStackError(f"{command.name} did not end within {timeout:.0f} seconds") from exc
    except OSError as exc:
        raise LocalStackError(f"{command.name} could not be started: {exc}") from exc
    if done.returncode != 0:
        # Some programs complain on standard output.
        complaint = done.stderr if done.stderr else done.stdout
        raise LocalStackError(f"{command.name} failed: {complaint.strip()[-4000:]}")
    return done.stdout


def wait_for(condition: Callable[[], bool], timeout: float) -> bool:
    """Wait until the condition holds; return False if it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_INTERVAL)
    return True


@dataclass(frozen=True)
class RunningProgram:
    """A program that runs until the supervisor ends it."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    log: Path

    def wait_until_ready(self, is_ready: Callable[[], bool]) -> None:
        """Wait until the program can be used.

        Raises:
            LocalStackError: It ended or took too long; the message has the end of its log.
        """

        def has_ended_or_is_ready() -> bool:
            return self.process.poll() is not None or is_ready()

        in_time = wait_for(has_ended_or_is_ready, START_TIMEOUT)
        exit_code = self.process.poll()
        if in_time and exit_code is None:
            return
        if exit_code is None:
            problem = f"starting {self.name} took longer than {START_TIMEOUT:.0f} seconds"
        else:
            problem = f"{self.name} ended with code {exit_code}"
        log = self.log.read_text(errors="replace").strip()
        raise LocalStackError(f"{problem}; the end of its log:\n{log[-3000:]}")


class RunningPrograms:
    """The programs that this process has started, in that order."""

    def __init__(self) -> None:
        self._programs: list[RunningProgram] = []

    def start(
        self, name: str, command: Command, *, stop_signal: signal.Signals, log_folder: Path
    ) -> RunningProgram:
        """Start a program; `stop_signal` ends it when this process stops or is killed."""
        log = log_folder / f"{name}.log"
        # A file, not a pipe: a pipe that nobody reads fills up, and then the program stops. Nobody
        # else reads it: PostgreSQL logs rows that it refuses.
        write_private(log, "")
        with log.open("ab") as output:
            process = subprocess.Popen(
                command.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=command.environment,
                user=command.user.uid,
                group=command.user.gid,
                extra_groups=command.user.extra_groups,
                pass_fds=command.open_files,
                preexec_fn=_signal_on_death_of_parent(stop_signal),
            )
        program = RunningProgram(name, process, stop_signal, log)
        self._programs.append(program)
        return program

    def stop(self) -> None:
        """End every program, the last one first; one that does not end in time is killed."""
        latest_first = list(reversed(self._programs))
        for program in latest_first:
            program.process.send_signal(program.stop_signal)
        # One deadline for all of them: they end side by side.
        deadline = time.monotonic() + STOP_TIMEOUT
        for program in latest_first:
            try:
                program.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()


def _signal_on_death_of_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return what a child must do first so that the death of this process ends it as well."""
    if sys.platform != "linux":
        return None
    # PR_SET_PDEATHSIG of <sys/prctl.h>. The library is loaded here, before the fork: a child
    # should do as little as it can between fork and exec.
    set_parent_death_signal = 1
    return partial(ctypes.CDLL(None).prctl, set_parent_death_signal, int(number))
