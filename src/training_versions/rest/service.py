"""The service: the settings and the connection pool that all requests share."""

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
"""The key of the service in the ASGI scope of a request."""
TIMEOUT: Final = 15
"""Seconds to wait for a reply of the project. Its statement timeout is 8 seconds by default."""
RETRY_PAUSES: Final = (0.5, 1.0)
"""Seconds before each retry of a write whose reply was lost. If the project accepts requests and
never replies, a caller still gets a reply within 50 seconds, before most proxies time out."""
_NOT_STARTED: Final = (
    "The endpoints were not started. Their connections open in the lifespan of the application: "
    "a server starts it, and a mounted application needs it passed on, as docs/rest.md shows."
)


class Service:
    """The settings and connections that the endpoints of a router share."""

    def __init__(self, settings: Settings) -> None:
        # Fail here, and not at every request, if the URL, the key or a proxy cannot be used.
        url, key = settings.url, settings.key
        self._takes_environment = takes_environment(url)
        with explain_bad_environment():
            http = httpx.AsyncClient(trust_env=self._takes_environment)
        AsyncVersionRepository.for_token(url, key, key, http_client=http)
        self.settings = settings
        self._http: httpx.AsyncClient | None = None
        self.was_ready_at = float("-inf")
        """The time of the last successful readiness check, on the monotonic clock."""

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
    """Return the service of the router that handles a request."""
    return cast("Service", request.scope[SCOPE_KEY])
