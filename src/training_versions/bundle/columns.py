"""Columns: which ones a bundle carries, and what each of them must be.

One list serves both ways: its names are what an export writes, its types are what an import checks.
So whatever the database would refuse is known before anything is sent. The editable columns of a
version come from `DraftFields`; a new one needs no line here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, create_model, model_validator

from training_versions.models import (
    CostRule,
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

Row: TypeAlias = dict[str, Any]
"""The columns of one row, as parsed JSON."""

# Text is not blank if it has a character that is not white space.
NOT_BLANK: Final = r"\S"

BundledCost: TypeAlias = Annotated[Decimal, Field(ge=0, le=MAX_COST, decimal_places=2)]


class BundledPackage(BaseModel):
    """The columns of a package."""

    id: UUID
    name: str
    template_type: str
    config_json: JsonObject


class BundledVersion(BaseModel):
    """The columns of a version; `EDITABLE` adds those that can be edited."""

    id: UUID
    version_number: Annotated[int, Field(ge=1, le=1_000_000_000)]
    name: Annotated[str, Field(max_length=MAX_NAME, pattern=NOT_BLANK)]
    status: VersionStatus
    created_at: AwareDatetime
    published_at: AwareDatetime | None
    # What is in them may be any JSON, which the parser has checked already.
    config_snapshot: dict[str, Any]
    model_snapshot: dict[str, Any]
    dataset_snapshot: list[dict[str, Any]]
    # Editable, and named here because the index of a bundle follows it.
    parent_version_id: UUID | None = None
    training_status: TrainingStatus | None
    training_started_at: AwareDatetime | None
    training_completed_at: AwareDatetime | None
    # Any JSON will do for these two, and nothing as well: what they hold is not checked.
    training_metrics: JsonValue = None
    actual_cost: BundledCost | None
    cost_alerts_sent: JsonValue = None

    @model_validator(mode="after")
    def _check_published_at(self) -> BundledVersion:
        if self.status == VersionStatus.PUBLISHED and self.published_at is None:
            raise ValueError("published_at is missing")
        return self


class BundledEvent(BaseModel):
    """The columns of an event in the history of a version."""

    id: int
    version_id: UUID
    version_number: int
    kind: str
    actor_id: UUID | None
    occurred_at: AwareDatetime
    last_at: AwareDatetime | None
    details: JsonObject
    source: Annotated[str, Field(min_length=1)]


def type_for(rule: Rule) -> Any:
    """Return the type for a column whose values obey a rule."""
    match rule:
        case UuidRule():
            return UUID
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
