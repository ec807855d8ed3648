"""What becomes of an edit that was sent: saved, refused in part, or in conflict with another one.

The database decides, and the SDK says so. Here its answers become the few states that the editor
shows. Whatever can be saved is saved: a field that is refused does not hold up the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Self, TypeAlias, cast

from training_versions import (
    AsyncVersionRepository,
    ConflictError,
    DraftContent,
    EditChange,
    EditMerge,
    InvalidInputError,
    JsonValue,
    NotFoundError,
    NotSignedInError,
    TrainingVersionsError,
    VersionStatus,
    merge_edits,
)
from training_versions.web.editing import (
    BY_NAME,
    LABELS,
    AnyVersion,
    Edit,
    Problem,
    labels_of,
    read_base,
    read_edit,
    text_of_value,
    texts_of,
)
from training_versions.web.errors import status_of, words_of
from training_versions.web.views.json_text import json_text, steps_of, visible
from training_versions.wording import describe_hint

State: TypeAlias = Literal["saved", "refused", "conflict", "ended", "failed", "compared", "checked"]

_EDITED_SINCE: Final = "TV201"
_STATUSES: Final[dict[State, int]] = {
    "saved": 200,
    "compared": 200,
    "checked": 200,
    "conflict": 409,
    "ended": 409,
    "refused": 422,
}


@dataclass(frozen=True)
class Submission:
    """What a browser sent."""

    version_id: str
    token: datetime
    """The `updated_at` of the draft that the page began from."""
    their_token: datetime | None
    """The `updated_at` of the other side that a conflict was decided about."""
    texts: Mapping[str, str]
    base: Mapping[str, str]
    """What the fields began from; a script leaves it out, and sends changed fields only."""

    @classmethod
    def read(
        cls,
        *,
        version_id: str,
        token: str,
        their_token: str,
        texts: Mapping[str, str],
        base: Mapping[str, str],
    ) -> Self:
        """Read the hidden fields.

        Raises:
            InvalidInputError: One of them is not what it should be.
        """
        if not version_id:
            raise InvalidInputError("The form does not say which draft.", field="version_id")
        decided = None
        if their_token:
            decided = _read_moment(their_token, "their_token")
        return cls(version_id, _read_moment(token, "token"), decided, texts, base)


def _read_moment(text: str, name: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        problem = f"{name} must be the moment of the last edit, not {text!r:.80}."
        raise InvalidInputError(problem, field=name) from None


MAX_ROWS: Final = 200
_MAX_VALUE: Final = 300


@dataclass(frozen=True)
class Row:
    """What became of one place in a draft that two people edited."""

    place: str
    base: str | None
    """As JSON; `None` if there was nothing."""
    mine: str | None
    theirs: str | None
    is_mine: bool
    """Whether I changed it."""
    is_theirs: bool
    overlaps: bool


def _row(change: EditChange) -> Row:
    column, *steps = steps_of(change.path)

    def is_there(value: JsonValue, in_content: bool) -> bool:
        # In a snapshot null is a value; in a column of its own there is none.
        return in_content and (bool(steps) or value is not None)

    return Row(
        place=" / ".join([LABELS[column], *map(visible, steps)]),
        base=_cell(change.base, is_there=is_there(change.base, change.in_base)),
        mine=_cell(change.mine, is_there=is_there(change.mine, change.in_mine)),
        theirs=_cell(change.theirs, is_there=is_there(change.theirs, change.in_theirs)),
        is_mine=change.changed_by != "them",
        is_theirs=change.changed_by != "me",
        overlaps=change.overlaps,
    )


def _unread_row(name: str) -> Row:
    return Row(
        place=BY_NAME[name].label,
        base=None,
        mine="not valid JSON yet, see the mistake below",
        theirs="changed",
        is_mine=True,
        is_theirs=True,
        overlaps=True,
    )


def _cell(value: JsonValue, *, is_there: bool) -> str | None:
    if not is_there:
        return None
    text = json_text(value)
    if len(text) > _MAX_VALUE:
        return f"{text[:_MAX_VALUE]}…"
    return text


@dataclass(frozen=True)
class Conflict:
    """Two edits of one draft, and what they would be together."""

    merge: EditMerge
    edit: Edit
    """Mine, as far as it could be read."""
    theirs: AnyVersion
    sent: Submission

    @property
    def unread(self) -> list[str]:
        """My fields that are no JSON although theirs changed them, too: they cannot be merged."""
        changed = {path.split("/")[1] for path in self.merge.their_paths}
        return [name for name in self.edit.problems if BY_NAME[name].column in changed]

    @property
    def rows(self) -> list[Row]:
        """The changes of both sides, as many as are shown."""
        rows = [_unread_row(name) for name in self.unread]
        rows.extend(_row(change) for change in self.merge.changes[:MAX_ROWS])
        return rows

    @property
    def more_rows(self) -> int:
        """How many changes are not shown."""
        return max(0, len(self.merge.changes) - MAX_ROWS)

    @property
    def overwritten(self) -> str:
        """The fields in which an overwrite drops what the other side changed."""
        columns = {path.split("/")[1] for path in self.merge.their_paths}
        mine = [name for name in self.edit.values if BY_NAME[name].column in columns]
        return labels_of(mine)

    @property
    def can_merge(self) -> bool:
        """Whether nothing overlaps."""
        return self.merge.merged is not None and not self.unread

    @property
    def has_mine(self) -> bool:
        """Whether I have something that they have not."""
        return bool(self.edit.problems) or self.merge.merged != {}

    @property
    def merged_texts(self) -> dict[str, str] | None:
        """What the fields hold after a merge; `None` if something overlaps."""
        if self.merge.merged is None or not self.can_merge:
            return None
        texts = texts_of(self.theirs)
        merged = cast("dict[str, JsonValue]", self.merge.merged)
        for name, value in merged.items():
            texts[name] = text_of_value(value, BY_NAME[name])
        for name in self.edit.problems:
            texts[name] = self.sent.texts[name]
        return texts


@dataclass(frozen=True)
class Outcome:
    """What became of an edit."""

    state: State
    version: AnyVersion | None = None
    """The draft as it is stored now, if that is known."""
    problems: Mapping[str, Problem] = field(default_factory=dict[str, Problem])
    """The fields that were not saved."""
    message: str = ""
    hint: str | None = None
    conflict: Conflict | None = None
    error_status: int = 500

    @property
    def status(self) -> int:
        """The HTTP status that says it."""
        return _STATUSES.get(self.state, self.error_status)

    @property
    def has_ended(self) -> bool:
        """Whether there is no draft to edit any more."""
        if self.state == "ended":
            return True
        return self.version is not None and self.version.status != VersionStatus.DRAFT


async def save(versions: AsyncVersionRepository, sent: Submission) -> Outcome:
    """Save the fields that differ from what they began from."""
    edit = read_edit(sent.texts, sent.base)
    return await _write(versions, sent, edit, expected=sent.token)


async def compare(versions: AsyncVersionRepository, sent: Submission) -> Outcome:
    """Compare what was sent with the draft as it is now; nothing is saved."""
    theirs = await _find(versions, sent)
    if isinstance(theirs, Outcome):
        return theirs
    conflict = _compare(sent, theirs)
    return Outcome("compared", theirs, conflict.edit.problems, conflict=conflict)


async def resolve(versions: AsyncVersionRepository, sent: Submission, *, is_merge: bool) -> Outcome:
    """Save after a conflict, as somebody decided about the other side that the page showed."""
    theirs = await _find(versions, sent)
    if isinstance(theirs, Outcome):
        return theirs
    conflict = _compare(sent, theirs)
    was_shown = sent.their_token == theirs.updated_at
    if not was_shown or (is_merge and not conflict.can_merge):
        return _as_conflict(conflict)
    values = conflict.edit.values
    if is_merge:
        values = cast("dict[str, JsonValue]", conflict.merge.merged)
    edit = Edit(values, conflict.edit.problems)
    return await _write(versions, sent, edit, expected=theirs.updated_at)


async def _write(
    versions: AsyncVersionRepository, sent: Submission, edit: Edit, *, expected: datetime
) -> Outcome:
    """Write the fields that are accepted, and say what is wrong with the others."""
    values: dict[str, Any] = dict(edit.values)
    problems = dict(edit.problems)
    version: AnyVersion | None = None
    while values and version is None:
        try:
            version = await versions.update_draft(
                sent.version_id, expected_updated_at=expected, **cast("DraftContent", values)
            )
        except InvalidInputError as exc:
            if exc.field not in values:
                raise
            # Nothing was sent yet; the other fields may be good.
            del values[exc.field]
            problems[exc.field] = _as_problem(exc, exc.field)
        except TrainingVersionsError as exc:
            return await _explain(versions, sent, exc, problems)
    if not problems:
        return Outcome("saved", version)
    message = f"Not saved: {labels_of(problems)}."
    if version is not None:
        message = f"Saved, all but: {labels_of(problems)}."
    return Outcome("refused", version, problems, message)


async def _explain(
    versions: AsyncVersionRepository,
    sent: Submission,
    error: TrainingVersionsError,
    problems: Mapping[str, Problem],
) -> Outcome:
    """Say what a failed write means for the editor.

    Raises:
        NotSignedInError: Nobody is signed in any more.
    """
    if isinstance(error, NotSignedInError):
        raise error
    if isinstance(error, ConflictError | NotFoundError):
        theirs = await _find(versions, sent)
        if isinstance(theirs, Outcome):
            return theirs
        if isinstance(error, ConflictError) and error.code == _EDITED_SINCE:
            return _edited_since(sent, theirs)
    return _failed(error, problems)


def _failed(error: TrainingVersionsError, problems: Mapping[str, Problem]) -> Outcome:
    message, hint = words_of(error)
    return Outcome(
        "failed", problems=problems, message=message, hint=hint, error_status=status_of(error)
    )


def _edited_since(sent: Submission, theirs: AnyVersion) -> Outcome:
    if not sent.base:
        # Of a script, which asks for the comparison with all that it has.
        return Outcome("conflict", theirs)
    conflict = _compare(sent, theirs)
    if not conflict.has_mine:
        # All of it is there already: a form that was sent twice, say.
        return Outcome("saved", theirs)
    return _as_conflict(conflict)


async def _find(versions: AsyncVersionRepository, sent: Submission) -> AnyVersion | Outcome:
    """Read the draft, or say that it is none any more."""
    try:
        version = await versions.find(sent.version_id)
    except NotSignedInError:
        raise
    except TrainingVersionsError as exc:
        return _failed(exc, {})
    if version is None:
        return Outcome("ended", message="This draft is not there any more.")
    if version.status != VersionStatus.DRAFT:
        message = f"Version {version.version_number} is {version.status}."
        return Outcome("ended", version, message=message)
    return version


def _compare(sent: Submission, theirs: AnyVersion) -> Conflict:
    base = read_base(sent.base, theirs)
    edit = read_edit(sent.texts, sent.base)
    values, problems = dict(edit.values), dict(edit.problems)
    while True:
        try:
            merge = merge_edits(base, values, theirs)
        except InvalidInputError as exc:
            if exc.field not in values:
                raise
            del values[exc.field]
            problems[exc.field] = _as_problem(exc, exc.field)
        else:
            return Conflict(merge, Edit(values, problems), theirs, sent)


def _as_problem(error: InvalidInputError, name: str) -> Problem:
    """Say in the words of the page what the SDK says of an argument."""
    message = error.message
    if message.startswith(f"{name} "):
        message = f"{BY_NAME[name].label}{message.removeprefix(name)}"
    return Problem(message, describe_hint(error.hint))


def _as_conflict(conflict: Conflict) -> Outcome:
    return Outcome("conflict", conflict.theirs, conflict.edit.problems, conflict=conflict)
