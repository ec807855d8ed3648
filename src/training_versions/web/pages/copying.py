"""Restore and fork: create a draft with the content of a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from training_versions import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    Package,
    VersionSummary,
)
from training_versions.web.page import caller_of, page, read_form
from training_versions.web.pages.actions import (
    Preview,
    Subject,
    go_on,
    hidden_field,
    make_preview,
    read_subject,
    show_action,
    text_field,
    was_edited,
)
from training_versions.web.pages.reading import VERSION_ROUTE, Found, read_or_problem, version_path
from training_versions.web.render import render

_PACKAGES: Final = 50
_EDITED: Final = (
    "The draft was edited since this page was shown, and nothing was done. "
    "This is what would come of it now."
)
_NO_CHANGE: Final = "Nothing was done: the latest version has this content already."


@page
async def ask_restore(request: Request) -> Response:
    """Show the differences between the latest version and the draft to create."""
    subject = await read_subject(request)
    return await _show_restore(request, subject)


async def _show_restore(
    request: Request,
    subject: Subject,
    *,
    status: int = 200,
    problem: str | None = None,
    form: FormData | None = None,
) -> Response:
    versions, package_id = subject.versions, subject.address.package_id
    latest = await read_or_problem(versions.latest(package_id))
    published = (await read_or_problem(versions.latest_published(package_id))).value
    preview = await make_preview(subject, latest)
    changes_something = _changes_something(preview)
    if request.query_params.get("against") == "published" and published is not None:
        preview = await make_preview(subject, Found(published))
    return show_action(
        request,
        "restore.html",
        subject,
        status=status,
        problem=problem,
        form=form,
        preview=preview,
        latest=latest.value,
        published=published,
        changes_something=changes_something,
        new_id=_new_id(form),
    )


def _changes_something(preview: Preview) -> bool:
    # A latest version that cannot be read may differ.
    return preview.total > 0 or preview.problem is not None


def _new_id(form: FormData | None) -> str:
    """Return the id of the draft to create. A form that is shown again keeps its id."""
    given = None if form is None else form.get("new_id")
    if isinstance(given, str):
        return given
    return str(uuid4())


@page
async def restore(request: Request) -> Response:
    """Create the draft."""
    subject, form = await read_subject(request), await read_form(request)
    new_id = hidden_field(form, "new_id")
    problem = None
    if was_edited(subject, form):
        problem = _EDITED
    elif not await _restores_something(subject):
        problem = _NO_CHANGE
    if problem is not None:
        made = await _find_made(subject, new_id)
        if made is not None:
            return _show_made(made, subject, "restored")
        return await _show_restore(request, subject, status=409, problem=problem, form=form)
    try:
        copied = await subject.versions.restore(
            subject.version.id,
            change_summary=text_field(form, "change_summary"),
            new_version_id=new_id,
        )
    except InvalidInputError as exc:
        return await _show_restore(request, subject, status=422, problem=exc.message, form=form)
    except ConflictError:
        # The same form may have been sent before with other texts.
        made = await _find_made(subject, new_id)
        if made is None:
            raise
        return _show_made(made, subject, "restored")
    return _show_made(copied.draft, subject, "restored")


async def _restores_something(subject: Subject) -> bool:
    latest = await read_or_problem(subject.versions.latest(subject.address.package_id))
    return _changes_something(await make_preview(subject, latest))


async def _find_made(subject: Subject, new_id: str) -> VersionSummary | None:
    """Return the draft that an earlier submission of the same form created, or `None`."""
    made = await subject.versions.find(new_id)
    if made is None or made.parent_version_id != subject.version.id:
        return None
    return made


def _show_made(draft: VersionSummary, subject: Subject, done: str) -> Response:
    """Redirect to the new draft."""
    path = version_path(draft.package_id, draft.version_number)
    return go_on(path, done, source=subject.version.version_number)


@page
async def ask_fork(request: Request) -> Response:
    """Ask for the package, then show the differences between its latest version and the draft."""
    subject = await read_subject(request)
    into = request.query_params.get("into")
    if into is None:
        return await _show_packages(request, subject)
    return await _show_fork(request, subject, into)


async def _show_packages(request: Request, subject: Subject) -> Response:
    text = request.query_params.get("text", "").strip()
    cursor = request.query_params.get("cursor")
    found = await caller_of(request).packages.list(
        text=text or None, limit=_PACKAGES, cursor=cursor
    )
    others = [each for each in found if str(each.id) != str(subject.version.package_id)]
    values: Mapping[str, Any] = {
        "address": subject.address,
        "package": subject.package,
        "version": subject.version,
        "packages": others,
        "next_cursor": found.next_cursor,
        "cursor": cursor,
        "text": text,
    }
    return render(request, "fork_choose.html", **values)


async def _show_fork(
    request: Request,
    subject: Subject,
    into: str,
    *,
    status: int = 200,
    problem: str | None = None,
    form: FormData | None = None,
) -> Response:
    target = await _read_target(request, into)
    latest = await read_or_problem(subject.versions.latest(target.id))
    return show_action(
        request,
        "fork.html",
        subject,
        status=status,
        problem=problem,
        form=form,
        target=target,
        preview=await make_preview(subject, latest),
        new_id=_new_id(form),
    )


async def _read_target(request: Request, into: str) -> Package:
    target = await caller_of(request).packages.find(into)
    if target is None:
        raise NotFoundError("There is no such package to fork into, or it is not yours.")
    return target


@page
async def fork(request: Request) -> Response:
    """Create the draft in the other package."""
    subject, form = await read_subject(request), await read_form(request)
    into, new_id = hidden_field(form, "into"), hidden_field(form, "new_id")
    if was_edited(subject, form):
        made = await _find_made(subject, new_id)
        if made is not None:
            return _show_made(made, subject, "forked")
        return await _show_fork(request, subject, into, status=409, problem=_EDITED, form=form)
    try:
        copied = await subject.versions.fork(
            subject.version.id,
            into=into,
            change_summary=text_field(form, "change_summary"),
            new_version_id=new_id,
        )
    except InvalidInputError as exc:
        return await _show_fork(request, subject, into, status=422, problem=exc.message, form=form)
    except ConflictError:
        made = await _find_made(subject, new_id)
        if made is None:
            raise
        return _show_made(made, subject, "forked")
    return _show_made(copied.draft, subject, "forked")


routes = [
    Route(f"{VERSION_ROUTE}/restore", ask_restore, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/restore", restore, methods=["POST"]),
    Route(f"{VERSION_ROUTE}/fork", ask_fork, methods=["GET"]),
    Route(f"{VERSION_ROUTE}/fork", fork, methods=["POST"]),
]
