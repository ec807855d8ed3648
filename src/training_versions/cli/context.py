"""The session of one command: its settings, access token, HTTP client and repositories.

Commands get a `Session`. It reads the settings and connects when they are first needed. It renews
the stored session before the access token expires, even in the middle of a long command.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import UUID

from training_versions.cli import storage
from training_versions.cli.exits import not_allowed, usage
from training_versions.cli.output import Output
from training_versions.project import is_service_key, read_user_id

if TYPE_CHECKING:
    import httpx
    from postgrest import SyncPostgrestClient

    from training_versions import PackageRepository, VersionRepository

_RENEW_BEFORE: Final = 300.0
"""Seconds before the access token of a stored session expires that it is renewed."""
_TOKEN_OF_SUPABASE_CLI: Final = "sbp_"
"""The prefix of the Supabase CLI's own token. It uses the same variable, but is not a user's
access token."""
_SECRETS: Final = ("SUPABASE_ACCESS_TOKEN", "SUPABASE_SECRET_KEY", "SUPABASE_PASSWORD")
_PUBLIC_KEYS: Final = ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_KEY")
_LOGIN: Final = "training-versions login"


@dataclass(frozen=True)
class Settings:
    """The project, and the credentials for it."""

    url: str
    key: str
    token: str | None
    """The access token or secret key from the environment; `None` if the session is stored."""

    def __repr__(self) -> str:
        return f"<Settings for {self.url}>"


@dataclass
class Session:
    """The output, settings, HTTP client and repositories of a command."""

    output: Output = field(default_factory=Output)
    _stored: storage.StoredSession | None = None

    @cached_property
    def settings(self) -> Settings:
        """The project and credentials from the environment, else from the stored session.

        Raises:
            CommandError: The settings are incomplete or invalid, or nobody is signed in.
        """
        settings = self._find_settings()
        for secret in (settings.token, *_tokens_of(self._stored)):
            if secret:
                self.output.secrets.add(secret)
        return settings

    def _find_settings(self) -> Settings:
        url = address(_variable("SUPABASE_URL"))
        if not url:
            return self._stored_settings(None)
        secret_key, public_key = keys_of_environment()
        token = _one_word("SUPABASE_ACCESS_TOKEN")
        if token.startswith(_TOKEN_OF_SUPABASE_CLI):
            token = ""
        if token:
            return Settings(url, _require_key(public_key or secret_key), token)
        if secret_key:
            return Settings(url, secret_key, secret_key)
        return self._stored_settings(url)

    def _stored_settings(self, url: str | None) -> Settings:
        if storage.make_private():
            self.output.note(
                "Others on this machine could read your session; from now on only you can. "
                f"If one of them may have: training-versions logout, then {_LOGIN}"
            )
        self._stored = storage.load()
        if self._stored is None:
            raise not_allowed(
                "you are not signed in",
                hint=f"{_LOGIN}, or set SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY and "
                "SUPABASE_ACCESS_TOKEN.",
            )
        if url is not None and url != self._stored.url:
            raise not_allowed(
                f"you are not signed in to {url}, but to {self._stored.url}",
                hint=f"{_LOGIN}, or unset SUPABASE_URL.",
            )
        return Settings(self._stored.url, self._stored.key, None)

    @property
    def token(self) -> str:
        """The current access token. A stored one that expires soon is renewed first.

        Raises:
            CommandError: The session has ended.
        """
        settings = self.settings
        if settings.token is not None:
            return settings.token
        assert self._stored is not None
        if self._stored.expires_at - time.time() < _RENEW_BEFORE:
            self._renew(self._stored)
        return self._stored.access_token

    def _renew(self, old: storage.StoredSession) -> None:
        from training_versions.cli.auth import renew

        with storage.locked():
            # Another command may have renewed it while this one waited.
            current = storage.load()
            if current is not None and current.refresh_token == old.refresh_token:
                current = renew(self.http, current)
                if current is not None:
                    storage.store(current)
        if current is None or current.url != old.url or current.user_id != old.user_id:
            raise not_allowed("your session has ended", hint=f"Sign in again: {_LOGIN}")
        self._stored = current
        self.output.secrets.update(_tokens_of(current))

    @property
    def user_id(self) -> UUID | None:
        """The id of the caller; `None` for the service role."""
        return read_user_id(self.token)

    # --- the SDK

    @cached_property
    def http(self) -> httpx.Client:
        """The HTTP client for the project."""
        from training_versions.cli.auth import http_client

        made = http_client(self.settings.url)
        if self.output.debug:
            made.event_hooks = {"response": [self._log]}
        return made

    def _log(self, response: httpx.Response) -> None:
        """Print a request and its status, without parameters, headers or content."""
        request = response.request
        self.output.note(f"debug: {request.method} {request.url.path} {response.status_code}")

    @cached_property
    def client(self) -> CurrentClient:
        """The client of the repositories."""
        return CurrentClient(self)

    @cached_property
    def packages(self) -> PackageRepository:
        """The package repository."""
        from training_versions import PackageRepository

        return PackageRepository(self.client)

    @cached_property
    def versions(self) -> VersionRepository:
        """The version repository, with snapshots as plain JSON."""
        from training_versions import VersionRepository

        return VersionRepository(self.client)

    def close(self) -> None:
        """Close the connections, if any were opened."""
        if "http" in self.__dict__:
            self.http.close()


class CurrentClient:
    """A client for the repositories that reads the current access token for each request."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def schema(self, schema: str) -> SyncPostgrestClient:
        """Return a PostgREST client for a schema, with the current access token."""
        from postgrest import SyncPostgrestClient

        settings = self._session.settings
        return SyncPostgrestClient(
            f"{settings.url}/rest/v1",
            schema=schema,
            headers={"apikey": settings.key, "Authorization": f"Bearer {self._session.token}"},
            http_client=self._session.http,
        )


def address(url: str, source: str = "SUPABASE_URL") -> str:
    """Return the URL of a project, checked and without a slash at the end; empty if not set.

    Args:
        url: The URL to check.
        source: The variable or option it comes from, for the error message.

    Raises:
        CommandError: The URL is invalid.
    """
    url = url.strip()
    if url and not _is_address(url):
        hint = "It is the project's, as in https://<project>.supabase.co."
        if url.startswith(("postgresql://", "postgres://")):
            hint += " That of the database is SUPABASE_DB_URL."
        # A database URL that was given by mistake holds a password, so it is not shown.
        shown = f": {url}"
        if "@" in url:
            shown = ""
        raise usage(f"{source} is no address{shown}", hint=hint)
    return url.rstrip("/")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port raises ValueError if it is out of range.
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def keys_of_environment() -> tuple[str, str]:
    """Return the secret key and the public key from the environment; empty if not set."""
    public = _one_word("SUPABASE_PUBLISHABLE_KEY") or _one_word("SUPABASE_KEY")
    secret = _one_word("SUPABASE_SECRET_KEY")
    if is_service_key(public):
        return secret or public, ""
    return secret, public


def secrets_of_environment() -> set[str]:
    """Return the secrets from the environment, which are never printed."""
    # Split at white space: an error may show a value with a line break in another form.
    known = {part for name in _SECRETS for part in _variable(name).split()}
    for name in _PUBLIC_KEYS:
        # These variables may hold a secret key, too.
        key = _variable(name)
        if is_service_key(key):
            known.add(key)
    for name in ("SUPABASE_DB_URL", "SUPABASE_URL"):
        try:
            known.add(urlsplit(_variable(name)).password or "")
        except ValueError:
            known.add(_variable(name))
    return known - {""}


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip()


def _one_word(name: str) -> str:
    """Return the value of a variable for a key or a token; empty if not set.

    Raises:
        CommandError: The value has blanks or characters that are not ASCII.
    """
    value = _variable(name)
    if len(value.split()) > 1 or not value.isascii():
        # The value is not shown, as it may hold a secret.
        raise usage(
            f"{name} is no key and no token",
            hint="It is one line of plain letters and digits, without blanks.",
        )
    return value


def _require_key(key: str) -> str:
    if key:
        return key
    raise usage(
        "SUPABASE_URL is set, but no key of the project",
        hint="Set SUPABASE_PUBLISHABLE_KEY; the project's dashboard shows it.",
    )


def _tokens_of(stored: storage.StoredSession | None) -> tuple[str, ...]:
    if stored is None:
        return ()
    return (stored.access_token, stored.refresh_token)
