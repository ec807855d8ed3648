"""Where the examples run: on the embedded stack, or on your own project.

Your own project is used if SUPABASE_URL and SUPABASE_KEY are set. It needs the migrations
(`training-versions migrations` and `supabase db push --remote`) and a user: set SUPABASE_EMAIL and
SUPABASE_PASSWORD. With SUPABASE_OTHER_EMAIL and SUPABASE_OTHER_PASSWORD, a second user looks for
the versions of the first.
"""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from supabase import AsyncClient, Client, acreate_client, create_client

from training_versions.local import LocalSupabase


@dataclass(frozen=True)
class Login:
    """A user of your own project, who can sign in there."""

    url: str
    key: str
    email: str
    password: str

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


def use_embedded_stack() -> bool:
    """Return whether the environment names no project."""
    return not (os.environ.get("SUPABASE_URL") and os.environ.get("SUPABASE_KEY"))


def find_login(user: str) -> Login | None:
    """Return the login of `SUPABASE` or `SUPABASE_OTHER`, or `None` if it is not set."""
    email = os.environ.get(f"{user}_EMAIL")
    password = os.environ.get(f"{user}_PASSWORD")
    if not email or not password:
        return None
    return Login(os.environ["SUPABASE_URL"], os.environ["SUPABASE_KEY"], email, password)


def require_login() -> Login:
    """Return the login of the first user, or end the program if it is not set."""
    login = find_login("SUPABASE")
    if login is None:
        raise SystemExit(
            "Set SUPABASE_EMAIL and SUPABASE_PASSWORD: drafts belong to a signed-in user."
        )
    return login


@contextmanager
def connect() -> Generator[tuple[Client, Client | None], None, None]:
    """Yield the client of a user, and the client of another user if there is one."""
    if use_embedded_stack():
        with LocalSupabase() as stack:
            yield stack.sign_in("ada@example.com"), stack.sign_in("eve@example.com")
        return

    client = require_login().sign_in()
    other_client = None
    other_login = find_login("SUPABASE_OTHER")
    if other_login is not None:
        other_client = other_login.sign_in()
    yield client, other_client


@asynccontextmanager
async def connect_async() -> AsyncGenerator[tuple[AsyncClient, AsyncClient | None], None]:
    """Yield the same as `connect`, with asynchronous clients."""
    if use_embedded_stack():
        with LocalSupabase() as stack:
            client = await stack.sign_in_async("ada@example.com")
            yield client, await stack.sign_in_async("eve@example.com")
        return

    client = await require_login().sign_in_async()
    other_client = None
    other_login = find_login("SUPABASE_OTHER")
    if other_login is not None:
        other_client = await other_login.sign_in_async()
    yield client, other_client
