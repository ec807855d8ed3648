"""Models of the replies that differ from the models of the SDK."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from training_versions import Version as VersionOf


class Version(VersionOf[dict[str, Any], dict[str, Any], list[dict[str, Any]]]):
    """A version with its snapshots as plain JSON."""


class Difference(BaseModel):
    """One difference between two versions."""

    path: str = Field(examples=["/config_snapshot/lora/r"])
    """A JSON Pointer into the right version; into the left one if the value was removed."""
    label: str = Field(examples=["/dataset_snapshot/datasetId=faq/split"])
    """The path for people. An entry with an identity is named by that identity."""
    kind: Literal["added", "removed", "changed"]
    old: Any = None
    """The old value; absent if the value was added."""
    new: Any = None
    """The new value; absent if the value was removed."""
    delta: float | None = None
    """The difference between two numbers."""


class Comparison(BaseModel):
    """What differs between two versions, in the order of their content."""

    left: UUID
    right: UUID
    changes: list[Difference]


class NumberComparison(BaseModel):
    """What differs between two versions of a package, named by their numbers."""

    left: int
    right: int
    changes: list[Difference]


class PatchOperation(BaseModel):
    """One operation of a JSON Patch (RFC 6902)."""

    op: Literal["add", "remove", "replace"]
    path: str
    value: Any = None


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]
    version: str
    """The version of `training-versions`."""
