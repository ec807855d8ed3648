"""Access tokens: what the token that a client sends says about the caller.

Nothing is verified: the database does that. This decides only how an error is worded, and who the
owner of an imported package is.
"""

from __future__ import annotations

from collections.abc import Mapping

from training_versions.project import is_service_key, read_claims, read_user_id


def is_signed_in(headers: Mapping[str, str]) -> bool:
    """Return whether these headers carry more than the public key of the project."""
    # postgrest drops the HTTP status (401 or 403), which would say the same.
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return bool(scheme)
    if is_service_key(token):
        return True
    claims = read_claims(token)
    role = claims.get("role")
    # PostgREST takes a token without a role for nobody's, as it does one of `anon`.
    return role not in (None, "anon") and bool(claims.get("sub"))


def sends_only_a_key(headers: Mapping[str, str]) -> bool:
    """Return whether the project's key stands in for a token, as before anybody signs in."""
    key = headers.get("apikey", "")
    return bool(key) and headers.get("Authorization") == f"Bearer {key}"


def looks_like_a_key(headers: Mapping[str, str]) -> bool:
    """Return whether the project's key has one of the forms that keys have."""
    key = headers.get("apikey", "")
    return key.startswith(("sb_publishable_", "sb_secret_")) or key.count(".") == 2


def user_of(headers: Mapping[str, str]) -> str | None:
    """Return the id of the user whose token is sent; `None` for a role without a user."""
    user_id = read_user_id(headers.get("Authorization", ""))
    return None if user_id is None else str(user_id)
