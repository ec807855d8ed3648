"""What the pages make of every answer of the project's Auth, also of none."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import respx

from tests.server.web.visitor import OURS, csrf_token
from training_versions.web import create_app
from training_versions.web.csrf import make_token

PROJECT = "https://project.test"
PROJECT_HASH = hashlib.sha256(PROJECT.encode()).hexdigest()[:8]
USER = "11111111-1111-4111-8111-111111111111"
SECRET = "a secret of the tests"
SESSION = {"access_token": "a.b.c", "refresh_token": "r"}


def use_pages(act: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """Start the pages, and do something with them."""

    async def run() -> Any:
        app = create_app(url=PROJECT, key="sb_publishable_x", secret=SECRET)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://pages.test") as pages,
        ):
            return await act(pages)

    return asyncio.run(run())


def sign_in(**answer: Any) -> httpx.Response:
    """Sign in where Auth answers like this."""

    async def act(pages: httpx.AsyncClient) -> httpx.Response:
        form = await pages.get("/sign-in")
        sent = {"email": "ada@example.com", "password": "pw", "csrf_token": csrf_token(form)}
        return await pages.post("/sign-in", data=sent, headers=OURS)

    with respx.mock(base_url=PROJECT) as project:
        project.post("/auth/v1/token", params={"grant_type": "password"}).mock(**answer)
        return use_pages(act)


REFUSED = {
    "wrong": (400, {"code": "invalid_credentials", "message": "Invalid"}, 400, "go together"),
    "an older server": (
        400,
        {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid"},
        400,
        "The email and the password do not go together.",
    ),
    "not confirmed": (400, {"code": "email_not_confirmed", "message": "x"}, 400, "not confirmed"),
    "blocked": (403, {"code": "user_banned", "message": "x"}, 403, "This account is blocked."),
    "something new": (
        422,
        {"code": "captcha_failed", "message": "captcha <b>failed</b>"},
        422,
        "captcha &lt;b&gt;failed&lt;/b&gt;",
    ),
    "too many": (429, {"code": "over_request_rate_limit", "message": "x"}, 429, "few minutes"),
    "a proxy's page": (502, "<html>Bad Gateway</html>", 503, "does not answer now"),
    "a broken database": (500, {"code": "unexpected_failure"}, 503, "does not answer now"),
    "success without tokens": (200, {"user": {}}, 503, "does not answer now"),
    "success that is no JSON": (200, "ok", 503, "does not answer now"),
    "a list": (400, [], 400, "does not sign you in"),
}


@pytest.mark.parametrize(("status", "body", "shown", "text"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_told_and_the_address_kept(
    status: int, body: object, shown: int, text: str
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)

    page = sign_in(return_value=httpx.Response(status, text=content))

    assert page.status_code == shown
    assert text in page.text
    assert 'value="ada@example.com"' in page.text
    assert "-access=" not in str(page.headers.get_list("set-cookie"))


def test_too_many_attempts_say_when_to_try_again() -> None:
    refusal = httpx.Response(429, json={"code": "x"}, headers={"Retry-After": "37"})

    page = sign_in(return_value=refusal)

    assert page.headers["Retry-After"] == "37"
    assert "Try again in 37 seconds." in page.text


@pytest.mark.parametrize(
    "told", ["-5", "5_0", "99999999999", "Wed, 21 Oct 2026 07:28:00 GMT", "5, 6"]
)
def test_when_to_try_again_is_a_number_of_seconds_or_not_told(told: str) -> None:
    refusal = httpx.Response(429, json={"code": "x"}, headers={"Retry-After": told})

    page = sign_in(return_value=refusal)

    assert "Retry-After" not in page.headers
    assert "Try again in a few minutes." in page.text


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_a_project_that_does_not_answer_is_told(error: type[httpx.HTTPError]) -> None:
    page = sign_in(side_effect=error)

    assert page.status_code == 503
    assert "The project&#39;s sign-in does not answer now." in page.text


def old_token() -> str:
    """An access token that has ended."""
    claims = {"sub": USER, "exp": 1}
    return f"x.{urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"


def signed_in(pages: httpx.AsyncClient) -> None:
    """Let the browser have a session that must be renewed."""
    for name, value in {"access": old_token(), "refresh": "old"}.items():
        pages.cookies.set(f"tv-{PROJECT_HASH}-{name}", value, "pages.test", "/")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"return_value": httpx.Response(429, headers={"Retry-After": "9"})}, 429),
        ({"return_value": httpx.Response(502, text="<html>")}, 503),
        ({"side_effect": httpx.ConnectError}, 503),
    ],
    ids=["too many", "a proxy's page", "unreachable"],
)
def test_a_session_that_cannot_be_renewed_now_is_kept(answer: dict[str, Any], status: int) -> None:
    async def act(pages: httpx.AsyncClient) -> httpx.Response:
        signed_in(pages)
        return await pages.get("/")

    with respx.mock(base_url=PROJECT) as project:
        project.post("/auth/v1/token", params={"grant_type": "refresh_token"}).mock(**answer)
        page = use_pages(act)

    assert page.status_code == status
    assert "You are still signed in: reload in a moment." in page.text
    assert page.headers["Retry-After"] in ("5", "9")
    assert "set-cookie" not in page.headers


def test_signing_out_works_here_while_the_project_does_not_answer() -> None:
    async def act(pages: httpx.AsyncClient) -> tuple[httpx.Response, list[str], str]:
        signed_in(pages)
        # Of a page that was open before.
        browser = "a" * 32
        pages.cookies.set("tv-visitor", browser, "pages.test", "/")
        token = make_token(SECRET.encode(), f"user:{USER}:{browser}")
        done = await pages.post("/sign-out", data={"csrf_token": token}, headers=OURS)
        form = await pages.get(done.headers["Location"])
        return done, [name for name in pages.cookies if "refresh" in name], form.text

    with respx.mock(base_url=PROJECT) as project:
        project.post("/auth/v1/token").mock(side_effect=httpx.ConnectError)
        done, left, form = use_pages(act)

    assert done.status_code == 303
    assert left == []
    assert "You are signed out in this browser." in form
