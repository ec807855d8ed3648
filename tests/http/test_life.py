"""The later life of a version on the wire: one request each, exactly so, and the same again after a lost reply."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx
from pydantic import BaseModel

from training_versions import (
    ConflictError,
    ConnectionFailedError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    VersionSummary,
)

from .conftest import PACKAGE, VERSION, Driven, body, row

RUN = str(UUID(int=3))
MOMENT = "2025-01-31T12:00:00.123456+00:00"
SUMMARY = ",".join(VersionSummary.model_fields)
ROWS = "/training_package_versions"


def run_row(**changed: Any) -> dict[str, Any]:
    known = {
        "id": RUN,
        "version_id": VERSION,
        "owner_id": VERSION,
        "status": "running",
        "started_at": MOMENT,
    }
    return {**known, "ended_at": None, "started_by": None, "reason": None, **changed}


def cost_row() -> dict[str, Any]:
    known = {
        "id": RUN,
        "version_id": VERSION,
        "amount": 0.1,
        "note": None,
        "key": "k",
        "alerts": [50],
    }
    return {
        **known,
        "recorded_at": MOMENT,
        "recorded_by": None,
        "actual_cost": 0.5,
        "budget_limit": 1,
    }


def node(number: int, parent: int | None) -> dict[str, Any]:
    names = ("id", "package_id", "version_number", "name", "status", "created_at", "change_summary")
    known = {name: row(number)[name] for name in names}
    return {**known, "parent_version_id": None if parent is None else str(UUID(int=parent))}


WRITES: list[Any] = [
    (
        "restore",
        (VERSION,),
        {"name": "n", "new_version_id": RUN},
        "restore_training_version",
        {"p_version_id": VERSION, "p_name": "n", "p_new_version_id": RUN},
        row(),
    ),
    (
        "fork",
        (VERSION,),
        {"into": UUID(PACKAGE), "change_summary": "", "new_version_id": UUID(RUN)},
        "fork_training_version",
        {
            "p_version_id": VERSION,
            "p_into_package_id": PACKAGE,
            "p_change_summary": "",
            "p_new_version_id": RUN,
        },
        row(),
    ),
    (
        "start_training",
        (VERSION,),
        {"run_id": RUN},
        "start_version_training",
        {"p_version_id": VERSION, "p_run_id": RUN},
        run_row(),
    ),
    (
        "record_metrics",
        (VERSION, {"loss": 0.5}),
        {"step": 3, "run_id": RUN},
        "record_version_metrics",
        {"p_version_id": VERSION, "p_metrics": {"loss": 0.5}, "p_step": 3, "p_run_id": RUN},
        row(),
    ),
    (
        "complete_training",
        (VERSION,),
        {"run_id": RUN},
        "complete_version_training",
        {"p_version_id": VERSION, "p_run_id": RUN},
        run_row(),
    ),
    (
        "fail_training",
        (VERSION, "no memory"),
        {},
        "fail_version_training",
        {"p_version_id": VERSION, "p_reason": "no memory"},
        run_row(),
    ),
    (
        "cancel_training",
        (VERSION,),
        {},
        "cancel_version_training",
        {"p_version_id": VERSION},
        run_row(),
    ),
    (
        "deploy",
        (VERSION, "hf_space"),
        {"url": "https://x.hf.space", "deployment_id": "x", "stay_id": RUN},
        "deploy_training_version",
        {
            "p_version_id": VERSION,
            "p_target": "hf_space",
            "p_url": "https://x.hf.space",
            "p_deployment_id": "x",
            "p_stay_id": RUN,
        },
        row(),
    ),
    ("undeploy", (VERSION,), {}, "undeploy_training_version", {"p_version_id": VERSION}, row()),
    (
        "record_cost",
        (VERSION, Decimal("0.10")),
        {"key": "k", "alert_at": (90, 50), "entry_id": RUN},
        "record_training_cost",
        {
            "p_version_id": VERSION,
            "p_amount": 0.1,
            "p_key": "k",
            "p_alert_at": [90, 50],
            "p_entry_id": RUN,
        },
        cost_row(),
    ),
]
each_write = pytest.mark.parametrize(
    ("method", "args", "kwargs", "function", "sent", "reply"), WRITES
)
ENDINGS = {"complete_training", "fail_training", "cancel_training", "undeploy"}
SUMMARIES = {"restore", "fork", "record_metrics", "deploy", "undeploy"}


def without_call_id(method: str, sent: dict[str, Any]) -> dict[str, Any]:
    """Take out what tells a repeat of a call from another call."""
    if method in ENDINGS:
        UUID(sent.pop("p_call_id"))
    return sent


@each_write
def test_a_write_is_one_request_and_snapshots_do_not_travel(
    versions: Driven,
    server: respx.MockRouter,
    method: str,
    args: Any,
    kwargs: Any,
    function: str,
    sent: Any,
    reply: Any,
) -> None:
    route = server.post(f"/rpc/{function}").mock(httpx.Response(200, json=reply))

    getattr(versions, method)(*args, **kwargs)

    assert len(server.calls) == 1
    request = route.calls[0].request
    assert without_call_id(method, body(request)) == sent
    assert request.headers["Content-Profile"] == "public"
    assert dict(request.url.params) == ({"select": SUMMARY} if method in SUMMARIES else {})


@each_write
def test_a_lost_reply_is_asked_for_again_with_the_same_request(
    versions: Driven,
    server: respx.MockRouter,
    pauses: list[float],
    method: str,
    args: Any,
    kwargs: Any,
    function: str,
    sent: Any,
    reply: Any,
) -> None:
    made_by_us = {
        "restore": "new_version_id",
        "fork": "new_version_id",
        "start_training": "run_id",
        "deploy": "stay_id",
        "record_cost": "entry_id",
    }
    given = {name: value for name, value in kwargs.items() if name != made_by_us.get(method)}
    lost = [httpx.ReadTimeout("slow"), httpx.Response(502, text="<html>Bad Gateway</html>")]
    route = server.post(f"/rpc/{function}").mock(
        side_effect=[*lost, httpx.Response(200, json=reply)]
    )

    getattr(versions, method)(*args, **given)

    assert pauses == [0.5, 1.0]
    first, second, third = (body(call.request) for call in route.calls)
    assert first == second == third
    assert without_call_id(method, first).keys() == sent.keys()


@each_write
def test_after_the_last_pause_the_outcome_is_unknown(
    face: Any,
    server: respx.MockRouter,
    method: str,
    args: Any,
    kwargs: Any,
    function: str,
    sent: Any,
    reply: Any,
) -> None:
    server.post(f"/rpc/{function}").mock(side_effect=httpx.ReadTimeout("slow"))

    with pytest.raises(OutcomeUnknownError, match=rf"The reply to versions\.{method} was lost"):
        getattr(face.versions(retry_pauses=()), method)(*args, **kwargs)


class Lora(BaseModel):
    r: int


def test_a_copy_brings_back_the_typed_snapshots_only_and_what_of_them_does_not_fit(
    face: Any, server: respx.MockRouter
) -> None:
    reply = httpx.Response(200, json=row(config_snapshot={"rank": 8}))
    route = server.post("/rpc/restore_training_version").mock(reply)

    copied = face.versions(config=Lora).restore(VERSION)

    assert route.calls[0].request.url.params["select"] == f"{SUMMARY},config_snapshot"
    assert [(misfit.path, misfit.problem) for misfit in copied.misfits] == [
        ("/config_snapshot/r", "missing"),
        ("/config_snapshot/rank", "unknown"),
    ]
    assert not copied.fits


def test_two_versions_are_fetched_for_comparison_in_one_request(
    versions: Driven, server: respx.MockRouter
) -> None:
    reply = [row(2, config_snapshot={"r": 16}), row(1, config_snapshot={"r": 8})]
    route = server.get(ROWS).mock(httpx.Response(200, json=reply))
    first, second = (str(UUID(int=number)) for number in (1, 2))

    diff = versions.compare(first, second)

    assert len(server.calls) == 1
    params = route.calls[0].request.url.params
    assert (params["id"], params["limit"]) == (f"in.({first},{second})", "2")
    assert [(change.path, change.old, change.new) for change in diff] == [
        ("/config_snapshot/r", 8, 16)
    ]


def test_loaded_versions_are_compared_without_a_request(
    versions: Driven, server: respx.MockRouter
) -> None:
    server.get(ROWS).mock(httpx.Response(200, json=[row(1)]))
    version = versions.get(VERSION)
    sent = len(server.calls)

    diff = versions.compare(version, version)

    assert not diff
    assert len(server.calls) == sent


def test_a_version_that_cannot_be_compared_is_named(
    versions: Driven, server: respx.MockRouter
) -> None:
    missing = UUID(int=9)

    def answer(request: httpx.Request) -> httpx.Response:
        rows = [row(2)] if VERSION in request.url.params["id"] else []
        return httpx.Response(200, json=rows)

    server.get(ROWS).mock(side_effect=answer)

    with pytest.raises(
        NotFoundError, match=f"There is no version {missing}, or you may not see it"
    ) as caught:
        versions.compare(VERSION, missing)

    assert caught.value.operation == "versions.compare"


def test_a_lineage_is_one_request(versions: Driven, server: respx.MockRouter) -> None:
    reply = [node(1, None), node(2, 1), node(3, 2)]
    route = server.post("/rpc/get_version_lineage").mock(httpx.Response(200, json=reply))

    lineage = versions.lineage(UUID(VERSION))

    assert len(server.calls) == 1
    assert body(route.calls[0].request) == {"p_version_id": VERSION}
    assert [found.version_number for found in (*lineage.ancestors, *lineage.descendants)] == [1, 3]


@pytest.mark.parametrize(
    ("method", "args", "function", "reply"),
    [
        ("lineage", (VERSION,), "get_version_lineage", [node(2, None)]),
        (
            "metric_history",
            (VERSION, "loss"),
            "get_metric_history",
            [{"step": 1, "value": 1, "recorded_at": MOMENT}],
        ),
        (
            "package_cost",
            (PACKAGE,),
            "get_package_cost",
            {
                "package_id": PACKAGE,
                "versions": 1,
                "estimated_cost": 0,
                "actual_cost": 0.1,
                "budget_limit": 0,
            },
        ),
    ],
)
def test_a_read_by_function_is_repeated_and_never_unknown(
    versions: Driven,
    server: respx.MockRouter,
    pauses: list[float],
    method: str,
    args: Any,
    function: str,
    reply: Any,
) -> None:
    route = server.post(f"/rpc/{function}").mock(
        side_effect=[httpx.ReadError("cut"), httpx.Response(200, json=reply)]
    )
    getattr(versions, method)(*args)
    assert (len(route.calls), pauses) == (2, [0.5])
    route.mock(side_effect=httpx.ReadError("cut"))

    with pytest.raises(ConnectionFailedError, match="nothing was changed"):
        getattr(versions, method)(*args)


def test_live_reads_the_stay_that_has_not_ended(versions: Driven, server: respx.MockRouter) -> None:
    route = server.get("/training_deployments").mock(httpx.Response(200, json=[]))

    assert versions.live(PACKAGE, "local") is None

    params = route.calls[0].request.url.params
    assert (params["package_id"], params["target"], params["ended_at"]) == (
        f"eq.{PACKAGE}",
        "eq.local",
        "is.null",
    )
    assert (params["order"], params["limit"]) == ("started_at.desc", "1")


class Events:
    """A history behind a server that returns at most `cap` rows, newest first."""

    def __init__(self, server: respx.MockRouter, rows: int, cap: int) -> None:
        self.rows, self.cap = rows, cap
        self.route = server.get("/training_version_events").mock(side_effect=self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        below = (
            int(params["or"].rpartition("id.lt.")[2].rstrip(")")) if "or" in params else 1_000_000
        )
        numbers = range(min(self.rows, below - 1), 0, -1)[: min(self.cap, int(params["limit"]))]
        return httpx.Response(200, json=[self.event(number) for number in numbers])

    def event(self, number: int) -> dict[str, Any]:
        known = {
            "id": number,
            "package_id": PACKAGE,
            "version_id": VERSION,
            "version_number": 1,
            "kind": "edited",
        }
        return {
            **known,
            "actor_id": None,
            "occurred_at": MOMENT,
            "details": {"paths": []},
            "source": None,
        }


@pytest.mark.parametrize(
    ("rows", "cap", "limit"), [(25, 10, 100), (25, 1000, 10), (20, 10, 10), (0, 5, 5)]
)
def test_history_is_paged_to_its_end_whatever_the_server_caps(
    versions: Driven, server: respx.MockRouter, rows: int, cap: int, limit: int
) -> None:
    Events(server, rows, cap)
    found, cursor = [], None

    while True:
        page = versions.history(version_id=VERSION, limit=limit, cursor=cursor)
        found += [event.id for event in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == list(range(rows, 0, -1))
    assert [
        event.id for event in versions.iterate_history(version_id=VERSION, page_size=limit)
    ] == found


def test_a_refused_transition_keeps_both_states(versions: Driven, server: respx.MockRouter) -> None:
    refusal = {
        "code": "TV205",
        "message": "training of version 1 is running already",
        "details": f'{{"version_id": "{VERSION}", "training_status": "running", "wanted": "running"}}',
        "hint": "Wait for it to end, or cancel it.",
    }
    server.post("/rpc/start_version_training").mock(httpx.Response(400, json=refusal))

    with pytest.raises(ConflictError) as caught:
        versions.start_training(VERSION)

    assert caught.value.details == {
        "version_id": VERSION,
        "training_status": "running",
        "wanted": "running",
    }


def test_bad_input_sends_nothing(versions: Driven, server: respx.MockRouter) -> None:
    for refused in (
        lambda: versions.compare(VERSION, "no"),
        lambda: versions.fork(VERSION, into="no"),
        lambda: versions.record_metrics(VERSION, {"loss": float("nan")}),
        lambda: versions.deploy(VERSION, "moon"),
        lambda: versions.record_cost(VERSION, "0.001"),
        lambda: versions.history(package_id=PACKAGE, version_id=VERSION),
        lambda: versions.iterate_history(kind="gone"),
    ):
        with pytest.raises(InvalidInputError):
            refused()
    assert len(server.calls) == 0
