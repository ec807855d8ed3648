"""Clients of the first release write training_status and its times directly, to any state.

What they write is recorded as runs: an outcome that nobody announced is a run that began and ended.
The functions that the SDK calls are tried in `tests/server/sdk/test_training.py`.
"""

from datetime import UTC, datetime, timedelta

import pytest

OUTCOMES = ("completed", "failed", "cancelled")
BEGAN, ENDED = "2024-01-31T12:00:00+00:00", "2024-01-31T13:30:00+00:00"
TIMES = {"training_started_at": BEGAN, "training_completed_at": ENDED}

outcomes = pytest.mark.parametrize("outcome", OUTCOMES)
# Every outcome, and every state that it may follow without a start.
unannounced = pytest.mark.parametrize(
    ("before", "outcome"),
    [(None, "completed"), ("pending", "completed"), (None, "failed"), ("pending", "cancelled")],
)


def moment(text):
    return datetime.fromisoformat(text)


def in_days(days):
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def runs(caller, version):
    return caller.select(
        "training_runs", version_id=f"eq.{version['id']}", order="ended_at.nullslast"
    )


def kinds(caller, version):
    events = caller.select(
        "training_version_events",
        version_id=f"eq.{version['id']}",
        kind="like.training*",
        order="id",
    )
    return [event["kind"] for event in events]


def assert_is_one_run(caller, version, status):
    """The columns of the version, its only run, and the ends of its history say the same."""
    (run,) = runs(caller, version)
    assert (version["training_status"], run["status"]) == (status, status)
    assert version["training_started_at"] == run["started_at"]
    assert version["training_completed_at"] == run["ended_at"]
    assert moment(run["started_at"]) <= moment(run["ended_at"])
    assert kinds(caller, version)[-2:] == ["training_started", f"training_{status}"]


@unannounced
class TestAnOutcomeThatNobodyAnnounced:
    def draft(self, ada, before):
        return ada.draft(ada.package(), training_status=before)

    def test_has_the_times_that_a_service_gives(self, ada, backend, before, outcome):
        version = ada.publish(self.draft(ada, before)).row

        version = backend.patch(version, training_status=outcome, **TIMES).row

        assert_is_one_run(ada, version, outcome)
        assert (version["training_started_at"], version["training_completed_at"]) == (BEGAN, ENDED)

    def test_has_the_clock_of_the_database_where_nobody_gives_times(
        self, ada, actor, before, outcome
    ):
        draft = self.draft(ada, before)

        version = actor.patch(draft, training_status=outcome).row

        assert_is_one_run(ada, version, outcome)
        assert moment(version["training_started_at"]) > moment(draft["created_at"])

    def test_has_the_clock_of_the_database_whatever_a_user_gives(self, ada, before, outcome):
        draft = self.draft(ada, before)

        version = ada.patch(draft, training_status=outcome, **TIMES).row

        assert_is_one_run(ada, version, outcome)
        assert moment(version["training_started_at"]) > moment(draft["created_at"])

    def test_that_only_says_when_it_ended_began_then(self, ada, backend, before, outcome):
        draft = self.draft(ada, before)

        version = backend.patch(draft, training_status=outcome, training_completed_at=ENDED).row

        assert_is_one_run(ada, version, outcome)
        assert version["training_started_at"] == ENDED

    def test_that_only_says_when_it_began_ends_now(self, ada, backend, before, outcome):
        draft = self.draft(ada, before)

        version = backend.patch(draft, training_status=outcome, training_started_at=BEGAN).row

        assert_is_one_run(ada, version, outcome)
        assert version["training_started_at"] == BEGAN
        assert moment(version["training_completed_at"]) > moment(draft["created_at"])

    def test_keeps_the_metrics_that_came_before_and_with_it(self, ada, backend, before, outcome):
        draft = self.draft(ada, before)
        backend.patch(draft, training_metrics={"loss": 0.5})

        version = backend.patch(draft, training_status=outcome).row

        assert version["training_metrics"] == {"loss": 0.5}


@outcomes
class TestAnInsertedOutcome:
    def test_has_the_times_that_a_service_gives(self, ada, backend, outcome):
        version = backend.draft(ada.package(), training_status=outcome, **TIMES)

        assert_is_one_run(ada, version, outcome)
        assert (version["training_started_at"], version["training_completed_at"]) == (BEGAN, ENDED)

    def test_of_a_user_has_the_clock_of_the_database(self, ada, outcome):
        version = ada.draft(ada.package(), training_status=outcome, **TIMES)

        assert_is_one_run(ada, version, outcome)
        assert version["training_started_at"] >= version["created_at"]


IMPLAUSIBLE = {
    "an end before the start": {"training_started_at": ENDED, "training_completed_at": BEGAN},
    "a start in the future": {"training_started_at": lambda: in_days(2)},
    "an end in the future": {"training_completed_at": lambda: in_days(2)},
    "an end after all time": {**TIMES, "training_completed_at": "infinity"},
    "a start before all time": {**TIMES, "training_started_at": "-infinity"},
    "a start before Christ": {**TIMES, "training_started_at": "4000-01-01 BC"},
    "an end in a year of five digits": {"training_completed_at": "20000-01-01"},
}


@pytest.mark.parametrize("times", IMPLAUSIBLE.values(), ids=IMPLAUSIBLE)
def test_times_that_no_run_can_have_are_refused(ada, backend, times):
    times = {name: value() if callable(value) else value for name, value in times.items()}
    package = ada.package()
    draft = ada.draft(package)

    patched = backend.patch(draft, training_status="completed", **times)
    inserted = backend.try_draft(package, training_status="completed", **times)

    for answer in (patched, inserted):
        assert (answer.code, answer.detail["field"]) == ("TV306", answer.detail["field"])
        assert answer.detail["field"] in times
    assert ada.see(draft) == draft
    assert ada.numbers(package) == [1]


def test_a_service_gives_the_times_of_each_step(ada, backend):
    draft = ada.draft(ada.package())

    running = backend.patch(draft, training_status="running", **TIMES).row
    early = backend.patch(
        draft, training_status="failed", training_completed_at="2023-01-01T00:00:00Z"
    )
    failed = backend.patch(draft, training_status="failed", training_completed_at=ENDED).row

    assert (running["training_started_at"], running["training_completed_at"]) == (BEGAN, None)
    assert (early.code, early.detail["field"]) == ("TV306", "training_completed_at")
    assert_is_one_run(ada, failed, "failed")
    assert (failed["training_started_at"], failed["training_completed_at"]) == (BEGAN, ENDED)


def test_a_row_that_is_written_back_whole_gives_no_times(ada, backend):
    draft = ada.draft(ada.package())
    failed = backend.patch(draft, training_status="failed", **TIMES).row

    again = backend.patch(failed, **{**failed, "training_status": "running"}).row

    assert moment(again["training_started_at"]) > moment(draft["created_at"])
    assert again["training_completed_at"] is None


@pytest.mark.parametrize("wanted", [None, "pending", "running", "failed", "cancelled"])
def test_what_is_completed_stays_completed(ada, actor, wanted):
    draft = ada.draft(ada.package())
    completed = actor.patch(draft, training_status="completed").row

    answer = actor.patch(draft, training_status=wanted, **TIMES)

    assert answer.code == "TV205"
    assert (answer.detail["training_status"], answer.detail["wanted"]) == ("completed", wanted)
    assert ada.see(draft) == completed


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("failed", "completed"),
        ("failed", "cancelled"),
        ("failed", "pending"),
        ("failed", None),
        ("cancelled", "completed"),
        ("running", "pending"),
        ("running", None),
        ("pending", None),
    ],
)
def test_other_changes_of_a_status_stay_refused(ada, status, wanted):
    draft = ada.draft(ada.package(), training_status=status)

    assert ada.patch(draft, training_status=wanted).code == "TV205"
    assert ada.see(draft) == draft


def test_a_stranger_and_nobody_write_no_outcome(ada, bo, anon):
    draft = ada.draft(ada.package())

    assert bo.patch(draft, training_status="completed").rows == []
    assert anon.patch(draft, training_status="completed").status == 401
    assert ada.see(draft) == draft
    assert runs(bo, draft) == []


@pytest.mark.parametrize("verb", ["cancel", "fail"])
def test_what_is_pending_can_be_called_off(ada, bo, verb):
    draft = ada.draft(ada.package(), training_status="pending")
    call = {"version_id": draft["id"], "reason": "not needed", "call_id": draft["id"]}

    stranger = bo.rpc(f"{verb}_version_training", **{**call, "call_id": None})
    run = ada.rpc(f"{verb}_version_training", **call).row
    again = ada.rpc(f"{verb}_version_training", **call).row

    status = {"cancel": "cancelled", "fail": "failed"}[verb]
    assert stranger.code == "TV101"
    assert again == run
    assert (run["status"], run["reason"]) == (status, "not needed")
    (stored,) = runs(ada, draft)
    assert stored["id"] == run["id"]
    assert ada.see(draft)["training_status"] == status


def test_what_is_pending_is_not_completed_by_the_function(ada):
    draft = ada.draft(ada.package(), training_status="pending")

    assert ada.rpc("complete_version_training", version_id=draft["id"]).code == "TV205"
    assert ada.see(draft) == draft


# --- metrics


@pytest.mark.parametrize("way", ["function", "patch"])
@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
def test_a_new_run_starts_without_the_metrics_of_the_one_before(ada, actor, way, outcome):
    draft = ada.draft(ada.package())
    first = ada.rpc("start_version_training", version_id=draft["id"]).row
    metrics = {"version_id": draft["id"], "metrics": {"loss": 0.5}, "step": 1}
    ada.rpc("record_version_metrics", **metrics)
    ended = actor.patch(draft, training_status=outcome).row

    if way == "function":
        actor.rpc("start_version_training", version_id=draft["id"])
    else:
        actor.patch(draft, **{**ended, "training_status": "running"})

    started = ada.see(draft)
    assert (ended["training_metrics"], started["training_metrics"]) == ({"loss": 0.5}, None)
    history = {"version_id": draft["id"], "name": "loss"}
    assert len(ada.rpc("get_metric_history", **history, run_id=first["id"]).rows) == 1
    assert ada.rpc("get_metric_history", **history).rows == []


def test_metrics_that_come_with_the_start_are_those_of_the_new_run(ada, actor):
    draft = ada.draft(ada.package())
    actor.patch(draft, training_status="failed", training_metrics={"loss": 0.5})

    started = actor.patch(draft, training_status="running", training_metrics={"loss": 9}).row

    assert started["training_metrics"] == {"loss": 9}


def test_a_start_that_is_repeated_keeps_the_metrics_of_its_run(ada, actor):
    draft = ada.draft(ada.package())
    start = {"version_id": draft["id"], "run_id": draft["id"]}
    actor.rpc("start_version_training", **start)
    ada.rpc("record_version_metrics", version_id=draft["id"], metrics={"loss": 0.5})

    actor.rpc("start_version_training", **start)
    actor.patch(draft, training_status="running")

    assert ada.see(draft)["training_metrics"] == {"loss": 0.5}
