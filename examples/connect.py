"""Where the examples run: on your own project if SUPABASE_URL and SUPABASE_KEY are set, else on the embedded stack.

Your own project needs the migrations (``training-versions migrations`` and ``supabase db push``) and a user: set
SUPABASE_EMAIL and SUPABASE_PASSWORD. With SUPABASE_OTHER_EMAIL and SUPABASE_OTHER_PASSWORD a second user looks on.
"""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from supabase import AsyncClient, Client, acreate_client, create_client

from training_versions.local import LocalSupabase


def settings() -> tuple[str, str] | None:
    """Give the URL and the key of your own project, if both are set."""
    url, key = os.environ.get("SUPABASE_URL"), os.environ.get("SUPABASE_KEY")
    return (url, key) if url and key else None


def password_of(who: str) -> tuple[str, str] | None:
    """Give the e-mail address and password of ``SUPABASE_EMAIL`` or, for ``OTHER_``, of ``SUPABASE_OTHER_EMAIL``."""
    email, password = (
        os.environ.get(f"SUPABASE_{who}EMAIL"),
        os.environ.get(f"SUPABASE_{who}PASSWORD"),
    )
    return (email, password) if email and password else None


@contextmanager
def connect() -> Generator[tuple[Client, Client | None], None, None]:
    """Give a client that is signed in, and one of another user if there is one."""
    project = settings()
    if project is None:
        with LocalSupabase() as stack:
            yield stack.sign_in("ada@example.com"), stack.sign_in("eve@example.com")
        return

    def sign_in(who: str) -> Client | None:
        login = password_of(who)
        if login is None:
            return None
        client = create_client(*project)
        client.auth.sign_in_with_password({"email": login[0], "password": login[1]})
        return client

    client = sign_in("")
    if client is None:
        raise SystemExit(
            "Set SUPABASE_EMAIL and SUPABASE_PASSWORD: drafts belong to a signed-in user."
        )
    yield client, sign_in("OTHER_")


@asynccontextmanager
async def connect_async() -> AsyncGenerator[tuple[AsyncClient, AsyncClient | None], None]:
    """Do as ``connect``, with asynchronous clients."""
    project = settings()
    if project is None:
        with LocalSupabase() as stack:
            yield (
                await stack.sign_in_async("ada@example.com"),
                await stack.sign_in_async("eve@example.com"),
            )
        return

    async def sign_in(who: str) -> AsyncClient | None:
        login = password_of(who)
        if login is None:
            return None
        client = await acreate_client(*project)
        await client.auth.sign_in_with_password({"email": login[0], "password": login[1]})
        return client

    client = await sign_in("")
    if client is None:
        raise SystemExit(
            "Set SUPABASE_EMAIL and SUPABASE_PASSWORD: drafts belong to a signed-in user."
        )
    yield client, await sign_in("OTHER_")
