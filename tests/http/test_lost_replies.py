"""A write whose reply was lost is sent again, the same, after growing pauses; nothing else is."""

from typing import Any

import httpx
import pytest
import respx

from training_versions import (
    ConnectionFailedError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SchemaMismatchError,
)

from .conftest import PACKAGE, VERSION, Driven, body, row

PUBLISH = "/rpc/publish_training_version"
CREATE = "/rpc/create_training_draft"
ROWS = "/training_package_versions"
DRAFT: dict[str, Any] = {"config": {}, "model": {}, "dataset": []}


def refusal(code: str, message: str = "no", status: int = 400, **more: str) -> httpx.Response:
    return httpx.Response(
        status, json={"code": code, "message": message, "details": None, "hint": None, **more}
    )


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("cut"),
        httpx.WriteError("broken"),
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.Response(504, text=""),
        httpx.Response(
            502, json={"message": "An invalid response was received from the upstream server"}
        ),
    ],
    ids=str,
)
def test_a_lost_reply_is_asked_for_again_with_the_same_identifier(
    versions: Driven, server: respx.MockRouter, pauses: list[float], lost: Any
) -> None:
    route = server.post(CREATE).mock(side_effect=[lost, lost, httpx.Response(200, json=row())])

    versions.create_draft(PACKAGE, **DRAFT)

    assert pauses == [0.5, 1.0]
    first, second, third = (body(call.request) for call in route.calls)
    assert first == second == third


def test_after_the_last_pause_the_outcome_is_unknown(
    versions: Driven, server: respx.MockRouter, pauses: list[float]
) -> None:
    route = server.post(PUBLISH).mock(side_effect=httpx.ReadTimeout("slow"))

    with pytest.raises(
        OutcomeUnknownError, match=r"The reply to versions\.publish was lost"
    ) as caught:
        versions.publish(VERSION)

    assert (len(route.calls), pauses) == (4, [0.5, 1.0, 2.0])
    assert isinstance(caught.value.__cause__, httpx.ReadTimeout)


def test_repeats_can_be_switched_off(
    face: Any, server: respx.MockRouter, pauses: list[float]
) -> None:
    route = server.post(PUBLISH).mock(side_effect=httpx.ReadTimeout("slow"))

    with pytest.raises(OutcomeUnknownError):
        face.versions(retry_pauses=()).publish(VERSION)

    assert (len(route.calls), pauses) == (1, [])


@pytest.mark.parametrize(
    "kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol]
)
def test_what_was_not_sent_is_not_repeated(
    versions: Driven,
    server: respx.MockRouter,
    pauses: list[float],
    kind: type[httpx.TransportError],
) -> None:
    server.post(PUBLISH).mock(side_effect=kind("no"))

    with pytest.raises(ConnectionFailedError):
        versions.publish(VERSION)

    assert pauses == []


def test_a_lost_reply_and_then_no_connection_is_still_unknown(
    versions: Driven, server: respx.MockRouter, pauses: list[float]
) -> None:
    server.post(PUBLISH).mock(
        side_effect=[httpx.ReadError("reset"), *[httpx.ConnectError("down")] * 3]
    )

    with pytest.raises(OutcomeUnknownError):
        versions.publish(VERSION)

    assert pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "lost", [httpx.ReadTimeout("slow"), httpx.Response(502, text="<html>")], ids=str
)
def test_a_read_is_never_unknown(
    versions: Driven, server: respx.MockRouter, pauses: list[float], lost: Any
) -> None:
    server.get(ROWS).mock(side_effect=[lost])

    with pytest.raises(ConnectionFailedError):
        versions.get(VERSION)

    assert pauses == []


def test_a_refusal_is_not_repeated(
    versions: Driven, server: respx.MockRouter, pauses: list[float]
) -> None:
    route = server.post(PUBLISH).mock(refusal("PGRST202", status=404))

    with pytest.raises(SchemaMismatchError, match="supabase db push"):
        versions.publish(VERSION)

    assert (len(route.calls), pauses) == (1, [])


def test_someone_not_signed_in_is_told(versions: Driven, server: respx.MockRouter) -> None:
    server.get(ROWS).mock(
        refusal("42501", "permission denied for table training_package_versions", 401)
    )

    with pytest.raises(
        PermissionDeniedError, match=r"You are not signed in.*\n.*sign_in_with_password"
    ):
        versions.list()


def test_an_expired_token_is_told(versions: Driven, server: respx.MockRouter) -> None:
    server.post(PUBLISH).mock(refusal("PGRST301", "JWT expired", 401))

    with pytest.raises(PermissionDeniedError, match="has expired or is not valid: JWT expired"):
        versions.publish(VERSION)
