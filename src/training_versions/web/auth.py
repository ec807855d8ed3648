"""The client for the project's Auth: sign in with a password, renew a session, sign out.

Passwords and tokens are sent on and not stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx

from training_versions.project import seconds_to_wait

_VERSION_HEADER: Final = "X-Supabase-Api-Version"
_VERSION_WITH_CODES: Final = "2024-01-01"
_TOO_MANY: Final = 429


@dataclass(frozen=True)
class Tokens:
    """The tokens of one session at the project's Auth."""

    access: str = field(repr=False)
    """The access token: identifies the user, for about an hour."""
    refresh: str = field(repr=False)
    """The refresh token: can be used once."""


class AuthError(Exception):
    """The project's Auth refused a request, or did not answer."""

    def __init__(
        self, message: str, *, status: int, code: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        """The status of its reply; 503 if there was none."""
        self.code = code
        """Its code for the refusal, such as `invalid_credentials`."""
        self.retry_after = retry_after
        """Seconds to wait before the next try, if the reply says so."""

    @property
    def is_final(self) -> bool:
        """Whether the same request would fail again."""
        is_refusal = 400 <= self.status < 500
        return is_refusal and self.status != _TOO_MANY


class Auth:
    """A client for the Auth of one project, with a shared connection pool."""

    def __init__(self, url: str, key: str, http: httpx.AsyncClient) -> None:
        self._url = f"{url}/auth/v1"
        self._headers = {"apikey": key, _VERSION_HEADER: _VERSION_WITH_CODES}
        self._http = http

    async def sign_in(self, email: str, password: str) -> Tokens:
        """Start a session.

        Raises:
            AuthError: Auth refused, or did not answer.
        """
        body = {"email": email, "password": password}
        return _read_tokens(await self._post("/token?grant_type=password", body))

    async def renew(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens of the same session.

        Raises:
            AuthError: Auth refused, or did not answer.
        """
        body = {"refresh_token": refresh_token}
        return _read_tokens(await self._post("/token?grant_type=refresh_token", body))

    async def sign_out(self, access_token: str) -> None:
        """End the session of a token, and no other session of its user.

        Raises:
            AuthError: Auth refused, or did not answer.
        """
        await self._post("/logout?scope=local", {}, access_token=access_token)

    async def _post(
        self, path: str, body: dict[str, str], *, access_token: str | None = None
    ) -> httpx.Response:
        headers = dict(self._headers)
        if access_token is not None:
            headers["Authorization"] = f"Bearer {access_token}"
        try:
            response = await self._http.post(f"{self._url}{path}", json=body, headers=headers)
        except httpx.HTTPError as exc:
            raise AuthError("The project cannot be reached.", status=503) from exc
        if response.is_error:
            raise _refusal(response)
        return response


def _refusal(response: httpx.Response) -> AuthError:
    body = _read_object(response)
    # Older servers put the status into `code`, and the code into `error_code`.
    code = body.get("error_code", body.get("code", ""))
    message = body.get("message", body.get("msg", ""))
    return AuthError(
        str(message),
        status=response.status_code,
        code=str(code),
        retry_after=seconds_to_wait(response.headers),
    )


def _read_tokens(response: httpx.Response) -> Tokens:
    body = _read_object(response)
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not isinstance(access, str) or not isinstance(refresh, str):
        # For example the error page of a gateway.
        raise AuthError("The project's Auth answered with something else.", status=503)
    return Tokens(access, refresh)


def _read_object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    return cast("dict[str, Any]", body)
