"""Health: is the process there, and can it do its work?"""

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
_MOST: Final = 5
"""Seconds to wait for the project: who asks whether it is ready, does not wait for long."""
_GOOD_FOR: Final = 1
_NOTHING: Final = UUID(int=0)
_REFUSED: Final = "42501"


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
    if time.monotonic() - service.was_ready_at < _GOOD_FOR:
        return no_content()
    try:
        async with asyncio.timeout(_MOST):
            errors = await _ask_as_nobody(request)
    except TimeoutError:
        detail = f"The project did not answer within {_MOST} seconds."
        raise Problem(UNAVAILABLE, detail) from None
    for error in errors:
        if isinstance(error, NotFoundError) or error.code == _REFUSED:
            continue
        log.error("not ready", exc_info=error)
        if isinstance(error, PermissionDeniedError):
            raise Problem(
                UNAVAILABLE, "The project does not take the key that this server was given."
            )
        raise problem_of(error)
    service.was_ready_at = time.monotonic()
    return no_content()


async def _ask_as_nobody(request: Request) -> list[DatabaseError]:
    """Call functions that the migrations made, with the key alone; return how they were refused.

    A function that is there refuses nobody's call by its grants, before it does anything. One that
    is missing, or has other arguments than this release, is told apart by its code.
    """
    service = service_of(request)
    url, key = service.settings.url, service.settings.key
    versions = AsyncVersionRepository.for_token(
        url, key, key, http_client=service.http, retry_pauses=()
    )
    calls: list[Awaitable[object]] = [
        versions.next_version_number(_NOTHING),
        versions.create_draft(_NOTHING, config={}, model={}, dataset=[], version_id=_NOTHING),
        versions.update_draft(_NOTHING, name="nothing"),
        versions.publish(_NOTHING),
        versions.restore(_NOTHING, new_version_id=_NOTHING),
        versions.start_training(_NOTHING, run_id=_NOTHING),
        versions.deploy(_NOTHING, "local", stay_id=_NOTHING),
        versions.record_cost(_NOTHING, 0, entry_id=_NOTHING),
        versions.history(limit=1),
        versions.runs(_NOTHING, limit=1),
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refusals: list[DatabaseError] = []
    for outcome in outcomes:
        if isinstance(outcome, DatabaseError):
            refusals.append(outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
    return refusals
