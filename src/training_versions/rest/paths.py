"""Addresses of what the endpoints create, under whatever prefix they are mounted."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import Request

_SAFE: Final = "/:@!$&'()*+,;=~"


def path_of(request: Request) -> str:
    """Return the path that a request was sent to, as a header may hold it."""
    return quote(request.scope["path"], safe=_SAFE)


def location(request: Request, collection: str, id_: object) -> str:
    """Return the path of a member of a collection, such as `versions`, to which a request was sent.

    Without scheme and host, which a proxy may have changed. Not by the name of an endpoint, which
    several routers in one application share.
    """
    path = path_of(request)
    prefix = path[: path.rindex(f"/{collection}")]
    return f"{prefix}/{collection}/{id_}"
