"""Idempotency-Key: the same request again has the effect of one, and another one is told."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.data import SNAPSHOTS
from tests.server.rest.conftest import PREFIX, Api, made, slug

# What is posted, where, and what makes it another request.
CREATIONS: dict[str, tuple[str, dict[str, Any] | None, dict[str, Any]]] = {
    "package": ("/packages", {"name": "a", "template_type": "l", "config": {}}, {"name": "b"}),
    "draft": ("/versions", {"package_id": "{package}", **SNAPSHOTS}, {"name": "b"}),
    "restore": ("/versions/{version}/restore", {"name": "a"}, {"name": "b"}),
    "fork": (
        "/versions/{version}/fork",
        {"package_id": "{package}"},
        {"change_summary": "b"},
    ),
    "cost": ("/versions/{version}/costs", {"amount": "1.50"}, {"note": "b"}),
    "deployment": ("/versions/{version}/deploy", {"target": "local"}, {"url": "https://b"}),
}


def fill(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**ids)
    return {
        name: fill(each, ids) if isinstance(each, str) else each for name, each in value.items()
    }


@pytest.mark.parametrize("what", CREATIONS)
def test_sent_again_it_answers_as_before_and_is_marked(ada: Api, what: str) -> None:
    package = ada.package()
    ids = {"package": package["id"], "version": ada.published(package)["id"]}
    path, body, change = CREATIONS[what]
    path, body, key = fill(path, ids), fill(body, ids), {"Idempotency-Key": str(uuid4())}

    first, again = (ada.post(path, body, headers=key) for _ in range(2))
    other = ada.post(path, body | change, headers=key)
    events = len(ada.get("/history").json()["items"])

    assert first.status_code in (200, 201), first.text
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers.get("ETag") == first.headers.get("ETag")
    assert again.headers.get("Location") == first.headers.get("Location")
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")
    assert len(ada.get("/history").json()["items"]) == events


def test_training_starts_once(ada: Api) -> None:
    path = f"/versions/{ada.draft().json()['id']}/training/runs"
    key = {"Idempotency-Key": "once"}

    first, again = (ada.post(path, headers=key) for _ in range(2))

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert slug(ada.post(path)) == "training-conflict"


def test_a_key_still_tells_another_body_after_the_draft_was_edited(ada: Api) -> None:
    package = ada.package()
    key = {"Idempotency-Key": "k"}
    new = {"package_id": package["id"], **SNAPSHOTS}
    first = ada.post("/versions", new, headers=key)
    path = f"/versions/{first.json()['id']}"
    made(ada.put(path, {"name": "edited"}, headers={"If-Match": "*"}))

    again = ada.post("/versions", new, headers=key)
    other = ada.post("/versions", {**new, "name": "b"}, headers=key)

    assert again.json()["name"] == "edited"  # the draft as it is now
    assert again.headers["Idempotent-Replayed"] == "true"
    assert slug(other) == "idempotency-key-reused"


def test_a_key_whose_draft_is_deleted_makes_no_other_one(ada: Api) -> None:
    new = {"package_id": ada.package()["id"], **SNAPSHOTS}
    key = {"Idempotency-Key": "k"}
    made(first := ada.post("/versions", new, headers=key))
    assert ada("DELETE", f"/versions/{first.json()['id']}").status_code == 204

    answer = ada.post("/versions", new, headers=key)

    assert (answer.status_code, slug(answer)) == (422, "idempotency-key-reused")


def test_the_key_of_a_cost_entry_is_another_one(ada: Api) -> None:
    path = f"/versions/{ada.published()['id']}/costs"
    made(ada.post(path, {"amount": "1", "key": "invoice"}, headers={"Idempotency-Key": "a"}))

    answer = ada.post(path, {"amount": "2", "key": "invoice"}, headers={"Idempotency-Key": "b"})

    assert (answer.status_code, slug(answer)) == (409, "id-taken")


def test_two_keys_are_not_chosen_from(ada: Api) -> None:
    assert ada.person is not None
    headers = [("Authorization", f"Bearer {ada.person.token}")]
    headers += [("Idempotency-Key", key) for key in "ab"]
    new = {"name": "a", "template_type": "l", "config": {}}

    answer = ada.running.run(ada.running.http.post(f"{PREFIX}/packages", json=new, headers=headers))

    assert (answer.status_code, slug(answer)) == (400, "bad-header")


def test_keys_are_those_of_a_caller_and_of_an_operation(ada: Api, bob: Api) -> None:
    key = {"Idempotency-Key": "k"}
    new = {"name": "a", "template_type": "l", "config": {}}

    mine, theirs = (made(api.post("/packages", new, headers=key)) for api in (ada, bob))
    draft = ada.post("/versions", {"package_id": mine["id"], **SNAPSHOTS}, headers=key)
    made(ada.post(f"/versions/{draft.json()['id']}/publish"))
    restored = ada.post(f"/versions/{draft.json()['id']}/restore", headers=key)

    assert mine["id"] != theirs["id"]
    assert (draft.status_code, restored.status_code) == (201, 201)


def test_sent_at_once_it_is_done_once(ada: Api) -> None:
    assert ada.person is not None
    new = {"package_id": ada.package()["id"], **SNAPSHOTS}
    headers = {"Authorization": f"Bearer {ada.person.token}", "Idempotency-Key": "k"}

    async def send() -> list[Any]:
        http = ada.running.http
        posts = (http.post(f"{PREFIX}/versions", json=new, headers=headers) for _ in range(8))
        return await asyncio.gather(*posts)

    answers = ada.running.run(send())

    assert {answer.content for answer in answers} == {answers[0].content}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert len(ada.get("/versions").json()["items"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_what_is_no_key_is_refused(ada: Api, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode()}

    answer = ada(
        "POST",
        "/packages",
        json={"name": "a", "template_type": "l", "config": {}},
        headers=headers,
    )

    assert (answer.status_code, slug(answer)) == (400, "bad-header")
    assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert ada.get("/packages").json()["items"] == []
