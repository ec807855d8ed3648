"""Deployments: make a version live at a target, take it down, and read what is or was live."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Final

from training_versions.models import (
    Deployment,
    DeploymentFilters,
    DeploymentTarget,
    Id,
    Page,
    Target,
    VersionSummary,
)
from training_versions.operations.checks import (
    check_known,
    check_member,
    check_moment,
    check_or_make_uuid,
    check_positive,
    check_text,
    check_uuid,
    is_newest_first,
    optional,
)
from training_versions.operations.filters import check_bool, of_one, of_package
from training_versions.operations.paging import Listing
from training_versions.operations.requests import (
    AnyOf,
    Comparison,
    Condition,
    Operation,
    Rpc,
    Select,
    call,
    hint_to_repeat_with,
    read_first,
)
from training_versions.operations.rows import read_summary

DEPLOYMENTS: Final = "training_deployments"
_check_target = partial(check_member, kind=DeploymentTarget)
_check_url = partial(check_text, max_length=2000)
_check_deployment_id = partial(check_text, max_length=255)


def deploy(
    version_id: Id,
    target: Target,
    *,
    url: str | None,
    deployment_id: str | None,
    stay_id: Id | None,
) -> Operation[VersionSummary]:
    """Make a version live at a target."""
    new_id = check_or_make_uuid(stay_id, "stay_id")
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_target": _check_target(target, "target"),
        "p_url": optional(_check_url, url, "url"),
        "p_deployment_id": optional(_check_deployment_id, deployment_id, "deployment_id"),
        "p_stay_id": new_id,
    }
    rpc = Rpc(
        "versions.deploy",
        "deploy_training_version",
        params,
        retry_hint=hint_to_repeat_with("stay_id", new_id),
    )
    return call(rpc, read_summary)


def undeploy(version_id: Id, *, target: Target | None) -> Operation[VersionSummary]:
    """Take a version down."""
    params = {
        "p_version_id": check_uuid(version_id, "version_id"),
        "p_target": optional(_check_target, target, "target"),
        # The idempotency key: a repeat does not end a deployment that began in between.
        "p_call_id": str(uuid.uuid4()),
    }
    rpc = Rpc(
        "versions.undeploy",
        "undeploy_training_version",
        params,
        retry_hint="Read what is live first: made again, this could end a later deployment.",
    )
    return call(rpc, read_summary)


def live(package_id: Id, target: Target) -> Operation[Deployment | None]:
    """Read what is live at a target."""
    not_ended = Comparison("ended_at", "is", "null")
    return _read_deployment("versions.live", package_id, target, not_ended)


def live_at(package_id: Id, target: Target, moment: datetime) -> Operation[Deployment | None]:
    """Read what was live at a target at a moment."""
    when = _live_at(check_moment(moment, "moment"))
    return _read_deployment("versions.live_at", package_id, target, *when)


def _live_at(moment: str) -> tuple[Condition, ...]:
    # A deployment ends at the moment at which the next one starts: that moment is the next one's.
    return (
        Comparison("started_at", "lte", moment),
        AnyOf(f'ended_at.is.null,ended_at.gt."{moment}"'),
    )


def list_(
    filters: DeploymentFilters, *, order: str, limit: int, cursor: str | None
) -> Operation[Page[Deployment]]:
    """Read one page of deployments."""
    listing = _listing("versions.deployments", filters, order, check_positive(limit, "limit"))
    return listing.page(cursor)


def iterate(filters: DeploymentFilters, *, order: str, page_size: int) -> Listing[Deployment]:
    """Return the deployments that the filters keep, to walk over."""
    limit = check_positive(page_size, "page_size")
    return _listing("versions.iterate_deployments", filters, order, limit)


def _listing(
    operation: str, filters: DeploymentFilters, order: str, limit: int
) -> Listing[Deployment]:
    check_known(filters, DeploymentFilters)
    where = of_one(filters.get("package_id"), filters.get("version_id"))
    if (target := filters.get("target")) is not None:
        where.append(Comparison("target", "eq", _check_target(target, "target")))
    live = check_bool(filters.get("live"), "live")
    if live is not None:
        where.append(Comparison("ended_at", "is" if live else "not.is", "null"))
    if (moment := filters.get("at")) is not None:
        where += _live_at(check_moment(moment, "at"))
    select = Select(
        operation,
        DEPLOYMENTS,
        where=tuple(where),
        order_by=("started_at", "id"),
        descending=is_newest_first(order, "order"),
        limit=limit,
    )
    return Listing(select, Deployment.model_validate)


def _read_deployment(
    operation: str, package_id: Id, target: Target, *when: Condition
) -> Operation[Deployment | None]:
    at_target = Comparison("target", "eq", _check_target(target, "target"))
    # At most one is live at a target; should there be more, the latest counts.
    select = Select(
        operation,
        DEPLOYMENTS,
        columns=tuple(Deployment.model_fields),
        where=(of_package(package_id), at_target, *when),
        order_by=("started_at",),
        descending=True,
    )
    return read_first(select, Deployment.model_validate)
