"""The state of an autosaver: what is saved, what is not, and what is in flight. No IO.

    state        what is kept then               what ends it
    idle         nothing is in flight            a save -> in flight
    in flight    `_in_flight`, and a request     saved, or certainly not written -> idle
                 is under way                    no reply -> lost
                                                 edited by somebody else -> conflict
                                                 published, archived or deleted -> ended
    lost         `_in_flight`, and no request    a save, of exactly the same -> in flight
                                                 discard, which reads the draft -> idle
    conflict     `_theirs`, and `_is_stopped`    merge or overwrite, which save -> in flight
                                                 discard -> idle
    ended        `_is_stopped` alone             nothing: there is no draft to save anymore

Changes are taken in every state, and are kept in `_unsaved` until they are known to be saved. They
are sent when they are due, which is never while the autosaver is stopped.

All of it rests on a rule of the database: a save that changes nothing in a draft is never refused,
whoever edited the draft before. So a save whose reply was lost is sent again as it was, and
succeeds if the first attempt was carried out. And so a save that succeeded does not prove that
nobody else edited the draft: what it returns is compared with what was expected.

Saving, merging, overwriting and discarding are operations like those in `operations/`: generators
that yield requests. The lock is held between two requests and never during one, so `change` does
not wait for the network.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Final, Generic, cast

from training_versions.autosave.conflicts import (
    AutosaveConflictError,
    local_changes,
    make_conflict,
)
from training_versions.autosave.content import (
    Content,
    StoredDraft,
    assume_draft,
    is_certainly_stored,
    read_draft,
)
from training_versions.autosave.failures import as_edited, has_ended, is_refused
from training_versions.autosave.merging import apply_changes
from training_versions.errors import (
    ConflictError,
    ConnectionFailedError,
    DatabaseError,
    InvalidInputError,
    NotFoundError,
)
from training_versions.models import C, D, JsonValue, M, Version, VersionStatus
from training_versions.operations import drafts, reading
from training_versions.operations.requests import Operation, describe_problem
from training_versions.operations.rows import SnapshotCodecs
from training_versions.snapshots import json_equal

MAX_REPEATS: Final = 2
"""How often a save is sent again at once after the draft was edited, and put back.

Each such repeat costs a read, too. If it happens even more often, the next interval is the repeat.
"""


class AutosaveState(Generic[C, M, D]):
    """Decides what an autosaver sends and when, and what a reply means.

    Conflicts compare stored JSON; local changes compare re-serialized models.

    Args:
        codecs: How the repository writes and reads snapshots.
        draft: The draft as it was last read.
        interval: The seconds from a change to the save.
        clock: Returns the current time in seconds, from any fixed moment on.
        wake: Called when the time of the next save has changed, and on closing.
    """

    def __init__(
        self,
        codecs: SnapshotCodecs[C, M, D],
        draft: Version[C, M, D],
        *,
        interval: float,
        clock: Callable[[], float],
        wake: Callable[[], object],
    ) -> None:
        self._codecs = codecs
        self._interval = interval
        self._clock = clock
        self._wake = wake

        self.lock = threading.RLock()
        """Held while the state changes; reentrant, so savers may hold it over several steps."""
        self.error: Exception | None = None
        """Why the last save failed; `None` once one succeeds."""
        self.is_closed = False
        """Whether changes are refused."""

        # What both sides of a conflict are compared with: the draft as it was last saved or read.
        self._base = assume_draft(codecs, draft)
        # A typed version does not show all that is stored. So it is read before the first save;
        # from then on, the base is read from the rows in the replies.
        self._must_read_first = not is_certainly_stored(codecs, self._base)
        # Changes that are not known to be saved.
        self._unsaved: Content = {}
        # Changes that were sent and not answered; empty if there are none. When the reply
        # was lost they stay here, as they may be saved or not; the next save sends them again.
        self._in_flight: Content = {}
        # What somebody else made of the draft, while there is a conflict.
        self._theirs: StoredDraft[C, M, D] | None = None
        # Nothing is sent after a conflict, or once the version is gone or not a draft anymore.
        self._is_stopped = False
        # When the next save is due, by the clock.
        self._due: float | None = None

    @property
    def draft(self) -> Version[C, M, D]:
        """The draft as it was last saved or read."""
        return self._base.version

    @property
    def pending(self) -> dict[str, JsonValue]:
        """The changes that are not known to be saved, as arguments for `update_draft`."""
        arguments = {codec.column: codec.field for codec in self._codecs.as_tuple()}
        with self.lock:
            unsaved = copy.deepcopy(self._unsaved)
        return {arguments.get(column, column): value for column, value in unsaved.items()}

    @property
    def conflict(self) -> AutosaveConflictError[C, M, D] | None:
        """Both sides, while there is a conflict."""
        error = self.error
        if isinstance(error, AutosaveConflictError):
            return cast("AutosaveConflictError[C, M, D]", error)
        return None

    @property
    def delay(self) -> float | None:
        """The seconds until the next save; `None` if there is nothing to save."""
        due = self._due  # read once: another thread may change it
        if due is None:
            return None
        return max(0.0, due - self._clock())

    @property
    def is_due(self) -> bool:
        """Whether it is time to save in the background."""
        return not self.is_closed and self.delay == 0

    def close(self) -> None:
        """Refuse changes from now on."""
        with self.lock:
            self.is_closed = True
            self._wake()

    def raise_if_closed(self) -> None:
        """Raise an error if the autosaver is closed."""
        if self.is_closed:
            raise InvalidInputError(
                "The autosaver is closed.", hint="Open another one with saver.draft."
            )

    def change(self, changes: Content) -> None:
        """Take changes that are checked; raise why autosaving has stopped, if it has."""
        with self.lock:
            self._unsaved = self._unsaved | changes
            self._prune_unsaved()
            if self._theirs is not None:
                self.error = self._describe_conflict(self._theirs)
            self._raise_if_stopped()
            self._schedule()

    def save(self) -> Operation[None]:
        """Send unsaved changes; after a lost reply, send exactly the same ones again."""
        with self.lock:
            self._raise_if_stopped()
            if not self._unsaved:
                return
        try:
            if self._must_read_first:
                yield from self._refresh()
            yield from self._send()
        except BaseException as exc:  # cancelled, too: what was sent may have been carried out
            with self.lock:
                self._record_failure(exc)
            raise

    def save_all(self) -> Operation[None]:
        """Save everything: after repeating a lost save, send the rest."""
        with self.lock:
            is_repeat = bool(self._in_flight)
        yield from self.save()
        if is_repeat:
            yield from self.save()

    def merge(self) -> Operation[None]:
        """Resolve a conflict by applying the caller's changes to the other side, and save."""
        with self.lock:
            if self._theirs is not None:
                self._unsaved = self._merged_changes(self._theirs)
                self._adopt(self._theirs)
        yield from self.save_all()

    def overwrite(self) -> Operation[None]:
        """Resolve a conflict by keeping the caller's changes as they are, and save."""
        with self.lock:
            if self._theirs is not None:
                self._adopt(self._theirs)
        yield from self.save_all()

    def discard(self) -> Operation[None]:
        """Drop unsaved changes; after a lost reply, read what became of the draft."""
        with self.lock:
            current = self._theirs
            is_lost = bool(self._in_flight)
        if is_lost:
            try:
                current = yield from self._fetch()
            except NotFoundError as exc:
                # The draft was deleted, so there is nothing left to discard, and this
                # succeeds. The next change raises the error.
                with self.lock:
                    self._record_failure(exc)
        with self.lock:
            self._unsaved = {}
            self._set_due(None)
            if current is not None:
                self._adopt(current)
            if not self._is_stopped:
                self.error = None

    def _fetch(self) -> Operation[StoredDraft[C, M, D]]:
        return reading.get_row(self.draft.id, self._parse)

    def _parse(self, row: object) -> StoredDraft[C, M, D]:
        return read_draft(self._codecs, row)

    def _send(self) -> Operation[None]:
        """Send unsaved changes, and again if the draft was edited, and put back, meanwhile."""
        edited = yield from self._attempt()
        for _ in range(MAX_REPEATS):
            if edited is None:
                return
            edited = yield from self._attempt()
        if edited is not None:
            raise edited

    def _attempt(self) -> Operation[ConflictError | None]:
        """Send unsaved changes once; return the refusal if a repeat may succeed at once."""
        with self.lock:
            if not self._unsaved:
                # The caller took the changes back while the draft was read.
                return None
            is_repeat = bool(self._in_flight)
            if not is_repeat:
                self._in_flight = self._unsaved
            # After a lost reply this is exactly what was sent before. Sending it again is safe, and
            # the reply settles what became of the first attempt.
            changes = self._in_flight
            # A change that comes from here on starts an interval of its own.
            self._set_due(None)

        try:
            stored = yield from drafts.save_changes(
                self.draft.id,
                changes,
                expected_updated_at=self.draft.updated_at,
                read=self._parse,
            )
        except (DatabaseError, ConnectionFailedError) as exc:
            edited = as_edited(exc)
            if not is_repeat:
                # Certainly nothing was written.
                with self.lock:
                    self._in_flight = {}
            if edited is None:
                raise
        else:
            self._accept(stored, changes)
            return None

        yield from self._refresh(edited, was_lost=is_repeat or edited.after_lost_reply)
        return edited

    def _accept(self, stored: StoredDraft[C, M, D], changes: Content) -> None:
        """Take the reply to a save."""
        with self.lock:
            # Somebody else may have made the same changes before, together with others that nobody
            # here has seen.
            if not json_equal(stored.content | changes, self._base.content | changes):
                raise self._enter_conflict(stored)
            self._adopt(stored)

    def _refresh(
        self, edited: ConflictError | None = None, *, was_lost: bool = False
    ) -> Operation[None]:
        """Read the draft, and go on from there unless somebody else edited its content.

        Args:
            edited: The refusal that is the reason for reading.
            was_lost: Whether the reply to an earlier attempt was lost.
        """
        stored = yield from self._fetch()
        with self.lock:
            if stored.version.status != VersionStatus.DRAFT:
                # The next save is refused with the reason.
                return
            if self._was_edited(stored, was_lost=was_lost):
                raise self._enter_conflict(stored) from edited
            self._set_base(stored)

    def _was_edited(self, stored: StoredDraft[C, M, D], *, was_lost: bool) -> bool:
        """Return whether somebody else edited the draft since it was last saved or read here."""
        if stored.edited_at <= self.draft.updated_at:
            # Its content may still differ, from what was assumed of a typed version.
            return False
        if not json_equal(stored.content, self._base.content):
            return True
        # It was edited, and has the same content again. That matters only if an attempt whose reply
        # was lost was carried out: then somebody else has put the content back.
        return was_lost

    def _enter_conflict(self, theirs: StoredDraft[C, M, D]) -> AutosaveConflictError[C, M, D]:
        self._theirs = theirs
        self._in_flight = {}
        self._prune_unsaved()
        return self._describe_conflict(theirs)

    def _describe_conflict(self, theirs: StoredDraft[C, M, D]) -> AutosaveConflictError[C, M, D]:
        return make_conflict(self._base, theirs, changes=self._unsaved, pending=self.pending)

    def _merged_changes(self, theirs: StoredDraft[C, M, D]) -> Content:
        """Return the caller's columns with both sides' changes."""
        conflict = self.conflict
        if conflict is not None and conflict.overlapping:
            raise conflict.with_traceback(None)
        merged = apply_changes(theirs.content, local_changes(self._base, self._unsaved))
        for codec in self._codecs.as_tuple():
            try:
                codec.read(merged[codec.column])
            except ValueError as exc:
                problem = describe_problem(exc)
                raise InvalidInputError(
                    f"The merged {codec.field} does not fit its type: {problem}.",
                    field=codec.field,
                ) from exc
        return {column: merged[column] for column in self._unsaved}

    def _adopt(self, stored: StoredDraft[C, M, D]) -> None:
        """Go on from a draft that was saved, or whose changes the caller knows."""
        self._set_base(stored)
        self._in_flight = {}
        self._theirs = None
        self._is_stopped = False
        self.error = None
        self._prune_unsaved()
        self._schedule()

    def _set_base(self, stored: StoredDraft[C, M, D]) -> None:
        self._base = stored
        self._must_read_first = False

    def _record_failure(self, exc: BaseException) -> None:
        """Remember why a save failed, and decide when the changes are sent again."""
        if isinstance(exc, Exception):
            self.error = exc
        would_be_refused_again = is_refused(exc)
        self._is_stopped = has_ended(exc) or isinstance(exc, AutosaveConflictError)
        if self._is_stopped:
            # Never, or after the caller has decided.
            self._in_flight = {}
            self._prune_unsaved()
            self._set_due(None)
        elif would_be_refused_again:
            # With the next change, which may replace what is refused.
            self._in_flight = {}
            self._prune_unsaved()
        else:
            # After an interval, whatever happened; what was sent and not answered stays in flight.
            self._prune_unsaved()
            self._set_due(None)
            self._schedule()

    def _raise_if_stopped(self) -> None:
        if self._is_stopped and self._unsaved and self.error is not None:
            # It is raised again and again, and would collect the traceback of each time.
            raise self.error.with_traceback(None)

    def _prune_unsaved(self) -> None:
        """Drop values that are stored already, unless a save in flight may change that."""
        self._unsaved = {
            column: value
            for column, value in self._unsaved.items()
            if column in self._in_flight or not self._is_saved(column, value)
        }
        if not self._unsaved:
            self._set_due(None)

    def _is_saved(self, column: str, value: JsonValue) -> bool:
        content, serialized = self._base.content, self._base.serialized
        return json_equal(value, content[column]) or json_equal(value, serialized[column])

    def _schedule(self) -> None:
        """Start the interval after which unsaved changes are sent, unless it runs already."""
        if self._unsaved and self._due is None and not self._is_stopped:
            self._set_due(self._clock() + self._interval)

    def _set_due(self, due: float | None) -> None:
        self._due = due
        self._wake()
