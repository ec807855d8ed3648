"""Training: who may start, how it ends, what is measured, and that frozen content stays frozen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from training_versions import ConflictError, InvalidInputError, NotFoundError, TrainingRun, Version

CONTENT = (
    "config_snapshot",
    "model_snapshot",
    "dataset_snapshot",
    "name",
    "change_summary",
    "published_at",
)


def test_training_runs_from_start_to_completion(ada: Any, published: Version) -> None:
    began = datetime.now(UTC) - timedelta(seconds=5)

    run = ada.versions.start_training(published.id)
    running = ada.versions.get(published.id)
    done = ada.versions.complete_training(published.id, run_id=run.id)

    assert (run.status, run.version_id, run.started_by, run.ended_at) == (
        "running",
        published.id,
        ada.id,
        None,
    )
    assert (running.training_status, running.training_started_at) == ("running", run.started_at)
    assert began < run.started_at <= done.ended_at
    version = ada.versions.get(published.id)
    assert (version.training_status, version.training_completed_at) == ("completed", done.ended_at)
    assert [getattr(version, name) for name in CONTENT] == [
        getattr(published, name) for name in CONTENT
    ]
    assert version.status == "published"


def test_failed_and_cancelled_training_starts_again(ada: Any, draft: Version) -> None:
    first = ada.versions.start_training(draft.id)
    failed = ada.versions.fail_training(draft.id, "no memory", run_id=first.id)
    second = ada.versions.start_training(draft.id)
    cancelled = ada.versions.cancel_training(draft.id, reason="wrong data")
    third = ada.versions.start_training(draft.id)
    ended = ada.versions.cancel_training(draft.id)

    assert (failed.status, failed.reason) == ("failed", "no memory")
    assert (cancelled.id, cancelled.status, cancelled.reason) == (
        second.id,
        "cancelled",
        "wrong data",
    )
    assert (ended.id, ended.reason) == (third.id, None)
    assert ada.versions.get(draft.id).training_status == "cancelled"


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
)
def test_any_other_transition_is_refused_with_both_states(
    ada: Any, draft: Version, before: list[str], then: str, states: tuple[str | None, str]
) -> None:
    def step(verb: str) -> TrainingRun:
        reason = ("because",) if verb == "fail" else ()
        return getattr(ada.versions, f"{verb}_training")(draft.id, *reason)

    for verb in before:
        step(verb)
    version = ada.versions.get(draft.id)

    with pytest.raises(ConflictError) as caught:
        step(then)

    assert caught.value.code == "TV205"
    assert (caught.value.details["training_status"], caught.value.details["wanted"]) == states
    assert ada.versions.get(draft.id) == version


def test_every_step_can_be_repeated(ada: Any, draft: Version) -> None:
    run_id = uuid4()
    run = ada.versions.start_training(draft.id, run_id=run_id)

    assert ada.versions.start_training(draft.id, run_id=str(run_id)) == run
    failed = ada.versions.fail_training(draft.id, "no memory", run_id=run_id)
    assert ada.versions.fail_training(draft.id, "no memory", run_id=run_id) == failed
    assert ada.versions.start_training(draft.id, run_id=run_id) == failed
    again = ada.versions.start_training(draft.id)
    completed = ada.versions.complete_training(draft.id, run_id=again.id)
    assert ada.versions.complete_training(draft.id, run_id=again.id) == completed
    assert ada.versions.complete_training(draft.id) == completed
    kinds = [
        event.kind for event in ada.versions.iterate_history(version_id=draft.id, order="oldest")
    ]
    assert kinds == [
        "created",
        "training_started",
        "training_failed",
        "training_started",
        "training_completed",
    ]


def test_a_worker_that_names_its_run_cannot_end_another_one(ada: Any, draft: Version) -> None:
    lost = ada.versions.start_training(draft.id)
    ada.versions.cancel_training(draft.id)
    now = ada.versions.start_training(draft.id)

    for attempt in (
        lambda: ada.versions.complete_training(draft.id, run_id=lost.id),
        lambda: ada.versions.fail_training(draft.id, "late", run_id=lost.id),
    ):
        with pytest.raises(ConflictError) as caught:
            attempt()
        assert caught.value.code == "TV205"
    assert ada.versions.complete_training(draft.id, run_id=now.id).status == "completed"


def test_a_worker_whose_run_was_cancelled_adds_nothing_to_the_next_one(
    ada: Any, draft: Version
) -> None:
    lost = ada.versions.start_training(draft.id)
    ada.versions.record_metrics(draft.id, {"loss": 0.9}, step=1, run_id=lost.id)
    ada.versions.cancel_training(draft.id)
    now = ada.versions.start_training(draft.id)

    for step in (2, None):
        with pytest.raises(ConflictError) as caught:
            ada.versions.record_metrics(draft.id, {"loss": 0.1}, step=step, run_id=lost.id)
        assert caught.value.code == "TV205"
        assert caught.value.details["training_status"] == "cancelled"

    ada.versions.record_metrics(draft.id, {"loss": 0.8}, step=1, run_id=now.id)
    assert ada.versions.get(draft.id).training_metrics == {"loss": 0.8}
    for run, points in ((lost, [(1, 0.9)]), (now, [(1, 0.8)])):
        curve = ada.versions.metric_history(draft.id, "loss", run_id=run.id)
        assert [(point.step, point.value) for point in curve] == points


def test_a_run_that_is_not_the_versions_is_not_found(ada: Any, draft: Version) -> None:
    other = ada.versions.create_draft(draft.package_id, config={}, model={}, dataset=[])
    foreign = ada.versions.start_training(other.id)
    ada.versions.start_training(draft.id)

    def attempts(run_id: UUID) -> list[Callable[[], Any]]:
        return [
            lambda: ada.versions.record_metrics(draft.id, {"loss": 1}, run_id=run_id),
            lambda: ada.versions.metric_history(draft.id, "loss", run_id=run_id),
            lambda: ada.versions.complete_training(draft.id, run_id=run_id),
            lambda: ada.versions.fail_training(draft.id, "late", run_id=run_id),
            lambda: ada.versions.cancel_training(draft.id, run_id=run_id),
        ]

    for run_id in (foreign.id, uuid4()):
        for attempt in attempts(run_id):
            with pytest.raises(NotFoundError) as caught:
                attempt()
            assert (caught.value.code, caught.value.details["run_id"]) == ("TV104", str(run_id))
    assert ada.versions.get(draft.id).training_status == "running"


def test_an_archived_version_is_not_trained(ada: Any, published: Version) -> None:
    ada.versions.archive(published.id)

    with pytest.raises(
        ConflictError, match="version 1 is archived and is not trained any more"
    ) as caught:
        ada.versions.start_training(published.id)
    assert (caught.value.code, caught.value.details["status"]) == ("TV205", "archived")
    assert ada.versions.get(published.id).training_status is None


def test_a_run_that_was_going_on_when_its_version_was_archived_can_end(
    ada: Any, published: Version
) -> None:
    run = ada.versions.start_training(published.id)
    ada.versions.archive(published.id)

    assert ada.versions.complete_training(published.id, run_id=run.id).status == "completed"


def test_one_run_id_for_two_versions_at_once_is_one_run(
    ada: Any, draft: Version, at_once: Callable[..., list[Any]]
) -> None:
    for _ in range(4):
        others = [
            ada.versions.create_draft(draft.package_id, config={}, model={}, dataset=[])
            for _ in range(4)
        ]
        run_id = uuid4()

        outcomes = at_once(
            [lambda v=v, r=run_id: ada.versions.start_training(v.id, run_id=r) for v in others]
        )

        assert sorted(getattr(outcome, "code", "") for outcome in outcomes) == [
            "",
            "TV204",
            "TV204",
            "TV204",
        ]


def test_of_many_workers_exactly_one_starts_the_run(
    ada: Any, draft: Version, at_once: Callable[..., list[Any]]
) -> None:
    outcomes = at_once([lambda: ada.versions.start_training(draft.id)] * 8)

    runs = [outcome for outcome in outcomes if isinstance(outcome, TrainingRun)]
    assert len(runs) == 1
    assert {outcome.code for outcome in outcomes if outcome is not runs[0]} == {"TV205"}
    assert ada.versions.complete_training(draft.id, run_id=runs[0].id).status == "completed"


def test_the_identifier_of_another_versions_run_is_refused(
    ada: Any, draft: Version, published: Version
) -> None:
    other = ada.versions.create_draft(draft.package_id, config={}, model={}, dataset=[])
    run = ada.versions.start_training(draft.id)

    with pytest.raises(ConflictError) as caught:
        ada.versions.start_training(other.id, run_id=run.id)

    assert caught.value.code == "TV204"


def test_metrics_are_merged_and_the_frozen_content_stays(ada: Any, published: Version) -> None:
    ada.versions.record_metrics(published.id, {"loss": 0.9, "best": {"epoch": 1}})
    summary = ada.versions.record_metrics(published.id, {"loss": 0.5, "accuracy": 0.8})

    assert summary.training_metrics == {"loss": 0.5, "accuracy": 0.8, "best": {"epoch": 1}}
    version = ada.versions.get(published.id)
    assert version.training_metrics == summary.training_metrics
    assert [getattr(version, name) for name in CONTENT] == [
        getattr(published, name) for name in CONTENT
    ]


def test_a_curve_belongs_to_its_run(ada: Any, draft: Version) -> None:
    first = ada.versions.start_training(draft.id)
    for step, loss in ((1, 0.9), (2, 0.8), (2, 0.7)):
        ada.versions.record_metrics(draft.id, {"loss": loss, "note": "text"}, step=step)
    ada.versions.fail_training(draft.id, "no memory")
    ada.versions.start_training(draft.id)
    ada.versions.record_metrics(draft.id, {"loss": 0.6}, step=1)
    ada.versions.record_metrics(draft.id, {"accuracy": 1})

    def curve(name: str, **given: Any) -> list[tuple[int, float]]:
        return [
            (point.step, point.value)
            for point in ada.versions.metric_history(draft.id, name, **given)
        ]

    assert curve("loss") == [(1, 0.6)]
    assert curve("loss", run_id=first.id) == [(1, 0.9), (2, 0.7)]
    assert curve("note") == curve("accuracy") == curve("never") == []


def test_a_step_needs_a_run(ada: Any, draft: Version) -> None:
    with pytest.raises(ConflictError) as caught:
        ada.versions.record_metrics(draft.id, {"loss": 0.5}, step=1)

    assert caught.value.code == "TV205"
    assert ada.versions.get(draft.id).training_metrics is None


def test_a_curve_of_1500_steps_comes_back_whole_although_replies_are_capped_at_100_rows(
    carol: Any, snapshots: Any
) -> None:
    package = carol.packages.create("curves", template_type="lora", config={})
    draft = carol.versions.create_draft(package.id, **snapshots)
    carol.versions.start_training(draft.id)
    for step in range(1500):
        carol.versions.record_metrics(draft.id, {"loss": 1 / (step + 1)}, step=step)

    curve = carol.versions.metric_history(draft.id, "loss")

    assert [(point.step, point.value) for point in curve] == [
        (step, 1 / (step + 1)) for step in range(1500)
    ]


def test_steps_and_values_at_the_edges_come_back_exactly(ada: Any, draft: Version) -> None:
    ada.versions.start_training(draft.id)
    values = {-(2**63): 5e-324, -1: -0.1, 0: 1.7e308, 2**63 - 1: 2**53 + 1}
    for step, value in values.items():
        ada.versions.record_metrics(draft.id, {"x " * 127: value}, step=step)

    curve = ada.versions.metric_history(draft.id, "x " * 127)

    assert {point.step: point.value for point in curve} == {
        step: float(value) for step, value in values.items()
    }


def test_a_diverged_loss_is_refused_before_it_is_sent(ada: Any, draft: Version) -> None:
    before = len(ada.sent)

    with pytest.raises(InvalidInputError, match=r"metrics\.loss is nan, which JSON cannot express"):
        ada.versions.record_metrics(draft.id, {"loss": float("nan")})

    assert len(ada.sent) == before


def test_a_stranger_finds_nothing_to_train(ada: Any, bob: Any, published: Version) -> None:
    run = ada.versions.start_training(published.id)
    ada.versions.record_metrics(published.id, {"loss": 1}, step=1)
    version = ada.versions.get(published.id)

    for attempt in (
        lambda: bob.versions.start_training(published.id),
        lambda: bob.versions.start_training(published.id, run_id=run.id),
        lambda: bob.versions.record_metrics(published.id, {"loss": 2}, step=1),
        lambda: bob.versions.complete_training(published.id, run_id=run.id),
        lambda: bob.versions.fail_training(published.id, "ha"),
        lambda: bob.versions.cancel_training(published.id),
        lambda: bob.versions.metric_history(published.id, "loss", run_id=run.id),
    ):
        with pytest.raises(NotFoundError) as caught:
            attempt()
        assert caught.value.code == "TV101"
    assert ada.versions.get(published.id) == version


def test_the_service_role_trains_any_version(ada: Any, admin: Any, published: Version) -> None:
    run = admin.versions.start_training(published.id)
    admin.versions.record_metrics(published.id, {"loss": 0.1}, step=1)
    admin.versions.complete_training(published.id, run_id=run.id)

    assert run.started_by is None
    assert [point.value for point in ada.versions.metric_history(published.id, "loss")] == [0.1]
    kinds = {
        event.kind: event.actor_id
        for event in ada.versions.iterate_history(version_id=published.id)
    }
    assert (kinds["training_started"], kinds["created"]) == (None, ada.id)
