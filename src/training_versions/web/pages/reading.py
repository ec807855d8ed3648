"""What the pages about one version read, and how a page goes on where a row cannot be read."""

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
    """Reads the number of a version in a path; there is no page at one that no version has."""

    # Python refuses to read numbers of thousands of digits.
    regex = "[1-9][0-9]{0,9}"

    def convert(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Write it."""
        return str(value)


register_url_convertor("version_number", NumberConvertor())
VERSION_ROUTE: Final = "/packages/{package_id:uuid}/v/{number:version_number}"
"""The route of the page of a version; those of its other pages begin with it."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """What was read, or why it cannot be read although it is there."""

    value: T | None
    problem: str | None = None
    reply: object = None
    """What is stored, as far as it could be read."""


async def read_or_problem(read: Awaitable[T]) -> Found[T]:
    """Read something of which a page shows the rest even if it cannot be read."""
    try:
        return Found(await read)
    except UnreadableReplyError as exc:
        return Found(None, exc.message, exc.reply)


@dataclass(frozen=True)
class Address:
    """Which version a request is about."""

    package_id: str
    number: int

    @classmethod
    def of(cls, request: Request) -> Address:
        """Read it from the path."""
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
    """Read a package, or return `None` if it is there and cannot be read.

    Raises:
        NotFoundError: There is no such package, or the caller may not see it.
    """
    return (await read_or_problem(caller.packages.get(package_id))).value


async def find_before(versions: AsyncVersionRepository, version: VersionSummary) -> int | None:
    """Return the number of the version before another one, or `None` if that is the first.

    Numbers have gaps where drafts were deleted.
    """
    page = await versions.list(version.package_id, number_below=version.version_number, limit=1)
    for summary in page:
        return summary.version_number
    return None
