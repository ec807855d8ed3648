"""Protection against requests that another site makes in the name of a user.

A request that changes something must come from a page of this site, which browsers tell in headers
that no script can set; and it must carry a token that only this server can make. The token belongs
to one user, not to one session: a form that was open while its user signed in again can still be
sent, and nothing that was typed is lost. A form that comes before signing in belongs to the
browser, by a cookie of its own.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

FIELD: Final = "csrf_token"
"""The field of a form that carries the token."""
HEADER: Final = "X-CSRF-Token"
"""The header of a request without a form that carries it."""


def make_token(secret: bytes, holder: str) -> str:
    """Return the token of a user or a browser."""
    return hmac.new(secret, f"csrf:{holder}".encode(), hashlib.sha256).hexdigest()


def is_same_site(request: Request) -> bool:
    """Return whether the browser says that the request comes from a page of this site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # `none` is the user, who reloads what was sent before, say.
        return site in ("same-origin", "none")
    # Browsers without it name the origin with every request that is not a plain read.
    origin = urlsplit(request.headers.get("Origin", ""))
    return origin.netloc != "" and origin.netloc == request.headers.get("Host")


async def has_token(request: Request, expected: str) -> bool:
    """Return whether the request carries the token, in its header or its form."""
    given = request.headers.get(HEADER)
    if given is None:
        form = await request.form()
        given = form.get(FIELD)
    if not isinstance(given, str):
        return False
    return hmac.compare_digest(given.encode(), expected.encode())
