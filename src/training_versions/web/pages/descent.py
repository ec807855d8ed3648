"""The line of descent of a version, close by: what it was made from, and what from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from training_versions import AsyncVersionRepository, Page, VersionSummary

_CHILDREN: Final = 20


@dataclass(frozen=True)
class Descent:
    """The nearest relatives of a version; the page of its package draws the whole line."""

    parent: VersionSummary | None
    """`None` if there is none, or none that the caller may see."""
    children: Page[VersionSummary]


async def read_descent(versions: AsyncVersionRepository, version: VersionSummary) -> Descent:
    """Read the parent and the first children, and not the whole family: it may have thousands."""
    parent = None
    if version.parent_version_id is not None:
        found = await versions.list(ids=[version.parent_version_id], limit=1)
        parent = next(iter(found), None)
    children = await versions.list(parent_version_id=version.id, order="oldest", limit=_CHILDREN)
    return Descent(parent, children)
