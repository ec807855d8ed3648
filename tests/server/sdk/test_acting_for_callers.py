"""A server that acts for its callers: each sees and writes their own, however many come at once."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.data import EMPTY
from tests.faces import both_faces
from training_versions import InvalidInputError, NotSignedInError

EXAMPLE = Path(__file__).parents[3] / "examples" / "fastapi_app.py"
USERS = 100


@pytest.fixture
def http(face):
    client = face.http(timeout=60)
    yield client
    face.close_http(client)


@both_faces
def test_a_hundred_callers_at_once_share_connections_and_nothing_else(face, stack, person, http):
    people = [person() for _ in range(USERS)]

    def serve(caller: Any) -> tuple[set[Any], set[Any]]:
        project = (stack.url, stack.anon_key, caller.token)
        packages = face.make(face.public("PackageRepository").for_token, *project, http_client=http)
        versions = face.make(face.public("VersionRepository").for_token, *project, http_client=http)
        package = packages.create("bot", template_type="lora", config={})
        draft = versions.create_draft(package.id, **EMPTY)
        versions.publish(draft.id)
        assert [version.id for version in versions.iterate()] == [draft.id]
        return {package.user_id, draft.created_by}, {each.id for each in packages.iterate()}

    with ThreadPoolExecutor(USERS) as threads:
        served = list(threads.map(serve, people))

    assert [owners for owners, _ in served] == [{caller.id} for caller in people]
    assert len(set.union(*(packages for _, packages in served))) == USERS


def test_the_recipe_for_fastapi_serves_a_hundred_users_at_once(stack, person, monkeypatch):
    monkeypatch.setenv("SUPABASE_URL", stack.url)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", stack.publishable_key)
    spec = importlib.util.spec_from_file_location("fastapi_app", EXAMPLE)
    example: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fastapi_app", example)  # FastAPI reads annotations there
    spec.loader.exec_module(example)
    people = [person() for _ in range(USERS)]

    async def use(api: httpx.AsyncClient, caller: Any) -> None:
        headers = {"Authorization": f"Bearer {caller.token}"}
        new = {"name": f"bot of {caller.id}", "config": {"r": 8}}
        package = (await api.post("/packages", json=new, headers=headers)).json()
        drafts = f"/packages/{package['id']}/drafts"
        draft = (await api.post(drafts, json=EMPTY, headers=headers)).json()
        found = [
            (await api.get(path, headers=headers)).json() for path in ("/packages", "/versions")
        ]

        assert package["user_id"] == draft["created_by"] == str(caller.id)
        assert [[each["id"] for each in rows] for rows in found] == [[package["id"]], [draft["id"]]]

    async def serve() -> list[int]:
        transport = httpx.ASGITransport(example.app)
        async with (
            example.app.router.lifespan_context(example.app),
            httpx.AsyncClient(transport=transport, base_url="http://api") as api,
        ):
            await asyncio.gather(*(use(api, caller) for caller in people))
            nobody = await api.get("/packages", headers={"Authorization": "Bearer nonsense"})
            mine = {"Authorization": f"Bearer {people[0].token}"}
            somewhere = f"/packages/{people[0].id}/drafts"
            return [
                nobody.status_code,
                (await api.get("/packages")).status_code,
                (await api.post(somewhere, json=EMPTY, headers=mine)).status_code,
            ]

    assert asyncio.run(serve()) == [401, 401, 404]


@both_faces
def test_the_token_is_that_of_the_repository_whatever_happens_to_others(
    face, stack, ada, bob, http
):
    kind = face.public("PackageRepository")
    mine = face.make(kind.for_token, stack.url, stack.anon_key, ada.token, http_client=http)
    theirs = face.make(kind.for_token, stack.url, stack.anon_key, bob.token, http_client=http)

    owners = [
        who.create("bot", template_type="lora", config={}).user_id
        for who in (mine, theirs, mine, theirs)
    ]

    assert owners == [ada.id, bob.id, ada.id, bob.id]


@both_faces
def test_a_token_that_has_ended_is_told(face, stack, http):
    ended = stack.token("ended@example.com", expires_in=-60)
    packages = face.make(
        face.public("PackageRepository").for_token,
        *(f"{stack.url}/", stack.anon_key, ended),
        http_client=http,
    )

    with pytest.raises(NotSignedInError):
        packages.list()


@both_faces
@pytest.mark.parametrize(
    ("field", "bad"),
    [
        *(("url", bad) for bad in ("", None, "project", b"http://x", "http://[::1")),
        *(("token", bad) for bad in ("", None, "a\nb", "é", " a", b"a", "Bearer a", 5)),
        *(("key", bad) for bad in ("", None, "a\r\nb", 5)),
        *(("http_client", bad) for bad in (None, "http", httpx)),
    ],
)
def test_what_is_missing_or_wrong_is_refused_before_anybody_acts(face, http, field, bad):
    given = {"url": "http://x", "key": "k", "token": "t", "http_client": http} | {field: bad}

    for name in ("PackageRepository", "VersionRepository"):
        with pytest.raises(InvalidInputError) as caught:
            face.public(name).for_token(
                given["url"], given["key"], given["token"], http_client=given["http_client"]
            )

        assert caught.value.field == field
