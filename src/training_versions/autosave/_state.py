# The autosaver is a part of the repository that can be left out, so it may use what is private there.
# pyright: reportPrivateUsage=false
"""What an autosaver sends next and what a reply means; nothing is sent, awaited or locked here.

A save is a generator: it yields a call, gets its result or its error sent in, and ends when it is done. The shells that
send, and that keep threads and tasks apart, are in `autosave.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from threading import TIMEOUT_MAX
from typing import Any, Final, Generic, TypeAlias, cast

from training_versions.errors import (
    ConflictError,
    ConnectionFailedError,
    DatabaseError,
    InvalidInputError,
    NotFoundError,
    RejectedError,
)
from training_versions.models import C, D, JsonValue, M, Version, VersionStatus, VersionSummary
from training_versions.operations._calls import Done, Rpc, Select, VersionCalls, problem_of
from training_versions.snapshots.pointers import pointer

Content: TypeAlias = dict[str, JsonValue]  # by column
Path: TypeAlias = tuple[str, ...]
Saving: TypeAlias = Generator[Rpc[Any] | Select[Any], Any, None]

EDITED: Final = "TV201"
GONE: Final = (
    "TV101",
    "TV202",
    None,
)  # deleted, published or archived; None: this package found no such row
TRIES: Final = 3  # of one save, when only facts beside the content moved meanwhile
MISSING: Final = object()
PLAIN: Final = ("name", "change_summary", "parent_version_id", "estimated_cost", "budget_limit")


class AutosaveConflictError(ConflictError, Generic[C, M, D]):
    """Somebody else edited the draft; the autosaver wrote nothing over it, and has stopped until you decide.

    Paths are JSON Pointers as those of `compare_versions`, such as `/config_snapshot/r`; an array counts as one value.
    """

    mine: Mapping[str, JsonValue]
    """What is not saved: the arguments for `update_draft`."""
    base: Version[C, M, D]
    """The draft as the autosaver last saw it."""
    theirs: Version[C, M, D]
    """The draft as it is now in the database."""
    my_paths: tuple[str, ...]
    """What `mine` changes of `base`."""
    their_paths: tuple[str, ...]
    """What `theirs` changed of `base`."""
    overlapping: tuple[str, ...]
    """Those of `my_paths` that `theirs` changed too, to something else; `merge()` works when there is none."""


@dataclass(frozen=True)
class Stored(Generic[C, M, D]):
    """A draft as it was read, with what can be edited of it: as it is stored, and as its types would write it."""

    version: Version[C, M, D]
    content: Content
    view: Content


class Autosave(Generic[C, M, D]):
    """The state of an autosaver: what is saved, what is wanted, what is under way.

    Whether somebody else edited the draft is told from what is stored, since types leave out what they do not know and
    may write what they read in another way; what the caller changed of it is told from what its types write.
    """

    def __init__(
        self,
        calls: VersionCalls[C, M, D],
        draft: Version[C, M, D],
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        if not isinstance(cast("object", draft), Version) or draft.status != VersionStatus.DRAFT:
            kind = (
                f"a {draft.status} one"
                if isinstance(cast("object", draft), Version)
                else repr(draft)[:80]
            )
            is_summary = type(cast("object", draft)) is VersionSummary
            hint = (
                "Read it with its snapshots first: versions.get(draft.id)." if is_summary else None
            )
            raise InvalidInputError(
                f"draft must be a version that is a draft, not {kind}.", field="draft", hint=hint
            )
        check_seconds(interval, "interval")
        self._calls, self._interval, self._clock = calls, interval, clock
        self._codecs = (calls.config, calls.model, calls.dataset)
        self._arguments = {codec.column: codec.field for codec in self._codecs}
        content = self._written(draft)
        self._base = Stored(copy.deepcopy(draft), content, content)
        self._is_known = (
            not any(  # whether that is what is stored; if not, it is read before the first save
                codec.is_typed or not same(content[codec.column], getattr(draft, codec.column))
                for codec in self._codecs
            )
        )
        self._wanted: Content = {}  # only what differs from what is saved, or may do when the reply is there
        self._sent: Content | None = None  # what is under way, or was when its reply was lost
        self._theirs: Stored[C, M, D] | None = None
        self._due: float | None = None
        self._stopped = False
        self.error: Exception | None = None

    @property
    def draft(self) -> Version[C, M, D]:
        return self._base.version

    @property
    def pending(self) -> dict[str, JsonValue]:
        return {
            self._arguments.get(column, column): copy.deepcopy(value)
            for column, value in self._wanted.items()
        }

    @property
    def conflict(self) -> AutosaveConflictError[C, M, D] | None:
        is_one = isinstance(self.error, AutosaveConflictError)
        return cast("AutosaveConflictError[C, M, D]", self.error) if is_one else None

    @property
    def delay(self) -> float | None:
        """The seconds until the next save; `None` if there is nothing to save."""
        due = self._due  # which another thread may change
        return None if due is None else max(0.0, due - self._clock())

    def check(self, **named: object) -> Content:
        """Turn arguments into what would be sent, or refuse them."""
        return self._calls.update_draft(self.draft.id, expected_updated_at=None, **named).params[
            "p_changes"
        ]

    def change(self, changes: Content) -> None:
        self._wanted = self._wanted | changes
        self._prune()
        if self._theirs is not None:
            self.error = self._conflict(self._theirs)
        self._raise_if_stopped()
        self._set_due()

    def save(self, *, everything: bool) -> Saving:
        """Send one call; if that repeats one whose reply was lost, and everything is to be saved, send the rest too."""
        self._raise_if_stopped()
        if not self._wanted:
            return
        try:
            repeats = self._sent is not None
            yield from self._save()
            if everything and repeats and self._wanted:
                yield from self._save()
        except BaseException as exc:
            self._failed(exc)
            raise

    def merge(self) -> Saving:
        """Put the changed paths onto their version, and save that."""
        if (conflict := self.conflict) is not None and (theirs := self._theirs) is not None:
            if conflict.overlapping:
                raise conflict.with_traceback(None)
            merged = copy.deepcopy(theirs.content)
            for path, value in self._mine().items():
                put(merged, path, value)
            for codec in self._codecs:
                try:
                    codec.read(merged[codec.column])
                except ValueError as exc:
                    words = f"The merged {codec.field} does not fit its type: {problem_of(exc)}."
                    raise InvalidInputError(words, field=codec.field) from exc
            self._wanted = {column: merged[column] for column in self._wanted}
        yield from self.overwrite()

    def overwrite(self) -> Saving:
        """Take their version as the base, and save what is wanted on top."""
        if self._theirs is not None:
            self._adopt(self._theirs)
        yield from self.save(everything=True)

    def discard(self) -> Saving:
        """Forget what is wanted; what may have been saved, its reply being lost, is read."""
        theirs = self._theirs
        if self._sent is not None:
            try:
                theirs = yield self._read()
            except NotFoundError as exc:
                self._failed(exc)  # which the next change tells
        self._wanted, self._sent, self._due = {}, None, None
        if theirs is not None:
            self._adopt(theirs)
        if not self._stopped:
            self.error = None

    def _raise_if_stopped(self) -> None:
        if self._stopped and self._wanted:
            raise cast("Exception", self.error).with_traceback(
                None
            )  # raised often, it would keep all of them

    def _save(self) -> Saving:
        if not self._is_known:
            yield from self._look()
        edited: ConflictError | None = None
        for _ in range(TRIES):
            if not (self._sent or self._wanted):
                return  # set back while the draft was read
            # After a lost reply the very same is sent again: that is safe, and settles what became of it.
            first, self._due = self._sent is None, None
            self._sent = sent = dict(self._wanted) if self._sent is None else self._sent
            try:
                stored: Stored[C, M, D] = yield self._update(sent)
            except (DatabaseError, ConnectionFailedError) as exc:
                edited = exc if isinstance(exc, ConflictError) and exc.code == EDITED else None
                if first or edited is not None:  # then certainly nothing was written
                    self._sent = None
                if edited is None:
                    raise
                # Had a lost try been carried out, the same content would mean that somebody put it back. Tries within
                # one call leave a note.
                yield from self._look(edited, was_lost=not first or hasattr(edited, "__notes__"))
            else:
                # A call that changes nothing is not refused, so what it did not name may be another's edit.
                if not same(stored.content | sent, self._base.content | sent):
                    raise self._conflict(stored)
                self._adopt(stored)
                return
        raise cast("ConflictError", edited)

    def _look(self, edited: ConflictError | None = None, *, was_lost: bool = False) -> Saving:
        """Read the draft anew, and go on if only facts beside its content moved, as in training and deployment."""
        stored: Stored[C, M, D] = yield self._read()
        if stored.version.status != VersionStatus.DRAFT:
            return  # sent once more, it is the database that says so
        moved = stored.version.updated_at != self.draft.updated_at
        if moved and (was_lost or not same(stored.content, self._base.content)):
            raise self._conflict(stored) from edited
        self._base, self._is_known = stored, True

    def _update(self, sent: Content) -> Rpc[Stored[C, M, D]]:
        # One change stands in for all, which were checked when they came.
        known = self.draft.updated_at
        call: Rpc[Any] = self._calls.update_draft(
            self.draft.id, expected_updated_at=known, change_summary=None
        )

        def read(reply: Any) -> Stored[C, M, D]:
            return self._stored(call.read(reply), reply)

        return replace(call, params={**call.params, "p_changes": sent}, read=read)

    def _read(self) -> Select[Stored[C, M, D]]:
        select: Select[Any] = self._calls.get(self.draft.id)

        def read(rows: list[Any], count: int | None) -> Done[Stored[C, M, D]]:
            return Done(self._stored(cast("Done[Any]", select.read(rows, count)).value, rows[0]))

        return replace(select, read=read)

    def _stored(self, version: Version[C, M, D], row: Mapping[str, Any]) -> Stored[C, M, D]:
        written = self._written(version)
        return Stored(version, {column: copy.deepcopy(row[column]) for column in written}, written)

    def _written(self, version: Version[C, M, D]) -> Content:
        content: Content = {
            codec.column: codec.write(getattr(version, codec.column)) for codec in self._codecs
        }
        for column in PLAIN:
            value: object = getattr(version, column)
            content[column] = (
                float(value)
                if isinstance(value, Decimal)
                else None
                if value is None
                else str(value)
            )
        return content

    def _adopt(self, stored: Stored[C, M, D]) -> None:
        self._base, self._is_known = stored, True
        self._sent, self._theirs, self._stopped, self.error = None, None, False, None
        self._prune()
        self._set_due()

    def _failed(self, exc: BaseException) -> None:
        if isinstance(exc, Exception):
            self.error = exc
        gone = isinstance(exc, NotFoundError | ConflictError) and exc.code in GONE
        self._stopped = gone or isinstance(exc, AutosaveConflictError)
        refused = isinstance(
            exc, RejectedError | NotFoundError
        )  # which the same call would be again
        if self._stopped or refused:
            self._sent = None
        self._prune()
        if self._stopped or not refused:
            self._due = None
            self._set_due()

    def _set_due(self) -> None:
        if self._wanted and self._due is None and not self._stopped:
            self._due = self._clock() + self._interval

    def _prune(self) -> None:
        under_way = self._sent or {}
        self._wanted = {
            column: value
            for column, value in self._wanted.items()
            if column in under_way
            or not (same(value, self._base.view[column]) or same(value, self._base.content[column]))
        }
        if not self._wanted:
            self._due = None

    def _mine(self) -> dict[Path, Any]:
        """Tell what is wanted at which paths; what a type leaves out or adds is not."""
        changed = changed_paths(self._base.view, self._base.view | self._wanted)
        return {
            path: value
            for path, value in changed.items()
            if not same(value, at(self._base.content, path))
        }

    def _conflict(self, theirs: Stored[C, M, D]) -> AutosaveConflictError[C, M, D]:
        self._theirs, self._sent = theirs, None
        self._prune()
        mine, others = self._mine(), changed_paths(self._base.content, theirs.content)
        overlapping = overlap(mine, others)
        number = theirs.version.version_number
        how = (
            f"both changed {', '.join(pointers(overlapping))}"
            if overlapping
            else "the changes do not overlap"
        )
        what = (
            "was edited by somebody else"
            if others
            else "moved, and may have been edited and put back,"
        )
        return AutosaveConflictError(
            f"Version {number} {what} since it was last saved here, and {how}.",
            operation="versions.update_draft",
            code=EDITED,
            hint=f"Nothing was overwritten; {'' if overlapping else 'merge(), '}overwrite() or discard().",
            mine=self.pending,
            base=self.draft,
            theirs=theirs.version,
            my_paths=pointers(mine),
            their_paths=pointers(others),
            overlapping=pointers(overlapping),
        )


def check_seconds(seconds: object, field: str, *, or_zero: bool = False) -> None:
    """Refuse what cannot be waited for."""
    if (
        type(seconds) not in (int, float)
        or not 0 <= cast("float", seconds) <= TIMEOUT_MAX
        or not (seconds or or_zero)
    ):
        words = "0 or more" if or_zero else "more than 0"
        raise InvalidInputError(f"{field} must be seconds, {words}, not {seconds!r}.", field=field)


def same(left: object, right: object) -> bool:
    """Tell whether two JSON values are equal; unlike for Python, true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        ours, others = cast("dict[str, object]", left), cast("dict[str, object]", right)
        return ours.keys() == others.keys() and all(
            same(value, others[key]) for key, value in ours.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        mine, theirs = cast("list[object]", left), cast("list[object]", right)
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def changed_paths(old: Mapping[str, Any], new: Mapping[str, Any], at: Path = ()) -> dict[Path, Any]:
    """Tell where two objects differ, and what is there in the new one; arrays are single values."""
    found: dict[Path, Any] = {}
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, MISSING), new.get(key, MISSING)
        if isinstance(before, dict) and isinstance(after, dict):
            found |= changed_paths(
                cast("dict[str, Any]", before), cast("dict[str, Any]", after), (*at, key)
            )
        elif not same(cast("object", before), cast("object", after)):
            found[*at, key] = after
    return found


def overlap(mine: Mapping[Path, Any], theirs: Mapping[Path, Any]) -> list[Path]:
    """Tell which of my paths are, lie in, or contain one of theirs, unless both made the same of it."""
    above_theirs = {path[:length] for path in theirs for length in range(1, len(path))}
    return [
        path
        for path, value in mine.items()
        if path in above_theirs
        or any(path[:length] in theirs for length in range(1, len(path)))
        or (path in theirs and not same(value, theirs[path]))
    ]


def put(target: dict[str, Any], path: Path, value: object) -> None:
    """Set or remove what is at a path."""
    *parents, last = path
    for key in parents:
        target = target.setdefault(key, {})
    if value is MISSING:
        target.pop(last, None)
    else:
        target[last] = copy.deepcopy(value)


def at(target: object, path: Path) -> object:
    """Tell what is at a path."""
    for key in path:
        target = (
            cast("dict[str, object]", target).get(key, MISSING)
            if isinstance(target, dict)
            else MISSING
        )
    return target


def pointers(paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(map(pointer, paths))
