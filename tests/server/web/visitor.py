"""A browser without scripts: it keeps cookies, fills in forms and follows redirects."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from training_versions.local import LocalSupabase

PASSWORD = "correct horse battery"
_CSRF = re.compile(r'name="csrf_token" value="([0-9a-f]{96})"')
OURS = {"Sec-Fetch-Site": "same-origin"}


class Visitor:
    """Reads pages and sends their forms."""

    def __init__(
        self, http: httpx.AsyncClient, run: Callable[..., Any], stack: LocalSupabase
    ) -> None:
        self.http = http
        self._run = run
        self._stack = stack

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._run(self.http.get(path, **options))

    def post(self, path: str, data: dict[str, Any], **options: Any) -> httpx.Response:
        """Send a form as a script of any site could, with nothing added."""
        return self._run(self.http.post(path, data=data, **options))

    def post_parts(self, path: str, parts: AsyncIterator[bytes], **options: Any) -> httpx.Response:
        """Send a body part by part, as far as it is read."""
        return self._run(self.http.post(path, content=parts, **options))

    def post_at_once(self, path: str, data: dict[str, Any], **options: Any) -> list[httpx.Response]:
        """Send the same form twice at once."""

        async def send_both() -> list[httpx.Response]:
            sent = (self.http.post(path, data=data, **options) for _ in range(2))
            return await asyncio.gather(*sent)

        return self._run(send_both())

    def submit(self, path: str, data: dict[str, Any], *, page: str | None = None) -> httpx.Response:
        """Read the page with the form, and send it with its token."""
        token = csrf_token(self.get(page or path))
        return self.post(path, {**data, "csrf_token": token}, headers=OURS)

    def gather(self, *paths: str) -> list[httpx.Response]:
        """Read several pages at once."""

        async def read_all() -> list[httpx.Response]:
            return await asyncio.gather(*(self.http.get(path) for path in paths))

        return self._run(read_all())

    def cookie(self, part: str) -> str:
        """The name of the cookie that has this in its name."""
        (name,) = [name for name in self.http.cookies if name.endswith(part)]
        return name

    def sign_up(self, email: str) -> None:
        """Make an account, which is the project's business."""
        make_account(self._stack, email)

    def sign_in(self, email: str) -> None:
        """Make an account and sign in with it."""
        self.sign_up(email)
        done = self.submit("/sign-in", {"email": email, "password": PASSWORD, "next": "/"})
        assert done.status_code == 303, done.text
        assert urlsplit(done.headers["Location"]).path == "/"


def make_account(stack: LocalSupabase, email: str) -> None:
    """Make an account with the password of all tests, unless there is one."""
    made = httpx.post(
        f"{stack.url}/auth/v1/signup",
        json={"email": email, "password": PASSWORD},
        headers={"apikey": stack.publishable_key},
    )
    assert made.is_success or made.json()["error_code"] == "user_already_exists", made.text


def csrf_token(page: httpx.Response) -> str:
    """The token of the forms of a page."""
    found = _CSRF.search(page.text)
    assert found is not None, page.text
    return html.unescape(found.group(1))
