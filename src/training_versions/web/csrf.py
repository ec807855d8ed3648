"""Protection against cross-site request forgery (CSRF).

A request that changes something must come from a page of this site, according to headers that no
script can set. It must also carry a token that only this server can make. The token belongs to
one user in one browser, not to one session. So a form that was open while its user signed in
again can still be sent, and the text typed into it is not lost.

A browser is identified by a cookie with a random name. The user alone would not be enough: the
pages read the user from an access token that they do not verify, so anybody could get a form for
any user.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from training_versions.web.cookies import WEEK, Cookie

FIELD: Final = "csrf_token"
"""The form field with the token."""
HEADER: Final = "X-CSRF-Token"
"""The header with the token, for requests of scripts."""

_NONCE_BYTES: Final = 16
_NAME_BYTES: Final = 24
_NAME_LENGTH: Final = 32


class Browsers:
    """Identifies browsers by a cookie with a random name."""

    def __init__(self, secure_cookies: bool | None) -> None:
        self._cookie = Cookie("tv-visitor", WEEK, secure_cookies)

    def name(self, request: Request) -> str:
        """Return the name of the browser, or a new name if its cookie has none."""
        known: str | None = getattr(request.state, "browser", None)
        if known is None:
            known = self._cookie.read(request)
            if len(known) != _NAME_LENGTH:
                known = secrets.token_urlsafe(_NAME_BYTES)
            request.state.browser = known
        return known

    def is_new(self, request: Request) -> bool:
        """Return whether the browser has not stored its name yet."""
        return self._cookie.read(request) != self.name(request)

    def keep(self, request: Request, response: Response) -> None:
        """Store the name in the browser."""
        self._cookie.write(request, response, self.name(request))


def make_token(secret: bytes, holder: str) -> str:
    """Return a token for a holder: a user in a browser, or a browser.

    Each call returns a different token. A token that is the same in every page could be guessed bit
    by bit from the compressed size of pages that also hold text of an attacker (BREACH).
    """
    nonce = secrets.token_hex(_NONCE_BYTES)
    return nonce + _sign(secret, holder, nonce)


def is_token(secret: bytes, holder: str, given: str) -> bool:
    """Return whether the given text is a token of this holder."""
    nonce, signature = given[: 2 * _NONCE_BYTES], given[2 * _NONCE_BYTES :]
    return hmac.compare_digest(signature.encode(), _sign(secret, holder, nonce).encode())


def _sign(secret: bytes, holder: str, nonce: str) -> str:
    return hmac.new(secret, f"csrf:{nonce}:{holder}".encode(), hashlib.sha256).hexdigest()


def is_same_site(request: Request) -> bool:
    """Return whether the request comes from a page of this site, according to its headers."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # `none` is a request that the user made, for example by reloading the page.
        return site in ("same-origin", "none")
    # Browsers without this header send `Origin` with every request that is not a read.
    origin = urlsplit(request.headers.get("Origin", ""))
    return origin.netloc != "" and origin.netloc == request.headers.get("Host")


async def read_token(request: Request) -> str:
    """Return the token in the header or the form of a request, or an empty text."""
    given = request.headers.get(HEADER)
    if given is not None:
        return given
    form = await request.form()
    return str(form.get(FIELD, ""))
