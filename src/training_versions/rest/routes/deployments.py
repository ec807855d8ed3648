"""Deployments: make versions live at a target, and take them down."""

from __future__ import annotations

from fastapi import APIRouter, Response

from training_versions import VersionSummary
from training_versions.rest.caller import Versions
from training_versions.rest.etags import tag_of_version
from training_versions.rest.idempotency import New, telling_reuse
from training_versions.rest.inputs import NewDeployment, Undeployment, VersionId
from training_versions.rest.replies import reply
from training_versions.rest.responses import ETAG, link, problems

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
    "Undeploy": link("undeploy_version", {"version_id": "$response.body#/id"}, "Take it down."),
}


@router.post(
    "/versions/{version_id}/deploy",
    response_model=VersionSummary,
    responses={200: {"headers": ETAG, "links": _LINKS}},
)
async def deploy_version(
    version_id: VersionId, versions: Versions, new: New, body: NewDeployment
) -> Response:
    """Make a published version live at a target; it replaces the one that is live there."""
    with telling_reuse(new):
        version = await versions.deploy(
            version_id,
            body.target,
            url=body.url,
            deployment_id=body.deployment_id,
            stay_id=new.id,
        )
    return reply(version, headers={"ETag": tag_of_version(version)})


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
    return reply(version, headers={"ETag": tag_of_version(version)})
