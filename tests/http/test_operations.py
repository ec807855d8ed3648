"""Each write on the wire: one request, exactly so, and the same again when its reply is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import BaseModel

from tests.data import CALLS, SUMMARY, VERSION, body, version_row
from tests.faces import Driven
from training_versions import OutcomeUnknownError

NO_CONTENT = httpx.Response(204)
WRITES = [operation for operation, call in CALLS.items() if call.function and call.is_write]


class Write:
    """A write of the table, on a face and in front of a server."""

    def __init__(self, operation: str, repositories: dict[str, Driven]) -> None:
        self.operation = operation
        self.call = CALLS[operation]
        repository, method = operation.split(".")
        self.act = getattr(repositories[repository], method)

    @property
    def path(self) -> str:
        return f"/rpc/{self.call.function}"

    def respond(self) -> httpx.Response:
        if self.call.reply is None:
            return NO_CONTENT
        return httpx.Response(200, json=self.call.reply)

    def without_call_id(self, sent: dict[str, Any]) -> dict[str, Any]:
        if self.call.has_call_id:
            UUID(sent.pop("p_call_id"))
        return sent


each_write = pytest.mark.parametrize("write", WRITES, indirect=True)


@pytest.fixture
def write(request, versions, packages):
    return Write(request.param, {"versions": versions, "packages": packages})


@each_write
def test_a_write_is_one_request_and_returns_no_more_than_is_needed(server, write):
    route = server.post(write.path).mock(write.respond())

    write.act(**write.call.arguments)

    assert len(server.calls) == 1
    request = route.calls[0].request
    assert write.without_call_id(body(request)) == write.call.sent
    assert request.headers["Content-Profile"] == "public"
    assert request.url.params.get("select") == write.call.columns
    # So that PostgREST need not parse the body to learn them.
    assert request.url.params["columns"].split(",") == list(body(request))


@each_write
def test_a_lost_reply_is_asked_for_again_with_the_same_request(server, write):
    lost = [httpx.ReadTimeout("slow"), httpx.Response(502, text="<html>Bad Gateway</html>")]
    route = server.post(write.path).mock(side_effect=[*lost, write.respond()])
    given = dict(write.call.arguments)
    given.pop(write.call.idempotency_key, None)

    write.act(**given)

    first, second, third = (body(call.request) for call in route.calls)
    assert first == second == third
    assert write.without_call_id(first).keys() == write.call.sent.keys()


@each_write
def test_when_every_reply_is_lost_the_outcome_is_unknown(server, write):
    route = server.post(write.path).mock(side_effect=httpx.ReadTimeout("slow"))

    with pytest.raises(OutcomeUnknownError) as caught:
        write.act(**write.call.arguments)

    assert len(route.calls) == 4
    assert f"The reply to {write.operation} was lost" in caught.value.message
    assert isinstance(caught.value.__cause__, httpx.ReadTimeout)


class Lora(BaseModel):
    r: int


def test_a_copy_brings_back_the_typed_snapshots_only_and_what_of_them_does_not_fit(
    face, client, server
):
    reply = httpx.Response(200, json={SUMMARY: version_row(), "config_snapshot": {"rank": 8}})
    route = server.post("/rpc/restore_training_version").mock(reply)

    copied = face.versions(client, config=Lora).restore(VERSION)

    assert route.calls[0].request.url.params["select"] == f"{SUMMARY},config_snapshot"
    assert [(misfit.path, misfit.problem) for misfit in copied.misfits] == [
        ("/config_snapshot/r", "missing"),
        ("/config_snapshot/rank", "unknown"),
    ]
    assert not copied.fits
