"""Deployments: which version is live at which target, and which was."""

import enum
from datetime import datetime
from typing import Literal, TypeAlias, TypedDict
from uuid import UUID

from pydantic import AwareDatetime

from training_versions.models.base import Id, Record


class DeploymentTarget(enum.StrEnum):
    """Where a version is deployed."""

    __module__ = "training_versions"

    LOCAL = "local"
    HF_SPACE = "hf_space"


Target: TypeAlias = DeploymentTarget | Literal["local", "hf_space"]
"""A `DeploymentTarget`, or its text."""


class Deployment(Record):
    """The period in which a version is live at a target; it is live while `ended_at` is `None`."""

    __module__ = "training_versions"

    id: UUID
    """Its identifier: the `stay_id` that `deploy` was given, or made."""
    package_id: UUID
    version_id: UUID
    version_number: int
    target: DeploymentTarget
    url: str | None
    deployment_id: str | None
    """The target's own name for it, such as that of a space."""
    started_at: AwareDatetime
    started_by: UUID | None
    ended_at: AwareDatetime | None
    ended_by: UUID | None

    def __repr__(self) -> str:
        period = f"since {self.started_at.date()}"
        if self.ended_at is not None:
            period = f"{self.started_at.date()} to {self.ended_at.date()}"
        return f"<Deployment of version {self.version_number} at {self.target}, {period}>"


class DeploymentFilters(TypedDict, total=False):
    """Which deployments a list covers; a filter left out or `None` does not apply."""

    package_id: Id | None
    """Deployments of this package."""
    version_id: Id | None
    """Deployments of this version. With neither, all deployments of the caller."""
    target: Target | None
    live: bool | None
    """`True`: those that have not ended. `False`: those that have."""
    at: datetime | None
    """Those that were live at this moment."""


# The body of a TypedDict cannot say this.
DeploymentFilters.__module__ = "training_versions"
