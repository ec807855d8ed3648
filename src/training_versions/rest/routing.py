"""Routes: what belongs to every endpoint, in whatever application it is mounted.

An endpoint reads its body strictly and turns its own errors into problems, so the application
around it needs no exception handler and keeps its own. A path of ours answers `HEAD` and `OPTIONS`,
and 405 with the list of the methods that it has.
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
"""The name of the routes that answer the methods for which a path has no endpoint."""
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Endpoint(APIRoute):
    """A route whose request is read strictly, and whose errors are problems."""

    service: ClassVar[Service]
    """What the routes of one router share: each router has a subclass of its own."""

    def get_route_handler(self) -> Handler:
        """Return the handler, which answers every error with a problem."""
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
    """Iterate over the names of parameters, and whether they may come several times."""
    for parameter in dependant.query_params:
        yield parameter.alias, get_origin(parameter.field_info.annotation) is tuple
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def error_response(exc: Exception, request: Request) -> Response:
    """Return the problem that any error is for the client; one of the server is logged."""
    problem = _problem_of_any(exc, request)
    if problem.status_code >= 500:
        _log(exc, request)
    return problem_response(problem)


def _log(exc: Exception, request: Request) -> None:
    # The path without its query, which may hold what is searched for.
    where = f"{request.method} {request.url.path}"
    if isinstance(exc, TrainingVersionsError | Problem):
        # A line says it all. A trace would hold the rows that cannot be read, and fill the log
        # while a database is away.
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
    """Return the problem for what Starlette or FastAPI refuse themselves."""
    if exc.status_code == 404:
        return Problem(NOT_FOUND, "There is nothing at this address.")
    if exc.status_code == 405:
        detail = f"This address does not answer {request.method}."
        return Problem(METHOD_NOT_ALLOWED, detail, headers=exc.headers)
    return Problem(BAD_REQUEST, "The request cannot be read.")


def answer_every_method(router: APIRouter) -> None:
    """Answer `HEAD`, `OPTIONS` and the methods that a path lacks, on every path of a router.

    By routes of the router's own: what FastAPI answers by itself depends on its version and on the
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
    """Answer `OPTIONS` on a path, and refuse the other methods that it lacks."""
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
