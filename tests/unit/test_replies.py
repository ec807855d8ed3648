"""Replies of training, cost and history: how they are read, and what does not fit."""

import pickle
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.data import MOMENT, cost_row, event_row, run_row
from training_versions import Event, EventKind, UnreadableReplyError

from .scripted import PACKAGE, VERSION, VERSIONS, result_of

RUN = run_row(a_column_of_a_newer_release=1)
TOTAL: dict[str, Any] = {
    "package_id": str(PACKAGE),
    "versions": 2,
    "estimated_cost": 0,
    "actual_cost": 12.3,
    "budget_limit": 1,
}


def test_replies_are_read_with_exact_costs_and_times() -> None:
    recorded = result_of(VERSIONS.record_cost(VERSION, 1), cost_row(actual_cost=99999999.99))
    total = result_of(VERSIONS.package_cost(PACKAGE), TOTAL)
    run = result_of(VERSIONS.start_training(VERSION), RUN)

    assert (recorded.amount, recorded.actual_cost) == (Decimal("0.10"), Decimal("99999999.99"))
    assert recorded.alerts == (50,)
    assert (str(total.estimated_cost), str(total.actual_cost)) == ("0.00", "12.30")
    assert run.started_at == datetime.fromisoformat(MOMENT)


@pytest.mark.parametrize("reply", [None, [], "<html>", {}, [RUN], RUN | {"status": "lost"}])
def test_replies_that_do_not_fit_are_unreadable(reply: object) -> None:
    with pytest.raises(UnreadableReplyError):
        result_of(VERSIONS.start_training(VERSION), reply)


@pytest.mark.parametrize("reply", [None, "x", [{"step": 1}], [1]])
def test_a_curve_that_is_none_is_unreadable(reply: object) -> None:
    with pytest.raises(UnreadableReplyError):
        result_of(VERSIONS.metric_history(VERSION, "loss"), reply)


def event(kind: str) -> Event:
    return Event.model_validate(event_row(1, kind=kind, a_column_of_a_newer_release=1))


def test_an_event_of_a_kind_that_only_a_newer_database_knows_is_read() -> None:
    known, unknown = event("forked"), event("promoted")

    assert known.kind is EventKind.FORKED
    assert unknown.kind == "promoted"
    assert pickle.loads(pickle.dumps([known, unknown])) == [known, unknown]
