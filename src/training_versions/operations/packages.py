"""Packages: create, read, change and delete what versions are versions of."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from training_versions.models import Id, JsonLike, Package, PackageFilters, Page, Unset
from training_versions.operations.checks import (
    check_known,
    check_name,
    check_or_make_uuid,
    check_positive,
    check_text,
    check_uuid,
    nothing_to_change,
    optional,
)
from training_versions.operations.filters import text_in
from training_versions.operations.paging import Listing
from training_versions.operations.requests import (
    Comparison,
    Condition,
    Operation,
    Rpc,
    Select,
    call,
    hint_to_repeat_with,
    read_first,
    read_one,
)
from training_versions.operations.rows import PACKAGES, read_nothing, read_package
from training_versions.snapshots import Codec

CONFIG: Final[Codec[object]] = Codec("config", "config_json")
_check_template_type = partial(check_text, max_length=100)


def create(
    name: str,
    *,
    template_type: str,
    config: JsonLike,
    package_id: Id | None,
    user_id: Id | None,
    operation: str = "packages.create",
) -> Operation[Package]:
    """Create a package; `operation` is what errors name, if it is a part of another one."""
    new_id = check_or_make_uuid(package_id, "package_id")
    params = {
        "p_package_id": new_id,
        "p_name": check_name(name),
        "p_template_type": _check_template_type(template_type, "template_type"),
        "p_config_json": CONFIG.write(config),
        "p_user_id": optional(check_uuid, user_id, "user_id"),
    }
    rpc = Rpc(
        operation,
        "create_training_package",
        params,
        retry_hint=hint_to_repeat_with("package_id", new_id),
    )
    return call(rpc, read_package)


def update(
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
        changes["config_json"] = CONFIG.write(config)
    if not changes:
        raise nothing_to_change()
    params = {"p_package_id": check_uuid(package_id, "package_id"), "p_changes": changes}
    return call(Rpc("packages.update", "update_training_package", params), read_package)


def delete(package_id: Id) -> Operation[None]:
    """Delete a package with its drafts."""
    params = {"p_package_id": check_uuid(package_id, "package_id")}
    return call(Rpc("packages.delete", "delete_training_package", params), read_nothing)


def get(package_id: Id, *, operation: str = "packages.get") -> Operation[Package]:
    """Read a package; `operation` is as in `create`."""
    select = _by_id(operation, package_id)
    return read_one(select, read_package, what=f"package {package_id}")


def find(package_id: Id, *, operation: str = "packages.find") -> Operation[Package | None]:
    """Read a package, or `None`; `operation` is as in `create`."""
    return read_first(_by_id(operation, package_id), read_package)


def list_(*, limit: int, cursor: str | None, filters: PackageFilters) -> Operation[Page[Package]]:
    """Read one page of packages."""
    listing = _listing("packages.list", filters, check_positive(limit, "limit"))
    return listing.page(cursor)


def iterate(*, page_size: int, filters: PackageFilters) -> Listing[Package]:
    """Return the packages that the filters keep, to walk over."""
    return _listing("packages.iterate", filters, check_positive(page_size, "page_size"))


def _by_id(operation: str, package_id: Id) -> Select:
    # All columns, here too: see `_listing`.
    where = (Comparison("id", "eq", check_uuid(package_id, "package_id")),)
    return Select(operation, PACKAGES, where=where)


def _listing(operation: str, filters: PackageFilters, limit: int) -> Listing[Package]:
    check_known(filters, PackageFilters)
    where: list[Condition] = text_in(filters.get("text"), "name")
    template_type = filters.get("template_type")
    if template_type is not None:
        wanted = _check_template_type(template_type, "template_type")
        where.append(Comparison("template_type", "eq", wanted))
    # All columns, and the key `id`: the table may be older than this project and have little else.
    select = Select(operation, PACKAGES, where=tuple(where), order_by=("id",), limit=limit)
    return Listing(select, read_package)
