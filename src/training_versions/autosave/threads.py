# As in savers.py.
# pyright: reportPrivateUsage=false
"""`DraftAutosaver`: saves in a background thread.

This file and `tasks.py` are twins that are written by hand. Unlike those in `_sync/`, neither can
be derived: how to wait, how to end and who may call differ in more than the word `await`.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, TypeAlias

from training_versions._sync.transport import Transport
from training_versions.autosave.savers import (
    DEFAULT_INTERVAL,
    EXIT_TIMEOUT,
    Autosaver,
    tell_unsaved,
)
from training_versions.autosave.state import AutosaveState
from training_versions.models import C, D, M, Version
from training_versions.operations.requests import Operation
from training_versions.repository import VersionRepository

Wakes: TypeAlias = SimpleQueue[Callable[[], None] | None]
"""What wakes the thread: `None` to look again, or the last thing to do for an autosaver that was
dropped. A `SimpleQueue`, because a finalizer may put something at any moment, even within `get`."""


class DraftAutosaver(Autosaver[None, C, M, D]):
    """Saves one draft in a background thread; leaving its `with` block saves the rest.

    Close it, or use `with`. If it is dropped instead, or the interpreter exits, its thread saves
    what is pending and ends; a warning is logged if that fails. A process that is killed loses what
    is pending: unless saving failed, those are the changes of one interval at most.

    A save is an `update_draft` with what changed, and with `expected_updated_at`. It is sent one
    interval after the first change that is not saved yet, so there is at most one save per
    interval. It may take more than one request: a repository with types reads the draft before the
    first save; and if somebody edited the draft and put it back as it was, the draft is read and
    the save repeated at once, up to three attempts in all.

    Changes whose save failed stay in `pending`, and are sent again an interval later, however
    often. Three things stop that:

    - A conflict: somebody else edited the draft. Decide with `merge`, `overwrite` or `discard`.
    - The end of the draft: it was published, archived or deleted. From then on `change`, `flush`
      and `close` raise the error.
    - A value that the database refuses. It is sent again after the next change; until it is
      replaced, set back or discarded, it holds back the other changes, too.

    Methods may be called from any thread.

    Args:
        versions: The repository that the draft came from.
        draft: The draft as it was last read.
        interval: The seconds between saves.
        on_error: Called in the background thread with the error of each save that failed there,
            conflicts included; it may call the methods of the autosaver.

    Example:
        >>> with DraftAutosaver(versions, draft) as saver:
        ...     saver.change(config={"r": 16})
    """

    __module__ = "training_versions"

    def __init__(
        self,
        versions: VersionRepository[C, M, D],
        draft: Version[C, M, D],
        *,
        interval: float = DEFAULT_INTERVAL,
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        self._wakes: Wakes = SimpleQueue()
        super().__init__(
            versions,
            draft,
            interval=interval,
            on_error=on_error,
            repository=VersionRepository,
            wake=partial(self._wakes.put, None),
        )
        self._transport = versions._transport
        # In the background, the save of the next interval is the repeat.
        self._background_transport = Transport(
            versions._transport.client, type(versions).__name__, retry_pauses=()
        )
        # Held while an operation is under way: there is one at a time.
        self._saving = threading.Lock()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> DraftAutosaver[C, M, D]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_forked:
            return  # the block of the process that this one is a fork of goes on there
        try:
            self.close()
        except Exception as exc:
            self._raise_on_exit(exc, error, traceback)

    def __del__(self) -> None:
        # The last thing that is done here, whoever does it: hand over, and wait for nothing.
        if getattr(self, "_thread", None) is None or self._is_forked or self._state.is_closed:
            return
        self._wakes.put(partial(_save_leftover, self._state, self._transport))

    def _start(self) -> None:
        if self._thread is None:
            # It holds nothing of the autosaver but a weak reference, so that it ends with it.
            ending = _Ending(weakref.ref(self))
            self._thread = ending.thread = threading.Thread(
                target=_work,
                args=(weakref.ref(self), self._wakes, ending),
                name="DraftAutosaver",
                daemon=True,
            )
            atexit.register(ending)
            self._thread.start()

    def _run(self, operation: Operation[None]) -> None:
        self._check_process()
        with self._saving:
            self._transport.run(operation)

    def _stop_and_save(self, timeout: float) -> None:
        self._check_process()
        self._state.close()
        if not self._saving.acquire(timeout=timeout):
            raise self._still_busy(timeout)
        try:
            self._transport.run(self._state.save_all())
        finally:
            self._saving.release()
            # Its save has ended, but its `on_error` may still be running, and is given the same
            # time once more. The thread itself may close the autosaver there.
            if self._thread is not None and self._thread is not threading.current_thread():
                self._thread.join(timeout)

    def _save_if_due(self) -> None:
        try:
            with self._saving:
                # Somebody may have saved or closed while the thread waited for its turn.
                if self._state.is_due:
                    self._background_transport.run(self._state.save())
        except Exception as exc:  # whatever it is: the changes are pending, and sent again
            self._report(exc)

    def _report(self, exc: Exception) -> None:
        try:
            self._on_error(exc)
        except Exception:
            self._log_failed_callback()


class _Ending:
    """What happens when the interpreter exits: the autosaver is closed, and its thread ends."""

    thread: threading.Thread

    def __init__(self, reference: weakref.ref[DraftAutosaver[Any, Any, Any]]) -> None:
        self._reference = reference

    def __call__(self) -> None:
        saver = self._reference()
        if saver is None:
            self.thread.join(EXIT_TIMEOUT)  # dropped, and perhaps being saved
        elif not saver._is_forked:
            try:
                saver.close(timeout=EXIT_TIMEOUT)
            except Exception as exc:
                tell_unsaved(saver._state, exc)


def _work(
    reference: weakref.ref[DraftAutosaver[Any, Any, Any]], wakes: Wakes, ending: _Ending
) -> None:
    """Save whenever it is time, until the autosaver is closed or dropped."""
    last: Callable[[], None] | None = None
    while last is None:
        saver = reference()
        delay = None  # once it is dropped, until what is last to do arrives
        if saver is not None:
            if saver._state.is_closed:
                break
            delay = saver._state.delay
            if delay == 0:
                saver._save_if_due()
                continue
        del saver
        with suppress(Empty):
            last = wakes.get(timeout=delay)
    if last is not None:
        last()
    atexit.unregister(ending)


def _save_leftover(state: AutosaveState[Any, Any, Any], transport: Transport) -> None:
    """Save what is pending of an autosaver that was dropped, or tell what is lost."""
    state.close()
    try:
        transport.run(state.save_all())
    except Exception as exc:
        tell_unsaved(state, exc)
