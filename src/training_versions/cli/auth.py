"""Sign in and out: requests to the project's Auth, and its errors as command errors."""

from __future__ import annotations

import time
from typing import Any, Final, cast

import httpx

from training_versions.cli.exits import CHECK_ADDRESS, UNREACHABLE, CommandError, not_allowed
from training_versions.cli.storage import StoredSession
from training_versions.project import explain_bad_environment, takes_environment

_TIMEOUT: Final = httpx.Timeout(120, connect=10)


def http_client(url: str) -> httpx.Client:
    """Return an HTTP client for a project."""
    with explain_bad_environment():
        return httpx.Client(timeout=_TIMEOUT, trust_env=takes_environment(url))


def sign_in(http: httpx.Client, url: str, key: str, email: str, password: str) -> StoredSession:
    """Sign in with an email address and a password."""
    reply = _post(http, url, key, "token?grant_type=password", email=email, password=password)
    if reply.status_code in (400, 401, 403, 422):
        raise not_allowed(f"not signed in: {_reason(reply)}", hint=_hint_for(reply))
    return _session(reply, url, key)


def renew(http: httpx.Client, session: StoredSession) -> StoredSession | None:
    """Exchange the refresh token for new tokens. Return `None` if the session has ended."""
    reply = _post(
        http,
        session.url,
        session.key,
        "token?grant_type=refresh_token",
        refresh_token=session.refresh_token,
    )
    if reply.status_code in (400, 401, 403):
        return None
    return _session(reply, session.url, session.key)


def sign_out(http: httpx.Client, session: StoredSession) -> bool:
    """End a session at the project, and return whether it has certainly ended."""
    try:
        reply = _post(http, session.url, session.key, "logout?scope=local", session.access_token)
    except CommandError:
        return False
    # Auth answers with one of these if the session has ended already.
    return reply.is_success or reply.status_code in (401, 403, 404)


def _post(
    http: httpx.Client, url: str, key: str, path: str, token: str | None = None, **body: str
) -> httpx.Response:
    headers = {"apikey": key}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        reply = http.post(f"{url}/auth/v1/{path}", headers=headers, json=body)
    except httpx.HTTPError as exc:
        raise CommandError(
            f"{url} cannot be reached: {exc or type(exc).__name__}",
            hint=CHECK_ADDRESS,
            status=UNREACHABLE,
        ) from None
    except (httpx.InvalidURL, ValueError) as exc:
        raise CommandError(f"{url} is no address: {exc}", status=2) from None
    if reply.status_code == 429 or reply.status_code >= 500:
        raise CommandError(
            f"the project does not sign anybody in now (status {reply.status_code})",
            hint="Try again in a minute.",
            status=UNREACHABLE,
        )
    return reply


def _session(reply: httpx.Response, url: str, key: str) -> StoredSession:
    body = _body(reply)
    user = body.get("user")
    try:
        user = cast("dict[str, Any]", user)
        return StoredSession(
            url=url,
            key=key,
            access_token=str(body["access_token"]),
            refresh_token=str(body["refresh_token"]),
            expires_at=time.time() + float(body["expires_in"]),
            user_id=str(user["id"]),
            email=str(user.get("email") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CommandError(
            f"{url} answers, but not as Supabase's Auth (status {reply.status_code})",
            hint="Is it the project's address, as in https://<project>.supabase.co?",
        ) from None


def _body(reply: httpx.Response) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    if isinstance(body, dict):
        return cast("dict[str, Any]", body)
    return {}


def _reason(reply: httpx.Response) -> str:
    body = _body(reply)
    for name in ("msg", "message", "error_description", "error"):
        if isinstance(body.get(name), str):
            return str(body[name])
    return f"status {reply.status_code}"


def _hint_for(reply: httpx.Response) -> str | None:
    code = _body(reply).get("error_code")
    if code == "invalid_credentials":
        return "The email or the password is not right."
    if code == "email_not_confirmed":
        return "Open the link in the mail that the project sent first."
    if reply.status_code == 401:
        return "Is SUPABASE_PUBLISHABLE_KEY that of this project?"
    return None
