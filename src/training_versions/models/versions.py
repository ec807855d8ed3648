"""Versions: rows of `training_package_versions`, and the arguments that select them."""

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Generic, Literal, TypedDict
from uuid import UUID

from pydantic import AwareDatetime, Field

from training_versions.models.base import (
    MAX_SUMMARY,
    Amount,
    C,
    Cost,
    CostRule,
    D,
    Id,
    JsonLike,
    JsonValue,
    M,
    Record,
    Replayable,
    TextRule,
    Unset,
    UuidRule,
)
from training_versions.models.deployments import DeploymentTarget
from training_versions.models.training import TrainingStatus


class VersionStatus(enum.StrEnum):
    """The status of a version; it goes from draft to published to archived, never back."""

    __module__ = "training_versions"

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class DraftFields(TypedDict, total=False):
    """The editable fields of a draft, besides its snapshots and its name.

    `None` empties a field; one that is left out or `UNSET` stays as it is.
    """

    change_summary: Annotated[str | Unset | None, TextRule(MAX_SUMMARY, may_be_blank=True)]
    """What is new, at most 10,000 characters."""
    parent_version_id: Annotated[Id | Unset | None, UuidRule()]
    """The version that it comes from; one of the same user."""
    estimated_cost: Annotated[Amount | Unset | None, CostRule()]
    """What training should cost: 0 to 99,999,999.99, at most two decimals."""
    budget_limit: Annotated[Amount | Unset | None, CostRule()]
    """What training may cost: 0 to 99,999,999.99, at most two decimals."""


class VersionSummary(Replayable, Record):
    """A version without its snapshots; lists return these."""

    __module__ = "training_versions"

    id: UUID
    package_id: UUID
    version_number: int
    name: str
    status: VersionStatus
    created_at: AwareDatetime
    created_by: UUID | None
    published_at: AwareDatetime | None
    published_by: UUID | None
    updated_at: AwareDatetime
    change_summary: str | None
    parent_version_id: UUID | None
    is_deployed: bool
    deployment_target: DeploymentTarget | None
    deployment_url: str | None
    deployment_id: str | None
    training_status: TrainingStatus | None
    training_started_at: AwareDatetime | None
    training_completed_at: AwareDatetime | None
    training_metrics: JsonValue
    estimated_cost: Cost | None
    actual_cost: Cost | None
    budget_limit: Cost | None
    cost_alerts_sent: JsonValue

    # Type checkers do not see it, or every name would be an attribute to them.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name in ("config_snapshot", "model_snapshot", "dataset_snapshot"):
                raise AttributeError(
                    f"a VersionSummary has no {name}: read the whole version with "
                    "versions.get(summary.id), or list with snapshots=True",
                    name=name,
                    obj=self,
                )
            if name in ("config", "model", "dataset"):
                raise AttributeError(
                    f"a version has no {name}: its fields are named like their columns, "
                    f"{name}_snapshot",
                    name=name,
                    obj=self,
                )
            return super().__getattr__(name)

    def __repr__(self) -> str:
        # Without the types that a user may have given the class: `Version[LoraConfig, ...]`.
        kind = type(self).__name__.partition("[")[0]
        status: str = self.status
        if self.status == VersionStatus.PUBLISHED and self.published_at is not None:
            status = f"published {self.published_at.date()}"
        return f"<{kind} {self.version_number} {self.name!r}, {status}>"


class RecordedMetrics(VersionSummary):
    """A version after metrics were recorded, and which of them could not be."""

    __module__ = "training_versions"

    missing_metrics: tuple[str, ...] = ()
    """The metrics that are not stored, or not as a whole: they hold NaN or infinity, which JSON
    cannot hold."""


class Version(VersionSummary, Generic[C, M, D]):
    """A version with its snapshots, typed by the repository that read it."""

    __module__ = "training_versions"

    config_snapshot: Annotated[C, Field(repr=False)]
    model_snapshot: Annotated[M, Field(repr=False)]
    dataset_snapshot: Annotated[D, Field(repr=False)]


class VersionFilters(TypedDict, total=False):
    """Which versions `list`, `iterate` and `count` cover.

    A filter left out or `None` does not apply.
    """

    status: str | Sequence[str] | None
    """One status, or several of which one must hold."""
    training_status: str | Sequence[str] | None
    deployed: bool | None
    parent_version_id: Id | None
    ids: Sequence[Id] | None
    """Those with one of these identifiers, at most 200; none of them finds nothing."""
    number_below: int | None
    """Versions with a lower number; with `limit=1`, the one before."""
    number_above: int | None
    """Versions with a higher number."""
    created_after: datetime | None
    """Created at this moment or later."""
    created_before: datetime | None
    """Created before this moment."""
    text: str | None
    """Literal text in the name or change summary, ignoring case; 500 characters at most."""
    config_contains: JsonLike | None
    """The config has at least these keys with these values; 1 finds 1.0, too."""
    model_contains: JsonLike | None
    dataset_contains: JsonLike | Sequence[JsonLike] | None
    """The data set has an entry that contains this, or one for each of these."""


class ListOptions(VersionFilters, total=False):
    """How `list` returns versions: the filters, and these."""

    order: Literal["newest", "oldest"]
    """Which come first; `"newest"` if left out."""
    limit: int
    """The most to return, 50 if left out; a server may cap it, and the page is shorter then."""
    cursor: str | None
    """The `next_cursor` of the page before."""


class IterateOptions(VersionFilters, total=False):
    """How `iterate` walks over versions: the filters, and these."""

    order: Literal["newest", "oldest"]
    """Which come first; `"newest"` if left out."""
    page_size: int
    """How many to ask for at once, 200 if left out."""


# The body of a TypedDict cannot say this.
for _options in (DraftFields, VersionFilters, ListOptions, IterateOptions):
    _options.__module__ = "training_versions"
