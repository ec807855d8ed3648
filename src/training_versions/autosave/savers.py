# Autosaving is a part of the repository that lives in a folder of its own: it drives operations
# through the repository's transport and reads rows with its codecs, which no other module may do.
# pyright: reportPrivateUsage=false
"""What the two autosavers share: their methods, and what they say about the state.

How operations are run, and what waits in the background, is left to `threads.py` and `tasks.py`.
"""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Generic, TypeVar, Unpack, cast

from training_versions.async_repository import AsyncVersionRepository
from training_versions.autosave.conflicts import AutosaveConflictError
from training_versions.autosave.state import AutosaveState
from training_versions.errors import InvalidInputError, OutcomeUnknownError
from training_versions.models import (
    UNSET,
    C,
    D,
    DraftFields,
    JsonLike,
    JsonValue,
    M,
    Unset,
    Version,
    VersionStatus,
    VersionSummary,
)
from training_versions.operations import drafts
from training_versions.operations.requests import Operation
from training_versions.repository import VersionRepository
from training_versions.snapshots import refuses_foreign_errors

R = TypeVar("R")

DEFAULT_INTERVAL: Final = 30.0
"""The seconds from a change to the save, unless an autosaver is told otherwise."""
DEFAULT_TIMEOUT: Final = 30.0
EXIT_TIMEOUT: Final = 10.0
"""The most seconds that an exiting program waits for an autosaver that nobody closed."""
logger = logging.getLogger(__name__)


class Autosaver(Generic[R, C, M, D]):
    """The autosaver of one draft; `R` is what its methods return: `None`, or a coroutine."""

    def __init__(
        self,
        versions: VersionRepository[C, M, D] | AsyncVersionRepository[C, M, D],
        draft: Version[C, M, D],
        *,
        interval: float,
        on_error: Callable[[Exception], object] | None,
        repository: type,
        wake: Callable[[], object],
    ) -> None:
        check_repository(versions, repository, owner=type(self).__name__)
        if on_error is None:
            on_error = ignore_error
        check_callable(on_error, "on_error")
        check_draft(draft, "draft")
        check_seconds(interval, "interval")
        self._on_error = on_error
        self._process = os.getpid()
        self._codecs = versions._codecs
        self._state = AutosaveState(
            versions._codecs, draft, interval=interval, clock=time.monotonic, wake=wake
        )

    @property
    def draft(self) -> Version[C, M, D]:
        """The draft as this autosaver last saved or read it."""
        return copy.deepcopy(self._state.draft)  # since callers may edit its snapshots

    @property
    def pending(self) -> dict[str, JsonValue]:
        """Changes not known to be saved, as arguments for `update_draft`; empty if all are."""
        return self._state.pending

    @property
    def last_error(self) -> Exception | None:
        """Why the last save failed; `None` once one succeeds."""
        return self._state.error

    @property
    def conflict(self) -> AutosaveConflictError[C, M, D] | None:
        """Both sides, if somebody else edited the draft; `None` once that is resolved."""
        return self._state.conflict

    def change(
        self,
        *,
        config: C | JsonLike | Unset = UNSET,
        model: M | JsonLike | Unset = UNSET,
        dataset: D | Sequence[JsonLike] | Unset = UNSET,
        name: str | Unset = UNSET,
        **fields: Unpack[DraftFields],
    ) -> None:
        """Take a change, to be saved within the interval; never waits for the network.

        A later change of the same argument replaces an earlier one that is not sent yet. If
        autosaving has stopped, the change is kept in `pending`, and the reason is raised.

        Args:
            config: The fine-tuning config; like all arguments, as in `update_draft`.
            model: The base model.
            dataset: The data sets.
            name: Its name.
            **fields: See `DraftFields`.

        Raises:
            InvalidInputError: A value cannot be stored, or nothing is named, or the autosaver is
                closed, or an async one is called outside of its event loop. Nothing is taken.
            AutosaveConflictError: Somebody else edited the draft; decide with `merge`, `overwrite`
                or `discard`.
            ConflictError: The draft is published or archived, so pending changes cannot be saved.
            NotFoundError: The draft was deleted, so pending changes cannot be saved.

        Example:
            >>> saver.change(config={"r": 16}, change_summary="a higher rank")
        """
        changes = drafts.check_changes(
            self._codecs, config=config, model=model, dataset=dataset, name=name, fields=fields
        )
        self._check_process()
        # Under one lock: a change that comes while the autosaver is being closed is either refused
        # or saved by it.
        with self._state.lock:
            self._state.raise_if_closed()
            self._start()
            self._state.change(changes)

    def flush(self) -> R:
        """Save pending changes now.

        Raises:
            AutosaveConflictError: Somebody else edited the draft.
            TrainingVersionsError: They could not be saved, as in `update_draft`; they stay pending.

        Example:
            >>> saver.flush()
        """
        return self._run(self._state.save_all())

    def merge(self) -> R:
        """Resolve a conflict: apply your changes to their version, path by path, and save.

        Afterwards `draft` has the changes of both; show it before you take more changes.

        Raises:
            AutosaveConflictError: Both changed the same paths (`overlapping`), or the draft was
                edited once more.
            InvalidInputError: The result does not fit its type.
            TrainingVersionsError: It could not be saved; the changes stay pending.

        Example:
            >>> if saver.conflict and not saver.conflict.overlapping:
            ...     saver.merge()
        """
        return self._run(self._state.merge())

    def overwrite(self) -> R:
        """Resolve a conflict: save pending changes, in place of theirs to the same arguments.

        Raises:
            AutosaveConflictError: The draft was edited once more.
            TrainingVersionsError: They could not be saved; they stay pending.

        Example:
            >>> saver.overwrite()
        """
        return self._run(self._state.overwrite())

    def discard(self) -> R:
        """Drop pending changes; in a conflict, their version becomes `draft`.

        If the reply to a save was lost, the draft is read, since that save may have been carried
        out.

        Raises:
            TrainingVersionsError: It could not be read, and nothing is discarded.

        Example:
            >>> saver.discard()
        """
        return self._run(self._state.discard())

    def close(self, *, timeout: float = DEFAULT_TIMEOUT) -> R:
        """Stop, and save pending changes. If that fails they stay pending; close again to retry.

        Args:
            timeout: The seconds to wait for a save that is under way in the background, and once
                more for an `on_error` that is still running there.

        Raises:
            InvalidInputError: The timeout is not a number of seconds; nothing is closed.
            AutosaveConflictError: Somebody else edited the draft.
            OutcomeUnknownError: The save under way did not end in time, or its reply was lost.
            TrainingVersionsError: The changes could not be saved, as in `update_draft`.

        Example:
            >>> saver.close()
        """
        check_seconds(timeout, "timeout", may_be_zero=True)
        return self._stop_and_save(timeout)

    @property
    def _is_forked(self) -> bool:
        """Whether this process is a fork of the one that saves."""
        return os.getpid() != self._process

    def _check_process(self) -> None:
        # Before any lock is taken: at the fork, a thread that is not here may have held it.
        if self._is_forked:
            raise InvalidInputError(
                "The autosaver belongs to another process, and this one is its fork.",
                hint="The other process saves. Open another autosaver here, with a client and a "
                "repository that were made after the fork.",
            )

    def _start(self) -> None:
        """Start the thread or task that saves in the background, unless it is running."""
        raise NotImplementedError

    def _run(self, operation: Operation[None]) -> R:
        """Carry out an operation when no other one is under way."""
        raise NotImplementedError

    def _stop_and_save(self, timeout: float) -> R:
        """Take no more changes, and save the rest when no other operation is under way."""
        raise NotImplementedError

    def _still_busy(self, timeout: float) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"A save was still under way after {timeout:g} s, "
            "so pending changes may be saved or not.",
            operation="versions.update_draft",
            hint="Close again, or keep what is in pending.",
        )

    def _raise_on_exit(
        self,
        failure: Exception,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raise why closing failed, without hiding an error that left the `with` block."""
        if error is None:
            raise failure
        if failure is error:
            # A conflict left the block, and closing has raised the same one again. Show where it
            # left the block, and not where it was closed.
            error.__traceback__ = traceback
        else:
            error.add_note(f"The autosaver could not save the last changes either: {failure}")

    def _log_failed_callback(self) -> None:
        """Log the current exception, which `on_error` raised."""
        logger.exception("on_error of the autosaver of draft %s failed.", self._state.draft.id)


def ignore_error(error: Exception) -> None:
    """Do nothing: the default for `on_error`. The error is in `last_error` as well."""


def tell_unsaved(state: AutosaveState[Any, Any, Any], reason: Exception) -> None:
    """Log what is lost of an autosaver that nobody closed."""
    logger.warning(
        "The autosaver of draft %s was not closed, and could not save %s: %s",
        state.draft.id,
        ", ".join(state.pending),
        reason,
    )


def check_repository(versions: object, repository: type, *, owner: str) -> None:
    """Refuse anything but a repository of this class."""
    if not isinstance(versions, repository):
        kind = type(versions).__name__
        raise InvalidInputError(
            f"{owner} needs a {repository.__name__}, not {kind}.", field="versions"
        )


@refuses_foreign_errors
def check_callable(value: object, argument: str) -> None:
    """Refuse what cannot be called."""
    if not callable(value):
        raise InvalidInputError(f"{argument} must be callable, not {value!r:.80}.", field=argument)


@refuses_foreign_errors
def check_seconds(seconds: object, argument: str, *, may_be_zero: bool = False) -> None:
    """Refuse anything but a number of seconds that a thread can wait for."""
    if type(seconds) in (int, float):
        number = cast("float", seconds)
        if 0 < number <= threading.TIMEOUT_MAX or (number == 0 and may_be_zero):
            return
    allowed = "0 or more" if may_be_zero else "more than 0"
    raise InvalidInputError(
        f"{argument} must be seconds, {allowed}, not {seconds!r}.", field=argument
    )


@refuses_foreign_errors
def check_draft(draft: object, argument: str) -> None:
    """Refuse anything but a draft with its snapshots."""
    hint = None
    if not isinstance(draft, Version):
        kind = repr(draft)[:80]
        if isinstance(draft, VersionSummary):
            hint = "Read it with its snapshots first: versions.get(draft.id)."
    elif draft.status != VersionStatus.DRAFT:
        kind = f"a {draft.status} one"
    else:
        return
    raise InvalidInputError(
        f"{argument} must be a version that is a draft, not {kind}.", field=argument, hint=hint
    )
