# The autosaver is a part of the repository that can be left out, so it may use what is private there.
# pyright: reportPrivateUsage=false
"""Saves a draft while it is being edited: at most once per interval, only what changed, and never over others' edits.

What to send and what a reply means is decided in `_autosave.py`; here are the thread and the task that do it.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Final, Generic, TypeAlias, TypeVar

from training_versions.async_repository import AsyncVersionRepository
from training_versions.autosave._state import Autosave, AutosaveConflictError, Saving, check_seconds
from training_versions.errors import InvalidInputError, OutcomeUnknownError
from training_versions.models import UNSET, C, Cents, D, Id, JsonLike, JsonValue, M, Unset, Version
from training_versions.operations._calls import Rpc
from training_versions.repository import VersionRepository

__all__ = ["AsyncDraftAutosaver", "AutosaveConflictError", "DraftAutosaver"]

INTERVAL: Final = 30.0
ON_ERROR_FAILED: Final = "on_error of the autosaver of draft %s failed."
R = TypeVar("R")  # what a method returns that sends something: nothing, or what is to be awaited
Awaited: TypeAlias = Coroutine[Any, Any, None]
logger = logging.getLogger(__name__)


class Autosaver(Generic[R, C, M, D]):
    """What both autosavers share: taking changes, telling how saving goes, and what their methods do."""

    def __init__(
        self,
        versions: Any,
        kind: type,
        draft: Version[C, M, D],
        interval: float,
        on_error: Callable[[Exception], object] | None,
    ) -> None:
        if not isinstance(versions, kind):
            raise InvalidInputError(
                f"{type(self).__name__} needs a {kind.__name__}, not {type(versions).__name__}.",
                field="versions",
            )
        if on_error is not None and not callable(on_error):
            raise InvalidInputError(
                f"on_error must be callable, not {on_error!r:.80}.", field="on_error"
            )
        self._core = Autosave[C, M, D](versions._calls, draft, interval, time.monotonic)
        self._versions = versions
        self._behind: Any = copy.copy(versions)
        self._behind._pauses = ()  # in the background the next interval is the repeat
        self._on_error: Callable[[Exception], object] = on_error or bool  # which does nothing
        self._lock = threading.Condition()
        self._closed = False

    @property
    def draft(self) -> Version[C, M, D]:
        """The draft as this autosaver last saved or read it."""
        return copy.deepcopy(self._core.draft)  # since callers may edit what they get

    @property
    def pending(self) -> dict[str, JsonValue]:
        """What is not known to be saved, as arguments for `update_draft`; empty when everything is."""
        with self._lock:
            return self._core.pending

    @property
    def last_error(self) -> Exception | None:
        """Why the last save failed; `None` once one succeeds."""
        return self._core.error

    @property
    def conflict(self) -> AutosaveConflictError[C, M, D] | None:
        """Both sides, when somebody else edited the draft; `None` once that is resolved."""
        return self._core.conflict

    def change(
        self,
        *,
        config: C | JsonLike | Unset = UNSET,
        model: M | JsonLike | Unset = UNSET,
        dataset: D | Sequence[JsonLike] | Unset = UNSET,
        name: str | Unset = UNSET,
        change_summary: str | Unset | None = UNSET,
        parent_version_id: Id | Unset | None = UNSET,
        estimated_cost: Cents | Unset | None = UNSET,
        budget_limit: Cents | Unset | None = UNSET,
    ) -> None:
        """Take a change, to be saved within the interval; never waits for the network.

        A later change of the same argument replaces an earlier one that is not sent yet. When autosaving has stopped,
        the change is kept in `pending`, and why it stopped is raised.

        Args:
            config: As in `update_draft`, like all that follow.
            model: The base model.
            dataset: The data sets.
            name: Its name.
            change_summary: What is new.
            parent_version_id: The version that it comes from.
            estimated_cost: What training should cost.
            budget_limit: What training may cost.

        Raises:
            InvalidInputError: A value cannot be stored, or nothing is named, or the autosaver is closed, or an async
                one is called outside of its event loop; nothing is taken.
            AutosaveConflictError: Somebody else edited the draft; decide by `merge`, `overwrite` or `discard`.
            ConflictError: The draft is published or archived, so what is pending cannot be saved.
            NotFoundError: The draft was deleted, so what is pending cannot be saved.

        Example:
            >>> saver.change(config={"r": 16}, change_summary="a higher rank")
        """
        changes = self._core.check(
            config=config,
            model=model,
            dataset=dataset,
            name=name,
            change_summary=change_summary,
            parent_version_id=parent_version_id,
            estimated_cost=estimated_cost,
            budget_limit=budget_limit,
        )
        with self._lock:
            if self._closed:
                raise InvalidInputError(
                    "The autosaver is closed.", hint="Open another one with saver.draft."
                )
            self._wake()
            self._core.change(changes)

    def flush(self) -> R:
        """Save now what is pending.

        Raises:
            AutosaveConflictError: Somebody else edited the draft.
            TrainingVersionsError: It could not be saved, as `update_draft` says; it stays pending.

        Example:
            >>> saver.flush()
        """
        return self._send(self._core.save(everything=True))

    def merge(self) -> R:
        """Resolve a conflict: put what you changed onto their version, path by path, and save that.

        Afterwards `draft` is what both made of it; show that before you take more changes.

        Raises:
            AutosaveConflictError: Both changed the same paths (`overlapping`), or it was edited once more.
            InvalidInputError: What comes out does not fit its type.
            TrainingVersionsError: It could not be saved; it stays pending.

        Example:
            >>> if saver.conflict and not saver.conflict.overlapping: saver.merge()
        """
        return self._send(self._core.merge())

    def overwrite(self) -> R:
        """Resolve a conflict: save what is pending as it is, over their changes to the same arguments.

        Raises:
            AutosaveConflictError: It was edited once more.
            TrainingVersionsError: It could not be saved; it stays pending.

        Example:
            >>> saver.overwrite()
        """
        return self._send(self._core.overwrite())

    def discard(self) -> R:
        """Forget what is pending; a conflict is resolved with their version, which `draft` is then.

        When the reply to a save was lost, the draft is read, since that save may have been carried out.

        Raises:
            TrainingVersionsError: It could not be read, and nothing is discarded.

        Example:
            >>> saver.discard()
        """
        return self._send(self._core.discard())

    def close(self, *, timeout: float = 30.0) -> R:
        """Stop, and save what is pending; when that fails it stays in `pending`, and `close` may be called again.

        Args:
            timeout: The seconds to wait for a save that is under way in the background.

        Raises:
            InvalidInputError: The timeout is no number of seconds; nothing is closed.
            AutosaveConflictError: Somebody else edited the draft.
            OutcomeUnknownError: The save under way did not end in time, or its reply was lost.
            TrainingVersionsError: It could not be saved, as `update_draft` says.

        Example:
            >>> saver.close()
        """
        check_seconds(timeout, "timeout", or_zero=True)
        return self._close(timeout)

    def _wake(self) -> None:
        """Start what saves in the background, or tell it to look again how long it has to wait."""
        raise NotImplementedError

    def _send(self, steps: Saving) -> R:
        raise NotImplementedError

    def _close(self, timeout: float) -> R:
        raise NotImplementedError

    def _leave(
        self, failed: Exception, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Tell that closing failed, without hiding the error that the block was left by."""
        if error is None:
            raise failed
        if failed is error:  # a conflict, raised once more
            error.__traceback__ = traceback
        else:
            error.add_note(f"The autosaver could not save the last changes either: {failed}")


class DraftAutosaver(Autosaver[None, C, M, D]):
    """Saves the changes of one draft in a background thread; a context manager that saves the rest on leaving.

    Close it, or use `with`: what is pending when the interpreter ends without that is lost, the changes of one interval
    at most unless saving failed.

    A save is an `update_draft` with what changed and `expected_updated_at`. It is sent one interval after the first
    change that is not saved yet, so there is one save per interval. A save may be more than one request: when only
    facts beside the content moved (metrics, cost), the draft is read and the save sent once more at once, up to three
    times; and for a repository with types the draft is read before the first save.

    When a save fails, the changes stay in `pending` and are sent again an interval later, however often; three things
    stop autosaving. A conflict: somebody else edited the draft; decide by `merge`, `overwrite` or `discard`. Its end:
    it was published, archived or deleted. From then on `change`, `flush` and `close` raise the error. And a value that
    the database refuses is not sent again before the next change; it holds back the other changes, too, until it is
    replaced, set back, or discarded with them.

    Methods may be called from any thread.

    Args:
        versions: The repository that the draft came from.
        draft: The draft as it was last read.
        interval: The seconds between saves.
        on_error: Called in the background thread with the error of each save that failed there, a conflict too; it may
            call the methods of the autosaver.

    Example:
        >>> with DraftAutosaver(versions, draft) as saver:
        ...     saver.change(config={"r": 16})
    """

    def __init__(
        self,
        versions: VersionRepository[C, M, D],
        draft: Version[C, M, D],
        *,
        interval: float = INTERVAL,
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        super().__init__(versions, VersionRepository, draft, interval, on_error)
        self._saving = threading.Lock()  # held while a call is under way
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
            self._leave(exc, error, traceback)

    def _send(self, steps: Saving) -> None:
        with self._saving:
            self._run(steps, self._versions)

    def _close(self, timeout: float) -> None:
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        if not self._saving.acquire(timeout=timeout):
            raise _still_busy(timeout)
        try:
            self._run(self._core.save(everything=True), self._versions)
        finally:
            self._saving.release()
            if self._thread is not None and self._thread is not threading.current_thread():
                self._thread.join(timeout)

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="DraftAutosaver", daemon=True)
            self._thread.start()
        self._lock.notify_all()

    def _work(self) -> None:
        while self._wait():
            try:
                with self._saving:
                    if (
                        not self._closed and self._core.delay == 0
                    ):  # close() or flush() may have been faster
                        self._run(self._core.save(everything=False), self._behind)
            except Exception as exc:  # whatever it is, changes are pending, and will be sent again
                self._tell(exc)

    def _wait(self) -> bool:
        with self._lock:
            while not self._closed and (delay := self._core.delay) != 0:
                self._lock.wait(delay)
            return not self._closed

    def _tell(self, exc: Exception) -> None:
        try:
            self._on_error(exc)
        except Exception:
            logger.exception(ON_ERROR_FAILED, self._core.draft.id)

    def _run(self, steps: Saving, versions: Any) -> None:
        step: Callable[[], Any] = partial(next, steps)
        while True:
            with self._lock:
                try:
                    call = step()
                except StopIteration:
                    return
                finally:
                    self._lock.notify_all()  # the thread may have to wait longer or shorter now
            try:
                reply: object = (
                    versions._call(call) if isinstance(call, Rpc) else versions._read(call)
                )
                step = partial(steps.send, reply)
            except BaseException as exc:  # ctrl-C too: what was sent may have been carried out
                step = partial(steps.throw, exc)


class AsyncDraftAutosaver(Autosaver[Awaited, C, M, D]):
    """Saves the changes of one draft in a background task; an async context manager that saves the rest on leaving.

    As `DraftAutosaver`, for one event loop, in which all of it is called. `change` is no coroutine; `flush`, `merge`,
    `overwrite`, `discard` and `close` are to be awaited.

    Args:
        versions: The repository that the draft came from.
        draft: The draft as it was last read.
        interval: The seconds between saves.
        on_error: Called in the background task with the error of each save that failed there, a conflict too; it may
            be a coroutine function, and call the methods of the autosaver.

    Example:
        >>> async with AsyncDraftAutosaver(versions, draft) as saver:
        ...     saver.change(config={"r": 16})
    """

    def __init__(
        self,
        versions: AsyncVersionRepository[C, M, D],
        draft: Version[C, M, D],
        *,
        interval: float = INTERVAL,
        on_error: Callable[[Exception], Awaitable[object] | None] | None = None,
    ) -> None:
        super().__init__(versions, AsyncVersionRepository, draft, interval, on_error)
        self._saving = asyncio.Lock()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AsyncDraftAutosaver[C, M, D]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.close()
        except Exception as exc:
            self._leave(exc, error, traceback)

    async def _send(self, steps: Saving) -> None:
        async with self._saving:
            await self._run(steps, self._versions)

    async def _close(self, timeout: float) -> None:
        self._closed = True
        self._woken.set()
        try:
            async with asyncio.timeout(timeout):
                await self._saving.acquire()
        except TimeoutError:
            raise _still_busy(timeout) from None
        try:
            await self._run(self._core.save(everything=True), self._versions)
        finally:
            self._saving.release()
            if self._task is not None and self._task is not asyncio.current_task():
                await asyncio.wait([self._task], timeout=timeout)

    def _wake(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None or (self._task is not None and self._task.get_loop() is not loop):
            raise InvalidInputError(
                "The changes of an AsyncDraftAutosaver are made in its event loop."
            )
        if self._task is None:
            self._task = loop.create_task(self._work(), name="AsyncDraftAutosaver")
        self._woken.set()

    async def _work(self) -> None:
        while await self._wait():
            try:
                async with self._saving:
                    if (
                        not self._closed and self._core.delay == 0
                    ):  # close() or flush() may have been faster
                        await self._run(self._core.save(everything=False), self._behind)
            except Exception as exc:  # whatever it is, changes are pending, and will be sent again
                await self._tell(exc)

    async def _wait(self) -> bool:
        while not self._closed and (delay := self._core.delay) != 0:
            self._woken.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), delay)
        return not self._closed

    async def _tell(self, exc: Exception) -> None:
        try:
            told = self._on_error(exc)
            if inspect.isawaitable(told):
                await told
        except Exception:
            logger.exception(ON_ERROR_FAILED, self._core.draft.id)

    async def _run(self, steps: Saving, versions: Any) -> None:
        step: Callable[[], Any] = partial(next, steps)
        while True:
            try:
                call = step()
            except StopIteration:
                return
            finally:
                self._woken.set()  # the task may have to wait longer or shorter now
            try:
                reply: object = await (
                    versions._call(call) if isinstance(call, Rpc) else versions._read(call)
                )
                step = partial(steps.send, reply)
            except (
                BaseException
            ) as exc:  # a cancelled task too: what was sent may have been carried out
                step = partial(steps.throw, exc)


def _still_busy(timeout: float) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"A save was still under way after {timeout:g} s, so what is pending may be saved or not.",
        operation="versions.update_draft",
        hint="Close again, or keep what is in pending.",
    )
