"""Training: start and end runs, record metrics, and read their curves.

Which run may start or end is decided in the database, as is what counts as a point of a curve. What
metrics may be is in `metrics.py`.
"""

from __future__ import annotations

import operator
import uuid
from typing import Final, cast

from training_versions.errors import InvalidInputError
from training_versions.models import (
    MAX_SUMMARY,
    Id,
    JsonLike,
    MetricPoint,
    Page,
    RecordedMetrics,
    TrainingRun,
)
from training_versions.operations.checks import (
    MAX_NAME,
    check_or_make_uuid,
    check_positive,
    check_text,
    check_uuid,
    is_newest_first,
    optional,
)
from training_versions.operations.filters import of_version
from training_versions.operations.metrics import check_metrics
from training_versions.operations.paging import Listing
from training_versions.operations.requests import (
    RETRY_HINT,
    Operation,
    Rpc,
    Select,
    call,
    expect_array,
    hint_to_repeat_with,
)
from training_versions.operations.rows import expect_object
from training_versions.snapshots import refuses_foreign_errors

RUNS: Final = "training_runs"


def start_training(version_id: Id, *, run_id: Id | None) -> Operation[TrainingRun]:
    """Start a training run."""
    new_id = check_or_make_uuid(run_id, "run_id")
    params = {"p_version_id": check_uuid(version_id, "version_id"), "p_run_id": new_id}
    rpc = Rpc(
        "versions.start_training",
        "start_version_training",
        params,
        retry_hint=hint_to_repeat_with("run_id", new_id),
    )
    return call(rpc, TrainingRun.model_validate)


def complete_training(version_id: Id, *, run_id: Id | None) -> Operation[TrainingRun]:
    """End the running run as completed."""
    return _end_training("complete", version_id, run_id, reason=None)


def fail_training(version_id: Id, reason: str, *, run_id: Id | None) -> Operation[TrainingRun]:
    """End the running run as failed."""
    return _end_training("fail", version_id, run_id, reason=_check_reason(reason))


def cancel_training(
    version_id: Id, *, reason: str | None, run_id: Id | None
) -> Operation[TrainingRun]:
    """End the running run as cancelled."""
    checked = None if reason is None else _check_reason(reason)
    return _end_training("cancel", version_id, run_id, reason=checked)


def _end_training(
    verb: str, version_id: Id, run_id: Id | None, *, reason: str | None
) -> Operation[TrainingRun]:
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_run_id": optional(check_uuid, run_id, "run_id"),
        "p_reason": reason,
        # The idempotency key: a repeat does not end a run that began in between.
        "p_call_id": str(uuid.uuid4()),
    }
    hint = RETRY_HINT
    if run_id is None:
        hint = "Read the version first: made again without run_id, this could end a later run."
    rpc = Rpc(f"versions.{verb}_training", f"{verb}_version_training", params, retry_hint=hint)
    return call(rpc, TrainingRun.model_validate)


def record_metrics(
    version_id: Id, metrics: JsonLike, *, step: int | None, run_id: Id | None
) -> Operation[RecordedMetrics]:
    """Record metrics of a version."""
    checked = check_metrics(metrics, have_step=step is not None)
    # No idempotency key: the same values, recorded at the same step once more, change nothing.
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_run_id": optional(check_uuid, run_id, "run_id"),
        "p_metrics": checked.values,
        "p_step": optional(_check_step, step, "step"),
    }
    rpc = Rpc("versions.record_metrics", "record_version_metrics", params)

    def read(row: object) -> RecordedMetrics:
        columns = expect_object(row)
        return RecordedMetrics.model_validate({**columns, "missing_metrics": checked.missing})

    return call(rpc, read)


def runs(
    version_id: Id, *, order: str, limit: int, cursor: str | None
) -> Operation[Page[TrainingRun]]:
    """Read one page of the runs of a version."""
    listing = _listing("versions.runs", version_id, order, check_positive(limit, "limit"))
    return listing.page(cursor)


def iterate_runs(version_id: Id, *, order: str, page_size: int) -> Listing[TrainingRun]:
    """Return the runs of a version, to walk over."""
    limit = check_positive(page_size, "page_size")
    return _listing("versions.iterate_runs", version_id, order, limit)


def _listing(operation: str, version_id: Id, order: str, limit: int) -> Listing[TrainingRun]:
    select = Select(
        operation,
        RUNS,
        columns=tuple(TrainingRun.model_fields),
        where=(of_version(version_id),),
        order_by=("started_at", "id"),
        descending=is_newest_first(order, "order"),
        limit=limit,
    )
    return Listing(select, TrainingRun.model_validate)


def metric_names(version_id: Id, *, run_id: Id | None) -> Operation[list[str]]:
    """Read the names of the metrics that have a curve."""
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_run_id": optional(check_uuid, run_id, "run_id"),
    }
    rpc = Rpc("versions.metric_names", "get_metric_names", params, is_write=False)
    return call(rpc, lambda reply: [str(name) for name in expect_array(reply)])


def metric_history(version_id: Id, name: str, *, run_id: Id | None) -> Operation[list[MetricPoint]]:
    """Read the curve of a metric."""
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_run_id": optional(check_uuid, run_id, "run_id"),
        "p_name": check_text(name, "name", max_length=MAX_NAME),
    }
    rpc = Rpc("versions.metric_history", "get_metric_history", params, is_write=False)
    return call(rpc, _read_points)


def _read_points(reply: object) -> list[MetricPoint]:
    return [MetricPoint.model_validate(point) for point in expect_array(reply)]


def _check_reason(reason: object) -> str:
    return check_text(reason, "reason", max_length=MAX_SUMMARY)


@refuses_foreign_errors
def _check_step(step: object, argument: str) -> int:
    number = _to_integer(step)
    if number is None or not -(2**63) <= number < 2**63:
        raise InvalidInputError(
            f"{argument} must be an integer of 64 bits, not {step!r:.80}.", field=argument
        )
    return number


def _to_integer(value: object) -> int | None:
    """Return an integer of any kind, such as NumPy's, as Python's; `None` if it is not one."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(cast("int", value))
    except TypeError:
        return None
