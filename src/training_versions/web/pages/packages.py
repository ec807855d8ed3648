"""The packages of the caller."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions.web.page import caller_of, page
from training_versions.web.render import render


@page
async def list_packages(request: Request) -> Response:
    """Show the packages, newest first."""
    text = request.query_params.get("text", "")
    cursor = request.query_params.get("cursor")
    found = await caller_of(request).packages.list(text=text, cursor=cursor, limit=50)
    return render(request, "packages.html", packages=found, text=text, cursor=cursor)


routes = [Route("/", list_packages, methods=["GET"])]
