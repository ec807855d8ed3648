"""Each write on the wire: one request, exactly so, and the same again when its reply is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import BaseModel

from tests.data import PACKAGE, RUN, VERSION, body, cost_row, package_row, run_row, version_row
from tests.faces import Driven
from training_versions import OutcomeUnknownError, VersionSummary

SUMMARY = ",".join(VersionSummary.model_fields)
CONTENT: dict[str, Any] = {"config": {"r": 8}, "model": {"id": "m"}, "dataset": [{"id": "a"}]}
NO_CONTENT = httpx.Response(204)


@dataclass(frozen=True)
class Write:
    """A call, the function that it is to call, and the body that it is to send."""

    method: str
    args: tuple[Any, ...]
    function: str
    sent: dict[str, Any]
    kwargs: dict[str, Any] = field(default_factory=dict)
    reply: Any = field(default_factory=version_row)
    on: str = "versions"
    # The argument that makes a repeat have the effect of one, and which the SDK makes up if it is
    # left out.
    idempotency_key: str | None = None
    call_id: bool = False  # one that the caller cannot give
    columns: str | None = None  # what the reply is to have

    def act(self, repository: Driven, **kwargs: Any) -> Any:
        return getattr(repository, self.method)(*self.args, **kwargs)

    def respond(self) -> httpx.Response:
        return NO_CONTENT if self.reply is None else httpx.Response(200, json=self.reply)

    def without_call_id(self, sent: dict[str, Any]) -> dict[str, Any]:
        if self.call_id:
            UUID(sent.pop("p_call_id"))
        return sent


V: dict[str, Any] = {"p_version_id": VERSION}

WRITES = [
    Write(
        "create",
        ("bot",),
        "create_training_package",
        {
            "p_name": "bot",
            "p_template_type": "lora",
            "p_config_json": {"r": 8},
            "p_package_id": PACKAGE,
        },
        {"template_type": "lora", "config": {"r": 8}, "package_id": PACKAGE},
        reply=package_row(),
        on="packages",
        idempotency_key="package_id",
    ),
    Write(
        "update",
        (PACKAGE,),
        "update_training_package",
        {"p_package_id": PACKAGE, "p_changes": {"name": "b", "config_json": {}}},
        {"name": "b", "config": {}},
        reply=package_row(),
        on="packages",
    ),
    Write(
        "delete",
        (PACKAGE,),
        "delete_training_package",
        {"p_package_id": PACKAGE},
        reply=None,
        on="packages",
    ),
    Write(
        "create_draft",
        (UUID(PACKAGE),),
        "create_training_draft",
        {
            "p_package_id": PACKAGE,
            "p_version_id": VERSION,
            "p_fields": {
                "parent_version_id": VERSION,
                "config_snapshot": {"r": 8},
                "model_snapshot": {"id": "m"},
                "dataset_snapshot": [{"id": "a"}],
                "estimated_cost": 0.1,
            },
        },
        {
            **CONTENT,
            "version_id": UUID(VERSION),
            "estimated_cost": Decimal("0.10"),
            "parent_version_id": VERSION,
        },
        idempotency_key="version_id",
    ),
    Write(
        "update_draft",
        (VERSION,),
        "update_training_draft",
        V | {"p_changes": {"name": "b", "budget_limit": None}},
        {"name": "b", "budget_limit": None},
    ),
    Write("delete_draft", (VERSION,), "delete_training_draft", V, reply=None),
    Write("publish", (VERSION,), "publish_training_version", V | {"p_name": "b"}, {"name": "b"}),
    Write("archive", (VERSION,), "archive_training_version", V),
    Write(
        "restore",
        (VERSION,),
        "restore_training_version",
        V | {"p_name": "n", "p_new_version_id": RUN},
        {"name": "n", "new_version_id": RUN},
        idempotency_key="new_version_id",
        columns=SUMMARY,
    ),
    Write(
        "fork",
        (VERSION,),
        "fork_training_version",
        V | {"p_into_package_id": PACKAGE, "p_change_summary": "", "p_new_version_id": RUN},
        {"into": UUID(PACKAGE), "change_summary": "", "new_version_id": UUID(RUN)},
        idempotency_key="new_version_id",
        columns=SUMMARY,
    ),
    Write(
        "start_training",
        (VERSION,),
        "start_version_training",
        V | {"p_run_id": RUN},
        {"run_id": RUN},
        reply=run_row(),
        idempotency_key="run_id",
    ),
    Write(
        "record_metrics",
        (VERSION, {"loss": 0.5}),
        "record_version_metrics",
        V | {"p_metrics": {"loss": 0.5}, "p_step": 3, "p_run_id": RUN},
        {"step": 3, "run_id": RUN},
        columns=SUMMARY,
    ),
    Write(
        "complete_training",
        (VERSION,),
        "complete_version_training",
        V | {"p_run_id": RUN},
        {"run_id": RUN},
        reply=run_row(),
        call_id=True,
    ),
    Write(
        "fail_training",
        (VERSION, "no memory"),
        "fail_version_training",
        V | {"p_reason": "no memory"},
        reply=run_row(),
        call_id=True,
    ),
    Write(
        "cancel_training", (VERSION,), "cancel_version_training", V, reply=run_row(), call_id=True
    ),
    Write(
        "deploy",
        (VERSION, "hf_space"),
        "deploy_training_version",
        V
        | {
            "p_target": "hf_space",
            "p_url": "https://x.hf.space",
            "p_deployment_id": "x",
            "p_stay_id": RUN,
        },
        {"url": "https://x.hf.space", "deployment_id": "x", "stay_id": RUN},
        idempotency_key="stay_id",
        columns=SUMMARY,
    ),
    Write("undeploy", (VERSION,), "undeploy_training_version", V, call_id=True, columns=SUMMARY),
    Write(
        "record_cost",
        (VERSION, Decimal("0.10")),
        "record_training_cost",
        V | {"p_amount": 0.1, "p_key": "k", "p_alert_at": [90, 50], "p_entry_id": RUN},
        {"key": "k", "alert_at": (90, 50), "entry_id": RUN},
        reply=cost_row(),
        idempotency_key="entry_id",
    ),
]
each_write = pytest.mark.parametrize("write", WRITES, ids=lambda write: write.method)


@pytest.fixture
def repository(versions, packages, write):
    return packages if write.on == "packages" else versions


@each_write
def test_a_write_is_one_request_and_returns_no_more_than_is_needed(repository, server, write):
    route = server.post(f"/rpc/{write.function}").mock(write.respond())

    write.act(repository, **write.kwargs)

    assert len(server.calls) == 1
    request = route.calls[0].request
    assert write.without_call_id(body(request)) == write.sent
    assert request.headers["Content-Profile"] == "public"
    assert request.url.params.get("select") == write.columns


@each_write
def test_a_lost_reply_is_asked_for_again_with_the_same_request(repository, server, write):
    lost = [httpx.ReadTimeout("slow"), httpx.Response(502, text="<html>Bad Gateway</html>")]
    route = server.post(f"/rpc/{write.function}").mock(side_effect=[*lost, write.respond()])
    given = {name: value for name, value in write.kwargs.items() if name != write.idempotency_key}

    write.act(repository, **given)

    first, second, third = (body(call.request) for call in route.calls)
    assert first == second == third
    assert write.without_call_id(first).keys() == write.sent.keys()


@each_write
def test_when_every_reply_is_lost_the_outcome_is_unknown(repository, server, write):
    route = server.post(f"/rpc/{write.function}").mock(side_effect=httpx.ReadTimeout("slow"))

    with pytest.raises(OutcomeUnknownError) as caught:
        write.act(repository, **write.kwargs)

    assert len(route.calls) == 4
    assert f"The reply to {write.on}.{write.method} was lost" in caught.value.message
    assert isinstance(caught.value.__cause__, httpx.ReadTimeout)


class Lora(BaseModel):
    r: int


def test_a_copy_brings_back_the_typed_snapshots_only_and_what_of_them_does_not_fit(
    face, client, server
):
    reply = httpx.Response(200, json=version_row(config_snapshot={"rank": 8}))
    route = server.post("/rpc/restore_training_version").mock(reply)

    copied = face.versions(client, config=Lora).restore(VERSION)

    assert route.calls[0].request.url.params["select"] == f"{SUMMARY},config_snapshot"
    assert [(misfit.path, misfit.problem) for misfit in copied.misfits] == [
        ("/config_snapshot/r", "missing"),
        ("/config_snapshot/rank", "unknown"),
    ]
    assert not copied.fits
