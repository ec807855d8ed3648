"""Costs: record what training cost, and read the entries."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from training_versions import CostEntry, Page, RecordedCost
from training_versions.rest.caller import Packages, Versions
from training_versions.rest.existence import check_package, check_version
from training_versions.rest.idempotency import New, explain_reused_key, replayed
from training_versions.rest.inputs import NewCost, PackageId, VersionId
from training_versions.rest.links import Paging
from training_versions.rest.replies import reply, reply_page
from training_versions.rest.responses import (
    IDEMPOTENCY_KEY,
    PAGE,
    REPLAYED,
    problems,
    takes,
)

router = APIRouter(tags=["costs"], responses=problems())


@router.post(
    "/versions/{version_id}/costs",
    status_code=201,
    response_model=RecordedCost,
    responses={201: {"headers": REPLAYED}},
    openapi_extra=takes(IDEMPOTENCY_KEY),
)
async def record_cost(
    version_id: VersionId, versions: Versions, new: New, body: NewCost
) -> Response:
    """Record a cost entry of a version, and say which percentages of its budget it reached."""
    with explain_reused_key(new):
        entry = await versions.record_cost(
            version_id,
            body.amount,
            note=body.note,
            key=body.key,
            alert_at=body.alert_at,
            entry_id=new.id,
        )
    return reply(entry, 201, headers=replayed(entry.replayed))


@router.get(
    "/versions/{version_id}/costs",
    response_model=Page[CostEntry],
    responses=PAGE,
)
async def list_costs(
    request: Request, version_id: VersionId, versions: Versions, paging: Paging
) -> Response:
    """Read one page of the cost entries of a version."""
    page = await versions.costs(version_id, **paging)
    await check_version(page, versions, version_id)
    return reply_page(request, page)


@router.get(
    "/packages/{package_id}/costs",
    response_model=Page[CostEntry],
    responses=PAGE,
)
async def list_package_costs(
    request: Request,
    package_id: PackageId,
    packages: Packages,
    versions: Versions,
    paging: Paging,
) -> Response:
    """Read one page of the cost entries of all versions of a package."""
    page = await versions.costs(package_id=package_id, **paging)
    await check_package(page, packages, package_id)
    return reply_page(request, page)
