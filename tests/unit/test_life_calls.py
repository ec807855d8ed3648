"""What the later life of a version sends and refuses, and how replies are read, decided without a network."""

import pickle
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import BaseModel

from training_versions import (
    ConnectionFailedError,
    Event,
    EventKind,
    InvalidInputError,
    JsonObject,
    Lineage,
    NotFoundError,
    OutcomeUnknownError,
    UnreadableReplyError,
    Version,
    VersionSummary,
)
from training_versions.operations._calls import Attempts, Done, Rpc, Select, read_reply, read_rows
from training_versions.operations._life_calls import LifeCalls
from training_versions.snapshots.codec import Codec

from .test_calls import MOMENT, PACKAGE, row

VERSION = UUID(int=7)
OTHER = UUID(int=8)
LIFE: LifeCalls[JsonObject, JsonObject, list[JsonObject]] = LifeCalls(
    Codec("config", "config_snapshot"),
    Codec("model", "model_snapshot"),
    Codec("dataset", "dataset_snapshot", many=True),
)
ANY = cast("Any", LIFE)  # takes what nobody should pass
RUN: dict[str, Any] = {
    "id": str(UUID(int=1)),
    "version_id": str(VERSION),
    "status": "running",
    "started_at": MOMENT.isoformat(),
    "ended_at": None,
    "started_by": None,
    "reason": None,
    "a_column_of_a_newer_release": 1,
}


class Numpy:
    """As a NumPy scalar or a tensor of one number does, it has `item()`."""

    def item(self) -> float:
        return 0.5


def call(method: str, /, *args: Any, **kwargs: Any) -> Any:
    given: dict[str, dict[str, Any]] = {
        "restore": {"name": None, "change_summary": None, "new_version_id": None},
        "fork": {"name": None, "change_summary": None, "new_version_id": None, "into": PACKAGE},
        "start_training": {"run_id": None},
        "record_metrics": {"step": None, "run_id": None},
        "complete_training": {"run_id": None},
        "fail_training": {"run_id": None},
        "cancel_training": {"run_id": None, "reason": None},
        "metric_history": {"run_id": None},
        "deploy": {"url": None, "deployment_id": None, "stay_id": None},
        "undeploy": {"target": None},
        "record_cost": {"note": None, "key": None, "alert_at": (50, 80, 100), "entry_id": None},
        "iterate_costs": {"page_size": 200},
        "history": {
            **dict.fromkeys(["package_id", "version_id", "kind", "since", "until", "cursor"]),
            "order": "newest",
            "limit": 50,
        },
    }
    return getattr(ANY, method)(*args, **given.get(method, {}) | kwargs)


LONG = "x" * 10_001
REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    *((name, ("no",), {}, "version_id") for name in ("restore", "fork", "lineage", "start_training", "undeploy")),
    *((name, (None,), {}, "version_id") for name in ("complete_training", "cancel_training", "iterate_costs")),
    *((name, (VERSION,), {"new_version_id": "x"}, "new_version_id") for name in ("restore", "fork")),
    *(("restore", (VERSION,), {"name": bad}, "name") for bad in ("", " ", "x" * 256, "a\0", 3)),
    *(("fork", (VERSION,), {"change_summary": bad}, "change_summary") for bad in (LONG, "a\0", 3)),
    *(("fork", (VERSION,), {"into": bad}, "into") for bad in (None, "x", 3)),
    *(("compare", (bad, VERSION), {}, "left") for bad in (None, "x", 3, object())),
    *(("compare", (VERSION, bad), {}, "right") for bad in (None, "x", [VERSION])),
    *((f"{verb}_training", (VERSION,), {"run_id": "x"}, "run_id") for verb in ("start", "complete", "cancel")),
    *(("fail_training", (VERSION, bad), {}, "reason") for bad in ("", " \n", LONG, "a\0", "\ud800", None, 3)),
    *(("cancel_training", (VERSION,), {"reason": bad}, "reason") for bad in ("", LONG, 3)),
    *(
        ("record_metrics", (VERSION, bad), {}, "metrics")
        for bad in (
            {"a": float("nan")}, {"a": float("-inf")}, {"": 1}, {" ": 1}, {"x" * 256: 1}, {"a\0": 1}, {1: 1},
            {"a": object()}, {"a": b"x"}, dict[str, int](), (), None, 3, "loss",
        )
    ),
    ("record_metrics", (VERSION, {"a": 10**400}), {"step": 1}, "metrics"),
    *(("record_metrics", (VERSION, {"a": 1}), {"step": bad}, "step") for bad in (1.0, "1", True, 2**63, -(2**63) - 1)),
    *(("metric_history", (VERSION, bad), {}, "name") for bad in ("", " ", "x" * 256, "a\0", None, 3)),
    ("metric_history", (VERSION, "loss"), {"run_id": "x"}, "run_id"),
    *(("record_metrics", (VERSION, {"a": 1}), {"run_id": bad}, "run_id") for bad in ("", "x", 3)),
    *(("deploy", (VERSION, "local"), {"stay_id": bad}, "stay_id") for bad in ("", "x", 3)),
    *(("record_cost", (VERSION, 1), {"entry_id": bad}, "entry_id") for bad in ("", "x", 3)),
    ("history", (), {"since": MOMENT, "until": MOMENT - timedelta(microseconds=1)}, "since"),
    *(("deploy", (VERSION, bad), {}, "target") for bad in ("", "aws", "LOCAL", None, 3, ["local"])),
    *(("undeploy", (VERSION,), {"target": bad}, "target") for bad in ("", "aws", 3)),
    *(("live", (PACKAGE, bad), {}, "target") for bad in ("aws", None)),
    ("live", ("x", "local"), {}, "package_id"),
    *(("live_at", (PACKAGE, "local", bad), {}, "moment") for bad in (datetime(2025, 1, 1), "2025-01-01", None)),
    *(("deploy", (VERSION, "local"), {"url": bad}, "url") for bad in ("", " ", "x" * 2001, "a\0", 3)),
    *(("deploy", (VERSION, "local"), {"deployment_id": bad}, "deployment_id") for bad in ("", "x" * 256, "\ud800", 3)),
    *(
        ("record_cost", (VERSION, bad), {}, "amount")
        for bad in (-1, "0.001", "NaN", Decimal("NaN"), Decimal("sNaN"), None, True, 10**8, float("nan"), 0.1 + 0.2)
    ),
    *(("record_cost", (VERSION, 1), {"note": bad}, "note") for bad in ("", " ", "x" * 1001, "a\0", 3)),
    *(("record_cost", (VERSION, 1), {"key": bad}, "key") for bad in ("", " ", "x" * 256, "a\0", 3, uuid4())),
    *(
        ("record_cost", (VERSION, 1), {"alert_at": bad}, "alert_at")
        for bad in ("50", 50, None, (0,), (1001,), (True,), (50.0,), ("50",), (None,), {50: 1})
    ),
    ("package_cost", ("x",), {}, "package_id"),
    *(("iterate_costs", (VERSION,), {"page_size": bad}, "page_size") for bad in (0, True, "1")),
    ("history", (), {"package_id": PACKAGE, "version_id": VERSION}, "version_id"),
    *(("history", (), {"kind": bad}, "kind") for bad in ("gone", [], ["created", "gone"], 3, [3])),
    *(("history", (), {name: datetime(2025, 1, 1)}, name) for name in ("since", "until")),
    *(("history", (), {"order": bad}, "order") for bad in ("up", None)),
    *(("history", (), {"limit": bad}, "limit") for bad in (0, -1, "1", None)),
    *(("history", (), {"cursor": bad}, "cursor") for bad in ("x", 3)),
    *(("history", (), {name: "x"}, name) for name in ("package_id", "version_id")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "kwargs", "field"), REFUSED)
def test_what_cannot_be_right_is_refused_and_named(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call(name, *args, **kwargs)

    assert caught.value.field == field
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    ("name", "args", "param"),
    [
        ("restore", (VERSION,), "new_version_id"),
        ("fork", (VERSION,), "new_version_id"),
        ("start_training", (VERSION,), "run_id"),
        ("deploy", (VERSION, "local"), "stay_id"),
        ("record_cost", (VERSION, 1), "entry_id"),
    ],
)
def test_what_makes_a_repeat_have_the_effect_of_one_is_made_before_the_first_try(
    name: str, args: tuple[Any, ...], param: str
) -> None:
    first, second = call(name, *args), call(name, *args)

    assert UUID(first.params[f"p_{param}"]) != UUID(second.params[f"p_{param}"])
    with pytest.raises(OutcomeUnknownError) as caught:
        Attempts(first, ()).pause_after(httpx.ReadTimeout("slow"), {})
    assert f"with {param}='{first.params[f'p_{param}']}'" in str(caught.value.hint)


@pytest.mark.parametrize(
    "name", ["lineage", "metric_history", "package_cost", "next_version_number"]
)
def test_a_read_by_function_is_repeated_and_never_unknown(name: str) -> None:
    read = call(name, *([VERSION, "loss"] if name == "metric_history" else [VERSION]))
    attempts = Attempts(read, (0.5,))

    assert attempts.pause_after(httpx.ReadTimeout("slow"), {}) == 0.5
    with pytest.raises(ConnectionFailedError, match="nothing was changed"):
        attempts.pause_after(httpx.ReadTimeout("slow"), {})


@pytest.mark.parametrize("step", [0, -1, 2**63 - 1, -(2**63)])
def test_any_step_of_64_bits_is_sent(step: int) -> None:
    assert call("record_metrics", VERSION, {"a": 1}, step=step).params["p_step"] == step


def test_numbers_of_numpy_and_pytorch_are_sent_as_numbers() -> None:
    assert call("record_metrics", VERSION, {"loss": Numpy(), "n": 3}).params["p_metrics"] == {
        "loss": 0.5,
        "n": 3,
    }


class Array:
    """As a NumPy array or a tensor of several numbers does, it has an `item()` that refuses."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def item(self) -> float:
        raise self.error


@pytest.mark.parametrize(
    "error", [ValueError("can only convert an array of size 1"), RuntimeError("2 elements")]
)
def test_an_array_as_a_metric_is_refused_by_its_name(error: Exception) -> None:
    with pytest.raises(InvalidInputError, match=r"metrics\.loss is not one number") as caught:
        call("record_metrics", VERSION, {"loss": Array(error)})

    assert caught.value.field == "metrics"


def test_any_sequence_names_shares_and_kinds() -> None:
    assert call("record_cost", VERSION, 1, alert_at=range(25, 101, 25)).params["p_alert_at"] == [
        25,
        50,
        75,
        100,
    ]
    kinds = {EventKind.DEPLOYED: 1, "published": 2}.keys()
    assert call("history", kind=kinds).filters == (("kind", "in", "(deployed,published)"),)


def test_metrics_that_are_no_numbers_are_sent_as_they_are() -> None:
    metrics = {"confusion": [[1, 2], [3, 4]], "note": "ok", "huge": 10**400, "best": None}

    assert call("record_metrics", VERSION, metrics).params["p_metrics"] == metrics


def test_no_alerts_can_be_asked_for() -> None:
    assert call("record_cost", VERSION, "1.20", alert_at=[]).params["p_alert_at"] == []


def test_history_filters_are_written_in_postgrests_words() -> None:
    select = call(
        "history",
        version_id=VERSION,
        kind=["published", EventKind.DEPLOYED],
        since=MOMENT,
        until=MOMENT,
        order="oldest",
    )

    moment = "2025-01-31T12:00:00.123456+00:00"
    assert select.table == "training_version_events"
    assert select.filters == (
        ("version_id", "eq", str(VERSION)),
        ("kind", "in", "(published,deployed)"),
        ("or", "", f'occurred_at.gte."{moment}",last_at.gte."{moment}"'),
        ("occurred_at", "lt", moment),
    )
    assert (select.order, select.descending, select.limit) == (("occurred_at", "id"), False, 51)


def event(number: int, kind: str = "created") -> dict[str, Any]:
    known = {
        "id": number,
        "package_id": str(PACKAGE),
        "version_id": str(VERSION),
        "version_number": 1,
        "kind": kind,
    }
    return {
        **known,
        "actor_id": None,
        "occurred_at": MOMENT.isoformat(),
        "details": {},
        "source": None,
    }


def test_history_is_paged_by_its_key_and_a_cursor_of_another_history_is_refused() -> None:
    first = cast("Select[Any]", call("history", limit=2))
    step = first.read([event(9), event(8), event(5)], None)
    assert isinstance(step, Done)
    cursor = step.value.next_cursor

    moment = MOMENT.isoformat()
    assert call("history", limit=2, cursor=cursor).filters == (
        ("occurred_at", "lte", moment),
        ("or", "", f'occurred_at.lt."{moment}",id.lt.8'),
    )
    with pytest.raises(InvalidInputError, match="cursor does not belong"):
        call("history", package_id=PACKAGE, cursor=cursor)


def test_an_event_of_a_kind_that_only_a_newer_database_knows_is_read() -> None:
    known, unknown = (
        Event.model_validate(event(1, kind) | {"new": 1}) for kind in ("forked", "promoted")
    )

    assert known.kind is EventKind.FORKED
    assert unknown.kind == "promoted"
    assert pickle.loads(pickle.dumps([known, unknown])) == [known, unknown]


def test_two_loaded_versions_are_compared_without_a_request() -> None:
    left = loaded(7, {"r": 8})
    right = loaded(8, {"r": 16})

    step = LIFE.compare(left, right)

    assert isinstance(step, Done)
    assert [change.path for change in step.value.filter("/config_snapshot")] == [
        "/config_snapshot/r"
    ]


def test_of_what_is_compared_only_what_is_not_loaded_is_read_in_one_request() -> None:
    summary = VersionSummary.model_validate(row(8))

    assert select_of(LIFE.compare(VERSION, OTHER)).filters == (
        ("id", "in", f"({VERSION},{OTHER})"),
    )
    assert select_of(LIFE.compare(loaded(7), str(OTHER))).filters == (("id", "in", f"({OTHER})"),)
    assert select_of(LIFE.compare(loaded(7), summary)).filters == (("id", "in", f"({OTHER})"),)
    assert select_of(LIFE.compare(VERSION, str(VERSION).upper())).filters == (
        ("id", "in", f"({VERSION})"),
    )


def test_a_version_as_it_was_is_compared_with_the_same_one_as_it_is() -> None:
    step = select_of(LIFE.compare(loaded(7, {"r": 1}), VERSION)).read([row(7)], None)

    assert isinstance(step, Done)
    assert [change.new for change in step.value.filter("/config_snapshot")] == [7]


class Rank(BaseModel):
    r: int
    extra: int = 5


TYPED = LifeCalls(
    Codec("config", "config_snapshot", Rank),
    LIFE.model,
    Codec("dataset", "dataset_snapshot", list[Rank]),
)


def test_what_is_stored_is_compared_and_not_what_the_types_of_the_repository_make_of_it() -> None:
    rows = [stored(7, {"r": 8, "unknown": 1}), stored(8, {"r": "no longer a number", "extra": 5})]

    step = select_of(TYPED.compare(VERSION, OTHER)).read(rows, None)

    assert isinstance(step, Done)
    assert [(change.kind, change.path) for change in step.value] == [
        ("changed", "/config_snapshot/r"),
        ("removed", "/config_snapshot/unknown"),
        ("added", "/config_snapshot/extra"),
    ]


@pytest.mark.parametrize(
    "typed",
    [
        {"config_snapshot": Rank(r=8)},
        {"dataset_snapshot": [Rank(r=8)]},
        {"model_snapshot": {"at": Rank(r=8)}},
    ],
)
def test_a_loaded_version_with_types_is_read_again_in_the_same_request(
    typed: dict[str, Any],
) -> None:
    version = Version.model_validate(row(7) | typed)

    for life in (TYPED, LIFE):
        assert select_of(life.compare(version, OTHER)).filters == (
            ("id", "in", f"({VERSION},{OTHER})"),
        )
        assert select_of(life.compare(loaded(8), version)).filters == (
            ("id", "in", f"({VERSION})"),
        )


def test_a_version_is_equal_to_itself_whatever_its_types_make_of_it() -> None:
    version = Version.model_validate(row(7) | {"config_snapshot": Rank(r=8)})

    for left, right in (
        (version, version),
        (VERSION, version),
        (version, VERSION),
        (VERSION, VERSION),
    ):
        step = select_of(TYPED.compare(left, right)).read([stored(7, {"r": 8})], None)
        assert isinstance(step, Done)
        assert not step.value


def stored(number: int, config: object) -> dict[str, Any]:
    return row(number) | {"config_snapshot": config, "name": "same"}


@pytest.mark.parametrize(("there", "missing"), [(7, OTHER), (8, VERSION)])
def test_a_version_that_is_not_there_is_named(there: int, missing: UUID) -> None:
    again = select_of(select_of(LIFE.compare(VERSION, OTHER)).read([row(there)], None))

    assert again.filters == (("id", "in", f"({missing})"),)
    with pytest.raises(
        NotFoundError, match=f"There is no version {missing}, or you may not see it"
    ):
        again.read([], None)


def loaded(number: int, config: dict[str, Any] | None = None) -> Version:
    return Version.model_validate(
        row(number) | ({} if config is None else {"config_snapshot": config})
    )


def select_of(step: object) -> Select[Any]:
    assert isinstance(step, Select)
    return cast("Select[Any]", step)


class Lora(BaseModel):
    r: int


def test_only_snapshots_that_have_a_type_travel_back_from_a_copy() -> None:
    typed = LifeCalls(Codec("config", "config_snapshot", Lora), LIFE.model, LIFE.dataset)
    given: dict[str, Any] = {"name": None, "change_summary": None, "new_version_id": None}

    plain, checked = LIFE.restore(VERSION, **given), typed.restore(VERSION, **given)

    assert plain.columns == tuple(VersionSummary.model_fields)
    assert checked.columns == (*plain.columns, "config_snapshot")
    assert read_reply(plain, row(1)).fits
    copied = read_reply(checked, row(1) | {"config_snapshot": {"rank": 8}})
    assert not copied
    assert [(misfit.path, misfit.problem) for misfit in copied.misfits] == [
        ("/config_snapshot/r", "missing"),
        ("/config_snapshot/rank", "unknown"),
    ]
    with pytest.raises(UnreadableReplyError):
        read_reply(checked, row(1) | {"id": None})


def family(*parents: int | None) -> list[dict[str, Any]]:
    """Make versions 1, 2, …, each with the parent given."""
    return [
        {
            "id": str(UUID(int=number)),
            "package_id": str(PACKAGE),
            "version_number": number,
            "name": f"bot-v{number}",
            "status": "published",
            "created_at": MOMENT.isoformat(),
            "change_summary": None,
            "parent_version_id": None if parent is None else str(UUID(int=parent)),
            "new": 1,
        }
        for number, parent in enumerate(parents, 1)
    ]


def lineage_of(number: int, rows: object) -> Lineage:
    return read_reply(LIFE.lineage(UUID(int=number)), rows)


def test_a_lineage_has_ancestors_descendants_and_the_whole_tree() -> None:
    lineage = lineage_of(3, family(None, 1, 2, 3, 1, 3, 4))

    assert lineage.version.version_number == 3
    assert [node.version_number for node in lineage.ancestors] == [2, 1]
    assert [node.version_number for node in lineage.descendants] == [4, 6, 7]
    assert [node.version_number for node in lineage.root.children] == [2, 5]
    assert [node.version_number for node in lineage.root.walk()] == [1, 2, 3, 4, 7, 6, 5]


def test_a_lineage_prints_as_a_tree_with_the_longest_line_straight() -> None:
    assert str(lineage_of(3, family(None, 1, 2, 3, 1, 3, 5))).splitlines() == [
        "  bot-v1 (published)",
        "    bot-v5 (published)",
        "    bot-v7 (published)",
        "  bot-v2 (published)",
        "* bot-v3 (published)",
        "    bot-v6 (published)",
        "  bot-v4 (published)",
    ]


def test_a_parent_that_cannot_be_seen_ends_the_line() -> None:
    lineage = lineage_of(2, family(99, 1))

    assert lineage.root.version_number == 1
    assert lineage.root.parent_version_id == UUID(int=99)


@pytest.mark.parametrize(
    "rows", [[], family(None), family(2, 1), family(None, 2), {}, None, "x", [3], [{}]]
)
def test_a_lineage_without_the_version_or_without_an_end_is_unreadable(rows: object) -> None:
    with pytest.raises(UnreadableReplyError):
        lineage_of(2, rows)


def test_a_family_of_ten_thousand_generations_is_read_walked_printed_pickled_and_compared() -> None:
    rows = family(None, *range(1, 10_000))
    assert sys.getrecursionlimit() < 10_000

    lineage = lineage_of(10_000, rows)

    assert len(lineage.ancestors) == 9_999
    assert lineage.ancestors[0].version_number == 9_999
    assert sum(1 for _ in lineage.root.walk()) == 10_000
    assert len(str(lineage).splitlines()) == 10_000
    assert len(repr(lineage)) > 10_000
    copy = pickle.loads(pickle.dumps(lineage))
    assert copy == lineage
    assert hash(copy.root) == hash(lineage.root)
    assert copy.root.children[0].children[0].version_number == 3
    assert lineage.model_dump()["root"]["version_number"] == 1


def test_replies_are_read_with_exact_costs_and_times() -> None:
    entry: dict[str, Any] = {
        "id": str(UUID(int=1)), "version_id": str(VERSION), "amount": 0.1, "note": None, "key": "k", "alerts": [50],
        "recorded_at": MOMENT.isoformat(), "recorded_by": None, "actual_cost": 99999999.99, "budget_limit": None,
    }  # fmt: skip
    total = {
        "package_id": str(PACKAGE),
        "versions": 2,
        "estimated_cost": 0,
        "actual_cost": 12.3,
        "budget_limit": 1,
    }

    recorded = read_reply(call("record_cost", VERSION, 1), entry)
    cost = read_reply(call("package_cost", PACKAGE), total)
    run = read_reply(call("start_training", VERSION), RUN)

    assert (recorded.amount, recorded.actual_cost, recorded.alerts) == (
        Decimal("0.10"),
        Decimal("99999999.99"),
        (50,),
    )
    assert (str(cost.estimated_cost), str(cost.actual_cost), cost.versions) == ("0.00", "12.30", 2)
    assert run.started_at == MOMENT.astimezone(UTC)


@pytest.mark.parametrize("reply", [None, [], "<html>", {}, [RUN], RUN | {"status": "lost"}])
def test_replies_that_do_not_fit_are_unreadable(reply: object) -> None:
    read: Rpc[Any] = call("start_training", VERSION)

    with pytest.raises(UnreadableReplyError):
        read_reply(read, reply)


def test_a_curve_that_is_none_is_unreadable() -> None:
    for reply in (None, "x", [{"step": 1}], [1]):
        with pytest.raises(UnreadableReplyError):
            read_reply(cast("Rpc[Any]", call("metric_history", VERSION, "loss")), reply)


def test_live_at_asks_for_the_stay_that_had_begun_and_not_ended() -> None:
    select = cast("Select[Any]", call("live_at", PACKAGE, "local", MOMENT))

    assert select.filters[2:] == (
        ("started_at", "lte", "2025-01-31T12:00:00.123456+00:00"),
        ("or", "", 'ended_at.is.null,ended_at.gt."2025-01-31T12:00:00.123456+00:00"'),
    )
    assert read_rows(select, [], None) == Done(None)
