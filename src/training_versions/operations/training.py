"""Training: start and end runs, record metrics, and read their curves.

Which run may start or end is decided in the database, as is what counts as a point of a curve.
"""

from __future__ import annotations

import math
import operator
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, Final, cast

from pydantic import BaseModel

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
from training_versions.snapshots import (
    MAX_DEPTH,
    MISSING,
    Codec,
    refuses_foreign_errors,
    refusing_foreign_errors,
)

RUNS: Final = "training_runs"
# A round number just below the largest double, about 1.798e308. The database checks the same one.
MAX_POINT: Final = 1.7e308
"""The largest value on a curve, which is kept in double precision."""
_METRICS: Final[Codec[object]] = Codec("metrics", "metrics")


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
    with refusing_foreign_errors("metrics"):
        finite, missing = _split_metrics(metrics)
    # No idempotency key: the same values, recorded at the same step once more, change nothing.
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_run_id": optional(check_uuid, run_id, "run_id"),
        "p_metrics": _check_metrics(finite, "metrics", have_step=step is not None),
        "p_step": optional(_check_step, step, "step"),
    }
    rpc = Rpc("versions.record_metrics", "record_version_metrics", params)

    def read(row: object) -> RecordedMetrics:
        return RecordedMetrics.model_validate({**expect_object(row), "missing_metrics": missing})

    return call(rpc, read)


def runs(
    version_id: Id, *, order: str, limit: int, cursor: str | None
) -> Operation[Page[TrainingRun]]:
    """Read one page of the runs of a version."""
    select = Select(
        "versions.runs",
        RUNS,
        columns=tuple(TrainingRun.model_fields),
        where=(of_version(version_id),),
        order_by=("started_at", "id"),
        descending=is_newest_first(order, "order"),
        limit=check_positive(limit, "limit"),
    )
    return Listing(select, TrainingRun.model_validate).page(cursor)


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


def _split_metrics(metrics: object) -> tuple[object, tuple[str, ...]]:
    """Leave out what is NaN or infinite, and name the metrics that it was in.

    Inside a metric, a member of an object is left out alone. An array is left out as a whole:
    without one of its entries, the others would mean something else.
    """
    named = _content_of(metrics)
    if not isinstance(named, Mapping):
        return metrics, ()
    numbers = {
        name: _to_python_number(name, value)
        for name, value in cast("Mapping[object, object]", named).items()
    }
    left = {name: _without_nonfinite(value, MAX_DEPTH) for name, value in numbers.items()}
    missing = tuple(str(name) for name, value in numbers.items() if left[name] is not value)
    finite = {name: value for name, value in left.items() if value is not MISSING}
    if not missing and named is not metrics:
        return metrics, ()  # the codec knows best how to write an object
    if not finite:
        return numbers, ()  # the codec says what is wrong with the first
    return finite, missing


def _content_of(metrics: object) -> object:
    """Return what an object holds, with its NaN as it is; the codec would refuse it.

    What is no such object, or fails, is left to the codec.
    """
    content: object = metrics
    try:
        if isinstance(metrics, BaseModel):
            # A model that writes NaN as text is left to the codec, too.
            if metrics.model_config.get("ser_json_inf_nan") != "strings":
                content = metrics.model_dump(by_alias=True)
        elif not isinstance(metrics, Mapping | type):
            to_dict: object = getattr(metrics, "to_dict", None)
            if callable(to_dict):
                content = to_dict()
            elif is_dataclass(metrics):
                content = {each.name: getattr(metrics, each.name) for each in fields(metrics)}
    except Exception:  # serializers are the user's
        return cast("object", metrics)
    return content


def _without_nonfinite(value: object, levels: int) -> object:
    """Return the same value if all its numbers are finite, else what is left of it, or `MISSING`.

    What lies deeper than JSON may is left to the codec, which refuses it.
    """
    if levels == 0:
        return value
    if isinstance(value, Real | Decimal):
        return value if _is_finite(value) else MISSING
    if isinstance(value, list | tuple):
        entries = cast("Sequence[object]", value)
        whole = all(_without_nonfinite(entry, levels - 1) is entry for entry in entries)
        return entries if whole else MISSING
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        kept = {key: _without_nonfinite(member, levels - 1) for key, member in members.items()}
        if all(kept[key] is member for key, member in members.items()):
            return members
        return {key: member for key, member in kept.items() if member is not MISSING} or MISSING
    content = _content_of(value)
    if isinstance(content, Mapping):
        left = _without_nonfinite(cast("object", content), levels - 1)
        # The codec knows best how to write an object that can be written.
        return value if left is content else left
    return value


def _is_finite(number: Real | Decimal) -> bool:
    if isinstance(number, Decimal):
        return number.is_finite()
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer that is larger than any float
        return True


@refuses_foreign_errors
def _check_metrics(metrics: object, argument: str, *, have_step: bool) -> object:
    """Return metrics by name as plain JSON."""
    plain = cast("dict[str, object]", _METRICS.write(metrics))
    if not plain:
        raise InvalidInputError("metrics is empty: name at least one.", field="metrics")
    for name, value in plain.items():
        if not name.strip() or len(name) > MAX_NAME:
            raise InvalidInputError(
                "The name of a metric must have 1 to 255 characters that are not all blank, "
                f"not {name!r:.80}.",
                field="metrics",
            )
        # Floats cannot be larger; integers can, and are kept whole beside the curve.
        if have_step and isinstance(value, int) and abs(value) > MAX_POINT:
            raise InvalidInputError(
                f"metrics.{name:.80} is larger than a curve can hold.", field="metrics"
            )
    return plain


def _to_python_number(name: object, value: object) -> object:
    """Return a number of NumPy or PyTorch as the plain Python number that its `item()` gives."""
    item: Any = getattr(value, "item", None)
    if not callable(item):
        return value
    try:
        return cast("Callable[[], object]", item)()
    except (ValueError, TypeError, RuntimeError) as exc:
        # What NumPy and PyTorch raise for more than one number.
        raise InvalidInputError(
            f"metrics.{name!s:.80} is not one number: {exc!s:.200}.", field="metrics"
        ) from exc


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
