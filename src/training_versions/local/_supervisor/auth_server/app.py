"""The requests that the auth server answers, and how it refuses others.

Paths, bodies, codes and messages are those of Supabase's Auth API.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import jwt
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .passwords import hash_password, is_password
from .tokens import make_session, read_access_token
from .users import SCOPES, Users

Body = dict[str, Any]

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_SHORTEST_PASSWORD = 6
_LONGEST_PASSWORD = 72
_VERSION_HEADER = "X-Supabase-Api-Version"
_VERSION_WITH_CODES = "2024-01-01"


class Refusal(Exception):
    """A request that is refused, as Supabase's Auth API refuses it."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.more = more


def make_app(users: Users, *, on_start: Callable[[], None]) -> Starlette:
    """Return the application for the users of one stack."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        on_start()
        yield

    def route(path: str, method: str, answer: Callable[..., Response]) -> Route:
        return Route(path, partial(_answer, answer, users), methods=[method])

    return Starlette(
        routes=[
            route("/signup", "POST", _sign_up),
            route("/token", "POST", _token),
            route("/user", "GET", _get_user),
            route("/user", "PUT", _update_user),
            route("/logout", "POST", _sign_out),
            route("/.well-known/jwks.json", "GET", _published_keys),
            route("/health", "GET", _health),
        ],
        middleware=[
            Middleware(
                CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]
            )
        ],
        exception_handlers={
            Refusal: _refuse,
            HTTPException: _refuse_unknown_path,
            Exception: _fail,
        },
        lifespan=lifespan,
    )


async def _answer(answer: Callable[..., Response], users: Users, request: Request) -> Response:
    """Read the body, and answer in a thread: psql and hashes take a while."""
    body: Body = {}
    if request.method in ("POST", "PUT"):
        body = await _read_body(request)
    return await run_in_threadpool(answer, users, request, body)


async def _read_body(request: Request) -> Body:
    if not await request.body():
        return {}
    try:
        body = await request.json()
        _check_storable(body)
    except ValueError as exc:
        raise Refusal(400, "bad_json", f"Could not parse request body as JSON: {exc}") from exc
    if not isinstance(body, dict):
        raise Refusal(400, "bad_json", "Could not parse request body as JSON: not an object")
    return cast("Body", body)


def _check_storable(value: object) -> None:
    """Refuse texts that the database cannot hold."""
    if isinstance(value, str):
        value.encode()
        if "\0" in value:
            raise ValueError("a text with NUL")
    elif isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            _check_storable(name)
            _check_storable(member)
    elif isinstance(value, list):
        for member in cast("list[object]", value):
            _check_storable(member)


# --- answers


def _sign_up(users: Users, request: Request, body: Body) -> Response:
    email = _read_email(body)
    password = _text(body, "password")
    if not password:
        raise Refusal(422, "validation_failed", "Signup requires a valid password")
    _check_password(password)
    user_id = users.create(email, hash_password(password), _metadata(body))
    if user_id is None:
        raise Refusal(422, "user_already_exists", "User already registered")
    return _session(users, users.start_session(user_id))


def _token(users: Users, request: Request, body: Body) -> Response:
    grant_type = request.query_params.get("grant_type")
    if grant_type == "password":
        return _sign_in(users, body)
    if grant_type == "refresh_token":
        return _refresh(users, body)
    raise Refusal(400, "unsupported_grant_type", f"unsupported grant type: {grant_type}")


def _sign_in(users: Users, body: Body) -> Response:
    known = users.find_password(_text(body, "email"))
    if known is not None:
        user_id, stored = known
        if is_password(_text(body, "password"), stored):
            return _session(users, users.start_session(user_id))
    raise Refusal(400, "invalid_credentials", "Invalid login credentials")


def _refresh(users: Users, body: Body) -> Response:
    state = users.refresh_session(_text(body, "refresh_token"))
    error = None if state is None else state.get("error")
    if error == "refresh_token_already_used":
        raise Refusal(400, error, "Invalid Refresh Token: Already Used")
    if state is None or error is not None:
        message = "Invalid Refresh Token: Refresh Token Not Found"
        raise Refusal(400, "refresh_token_not_found", message)
    return _session(users, state)


def _get_user(users: Users, request: Request, body: Body) -> Response:
    claims = _caller(users, request)
    return JSONResponse(users.find(claims["sub"]))


def _update_user(users: Users, request: Request, body: Body) -> Response:
    claims = _caller(users, request)
    password = _text(body, "password")
    password_hash = ""
    if password:
        _check_password(password)
        password_hash = hash_password(password)
    return JSONResponse(
        users.update(claims["sub"], password_hash=password_hash, metadata=_metadata(body))
    )


def _sign_out(users: Users, request: Request, body: Body) -> Response:
    claims = _caller(users, request)
    scope = request.query_params.get("scope", "global")
    if scope not in SCOPES:
        raise Refusal(400, "validation_failed", f'Unsupported logout scope "{scope}"')
    users.end_sessions(scope, claims["sub"], claims.get("session_id", ""))
    return Response(status_code=204)


def _published_keys(users: Users, request: Request, body: Body) -> Response:
    return JSONResponse(users.secrets.published_keys())


def _health(users: Users, request: Request, body: Body) -> Response:
    return JSONResponse({"name": "training-versions", "description": "for development only"})


# --- what the answers share


def _session(users: Users, state: dict[str, Any] | None) -> Response:
    if state is None:  # the user was deleted just now
        raise Refusal(404, "user_not_found", "User not found")
    signing_key = users.secrets.signing_keys[0]
    return JSONResponse(make_session(state, issuer=users.issuer, signing_key=signing_key))


def _caller(users: Users, request: Request) -> dict[str, Any]:
    """Return the claims of the caller's token, whose user and session are there."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        message = "This endpoint requires a valid Bearer token"
        raise Refusal(401, "no_authorization", message)
    try:
        claims = read_access_token(token, users.secrets)
    except jwt.PyJWTError as exc:
        message = f"invalid JWT: unable to parse or verify signature, {exc}"
        raise Refusal(403, "bad_jwt", message) from exc
    if users.find(claims.get("sub", "")) is None:
        message = "User from sub claim in JWT does not exist"
        raise Refusal(403, "user_not_found", message)
    session_id = claims.get("session_id")
    if session_id is not None and not users.has_session(session_id):
        message = "Session from session_id claim in JWT does not exist"
        raise Refusal(403, "session_not_found", message)
    return claims


def _text(body: Body, name: str) -> str:
    value = body.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal(400, "bad_json", f"Could not parse request body as JSON: {name} is no text")
    return value


def _metadata(body: Body) -> dict[str, Any]:
    value = body.get("data")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(400, "bad_json", "Could not parse request body as JSON: data is no object")
    return cast("dict[str, Any]", value)


def _read_email(body: Body) -> str:
    email = _text(body, "email")
    if not email:
        if _text(body, "phone"):
            raise Refusal(400, "phone_provider_disabled", "Phone signups are disabled")
        raise Refusal(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")
    if _ADDRESS.fullmatch(email) is None:
        message = "Unable to validate email address: invalid format"
        raise Refusal(400, "validation_failed", message)
    return email


def _check_password(password: str) -> None:
    if len(password) < _SHORTEST_PASSWORD:
        raise Refusal(
            422,
            "weak_password",
            f"Password should be at least {_SHORTEST_PASSWORD} characters.",
            weak_password={"reasons": ["length"]},
        )
    if len(password.encode()) > _LONGEST_PASSWORD:
        message = f"Password cannot be longer than {_LONGEST_PASSWORD} characters"
        raise Refusal(422, "validation_failed", message)


# --- refusals


def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    headers: dict[str, str] = {}
    # Clients name the version of the API whose refusals they read.
    if request.headers.get(_VERSION_HEADER, "") >= _VERSION_WITH_CODES:
        headers[_VERSION_HEADER] = _VERSION_WITH_CODES
        content: Body = {"code": refusal.code, "message": refusal.message}
    else:
        content = {"code": refusal.status, "error_code": refusal.code, "msg": refusal.message}
    return JSONResponse(content | refusal.more, refusal.status, headers)


def _refuse_unknown_path(request: Request, exc: Exception) -> Response:
    message = f"the local stack has no {request.method} {request.url.path} under /auth/v1"
    return _refuse(request, Refusal(404, "not_found", message))


def _fail(request: Request, exc: Exception) -> Response:
    return _refuse(request, Refusal(500, "unexpected_failure", f"{type(exc).__name__}: {exc}"))
