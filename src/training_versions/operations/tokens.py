"""Access tokens: what the token that a client sends says about the caller.

Nothing is verified: the database does that. This decides only how an error is worded, and who the
owner of an imported package is.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from typing import cast


def read_claims(headers: Mapping[str, str]) -> dict[str, object]:
    """Read the claims of the token in these headers, unverified; empty if there is no token."""
    try:
        payload = headers.get("Authorization", "").split(".")[1]
        padding = "=" * (-len(payload) % 4)
        claims = cast("object", json.loads(base64.urlsafe_b64decode(payload + padding)))
    except (IndexError, ValueError, RecursionError):
        return {}
    if not isinstance(claims, dict):
        return {}
    return cast("dict[str, object]", claims)


def is_signed_in(headers: Mapping[str, str]) -> bool:
    """Return whether these headers carry more than the public key of the project."""
    # postgrest drops the HTTP status (401 or 403), which would say the same.
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return bool(scheme)
    # A secret key of the new kind is no JWT: it stands for the service role.
    if token.startswith("sb_secret_"):
        return True
    claims = read_claims(headers)
    role = claims.get("role")
    if role == "service_role":
        return True
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
    try:
        return str(uuid.UUID(cast("str", read_claims(headers).get("sub"))))
    except (ValueError, TypeError, AttributeError):
        return None
