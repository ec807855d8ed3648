"""Training: who may start, how it ends, what is measured, and that frozen content stays frozen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.data import SNAPSHOT_COLUMNS
from tests.faces import both_faces
from training_versions import NotFoundError, TrainingRun, Version

FROZEN = (*SNAPSHOT_COLUMNS, "name", "change_summary", "published_at", "status")


def frozen(version: Version) -> list[Any]:
    return [getattr(version, name) for name in FROZEN]


def step(ada: Any, version: Version, verb: str, **given: Any) -> TrainingRun:
    reason = ("because",) if verb == "fail" else ()
    return getattr(ada.versions, f"{verb}_training")(version.id, *reason, **given)


def curve(ada: Any, version: Version, name: str = "loss", **given: Any) -> list[tuple[int, float]]:
    points = ada.versions.metric_history(version.id, name, **given)
    return [(point.step, point.value) for point in points]


def test_training_runs_from_start_to_completion(ada, published):
    began = datetime.now(UTC) - timedelta(seconds=5)

    run = ada.versions.start_training(published.id)
    running = ada.versions.get(published.id)
    done = ada.versions.complete_training(published.id, run_id=run.id)

    assert (run.status, run.version_id) == ("running", published.id)
    assert (run.started_by, run.ended_at) == (ada.id, None)
    assert (running.training_status, running.training_started_at) == ("running", run.started_at)
    assert began < run.started_at <= done.ended_at
    version = ada.versions.get(published.id)
    assert (version.training_status, version.training_completed_at) == ("completed", done.ended_at)
    assert frozen(version) == frozen(published)


def test_failed_and_cancelled_training_starts_again(ada, draft):
    first = ada.versions.start_training(draft.id)
    failed = ada.versions.fail_training(draft.id, "no memory", run_id=first.id)
    second = ada.versions.start_training(draft.id)
    cancelled = ada.versions.cancel_training(draft.id, reason="wrong data")
    third = ada.versions.start_training(draft.id)
    ended = ada.versions.cancel_training(draft.id)

    assert (failed.status, failed.reason) == ("failed", "no memory")
    assert (cancelled.id, cancelled.status) == (second.id, "cancelled")
    assert cancelled.reason == "wrong data"
    assert (ended.id, ended.reason) == (third.id, None)
    assert ada.versions.get(draft.id).training_status == "cancelled"


@both_faces
def test_the_runs_of_a_version_are_listed_with_what_was_measured_in_each(ada, bob, draft):
    assert list(ada.versions.runs(draft.id)) == ada.versions.metric_names(draft.id) == []
    first = ada.versions.start_training(draft.id)
    ada.versions.record_metrics(draft.id, {"loss": 1, "accuracy": 0.5}, step=1)
    ada.versions.record_metrics(draft.id, {"loss": 0.5, "Zeit": 1, "note": "text"}, step=2)
    failed = ada.versions.fail_training(draft.id, "no memory")
    second = ada.versions.start_training(draft.id)
    ada.versions.record_metrics(draft.id, {"only at the end": 1})

    runs = ada.versions.runs(draft.id)
    page = ada.versions.runs(draft.id, order="oldest", limit=1)

    assert list(runs) == [second, failed]
    assert list(ada.versions.iterate_runs(draft.id, page_size=1)) == [second, failed]
    assert list(ada.versions.iterate_runs(draft.id, order="oldest")) == [failed, second]
    assert runs.next_cursor is None
    assert [run.id for run in page] == [first.id]
    assert ada.versions.runs(draft.id, order="oldest", cursor=page.next_cursor)[0] == second
    assert ada.versions.metric_names(draft.id) == []
    assert ada.versions.metric_names(draft.id, run_id=first.id) == ["Zeit", "accuracy", "loss"]
    assert list(bob.versions.runs(draft.id)) == []
    assert list(bob.versions.iterate_runs(draft.id)) == []
    for call in (
        lambda: bob.versions.metric_names(draft.id),
        lambda: ada.versions.metric_names(draft.id, run_id=uuid4()),
    ):
        with pytest.raises(NotFoundError):
            call()


@pytest.mark.parametrize(
    ("before", "then", "states"),
    [
        ([], "complete", (None, "completed")),
        ([], "fail", (None, "failed")),
        ([], "cancel", (None, "cancelled")),
        (["start"], "start", ("running", "running")),
        (["start", "complete"], "start", ("completed", "running")),
        (["start", "complete"], "fail", ("completed", "failed")),
        (["start", "fail"], "complete", ("failed", "completed")),
        (["start", "cancel"], "fail", ("cancelled", "failed")),
    ],
    ids=str,
)
def test_any_other_transition_is_refused_with_both_states(
    ada, draft, refused, before, then, states
):
    for verb in before:
        step(ada, draft, verb)
    version = ada.versions.get(draft.id)

    error = refused("TV205", step, ada, draft, then)

    assert (error.details["training_status"], error.details["wanted"]) == states
    assert ada.versions.get(draft.id) == version


def test_every_step_can_be_repeated(ada, draft):
    run_id = uuid4()
    run = step(ada, draft, "start", run_id=run_id)
    assert step(ada, draft, "start", run_id=str(run_id)) == run
    failed = step(ada, draft, "fail", run_id=run_id)
    assert step(ada, draft, "fail", run_id=run_id) == failed
    again = step(ada, draft, "start")
    completed = step(ada, draft, "complete", run_id=again.id)

    assert step(ada, draft, "complete", run_id=again.id) == completed
    assert step(ada, draft, "complete") == completed
    assert run.id == run_id
    assert ada.kinds(version_id=draft.id) == [
        "created",
        "training_started",
        "training_failed",
        "training_started",
        "training_completed",
    ]


def test_a_worker_whose_run_was_cancelled_does_nothing_to_the_next_one(ada, draft, refused):
    lost = step(ada, draft, "start")
    ada.versions.record_metrics(draft.id, {"loss": 0.9}, step=1, run_id=lost.id)
    step(ada, draft, "cancel")
    now = step(ada, draft, "start")

    for number in (2, None):
        late = {"step": number, "run_id": lost.id}
        error = refused("TV205", ada.versions.record_metrics, draft.id, {"loss": 0.1}, **late)
        assert error.details["training_status"] == "cancelled"
    refused("TV205", step, ada, draft, "complete", run_id=lost.id)
    refused("TV205", step, ada, draft, "fail", run_id=lost.id)

    ada.versions.record_metrics(draft.id, {"loss": 0.8}, step=1, run_id=now.id)
    assert ada.versions.get(draft.id).training_metrics == {"loss": 0.8}
    assert curve(ada, draft, run_id=lost.id) == [(1, 0.9)]
    assert curve(ada, draft, run_id=now.id) == [(1, 0.8)]
    assert step(ada, draft, "complete", run_id=now.id).status == "completed"


@pytest.mark.parametrize("whose", ["another version's", "nobody's"])
def test_a_run_that_is_not_the_versions_is_not_found(ada, draft, refused, whose):
    foreign = step(ada, ada.draft(draft), "start")
    run_id = foreign.id if whose == "another version's" else uuid4()
    step(ada, draft, "start")

    for attempt in (
        lambda: ada.versions.record_metrics(draft.id, {"loss": 1}, run_id=run_id),
        lambda: ada.versions.metric_history(draft.id, "loss", run_id=run_id),
        *(
            lambda v=verb: step(ada, draft, v, run_id=run_id)
            for verb in ("complete", "fail", "cancel")
        ),
    ):
        assert refused("TV104", attempt).details["run_id"] == str(run_id)

    assert ada.versions.get(draft.id).training_status == "running"


def test_an_archived_version_is_not_trained(ada, published, refused):
    ada.versions.archive(published.id)

    error = refused("TV205", ada.versions.start_training, published.id)

    assert error.message == "version 1 of 'support-bot' is archived and is not trained any more"
    assert error.details["status"] == "archived"
    assert ada.versions.get(published.id).training_status is None


def test_a_run_that_was_going_on_when_its_version_was_archived_can_end(ada, published):
    run = ada.versions.start_training(published.id)
    ada.versions.archive(published.id)

    assert ada.versions.complete_training(published.id, run_id=run.id).status == "completed"


def test_one_run_id_for_two_versions_is_one_run_also_at_once(ada, draft, refused, at_once):
    run = step(ada, draft, "start")
    refused("TV204", step, ada, ada.draft(draft), "start", run_id=run.id)

    for _ in range(4):
        others, run_id = [ada.draft(draft) for _ in range(4)], uuid4()
        outcomes = at_once(
            [lambda v=v, r=run_id: ada.versions.start_training(v.id, run_id=r) for v in others]
        )

        codes = sorted(getattr(outcome, "code", "") for outcome in outcomes)
        assert codes == ["", "TV204", "TV204", "TV204"]


def test_of_many_workers_exactly_one_starts_the_run(ada, draft, at_once):
    outcomes = at_once([lambda: ada.versions.start_training(draft.id)] * 8)

    (run,) = [outcome for outcome in outcomes if isinstance(outcome, TrainingRun)]
    assert {outcome.code for outcome in outcomes if outcome is not run} == {"TV205"}
    assert ada.versions.complete_training(draft.id, run_id=run.id).status == "completed"


def test_metrics_are_merged_and_the_frozen_content_stays(ada, published):
    ada.versions.record_metrics(published.id, {"loss": 0.9, "best": {"epoch": 1}})
    summary = ada.versions.record_metrics(published.id, {"loss": 0.5, "accuracy": 0.8})

    assert summary.training_metrics == {"loss": 0.5, "accuracy": 0.8, "best": {"epoch": 1}}
    version = ada.versions.get(published.id)
    assert version.training_metrics == summary.training_metrics
    assert frozen(version) == frozen(published)


@both_faces
def test_a_metric_that_is_not_a_number_does_not_lose_the_others(ada, draft):
    run = ada.versions.start_training(draft.id)

    recorded = ada.versions.record_metrics(
        draft.id, {"loss": float("nan"), "lr": 1e-4}, step=1, run_id=run.id
    )

    assert recorded.missing_metrics == ("loss",)
    assert recorded.training_metrics == {"lr": 1e-4}
    assert curve(ada, draft, "lr") == [(1, 1e-4)]
    assert curve(ada, draft, "loss") == []
    assert ada.versions.record_metrics(draft.id, {"loss": 0.5}).missing_metrics == ()


def test_a_curve_belongs_to_its_run(ada, draft):
    first = step(ada, draft, "start")
    for number, loss in ((1, 0.9), (2, 0.8), (2, 0.7)):
        ada.versions.record_metrics(draft.id, {"loss": loss, "note": "text"}, step=number)
    step(ada, draft, "fail")
    step(ada, draft, "start")
    ada.versions.record_metrics(draft.id, {"loss": 0.6}, step=1)
    ada.versions.record_metrics(draft.id, {"accuracy": 1})

    assert curve(ada, draft) == [(1, 0.6)]
    assert curve(ada, draft, run_id=first.id) == [(1, 0.9), (2, 0.7)]
    for name in ("note", "accuracy", "never"):
        assert curve(ada, draft, name) == []


def test_a_step_needs_a_run(ada, draft, refused):
    refused("TV205", ada.versions.record_metrics, draft.id, {"loss": 0.5}, step=1)

    assert ada.versions.get(draft.id).training_metrics is None


def test_steps_and_values_at_the_edges_come_back_exactly(ada, draft):
    name = "x " * 127
    values = {-(2**63): 5e-324, -1: -0.1, 0: 1.7e308, 2**63 - 1: 2**53 + 1}
    step(ada, draft, "start")
    for number, value in values.items():
        ada.versions.record_metrics(draft.id, {name: value}, step=number)

    assert dict(curve(ada, draft, name)) == {n: float(value) for n, value in values.items()}


def test_a_stranger_finds_nothing_to_train(ada, bob, published, refused):
    run_id = ada.versions.start_training(published.id).id
    ada.versions.record_metrics(published.id, {"loss": 1}, step=1)
    version = ada.versions.get(published.id)

    for attempt in (
        lambda: bob.versions.start_training(published.id),
        lambda: bob.versions.start_training(published.id, run_id=run_id),
        lambda: bob.versions.record_metrics(published.id, {"loss": 2}, step=1),
        lambda: bob.versions.complete_training(published.id, run_id=run_id),
        lambda: bob.versions.fail_training(published.id, "ha"),
        lambda: bob.versions.cancel_training(published.id),
        lambda: bob.versions.metric_history(published.id, "loss", run_id=run_id),
    ):
        refused("TV101", attempt)

    assert ada.versions.get(published.id) == version


def test_the_service_role_trains_any_version(ada, admin, published):
    run = step(admin, published, "start")
    admin.versions.record_metrics(published.id, {"loss": 0.1}, step=1)
    step(admin, published, "complete", run_id=run.id)

    assert run.started_by is None
    assert curve(ada, published) == [(1, 0.1)]
    history = ada.versions.iterate_history(version_id=published.id)
    actors = {event.kind: event.actor_id for event in history}
    assert (actors["training_started"], actors["created"]) == (None, ada.id)
