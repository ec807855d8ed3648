"""Idempotency-Key: a request that creates something may be sent again.

The header is an Internet-Draft of the IETF, not a standard. Nothing is stored for it: the key of a
caller is always the same identifier of the SDK, and the database knows whether it is there already.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from fastapi import Depends, Request

from training_versions import ConflictError
from training_versions.rest.caller import Token, user_of
from training_versions.rest.headers import bad_header, single
from training_versions.rest.problems import KEY_REUSED, Problem

MOST: Final = 255
"""Characters of a key."""
REPLAYED: Final = "Idempotent-Replayed"
_VISIBLE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "tag:training-versions,2026:idempotency-key")


@dataclass(frozen=True)
class NewId:
    """The identifier of what a request creates."""

    id: UUID
    is_repeatable: bool
    """Whether it follows from a key, so that the same request may have come before."""


def read_key(header: str) -> str:
    """Check a key.

    Raises:
        Problem: It is empty, too long or not visible ASCII.
    """
    if len(header) <= MOST and _VISIBLE.fullmatch(header):
        return header
    detail = f"Idempotency-Key is 1 to {MOST} visible ASCII characters, such as a UUID."
    raise bad_header("Idempotency-Key", detail)


async def new_id(request: Request, token: Token) -> NewId:
    """Return the identifier for what the request creates: a new one, unless there is a key."""
    key = single(request, "Idempotency-Key")
    if key is None:
        return NewId(uuid4(), is_repeatable=False)
    # The name of the route says which operation it is: another one has keys of its own.
    parts = (user_of(token), request.method, request.scope["route"].name, read_key(key))
    return NewId(uuid5(_NAMESPACE, "\n".join(parts)), is_repeatable=True)


New = Annotated[NewId, Depends(new_id)]


@contextmanager
def telling_reuse(new: NewId) -> Generator[None]:
    """Tell a key that was used for something else as what it is, not as an id that is taken."""
    try:
        yield
    except ConflictError as exc:
        if not new.is_repeatable or not _is_about(exc, new.id):
            raise
        raise Problem(
            KEY_REUSED,
            "The Idempotency-Key was used for another request, or for what is deleted since.",
            hint="Use a new key for something new.",
            code=exc.code,
        ) from exc


def _is_about(exc: ConflictError, id_: UUID) -> bool:
    """Return whether an id is the one that is taken; the `key` of a cost entry may be, too."""
    details = exc.details if isinstance(exc.details, dict) else {}
    return exc.code == "TV204" and details.get("id") == str(id_)


def replayed(was_there: bool) -> dict[str, str]:
    """Return the header that marks a reply to a request that came before."""
    return {REPLAYED: "true"} if was_there else {}
