"""Retries: which failed requests are sent again, and after which delay.

A write whose reply was lost is sent again, because every write is idempotent: made twice, it has
the effect of one. So is one that the database took back whole because two transactions stood in
each other's way. A select is never repeated here: the postgrest client does that itself.
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

DEFAULT_DELAYS: Final = (0.5, 1.0, 2.0)
"""Seconds before the first, second and third repeat."""

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
        delays: Seconds before each repeat, so their number is that of the repeats. Each is
            shortened by up to half at random, so that clients that failed together do not come
            back together.
    """

    def __init__(self, request: Rpc | Select, delays: Sequence[float]) -> None:
        self._operation = request.operation
        self._is_write = False
        self._retry_hint: str | None = None
        self._delays: Sequence[float] = ()
        if isinstance(request, Rpc):
            self._delays = delays
            self._is_write = request.is_write
            if request.is_write:
                self._retry_hint = request.retry_hint
        self._repeats = 0
        self._lost: Exception | None = None  # the last failure that may have been carried out

    def next_delay_or_raise(self, exc: Exception, headers: Mapping[str, str]) -> float:
        """Return the seconds to wait before sending the same again.

        Args:
            exc: What the client raised.
            headers: What was sent; they say whether the caller is signed in.

        Raises:
            TrainingVersionsError: Repeating would not help, or there were enough repeats.
        """
        error = translate(exc, self._operation, headers, is_write=self._is_write)
        rolled_back = isinstance(error, DatabaseError) and error.code in _ROLLED_BACK
        if is_lost(exc):
            self._lost = exc
        elif _is_verdict(error) and not rolled_back:
            if self._lost is not None and self._is_write:
                error.add_note(_NOTE_LOST_BEFORE)
            raise error from exc
        elif self._lost is None and not rolled_back:
            raise error from exc

        if self._repeats == len(self._delays):
            raise self._final_error(error, headers) from exc
        delay = self._delays[self._repeats] * random.uniform(0.5, 1.0)
        self._repeats += 1
        logger.debug(
            "%s failed (%s); repeat %d of %d in %.2f s",
            self._operation,
            exc,
            self._repeats,
            len(self._delays),
            delay,
        )
        return delay

    def _final_error(
        self, error: TrainingVersionsError, headers: Mapping[str, str]
    ) -> TrainingVersionsError:
        """Return what to raise after the last repeat: that a reply was lost counts for most."""
        if self._lost is None:
            return error
        lost = translate(self._lost, self._operation, headers, is_write=self._is_write)
        if self._retry_hint is not None:
            lost.hint = self._retry_hint
        return lost


def _is_verdict(error: TrainingVersionsError) -> bool:
    """Return whether the database itself decided, so that a repeat would end the same way."""
    return isinstance(error, NotFoundError | ConflictError | RejectedError)
