"""Sessions: the tokens of a signed-in user, in cookies of the browser and nowhere else.

Both tokens are in cookies that no script can read. The access token is renewed before it ends. A
refresh token is good for one renewal, and a browser may send several requests with the same one at
once: they wait for one renewal, and all get its tokens. What it gave is remembered for a minute, as
a browser that leaves a page before the reply has come keeps the token that is used up. (Auth
itself gives the same answer for some seconds, which serves other processes of this server.)
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
"""Seconds before its end that a token is renewed: longer than any request takes."""
_REMEMBER: Final = 60
_IS_TOKEN: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class User:
    """Who is signed in, as the access token says; the database verifies it."""

    id: UUID | None
    email: str
    expires_at: float


class SessionCookies:
    """The cookies that hold the tokens of a session."""

    def __init__(self, settings: Settings) -> None:
        # Browsers tell hosts apart and not ports: two servers on one machine, for two projects,
        # must not take each other's cookies.
        project = hashlib.sha256(settings.url.encode()).hexdigest()[:8]
        self._access = Cookie(f"tv-{project}-access", WEEK, settings.secure_cookies)
        self._refresh = Cookie(f"tv-{project}-refresh", WEEK, settings.secure_cookies)

    def read(self, request: Request) -> Tokens | None:
        """Return the tokens in a request, or `None` if nobody is signed in."""
        refresh = self._refresh.read(request)
        if not refresh:
            return None
        access = self._access.read(request)
        if not _IS_TOKEN.fullmatch(access):
            # As if there were none: it is renewed, and the damage is gone.
            access = ""
        return Tokens(access, refresh)

    def write(self, request: Request, response: Response, tokens: Tokens) -> None:
        """Set the tokens."""
        self._access.write(request, response, tokens.access)
        self._refresh.write(request, response, tokens.refresh)

    def clear(self, request: Request, response: Response) -> None:
        """Have the browser forget the tokens."""
        self._access.clear(request, response)
        self._refresh.clear(request, response)


def fits_cookies(tokens: Tokens) -> bool:
    """Return whether a browser would keep these tokens."""
    return all(
        token.isascii() and len(token) <= MAX_VALUE for token in (tokens.access, tokens.refresh)
    )


def read_user(access_token: str) -> User:
    """Return whom a token is for, without verifying it; nobody if it is no token."""
    claims = read_claims(access_token)
    expires_at = claims.get("exp")
    if not isinstance(expires_at, int | float):
        expires_at = 0
    return User(read_user_id(access_token), str(claims.get("email", "")), expires_at)


def ends_soon(user: User) -> bool:
    """Return whether the token of a user must be renewed."""
    return user.expires_at - _RENEW_BEFORE < time.time()


def has_ended(user: User) -> bool:
    """Return whether the token of a user is of no use any more."""
    return user.expires_at < time.time()


class Renewals:
    """Renews tokens, each refresh token once."""

    def __init__(self, renew: Callable[[str], Awaitable[Tokens]]) -> None:
        self._renew = renew
        self._known: dict[bytes, asyncio.Task[Tokens]] = {}

    async def renew(self, refresh_token: str) -> Tokens:
        """Return the tokens that follow a refresh token.

        Raises:
            AuthError: Auth refused, or could not be asked.
        """
        name = _name_of(refresh_token)
        task = self._known.get(name)
        if task is None:
            task = asyncio.create_task(self._run(name, refresh_token))
            self._known[name] = task
            # Where every request was given up, nobody else asks how it ended.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # One request that is given up does not end the renewal for the others.
        return await asyncio.shield(task)

    def forget(self, tokens: Tokens) -> None:
        """Forget what a session was renewed to: it was signed out."""
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
