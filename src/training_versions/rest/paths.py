"""Paths for `Location` and `Link` headers, under any prefix."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import Request

_SAFE: Final = "/:@!$&'()*+,;=~"


def path_of(request: Request) -> str:
    """Return the path of a request, quoted for use in a header."""
    return quote(request.scope["path"], safe=_SAFE)


def location(request: Request, collection: str, id_: object) -> str:
    """Return the path of a member of a collection, such as `versions`.

    The path of the request contains the collection, and gives the prefix. The result has no scheme
    and host, which a proxy may have changed. `url_for` is not used, because several routers in one
    application have endpoints of the same name.
    """
    path = path_of(request)
    prefix = path[: path.rindex(f"/{collection}")]
    return f"{prefix}/{collection}/{id_}"
