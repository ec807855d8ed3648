"""Where the examples run: on the embedded stack, or on your own project.

Your own project is used if SUPABASE_URL and a key are set: SUPABASE_PUBLISHABLE_KEY, or else
SUPABASE_SECRET_KEY or SUPABASE_KEY. It needs the migrations (`training-versions migrations` and
`supabase db push --remote`) and a user: set SUPABASE_EMAIL and SUPABASE_PASSWORD. With
SUPABASE_OTHER_EMAIL and SUPABASE_OTHER_PASSWORD, a second user looks for the versions of the first.

On the embedded stack, the two users sign up first. Everything else is the same.
"""

import os
import secrets
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from supabase import AsyncClient, Client, ClientOptions, acreate_client, create_client

from training_versions.local import LocalSupabase

KEYS = ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY", "SUPABASE_KEY")


@dataclass(frozen=True)
class Login:
    """A user of a project, who can sign in there."""

    url: str
    key: str
    email: str
    password: str

    def sign_up(self) -> None:
        """Create the user."""
        client = create_client(self.url, self.key, ClientOptions(auto_refresh_token=False))
        client.auth.sign_up({"email": self.email, "password": self.password})

    def sign_in(self) -> Client:
        """Return a client that has signed in."""
        client = create_client(self.url, self.key)
        client.auth.sign_in_with_password({"email": self.email, "password": self.password})
        return client

    async def sign_in_async(self) -> AsyncClient:
        """Return an asynchronous client that has signed in."""
        client = await acreate_client(self.url, self.key)
        await client.auth.sign_in_with_password({"email": self.email, "password": self.password})
        return client


def find_logins() -> list[Login]:
    """Return the users of your own project; none if the environment names no project."""
    url = os.environ.get("SUPABASE_URL")
    keys = [os.environ[name] for name in KEYS if os.environ.get(name)]
    if not url or not keys:
        return []
    logins: list[Login] = []
    for user in ("SUPABASE", "SUPABASE_OTHER"):
        email = os.environ.get(f"{user}_EMAIL")
        password = os.environ.get(f"{user}_PASSWORD")
        if email and password:
            logins.append(Login(url, keys[0], email, password))
    if not logins:
        raise SystemExit(
            "Set SUPABASE_EMAIL and SUPABASE_PASSWORD: drafts belong to a signed-in user."
        )
    return logins


@contextmanager
def start_or_find() -> Generator[list[Login], None, None]:
    """Yield the users of your own project, or those of an embedded stack."""
    logins = find_logins()
    if logins:
        yield logins
        return
    with LocalSupabase() as stack:
        for email in ("ada@example.com", "eve@example.com"):
            password = secrets.token_urlsafe()
            logins.append(Login(stack.url, stack.publishable_key, email, password))
            logins[-1].sign_up()
        yield logins


@contextmanager
def connect() -> Generator[tuple[Client, Client | None], None, None]:
    """Yield the client of a user, and the client of another user if there is one."""
    with start_or_find() as logins:
        clients = [login.sign_in() for login in logins]
        try:
            yield clients[0], clients[1] if len(clients) > 1 else None
        finally:
            for client in clients:
                client.auth.sign_out({"scope": "local"})


@asynccontextmanager
async def connect_async() -> AsyncGenerator[tuple[AsyncClient, AsyncClient | None], None]:
    """Yield the same as `connect`, with asynchronous clients."""
    with start_or_find() as logins:
        clients = [await login.sign_in_async() for login in logins]
        try:
            yield clients[0], clients[1] if len(clients) > 1 else None
        finally:
            for client in clients:
                await client.auth.sign_out({"scope": "local"})
