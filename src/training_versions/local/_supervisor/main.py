"""Where the supervisor's process starts, and how it knows when to end.

It reads its settings as one line from standard input, replies with one line, and then waits for
standard input to close. The system closes it when the program that uses the stack ends, in whatever
way: so nothing is left behind, and that program needs no signal handlers.
"""

from __future__ import annotations

import signal
import sys

from .errors import LocalStackError
from .messages import Settings, error_to_json
from .supervisor import Supervisor

_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> None:
    """Run one stack until standard input closes or a signal ends it."""
    for number in _ENDING_SIGNALS:
        signal.signal(number, _exit)
    supervisor = Supervisor(Settings.from_json(sys.stdin.readline()))
    try:
        _reply(supervisor.start().to_json())
        # Nothing more is written there: this returns when it closes.
        sys.stdin.read()
    except LocalStackError as exc:
        _reply(error_to_json(str(exc)))
    except Exception as exc:
        _reply(error_to_json(f"{type(exc).__name__}: {exc}"))
    finally:
        # A second signal does not interrupt the clearing up.
        for number in _ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()


def _exit(number: int, frame: object) -> None:
    """End the process by way of the `finally` in `main`."""
    raise SystemExit(0)


def _reply(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
