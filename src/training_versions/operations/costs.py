"""Costs: record what training cost, and add it up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, cast

from training_versions.errors import InvalidInputError
from training_versions.models import Amount, CostEntry, Id, PackageCost, Page, RecordedCost
from training_versions.operations.checks import (
    check_cost,
    check_or_make_uuid,
    check_positive,
    check_text,
    check_uuid,
    is_collection,
    is_integer,
    is_newest_first,
    optional,
)
from training_versions.operations.filters import of_one
from training_versions.operations.paging import Listing
from training_versions.operations.requests import Operation, Rpc, Select, call, hint_to_repeat_with
from training_versions.snapshots import plain_number, refuses_foreign_errors

COSTS: Final = "training_cost_entries"
MAX_PERCENT: Final = 1000
_check_note = partial(check_text, max_length=1000)
_check_key = partial(check_text, max_length=255)


def record_cost(
    version_id: Id,
    amount: Amount,
    *,
    note: str | None,
    key: str | None,
    alert_at: Sequence[int],
    entry_id: Id | None,
) -> Operation[RecordedCost]:
    """Record a cost entry."""
    new_id = check_or_make_uuid(entry_id, "entry_id")
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_amount": check_cost(amount, "amount"),
        "p_note": optional(_check_note, note, "note"),
        "p_key": optional(_check_key, key, "key"),
        "p_alert_at": _check_percentages(alert_at, "alert_at"),
        "p_entry_id": new_id,
    }
    rpc = Rpc(
        "versions.record_cost",
        "record_training_cost",
        params,
        retry_hint=hint_to_repeat_with("entry_id", new_id),
    )
    return call(rpc, RecordedCost.model_validate)


def package_cost(package_id: Id) -> Operation[PackageCost]:
    """Read the totals of a package."""
    params = {"p_package_id": check_uuid(package_id, "package_id")}
    rpc = Rpc("versions.package_cost", "get_package_cost", params, is_write=False)
    return call(rpc, PackageCost.model_validate)


def costs(
    version_id: Id | None, package_id: Id | None, *, order: str, limit: int, cursor: str | None
) -> Operation[Page[CostEntry]]:
    """Read one page of cost entries."""
    checked = check_positive(limit, "limit")
    return _listing("versions.costs", version_id, package_id, order, checked).page(cursor)


def iterate_costs(
    version_id: Id | None, package_id: Id | None, *, order: str, page_size: int
) -> Listing[CostEntry]:
    """Return the cost entries of a version or a package, to walk over."""
    limit = check_positive(page_size, "page_size")
    return _listing("versions.iterate_costs", version_id, package_id, order, limit)


def _listing(
    operation: str, version_id: Id | None, package_id: Id | None, order: str, limit: int
) -> Listing[CostEntry]:
    where = of_one(package_id, version_id)
    if not where:
        raise InvalidInputError("Name version_id or package_id: whose costs?", field="version_id")
    select = Select(
        operation,
        COSTS,
        where=tuple(where),
        order_by=("recorded_at", "id"),
        descending=is_newest_first(order, "order"),
        limit=limit,
    )
    return Listing(select, CostEntry.model_validate)


@refuses_foreign_errors
def _check_percentages(value: object, argument: str) -> list[int]:
    """Return the percentages of the budget at which to alert; none is fine, too."""
    given: list[object] = [None]
    if is_collection(value):
        given = list(cast("Sequence[object]", value))
    percentages: list[int] = []
    for each in map(plain_number, given):
        if not is_integer(each) or not 1 <= each <= MAX_PERCENT:
            raise InvalidInputError(
                f"{argument} must be integers of 1 to {MAX_PERCENT:,}, in percent of the budget, "
                f"not {value!r:.80}.",
                field=argument,
            )
        percentages.append(each)
    return percentages
