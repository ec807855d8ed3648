"""Build the endpoints: as a router to include in an application, or as an application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, Final, TypeAlias, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from training_versions import __version__
from training_versions.rest.problems import BAD_HEADER, NO_SNIFFING, Problem, problem_response
from training_versions.rest.responses import describe_reply
from training_versions.rest.routes import (
    copies,
    costs,
    deployments,
    health,
    history,
    packages,
    training,
    versions,
)
from training_versions.rest.routing import Endpoint, answer_every_method, error_response
from training_versions.rest.service import Service
from training_versions.rest.settings import MAX_BODY, check_prefix, read_settings

PREFIX: Final = "/api/training"
_TOPICS: Final = (packages, versions, copies, training, deployments, costs, history)
_Handler: TypeAlias = Callable[[Request, Exception], Response | Awaitable[Response]]
_DESCRIPTION: Final = """
A version history for machine-learning training packages: **draft → published → archived**.

Requests act as the user whose access token they bring. Errors are `application/problem+json`.
"""
_EXPOSED_HEADERS: Final = [
    "ETag",
    "Link",
    "Location",
    "Allow",
    "Retry-After",
    "WWW-Authenticate",
    "Idempotent-Replayed",
]
_ALLOWED_HEADERS: Final = [
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
]


def create_router(
    *,
    url: str | None = None,
    key: str | None = None,
    max_body: int = MAX_BODY,
    allow_secrets: bool = False,
) -> APIRouter:
    """Create a router with the endpoints, to include in an application.

    The endpoints answer their own errors, so the application keeps its exception handlers. Their
    connections open and close in the application's lifespan.

    Args:
        url: The project's URL; `SUPABASE_URL` if left out.
        key: Its publishable key; `SUPABASE_PUBLISHABLE_KEY` or `SUPABASE_KEY` if left out.
        max_body: The largest body of a request, in bytes.
        allow_secrets: Store text that looks like a secret, too.

    Raises:
        InvalidInputError: The URL or the key is not known, or cannot be used.

    Example:
        >>> app.include_router(create_router(), prefix="/api/training")
    """
    service = _make_service(url, key, max_body, allow_secrets)
    return _make_router(service)


def create_app(
    *,
    url: str | None = None,
    key: str | None = None,
    prefix: str = PREFIX,
    max_body: int = MAX_BODY,
    cors_origins: Sequence[str] = (),
    allow_secrets: bool = False,
) -> FastAPI:
    """Create an application that serves the endpoints only, for a server such as uvicorn.

    Its OpenAPI description is at `{prefix}/openapi.json`. `/health` and `/ready` answer without the
    prefix as well.

    Args:
        url: The project's URL; `SUPABASE_URL` if left out.
        key: Its publishable key; `SUPABASE_PUBLISHABLE_KEY` or `SUPABASE_KEY` if left out.
        prefix: The prefix of the paths of the endpoints.
        max_body: The largest body of a request, in bytes.
        cors_origins: Origins whose pages may call the endpoints, such as `https://app.example.com`.
        allow_secrets: Store text that looks like a secret, too.

    Raises:
        InvalidInputError: The URL or the key is not known, or cannot be used.

    Example:
        >>> app = create_app(url="https://your-project.supabase.co", key="your publishable key")
    """
    check_prefix(prefix)
    service = _make_service(url, key, max_body, allow_secrets)
    app = FastAPI(
        title="training-versions",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=f"{prefix}/openapi.json",
        docs_url=None,  # it would load scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.include_router(_make_router(service), prefix=prefix)
    if prefix:
        app.include_router(_router_of(service, [health]), include_in_schema=False)
    add_problem_handlers(app)
    if cors_origins:
        app.add_middleware(
            _CorsMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=_ALLOWED_HEADERS,
            expose_headers=_EXPOSED_HEADERS,
        )
    app.add_middleware(_NoSniffing)
    return app


def add_problem_handlers(app: FastAPI, *, prefix: str = "") -> None:
    """Answer unknown paths below a prefix with problem responses.

    Other paths are answered as before: by the application's handler, or by FastAPI's.

    Args:
        app: The application, after its own handlers are added.
        prefix: The prefix of the paths of the endpoints; every path if left out.

    Example:
        >>> add_problem_handlers(app, prefix="/api/training")
    """
    before = cast("_Handler", app.exception_handlers.get(HTTPException, http_exception_handler))

    async def handle(request: Request, exc: Exception) -> Response:
        if f"{request.url.path}/".startswith(f"{prefix}/"):
            return error_response(exc, request)
        answer = before(request, exc)
        if isinstance(answer, Response):
            return answer
        return await answer

    app.add_exception_handler(HTTPException, handle)


def _make_service(url: str | None, key: str | None, max_body: int, allow_secrets: bool) -> Service:
    settings = read_settings(url=url, key=key, max_body=max_body, allow_secrets=allow_secrets)
    return Service(settings)


def _make_router(service: Service) -> APIRouter:
    """Return the router of all endpoints. Its lifespan opens and closes the connections."""
    return _router_of(service, [*_TOPICS, health], lifespan=service.lifespan)


def _router_of(
    service: Service, topics: Iterable[ModuleType], lifespan: Lifespan[Any] | None = None
) -> APIRouter:
    router = APIRouter(lifespan=lifespan, route_class=_endpoint_of(service))
    for topic in topics:
        _copy_routes(topic.router, router)
    answer_every_method(router)
    return router


def _endpoint_of(service: Service) -> type[Endpoint]:
    """Return a route class that holds the service.

    FastAPI creates the routes itself and passes no arguments of ours, so the class carries it.
    """

    class BoundEndpoint(Endpoint):
        pass

    BoundEndpoint.service = service
    return BoundEndpoint


def _copy_routes(topic: APIRouter, router: APIRouter) -> None:
    """Add the routes of a topic to a router, as instances of the router's route class.

    `include_router` would keep the routes' own class, which does not hold the service.
    """
    for route in topic.routes:
        assert isinstance(route, APIRoute)
        router.add_api_route(
            route.path,
            route.endpoint,
            response_model=route.response_model,
            status_code=route.status_code,
            response_description=describe_reply(route.response_model),
            tags=route.tags,
            responses=route.responses,
            methods=route.methods,
            response_class=route.response_class,
            openapi_extra=route.openapi_extra,
            name=route.name,
            operation_id=route.name,
        )


class _CorsMiddleware(CORSMiddleware):
    """Starlette's CORS middleware, with a problem response for a refused preflight."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        problem = Problem(BAD_HEADER, "Pages of this origin may not send this request.")
        return problem_response(problem)


class _NoSniffing:
    """Add the header that forbids MIME sniffing to every response.

    The endpoints set it themselves. The OpenAPI description and preflights need this.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(NO_SNIFFING)
            await send(message)

        await self._app(scope, receive, send_marked)
