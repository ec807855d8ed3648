"""Protection against requests that another site makes in the name of a user.

A request that changes something must come from a page of this site, which browsers tell in headers
that no script can set; and it must carry a token that only this server can make. The token belongs
to one user in one browser, not to one session: a form that was open while its user signed in again
can still be sent, and nothing that was typed is lost.

A browser is known by a random cookie of its own. The user alone would not do: who somebody is, the
pages read from a token that they do not verify, so anybody could have a form made for anybody.
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
"""The field of a form that carries the token."""
HEADER: Final = "X-CSRF-Token"
"""The header of a request without a form that carries it."""

_NONCE_BYTES: Final = 16
_NAME_BYTES: Final = 24
_NAME_LENGTH: Final = 32


class Browsers:
    """Tells browsers apart by a cookie that only they have."""

    def __init__(self, secure_cookies: bool | None) -> None:
        self._cookie = Cookie("tv-visitor", WEEK, secure_cookies)

    def name(self, request: Request) -> str:
        """Return the name of the browser, which is a new one if it has none."""
        known: str | None = getattr(request.state, "browser", None)
        if known is None:
            known = self._cookie.read(request)
            if len(known) != _NAME_LENGTH:
                known = secrets.token_urlsafe(_NAME_BYTES)
            request.state.browser = known
        return known

    def is_new(self, request: Request) -> bool:
        """Whether the browser does not have its name yet."""
        return self._cookie.read(request) != self.name(request)

    def keep(self, request: Request, response: Response) -> None:
        """Have the browser keep its name."""
        self._cookie.write(request, response, self.name(request))


def make_token(secret: bytes, holder: str) -> str:
    """Return a token of a holder: a user in a browser, or a browser.

    It is another one each time: a text that is in every page, and beside it what somebody else
    chose, could be guessed bit by bit from how well the page compresses.
    """
    nonce = secrets.token_hex(_NONCE_BYTES)
    return nonce + _sign(secret, holder, nonce)


def is_token(secret: bytes, holder: str, given: str) -> bool:
    """Return whether this is a token of a holder."""
    nonce, signature = given[: 2 * _NONCE_BYTES], given[2 * _NONCE_BYTES :]
    return hmac.compare_digest(signature.encode(), _sign(secret, holder, nonce).encode())


def _sign(secret: bytes, holder: str, nonce: str) -> str:
    return hmac.new(secret, f"csrf:{nonce}:{holder}".encode(), hashlib.sha256).hexdigest()


def is_same_site(request: Request) -> bool:
    """Return whether the browser says that the request comes from a page of this site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # `none` is the user, who reloads what was sent before, say.
        return site in ("same-origin", "none")
    # Browsers without it name the origin with every request that is not a plain read.
    origin = urlsplit(request.headers.get("Origin", ""))
    return origin.netloc != "" and origin.netloc == request.headers.get("Host")


async def read_token(request: Request) -> str:
    """Return the token that a request carries in its header or its form; empty if there is none."""
    given = request.headers.get(HEADER)
    if given is not None:
        return given
    form = await request.form()
    return str(form.get(FIELD, ""))
