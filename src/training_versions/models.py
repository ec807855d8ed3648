"""Records: what the repositories return, and the words their arguments use.

Fields carry the column names of `training_configs` (a package) and `training_package_versions` (a version).
Nothing here knows how a record is fetched or changed.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import Field
from datetime import datetime
from decimal import Context, Decimal
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    Protocol,
    TypeAlias,
    TypedDict,
    TypeVar,
)
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

if TYPE_CHECKING:
    from pydantic import JsonValue
    from typing_extensions import TypeVar as TypeVarWithDefault

    JsonObject: TypeAlias = dict[str, JsonValue]
    C = TypeVarWithDefault("C", default=JsonObject)
    M = TypeVarWithDefault("M", default=JsonObject)
    D = TypeVarWithDefault("D", default=list[JsonObject])
else:  # a row is parsed JSON already: to check every leaf again would cost seconds on a large snapshot
    JsonValue = Any
    JsonObject = dict[str, Any]
    C, M, D = TypeVar("C"), TypeVar("M"), TypeVar("D")

T = TypeVar("T")


class DataclassLike(Protocol):
    """An instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class HasToDict(Protocol):
    """An object with `to_dict()`, as the configs of PEFT, Transformers and Datasets are."""

    def to_dict(self) -> Mapping[str, object]:
        """Give its content."""
        ...


JsonLike: TypeAlias = Mapping[str, object] | BaseModel | DataclassLike | HasToDict
"""What becomes a JSON object: a mapping, a Pydantic model, a dataclass, or an object with `to_dict()`."""
Id: TypeAlias = UUID | str
"""A `UUID`, or its text."""
Cents: TypeAlias = Decimal | int | str | float
"""An amount of money with at most two decimals."""


class VersionStatus(enum.StrEnum):
    """Where a version is in its life: it goes from draft to published to archived, never back."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class TrainingStatus(enum.StrEnum):
    """How the training run of a version is doing."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeploymentTarget(enum.StrEnum):
    """Where a version is deployed."""

    LOCAL = "local"
    HF_SPACE = "hf_space"


Target: TypeAlias = DeploymentTarget | Literal["local", "hf_space"]
"""A `DeploymentTarget`, or its text."""


class Unset(enum.Enum):
    """The type of `UNSET`, which tells "leave it as it is" from `None`, "make it empty"."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


def _cents(value: object) -> object:
    # PostgREST writes numerics as JSON numbers, which arrive as floats; their repr is what the database wrote.
    return to_cents(Decimal(repr(value))) if isinstance(value, int | float) else value


def to_cents(value: Decimal) -> Decimal:
    """Round to two decimals, whatever context the caller's program has set for its own arithmetic."""
    return value.quantize(Decimal("0.01"), context=Context(prec=28))


def _or_empty(value: object) -> object:
    return {} if value is None else value  # tables that are older than this project may allow null


Cost = Annotated[Decimal, BeforeValidator(_cents)]


class Record(BaseModel):
    """What all records share: they are frozen, and columns that this release does not know are ignored."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", protected_namespaces=(), defer_build=True
    )


class Package(Record):
    """A training package: what versions are versions of."""

    id: UUID
    name: str
    template_type: str
    config_json: Annotated[JsonObject, BeforeValidator(_or_empty)]
    user_id: UUID
    current_version_id: UUID | None
    version_count: int
    latest_published_version: int
    created_at: AwareDatetime | None = (
        None  # tables that are older than this project may not have it
    )


class VersionSummary(Record):
    """A version without its snapshots: what lists are made of."""

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


class Version(VersionSummary, Generic[C, M, D]):
    """A version with its snapshots, typed as the repository that read it was told."""

    config_snapshot: C
    model_snapshot: M
    dataset_snapshot: D


class Page(Record, Generic[T]):
    """One page of a list, in `items`. There is more exactly when `next_cursor` is not `None`, however short it is."""

    items: list[T]
    next_cursor: str | None


class PackageFilters(TypedDict, total=False):
    """Which packages `list` and `iterate` return; what is left out or `None` does not filter."""

    template_type: str | None
    text: str | None
    """Literal text in the name, in any case."""


class VersionFilters(TypedDict, total=False):
    """Which versions `list`, `iterate` and `count` speak of; what is left out or `None` does not filter."""

    status: str | Sequence[str] | None
    """One status, or several of which one must hold."""
    training_status: str | Sequence[str] | None
    deployed: bool | None
    parent_version_id: Id | None
    created_after: datetime | None
    """Created at this moment or later."""
    created_before: datetime | None
    """Created before this moment."""
    text: str | None
    """Literal text in the name or the change summary, in any case; 500 characters at most."""
    config_contains: JsonLike | None
    """The config has at least these keys with these values."""
    model_contains: JsonLike | None
    dataset_contains: JsonLike | Sequence[JsonLike] | None
    """The data set has an entry that contains this, or one for each of these."""


class ListOptions(VersionFilters, total=False):
    """How `list` returns versions: the filters, and these."""

    order: Literal["newest", "oldest"]
    """Which come first; `"newest"` if left out."""
    limit: int
    """How many to return at most, 50 if left out; a server may cap it, and the page is shorter then."""
    cursor: str | None
    """The `next_cursor` of the page before."""


class IterateOptions(VersionFilters, total=False):
    """How `iterate` walks over versions: the filters, and these."""

    order: Literal["newest", "oldest"]
    """Which come first; `"newest"` if left out."""
    page_size: int
    """How many to ask for at once, 200 if left out."""
