"""Caddy, the gateway: answers at the stack's address as that of a hosted project does."""

from __future__ import annotations

import http.client
import signal
import socket
from pathlib import Path

from .errors import LocalStackError
from .keys import Secrets
from .processes import Command, RunningPrograms, clean_environment

_CADDYFILE = Path(__file__).resolve().with_name("Caddyfile")
_BACKLOG = 512


def listen(port: int) -> socket.socket:
    """Take a port of the loopback interface; 0 takes a free one.

    Raises:
        LocalStackError: It cannot be used.
    """
    try:
        return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    except OSError as exc:
        raise LocalStackError(
            f"port {port} of 127.0.0.1 cannot be used ({exc.strerror}); choose another, or 0"
        ) from exc


def start_caddy(
    programs: RunningPrograms,
    program: Path,
    *,
    listener: socket.socket,
    postgrest_socket: Path,
    auth_socket: Path,
    secrets: Secrets,
    folder: Path,
) -> None:
    """Start Caddy on a socket that listens already, and wait until it answers."""
    port: int = listener.getsockname()[1]
    environment = clean_environment()
    # Caddy writes nothing into the user's folders.
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        environment[name] = str(folder)
    environment["TV_LISTEN"] = str(listener.fileno())
    environment["TV_POSTGREST"] = str(postgrest_socket)
    environment["TV_AUTH"] = str(auth_socket)
    environment["TV_PUBLISHABLE_KEY"] = secrets.publishable_key
    environment["TV_SECRET_KEY"] = secrets.secret_key
    environment["TV_ANON_KEY"] = secrets.anon_key
    environment["TV_SERVICE_KEY"] = secrets.service_key
    arguments = [str(program), "run", "--config", str(_CADDYFILE), "--adapter", "caddyfile"]

    running = programs.start(
        "caddy",
        Command(arguments, environment, open_files=(listener.fileno(),)),
        stop_signal=signal.SIGTERM,
        log_folder=folder,
    )
    # Caddy has its own copy now. If it fails, a connection is refused rather than left waiting.
    listener.close()
    running.wait_until_ready(lambda: _answers(port))


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
