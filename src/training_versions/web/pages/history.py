"""The history of a package: the events of its versions."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions import Event, EventKind, HistoryFilters
from training_versions.web.page import Caller, caller_of, page
from training_versions.web.render import render
from training_versions.web.views.events import describe_event
from training_versions.web.views.listing import PageLinks, read_order

_PAGE_SIZE: Final = 50


@page
async def show_history(request: Request) -> Response:
    """Show one page of the events of a package."""
    caller = caller_of(request)
    package_id: UUID = request.path_params["package_id"]
    query = request.query_params
    kind, cursor = query.get("kind", ""), query.get("cursor", "")
    order = read_order(query.get("order", ""))
    filters = HistoryFilters(package_id=package_id)
    if kind:
        filters["kind"] = kind
    package, events = await asyncio.gather(
        caller.packages.get(package_id),
        caller.versions.history(order=order, limit=_PAGE_SIZE, cursor=cursor or None, **filters),
    )
    links = PageLinks.of(
        f"/packages/{package_id}/history",
        [("kind", kind)],
        order=order,
        cursor=cursor,
        next_cursor=events.next_cursor,
    )
    return render(
        request,
        "history.html",
        package=package,
        events=events,
        there=await _find_versions(caller, events.items),
        describe_event=describe_event,
        kinds=[str(kind) for kind in EventKind],
        kind=kind,
        order=order,
        cursor=cursor,
        links=links,
    )


async def _find_versions(caller: Caller, events: list[Event]) -> set[UUID]:
    """Return the ids of the versions that still exist, as drafts may have been deleted."""
    mentioned = list({event.version_id for event in events})
    if not mentioned:
        return set()
    found = await caller.versions.list(ids=mentioned, limit=len(mentioned))
    return {version.id for version in found}


routes = [Route("/packages/{package_id:uuid}/history", show_history, methods=["GET"])]
