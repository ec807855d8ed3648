"""Settings: the project behind the endpoints, and the limits of requests.

A URL or key that is not given is read from the environment variables of the whole SDK.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from training_versions import InvalidInputError
from training_versions.project import KEY_VARIABLES, URL_VARIABLES, given_or_set

MAX_BODY: Final = 16 * 1024 * 1024
"""The default limit of a request body, in bytes."""


@dataclass(frozen=True)
class Settings:
    """The project behind the endpoints, and the limits of requests."""

    url: str
    key: str = field(repr=False)
    max_body: int = MAX_BODY
    allow_secrets: bool = False


def read_settings(
    *, url: str | None, key: str | None, max_body: int, allow_secrets: bool
) -> Settings:
    """Complete the settings from the environment.

    Raises:
        InvalidInputError: The URL or the key is neither given nor in the environment, or the
            limit is not a positive integer.
    """
    if type(max_body) is not int or max_body < 1:
        raise InvalidInputError("max_body must be a number of bytes, 1 or more.", field="max_body")
    return Settings(
        url=given_or_set(url, "url", URL_VARIABLES),
        key=given_or_set(key, "key", KEY_VARIABLES),
        max_body=max_body,
        allow_secrets=allow_secrets,
    )


def check_prefix(prefix: str) -> None:
    """Check the prefix of the endpoints.

    Raises:
        InvalidInputError: A prefix that is not empty lacks a leading slash, or has a trailing one.
    """
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise InvalidInputError(
            "prefix begins with a slash and does not end with one, as in '/api/training'.",
            field="prefix",
        )
