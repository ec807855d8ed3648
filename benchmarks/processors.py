"""Processor time of the programs behind a request: what noise on the machine hardly moves.

A wall clock measures the neighbours, too. The processor time of a process does not: Linux keeps it
in nanoseconds, all threads together, and lets anybody read it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil
import psycopg

from training_versions.local import LocalSupabase

_CLIENT_BACKENDS = "select pid from pg_stat_activity where backend_type = 'client backend'"


@dataclass(frozen=True)
class ProcessorTime:
    """Seconds of processor time, by program."""

    database: float
    """The backend processes of PostgreSQL, which carry out statements."""
    postgrest: float
    gateway: float
    mlflow: float = 0.0
    """MLflow's server and client."""
    client: float = 0.0
    """This program: the peer itself."""

    def __sub__(self, earlier: ProcessorTime) -> ProcessorTime:
        return ProcessorTime(
            self.database - earlier.database,
            self.postgrest - earlier.postgrest,
            self.gateway - earlier.gateway,
            self.mlflow - earlier.mlflow,
            self.client - earlier.client,
        )

    @property
    def total(self) -> float:
        """All programs together."""
        return self.database + self.postgrest + self.gateway + self.mlflow + self.client


class Processors:
    """The programs of a stack that runs on this machine."""

    def __init__(self, stack: LocalSupabase) -> None:
        self._connection = psycopg.connect(stack.admin_db_url, autocommit=True)
        self._postgrest = self._find("postgrest")
        self._gateway = self._find("caddy")
        self._backends: list[int] = []
        self.mlflow: list[int] = []
        """The processes of MLflow, if it runs."""

    def close(self) -> None:
        """Close the connection to the database."""
        self._connection.close()

    def find_backends(self) -> None:
        """Look which connections PostgREST has opened by now."""
        rows = self._connection.execute(_CLIENT_BACKENDS).fetchall()
        mine = self._connection.info.backend_pid
        self._backends = [pid for (pid,) in rows if pid != mine]

    def read(self) -> ProcessorTime:
        """Read the clocks."""
        return ProcessorTime(
            database=sum(map(_processor_time, self._backends)),
            postgrest=_processor_time(self._postgrest),
            gateway=_processor_time(self._gateway),
            mlflow=sum(map(_processor_time, self.mlflow)),
            client=time.process_time(),
        )

    def _find(self, program: str) -> int:
        for process in psutil.Process().children(recursive=True):
            if process.name().startswith(program):
                return process.pid
        raise RuntimeError(f"the stack has no process {program}")


def _processor_time(pid: int) -> float:
    """Return the processor time of another process; 0 if it has ended."""
    # What clock_getcpuclockid() returns for a process.
    clock = (~pid << 3) | 2
    try:
        return time.clock_gettime(clock)
    except OSError:
        return 0.0
