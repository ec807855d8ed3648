"""Autosaving on the real stack, in a thread and in a task: how much is sent, what is lost, who wins."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from training_versions import (
    AsyncVersionRepository,
    ConflictError,
    ConnectionFailedError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    RejectedError,
    Version,
    VersionRepository,
)
from training_versions.autosave import AsyncDraftAutosaver, AutosaveConflictError, DraftAutosaver
from training_versions.local import LocalSupabase

NEVER = 3600.0
SOON = 0.2


class Saver:
    """An autosaver of either face, called without `await`; the async one lives on a background event loop."""

    def __init__(self, connect: Any, caller: Any, draft: Version, **options: Any) -> None:
        self.finish = connect.finish
        self.is_async = connect.is_async
        if not self.is_async:
            self.target: Any = DraftAutosaver(caller.versions, draft, **options)
        else:

            async def make() -> Any:
                return AsyncDraftAutosaver(caller.versions._target, draft, **options)

            self.target = self.finish(make())

    def change(self, **named: Any) -> None:
        async def call() -> None:
            self.target.change(**named)

        self.finish(call()) if self.is_async else self.target.change(**named)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.target, name)
        return (
            (lambda **named: self.finish(attribute(**named))) if callable(attribute) else attribute
        )

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, *error: Any) -> None:
        if self.is_async:
            self.finish(self.target.__aexit__(*error))
        else:
            self.target.__exit__(*error)


@pytest.fixture
def open_saver(connect: Any) -> Iterator[Callable[..., Saver]]:
    made: list[Saver] = []

    def make(caller: Any, draft: Version, **options: Any) -> Saver:
        made.append(Saver(connect, caller, draft, **options))
        return made[-1]

    yield make

    for saver in made:
        saver.discard()
        saver.close()


class Line:
    """A TCP line to the stack that can be cut, and mended at the same address.

    `how` says what happens to replies: they are passed on, they are `"lost"` with the connection, or they never come
    (`"silent"`).
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.how = "passed on"
        self._listen()

    def cut(self) -> None:
        self._shut(self._listener)
        self.hang_up()

    def hang_up(self) -> None:
        for end in self._ends:
            self._shut(end)
        self._ends.clear()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listen()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, far = (
                    listener.accept()[0],
                    socket.create_connection(("127.0.0.1", self._upstream)),
                )
                self._ends += [near, far]
                for source, target, replies in ((near, far, False), (far, near, True)):
                    threading.Thread(
                        target=self._pump, args=[source, target, replies], daemon=True
                    ).start()

    def _pump(self, source: socket.socket, target: socket.socket, replies: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if replies and self.how == "lost":
                    break
                if not (replies and self.how == "silent"):
                    target.sendall(data)
        self._shut(source)
        self._shut(target)

    def _shut(self, end: socket.socket) -> None:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@pytest.fixture
def line(stack: LocalSupabase) -> Iterator[Line]:
    made = Line(int(stack.url.rpartition(":")[2]))
    yield made
    made.cut()


@pytest.fixture
def far(connect: Any, ada: Any, line: Line) -> Any:
    """Ada again, at the other end of a line that can be cut."""
    return connect(ada, url=line.url)


def saves(caller: Any) -> list[dict[str, Any]]:
    """What was sent to be saved, in order."""
    sent = [
        request for request in caller.sent if request.url.path.endswith("/update_training_draft")
    ]
    return [json.loads(request.content)["p_changes"] for request in sent]


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def test_two_hundred_changes_in_a_second_are_one_request_per_interval_and_one_on_close(
    ada: Any, draft: Version, open_saver: Any
) -> None:
    begun = time.monotonic()

    with open_saver(ada, draft, interval=0.25) as saver:
        for step in range(200):
            saver.change(config={"step": step})
            time.sleep(max(0.0, begun + step / 200 - time.monotonic()))
        ended = time.monotonic()

    sent = saves(ada)
    assert 3 <= len(sent) <= (ended - begun) / 0.25 + 1
    assert all(changes.keys() == {"config_snapshot"} for changes in sent)
    assert sent[-1] == {"config_snapshot": {"step": 199}}
    assert saver.pending == {}
    assert ada.versions.get(draft.id) == saver.draft
    assert saver.draft.config_snapshot == {"step": 199}


def test_only_what_changed_is_sent(
    ada: Any, draft: Version, snapshots: Any, open_saver: Any
) -> None:
    with open_saver(ada, draft, interval=NEVER) as saver:
        saver.change(**snapshots, name=draft.name, budget_limit="12.50", change_summary="first")
        saver.change(change_summary="second")
        saver.flush()
        saver.change(budget_limit=12.5, change_summary="third")
        saver.change(change_summary="second", model=snapshots["model"])

    assert saves(ada) == [{"budget_limit": 12.5, "change_summary": "second"}]


def test_without_changes_nothing_is_sent_and_nothing_is_started(
    ada: Any, draft: Version, open_saver: Any
) -> None:
    before = len(ada.sent)
    with open_saver(ada, draft) as saver:
        saver.flush()
        saver.merge()

    assert len(ada.sent) == before


def test_a_change_does_not_wait_for_a_save_under_way(
    ada: Any, far: Any, draft: Version, line: Line, open_saver: Any
) -> None:
    saver = open_saver(far, draft, interval=SOON)
    line.how = "silent"
    saver.change(config={"step": 0})
    wait_until(lambda: saves(far))
    begun = time.monotonic()

    for step in range(1, 100):
        saver.change(config={"step": step})

    assert time.monotonic() - begun < 2
    assert saver.pending == {"config": {"step": 99}}
    with pytest.raises(OutcomeUnknownError, match="still under way"):
        saver.close(timeout=0.1)
    assert saver.pending == {"config": {"step": 99}}
    with pytest.raises(InvalidInputError, match="closed"):
        saver.change(name="late")

    line.how = "passed on"
    line.hang_up()
    saver.close()
    assert saver.pending == {}
    assert ada.versions.get(draft.id).config_snapshot == {"step": 99}


def test_a_conflict_gives_both_sides_and_overwrites_nothing(
    ada: Any, draft: Version, open_saver: Any
) -> None:
    told: list[Exception] = []
    saver = open_saver(ada, draft, interval=SOON, on_error=told.append)
    theirs = ada.versions.update_draft(
        draft.id, config={**draft.config_snapshot, "r": 64}, name="theirs"
    )
    ada.sent.clear()

    saver.change(config={**draft.config_snapshot, "r": 32})
    wait_until(lambda: told)

    conflict = saver.conflict
    assert told == [conflict]
    assert saver.last_error is conflict
    assert isinstance(conflict, AutosaveConflictError)
    assert isinstance(conflict, ConflictError)
    assert (conflict.base, conflict.theirs) == (draft, theirs)
    assert conflict.mine == {"config": {**draft.config_snapshot, "r": 32}}
    assert conflict.my_paths == ("/config_snapshot/r",)
    assert conflict.their_paths == ("/config_snapshot/r", "/name")
    assert conflict.overlapping == ("/config_snapshot/r",)
    for act in (lambda: saver.change(change_summary="more"), saver.flush, saver.merge, saver.close):
        with pytest.raises(AutosaveConflictError):
            act()
    assert saver.pending == {"config": {**draft.config_snapshot, "r": 32}, "change_summary": "more"}
    assert len(saves(ada)) == 1
    assert ada.versions.get(draft.id) == theirs


def test_a_conflict_without_overlap_can_be_merged(
    ada: Any, draft: Version, open_saver: Any
) -> None:
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(config={**draft.config_snapshot, "r": 32}, budget_limit="9.99")
    ada.versions.update_draft(
        draft.id, config={**draft.config_snapshot, "lora_alpha": 64}, dataset=[{"id": "new"}]
    )

    with pytest.raises(AutosaveConflictError, match="do not overlap"):
        saver.flush()
    saver.merge()

    stored = ada.versions.get(draft.id)
    assert stored.config_snapshot == {**draft.config_snapshot, "r": 32, "lora_alpha": 64}
    assert stored.dataset_snapshot == [{"id": "new"}]
    assert str(stored.budget_limit) == "9.99"
    assert saver.draft == stored
    assert (saver.pending, saver.conflict, saver.last_error) == ({}, None, None)
    saver.change(name="and on")
    saver.close()
    assert ada.versions.get(draft.id).name == "and on"


def test_on_error_can_merge_in_the_background(
    connect: Any, ada: Any, draft: Version, open_saver: Any
) -> None:
    made: list[Saver] = []

    def merge(error: Exception) -> Any:
        assert isinstance(error, AutosaveConflictError)
        return made[0].target.merge()

    made.append(open_saver(ada, draft, interval=SOON, on_error=merge))
    ada.versions.update_draft(draft.id, name="theirs")

    made[0].change(change_summary="mine")
    wait_until(lambda: not made[0].pending)

    stored = ada.versions.get(draft.id)
    assert (stored.name, stored.change_summary) == ("theirs", "mine")


@pytest.mark.parametrize(("choice", "r"), [("overwrite", 32), ("discard", 64)])
def test_a_conflict_with_overlap_is_for_the_caller_to_decide(
    ada: Any, draft: Version, open_saver: Any, choice: str, r: int
) -> None:
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(config={"r": 32})
    ada.versions.update_draft(draft.id, config={"r": 64}, name="theirs")
    with pytest.raises(AutosaveConflictError, match="/config_snapshot/r"):
        saver.close()

    getattr(saver, choice)()
    saver.close()

    stored = ada.versions.get(draft.id)
    assert (stored.config_snapshot, stored.name) == ({"r": r}, "theirs")
    assert saver.draft == stored


def test_facts_that_move_beside_the_content_are_no_conflict(
    ada: Any, draft: Version, stack: LocalSupabase, open_saver: Any
) -> None:
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(name="mine")
    stack.psql(
        f"update public.training_package_versions set training_metrics = '{{}}' where id = '{draft.id}'"
    )

    saver.flush()

    assert saver.draft == ada.versions.get(draft.id)
    assert (saver.draft.name, saver.draft.training_metrics) == ("mine", {})


def test_a_lost_network_is_waited_for(
    far: Any, ada: Any, draft: Version, line: Line, open_saver: Any
) -> None:
    told: list[Exception] = []
    saver = open_saver(far, draft, interval=SOON, on_error=told.append)
    saver.change(config={"step": 1})
    wait_until(lambda: not saver.pending)

    line.cut()
    saver.change(config={"step": 2})
    wait_until(lambda: len(told) >= 3)
    assert saver.pending == {"config": {"step": 2}}
    assert isinstance(saver.last_error, ConnectionFailedError | OutcomeUnknownError)
    with pytest.raises(ConnectionFailedError):
        saver.flush()
    saver.change(config={"step": 3})
    line.mend()
    wait_until(lambda: not saver.pending)

    assert saver.last_error is None
    assert ada.versions.get(draft.id).config_snapshot == {"step": 3}


def test_lost_replies_are_settled_and_never_taken_for_a_conflict(
    far: Any, ada: Any, draft: Version, line: Line, open_saver: Any
) -> None:
    told: list[Exception] = []
    saver = open_saver(far, draft, interval=SOON, on_error=told.append)
    line.how = "lost"
    saver.change(config={"step": 1}, name="first")
    wait_until(lambda: told)

    assert isinstance(told[0], OutcomeUnknownError)
    assert ada.versions.get(draft.id).config_snapshot == {"step": 1}
    assert saver.pending == {"config": {"step": 1}, "name": "first"}
    saver.change(config={"step": 2}, name=draft.name)
    line.how = "passed on"
    wait_until(lambda: not saver.pending)

    stored = ada.versions.get(draft.id)
    assert (stored.config_snapshot, stored.name) == ({"step": 2}, draft.name)
    assert all(isinstance(error, OutcomeUnknownError) for error in told)


def test_without_a_reply_there_is_one_request_per_interval_too(
    far: Any, draft: Version, line: Line, open_saver: Any
) -> None:
    told: list[Exception] = []
    saver = open_saver(far, draft, interval=0.5, on_error=told.append)
    line.how = "lost"
    saver.change(name="new")
    begun = time.monotonic()

    wait_until(lambda: len(told) == 3)

    assert len(saves(far)) == 3
    assert time.monotonic() - begun >= 3 * 0.5
    line.how = "passed on"


def test_a_close_that_fails_keeps_what_is_pending_and_can_be_made_again(
    far: Any, ada: Any, draft: Version, line: Line, open_saver: Any
) -> None:
    saver = open_saver(far, draft, interval=NEVER)
    saver.change(config={"r": 1}, name="new")
    line.cut()

    with pytest.raises(ConnectionFailedError):
        saver.close()
    assert saver.pending == {"config": {"r": 1}, "name": "new"}

    line.mend()
    saver.close()
    assert saver.pending == {}
    assert ada.versions.get(draft.id).name == "new"


def test_leaving_with_an_error_saves_and_does_not_hide_it(
    far: Any, ada: Any, draft: Version, line: Line, open_saver: Any
) -> None:
    def fail(saver: Saver, name: str, before_leaving: Callable[[], object] = bool) -> None:
        with saver:
            saver.change(name=name)
            before_leaving()
            raise ZeroDivisionError

    first = open_saver(far, draft, interval=NEVER)
    with pytest.raises(ZeroDivisionError) as saved:
        fail(first, "saved")
    second = open_saver(far, first.draft, interval=NEVER)
    with pytest.raises(ZeroDivisionError) as lost:
        fail(second, "not saved", line.cut)

    assert not hasattr(saved.value, "__notes__")
    assert "could not save the last changes" in lost.value.__notes__[0]
    assert ada.versions.get(draft.id).name == "saved"
    assert second.pending == {"name": "not saved"}


def test_a_draft_published_meanwhile_is_told_and_stays_as_it_is(
    ada: Any, draft: Version, open_saver: Any
) -> None:
    told: list[Exception] = []
    saver = open_saver(ada, draft, interval=SOON, on_error=told.append)
    published = ada.versions.publish(draft.id)

    saver.change(config={"r": 1})
    wait_until(lambda: told)

    for act in (
        lambda: saver.change(name="more"),
        saver.flush,
        saver.merge,
        saver.overwrite,
        saver.close,
    ):
        with pytest.raises(ConflictError, match="is published; its content never changes"):
            act()
    assert len(told) == 1
    assert saver.conflict is None
    assert saver.pending == {"config": {"r": 1}, "name": "more"}
    assert ada.versions.get(draft.id) == published


def test_a_draft_deleted_meanwhile_is_told(ada: Any, draft: Version, open_saver: Any) -> None:
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(config={"r": 1})
    ada.versions.delete_draft(draft.id)

    with pytest.raises(NotFoundError):
        saver.close()

    assert saver.pending == {"config": {"r": 1}}
    saver.discard()
    saver.close()


def test_what_the_database_refuses_is_sent_once_and_again_when_it_was_changed(
    ada: Any, bob: Any, draft: Version, stack: LocalSupabase, open_saver: Any
) -> None:
    told: list[Exception] = []
    saver = open_saver(ada, draft, interval=SOON, on_error=told.append)

    saver.change(parent_version_id=draft.id)  # a cycle
    wait_until(lambda: told)
    time.sleep(3 * SOON)

    assert isinstance(saver.last_error, RejectedError)
    assert len(saves(ada)) == 1
    saver.change(parent_version_id=None, name="new")
    wait_until(lambda: not saver.pending)
    assert ada.versions.get(draft.id).name == "new"


def test_an_on_error_that_fails_is_logged_and_autosaving_goes_on(
    far: Any, draft: Version, line: Line, open_saver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(error: Exception) -> None:
        raise ZeroDivisionError

    saver = open_saver(far, draft, interval=SOON, on_error=fail)
    line.cut()
    saver.change(name="new")
    wait_until(lambda: len(caplog.records) >= 2)
    line.mend()

    wait_until(lambda: not saver.pending)

    assert f"on_error of the autosaver of draft {draft.id} failed" in caplog.text


def test_closing_leaves_nothing_running(
    connect: Any, ada: Any, draft: Version, open_saver: Any
) -> None:
    saver = open_saver(ada, draft, interval=SOON)
    saver.change(name="new")
    wait_until(lambda: not saver.pending)

    saver.close()
    saver.close()

    if connect.is_async:
        assert saver.target._task.done()
    else:
        assert not saver.target._thread.is_alive()


def test_waiting_costs_no_time_of_the_processor(ada: Any, draft: Version, open_saver: Any) -> None:
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(name="new")
    time.sleep(0.2)
    begun = time.process_time()

    time.sleep(1)

    assert time.process_time() - begun < 0.3


def test_many_threads_may_change_and_flush_at_once(
    connect: Any, ada: Any, draft: Version, open_saver: Any
) -> None:
    saver = open_saver(ada, draft, interval=0.05)

    def work(number: int) -> None:
        for step in range(25):
            saver.change(**{("config", "model")[number % 2]: {"by": number, "step": step}})
            if step % 8 == number:
                saver.flush()

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    saver.close()

    assert (saver.pending, saver.last_error) == ({}, None)
    assert ada.versions.get(draft.id) == saver.draft
    assert saver.draft.config_snapshot["step"] == saver.draft.model_snapshot["step"] == 24


@pytest.mark.parametrize("other", [None, "versions"])
def test_an_autosaver_takes_a_repository_of_its_own_face(
    connect: Any, ada: Any, draft: Version, other: Any
) -> None:
    kind = DraftAutosaver if connect.is_async else AsyncDraftAutosaver
    versions = getattr(ada.versions, "_target", ada.versions) if other else None

    with pytest.raises(InvalidInputError, match="needs a") as caught:
        kind(versions, draft)

    assert caught.value.field == "versions"


@pytest.mark.parametrize("timeout", ["x", None, True, -1, -5.0, float("nan"), float("inf"), 1e300])
def test_a_timeout_is_seconds_and_what_is_none_closes_nothing(
    ada: Any, draft: Version, open_saver: Any, timeout: Any
) -> None:
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(name="new")

    with pytest.raises(InvalidInputError) as caught:
        saver.close(timeout=timeout)

    assert caught.value.field == "timeout"
    assert saver.pending == {"name": "new"}
    saver.change(change_summary="not closed")
    saver.close(timeout=0)
    assert saver.pending == {}


@pytest.mark.parametrize("on_error", ["nope", 3])
def test_on_error_can_be_called(ada: Any, draft: Version, open_saver: Any, on_error: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_saver(ada, draft, on_error=on_error)

    assert caught.value.field == "on_error"


def test_a_change_that_no_event_loop_would_save_is_not_taken(
    connect: Any, ada: Any, draft: Version, open_saver: Any
) -> None:
    if not connect.is_async:
        return  # changes come from any thread
    saver = open_saver(ada, draft, interval=NEVER)

    async def change() -> None:
        saver.target.change(name="in another loop")

    for taken in ({}, {"name": "good"}):
        with pytest.raises(InvalidInputError, match="event loop"):
            saver.target.change(name="in none")
        assert saver.pending == taken
        saver.change(name="good")
    with pytest.raises(InvalidInputError, match="event loop"):
        asyncio.run(change())
    assert saver.pending == {"name": "good"}


def test_leaving_by_the_conflict_itself_does_not_tell_it_twice(
    ada: Any, draft: Version, open_saver: Any
) -> None:
    ada.versions.update_draft(draft.id, name="theirs")

    def edit() -> None:
        with open_saver(ada, draft, interval=NEVER) as saver:
            saver.change(name="mine")
            saver.flush()

    with pytest.raises(AutosaveConflictError) as caught:
        edit()

    assert not hasattr(caught.value, "__notes__")
    assert "edit" in [entry.name for entry in caught.traceback]


def test_an_error_that_is_raised_again_and_again_does_not_grow(
    ada: Any, draft: Version, open_saver: Any
) -> None:
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(name="mine")
    ada.versions.delete_draft(draft.id)

    depths: list[int] = []
    for step in range(20):
        with pytest.raises(NotFoundError) as caught:
            saver.change(name=f"{step}") if step else saver.flush()
        depths.append(len(caught.traceback))

    assert depths[-1] == depths[1]


def test_what_callers_do_to_the_versions_that_they_have_changes_no_decision(
    ada: Any, draft: Version, open_saver: Any
) -> None:
    saver = open_saver(ada, draft, interval=NEVER)
    known = ada.versions.get(draft.id)
    for mine in (draft, saver.draft):
        mine.config_snapshot["r"] = 77
        saver.change(config=mine.config_snapshot)
    ada.versions.update_draft(draft.id, name="theirs")

    with pytest.raises(AutosaveConflictError) as caught:
        saver.flush()

    assert caught.value.base == known
    assert caught.value.my_paths == ("/config_snapshot/r",)
    caught.value.theirs.config_snapshot["r"] = 78
    saver.merge()
    assert ada.versions.get(draft.id).config_snapshot["r"] == 77


class Lora(BaseModel):
    r: int
    alpha: int = 16


def test_what_a_type_does_not_know_is_not_overwritten(
    connect: Any, ada: Any, package: Any, open_saver: Any
) -> None:
    kind = AsyncVersionRepository if connect.is_async else VersionRepository
    target: Any = getattr(ada.versions, "_target", ada.versions)
    caller = SimpleNamespace(versions=SimpleNamespace(_target=kind(target._client, config=Lora)))
    draft = ada.versions.create_draft(package.id, config={"r": 8}, model={}, dataset=[])
    typed = caller.versions._target.get(draft.id)
    typed = connect.finish(typed) if connect.is_async else typed
    caller.versions = caller.versions if connect.is_async else caller.versions._target
    saver = open_saver(caller, typed, interval=NEVER)
    saver.change(name="new")
    saver.flush()
    ada.versions.update_draft(draft.id, config={"r": 8, "warmup": 100})
    saver.change(config=Lora(r=16))

    with pytest.raises(AutosaveConflictError) as caught:
        saver.flush()

    assert (caught.value.my_paths, caught.value.their_paths) == (
        ("/config_snapshot/r",),
        ("/config_snapshot/warmup",),
    )
    saver.merge()
    saver.change(name="newer")
    saver.close()
    stored = ada.versions.get(draft.id)
    assert (stored.config_snapshot, stored.name) == ({"r": 16, "warmup": 100}, "newer")


def test_discarding_after_a_lost_reply_reads_what_became_of_it(
    far: Any, ada: Any, draft: Version, line: Line, open_saver: Any
) -> None:
    told: list[Exception] = []
    saver = open_saver(far, draft, interval=SOON, on_error=told.append)
    line.how = "lost"
    saver.change(config={"r": 99})
    wait_until(lambda: told)
    line.how = "passed on"

    saver.discard()

    assert saver.pending == {}
    assert saver.draft == ada.versions.get(draft.id)
    saver.change(change_summary="more")
    saver.close()
    assert ada.versions.get(draft.id).change_summary == "more"


EDITOR = """
    import asyncio, sys, time
    from postgrest import AsyncPostgrestClient, SyncPostgrestClient
    from training_versions import AsyncVersionRepository, VersionRepository
    from training_versions.autosave import AsyncDraftAutosaver, DraftAutosaver

    face, url, key, token, draft_id = sys.argv[1:]
    headers = {"apikey": key, "Authorization": f"Bearer {token}"}

    def edit(saver):
        saver.change(config={"at": time.time()})
        print(saver.pending["config"]["at"], flush=True)

    def run():
        versions = VersionRepository(SyncPostgrestClient(url, headers=headers))
        saver = DraftAutosaver(versions, versions.get(draft_id), interval=0.5)
        while True:
            edit(saver)
            time.sleep(0.01)

    async def run_async():
        versions = AsyncVersionRepository(AsyncPostgrestClient(url, headers=headers))
        saver = AsyncDraftAutosaver(versions, await versions.get(draft_id), interval=0.5)
        while True:
            edit(saver)
            await asyncio.sleep(0.01)

    asyncio.run(run_async()) if face == "async" else run()
"""


def test_a_crash_loses_at_most_one_interval(
    connect: Any, ada: Any, draft: Version, stack: LocalSupabase
) -> None:
    face = "async" if connect.is_async else "sync"
    command = [sys.executable, "-c", textwrap.dedent(EDITOR), face, stack.rest_url, stack.anon_key]
    process = subprocess.Popen(
        [*command, ada.token, str(draft.id)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None

    last = first = float(process.stdout.readline())
    while last < first + 2.3:
        last = float(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=10)

    last = float(rest.split()[-1]) if rest.endswith("\n") and rest.split() else last
    saved = ada.versions.get(draft.id).config_snapshot["at"]
    assert last - saved < 0.5 + 0.4  # an interval, and what a request takes on a busy machine
