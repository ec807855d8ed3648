"""Passwords are stored as scrypt hashes, with the cost and the salt of each beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

# About 50 ms and 16 MB for each.
_COST = 2**14
_BLOCK_SIZE = 8
_PARALLELISM = 1
_SALT_LENGTH = 16


def hash_password(password: str) -> str:
    """Return what to store of a password."""
    salt = secrets.token_bytes(_SALT_LENGTH)
    digest = _scrypt(password, salt, _COST, _BLOCK_SIZE, _PARALLELISM)
    costs = f"{_COST}${_BLOCK_SIZE}${_PARALLELISM}"
    return f"scrypt${costs}${_encode(salt)}${_encode(digest)}"


def is_password(password: str, stored: str) -> bool:
    """Return whether this is the password that was stored."""
    _, cost, block_size, parallelism, salt, digest = stored.split("$")
    found = _scrypt(password, base64.b64decode(salt), int(cost), int(block_size), int(parallelism))
    return hmac.compare_digest(found, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int, block_size: int, parallelism: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=cost, r=block_size, p=parallelism)


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()
