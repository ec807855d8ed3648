"""Rows: from what the database returns to the models that callers get."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, cast

from training_versions.models import C, D, M, Package, PackageOverview, Version, VersionSummary
from training_versions.operations.requests import describe_problem
from training_versions.snapshots import Codec

PACKAGES: Final = "training_configs"
OVERVIEWS: Final = "training_package_overviews"
VERSIONS: Final = "training_package_versions"
EVENTS: Final = "training_version_events"
PUBLISHED: Final = "training_published_versions"
"""The view of published versions, in which the latest one is a single look-up."""
SUMMARIES: Final = "training_package_version_summaries"
"""The view of versions without their snapshots, which may be megabytes."""


@dataclass(frozen=True)
class SnapshotCodecs(Generic[C, M, D]):
    """How a repository writes and reads the three snapshots of a version."""

    config: Codec[C]
    model: Codec[M]
    dataset: Codec[D]

    @classmethod
    def of(
        cls,
        config: type[C] | None,
        model: type[M] | None,
        dataset: type[D] | None,
        *,
        allow_secrets: bool = False,
    ) -> SnapshotCodecs[C, M, D]:
        """Return the codecs of these types; `None` is plain JSON."""
        types = config, model, dataset, allow_secrets
        try:
            return cast("SnapshotCodecs[C, M, D]", _codecs_of(*types))
        except Exception:  # a type that cannot be hashed, such as one with a `Field`
            return cast("SnapshotCodecs[C, M, D]", _codecs_of.__wrapped__(*types))

    def as_tuple(self) -> tuple[Codec[C], Codec[M], Codec[D]]:
        """Return the codecs, to go through them."""
        return self.config, self.model, self.dataset

    def read_version(self, row: object) -> Version[C, M, D]:
        """Read a row of versions; `ValueError` says which snapshot does not fit its type."""
        values = dict(expect_object(row))
        for codec in self.as_tuple():
            try:
                values[codec.column] = codec.read(values.get(codec.column))
            except ValueError as exc:
                which = f"version {values.get('id')} (number {values.get('version_number')})"
                problem = describe_problem(exc)
                raise ValueError(
                    f"in {which}, {codec.column} does not fit its type: {problem}"
                ) from exc
        # The codecs have read the snapshots. `Version[C, M, D]` would read them once more, and its
        # instances would not survive pickle.
        return cast("Version[C, M, D]", Version.model_validate(values))


# Kept, because a server makes a repository for every request, and Pydantic takes milliseconds to
# learn a type.
@lru_cache(maxsize=64)
def _codecs_of(
    config: type[Any] | None,
    model: type[Any] | None,
    dataset: type[Any] | None,
    allowed: bool,
) -> SnapshotCodecs[Any, Any, Any]:
    return SnapshotCodecs(
        config=Codec("config", "config_snapshot", config, allow_secrets=allowed),
        model=Codec("model", "model_snapshot", model, allow_secrets=allowed),
        dataset=Codec("dataset", "dataset_snapshot", dataset, many=True, allow_secrets=allowed),
    )


def expect_object(data: object) -> dict[str, Any]:
    """Return the data if it is a JSON object."""
    if not isinstance(data, dict):
        raise ValueError("it is not a row")
    return cast("dict[str, Any]", data)


def read_package(row: object) -> Package:
    """Read a row of packages."""
    return Package.model_validate(expect_object(row))


def read_overview(row: object) -> PackageOverview:
    """Read a row of packages with what their versions add up to."""
    values = expect_object(row)
    return PackageOverview.model_validate(values | expect_object(values.get("totals")))


def read_summary(row: object) -> VersionSummary:
    """Read a row of versions, without its snapshots."""
    return VersionSummary.model_validate(expect_object(row))


def read_stored_version(row: object) -> Version[Any, Any, Any]:
    """Read a row of versions as it is stored, past the types of the repository."""
    return Version.model_validate(expect_object(row))


def read_integer(data: object) -> int:
    """Return the data if it is an integer."""
    if isinstance(data, bool) or not isinstance(data, int):
        raise ValueError("it is not a number")
    return data


def read_nothing(data: object) -> None:
    """Accept the reply of a function that returns nothing.

    PostgREST sends no body at all or `null`; the client makes an empty list or text of the former.
    """
    if data not in (None, [], ""):
        raise ValueError("it should be empty")
