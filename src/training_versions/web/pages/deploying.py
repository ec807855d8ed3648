"""Deploy a published version to a target, and undeploy it."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions import (
    ConflictError,
    Deployment,
    DeploymentTarget,
    InvalidInputError,
    RejectedError,
)
from training_versions.web.page import page, read_form
from training_versions.web.pages.actions import (
    Subject,
    go_on,
    hidden_field,
    read_subject,
    show_action,
    text_field,
)
from training_versions.web.pages.compare import read_live
from training_versions.web.pages.reading import VERSION_ROUTE
from training_versions.web.views.targets import target_name

_OTHER_LIVE: Final = (
    "What is live at {} has changed since this page was shown, and nothing was done. "
    "This is what is live now."
)

_ID_TAKEN: Final = "TV204"


@page
async def ask_deploy(request: Request) -> Response:
    """Ask for the target, and show the live version of each target."""
    return await _show_deploy(request, await read_subject(request))


async def _show_deploy(
    request: Request,
    subject: Subject,
    *,
    status: int = 200,
    problem: str | None = None,
    form: FormData | None = None,
    is_taken: bool = False,
) -> Response:
    live = await read_live(subject.versions, subject.address.package_id)
    # A form that is shown again keeps its id: it may have created the stay already.
    stay_id = None if form is None or is_taken else form.get("stay_id")
    return show_action(
        request,
        "deploy.html",
        subject,
        status=status,
        problem=problem,
        form=form,
        targets=[(target, target_name(target), stay) for target, stay in live.items()],
        stay_id=stay_id or str(uuid4()),
    )


@page
async def deploy(request: Request) -> Response:
    """Deploy the version, if the target still has the live version that the page showed."""
    subject, form = await read_subject(request), await read_form(request)
    stay_id = hidden_field(form, "stay_id")
    try:
        target = _read_target(form)
        stay = await subject.versions.live(subject.address.package_id, target)
        if _id_of(stay) not in (stay_id, hidden_field(form, f"live-{target}")):
            problem = _OTHER_LIVE.format(target_name(target))
            return await _show_deploy(request, subject, status=409, problem=problem, form=form)
        await subject.versions.deploy(
            subject.version.id,
            target,
            url=text_field(form, "url"),
            deployment_id=text_field(form, "deployment_id"),
            stay_id=stay_id,
        )
    except ConflictError as exc:
        return await _show_deploy(
            request,
            subject,
            status=409,
            problem=exc.message,
            form=form,
            is_taken=exc.code == _ID_TAKEN,
        )
    except (InvalidInputError, RejectedError) as exc:
        return await _show_deploy(request, subject, status=422, problem=exc.message, form=form)
    return go_on(subject.address.version, "deployed", target=target)


def _read_target(form: FormData) -> DeploymentTarget:
    value = form.get("target")
    try:
        return DeploymentTarget(str(value))
    except ValueError:
        raise InvalidInputError("Choose where it is to be live.", field="target") from None


def _id_of(stay: Deployment | None) -> str:
    return "" if stay is None else str(stay.id)


@page
async def ask_undeploy(request: Request) -> Response:
    """Ask from which target to undeploy the version."""
    return await _show_undeploy(request, await read_subject(request))


async def _show_undeploy(
    request: Request, subject: Subject, *, status: int = 200, problem: str | None = None
) -> Response:
    live = await read_live(subject.versions, subject.address.package_id)
    stays = [
        (target, target_name(target), stay)
        for target, stay in live.items()
        if stay is not None and stay.version_id == subject.version.id
    ]
    return show_action(
        request, "undeploy.html", subject, status=status, problem=problem, stays=stays
    )


@page
async def undeploy(request: Request) -> Response:
    """Undeploy the version from a target."""
    subject, form = await read_subject(request), await read_form(request)
    try:
        target = _read_target(form)
    except InvalidInputError as exc:
        return await _show_undeploy(request, subject, status=422, problem=exc.message)
    stay = await subject.versions.live(subject.address.package_id, target)
    is_live = stay is not None and stay.version_id == subject.version.id
    # If it is not live, it was undeployed already, for example by a form that was sent twice.
    if is_live and _id_of(stay) != hidden_field(form, f"live-{target}"):
        problem = _OTHER_LIVE.format(target_name(target))
        return await _show_undeploy(request, subject, status=409, problem=problem)
    if is_live:
        await subject.versions.undeploy(subject.version.id, target=target)
    return go_on(subject.address.version, "undeployed", target=target)


routes = [
    Route(f"{VERSION_ROUTE}/deploy", ask_deploy, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/deploy", deploy, methods=["POST"]),
    Route(f"{VERSION_ROUTE}/undeploy", ask_undeploy, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/undeploy", undeploy, methods=["POST"]),
]
