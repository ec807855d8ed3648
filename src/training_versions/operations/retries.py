"""Retries: which failed requests are sent again, and after which pause.

A write whose reply was lost is sent again, because the same request sent twice has the effect of
one. So is a call that the database rolled back because of a serialization failure or a deadlock.
Reads by a function are repeated like writes. A select is never repeated here: the postgrest client
repeats it itself where the connection fails or the answer is 503 (but not after a timeout).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from typing import Final

from training_versions.errors import (
    ConflictError,
    DatabaseError,
    NotFoundError,
    RejectedError,
    TrainingVersionsError,
)
from training_versions.operations.failures import is_lost, translate
from training_versions.operations.requests import Rpc, Select

DEFAULT_PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds before each repeat of a function call: by default there are at most three."""

# Serialization failure and deadlock: the transaction was rolled back, nothing was written.
_ROLLED_BACK: Final = ("40001", "40P01")
_NOTE_LOST_BEFORE: Final = (
    "The reply to an earlier try of this call was lost; that try may have been carried out."
)
logger = logging.getLogger(__name__)


class RetryState:
    """The attempts of one request so far, and whether there may be another.

    Args:
        request: What is being sent.
        pauses: Seconds before each repeat, so their number is that of the repeats. Each is
            shortened by up to half at random, so that clients that failed together do not come
            back together.
    """

    def __init__(self, request: Rpc | Select, pauses: Sequence[float]) -> None:
        self._operation = request.operation
        self._is_write = request.is_write
        self._pauses: Sequence[float] = ()  # a select has none
        self._retry_hint: str | None = None
        if isinstance(request, Rpc):
            self._pauses = pauses
            self._retry_hint = request.retry_hint
        self._repeats = 0
        self._lost: TrainingVersionsError | None = None

    def next_pause_or_raise(self, exc: Exception, headers: Mapping[str, str]) -> float:
        """Return the seconds to wait before sending the same again.

        - The reply is lost: repeat.
        - The database rolled the transaction back: repeat.
        - The database gave a definite answer (not found, conflict, rejected): raise it.
        - Anything else, such as no connection or no permission: raise it at once, so that a wrong
          URL does not cost all the pauses. But once a reply was lost, repeat, since only a decision
          of the database settles what became of the lost attempt.

        Args:
            exc: What the client raised.
            headers: What was sent; they say whether the caller is signed in.

        Raises:
            TrainingVersionsError: Repeating would not help, or there were enough repeats.
        """
        error = translate(exc, self._operation, headers, is_write=self._is_write)
        if is_lost(exc):
            self._lost = error
        elif _decides(error):
            if self._lost is not None and self._is_write:
                error.after_lost_reply = True
                error.add_note(_NOTE_LOST_BEFORE)
            raise error from exc
        elif self._lost is None and not _was_rolled_back(error):
            raise error from exc

        if self._repeats == len(self._pauses):
            raise self._final_error(error) from exc
        pause = self._pauses[self._repeats] * random.uniform(0.5, 1.0)
        self._repeats += 1
        logger.debug(
            "%s failed (%s); repeat %d of %d in %.2f s",
            self._operation,
            exc,
            self._repeats,
            len(self._pauses),
            pause,
        )
        return pause

    def _final_error(self, error: TrainingVersionsError) -> TrainingVersionsError:
        """Return what to raise after the last repeat.

        A lost reply takes precedence over any later failure, which becomes its cause.
        """
        if self._lost is None:
            return error
        if self._is_write:
            self._lost.hint = self._retry_hint
        return self._lost


def _was_rolled_back(error: TrainingVersionsError) -> bool:
    """Return whether the database took the whole transaction back, for no fault of the caller."""
    return isinstance(error, DatabaseError) and error.code in _ROLLED_BACK


def _decides(error: TrainingVersionsError) -> bool:
    """Return whether the database decided about the row, so that a repeat would end the same way.

    A refusal of permission is no such decision: it says nothing about an earlier attempt.
    """
    is_decision = isinstance(error, NotFoundError | ConflictError | RejectedError)
    return is_decision and not _was_rolled_back(error)
