"""Which failed requests are sent again, after which pause, and what is raised in the end."""

import logging
from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError

from training_versions import (
    ConflictError,
    ConnectionFailedError,
    NotSignedInError,
    OutcomeUnknownError,
    TrainingVersionsError,
    UnavailableError,
)
from training_versions.operations.retries import DEFAULT_PAUSES, RetryState

from .scripted import PACKAGE, VERSION, VERSIONS, request_of

PUBLISH = request_of(VERSIONS.publish(VERSION))
LOST = httpx.ReadTimeout("timed out")
REFUSED = httpx.ConnectError("refused")
CONFLICT = APIError({"code": "TV201", "message": "edited since"})
CANCELLED = APIError({"code": "57014", "message": "canceling statement due to statement timeout"})
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
    assert "earlier try" in str(caught.value)


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_what_another_transaction_stood_in_the_way_of_is_sent_again(code: str) -> None:
    deadlock = APIError({"code": code, "message": "deadlock detected"})
    state = retries(0.5)

    assert state.next_pause_or_raise(deadlock, {}) == 0.5
    with pytest.raises(ConflictError) as caught:
        state.next_pause_or_raise(deadlock, {})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "code", ["PGRST000", "PGRST002", "53100", "53200", "53300", "57P03", "55P03", "429"]
)
def test_a_write_that_the_database_did_not_take_is_sent_again(code: str) -> None:
    busy = APIError({"code": code, "message": "not now"})
    state = retries(0.5, 1.0, 2.0)

    assert [state.next_pause_or_raise(busy, {}) for _ in range(3)] == [0.5, 1.0, 2.0]
    with pytest.raises(UnavailableError) as caught:
        state.next_pause_or_raise(busy, {})
    assert caught.value.code == code
    assert not caught.value.after_lost_reply


@pytest.mark.parametrize("slow", [CANCELLED, BUSY], ids=str)
def test_a_write_that_the_server_gave_up_after_seconds_is_sent_again_once(slow: Exception) -> None:
    state = retries(0.5, 1.0, 2.0)

    assert state.next_pause_or_raise(slow, {}) == 0.5
    with pytest.raises(UnavailableError):
        state.next_pause_or_raise(slow, {})


@pytest.mark.parametrize("code", ["25006", "57P04", "PGRST301", "TV301"])
def test_a_write_is_not_repeated_where_the_same_answer_would_come(code: str) -> None:
    with pytest.raises(TrainingVersionsError):
        retries(0.5).next_pause_or_raise(APIError({"code": code, "message": "no"}), {})


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


GET = request_of(VERSIONS.get(VERSION))
SESSION_ENDED = APIError({"code": "", "message": "server closed the connection unexpectedly"})


@pytest.mark.parametrize("request_", [GET, request_of(VERSIONS.lineage(VERSION))])
@pytest.mark.parametrize(
    "failure",
    [
        REFUSED,
        httpx.ReadError("reset"),
        SESSION_ENDED,
        APIError({"code": "PGRST002", "message": "no schema cache"}),
        APIError({"code": "53300", "message": "too many connections"}),
        APIError({"code": "503", "message": "Service Unavailable"}),
    ],
    ids=str,
)
def test_a_read_without_a_network_fails_within_two_seconds(
    request_: Any, failure: Exception
) -> None:
    state = RetryState(request_, DEFAULT_PAUSES)

    paused = sum(state.next_pause_or_raise(failure, {}) for _ in range(2))

    assert paused < 2
    with pytest.raises((ConnectionFailedError, UnavailableError)):
        state.next_pause_or_raise(failure, {})


@pytest.mark.parametrize("failure", [LOST, CONFLICT, CANCELLED], ids=str)
def test_a_select_that_has_taken_long_or_was_answered_is_not_repeated(failure: Exception) -> None:
    with pytest.raises(TrainingVersionsError):
        retries(0.5, request=GET).next_pause_or_raise(failure, {})


def test_a_write_whose_database_session_ended_is_sent_again() -> None:
    state = retries(0.5)

    assert state.next_pause_or_raise(SESSION_ENDED, {}) == 0.5
    with pytest.raises(OutcomeUnknownError):
        state.next_pause_or_raise(SESSION_ENDED, {})


@pytest.mark.parametrize("request_", [PUBLISH, GET])
@pytest.mark.parametrize(
    "early",
    [
        {"code": "PGRST303", "message": "JWT issued at future"},
        {"code": "PGRST301", "message": "JWTIssuedAtFuture"},
        {"code": "PGRST301", "message": "JWTNotYetValid"},
    ],
)
def test_a_token_from_the_future_is_sent_once_more_after_a_second(
    request_: Any, early: dict[str, Any]
) -> None:
    state = retries(0.25, 0.25, request=request_)

    assert state.next_pause_or_raise(APIError(early), {}) == 1
    with pytest.raises(NotSignedInError):
        state.next_pause_or_raise(APIError(early), {})
    with pytest.raises(NotSignedInError):
        retries(request=request_).next_pause_or_raise(APIError(early), {})


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
