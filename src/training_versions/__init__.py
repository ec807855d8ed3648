"""A version history for machine-learning training packages, in your Supabase project.

Start with `VersionRepository` and `PackageRepository`, or their `Async` twins.
"""

from training_versions.async_repository import AsyncPackageRepository, AsyncVersionRepository
from training_versions.autosave import AsyncDraftAutosaver, AutosaveConflictError, DraftAutosaver
from training_versions.diff import Change, ChangeKind, VersionDiff, compare_versions
from training_versions.errors import (
    ConflictError,
    ConnectionFailedError,
    DatabaseError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RejectedError,
    SchemaMismatchError,
    TrainingVersionsError,
    UnavailableError,
    UnreadableReplyError,
)
from training_versions.models import (
    UNSET,
    CopiedDraft,
    CostEntry,
    Deployment,
    DeploymentTarget,
    Event,
    EventKind,
    IterateOptions,
    JsonObject,
    JsonValue,
    Lineage,
    LineageNode,
    ListOptions,
    MetricPoint,
    Misfit,
    Package,
    PackageCost,
    PackageFilters,
    Page,
    RecordedCost,
    TrainingRun,
    TrainingStatus,
    Unset,
    Version,
    VersionFilters,
    VersionStatus,
    VersionSummary,
)
from training_versions.repository import PackageRepository, VersionRepository

# fmt: off
__all__ = [
    "UNSET", "AsyncDraftAutosaver", "AsyncPackageRepository", "AsyncVersionRepository", "AutosaveConflictError",
    "Change", "ChangeKind", "ConflictError", "ConnectionFailedError", "CopiedDraft", "CostEntry", "DatabaseError",
    "Deployment", "DeploymentTarget", "DraftAutosaver", "Event", "EventKind", "InvalidInputError", "IterateOptions",
    "JsonObject", "JsonValue", "Lineage", "LineageNode", "ListOptions", "MetricPoint", "Misfit", "NotFoundError",
    "OutcomeUnknownError", "Package", "PackageCost", "PackageFilters", "PackageRepository", "Page",
    "PermissionDeniedError", "RecordedCost", "RejectedError", "SchemaMismatchError", "TrainingRun", "TrainingStatus",
    "TrainingVersionsError", "UnavailableError", "UnreadableReplyError", "Unset", "Version", "VersionDiff",
    "VersionFilters", "VersionRepository", "VersionStatus", "VersionSummary", "compare_versions",
]
