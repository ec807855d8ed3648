"""Packages: create, read, change and delete what versions are versions of."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, TypeVar, cast

from training_versions.models import (
    EPOCH,
    Id,
    JsonLike,
    Package,
    PackageFilters,
    PackageOverview,
    Page,
    Unset,
)
from training_versions.operations.checks import (
    check_known,
    check_name,
    check_or_make_uuid,
    check_positive,
    check_text,
    check_uuid,
    format_moment,
    is_newest_first,
    nothing_to_change,
    optional,
)
from training_versions.operations.filters import text_in, with_ids
from training_versions.operations.paging import Key, Listing
from training_versions.operations.requests import (
    Comparison,
    Condition,
    Operation,
    Rpc,
    Select,
    WhoAmI,
    call,
    hint_to_repeat_with,
    read_first,
    read_one,
)
from training_versions.operations.rows import (
    OVERVIEWS,
    PACKAGES,
    read_nothing,
    read_overview,
    read_package,
)
from training_versions.snapshots import Codec

# A column that the database computes: an older table may have no `created_at`.
ORDER: Final = ("training_package_made_at", "id")
P = TypeVar("P", Package, PackageOverview)
_check_template_type = partial(check_text, max_length=100)


def config_codec(*, allow_secrets: bool) -> Codec[object]:
    """Return how a repository writes the configs of packages."""
    return Codec("config", "config_json", allow_secrets=allow_secrets)


def create(
    codec: Codec[object],
    name: str,
    *,
    template_type: str,
    config: JsonLike,
    package_id: Id | None,
    user_id: Id | None,
) -> Operation[Package]:
    """Create a package."""
    new_id = check_or_make_uuid(package_id, "package_id")
    columns = check_columns(
        codec, name, template_type=template_type, config=config, user_id=user_id
    )
    rpc = Rpc(
        "packages.create",
        "create_training_package",
        {"p_package_id": new_id} | {f"p_{column}": value for column, value in columns.items()},
        retry_hint=hint_to_repeat_with("package_id", new_id),
    )
    return call(rpc, read_package)


def get_or_create(
    codec: Codec[object], name: str, *, template_type: str, config: JsonLike, user_id: Id | None
) -> Operation[Package]:
    """Return the package of that name, or create it."""
    columns = check_columns(
        codec, name, template_type=template_type, config=config, user_id=user_id
    )
    params = {f"p_{column}": value for column, value in columns.items()}
    rpc = Rpc("packages.get_or_create", "get_or_create_training_package", params)
    return call(rpc, read_package)


def check_columns(
    codec: Codec[object], name: str, *, template_type: str, config: JsonLike, user_id: Id | None
) -> dict[str, Any]:
    """Return the columns of a new package, checked."""
    return {
        "name": check_name(name),
        "template_type": _check_template_type(template_type, "template_type"),
        "config_json": codec.write(config),
        "user_id": optional(check_uuid, user_id, "user_id"),
    }


def update(
    codec: Codec[object],
    package_id: Id,
    *,
    name: str | Unset,
    template_type: str | Unset,
    config: JsonLike | Unset,
) -> Operation[Package]:
    """Change what is named of a package."""
    changes: dict[str, Any] = {}
    if not isinstance(name, Unset):
        changes["name"] = check_name(name)
    if not isinstance(template_type, Unset):
        changes["template_type"] = _check_template_type(template_type, "template_type")
    if not isinstance(config, Unset):
        changes["config_json"] = codec.write(config)
    if not changes:
        raise nothing_to_change()
    params = {"p_package_id": check_uuid(package_id, "package_id"), "p_changes": changes}
    return call(Rpc("packages.update", "update_training_package", params), read_package)


def delete(package_id: Id) -> Operation[None]:
    """Delete a package with its drafts."""
    params = {"p_package_id": check_uuid(package_id, "package_id")}
    return call(Rpc("packages.delete", "delete_training_package", params), read_nothing)


def get(package_id: Id, *, operation: str = "packages.get") -> Operation[Package]:
    """Read a package; `operation` is what errors name, if it is a part of another one."""
    checked = check_uuid(package_id, "package_id")
    return read_one(_by_id(operation, checked), read_package, what=f"package {checked}")


def find(package_id: Id, *, operation: str = "packages.find") -> Operation[Package | None]:
    """Read a package, or `None`; `operation` is as in `get`."""
    return read_first(_by_id(operation, package_id), read_package)


def find_by_name(name: str, *, user_id: Id | None) -> Operation[Package | None]:
    """Read the oldest package of that name, or `None`."""
    return _find_by_name(check_name(name), optional(check_uuid, user_id, "user_id"))


def _find_by_name(name: str, owner: str | None) -> Operation[Package | None]:
    if owner is None:
        # An app's policies may show packages of others, which are not meant.
        reply = yield WhoAmI()
        owner = cast("str | None", reply.data)
    where = [Comparison("name", "eq", name)]
    if owner is not None:
        where.append(Comparison("user_id", "eq", owner))
    select = Select("packages.find_by_name", PACKAGES, where=tuple(where), order_by=ORDER)
    return (yield from read_first(select, read_package))


def list_(
    *, order: str, limit: int, cursor: str | None, filters: PackageFilters
) -> Operation[Page[Package]]:
    """Read one page of packages."""
    listing = _listing("packages.list", filters, order, check_positive(limit, "limit"))
    return listing.page(cursor)


def iterate(*, order: str, page_size: int, filters: PackageFilters) -> Listing[Package]:
    """Return the packages that the filters keep, to walk over."""
    limit = check_positive(page_size, "page_size")
    return _listing("packages.iterate", filters, order, limit)


def overviews(
    *, order: str, limit: int, cursor: str | None, filters: PackageFilters
) -> Operation[Page[PackageOverview]]:
    """Read one page of overviews."""
    checked = check_positive(limit, "limit")
    return _overviews("packages.overviews", filters, order, checked).page(cursor)


def iterate_overviews(
    *, order: str, page_size: int, filters: PackageFilters
) -> Listing[PackageOverview]:
    """Return the overviews of the packages that the filters keep, to walk over."""
    limit = check_positive(page_size, "page_size")
    return _overviews("packages.iterate_overviews", filters, order, limit)


class _PackageListing(Listing[P]):
    def key_of(self, item: P) -> Key:
        """Return the key of a package, as the database computes it."""
        made_at = EPOCH if item.created_at is None else item.created_at
        return format_moment(made_at), str(item.id)


def _by_id(operation: str, package_id: Id) -> Select:
    # All columns, here too: see `_listing`.
    where = (Comparison("id", "eq", check_uuid(package_id, "package_id")),)
    return Select(operation, PACKAGES, where=where)


def _listing(operation: str, filters: PackageFilters, order: str, limit: int) -> Listing[Package]:
    return _PackageListing(_select(operation, PACKAGES, filters, order, limit), read_package)


def _overviews(
    operation: str, filters: PackageFilters, order: str, limit: int
) -> Listing[PackageOverview]:
    return _PackageListing(_select(operation, OVERVIEWS, filters, order, limit), read_overview)


def _select(operation: str, table: str, filters: PackageFilters, order: str, limit: int) -> Select:
    check_known(filters, PackageFilters)
    where: list[Condition] = text_in(filters.get("text"), "name")
    where += with_ids(filters.get("ids"), "ids")
    template_type = filters.get("template_type")
    if template_type is not None:
        wanted = _check_template_type(template_type, "template_type")
        where.append(Comparison("template_type", "eq", wanted))
    if (name := filters.get("name")) is not None:
        where.append(Comparison("name", "eq", check_name(name)))
    # All columns: the table may be older than this project, and lack some.
    return Select(
        operation,
        table,
        where=tuple(where),
        order_by=ORDER,
        descending=is_newest_first(order, "order"),
        limit=limit,
    )
