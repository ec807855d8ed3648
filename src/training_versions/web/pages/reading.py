"""Helpers that read a version and its package, and keep pages working if a row is unreadable."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request

from training_versions import (
    AsyncVersionRepository,
    Package,
    UnreadableReplyError,
    Version,
    VersionSummary,
)
from training_versions.web.page import Caller

AnyVersion: TypeAlias = "Version[Any, Any, Any]"
T = TypeVar("T")


class NumberConvertor(Convertor[int]):
    """Converts the number of a version in a path. Other texts do not match the route."""

    # Python refuses to parse numbers of thousands of digits.
    regex = "[1-9][0-9]{0,9}"

    def convert(self, value: str) -> int:
        """Convert the text to a number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Convert the number to text."""
        return str(value)


register_url_convertor("version_number", NumberConvertor())
VERSION_ROUTE: Final = "/packages/{package_id:uuid}/v/{number:version_number}"
"""The route of a version's page, and the prefix of the routes of its other pages."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """A value, or the reason why a stored value cannot be read."""

    value: T | None
    problem: str | None = None
    reply: object = None
    """The reply that could not be read."""


async def read_or_problem(read: Awaitable[T]) -> Found[T]:
    """Await a read. If the reply is unreadable, return the problem instead of raising."""
    try:
        return Found(await read)
    except UnreadableReplyError as exc:
        return Found(None, exc.message, exc.reply)


@dataclass(frozen=True)
class Address:
    """The package and number of the version that a request is about."""

    package_id: str
    number: int

    @classmethod
    def of(cls, request: Request) -> Address:
        """Read the address from the path of a request."""
        return cls(str(request.path_params["package_id"]), int(request.path_params["number"]))

    @property
    def package(self) -> str:
        """The path of the package's page."""
        return f"/packages/{self.package_id}"

    @property
    def version(self) -> str:
        """The path of the version's page."""
        return version_path(self.package_id, self.number)


def version_path(package_id: UUID | str, number: int) -> str:
    """Return the path of the page of a version."""
    return f"/packages/{package_id}/v/{number}"


async def read_package(caller: Caller, package_id: str) -> Package | None:
    """Read a package, or return `None` if it exists but is unreadable.

    Raises:
        NotFoundError: The package does not exist, or the caller may not see it.
    """
    return (await read_or_problem(caller.packages.get(package_id))).value


async def find_before(versions: AsyncVersionRepository, version: VersionSummary) -> int | None:
    """Return the number of the version before this one, or `None` if this is the first.

    Numbers have gaps where drafts were deleted.
    """
    page = await versions.list(version.package_id, number_below=version.version_number, limit=1)
    for summary in page:
        return summary.version_number
    return None
