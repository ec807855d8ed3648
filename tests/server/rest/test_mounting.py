"""Mounting: the endpoints in an application of one's own, which stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse

from tests.data import SNAPSHOTS
from tests.server.rest.conftest import Api, Person, Running, made, slug
from training_versions import InvalidInputError
from training_versions.local import LocalSupabase
from training_versions.rest import add_problem_handlers, create_app, create_router

PREFIX = "/apps/7/history"


def make_host(stack: LocalSupabase) -> FastAPI:
    """Make an application with a page, a handler and a model of its own."""
    host = FastAPI()

    @host.get("/own/{number}")
    def own(number: int) -> dict[str, int]:
        return {"number": number}

    @host.exception_handler(HTTPException)
    def tell(request: Request, exc: HTTPException) -> PlainTextResponse:
        return PlainTextResponse("told by the host", exc.status_code)

    router = create_router(url=stack.url, key=stack.publishable_key, max_body=2000)
    host.include_router(router, prefix=PREFIX)
    return host


@pytest.fixture(scope="module")
def host(stack: LocalSupabase) -> Iterator[Running]:
    running = Running(make_host(stack))
    yield running
    running.close()


@pytest.fixture
def guest(host: Running, person: Callable[[], Person]) -> Api:
    return Api(host, person(), PREFIX)


def test_they_work_under_any_prefix(guest: Api) -> None:
    draft = guest.draft()
    path = f"/versions/{draft.json()['id']}"

    assert draft.headers["Location"] == PREFIX + path
    assert made(guest.put(path, {"name": "b"}, headers={"If-Match": draft.headers["ETag"]}))
    assert guest("OPTIONS", path).headers["Allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"
    assert guest.get("/ready").status_code == 204
    guest.draft()
    link = guest.get("/versions?limit=1").links["next"]["url"]
    assert link.startswith(f"{PREFIX}/versions?")


def test_its_addresses_are_ascii_under_a_prefix_that_is_not(
    stack: LocalSupabase, person: Callable[[], Person]
) -> None:
    app = FastAPI()
    given = {"url": stack.url, "key": stack.publishable_key}
    app.include_router(create_router(**given), prefix="/{tenant}")
    running = Running(app)
    try:
        api = Api(running, person(), "/ж ü")
        created = api.draft()
        api.draft()
        link = api.get("/versions?limit=1").links["next"]["url"]
        followed = [
            Api(running, api.person, "").get(url) for url in (created.headers["Location"], link)
        ]
    finally:
        running.close()

    assert [answer.status_code for answer in followed] == [200, 200]


def test_they_tell_their_own_errors(guest: Api, host: Running) -> None:
    nobody = Api(host, None, PREFIX)

    answers = {
        200: guest.get("/versions"),
        401: nobody.get("/versions"),
        404: guest.get("/versions/11111111-1111-4111-8111-111111111111"),
        405: guest.put("/versions", {}),
        413: guest.post("/versions", {"name": "x" * 2000}),
        415: guest("POST", "/versions", content="a"),
        422: guest.post("/versions", {}),
    }

    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert status == 200 or slug(answer)


def test_the_application_around_them_stays_as_it_is(host: Running) -> None:
    around = Api(host, None, "")

    assert around.get("/own/5").json() == {"number": 5}
    assert "detail" in around.get("/own/five").json()  # FastAPI's own
    assert around.get("/nothing").json() == {"detail": "Not Found"}
    assert around("POST", "/own/5", content=b"x" * 5000).status_code == 405
    assert around.get("/docs").status_code == 200


def test_unknown_addresses_below_the_prefix_alone_are_told_as_problems(
    stack: LocalSupabase,
) -> None:
    app = make_host(stack)
    add_problem_handlers(app, prefix=PREFIX)
    running = Running(app)
    try:
        api = Api(running, None, "")
        for path in (PREFIX, f"{PREFIX}/nothing"):
            answer = api.get(path)
            assert slug(answer) == "not-found"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/nothing", f"{PREFIX}s"):
            assert api.get(path).json() == {"detail": "Not Found"}
    finally:
        running.close()


def test_two_projects_in_one_application_stay_apart(
    stack: LocalSupabase, person: Callable[[], Person]
) -> None:
    app = FastAPI()
    app.include_router(create_router(url=stack.url, key=stack.publishable_key), prefix="/one")
    app.include_router(create_router(url="http://127.0.0.1:9", key="k"), prefix="/two")
    app.include_router(create_router(url=stack.url, key=stack.publishable_key), prefix="/versions")
    running = Running(app)
    try:
        draft = Api(running, person(), "/versions").draft()
        answers = [
            Api(running, None, prefix).get("/ready").status_code for prefix in ("/one", "/two")
        ]
    finally:
        running.close()

    assert answers == [204, 503]
    assert draft.headers["Location"] == f"/versions/versions/{draft.json()['id']}"


def test_its_description_is_part_of_the_applications(host: Running) -> None:
    description: dict[str, Any] = Api(host, None, "").get("/openapi.json").json()

    assert f"{PREFIX}/versions/{{version_id}}" in description["paths"]
    assert "/own/{number}" in description["paths"]
    assert "TrainingProblem" in description["components"]["schemas"]


class TestCors:
    def ask(self, running: Running, origin: str) -> Any:
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,if-match,content-type",
        }
        return Api(running, None)("OPTIONS", "/versions", headers=headers)

    def test_it_is_off_unless_set(self, running: Running) -> None:
        answer = self.ask(running, "https://app.example.com")

        assert "Access-Control-Allow-Origin" not in answer.headers

    def test_a_page_of_an_origin_that_is_named_may_call(
        self, stack: LocalSupabase, person: Callable[[], Person]
    ) -> None:
        origin = "https://app.example.com"
        app = create_app(url=stack.url, key=stack.publishable_key, cors_origins=[origin])
        running = Running(app)
        try:
            api = Api(running, person())
            allowed, refused = self.ask(running, origin), self.ask(running, "https://evil.test")
            created = api.post(
                "/versions",
                {"package_id": api.package()["id"], **SNAPSHOTS},
                headers={"Origin": origin},
            )
            failed = api.get("/nothing", headers={"Origin": origin})
        finally:
            running.close()

        assert allowed.headers["Access-Control-Allow-Origin"] == origin
        assert (refused.status_code, slug(refused)) == (400, "bad-header")
        assert "Access-Control-Allow-Origin" not in refused.headers
        for answer in (created, failed):
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


class TestSettings:
    def test_they_come_from_the_environment(
        self, stack: LocalSupabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SUPABASE_URL", stack.url)
        monkeypatch.delenv("SUPABASE_PUBLISHABLE_KEY", raising=False)
        monkeypatch.setenv("SUPABASE_KEY", stack.anon_key)
        running = Running(create_app())
        try:
            assert Api(running, None).get("/ready").status_code == 204
        finally:
            running.close()

    @pytest.mark.parametrize("missing", ["url", "key"])
    def test_what_is_missing_is_named(self, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
        for name in ("SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_KEY"):
            monkeypatch.delenv(name, raising=False)
        given: dict[str, Any] = {"url": "http://x", "key": "k"} | {missing: None}

        with pytest.raises(
            InvalidInputError, match=f"pass {missing}=…, or set SUPABASE_"
        ) as caught:
            create_app(**given)

        assert caught.value.field == missing

    @pytest.mark.parametrize("bad", [0, -1, 1.5, "16", True, None])
    def test_a_limit_is_a_number_of_bytes(self, bad: Any) -> None:
        with pytest.raises(InvalidInputError, match="number of bytes"):
            create_router(url="http://x", key="k", max_body=bad)

    @pytest.mark.parametrize("field", ["url", "key"])
    def test_what_cannot_be_used_is_refused_at_the_start(self, field: str) -> None:
        given: dict[str, Any] = {"url": "http://x", "key": "k"} | {field: "no project\n"}

        with pytest.raises(InvalidInputError) as caught:
            create_router(**given)

        assert caught.value.field == field

    @pytest.mark.parametrize("prefix", ["api", "/api/", "/"])
    def test_a_prefix_that_is_none_is_refused(self, prefix: str) -> None:
        with pytest.raises(InvalidInputError, match="prefix"):
            create_app(url="http://x", key="k", prefix=prefix)
