"""What an error means for a draft that is being saved.

What is done about it is decided in `state.py`.
"""

from __future__ import annotations

from typing import Final

from training_versions.errors import ConflictError, NotFoundError, RejectedError

EDITED_SINCE: Final = "TV201"
"""Of an edit: the draft was edited since it was read."""
NOT_A_DRAFT: Final = "TV202"
"""Of an edit: the version is published or archived."""
NO_SUCH_VERSION: Final = "TV101"
"""Of an edit: the version does not exist. A missing parent has another code."""


def as_edited(exc: Exception) -> ConflictError | None:
    """Return the error if it says that the draft was edited since it was read."""
    if isinstance(exc, ConflictError) and exc.code == EDITED_SINCE:
        return exc
    return None


def has_ended(exc: BaseException) -> bool:
    """Return whether the draft is gone or not a draft anymore: deleted, published or archived."""
    if isinstance(exc, NotFoundError):
        # Without a code, it was a read that found no row.
        return exc.code in (NO_SUCH_VERSION, None)
    return isinstance(exc, ConflictError) and exc.code == NOT_A_DRAFT


def is_refused(exc: BaseException) -> bool:
    """Return whether the database would refuse the same changes again."""
    return isinstance(exc, RejectedError | NotFoundError)
