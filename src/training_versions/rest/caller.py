"""The caller: every request reads and writes with its own access token.

Tokens are not verified here. They are passed on to the project, which refuses an invalid one. Row
level security decides which rows the caller sees.
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
"""The most characters of a token. Gateways drop the connection of a longer one without a reply."""
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="AccessToken",
    bearerFormat="JWT",
    description="The access token of a user of the project, as its Auth server issues it.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def token_of_caller(request: Request, credentials: Credentials) -> str:
    """Return the access token of the request."""
    # Two headers are refused: choosing one of them would be a guess.
    single(request, "Authorization")
    if credentials is None or not credentials.credentials:
        raise missing_token()
    if len(credentials.credentials) > MAX_TOKEN_LENGTH:
        raise unknown_token(f"The access token is longer than {MAX_TOKEN_LENGTH:,} characters.")
    return credentials.credentials


Token = Annotated[str, Depends(token_of_caller)]


async def packages_of_caller(request: Request, token: Token) -> AsyncPackageRepository:
    """Return a package repository that acts as the caller."""
    return _acting_as(token, AsyncPackageRepository, request)


async def versions_of_caller(request: Request, token: Token) -> AsyncVersionRepository:
    """Return a version repository that acts as the caller."""
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
    """Return the unverified user id of a token (its `sub`); empty if it has none."""
    return str(read_claims(token).get("sub", ""))
