"""Existence checks: 404 instead of an empty list if the caller cannot see the parent resource."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from training_versions import AsyncPackageRepository, AsyncVersionRepository, Page
from training_versions.rest.problems import NOT_FOUND, Problem


async def check_package(page: Page[Any], packages: AsyncPackageRepository, id_: UUID) -> None:
    """If the page is empty, check that the caller can see the package.

    Raises:
        Problem: The package does not exist, or the caller may not see it.
    """
    if not page and await packages.find(id_) is None:
        raise Problem(NOT_FOUND, f"There is no package {id_} that you may see.")


async def check_version(page: Page[Any], versions: AsyncVersionRepository, id_: UUID) -> None:
    """If the page is empty, check that the caller can see the version.

    Raises:
        Problem: The version does not exist, or the caller may not see it.
    """
    # `find` would read the snapshots as well.
    if not page and not await versions.list(ids=[id_], limit=1):
        raise Problem(NOT_FOUND, f"There is no version {id_} that you may see.")
