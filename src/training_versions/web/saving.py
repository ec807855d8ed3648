"""Saving an edit of a draft, and the outcome: saved, refused, or in conflict with another edit.

The database decides, and the SDK reports its decision. This module maps it to the few states that
the editor shows. A field that is refused does not keep the other fields from being saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Self, TypeAlias, cast

from training_versions import (
    AsyncVersionRepository,
    ConflictError,
    DraftContent,
    InvalidInputError,
    JsonValue,
    NotFoundError,
    NotSignedInError,
    TrainingVersionsError,
    VersionStatus,
)
from training_versions.web.conflicts import Conflict, find_conflict
from training_versions.web.editing import (
    AnyVersion,
    Edit,
    Problem,
    labels_of,
    read_edit,
    without_refused,
)
from training_versions.web.errors import status_of, words_of
from training_versions.web.forms import read_edit_token

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
    """The editor form as a browser sent it."""

    version_id: str
    token: datetime
    """The `updated_at` of the draft that the page was loaded with."""
    their_token: datetime | None
    """The `updated_at` of the stored draft that was shown when the conflict was decided."""
    texts: Mapping[str, str]
    base: Mapping[str, str]
    """The texts that the page was loaded with. A script that saves sends changed fields only, and
    leaves this out."""

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
        """Make a submission from the fields of the form.

        Raises:
            InvalidInputError: A hidden field is missing or invalid.
        """
        if not version_id:
            raise InvalidInputError("The form does not say which draft.", field="version_id")
        decided = None
        if their_token:
            decided = read_edit_token(their_token, "their_token")
        return cls(version_id, read_edit_token(token, "token"), decided, texts, base)


@dataclass(frozen=True)
class Outcome:
    """The outcome of an edit."""

    state: State
    version: AnyVersion | None = None
    """The stored draft after the edit, if it is known."""
    problems: Mapping[str, Problem] = field(default_factory=dict[str, Problem])
    """The fields that were not saved."""
    message: str = ""
    hint: str | None = None
    conflict: Conflict | None = None
    error_status: int = 500

    @property
    def status(self) -> int:
        """The HTTP status of the reply."""
        return _STATUSES.get(self.state, self.error_status)

    @property
    def has_ended(self) -> bool:
        """Whether the draft was published, archived or deleted."""
        if self.state == "ended":
            return True
        return self.version is not None and self.version.status != VersionStatus.DRAFT


async def save(versions: AsyncVersionRepository, sent: Submission) -> Outcome:
    """Save the fields that were changed."""
    edit = read_edit(sent.texts, sent.base)
    return await _write(versions, sent, edit, expected=sent.token)


async def compare(versions: AsyncVersionRepository, sent: Submission) -> Outcome:
    """Compare the submission with the stored draft, without saving."""
    theirs = await _find_draft(versions, sent)
    if isinstance(theirs, Outcome):
        return theirs
    conflict = find_conflict(sent.texts, sent.base, theirs)
    return Outcome("compared", theirs, conflict.edit.problems, conflict=conflict)


async def resolve(versions: AsyncVersionRepository, sent: Submission, *, is_merge: bool) -> Outcome:
    """Save the user's decision about a conflict: the merge of both sides, or only their own.

    If the stored draft is no longer the one that the page showed, return the new conflict.
    """
    theirs = await _find_draft(versions, sent)
    if isinstance(theirs, Outcome):
        return theirs
    conflict = find_conflict(sent.texts, sent.base, theirs)
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
    """Write the fields that the SDK accepts, and return the problems of the others."""
    version: AnyVersion | None = None
    while edit.values and version is None:
        try:
            version = await versions.update_draft(
                sent.version_id, expected_updated_at=expected, **cast("DraftContent", edit.values)
            )
        except InvalidInputError as exc:
            # The SDK refused before it sent anything, so retry without this field.
            edit = without_refused(edit, exc)
        except TrainingVersionsError as exc:
            return await _explain_refusal(versions, sent, exc, edit.problems)
    problems = edit.problems
    if not problems:
        return Outcome("saved", version)
    message = f"Not saved: {labels_of(problems)}."
    if version is not None:
        message = f"Saved, all but: {labels_of(problems)}."
    return Outcome("refused", version, problems, message)


async def _explain_refusal(
    versions: AsyncVersionRepository,
    sent: Submission,
    error: TrainingVersionsError,
    problems: Mapping[str, Problem],
) -> Outcome:
    """Return the outcome of a failed write.

    Raises:
        NotSignedInError: The session has ended.
    """
    if isinstance(error, NotSignedInError):
        raise error
    if isinstance(error, ConflictError | NotFoundError):
        theirs = await _find_draft(versions, sent)
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
        # Sent by a script. It then requests the comparison with all of its texts.
        return Outcome("conflict", theirs)
    conflict = find_conflict(sent.texts, sent.base, theirs)
    if not conflict.has_mine:
        # The stored draft has all of it already, for example after a form was sent twice.
        return Outcome("saved", theirs)
    return _as_conflict(conflict)


async def _find_draft(versions: AsyncVersionRepository, sent: Submission) -> AnyVersion | Outcome:
    """Read the draft, or return the outcome if it cannot be edited or read."""
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


def _as_conflict(conflict: Conflict) -> Outcome:
    return Outcome("conflict", conflict.theirs, conflict.edit.problems, conflict=conflict)
