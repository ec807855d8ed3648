"""Signs and verifies the access tokens of users."""

from __future__ import annotations

import time
from typing import Any

import jwt

from ..keys import Jwk, Secrets

_AUDIENCE = "authenticated"
_NEW_ALGORITHM = "ES256"
_OLD_ALGORITHM = "HS256"
LIFETIME = 3600


def sign_access_token(
    user_id: str,
    email: str,
    *,
    issuer: str,
    signing_key: Jwk,
    session_id: str | None = None,
    user_metadata: dict[str, Any] | None = None,
    expires_in: int = LIFETIME,
) -> str:
    """Return a token as a user has who signed in on a hosted project."""
    now = int(time.time())
    expires_at = now + expires_in
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": user_id,
        "aud": _AUDIENCE,
        "role": "authenticated",
        "email": email,
        "phone": "",
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {} if user_metadata is None else user_metadata,
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": now}],
        "is_anonymous": False,
        # A token that has expired was issued before that.
        "iat": min(now, expires_at),
        "exp": expires_at,
    }
    if session_id is not None:
        claims["session_id"] = session_id
    headers = {"kid": signing_key["kid"]}
    return jwt.encode(claims, jwt.PyJWK(signing_key), algorithm=_NEW_ALGORITHM, headers=headers)


def read_access_token(token: str, secrets: Secrets) -> dict[str, Any]:
    """Return the claims of a user's token.

    Raises:
        jwt.PyJWTError: It is not valid, or has expired.
    """
    header = jwt.get_unverified_header(token)
    if header.get("alg") == _OLD_ALGORITHM:
        return jwt.decode(
            token, secrets.jwt_secret, algorithms=[_OLD_ALGORITHM], audience=_AUDIENCE
        )
    published = jwt.PyJWKSet.from_dict(secrets.published_keys())
    try:
        key = published[header.get("kid", "")]
    except KeyError as exc:
        raise jwt.InvalidKeyError("no key has this identifier") from exc
    return jwt.decode(token, key, algorithms=[_NEW_ALGORITHM], audience=_AUDIENCE)


def make_session(state: dict[str, Any], *, issuer: str, signing_key: Jwk) -> dict[str, Any]:
    """Return a session as clients know it.

    Args:
        state: What `auth.session_as_json` returns: the session, its refresh token and its user.
        issuer: The address of the auth server.
        signing_key: The private key that tokens are signed with.
    """
    user = state["user"]
    access_token = sign_access_token(
        user["id"],
        user["email"],
        issuer=issuer,
        signing_key=signing_key,
        session_id=state["session_id"],
        user_metadata=user["user_metadata"],
    )
    return {
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": LIFETIME,
        "expires_at": int(time.time()) + LIFETIME,
        "refresh_token": state["refresh_token"],
        "user": user,
    }
