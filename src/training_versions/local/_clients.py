"""The Supabase clients that a stack hands out.

`supabase` is imported only when one is made, since that takes a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import httpx

if TYPE_CHECKING:
    from supabase import AsyncClient, Client


class _HttpOptions(TypedDict):
    verify: bool
    trust_env: bool
    timeout: float


# Requests stay on this machine: neither certificates nor the user's proxies play a part.
_LOOPBACK: _HttpOptions = {"verify": False, "trust_env": False, "timeout": 120}


def loopback_http_client() -> httpx.Client:
    """Return an HTTP client for the address of a stack."""
    return httpx.Client(**_LOOPBACK)


def client_with_token(url: str, key: str, token: str, http: httpx.Client) -> Client:
    """Return a client that sends this key and this token."""
    from supabase import ClientOptions, create_client

    # Nobody signed in, so there is no session to refresh or to keep.
    options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
    options.headers["Authorization"] = f"Bearer {token}"
    return create_client(url, key, options)


def signed_in_client(url: str, key: str, session: str, http: httpx.Client) -> Client:
    """Return a client with a session, as clients store it."""
    from supabase import ClientOptions, create_client
    from supabase_auth import SyncMemoryStorage
    from supabase_auth.constants import STORAGE_KEY

    # As if the session had been stored by an earlier run of the program.
    storage = SyncMemoryStorage()
    storage.set_item(STORAGE_KEY, session)
    options = ClientOptions(auto_refresh_token=False, storage=storage, httpx_client=http)
    return create_client(url, key, options)


async def signed_in_async_client(url: str, key: str, session: str) -> AsyncClient:
    """Return an async client with a session, which keeps no connection open."""
    from supabase import AsyncClientOptions, create_async_client
    from supabase_auth import AsyncMemoryStorage
    from supabase_auth.constants import STORAGE_KEY

    storage = AsyncMemoryStorage()
    await storage.set_item(STORAGE_KEY, session)
    # A connection that is kept would outlive the event loop.
    limits = httpx.Limits(max_keepalive_connections=0)
    options = AsyncClientOptions(
        auto_refresh_token=False,
        storage=storage,
        httpx_client=httpx.AsyncClient(limits=limits, **_LOOPBACK),
    )
    return await create_async_client(url, key, options)
