"""A page of a comparison: the query of its address, and its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from training_versions import InvalidInputError, Version, VersionDiff
from training_versions.diff import document
from training_versions.web.views.differences import (
    PARTS,
    Part,
    Row,
    all_rows,
    by_part,
    changed_rows,
    count_differences,
)

AnyVersion: TypeAlias = "Version[Any, Any, Any]"

ROWS_PER_PAGE: Final = 200
_ALL: Final = "all"
_CHANGES: Final = "changes"


@dataclass(frozen=True)
class Asked:
    """The query of a comparison."""

    left: str
    right: str
    show: str
    """`changes` or `all`."""
    part: str
    key: str
    is_swapped: bool
    """Whether the newer version is on the left."""
    first: int
    """The position of the first row on the page."""
    at: str
    """The label of the difference to go to, if a link names one."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        """Parse the query of an address.

        Raises:
            InvalidInputError: A value is invalid.
        """
        show = query.get("show", _CHANGES)
        if show not in (_CHANGES, _ALL):
            problem = f"show must be {_CHANGES} or {_ALL}, not {show!r:.80}."
            raise InvalidInputError(problem, field="show")
        part = query.get("part", _ALL)
        if part != _ALL and part not in {each.key for each in PARTS}:
            raise InvalidInputError(f"There is no part {part!r:.80}.", field="part")
        first = query.get("from", "0")
        if not first.isascii() or not first.isdigit() or len(first) > 9:
            raise InvalidInputError(f"from must be a position, not {first!r:.80}.", field="from")
        return cls(
            left=query.get("left", "").strip(),
            right=query.get("right", "").strip(),
            show=show,
            part=part,
            key=query.get("key", "").strip(),
            is_swapped=query.get("swap") == "1",
            first=int(first),
            at=query.get("at", ""),
        )

    @property
    def parts(self) -> list[Part]:
        """The parts to compare."""
        return [part for part in PARTS if self.part in (_ALL, part.key)]

    def query(self, **changed: object) -> str:
        """Return this query with changed values, from the first row if `from` is not given."""
        values: dict[str, object] = {
            "left": self.left,
            "right": self.right,
            "show": self.show,
            "part": self.part,
            "key": self.key,
            "swap": int(self.is_swapped),
        }
        values |= changed
        usual = {"show": _CHANGES, "part": _ALL, "key": "", "swap": 0, "from": 0, "at": ""}
        unusual = {name: value for name, value in values.items() if usual.get(name) != value}
        return urlencode(unusual)


@dataclass(frozen=True)
class Comparison:
    """One page of a comparison."""

    rows: list[Row]
    """The rows of this page."""
    first: int
    total: int
    differences: int
    """The number of differences on all pages."""
    reordered: int
    counts: dict[str, int]
    """The number of differences in each part, including parts that are not shown."""
    is_filtered: bool
    marked: str
    """The label of the difference that the link named."""
    is_marked_missing: bool

    @property
    def next(self) -> int | None:
        """The position of the first row of the next page."""
        after = self.first + len(self.rows)
        return after if after < self.total else None

    @property
    def previous(self) -> int | None:
        """The position of the first row of the previous page."""
        if self.first == 0:
            return None
        return max(0, self.first - ROWS_PER_PAGE)

    @property
    def groups(self) -> list[tuple[Part, list[Row]]]:
        """The rows of this page, grouped by part, in the order of the parts."""
        return by_part(self.rows)


def make_comparison(asked: Asked, diff: VersionDiff, right: AnyVersion) -> Comparison:
    """Select the rows of one page, and count all rows."""
    changes = changed_rows(diff)
    if asked.key:
        changes = [row for row in changes if row.matches(asked.key)]
    counts = Counter(row.part.key for row in changes if row.kind != "reordered")
    shown = {part.key for part in asked.parts}
    rows = [row for row in changes if row.part.key in shown]
    differences = count_differences(rows)
    reordered = len(rows) - differences
    rows.sort(key=lambda row: PARTS.index(row.part))
    if asked.show == _ALL:
        rows = _rows_of_everything(asked, diff, right)

    first = min(asked.first, max(0, len(rows) - 1)) // ROWS_PER_PAGE * ROWS_PER_PAGE
    position = _position_of(asked.at, rows)
    if position is not None:
        first = position // ROWS_PER_PAGE * ROWS_PER_PAGE
    return Comparison(
        rows=rows[first : first + ROWS_PER_PAGE],
        first=first,
        total=len(rows),
        differences=differences,
        reordered=reordered,
        counts=dict(counts),
        is_filtered=bool(asked.key),
        marked=asked.at,
        is_marked_missing=asked.at != "" and position is None,
    )


def _rows_of_everything(asked: Asked, diff: VersionDiff, right: AnyVersion) -> list[Row]:
    content = document(right)
    rows: list[Row] = []
    for part in asked.parts:
        shown = {column: content[column] for column in part.columns}
        rows += all_rows(diff.filter(*part.prefixes), shown)
    if asked.key:
        rows = [row for row in rows if row.matches(asked.key)]
    return rows


def _position_of(label: str, rows: list[Row]) -> int | None:
    if not label:
        return None
    for position, row in enumerate(rows):
        if row.label == label:
            return position
    return None
