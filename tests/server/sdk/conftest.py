"""What the tests of the SDK on the real stack share: callers whose requests are recorded, and things to act on.

Every test that takes `connect`, or a caller that it made, runs on the sync and on the async repositories.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from supabase import AsyncClientOptions, ClientOptions, create_async_client, create_client
from tests.server.conftest import _Blocking

import training_versions
from training_versions import Package, TrainingVersionsError, Version
from training_versions.local import LocalSupabase

SNAPSHOTS: dict[str, Any] = {
    "config": {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]},
    "model": {"id": "meta-llama/Llama-3.1-8B", "revision": "main"},
    "dataset": [{"id": "tickets", "rows": 12_000}, {"id": "manuals", "rows": 300}],
}


@dataclass(frozen=True)
class Person:
    """Somebody who has signed up and in, with nothing of their own yet."""

    id: UUID
    token: str


@dataclass
class Caller:
    """Both repositories of somebody, called without `await`, and every request they send."""

    versions: Any
    packages: Any
    client: Any
    id: Any = None
    token: str | None = None
    sent: list[httpx.Request] = field(default_factory=list)
    replies: list[httpx.Response] = field(default_factory=list)


class Connect:
    """Makes callers, sync or async, for a person, a token or nobody, and an address."""

    def __init__(self, stack: LocalSupabase, finish: Callable[[Any], Any] | None) -> None:
        self._stack = stack
        self._finish = finish
        self._clients: list[Any] = []

    def __call__(
        self,
        who: Person | Caller | str | None,
        *,
        stack: LocalSupabase | None = None,
        url: str | None = None,
        retry_pauses: tuple[float, ...] = (0.0, 0.0, 0.0),
        timeout: float = 60,
        transport: Callable[[Any], Any] = lambda usual: usual,
        **types: Any,
    ) -> Caller:
        project = stack or self._stack
        token = who.token if isinstance(who, Person | Caller) else who
        caller = Caller(None, None, None, getattr(who, "id", None), token)
        if self._finish is None:
            http = httpx.Client(
                transport=transport(httpx.HTTPTransport(verify=False)),
                timeout=timeout,
                event_hooks={"request": [caller.sent.append], "response": [caller.replies.append]},
            )
            kind, create, seal = ClientOptions, create_client, lambda made: made
        else:

            async def sent(request: httpx.Request) -> None:
                caller.sent.append(request)

            async def replied(response: httpx.Response) -> None:
                caller.replies.append(response)

            http = httpx.AsyncClient(
                transport=transport(httpx.AsyncHTTPTransport(verify=False)),
                timeout=timeout,
                event_hooks={"request": [sent], "response": [replied]},
            )
            kind, create, seal = AsyncClientOptions, create_async_client, self._finish
        self._clients.append(http)
        # The client's own repeats of reads would only add seconds to every refusal by a gateway.
        options = kind(
            auto_refresh_token=False,
            persist_session=False,
            postgrest_client_retry=False,
            httpx_client=http,
        )
        if token is not None:
            options.headers["Authorization"] = f"Bearer {token}"
        caller.client = seal(create(url or project.url, project.anon_key, options))
        caller.versions = self._repository(
            "VersionRepository", caller.client, retry_pauses=retry_pauses, **types
        )
        caller.packages = self._repository(
            "PackageRepository", caller.client, retry_pauses=retry_pauses
        )
        return caller

    def _repository(self, name: str, client: Any, **options: Any) -> Any:
        if self._finish is None:
            return getattr(training_versions, name)(client, **options)
        return _Blocking(
            getattr(training_versions, f"Async{name}")(client, **options), self._finish
        )

    @property
    def is_async(self) -> bool:
        return self._finish is not None

    def finish(self, result: Any) -> Any:
        """The result of something that only the async client makes a coroutine of."""
        return result if self._finish is None else self._finish(result)

    def close(self) -> None:
        for client in self._clients:
            if self._finish is None:
                client.close()
            else:
                self._finish(client.aclose())


@pytest.fixture(scope="session", params=["sync", "async"])
def connect(request: pytest.FixtureRequest, stack: LocalSupabase) -> Iterator[Connect]:
    made = Connect(stack, None if request.param == "sync" else request.getfixturevalue("finish"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def person(stack: LocalSupabase) -> Callable[[], Person]:
    """Signs somebody new up; a thousand at once, because each time costs a process."""

    def sign_up() -> Iterator[Person]:
        claims = {"aud": "authenticated", "role": "authenticated", "exp": int(time.time()) + 3600}
        while True:
            ids = [uuid4() for _ in range(1000)]
            rows = ",".join(f"('{key}', '{key}@example.com')" for key in ids)
            stack.psql(f"insert into auth.users (id, email) values {rows};")
            for key in ids:
                yield Person(
                    key,
                    jwt.encode({**claims, "sub": str(key)}, stack.jwt_secret, algorithm="HS256"),
                )

    people = sign_up()
    return lambda: next(people)


@pytest.fixture
def ada(connect: Connect, person: Callable[[], Person]) -> Caller:
    """Somebody who is signed in; everything in a test is hers."""
    return connect(person())


@pytest.fixture
def bob(connect: Connect, person: Callable[[], Person]) -> Caller:
    """Somebody else who is signed in."""
    return connect(person())


@pytest.fixture
def nobody(connect: Connect) -> Caller:
    """Somebody who is not signed in."""
    return connect(None)


@pytest.fixture
def admin(connect: Connect, stack: LocalSupabase) -> Caller:
    """The service role."""
    return connect(stack.service_key)


@pytest.fixture(scope="session")
def snapshots() -> dict[str, Any]:
    return SNAPSHOTS


@pytest.fixture
def package(ada: Caller) -> Package:
    return ada.packages.create("support-bot", template_type="lora_finetuning", config={"r": 8})


@pytest.fixture
def draft(ada: Caller, package: Package) -> Version:
    return ada.versions.create_draft(package.id, **SNAPSHOTS)


@pytest.fixture
def published(ada: Caller, draft: Version) -> Version:
    return ada.versions.publish(draft.id)


@pytest.fixture(scope="session")
def rows_of(stack: LocalSupabase) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Gives all rows that belong to some users, as they are in the database."""
    headers = {"apikey": stack.service_key}
    with httpx.Client(base_url=stack.rest_url, headers=headers, verify=False) as http:

        def rows(*user_ids: object) -> list[dict[str, Any]]:
            users = ",".join(str(user_id) for user_id in user_ids)
            found = []
            for table, owner in (
                ("training_configs", "user_id"),
                ("training_package_versions", "created_by"),
            ):
                reply = http.get(f"/{table}", params={owner: f"in.({users})", "order": "id"})
                found += reply.raise_for_status().json()
            return found

        yield rows


class Survives(Protocol):
    def __call__(self, error: TrainingVersionsError) -> None: ...


@pytest.fixture(scope="session")
def survives_pickle() -> Survives:
    """Asserts that an error is the same after pickle, as it travels between processes."""

    def check(error: TrainingVersionsError) -> None:
        again = pickle.loads(pickle.dumps(error))

        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)

    return check
