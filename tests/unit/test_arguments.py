"""Arguments of copies, training, deployment, costs and history, and the forms that are accepted.

That bad input is refused before anything is sent is told in `tests/http/test_bad_input.py`, for
every operation; here are the other values that these operations refuse.
"""

import dataclasses
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal, localcontext
from typing import Any, cast
from uuid import UUID

import pytest
from postgrest import AsyncPostgrestClient
from pydantic import BaseModel, Field

from tests.data import MOMENT
from training_versions import EventKind, InvalidInputError, VersionRepository
from training_versions.local import LocalSupabase
from training_versions.models import round_to_cents
from training_versions.operations.checks import check_cost, check_moment

from .scripted import (
    OTHER,
    PACKAGE,
    PACKAGES,
    VERSION,
    VERSIONS,
    exchange,
    params_of,
    row,
    where_of,
)

NAIVE = datetime(2025, 1, 1)
AWARE = datetime(2025, 1, 31, 12, 0, 0, 123456, UTC)
NO_NAMES: list[object] = ["", "  \n", "x" * 256, "a\0", "\ud800", 3, b"x"]
NO_COSTS: list[object] = [
    *(-1, "0.001", Decimal("100000000"), "NaN", Decimal("NaN"), Decimal("sNaN"), float("inf")),
    *(float("nan"), True, "", "ten", 0.1 + 0.2, [], "1e999999", b"1", 10**8),
]
NO_METRICS: list[object] = [
    *({"a": float("nan")}, {"a": float("-inf")}, {"": 1}, {" ": 1}, {"x" * 256: 1}, {"a\0": 1}),
    *({1: 1}, {"a": object()}, {"a": b"x"}, dict[str, int](), (), None, 3, "loss"),
]

Call = tuple[str, tuple[Any, ...], dict[str, Any]]


def calls(method: str, *args: Any, **each: list[Any]) -> list[tuple[Call, str]]:
    """Make one call of a method for each bad value of the one argument that is named."""
    ((argument, values),) = each.items()
    return [((method, args, {argument: value}), argument) for value in values]


async def client_of_an_async_function() -> None: ...


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: "https://project.supabase.co", "create_client(url, key)"),
        (lambda: None, "create_client(url, key)"),
        (client_of_an_async_function, "await acreate_client(url, key)"),
        (LocalSupabase, "supabase.sign_in(email)"),
        (lambda: AsyncPostgrestClient("http://nowhere.test"), "Async clients go with"),
    ],
)
def test_what_is_no_client_is_told_how_to_make_one(make: Callable[[], Any], hint: str) -> None:
    given = make()

    with pytest.raises(InvalidInputError) as caught:
        VersionRepository(given)

    assert hint in str(caught.value.hint)
    if inspect.iscoroutine(given):
        given.close()


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (str(AWARE), "Read the text first: datetime.fromisoformat(text)."),
        (AWARE.date(), "A day has no time: datetime(2025, 1, 31, tzinfo=UTC)."),
        (3, None),
    ],
)
def test_what_is_no_moment_is_told_how_to_make_one(value: object, hint: str | None) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_moment(value, "since")

    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("config_snapshot", "Did you mean config?"),
        ("budget", "Did you mean budget_limit?"),
        ("summary", "Did you mean change_summary?"),
        ("zzz", None),
    ],
)
def test_an_argument_that_is_misspelt_is_told_the_right_one(named: str, hint: str | None) -> None:
    with pytest.raises(InvalidInputError) as caught:
        VERSIONS.update_draft(VERSION, **{named: 1})

    assert (caught.value.field, caught.value.hint) == (named, hint)


def first(method: str, values: list[object], argument: str, *rest: Any) -> list[tuple[Call, str]]:
    """Make one call of a method for each bad value of its first argument."""
    return [((method, (value, *rest), {}), argument) for value in values]


DRAFT = {"config": dict[str, Any](), "model": dict[str, Any](), "dataset": list[Any]()}
REFUSED: list[tuple[Call, str]] = [
    *(
        each
        for method in ("restore", "lineage", "start_training", "undeploy", "iterate_costs")
        for each in first(method, ["no", None], "version_id")
    ),
    *first("complete_training", [None], "version_id"),
    *first("cancel_training", [None], "version_id"),
    *first("live", ["x"], "package_id", "local"),
    *first("compare", [None, "x", 3, object()], "left", VERSION),
    *((("compare", (VERSION, bad), {}), "right") for bad in (None, "x", [VERSION])),
    *((("compare_numbers", (PACKAGE, bad, 1), {}), "left") for bad in (0, True, "1", 2**31, None)),
    *((("compare_numbers", (PACKAGE, 1, bad), {}), "right") for bad in (-1, 1.0, VERSION)),
    *first("compare_numbers", [None, "x"], "package_id", 1, 2),
    # copies
    *calls("restore", VERSION, new_version_id=["x"]),
    *calls("restore", VERSION, name=NO_NAMES),
    *calls("fork", VERSION, into=[None, "x", 3]),
    ((("fork", (VERSION,), {"into": PACKAGE, "new_version_id": "x"})), "new_version_id"),
    *(
        (("fork", (VERSION,), {"into": PACKAGE, "change_summary": bad}), "change_summary")
        for bad in ("x" * 10_001, "a\0", 3)
    ),
    # training
    *calls("start_training", VERSION, run_id=["x"]),
    *calls("complete_training", VERSION, run_id=["x"]),
    *calls("cancel_training", VERSION, run_id=["x"]),
    *(
        (("fail_training", (VERSION, bad), {}), "reason")
        for bad in ("", " \n", "x" * 10_001, "a\0", "\ud800", None, 3)
    ),
    *calls("cancel_training", VERSION, reason=["", "x" * 10_001, 3]),
    *((("record_metrics", (VERSION, bad), {}), "metrics") for bad in NO_METRICS),
    (("record_metrics", (VERSION, {"a": 10**400}), {"step": 1}), "metrics"),
    *calls("record_metrics", VERSION, {"a": 1}, step=[1.0, "1", True, 2**63, -(2**63) - 1]),
    *calls("record_metrics", VERSION, {"a": 1}, run_id=["", "x", 3]),
    *first("runs", ["no", None], "version_id"),
    *calls("runs", VERSION, limit=[0, True, "1"]),
    *calls("runs", VERSION, order=["up", None]),
    *calls("runs", VERSION, cursor=["", "x", 3]),
    *first("metric_names", ["no", None], "version_id"),
    *calls("metric_names", VERSION, run_id=["x"]),
    *((("metric_history", (VERSION, bad), {}), "name") for bad in (*NO_NAMES, None)),
    *calls("metric_history", VERSION, "loss", run_id=["x"]),
    # deployments
    *(
        (("deploy", (VERSION, bad), {}), "target")
        for bad in ("", "aws", "LOCAL", None, 3, ["local"])
    ),
    *calls("deploy", VERSION, "local", stay_id=["", "x", 3]),
    *calls("deploy", VERSION, "local", url=["", " ", "x" * 2001, "a\0", 3]),
    *calls("deploy", VERSION, "local", deployment_id=["", "x" * 256, "\ud800", 3]),
    *calls("undeploy", VERSION, target=["", "aws", 3]),
    *((("live", (PACKAGE, bad), {}), "target") for bad in ("aws", None)),
    *((("live_at", (PACKAGE, "local", bad), {}), "moment") for bad in (NAIVE, "2025-01-01", None)),
    # costs
    *((("record_cost", (VERSION, bad), {}), "amount") for bad in (*NO_COSTS, None)),
    *calls("record_cost", VERSION, 1, entry_id=["", "x", 3]),
    *calls("record_cost", VERSION, 1, note=["", " ", "x" * 1001, "a\0", 3]),
    *calls("record_cost", VERSION, 1, key=["", " ", "x" * 256, "a\0", 3, UUID(int=4)]),
    *calls(
        "record_cost",
        VERSION,
        1,
        alert_at=["50", 50, None, (0,), (1001,), (True,), (50.0,), ("50",), (None,), {50: 1}],
    ),
    *calls("iterate_costs", VERSION, page_size=[0, True, "1"]),
    # history
    (("history", (), {"package_id": PACKAGE, "version_id": VERSION}), "version_id"),
    *calls("history", package_id=["x"]),
    *calls("history", version_id=["x"]),
    *calls("history", kind=["gone", [], ["created", "gone"], 3, [3]]),
    *calls("history", since=[NAIVE]),
    *calls("history", until=[NAIVE]),
    (("history", (), {"since": AWARE, "until": AWARE - timedelta(microseconds=1)}), "since"),
    *calls("history", order=["up", None]),
    *calls("history", limit=[0, -1, "1", None]),
    *calls("history", cursor=["x", 3]),
]


@pytest.mark.parametrize(
    ("call", "field"), REFUSED, ids=[f"{call[0]}-{field}" for call, field in REFUSED]
)
def test_what_cannot_be_right_is_refused_and_named(call: Call, field: str) -> None:
    method, args, kwargs = call

    with pytest.raises(InvalidInputError) as caught:
        getattr(VERSIONS, method)(*args, **kwargs)

    assert caught.value.field == field
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("cost", [Decimal("12.30"), "12.3", 12.3, Decimal("12.300")])
def test_costs_are_exact_to_the_cent(cost: object) -> None:
    assert params_of(VERSIONS.record_cost(VERSION, cost))["p_amount"] == 12.3


def test_costs_are_exact_whatever_precision_the_program_works_with() -> None:
    with localcontext(Context(prec=3)):
        assert check_cost(Decimal("12345.67"), "amount") == 12345.67
        assert check_cost("99999999.99", "amount") == 99999999.99
        assert round_to_cents(Decimal("12345.6")) == Decimal("12345.60")


@pytest.mark.parametrize("name", ["x" * 255, 'a "b", (c).d %*\n', "😀", "שלום"])
def test_any_other_name_is_sent_as_it_is(name: str) -> None:
    assert params_of(VERSIONS.publish(VERSION, name=name))["p_name"] == name


def test_a_moment_is_sent_exactly_and_in_utc() -> None:
    moment = AWARE.astimezone(timezone(timedelta(hours=5)))

    assert params_of(VERSIONS.publish(VERSION, expected_updated_at=moment)) == {
        "p_version_id": str(VERSION),
        "p_expected_updated_at": MOMENT,
    }


@pytest.mark.parametrize(
    "text", [str(OTHER), str(OTHER).upper(), f"{{{OTHER}}}", f"urn:uuid:{OTHER}", OTHER.hex]
)
def test_every_usual_form_of_an_identifier_is_read(text: str) -> None:
    assert where_of(VERSIONS.get(text)) == (("id", "eq", str(OTHER)),)


@pytest.mark.parametrize("step", [0, -1, 2**63 - 1, -(2**63)])
def test_any_step_of_64_bits_is_sent(step: int) -> None:
    assert params_of(VERSIONS.record_metrics(VERSION, {"a": 1}, step=step))["p_step"] == step


class Scalar:
    """As a NumPy scalar or a tensor of one number does, it has `item()`."""

    def item(self) -> float:
        return 0.5


class Array:
    """As a NumPy array or a tensor of several numbers does, it has an `item()` that refuses."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def item(self) -> float:
        raise self.error


def test_numbers_of_numpy_and_pytorch_are_sent_as_numbers() -> None:
    recorded = VERSIONS.record_metrics(VERSION, {"loss": Scalar(), "n": 3})

    assert params_of(recorded)["p_metrics"] == {"loss": 0.5, "n": 3}


@pytest.mark.parametrize(
    "error", [ValueError("can only convert an array of size 1"), RuntimeError("2 elements")]
)
def test_an_array_as_a_metric_is_refused_by_its_name(error: Exception) -> None:
    with pytest.raises(InvalidInputError, match=r"metrics\.loss is not one number") as caught:
        VERSIONS.record_metrics(VERSION, {"loss": Array(error)})
    assert caught.value.field == "metrics"


NAN, INF = float("nan"), float("inf")


class NanScalar(Scalar):
    def item(self) -> float:
        return NAN


class Evaluation(BaseModel):
    loss: float
    accuracy: float = Field(default=0.5, serialization_alias="acc")


class EvaluationAsText(Evaluation, ser_json_inf_nan="strings"):
    pass


@dataclasses.dataclass
class Measured:
    loss: float
    lr: float = 1e-4


class Logged:
    def to_dict(self) -> dict[str, object]:
        return {"loss": NAN, "lr": 1e-4}


@pytest.mark.parametrize(
    ("metrics", "sent", "missing"),
    [
        ({"loss": 0.5, "lr": 1e-4}, {"loss": 0.5, "lr": 1e-4}, ()),
        ({"loss": NAN, "lr": 1e-4}, {"lr": 1e-4}, ("loss",)),
        ({"lr": 1e-4, "loss": -INF, "b": INF}, {"lr": 1e-4}, ("loss", "b")),
        ({"loss": NanScalar(), "lr": Scalar()}, {"lr": 0.5}, ("loss",)),
        ({"loss": Decimal("NaN"), "n": 10**400}, {"n": 10**400}, ("loss",)),
        ({"loss": Decimal("sNaN"), "lr": 1e-4}, {"lr": 1e-4}, ("loss",)),
        ({"eval": {"loss": NAN, "acc": 0.5}, "n": 1}, {"eval": {"acc": 0.5}, "n": 1}, ("eval",)),
        ({"eval": {"loss": NAN}, "n": 1}, {"n": 1}, ("eval",)),
        ({"per_class": [1.0, NAN], "n": 1}, {"n": 1}, ("per_class",)),
        ({"per_class": ({"f1": NAN},), "n": [[1.0]]}, {"n": [[1.0]]}, ("per_class",)),
        ({"loss": "nan", "lr": 1e-4}, {"loss": "nan", "lr": 1e-4}, ()),
        (Evaluation(loss=NAN), {"acc": 0.5}, ("loss",)),
        (Measured(loss=NAN), {"lr": 1e-4}, ("loss",)),
        (Logged(), {"lr": 1e-4}, ("loss",)),
        (EvaluationAsText(loss=NAN), {"loss": "NaN", "acc": 0.5}, ()),
        ({"eval": Evaluation(loss=NAN), "n": 1}, {"eval": {"acc": 0.5}, "n": 1}, ("eval",)),
        ({"eval": Measured(0.5), "n": NAN}, {"eval": {"loss": 0.5, "lr": 1e-4}}, ("n",)),
        ({"all": [Logged()], "n": 1}, {"n": 1}, ("all",)),
    ],
)
def test_metrics_that_json_cannot_hold_are_named_and_the_others_sent(
    metrics: Any, sent: object, missing: tuple[str, ...]
) -> None:
    request, result = exchange(VERSIONS.record_metrics(VERSION, metrics), row(1))

    assert request.params["p_metrics"] == sent
    assert result.missing_metrics == missing


def test_metrics_that_are_no_numbers_are_sent_as_they_are() -> None:
    metrics = {"confusion": [[1, 2], [3, 4]], "note": "ok", "huge": 10**400, "best": None}

    assert params_of(VERSIONS.record_metrics(VERSION, metrics))["p_metrics"] == metrics


@pytest.mark.parametrize(
    ("given", "sent"), [([], []), (range(25, 101, 25), [25, 50, 75, 100]), ({80}, [80])]
)
def test_any_collection_names_percentages(given: Any, sent: list[int]) -> None:
    assert params_of(VERSIONS.record_cost(VERSION, "1.20", alert_at=given))["p_alert_at"] == sent


def test_any_collection_names_kinds_of_events() -> None:
    kinds = cast("Any", {EventKind.DEPLOYED: 1, "published": 2}.keys())

    assert where_of(VERSIONS.history(kind=kinds)) == (("kind", "in", "(deployed,published)"),)


@pytest.mark.parametrize(
    ("operation", "argument"),
    [
        (lambda: VERSIONS.create_draft(PACKAGE, **DRAFT), "version_id"),
        (lambda: PACKAGES.create("bot", template_type="lora", config={}), "package_id"),
        (lambda: VERSIONS.restore(VERSION), "new_version_id"),
        (lambda: VERSIONS.fork(VERSION, into=PACKAGE), "new_version_id"),
        (lambda: VERSIONS.start_training(VERSION), "run_id"),
        (lambda: VERSIONS.deploy(VERSION, "local"), "stay_id"),
        (lambda: VERSIONS.record_cost(VERSION, 1), "entry_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_identifier_is_made_before_the_first_attempt(operation: Any, argument: str) -> None:
    sent = [next(operation()) for _ in range(2)]

    made = [request.params[f"p_{argument}"] for request in sent]
    assert UUID(made[0]) != UUID(made[1])
    assert f"with {argument}='{made[0]}'" in sent[0].retry_hint
