"""Run the embedded stack and web servers in the foreground, until they are stopped.

Ctrl-C and SIGTERM have the same effect: everything that was started is stopped, and the command
ends with the exit status that shells expect for the signal.
"""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from training_versions.cli.exits import FAILED, TERMINATED, CommandError, usage

if TYPE_CHECKING:
    from training_versions.local import LocalSupabase


@contextmanager
def ending_on_sigterm() -> Generator[None, None, None]:
    """Make SIGTERM raise an exception, as ctrl-C does, so that everything is stopped."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def local_stack(**options: Any) -> Generator[LocalSupabase, None, None]:
    """Run the embedded stack.

    Args:
        **options: The arguments of `LocalSupabase`.

    Raises:
        CommandError: The stack cannot start, or the extra is missing.
    """
    try:
        from training_versions.local import LocalStackError, LocalSupabase
    except ImportError as exc:
        raise missing_extra("local", "the embedded stack", exc) from None
    try:
        stack = LocalSupabase(**options)
        stack.start()
    except LocalStackError as exc:
        raise CommandError(f"the embedded stack does not start: {exc}", status=FAILED) from exc
    with stack:
        yield stack


def missing_extra(
    extra: str, what: str, exc: ImportError, *, install: str | None = None
) -> CommandError:
    """Return the error for a missing module. `install` names further extras to install."""
    if exc.name is None:
        # No module is missing: the system is not supported.
        return CommandError(str(exc), status=FAILED)
    return CommandError(
        f"{what} needs the extra {extra!r}: there is no module {exc.name}",
        hint=f"pip install 'training-versions[{install or extra}]'",
        status=FAILED,
    )


def wait_for_a_signal() -> None:
    """Wait for ctrl-C or SIGTERM."""
    # Without a timeout, a signal does not interrupt the wait on every system.
    never = threading.Event()
    while not never.wait(3600):
        pass


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Port 0 selects a free port.

    Raises:
        CommandError: The address is in use or invalid.
    """
    if not host:
        # For a socket, an empty host means all addresses of this machine.
        raise usage(
            "--host is empty", hint="127.0.0.1 is this machine alone, 0.0.0.0 every address."
        )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as exc:
        # Python appends the address in brackets, which this message already names.
        reason = (exc.strerror or str(exc)).partition(" (while")[0]
        hint = "Is --host an address of this machine?"
        if exc.errno in (errno.EADDRINUSE, errno.EACCES):
            hint = "Choose another one with --port, or any free one with --port 0."
        raise usage(f"cannot listen at {host}, port {port}: {reason}", hint=hint) from None


def address_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket for a browser."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"


def serve(app: Any, listener: socket.socket, *, when_ready: Callable[[], object]) -> None:
    """Serve an application until ctrl-C or SIGTERM, which is raised after the shutdown.

    Args:
        app: An ASGI application.
        listener: The listening socket.
        when_ready: Called when the server is ready.

    Raises:
        CommandError: The application does not start.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                when_ready()

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # A second ctrl-C would abort the shutdown with a traceback, so it is ignored.
            if not self.should_exit:
                super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        # If httptools is installed, uvicorn would use it. It does not limit the size of
        # headers, so an endless header would fill the memory.
        http="h11",
        lifespan="on",
        log_level="warning",
        server_header=False,
        # Do not wait long for open pages, which keep their connections.
        timeout_graceful_shutdown=3,
    )
    server = Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise CommandError("the server does not start; what it wrote above says why")
