"""The real Supabase CLI, in project folders of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.server.schema.databases import Database

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "node_modules" / ".bin" / "supabase"


@dataclass(frozen=True)
class Cli:
    """The Supabase CLI in one project folder, kept from sending telemetry."""

    project: Path
    home: Path

    @classmethod
    def in_copy_of_our_project(cls, folder: Path, *more_migrations: Path) -> Cli:
        """The CLI in a copy of our `supabase` folder, with more migrations beside ours."""
        project, home = folder / "project", folder / "home"
        home.mkdir()
        shutil.copytree(
            ROOT / "supabase", project / "supabase", ignore=shutil.ignore_patterns(".*")
        )
        for file in more_migrations:
            shutil.copy(file, project / "supabase" / "migrations")
        return cls(project, home)

    def run(self, *arguments: str, database: Database) -> str:
        """Run a command against a database and return what it printed."""
        done = self._try(*arguments, database=database)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refusal(self, *arguments: str, database: Database) -> str:
        """Run a command that fails and return what it said."""
        done = self._try(*arguments, database=database)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def _try(self, *arguments: str, database: Database) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments, f"--remote={database.url}", "--workdir", self.project],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "DO_NOT_TRACK": "1",
                "SUPABASE_TELEMETRY_DISABLED": "1",
                "SUPABASE_NO_UPDATE_NOTIFIER": "1",
                "SUPABASE_NO_KEYRING": "1",
                "DOCKER_HOST": "unix:///nowhere/docker.sock",  # nothing here needs Docker
                "PGSSLMODE": "disable",  # else standard output begins with a notice about TLS
            },
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )

    def push(self, database: Database, *flags: str) -> list[str]:
        """Run `supabase db push`, a plain one without flags; return the files that it applied."""
        said = self.run("db", "push", "--yes", "--output-format", "json", *flags, database=database)
        return json.loads(said)["migrations"]

    def history(self, database: Database) -> list[tuple[str, str]]:
        """Run `supabase migration list`; return pairs of the local and the remote version."""
        said = self.run("migration", "list", "--output-format", "json", database=database)
        return [(row["local"], row["remote"]) for row in json.loads(said)["migrations"]]

    def revert(self, database: Database, versions: Sequence[str]) -> None:
        """Run `supabase migration repair --status reverted`."""
        self.run(
            "migration", "repair", "--status", "reverted", "--yes", *versions, database=database
        )
