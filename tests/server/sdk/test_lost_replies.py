"""Replies that are lost for real: a write has the effect of one, however often it was carried out.

What a real server cannot be made to do is in `tests/http/test_lost_replies.py`.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from tests.data import EMPTY, SNAPSHOTS
from tests.faces import both_faces
from tests.server.sdk.cutter import ALWAYS
from training_versions import ConnectionFailedError, NotFoundError, OutcomeUnknownError, Version

pytestmark = both_faces


@dataclass
class Scene:
    """What a write acts on, and an identifier that nothing has yet."""

    package_id: UUID
    draft: Version
    published: Version
    key: UUID


@dataclass(frozen=True)
class Write:
    """A write, what must come before it, and the events that it leaves."""

    act: Callable[[Any, Scene], Any]
    events: list[str]
    prepare: Callable[[Any, Scene], Any] = lambda who, scene: None
    # The same call can be made again and again, because the caller gives the idempotency key.
    repeatable: bool = False


def start(who: Any, scene: Scene) -> Any:
    return who.versions.start_training(scene.published.id)


WRITES: dict[str, Write] = {
    "create_draft": Write(
        lambda who, s: who.versions.create_draft(s.package_id, **SNAPSHOTS, version_id=s.key),
        ["created"],
        repeatable=True,
    ),
    "update_draft": Write(
        lambda who, s: who.versions.update_draft(
            s.draft.id, config={"r": 99}, expected_updated_at=s.draft.updated_at
        ),
        ["edited"],
        repeatable=True,
    ),
    "publish": Write(
        lambda who, s: who.versions.publish(
            s.draft.id, name="final", expected_updated_at=s.draft.updated_at
        ),
        ["published"],
        repeatable=True,
    ),
    "archive": Write(
        lambda who, s: who.versions.archive(s.published.id), ["archived"], repeatable=True
    ),
    "delete_draft": Write(
        lambda who, s: who.versions.delete_draft(
            s.draft.id, expected_updated_at=s.draft.updated_at
        ),
        ["deleted"],
        repeatable=True,
    ),
    "packages.create": Write(
        lambda who, s: who.package("second", package_id=s.key), [], repeatable=True
    ),
    "packages.update": Write(
        lambda who, s: who.packages.update(s.package_id, name="renamed", config={"r": 2}),
        [],
        repeatable=True,
    ),
    "packages.delete": Write(
        lambda who, s: who.packages.delete(s.key),
        [],
        prepare=lambda who, s: who.draft(who.package("to be deleted", package_id=s.key)),
        repeatable=True,
    ),
    "restore": Write(lambda who, s: who.versions.restore(s.published.id), ["restored"]),
    "fork": Write(lambda who, s: who.versions.fork(s.published.id, into=s.package_id), ["forked"]),
    "start_training": Write(start, ["training_started"]),
    "record_metrics": Write(
        lambda who, s: who.versions.record_metrics(s.published.id, {"loss": 1}), []
    ),
    "complete_training": Write(
        lambda who, s: who.versions.complete_training(s.published.id),
        ["training_completed"],
        prepare=start,
    ),
    "fail_training": Write(
        lambda who, s: who.versions.fail_training(s.published.id, "x"),
        ["training_failed"],
        prepare=start,
    ),
    "cancel_training": Write(
        lambda who, s: who.versions.cancel_training(s.published.id),
        ["training_cancelled"],
        prepare=start,
    ),
    "deploy": Write(lambda who, s: who.versions.deploy(s.published.id, "local"), ["deployed"]),
    "undeploy": Write(
        lambda who, s: who.versions.undeploy(s.published.id),
        ["undeployed"],
        prepare=lambda who, s: who.versions.deploy(s.published.id, "local"),
    ),
    "record_cost": Write(
        lambda who, s: who.versions.record_cost(s.published.id, "1.00"), ["cost_recorded"]
    ),
}
REPEATABLE = {name: write for name, write in WRITES.items() if write.repeatable}


@pytest.fixture
def scene(ada, published):
    draft = ada.draft(published, parent_version_id=published.id)
    return Scene(published.package_id, draft, published, uuid4())


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_that_was_carried_out_three_times_has_the_effect_of_one(
    far, ada, scene, cutter, rows_of, write
):
    write.prepare(ada, scene)
    before, history = rows_of(ada.id), ada.kinds(package_id=scene.package_id)
    cutter.cut("lost", 2)

    result = write.act(far, scene)

    assert cutter.requests == 3
    after = rows_of(ada.id)
    assert after != before
    assert ada.kinds(package_id=scene.package_id) == history + write.events
    costs = ada.versions.package_cost(scene.package_id).actual_cost
    assert costs == (1 if write.events == ["cost_recorded"] else 0)
    if write.repeatable:  # once more, with nothing lost: that changes nothing
        assert write.act(ada, scene) == result
        assert rows_of(ada.id) == after


@pytest.mark.parametrize("write", REPEATABLE.values(), ids=REPEATABLE)
def test_when_every_reply_is_lost_the_outcome_is_unknown_and_the_same_call_again_settles_it(
    far, ada, scene, cutter, survives_pickle, write
):
    write.prepare(ada, scene)
    cutter.cut("lost", ALWAYS)

    with pytest.raises(OutcomeUnknownError) as caught:
        write.act(far, scene)

    assert cutter.requests == 4
    error = caught.value
    assert f"The reply to {error.operation} was lost" in error.message
    assert "so it may or may not have happened" in error.message
    assert "Make the same call again" in error.hint
    survives_pickle(error)
    cutter.mend()
    assert write.act(far, scene) == write.act(ada, scene)
    assert cutter.requests == 5


@pytest.mark.parametrize(
    ("how", "times"),
    [("lost", 3), ("reset", 1), ("reset", 3), ("torn", 1), ("torn", 2), ("dropped", 2)],
)
def test_a_draft_is_made_once_however_the_connection_is_cut(far, ada, package, cutter, how, times):
    cutter.cut(how, times)

    draft = far.draft(package)

    assert cutter.requests == times + 1
    assert [version.id for version in ada.versions.iterate(package.id)] == [draft.id]
    assert ada.versions.next_version_number(package.id) == 2
    assert ada.packages.get(package.id).version_count == 1


def test_a_reply_that_takes_longer_than_the_timeout_is_lost_too(connect, ada, cutter, package):
    impatient = connect(ada, url=cutter.url, timeout=0.5)
    cutter.cut("silent")

    draft = impatient.draft(package)

    assert cutter.requests == 2
    assert [version.id for version in ada.versions.iterate(package.id)] == [draft.id]


def test_an_unknown_outcome_of_a_call_without_an_identifier_says_which_one_to_repeat_it_with(
    far, ada, package, cutter
):
    cutter.cut("lost", ALWAYS)

    with pytest.raises(OutcomeUnknownError) as caught:
        far.draft(package)

    (made,) = ada.versions.iterate(package.id)
    assert str(made.id) in caught.value.hint


@pytest.mark.parametrize("then", ["edited", "deleted"])
def test_a_request_that_comes_later_than_its_repeat_has_no_effect_of_its_own(
    far, ada, package, cutter, then
):
    cutter.cut("late")

    draft = far.draft(package)
    if then == "edited":
        left = [ada.versions.update_draft(draft.id, config={"r": 99})]
    else:
        left = []
        ada.versions.delete_draft(draft.id)
    cutter.release()

    assert cutter.requests == 2
    assert list(ada.versions.iterate(package.id, snapshots=True)) == left


def test_a_refusal_after_a_lost_reply_says_that_an_earlier_try_may_have_been_carried_out(
    far, ada, draft, cutter
):
    ada.versions.delete_draft(draft.id)
    cutter.cut("lost")

    with pytest.raises(NotFoundError) as caught:
        far.versions.publish(draft.id)

    assert cutter.requests == 2
    assert caught.value.after_lost_reply
    assert "an earlier try of this call was lost" in str(caught.value)


READS: dict[str, Callable[[Any, Version], Any]] = {
    "versions.get": lambda who, draft: who.versions.get(draft.id),
    "versions.list": lambda who, draft: who.versions.list(draft.package_id),
    "versions.iterate": lambda who, draft: list(who.versions.iterate()),
    "versions.count": lambda who, draft: who.versions.count(),
    "next_version_number": lambda who, draft: who.versions.next_version_number(draft.package_id),
    "packages.find": lambda who, draft: who.packages.find(draft.package_id),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_whose_reply_is_lost_changed_nothing(far, draft, cutter, read):
    cutter.cut("lost", ALWAYS)

    with pytest.raises(ConnectionFailedError, match="nothing was changed"):
        read(far, draft)


def test_when_nothing_listens_nothing_can_have_changed(connect, ada, package, survives_pickle):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        cut_off = connect(ada, url=f"http://127.0.0.1:{unused.getsockname()[1]}")

        for act, tries in (
            (lambda: cut_off.package(), 1),
            (lambda: cut_off.draft(package), 1),
            (lambda: cut_off.versions.list(), 3),
            (lambda: list(cut_off.versions.iterate()), 3),
            (lambda: cut_off.versions.next_version_number(package.id), 3),
        ):
            cut_off.sent.clear()
            with pytest.raises(ConnectionFailedError) as caught:
                act()

            assert len(cut_off.sent) == tries
            assert caught.value.message.startswith(
                f"No reply came to {caught.value.operation}, and nothing was changed"
            )
            assert caught.value.hint.startswith("Nothing listens at http://127.0.0.1:")
            survives_pickle(caught.value)


def test_many_lost_replies_at_once_burn_no_number(connect, ada, cutter, package):
    # One caller may meet all the cuts, if the others are slow.
    cuts = 6
    callers = [connect(ada, url=cutter.url, retry_pauses=(0,) * cuts) for _ in range(4)]
    cutter.cut("lost", cuts)

    def create_three(who: Any) -> list[int]:
        return [who.draft(package, **EMPTY).version_number for _ in range(3)]

    with ThreadPoolExecutor(4) as threads:
        numbers = [number for made in threads.map(create_three, callers) for number in made]

    assert sorted(numbers) == list(range(1, 13))
    assert ada.versions.count(package.id) == 12
    assert ada.versions.next_version_number(package.id) == 13


def test_a_read_survives_a_server_that_is_gone_for_a_moment(connect, ada, draft, cutter):
    patient = connect(ada, url=cutter.url, retry_pauses=(0.5, 1.0))
    cutter.go_down()
    back = threading.Timer(0.2, cutter.come_up)
    back.start()

    assert patient.versions.get(draft.id) == draft

    back.join()


# --- a session of the database that ends during a write


@pytest.fixture
def end_its_session(stack, sql):
    """Runs a call whose session of the database is terminated while it waits for a package."""

    def run(package_id: UUID, act: Callable[[], Any]) -> Any:
        waiting = (
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'authenticator' and wait_event_type = 'Lock'"
        )
        with psycopg.connect(stack.admin_db_url) as holder, ThreadPoolExecutor(1) as threads:
            holder.execute(
                "select from public.training_configs where id = %s for update", [package_id]
            )
            acting = threads.submit(act)
            deadline = time.monotonic() + 20
            while not sql(waiting, admin=True):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            holder.rollback()
            return acting.result()

    return run


def test_a_write_whose_session_of_the_database_ends_is_made_once(
    connect, ada, package, end_its_session
):
    steady = connect(ada, retry_pauses=(0.5,) * 6)  # PostgREST has to connect again first

    draft = end_its_session(package.id, lambda: steady.draft(package))

    assert len(steady.sent) > 1
    assert [version.id for version in ada.versions.iterate(package.id)] == [draft.id]


def test_a_write_whose_session_of_the_database_ends_is_not_told_as_refused(
    connect, ada, package, end_its_session
):
    once = connect(ada, retry_pauses=())

    with pytest.raises(OutcomeUnknownError, match="the database's session ended"):
        end_its_session(package.id, lambda: once.draft(package))


# --- what somebody else did between a try and its repeat


@pytest.fixture
def between(connect, ada):
    """Ada at the end of a line that loses two replies; after the first, something happens."""

    def make(happens: Callable[[], Any]) -> Any:
        def lose(request: httpx.Request) -> None:
            if len(caller.sent) == 1:
                happens()
            if len(caller.sent) < 3:
                raise httpx.ReadError("the reply was lost", request=request)

        caller = connect(ada, after=lose)
        return caller

    return make


ENDS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "complete": ("complete_training", (), "completed"),
    "cancel": ("cancel_training", (), "cancelled"),
    "fail": ("fail_training", ("why",), "failed"),
}


@pytest.mark.parametrize(("verb", "args", "status"), ENDS.values(), ids=ENDS)
def test_a_repeat_does_not_end_a_run_that_began_in_between(
    between, ada, stack, published, verb, args, status
):
    ada.versions.start_training(published.id)
    about = {"p_version_id": str(published.id)}
    anew = stack.client(ada.token).rpc("start_version_training", about)
    started_again = status != "completed"  # what is completed is not trained again
    far = between(lambda: anew.execute() if started_again else None)

    ended = getattr(far.versions, verb)(published.id, *args)

    assert len(far.sent) == 3
    assert ended.status == status
    now = ada.versions.get(published.id).training_status
    assert now == ("running" if started_again else "completed")


def test_a_repeat_of_undeploying_does_not_end_a_stay_that_began_in_between(
    between, ada, stack, published
):
    ada.versions.deploy(published.id, "local", url="http://old")
    anew = {"p_version_id": str(published.id), "p_target": "local", "p_url": "http://new"}
    far = between(stack.client(ada.token).rpc("deploy_training_version", anew).execute)

    far.versions.undeploy(published.id)

    assert ada.versions.live(published.package_id, "local").url == "http://new"
