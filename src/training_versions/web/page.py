"""The `page` decorator: authentication, CSRF protection and error handling of every page.

A page is a plain function from a request to a response, wrapped by `page`:

    @page
    async def show(request: Request) -> Response:
        caller = caller_of(request)
        package = await caller.packages.get(request.path_params["package_id"])
        return render(request, "package.html", package=package)

The function is called only for signed-in users. A request that changes something must also carry
the CSRF token of a form of this site. Errors of the SDK become error pages, see `errors.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import httpx
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from training_versions import (
    AsyncPackageRepository,
    AsyncVersionRepository,
    NotSignedInError,
    TrainingVersionsError,
)
from training_versions.web import csrf
from training_versions.web.auth import Auth, AuthError, Tokens
from training_versions.web.encoding import check_encoding
from training_versions.web.errors import (
    CrossSiteError,
    SignedOutError,
    auth_error_page,
    error_page,
    http_error_page,
)
from training_versions.web.sessions import (
    Renewals,
    SessionCookies,
    User,
    ends_soon,
    has_ended,
    read_user,
)
from training_versions.web.settings import Settings

Page: TypeAlias = Callable[[Request], Awaitable[Response]]

_READS: Final = ("GET", "HEAD")
_SIGN_IN: Final = "/sign-in"


@dataclass(frozen=True)
class Services:
    """Objects that all requests share."""

    settings: Settings
    http: httpx.AsyncClient
    auth: Auth
    browsers: csrf.Browsers
    renewals: Renewals
    session_cookies: SessionCookies


@dataclass(frozen=True)
class Caller:
    """The user who sent the request, and repositories that act as this user."""

    packages: AsyncPackageRepository
    versions: AsyncVersionRepository
    user: User
    tokens: Tokens = field(repr=False)
    csrf_token: str = field(repr=False)
    """The CSRF token for forms of this user in this browser."""


def services_of(request: Request) -> Services:
    """Return the objects that all requests share."""
    return request.app.state.services


def caller_of(request: Request) -> Caller:
    """Return the caller of a request. It is set only inside of a `page` function."""
    return request.state.caller


async def read_form(request: Request) -> FormData:
    """Return the form in the request body.

    A field may be as long as a request body. Files are refused, as no form of this site has any.

    Raises:
        HTTPException: The form cannot be read.
    """
    limit = services_of(request).settings.max_body
    check_encoding(await request.body(), request.headers.get("Content-Type", ""))
    return await request.form(max_files=0, max_part_size=limit)


def page(answer: Page) -> Page:
    """Decorate a page function: set the caller, and turn its errors into error pages."""

    @functools.wraps(answer)
    async def wrapped(request: Request) -> Response:
        services = services_of(request)
        stored = services.session_cookies.read(request)
        if stored is None:
            return _ask_to_sign_in(request)
        try:
            tokens = await current_tokens(services, stored)
            try:
                response = await _answer_as(tokens, answer, request)
            except NotSignedInError:
                if tokens != stored:
                    raise
                # Refused before it expired: the clocks differ, or the project has new keys.
                tokens = await services.renewals.renew(stored.refresh)
                response = await _answer_as(tokens, answer, request)
        except NotSignedInError:
            return _end_session(request)
        except AuthError as exc:
            if not exc.is_final:
                return auth_error_page(request, exc)
            return _end_session(request)
        if tokens != stored:
            services.session_cookies.write(request, response, tokens)
        if tokens != stored or services.browsers.is_new(request):
            services.browsers.keep(request, response)
        return response

    return wrapped


async def _answer_as(tokens: Tokens, answer: Page, request: Request) -> Response:
    """Call a page function as the user of these tokens.

    Raises:
        NotSignedInError: The database rejects the tokens. Nothing was written.
    """
    caller = _make_caller(request, tokens)
    request.state.caller = caller
    try:
        if request.method not in _READS and not await is_from_our_form(request, caller.user):
            return error_page(request, CrossSiteError())
        return await answer(request)
    except NotSignedInError:
        raise
    except HTTPException as exc:
        return await http_error_page(request, exc)
    except TrainingVersionsError as exc:
        return error_page(request, exc)


async def is_from_our_form(request: Request, user: User) -> bool:
    """Return whether the request comes from this site and carries its user's CSRF token."""
    if not csrf.is_same_site(request):
        return False
    if request.headers.get(csrf.HEADER) is None:
        await read_form(request)
    secret = services_of(request).settings.secret
    return csrf.is_token(secret, _holder(request, user), await csrf.read_token(request))


async def current_tokens(services: Services, stored: Tokens) -> Tokens:
    """Return the tokens of a session, renewed if the access token expires soon.

    Raises:
        AuthError: The access token has expired, and cannot be renewed.
    """
    user = read_user(stored.access)
    if not ends_soon(user):
        return stored
    try:
        return await services.renewals.renew(stored.refresh)
    except AuthError:
        if has_ended(user):
            raise
        # The access token is still valid for some seconds.
        return stored


def _make_caller(request: Request, tokens: Tokens) -> Caller:
    services = services_of(request)
    settings = services.settings
    project = (settings.url, settings.key, tokens.access)
    user = read_user(tokens.access)
    return Caller(
        packages=AsyncPackageRepository.for_token(*project, http_client=services.http),
        versions=AsyncVersionRepository.for_token(*project, http_client=services.http),
        user=user,
        tokens=tokens,
        csrf_token=csrf.make_token(settings.secret, _holder(request, user)),
    )


def _holder(request: Request, user: User) -> str:
    """Return the name of a user in a browser, for which CSRF tokens are made."""
    return f"user:{user.id}:{services_of(request).browsers.name(request)}"


def _end_session(request: Request) -> Response:
    """Clear the cookies of a session that cannot be renewed, and ask to sign in again."""
    response = _ask_to_sign_in(request, has_ended=True)
    services_of(request).session_cookies.clear(request, response)
    return response


def _ask_to_sign_in(request: Request, *, has_ended: bool = False) -> Response:
    """Redirect to the sign-in form, which leads back to this page."""
    if request.method not in _READS:
        # No redirect: the page that sent the form still holds the text that was typed.
        return error_page(request, SignedOutError())
    is_fragment = request.headers.get("HX-Request") == "true"
    here = request.url.path
    if request.url.query:
        here = f"{here}?{request.url.query}"
    asked: dict[str, Any] = {"next": here}
    if has_ended:
        asked["ended"] = "1"
    target = f"{_SIGN_IN}?{urlencode(asked)}"
    if is_fragment:
        return Response(status_code=401, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)
