"""MLflow's registry as a peer: `mlflow server` on the same PostgreSQL, in a database of its own.

Server and client run in `.venv-mlflow`. The client is MLflow's own, in a process that is told what
to do (`mlflow_worker.py`).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psutil
import psycopg

from training_versions.local import LocalSupabase

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parent / ".venv-mlflow" / "bin"
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}


def is_installed() -> bool:
    """Return whether the environment of MLflow is there."""
    return (ENVIRONMENT / "mlflow").exists()


class Mlflow:
    """A server and a client of MLflow. Has no `get_by_id` and no lists of summaries."""

    name = "MLflow"

    def __init__(self, stack: LocalSupabase) -> None:
        with psycopg.connect(stack.admin_db_url, autocommit=True) as connection:
            connection.execute("create database mlflow")
        parts = urlsplit(stack.admin_db_url)
        database = urlunsplit(parts._replace(scheme="postgresql+psycopg2", path="/mlflow"))
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        environment = os.environ | QUIET
        self._server = subprocess.Popen(
            [
                *(ENVIRONMENT / "mlflow", "server", "--backend-store-uri", database),
                *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_healthy(url)
            self._worker = subprocess.Popen(
                [ENVIRONMENT / "python", HERE / "mlflow_worker.py", url],
                env=environment,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            _end(self._server)
            raise

    @property
    def pids(self) -> list[int]:
        """Its processes, whose processor time counts."""
        server = psutil.Process(self._server.pid)
        return [
            server.pid,
            *(each.pid for each in server.children(recursive=True)),
            self._worker.pid,
        ]

    def fill(self) -> None:
        """Make its model versions."""
        self._tell("fill")

    def close(self) -> None:
        """End its processes."""
        _end(self._worker)
        _end(self._server)

    def __getattr__(self, operation: str) -> Callable[[], Callable[[], Any]]:
        """Return what prepares an operation and returns the call, as methods of other peers do."""
        if operation.startswith("_") or operation in ("get_by_id", "list_100"):
            raise AttributeError(operation)

        def prepare() -> Callable[[], Any]:
            self._tell("prepare", operation)
            return lambda: self._tell("call")

        return prepare

    def _tell(self, *command: str) -> dict[str, float]:
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(json.dumps(command) + "\n")
        self._worker.stdin.flush()
        line = self._worker.stdout.readline()
        if not line:
            raise RuntimeError(f"MLflow's client ended at {command}")
        return json.loads(line)


def _wait_until_healthy(url: str) -> None:
    for _ in range(240):
        try:
            if httpx.get(f"{url}/health", trust_env=False, timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError("mlflow server did not start")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _end(process: subprocess.Popen[Any]) -> None:
    """End a process and its children."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
    for child in children:
        if child.is_running():
            child.kill()
