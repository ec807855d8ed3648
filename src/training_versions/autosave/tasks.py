# As in savers.py.
# pyright: reportPrivateUsage=false
"""`AsyncDraftAutosaver`: saves in a background task.

This file and `threads.py` are twins that are written by hand. Unlike those in `_sync/`, neither can
be derived: how to wait, how to end and who may call differ in more than the word `await`.
"""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, TypeAlias

from training_versions._async.transport import AsyncTransport
from training_versions.async_repository import AsyncVersionRepository
from training_versions.autosave.savers import (
    DEFAULT_INTERVAL,
    EXIT_TIMEOUT,
    Autosaver,
    tell_unsaved,
)
from training_versions.autosave.state import AutosaveState
from training_versions.errors import InvalidInputError
from training_versions.models import C, D, M, Version
from training_versions.operations.requests import Operation

Saving: TypeAlias = Coroutine[Any, Any, None]
"""What `flush`, `close` and the rest return here, to be awaited."""


class AsyncDraftAutosaver(Autosaver[Saving, C, M, D]):
    """Saves one draft in a background task; leaving its `async with` block saves the rest.

    It works as `DraftAutosaver` does, within one event loop, where all of its methods are called.
    `flush`, `merge`, `overwrite`, `discard` and `close` are awaited; `change` is not. If it is
    dropped, or its task is cancelled, as when the event loop ends, what is pending is saved.

    Args:
        versions: The repository that the draft came from.
        draft: The draft as it was last read.
        interval: The seconds between saves.
        on_error: Called in the background task with the error of each save that failed there,
            conflicts included; it may be a coroutine function, and call the methods of the
            autosaver.

    Example:
        >>> async with AsyncDraftAutosaver(versions, draft) as saver:
        ...     saver.change(config={"r": 16})
    """

    __module__ = "training_versions"

    def __init__(
        self,
        versions: AsyncVersionRepository[C, M, D],
        draft: Version[C, M, D],
        *,
        interval: float = DEFAULT_INTERVAL,
        on_error: Callable[[Exception], Awaitable[object] | None] | None = None,
    ) -> None:
        self._woken = asyncio.Event()
        super().__init__(
            versions,
            draft,
            interval=interval,
            on_error=on_error,
            repository=AsyncVersionRepository,
            wake=self._woken.set,
        )
        self._transport = versions._transport
        # In the background, the save of the next interval is the repeat.
        self._background_transport = AsyncTransport(
            versions._transport.client, type(versions).__name__, retry_pauses=()
        )
        # Held while an operation is under way: there is one at a time.
        self._saving = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._last: list[Callable[[], Saving]] = []

    async def __aenter__(self) -> AsyncDraftAutosaver[C, M, D]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_forked:
            return  # the block of the process that this one is a fork of goes on there
        try:
            await self.close()
        except Exception as exc:
            self._raise_on_exit(exc, error, traceback)

    def __del__(self) -> None:
        task = getattr(self, "_task", None)
        if task is None or self._is_forked or self._state.is_closed:
            return
        # The last thing that is done here, in whichever thread: hand over, and wait for nothing.
        self._last.append(partial(_save_leftover, self._state, self._transport))
        try:
            task.get_loop().call_soon_threadsafe(self._woken.set)
        except RuntimeError as exc:  # the event loop has ended
            if self._state.pending:
                tell_unsaved(self._state, exc)

    def _start(self) -> None:
        loop = _running_loop()
        if loop is None or (self._task is not None and self._task.get_loop() is not loop):
            raise InvalidInputError(
                "The changes of an AsyncDraftAutosaver are made in its event loop."
            )
        # A task that somebody cancelled, as when all tasks of a program are, is replaced.
        if self._task is None or self._task.done():
            # It holds nothing of the autosaver but a weak reference, so that it ends with it.
            work = _work(weakref.ref(self), self._woken, self._last)
            self._task = loop.create_task(work, name="AsyncDraftAutosaver")

    async def _run(self, operation: Operation[None]) -> None:
        self._check_process()
        async with self._saving:
            await self._transport.run(operation)

    async def _stop_and_save(self, timeout: float) -> None:
        self._check_process()
        self._state.close()
        try:
            async with asyncio.timeout(timeout):
                await self._saving.acquire()
        except TimeoutError:
            raise self._still_busy(timeout) from None
        try:
            await self._transport.run(self._state.save_all())
        finally:
            self._saving.release()
            # Its save has ended, but its `on_error` may still be running, and is given the same
            # time once more. The task itself may close the autosaver there.
            if self._task is not None and self._task is not asyncio.current_task():
                await asyncio.wait([self._task], timeout=timeout)

    async def _save_if_due(self) -> None:
        try:
            async with self._saving:
                # Somebody may have saved or closed while the task waited for its turn.
                if self._state.is_due:
                    await self._background_transport.run(self._state.save())
        except Exception as exc:  # whatever it is: the changes are pending, and sent again
            await self._report(exc)

    async def _save_on_cancel(self) -> None:
        """Save what is pending, or tell what is lost."""
        try:
            async with asyncio.timeout(EXIT_TIMEOUT):
                await self._run(self._state.save_all())
        except Exception as exc:
            tell_unsaved(self._state, exc)

    async def _report(self, exc: Exception) -> None:
        try:
            result = self._on_error(exc)
            if inspect.isawaitable(result):
                await result
        except Exception:
            self._log_failed_callback()


async def _work(
    reference: weakref.ref[AsyncDraftAutosaver[Any, Any, Any]],
    woken: asyncio.Event,
    last: list[Callable[[], Saving]],
) -> None:
    """Save whenever it is time, until the autosaver is closed or dropped."""
    try:
        while not last:
            # Cleared before looking, so that a change after the look ends the wait at once.
            woken.clear()
            saver = reference()
            delay = None  # once it is dropped, until what is last to do arrives
            if saver is not None:
                if saver._state.is_closed:
                    return
                delay = saver._state.delay
                if delay == 0:
                    await saver._save_if_due()
                    continue
            del saver
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await woken.wait()
        await last[0]()
    except asyncio.CancelledError:
        # Whoever cancels may be ending the event loop. What was sent already is sent again as it
        # was, and then changes nothing.
        saver = reference()
        if last:
            await last[0]()
        elif saver is not None and saver._state.pending and not saver._state.is_closed:
            await saver._save_on_cancel()
        raise


async def _save_leftover(state: AutosaveState[Any, Any, Any], transport: AsyncTransport) -> None:
    """Save what is pending of an autosaver that was dropped, or tell what is lost."""
    state.close()
    try:
        async with asyncio.timeout(EXIT_TIMEOUT):
            await transport.run(state.save_all())
    except Exception as exc:
        tell_unsaved(state, exc)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
