"""Fixtures of the schema tests.

Most of them come in two kinds: a new project on the newest PostgreSQL, and a project of the first
release, upgraded, on an older one. What they are made of is in `databases.py`, `supabase_cli.py`
and `rest.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.schema.databases import APP_FILES, RELEASED_FILES, Database, Server
from tests.server.schema.rest import Caller, Callers
from tests.server.schema.supabase_cli import ROOT, Cli
from training_versions.local import LocalSupabase

NEWEST, OLDER = "newest PostgreSQL", "older PostgreSQL"


# --- files and the CLI


@pytest.fixture(scope="session")
def migrations() -> list[Path]:
    """Our files, in the order in which they are applied."""
    return sorted((ROOT / "supabase" / "migrations").glob("*.sql"))


@pytest.fixture(scope="session")
def rollback() -> Path:
    """The file that takes everything back."""
    (file,) = (ROOT / "supabase" / "rollbacks").glob("*.sql")
    return file


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The CLI in a project that has our migrations and nothing else."""
    return Cli.in_copy_of_our_project(tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="session")
def app_cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The CLI in the project of an app that has migrations of its own."""
    _, *migrations_of_the_app = APP_FILES
    return Cli.in_copy_of_our_project(tmp_path_factory.mktemp("app_cli"), *migrations_of_the_app)


# --- servers, to make databases on


@pytest.fixture(scope="session")
def newest_server(stack: LocalSupabase, migrations: list[Path]) -> Iterator[Server]:
    server = Server(stack, migrations)
    yield server
    server.close()


@pytest.fixture(scope="session")
def older_server(older_postgres_bin: Path, migrations: list[Path]) -> Iterator[Server]:
    with LocalSupabase(migrations=None, postgres_bin=older_postgres_bin) as stack:
        server = Server(stack, migrations)
        yield server
        server.close()


@pytest.fixture(scope="session", params=[NEWEST, OLDER])
def server(request: pytest.FixtureRequest) -> Server:
    """Both PostgreSQL versions that everything must work on."""
    return request.getfixturevalue("newest_server" if request.param == NEWEST else "older_server")


# --- callers, for the rules


@pytest.fixture(scope="session")
def callers_of_a_new_project(newest_server: Server) -> Iterator[Callers]:
    callers = Callers(newest_server.stack, newest_server.main)
    yield callers
    callers.http.close()


@pytest.fixture(scope="session")
def callers_of_an_upgraded_project(
    older_server: Server, migrations: list[Path]
) -> Iterator[Callers]:
    _, *later = migrations
    older_server.main.psql(*RELEASED_FILES, *later)
    older_server.stack.reload_schema()
    callers = Callers(older_server.stack, older_server.main)
    yield callers
    callers.http.close()


@pytest.fixture(scope="session", params=[f"new project, {NEWEST}", f"upgraded project, {OLDER}"])
def callers(request: pytest.FixtureRequest) -> Callers:
    """The rules are the same in a new project and in one that began with the first release."""
    kind = "a_new" if request.param.startswith("new") else "an_upgraded"
    return request.getfixturevalue(f"callers_of_{kind}_project")


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
    """The service role, to whom row level security does not apply."""
    return callers.backend


@pytest.fixture(params=["the owner", "the service role"])
def actor(request: pytest.FixtureRequest, ada: Caller, backend: Caller) -> Caller:
    """Both who may write what belongs to ada."""
    return ada if request.param == "the owner" else backend


@pytest.fixture
def database(callers: Callers) -> Database:
    """The database behind the callers."""
    return callers.database
