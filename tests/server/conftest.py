"""The real stack for server tests: started once, told apart by fresh names and users, never
emptied.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest
from supabase import Client

from tests.server.sdk.cutter import Cutter
from training_versions.local import LocalSupabase


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalSupabase]:
    """The newest PostgreSQL with every migration applied."""
    with LocalSupabase() as running:
        yield running


@pytest.fixture
def cutter(stack: LocalSupabase) -> Iterator[Cutter]:
    """A line to the stack that can be cut."""
    made = Cutter(int(stack.url.rpartition(":")[2]))
    yield made
    made.close()


@pytest.fixture(scope="session")
def older_postgres_bin() -> Path:
    """The programs of an older PostgreSQL: Debian's 15, else the 16 of the package pgserver."""
    candidates = [Path("/usr/lib/postgresql/15/bin")]
    spec = find_spec("pgserver")
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / "pginstall" / "bin")
    for folder in candidates:
        if (folder / "initdb").is_file():
            return folder
    reason = (
        "no older PostgreSQL: apt-get install postgresql-15, "
        "or pip install pgserver (Python 3.11 and 3.12)"
    )
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Makes a text that no other test has: ``unique("bot")`` is a name, ``unique("ada@")`` an
    address.
    """

    def make(text: str) -> str:
        fresh = uuid4().hex[:12]
        return (
            f"{text.removesuffix('@')}-{fresh}@example.com"
            if text.endswith("@")
            else f"{text}-{fresh}"
        )

    return make


@pytest.fixture
def owner_email(unique: Callable[[str], str]) -> str:
    return unique("owner@")


@pytest.fixture
def stranger_email(unique: Callable[[str], str]) -> str:
    return unique("stranger@")


@pytest.fixture
def owner(stack: LocalSupabase, owner_email: str) -> Client:
    return stack.sign_in(owner_email)


@pytest.fixture
def stranger(stack: LocalSupabase, stranger_email: str) -> Client:
    return stack.sign_in(stranger_email)


@pytest.fixture
def service(stack: LocalSupabase) -> Client:
    return stack.service_client()
