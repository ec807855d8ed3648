"""An API that acts for its callers: every request reads and writes as whoever sent it.

    .venv/bin/python examples/fastapi_app.py

calls it as two users at once, on the embedded stack. For your own project, set SUPABASE_URL and
SUPABASE_PUBLISHABLE_KEY, and serve it: `uvicorn fastapi_app:app` in this folder.

Each request makes repositories of its own with the caller's access token, and all of them share the
connections of one HTTP client. So no request can act with the token of another, not even when a
lost reply makes the SDK send a write again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from training_versions import (
    AsyncPackageRepository,
    AsyncVersionRepository,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    PermissionDeniedError,
    RejectedError,
    TrainingVersionsError,
)
from training_versions.local import LocalSupabase

# The first class that an error belongs to decides; every other error is 503.
STATUS: dict[type[TrainingVersionsError], int] = {
    NotSignedInError: 401,
    PermissionDeniedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    InvalidInputError: 422,
    RejectedError: 422,
}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    """Open the connections that all requests share, and close them when the server ends."""
    async with httpx.AsyncClient(timeout=30) as http:
        app.state.http = http
        yield


app = FastAPI(lifespan=lifespan)
Caller = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def packages_of_caller(request: Request, caller: Caller) -> AsyncPackageRepository:
    """Make a repository that acts as the caller."""
    return AsyncPackageRepository.for_token(
        os.environ["SUPABASE_URL"],
        os.environ["SUPABASE_PUBLISHABLE_KEY"],
        caller.credentials,
        http_client=request.app.state.http,
    )


def versions_of_caller(request: Request, caller: Caller) -> AsyncVersionRepository:
    """Make a repository that acts as the caller."""
    return AsyncVersionRepository.for_token(
        os.environ["SUPABASE_URL"],
        os.environ["SUPABASE_PUBLISHABLE_KEY"],
        caller.credentials,
        http_client=request.app.state.http,
    )


Packages = Annotated[AsyncPackageRepository, Depends(packages_of_caller)]
Versions = Annotated[AsyncVersionRepository, Depends(versions_of_caller)]


class NewPackage(BaseModel):
    """What is posted to create a package."""

    name: str
    config: dict[str, Any]


class NewDraft(BaseModel):
    """What is posted to create a draft."""

    config: dict[str, Any]
    model: dict[str, Any]
    dataset: list[dict[str, Any]]


@app.post("/packages", status_code=201)
async def create_package(new: NewPackage, packages: Packages) -> dict[str, Any]:
    """Create a package of the caller."""
    package = await packages.create(new.name, template_type="lora_finetuning", config=new.config)
    return {"id": package.id, "name": package.name, "user_id": package.user_id}


@app.get("/packages")
async def list_packages(packages: Packages) -> list[dict[str, Any]]:
    """List the packages of the caller."""
    return [{"id": each.id, "name": each.name} async for each in packages.iterate()]


@app.post("/packages/{package_id}/drafts", status_code=201)
async def create_draft(package_id: UUID, new: NewDraft, versions: Versions) -> dict[str, Any]:
    """Create a draft in a package of the caller."""
    draft = await versions.create_draft(
        package_id, config=new.config, model=new.model, dataset=new.dataset
    )
    return {"id": draft.id, "name": draft.name, "created_by": draft.created_by}


@app.get("/versions")
async def list_versions(versions: Versions) -> list[dict[str, Any]]:
    """List the versions of the caller."""
    return [{"id": each.id, "name": each.name} async for each in versions.iterate()]


@app.exception_handler(TrainingVersionsError)
async def tell(request: Request, exc: TrainingVersionsError) -> JSONResponse:
    """Answer with what went wrong, and what to do about it."""
    status = 503
    for kind, code in STATUS.items():
        if isinstance(exc, kind):
            status = code
            break
    return JSONResponse({"detail": exc.message, "hint": exc.hint}, status)


async def call_as_two_users() -> None:
    """Create a package as each of two users at once, and list what each of them sees."""
    with LocalSupabase() as stack:
        os.environ["SUPABASE_URL"] = stack.url
        os.environ["SUPABASE_PUBLISHABLE_KEY"] = stack.publishable_key
        users = {name: stack.token(f"{name}@example.com") for name in ("ada", "eve")}
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api") as api,
        ):

            async def use(name: str, token: str) -> None:
                headers = {"Authorization": f"Bearer {token}"}
                new = {"name": f"bot of {name}", "config": {"r": 8}}
                await api.post("/packages", json=new, headers=headers)
                found = await api.get("/packages", headers=headers)
                print(f"{name} sees {', '.join(each['name'] for each in found.json())}")

            await asyncio.gather(*(use(name, token) for name, token in users.items()))
            refused = await api.get("/packages", headers={"Authorization": "Bearer nonsense"})
            print(f"nobody gets {refused.status_code}: {refused.json()['detail']}")


if __name__ == "__main__":
    asyncio.run(call_as_two_users())
