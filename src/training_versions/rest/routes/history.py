"""History: who did what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from fastapi import APIRouter, Depends, Query, Request, Response

from training_versions import Event, EventKind, Page
from training_versions.rest.caller import Packages, Versions
from training_versions.rest.existence import check_package, check_version
from training_versions.rest.inputs import Moment, PackageId, VersionId
from training_versions.rest.links import Paging
from training_versions.rest.replies import reply_page
from training_versions.rest.responses import PAGE, problems

router = APIRouter(tags=["history"], responses=problems())


class EventOptions(TypedDict):
    """Filters for events, as arguments of the SDK."""

    kind: tuple[EventKind, ...] | None
    since: datetime | None
    until: datetime | None


async def read_filters(
    kind: Annotated[tuple[EventKind, ...], Query(description="One of these.")] = (),
    since: Annotated[Moment | None, Query(description="At this moment or later.")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment.")] = None,
) -> EventOptions:
    """Return the filters of the query parameters."""
    return {"kind": kind or None, "since": since, "until": until}


Filters = Annotated[EventOptions, Depends(read_filters)]


@router.get("/history", response_model=Page[Event], responses=PAGE)
async def list_events(
    request: Request, versions: Versions, filters: Filters, paging: Paging
) -> Response:
    """Read one page of what happened to the caller's versions; nobody can change an event."""
    page = await versions.history(**filters, **paging)
    return reply_page(request, page)


@router.get("/packages/{package_id}/history", response_model=Page[Event], responses=PAGE)
async def list_package_events(
    request: Request,
    package_id: PackageId,
    packages: Packages,
    versions: Versions,
    filters: Filters,
    paging: Paging,
) -> Response:
    """Read one page of what happened to the versions of a package, its deleted drafts included."""
    page = await versions.history(package_id=package_id, **filters, **paging)
    await check_package(page, packages, package_id)
    return reply_page(request, page)


@router.get("/versions/{version_id}/history", response_model=Page[Event], responses=PAGE)
async def list_version_events(
    request: Request, version_id: VersionId, versions: Versions, filters: Filters, paging: Paging
) -> Response:
    """Read one page of what happened to a version."""
    page = await versions.history(version_id=version_id, **filters, **paging)
    await check_version(page, versions, version_id)
    return reply_page(request, page)
