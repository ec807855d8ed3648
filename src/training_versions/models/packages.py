"""Training packages: rows of `training_configs`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, TypedDict
from uuid import UUID

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field

from training_versions.models.base import Cost, Id, JsonObject, Record, Replayable
from training_versions.models.deployments import Deployment

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The place in lists of a package whose moment of creation is not known."""


def _empty_if_null(value: object) -> object:
    # The table of packages may be older than this project, and allow null.
    return {} if value is None else value


def _in_utc_if_naive(value: object) -> object:
    # In an older table it may be a `timestamp` or a `date`, which the database reads in UTC, too.
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    if moment.tzinfo is not None:
        return value
    return moment.replace(tzinfo=UTC)


class Package(Replayable, Record):
    """A training package: what versions are versions of."""

    __module__ = "training_versions"

    id: UUID
    name: str
    template_type: str
    config_json: Annotated[JsonObject, BeforeValidator(_empty_if_null), Field(repr=False)]
    user_id: UUID
    current_version_id: UUID | None
    version_count: int
    latest_published_version: int
    created_at: Annotated[AwareDatetime | None, BeforeValidator(_in_utc_if_naive)] = None
    """`None` where the table is older than this project and has no such column."""

    def __repr__(self) -> str:
        noun = "version" if self.version_count == 1 else "versions"
        return f"<Package {self.name!r}, {self.version_count} {noun}>"


def _none_if_epoch(value: object) -> object:
    # What the database says of a package whose moment of creation is not known.
    if isinstance(value, str) and datetime.fromisoformat(value) == EPOCH:
        return None
    return value


class PackageOverview(Record):
    """A package, and what became of its versions: a row of the page that lists packages.

    A sum is `None` if no version has a value.
    """

    __module__ = "training_versions"

    id: UUID
    name: str
    template_type: str
    user_id: UUID
    current_version_id: UUID | None
    version_count: int
    latest_published_version: int
    created_at: Annotated[
        AwareDatetime | None,
        BeforeValidator(_none_if_epoch),
        Field(validation_alias=AliasChoices("training_package_made_at", "created_at")),
    ]
    """`None` where the table is older than this project and does not know it."""
    drafts: int
    """How many versions are drafts."""
    live: tuple[Deployment, ...]
    """What is live now: at most one deployment for each target."""
    latest_published_at: AwareDatetime | None
    """When the published version with the highest number was published."""
    last_change_at: AwareDatetime | None
    """When one of its versions was last changed, also by training, deployment or a cost."""
    estimated_cost: Cost | None
    actual_cost: Cost | None
    budget_limit: Cost | None

    def __repr__(self) -> str:
        noun = "version" if self.version_count == 1 else "versions"
        return f"<PackageOverview {self.name!r}, {self.version_count} {noun}>"


class PackageFilters(TypedDict, total=False):
    """Which packages a list covers; a filter left out or `None` does not apply."""

    template_type: str | None
    name: str | None
    """The whole name, with its case."""
    ids: Sequence[Id] | None
    """Those with one of these identifiers, at most 200; none of them finds nothing."""
    text: str | None
    """Literal text in the name, ignoring case."""


# The body of a TypedDict cannot say this.
PackageFilters.__module__ = "training_versions"
