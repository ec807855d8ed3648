"""The line of descent beside a page of versions, drawn as characters to compare."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.data import version_row
from training_versions import VersionSummary
from training_versions.web.views.lanes import Lanes, draw_lanes


def versions(parents: dict[int, int | None]) -> list[VersionSummary]:
    """Make versions, newest first, each with the number of its parent."""
    rows = [
        version_row(number, parent_version_id=None if parent is None else str(UUID(int=parent)))
        for number, parent in parents.items()
    ]
    return [VersionSummary.model_validate(row) for row in reversed(rows)]


def sketch(lanes: Lanes) -> list[str]:
    """A row a line: `o` the version, `|` a lane that passes, `'` what comes from above to it.

    `+` says that a lane goes on from the version, `?` that its parent is not on the page.
    """
    lines: list[str] = []
    for row in lanes.rows:
        width = max([row.lane, *row.passing, *row.above]) + 1
        line = [" "] * width
        for lane in row.above:
            line[lane] = "'"
        for lane in row.passing:
            line[lane] = "|"
        line[row.lane] = "o"
        lines.append("".join(line) + "+" * row.goes_on + "?" * row.has_stub)
    return lines


STORIES = {
    "one line": (
        {1: None, 2: 1, 3: 2},
        ["o+", "o+", "o"],
        ["o+", "o+", "o"],
    ),
    "no family": (
        {1: None, 2: None},
        ["o", "o"],
        ["o", "o"],
    ),
    "restored": (
        {1: None, 2: 1, 3: 2, 4: 2, 5: 4},
        ["o+", "o+", "|o+", "o'+", "o"],
        ["o+", "o+", "|o", "o+", "o"],
    ),
    "two branches": (
        {1: None, 2: 1, 3: 1, 4: 2, 5: 3},
        ["o+", "|o+", "o|+", "|o+", "o'"],
        ["o+", "|o+", "o|+", "|o", "o"],
    ),
    "the parent is elsewhere": (
        {4: 3, 5: 4, 6: 2},
        ["o?", "o+", "o?"],
        ["o+?", "o", "o?"],
    ),
    "a parent with a higher number": (
        {1: 2, 2: None},
        ["o", "o?"],
        ["o?", "o"],
    ),
}


@pytest.mark.parametrize(("parents", "newest", "oldest"), STORIES.values(), ids=STORIES)
def test_lanes_lead_from_versions_to_their_parents(
    parents: dict[int, int | None], newest: list[str], oldest: list[str]
) -> None:
    page = versions(parents)

    assert sketch(draw_lanes(page, newest_first=True)) == newest
    assert sketch(draw_lanes(page[::-1], newest_first=False)) == oldest


@pytest.mark.parametrize("newest_first", [True, False])
def test_many_branches_take_no_more_room_than_there_is(newest_first: bool) -> None:
    # Every version has a child far away: 1 and 21, 2 and 22, and so on.
    parents = {number: None if number <= 20 else number - 20 for number in range(1, 41)}
    page = versions(parents)
    if not newest_first:
        page = page[::-1]

    lanes = draw_lanes(page, newest_first=newest_first)

    assert len(lanes.rows) == 40
    assert lanes.width < 150
    # Each child either has a lane to its parent, or says that there is one.
    children = [
        row for row, version in zip(lanes.rows, page, strict=True) if version.parent_version_id
    ]
    assert all(row.has_stub or row.goes_on or row.above for row in children)
    assert sum(row.has_stub for row in children) == 12


def test_an_empty_page_has_no_lanes() -> None:
    assert draw_lanes([], newest_first=True).rows == []
