"""The editor of a draft.

It is one form, sent to the address of its page. With scripts, the browser sends the changed fields
and gets JSON, while the user continues to type. Without scripts, it sends the whole form and gets
the page. Both send the edit token: the `updated_at` of the draft that the page was loaded with. If
the draft was edited since, nothing is written, and the page shows both sides and their common base.
The text that was typed is never lost, even if nothing can be saved.

`editing.py` converts texts to values, and `saving.py` saves them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from training_versions import (
    InvalidInputError,
    NotSignedInError,
    Package,
    TrainingVersionsError,
)
from training_versions.web.conflicts import Conflict
from training_versions.web.editing import (
    BY_NAME,
    FIELDS,
    AnyVersion,
    marks_of,
    read_edit,
    texts_of,
)
from training_versions.web.page import caller_of, page, read_form, services_of
from training_versions.web.pages.reading import VERSION_ROUTE
from training_versions.web.render import render
from training_versions.web.saving import Outcome, Submission, compare, resolve, save


@page
async def show_editor(request: Request) -> Response:
    """Show the draft as it is stored.

    A script requests it as JSON to renew its form token, after the user may have changed.
    """
    caller, path = caller_of(request), request.path_params
    version = await caller.versions.get_by_number(path["package_id"], path["number"])
    if request.headers.get("Accept") == "application/json":
        return JSONResponse({**_state_of(version), "csrf_token": caller.csrf_token})
    package = await caller.packages.get(version.package_id)
    outcome = Outcome("saved", version)
    texts = texts_of(version)
    return _editor_page(request, package, outcome, texts=texts, base=texts, version=version)


@page
async def save_draft(request: Request) -> Response:
    """Save the form, and show the outcome."""
    versions, form = caller_of(request).versions, await read_form(request)
    sent = read_submission(form)
    if request.headers.get("Accept") == "application/json":
        return _json_reply(request, await save(versions, sent))

    _check_whole(sent)
    action = form.get("action", "save")
    if action == "discard":
        return RedirectResponse(request.url.path, status_code=303)
    if action in ("merge", "overwrite"):
        outcome = await resolve(versions, sent, is_merge=action == "merge")
    else:
        outcome = await save(versions, sent)
    if outcome.state == "saved":
        return RedirectResponse(f"{request.url.path}?saved=1", status_code=303)
    return await _page_after_save(request, sent, outcome)


@page
async def compare_sides(request: Request) -> Response:
    """Return both sides of a conflict and their merge, as JSON."""
    sent = read_submission(await read_form(request))
    return _json_reply(request, await compare(caller_of(request).versions, sent))


@page
async def check_texts(request: Request) -> Response:
    """Return the mistakes in the JSON texts that were sent, without saving."""
    form = await read_form(request)
    texts = _fields(form, "")
    problems = read_edit(texts, {}).problems
    return _json_reply(request, Outcome("checked", problems=problems))


def read_submission(form: FormData) -> Submission:
    """Read the form of the editor.

    Raises:
        InvalidInputError: The id of the draft or the edit token is missing or invalid.
    """
    return Submission.read(
        version_id=_text(form, "version_id"),
        token=_text(form, "token"),
        their_token=_text(form, "their_token"),
        texts=_fields(form, ""),
        base=_fields(form, "base."),
    )


def _check_whole(sent: Submission) -> None:
    """Check that a form has every field, and the text that each was loaded with.

    Raises:
        InvalidInputError: A field is missing. No page of this site sends such a form.
    """
    for field in FIELDS:
        if field.name not in sent.texts or field.name not in sent.base:
            raise InvalidInputError(f"The form has no field {field.name}.", field=field.name)


def _text(form: FormData, name: str) -> str:
    return str(form.get(name, ""))


def _fields(form: FormData, prefix: str) -> dict[str, str]:
    """Return the texts of the draft's fields in a form, whose names there begin with a prefix."""
    return {
        field.name: _text(form, f"{prefix}{field.name}")
        for field in FIELDS
        if f"{prefix}{field.name}" in form
    }


async def _page_after_save(request: Request, sent: Submission, outcome: Outcome) -> Response:
    """Show the form with the texts that were sent, and the outcome."""
    package = await _find_package(request)
    version = outcome.version
    texts, base = dict(sent.texts), dict(sent.base)
    if outcome.state == "refused" and version is not None:
        # The other fields were saved, so only the refused ones differ from the stored draft.
        base = texts_of(version)
        texts = base | {name: sent.texts[name] for name in outcome.problems}
    return _editor_page(
        request, package, outcome, texts=texts, base=base, version=version, sent=sent
    )


async def _find_package(request: Request) -> Package | None:
    """Return the package, or `None` if it cannot be read: the page still shows the texts."""
    try:
        return await caller_of(request).packages.find(request.path_params["package_id"])
    except NotSignedInError:
        raise
    except TrainingVersionsError:
        return None


def _editor_page(
    request: Request,
    package: Package | None,
    outcome: Outcome,
    *,
    texts: Mapping[str, str],
    base: Mapping[str, str],
    version: AnyVersion | None,
    sent: Submission | None = None,
) -> Response:
    """Render the page of the editor.

    Args:
        request: The request.
        package: The package, if it was found.
        outcome: The outcome of the edit.
        texts: The texts of the fields.
        base: The texts that the page was loaded with.
        version: The stored draft, if it is known.
        sent: The submission, if the page answers one.
    """
    path = request.path_params
    version_id, token = "", ""
    if version is not None:
        version_id, token = str(version.id), version.updated_at.isoformat()
    if sent is not None:
        version_id = sent.version_id
        # Unless a part was saved, the form keeps its edit token.
        if outcome.state != "refused" or version is None:
            token = sent.token.isoformat()
    return render(
        request,
        "editor.html",
        status=outcome.status,
        package=package,
        version=version,
        version_id=version_id,
        number=path["number"],
        package_path=f"/packages/{path['package_id']}",
        version_path=f"/packages/{path['package_id']}/v/{path['number']}",
        fields=FIELDS,
        texts=texts,
        base=base,
        token=token,
        outcome=outcome,
        marks="{}" if version is None else json.dumps(marks_of(version)),
        is_read_only=outcome.has_ended,
        was_saved="saved" in request.query_params,
        interval=services_of(request).settings.autosave_seconds,
    )


def _json_reply(request: Request, outcome: Outcome) -> Response:
    """Return the outcome of an edit as JSON for a script."""
    body: dict[str, Any] = {
        "state": outcome.state,
        "message": outcome.message,
        "problems": {name: _problem_as_json(request, name, outcome) for name in outcome.problems},
    }
    if outcome.version is not None:
        body.update(_state_of(outcome.version))
    conflict = outcome.conflict
    if conflict is not None:
        body.update(_conflict_as_json(request, conflict))
    if outcome.has_ended:
        body["html"] = _render_text(request, "_editor_ended.html", outcome=outcome)
    return JSONResponse(body, outcome.status)


def _state_of(version: AnyVersion) -> dict[str, Any]:
    """Return the edit token and the hashes of the stored draft, which a script keeps."""
    return {"token": version.updated_at.isoformat(), "marks": marks_of(version)}


def _problem_as_json(request: Request, name: str, outcome: Outcome) -> dict[str, Any]:
    problem = outcome.problems[name]
    offset = None
    if problem.mistake is not None:
        offset = problem.mistake.offset
    html = _render_text(request, "_editor_problem.html", field=BY_NAME[name], problem=problem)
    return {"message": problem.message, "offset": offset, "html": html}


def _conflict_as_json(request: Request, conflict: Conflict) -> dict[str, Any]:
    return {
        "has_mine": conflict.has_mine,
        "can_merge": conflict.can_merge,
        "texts": texts_of(conflict.theirs),
        "merged": conflict.merged_texts,
        "html": _render_text(request, "_editor_conflict.html", conflict=conflict),
    }


def _render_text(request: Request, template: str, **values: Any) -> str:
    return bytes(render(request, template, **values).body).decode()


_PATH = f"{VERSION_ROUTE}/edit"
routes = [
    Route(_PATH, show_editor, methods=["GET"]),
    Route(_PATH, save_draft, methods=["POST"]),
    Route(f"{_PATH}/compare", compare_sides, methods=["POST"]),
    Route(f"{_PATH}/check", check_texts, methods=["POST"]),
]
