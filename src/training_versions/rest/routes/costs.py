"""Costs: record what training cost, and read the entries."""

from __future__ import annotations

from fastapi import APIRouter, Response

from training_versions import CostEntry, RecordedCost
from training_versions.rest.caller import Versions
from training_versions.rest.idempotency import New, replayed, telling_reuse
from training_versions.rest.inputs import NewCost, VersionId
from training_versions.rest.replies import reply
from training_versions.rest.responses import (
    IDEMPOTENCY_KEY,
    REPLAYED,
    problems,
    takes,
)

router = APIRouter(tags=["costs"], responses=problems())


@router.post(
    "/versions/{version_id}/costs",
    status_code=201,
    response_model=RecordedCost,
    responses={201: {"headers": REPLAYED}},
    openapi_extra=takes(IDEMPOTENCY_KEY),
)
async def record_cost(
    version_id: VersionId, versions: Versions, new: New, body: NewCost
) -> Response:
    """Record a cost entry of a version, and say which percentages of its budget it reached."""
    with telling_reuse(new):
        entry = await versions.record_cost(
            version_id,
            body.amount,
            note=body.note,
            key=body.key,
            alert_at=body.alert_at,
            entry_id=new.id,
        )
    return reply(entry, 201, headers=replayed(entry.replayed))


@router.get("/versions/{version_id}/costs", response_model=list[CostEntry])
async def list_costs(version_id: VersionId, versions: Versions) -> Response:
    """Read all cost entries of a version, the oldest first."""
    entries = [entry.model_dump(mode="json") async for entry in versions.iterate_costs(version_id)]
    return reply(entries)
