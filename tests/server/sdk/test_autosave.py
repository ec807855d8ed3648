"""Autosaving on the real stack, in a thread and in a task: what is sent, lost, and refused.

What is saved and when, and every decision about conflicts, is in `tests/unit/test_autosave.py`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from tests.faces import Face, both_faces
from tests.server.sdk.cutter import ALWAYS
from training_versions import (
    AutosaveConflictError,
    ConnectionFailedError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    Version,
)

pytestmark = both_faces

NEVER = 3600.0
SOON = 0.2


@pytest.fixture
def open_saver(face):
    """Opens autosavers of either face, called without `await`."""
    opened: list[Any] = []

    def make(caller: Any, draft: Version, **options: Any) -> Any:
        kind = face.public("DraftAutosaver")
        opened.append(face.make(kind, caller.versions.target, draft, **options))
        return opened[-1]

    yield make

    for saver in opened:
        saver.discard()
        saver.close()


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
    ada, draft, open_saver
):
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


def test_without_changes_nothing_is_sent_and_nothing_is_started(ada, draft, open_saver):
    before = len(ada.sent)
    with open_saver(ada, draft) as saver:
        saver.flush()
        saver.merge()

    assert len(ada.sent) == before


def test_a_change_does_not_wait_for_a_save_under_way(ada, far, draft, cutter, open_saver):
    saver = open_saver(far, draft, interval=SOON)
    cutter.cut("silent", ALWAYS)
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

    cutter.mend()
    cutter.hang_up()
    saver.close()
    assert saver.pending == {}
    assert ada.versions.get(draft.id).config_snapshot == {"step": 99}


def test_a_conflict_without_overlap_can_be_merged(ada, draft, open_saver):
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


def test_on_error_can_merge_in_the_background(ada, draft, open_saver):
    def merge(error: Exception) -> Any:
        assert isinstance(error, AutosaveConflictError)
        return saver.target.merge()

    saver = open_saver(ada, draft, interval=SOON, on_error=merge)
    ada.versions.update_draft(draft.id, name="theirs")

    saver.change(change_summary="mine")
    wait_until(lambda: not saver.pending)

    stored = ada.versions.get(draft.id)
    assert (stored.name, stored.change_summary) == ("theirs", "mine")


@pytest.mark.parametrize(("choice", "r"), [("overwrite", 32), ("discard", 64)])
def test_a_conflict_with_overlap_is_for_the_caller_to_decide(ada, draft, open_saver, choice, r):
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


def test_facts_that_move_beside_the_content_are_no_conflict(ada, draft, sql, open_saver):
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(name="mine")
    sql.change(draft.id, training_metrics="{}")

    saver.flush()

    assert saver.draft == ada.versions.get(draft.id)
    assert (saver.draft.name, saver.draft.training_metrics) == ("mine", {})


class Lora(BaseModel):
    r: int
    alpha: int = 16


def test_the_first_save_with_types_after_training_is_no_conflict(connect, ada, draft, open_saver):
    draft = ada.versions.update_draft(draft.id, config={"r": 8, "unknown": 1})
    typed = connect(ada, config=Lora)
    read = typed.versions.get(draft.id)
    ada.versions.record_metrics(draft.id, {"loss": 0.5})
    saver = open_saver(typed, read, interval=NEVER)

    saver.change(name="mine")
    saver.close()

    stored = ada.versions.get(draft.id)
    assert (stored.name, stored.config_snapshot) == ("mine", {"r": 8, "unknown": 1})


def test_the_first_save_with_types_after_an_edit_is_a_conflict(connect, ada, draft, open_saver):
    typed = connect(ada, config=Lora)
    draft = ada.versions.update_draft(draft.id, config={"r": 8, "unknown": 1})
    read = typed.versions.get(draft.id)
    ada.versions.update_draft(draft.id, config={"r": 8, "unknown": 2})
    ada.versions.record_metrics(draft.id, {"loss": 0.5})
    saver = open_saver(typed, read, interval=NEVER)

    saver.change(config=Lora(r=9))
    with pytest.raises(AutosaveConflictError):
        saver.flush()

    assert ada.versions.get(draft.id).config_snapshot == {"r": 8, "unknown": 2}


def test_how_a_number_is_written_is_saved(ada, draft, open_saver):
    saver = open_saver(ada, ada.versions.update_draft(draft.id, config={"n": 1}), interval=NEVER)

    saver.change(config={"n": 1.0}, estimated_cost=5)
    saver.flush()

    assert json.dumps(ada.versions.get(draft.id).config_snapshot) == '{"n": 1.0}'
    assert saver.pending == {}


def test_a_lost_network_is_waited_for(far, ada, draft, cutter, open_saver):
    errors: list[Exception] = []
    saver = open_saver(far, draft, interval=SOON, on_error=errors.append)
    saver.change(config={"step": 1})
    wait_until(lambda: not saver.pending)

    cutter.go_down()
    saver.change(config={"step": 2})
    wait_until(lambda: len(errors) >= 3)
    assert saver.pending == {"config": {"step": 2}}
    assert isinstance(saver.last_error, ConnectionFailedError | OutcomeUnknownError)
    with pytest.raises(ConnectionFailedError):
        saver.flush()
    saver.change(config={"step": 3})
    cutter.come_up()
    wait_until(lambda: not saver.pending)

    assert saver.last_error is None
    assert ada.versions.get(draft.id).config_snapshot == {"step": 3}


def test_lost_replies_are_settled_and_never_taken_for_a_conflict(
    far, ada, draft, cutter, open_saver
):
    errors: list[Exception] = []
    saver = open_saver(far, draft, interval=SOON, on_error=errors.append)
    cutter.cut("lost", ALWAYS)
    saver.change(config={"step": 1}, name="first")
    wait_until(lambda: errors)

    assert isinstance(errors[0], OutcomeUnknownError)
    assert ada.versions.get(draft.id).config_snapshot == {"step": 1}
    assert saver.pending == {"config": {"step": 1}, "name": "first"}
    saver.change(config={"step": 2}, name=draft.name)
    cutter.mend()
    wait_until(lambda: not saver.pending)

    stored = ada.versions.get(draft.id)
    assert (stored.config_snapshot, stored.name) == ({"step": 2}, draft.name)
    assert all(isinstance(error, OutcomeUnknownError) for error in errors)


def test_a_close_that_fails_keeps_what_is_pending_and_can_be_made_again(
    far, ada, draft, cutter, open_saver
):
    saver = open_saver(far, draft, interval=NEVER)
    saver.change(config={"r": 1}, name="new")
    cutter.go_down()

    with pytest.raises(ConnectionFailedError):
        saver.close()
    assert saver.pending == {"config": {"r": 1}, "name": "new"}

    cutter.come_up()
    saver.close()
    assert saver.pending == {}
    assert ada.versions.get(draft.id).name == "new"


def test_leaving_with_an_error_saves_and_does_not_hide_it(far, ada, draft, cutter, open_saver):
    def fail(saver: Any, name: str, before_leaving: Callable[[], object] = bool) -> None:
        with saver:
            saver.change(name=name)
            before_leaving()
            raise ZeroDivisionError

    first = open_saver(far, draft, interval=NEVER)
    with pytest.raises(ZeroDivisionError) as saved:
        fail(first, "saved")
    second = open_saver(far, first.draft, interval=NEVER)
    with pytest.raises(ZeroDivisionError) as lost:
        fail(second, "not saved", cutter.go_down)

    assert not hasattr(saved.value, "__notes__")
    assert "could not save the last changes" in lost.value.__notes__[0]
    assert ada.versions.get(draft.id).name == "saved"
    assert second.pending == {"name": "not saved"}


def test_an_on_error_that_fails_is_logged_and_autosaving_goes_on(
    far, draft, cutter, open_saver, caplog
):
    def fail(error: Exception) -> None:
        raise ZeroDivisionError

    saver = open_saver(far, draft, interval=SOON, on_error=fail)
    cutter.go_down()
    saver.change(name="new")
    wait_until(lambda: len(caplog.records) >= 2)
    cutter.come_up()

    wait_until(lambda: not saver.pending)

    assert f"on_error of the autosaver of draft {draft.id} failed" in caplog.text


def running(face: Face) -> int:
    """How many threads there are, or tasks on the event loop."""
    if face.is_async:
        return len(face.call(asyncio.all_tasks))
    return threading.active_count()


def test_closing_leaves_nothing_running(face, ada, draft, open_saver):
    before = running(face)
    saver = open_saver(ada, draft, interval=SOON)
    saver.change(name="new")
    assert running(face) > before
    wait_until(lambda: not saver.pending)

    saver.close()
    saver.close()

    wait_until(lambda: running(face) == before, seconds=5)


def test_waiting_costs_no_time_of_the_processor(ada, draft, open_saver):
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(name="new")
    time.sleep(0.2)
    begun = time.process_time()

    time.sleep(0.5)

    assert time.process_time() - begun < 0.15


def test_many_threads_may_change_and_flush_at_once(ada, draft, open_saver, at_once):
    saver = open_saver(ada, draft, interval=0.05)

    def work(number: int) -> None:
        for step in range(25):
            saver.change(**{("config", "model")[number % 2]: {"by": number, "step": step}})
            if step % 8 == number:
                saver.flush()

    assert at_once([lambda n=number: work(n) for number in range(6)]) == [None] * 6
    saver.close()

    assert (saver.pending, saver.last_error) == ({}, None)
    assert ada.versions.get(draft.id) == saver.draft
    assert saver.draft.config_snapshot["step"] == saver.draft.model_snapshot["step"] == 24


def test_leaving_by_the_conflict_itself_does_not_tell_it_twice(ada, draft, open_saver):
    ada.versions.update_draft(draft.id, name="theirs")

    def edit() -> None:
        with open_saver(ada, draft, interval=NEVER) as saver:
            saver.change(name="mine")
            saver.flush()

    with pytest.raises(AutosaveConflictError) as caught:
        edit()

    assert not hasattr(caught.value, "__notes__")
    assert "edit" in [entry.name for entry in caught.traceback]


def test_an_error_that_is_raised_again_and_again_does_not_grow(ada, draft, open_saver):
    saver = open_saver(ada, draft, interval=NEVER)
    saver.change(name="mine")
    ada.versions.delete_draft(draft.id)

    depths: list[int] = []
    for step in range(20):
        with pytest.raises(NotFoundError) as caught:
            saver.change(name=f"{step}") if step else saver.flush()
        depths.append(len(caught.traceback))

    assert depths[-1] == depths[1]


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


def test_a_crash_loses_at_most_one_interval(face, ada, draft, stack):
    arguments = [face.name, stack.rest_url, stack.anon_key, ada.token, str(draft.id)]
    command = [sys.executable, "-c", textwrap.dedent(EDITOR), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None

    last = first = float(process.stdout.readline())
    while last < first + 1.3:
        last = float(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=10)

    if rest.endswith("\n"):
        last = float(rest.split()[-1])
    saved = ada.versions.get(draft.id).config_snapshot["at"]
    assert last - saved < 0.5 + 0.4  # an interval, and what a request takes on a busy machine


# --- an autosaver that nobody closes


def workers() -> list[Any]:
    """The threads that save in the background."""
    return [thread for thread in threading.enumerate() if thread.name == "DraftAutosaver"]


@pytest.mark.parametrize("in_a_cycle", [False, True], ids=["alone", "its on_error refers to it"])
def test_one_that_is_dropped_saves_what_is_pending_and_ends(face, ada, draft, in_a_cycle):
    before = len(workers())
    told: list[Any] = []
    kind = face.public("DraftAutosaver")
    saver = face.make(kind, ada.versions.target, draft, interval=NEVER, on_error=told.append)
    if in_a_cycle:
        told.append(saver.target)
    saver.change(name="the last one")

    dropped = weakref.ref(saver.target)
    del saver, told
    gc.collect()

    wait_until(lambda: ada.versions.get(draft.id).name == "the last one")
    wait_until(lambda: dropped() is None and len(workers()) == before)


def test_one_that_is_dropped_tells_what_it_could_not_save(face, ada, far, draft, cutter, caplog):
    kind = face.public("DraftAutosaver")
    saver = face.make(kind, far.versions.target, draft, interval=NEVER)
    saver.change(name="lost", change_summary="too")
    cutter.go_down()

    with caplog.at_level(logging.WARNING, logger="training_versions"):
        del saver
        gc.collect()
        wait_until(lambda: caplog.records)

    (record,) = caplog.records
    assert f"draft {draft.id} was not closed" in record.getMessage()
    assert "could not save name, change_summary: " in record.getMessage()
    cutter.come_up()
    assert ada.versions.get(draft.id) == draft


def test_one_without_changes_is_dropped_without_a_word(face, ada, draft, caplog):
    sent = len(ada.sent)
    saver = face.make(face.public("DraftAutosaver"), ada.versions.target, draft)

    del saver
    gc.collect()

    assert (len(ada.sent), caplog.records) == (sent, [])
