"""Costs: record what training cost, and add it up.

Derived from `_async/costs.py` by `scripts/derive_sync.py`: change that file instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from training_versions._sync.transport import Transport
from training_versions.models import Amount, CostEntry, Id, PackageCost, Page, RecordedCost
from training_versions.operations import costs


class Costs:
    """The operations on costs; a part of `VersionRepository`."""

    _transport: Transport

    def record_cost(
        self,
        version_id: Id,
        amount: Amount,
        *,
        note: str | None = None,
        key: str | None = None,
        alert_at: Sequence[int] = (50, 80, 100),
        entry_id: Id | None = None,
    ) -> RecordedCost:
        """Record a cost entry of a version; its `actual_cost` is the sum of all entries.

        When the sum reaches a percentage of the version's budget, exactly one call reports that in
        its `alerts`, also under concurrency. If the budget is raised later, a percentage that the
        sum reaches again is reported again.

        Args:
            version_id: The version.
            amount: 0 to 99,999,999.99, at most two decimals.
            note: What it was for, at most 1,000 characters.
            key: An idempotency key of at most 255 characters; reuse returns the existing entry,
                without alerts.
            alert_at: The percentages of the budget at which to alert.
            entry_id: The identifier of the entry, if you choose it; recording again with the same
                one returns the existing entry, including its alerts.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: The key is that of an entry with another amount.
            RejectedError: The sum would be more than 99,999,999.99.
            OutcomeUnknownError: The reply was lost; with your own `entry_id`, calling again is
                safe.

        Example:
            >>> entry = versions.record_cost(
            ...     version.id, "1.20", note="2 h on an A10", key=f"{run.id}/2"
            ... )
            >>> if 100 in entry.alerts: ...
        """
        return self._transport.run(
            costs.record_cost(
                version_id, amount, note=note, key=key, alert_at=alert_at, entry_id=entry_id
            )
        )

    def package_cost(self, package_id: Id) -> PackageCost:
        """Add up the actual costs, estimated costs and budgets of the versions of a package.

        Raises:
            NotFoundError: There is no such package, or the caller may not see it.

        Example:
            >>> cost = versions.package_cost(package.id)
            >>> left = cost.budget_limit - cost.actual_cost
        """
        return self._transport.run(costs.package_cost(package_id))

    def costs(
        self,
        version_id: Id | None = None,
        *,
        package_id: Id | None = None,
        order: Literal["newest", "oldest"] = "newest",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[CostEntry]:
        """Read one page of the cost entries of a version, or of all versions of a package.

        Where a client writes `actual_cost` itself, an entry holds the difference, which may be
        negative.

        Args:
            version_id: The version.
            package_id: The package, instead of a version.
            order: Which come first.
            limit: The most to return; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.

        Example:
            >>> page = versions.costs(package_id=package.id)
        """
        return self._transport.run(
            costs.costs(version_id, package_id, order=order, limit=limit, cursor=cursor)
        )

    def iterate_costs(
        self,
        version_id: Id | None = None,
        *,
        package_id: Id | None = None,
        order: Literal["newest", "oldest"] = "oldest",
        page_size: int = 200,
    ) -> Iterator[CostEntry]:
        """Iterate over the cost entries of a version, or of all versions of a package.

        Args:
            version_id: The version.
            package_id: The package, instead of a version.
            order: Which come first; the oldest if left out.
            page_size: How many to ask for at once.

        Example:
            >>> for entry in versions.iterate_costs(version.id): ...
        """
        return self._transport.walk(
            costs.iterate_costs(version_id, package_id, order=order, page_size=page_size)
        )
