"""Who is asking: nobody, somebody with an expired or a refreshed token, somebody whose project lacks the migrations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from supabase_auth.types import Session, User

from training_versions import (
    DatabaseError,
    PackageRepository,
    PermissionDeniedError,
    SchemaMismatchError,
    UnreadableReplyError,
    VersionRepository,
)
from training_versions.local import LocalSupabase

SIGN_IN = "Sign in first: client.auth.sign_in_with_password({'email': …, 'password': …})."
REFRESH = "Sign in again, or call client.auth.refresh_session()."

OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "packages.create": lambda who: who.packages.create("bot", template_type="lora", config={}),
    "packages.get": lambda who: who.packages.get(uuid4()),
    "packages.find": lambda who: who.packages.find(uuid4()),
    "packages.update": lambda who: who.packages.update(uuid4(), name="n"),
    "packages.delete": lambda who: who.packages.delete(uuid4()),
    "packages.list": lambda who: who.packages.list(),
    "packages.iterate": lambda who: list(who.packages.iterate()),
    "versions.next_version_number": lambda who: who.versions.next_version_number(uuid4()),
    "versions.create_draft": lambda who: who.versions.create_draft(
        uuid4(), config={}, model={}, dataset=[]
    ),
    "versions.update_draft": lambda who: who.versions.update_draft(uuid4(), name="n"),
    "versions.delete_draft": lambda who: who.versions.delete_draft(uuid4()),
    "versions.publish": lambda who: who.versions.publish(uuid4()),
    "versions.archive": lambda who: who.versions.archive(uuid4()),
    "versions.get": lambda who: who.versions.get(uuid4()),
    "versions.find": lambda who: who.versions.find(uuid4()),
    "versions.get_by_number": lambda who: who.versions.get_by_number(uuid4(), 1),
    "versions.latest_published": lambda who: who.versions.latest_published(uuid4()),
    "versions.latest": lambda who: who.versions.latest(uuid4()),
    "versions.list": lambda who: who.versions.list(),
    "versions.iterate": lambda who: list(who.versions.iterate()),
    "versions.count": lambda who: who.versions.count(),
}
every_operation = pytest.mark.parametrize("operation", OPERATIONS)


def test_every_operation_of_the_repositories_is_here() -> None:
    # Those that they inherit, of a version's life after publishing, and those of bundles have tests of their own.
    methods = {
        f"{kind}.{name}"
        for kind, repository in (("packages", PackageRepository), ("versions", VersionRepository))
        for name in vars(repository)
        if not name.startswith("_")
    }

    assert methods - {"packages.export", "packages.import_"} == set(OPERATIONS)


@every_operation
def test_someone_not_signed_in_is_told_so(
    nobody: Any, operation: str, survives_pickle: Any
) -> None:
    with pytest.raises(PermissionDeniedError) as caught:
        OPERATIONS[operation](nobody)

    error = caught.value
    assert error.message.startswith(
        f"You are not signed in, so {operation} was refused: permission denied for "
    )
    assert (error.code, error.hint, error.operation) == ("42501", SIGN_IN, operation)
    assert len(nobody.sent) == 1
    survives_pickle(error)


@every_operation
def test_an_expired_token_is_told_apart_from_a_forbidden_row(
    connect: Any, expired: str, operation: str, survives_pickle: Any
) -> None:
    late = connect(expired)

    with pytest.raises(PermissionDeniedError) as caught:
        OPERATIONS[operation](late)

    error = caught.value
    assert error.message == "The access token has expired or is not valid: JWT expired."
    assert (error.code, error.hint, error.operation) == ("PGRST301", REFRESH, operation)
    assert len(late.sent) == 1
    survives_pickle(error)


@pytest.fixture(scope="session")
def expired(stack: Any) -> str:
    return stack.token("late-sdk@example.com", expires_in=-60)


@pytest.mark.parametrize("forged", ["signature", "text"])
def test_a_token_that_is_not_valid_is_refused_as_such(connect: Any, ada: Any, forged: str) -> None:
    token = "nonsense"
    if forged == "signature":
        claims = {"sub": str(ada.id), "role": "authenticated", "exp": 9_999_999_999}
        token = jwt.encode(claims, "somebody else's secret, also 32 characters", algorithm="HS256")

    with pytest.raises(PermissionDeniedError) as caught:
        connect(token).versions.list()

    assert caught.value.message.startswith("The access token has expired or is not valid: ")
    assert caught.value.code == "PGRST301"


# --- a token that the user's client refreshes


class Refreshing:
    """In front of the real transport: answers what the auth server of a hosted project answers to a refresh."""

    def __init__(self, usual: Any, session: Callable[[], dict[str, Any]]) -> None:
        self._usual = usual
        self._session = session

    def _answer(self, request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.startswith("/auth/v1/"):
            return None
        user = {
            "id": str(uuid4()),
            "aud": "authenticated",
            "app_metadata": {},
            "user_metadata": {},
            "created_at": datetime.now(UTC).isoformat(),
        }
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={**self._session(), "user": user}, request=request)
        return httpx.Response(200, json=user, request=request)


class SyncRefreshing(Refreshing, httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request) or self._usual.handle_request(request)

    def close(self) -> None:
        self._usual.close()


class AsyncRefreshing(Refreshing, httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request) or await self._usual.handle_async_request(request)

    async def aclose(self) -> None:
        await self._usual.aclose()


def test_a_token_refreshed_by_the_users_client_is_used_at_the_next_call(
    connect: Any, stack: Any, ada: Any, package: Any, snapshots: Any
) -> None:
    claims = {
        "sub": str(ada.id),
        "role": "authenticated",
        "aud": "authenticated",
        "exp": int(time.time()) - 60,
    }
    expired, good = jwt.encode(claims, stack.jwt_secret, algorithm="HS256"), ada.token

    def session() -> dict[str, Any]:
        return {
            "access_token": good,
            "refresh_token": "again",
            "token_type": "bearer",
            "expires_in": 3600,
        }

    kind = AsyncRefreshing if connect.is_async else SyncRefreshing
    early = connect(expired, transport=lambda usual: kind(usual, session))
    with pytest.raises(PermissionDeniedError, match="expired"):
        early.versions.create_draft(package.id, **snapshots)

    connect.finish(early.client.auth.set_session(expired, "refresh-token"))

    assert early.versions.create_draft(package.id, **snapshots).version_number == 1
    assert early.versions.count(package.id) == 1
    assert early.packages.get(package.id) == package.model_copy(update={"version_count": 1})
    assert early.sent[-1].headers["authorization"] == f"Bearer {good}"


def test_after_signing_in_as_somebody_else_the_same_repository_acts_as_them(
    connect: Any, ada: Any, bob: Any, package: Any
) -> None:
    assert ada.packages.find(package.id) == package
    user = User(
        id=str(bob.id),
        app_metadata={},
        user_metadata={},
        aud="authenticated",
        created_at=datetime.now(UTC),
    )
    session = Session(
        access_token=bob.token, refresh_token="r", expires_in=3600, token_type="bearer", user=user
    )

    async def sign_in() -> None:
        ada.client.auth._notify_all_subscribers("SIGNED_IN", session)

    if connect.is_async:  # its subscribers need a running event loop
        connect.finish(sign_in())
    else:
        ada.client.auth._notify_all_subscribers("SIGNED_IN", session)

    assert ada.packages.find(package.id) is None
    assert ada.versions.list(package.id).items == []


# --- a project without the migrations


@pytest.fixture(scope="session")
def bare() -> Iterator[LocalSupabase]:
    """A project as it is before its first migration."""
    with LocalSupabase(migrations=None) as running:
        yield running


@every_operation
def test_someone_whose_project_lacks_the_migrations_is_told_to_push_them(
    connect: Any, bare: LocalSupabase, operation: str, survives_pickle: Any
) -> None:
    ada = connect(bare.token("ada@example.com"), stack=bare)

    with pytest.raises(SchemaMismatchError) as caught:
        OPERATIONS[operation](ada)

    error = caught.value
    assert error.message.startswith(f"The database lacks something that {operation} needs: ")
    assert "`supabase db push`" in error.hint
    assert "training-versions migrations" in error.hint
    assert error.operation == operation
    assert len(ada.sent) == 1
    survives_pickle(error)


def test_a_bare_postgrest_client_works_as_well(
    connect: Any, stack: Any, ada: Any, snapshots: Any
) -> None:
    import postgrest

    import training_versions

    headers = {"apikey": stack.anon_key, "Authorization": f"Bearer {ada.token}"}
    if connect.is_async:
        http: Any = httpx.AsyncClient(verify=False)
        client: Any = postgrest.AsyncPostgrestClient(
            stack.rest_url, headers=headers, http_client=http
        )
        packages: Any = training_versions.AsyncPackageRepository(client)
        versions: Any = training_versions.AsyncVersionRepository(client)
    else:
        http = httpx.Client(verify=False)
        client = postgrest.SyncPostgrestClient(stack.rest_url, headers=headers, http_client=http)
        packages = training_versions.PackageRepository(client)
        versions = training_versions.VersionRepository(client)

    package = connect.finish(packages.create("bot", template_type="lora", config={}))
    draft = connect.finish(versions.create_draft(package.id, **snapshots))

    assert connect.finish(versions.get(draft.id)) == draft
    connect.finish(http.aclose()) if connect.is_async else http.close()


def test_a_server_that_is_not_a_project_is_not_taken_for_one(
    connect: Any, stack: Any, ada: Any
) -> None:
    elsewhere = connect(ada, url=f"{stack.url}/somewhere")

    with pytest.raises((DatabaseError, UnreadableReplyError)) as caught:
        elsewhere.versions.list()

    assert "/rest/v1 only" in str(caught.value)
