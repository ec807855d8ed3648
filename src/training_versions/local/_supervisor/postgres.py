"""The PostgreSQL server: makes its files, starts on them, and ends one that was left behind.

`pgdata` is the folder of those files, which PostgreSQL calls a database cluster.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import LocalStackError
from .files import write_private
from .processes import STOP_TIMEOUT, Command, RunningPrograms, SystemUser, run, wait_for
from .unprivileged import hand_over, reachable_folder

_START_ATTEMPTS = 6
_PAUSE_BETWEEN_ATTEMPTS = 0.2
# Another program took the port, or the server before this one has not quite ended. They are known
# by their text in the log, as PostgreSQL ends with the same code whatever is wrong.
_PASSING_FAILURES = ("Address already in use", "pre-existing shared memory block")

# Faster, and unsafe when the machine crashes: for data that nobody keeps.
_SETTINGS_OF_TEMPORARY_DATA = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

# Lines of `postmaster.pid`, counted from 0.
_PID_LINE = 0
_STATUS_LINE = 7


@dataclass(frozen=True)
class PostgresServer:
    """One PostgreSQL on one `pgdata`."""

    bin_folder: Path
    pgdata: Path
    user: SystemUser
    is_kept: bool  # whether the data outlive this run

    def create_cluster(self, password: str, temporary_folder: Path) -> None:
        """Make `pgdata` with initdb; it has that name only when it is complete."""
        unfinished = self.pgdata.with_name("pgdata.unfinished")
        # There is one if an earlier start was killed.
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(0o700)
        hand_over(unfinished, self.user)
        password_file = temporary_folder / "password"
        write_private(password_file, password)
        hand_over(password_file, self.user)

        self._run_initdb(unfinished, password_file)

        password_file.unlink()
        unfinished.rename(self.pgdata)

    def _run_initdb(self, folder: Path, password_file: Path) -> None:
        reachable = reachable_folder(folder, self.user)
        arguments = [
            f"{self.bin_folder}/initdb",
            f"--pgdata={reachable.name}",
            "--username=supabase_admin",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            "--encoding=UTF8",
        ]
        # The same order and the same upper case everywhere, whatever locales the system has.
        if self._program_version() >= 17:
            arguments.append("--locale=C")
            arguments.append("--locale-provider=builtin")
            arguments.append("--builtin-locale=C.UTF-8")
        else:
            arguments.append("--locale=C.UTF-8")
        if not self.is_kept:
            arguments.append("--no-sync")
        run(Command(arguments, user=self.user, open_files=reachable.open_files))

    def start(self, programs: RunningPrograms, log_folder: Path) -> int:
        """Start the server, wait until it accepts connections, and return its port."""
        self._check_version_of_data()
        _stop_leftover_server(self.pgdata)
        for _ in range(_START_ATTEMPTS - 1):
            try:
                return self._start_once(programs, log_folder)
            except LocalStackError as failure:
                if not any(text in str(failure) for text in _PASSING_FAILURES):
                    raise
            time.sleep(_PAUSE_BETWEEN_ATTEMPTS)
        return self._start_once(programs, log_folder)

    def _start_once(self, programs: RunningPrograms, log_folder: Path) -> int:
        reachable = reachable_folder(self.pgdata, self.user)
        port = _find_free_port()
        settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        if not self.is_kept:
            settings.extend(_SETTINGS_OF_TEMPORARY_DATA)
        arguments = [f"{self.bin_folder}/postgres", "-D", reachable.name]
        for setting in settings:
            arguments.extend(("-c", setting))

        program = programs.start(
            "postgres",
            Command(arguments, user=self.user, open_files=reachable.open_files),
            stop_signal=self._stop_signal(),
            log_folder=log_folder,
        )
        program.wait_until_ready(lambda: _read_pid_file(self.pgdata, _STATUS_LINE) == "ready")
        return port

    def _stop_signal(self) -> signal.Signals:
        if self.is_kept:
            # "Fast shutdown": ends every session and writes everything to `pgdata`.
            return signal.SIGINT
        # "Immediate shutdown": does not write what nobody will read.
        return signal.SIGQUIT

    def _check_version_of_data(self) -> None:
        data_version = (self.pgdata / "PG_VERSION").read_text().strip()
        program_version = self._program_version()
        if data_version != str(program_version):
            raise LocalStackError(
                f"{self.pgdata} was made by PostgreSQL {data_version},"
                f" and this is {program_version}; choose another data_dir"
            )

    def _program_version(self) -> int:
        """Return the major version, from a line such as "postgres (PostgreSQL) 18.6"."""
        printed = run(Command([f"{self.bin_folder}/postgres", "--version"], user=self.user))
        match = re.search(r"\) (\d+)", printed)
        if match is None:
            return 0
        return int(match.group(1))


def _find_free_port() -> int:
    """Return a port that is free now; another program may take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _read_pid_file(pgdata: Path, line: int) -> str:
    """Return a line of the file that a running server keeps, or nothing when it has none."""
    try:
        return (pgdata / "postmaster.pid").read_text().splitlines()[line].strip()
    except (FileNotFoundError, IndexError):
        return ""


def _stop_leftover_server(pgdata: Path) -> None:
    """Stop a server of this folder that outlived its supervisor.

    The caller holds the lock on the folder, so no other stack is using that server.
    """
    line = _read_pid_file(pgdata, _PID_LINE)
    if not line.isdecimal():
        return
    pid = int(line)
    if _is_server_of(pgdata, pid):
        os.kill(pid, signal.SIGINT)
        if not wait_for(lambda: not _is_server_of(pgdata, pid), STOP_TIMEOUT):
            raise LocalStackError(
                "stopping a PostgreSQL left over from an earlier start"
                f" took longer than {STOP_TIMEOUT:.0f} seconds"
            )
    # The number may be that of another process by now, and then PostgreSQL would not start.
    (pgdata / "postmaster.pid").unlink(missing_ok=True)


def _is_server_of(pgdata: Path, pid: int) -> bool:
    """Whether this process is a PostgreSQL that runs on this folder."""
    if sys.platform == "linux":
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            # A server works in its `pgdata`, under whatever name it was handed the folder.
            return name == "postgres" and Path(f"/proc/{pid}/cwd").samefile(pgdata)
        except OSError:
            return False
    command = ["ps", "-o", "command=", "-p", str(pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"-D {pgdata} " in listed.stdout
