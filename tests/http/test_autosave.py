"""What an autosaver is made with and closed with, on both faces."""

from __future__ import annotations

import asyncio
import queue
import time
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.data import body, version_row
from training_versions import InvalidInputError, Version

INTERVAL = 0.05
DRAFT: Any = Version.model_validate(version_row(name="old"))


@pytest.fixture
def saves(server):
    """Saves that succeed."""

    def save(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=version_row(**body(request)["p_changes"]))

    return server.post("/rpc/update_training_draft").mock(side_effect=save)


@pytest.fixture
def saver(face, versions, saves):
    made = face.make(face.public("DraftAutosaver"), versions.target, DRAFT, interval=3600)
    yield made
    made.close()


@pytest.mark.parametrize("given", ["nothing", "the repository of the other face"])
def test_an_autosaver_takes_a_repository_of_its_own_face(face, versions, given):
    repository = None if given == "nothing" else versions.target

    with pytest.raises(InvalidInputError, match="needs a") as caught:
        face.twin("DraftAutosaver")(repository, DRAFT)

    assert caught.value.field == "versions"


@pytest.mark.parametrize("on_error", ["nope", 3])
def test_on_error_can_be_called(face, versions, on_error):
    with pytest.raises(InvalidInputError) as caught:
        face.make(face.public("DraftAutosaver"), versions.target, DRAFT, on_error=on_error)

    assert caught.value.field == "on_error"


@pytest.mark.parametrize("timeout", ["x", None, True, -1, -5.0, float("nan"), float("inf"), 1e300])
def test_a_timeout_is_seconds_and_what_is_none_closes_nothing(saver, saves, timeout):
    saver.change(name="new")

    with pytest.raises(InvalidInputError) as caught:
        saver.close(timeout=timeout)

    assert caught.value.field == "timeout"
    assert saver.pending == {"name": "new"}
    assert not saves.calls
    saver.change(change_summary="not closed")
    saver.close(timeout=0)
    assert saver.pending == {}


def test_a_change_that_no_event_loop_would_save_is_not_taken(face, saver):
    async def change() -> None:
        saver.target.change(name="in another loop")

    if not face.is_async:  # changes come from any thread
        saver.target.change(name="in no loop")
        return
    for taken in ({}, {"name": "good"}):
        with pytest.raises(InvalidInputError, match="event loop"):
            saver.target.change(name="in none")
        assert saver.pending == taken
        saver.change(name="good")
    with pytest.raises(InvalidInputError, match="event loop"):
        asyncio.run(change())
    assert saver.pending == {"name": "good"}


def test_in_the_background_a_save_without_a_reply_is_sent_once_an_interval(face, client, saves):
    sent_at: list[float] = []
    requests_at_errors: queue.SimpleQueue[int] = queue.SimpleQueue()
    succeed = saves.side_effect

    def lose_the_reply(request: httpx.Request) -> httpx.Response:
        sent_at.append(time.monotonic())
        raise httpx.ReadTimeout("no reply", request=request)

    saves.side_effect = lose_the_reply
    saver = face.make(
        face.public("DraftAutosaver"),
        face.versions(client).target,  # which repeats writes, with the usual pauses
        DRAFT,
        interval=INTERVAL,
        on_error=lambda error: requests_at_errors.put(len(sent_at)),
    )

    saver.change(name="new")
    requests = [requests_at_errors.get(timeout=10) for _ in range(3)]

    saves.side_effect = succeed
    saver.close()
    assert requests == [1, 2, 3]
    assert all(later - earlier >= INTERVAL for earlier, later in pairwise(sent_at))
    assert saver.pending == {}
