"""Where the process of the auth server starts."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

READY = "The auth server is ready."


def main() -> None:
    """Serve until a signal ends the process. The argument is a file: see `auth.py`."""
    settings = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    # Where the program that uses the stack finds its packages. At the end, so that nothing in it
    # can hide a module of the standard library.
    sys.path.extend(settings.pop("python_path"))
    # Nobody else may connect to the socket, and so get past the gateway.
    os.umask(0o077)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(settings.pop("socket"))
    _serve(listener, settings)


def _serve(listener: socket.socket, settings: dict[str, str]) -> None:
    # They are found only now.
    import uvicorn

    from .app import make_app
    from .users import Users

    app = make_app(Users.from_settings(settings), on_start=_say_ready)
    config = uvicorn.Config(
        app, log_level="error", access_log=False, timeout_graceful_shutdown=2, ws="none"
    )
    uvicorn.Server(config).run(sockets=[listener])


def _say_ready() -> None:
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
