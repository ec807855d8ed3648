"""Costs: the entries of a version, and the totals of a package."""

from uuid import UUID

from pydantic import AwareDatetime

from training_versions.models.base import Cost, Record, Replayable


class CostEntry(Record):
    """One cost entry of a version."""

    __module__ = "training_versions"

    id: UUID
    package_id: UUID
    version_id: UUID
    version_number: int
    amount: Cost
    note: str | None
    key: str
    """The idempotency key: a version has at most one entry with it."""
    alerts: tuple[int, ...]
    """Percentages of the budget that this entry was the first to reach."""
    recorded_at: AwareDatetime
    recorded_by: UUID | None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.amount}, {self.recorded_at.date()}>"


class RecordedCost(Replayable, CostEntry):
    """A cost entry, and the totals of its version with it.

    `alerts` is empty if the idempotency key had been used already: only the call that made the
    entry reports them.
    """

    __module__ = "training_versions"

    actual_cost: Cost
    """The sum of all entries of the version."""
    budget_limit: Cost | None


class PackageCost(Record):
    """What all versions of a package cost together; a version without a value counts as 0."""

    __module__ = "training_versions"

    package_id: UUID
    versions: int
    """How many there are."""
    estimated_cost: Cost
    actual_cost: Cost
    budget_limit: Cost
