"""History: what happened to the versions of a package."""

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypedDict
from uuid import UUID

from pydantic import AwareDatetime, Field

from training_versions.models.base import Id, JsonObject, Record


class EventKind(enum.StrEnum):
    """What can happen to a version."""

    __module__ = "training_versions"

    CREATED = "created"
    RESTORED = "restored"
    FORKED = "forked"
    IMPORTED = "imported"
    EDITED = "edited"
    PUBLISHED = "published"
    ARCHIVED = "archived"
    DELETED = "deleted"
    TRAINING_PENDING = "training_pending"
    TRAINING_STARTED = "training_started"
    TRAINING_COMPLETED = "training_completed"
    TRAINING_FAILED = "training_failed"
    TRAINING_CANCELLED = "training_cancelled"
    DEPLOYED = "deployed"
    UNDEPLOYED = "undeployed"
    COST_RECORDED = "cost_recorded"
    COST_ALERT = "cost_alert"


class Event(Record):
    """Something that happened to a version: who, when, what."""

    __module__ = "training_versions"

    id: int
    package_id: UUID
    version_id: UUID
    """The version, which may be a draft that was deleted since."""
    version_number: int
    kind: Annotated[EventKind | str, Field(union_mode="left_to_right")]
    """An `EventKind`, or plain text if a newer database has one more."""
    actor_id: UUID | None
    """Who did it; `None` for the service role."""
    occurred_at: AwareDatetime
    """When it happened; of edits folded into one event, when the first was made."""
    last_at: AwareDatetime | None = None
    """Of edits folded into one event, when the last was made; otherwise `None`."""
    details: Annotated[JsonObject, Field(repr=False)]
    """What is particular to the kind: changed paths, target, amount, reason, source version."""
    source: str | None = None
    """Where an imported event comes from."""

    def __repr__(self) -> str:
        return f"<Event version {self.version_number} {self.kind}, {self.occurred_at.date()}>"


class HistoryFilters(TypedDict, total=False):
    """Which events `history` and `iterate_history` return; a filter left out does not apply."""

    package_id: Id | None
    """Events of this package, including those of its deleted drafts."""
    version_id: Id | None
    """Events of this version. With neither, all events of the caller."""
    kind: str | Sequence[str] | None
    """One `EventKind`, or several."""
    since: datetime | None
    """At this moment or later; folded edits count by the last of them."""
    until: datetime | None
    """Before this moment; folded edits count by the first of them."""


# The body of a TypedDict cannot say this.
HistoryFilters.__module__ = "training_versions"
