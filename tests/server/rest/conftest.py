"""What the tests of the endpoints share: an application on the real stack, and people who call it.

Most tests call the application in this process. Those about what is on the wire, or about many
requests at once, start a server with `tests/server/rest/servers.py`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from fastapi import FastAPI

from tests.data import SNAPSHOTS
from training_versions.local import LocalSupabase
from training_versions.rest import create_app

T = TypeVar("T")
PREFIX = "/api/training"


@dataclass(frozen=True)
class Person:
    """Somebody who has signed up, with nothing of their own yet."""

    id: UUID
    token: str


@pytest.fixture(scope="session")
def person(stack: LocalSupabase) -> Callable[[], Person]:
    """Signs somebody new up."""
    claims = {"aud": "authenticated", "role": "authenticated", "exp": int(time.time()) + 3600}

    def sign_up() -> Person:
        user_id = uuid4()
        stack.psql(
            "insert into auth.users (id, email) values (:'id', :'email')",
            id=str(user_id),
            email=f"{user_id}@example.com",
        )
        signed = jwt.encode({**claims, "sub": str(user_id)}, stack.jwt_secret, algorithm="HS256")
        return Person(user_id, signed)

    return sign_up


class Running:
    """An application whose lifespan has begun, on an event loop that tests share."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._runner = asyncio.Runner()
        self._lifespan = app.router.lifespan_context(app)
        self.run(self._lifespan.__aenter__())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coroutine)

    def close(self) -> None:
        self.run(self.http.aclose())
        self.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()


@dataclass
class Api:
    """The endpoints as somebody calls them, without `await`."""

    running: Running
    person: Person | None
    prefix: str = PREFIX

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", None) or {})
        if self.person is not None:
            headers.setdefault("Authorization", f"Bearer {self.person.token}")
        request = self.running.http.request(method, self.prefix + path, headers=headers, **options)
        return self.running.run(request)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is None:
            return self("POST", path, **options)
        # In ASCII: httpx refuses to send what is no text.
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return self("POST", path, content=json.dumps(body), headers=headers, **options)

    def put(self, path: str, json: Any, **options: Any) -> httpx.Response:
        return self("PUT", path, json=json, **options)

    # --- things to act on

    def package(self, name: str = "bot") -> dict[str, Any]:
        new = {"name": name, "template_type": "lora", "config": {"r": 8}}
        return made(self.post("/packages", new))

    def draft(self, package: dict[str, Any] | None = None, **fields: Any) -> httpx.Response:
        package_id = (package or self.package())["id"]
        answer = self.post("/versions", {"package_id": package_id, **SNAPSHOTS, **fields})
        assert answer.status_code == 201, answer.text
        return answer

    def published(self, package: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        draft = self.draft(package, **fields).json()
        return made(self.post(f"/versions/{draft['id']}/publish"))


def made(answer: httpx.Response) -> dict[str, Any]:
    """Return what was made."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def slug(answer: httpx.Response) -> str:
    """Return the kind of a problem, and check what holds for every one of them."""
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    return problem["type"].removeprefix("tag:training-versions,2026:")


@pytest.fixture(scope="session")
def running(stack: LocalSupabase) -> Iterator[Running]:
    started = Running(create_app(url=stack.url, key=stack.publishable_key))
    yield started
    started.close()


@pytest.fixture
def ada(running: Running, person: Callable[[], Person]) -> Api:
    return Api(running, person())


@pytest.fixture
def bob(running: Running, person: Callable[[], Person]) -> Api:
    return Api(running, person())


@pytest.fixture
def nobody(running: Running) -> Api:
    return Api(running, None)
