"""Sign in with an address and a password, and sign out."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from training_versions.web import csrf
from training_versions.web.auth import AuthError, Tokens
from training_versions.web.errors import CrossSiteError, error_page
from training_versions.web.page import (
    Services,
    current_tokens,
    is_from_our_form,
    services_of,
)
from training_versions.web.render import render
from training_versions.web.sessions import fits_cookies, read_user

# Anybody may send this form, so the number of its fields is limited.
_MOST_FIELDS: Final = 10
_LONGEST_FIELD: Final = 16 * 1024
_NOTICES: Final = {
    "ended": "Your session has ended. Sign in again, and you are back where you were.",
    "out": "You are signed out.",
    "out-here": "You are signed out in this browser. The project could not be told, so the session "
    "ends there by itself.",
}
_MESSAGES: Final = {
    "invalid_credentials": "The email and the password do not go together.",
    "email_not_confirmed": "This address is not confirmed yet: follow the link in the mail that "
    "came after signing up.",
    "user_banned": "This account is blocked.",
}
_STALE: Final = "This page had grown old, and nothing was sent on. Please sign in now."
_TOO_LARGE: Final = (
    "Signed in, but the session is too large for the cookies of a browser. "
    "Have the project keep less in the metadata of its users."
)


def safe_path(target: str | None) -> str:
    """Return the target after signing in if it is a path of this site, else `/`."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    # Browsers remove tabs and line ends from addresses, and treat a backslash as a slash.
    if "\\" in target or any(ord(char) < 33 or ord(char) == 127 for char in target):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc:
        return "/"
    return target


async def show_form(request: Request) -> Response:
    """Show the form."""
    notice = ""
    is_signed_in = services_of(request).session_cookies.read(request) is not None
    for name, text in _NOTICES.items():
        # Anybody can make such an address, so a signed-in user does not see these notices.
        if name in request.query_params and not is_signed_in:
            notice = text
    return _form(request, notice=notice, next_path=safe_path(request.query_params.get("next")))


async def sign_in(request: Request) -> Response:
    """Start a session, or show the form again with its problem."""
    services = services_of(request)
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD)
    email = str(form.get("email", "")).strip()
    password = str(form.get("password", ""))
    next_path = safe_path(str(form.get("next", "")))

    def refuse(status: int, problem: str) -> Response:
        return _form(request, status=status, problem=problem, email=email, next_path=next_path)

    token = await csrf.read_token(request)
    is_ours = csrf.is_token(services.settings.secret, _holder(request), token)
    if not is_ours or not csrf.is_same_site(request):
        return refuse(403, _STALE)
    if not email or not password:
        return refuse(422, "Both are needed: the email and the password.")
    try:
        tokens = await services.auth.sign_in(email, password)
    except AuthError as exc:
        response = refuse(_status(exc), _describe(exc))
        if exc.retry_after is not None:
            response.headers["Retry-After"] = str(exc.retry_after)
        return response
    if not fits_cookies(tokens):
        return refuse(400, _TOO_LARGE)
    response = RedirectResponse(next_path, status_code=303)
    services.session_cookies.write(request, response, tokens)
    services.browsers.keep(request, response)
    return response


async def sign_out(request: Request) -> Response:
    """End the session at the project, and clear its cookies.

    The cookies are cleared even if the project cannot be reached.
    """
    services = services_of(request)
    given = services.session_cookies.read(request)
    if given is None:
        return RedirectResponse("/sign-in?out=1", status_code=303)
    if not await is_from_our_form(request, read_user(given.access)):
        return error_page(request, CrossSiteError())
    notice = "out"
    try:
        await _end_session(services, given)
    except AuthError as exc:
        # The session may have ended already.
        if not exc.is_final:
            notice = "out-here"
    response = RedirectResponse(f"/sign-in?{notice}=1", status_code=303)
    services.session_cookies.clear(request, response)
    return response


async def _end_session(services: Services, given: Tokens) -> None:
    """End the session at the project.

    Raises:
        AuthError: The session does not exist any more, or the project cannot be reached.
    """
    tokens = await current_tokens(services, given)
    services.renewals.forget(tokens)
    try:
        await services.auth.sign_out(tokens.access)
    except AuthError as exc:
        if not exc.is_final or tokens != given:
            raise
        # The clocks differ, or the project has new keys. The session may still exist.
        tokens = await services.renewals.renew(given.refresh)
        services.renewals.forget(tokens)
        await services.auth.sign_out(tokens.access)


def _form(
    request: Request,
    *,
    status: int = 200,
    notice: str = "",
    problem: str = "",
    email: str = "",
    next_path: str = "/",
) -> Response:
    services = services_of(request)
    token = csrf.make_token(services.settings.secret, _holder(request))
    response = render(
        request,
        "sign_in.html",
        status=status,
        notice=notice,
        problem=problem,
        email=email,
        next_path=next_path,
        csrf_token=token,
    )
    services.browsers.keep(request, response)
    return response


def _holder(request: Request) -> str:
    """Return the name of a browser, for which CSRF tokens are made."""
    return f"visitor:{services_of(request).browsers.name(request)}"


def _status(error: AuthError) -> int:
    if error.status == 429 or error.is_final:
        return error.status
    return 503


def _describe(error: AuthError) -> str:
    known = _MESSAGES.get(error.code)
    if known is not None:
        return known
    if error.status == 429:
        if error.retry_after is not None:
            return f"Too many attempts. Try again in {error.retry_after} seconds."
        return "Too many attempts. Try again in a few minutes."
    if error.is_final:
        return f"The project does not sign you in: {error.message}"
    return "The project's sign-in does not answer now. Try again in a moment."


routes = [
    Route("/sign-in", show_form, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
]
