"""Metrics: what callers record, as plain JSON, and which of it cannot be stored.

JSON cannot hold NaN and infinity, and training meets both. They are left out and named, so that the
other metrics of the same call are stored. Everything else is the codec's to write or to refuse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, Final, cast

from pydantic import BaseModel

from training_versions.errors import InvalidInputError
from training_versions.models import JsonValue
from training_versions.operations.checks import MAX_NAME
from training_versions.snapshots import MAX_DEPTH, MISSING, Codec, refusing_foreign_errors

# A round number just below the largest double, about 1.798e308. The database checks the same one.
MAX_POINT: Final = 1.7e308
"""The largest value on a curve, which is kept in double precision."""
_METRICS: Final[Codec[object]] = Codec("metrics", "metrics")


@dataclass(frozen=True)
class CheckedMetrics:
    """Metrics as they are sent."""

    values: dict[str, JsonValue]
    missing: tuple[str, ...]
    """The names of those that are left out, or not sent as a whole."""


@dataclass(frozen=True)
class _FiniteMetrics:
    """Metrics without what is NaN or infinite, for the codec to write."""

    content: object
    missing: tuple[str, ...] = ()


def check_metrics(metrics: object, *, have_step: bool) -> CheckedMetrics:
    """Return metrics by name as plain JSON; with a step, each number fits on a curve."""
    with refusing_foreign_errors("metrics"):
        finite = _leave_out_nonfinite(metrics)
        values = cast("dict[str, JsonValue]", _METRICS.write(finite.content))
    if not values:
        raise InvalidInputError("metrics is empty: name at least one.", field="metrics")
    for name, value in values.items():
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
    return CheckedMetrics(values, finite.missing)


def _leave_out_nonfinite(metrics: object) -> _FiniteMetrics:
    """Leave out what is NaN or infinite, and name the metrics that it was in.

    Inside a metric, a member of an object is left out alone. An array is left out as a whole:
    without one of its entries, the others would mean something else.
    """
    named = _members_of(metrics)
    if not isinstance(named, Mapping):
        return _FiniteMetrics(metrics)
    numbers = {
        name: _to_python_number(name, value)
        for name, value in cast("Mapping[object, object]", named).items()
    }
    left = {name: _finite_part(value, MAX_DEPTH) for name, value in numbers.items()}
    missing = tuple(str(name) for name, value in numbers.items() if left[name] is not value)
    finite = {name: value for name, value in left.items() if value is not MISSING}
    if not missing and named is not metrics:
        return _FiniteMetrics(metrics)  # the codec knows best how to write an object
    if not finite:
        return _FiniteMetrics(numbers)  # the codec says what is wrong with the first
    return _FiniteMetrics(finite, missing)


def _members_of(metrics: object) -> object:
    """Return what an object holds, with its NaN as it is; the codec would refuse it.

    What is no such object, or fails, is left to the codec.
    """
    members: object = metrics
    try:
        if isinstance(metrics, BaseModel):
            # A model that writes NaN as text is left to the codec, too.
            if metrics.model_config.get("ser_json_inf_nan") != "strings":
                members = metrics.model_dump(by_alias=True)
        elif not isinstance(metrics, Mapping | type):
            to_dict: object = getattr(metrics, "to_dict", None)
            if callable(to_dict):
                members = to_dict()
            elif is_dataclass(metrics):
                members = {each.name: getattr(metrics, each.name) for each in fields(metrics)}
    except Exception:  # serializers are the user's
        return cast("object", metrics)
    return members


def _finite_part(value: object, levels: int) -> object:
    """Return the same value if all its numbers are finite, else what is left of it, or `MISSING`.

    What lies deeper than JSON may is left to the codec, which refuses it.
    """
    if levels == 0:
        return value
    if isinstance(value, Real | Decimal):
        return value if _is_finite(value) else MISSING
    if isinstance(value, list | tuple):
        entries = cast("Sequence[object]", value)
        is_whole = all(_finite_part(entry, levels - 1) is entry for entry in entries)
        return entries if is_whole else MISSING
    if isinstance(value, Mapping):
        return _finite_members(cast("Mapping[object, object]", value), levels)
    members = _members_of(value)
    if isinstance(members, Mapping):
        left = _finite_part(cast("object", members), levels - 1)
        # The codec knows best how to write an object that can be written.
        return value if left is members else left
    return value


def _finite_members(members: Mapping[object, object], levels: int) -> object:
    """Return the same members if they are finite, else those that are left, or `MISSING`."""
    left = {key: _finite_part(member, levels - 1) for key, member in members.items()}
    if all(left[key] is member for key, member in members.items()):
        return members
    kept = {key: member for key, member in left.items() if member is not MISSING}
    return kept if kept else MISSING


def _is_finite(number: Real | Decimal) -> bool:
    if isinstance(number, Decimal):
        return number.is_finite()
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer that is larger than any float
        return True


def _to_python_number(name: object, value: object) -> object:
    """Return a number of NumPy or PyTorch as the plain Python number that its `item()` gives.

    Unlike in a snapshot, an array with a single entry counts as one: losses often come as such.
    """
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
