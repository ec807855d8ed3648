"""The ASGI application: pages at `/`, static files at `/static`, and the REST endpoints."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from training_versions import rest
from training_versions.autosave import DEFAULT_INTERVAL
from training_versions.project import takes_environment
from training_versions.web import static_files
from training_versions.web.auth import Auth
from training_versions.web.csrf import Browsers
from training_versions.web.errors import failure_page, http_error_page
from training_versions.web.page import Services
from training_versions.web.pages import (
    compare,
    copying,
    deploying,
    editor,
    history,
    new_draft,
    new_package,
    package,
    packages,
    publishing,
    sign_in,
    versions,
)
from training_versions.web.security import BodyLimit, SecurityHeaders
from training_versions.web.sessions import Renewals, SessionCookies
from training_versions.web.settings import MAX_BODY, make_settings

_TIMEOUT: Final = 30
_ROUTES: Final[list[BaseRoute]] = [
    *sign_in.routes,
    *packages.routes,
    *new_package.routes,
    *package.routes,
    *new_draft.routes,
    *history.routes,
    *editor.routes,
    *versions.routes,
    *compare.routes,
    *copying.routes,
    *publishing.routes,
    *deploying.routes,
    *static_files.routes,
]


class EndpointDispatch:
    """Pass requests for the REST endpoints to their application, and all others to the pages.

    This is the outermost middleware, so the limits and headers of the pages do not apply to the
    endpoints.
    """

    def __init__(self, app: ASGIApp, *, endpoints: ASGIApp) -> None:
        self._pages = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose the application by the path of the request."""
        path = str(scope.get("path", ""))
        is_endpoint = path.startswith("/api/") or path in ("/health", "/ready")
        app = self._endpoints if is_endpoint else self._pages
        await app(scope, receive, send)


def create_app(
    *,
    url: str | None = None,
    key: str | None = None,
    secret: str | None = None,
    secure_cookies: bool | None = None,
    max_body: int = MAX_BODY,
    autosave_seconds: float = DEFAULT_INTERVAL,
) -> Starlette:
    """Make the application that serves the pages and the REST endpoints of one project.

    Args:
        url: The project's URL; `SUPABASE_URL` if left out.
        key: Its publishable key; `SUPABASE_PUBLISHABLE_KEY`, else `SUPABASE_KEY`, if left out.
        secret: The secret that signs form tokens, at least 16 characters. If left out, it is
            `TRAINING_VERSIONS_SECRET`, else a random one. Pass it if several processes serve the
            same users.
        secure_cookies: Whether session cookies are sent over https only. If left out, they are when
            the page is requested over https. Set it behind a proxy that does not forward the
            scheme.
        max_body: The largest request body, in bytes.
        autosave_seconds: Seconds from a change in the editor until it is saved.

    Raises:
        InvalidInputError: A setting is missing or invalid.

    Example:
        >>> app = create_app(url=stack.url, key=stack.publishable_key)
    """
    settings = make_settings(
        url=url,
        key=key,
        secret=secret,
        secure_cookies=secure_cookies,
        max_body=max_body,
        autosave_seconds=autosave_seconds,
    )

    endpoints = rest.create_app(url=settings.url, key=settings.key, max_body=settings.max_body)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        async with (
            endpoints.router.lifespan_context(endpoints),
            httpx.AsyncClient(timeout=_TIMEOUT, trust_env=takes_environment(settings.url)) as http,
        ):
            auth = Auth(settings.url, settings.key, http)
            app.state.services = Services(
                settings=settings,
                http=http,
                auth=auth,
                browsers=Browsers(settings.secure_cookies),
                renewals=Renewals(auth.renew),
                session_cookies=SessionCookies(settings),
            )
            yield

    return Starlette(
        routes=_ROUTES,
        middleware=[
            Middleware(EndpointDispatch, endpoints=endpoints),
            Middleware(SecurityHeaders),
            Middleware(BodyLimit, limit=settings.max_body),
        ],
        exception_handlers={HTTPException: http_error_page, Exception: failure_page},
        lifespan=lifespan,
    )
