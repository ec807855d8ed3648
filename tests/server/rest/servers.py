"""A server of its own process, for tests about what is on the wire or about many requests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psutil

from training_versions.local import LocalSupabase

WAIT = 20


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    port: int
    process: psutil.Process


@contextmanager
def serve(
    stack: LocalSupabase, factory: str = "training_versions.rest:create_app"
) -> Iterator[Server]:
    """Serve the endpoints with uvicorn until the block ends."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if "SUPABASE" not in name}
    environment |= {
        "SUPABASE_URL": stack.url,
        "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key,
        "PYTHONWARNINGS": "error",
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", str(port)]
    options = ["--log-level", "warning", "--no-access-log"]
    process = subprocess.Popen([*command, *options], env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/training/health", process)
        yield Server(f"http://127.0.0.1:{port}", port, psutil.Process(process.pid))
    finally:
        process.terminate()
        # uvicorn ends in order, and then by the signal that it was sent.
        assert process.wait(WAIT) in (0, -signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        try:
            httpx.get(url)
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing answers at {url}")
