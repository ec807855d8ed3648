"""Refusals: the error for a request that the database, PostgREST or a gateway turned down.

Its class follows from the code, by the table in `errors.py`. Here are its words: what the code
means for the operation, and what to do about it. Only where one code stands for two things does
something else decide: what the caller's token says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from postgrest.exceptions import APIError

from training_versions.errors import (
    DatabaseError,
    NotSignedInError,
    PermissionDeniedError,
    SchemaMismatchError,
    UnavailableError,
    class_of,
)
from training_versions.operations.tokens import (
    is_signed_in,
    looks_like_a_key,
    sends_only_a_key,
)
from training_versions.project import read_claims

_MIGRATE: Final = (
    "Copy the migrations with `training-versions migrations <your project>/supabase/migrations` "
    "and apply them with `supabase db push` (Supabase CLI 3: with --remote; where the project has "
    "newer migrations of its own, `supabase db push --remote --include-all`); when they are "
    "applied already, reload the schema cache: notify pgrst, 'reload schema'."
)
_SIGN_IN: Final = "Sign in first: client.auth.sign_in_with_password({'email': …, 'password': …})."
_REFRESH: Final = "Sign in again, or call client.auth.refresh_session()."
_CHECK_KEY: Final = "Use the URL and a key of the same project."
_KINDS_OF_KEY: Final = (
    "A key begins with sb_publishable_ or sb_secret_, or is a JWT, which begins with eyJ."
)
_SET_CLOCK: Final = "Set the clocks of the server and of whatever issues the tokens, and try again."
# Asked by words, because PostgREST 12 has one code for every token that it refuses.
_TOO_EARLY: Final = ("jwtissuedatfuture", "jwtnotyetvalid")
_OTHER_TOKEN: Final = "Use a token that was issued by the Auth server of this project."
_BY_CODE: Final = {
    "PGRST106": "Expose the schema `public`: in the project's settings of the Data API, or as "
    "`schemas` under [api] in supabase/config.toml.",
    "PGRST203": "Another function has the same name as one of the migrations: rename or drop it.",
    "42804": "A column or a function has another type than the migrations made it with: compare "
    "them with supabase/schema.sql.",
    "404": "Use the project's URL alone, as in https://<project>.supabase.co.",
    "25006": "The project is read-only, as it is when its disk is full: see its dashboard.",
    "55P03": "Another transaction holds the row: try again when it has ended.",
}
"""What to do about a code for which its class does not say enough."""


@dataclass(frozen=True)
class _Refusal:
    """What an error of the database says."""

    kind: type[DatabaseError]
    message: str
    hint: str | None


def explain(exc: APIError, operation: str, headers: Mapping[str, str]) -> DatabaseError:
    """Make the error for a refused request; the headers are those that were sent."""
    refusal = _explain_token(exc, operation, headers)
    if refusal is None:
        refusal = _explain_code(exc, operation)
    return refusal.kind(
        refusal.message,
        code=exc.code,
        details=_parse_details(cast("object", exc.details)),
        operation=operation,
        hint=refusal.hint,
    )


def is_too_early(exc: Exception) -> bool:
    """Return whether the token is not valid yet by the clock of the server, which is behind."""
    if not isinstance(exc, APIError) or class_of(exc.code) is not NotSignedInError:
        return False
    return str(exc.message).replace(" ", "").lower() in _TOO_EARLY


def _explain_code(exc: APIError, operation: str) -> _Refusal:
    kind = class_of(exc.code)
    message, hint = exc.message, exc.hint
    if not message:
        message = f"{operation} was refused with code {exc.code}."
    if kind is SchemaMismatchError:
        message = f"The database lacks something that {operation} needs: {_reason(exc)}."
        hint = _MIGRATE
    elif kind is UnavailableError and not hint:
        hint = "Try again in a moment."
    return _Refusal(kind, message, _BY_CODE.get(str(exc.code), hint))


def _explain_token(exc: APIError, operation: str, headers: Mapping[str, str]) -> _Refusal | None:
    """Explain a refusal of the key or the token; `None` if it is about something else."""
    kind, reason = class_of(exc.code), _reason(exc)
    if exc.code is None and "api key" in reason.lower():
        # The gateway of a hosted project: "Invalid API key", "Unregistered API key".
        return _unknown_key(reason, headers)
    if exc.code == "42501" and not is_signed_in(headers):
        message = f"You are not signed in, so {operation} was refused: {reason}."
        return _Refusal(NotSignedInError, message, _SIGN_IN)
    if kind is NotSignedInError:
        if sends_only_a_key(headers):
            return _unknown_key(reason, headers)
        if is_too_early(exc):
            message = f"By the server's clock, the access token is not valid yet: {reason}."
            return _Refusal(kind, message, _SET_CLOCK)
        state = "was refused"
        if exc.code in ("PGRST301", "PGRST303"):
            state = "has expired or is not valid"
        hint = exc.hint
        if not hint:
            hint = _REFRESH if is_signed_in(headers) else _SIGN_IN
        return _Refusal(kind, f"The access token {state}: {reason}.", hint)
    claims = read_claims(headers.get("Authorization", ""))
    is_unknown_role = exc.message == f'role "{claims.get("role")}" does not exist'
    if exc.code in ("22023", "42704") and is_unknown_role:
        message = f"The access token is for a role that this database does not have: {reason}."
        return _Refusal(NotSignedInError, message, _OTHER_TOKEN)
    if exc.code == "22P02" and reason.endswith(f'type uuid: "{claims.get("sub")}"'):
        message = f"The access token is not one of a user, since its `sub` is no UUID: {reason}."
        return _Refusal(NotSignedInError, message, _OTHER_TOKEN)
    return None


def _unknown_key(reason: str, headers: Mapping[str, str]) -> _Refusal:
    # No session has ended here, so signing in again would not help.
    message = f"The project does not know the API key: {reason}."
    hint = _CHECK_KEY if looks_like_a_key(headers) else f"{_CHECK_KEY} {_KINDS_OF_KEY}"
    return _Refusal(PermissionDeniedError, message, hint)


def _reason(exc: APIError) -> str:
    reason = exc.message if exc.message else exc.code
    return str(reason).rstrip(".")


def _parse_details(details: object) -> dict[str, object] | str | None:
    """Return the details as an object where they are one: the migrations write JSON."""
    if isinstance(details, str):
        try:
            details = cast("object", json.loads(details))
        except (ValueError, RecursionError):
            return details
    if details is None or isinstance(details, dict):
        return cast("dict[str, object] | None", details)
    return str(details)
