"""Makes the secrets of a local project.

There are two kinds of keys, as on hosted projects: `sb_publishable_…` and `sb_secret_…`, and the
older JWTs of the roles `anon` and `service_role`. Users' tokens are signed with ES256. The older
secret (HS256) stays good beside it.
"""

from __future__ import annotations

import secrets
import time
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from ._supervisor.keys import Jwk, Secrets

_TEN_YEARS = 10 * 365 * 24 * 3600


def make_secrets() -> Secrets:
    """Return the secrets of a project that is new."""
    jwt_secret = secrets.token_hex(32)
    return Secrets(
        password=secrets.token_hex(16),
        jwt_secret=jwt_secret,
        anon_key=_sign_api_key("anon", jwt_secret),
        service_key=_sign_api_key("service_role", jwt_secret),
        publishable_key=_make_api_key("sb_publishable"),
        secret_key=_make_api_key("sb_secret"),
        signing_keys=[make_signing_key()],
    )


def make_signing_key() -> Jwk:
    """Return a new private key for users' tokens."""
    jwk: Jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return {**jwk, "kid": str(uuid4()), "alg": "ES256", "use": "sig"}


def _make_api_key(prefix: str) -> str:
    # A random part, and in the place of the checksum another.
    return f"{prefix}_{secrets.token_urlsafe(16)}_{secrets.token_urlsafe(6)}"


def _sign_api_key(role: str, jwt_secret: str) -> str:
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": "supabase",
        "ref": "local",
        "role": role,
        "iat": now,
        "exp": now + _TEN_YEARS,
    }
    return jwt.encode(claims, jwt_secret, algorithm="HS256")
