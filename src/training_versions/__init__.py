"""A version history for machine-learning training packages, in your Supabase project.

Start with `VersionRepository` and `PackageRepository`, or their `Async` twins.
"""

from training_versions.async_repository import AsyncPackageRepository, AsyncVersionRepository
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
    DeploymentTarget,
    IterateOptions,
    JsonObject,
    JsonValue,
    ListOptions,
    Package,
    PackageFilters,
    Page,
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
    "UNSET", "AsyncPackageRepository", "AsyncVersionRepository", "ConflictError", "ConnectionFailedError",
    "DatabaseError", "DeploymentTarget", "InvalidInputError", "IterateOptions", "JsonObject", "JsonValue",
    "ListOptions", "NotFoundError", "OutcomeUnknownError", "Package", "PackageFilters", "PackageRepository", "Page",
    "PermissionDeniedError", "RejectedError", "SchemaMismatchError", "TrainingStatus", "TrainingVersionsError",
    "UnavailableError", "UnreadableReplyError", "Unset", "Version", "VersionFilters", "VersionRepository",
    "VersionStatus", "VersionSummary",
]
