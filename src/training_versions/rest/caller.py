"""The caller: every request reads and writes with the access token that it brings.

Nothing is verified here. The token goes to the project, which refuses one that is not valid, and
row level security decides what the caller sees.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from training_versions import AsyncPackageRepository, AsyncVersionRepository, InvalidInputError
from training_versions.project import read_claims
from training_versions.rest.headers import single
from training_versions.rest.problems import missing_token, unknown_token
from training_versions.rest.service import RETRY_PAUSES, service_of

R = TypeVar("R", AsyncPackageRepository, AsyncVersionRepository)

MAX_TOKEN_LENGTH: Final = 16_384
"""With more, gateways drop the connection without a word."""
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="AccessToken",
    bearerFormat="JWT",
    description="The access token of a user of the project, as its Auth server issues it.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def token_of_caller(request: Request, credentials: Credentials) -> str:
    """Return the access token of the request."""
    # Which of two is the caller's would be a guess.
    single(request, "Authorization")
    if credentials is None or not credentials.credentials:
        raise missing_token()
    if len(credentials.credentials) > MAX_TOKEN_LENGTH:
        raise unknown_token(f"The access token is longer than {MAX_TOKEN_LENGTH:,} characters.")
    return credentials.credentials


Token = Annotated[str, Depends(token_of_caller)]


async def packages_of_caller(request: Request, token: Token) -> AsyncPackageRepository:
    """Make a repository that acts as the caller."""
    return _acting_as(token, AsyncPackageRepository, request)


async def versions_of_caller(request: Request, token: Token) -> AsyncVersionRepository:
    """Make a repository that acts as the caller."""
    return _acting_as(token, AsyncVersionRepository, request)


Packages = Annotated[AsyncPackageRepository, Depends(packages_of_caller)]
Versions = Annotated[AsyncVersionRepository, Depends(versions_of_caller)]


def _acting_as(token: str, repository: type[R], request: Request) -> R:
    service = service_of(request)
    settings = service.settings
    try:
        return repository.for_token(
            settings.url,
            settings.key,
            token,
            http_client=service.http,
            allow_secrets=settings.allow_secrets,
            retry_pauses=RETRY_PAUSES,
        )
    except InvalidInputError as exc:
        raise _about_token(exc) from exc


def _about_token(exc: InvalidInputError) -> Exception:
    if exc.field == "token":
        return unknown_token("The access token is not one line of text without blanks.")
    return RuntimeError(exc.message)


def user_of(token: str) -> str:
    """Return the id that a token states, unverified; empty for a key that is no token."""
    return str(read_claims(token).get("sub", ""))
