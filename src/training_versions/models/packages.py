"""Training packages: rows of `training_configs`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, TypedDict
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field

from training_versions.models.base import Id, JsonObject, Record


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


class Package(Record):
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


class PackageFilters(TypedDict, total=False):
    """Which packages `list` and `iterate` return; a filter left out or `None` does not apply."""

    template_type: str | None
    ids: Sequence[Id] | None
    """Those with one of these identifiers, at most 200; none of them finds nothing."""
    text: str | None
    """Literal text in the name, ignoring case."""


# The body of a TypedDict cannot say this.
PackageFilters.__module__ = "training_versions"
