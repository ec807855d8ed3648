"""PostgREST, which answers with the REST API on a Unix socket; Caddy passes requests on to it."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path

from .database import Database
from .files import replace_private, write_private
from .keys import Secrets
from .processes import Command, RunningPrograms

_NAME = "postgrest"
_SCHEMA_LOADED = "Schema cache loaded"
_CONFIG_LOADED = "Config reloaded"
# It answers once it has read the schema, and sees changes once it listens for them.
_READY_LINES = (_SCHEMA_LOADED, "Listening for notifications")


@dataclass(frozen=True)
class PostgrestServer:
    """One PostgREST, whose files are in one temporary folder."""

    program: Path
    folder: Path

    @property
    def socket(self) -> Path:
        """The Unix socket that it listens on."""
        return self.folder / "postgrest.sock"

    def start(
        self, programs: RunningPrograms, database: Database, secrets: Secrets, max_rows: int | None
    ) -> None:
        """Start PostgREST and wait until it answers and listens for changes of the schema."""
        config_file = self.folder / "postgrest.conf"
        write_verification_keys(self.folder, secrets)
        write_private(config_file, self._config(database, max_rows))
        running = programs.start(
            _NAME,
            Command([str(self.program), str(config_file)]),
            stop_signal=signal.SIGTERM,
            log_folder=self.folder,
        )

        def is_ready() -> bool:
            log = running.log.read_text(errors="replace")
            return all(line in log for line in _READY_LINES)

        running.wait_until_ready(is_ready)

    def _config(self, database: Database, max_rows: int | None) -> str:
        options: dict[str, str | int] = {
            "db-uri": database.url("authenticator"),
            "db-schemas": "public",
            "db-extra-search-path": "public, extensions",
            "db-anon-role": "anon",
            "db-pool": 20,
            # Many clients on few cores wait rather than fail.
            "db-pool-acquisition-timeout": 30,
            # EXPLAIN of a request, for whoever asks why one is slow.
            "db-plan-enabled": True,
            "jwt-secret": f"@{_keys_file(self.folder)}",
            "server-unix-socket": str(self.socket),
            "log-level": "error",
        }
        if max_rows is not None:
            options["db-max-rows"] = max_rows
        lines: list[str] = []
        for name, value in options.items():
            # The format writes texts, numbers and booleans as JSON does, except for \u escapes.
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}\n")
        return "".join(lines)


def _keys_file(folder: Path) -> Path:
    return folder / "verification_keys.json"


def write_verification_keys(folder: Path, secrets: Secrets) -> None:
    """Write the keys that tokens are verified with; PostgREST reads them when it is told to."""
    replace_private(_keys_file(folder), json.dumps(secrets.verification_keys()))


def count_schema_loads(folder: Path) -> int:
    """Count how often the PostgREST of this temporary folder has read the schema."""
    return read_log(folder).count(_SCHEMA_LOADED)


def count_config_loads(folder: Path) -> int:
    """Count how often the PostgREST of this temporary folder has read its keys again."""
    return read_log(folder).count(_CONFIG_LOADED)


def read_log(folder: Path) -> str:
    """Return what the PostgREST of this temporary folder has logged."""
    return (folder / f"{_NAME}.log").read_text(errors="replace")
