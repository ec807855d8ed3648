"""The nearest relatives of a version: its parent and its children."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from training_versions import AsyncVersionRepository, Page, VersionSummary

_CHILDREN: Final = 20


@dataclass(frozen=True)
class Descent:
    """The parent and the first children of a version. The page of its package draws all lines."""

    parent: VersionSummary | None
    """The parent; `None` if there is none, or if the caller may not see it."""
    children: Page[VersionSummary]


async def read_descent(versions: AsyncVersionRepository, version: VersionSummary) -> Descent:
    """Read the parent and the first children. The whole family may have thousands of versions."""
    parent = None
    if version.parent_version_id is not None:
        found = await versions.list(ids=[version.parent_version_id], limit=1)
        parent = next(iter(found), None)
    children = await versions.list(parent_version_id=version.id, order="oldest", limit=_CHILDREN)
    return Descent(parent, children)
