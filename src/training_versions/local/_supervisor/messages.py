"""What `LocalSupabase` and the supervisor say to each other: one line of JSON in each direction."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from .errors import LocalStackError
from .keys import Secrets

_PATHS = ("data_dir", "migrations", "postgres_bin", "postgrest", "caddy")


@dataclass(frozen=True)
class Settings:
    """What the supervisor is to start."""

    data_dir: Path | None  # None: a temporary folder
    port: int  # 0: any free port
    migrations: Path | None
    postgres_bin: Path
    postgrest: Path
    caddy: Path
    max_rows: int | None
    default_privileges: bool
    python_path: list[str]  # where the auth server finds its packages
    new_secrets: Secrets  # of a data folder that is new

    def to_json(self) -> str:
        """Write the settings as one line."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read what `to_json` wrote."""
        fields = json.loads(line)
        for name in _PATHS:
            if fields[name] is not None:
                fields[name] = Path(fields[name])
        fields["new_secrets"] = Secrets.from_fields(fields["new_secrets"])
        return cls(**fields)


@dataclass(frozen=True)
class StartedStack:
    """Where a stack that has started can be reached, and its secrets."""

    port: int
    database_port: int
    secrets: Secrets
    data_dir: Path
    temporary_folder: Path

    def to_json(self) -> str:
        """Write the reply of a supervisor that has started everything."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read the supervisor's reply.

        Raises:
            LocalStackError: The reply is an error.
        """
        fields = json.loads(line)
        if "error" in fields:
            raise LocalStackError(fields["error"])
        for name in ("data_dir", "temporary_folder"):
            fields[name] = Path(fields[name])
        fields["secrets"] = Secrets.from_fields(fields["secrets"])
        return cls(**fields)


def error_to_json(message: str) -> str:
    """Write the reply of a supervisor that could not start everything."""
    return json.dumps({"error": message})
