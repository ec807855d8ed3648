"""The `Idempotency-Key` header, which makes a request that creates something repeatable.

The header is an Internet-Draft of the IETF, not a standard. Keys are not stored. User, operation
and key always give the same identifier, and the database knows whether it exists already.
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
    """The identifier of the record that a request creates."""

    id: UUID
    is_from_key: bool
    """Whether it is derived from an idempotency key, so the request may be a repeat."""


def _check_key(key: str) -> None:
    """Raise a problem if the key is empty, too long or not visible ASCII."""
    if len(key) <= MAX_KEY_LENGTH and _VISIBLE.fullmatch(key):
        return
    detail = f"Idempotency-Key is 1 to {MAX_KEY_LENGTH} visible ASCII characters, such as a UUID."
    raise bad_header("Idempotency-Key", detail)


async def new_id(request: Request, token: Token) -> NewId:
    """Return the identifier for the new record: derived from the key, or random without one."""
    key = single(request, "Idempotency-Key")
    if key is None:
        return NewId(uuid4(), is_from_key=False)
    _check_key(key)
    # The route name keeps the keys of different operations apart.
    parts = (user_of(token), request.method, request.scope["route"].name, key)
    return NewId(uuid5(_NAMESPACE, "\n".join(parts)), is_from_key=True)


New = Annotated[NewId, Depends(new_id)]


@contextmanager
def explain_reused_key(new: NewId) -> Generator[None]:
    """Convert the conflict over an identifier from a key to a problem about that key."""
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
    """Return whether the conflict is over this id, and not over the `key` of a cost entry."""
    details = exc.details if isinstance(exc.details, dict) else {}
    return exc.code == "TV204" and details.get("id") == str(id_)


def replayed(was_there: bool) -> dict[str, str]:
    """Return the header that marks the reply to a repeated request; empty for a first one."""
    if was_there:
        return {REPLAYED: "true"}
    return {}
