"""Errors, as the real stack gives rise to them: who is told what, and what is told to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import httpx
import jwt
import pytest

from tests.data import SNAPSHOTS
from tests.server.rest.conftest import PREFIX, Api, Person, Running, made, slug
from training_versions.local import LocalSupabase
from training_versions.rest import create_app

CANARY = "canary-7f3a"


class TestSigningIn:
    def test_without_a_token_it_says_how_to_sign_in(self, nobody: Api) -> None:
        answer = nobody.get("/versions")

        assert (answer.status_code, slug(answer)) == (401, "not-signed-in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        "credentials", ["Bearer", "Bearer ", "Basic YTpi", "bearer", "Token x", "x"]
    )
    def test_what_is_no_bearer_token_is_none(self, nobody: Api, credentials: str) -> None:
        answer = nobody.get("/versions", headers={"Authorization": credentials})

        assert (answer.status_code, slug(answer)) == (401, "not-signed-in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_a_token_that_is_not_valid_is_told_and_not_shown(
        self, nobody: Api, stack: LocalSupabase, ada: Api
    ) -> None:
        assert ada.person is not None

        def sign(claims: dict[str, str]) -> str:
            claims = {"aud": "authenticated", "role": "authenticated"} | claims
            return jwt.encode(claims, stack.jwt_secret, algorithm="HS256")

        head, _, tail = ada.person.token.partition(".")
        for token in (
            CANARY,
            "a b",
            "é".encode().decode("latin-1"),
            f"{head}.{CANARY}.{tail}",
            ada.person.token[:-2],
            stack.token("ended@example.com", expires_in=-60),
            stack.publishable_key,
            stack.anon_key,
            sign({"sub": CANARY}),
            "x" * 20_000,
        ):
            answer = nobody.get("/versions", headers={b"Authorization": f"Bearer {token}".encode()})
            assert (answer.status_code, slug(answer)) == (401, "not-signed-in"), token
            assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
            assert token not in answer.text
            assert CANARY not in answer.text

    def test_two_tokens_are_not_chosen_from(self, ada: Api, bob: Api) -> None:
        assert ada.person is not None
        assert bob.person is not None
        tokens = [("Authorization", f"Bearer {each.token}") for each in (ada.person, bob.person)]

        request = ada.running.http.get(f"{PREFIX}/versions", headers=tokens)
        answer = ada.running.run(request)

        assert (answer.status_code, slug(answer)) == (400, "bad-header")


def test_each_caller_sees_their_own(ada: Api, bob: Api) -> None:
    mine, theirs = ada.draft().json()["id"], bob.draft().json()["id"]

    seen = [[each["id"] for each in api.get("/versions").json()["items"]] for api in (ada, bob)]

    assert seen == [[mine], [theirs]]


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/versions/7", "version_id"),
        ("/packages/support-bot", "package_id"),
        ("/versions?limit=0", "limit"),
        ("/versions?limit=many", "limit"),
        ("/versions?order=up", "order"),
        ("/versions?status=gone", "status"),
        ("/versions?created_after=2026-01-31", "created_after"),
        ("/versions?created_after=2026-01-31T12:00:00", "created_after"),
        ("/versions?created_after=5", "created_after"),
        ("/versions?cursor=%00", "cursor"),
        ("/versions?text=", "text"),
        ("/versions?text=%00", "text"),
        ("/versions?config_contains=r", "config_contains"),
        ("/versions?config_contains=", "config_contains"),
        ("/versions?config_contains=null", "config_contains"),
        ("/versions?config_contains=[]", "config_contains"),
        ('/versions?config_contains={"a":NaN}', "config_contains"),
        ('/versions?config_contains={"a":1,"a":2}', "config_contains"),
        ('/versions?model_contains={"a":0.1000000000000000001}', "model_contains"),
        ('/versions?model_contains={"a":"\\u0000"}', "model_contains"),
        ("/versions?dataset_contains={}", "dataset_contains"),
        ("/versions?dataset_contains=[1]", "dataset_contains"),
        (f'/versions?config_contains={{"a":"{"x" * 50_000}"}}', "config_contains"),
        ("/packages?name=%20", "name"),
        ("/packages?name=%00", "name"),
        ("/history?kind=eaten", "kind"),
        ("/packages?template_type=%20", "template_type"),
        ("/versions?packge_id=11111111-1111-4111-8111-111111111111", "packge_id"),
        ("/health?a=1", "a"),
        ("/versions?limit=1&limit=2", "limit"),
        ("/packages?text=a&text=b", "text"),
        ("/packages/11111111-1111-4111-8111-111111111111/versions/0", "version_number"),
        ("/packages/11111111-1111-4111-8111-111111111111/versions/1/compare/0", "other_number"),
        ("/packages/11111111-1111-4111-8111-111111111111/live/moon", "target"),
    ],
)
def test_a_parameter_that_is_not_valid_is_named(ada: Api, path: str, parameter: str) -> None:
    answer = ada.get(path)

    assert (answer.status_code, slug(answer)) == (422, "invalid-input")
    (error,) = answer.json()["errors"]
    assert error["parameter"].split(".")[0] == parameter
    assert error["detail"]


def test_a_cursor_of_another_list_is_a_page_that_there_is_not(ada: Api) -> None:
    package = ada.package()
    for _ in range(2):
        ada.draft(package)
    cursor = ada.get("/versions?limit=1").json()["next_cursor"]

    answer = ada.get(f"/versions?status=draft&cursor={cursor}")

    assert (answer.status_code, slug(answer)) == (404, "no-such-page")
    assert answer.json()["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"config": [CANARY]}, ["#/config"]),
        ({"config": None}, ["#/config"]),
        ({"dataset": {"a": CANARY}}, ["#/dataset"]),
        ({"dataset": [CANARY]}, ["#/dataset/0"]),
        ({"model": CANARY, "name": 5}, ["#/model", "#/name"]),
        ({"name": ""}, ["#/name"]),
        ({"name": "  "}, ["#/name"]),
        ({"name": CANARY + "\0"}, ["#/name"]),
        ({"name": CANARY * 30}, ["#/name"]),
        ({"config": {"a": CANARY + "\0"}}, ["#/config"]),
        ({"config": {"a": [{"b": CANARY + "\ud800"}]}}, ["#/config"]),
        ({"config": {"hub_token": "hf_" + CANARY}}, ["#/config"]),
        ({"estimated_cost": CANARY}, ["#/estimated_cost"]),
        ({"estimated_cost": -1}, ["#/estimated_cost"]),
        ({"budget_limit": 1.234}, ["#/budget_limit"]),
        ({"budget_limit": True}, ["#/budget_limit"]),
        ({"budget_limit": "1e3"}, ["#/budget_limit"]),
        ({"parent_version_id": CANARY}, ["#/parent_version_id"]),
        ({"a/b~c": CANARY}, ["#/a~1b~0c"]),
        ({"status": "published"}, ["#/status"]),
    ],
)
def test_a_field_that_is_not_valid_is_named_and_its_value_not_told(
    ada: Api, changes: dict[str, object], pointers: list[str]
) -> None:
    package = ada.package()

    answer = ada.post("/versions", {"package_id": package["id"], **SNAPSHOTS, **changes})

    assert (answer.status_code, slug(answer)) == (422, "invalid-input")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert CANARY not in answer.text
    assert ada.get("/versions").json()["items"] == []


def test_a_missing_field_is_named(ada: Api) -> None:
    answer = ada.post("/versions", {})

    assert {error["pointer"] for error in answer.json()["errors"]} == {
        *("#/package_id", "#/config", "#/model", "#/dataset")
    }


def test_an_edit_that_names_nothing_is_refused(ada: Api) -> None:
    path = f"/versions/{ada.draft().json()['id']}"

    answer = ada.put(path, {}, headers={"If-Match": "*"})

    assert (answer.status_code, slug(answer)) == (422, "invalid-input")
    assert "name at least one field" in answer.json()["detail"]


def test_what_the_status_does_not_allow_is_a_conflict(ada: Api) -> None:
    package = ada.package()
    draft = f"/versions/{ada.draft(package).json()['id']}"
    version = f"/versions/{ada.published(package)['id']}"
    made(ada.post(f"{version}/training/runs"))

    answers = {
        "archive a draft": ada.post(f"{draft}/archive"),
        "deploy a draft": ada.post(f"{draft}/deploy", {"target": "local"}),
        "train twice": ada.post(f"{version}/training/runs"),
        "end what does not run": ada.post(f"{draft}/training/end", {"status": "completed"}),
        "delete history": ada("DELETE", f"/packages/{package['id']}"),
    }

    assert {what: (each.status_code, slug(each)) for what, each in answers.items()} == {
        "archive a draft": (409, "wrong-status"),
        "deploy a draft": (409, "not-published"),
        "train twice": (409, "training-conflict"),
        "end what does not run": (409, "training-conflict"),
        "delete history": (409, "history-is-kept"),
    }


class TestWithoutADatabase:
    @pytest.fixture
    def away(self, person: Callable[[], Person]) -> Iterator[Api]:
        running = Running(create_app(url="http://127.0.0.1:9", key="sb_publishable_x"))
        yield Api(running, person())
        running.close()

    def test_it_is_alive_and_not_ready(self, away: Api) -> None:
        ready = away.get("/ready")

        assert away.get("/health").json()["status"] == "ok"
        assert (ready.status_code, slug(ready)) == (503, "unavailable")
        assert ready.headers["Retry-After"] == "5"

    def test_a_read_is_unavailable_and_names_nothing_inside(
        self, away: Api, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = away.get("/versions")

        assert (answer.status_code, slug(answer)) == (503, "unavailable")
        assert "127.0.0.1" not in answer.text
        (line,) = [each for each in caplog.records if each.name == "training_versions.rest"]
        assert line.exc_info is None  # a line for each, not a trace


class TestReady:
    def test_a_project_with_the_migrations_is_ready(self, nobody: Api) -> None:
        assert nobody.get("/ready").status_code == 204

    def test_it_is_asked_without_the_prefix_as_well(self, running: Running) -> None:
        at_the_root = Api(running, None, "")

        assert at_the_root.get("/health").json()["status"] == "ok"
        assert at_the_root.get("/ready").status_code == 204

    def test_a_key_that_the_project_does_not_know_is_told(
        self, stack: LocalSupabase, person: Callable[[], Person]
    ) -> None:
        running = Running(create_app(url=stack.url, key="sb_publishable_unknown"))
        try:
            answers = [Api(running, None).get("/ready"), Api(running, person()).get("/versions")]
        finally:
            running.close()

        # No fault of the caller, whoever asks.
        assert [slug(answer) for answer in answers] == ["unavailable", "unavailable"]
        assert "key" in answers[0].json()["detail"]

    def test_a_project_without_the_migrations_is_not(self, person: Callable[[], Person]) -> None:
        with LocalSupabase(migrations=None) as empty:
            running = Running(create_app(url=empty.url, key=empty.publishable_key))
            try:
                ready = Api(running, None).get("/ready")
                used = Api(running, Person(person().id, empty.token("a@example.com"))).get(
                    "/versions"
                )
            finally:
                running.close()

        for answer in (ready, used):
            assert (answer.status_code, slug(answer)) == (503, "schema-mismatch")
            assert answer.headers["Retry-After"]


def test_what_goes_wrong_inside_is_logged_and_not_told(
    stack: LocalSupabase, person: Callable[[], Person], caplog: pytest.LogCaptureFixture
) -> None:
    # The lifespan did not run: a mistake of whoever mounts it.
    app = create_app(url=stack.url, key=stack.publishable_key)
    token = person().token

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
            headers = {"Authorization": f"Bearer {token}"}
            return await http.get(f"{PREFIX}/versions?text={CANARY}", headers=headers)

    answer = asyncio.run(ask())

    assert (answer.status_code, slug(answer)) == (500, "internal-error")
    assert "lifespan" not in answer.text
    assert "The endpoints were not started" in caplog.text
    assert token not in caplog.text
    assert CANARY not in caplog.text
