"""Copies: compare versions, restore and fork them, and follow their lineage."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from training_versions import Lineage, VersionDiff, VersionSummary
from training_versions.rest.caller import Versions
from training_versions.rest.idempotency import New, explain_reused_key
from training_versions.rest.inputs import Copy, Fork, Number, PackageId, VersionId
from training_versions.rest.replies import reply
from training_versions.rest.responses import (
    CREATED,
    ETAG,
    IDEMPOTENCY_KEY,
    problems,
    takes,
)
from training_versions.rest.routes.versions import DRAFT_LINKS, created_draft
from training_versions.rest.schemas import Comparison, NumberComparison, PatchOperation

router = APIRouter(tags=["copies"], responses=problems())

OtherId = Annotated[UUID, Path(description="The version to compare it with.")]
OtherNumber = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="The number of the version to compare it with.")
]
Prefixes = Annotated[
    tuple[str, ...],
    Query(
        max_length=20,
        description="Only what lies at or below one of these paths, such as /config_snapshot.",
    ),
]


@router.get("/versions/{version_id}/compare/{other_id}", response_model=Comparison)
async def compare_versions(
    version_id: VersionId, other_id: OtherId, versions: Versions, path: Prefixes = ()
) -> Response:
    """Compare a version with another one, of the same package or not."""
    diff = _filtered(await versions.compare(version_id, other_id), path)
    content: dict[str, Any] = {"left": version_id, "right": other_id, **diff.to_dict()}
    return reply(content)


@router.get(
    "/versions/{version_id}/compare/{other_id}/patch",
    response_model=list[PatchOperation],
    responses={
        200: {
            "content": {
                "application/json-patch+json": {
                    "schema": {
                        "type": "array",
                        "items": {"$ref": "#/components/schemas/PatchOperation"},
                    }
                }
            }
        }
    },
)
async def get_json_patch(
    version_id: VersionId, other_id: OtherId, versions: Versions, path: Prefixes = ()
) -> Response:
    """Return the JSON Patch (RFC 6902) that turns a version's content into another's."""
    diff = _filtered(await versions.compare(version_id, other_id), path)
    return reply(diff.to_json_patch(), media_type="application/json-patch+json")


@router.get(
    "/packages/{package_id}/versions/{version_number}/compare/{other_number}",
    response_model=NumberComparison,
)
async def compare_numbers(
    package_id: PackageId,
    version_number: Number,
    other_number: OtherNumber,
    versions: Versions,
    path: Prefixes = (),
) -> Response:
    """Compare a version with another one of its package, by their numbers."""
    diff = _filtered(await versions.compare_numbers(package_id, version_number, other_number), path)
    content: dict[str, Any] = {"left": version_number, "right": other_number, **diff.to_dict()}
    return reply(content)


@router.post(
    "/versions/{version_id}/restore",
    status_code=201,
    response_model=VersionSummary,
    responses={201: {"headers": {**CREATED, **ETAG}, "links": DRAFT_LINKS}},
    openapi_extra=takes(IDEMPOTENCY_KEY),
)
async def restore_version(
    request: Request,
    version_id: VersionId,
    versions: Versions,
    new: New,
    body: Copy | None = None,
) -> Response:
    """Create a draft with the content of a version, which becomes its parent."""
    wanted = body or Copy()
    with explain_reused_key(new):
        copied = await versions.restore(
            version_id,
            name=wanted.name,
            change_summary=wanted.change_summary,
            new_version_id=new.id,
        )
    return created_draft(request, copied.draft, was_there=copied.replayed)


@router.post(
    "/versions/{version_id}/fork",
    status_code=201,
    response_model=VersionSummary,
    responses={201: {"headers": {**CREATED, **ETAG}, "links": DRAFT_LINKS}},
    openapi_extra=takes(IDEMPOTENCY_KEY),
)
async def fork_version(
    request: Request, version_id: VersionId, versions: Versions, new: New, body: Fork
) -> Response:
    """Create a draft in another package with the content of a version, its parent."""
    with explain_reused_key(new):
        copied = await versions.fork(
            version_id,
            into=body.package_id,
            name=body.name,
            change_summary=body.change_summary,
            new_version_id=new.id,
        )
    return created_draft(request, copied.draft, was_there=copied.replayed)


@router.get("/versions/{version_id}/lineage", response_model=Lineage)
async def get_lineage(version_id: VersionId, versions: Versions) -> Response:
    """Read the ancestors and descendants of a version, across packages."""
    return reply(await versions.lineage(version_id))


def _filtered(diff: VersionDiff, prefixes: tuple[str, ...]) -> VersionDiff:
    if not prefixes:
        return diff
    return diff.filter(*prefixes)
