"""Addresses of what the endpoints create or name, under whatever prefix they are mounted."""

from __future__ import annotations

from fastapi import Request


def location(request: Request, name: str, **parameters: object) -> str:
    """Return the path of an endpoint, without scheme and host, which a proxy may have changed."""
    return request.url_for(name, **parameters).path
