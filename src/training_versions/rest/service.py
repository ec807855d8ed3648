"""The service: the settings, and the one pool of connections that all requests share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, cast

import httpx
from fastapi import Request

from training_versions import AsyncVersionRepository
from training_versions.project import explain_bad_environment, takes_environment
from training_versions.rest.settings import Settings

SCOPE_KEY: Final = "training_versions.rest"
"""Where the scope of a request has the service."""
TIMEOUT: Final = 15
"""Seconds to wait for a reply of the project, whose statements end after 8 unless set."""
RETRY_PAUSES: Final = (0.5, 1.0)
"""Seconds before a write whose reply was lost is sent again: with a project that takes requests
and never answers, a caller is answered within 50 seconds, before most proxies give up."""
_NOT_STARTED: Final = (
    "The endpoints were not started. Their connections open in the lifespan of the application: "
    "a server starts it, and a mounted application needs it passed on, as docs/rest.md shows."
)


class Service:
    """What the endpoints of one router share."""

    def __init__(self, settings: Settings) -> None:
        # A URL, a key or a proxy that cannot be used fails here, and not at every request.
        url, key = settings.url, settings.key
        self._takes_environment = takes_environment(url)
        with explain_bad_environment():
            http = httpx.AsyncClient(trust_env=self._takes_environment)
        AsyncVersionRepository.for_token(url, key, key, http_client=http)
        self.settings = settings
        self._http: httpx.AsyncClient | None = None
        self.was_ready_at = float("-inf")
        """When, by the monotonic clock, the database was last seen to have what is needed."""

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncGenerator[None, None]:
        """Open the connections when the server starts, and close them when it ends."""
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=self._takes_environment) as http:
            self._http = http
            try:
                yield
            finally:
                self._http = None

    @property
    def http(self) -> httpx.AsyncClient:
        """The client that holds the connections."""
        if self._http is None:
            raise RuntimeError(_NOT_STARTED)
        return self._http


def service_of(request: Request) -> Service:
    """Return the service of the router that a request came to."""
    return cast("Service", request.scope[SCOPE_KEY])
