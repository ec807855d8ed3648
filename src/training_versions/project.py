"""A project as the environment, its keys, its tokens and its replies describe it.

Nothing is verified here: the project does that. What a token says decides how an error is worded,
when a session is renewed and whom a page greets; never what somebody may do.
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
    """Return a setting as it is given, else from the first of the variables that is set.

    Raises:
        InvalidInputError: It is neither given nor in the environment.
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
    """Return whether an address is on this machine."""
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


def takes_environment(url: str) -> bool:
    """Return whether an HTTP client for an address obeys the environment: its `trust_env`.

    No proxy of the user can reach this machine. But with https it has a certificate of its own, and
    only the environment says whose to trust (SSL_CERT_FILE).
    """
    return not is_on_this_machine(url) or url.startswith("https://")


@contextmanager
def explain_bad_environment() -> Generator[None]:
    """Explain why an HTTP client cannot be made in this context.

    Raises:
        InvalidInputError: The environment names a proxy of a kind that is unknown or not installed,
            or what is no address, or certificates that cannot be read.
    """
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
    except Exception:
        # `InvalidURL` of httpx, which this module may not import. Not `from` it: its text may show
        # a part of a password.
        raise _bad_proxy("it, or one in NO_PROXY, is no address") from None


def _bad_proxy(why: str) -> InvalidInputError:
    return InvalidInputError(
        f"the proxy of the environment cannot be used: {why}",
        field="HTTPS_PROXY",
        hint="HTTPS_PROXY and ALL_PROXY name one as http://host:port; one of SOCKS needs "
        "pip install 'httpx[socks]'. NO_PROXY names hosts, and no networks of IPv6.",
    )


def seconds_to_wait(replied: Mapping[str, str]) -> int | None:
    """Return after how many seconds a server wants to be asked again; the headers are its own."""
    seconds = replied.get("Retry-After", "")
    # A date is left alone: the clocks may differ.
    if len(seconds) > 6 or not seconds.isascii() or not seconds.isdigit():
        return None
    return int(seconds)


def read_claims(token: str) -> dict[str, object]:
    """Return the claims of an access token, unverified; empty if it is no token."""
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
    """Return the id of the user whom a token is for; `None` for a key, which is for no user."""
    try:
        return UUID(str(read_claims(token).get("sub")))
    except ValueError:
        return None


def is_service_key(key: str) -> bool:
    """Return whether a key stands for the service role, which skips row level security."""
    if key.startswith("sb_secret_"):
        return True
    return read_claims(key).get("role") == "service_role"
