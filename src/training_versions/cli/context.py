"""The session of one command: who is signed in where, connected when something is first asked.

Commands get a `Session`. It knows the settings, makes the repositories of the public SDK, and
renews the stored session before its access token ends, also in the middle of a long command.
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
"""Seconds before its end that a stored session is renewed."""
_TOKEN_OF_SUPABASE_CLI: Final = "sbp_"
"""How the token of the Supabase CLI begins, which has the same variable and is no user's."""
_SECRETS: Final = ("SUPABASE_ACCESS_TOKEN", "SUPABASE_SECRET_KEY", "SUPABASE_PASSWORD")
_PUBLIC_KEYS: Final = ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_KEY")
_LOGIN: Final = "training-versions login"


@dataclass(frozen=True)
class Settings:
    """Which project, and as whom."""

    url: str
    key: str
    token: str | None
    """The access token or secret key of the environment; `None` for the stored session."""

    def __repr__(self) -> str:
        return f"<Settings for {self.url}>"


@dataclass
class Session:
    """What a command works with."""

    output: Output = field(default_factory=Output)
    _stored: storage.StoredSession | None = None

    @cached_property
    def settings(self) -> Settings:
        """The project and the caller: of the environment, else of the stored session.

        Raises:
            CommandError: Neither says enough.
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
        """The current access token; a stored one that is about to end is renewed first.

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
        """Who the caller is; `None` for the service role."""
        return read_user_id(self.token)

    # --- the SDK

    @cached_property
    def http(self) -> httpx.Client:
        """The HTTP client that holds the connections to the project."""
        from training_versions.cli.auth import http_client

        made = http_client(self.settings.url)
        if self.output.debug:
            made.event_hooks = {"response": [self._log]}
        return made

    def _log(self, response: httpx.Response) -> None:
        """Say what was asked, without parameters, headers or content."""
        request = response.request
        self.output.note(f"debug: {request.method} {request.url.path} {response.status_code}")

    @cached_property
    def client(self) -> CurrentClient:
        """The client that the repositories send with."""
        return CurrentClient(self)

    @cached_property
    def packages(self) -> PackageRepository:
        """The caller's packages."""
        from training_versions import PackageRepository

        return PackageRepository(self.client)

    @cached_property
    def versions(self) -> VersionRepository:
        """The caller's versions, with snapshots as plain JSON."""
        from training_versions import VersionRepository

        return VersionRepository(self.client)

    def close(self) -> None:
        """Close the connections, if any were opened."""
        if "http" in self.__dict__:
            self.http.close()


class CurrentClient:
    """A client for the repositories that sends the current token, renewed or not, each time."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def schema(self, schema: str) -> SyncPostgrestClient:
        """Return a client for one schema."""
        from postgrest import SyncPostgrestClient

        settings = self._session.settings
        return SyncPostgrestClient(
            f"{settings.url}/rest/v1",
            schema=schema,
            headers={"apikey": settings.key, "Authorization": f"Bearer {self._session.token}"},
            http_client=self._session.http,
        )


def address(url: str, source: str = "SUPABASE_URL") -> str:
    """Return the address of a project as it is used; empty if there is none.

    Args:
        url: What was given.
        source: What gave it, for the message if it is no address.
    """
    url = url.strip()
    if url and not _is_address(url):
        hint = "It is the project's, as in https://<project>.supabase.co."
        if url.startswith(("postgresql://", "postgres://")):
            hint += " That of the database is SUPABASE_DB_URL."
        # Whoever mistook it for the address of the database gave its password, too.
        shown = f": {url}"
        if "@" in url:
            shown = ""
        raise usage(f"{source} is no address{shown}", hint=hint)
    return url.rstrip("/")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port refuses one that there cannot be.
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def keys_of_environment() -> tuple[str, str]:
    """Return the secret key and the public key of the environment; empty where there is none."""
    public = _one_word("SUPABASE_PUBLISHABLE_KEY") or _one_word("SUPABASE_KEY")
    secret = _one_word("SUPABASE_SECRET_KEY")
    if is_service_key(public):
        return secret or public, ""
    return secret, public


def secrets_of_environment() -> set[str]:
    """Return what must not be printed, whatever goes wrong."""
    # Each part, as an error may show a value that holds a line break in another form.
    known = {part for name in _SECRETS for part in _variable(name).split()}
    for name in _PUBLIC_KEYS:
        # A secret key is taken there, too.
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
    """Return a variable that holds a key or a token."""
    value = _variable(name)
    if len(value.split()) > 1 or not value.isascii():
        # Nothing of it is shown: most of it may be a secret.
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
