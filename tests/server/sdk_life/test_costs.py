"""Cost: exact sums, entries that count once, and alerts that exactly one caller gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from training_versions import ConflictError, NotFoundError, RecordedCost, RejectedError, Version


@pytest.fixture
def budgeted(ada: Any, package: Any, snapshots: dict[str, Any]) -> Version:
    return ada.versions.publish(
        ada.versions.create_draft(package.id, **snapshots, budget_limit="10.00").id
    )


def test_actual_cost_is_the_exact_sum_of_its_entries(ada: Any, published: Version) -> None:
    amounts = ["0.10"] * 30 + [Decimal("0.01"), 3, 0.07, "0"]
    for amount in amounts:
        entry = ada.versions.record_cost(published.id, amount)

    assert entry.actual_cost == Decimal("6.08")
    assert ada.versions.get(published.id).actual_cost == Decimal("6.08")
    entries = list(ada.versions.iterate_costs(published.id, page_size=7))
    assert len(entries) == len(amounts)
    assert sum(each.amount for each in entries) == Decimal("6.08")


def test_an_entry_says_who_when_and_what_for(ada: Any, budgeted: Version) -> None:
    before = len(ada.sent)
    entry = ada.versions.record_cost(budgeted.id, "1.25", note="2 h on an A10", key="invoice 7")
    assert len(ada.sent) == before + 1

    (listed,) = ada.versions.iterate_costs(budgeted.id)

    assert isinstance(entry, RecordedCost)
    assert (entry.amount, entry.note, entry.key) == (Decimal("1.25"), "2 h on an A10", "invoice 7")
    assert (entry.recorded_by, entry.alerts, entry.budget_limit) == (ada.id, (), Decimal("10.00"))
    assert listed.model_dump() == entry.model_dump(exclude={"actual_cost", "budget_limit"})


def test_a_key_counts_once(ada: Any, budgeted: Version) -> None:
    first = ada.versions.record_cost(budgeted.id, "6.00", key="k")
    second = ada.versions.record_cost(budgeted.id, 6, key="k")
    third = ada.versions.record_cost(budgeted.id, 1, key="other")

    assert first.alerts == (50,)
    assert second == first.model_copy(update={"alerts": ()})  # which the first call was told
    assert (third.actual_cost, third.alerts) == (Decimal("7.00"), ())
    with pytest.raises(ConflictError) as caught:
        ada.versions.record_cost(budgeted.id, "6.01", key="k")
    assert caught.value.code == "TV204"
    assert ada.versions.get(budgeted.id).actual_cost == Decimal("7.00")


def test_the_same_key_counts_for_each_version(
    ada: Any, published: Version, budgeted: Version
) -> None:
    for version in (published, budgeted):
        assert ada.versions.record_cost(version.id, 1, key="k").actual_cost == 1


def test_shares_of_the_budget_are_told_once_when_they_are_crossed(
    ada: Any, budgeted: Version
) -> None:
    alerts = [
        ada.versions.record_cost(budgeted.id, amount).alerts
        for amount in ("4.99", "0.01", "4.00", "1.00", "5")
    ]

    assert alerts == [(), (50,), (80,), (100,), ()]
    sent = ada.versions.get(budgeted.id).cost_alerts_sent
    assert sorted(sent, key=int) == ["50", "80", "100"]
    events = list(
        ada.versions.iterate_history(version_id=budgeted.id, kind="cost_alert", order="oldest")
    )
    assert [event.details["share"] for event in events] == [50, 80, 100]


def test_one_entry_can_cross_several_shares_and_others_can_be_asked_for(
    ada: Any, budgeted: Version
) -> None:
    assert ada.versions.record_cost(budgeted.id, 9, alert_at=(90, 25, 25, 200)).alerts == (25, 90)
    assert ada.versions.record_cost(budgeted.id, 0, alert_at=[]).alerts == ()
    assert ada.versions.record_cost(budgeted.id, 11).alerts == (50, 80, 100)
    assert ada.versions.record_cost(budgeted.id, 0, alert_at={200}).alerts == (200,)


def test_without_a_budget_there_are_no_alerts(ada: Any, published: Version) -> None:
    assert ada.versions.record_cost(published.id, "99999999.99").alerts == ()


def test_more_than_a_cost_can_be_is_refused(ada: Any, published: Version) -> None:
    ada.versions.record_cost(published.id, "99999999.99")

    with pytest.raises(RejectedError) as caught:
        ada.versions.record_cost(published.id, "0.01")

    assert (caught.value.code, caught.value.details["field"]) == ("TV306", "amount")
    assert ada.versions.get(published.id).actual_cost == Decimal("99999999.99")


def test_sixteen_workers_recording_at_once_lose_no_cent_and_each_alert_goes_to_one(
    ada: Any, budgeted: Version, at_once: Callable[..., list[Any]]
) -> None:
    def work(number: int) -> list[RecordedCost]:
        return [
            ada.versions.record_cost(budgeted.id, "0.07", key=f"{number}/{n}") for n in range(10)
        ]

    entries = [
        entry
        for made in at_once([lambda n=number: work(n) for number in range(16)])
        for entry in made
    ]

    assert ada.versions.get(budgeted.id).actual_cost == Decimal("11.20")
    assert Counter(share for entry in entries for share in entry.alerts) == {50: 1, 80: 1, 100: 1}
    sums = sorted(entry.actual_cost for entry in entries)
    assert sums == [Decimal("0.07") * n for n in range(1, 161)]


def test_the_same_entry_recorded_by_all_at_once_counts_once(
    ada: Any, budgeted: Version, at_once: Callable[..., list[Any]]
) -> None:
    entries = at_once([lambda: ada.versions.record_cost(budgeted.id, "5.00", key="shared")] * 8)

    assert len({entry.id for entry in entries}) == 1
    assert ada.versions.get(budgeted.id).actual_cost == Decimal("5.00")
    assert [share for entry in entries for share in entry.alerts] == [50]


def test_who_asks_again_with_the_entrys_own_id_is_told_its_alerts_again(
    ada: Any, published: Version, budgeted: Version
) -> None:
    entry_id = uuid4()
    first = ada.versions.record_cost(budgeted.id, "6.00", key="k", entry_id=entry_id)

    assert first.id == entry_id
    assert ada.versions.record_cost(budgeted.id, "6.00", key="k", entry_id=str(entry_id)) == first
    for attempt in (
        lambda: ada.versions.record_cost(budgeted.id, "6.01", key="k", entry_id=entry_id),
        lambda: ada.versions.record_cost(budgeted.id, "6.00", key="other", entry_id=entry_id),
        lambda: ada.versions.record_cost(published.id, "6.00", key="k", entry_id=entry_id),
    ):
        with pytest.raises(ConflictError) as caught:
            attempt()
        assert caught.value.code == "TV204"
    assert ada.versions.get(budgeted.id).actual_cost == Decimal("6.00")


def test_one_entry_id_for_several_versions_at_once_is_one_entry(
    ada: Any, package: Any, at_once: Callable[..., list[Any]]
) -> None:
    drafts = [
        ada.versions.create_draft(package.id, config={}, model={}, dataset=[]) for _ in range(4)
    ]
    entry_id = uuid4()

    outcomes = at_once(
        [lambda d=d: ada.versions.record_cost(d.id, 1, entry_id=entry_id) for d in drafts]
    )

    assert sorted(getattr(outcome, "code", "") for outcome in outcomes) == [
        "",
        "TV204",
        "TV204",
        "TV204",
    ]
    assert ada.versions.package_cost(package.id).actual_cost == 1


def test_an_owner_who_clears_what_was_sent_is_not_alerted_again(
    ada: Any, stack: Any, package: Any
) -> None:
    draft = ada.versions.create_draft(package.id, config={}, model={}, dataset=[], budget_limit=10)
    ada.versions.record_cost(draft.id, 6)
    table = stack.client(ada.token).table("training_package_versions")
    table.update({"cost_alerts_sent": None}).eq("id", str(draft.id)).execute()

    assert ada.versions.record_cost(draft.id, 1).alerts == ()
    assert ada.versions.record_cost(draft.id, 1).alerts == (80,)
    assert sorted(ada.versions.get(draft.id).cost_alerts_sent) == ["50", "80"]


def test_a_budget_that_is_raised_is_watched_anew(ada: Any, stack: Any, budgeted: Version) -> None:
    table = stack.service_client().table("training_package_versions")
    assert ada.versions.record_cost(budgeted.id, 10).alerts == (50, 80, 100)

    table.update({"budget_limit": 100}).eq("id", str(budgeted.id)).execute()

    assert [ada.versions.record_cost(budgeted.id, n).alerts for n in (39, 1, 30, 1)] == [
        (),
        (50,),
        (80,),
        (),
    ]


def test_a_budget_of_nothing_is_spent_by_the_first_cent(ada: Any, package: Any) -> None:
    draft = ada.versions.create_draft(package.id, config={}, model={}, dataset=[], budget_limit=0)

    assert [ada.versions.record_cost(draft.id, n).alerts for n in (0, "0.01", 1)] == [
        (),
        (50, 80, 100),
        (),
    ]


def test_a_package_adds_up_its_versions(ada: Any, package: Any, snapshots: dict[str, Any]) -> None:
    for n in range(3):
        draft = ada.versions.create_draft(
            package.id, **snapshots, estimated_cost="0.10", budget_limit=n or None
        )
        ada.versions.record_cost(draft.id, "0.20")
    before = len(ada.sent)

    cost = ada.versions.package_cost(package.id)

    assert len(ada.sent) == before + 1
    assert (cost.package_id, cost.versions) == (package.id, 3)
    assert (cost.estimated_cost, cost.actual_cost, cost.budget_limit) == (
        Decimal("0.30"),
        Decimal("0.60"),
        3,
    )


def test_an_empty_package_costs_nothing(ada: Any, package: Any) -> None:
    cost = ada.versions.package_cost(package.id)

    assert (cost.versions, cost.actual_cost) == (0, 0)


def test_many_entries_are_walked_to_the_end_where_replies_are_capped(
    carol: Any, snapshots: Any
) -> None:
    package = carol.packages.create("spender", template_type="lora", config={})
    draft = carol.versions.create_draft(package.id, **snapshots)
    for number in range(130):
        carol.versions.record_cost(draft.id, "0.01", key=str(number))

    assert [entry.key for entry in carol.versions.iterate_costs(draft.id, page_size=500)] == list(
        map(str, range(130))
    )


def test_nobody_else_records_or_sees_costs(
    ada: Any, bob: Any, admin: Any, budgeted: Version
) -> None:
    ada.versions.record_cost(budgeted.id, 1, key="k")

    for attempt, code in (
        (lambda: bob.versions.record_cost(budgeted.id, 1, key="k"), "TV101"),
        (lambda: bob.versions.package_cost(budgeted.package_id), "TV102"),
        (lambda: ada.versions.record_cost(uuid4(), 1), "TV101"),
        (lambda: ada.versions.package_cost(uuid4()), "TV102"),
    ):
        with pytest.raises(NotFoundError) as caught:
            attempt()
        assert caught.value.code == code
    assert list(bob.versions.iterate_costs(budgeted.id)) == []
    assert admin.versions.record_cost(budgeted.id, 1).actual_cost == 2
    assert [entry.recorded_by for entry in ada.versions.iterate_costs(budgeted.id)] == [
        ada.id,
        None,
    ]


def test_what_the_service_role_writes_to_actual_cost_becomes_an_entry(
    ada: Any, stack: Any, budgeted: Version
) -> None:
    ada.versions.record_cost(budgeted.id, "1.50")
    table = stack.service_client().table("training_package_versions")

    table.update({"actual_cost": 4.25}).eq("id", str(budgeted.id)).execute()

    assert [entry.amount for entry in ada.versions.iterate_costs(budgeted.id)] == [
        Decimal("1.50"),
        Decimal("2.75"),
    ]
    assert ada.versions.record_cost(budgeted.id, 1).actual_cost == Decimal("5.25")
