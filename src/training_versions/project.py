"""Read the settings of a project from the environment, and facts from its keys, tokens and replies.

Tokens are not verified here; the project does that. Their claims affect how an error is worded,
when a session is renewed and which user a page shows. They never decide what a user may do.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final, cast
from urllib.parse import urlsplit
from uuid import UUID

from training_versions.errors import InvalidInputError

URL_VARIABLES: Final = ("SUPABASE_URL",)
KEY_VARIABLES: Final = ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_KEY")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def given_or_set(value: str | None, argument: str, variables: tuple[str, ...]) -> str:
    """Return the value if it is given, or else the first of the environment variables that is set.

    Raises:
        InvalidInputError: The value is not given, and none of the variables is set.
    """
    for candidate in (value, *map(os.environ.get, variables)):
        if candidate:
            return candidate
    names = " or ".join(variables)
    raise InvalidInputError(
        f"The {argument} of the project is not known: pass {argument}=…, or set {names}.",
        field=argument,
    )


def is_on_this_machine(url: str) -> bool:
    """Return whether the host of a URL is this machine."""
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


def takes_environment(url: str) -> bool:
    """Return the `trust_env` of an HTTP client for a URL: whether it uses the environment.

    A proxy cannot reach a server on this machine, so the environment is ignored for it. With https
    such a server has its own certificate, and only the environment can trust it (SSL_CERT_FILE).
    """
    return not is_on_this_machine(url) or url.startswith("https://")


@contextmanager
def explain_bad_environment() -> Generator[None]:
    """Convert errors that the environment causes when an HTTP client is created.

    Raises:
        InvalidInputError: A proxy in the environment has an unknown scheme, needs a package that
            is not installed, or is not a URL; or the certificates cannot be read.
    """
    # The list of commands is printed without it.
    import httpx

    try:
        yield
    except (ImportError, ValueError) as exc:
        raise _bad_proxy(str(exc)) from exc
    except OSError as exc:
        raise InvalidInputError(
            f"the certificates of the environment cannot be read: {exc}",
            field="SSL_CERT_FILE",
            hint="SSL_CERT_FILE names a file of certificates (PEM), SSL_CERT_DIR a folder of them.",
        ) from exc
    except httpx.InvalidURL:
        # It is not chained, because its message may show a part of a password.
        raise _bad_proxy("it, or one in NO_PROXY, is no address") from None


def _bad_proxy(why: str) -> InvalidInputError:
    return InvalidInputError(
        f"the proxy of the environment cannot be used: {why}",
        field="HTTPS_PROXY",
        hint="HTTPS_PROXY and ALL_PROXY name one as http://host:port; one of SOCKS needs "
        "pip install 'httpx[socks]'. NO_PROXY names hosts, and no networks of IPv6.",
    )


def seconds_to_wait(replied: Mapping[str, str]) -> int | None:
    """Return the seconds of a `Retry-After` header; `None` without one, or for a date."""
    seconds = replied.get("Retry-After", "")
    # A date is ignored, because the clocks may differ.
    if len(seconds) > 6 or not seconds.isascii() or not seconds.isdigit():
        return None
    return int(seconds)


def read_claims(token: str) -> dict[str, object]:
    """Return the unverified claims of an access token; empty if it cannot be decoded."""
    try:
        payload = token.split(".")[1]
        padding = "=" * (-len(payload) % 4)
        claims = cast("object", json.loads(base64.urlsafe_b64decode(payload + padding)))
    except (IndexError, ValueError, RecursionError):
        return {}
    if not isinstance(claims, dict):
        return {}
    return cast("dict[str, object]", claims)


def read_user_id(token: str) -> UUID | None:
    """Return the unverified user id of a token; `None` for a key, which has no user."""
    try:
        return UUID(str(read_claims(token).get("sub")))
    except ValueError:
        return None


def is_service_key(key: str) -> bool:
    """Return whether a key is for the service role, which bypasses row level security."""
    if key.startswith("sb_secret_"):
        return True
    return read_claims(key).get("role") == "service_role"
