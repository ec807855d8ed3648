"""Pagination: the query parameters of a list, and the `Link` to its next page (RFC 8288)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypedDict

from fastapi import Depends, Query, Request

from training_versions import Page
from training_versions.rest.paths import path_of

MAX_LIMIT: Final = 200
"""The most items of a page; a larger `limit` is refused, not reduced."""

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="The most that the page may hold.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=1000,
        pattern="^[A-Za-z0-9_-]+$",
        description="The `next_cursor` of the page before, with the same filters and order.",
    ),
]
Order = Annotated[Literal["newest", "oldest"], Query(description="Which come first.")]


class PagingOptions(TypedDict):
    """The page of a list that is requested, as arguments of the SDK."""

    order: Literal["newest", "oldest"]
    limit: int
    cursor: str | None


async def read_paging(
    order: Order = "newest", limit: Limit = 50, cursor: Cursor = None
) -> PagingOptions:
    """Return the page that the query parameters request."""
    return {"order": order, "limit": limit, "cursor": cursor}


Paging = Annotated[PagingOptions, Depends(read_paging)]


def next_link(request: Request, page: Page[Any]) -> dict[str, str]:
    """Return the header that links to the next page; empty on the last page."""
    if page.next_cursor is None:
        return {}
    url = request.url.include_query_params(cursor=page.next_cursor)
    # Without scheme and host, which a reverse proxy may have changed.
    return {"Link": f'<{path_of(request)}?{url.query}>; rel="next"'}
