"""Retries: which failed requests are sent again, and after which pause.

A write whose reply was lost is sent again, because the same request sent twice has the effect of
one. So is a call that certainly changed nothing, for no fault of the caller: a deadlock, no
connection free, a statement that waited too long for others. A read is sent again where the network
or the database failed, but less often: somebody is waiting for it. A call of a function that only
reads is also repeated after a timeout, as writes are. The postgrest client's own repeats of reads
are switched off.

A token that is not valid yet, because the server's clock is behind, is tried once more.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from typing import Final

from training_versions.errors import (
    ConflictError,
    ConnectionFailedError,
    NotFoundError,
    RejectedError,
    TrainingVersionsError,
    UnavailableError,
)
from training_versions.operations.failures import (
    changed_nothing,
    is_lost,
    is_of_another_loop,
    is_worth_a_repeat,
    took_long,
    translate,
    was_rolled_back,
)
from training_versions.operations.refusals import is_too_early
from training_versions.operations.requests import Rpc, Select
from training_versions.project import seconds_to_wait

DEFAULT_PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds before each repeat of a write: by default there are at most three."""
READ_REPEATS: Final = 2
"""How often a read is repeated at most, so that it fails in less than two seconds by default."""
SLOW_REPEATS: Final = 1
"""How often a request is repeated at most that the server itself gave up after seconds: a statement
that only waited for others is done the second time, one that is too much stays so."""
CLOCK_PAUSE: Final = 1.0
"""Seconds before a token that is not valid yet is sent again."""

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
        self._is_call = isinstance(request, Rpc)
        self._pauses = pauses if request.is_write else pauses[:READ_REPEATS]
        self._retry_hint = request.retry_hint if isinstance(request, Rpc) else None
        self._repeats = 0
        self._slow_failures = 0
        self._was_early = False
        self._lost: TrainingVersionsError | None = None

    def next_pause_or_raise(
        self,
        exc: Exception,
        headers: Mapping[str, str],
        replied: Mapping[str, str] | None = None,
    ) -> float:
        """Return the seconds to wait before sending the same again.

        - The reply is lost: repeat a call.
        - The database rolled the transaction back, or did not take the request: repeat; once only
          if it took seconds to say so.
        - The database gave a definite answer (not found, conflict, rejected): raise it.
        - The network failed, and nothing can have changed: repeat a read. Raise it for a write, so
          that a wrong URL does not cost all the pauses.
        - Anything else, such as no permission: raise it at once. But once the reply to a write was
          lost, repeat, since only a decision of the database settles what became of it.

        Args:
            exc: What the client raised.
            headers: What was sent; they say whether the caller is signed in.
            replied: The headers of the reply, if one came.

        Raises:
            TrainingVersionsError: Repeating would not help, or there were enough repeats.
        """
        error = translate(exc, self._operation, headers, is_write=self._is_write)
        is_temporary = isinstance(error, ConnectionFailedError | UnavailableError)
        if is_temporary and replied is not None:
            error.retry_after = seconds_to_wait(replied)
        if is_of_another_loop(exc):
            if self._retry_hint and self._is_write:
                error.hint = f"{error.hint} {self._retry_hint}"
            raise error from exc
        if is_too_early(exc) and self._pauses and not self._was_early:
            self._was_early = True
            logger.debug("%s: %s; sent again in %.2f s", self._operation, exc, CLOCK_PAUSE)
            return CLOCK_PAUSE
        if took_long(exc):
            self._slow_failures += 1
        if self._is_call and is_lost(exc):
            self._lost = error
        elif _decides(error) and not was_rolled_back(exc):
            error.after_lost_reply = self._is_write and self._lost is not None
            raise error from exc
        elif self._lost is None and not self._may_help(exc):
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

    @property
    def has_lost_a_reply(self) -> bool:
        """Whether an earlier attempt may have been carried out."""
        return self._lost is not None

    def _may_help(self, exc: Exception) -> bool:
        """Return whether a repeat may end differently, although nothing was lost."""
        if self._slow_failures > SLOW_REPEATS:
            return False
        if self._is_write:
            return changed_nothing(exc)
        return was_rolled_back(exc) or is_worth_a_repeat(exc)

    def _final_error(self, error: TrainingVersionsError) -> TrainingVersionsError:
        """Return what to raise after the last repeat.

        A lost reply takes precedence over any later failure, which becomes its cause.
        """
        if self._lost is None:
            return error
        if self._is_write:
            self._lost.hint = self._retry_hint
        return self._lost


def _decides(error: TrainingVersionsError) -> bool:
    """Return whether the database decided about the row, so that a repeat would end the same way.

    A refusal of permission is no such decision: it says nothing about an earlier attempt.
    """
    return isinstance(error, NotFoundError | ConflictError | RejectedError)
