"""One driver for both faces of the SDK: tests call sync and async repositories alike.

What a `Face` drives is called without `await` and returns when it is done. A coroutine runs to
its end on a background event loop, and an async iterator looks like a plain one. Many threads
may call at once.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Self

import httpx
import postgrest
import pytest
import supabase

import training_versions

CALL_TIMEOUT = 120

# For tests of what is written twice: the shells, the clients, threads and tasks.
# Everything else is one piece of code for both faces, and its tests run on the sync one.
both_faces = pytest.mark.parametrize("face", ["sync", "async"], indirect=True)


class Face:
    """One of the two faces: makes clients and repositories of its kind, and drives them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name == "async"
        self._loop = asyncio.new_event_loop() if self.is_async else None
        if self._loop is not None:
            self._thread = threading.Thread(target=self._loop.run_forever, name="async face")
            self._thread.start()

    def close(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(CALL_TIMEOUT)
            self._loop.close()

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call what belongs to this face, and return its result when it is there."""
        if self._loop is None:
            return function(*args, **kwargs)
        result = self._finish(self._settle(function, args, kwargs))
        return self._walk(result) if isinstance(result, AsyncIterator) else result

    async def _settle(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    def _finish(self, coroutine: Any) -> Any:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(CALL_TIMEOUT)

    def _walk(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        end = object()

        async def following() -> Any:
            return await anext(items, end)

        try:
            while (item := self._finish(following())) is not end:
                yield item
        finally:
            if inspect.isasyncgen(items):
                self._finish(items.aclose())

    # What there is of each face.

    def public(self, name: str) -> Any:
        """The public class of that name on this face."""
        return getattr(training_versions, f"Async{name}" if self.is_async else name)

    def twin(self, name: str) -> Any:
        """The public class of that name on the other face."""
        return getattr(training_versions, name if self.is_async else f"Async{name}")

    def versions(self, client: Any, **options: Any) -> Any:
        return self.make(self.public("VersionRepository"), client, **options)

    def packages(self, client: Any, **options: Any) -> Any:
        return self.make(self.public("PackageRepository"), client, **options)

    def make(self, kind: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return Driven(self, self.call(kind, *args, **options))

    def http(self, **options: Any) -> Any:
        return httpx.AsyncClient(**options) if self.is_async else httpx.Client(**options)

    def close_http(self, http: Any) -> None:
        self.call(http.aclose if self.is_async else http.close)

    def postgrest(self, url: str, http: Any, **headers: str) -> Any:
        module: Any = postgrest
        kind = module.AsyncPostgrestClient if self.is_async else module.SyncPostgrestClient
        return kind(url, headers=headers, http_client=http, retry_enabled=False)

    def supabase(
        self, url: str, key: str, http: Any, *, token: str | None = None, **more: Any
    ) -> Any:
        create: Any = supabase.create_async_client if self.is_async else supabase.create_client
        kind: Any = supabase.AsyncClientOptions if self.is_async else supabase.ClientOptions
        options = kind(
            httpx_client=http,
            auto_refresh_token=False,
            persist_session=False,
            # The client's own repeats of reads would only add seconds to every refusal.
            postgrest_client_retry=False,
            **more,
        )
        if token is not None:
            options.headers["Authorization"] = f"Bearer {token}"
        return self.call(create, url, key, options)

    def transport(self, before: Before, after: After) -> Any:
        """A real transport with somebody listening on both ends."""
        return AsyncTapped(before, after) if self.is_async else Tapped(before, after)


class Driven:
    """A repository or another object of a face, whose methods return when they are done."""

    def __init__(self, face: Face, target: Any) -> None:
        self._face = face
        self.target = target

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.target, name)
        if not callable(attribute):
            return attribute
        return lambda *args, **kwargs: self._face.call(attribute, *args, **kwargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        leave = self.target.__aexit__ if self._face.is_async else self.target.__exit__
        self._face.call(leave, *error)


# What is asked before a request is sent may answer it instead of the server;
# what is asked after the reply has come may raise, and then the reply is lost.
Before = Callable[[httpx.Request], httpx.Response | None]
After = Callable[[httpx.Request, httpx.Response], None]


class Tapped(httpx.BaseTransport):
    def __init__(self, before: Before, after: After) -> None:
        self.before, self.after = before, after
        self.usual = httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.before(request)
        if response is None:
            response = self.usual.handle_request(request)
            response.read()
        self.after(request, response)
        return response

    def close(self) -> None:
        self.usual.close()


class AsyncTapped(httpx.AsyncBaseTransport):
    def __init__(self, before: Before, after: After) -> None:
        self.before, self.after = before, after
        self.usual = httpx.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = self.before(request)
        if response is None:
            response = await self.usual.handle_async_request(request)
            await response.aread()
        self.after(request, response)
        return response

    async def aclose(self) -> None:
        await self.usual.aclose()
