"""The actions that the page of a version offers.

The database decides which actions are allowed. This module selects those that make sense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from training_versions import AsyncVersionRepository, VersionDiff, VersionStatus
from training_versions.web.pages.reading import AnyVersion, read_or_problem
from training_versions.web.views.differences import SNAPSHOTS


@dataclass(frozen=True)
class Offer:
    """An action with its own page."""

    action: str
    """The last segment of the action's path."""
    label: str


PUBLISH: Final = Offer("publish", "Publish…")
RESTORE: Final = Offer("restore", "Restore…")
FORK: Final = Offer("fork", "Fork…")
DEPLOY: Final = Offer("deploy", "Deploy…")
UNDEPLOY: Final = Offer("undeploy", "Undeploy…")
ARCHIVE: Final = Offer("archive", "Archive…")
DELETE: Final = Offer("delete", "Delete…")


async def offers_for(versions: AsyncVersionRepository, version: AnyVersion) -> list[Offer]:
    """Return the actions that the page of a version offers."""
    offers: list[Offer] = []
    if version.status == VersionStatus.DRAFT:
        offers.append(PUBLISH)
    if await _would_restore_something(versions, version):
        offers.append(RESTORE)
    if version.status == VersionStatus.PUBLISHED:
        offers.append(DEPLOY)
    if version.is_deployed:
        offers.append(UNDEPLOY)
    offers.append(FORK)
    if version.status == VersionStatus.PUBLISHED:
        offers.append(ARCHIVE)
    if version.status == VersionStatus.DRAFT:
        offers.append(DELETE)
    return offers


async def _would_restore_something(versions: AsyncVersionRepository, version: AnyVersion) -> bool:
    # This cheap query avoids reading the content of the latest version if it is this one.
    newer = await read_or_problem(
        versions.list(version.package_id, number_above=version.version_number, limit=1)
    )
    if newer.value is not None and not newer.value:
        return False
    latest = (await read_or_problem(versions.latest(version.package_id))).value
    if latest is None:
        # The latest version cannot be read, so it may differ.
        return True
    return bool(await compare_content(versions, latest, version))


async def compare_content(
    versions: AsyncVersionRepository, left: AnyVersion, right: AnyVersion
) -> VersionDiff:
    """Compare the content that a draft takes over: config, base model and data sets."""
    diff = await versions.compare(left, right)
    return diff.filter(*SNAPSHOTS)
