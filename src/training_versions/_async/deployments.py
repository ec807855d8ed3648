"""Deployments: make versions live at a target, take them down, and read what is or was live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, Unpack

from training_versions._async.transport import AsyncTransport
from training_versions.models import (
    Deployment,
    DeploymentFilters,
    Id,
    Page,
    Target,
    VersionSummary,
)
from training_versions.operations import deployments


class AsyncDeployments:
    """The operations on deployments; a part of `AsyncVersionRepository`."""

    _transport: AsyncTransport

    async def deploy(
        self,
        version_id: Id,
        target: Target,
        *,
        url: str | None = None,
        deployment_id: str | None = None,
        stay_id: Id | None = None,
    ) -> VersionSummary:
        """Make a published version live at a target; it replaces the version that is live there.

        Args:
            version_id: The version.
            target: `"local"` or `"hf_space"`.
            url: Where it answers, at most 2,000 characters.
            deployment_id: What the target calls it, at most 255 characters.
            stay_id: The `Deployment.id`, if you choose it; deploying again with the same one
                changes nothing, whatever was deployed since.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            ConflictError: It is not published.
            OutcomeUnknownError: The reply was lost; with your own `stay_id`, calling again is safe.

        Example:
            >>> await versions.deploy(
            ...     version.id, "hf_space", url="https://ada-support-bot.hf.space"
            ... )
        """
        return await self._transport.run(
            deployments.deploy(
                version_id, target, url=url, deployment_id=deployment_id, stay_id=stay_id
            )
        )

    async def undeploy(self, version_id: Id, *, target: Target | None = None) -> VersionSummary:
        """Take a version down; one that is not live there stays as it is.

        Args:
            version_id: The version.
            target: `"local"` or `"hf_space"`; both if left out.

        Raises:
            NotFoundError: There is no such version, or the caller may not see it.
            OutcomeUnknownError: The reply was lost; calling again is safe, unless it was deployed
                there since.

        Example:
            >>> await versions.undeploy(version.id)
        """
        return await self._transport.run(deployments.undeploy(version_id, target=target))

    async def live(self, package_id: Id, target: Target) -> Deployment | None:
        """Read the current deployment of a package at a target, or return `None`.

        Example:
            >>> deployment = await versions.live(package.id, "hf_space")
        """
        return await self._transport.run(deployments.live(package_id, target))

    async def live_at(self, package_id: Id, target: Target, moment: datetime) -> Deployment | None:
        """Read the deployment of a package at a target at some moment, or return `None`.

        Args:
            package_id: The package.
            target: `"local"` or `"hf_space"`.
            moment: When, with a time zone.

        Example:
            >>> noon = datetime(2025, 1, 31, 12, tzinfo=UTC)
            >>> deployment = await versions.live_at(package.id, "hf_space", noon)
        """
        return await self._transport.run(deployments.live_at(package_id, target, moment))

    async def deployments(
        self,
        *,
        order: Literal["newest", "oldest"] = "newest",
        limit: int = 50,
        cursor: str | None = None,
        **filters: Unpack[DeploymentFilters],
    ) -> Page[Deployment]:
        """Read one page of deployments, those that are live and those that have ended.

        Args:
            order: Which come first, by the time at which they started.
            limit: The most to return; a server may cap it, and the page is shorter then.
            cursor: The `next_cursor` of the page before.
            **filters: `package_id` or `version_id`, `target`, `live` and `at`; see
                `DeploymentFilters`.

        Example:
            >>> live_now = await versions.deployments(package_id=package.id, live=True)
        """
        return await self._transport.run(
            deployments.list_(filters, order=order, limit=limit, cursor=cursor)
        )

    def iterate_deployments(
        self,
        *,
        order: Literal["newest", "oldest"] = "newest",
        page_size: int = 200,
        **filters: Unpack[DeploymentFilters],
    ) -> AsyncIterator[Deployment]:
        """Iterate over all deployments that the filters keep, page by page.

        Args:
            order: Which come first.
            page_size: How many to ask for at once.
            **filters: As in `deployments`.

        Example:
            >>> async for deployment in versions.iterate_deployments(version_id=version.id): ...
        """
        return self._transport.walk(deployments.iterate(filters, order=order, page_size=page_size))
