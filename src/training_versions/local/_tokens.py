"""Signs the keys of a local project and the access tokens of its users."""

from __future__ import annotations

import time
from uuid import UUID

import jwt

_ALGORITHM = "HS256"
_TEN_YEARS = 10 * 365 * 24 * 3600


def sign_api_key(role: str, *, secret: str) -> str:
    """Return a key that speaks for a role, as hosted projects have for `anon` and others."""
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": "supabase",
        "ref": "local",
        "role": role,
        "iat": now,
        "exp": now + _TEN_YEARS,
    }
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def sign_access_token(
    user_id: UUID, email: str, *, issuer: str, expires_in: int, secret: str
) -> str:
    """Return a token as a user has who signed in on a hosted project."""
    now = int(time.time())
    expires_at = now + expires_in
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": str(user_id),
        "aud": "authenticated",
        "role": "authenticated",
        "email": email,
        "aal": "aal1",
        "is_anonymous": False,
        # A token that has expired was issued before that.
        "iat": min(now, expires_at),
        "exp": expires_at,
    }
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)
