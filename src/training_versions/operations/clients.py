"""Clients: what the user's client must be, before it is used to send anything.

Only the transports know which classes of clients there are; they pass them in.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from training_versions.errors import InvalidInputError
from training_versions.snapshots import refusing_foreign_errors

_FACES: Final = (
    "Async clients go with AsyncVersionRepository and AsyncPackageRepository, "
    "sync clients with VersionRepository and PackageRepository."
)
_MAKE_ONE: Final = "Make a client first: client = create_client(url, key)."
_ONE_LINE: Final = "A key or token is one line of text, without blanks around it."
_ACCESS_TOKEN: Final = "A session holds it: session.access_token."
_CLOSED: Final = "Make a new one. Those of a LocalSupabase are closed when its `with` block ends."
_FORKED: Final = (
    "Connections cannot be shared by processes: make the client, and the repositories, in the "
    "process that uses them, after the fork."
)
# What a header may be: visible characters, with blanks between them.
_HEADER_VALUE: Final = re.compile(r"(?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?")
# The process that each HTTP session was first seen in.
_PROCESSES: Final = WeakKeyDictionary["_Session", int]()


class _Session(Protocol):
    """The `httpx.Client` or `httpx.AsyncClient` that holds the connections."""

    @property
    def is_closed(self) -> bool: ...


class _Client(Protocol):
    """A `postgrest` client of either face."""

    @property
    def session(self) -> _Session: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


def check_client(client: object, kind: type, repository: str) -> None:
    """Refuse what is not a client, and a client of the other face, before the first call does."""
    with refusing_foreign_errors("client"):
        made = client
        schema = getattr(client, "schema", None)
        if callable(schema) and not inspect.isclass(client):
            made = schema("public")
        if not isinstance(made, kind):
            what, hint = _describe(client, made)
            raise InvalidInputError(
                f"{repository} needs a supabase client that works with {kind.__name__}, "
                f"not {what}.",
                field="client",
                hint=hint,
            )
    path = str(getattr(made, "base_url", ""))
    if path.rstrip("/").endswith("/rest/v1/rest/v1"):
        raise unusable_client(
            f"asks at {path}, with /rest/v1 twice",
            hint="Make it with the project's URL alone, as in https://<project>.supabase.co.",
        )


def _describe(client: object, made: object) -> tuple[str, str]:
    """Say what was given instead of a client, and what to do about it."""
    if inspect.isawaitable(client):
        return "a coroutine", "Await it: client = await acreate_client(url, key)."
    if isinstance(client, str):
        return "text, such as a URL", _MAKE_ONE
    if inspect.isclass(client):
        return f"the class {client.__name__}", _MAKE_ONE
    if client is None:
        return "None", _MAKE_ONE
    if callable(getattr(client, "sign_in", None)):
        return type(client).__name__, "Pass a client of it: supabase.sign_in(email)."
    is_of_other_face = made is not client or hasattr(made, "from_")
    return type(made).__name__, _FACES if is_of_other_face else _MAKE_ONE


def check_usable(client: _Client) -> None:
    """Refuse a client that cannot send, or that would read the replies of another process."""
    session = client.session
    if session.is_closed:
        raise unusable_client("is closed", hint=_CLOSED)
    # After a fork, parent and child share the connections of a session that was made before it,
    # and each may read what the other has asked for.
    if _PROCESSES.setdefault(session, os.getpid()) != os.getpid():
        raise unusable_client("belongs to another process, and this one is its fork", hint=_FORKED)
    for name, value in client.headers.items():
        if not _HEADER_VALUE.fullmatch(value):
            raise unusable_client(
                f"sends a header {name} that no request can have",
                hint=_ONE_LINE,
            )


def check_address(url: object) -> str:
    """Return the address of the REST API of a project."""
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise InvalidInputError(
            "url must be the project's URL, as in https://<project>.supabase.co.", field="url"
        )
    return f"{url.rstrip('/')}/rest/v1"


def headers_for(key: object, token: object) -> dict[str, str]:
    """Return the headers of somebody with a key of the project and an access token."""
    for argument, value in (("key", key), ("token", token)):
        # Nothing of the value is shown: it may be most of a secret.
        is_text = isinstance(value, str) and value != "" and value.isascii()
        if not is_text or not _HEADER_VALUE.fullmatch(str(value)):
            raise InvalidInputError(
                f"{argument} must be the text of a {argument}, and is not.",
                field=argument,
                hint=_ONE_LINE if isinstance(value, str) else _ACCESS_TOKEN,
            )
        if str(value).lower().startswith("bearer "):
            raise InvalidInputError(
                f"{argument} must be the {argument} alone.",
                field=argument,
                hint="Leave out 'Bearer ': header.removeprefix('Bearer ').",
            )
    return {"apikey": str(key), "Authorization": f"Bearer {token}"}


def check_http_client(http_client: object, kind: type) -> None:
    """Refuse anything but an HTTP client of this face."""
    if not isinstance(http_client, kind):
        raise InvalidInputError(
            f"http_client must be an httpx.{kind.__name__}, not {type(http_client).__name__}.",
            field="http_client",
            hint="Make one when the program starts, and close it when it ends: all repositories "
            "share its connections.",
        )


def unusable_client(problem: str, *, hint: str | None = None) -> InvalidInputError:
    """Make the error for a client that cannot be used as it is."""
    return InvalidInputError(f"The client {problem}.", field="client", hint=hint)
