"""Packages: create, read, change and delete them, and read their latest and live versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypedDict
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from training_versions import Deployment, Package, PackageCost, PackageOverview, Page
from training_versions.rest import schemas
from training_versions.rest.caller import Packages, Versions
from training_versions.rest.etags import (
    IfNoneMatch,
    read_if_match,
    tag_of_package,
    tag_of_version,
)
from training_versions.rest.idempotency import New, explain_reused_key, replayed
from training_versions.rest.inputs import (
    Ids,
    Moment,
    NewPackage,
    Number,
    PackageChanges,
    PackageId,
    Target,
)
from training_versions.rest.links import Paging
from training_versions.rest.paths import location
from training_versions.rest.problems import (
    EDITED_SINCE,
    NOT_FOUND,
    Problem,
    ProblemResponse,
    TrainingProblem,
)
from training_versions.rest.replies import no_content, reply, reply_page, reply_tagged
from training_versions.rest.responses import (
    CREATED,
    ETAG,
    IDEMPOTENCY_KEY,
    IF_MATCH_PACKAGE,
    IF_NONE_MATCH,
    PAGE,
    TAGGED,
    link,
    problems,
    takes,
)

router = APIRouter(tags=["packages"], responses=problems())

_ID = {"package_id": "$response.body#/id"}
_LINKS = {
    "Draft": link("create_draft", {}, "A draft of it.", {"package_id": "$response.body#/id"}),
    "History": link("list_package_events", _ID, "What happened to its versions."),
    "Deployments": link("list_package_deployments", _ID, "What is or was live of it."),
    "Read": link("get_package", _ID, "The package."),
    "Change": link("update_package", _ID, "Change the package."),
    "Delete": link("delete_package", _ID, "Delete the package."),
    "Cost": link("get_package_cost", _ID, "What its versions cost."),
    "Latest": link("get_latest_version", _ID, "Its latest version."),
}


class PackageOptions(TypedDict):
    """Filters for packages, as arguments of the SDK."""

    template_type: str | None
    name: str | None
    text: str | None
    ids: tuple[UUID, ...] | None


async def read_filters(
    template_type: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            pattern=r"\S",
            description="What training they are for.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=255,
            pattern=r"\S",
            description="The whole name, with its case.",
        ),
    ] = None,
    text: Annotated[
        str | None,
        Query(min_length=1, max_length=500, description="Text in the name, ignoring case."),
    ] = None,
    ids: Ids = (),
) -> PackageOptions:
    """Return the filters of the query parameters."""
    return {"template_type": template_type, "name": name, "text": text, "ids": ids or None}


Filters = Annotated[PackageOptions, Depends(read_filters)]


@router.get(
    "/packages",
    response_model=Page[Package],
    responses=PAGE,
)
async def list_packages(
    request: Request, packages: Packages, filters: Filters, paging: Paging
) -> Response:
    """Read one page of the caller's packages, in the order in which they were created."""
    page = await packages.list(**filters, **paging)
    return reply_page(request, page)


@router.get(
    "/overviews",
    response_model=Page[PackageOverview],
    responses=PAGE,
)
async def list_overviews(
    request: Request, packages: Packages, filters: Filters, paging: Paging
) -> Response:
    """Read one page of packages with what is live, drafts, costs and last change."""
    page = await packages.overviews(**filters, **paging)
    return reply_page(request, page)


@router.post(
    "/packages",
    status_code=201,
    response_model=Package,
    responses={201: {"headers": {**CREATED, **ETAG}, "links": _LINKS}},
    openapi_extra=takes(IDEMPOTENCY_KEY),
)
async def create_package(
    request: Request, packages: Packages, new: New, body: NewPackage
) -> Response:
    """Create a package that belongs to the caller."""
    with explain_reused_key(new):
        package = await packages.create(
            body.name, template_type=body.template_type, config=body.config, package_id=new.id
        )
    headers = {
        "Location": location(request, "packages", package.id),
        "ETag": tag_of_package(package),
        **replayed(package.replayed),
    }
    return reply(package, 201, headers=headers)


@router.get(
    "/packages/{package_id}",
    response_model=Package,
    responses=TAGGED,
    openapi_extra=takes(IF_NONE_MATCH),
)
async def get_package(package_id: PackageId, packages: Packages, known: IfNoneMatch) -> Response:
    """Read a package."""
    package = await packages.get(package_id)
    return reply_tagged(package, tag_of_package(package), known)


async def check_if_match(request: Request, package_id: PackageId, packages: Packages) -> None:
    """Raise a problem if `If-Match` does not accept the current state of the package.

    The database has no edit token for packages, so two writers at the same moment may both pass.
    """
    tags = read_if_match(request)
    if tags is None:
        return
    if tag_of_package(await packages.get(package_id)).strip('"') not in tags:
        raise Problem(
            EDITED_SINCE,
            "The package is not as it was when it was read.",
            hint="Read it again, and repeat the change on what is there.",
        )


@router.patch(
    "/packages/{package_id}",
    response_model=Package,
    responses={200: {"headers": ETAG}, **problems(412)},
    openapi_extra=takes(IF_MATCH_PACKAGE),
)
async def update_package(
    request: Request, package_id: PackageId, packages: Packages, body: PackageChanges
) -> Response:
    """Change the fields of a package that are named; the others stay as they are."""
    await check_if_match(request, package_id, packages)
    package = await packages.update(
        package_id, name=body.name, template_type=body.template_type, config=body.config
    )
    return reply_tagged(package, tag_of_package(package))


_PROBLEMS = problems(412)
_NOT_FOUND = {"description": _PROBLEMS[404]["description"]}


# One endpoint declares its problems with their model, which adds the schema of problems to the
# OpenAPI description. The other endpoints refer to that schema.
@router.delete(
    "/packages/{package_id}",
    status_code=204,
    response_class=ProblemResponse,
    responses={**_PROBLEMS, 404: {"model": TrainingProblem, **_NOT_FOUND}},
    openapi_extra=takes(IF_MATCH_PACKAGE),
)
async def delete_package(request: Request, package_id: PackageId, packages: Packages) -> Response:
    """Delete a package with its drafts; one with published or archived versions is kept."""
    await check_if_match(request, package_id, packages)
    await packages.delete(package_id)
    return no_content()


@router.get(
    "/packages/{package_id}/latest",
    response_model=schemas.Version,
    responses=TAGGED,
    openapi_extra=takes(IF_NONE_MATCH),
)
async def get_latest_version(
    package_id: PackageId,
    versions: Versions,
    known: IfNoneMatch,
    status: Annotated[
        Literal["published", "any"], Query(description="Only of those that are published.")
    ] = "published",
) -> Response:
    """Read the version of a package with the highest number."""
    if status == "any":
        version = await versions.latest(package_id)
    else:
        version = await versions.latest_published(package_id)
    if version is None:
        what = "version" if status == "any" else "published version"
        raise Problem(NOT_FOUND, f"There is no {what} of package {package_id} that you may see.")
    return reply_tagged(version, tag_of_version(version), known)


@router.get(
    "/packages/{package_id}/versions/{version_number}",
    response_model=schemas.Version,
    responses=TAGGED,
    openapi_extra=takes(IF_NONE_MATCH),
)
async def get_version_by_number(
    package_id: PackageId, version_number: Number, versions: Versions, known: IfNoneMatch
) -> Response:
    """Read a version of a package by its number."""
    version = await versions.get_by_number(package_id, version_number)
    return reply_tagged(version, tag_of_version(version), known)


@router.get("/packages/{package_id}/live/{target}", response_model=Deployment)
async def get_live_version(
    package_id: PackageId,
    target: Annotated[Target, Path(description="Where it is deployed.")],
    versions: Versions,
    at: Annotated[Moment | None, Query(description="What was live then; now if left out.")] = None,
) -> Response:
    """Read what is live at a target, or was at some moment."""
    moment: datetime | None = at
    if moment is None:
        deployment = await versions.live(package_id, target)
    else:
        deployment = await versions.live_at(package_id, target, moment)
    if deployment is None:
        when = "is" if moment is None else "was"
        detail = f"Nothing of package {package_id} that you may see {when} live at {target}."
        raise Problem(NOT_FOUND, detail)
    return reply(deployment)


@router.get("/packages/{package_id}/cost", response_model=PackageCost)
async def get_package_cost(package_id: PackageId, versions: Versions) -> Response:
    """Add up what the versions of a package cost."""
    return reply(await versions.package_cost(package_id))
