"""Deployments: make versions live at a target, take them down, and list deployments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from fastapi import APIRouter, Depends, Query, Request, Response

from training_versions import Deployment, Page, VersionSummary
from training_versions.rest.caller import Packages, Versions
from training_versions.rest.etags import tag_of_version
from training_versions.rest.existence import check_package, check_version
from training_versions.rest.idempotency import New, explain_reused_key, replayed
from training_versions.rest.inputs import (
    Moment,
    NewDeployment,
    PackageId,
    Target,
    Undeployment,
    VersionId,
)
from training_versions.rest.links import Paging
from training_versions.rest.replies import reply, reply_page, reply_tagged
from training_versions.rest.responses import (
    ETAG,
    IDEMPOTENCY_KEY,
    PAGE,
    REPLAYED,
    link,
    problems,
    takes,
)

router = APIRouter(tags=["deployments"], responses=problems())

_LINKS = {
    "Live": link(
        "get_live_version",
        {
            "package_id": "$response.body#/package_id",
            "target": "$response.body#/deployment_target",
        },
        "What is live there.",
    ),
    "Undeploy": link("undeploy_version", {"version_id": "$response.body#/id"}, "Undeploy it."),
}


class DeploymentOptions(TypedDict):
    """Filters for deployments, as arguments of the SDK."""

    target: Target | None
    live: bool | None
    at: datetime | None


async def read_filters(
    target: Annotated[Target | None, Query(description="Those at this target.")] = None,
    live: Annotated[bool | None, Query(description="Only what is live, or has ended.")] = None,
    at: Annotated[Moment | None, Query(description="What was live at this moment.")] = None,
) -> DeploymentOptions:
    """Return the filters of the query parameters."""
    return {"target": target, "live": live, "at": at}


Filters = Annotated[DeploymentOptions, Depends(read_filters)]


@router.get("/deployments", response_model=Page[Deployment], responses=PAGE)
async def list_deployments(
    request: Request, versions: Versions, filters: Filters, paging: Paging
) -> Response:
    """Read one page of the caller's deployments, those that are live and those that have ended."""
    page = await versions.deployments(**filters, **paging)
    return reply_page(request, page)


@router.get("/packages/{package_id}/deployments", response_model=Page[Deployment], responses=PAGE)
async def list_package_deployments(
    request: Request,
    package_id: PackageId,
    packages: Packages,
    versions: Versions,
    filters: Filters,
    paging: Paging,
) -> Response:
    """Read one page of the deployments of a package."""
    page = await versions.deployments(package_id=package_id, **filters, **paging)
    await check_package(page, packages, package_id)
    return reply_page(request, page)


@router.get("/versions/{version_id}/deployments", response_model=Page[Deployment], responses=PAGE)
async def list_version_deployments(
    request: Request, version_id: VersionId, versions: Versions, filters: Filters, paging: Paging
) -> Response:
    """Read one page of the deployments of a version."""
    page = await versions.deployments(version_id=version_id, **filters, **paging)
    await check_version(page, versions, version_id)
    return reply_page(request, page)


@router.post(
    "/versions/{version_id}/deploy",
    response_model=VersionSummary,
    responses={200: {"headers": {**ETAG, **REPLAYED}, "links": _LINKS}},
    openapi_extra=takes(IDEMPOTENCY_KEY),
)
async def deploy_version(
    version_id: VersionId, versions: Versions, new: New, body: NewDeployment
) -> Response:
    """Make a published version live at a target; it replaces the one that is live there."""
    with explain_reused_key(new):
        version = await versions.deploy(
            version_id,
            body.target,
            url=body.url,
            deployment_id=body.deployment_id,
            stay_id=new.id,
        )
    headers = {"ETag": tag_of_version(version), **replayed(version.replayed)}
    return reply(version, headers=headers)


@router.post(
    "/versions/{version_id}/undeploy",
    response_model=VersionSummary,
    responses={200: {"headers": ETAG}},
)
async def undeploy_version(
    version_id: VersionId, versions: Versions, body: Undeployment | None = None
) -> Response:
    """Take a version down; one that is not live there stays as it is."""
    target = body.target if body is not None else None
    version = await versions.undeploy(version_id, target=target)
    return reply_tagged(version, tag_of_version(version))
