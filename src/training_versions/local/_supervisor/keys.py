"""The secrets of a project: its keys, and what its tokens are signed with.

They live as long as the data, so that keys and tokens are still good after a restart.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from .errors import LocalStackError
from .files import replace_private

Jwk = dict[str, Any]
"""A JSON Web Key."""

_FILE = "stack.json"
_PRIVATE_PART = "d"


@dataclass(frozen=True)
class Secrets:
    """Everything that a caller can be known by."""

    password: str  # of every role that logs in to the database
    jwt_secret: str  # signs the two keys below; tokens signed with it (HS256) are good
    anon_key: str
    service_key: str
    publishable_key: str
    secret_key: str
    signing_keys: list[Jwk]  # private keys of users' tokens; the first signs, all are good

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """Read what `asdict` and JSON made of secrets."""
        return cls(**fields)

    def published_keys(self) -> dict[str, list[Jwk]]:
        """Return the public keys, a JWKS, with which anyone may verify users' tokens."""
        published: list[Jwk] = []
        for private in self.signing_keys:
            public = {name: value for name, value in private.items() if name != _PRIVATE_PART}
            published.append({**public, "key_ops": ["verify"]})
        return {"keys": published}

    def verification_keys(self) -> dict[str, list[Jwk]]:
        """Return all keys with which a token may be signed, as a JWKS; a secret is among them."""
        encoded = base64.urlsafe_b64encode(self.jwt_secret.encode()).decode().rstrip("=")
        shared_secret: Jwk = {"kty": "oct", "alg": "HS256", "k": encoded}
        return {"keys": [*self.published_keys()["keys"], shared_secret]}


def read_secrets(data_dir: Path, new: Secrets) -> Secrets:
    """Return the secrets that belong to the data; a new folder gets the new ones.

    Raises:
        LocalStackError: There is a database, but no secrets: another program made it.
    """
    file = data_dir / _FILE
    if not file.exists():
        if (data_dir / "pgdata").exists():
            raise LocalStackError(
                f"{data_dir} holds a database that LocalSupabase did not make;"
                " choose another data_dir"
            )
        write_secrets(data_dir, new)
        return new
    return load_secrets(data_dir)


def load_secrets(data_dir: Path) -> Secrets:
    """Return the secrets that are kept with the data.

    Raises:
        LocalStackError: They are those of another version.
    """
    file = data_dir / _FILE
    try:
        return Secrets.from_fields(json.loads(file.read_text()))
    except (TypeError, ValueError) as exc:
        raise LocalStackError(
            f"{file} is not of this version of LocalSupabase; choose another data_dir"
        ) from exc


def write_secrets(data_dir: Path, secrets: Secrets) -> None:
    """Keep the secrets with the data."""
    replace_private(data_dir / _FILE, json.dumps(asdict(secrets)))
