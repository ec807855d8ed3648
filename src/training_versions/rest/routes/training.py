"""Training: start and end runs, record metrics, and read their curves."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from training_versions import MetricPoint, Page, RecordedMetrics, TrainingRun
from training_versions.rest.caller import Versions
from training_versions.rest.etags import tag_of_version
from training_versions.rest.existence import check_version
from training_versions.rest.idempotency import New, explain_reused_key, replayed
from training_versions.rest.inputs import (
    Cancelled,
    Completed,
    Failed,
    Metrics,
    TrainingEnd,
    VersionId,
)
from training_versions.rest.links import Paging
from training_versions.rest.replies import reply, reply_page, reply_tagged
from training_versions.rest.responses import (
    ETAG,
    IDEMPOTENCY_KEY,
    PAGE,
    REPLAYED,
    link,
    problems,
    takes,
)

router = APIRouter(tags=["training"], responses=problems())

RunId = Annotated[UUID | None, Query(description="The run; the latest if left out.")]
_RUN = {"version_id": "$response.body#/version_id"}
_LINKS = {
    "Record": link("record_metrics", _RUN, "Record its metrics."),
    "End": link("end_training", _RUN, "End it."),
    "Curve": link("get_curve", _RUN, "The curve of a metric."),
    "Names": link("list_metric_names", _RUN, "The metrics that have a curve."),
}


@router.get(
    "/versions/{version_id}/training/runs",
    response_model=Page[TrainingRun],
    responses=PAGE,
)
async def list_training_runs(
    request: Request,
    version_id: VersionId,
    versions: Versions,
    paging: Paging,
) -> Response:
    """Read one page of the training runs of a version; empty if it was never trained."""
    page = await versions.runs(version_id, **paging)
    await check_version(page, versions, version_id)
    return reply_page(request, page)


@router.post(
    "/versions/{version_id}/training/runs",
    status_code=201,
    response_model=TrainingRun,
    responses={201: {"headers": REPLAYED, "links": _LINKS}},
    openapi_extra=takes(IDEMPOTENCY_KEY),
)
async def start_training(version_id: VersionId, versions: Versions, new: New) -> Response:
    """Start a training run of a draft or published version.

    Of several workers that start at once, exactly one succeeds.
    """
    with explain_reused_key(new):
        run = await versions.start_training(version_id, run_id=new.id)
    return reply(run, 201, headers=replayed(run.replayed))


@router.post(
    "/versions/{version_id}/training/metrics",
    response_model=RecordedMetrics,
    responses={200: {"headers": ETAG}},
)
async def record_metrics(version_id: VersionId, versions: Versions, body: Metrics) -> Response:
    """Merge metrics into those of a version; a metric that it has gets the new value.

    It may be sent again: a step that is recorded again replaces its value.
    """
    version = await versions.record_metrics(
        version_id, body.metrics, step=body.step, run_id=body.run_id
    )
    return reply_tagged(version, tag_of_version(version))


@router.post("/versions/{version_id}/training/end", response_model=TrainingRun)
async def end_training(version_id: VersionId, versions: Versions, body: TrainingEnd) -> Response:
    """End the running training run. With `run_id` it may be sent again."""
    match body:
        case Completed():
            run = await versions.complete_training(version_id, run_id=body.run_id)
        case Failed():
            run = await versions.fail_training(version_id, body.reason, run_id=body.run_id)
        case Cancelled():
            run = await versions.cancel_training(version_id, reason=body.reason, run_id=body.run_id)
    return reply(run)


@router.get("/versions/{version_id}/training/metrics", response_model=list[str])
async def list_metric_names(
    version_id: VersionId, versions: Versions, run_id: RunId = None
) -> Response:
    """Read the names of the metrics that have a curve."""
    return reply(await versions.metric_names(version_id, run_id=run_id))


@router.get("/versions/{version_id}/training/curve", response_model=list[MetricPoint])
async def get_curve(
    version_id: VersionId,
    versions: Versions,
    name: Annotated[str, Query(min_length=1, max_length=255, description="The metric.")],
    run_id: RunId = None,
) -> Response:
    """Read the curve of a metric, in the order of steps, however long it is."""
    return reply(await versions.metric_history(version_id, name, run_id=run_id))
