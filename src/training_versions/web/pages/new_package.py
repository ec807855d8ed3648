"""A new package."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from training_versions import InvalidInputError, TrainingVersionsError
from training_versions.web.forms import Form, read_new_id
from training_versions.web.page import caller_of, page, read_form
from training_versions.web.render import render
from training_versions.web.views.typed_json import Mistake, read_json

_FIELDS: Final = {"name": "name", "template_type": "template_type", "config": "config"}


@page
async def show_form(request: Request) -> Response:
    """Show the empty form."""
    form = Form({"name": "", "template_type": "lora_finetuning", "config": "{}"})
    return _show(request, form, uuid4())


@page
async def create(request: Request) -> Response:
    """Create the package, or show the form again with its problems."""
    sent = await read_form(request)
    form = Form.of(sent, *_FIELDS.values())
    package_id = read_new_id(sent, "package_id")
    try:
        package = await caller_of(request).packages.create(
            form.values["name"],
            template_type=form.values["template_type"],
            config=_read_config(form.values["config"]),
            package_id=package_id,
        )
    except TrainingVersionsError as exc:
        form.refuse(exc, _FIELDS)
        return _show(request, form, package_id)
    return RedirectResponse(f"/packages/{package.id}", status_code=303)


def _read_config(text: str) -> Any:
    try:
        return read_json(text)
    except Mistake as exc:
        place = f"Line {exc.line}, column {exc.column}"
        raise InvalidInputError(f"{place}: {exc.message}", field="config") from exc


def _show(request: Request, form: Form, package_id: UUID) -> Response:
    return render(request, "new_package.html", status=form.status, form=form, package_id=package_id)


routes = [
    Route("/packages/new", show_form, methods=["GET"]),
    Route("/packages/new", create, methods=["POST"]),
]
