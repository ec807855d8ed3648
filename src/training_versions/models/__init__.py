"""Models: what the repositories return and accept.

Fields carry the column names of the tables that they are read from. Nothing here knows how a
record is fetched or changed.
"""

from training_versions.models.base import (
    MAX_SUMMARY,
    UNSET,
    Amount,
    C,
    Cost,
    CostRule,
    D,
    Id,
    JsonLike,
    JsonObject,
    JsonValue,
    M,
    Page,
    Record,
    Rule,
    TextRule,
    Unset,
    UuidRule,
    mark_replayed,
    round_to_cents,
)
from training_versions.models.copies import CopiedDraft, Misfit
from training_versions.models.costs import CostEntry, PackageCost, RecordedCost
from training_versions.models.deployments import (
    Deployment,
    DeploymentFilters,
    DeploymentTarget,
    Target,
)
from training_versions.models.history import Event, EventKind, HistoryFilters
from training_versions.models.lineage import Lineage, LineageNode
from training_versions.models.packages import EPOCH, Package, PackageFilters, PackageOverview
from training_versions.models.training import MetricPoint, TrainingRun, TrainingStatus
from training_versions.models.versions import (
    DraftFields,
    IterateOptions,
    ListOptions,
    RecordedMetrics,
    Version,
    VersionFilters,
    VersionStatus,
    VersionSummary,
)

__all__ = [
    "EPOCH",
    "MAX_SUMMARY",
    "UNSET",
    "Amount",
    "C",
    "CopiedDraft",
    "Cost",
    "CostEntry",
    "CostRule",
    "D",
    "Deployment",
    "DeploymentFilters",
    "DeploymentTarget",
    "DraftFields",
    "Event",
    "EventKind",
    "HistoryFilters",
    "Id",
    "IterateOptions",
    "JsonLike",
    "JsonObject",
    "JsonValue",
    "Lineage",
    "LineageNode",
    "ListOptions",
    "M",
    "MetricPoint",
    "Misfit",
    "Package",
    "PackageCost",
    "PackageFilters",
    "PackageOverview",
    "Page",
    "Record",
    "RecordedCost",
    "RecordedMetrics",
    "Rule",
    "Target",
    "TextRule",
    "TrainingRun",
    "TrainingStatus",
    "Unset",
    "UuidRule",
    "Version",
    "VersionFilters",
    "VersionStatus",
    "VersionSummary",
    "mark_replayed",
    "round_to_cents",
]
