"""History: read who did what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from training_versions.errors import InvalidInputError
from training_versions.models import Event, EventKind, Id, Page
from training_versions.operations.checks import check_moment, check_positive, is_newest_first
from training_versions.operations.filters import any_member, of_package, of_version
from training_versions.operations.paging import Listing
from training_versions.operations.requests import AnyOf, Comparison, Condition, Operation, Select

EVENTS: Final = "training_version_events"


@dataclass(frozen=True)
class EventFilters:
    """Which events to read; `None` does not filter."""

    package_id: Id | None = None
    version_id: Id | None = None
    kind: str | Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> tuple[Condition, ...]:
        """Return the filters as conditions."""
        where: list[Condition] = []
        if self.package_id is not None and self.version_id is not None:
            raise InvalidInputError(
                "Name package_id or version_id, not both: a version is of one package.",
                field="version_id",
            )
        if self.package_id is not None:
            where.append(of_package(self.package_id))
        if self.version_id is not None:
            where.append(of_version(self.version_id))
        where += any_member(self.kind, "kind", EventKind)
        where += self._between()
        return tuple(where)

    def _between(self) -> list[Condition]:
        where: list[Condition] = []
        since = until = None
        if self.since is not None:
            since = check_moment(self.since, "since")
            # Edits that were folded into one event count by the last of them.
            where.append(AnyOf(f'occurred_at.gte."{since}",last_at.gte."{since}"'))
        if self.until is not None:
            until = check_moment(self.until, "until")
            where.append(Comparison("occurred_at", "lt", until))
        if since is not None and until is not None and since > until:
            raise InvalidInputError(
                "since must not be after until: nothing happens in between.", field="since"
            )
        return where


def history(
    filters: EventFilters, *, order: str, limit: int, cursor: str | None
) -> Operation[Page[Event]]:
    """Read one page of events."""
    listing = _listing("versions.history", filters, order, check_positive(limit, "limit"))
    return listing.page(cursor)


def iterate_history(filters: EventFilters, *, order: str, page_size: int) -> Listing[Event]:
    """Return the events that the filters keep, to walk over."""
    limit = check_positive(page_size, "page_size")
    return _listing("versions.iterate_history", filters, order, limit)


def _listing(operation: str, filters: EventFilters, order: str, limit: int) -> Listing[Event]:
    select = Select(
        operation,
        EVENTS,
        columns=tuple(Event.model_fields),
        where=filters.conditions(),
        order_by=("occurred_at", "id"),
        descending=is_newest_first(order),
        limit=limit,
    )
    return Listing(select, Event.model_validate)
