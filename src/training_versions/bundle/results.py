"""What callers pass to an export or an import, and what these return.

Public names, in a file that loads neither the operations nor the format.
"""

import os
from collections.abc import Callable
from typing import BinaryIO, TypeAlias
from uuid import UUID

from pydantic import Field

from training_versions.errors import InvalidInputError
from training_versions.models.base import Record

BundleFile: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A path, or a file open for bytes."""
Progress: TypeAlias = Callable[[int, int], object]
"""A function that is called with how many rows are done and how many there are."""


class BundleError(InvalidInputError):
    """A file is not a bundle, or it is damaged, altered or of a newer format.

    Nothing was written.
    """

    __module__ = "training_versions"

    line: int | None
    """The line that is wrong, counted from 1."""

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        field: str | None = None,
        operation: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, field=field, operation=operation, hint=hint)
        self.line = line


class ExportResult(Record):
    """What an export wrote."""

    __module__ = "training_versions"

    package_id: UUID
    versions: int
    events: int


class ImportResult(Record):
    """What an import found and did; of a dry run, what it would do.

    Rows of an attempt whose reply was lost count as present.
    """

    __module__ = "training_versions"

    package_id: UUID
    package_name: str
    """The name of the package here, which may differ from that in the file."""
    package_created: bool
    """Whether the import created the package."""
    versions_created: int
    versions_present: int
    """Versions that were here already, or were deleted here and stay deleted."""
    versions_differing: int
    """Those of them that are not as in the file.

    They are drafts edited or deleted since, or versions that were published, trained or archived.
    """
    parents_missing: int
    """Versions whose parent is named in the file and does not exist here.

    Published ones get it when both packages are imported again.
    """
    events_added: int
    new_ids: dict[UUID, UUID] = Field(default_factory=dict[UUID, UUID])
    """Of what this import created: ids in the file that were taken here, each with the new one."""
