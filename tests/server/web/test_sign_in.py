"""Signing in, the session, and signing out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.web.visitor import OURS, PASSWORD, Visitor, csrf_token
from training_versions.local import LocalSupabase
from training_versions.web.pages.sign_in import safe_path

SIGN_IN = "/sign-in"


def test_who_is_not_signed_in_is_sent_to_the_form_and_back(
    visitor: Visitor, owner_email: str
) -> None:
    asked = visitor.get("/?text=bot")
    assert asked.status_code == 303
    assert asked.headers["Location"] == "/sign-in?next=%2F%3Ftext%3Dbot"
    visitor.sign_up(owner_email)

    done = visitor.submit(
        SIGN_IN,
        {"email": owner_email, "password": PASSWORD, "next": "/?text=bot"},
        page=asked.headers["Location"],
    )

    assert done.status_code == 303
    assert done.headers["Location"] == "/?text=bot"
    assert owner_email in visitor.get("/?text=bot").text


def test_the_tokens_are_in_cookies_that_no_script_can_read(
    visitor: Visitor, owner_email: str
) -> None:
    visitor.sign_up(owner_email)

    done = visitor.submit(SIGN_IN, {"email": owner_email, "password": PASSWORD})

    cookies = done.headers.get_list("set-cookie")
    assert len([cookie for cookie in cookies if "-access=ey" in cookie]) == 1
    assert len([cookie for cookie in cookies if "-refresh=" in cookie]) == 1
    for cookie in cookies:
        assert "; HttpOnly" in cookie
        assert "; SameSite=lax" in cookie
        assert "; Path=/" in cookie
        assert "Domain" not in cookie
    page = visitor.get("/")
    assert not [value for value in visitor.http.cookies.values() if value in page.text]


def test_over_https_the_cookies_travel_over_https_only(visitor: Visitor, owner_email: str) -> None:
    visitor.http.base_url = "https://pages.test"
    visitor.sign_in(owner_email)

    assert all(name.startswith("__Host-tv-") for name in visitor.http.cookies)
    assert all(cookie.secure for cookie in visitor.http.cookies.jar)
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize("password", ["wrong password", PASSWORD], ids=["wrong", "no such user"])
def test_a_refusal_does_not_say_whether_the_address_exists_and_keeps_it(
    visitor: Visitor, owner_email: str, password: str
) -> None:
    if password != PASSWORD:
        visitor.sign_up(owner_email)

    done = visitor.submit(SIGN_IN, {"email": owner_email, "password": password, "next": "/?a=1"})

    assert done.status_code == 400
    assert "The email and the password do not go together." in done.text
    assert f'value="{owner_email}"' in done.text
    assert 'name="next" value="/?a=1"' in done.text
    assert password not in done.text


@pytest.mark.parametrize(
    "given", [{"email": "a@b.example"}, {"password": "secret"}, {}, {"email": " ", "password": "x"}]
)
def test_an_empty_field_is_named(visitor: Visitor, given: dict[str, str]) -> None:
    done = visitor.submit(SIGN_IN, given)

    assert done.status_code == 422
    assert "Both are needed: the email and the password." in done.text


@pytest.mark.parametrize(
    "email", ["<script>alert(1)</script>", '"><b>', "\x00", "ä" * 300, "x" * 20_000]
)
def test_a_hostile_address_is_shown_as_text_or_refused(visitor: Visitor, email: str) -> None:
    done = visitor.submit(SIGN_IN, {"email": email, "password": "x"})

    assert done.status_code in (400, 422)
    assert "<script>alert" not in done.text
    assert '"><b>' not in done.text


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/packages/1?text=a#b", "/packages/1?text=a#b"),
        ("/", "/"),
        (None, "/"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/\t/evil.example", "/"),
        ("\n//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("packages", "/"),
        ("http:/x", "/"),
        ("//[bad", "/"),
    ],
)
def test_signing_in_leads_to_pages_of_this_site_only(target: str | None, path: str) -> None:
    assert safe_path(target) == path


def shorten(visitor: Visitor, stack: LocalSupabase, email: str, seconds: int) -> str:
    """Let the access token end so soon, and return the refresh token."""
    name = visitor.cookie("-access")
    visitor.http.cookies.delete(name)
    visitor.http.cookies.set(name, stack.token(email, expires_in=seconds), "pages.test", "/")
    return visitor.http.cookies[visitor.cookie("-refresh")]


def test_requests_at_once_renew_a_session_once(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    old = shorten(owner_page, stack, owner_email, 30)

    pages = owner_page.gather(*["/"] * 8)
    following = owner_page.get("/")

    assert {page.status_code for page in pages} == {200}
    # Each reply sets the same new tokens, whichever of them the browser reads last.
    renewed = {tuple(sorted(page.headers.get_list("set-cookie"))) for page in pages}
    assert len(renewed) == 1
    assert owner_page.http.cookies[owner_page.cookie("-refresh")] != old
    assert "set-cookie" not in following.headers
    tokens = "select count(*) from auth.refresh_tokens t join auth.sessions s on s.id = session_id "
    count = stack.psql(
        f"{tokens} join auth.users u on u.id = s.user_id where u.email = :'email'",
        admin=True,
        email=owner_email,
    )
    # Of signing up, of signing in, and of the one renewal.
    assert count.strip() == "3"


def test_a_browser_that_left_before_the_reply_keeps_its_session(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    shorten(owner_page, stack, owner_email, 30)
    before = dict(owner_page.http.cookies)
    owner_page.get("/")

    # As if the reply with the new tokens had never come.
    owner_page.http.cookies.clear()
    for name, value in before.items():
        owner_page.http.cookies.set(name, value, "pages.test", "/")

    assert owner_page.get("/").status_code == 200


def end_session(stack: LocalSupabase, email: str) -> None:
    stack.psql(
        "delete from auth.sessions where user_id = (select id from auth.users where email = "
        ":'email');",
        admin=True,
        email=email,
    )


def test_a_session_that_has_ended_leads_to_the_form_and_says_so(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    shorten(owner_page, stack, owner_email, -60)
    end_session(stack, owner_email)

    asked = owner_page.get("/?text=a")
    form = owner_page.get(asked.headers["Location"])

    assert asked.headers["Location"] == "/sign-in?next=%2F%3Ftext%3Da&ended=1"
    assert "Your session has ended." in form.text
    assert not [name for name in owner_page.http.cookies if "access" in name or "refresh" in name]


def test_what_is_sent_after_the_session_has_ended_is_not_thrown_away_in_silence(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    token = csrf_token(owner_page.get("/"))
    shorten(owner_page, stack, owner_email, -60)
    end_session(stack, owner_email)

    done = owner_page.post(
        "/packages/new", {"name": "bot", "csrf_token": token}, headers={"Sec-Fetch-Site": "none"}
    )

    assert done.status_code == 401
    assert "You are signed out, and nothing was saved." in done.text


@pytest.mark.parametrize("has_session", [True, False])
def test_a_token_that_the_database_refuses_is_renewed_if_the_session_is_there(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str, *, has_session: bool
) -> None:
    name = owner_page.cookie("-access")
    header, payload, _ = owner_page.http.cookies[name].split(".")
    owner_page.http.cookies.set(name, f"{header}.{payload}.{'A' * 86}", "pages.test", "/")
    if not has_session:
        end_session(stack, owner_email)

    asked = owner_page.get("/")

    if has_session:
        assert asked.status_code == 200
        assert owner_page.get("/").status_code == 200
    else:
        assert asked.headers["Location"] == "/sign-in?next=%2F&ended=1"


def test_a_damaged_access_token_is_renewed(owner_page: Visitor, owner_email: str) -> None:
    token = owner_page.http.cookies[owner_page.cookie("-access")]
    cookies = "; ".join(f"{name}={text}" for name, text in owner_page.http.cookies.items())
    damaged = cookies.replace(token, f"{token}\u00e4").encode("latin-1")

    page = owner_page.get("/", headers={b"Cookie": damaged})

    assert page.status_code == 200
    assert owner_email in page.text


@pytest.mark.parametrize("length", [0, 31, 20_000])
def test_who_has_a_damaged_cookie_can_sign_in(
    visitor: Visitor, owner_email: str, length: int
) -> None:
    visitor.http.cookies.set("tv-visitor", "x" * length, "pages.test", "/")

    visitor.sign_in(owner_email)

    assert owner_email in visitor.get("/").text


def test_signing_out_ends_the_session_here_and_at_the_project(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    before = dict(owner_page.http.cookies)

    done = owner_page.submit("/sign-out", {}, page="/")
    form = owner_page.get(done.headers["Location"])

    assert "You are signed out." in form.text
    assert not [name for name in owner_page.http.cookies if "access" in name or "refresh" in name]
    assert owner_page.get("/").status_code == 303
    # The tokens are of no use to who copied them before, once the access token ends.
    for name, value in before.items():
        owner_page.http.cookies.set(name, value, "pages.test", "/")
    shorten(owner_page, stack, owner_email, -60)
    assert owner_page.get("/").headers["Location"] == "/sign-in?next=%2F&ended=1"


@pytest.mark.parametrize("name", ["out", "out-here", "ended"])
def test_who_is_signed_in_is_not_told_otherwise(owner_page: Visitor, name: str) -> None:
    form = owner_page.get(f"/sign-in?{name}=1")

    assert 'role="status"' not in form.text


def test_signing_out_with_an_access_token_that_is_refused_ends_the_session_as_well(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    token = csrf_token(owner_page.get("/"))
    name, refresh = owner_page.cookie("-access"), owner_page.cookie("-refresh")
    header, payload, _ = owner_page.http.cookies[name].split(".")
    owner_page.http.cookies.set(name, f"{header}.{payload}.{'A' * 86}", "pages.test", "/")
    before = owner_page.http.cookies[refresh]

    done = owner_page.post("/sign-out", {"csrf_token": token}, headers=OURS)

    assert done.headers["Location"] == "/sign-in?out=1"
    owner_page.http.cookies.set(refresh, before, "pages.test", "/")
    assert owner_page.get("/").headers["Location"] == "/sign-in?next=%2F&ended=1"


def test_signing_out_of_a_session_that_has_ended_is_no_error(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    token = csrf_token(owner_page.get("/"))
    end_session(stack, owner_email)
    ours = {"Sec-Fetch-Site": "same-origin"}

    first = owner_page.post("/sign-out", {"csrf_token": token}, headers=ours)
    again = owner_page.post("/sign-out", {"csrf_token": token}, headers=ours)

    assert first.headers["Location"] == again.headers["Location"] == "/sign-in?out=1"


def test_a_session_too_long_for_one_cookie_is_split(
    visitor: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    visitor.sign_up(owner_email)
    give_metadata(stack, owner_email, 6_000)

    visitor.submit(SIGN_IN, {"email": owner_email, "password": PASSWORD})
    page = visitor.get("/")

    assert page.status_code == 200
    assert all(len(name) + len(value) < 4_000 for name, value in visitor.http.cookies.items())
    assert len([name for name in visitor.http.cookies if "-access" in name]) > 2
    # A smaller token later leaves no part of the larger one behind.
    give_metadata(stack, owner_email, 10)
    visitor.submit(SIGN_IN, {"email": owner_email, "password": PASSWORD})
    assert len([name for name in visitor.http.cookies if "-access" in name]) == 1
    assert visitor.get("/").status_code == 200


def test_a_session_too_large_for_cookies_is_refused_in_words(
    visitor: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    visitor.sign_up(owner_email)
    give_metadata(stack, owner_email, 20_000)

    done = visitor.submit(SIGN_IN, {"email": owner_email, "password": PASSWORD})

    assert done.status_code == 400
    assert "the session is too large for the cookies of a browser" in done.text


def give_metadata(stack: LocalSupabase, email: str, size: int) -> None:
    """Let the token of a user be this much larger."""
    stack.psql(
        "update auth.users set raw_user_meta_data = "
        "jsonb_build_object('about', repeat('x', :'size'::int)) where email = :'email';",
        admin=True,
        email=email,
        size=str(size),
    )


def test_two_browsers_see_their_own(
    new_visitor: Callable[[], Visitor], owner_email: str, stranger_email: str
) -> None:
    pages: list[Any] = []
    for email in (owner_email, stranger_email):
        visitor = new_visitor()
        visitor.sign_in(email)
        pages.append(visitor.get("/"))

    assert owner_email in pages[0].text
    assert owner_email not in pages[1].text
