"""A new draft in a package: a copy of a version, or a draft with the package's config."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from training_versions import InvalidInputError, Package, TrainingVersionsError, VersionSummary
from training_versions.web.forms import Form, read_new_id
from training_versions.web.page import Caller, caller_of, page, read_form
from training_versions.web.render import render

_FIELDS: Final = {"name": "name", "change_summary": "change_summary", "number": "number"}
_PACKAGE: Final = "package"
_VERSION: Final = "version"
# Python refuses to parse numbers of thousands of digits.
_MOST_DIGITS: Final = 10


@page
async def show_form(request: Request) -> Response:
    """Show the form. It suggests a copy of the latest published version, else of the latest."""
    package = await _package_of(request)
    number = package.latest_published_version
    if number == 0:
        latest = await caller_of(request).versions.list(package.id, limit=1)
        number = latest[0].version_number if latest else 0
    form = Form(
        {
            "source": _VERSION if number else _PACKAGE,
            "number": str(number) if number else "",
            "name": "",
            "change_summary": "",
        }
    )
    return _show(request, package, form, uuid4())


@page
async def create(request: Request) -> Response:
    """Create the draft and redirect to its editor, or show the form again with its problems."""
    package = await _package_of(request)
    sent = await read_form(request)
    form = Form.of(sent, "source", *_FIELDS)
    version_id = read_new_id(sent, "version_id")
    try:
        draft = await _create(caller_of(request), package, form, version_id)
    except TrainingVersionsError as exc:
        form.refuse(exc, _FIELDS)
        return _show(request, package, form, version_id)
    path = f"/packages/{package.id}/v/{draft.version_number}/edit"
    return RedirectResponse(path, status_code=303)


async def _create(caller: Caller, package: Package, form: Form, draft_id: UUID) -> VersionSummary:
    # The database sets the default of an empty field.
    name = form.values["name"] or None
    summary = form.values["change_summary"] or None
    if form.values["source"] == _PACKAGE:
        return await caller.versions.create_draft(
            package.id,
            config=package.config_json,
            model={},
            dataset=[],
            name=name,
            change_summary=summary,
            version_id=draft_id,
        )
    source = await caller.versions.get_by_number(package.id, _read_number(form.values["number"]))
    copied = await caller.versions.restore(
        source.id, name=name, change_summary=summary, new_version_id=draft_id
    )
    return copied.draft


def _read_number(text: str) -> int:
    number = text.strip().removeprefix("v")
    if not number.isascii() or not number.isdigit() or len(number) > _MOST_DIGITS:
        raise InvalidInputError("This must be the number of a version.", field="number")
    return int(number)


async def _package_of(request: Request) -> Package:
    return await caller_of(request).packages.get(request.path_params["package_id"])


def _show(request: Request, package: Package, form: Form, version_id: UUID) -> Response:
    return render(
        request,
        "new_draft.html",
        status=form.status,
        package=package,
        form=form,
        version_id=version_id,
    )


_PATH: Final = "/packages/{package_id:uuid}/new-draft"
routes = [
    Route(_PATH, show_form, methods=["GET"]),
    Route(_PATH, create, methods=["POST"]),
]
