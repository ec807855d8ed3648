"""The page of a package: its versions with their line of descent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions import Package, PackageOverview, VersionSummary
from training_versions.web.page import Caller, caller_of, page
from training_versions.web.render import render
from training_versions.web.views.lanes import DOT_Y, draw_lanes
from training_versions.web.views.listing import STATUSES, TRAINING_STATUSES, Listing, PageLinks

_PAGE_SIZE: Final = 50


@dataclass(frozen=True)
class Parent:
    """The parent of a version. Parents that the caller may not see are left out."""

    version: VersionSummary
    package: Package | None
    """The package of the parent, if it is a different one and the caller may see it."""


@page
async def show_package(request: Request) -> Response:
    """Show one page of the versions of a package."""
    caller = caller_of(request)
    package_id: UUID = request.path_params["package_id"]
    listing = Listing.from_query(request.query_params)
    package, found, count = await asyncio.gather(
        _read_overview(caller, package_id),
        caller.versions.list(
            package_id,
            order=listing.order,
            limit=_PAGE_SIZE,
            cursor=listing.cursor or None,
            **listing.filters,
        ),
        caller.versions.count(package_id, **listing.filters),
    )
    parents = await _read_parents(caller, package, found.items)
    links = PageLinks.of(
        f"/packages/{package_id}",
        listing.query,
        order=listing.order,
        cursor=listing.cursor,
        next_cursor=found.next_cursor,
    )
    return render(
        request,
        "package.html",
        package=package,
        versions=found,
        count=count,
        parents=parents,
        listing=listing,
        links=links,
        lanes=draw_lanes(found.items, newest_first=listing.order == "newest"),
        dot_y=DOT_Y,
        statuses=STATUSES,
        training_statuses=TRAINING_STATUSES,
    )


async def _read_overview(caller: Caller, package_id: UUID) -> PackageOverview:
    found = await caller.packages.overviews(ids=[package_id])
    if not found:
        # Raises NotFoundError for a missing package: its overview is an empty list.
        await caller.packages.get(package_id)
    return found[0]


async def _read_parents(
    caller: Caller, package: PackageOverview, versions: Sequence[VersionSummary]
) -> dict[UUID, Parent]:
    """Read the parents of these versions, which may be on another page or in another package."""
    known = {version.id: version for version in versions}
    wanted = {version.parent_version_id for version in versions if version.parent_version_id}
    missing = list(wanted - known.keys())
    if missing:
        found = await caller.versions.list(ids=missing, limit=len(missing))
        known.update((version.id, version) for version in found)
    parents = [known[parent] for parent in wanted if parent in known]
    elsewhere = {parent.package_id for parent in parents} - {package.id}
    packages: dict[UUID, Package] = {}
    if elsewhere:
        others = await caller.packages.list(ids=list(elsewhere), limit=len(elsewhere))
        packages = {other.id: other for other in others}
    return {parent.id: Parent(parent, packages.get(parent.package_id)) for parent in parents}


routes = [Route("/packages/{package_id:uuid}", show_package, methods=["GET"])]
