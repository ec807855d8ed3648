"""A write whose reply is lost after it was carried out is sent again, and has the effect of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from training_versions import Version

WRITES: dict[str, tuple[Callable[[Any, Version], Any], list[str]]] = {
    "restore": (lambda versions, version: versions.restore(version.id), ["restored"]),
    "fork": (
        lambda versions, version: versions.fork(version.id, into=version.package_id),
        ["forked"],
    ),
    "start_training": (
        lambda versions, version: versions.start_training(version.id),
        ["training_started"],
    ),
    "record_metrics": (
        lambda versions, version: versions.record_metrics(version.id, {"loss": 1}),
        [],
    ),
    "complete_training": (
        lambda versions, version: versions.complete_training(version.id),
        ["training_completed"],
    ),
    "fail_training": (
        lambda versions, version: versions.fail_training(version.id, "x"),
        ["training_failed"],
    ),
    "cancel_training": (
        lambda versions, version: versions.cancel_training(version.id),
        ["training_cancelled"],
    ),
    "deploy": (lambda versions, version: versions.deploy(version.id, "local"), ["deployed"]),
    "undeploy": (lambda versions, version: versions.undeploy(version.id), ["undeployed"]),
    "record_cost": (
        lambda versions, version: versions.record_cost(version.id, "1.00"),
        ["cost_recorded"],
    ),
}
BEFORE = {
    "complete_training": lambda versions, version: versions.start_training(version.id),
    "fail_training": lambda versions, version: versions.start_training(version.id),
    "cancel_training": lambda versions, version: versions.start_training(version.id),
    "undeploy": lambda versions, version: versions.deploy(version.id, "local"),
}


@pytest.fixture
def far(connect: Any, ada: Any) -> Any:
    """Ada at the end of a line that loses the first two replies."""
    left = [2]

    def lose(request: httpx.Request) -> None:
        if left[0]:
            left[0] -= 1
            if left[0] == 1 and (between := getattr(made, "between", None)):
                between()
            raise httpx.ReadError("the reply was lost", request=request)

    def transport(usual: Any) -> Any:
        if connect.is_async:
            send = usual.handle_async_request

            async def handle(request: httpx.Request) -> httpx.Response:
                response = await send(request)
                await response.aread()
                lose(request)
                return response

            usual.handle_async_request = handle
        else:
            send = usual.handle_request

            def handle_now(request: httpx.Request) -> httpx.Response:
                response = send(request)
                response.read()
                lose(request)
                return response

            usual.handle_request = handle_now
        return usual

    made = connect(ada, transport=transport)
    return made


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_was_carried_out_three_times_has_the_effect_of_one(
    far: Any, ada: Any, published: Version, name: str
) -> None:
    write, expected = WRITES[name]
    if name in BEFORE:
        BEFORE[name](ada.versions, published)
    (newest, *_) = ada.versions.iterate_history(package_id=published.package_id)

    result = write(far.versions, published)

    assert len(far.sent) == 3
    assert result is not None
    since = [
        event
        for event in ada.versions.iterate_history(package_id=published.package_id)
        if event.id > newest.id
    ]
    assert [event.kind for event in since] == expected
    assert ada.versions.package_cost(published.package_id).actual_cost == (
        1 if name == "record_cost" else 0
    )


@pytest.mark.parametrize("verb", ["complete", "cancel", "fail"])
def test_a_repeat_does_not_end_a_run_that_began_in_between(
    far: Any, ada: Any, stack: Any, published: Version, verb: str
) -> None:
    ada.versions.start_training(published.id)
    start = stack.client(ada.token).rpc(
        "start_version_training", {"p_version_id": str(published.id)}
    )
    far.between = (lambda: None) if verb == "complete" else start.execute

    ended = getattr(far.versions, f"{verb}_training")(
        published.id, *(["why"] if verb == "fail" else [])
    )

    assert ended.status == {"complete": "completed", "cancel": "cancelled", "fail": "failed"}[verb]
    now = ada.versions.get(published.id).training_status
    assert now == ("completed" if verb == "complete" else "running")


def test_a_repeat_of_undeploying_does_not_end_a_stay_that_began_in_between(
    far: Any, ada: Any, stack: Any, published: Version
) -> None:
    ada.versions.deploy(published.id, "local", url="http://old")
    anew = {"p_version_id": str(published.id), "p_target": "local", "p_url": "http://new"}
    far.between = stack.client(ada.token).rpc("deploy_training_version", anew).execute

    far.versions.undeploy(published.id)

    assert ada.versions.live(published.package_id, "local").url == "http://new"
