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

MAX_KEY_LENGTH: Final = 255
REPLAYED: Final = "Idempotent-Replayed"
_VISIBLE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "tag:training-versions,2026:idempotency-key")


@dataclass(frozen=True)
class NewId:
    """The identifier of what a request creates."""

    id: UUID
    is_from_key: bool
    """Whether an idempotency key makes it, so that the same request may have come before."""


def _check_key(key: str) -> None:
    """Refuse a key that is empty, too long or not visible ASCII."""
    if len(key) <= MAX_KEY_LENGTH and _VISIBLE.fullmatch(key):
        return
    detail = f"Idempotency-Key is 1 to {MAX_KEY_LENGTH} visible ASCII characters, such as a UUID."
    raise bad_header("Idempotency-Key", detail)


async def new_id(request: Request, token: Token) -> NewId:
    """Return the identifier for what the request creates: a new one, unless there is a key."""
    key = single(request, "Idempotency-Key")
    if key is None:
        return NewId(uuid4(), is_from_key=False)
    _check_key(key)
    # The name of the route says which operation it is: another one has keys of its own.
    parts = (user_of(token), request.method, request.scope["route"].name, key)
    return NewId(uuid5(_NAMESPACE, "\n".join(parts)), is_from_key=True)


New = Annotated[NewId, Depends(new_id)]


@contextmanager
def explain_reused_key(new: NewId) -> Generator[None]:
    """Name the idempotency key in the refusal of an id that it made, and that is taken."""
    try:
        yield
    except ConflictError as exc:
        if not new.is_from_key or not _is_taken(new.id, exc):
            raise
        raise Problem(
            KEY_REUSED,
            "The Idempotency-Key was used for another request, or for what is deleted since.",
            hint="Use a new key for something new.",
            code=exc.code,
        ) from exc


def _is_taken(id_: UUID, exc: ConflictError) -> bool:
    """Return whether this id is what is taken, and not, say, the `key` of a cost entry."""
    details = exc.details if isinstance(exc.details, dict) else {}
    return exc.code == "TV204" and details.get("id") == str(id_)


def replayed(was_there: bool) -> dict[str, str]:
    """Return the header that marks a repeated request: what it asks for was there already."""
    if was_there:
        return {REPLAYED: "true"}
    return {}
