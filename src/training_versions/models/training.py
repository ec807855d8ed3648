"""Training runs of versions, and the points of their metric curves."""

import enum
from uuid import UUID

from pydantic import AwareDatetime

from training_versions.models.base import Record, Replayable


class TrainingStatus(enum.StrEnum):
    """The status of the latest training run of a version."""

    __module__ = "training_versions"

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TrainingRun(Replayable, Record):
    """One training run of a version."""

    __module__ = "training_versions"

    id: UUID
    version_id: UUID
    status: TrainingStatus
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    started_by: UUID | None
    reason: str | None
    """Why it failed or was cancelled."""

    def __repr__(self) -> str:
        return f"<TrainingRun {self.status}, started {self.started_at.date()}>"


class MetricPoint(Record):
    """The value of a metric at one step of a run."""

    __module__ = "training_versions"

    step: int
    value: float
    recorded_at: AwareDatetime
