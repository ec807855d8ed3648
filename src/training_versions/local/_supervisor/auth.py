"""Starts the auth server, which answers under `/auth/v1`; it is the folder `auth_server`."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from .database import Database
from .files import write_private
from .processes import Command, RunningProgram, RunningPrograms

_NAME = "auth"
_READY = "The auth server is ready."
_RUN = (
    "import sys; sys.path.append(sys.argv[1]);"
    " from _supervisor.auth_server.main import main; main()"
)
# As for the supervisor; the folders of installed packages come with the settings.
_PYTHON_OPTIONS = ("-I", "-S", "-X", "utf8")


@dataclass(frozen=True)
class AuthServer:
    """One auth server, whose files are in one temporary folder."""

    folder: Path

    @property
    def socket(self) -> Path:
        """The Unix socket that it listens on."""
        return self.folder / "auth.sock"

    def start(
        self,
        programs: RunningPrograms,
        database: Database,
        *,
        data_dir: Path,
        issuer: str,
        python_path: list[str],
    ) -> RunningProgram:
        """Start the server, without waiting until it answers."""
        settings = {
            "socket": str(self.socket),
            "data_dir": str(data_dir),
            "bin_folder": str(database.bin_folder),
            "database_port": database.port,
            "issuer": issuer,
            "python_path": python_path,
        }
        settings_file = self.folder / "auth.json"
        write_private(settings_file, json.dumps(settings))
        local = str(Path(__file__).resolve().parents[1])
        arguments = [sys.executable, *_PYTHON_OPTIONS, "-c", _RUN, local, str(settings_file)]
        return programs.start(
            _NAME, Command(arguments), stop_signal=signal.SIGTERM, log_folder=self.folder
        )


def wait_until_ready(running: RunningProgram) -> None:
    """Wait until the server answers."""
    running.wait_until_ready(lambda: _READY in running.log.read_text(errors="replace"))
