"""The packages of the caller."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions.web.page import caller_of, page
from training_versions.web.render import render
from training_versions.web.views.listing import PageLinks, read_order

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
    links = PageLinks.of(
        "/", [("text", text)], order=order, cursor=cursor, next_cursor=found.next_cursor
    )
    return render(
        request,
        "packages.html",
        packages=found,
        text=text,
        order=order,
        cursor=cursor,
        links=links,
    )


routes = [Route("/", list_packages, methods=["GET"])]
