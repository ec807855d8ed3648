"""The document that stands for a version when it is compared, and that a patch applies to.

What identifies a version is left out of it: ids, number, parent, who and when.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast

from training_versions.diff.changes import Value
from training_versions.errors import InvalidInputError
from training_versions.models import DraftFields, JsonObject, JsonValue, Version
from training_versions.snapshots import stored_form

AnyVersion: TypeAlias = "Version[Any, Any, Any]"

_IN_ORDER: Final = (
    "name",
    "status",
    "change_summary",
    "config_snapshot",
    "model_snapshot",
    "dataset_snapshot",
    "training_status",
    "training_metrics",
    "estimated_cost",
    "actual_cost",
    "budget_limit",
    "is_deployed",
    "deployment_target",
    "deployment_url",
    "deployment_id",
)
# All editable fields are compared, but for the parent. Those without a place above come last.
COMPARED: Final = _IN_ORDER + tuple(
    field
    for field in DraftFields.__annotations__
    if field not in _IN_ORDER and field != "parent_version_id"
)
"""The columns that are compared, in the order in which changes are listed."""


def document(version: AnyVersion) -> JsonObject:
    """Return what is compared of a version as plain JSON: what a patch applies to.

    Costs are numbers.

    Raises:
        InvalidInputError: It is not a version with its snapshots.

    Example:
        >>> document(version)["config_snapshot"]
        {'lora': {'r': 16}}
    """
    return cast("JsonObject", json_copy(compared_values(version, "version")))


def compared_values(version: object, argument: str) -> dict[str, Value]:
    """Return by column what is compared: snapshots as they would be stored, costs as they are.

    Raises:
        InvalidInputError: It is not a version with its snapshots; the message has the argument.
    """
    # A `VersionSummary` is not a `Version`, and has no snapshots to compare.
    if not isinstance(version, Version):
        problem = f"{argument} must be a Version with its snapshots, not {version!r:.80}."
        raise InvalidInputError(problem, field=argument)
    values: dict[str, Value] = {}
    for column in COMPARED:
        value: object = getattr(cast("AnyVersion", version), column)
        # Costs stay decimals, so that their difference is exact.
        if not isinstance(value, Decimal):
            value = json_copy(value, stored_form)
        values[column] = value
    return values


def json_copy(value: object, default: Callable[[Any], object] = float) -> JsonValue:
    """Copy a value as JSON, with a function for what is not JSON; costs become numbers.

    Through text, as the standard library does both ways in C.
    """
    return json.loads(json.dumps(value, default=default))
