"""The real stack for server tests: started once, told apart by fresh names and users, never emptied.

A test that takes `versions` or `packages` runs twice, on the sync and on the async repositories, with one body: the
async ones are driven to completion on a background event loop, and their iterators look like plain ones.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from supabase import Client

from training_versions.local import LocalSupabase

_CALL_TIMEOUT = 120


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalSupabase]:
    """The newest PostgreSQL with every migration applied."""
    with LocalSupabase() as running:
        yield running


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
    reason = "no older PostgreSQL: apt-get install postgresql-15, or pip install pgserver (Python 3.11 and 3.12)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def older_stack(older_postgres_bin: Path) -> Iterator[LocalSupabase]:
    """An older PostgreSQL with every migration applied."""
    with LocalSupabase(postgres_bin=older_postgres_bin) as running:
        yield running


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Makes a text that no other test has: ``unique("bot")`` is a name, ``unique("ada@")`` an address."""

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


class Face:
    """Repositories of one kind, sync or async, for any user; both are called without `await`."""

    def __init__(
        self, stack: LocalSupabase, finish: Callable[[Awaitable[Any]], Any] | None
    ) -> None:
        self._stack = stack
        self._finish = finish

    def versions(self, email: str, **options: Any) -> Any:
        return self._repository("VersionRepository", email, options)

    def packages(self, email: str, **options: Any) -> Any:
        return self._repository("PackageRepository", email, options)

    def _repository(self, name: str, email: str, options: dict[str, Any]) -> Any:
        import training_versions

        if self._finish is None:
            return getattr(training_versions, name)(self._stack.sign_in(email), **options)
        client = self._finish(self._stack.sign_in_async(email))
        return _Blocking(
            getattr(training_versions, f"Async{name}")(client, **options), self._finish
        )


class _Blocking:
    """An async repository whose methods return when they are done."""

    def __init__(self, target: object, finish: Callable[[Awaitable[Any]], Any]) -> None:
        self._target = target
        self._finish = finish

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> Any:
            result = attribute(*args, **kwargs)
            if inspect.isawaitable(result):
                return self._finish(result)
            return self._walk(result) if isinstance(result, AsyncIterator) else result

        return call

    def _walk(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        end = object()

        async def following() -> Any:
            return await anext(items, end)

        try:
            while (item := self._finish(following())) is not end:
                yield item
        finally:
            if inspect.isasyncgen(items):
                self._finish(items.aclose())


@pytest.fixture(scope="session")
def finish() -> Iterator[Callable[[Awaitable[Any]], Any]]:
    """Runs a coroutine to its end on an event loop that lives as long as the tests."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="async face")
    thread.start()

    async def complete(awaitable: Awaitable[Any]) -> Any:
        return await awaitable

    yield lambda awaitable: asyncio.run_coroutine_threadsafe(complete(awaitable), loop).result(
        _CALL_TIMEOUT
    )

    loop.call_soon_threadsafe(loop.stop)
    thread.join(_CALL_TIMEOUT)
    loop.close()


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest, stack: LocalSupabase) -> Face:
    return Face(stack, None if request.param == "sync" else request.getfixturevalue("finish"))


@pytest.fixture
def versions(face: Face, owner_email: str) -> Any:
    """The owner's versions."""
    return face.versions(owner_email)


@pytest.fixture
def packages(face: Face, owner_email: str) -> Any:
    """The owner's packages."""
    return face.packages(owner_email)
