"""Versions: list and read them, create and edit drafts, publish and archive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from training_versions import (
    ConflictError,
    Page,
    TrainingStatus,
    Version,
    VersionStatus,
    VersionSummary,
)
from training_versions.rest import schemas
from training_versions.rest.caller import Versions
from training_versions.rest.conflicts import edited_since
from training_versions.rest.etags import (
    IfMatch,
    IfNoneMatch,
    RequiredIfMatch,
    tag_of_version,
)
from training_versions.rest.idempotency import New, explain_reused_key, replayed
from training_versions.rest.inputs import (
    BelowOrAbove,
    DraftChanges,
    Ids,
    Moment,
    NewVersion,
    ObjectsText,
    ObjectText,
    Publication,
    VersionId,
)
from training_versions.rest.links import Paging
from training_versions.rest.paths import location
from training_versions.rest.replies import no_content, reply, reply_page, reply_tagged
from training_versions.rest.responses import (
    CREATED,
    ETAG,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_MATCH_REQUIRED,
    IF_NONE_MATCH,
    PAGE,
    TAGGED,
    link,
    problems,
    takes,
)

router = APIRouter(tags=["versions"], responses=problems())

_ID = {"version_id": "$response.body#/id"}
_TAGGED = _ID | {"If-Match": "$response.header.ETag"}
_NUMBER = {
    "package_id": "$response.body#/package_id",
    "version_number": "$response.body#/version_number",
}
_SIDES = _ID | {"other_id": "$response.body#/id"}
DRAFT_LINKS = {
    "ByNumber": link("get_version_by_number", _NUMBER, "The draft, by its number."),
    "Compare": link("compare_versions", _SIDES, "What differs from another version."),
    "Patch": link("get_json_patch", _SIDES, "The same as JSON Patch."),
    "Fork": link(
        "fork_version",
        _ID,
        "A draft in another package.",
        {"package_id": "$response.body#/package_id"},
    ),
    "Cost": link("record_cost", _ID, "What it cost."),
    "Costs": link("list_costs", _ID, "Its cost entries."),
    "History": link("list_version_events", _ID, "What happened to it."),
    "Read": link("get_version", _ID, "The draft."),
    "Edit": link("update_draft", _TAGGED, "Edit it."),
    "Publish": link("publish_version", _TAGGED, "Publish it."),
    "Delete": link("delete_draft", _TAGGED, "Delete it."),
    "Lineage": link("get_lineage", _ID, "Where it comes from."),
    "Train": link("start_training", _ID, "Train it."),
}
_PUBLISHED_LINKS = {
    "Archive": link("archive_version", _ID, "Archive it."),
    "Restore": link("restore_version", _ID, "Make a draft of it again."),
    "Deploy": link("deploy_version", _ID, "Make it live."),
    "Deployments": link("list_version_deployments", _ID, "Where it is or was live."),
    "Train": link("start_training", _ID, "Train it."),
}


@router.get("/versions", response_model=Page[VersionSummary], responses=PAGE)
async def list_versions(
    request: Request,
    versions: Versions,
    paging: Paging,
    package_id: Annotated[
        UUID | None, Query(description="Those of one package, in the order of their numbers.")
    ] = None,
    status: Annotated[tuple[VersionStatus, ...], Query(description="One of these.")] = (),
    training_status: Annotated[tuple[TrainingStatus, ...], Query(description="One of these.")] = (),
    deployed: Annotated[bool | None, Query(description="Only what is live, or is not.")] = None,
    parent_version_id: Annotated[UUID | None, Query(description="Made from this version.")] = None,
    ids: Ids = (),
    number_below: Annotated[
        BelowOrAbove | None, Query(description="With a lower number; with limit=1, the one before.")
    ] = None,
    number_above: Annotated[BelowOrAbove | None, Query(description="With a higher number.")] = None,
    created_after: Annotated[
        Moment | None, Query(description="Created at this moment or later.")
    ] = None,
    created_before: Annotated[
        Moment | None, Query(description="Created before this moment.")
    ] = None,
    text: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=500,
            description="Text in the name or change summary, ignoring case.",
        ),
    ] = None,
    config_contains: Annotated[
        ObjectText,
        Query(description="Whose config has at least this, as JSON.", examples=['{"r": 8}']),
    ] = None,
    model_contains: Annotated[
        ObjectText, Query(description="Whose model has at least this, as JSON.")
    ] = None,
    dataset_contains: Annotated[
        ObjectsText, Query(description="Whose data sets have at least these, as JSON.")
    ] = None,
) -> Response:
    """Read one page of versions without their snapshots; those of all packages if none is named."""
    page = await versions.list(
        package_id,
        status=status or None,
        training_status=training_status or None,
        deployed=deployed,
        parent_version_id=parent_version_id,
        ids=ids or None,
        number_below=number_below,
        number_above=number_above,
        created_after=created_after,
        created_before=created_before,
        text=text,
        config_contains=config_contains,
        model_contains=model_contains,
        dataset_contains=dataset_contains,
        **paging,
    )
    return reply_page(request, page)


@router.post(
    "/versions",
    status_code=201,
    response_model=schemas.Version,
    responses={201: {"headers": {**CREATED, **ETAG}, "links": DRAFT_LINKS}},
    openapi_extra=takes(IDEMPOTENCY_KEY),
)
async def create_draft(
    request: Request, versions: Versions, new: New, body: NewVersion
) -> Response:
    """Create a draft with the next number of its package."""
    with explain_reused_key(new):
        draft = await versions.create_draft(
            body.package_id,
            config=body.config,
            model=body.model,
            dataset=body.dataset,
            name=body.name,
            version_id=new.id,
            change_summary=body.change_summary,
            parent_version_id=body.parent_version_id,
            estimated_cost=body.estimated_cost,
            budget_limit=body.budget_limit,
        )
    return created_draft(request, draft, was_there=draft.replayed)


def created_draft(request: Request, draft: VersionSummary, *, was_there: bool) -> Response:
    """Return a 201 response with a draft that this request or an earlier one with its key created.

    Args:
        request: The request.
        draft: The draft.
        was_there: Whether the earlier request created it.
    """
    headers = {
        "Location": location(request, "versions", draft.id),
        "ETag": tag_of_version(draft),
        **replayed(was_there),
    }
    return reply(draft, 201, headers=headers)


@router.get(
    "/versions/{version_id}",
    response_model=schemas.Version,
    responses=TAGGED,
    openapi_extra=takes(IF_NONE_MATCH),
)
async def get_version(version_id: VersionId, versions: Versions, known: IfNoneMatch) -> Response:
    """Read a version with its snapshots."""
    return _tagged(await versions.get(version_id), known)


@router.put(
    "/versions/{version_id}",
    response_model=schemas.Version,
    responses={
        200: {"headers": ETAG, "links": {"Publish": DRAFT_LINKS["Publish"]}},
        **problems(412, 428),
    },
    openapi_extra=takes(IF_MATCH_REQUIRED),
)
async def update_draft(
    version_id: VersionId, versions: Versions, expected: RequiredIfMatch, body: DraftChanges
) -> Response:
    """Change the fields of a draft that are named; the others stay as they are.

    An edit that changes nothing succeeds, whatever the state of the draft.
    """
    changes = body.as_arguments()

    async def write(moment: datetime | None) -> Version:
        return await versions.update_draft(version_id, **changes, expected_updated_at=moment)

    try:
        draft = await expected.try_each(write)
    except ConflictError as exc:
        raise await edited_since(exc, versions, version_id, changes) from exc
    return _tagged(draft)


@router.delete(
    "/versions/{version_id}",
    status_code=204,
    responses=problems(412),
    openapi_extra=takes(IF_MATCH),
)
async def delete_draft(version_id: VersionId, versions: Versions, expected: IfMatch) -> Response:
    """Delete a draft; its number is not given again. Deleting it again does nothing."""

    async def write(moment: datetime | None) -> None:
        await versions.delete_draft(version_id, expected_updated_at=moment)

    try:
        await expected.try_each(write)
    except ConflictError as exc:
        raise await edited_since(exc, versions, version_id) from exc
    return no_content()


@router.post(
    "/versions/{version_id}/publish",
    response_model=schemas.Version,
    responses={200: {"headers": ETAG, "links": _PUBLISHED_LINKS}, **problems(412)},
    openapi_extra=takes(IF_MATCH),
)
async def publish_version(
    version_id: VersionId,
    versions: Versions,
    expected: IfMatch,
    body: Publication | None = None,
) -> Response:
    """Publish a draft; from then on its content never changes.

    Publishing a version that is already published returns it unchanged.
    """
    name = body.name if body is not None else None

    async def write(moment: datetime | None) -> Version:
        return await versions.publish(version_id, name=name, expected_updated_at=moment)

    try:
        version = await expected.try_each(write)
    except ConflictError as exc:
        raise await edited_since(exc, versions, version_id) from exc
    return _tagged(version)


@router.post(
    "/versions/{version_id}/archive",
    response_model=schemas.Version,
    responses={200: {"headers": ETAG}},
)
async def archive_version(version_id: VersionId, versions: Versions) -> Response:
    """Archive a published version; its deployments end. Archiving it again returns it."""
    return _tagged(await versions.archive(version_id))


def _tagged(version: VersionSummary, known: list[str] | None = None) -> Response:
    return reply_tagged(version, tag_of_version(version), known)
