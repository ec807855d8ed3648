"""Health: a liveness check of the process, and a readiness check of the database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from training_versions import (
    AsyncVersionRepository,
    DatabaseError,
    NotFoundError,
    PermissionDeniedError,
    __version__,
)
from training_versions.rest.problems import UNAVAILABLE, Problem, problem_of
from training_versions.rest.replies import no_content, reply
from training_versions.rest.responses import problems
from training_versions.rest.schemas import Health
from training_versions.rest.service import service_of

router = APIRouter(tags=["health"])

log = logging.getLogger("training_versions.rest")
_TIMEOUT: Final = 5
"""Seconds to wait for the project. Readiness probes have a short timeout themselves."""
_READY_FOR: Final = 1
"""Seconds for which a successful check is reused."""
_NO_ID: Final = UUID(int=0)
_PERMISSION_DENIED: Final = "42501"


@router.get("/health", response_model=Health)
async def get_health() -> Response:
    """Say that the process answers; nothing is asked of the database."""
    return reply(Health(status="ok", version=__version__))


@router.get(
    "/ready",
    status_code=204,
    responses={status: answer for status, answer in problems().items() if status in (500, 503)},
)
async def get_ready(request: Request) -> Response:
    """Say whether the database can be reached and has what this server needs.

    What was seen stays good for a second, however many ask.
    """
    service = service_of(request)
    if time.monotonic() - service.was_ready_at < _READY_FOR:
        return no_content()
    try:
        async with asyncio.timeout(_TIMEOUT):
            errors = await _call_as_anon(request)
    except TimeoutError:
        detail = f"The project did not answer within {_TIMEOUT} seconds."
        raise Problem(UNAVAILABLE, detail) from None
    for error in errors:
        if isinstance(error, NotFoundError) or error.code == _PERMISSION_DENIED:
            continue
        log.error("not ready", exc_info=error)
        if isinstance(error, PermissionDeniedError):
            raise Problem(
                UNAVAILABLE, "The project does not take the key that this server was given."
            )
        raise problem_of(error)
    service.was_ready_at = time.monotonic()
    return no_content()


async def _call_as_anon(request: Request) -> list[DatabaseError]:
    """Call functions of the migrations with the key alone, and return the refusals.

    The grants refuse a call of an existing function before it does anything. If a function is
    missing, or has other arguments than in this release, the refusal has another code.
    """
    service = service_of(request)
    url, key = service.settings.url, service.settings.key
    versions = AsyncVersionRepository.for_token(
        url, key, key, http_client=service.http, retry_pauses=()
    )
    calls: list[Awaitable[object]] = [
        versions.next_version_number(_NO_ID),
        versions.create_draft(_NO_ID, config={}, model={}, dataset=[], version_id=_NO_ID),
        versions.update_draft(_NO_ID, name="nothing"),
        versions.publish(_NO_ID),
        versions.restore(_NO_ID, new_version_id=_NO_ID),
        versions.start_training(_NO_ID, run_id=_NO_ID),
        versions.deploy(_NO_ID, "local", stay_id=_NO_ID),
        versions.record_cost(_NO_ID, 0, entry_id=_NO_ID),
        versions.history(limit=1),
        versions.runs(_NO_ID, limit=1),
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refusals: list[DatabaseError] = []
    for outcome in outcomes:
        if isinstance(outcome, DatabaseError):
            refusals.append(outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
    return refusals
