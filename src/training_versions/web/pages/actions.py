"""What every action on a version has in common: it asks first, and shows what will come of it.

Each action has one address. `GET` shows what will come of it, `POST` does it and leads on with a
message, so that a reload does not do it again. The form carries what the page was about (the edit
token of a draft, what was live), and if that is no longer so, nothing is done and the page comes
again with what it is now. The identifiers of what is created are in the form as well, so a form
that is sent twice has the effect of one.
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
    """The difference that an action will make."""

    left: AnyVersion | None
    """What there is now; `None` if there is nothing to compare with."""
    right: AnyVersion
    rows: Sequence[Row]
    """The first of them."""
    total: int
    differences: int
    problem: str | None = None
    """Why there is no difference to show: what there is now cannot be read."""

    @property
    def total_reordered(self) -> int:
        """How many lists changed their order only."""
        return self.total - self.differences

    @property
    def groups(self) -> list[tuple[Part, list[Row]]]:
        """The rows by part."""
        return by_part(self.rows)

    @property
    def hidden(self) -> int:
        """How many rows are not shown."""
        return self.total - len(self.rows)


@dataclass(frozen=True)
class Subject:
    """What an action is about."""

    address: Address
    package: Package | None
    version: AnyVersion
    versions: AsyncVersionRepository

    @property
    def is_draft(self) -> bool:
        """Whether it can still be edited."""
        return self.version.status == VersionStatus.DRAFT

    @property
    def is_published(self) -> bool:
        """Whether it is published, and not archived."""
        return self.version.status == VersionStatus.PUBLISHED


async def make_preview(subject: Subject, base: Found[AnyVersion | None]) -> Preview:
    """Compare the content of a version with what there is: show the first differences."""
    version = subject.version
    if base.value is None or base.value.id == version.id:
        return Preview(base.value, version, [], 0, 0, base.problem)
    rows = changed_rows(await compare_content(subject.versions, base.value, version))
    return Preview(base.value, version, rows[:_ROWS], len(rows), count_differences(rows))


async def read_subject(request: Request) -> Subject:
    """Read the version that an action is about.

    Raises:
        NotFoundError: There is no such version, or the caller may not see it.
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
    """Show what will come of an action.

    Args:
        request: The request.
        template: The template of the action.
        subject: What it is about.
        status: 409 if it was to be done and something is no longer as it was shown.
        problem: Why it was not done.
        form: What was typed, to be shown again.
        **values: What else the template shows.
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
    """Lead on to a page that says what was done."""
    return RedirectResponse(f"{path}?{urlencode({'done': done, **told})}", status_code=303)


def text_field(form: FormData, name: str) -> str | None:
    """Return what was typed into a field, or `None` if that is nothing."""
    value = form.get(name)
    if not isinstance(value, str) or not value.strip():
        return None
    # Browsers send line ends as two characters.
    return value.replace("\r\n", "\n")


def hidden_field(form: FormData, name: str) -> str:
    """Return a field that the page itself has filled.

    Raises:
        InvalidInputError: It is missing.
    """
    value = form.get(name)
    if not isinstance(value, str):
        raise InvalidInputError(f"The form has no field {name}.", field=name)
    return value


def edit_token(form: FormData) -> datetime:
    """Return when the draft that the page showed was last edited.

    Raises:
        InvalidInputError: The form does not say it.
    """
    return read_edit_token(hidden_field(form, "token"), "token")


def content_hash(version: AnyVersion) -> str:
    """Return a hash of the content of a version.

    The edit token would not do for a copy: it moves with every metric and every cost, too.
    """
    content = (version.config_snapshot, version.model_snapshot, version.dataset_snapshot)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def was_edited(subject: Subject, form: FormData) -> bool:
    """Whether the content is another one than the page showed."""
    return content_hash(subject.version) != hidden_field(form, "content")
