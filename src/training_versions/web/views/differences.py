"""The rows of a comparison: the differences, or all values, side by side.

`training_versions.diff` finds the changes. This module groups them by part of a version, and puts
them in their places among the equal values if all values are shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final, Literal, TypeAlias

from training_versions import Change, ChangeKind, JsonObject, JsonValue
from training_versions.diff import entry_label, identities_of
from training_versions.web.views.json_text import members_of, pointer_to, steps_of, visible
from training_versions.web.views.values import Sides, Value, show_order, show_sides

RowKind: TypeAlias = ChangeKind | Literal["reordered", "same"]


@dataclass(frozen=True)
class Part:
    """A part of a version that can be compared separately."""

    key: str
    """The name of the part in a query."""
    title: str
    columns: tuple[str, ...]

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The JSON Pointers of the part in the compared document."""
        return tuple(f"/{column}" for column in self.columns)


PARTS: Final = (
    Part("config", "Config", ("config_snapshot",)),
    Part("model", "Base model", ("model_snapshot",)),
    Part("dataset", "Data sets", ("dataset_snapshot",)),
    Part("training", "Training", ("training_status", "training_metrics")),
    Part(
        "details",
        "Name, cost and deployment",
        (
            "name",
            "status",
            "change_summary",
            "estimated_cost",
            "actual_cost",
            "budget_limit",
            "is_deployed",
            "deployment_target",
            "deployment_url",
            "deployment_id",
        ),
    ),
)
CONTENT: Final = PARTS[:3]
"""The parts that a draft takes over from the version it is copied from."""
SNAPSHOTS: Final = tuple(prefix for part in CONTENT for prefix in part.prefixes)
COLUMN_NAMES: Final = {
    "config_snapshot": "config",
    "model_snapshot": "base model",
    "dataset_snapshot": "data sets",
    "change_summary": "summary",
    "budget_limit": "budget",
    "actual_cost": "cost",
    "is_deployed": "live",
}
"""The names that the pages use for columns, where these differ from the database."""
_PART_OF_COLUMN: Final = {column: part for part in PARTS for column in part.columns}


@dataclass(frozen=True)
class Row:
    """One difference, or one value that is equal on both sides."""

    label: str
    """The readable path, which links to this row contain."""
    kind: RowKind
    old: Value
    new: Value
    delta: str = ""

    # There may be 50,000 rows, and a page shows 200 of them. So these properties are computed only
    # for the rows that need them.

    @property
    def part(self) -> Part:
        """The part of the version that this row belongs to."""
        return _PART_OF_COLUMN[self.label.split("/", 2)[1]]

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The steps of the path below the part."""
        column, *steps = steps_of(self.label)
        if len(self.part.columns) > 1:
            # The part has several columns, so the path begins with the column.
            steps.insert(0, column_name(column))
        return tuple(visible(step) for step in steps)

    @cached_property
    def sides(self) -> Sides:
        """Both values in the form that is shown."""
        if self.kind == "reordered":
            return show_order(self.old, self.new)
        has_old = self.kind != ChangeKind.ADDED
        has_new = self.kind != ChangeKind.REMOVED
        if self.part not in CONTENT and self.kind != "same":
            # A column that is null has no value, but a JSON null in a snapshot is a value.
            has_old = self.old is not None
            has_new = self.new is not None
        return show_sides(self.old, self.new, has_old=has_old, has_new=has_new)

    @property
    def anchor(self) -> str:
        """The id of the row's HTML element, which is the same on every page."""
        return f"d-{sha256(self.label.encode()).hexdigest()[:12]}"

    def matches(self, key: str) -> bool:
        """Return whether the path contains a text, ignoring case."""
        return key.casefold() in "/".join(self.steps).casefold()


def column_name(column: str) -> str:
    """Return the name of a column for people."""
    return COLUMN_NAMES.get(column, column.replace("_", " "))


def changed_rows(changes: Iterable[Change]) -> list[Row]:
    """Return a row for each change, in their order."""
    return [_changed_row(change) for change in changes]


def all_rows(changes: Sequence[Change], right: JsonObject) -> list[Row]:
    """Return a row for each change and for each equal value.

    Args:
        changes: The changes.
        right: The document of the right version, as `training_versions.diff.document` returns it.
    """
    rows: list[Row] = []
    _Places(changes, rows).add(right, "")
    return rows


def count_differences(rows: Iterable[Row]) -> int:
    """Count the differences. A changed order of entries does not count."""
    return sum(row.kind not in ("same", "reordered") for row in rows)


def by_part(rows: Iterable[Row]) -> list[tuple[Part, list[Row]]]:
    """Group rows by part, in the order of the parts."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.part.key, []).append(row)
    return [(part, found[part.key]) for part in PARTS if part.key in found]


def _changed_row(change: Change) -> Row:
    kind = "reordered" if change.reordered else change.kind
    delta = ""
    # A change from 1 to 1.0 has a delta of zero, which is not shown.
    if change.delta:
        delta = f"{change.delta:+}"
    return Row(change.label, kind, change.old, change.new, delta)


class _Places:
    """A depth-first walk over the right document that finds the place of each change by its label.

    Paths cannot be used: a removed value has its path in the left document, where the entries of an
    array may be at other positions. The label of its parent is the same on both sides.
    """

    def __init__(self, changes: Sequence[Change], rows: list[Row]) -> None:
        self._rows = rows
        self._removed: dict[str, list[Change]] = {}
        self._others: dict[str, Change] = {}
        for change in changes:
            if change.kind == ChangeKind.REMOVED:
                parent = change.label.rpartition("/")[0]
                self._removed.setdefault(parent, []).append(change)
            else:
                self._others[change.label] = change

    def add(self, value: JsonValue, label: str) -> None:
        """Add the rows of a value and of all values in it."""
        change = self._others.get(label)
        if change is not None:
            self._rows.append(_changed_row(change))
            if not change.reordered:
                return
        for removed in self._removed.get(label, ()):
            self._rows.append(_changed_row(removed))
        if isinstance(value, dict | list) and value:
            names = _names_of_entries(value)
            for step, member in members_of(value):
                self.add(member, label + (names.get(step) or pointer_to("", step)))
        elif change is None and label not in self._removed:
            self._rows.append(Row(label, "same", value, value))


def _names_of_entries(value: JsonValue) -> dict[str | int, str]:
    """Return the names that the labels of changes use for the entries of an array."""
    if not isinstance(value, list):
        return {}
    identities = identities_of(value)
    return {
        position: f"/{entry_label(position, identity)}" for position, identity in identities.items()
    }
