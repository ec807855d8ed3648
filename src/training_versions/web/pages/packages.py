"""The packages of the caller."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions.web.page import caller_of, page
from training_versions.web.render import render
from training_versions.web.views.listing import read_order

_PAGE_SIZE: Final = 50


@page
async def list_packages(request: Request) -> Response:
    """Show one page of the packages."""
    query = request.query_params
    text, cursor = query.get("text", ""), query.get("cursor", "")
    order = read_order(query.get("order", ""))
    found = await caller_of(request).packages.overviews(
        text=text, order=order, cursor=cursor or None, limit=_PAGE_SIZE
    )
    here = {"text": text}
    if order != "newest":
        here["order"] = order
    return render(
        request,
        "packages.html",
        packages=found,
        text=text,
        order=order,
        cursor=cursor,
        first_page=_address(here),
        next_page=_address({**here, "cursor": found.next_cursor or ""}),
    )


def _address(query: dict[str, str]) -> str:
    named = urlencode({name: value for name, value in query.items() if value})
    return f"/?{named}" if named else "/"


routes = [Route("/", list_packages, methods=["GET"])]
