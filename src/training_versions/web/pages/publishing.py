"""Publish and archive versions, and delete drafts."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions import ConflictError, InvalidInputError
from training_versions.web.page import caller_of, page, read_form
from training_versions.web.pages.actions import (
    Subject,
    edit_token,
    go_on,
    hidden_field,
    make_preview,
    read_subject,
    show_action,
    text_field,
)
from training_versions.web.pages.compare import read_live
from training_versions.web.pages.reading import (
    VERSION_ROUTE,
    Address,
    AnyVersion,
    Found,
    read_or_problem,
)
from training_versions.web.views.differences import CONTENT
from training_versions.web.views.targets import target_name

_OTHER_BASE: Final = (
    "Another version was published since this page was shown, and nothing was done. "
    "This is what would come of it now."
)
_NOW: Final = "Nothing was done. This is what would come of it now."


@page
async def ask_publish(request: Request) -> Response:
    """Show the differences between the latest published version and the draft."""
    return await _show_publish(request, await read_subject(request))


async def _show_publish(
    request: Request,
    subject: Subject,
    *,
    status: int = 200,
    problem: str | None = None,
    form: FormData | None = None,
) -> Response:
    package_id = subject.address.package_id
    published = await read_or_problem(subject.versions.latest_published(package_id))
    preview = await make_preview(subject, published)
    return show_action(
        request,
        "publish.html",
        subject,
        status=status,
        problem=problem,
        form=form,
        preview=preview,
        published=published.value,
    )


@page
async def publish(request: Request) -> Response:
    """Publish the draft, if it and the latest published version are as shown."""
    subject, form = await read_subject(request), await read_form(request)
    if subject.is_draft and await _base_has_changed(subject, form):
        # The same form, sent twice at once, may have published this draft meanwhile.
        subject = await read_subject(request)
        if subject.is_draft:
            return await _show_publish(request, subject, status=409, problem=_OTHER_BASE, form=form)
    try:
        await subject.versions.publish(
            subject.version.id,
            name=text_field(form, "name"),
            expected_updated_at=edit_token(form),
        )
    except ConflictError as exc:
        problem = f"{exc.message} {_NOW}"
        current = await read_subject(request)
        return await _show_publish(request, current, status=409, problem=problem, form=form)
    except InvalidInputError as exc:
        return await _show_publish(request, subject, status=422, problem=exc.message, form=form)
    return go_on(subject.address.version, "published")


async def _base_has_changed(subject: Subject, form: FormData) -> bool:
    """Return whether the latest published version is not the one that the page showed."""
    package_id = subject.address.package_id
    published = (await read_or_problem(subject.versions.latest_published(package_id))).value
    shown = hidden_field(form, "published")
    return shown != ("" if published is None else str(published.id))


@page
async def ask_archive(request: Request) -> Response:
    """Show the deployments that archiving ends, and the next current version."""
    return await _show_archive(request, await read_subject(request))


async def _show_archive(
    request: Request, subject: Subject, *, status: int = 200, problem: str | None = None
) -> Response:
    package_id = subject.address.package_id
    others, live = await asyncio.gather(
        subject.versions.list(package_id, status="published", limit=2),
        read_live(subject.versions, package_id),
    )
    ends = [
        (target_name(target), stay)
        for target, stay in live.items()
        if stay is not None and stay.version_id == subject.version.id
    ]
    remaining = [summary for summary in others if summary.id != subject.version.id]
    return show_action(
        request,
        "archive.html",
        subject,
        status=status,
        problem=problem,
        ends=ends,
        next_current=next(iter(remaining), None),
        is_current=_is_current(subject),
    )


def _is_current(subject: Subject) -> bool:
    package = subject.package
    return package is not None and package.current_version_id == subject.version.id


@page
async def archive(request: Request) -> Response:
    """Archive the version."""
    subject = await read_subject(request)
    await read_form(request)
    try:
        await subject.versions.archive(subject.version.id)
    except ConflictError as exc:
        return await _show_archive(request, subject, status=409, problem=exc.message)
    return go_on(subject.address.version, "archived")


@page
async def ask_delete(request: Request) -> Response:
    """Show the differences between the draft and its parent, which deleting loses."""
    return await _show_delete(request, await read_subject(request))


async def _show_delete(
    request: Request, subject: Subject, *, status: int = 200, problem: str | None = None
) -> Response:
    parent: Found[AnyVersion | None] = Found(None)
    if subject.version.parent_version_id is not None:
        parent_id = subject.version.parent_version_id
        parent = await read_or_problem(subject.versions.find(parent_id))
    return show_action(
        request,
        "delete.html",
        subject,
        status=status,
        problem=problem,
        preview=await make_preview(subject, parent),
        parts=CONTENT,
    )


@page
async def delete(request: Request) -> Response:
    """Delete the draft, if it is as shown."""
    form, address = await read_form(request), Address.of(request)
    version_id, token = hidden_field(form, "version_id"), edit_token(form)
    try:
        # By id and not by number: a number is not found if the form is sent twice.
        await caller_of(request).versions.delete_draft(version_id, expected_updated_at=token)
    except ConflictError as exc:
        subject = await read_subject(request)
        problem = f"{exc.message} {_NOW}"
        return await _show_delete(request, subject, status=409, problem=problem)
    return go_on(address.package, "deleted", number=address.number)


routes = [
    Route(f"{VERSION_ROUTE}/publish", ask_publish, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/publish", publish, methods=["POST"]),
    Route(f"{VERSION_ROUTE}/archive", ask_archive, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/archive", archive, methods=["POST"]),
    Route(f"{VERSION_ROUTE}/delete", ask_delete, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/delete", delete, methods=["POST"]),
]
