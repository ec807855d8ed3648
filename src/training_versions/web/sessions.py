"""Sessions: the tokens of a signed-in user, stored only in cookies of the browser.

Scripts cannot read these cookies. The access token is renewed before it expires. A refresh token
can be used once, but a browser may send several requests with the same one at a time. They wait
for one renewal, and all get its tokens. Its result is kept for a minute, as a browser that leaves
a page before the reply arrives still has the used token. (Auth itself repeats its reply for some
seconds, which is enough for other processes of this server.)
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from training_versions.project import read_claims, read_user_id
from training_versions.web.auth import AuthError, Tokens
from training_versions.web.cookies import MAX_VALUE, WEEK, Cookie
from training_versions.web.settings import Settings

_RENEW_BEFORE: Final = 60
"""Seconds before a token expires that it is renewed. No request takes as long."""
_REMEMBER: Final = 60
_IS_TOKEN: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class User:
    """The signed-in user, as claimed by the access token. Only the database verifies it."""

    id: UUID | None
    email: str
    expires_at: float


class SessionCookies:
    """The cookies that hold the tokens of a session."""

    def __init__(self, settings: Settings) -> None:
        # Cookies are shared by all ports of a host. Two servers on one machine, for two
        # projects, must not use each other's cookies.
        project = hashlib.sha256(settings.url.encode()).hexdigest()[:8]
        self._access = Cookie(f"tv-{project}-access", WEEK, settings.secure_cookies)
        self._refresh = Cookie(f"tv-{project}-refresh", WEEK, settings.secure_cookies)

    def read(self, request: Request) -> Tokens | None:
        """Return the tokens of a request, or `None` if nobody is signed in."""
        refresh = self._refresh.read(request)
        if not refresh:
            return None
        access = self._access.read(request)
        if not _IS_TOKEN.fullmatch(access):
            # A missing or damaged access token is renewed with the refresh token.
            access = ""
        return Tokens(access, refresh)

    def write(self, request: Request, response: Response, tokens: Tokens) -> None:
        """Store the tokens in the browser."""
        self._access.write(request, response, tokens.access)
        self._refresh.write(request, response, tokens.refresh)

    def clear(self, request: Request, response: Response) -> None:
        """Delete the tokens from the browser."""
        self._access.clear(request, response)
        self._refresh.clear(request, response)


def fits_cookies(tokens: Tokens) -> bool:
    """Return whether these tokens fit into the cookies of a browser."""
    return all(
        token.isascii() and len(token) <= MAX_VALUE for token in (tokens.access, tokens.refresh)
    )


def read_user(access_token: str) -> User:
    """Return the user of an access token without verifying it.

    If it is not a token, return a user without an id whose session has ended.
    """
    claims = read_claims(access_token)
    expires_at = claims.get("exp")
    if not isinstance(expires_at, int | float):
        expires_at = 0
    return User(read_user_id(access_token), str(claims.get("email", "")), expires_at)


def ends_soon(user: User) -> bool:
    """Return whether the access token of a user must be renewed."""
    return user.expires_at - _RENEW_BEFORE < time.time()


def has_ended(user: User) -> bool:
    """Return whether the access token of a user has expired."""
    return user.expires_at < time.time()


class Renewals:
    """Renews tokens, and uses each refresh token once."""

    def __init__(self, renew: Callable[[str], Awaitable[Tokens]]) -> None:
        self._renew = renew
        self._known: dict[bytes, asyncio.Task[Tokens]] = {}

    async def renew(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens, or return those of its earlier renewal.

        Raises:
            AuthError: Auth refused, or did not answer.
        """
        name = _name_of(refresh_token)
        task = self._known.get(name)
        if task is None:
            task = asyncio.create_task(self._run(name, refresh_token))
            self._known[name] = task
            # If every request was cancelled, nothing else retrieves the exception.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # Cancelling one request must not cancel the renewal for the others.
        return await asyncio.shield(task)

    def forget(self, tokens: Tokens) -> None:
        """Forget the renewal that gave these tokens, after signing out."""
        for name, task in list(self._known.items()):
            is_done = task.done() and not task.cancelled() and task.exception() is None
            if is_done and task.result() == tokens:
                del self._known[name]

    async def _run(self, name: bytes, refresh_token: str) -> Tokens:
        try:
            tokens = await self._renew(refresh_token)
        except BaseException:
            self._known.pop(name, None)
            raise
        if not fits_cookies(tokens):
            self._known.pop(name, None)
            raise AuthError("The session does not fit into cookies.", status=400, code="too_large")
        asyncio.get_running_loop().call_later(_REMEMBER, self._known.pop, name, None)
        return tokens


def _name_of(refresh_token: str) -> bytes:
    return hashlib.sha256(refresh_token.encode()).digest()
