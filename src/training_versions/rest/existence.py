"""Existence: an empty list of something that is not there, or is somebody else's, is no answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from training_versions import AsyncPackageRepository, AsyncVersionRepository, Page
from training_versions.rest.problems import NOT_FOUND, Problem


async def check_package(page: Page[Any], packages: AsyncPackageRepository, id_: UUID) -> None:
    """Refuse an empty page about a package that the caller may not see.

    Raises:
        Problem: The package is not there, or is not the caller's.
    """
    if not page and await packages.find(id_) is None:
        raise Problem(NOT_FOUND, f"There is no package {id_} that you may see.")


async def check_version(page: Page[Any], versions: AsyncVersionRepository, id_: UUID) -> None:
    """Refuse an empty page about a version that the caller may not see.

    Raises:
        Problem: The version is not there, or is not the caller's.
    """
    # Not by `find`, which reads its snapshots.
    if not page and not await versions.list(ids=[id_], limit=1):
        raise Problem(NOT_FOUND, f"There is no version {id_} that you may see.")
