"""The graph of the line of descent beside a page of versions, drawn row by row.

Each row shows its version as a dot on a lane. Lanes go down from row to row: from a version to its
parent if the newest come first, from a parent to its children if the oldest come first. If the
parent is not on the page, a stub shows that there is one, and the column "parent" names it.

All curves are above the dot of a row, whose position is known. Lines below the dot are straight,
and as long as the row is high.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from training_versions import VersionSummary

_MOST_LANES: Final = 8
"""The most lanes. More would leave no room for names, so further lines are drawn as stubs."""
_STEP: Final = 14
_MARGIN: Final = 9
DOT_Y: Final = 20
"""The distance of the dot from the upper edge of its row."""


@dataclass(frozen=True)
class LaneRow:
    """The lines and the dot of one row."""

    lane: int
    above: tuple[int, ...]
    """The lanes that come from above and end at the dot."""
    passing: tuple[int, ...]
    """The lanes that pass the dot."""
    goes_on: bool
    """Whether a lane begins at the dot."""
    has_stub: bool
    """Whether the version has a parent, but no lane leads to it."""

    @property
    def x(self) -> int:
        """The x coordinate of the dot."""
        return _x(self.lane)

    @property
    def straight(self) -> list[int]:
        """The x coordinates of the lines from the upper to the lower edge."""
        return [_x(lane) for lane in self.passing]

    @property
    def curves(self) -> list[str]:
        """The lines from the upper edge to the dot, as SVG paths."""
        return [_curve(_x(lane), self.x) for lane in self.above]


@dataclass(frozen=True)
class Lanes:
    """The graph beside a page of versions."""

    rows: list[LaneRow]
    width: int


def draw_lanes(versions: Sequence[VersionSummary], *, newest_first: bool) -> Lanes:
    """Draw the graph of the versions of a page, given in the order of the page."""
    rows = _draw_up(versions) if newest_first else _draw_down(versions)
    widest = max((max(row.lane, *row.passing, *row.above, 0) for row in rows), default=0)
    return Lanes(rows, _x(widest) + _MARGIN)


def _draw_up(versions: Sequence[VersionSummary]) -> list[LaneRow]:
    """Draw a lane from every version to its parent further down."""
    places = {version.id: place for place, version in enumerate(versions)}
    # The parent that each lane leads to; `None` if the lane is free.
    lanes: list[UUID | None] = [None] * _MOST_LANES
    rows: list[LaneRow] = []
    for place, version in enumerate(versions):
        above = [lane for lane, target in enumerate(lanes) if target == version.id]
        for lane in above:
            lanes[lane] = None
        lane = above[0] if above else _free_lane(lanes)
        passing = _taken(lanes)
        parent = version.parent_version_id
        is_below = parent is not None and places.get(parent, -1) > place
        goes_on = is_below and lane < _MOST_LANES
        if goes_on:
            lanes[lane] = parent
        has_stub = parent is not None and not goes_on
        rows.append(LaneRow(lane, tuple(above), passing, goes_on, has_stub))
    return rows


def _draw_down(versions: Sequence[VersionSummary]) -> list[LaneRow]:
    """Draw a lane from every version to its children further down."""
    places = {version.id: place for place, version in enumerate(versions)}
    children = Counter(
        version.parent_version_id
        for place, version in enumerate(versions)
        if version.parent_version_id is not None
        and places.get(version.parent_version_id, place) < place
    )
    # The parent that each lane comes from, until its last child; `None` if the lane is free.
    lanes: list[UUID | None] = [None] * _MOST_LANES
    rows: list[LaneRow] = []
    for version in versions:
        parent = version.parent_version_id
        above: list[int] = []
        if parent is not None and parent in lanes:
            above.append(lanes.index(parent))
            children[parent] -= 1
            if children[parent] == 0:
                # The last child takes the lane of its parent.
                lanes[above[0]] = None
        is_last_child = bool(above) and lanes[above[0]] is None
        lane = above[0] if is_last_child else _free_lane(lanes)
        passing = _taken(lanes)
        goes_on = children[version.id] > 0 and lane < _MOST_LANES
        if goes_on:
            lanes[lane] = version.id
        has_stub = parent is not None and not above
        rows.append(LaneRow(lane, tuple(above), passing, goes_on, has_stub))
    return rows


def _free_lane(lanes: list[UUID | None]) -> int:
    """Return the first free lane, or the one after the last, from which no lane begins."""
    if None in lanes:
        return lanes.index(None)
    return _MOST_LANES


def _taken(lanes: list[UUID | None]) -> tuple[int, ...]:
    return tuple(lane for lane, target in enumerate(lanes) if target is not None)


def _x(lane: int) -> int:
    return _MARGIN + lane * _STEP


def _curve(start: int, end: int) -> str:
    return f"M{start} 0C{start} 14 {end} 4 {end} {DOT_Y}"
