"""Records of a version's later life: copies, family, training, deployment, cost and history.

As in `models.py`, fields carry the names of columns, and nothing here knows how a record is fetched or changed.
"""

import enum
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, PrivateAttr

from training_versions.models import (
    Cost,
    DeploymentTarget,
    JsonObject,
    Record,
    TrainingStatus,
    VersionStatus,
)
from training_versions.models import VersionSummary as Summary


class EventKind(enum.StrEnum):
    """What can happen to a version."""

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

    id: int
    package_id: UUID
    version_id: UUID
    """The version, which may be a draft that was deleted since."""
    version_number: int
    kind: Annotated[EventKind | str, Field(union_mode="left_to_right")]
    """An `EventKind`, or plain text if a newer database knows one more."""
    actor_id: UUID | None
    """Who did it; `None` for the service role."""
    occurred_at: AwareDatetime
    """When; of edits that are one event, when the first was."""
    last_at: AwareDatetime | None = None
    """Of edits that are one event, when the last was."""
    details: JsonObject
    """What is particular to the kind: changed paths, target, amount, reason, the version copied from."""
    source: str | None = None
    """Where an imported event comes from."""


class TrainingRun(Record):
    """One run of training a version."""

    id: UUID
    version_id: UUID
    status: TrainingStatus
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    started_by: UUID | None
    reason: str | None
    """Why it failed or was cancelled."""


class MetricPoint(Record):
    """The value of a metric at one step of a run."""

    step: int
    value: float
    recorded_at: AwareDatetime


class Deployment(Record):
    """The stay of a version at a target; it is live there as long as `ended_at` is `None`."""

    id: UUID
    package_id: UUID
    version_id: UUID
    version_number: int
    target: DeploymentTarget
    url: str | None
    deployment_id: str | None
    started_at: AwareDatetime
    started_by: UUID | None
    ended_at: AwareDatetime | None
    ended_by: UUID | None


class CostEntry(Record):
    """One entry of what training a version cost."""

    id: UUID
    version_id: UUID
    amount: Cost
    note: str | None
    key: str
    """What makes it count once."""
    alerts: tuple[int, ...]
    """The shares of the budget, in percent, that this entry crossed, and no entry before it."""
    recorded_at: AwareDatetime
    recorded_by: UUID | None


class RecordedCost(CostEntry):
    """An entry that was just recorded, and what its version cost with it.

    `alerts` is empty for who finds the key recorded already: they go to the one call that made the entry.
    """

    actual_cost: Cost
    """The sum of all entries of the version."""
    budget_limit: Cost | None


class PackageCost(Record):
    """What all versions of a package cost together; a version without a value counts as 0."""

    package_id: UUID
    versions: int
    """How many there are."""
    estimated_cost: Cost
    actual_cost: Cost
    budget_limit: Cost


class Misfit(Record):
    """A place where a stored snapshot does not fit the type that the repository has for it today."""

    path: str
    """A JSON Pointer (RFC 6901) such as `/config_snapshot/lora/r`."""
    problem: Literal["missing", "unknown", "invalid"]
    """The type needs it and it is not there, it is there and the type drops it, or its value is refused."""
    message: str


class CopiedDraft(Record):
    """A new draft with the content of another version, and what of that does not fit today's types.

    The draft has all of it, whether it fits or not. It is truthy if everything fits.
    """

    draft: Summary
    misfits: tuple[Misfit, ...]

    @property
    def fits(self) -> bool:
        """Whether the repository can read the draft without losing anything."""
        return not self.misfits

    def __bool__(self) -> bool:
        return self.fits


class LineageNode(Record):
    """A version in its family: where it comes from, and what came of it."""

    id: UUID
    package_id: UUID
    version_number: int
    name: str
    status: VersionStatus
    created_at: AwareDatetime
    change_summary: str | None
    parent_version_id: UUID | None
    # All children by parent, shared by the family. Nodes that held each other would be copied, compared and pickled by
    # recursion, which ends at a few hundred generations.
    _family: Mapping[UUID, tuple["LineageNode", ...]] = PrivateAttr(
        default_factory=dict[UUID, "tuple[LineageNode, ...]"]
    )

    @property
    def children(self) -> tuple["LineageNode", ...]:
        """The versions that have this one as their parent, in the order of creation."""
        return self._family.get(self.id, ())

    def walk(self) -> Iterator["LineageNode"]:
        """Go through this version and all that descend from it, each before its children.

        Example:
            >>> numbers = [node.version_number for node in lineage.root.walk()]
        """
        ahead: list[LineageNode] = [self]
        while ahead:
            node = ahead.pop()
            yield node
            ahead += reversed(node.children)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LineageNode) and self.__dict__ == other.__dict__

    @classmethod
    def family(cls, rows: list[object]) -> dict[UUID, "LineageNode"]:
        """Read the rows of a family, and tie them together."""
        nodes: dict[UUID, LineageNode] = {node.id: node for node in map(cls.model_validate, rows)}
        children = dict[UUID, tuple[LineageNode, ...]]()
        by_parent = dict[UUID, list[LineageNode]]()
        for node in nodes.values():
            if node.parent_version_id is not None:
                by_parent.setdefault(node.parent_version_id, []).append(node)
            node._family = children
        children.update((parent, tuple(those)) for parent, those in by_parent.items())
        return nodes


class Lineage(Record):
    """A version and its family, as far as the caller may see it.

    `str()` draws the family as a tree, one line for each version: the longest line of descent goes straight down, the
    others are indented, and a star stands before the version that was asked for.
    """

    version: LineageNode
    """The version that was asked for."""
    ancestors: tuple[LineageNode, ...]
    """Its parent, the parent of that, and so on."""
    descendants: tuple[LineageNode, ...]
    """All that came of it, in the order of creation."""
    root: LineageNode
    """The first ancestor, from which `children` leads to the whole family."""

    def __str__(self) -> str:
        below = dict[UUID, int]()  # how many generations
        for node in reversed(list(self.root.walk())):
            below[node.id] = max((below[child.id] + 1 for child in node.children), default=0)
        lines, ahead = list[str](), [(self.root, 0)]
        while ahead:
            node, indent = ahead.pop()
            star = "*" if node.id == self.version.id else " "
            lines.append(f"{star} {'  ' * indent}{node.name} ({node.status})")
            longest = max(node.children, key=lambda child: below[child.id], default=None)
            ahead += [(child, indent) for child in node.children if child is longest]
            ahead += [
                (child, indent + 1) for child in reversed(node.children) if child is not longest
            ]
        return "\n".join(lines)
