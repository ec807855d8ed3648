"""Which failed requests are sent again, after which pause, and what is raised in the end."""

import logging
from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError

from training_versions import ConflictError, ConnectionFailedError, OutcomeUnknownError
from training_versions.operations.retries import RetryState

from .scripted import PACKAGE, VERSION, VERSIONS, request_of

PUBLISH = request_of(VERSIONS.publish(VERSION))
LOST = httpx.ReadTimeout("timed out")
REFUSED = httpx.ConnectError("refused")
CONFLICT = APIError({"code": "TV201", "message": "edited since"})
BUSY = APIError({"code": "PGRST003", "message": "timed out"})


def retries(*pauses: float, request: Any = PUBLISH) -> RetryState:
    return RetryState(request, pauses)


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", max)


def test_a_lost_reply_is_followed_by_each_pause_and_then_unknown() -> None:
    state = retries(0.5, 1.0)

    pauses = [state.next_pause_or_raise(LOST, {}) for _ in range(2)]

    assert pauses == [0.5, 1.0]
    with pytest.raises(OutcomeUnknownError) as caught:
        state.next_pause_or_raise(LOST, {})
    assert caught.value.__cause__ is LOST
    assert caught.value.hint == PUBLISH.retry_hint


def test_nothing_is_repeated_when_nothing_was_sent() -> None:
    with pytest.raises(ConnectionFailedError):
        retries(0.5).next_pause_or_raise(REFUSED, {})


@pytest.mark.parametrize(
    "then", [REFUSED, BUSY, APIError({"code": "PGRST301", "message": "JWT expired"})]
)
def test_after_a_lost_reply_only_an_answer_makes_it_known(then: Exception) -> None:
    state = retries(0.5)
    state.next_pause_or_raise(LOST, {})

    with pytest.raises(OutcomeUnknownError):
        state.next_pause_or_raise(then, {})


def test_a_refusal_after_a_lost_reply_says_that_an_attempt_was_lost() -> None:
    state = retries(0.5)
    state.next_pause_or_raise(LOST, {})

    with pytest.raises(ConflictError) as caught:
        state.next_pause_or_raise(CONFLICT, {})

    assert caught.value.after_lost_reply
    assert "earlier try" in caught.value.__notes__[0]


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_what_another_transaction_stood_in_the_way_of_is_sent_again(code: str) -> None:
    deadlock = APIError({"code": code, "message": "deadlock detected"})
    state = retries(0.5)

    assert state.next_pause_or_raise(deadlock, {}) == 0.5
    with pytest.raises(ConflictError) as caught:
        state.next_pause_or_raise(deadlock, {})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "operation",
    [
        lambda: VERSIONS.lineage(VERSION),
        lambda: VERSIONS.metric_history(VERSION, "loss"),
        lambda: VERSIONS.package_cost(PACKAGE),
        lambda: VERSIONS.next_version_number(PACKAGE),
    ],
)
def test_a_read_by_function_is_repeated_and_never_unknown(operation: Any) -> None:
    state = retries(0.5, request=request_of(operation()))

    assert state.next_pause_or_raise(LOST, {}) == 0.5
    with pytest.raises(ConnectionFailedError, match="nothing was changed"):
        state.next_pause_or_raise(LOST, {})


def test_a_select_is_not_repeated_here() -> None:
    # The postgrest client repeats it already.
    with pytest.raises(ConnectionFailedError):
        retries(0.5, request=request_of(VERSIONS.get(VERSION))).next_pause_or_raise(LOST, {})


def test_pauses_are_shortened_at_random_by_up_to_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    pauses = [retries(2.0).next_pause_or_raise(LOST, {}) for _ in range(200)]

    assert 1.0 <= min(pauses) < 1.2
    assert 1.8 < max(pauses) <= 2.0


def test_a_repeat_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="training_versions"):
        retries(0.5).next_pause_or_raise(LOST, {})

    (record,) = caplog.records
    assert record.getMessage() == ("versions.publish failed (timed out); repeat 1 of 1 in 0.50 s")
