"""Columns: which ones a bundle carries, and what each of them must be.

One list serves both ways: its names are what an export writes, its types are what an import checks.
So whatever the database would refuse is known before anything is sent. The editable columns of a
version come from `DraftFields`; a new one needs no line here.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias, cast
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    create_model,
    model_validator,
)

from training_versions.models import (
    CostRule,
    EventKind,
    JsonObject,
    JsonValue,
    Rule,
    TextRule,
    TrainingStatus,
    UuidRule,
    VersionStatus,
)
from training_versions.operations.checks import MAX_COST, MAX_NAME
from training_versions.operations.drafts import FIELD_RULES
from training_versions.snapshots import check_storable
from training_versions.snapshots.json_values import dotted

Row: TypeAlias = dict[str, Any]
"""The columns of one row, as parsed JSON."""

# Text is not blank if it has a character that is not white space.
NOT_BLANK: Final = r"\S"

# Leaves room for the numbers of the next drafts.
MAX_NUMBER: Final = 1_000_000_000
_MOMENT_TEXT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


def _check_uuid_text(value: object) -> object:
    # The usual spelling has 36 characters. Pydantic reads others, too, of which PostgreSQL refuses
    # some.
    if not isinstance(value, str) or len(value) != 36:
        raise ValueError("this is not the text of a UUID")
    return value


def _check_moment_text(value: object) -> object:
    # To Pydantic a number is a moment, too, also as text.
    if not isinstance(value, str) or not _MOMENT_TEXT.match(value):
        raise ValueError("this is not a moment in ISO 8601")
    return value


def _check_moment(value: datetime) -> datetime:
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the moment lies outside of the years 1 to 9999 in UTC") from None
    # A day is allowed for clocks and time zones that differ.
    if moment > datetime.now(UTC) + timedelta(days=1):
        raise ValueError("the moment lies in the future")
    return value


BundledCost: TypeAlias = Annotated[Decimal, Field(ge=0, le=MAX_COST, decimal_places=2)]
BundledId: TypeAlias = Annotated[UUID, BeforeValidator(_check_uuid_text)]
BundledMoment: TypeAlias = Annotated[
    AwareDatetime, BeforeValidator(_check_moment_text), AfterValidator(_check_moment)
]
# Strict: to Pydantic true and 1.0 are integers, too.
BundledInteger: TypeAlias = Annotated[int, Field(strict=True)]


class BundledPackage(BaseModel):
    """The columns of a package."""

    id: BundledId
    name: str
    template_type: str
    config_json: JsonObject


class BundledVersion(BaseModel):
    """The columns of a version; `EDITABLE` adds those that can be edited."""

    id: BundledId
    version_number: Annotated[BundledInteger, Field(ge=1, le=MAX_NUMBER)]
    name: Annotated[str, Field(max_length=MAX_NAME, pattern=NOT_BLANK)]
    status: VersionStatus
    created_at: BundledMoment
    published_at: BundledMoment | None
    # What is in them may be any JSON, which the parser has checked already.
    config_snapshot: dict[str, Any]
    model_snapshot: dict[str, Any]
    dataset_snapshot: list[dict[str, Any]]
    # Editable, and named here because the index of a bundle follows it.
    parent_version_id: BundledId | None = None
    training_status: TrainingStatus | None
    training_started_at: BundledMoment | None
    training_completed_at: BundledMoment | None
    # Any JSON will do for these two, and nothing as well: what they hold is not checked.
    training_metrics: JsonValue = None
    actual_cost: BundledCost | None
    cost_alerts_sent: JsonValue = None

    @model_validator(mode="after")
    def _check_published_at(self) -> BundledVersion:
        if self.status == VersionStatus.PUBLISHED and self.published_at is None:
            raise ValueError("published_at is missing")
        return self

    @model_validator(mode="after")
    def _check_training_times(self) -> BundledVersion:
        started, ended = self.training_started_at, self.training_completed_at
        if started is not None and ended is not None and ended < started:
            raise ValueError("training_completed_at lies before training_started_at")
        return self


class BundledEvent(BaseModel):
    """The columns of an event in the history of a version."""

    id: BundledInteger
    version_id: BundledId
    # Deleted drafts of the first release may have had numbers below 1.
    version_number: Annotated[BundledInteger, Field(ge=-(2**31), le=MAX_NUMBER)]
    kind: EventKind
    actor_id: BundledId | None
    occurred_at: BundledMoment
    last_at: BundledMoment | None
    details: JsonObject
    source: Annotated[str, Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _check_last_at(self) -> BundledEvent:
        if self.last_at is not None and self.last_at < self.occurred_at:
            raise ValueError("last_at lies before occurred_at")
        return self


def type_for(rule: Rule) -> Any:
    """Return the type for a column whose values obey a rule."""
    match rule:
        case UuidRule():
            return BundledId
        case CostRule():
            return BundledCost
        case TextRule(may_be_blank=True):
            limits = Field(max_length=rule.max_length)
            return Annotated[str, limits]
        case TextRule():
            limits = Field(max_length=rule.max_length, pattern=NOT_BLANK)
            return Annotated[str, limits]


# By column, as `create_model` takes them: the type and the default. A bundle that is older than a
# column lacks it, and then the column is empty.
EDITABLE: Final[dict[str, Any]] = {
    column: (type_for(rule) | None, None) for column, rule in FIELD_RULES.items()
}
CHECKED_VERSION: Final = create_model(
    "CheckedVersion",
    __base__=BundledVersion,
    **EDITABLE,
)
"""All columns of a version."""

SNAPSHOTS: Final = ("config_snapshot", "model_snapshot", "dataset_snapshot")
BUNDLED_VERSION_COLUMNS: Final = tuple(CHECKED_VERSION.model_fields)
BUNDLED_EVENT_COLUMNS: Final = tuple(BundledEvent.model_fields)


def check_content(record: Row) -> None:
    """Refuse what `jsonb` cannot hold, anywhere in a record.

    Raises:
        ValueError: There is such a text or number; the message has the path to it.
    """
    found: list[tuple[object, tuple[str | int, ...]]] = [(record, ())]
    while found:
        value, path = found.pop()
        match value:
            case dict():
                for key, inner in cast("Row", value).items():
                    check_storable(key, at=f"a key of {_place(path)}", field="file")
                    found.append((inner, (*path, key)))
            case list():
                entries = cast("list[object]", value)
                found += ((inner, (*path, index)) for index, inner in enumerate(entries))
            case str():
                check_storable(value, at=_place(path), field="file")
            case float() if not math.isfinite(value):
                raise ValueError(f"{_place(path)} has a number that is too large")
            case _:
                pass


def _place(path: tuple[str | int, ...]) -> str:
    if not path:
        return "the line"
    return dotted(str(path[0]), path[1:])
