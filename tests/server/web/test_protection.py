"""What keeps other sites from acting in the name of a user, and the headers of every reply."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from starlette.routing import Route

from tests.server.web.visitor import OURS, PASSWORD, Visitor, csrf_token
from training_versions import PackageRepository, VersionRepository
from training_versions.local import LocalSupabase
from training_versions.web import create_app, static_files
from training_versions.web.pages import packages

OTHERS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://pages.test.evil.example"},
    {"Origin": "http://pages.test:8000"},
    {},
]
EXAMPLES = {"package_id": UUID(int=1), "number": 1}


def changing_paths() -> list[str]:
    """Every address that changes something, with parts that need not be there."""
    app = create_app(url="https://project.test", key="key")
    return [
        re.sub(r"{(\w+).*?}", lambda part: str(EXAMPLES[part[1]]), route.path)
        for route in app.routes
        if isinstance(route, Route) and "POST" in (route.methods or ())
        if route.path != "/sign-in"
    ]


CHANGES = changing_paths()


@pytest.mark.parametrize("headers", OTHERS, ids=str)
def test_another_site_changes_nothing_even_with_the_token(
    owner_page: Visitor, headers: dict[str, str]
) -> None:
    token = csrf_token(owner_page.get("/"))

    for path in CHANGES:
        done = owner_page.post(path, {"csrf_token": token, "name": "bot"}, headers=headers)

        assert done.status_code == 403, path
        assert "nothing was changed" in done.text
    assert owner_page.get("/").status_code == 200


@pytest.mark.parametrize(
    "token", [None, "", "0" * 64, "0" * 96, "ü", "of another user", "of nobody"]
)
def test_a_form_without_the_token_of_its_user_changes_nothing(
    owner_page: Visitor,
    new_visitor: Callable[[], Visitor],
    stranger_email: str,
    token: str | None,
) -> None:
    stranger = new_visitor()
    if token == "of another user":
        stranger.sign_in(stranger_email)
        token = csrf_token(stranger.get("/"))
    elif token == "of nobody":
        token = csrf_token(stranger.get("/sign-in"))
    given = {} if token is None else {"csrf_token": token}

    for path in CHANGES:
        done = owner_page.post(path, {"name": "bot", **given}, headers=OURS)

        assert done.status_code == 403, path
    assert owner_page.get("/").status_code == 200


def test_nobody_has_a_form_made_for_somebody_else(
    owner_page: Visitor, visitor: Visitor, stack: LocalSupabase, owner_email: str
) -> None:
    # The pages do not verify the access token, so its text can say anything.
    name = owner_page.cookie("-access")
    _, claims, _ = owner_page.http.cookies[name].split(".")
    forged = {name: f"e30.{claims}.AAAA", name.replace("access", "refresh"): "nothing"}
    visitor.http.cookies.update(forged)
    page = visitor.get("/packages/new")
    assert owner_email in page.text

    token = csrf_token(page)
    done = owner_page.post("/packages/new", {"csrf_token": token, "name": "bot"}, headers=OURS)

    assert done.status_code == 403


def test_the_token_is_another_one_in_each_page(owner_page: Visitor) -> None:
    assert csrf_token(owner_page.get("/")) != csrf_token(owner_page.get("/"))


def test_the_endpoints_beside_the_pages_take_no_cookie(owner_page: Visitor) -> None:
    health = owner_page.get("/api/training/health")
    listed = owner_page.get("/api/training/packages")
    created = owner_page.post("/api/training/packages", {}, headers=OURS)
    unknown = owner_page.get("/api/training/nothing")

    assert health.status_code == 200
    assert (listed.status_code, created.status_code, unknown.status_code) == (401, 401, 404)
    assert listed.headers["Content-Type"] == "application/problem+json"


def test_an_error_in_a_part_of_a_page_takes_the_place_of_the_page(owner_page: Visitor) -> None:
    part = owner_page.get("/?cursor=nonsense", headers={"HX-Request": "true"})

    assert part.status_code == 422
    assert part.text.startswith('<section class="error"')
    assert part.headers["HX-Retarget"] == "#main"


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(owner_page: Visitor) -> None:
    token = csrf_token(owner_page.get("/"))

    done = owner_page.post(
        "/sign-out", {"csrf_token": token}, headers={"Origin": "http://pages.test"}
    )

    assert done.status_code == 303


def test_nobody_is_signed_in_as_somebody_else(
    new_visitor: Callable[[], Visitor], owner_email: str
) -> None:
    victim, attacker = new_visitor(), new_visitor()
    victim.sign_up(owner_email)
    token = csrf_token(attacker.get("/sign-in"))
    victim.get("/sign-in")

    # The form of another browser, sent from a page of ours.
    done = victim.post(
        "/sign-in",
        {"email": owner_email, "password": PASSWORD, "csrf_token": token},
        headers=OURS,
    )

    assert done.status_code == 403
    assert "This page had grown old" in done.text
    assert f'value="{owner_email}"' in done.text
    assert victim.get("/").status_code == 303


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/sign-in", 200),
        ("/nowhere", 404),
        (f"/packages/{UUID(int=1)}", 404),
        ("/packages/no-id", 404),
        ("/?cursor=nonsense", 422),
        ("/sign-out", 405),
    ],
)
def test_every_page_has_the_headers_and_is_kept_by_nobody(
    owner_page: Visitor, path: str, status: int
) -> None:
    page = owner_page.get(path)

    assert page.status_code == status
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "private, no-store"


def test_a_method_that_an_address_does_not_take_is_refused_with_those_it_does(
    owner_page: Visitor,
) -> None:
    assert owner_page.get("/sign-out").headers["Allow"] == "POST"
    assert "does not take GET" in owner_page.get("/sign-out").text


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "9" * 5000])
def test_there_is_no_page_at_what_is_no_number_of_a_version(
    owner_page: Visitor, number: str
) -> None:
    for action in ("", "/edit", "/restore", "/publish", "/deploy", "/content.json"):
        page = owner_page.get(f"/packages/{uuid4()}/v/{number}{action}")

        assert page.status_code == 404
        assert "There is no page at this address." in page.text


def test_a_file_is_no_field_of_a_form(owner_page: Visitor, run: Callable[..., Any]) -> None:
    token = csrf_token(owner_page.get("/"))
    form = {"csrf_token": (None, token), "template_type": (None, "x"), "config": (None, "{}")}
    files = form | {"name": ("a.txt", b"bot")}

    done = run(owner_page.http.post("/packages/new", files=files, headers=OURS))

    assert done.status_code == 400
    assert "a.txt" not in owner_page.get("/").text


@pytest.mark.parametrize(
    "query",
    ["done=deleted&number=5+call+me", "done=restored&source=me", "done=published", "done=x"],
)
def test_an_address_cannot_have_a_page_say_what_is_not_so(
    owner_page: Visitor, stack: LocalSupabase, owner_email: str, query: str
) -> None:
    client = stack.sign_in(owner_email)
    package = PackageRepository(client).create("bot", template_type="lora", config={})
    VersionRepository(client).create_draft(package.id, config={}, model={}, dataset=[])

    for path in (f"/packages/{package.id}", f"/packages/{package.id}/v/1"):
        page = owner_page.get(f"{path}?{query}")

        assert page.status_code == 200
        assert 'role="status">' not in page.text.partition("<main")[2].partition("<section")[0]


def test_a_failure_says_nothing_of_its_cause_and_has_the_headers(
    owner_page: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("a secret")

    monkeypatch.setattr(packages, "render", fail)

    page = owner_page.get("/")

    assert page.status_code == 500
    assert "Content-Security-Policy" in page.headers
    assert "secret" not in page.text


def test_a_request_that_is_too_large_is_refused(owner_page: Visitor) -> None:
    token = csrf_token(owner_page.get("/"))

    done = owner_page.post(
        "/packages/new",
        {"csrf_token": token, "name": "bot", "config": "x" * (17 * 1024 * 1024)},
        headers=OURS,
    )

    assert done.status_code == 413
    assert "nothing was saved. A request may have at most 16,777,216 bytes." in done.text
    assert "what you typed is still there" in done.text


LATIN_1 = "naïve".encode("latin-1")
BOUNDARY = b"b0undary"


def as_multipart(fields: dict[str, bytes]) -> tuple[str, bytes]:
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (BOUNDARY, name.encode(), value)
        for name, value in fields.items()
    ]
    body = b"".join(parts) + b"--%s--\r\n" % BOUNDARY
    return f"multipart/form-data; boundary={BOUNDARY.decode()}", body


def as_percent_encoded(fields: dict[str, bytes]) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def as_raw(fields: dict[str, bytes]) -> tuple[str, bytes]:
    body = b"&".join(name.encode() + b"=" + value for name, value in fields.items())
    return "application/x-www-form-urlencoded", body


@pytest.mark.parametrize("write", [as_multipart, as_percent_encoded, as_raw])
@pytest.mark.parametrize("field", ["name", "template_type"])
def test_a_form_in_another_encoding_is_refused_and_the_field_named(
    owner_page: Visitor, run: Callable[..., Any], write: Callable[..., Any], field: str
) -> None:
    token = csrf_token(owner_page.get("/"))
    fields = {"csrf_token": token.encode(), "name": b"bot-in-latin-1", "template_type": b"lora"}
    kind, body = write(fields | {"config": b"{}", field: b"bot-in-latin-1" + LATIN_1})

    done = run(
        owner_page.http.post("/packages/new", content=body, headers={**OURS, "Content-Type": kind})
    )

    assert done.status_code == 400
    assert f"The field {field} is not encoded as UTF-8, and nothing was saved." in done.text
    assert "bot-in-latin-1" not in owner_page.get("/").text


# A text of UTF-8 is stored as another one by the first four; the last one cannot read it at all.
@pytest.mark.parametrize("charset", ["iso-8859-1", "us-ascii", "utf-7", "no-such", "punycode"])
def test_a_multipart_form_that_names_another_charset_is_refused(
    owner_page: Visitor, run: Callable[..., Any], charset: str
) -> None:
    token = csrf_token(owner_page.get("/")).encode()
    fields = {"csrf_token": token, "name": "in-a-charset naïve".encode(), "template_type": b"x"}
    kind, body = as_multipart(fields | {"config": b"{}"})
    headers = {**OURS, "Content-Type": f"{kind}; charset={charset}"}

    done = run(owner_page.http.post("/packages/new", content=body, headers=headers))

    assert done.status_code == 400
    assert "The form is not encoded as UTF-8, and nothing was saved." in done.text
    assert "in-a-charset" not in owner_page.get("/").text


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF8"'])
def test_a_multipart_form_in_utf_8_is_taken_as_it_is(
    owner_page: Visitor, run: Callable[..., Any], charset: str
) -> None:
    token = csrf_token(owner_page.get("/")).encode()
    fields = {"csrf_token": token, "name": "naïve 👩‍👧".encode(), "template_type": b"x"}
    kind, body = as_multipart(fields | {"config": b"{}"})
    kind += charset

    done = run(
        owner_page.http.post("/packages/new", content=body, headers={**OURS, "Content-Type": kind})
    )

    assert done.status_code == 303
    assert "naïve 👩‍👧" in owner_page.get(done.headers["Location"]).text


@pytest.mark.parametrize(
    ("announced", "most_read"),
    # In parts it is read as far as the limit; one that says its size is not read at all.
    [({}, 17), ({"Content-Length": str(64 * 1024 * 1024)}, 0)],
)
def test_a_request_that_is_too_large_is_not_read_whole(
    owner_page: Visitor, announced: dict[str, str], most_read: int
) -> None:
    read: list[int] = []

    async def megabytes() -> AsyncIterator[bytes]:
        for number in range(1, 65):
            read.append(number)
            yield b"x" * 1024 * 1024

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    done = owner_page.post_parts("/packages/new", megabytes(), headers=OURS | form | announced)

    assert done.status_code == 413
    assert len(read) == most_read


def test_static_files_are_kept_for_good_and_change_their_address(visitor: Visitor) -> None:
    address = static_files.static_url("site.css")

    current = visitor.get(address)
    older = visitor.get("/static/0123456789ab/site.css")

    assert current.headers["Content-Type"] == "text/css; charset=utf-8"
    assert current.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert older.headers["Cache-Control"] == "no-cache"
    for path in ("/static/x/..%2fapp.py", "/static/x/%2e%2e/app.py", "/static/x/vendor"):
        assert visitor.get(path).status_code == 404
