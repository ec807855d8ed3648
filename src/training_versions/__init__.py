"""A version history for machine-learning training packages, in your Supabase project.

Start with `VersionRepository` and `PackageRepository`, or with `AsyncVersionRepository` and
`AsyncPackageRepository`: the SDK has two faces, sync and async, with the same methods.

Nothing is loaded before it is used: a command line that imports this package does not wait for
`postgrest` or `pydantic`.
"""

from importlib import import_module

from ._version import __version__ as __version__

# Type checkers know the name. Importing it would take a third of the start of a command line.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from training_versions.async_repository import AsyncPackageRepository, AsyncVersionRepository
    from training_versions.autosave import (
        AsyncDraftAutosaver,
        AutosaveConflictError,
        DraftAutosaver,
        DraftContent,
        EditChange,
        EditMerge,
        merge_edits,
    )
    from training_versions.bundle import BundleError, ExportResult, ImportResult
    from training_versions.diff import Change, ChangeKind, VersionDiff, compare_versions
    from training_versions.errors import (
        ConflictError,
        ConnectionFailedError,
        DatabaseError,
        InvalidInputError,
        NotFoundError,
        NotSignedInError,
        OutcomeUnknownError,
        PermissionDeniedError,
        RejectedError,
        SchemaMismatchError,
        TrainingVersionsError,
        UnavailableError,
        UnreadableReplyError,
        UnreadableRow,
    )
    from training_versions.models import (
        UNSET,
        Amount,
        CopiedDraft,
        CostEntry,
        Deployment,
        DeploymentFilters,
        DeploymentTarget,
        DraftFields,
        Event,
        EventKind,
        HistoryFilters,
        Id,
        IterateOptions,
        JsonLike,
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
        PackageOverview,
        Page,
        RecordedCost,
        RecordedMetrics,
        Target,
        TrainingRun,
        TrainingStatus,
        Unset,
        Version,
        VersionFilters,
        VersionStatus,
        VersionSummary,
    )
    from training_versions.repository import PackageRepository, VersionRepository

__all__ = [
    "UNSET",
    "Amount",
    "AsyncDraftAutosaver",
    "AsyncPackageRepository",
    "AsyncVersionRepository",
    "AutosaveConflictError",
    "BundleError",
    "Change",
    "ChangeKind",
    "ConflictError",
    "ConnectionFailedError",
    "CopiedDraft",
    "CostEntry",
    "DatabaseError",
    "Deployment",
    "DeploymentFilters",
    "DeploymentTarget",
    "DraftAutosaver",
    "DraftContent",
    "DraftFields",
    "EditChange",
    "EditMerge",
    "Event",
    "EventKind",
    "ExportResult",
    "HistoryFilters",
    "Id",
    "ImportResult",
    "InvalidInputError",
    "IterateOptions",
    "JsonLike",
    "JsonObject",
    "JsonValue",
    "Lineage",
    "LineageNode",
    "ListOptions",
    "MetricPoint",
    "Misfit",
    "NotFoundError",
    "NotSignedInError",
    "OutcomeUnknownError",
    "Package",
    "PackageCost",
    "PackageFilters",
    "PackageOverview",
    "PackageRepository",
    "Page",
    "PermissionDeniedError",
    "RecordedCost",
    "RecordedMetrics",
    "RejectedError",
    "SchemaMismatchError",
    "Target",
    "TrainingRun",
    "TrainingStatus",
    "TrainingVersionsError",
    "UnavailableError",
    "UnreadableReplyError",
    "UnreadableRow",
    "Unset",
    "Version",
    "VersionDiff",
    "VersionFilters",
    "VersionRepository",
    "VersionStatus",
    "VersionSummary",
    "compare_versions",
    "merge_edits",
]

# Modules that are public, too: `training_versions.errors.ConflictError` works after `import
# training_versions` alone.
_PUBLIC_MODULES = ("autosave", "bundle", "diff", "errors", "models")
# The module of each name; other errors are in `errors`, and everything else is in `models`.
_MODULES = {
    "async_repository": ("AsyncPackageRepository", "AsyncVersionRepository"),
    "autosave": (
        "AsyncDraftAutosaver",
        "AutosaveConflictError",
        "DraftAutosaver",
        "DraftContent",
        "EditChange",
        "EditMerge",
        "merge_edits",
    ),
    "bundle": ("BundleError", "ExportResult", "ImportResult"),
    "errors": ("UnreadableRow",),
    "diff": ("Change", "ChangeKind", "VersionDiff", "compare_versions"),
    "repository": ("PackageRepository", "VersionRepository"),
}


def _module_of(name: str) -> str:
    for module, names in _MODULES.items():
        if name in names:
            return module
    return "errors" if name.endswith("Error") else "models"


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name in _PUBLIC_MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_module_of(name)}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PUBLIC_MODULES})
