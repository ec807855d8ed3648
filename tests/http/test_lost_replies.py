"""What a real server cannot be made to do: each way to lose a reply, and what is not sent again.

Connections that are really cut are in `tests/server/sdk/test_lost_replies.py`.
"""

from __future__ import annotations

import inspect
import pickle
import time
from typing import Any

import httpx
import pytest

from tests.data import EMPTY, MOMENT, PACKAGE, VERSION, body, lineage_row, version_row
from training_versions import (
    ConnectionFailedError,
    OutcomeUnknownError,
    SchemaMismatchError,
    UnavailableError,
)

PUBLISH = "/rpc/publish_training_version"
VERSIONS = "/training_package_versions"
LOST = httpx.ReadTimeout("slow")


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("cut"),
        httpx.WriteError("broken"),
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.Response(504, text=""),
        httpx.Response(502, json={"message": "An invalid response from the upstream server"}),
        # What PostgREST sends when the database's session ended without a word, as by kill -9.
        httpx.Response(400, json={"code": "", "message": "server closed the connection"}),
        httpx.Response(400, json={"code": None, "message": "server closed the connection"}),
        httpx.Response(503, json={"code": "57P01", "message": "terminating connection"}),
    ],
    ids=str,
)
def test_a_lost_reply_is_asked_for_again_with_the_same_identifier(versions, server, lost):
    route = server.post("/rpc/create_training_draft")
    route.mock(side_effect=[lost, lost, httpx.Response(200, json=version_row())])

    versions.create_draft(PACKAGE, **EMPTY)

    first, second, third = (body(call.request) for call in route.calls)
    assert first == second == third


STARTING = {"code": "PGRST002", "message": "no schema cache"}


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"Retry-After": "37"}, 37),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("reply", [{"text": "slow down"}, {"json": STARTING}], ids=["429", "503"])
def test_an_error_says_when_to_ask_again(versions, server, reply, told, seconds):
    status = 429 if "text" in reply else 503
    server.post(PUBLISH).mock(return_value=httpx.Response(status, headers=told, **reply))

    with pytest.raises(UnavailableError) as caught:
        versions.publish(VERSION)

    assert caught.value.retry_after == seconds
    assert pickle.loads(pickle.dumps(caught.value)).retry_after == seconds


def test_when_to_ask_again_is_not_that_of_an_earlier_try(versions, server):
    route = server.post(PUBLISH)
    later = httpx.Response(503, json=STARTING)
    route.mock(
        side_effect=[httpx.Response(429, text="", headers={"Retry-After": "9"})] + [later] * 3
    )

    with pytest.raises(UnavailableError) as caught:
        versions.publish(VERSION)

    assert caught.value.retry_after is None


def test_a_page_of_a_gateway_says_when_to_ask_again(versions, server):
    page = httpx.Response(503, text="<h1>Down for maintenance</h1>", headers={"Retry-After": "37"})
    route = server.get(VERSIONS)
    route.mock(return_value=page)

    with pytest.raises(ConnectionFailedError) as caught:
        versions.find(VERSION)

    assert caught.value.retry_after == 37
    assert pickle.loads(pickle.dumps(caught.value)).retry_after == 37

    # The last try had no reply at all.
    route.mock(side_effect=[page] * 2 + [httpx.ConnectError("refused")])
    with pytest.raises(ConnectionFailedError) as caught:
        versions.find(VERSION)

    assert caught.value.retry_after is None


def test_pauses_grow_by_default(face):
    for name in ("VersionRepository", "PackageRepository"):
        parameters = inspect.signature(face.public(name)).parameters

        assert parameters["retry_pauses"].default == (0.5, 1.0, 2.0)


def test_pauses_are_about_as_long_as_they_are_set(face, client, server):
    server.post(PUBLISH).mock(side_effect=[LOST, LOST, httpx.Response(200, json=version_row())])
    begun = time.monotonic()

    face.versions(client, retry_pauses=(0.1, 0.3)).publish(VERSION)

    assert 0.2 <= time.monotonic() - begun < 3  # about: pauses may be jittered


def test_repeats_can_be_switched_off(face, client, server):
    route = server.post(PUBLISH).mock(side_effect=LOST)

    with pytest.raises(OutcomeUnknownError):
        face.versions(client, retry_pauses=()).publish(VERSION)

    assert len(route.calls) == 1


@pytest.mark.parametrize(
    "kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol]
)
def test_what_was_not_sent_is_not_repeated(versions, server, kind):
    route = server.post(PUBLISH).mock(side_effect=kind("no"))

    with pytest.raises(ConnectionFailedError):
        versions.publish(VERSION)

    assert len(route.calls) == 1


def test_a_lost_reply_and_then_no_connection_is_still_unknown(versions, server):
    down = [httpx.ConnectError("down")] * 3
    route = server.post(PUBLISH).mock(side_effect=[httpx.ReadError("reset"), *down])

    with pytest.raises(OutcomeUnknownError):
        versions.publish(VERSION)

    assert len(route.calls) == 4


@pytest.mark.parametrize("lost", [LOST, httpx.Response(502, text="<html>")], ids=str)
def test_a_read_is_never_unknown(versions, server, lost):
    route = server.get(VERSIONS).mock(side_effect=[lost])

    with pytest.raises(ConnectionFailedError, match="nothing was changed"):
        versions.get(VERSION)

    assert len(route.calls) == 1


COST = {"package_id": PACKAGE, "versions": 1, "estimated_cost": 0, "actual_cost": 0.1}
READS_BY_FUNCTION: list[tuple[str, tuple[str, ...], str, Any]] = [
    ("next_version_number", (PACKAGE,), "get_next_version_number", 3),
    ("lineage", (VERSION,), "get_version_lineage", [lineage_row(2)]),
    (
        "metric_history",
        (VERSION, "loss"),
        "get_metric_history",
        [{"step": 1, "value": 1, "recorded_at": MOMENT}],
    ),
    ("package_cost", (PACKAGE,), "get_package_cost", COST | {"budget_limit": 0}),
]


@pytest.mark.parametrize(("method", "args", "function", "reply"), READS_BY_FUNCTION)
def test_a_read_by_function_is_repeated_and_never_unknown(
    versions, server, method, args, function, reply
):
    read = getattr(versions, method)
    lost = httpx.ReadError("cut")
    route = server.post(f"/rpc/{function}")
    route.mock(side_effect=[lost, httpx.Response(200, json=reply)])

    read(*args)

    assert len(route.calls) == 2
    assert body(route.calls[0].request) == body(route.calls[1].request)
    route.mock(side_effect=lost)
    with pytest.raises(ConnectionFailedError, match="nothing was changed"):
        read(*args)


def test_a_refusal_is_not_repeated(versions, server):
    refusal = {"code": "PGRST202", "message": "no", "details": None, "hint": None}
    route = server.post(PUBLISH).mock(httpx.Response(404, json=refusal))

    with pytest.raises(SchemaMismatchError, match="supabase db push"):
        versions.publish(VERSION)

    assert len(route.calls) == 1
