"""Starts the process of the folder `_supervisor`, and ends it."""

from __future__ import annotations

import selectors
import shutil
import subprocess
import sys
from pathlib import Path

from ._supervisor.errors import LocalStackError
from ._supervisor.messages import Settings, StartedStack

# The supervisor's own limits are shorter; these are for a supervisor that hangs.
_START_TIMEOUT = 240.0
_STOP_TIMEOUT = 40.0

# The supervisor uses the standard library only. Its folder is imported as a package of its own,
# because importing it by way of `training_versions` would load pydantic and more. The path goes to
# the end, so that nothing in it can hide a module of the standard library.
_RUN_SUPERVISOR = (
    "import sys; sys.path.append(sys.argv[1]); from _supervisor.main import main; main()"
)
# -I and -S: neither variables of the user's environment nor installed packages change how it runs.
# UTF-8 whatever the locale is: that is how both sides write what they send to each other.
_PYTHON_OPTIONS = ("-I", "-S", "-X", "utf8")


class SupervisorProcess:
    """The process that runs one stack."""

    def __init__(self) -> None:
        folder = str(Path(__file__).resolve().parent)
        self._process = subprocess.Popen(
            [sys.executable, *_PYTHON_OPTIONS, "-c", _RUN_SUPERVISOR, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What there is to say comes with the reply.
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            # Ctrl-C is for the program that uses the stack; the supervisor sees that program end.
            start_new_session=True,
        )
        self._temporary_folder: Path | None = None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def start_stack(self, settings: Settings) -> StartedStack:
        """Send the settings and wait until the stack answers.

        Raises:
            LocalStackError: It cannot start; the caller is to `stop` the process.
        """
        self._send(settings.to_json())
        started = StartedStack.from_json(self._receive())
        self._temporary_folder = started.temporary_folder
        return started

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _receive(self) -> str:
        output = self._process.stdout
        assert output is not None
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            has_replied = bool(selector.select(_START_TIMEOUT))
        if not has_replied:
            raise LocalStackError(
                f"the local stack did not start within {_START_TIMEOUT:.0f} seconds"
            )
        line = output.readline()
        if not line:
            exit_code = self._process.wait(10)
            raise LocalStackError(f"the local stack ended while it started (code {exit_code})")
        return line

    def stop(self) -> None:
        """End the process, which ends its programs and removes what is temporary."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        if self._temporary_folder is not None:
            # Still there if the supervisor was killed.
            shutil.rmtree(self._temporary_folder, ignore_errors=True)
