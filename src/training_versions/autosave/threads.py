# As in savers.py.
# pyright: reportPrivateUsage=false
"""`DraftAutosaver`: saves in a background thread.

This file and `tasks.py` are twins that are written by hand. Unlike those in `_sync/`, neither can
be derived: how to wait, how to end and who may call differ in more than the word `await`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from training_versions._sync.transport import Transport
from training_versions.autosave.savers import DEFAULT_INTERVAL, Autosaver
from training_versions.models import C, D, M, Version
from training_versions.operations.requests import Operation
from training_versions.repository import VersionRepository


class DraftAutosaver(Autosaver[None, C, M, D]):
    """Saves one draft in a background thread; leaving its `with` block saves the rest.

    Close it, or use `with`: changes that are still pending when the interpreter exits are lost.
    Unless saving failed, those are the changes of one interval at most.

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
        self._woken = threading.Event()
        super().__init__(
            versions,
            draft,
            interval=interval,
            on_error=on_error,
            repository=VersionRepository,
            wake=self._woken.set,
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
        try:
            self.close()
        except Exception as exc:
            self._raise_on_exit(exc, error, traceback)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="DraftAutosaver", daemon=True)
            self._thread.start()

    def _run(self, operation: Operation[None]) -> None:
        with self._saving:
            self._transport.run(operation)

    def _stop_and_save(self, timeout: float) -> None:
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

    def _work(self) -> None:
        """Save whenever it is time, until the autosaver is closed."""
        while self._wait_until_due():
            try:
                with self._saving:
                    # Somebody may have saved or closed while this thread waited for its turn.
                    if self._state.is_due:
                        self._background_transport.run(self._state.save())
            except Exception as exc:  # whatever it is: the changes are pending, and sent again
                self._report(exc)

    def _wait_until_due(self) -> bool:
        """Wait for the time of the next save; return whether the autosaver is still open."""
        while True:
            # Cleared before looking, so that a change after the look ends the wait at once.
            self._woken.clear()
            if self._state.is_closed:
                return False
            delay = self._state.delay
            if delay == 0:
                return True
            self._woken.wait(delay)

    def _report(self, exc: Exception) -> None:
        try:
            self._on_error(exc)
        except Exception:
            self._log_failed_callback()
