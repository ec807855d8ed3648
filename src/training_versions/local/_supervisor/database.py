"""What is in the database: SQL run with psql, what a Supabase project starts with, migrations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .processes import Command, clean_environment, run

# As on a hosted project, `postgres` applies migrations and is no superuser.
OWNER = "postgres"
SUPERUSER = "supabase_admin"

_BOOTSTRAP = Path(__file__).resolve().with_name("bootstrap.sql")
_AUTH = _BOOTSTRAP.with_name("auth.sql")
_MIGRATION_NAME = re.compile(r"([0-9]+)_(.*)\.sql")

# Exactly as the Supabase CLI makes it, whose `db push` then finds these migrations applied.
_CREATE_HISTORY = """
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
        version text not null primary key
    );
    alter table supabase_migrations.schema_migrations
        add column if not exists statements text[];
    alter table supabase_migrations.schema_migrations
        add column if not exists name text;
"""
_SELECT_HISTORY = "select version from supabase_migrations.schema_migrations"


@dataclass(frozen=True)
class Database:
    """The database of a running stack."""

    bin_folder: Path
    port: int
    password: str

    def url(self, role: str) -> str:
        """Return the address for a role that may log in; they share one password."""
        return f"postgresql://{role}:{self.password}@127.0.0.1:{self.port}/postgres"

    def psql(self, *arguments: str, role: str = OWNER, stdin: str = "") -> str:
        """Run psql and return what it prints, one row a line.

        Raises:
            LocalStackError: The first error ended it.
        """
        command = [
            f"{self.bin_folder}/psql",
            "--host=127.0.0.1",
            f"--port={self.port}",
            f"--username={role}",
            "--dbname=postgres",
            "--no-password",
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--set=ON_ERROR_STOP=1",
            *arguments,
        ]
        environment = clean_environment()
        # Not an argument, which every user of the machine can read. The bootstrap reads it, too.
        environment["PGPASSWORD"] = self.password
        return run(Command(command, environment), stdin=stdin)

    def bootstrap(self, *, default_privileges: bool) -> None:
        """Make what a Supabase project has before its first migration, once per database."""
        # All or nothing was made, in one transaction: so one role stands for the rest.
        find_role = "select 1 from pg_roles where rolname = 'authenticator'"
        if self.psql(f"--command={find_role}", role=SUPERUSER):
            return
        self.psql(
            "--single-transaction",
            f"--set=default_privileges={default_privileges}",
            f"--file={_BOOTSTRAP}",
            f"--file={_AUTH}",
            role=SUPERUSER,
        )

    def migrate(self, folder: Path) -> None:
        """Apply the migrations that are new and record them as the Supabase CLI does."""
        self.psql(f"--command={_CREATE_HISTORY}")
        applied = self.psql(f"--command={_SELECT_HISTORY}").split()
        for file in sorted(folder.glob("*.sql")):
            match = _MIGRATION_NAME.fullmatch(file.name)
            # The CLI, too, passes over files whose names are not those of migrations.
            if match is not None and match.group(1) not in applied:
                self._apply(file, version=match.group(1), name=match.group(2))

    def _apply(self, file: Path, *, version: str, name: str) -> None:
        """Apply one migration and record it, in one transaction."""
        text = quote_literal(file.read_text(encoding="utf-8"))
        record = (
            "insert into supabase_migrations.schema_migrations (version, name, statements)\n"
            f"values (:'version', :'name', array[{text}]);"
        )
        self.psql(
            "--single-transaction",
            f"--set=version={version}",
            f"--set=name={name}",
            f"--file={file}",
            "--file=-",
            stdin=record,
        )


def quote_literal(text: str) -> str:
    """Write a text as a literal of SQL."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
