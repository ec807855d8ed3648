"""Replies that no model of the SDK describes as it stands."""

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
    """A JSON Pointer, in the right version, or in the left one to what was removed."""
    label: str = Field(examples=["/dataset_snapshot/datasetId=faq/split"])
    """The path for people: an entry with an identity is named by it."""
    kind: Literal["added", "removed", "changed"]
    old: Any = None
    """What was; absent if it was added."""
    new: Any = None
    """What is; absent if it was removed."""
    delta: float | None = None
    """By how much a number changed."""


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
    """Of `training-versions`."""
