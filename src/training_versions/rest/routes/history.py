"""History: who did what, and when."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from training_versions import Event, EventKind, Page
from training_versions.rest.caller import Versions
from training_versions.rest.links import Cursor, Limit, Order, next_link
from training_versions.rest.replies import reply
from training_versions.rest.responses import NEXT, problems

router = APIRouter(tags=["history"], responses=problems())


@router.get("/history", response_model=Page[Event], responses={200: {"headers": NEXT}})
async def list_events(
    request: Request,
    versions: Versions,
    package_id: Annotated[UUID | None, Query(description="Events of this package.")] = None,
    version_id: Annotated[UUID | None, Query(description="Events of this version.")] = None,
    kind: Annotated[tuple[EventKind, ...], Query(description="One of these.")] = (),
    since: Annotated[AwareDatetime | None, Query(description="At this moment or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this moment.")] = None,
    order: Order = "newest",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Read one page of events; nobody can change an event."""
    page = await versions.history(
        package_id=package_id,
        version_id=version_id,
        kind=kind or None,
        since=since,
        until=until,
        order=order,
        limit=limit,
        cursor=cursor,
    )
    return reply(page, headers=next_link(request, page))
