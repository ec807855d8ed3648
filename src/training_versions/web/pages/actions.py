"""The base of all actions on a version: each shows its effect and asks for confirmation.

Each action has one address. `GET` shows the effect. `POST` performs the action and redirects to a
page with a message, so that a reload does not repeat it. The form holds the state that the page
showed (the edit token of a draft, the live deployment). If that state has changed, nothing is done,
and the page is shown again with the current state. The form also holds the ids of the objects to
create, so sending it twice has the effect of sending it once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from training_versions import (
    AsyncVersionRepository,
    InvalidInputError,
    Package,
    VersionStatus,
)
from training_versions.web.forms import read_edit_token
from training_versions.web.page import caller_of
from training_versions.web.pages.offers import compare_content
from training_versions.web.pages.reading import Address, AnyVersion, Found, read_package
from training_versions.web.render import render
from training_versions.web.views.differences import (
    Part,
    Row,
    by_part,
    changed_rows,
    count_differences,
)

_ROWS: Final = 100


@dataclass(frozen=True)
class Preview:
    """The differences that an action will make."""

    left: AnyVersion | None
    """The version to compare with; `None` if there is none."""
    right: AnyVersion
    rows: Sequence[Row]
    """The first differences."""
    total: int
    differences: int
    problem: str | None = None
    """The reason why the version to compare with cannot be read."""

    @property
    def total_reordered(self) -> int:
        """The number of lists in which only the order changed."""
        return self.total - self.differences

    @property
    def groups(self) -> list[tuple[Part, list[Row]]]:
        """The rows, grouped by part."""
        return by_part(self.rows)

    @property
    def hidden(self) -> int:
        """The number of rows that are not shown."""
        return self.total - len(self.rows)


@dataclass(frozen=True)
class Subject:
    """The version that an action is applied to, with its package."""

    address: Address
    package: Package | None
    version: AnyVersion
    versions: AsyncVersionRepository

    @property
    def is_draft(self) -> bool:
        """Whether the version is a draft."""
        return self.version.status == VersionStatus.DRAFT

    @property
    def is_published(self) -> bool:
        """Whether the version is published and not archived."""
        return self.version.status == VersionStatus.PUBLISHED


async def make_preview(subject: Subject, base: Found[AnyVersion | None]) -> Preview:
    """Compare the content of the subject with a base version, for a preview."""
    version = subject.version
    if base.value is None or base.value.id == version.id:
        return Preview(base.value, version, [], 0, 0, base.problem)
    rows = changed_rows(await compare_content(subject.versions, base.value, version))
    return Preview(base.value, version, rows[:_ROWS], len(rows), count_differences(rows))


async def read_subject(request: Request) -> Subject:
    """Read the version in the path of a request, and its package.

    Raises:
        NotFoundError: The version does not exist, or the caller may not see it.
    """
    caller, address = caller_of(request), Address.of(request)
    package, version = await asyncio.gather(
        read_package(caller, address.package_id),
        caller.versions.get_by_number(address.package_id, address.number),
    )
    return Subject(address, package, version, caller.versions)


def show_action(
    request: Request,
    template: str,
    subject: Subject,
    *,
    status: int = 200,
    problem: str | None = None,
    form: FormData | None = None,
    **values: Any,
) -> Response:
    """Render the page of an action.

    Args:
        request: The request.
        template: The template of the action.
        subject: The version.
        status: The HTTP status, such as 409 if the state that the page showed has changed.
        problem: The reason why the action was not performed.
        form: The form that was sent, to show its texts again.
        **values: Further values for the template.
    """
    return render(
        request,
        template,
        status=status,
        address=subject.address,
        package=subject.package,
        version=subject.version,
        is_draft=subject.is_draft,
        is_published=subject.is_published,
        content=content_hash(subject.version),
        problem=problem,
        typed={} if form is None else form,
        **values,
    )


def go_on(path: str, done: str, **told: object) -> Response:
    """Redirect to a page that shows a message about the completed action."""
    return RedirectResponse(f"{path}?{urlencode({'done': done, **told})}", status_code=303)


def text_field(form: FormData, name: str) -> str | None:
    """Return the text of a field, or `None` if it is blank."""
    value = form.get(name)
    if not isinstance(value, str) or not value.strip():
        return None
    # Browsers send every line end as CR LF.
    return value.replace("\r\n", "\n")


def hidden_field(form: FormData, name: str) -> str:
    """Return the value of a hidden field.

    Raises:
        InvalidInputError: The field is missing.
    """
    value = form.get(name)
    if not isinstance(value, str):
        raise InvalidInputError(f"The form has no field {name}.", field=name)
    return value


def edit_token(form: FormData) -> datetime:
    """Return the edit token of the draft that the page showed.

    Raises:
        InvalidInputError: The token is missing or invalid.
    """
    return read_edit_token(hidden_field(form, "token"), "token")


def content_hash(version: AnyVersion) -> str:
    """Return a hash of the content of a version.

    A copy cannot be checked with the edit token, as each metric and each cost changes that, too.
    """
    content = (version.config_snapshot, version.model_snapshot, version.dataset_snapshot)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def was_edited(subject: Subject, form: FormData) -> bool:
    """Return whether the content has changed since the page was shown."""
    return content_hash(subject.version) != hidden_field(form, "content")
