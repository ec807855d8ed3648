"""History: read who did what, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Unpack

from training_versions._async.transport import AsyncTransport
from training_versions.models import Event, HistoryFilters, Page
from training_versions.operations import history


class AsyncHistory:
    """The operations that read the history of packages; a part of `AsyncVersionRepository`."""

    _transport: AsyncTransport

    async def history(
        self,
        *,
        order: Literal["newest", "oldest"] = "newest",
        limit: int = 50,
        cursor: str | None = None,
        **filters: Unpack[HistoryFilters],
    ) -> Page[Event]:
        """Read one page of events: who did what, and when. Nobody can change an event.

        Edits of a draft by the same user within a minute are folded into one event. Pages are in
        the order of time; an event whose transaction ends after a page was read takes its place in
        time, which may be before that page's end.

        Args:
            order: Which come first.
            limit: The most to return; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.
            **filters: `package_id`, `version_id`, `kind`, `since` and `until`; see
                `HistoryFilters`.

        Example:
            >>> page = await versions.history(
            ...     package_id=package.id, kind=["published", "deployed"]
            ... )
        """
        return await self._transport.run(
            history.history(filters, order=order, limit=limit, cursor=cursor)
        )

    def iterate_history(
        self,
        *,
        order: Literal["newest", "oldest"] = "newest",
        page_size: int = 200,
        **filters: Unpack[HistoryFilters],
    ) -> AsyncIterator[Event]:
        """Iterate over all events that the filters keep, page by page.

        Args:
            order: Which come first.
            page_size: How many to ask for at once.
            **filters: As in `history`.

        Example:
            >>> async for event in versions.iterate_history(version_id=version.id): ...
        """
        return self._transport.walk(
            history.iterate_history(filters, order=order, page_size=page_size)
        )
