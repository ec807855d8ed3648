"""What can be done with a version: which actions its page offers.

The database decides what is allowed. Here is only what makes sense to offer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from training_versions import AsyncVersionRepository, VersionDiff, VersionStatus
from training_versions.web.pages.reading import AnyVersion, read_or_problem
from training_versions.web.views.differences import SNAPSHOTS


@dataclass(frozen=True)
class Offer:
    """An action with a page that says what will come of it."""

    action: str
    """The last step of its address."""
    label: str


PUBLISH: Final = Offer("publish", "Publish…")
RESTORE: Final = Offer("restore", "Restore…")
FORK: Final = Offer("fork", "Fork…")
DEPLOY: Final = Offer("deploy", "Deploy…")
UNDEPLOY: Final = Offer("undeploy", "Undeploy…")
ARCHIVE: Final = Offer("archive", "Archive…")
DELETE: Final = Offer("delete", "Delete…")


async def offers_for(versions: AsyncVersionRepository, version: AnyVersion) -> list[Offer]:
    """Return what the page of a version offers."""
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
    # The newest is not read whole if it is this version itself.
    newer = await read_or_problem(
        versions.list(version.package_id, number_above=version.version_number, limit=1)
    )
    if newer.value is not None and not newer.value:
        return False
    latest = (await read_or_problem(versions.latest(version.package_id))).value
    if latest is None:
        # It cannot be read, so nobody knows that it is the same.
        return True
    return bool(await compare_content(versions, latest, version))


async def compare_content(
    versions: AsyncVersionRepository, left: AnyVersion, right: AnyVersion
) -> VersionDiff:
    """Compare what a draft would take over: config, base model and data sets."""
    diff = await versions.compare(left, right)
    return diff.filter(*SNAPSHOTS)
