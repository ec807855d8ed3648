"""History: read who did what, and when."""

from __future__ import annotations

from training_versions.errors import InvalidInputError
from training_versions.models import Event, EventKind, HistoryFilters, Page
from training_versions.operations.checks import (
    check_known,
    check_moment,
    check_positive,
    is_newest_first,
    optional,
)
from training_versions.operations.filters import any_member, of_one
from training_versions.operations.paging import Listing
from training_versions.operations.requests import AnyOf, Comparison, Condition, Operation, Select
from training_versions.operations.rows import EVENTS


def history(
    filters: HistoryFilters, *, order: str, limit: int, cursor: str | None
) -> Operation[Page[Event]]:
    """Read one page of events."""
    listing = _listing("versions.history", filters, order, check_positive(limit, "limit"))
    return listing.page(cursor)


def iterate_history(filters: HistoryFilters, *, order: str, page_size: int) -> Listing[Event]:
    """Return the events that the filters keep, to walk over."""
    limit = check_positive(page_size, "page_size")
    return _listing("versions.iterate_history", filters, order, limit)


def _conditions(filters: HistoryFilters) -> tuple[Condition, ...]:
    check_known(filters, HistoryFilters)
    where = of_one(filters.get("package_id"), filters.get("version_id"))
    where += any_member(filters.get("kind"), "kind", EventKind)
    where += _between(filters)
    return tuple(where)


def _between(filters: HistoryFilters) -> list[Condition]:
    since = optional(check_moment, filters.get("since"), "since")
    until = optional(check_moment, filters.get("until"), "until")
    where: list[Condition] = []
    if since is not None:
        # Edits that were folded into one event count by the last of them.
        where.append(AnyOf(f'occurred_at.gte."{since}",last_at.gte."{since}"'))
    if until is not None:
        where.append(Comparison("occurred_at", "lt", until))
    if since is not None and until is not None and since > until:
        raise InvalidInputError(
            "since must not be after until: nothing happens in between.", field="since"
        )
    return where


def _listing(operation: str, filters: HistoryFilters, order: str, limit: int) -> Listing[Event]:
    select = Select(
        operation,
        EVENTS,
        where=_conditions(filters),
        order_by=("occurred_at", "id"),
        descending=is_newest_first(order, "order"),
        limit=limit,
    )
    return Listing(select, Event.model_validate)
