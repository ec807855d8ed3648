"""Routing: the behaviour that all endpoints share, in any application that includes them.

An endpoint validates its request strictly and converts its errors to problem responses, so the
application around it keeps its exception handlers. Every path with a `GET` answers `HEAD`, and
every path answers `OPTIONS`. The answer to any other method is 405, with the list of allowed
methods.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterator, Set
from typing import Any, ClassVar, Final, get_origin

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from training_versions import TrainingVersionsError
from training_versions.rest.bodies import (
    StrictRequest,
    check_media_type,
    check_size,
    refuse_body,
)
from training_versions.rest.etags import refuse_if_none_match
from training_versions.rest.problems import (
    BAD_REQUEST,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    NO_SNIFFING,
    NOT_FOUND,
    Problem,
    problem_of,
    problem_response,
)
from training_versions.rest.service import SCOPE_KEY, Service
from training_versions.rest.validation import check_query, problem_of_validation

log = logging.getLogger("training_versions.rest")

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
_WITH_BODY: Final = ("POST", "PUT", "PATCH")
_FALLBACK: Final = "other methods"
"""The name of the routes that answer the methods without an endpoint."""
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Endpoint(APIRoute):
    """A route that validates its request strictly, and answers errors with problems."""

    service: ClassVar[Service]
    """The service that the routes of a router share. Each router has its own subclass."""

    def get_route_handler(self) -> Handler:
        """Return a handler that answers every error with a problem response."""
        handle = super().get_route_handler()
        service = self.service
        is_fallback = self.name == _FALLBACK
        parameters = dict(_query_parameters(self.dependant))
        lists = {name for name, is_list in parameters.items() if is_list}

        async def handle_strictly(request: Request) -> Response:
            request.scope[SCOPE_KEY] = service
            strict = StrictRequest(request.scope, request.receive)
            try:
                if not is_fallback:
                    check_size(strict)
                    check_query(strict, parameters.keys(), lists)
                    refuse_if_none_match(strict)
                if self.body_field is not None:
                    check_media_type(strict)
                elif not is_fallback and request.method in _WITH_BODY:
                    await refuse_body(strict)
                response = await handle(strict)
            except Exception as exc:
                response = error_response(exc, strict)
            response.headers.update(NO_SNIFFING)
            if request.method == "HEAD":
                response.body = b""
            return response

        return handle_strictly


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Iterate over the query parameters: the name, and whether it may be repeated."""
    for parameter in dependant.query_params:
        yield parameter.alias, get_origin(parameter.field_info.annotation) is tuple
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def error_response(exc: Exception, request: Request) -> Response:
    """Convert any error to a problem response, and log the error if its status is 5xx."""
    problem = _problem_of_any(exc, request)
    if problem.status_code >= 500:
        _log(exc, request)
    return problem_response(problem)


def _log(exc: Exception, request: Request) -> None:
    # Without the query string, which may hold a search text.
    where = f"{request.method} {request.url.path}"
    if isinstance(exc, TrainingVersionsError | Problem):
        # One line is enough. A traceback would show the rows that cannot be read, and would fill
        # the log while the database is down.
        log.error("%s failed: %s", where, getattr(exc, "message", exc))
        return
    log.error("%s failed", where, exc_info=exc)


def _problem_of_any(exc: Exception, request: Request) -> Problem:
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, TrainingVersionsError):
        return problem_of(exc, has_body=isinstance(request, StrictRequest) and request.was_read)
    if isinstance(exc, RequestValidationError):
        return problem_of_validation(exc)
    if isinstance(exc, HTTPException):
        return _problem_of_http(exc, request)
    return Problem(INTERNAL_ERROR, "Something went wrong here. The server's log says what.")


def _problem_of_http(exc: HTTPException, request: Request) -> Problem:
    """Convert an exception that Starlette or FastAPI raised."""
    if exc.status_code == 404:
        return Problem(NOT_FOUND, "There is nothing at this address.")
    if exc.status_code == 405:
        detail = f"This address does not answer {request.method}."
        return Problem(METHOD_NOT_ALLOWED, detail, headers=exc.headers)
    return Problem(BAD_REQUEST, "The request cannot be read.")


def answer_every_method(router: APIRouter) -> None:
    """Add routes for `HEAD`, `OPTIONS` and the methods that are not allowed, for every path.

    They are routes of this router because FastAPI's own answers depend on its version and on the
    application around it.
    """
    for route in _routes_of(router):
        if "GET" in _methods(route):
            _add_head(router, route)
    methods_of: dict[str, set[str]] = {}
    for route in _routes_of(router):
        methods_of.setdefault(route.path, set()).update(_methods(route))
    for path, methods in methods_of.items():
        _add_fallback(router, path, methods)


def _routes_of(router: APIRouter) -> list[APIRoute]:
    return [route for route in router.routes if isinstance(route, APIRoute)]


def _methods(route: APIRoute) -> set[str]:
    # Never `None` for a route of FastAPI, but Starlette declares it so.
    assert route.methods is not None
    return route.methods


def _add_head(router: APIRouter, route: APIRoute) -> None:
    router.add_api_route(
        route.path,
        route.endpoint,
        methods=["HEAD"],
        include_in_schema=False,
        name=f"{route.name}_head",
        status_code=route.status_code,
    )


def _add_fallback(router: APIRouter, path: str, methods: Set[str]) -> None:
    """Add a route that answers `OPTIONS`, and answers methods without an endpoint with 405."""
    allowed = [method for method in METHODS if method in methods or method == "OPTIONS"]
    router.add_api_route(
        path,
        _answer_other_methods(", ".join(allowed)),
        methods=[method for method in METHODS if method not in methods],
        include_in_schema=False,
        name=_FALLBACK,
    )


def _answer_other_methods(allowed: str) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def answer(request: Request) -> Response:
        headers = {"Allow": allowed}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        detail = f"This address does not answer {request.method}."
        raise Problem(METHOD_NOT_ALLOWED, detail, headers=headers)

    return answer
