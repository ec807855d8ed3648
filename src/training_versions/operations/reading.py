"""Reading: one version, the latest, lists, walks and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from training_versions.models import (
    C,
    D,
    Id,
    IterateOptions,
    ListOptions,
    M,
    Page,
    Version,
    VersionFilters,
    VersionSummary,
)
from training_versions.operations.checks import (
    MAX_VERSION_NUMBER,
    check_flag,
    check_known,
    check_positive,
    check_uuid,
    is_newest_first,
)
from training_versions.operations.filters import of_package, version_filters
from training_versions.operations.paging import Listing
from training_versions.operations.requests import (
    Comparison,
    Condition,
    Operation,
    Select,
    read_first,
    read_one,
    unreadable,
)
from training_versions.operations.rows import (
    PUBLISHED,
    SUMMARIES,
    VERSIONS,
    SnapshotCodecs,
    read_integer,
    read_summary,
)

T = TypeVar("T")

DEFAULT_LIMIT: Final = 50
DEFAULT_PAGE_SIZE: Final = 200


def get(codecs: SnapshotCodecs[C, M, D], version_id: Id) -> Operation[Version[C, M, D]]:
    """Read a version."""
    return get_row(version_id, codecs.read_version)


def get_row(version_id: Id, read: Callable[[object], T]) -> Operation[T]:
    """Read a version as `read` makes it of its row; autosave needs more than the version."""
    checked = check_uuid(version_id, "version_id")
    return read_one(_by_id("versions.get", checked), read, what=f"version {checked}")


def find(codecs: SnapshotCodecs[C, M, D], version_id: Id) -> Operation[Version[C, M, D] | None]:
    """Read a version, or `None`."""
    return read_first(_by_id("versions.find", version_id), codecs.read_version)


def get_by_number(
    codecs: SnapshotCodecs[C, M, D], package_id: Id, version_number: int
) -> Operation[Version[C, M, D]]:
    """Read a version by its number."""
    number = check_positive(version_number, "version_number", most=MAX_VERSION_NUMBER)
    package = of_package(package_id)
    select = _newest(
        "versions.get_by_number",
        package,
        Comparison("version_number", "eq", str(number)),
    )
    what = f"version {number} of package {package.value}"
    return read_one(select, codecs.read_version, what=what)


def latest_published(
    codecs: SnapshotCodecs[C, M, D], package_id: Id
) -> Operation[Version[C, M, D] | None]:
    """Read the published version with the highest number, or `None`."""
    select = _newest("versions.latest_published", of_package(package_id), table=PUBLISHED)
    return read_first(select, codecs.read_version)


def latest(codecs: SnapshotCodecs[C, M, D], package_id: Id) -> Operation[Version[C, M, D] | None]:
    """Read the version with the highest number, or `None`."""
    select = _newest("versions.latest", of_package(package_id))
    return read_first(select, codecs.read_version)


def list_(
    codecs: SnapshotCodecs[C, M, D],
    package_id: Id | None,
    *,
    snapshots: bool,
    options: ListOptions,
) -> Operation[Page[VersionSummary]]:
    """Read one page of versions."""
    check_known(options, ListOptions, noun="option")
    listing = _listing(
        "versions.list",
        codecs,
        version_filters(package_id, options),
        across_packages=package_id is None,
        newest_first=is_newest_first(options.get("order", "newest"), "order"),
        snapshots=check_flag(snapshots, "snapshots"),
        limit=check_positive(options.get("limit", DEFAULT_LIMIT), "limit"),
    )
    return listing.page(options.get("cursor"))


def iterate(
    codecs: SnapshotCodecs[C, M, D],
    package_id: Id | None,
    *,
    snapshots: bool,
    options: IterateOptions,
) -> Listing[VersionSummary]:
    """Return the versions that the filters keep, to walk over."""
    check_known(options, IterateOptions, noun="option")
    return _listing(
        "versions.iterate",
        codecs,
        version_filters(package_id, options),
        across_packages=package_id is None,
        newest_first=is_newest_first(options.get("order", "newest"), "order"),
        snapshots=check_flag(snapshots, "snapshots"),
        limit=check_positive(options.get("page_size", DEFAULT_PAGE_SIZE), "page_size"),
    )


def count(package_id: Id | None, filters: VersionFilters) -> Operation[int]:
    """Count the versions that the filters keep."""
    check_known(filters, VersionFilters)
    where = version_filters(package_id, filters)
    return _count(Select("versions.count", VERSIONS, ("id",), where, count=True))


def _count(select: Select) -> Operation[int]:
    reply = yield select
    try:
        return read_integer(reply.count)
    except ValueError as exc:
        raise unreadable(select.operation, reply.data, exc) from exc


def _by_id(operation: str, version_id: Id) -> Select:
    where = (Comparison("id", "eq", check_uuid(version_id, "version_id")),)
    return Select(operation, VERSIONS, where=where)


def _newest(operation: str, *where: Condition, table: str = VERSIONS) -> Select:
    """Select the version with the highest number of those that meet the conditions."""
    order_by = ("version_number",)
    return Select(operation, table, where=where, order_by=order_by, descending=True)


def _listing(
    operation: str,
    codecs: SnapshotCodecs[C, M, D],
    where: tuple[Condition, ...],
    *,
    across_packages: bool,
    newest_first: bool,
    snapshots: bool,
    limit: int,
) -> Listing[VersionSummary]:
    """Versions of one package in the order of their numbers, of all packages in that of time."""
    # The key of a listing has to be unique: numbers are, within a package; moments are not.
    table, columns = SUMMARIES, ("*",)
    if snapshots:
        table = VERSIONS
    elif _compare_snapshots(where):
        table, columns = VERSIONS, tuple(VersionSummary.model_fields)
    select = Select(
        operation,
        table,
        columns,
        where=where,
        order_by=("created_at", "id") if across_packages else ("version_number",),
        descending=newest_first,
        limit=limit,
    )
    if snapshots:
        return Listing(select, codecs.read_version)
    return Listing(select, read_summary)


def _compare_snapshots(where: tuple[Condition, ...]) -> bool:
    """Return whether these filters need columns that the view of the summaries lacks."""
    compared = {condition.column for condition in where if isinstance(condition, Comparison)}
    return not compared <= VersionSummary.model_fields.keys()
