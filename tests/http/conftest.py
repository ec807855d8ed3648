"""Real clients of both faces, whose requests respx answers; pauses are written down instead of slept."""

import asyncio
import inspect
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import postgrest
import pytest
import respx

import training_versions

URL = "http://project.test/rest/v1"
PACKAGE = str(uuid.UUID(int=1))
VERSION = str(uuid.UUID(int=2))


class Driven:
    """A repository of either face, called in one way: coroutines are run, async iterators become lists."""

    def __init__(self, repository: Any, runner: asyncio.Runner) -> None:
        self.repository = repository
        self.runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = getattr(self.repository, name)(*args, **kwargs)
            if inspect.isasyncgen(result):

                async def collect() -> list[Any]:
                    return [item async for item in result]

                return self.runner.run(collect())
            if inspect.isgenerator(result):
                return list(result)
            return self.runner.run(result) if inspect.iscoroutine(result) else result

        return call


class Face:
    """One of the two faces: its client, and its repositories."""

    def __init__(self, name: str, runner: asyncio.Runner) -> None:
        self.is_async, self.runner = name == "async", runner
        self.prefix = "Async" if self.is_async else ""
        self.http: Any = httpx.AsyncClient() if self.is_async else httpx.Client()
        make = postgrest.AsyncPostgrestClient if self.is_async else postgrest.SyncPostgrestClient
        self.client: Any = make(URL, http_client=self.http, retry_enabled=False)

    def versions(self, client: Any = None, **options: Any) -> Driven:
        kind = getattr(training_versions, f"{self.prefix}VersionRepository")
        return Driven(kind(client or self.client, **options), self.runner)

    def packages(self, client: Any = None, **options: Any) -> Driven:
        kind = getattr(training_versions, f"{self.prefix}PackageRepository")
        return Driven(kind(client or self.client, **options), self.runner)

    def close(self) -> None:
        if self.is_async:
            self.runner.run(self.http.aclose())
        else:
            self.http.close()


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    with asyncio.Runner() as runner:
        face = Face(request.param, runner)
        yield face
        face.close()


@pytest.fixture
def versions(face: Face) -> Driven:
    return face.versions()


@pytest.fixture
def packages(face: Face) -> Driven:
    return face.packages()


@pytest.fixture
def server() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        yield router


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []

    async def wait(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("training_versions._async_shell.sleep", wait)
    monkeypatch.setattr("training_versions._shell.sleep", made.append)
    return made


def row(number: int = 1, **changed: Any) -> dict[str, Any]:
    """Make a version as PostgREST sends it."""
    moment = "2025-01-31T12:00:00.123456+00:00"
    empty = dict.fromkeys(training_versions.Version.model_fields)
    known = {
        "id": str(uuid.UUID(int=number)),
        "package_id": PACKAGE,
        "version_number": number,
        "name": "bot-v1",
    }
    times = {"status": "draft", "created_at": moment, "updated_at": moment, "is_deployed": False}
    return {
        **empty,
        **known,
        **times,
        "config_snapshot": {},
        "model_snapshot": {},
        "dataset_snapshot": [],
        **changed,
    }


def package_row(**changed: Any) -> dict[str, Any]:
    """Make a package as PostgREST sends it, from a table without `created_at`."""
    known = {
        "id": PACKAGE,
        "name": "bot",
        "template_type": "lora",
        "config_json": {"r": 8},
        "user_id": VERSION,
    }
    return {
        **known,
        "current_version_id": None,
        "version_count": 0,
        "latest_published_version": 0,
        **changed,
    }


def body(request: httpx.Request) -> Any:
    return json.loads(request.content)
