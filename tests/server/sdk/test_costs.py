"""Cost: exact sums, entries that count once, and alerts that exactly one caller gets."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.faces import both_faces
from training_versions import InvalidInputError, NotSignedInError, RecordedCost, Version


@pytest.fixture
def budgeted(ada, package):
    return ada.published(package, budget_limit="10.00")


def actual_cost(ada: Any, version: Version) -> Decimal:
    return ada.versions.get(version.id).actual_cost


def alerts(ada: Any, version: Version, *amounts: Any) -> list[tuple[int, ...]]:
    return [ada.versions.record_cost(version.id, amount).alerts for amount in amounts]


def test_actual_cost_is_the_exact_sum_of_its_entries(ada, published):
    amounts = ["0.10"] * 30 + [Decimal("0.01"), 3, 0.07, "0"]
    for amount in amounts:
        entry = ada.versions.record_cost(published.id, amount)

    assert entry.actual_cost == actual_cost(ada, published) == Decimal("6.08")
    entries = list(ada.versions.iterate_costs(published.id, page_size=7))
    assert len(entries) == len(amounts)
    assert sum(each.amount for each in entries) == Decimal("6.08")


def test_an_entry_says_who_when_and_what_for(ada, budgeted):
    given = {"note": "2 h on an A10", "key": "invoice 7"}
    ada.sent.clear()

    entry = ada.versions.record_cost(budgeted.id, "1.25", **given)

    assert len(ada.sent) == 1
    assert isinstance(entry, RecordedCost)
    assert (entry.amount, entry.note, entry.key) == (Decimal("1.25"), *given.values())
    assert (entry.recorded_by, entry.alerts, entry.budget_limit) == (ada.id, (), Decimal("10.00"))
    (listed,) = ada.versions.iterate_costs(budgeted.id)
    assert listed.model_dump() == entry.model_dump(exclude={"actual_cost", "budget_limit"})


def test_a_key_counts_once(ada, budgeted, refused):
    first = ada.versions.record_cost(budgeted.id, "6.00", key="k")
    second = ada.versions.record_cost(budgeted.id, 6, key="k")
    third = ada.versions.record_cost(budgeted.id, 1, key="other")

    assert first.alerts == (50,)
    assert second == first.model_copy(update={"alerts": ()})  # which the first call reported
    assert (third.actual_cost, third.alerts) == (Decimal("7.00"), ())
    refused("TV204", ada.versions.record_cost, budgeted.id, "6.01", key="k")
    assert actual_cost(ada, budgeted) == Decimal("7.00")


def test_the_same_key_counts_for_each_version(ada, published, budgeted):
    for version in (published, budgeted):
        assert ada.versions.record_cost(version.id, 1, key="k").actual_cost == 1


def test_shares_of_the_budget_are_reported_once_when_they_are_crossed(ada, budgeted):
    expected = alerts(ada, budgeted, "4.99", "0.01", "4.00", "1.00", "5")

    assert expected == [(), (50,), (80,), (100,), ()]
    sent = ada.versions.get(budgeted.id).cost_alerts_sent
    assert sent == [50, 80, 100]
    events = ada.versions.iterate_history(version_id=budgeted.id, kind="cost_alert", order="oldest")
    assert [event.details["share"] for event in events] == [50, 80, 100]


def test_one_entry_can_cross_several_shares_and_others_can_be_asked_for(ada, budgeted):
    def reported(amount: int, *shares: Any) -> tuple[int, ...]:
        wanted = {"alert_at": shares[0]} if shares else {}
        return ada.versions.record_cost(budgeted.id, amount, **wanted).alerts

    assert reported(9, (90, 25, 25, 200)) == (25, 90)
    assert reported(0, []) == ()
    assert reported(11) == (50, 80, 100)
    assert reported(0, {200}) == (200,)


BUDGETS: list[tuple[Any, list[Any], list[tuple[int, ...]]]] = [
    (None, ["99999999.99"], [()]),
    (0, [0, "0.01", 1], [(), (50, 80, 100), ()]),
]


@pytest.mark.parametrize(("budget", "amounts", "expected"), BUDGETS, ids=["none", "nothing"])
def test_without_a_budget_there_are_no_alerts_and_one_of_nothing_is_spent_by_the_first_cent(
    ada, package, budget, amounts, expected
):
    draft = ada.draft(package, budget_limit=budget)

    assert alerts(ada, draft, *amounts) == expected


def test_more_than_a_cost_can_be_is_refused(ada, published, refused):
    ada.versions.record_cost(published.id, "99999999.99")

    error = refused("TV306", ada.versions.record_cost, published.id, "0.01")

    assert error.details["field"] == "amount"
    assert actual_cost(ada, published) == Decimal("99999999.99")


def test_sixteen_workers_recording_at_once_lose_no_cent_and_each_alert_goes_to_one(
    ada, budgeted, at_once
):
    def work(number: int) -> list[RecordedCost]:
        keys = [f"{number}/{n}" for n in range(10)]
        return [ada.versions.record_cost(budgeted.id, "0.07", key=key) for key in keys]

    made = at_once([lambda n=number: work(n) for number in range(16)])

    entries = [entry for of_one in made for entry in of_one]
    assert actual_cost(ada, budgeted) == Decimal("11.20")
    assert Counter(share for entry in entries for share in entry.alerts) == {50: 1, 80: 1, 100: 1}
    sums = sorted(entry.actual_cost for entry in entries)
    assert sums == [Decimal("0.07") * n for n in range(1, 161)]


def test_the_same_entry_recorded_by_all_at_once_counts_once(ada, budgeted, at_once):
    entries = at_once([lambda: ada.versions.record_cost(budgeted.id, "5.00", key="shared")] * 8)

    assert len({entry.id for entry in entries}) == 1
    assert actual_cost(ada, budgeted) == Decimal("5.00")
    assert [share for entry in entries for share in entry.alerts] == [50]


def test_a_repeat_with_the_entrys_own_id_returns_its_alerts_again(
    ada, published, budgeted, refused
):
    record, entry_id = ada.versions.record_cost, uuid4()

    first = record(budgeted.id, "6.00", key="k", entry_id=entry_id)

    assert first.id == entry_id
    assert record(budgeted.id, "6.00", key="k", entry_id=str(entry_id)) == first
    refused("TV204", record, budgeted.id, "6.01", key="k", entry_id=entry_id)
    refused("TV204", record, budgeted.id, "6.00", key="other", entry_id=entry_id)
    refused("TV204", record, published.id, "6.00", key="k", entry_id=entry_id)
    assert actual_cost(ada, budgeted) == Decimal("6.00")


def test_one_entry_id_for_several_versions_at_once_is_one_entry(ada, package, at_once):
    drafts, entry_id = [ada.draft(package) for _ in range(4)], uuid4()

    outcomes = at_once(
        [lambda d=d: ada.versions.record_cost(d.id, 1, entry_id=entry_id) for d in drafts]
    )

    codes = sorted(getattr(outcome, "code", "") for outcome in outcomes)
    assert codes == ["", "TV204", "TV204", "TV204"]
    assert ada.versions.package_cost(package.id).actual_cost == 1


def test_an_owner_who_clears_what_was_sent_is_not_alerted_again(ada, table, package):
    draft = ada.draft(package, budget_limit=10)
    ada.versions.record_cost(draft.id, 6)
    table().update({"cost_alerts_sent": None}).eq("id", str(draft.id)).execute()

    assert alerts(ada, draft, 1, 1) == [(), (80,)]
    assert ada.versions.get(draft.id).cost_alerts_sent == [50, 80]


def test_a_budget_that_is_raised_is_watched_anew(ada, service_table, budgeted):
    assert alerts(ada, budgeted, 10) == [(50, 80, 100)]

    service_table().update({"budget_limit": 100}).eq("id", str(budgeted.id)).execute()

    assert alerts(ada, budgeted, 39, 1, 30, 1) == [(), (50,), (80,), ()]


def test_a_package_adds_up_its_versions(ada, package):
    assert ada.versions.package_cost(package.id).actual_cost == 0
    for n in range(3):
        draft = ada.draft(package, estimated_cost="0.10", budget_limit=n or None)
        ada.versions.record_cost(draft.id, "0.20")
    ada.sent.clear()

    cost = ada.versions.package_cost(package.id)

    assert len(ada.sent) == 1
    assert (cost.package_id, cost.versions) == (package.id, 3)
    assert (cost.estimated_cost, cost.actual_cost) == (Decimal("0.30"), Decimal("0.60"))
    assert cost.budget_limit == 3


def test_nobody_else_records_or_sees_costs(ada, bob, admin, budgeted, refused):
    ada.versions.record_cost(budgeted.id, 1, key="k")

    refused("TV101", bob.versions.record_cost, budgeted.id, 1, key="k")
    refused("TV102", bob.versions.package_cost, budgeted.package_id)
    refused("TV101", ada.versions.record_cost, uuid4(), 1)
    refused("TV102", ada.versions.package_cost, uuid4())
    assert list(bob.versions.iterate_costs(budgeted.id)) == []
    assert admin.versions.record_cost(budgeted.id, 1).actual_cost == 2
    recorders = [entry.recorded_by for entry in ada.versions.iterate_costs(budgeted.id)]
    assert recorders == [ada.id, None]


def test_what_the_service_role_writes_to_actual_cost_becomes_an_entry(ada, service_table, budgeted):
    ada.versions.record_cost(budgeted.id, "1.50")

    service_table().update({"actual_cost": 4.25}).eq("id", str(budgeted.id)).execute()

    amounts = [entry.amount for entry in ada.versions.iterate_costs(budgeted.id)]
    assert amounts == [Decimal("1.50"), Decimal("2.75")]
    assert ada.versions.record_cost(budgeted.id, 1).actual_cost == Decimal("5.25")


# --- lists


@pytest.fixture
def entries(ada, package, budgeted):
    """Four entries of two versions of one package, the oldest first."""
    other = ada.draft(package)
    for version in (budgeted, other, budgeted, other):
        ada.versions.record_cost(version.id, 1)
    ada.versions.record_cost(ada.draft(ada.package()).id, 5)
    return list(ada.versions.iterate_costs(package_id=package.id))


@both_faces
def test_the_costs_of_a_package_are_those_of_its_versions(ada, package, budgeted, entries):
    assert [entry.version_number for entry in entries] == [1, 2, 1, 2]
    assert {entry.package_id for entry in entries} == {package.id}
    page = ada.versions.costs(package_id=package.id, limit=3)
    rest = ada.versions.costs(package_id=package.id, limit=3, cursor=page.next_cursor)
    assert [*page, *rest] == entries[::-1]
    assert rest.next_cursor is None
    assert ada.versions.costs(budgeted.id, order="oldest").items == entries[::2]
    assert list(ada.versions.iterate_costs(budgeted.id, order="newest")) == entries[2::-2]


def test_a_list_of_costs_is_that_of_a_version_or_a_package(ada, budgeted, package):
    for which in ({}, {"version_id": budgeted.id, "package_id": package.id}):
        with pytest.raises(InvalidInputError) as caught:
            ada.versions.costs(**which)
        assert caught.value.field == "version_id"


def test_nobody_sees_the_costs_of_another(ada, bob, nobody, admin, package, entries):
    assert bob.versions.costs(package_id=package.id).items == []
    assert admin.versions.costs(package_id=package.id).items == entries[::-1]
    with pytest.raises(NotSignedInError):
        nobody.versions.costs(package_id=package.id)
