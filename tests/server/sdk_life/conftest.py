"""Callers and things to act on are those of the tests of the repositories."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.server.sdk.conftest import (
    ada,
    admin,
    bob,
    connect,
    draft,
    nobody,
    package,
    person,
    published,
    rows_of,
    snapshots,
    survives_pickle,
)

from training_versions import Version
from training_versions.local import LocalSupabase

__all__ = [
    "ada",
    "admin",
    "bob",
    "connect",
    "draft",
    "nobody",
    "package",
    "person",
    "published",
    "rows_of",
    "snapshots",
    "survives_pickle",
]


@pytest.fixture(scope="session")
def capped_stack() -> Iterator[LocalSupabase]:
    """A project whose replies have at most 100 rows, as hosted ones have 1,000."""
    with LocalSupabase(max_rows=100) as running:
        yield running


@pytest.fixture
def carol(connect: Any, capped_stack: LocalSupabase, unique: Callable[[str], str]) -> Any:
    """Somebody who is signed in to the project with the cap."""
    return connect(capped_stack.token(unique("carol@")), stack=capped_stack)


@pytest.fixture
def publish(ada: Any, package: Any, snapshots: dict[str, Any]) -> Callable[..., Version]:
    """Makes another published version of ada's package, or of another one."""

    def make(into: Any = package, **changed: Any) -> Version:
        return ada.versions.publish(ada.versions.create_draft(into.id, **snapshots | changed).id)

    return make


@pytest.fixture(scope="session")
def at_once() -> Callable[[list[Callable[[], Any]]], list[Any]]:
    """Runs calls in threads of their own, and gives what each returned or raised."""

    def run(calls: list[Callable[[], Any]]) -> list[Any]:
        with ThreadPoolExecutor(len(calls)) as threads:
            futures = [threads.submit(call) for call in calls]
            return [future.exception() or future.result() for future in futures]

    return run
