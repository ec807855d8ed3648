"""The settings of the pages: the project, the secret that signs forms, and limits."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import Final

from training_versions import InvalidInputError
from training_versions.project import KEY_VARIABLES, URL_VARIABLES, given_or_set, is_service_key

MAX_BODY: Final = 16 * 1024 * 1024
_SHORTEST_SECRET: Final = 16
_SHORTEST_AUTOSAVE: Final = 0.5
_LONGEST_AUTOSAVE: Final = 3600


@dataclass(frozen=True)
class Settings:
    """The settings of one application, checked."""

    url: str
    """The project's URL, without a slash at the end."""
    key: str = field(repr=False)
    """Its publishable (or anon) key."""
    secret: bytes = field(repr=False)
    """The secret that signs form tokens. Processes that serve the same users share it."""
    secure_cookies: bool | None
    """Whether cookies are sent over https only; `None` if the scheme of the request decides."""
    max_body: int
    """The largest request body, in bytes."""
    autosave_seconds: float
    """Seconds from a change in the editor until it is saved."""


def make_settings(
    *,
    url: str | None,
    key: str | None,
    secret: str | None,
    secure_cookies: bool | None,
    max_body: int,
    autosave_seconds: float,
) -> Settings:
    """Check the settings. Those that are not given come from the environment.

    Raises:
        InvalidInputError: A setting is missing or invalid.
    """
    url = given_or_set(url, "url", URL_VARIABLES)
    key = given_or_set(key, "key", KEY_VARIABLES)
    if secret is None:
        secret = os.environ.get("TRAINING_VERSIONS_SECRET")
    if not url.startswith(("https://", "http://")):
        raise InvalidInputError(
            "url must be the project's URL, as in https://<project>.supabase.co.", field="url"
        )
    if is_service_key(key):
        raise InvalidInputError(
            "key must be the project's publishable key, and is a secret one.",
            field="key",
            hint="The pages act as whoever signs in, and need no key that skips the policies.",
        )
    if not _SHORTEST_AUTOSAVE <= autosave_seconds <= _LONGEST_AUTOSAVE:
        raise InvalidInputError(
            f"autosave_seconds must be {_SHORTEST_AUTOSAVE} to {_LONGEST_AUTOSAVE}, "
            f"not {autosave_seconds!r:.80}.",
            field="autosave_seconds",
        )
    return Settings(
        url=url.rstrip("/"),
        key=key,
        secret=_read_secret(secret),
        secure_cookies=secure_cookies,
        max_body=max_body,
        autosave_seconds=autosave_seconds,
    )


def _read_secret(secret: str | None) -> bytes:
    if secret is None:
        # A random secret is valid only in this process.
        return secrets.token_bytes(32)
    if len(secret) < _SHORTEST_SECRET:
        raise InvalidInputError(
            f"secret must have at least {_SHORTEST_SECRET} characters.",
            field="secret",
            hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return secret.encode()
