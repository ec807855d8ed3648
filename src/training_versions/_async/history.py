"""History: read who did what, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

from training_versions._async.transport import AsyncTransport
from training_versions.models import Event, Id, Page
from training_versions.operations import history
from training_versions.operations.history import EventFilters


class AsyncHistory:
    """The operations that read the history of packages."""

    _transport: AsyncTransport

    async def history(
        self,
        *,
        package_id: Id | None = None,
        version_id: Id | None = None,
        kind: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        order: Literal["newest", "oldest"] = "newest",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Event]:
        """Read one page of events: who did what, and when. Nobody can change an event.

        Edits of a draft by the same user within a minute are folded into one event. Pages are in
        the order of time; an event whose transaction ends after a page was read takes its place in
        time, which may be before that page's end.

        Args:
            package_id: Events of this package, including those of its deleted drafts.
            version_id: Events of this version. With neither, all events of the caller.
            kind: One `EventKind`, or several.
            since: At this moment or later; folded edits count by the last of them.
            until: Before this moment; folded edits count by the first of them.
            order: Which come first.
            limit: The most to return; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.

        Example:
            >>> page = await versions.history(
            ...     package_id=package.id, kind=["published", "deployed"]
            ... )
        """
        filters = EventFilters(package_id, version_id, kind, since, until)
        return await self._transport.run(
            history.history(filters, order=order, limit=limit, cursor=cursor)
        )

    def iterate_history(
        self,
        *,
        package_id: Id | None = None,
        version_id: Id | None = None,
        kind: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        order: Literal["newest", "oldest"] = "newest",
        page_size: int = 200,
    ) -> AsyncIterator[Event]:
        """Iterate over all events that the filters keep, page by page.

        Args:
            package_id: Events of this package, including those of its deleted drafts.
            version_id: Events of this version. With neither, all events of the caller.
            kind: One `EventKind`, or several.
            since: At this moment or later.
            until: Before this moment.
            order: Which come first.
            page_size: How many to ask for at once.

        Example:
            >>> async for event in versions.iterate_history(version_id=version.id): ...
        """
        filters = EventFilters(package_id, version_id, kind, since, until)
        return self._transport.walk(
            history.iterate_history(filters, order=order, page_size=page_size)
        )
