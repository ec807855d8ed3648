"""`merge_edits`: two edits of one draft, side by side and together, without any state."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.data import version_row
from training_versions import UNSET, EditMerge, InvalidInputError, Version, merge_edits

CONFIG = {"r": 8, "lora": {"alpha": 16, "old": 1}, "modules": ["q", "v"]}
BASE: dict[str, Any] = {"config": CONFIG, "name": "bot", "estimated_cost": None}
PARENT = str(UUID(int=9))


def config(**changed: Any) -> dict[str, Any]:
    return {"config": CONFIG | changed}


def test_edits_of_different_paths_are_merged() -> None:
    merge = merge_edits(BASE, config(r=16) | {"name": "mine"}, config(seed=1))

    assert merge.my_paths == ("/config_snapshot/r", "/name")
    assert merge.their_paths == ("/config_snapshot/seed",)
    assert merge.overlapping == ()
    # Only what differs from theirs.
    assert merge.merged == config(r=16, seed=1) | {"name": "mine"}


def test_each_change_shows_all_three_and_who_made_it() -> None:
    mine = config(r=16, seed=None, lora={"alpha": 16})
    theirs = config(r=32, seed=None)

    merge = merge_edits(BASE, mine, theirs)

    assert [(each.path, each.changed_by, each.overlaps) for each in merge.changes] == [
        ("/config_snapshot/lora/old", "me", False),
        ("/config_snapshot/r", "both", True),
        ("/config_snapshot/seed", "both", False),
    ]
    removed, changed, added = merge.changes
    assert (removed.base, removed.mine, removed.theirs, removed.in_mine) == (1, None, 1, False)
    assert (changed.base, changed.mine, changed.theirs) == (8, 16, 32)
    # null is not nothing.
    assert (added.in_base, added.in_mine, added.in_theirs, added.mine) == (False, True, True, None)


def test_what_overlaps_is_named_and_not_merged() -> None:
    merge = merge_edits(BASE, config(r=16, seed=1), config(r=32))

    assert merge.overlapping == ("/config_snapshot/r",)
    assert merge.merged is None


def test_a_change_inside_of_what_the_other_side_changed_overlaps_on_both_sides() -> None:
    merge = merge_edits(BASE, config(lora=None), config(lora={"alpha": 32, "old": 1}))

    assert merge.overlapping == ("/config_snapshot/lora",)
    assert [(each.path, each.changed_by, each.overlaps) for each in merge.changes] == [
        ("/config_snapshot/lora", "me", True),
        ("/config_snapshot/lora/alpha", "them", True),
    ]


def test_there_is_nothing_to_save_where_theirs_has_it_all() -> None:
    merge = merge_edits(BASE, config(r=16), config(r=16) | {"name": "theirs"})

    assert merge.merged == {}
    assert merge_edits(BASE, {}, {}) == EditMerge((), (), (), (), {})


def test_what_is_emptied_is_merged_as_none() -> None:
    merge = merge_edits(BASE | {"change_summary": "old"}, {"change_summary": None}, {"name": "b"})

    assert merge.merged == {"change_summary": None}


@pytest.mark.parametrize("amount", [10, "10.00", 10.0, Decimal("10")])
def test_amounts_are_compared_as_amounts(amount: Any) -> None:
    base = BASE | {"estimated_cost": 10, "parent_version_id": UUID(PARENT)}

    merge = merge_edits(base, {"estimated_cost": amount, "parent_version_id": PARENT}, {})

    assert merge.changes == ()


def test_numbers_are_compared_as_they_are_written() -> None:
    assert merge_edits(BASE, config(r=8.0), {}).my_paths == ("/config_snapshot/r",)
    assert merge_edits(BASE, config(r=True), {}).my_paths == ("/config_snapshot/r",)


def test_what_is_left_out_is_as_in_the_base_and_what_that_leaves_out_as_in_theirs() -> None:
    merge = merge_edits({}, {"name": "mine", "config": UNSET}, BASE)

    assert merge.their_paths == ()
    assert merge.my_paths == ("/name",)
    assert merge.merged == {"name": "mine"}


def test_versions_are_sides_too() -> None:
    stored: Any = Version.model_validate(
        version_row(config_snapshot=CONFIG, budget_limit=10, parent_version_id=PARENT)
    )
    edited = stored.model_copy(update={"config_snapshot": CONFIG | {"r": 4}})

    merge = merge_edits(stored, {"budget_limit": "10.00", "name": "b"}, edited)

    assert merge.my_paths == ("/name",)
    assert merge.their_paths == ("/config_snapshot/r",)
    assert merge.merged == {"name": "b"}


@dataclass
class LoraConfig:
    r: int
    alpha: int


def test_typed_snapshots_are_compared_as_they_would_be_stored() -> None:
    mine = {"config": LoraConfig(16, 2)}

    merge = merge_edits({"config": {"r": 8, "alpha": 2}}, mine, {})

    assert merge.my_paths == ("/config_snapshot/r",)
    assert merge.merged == {"config": {"r": 16, "alpha": 2}}


def test_the_sides_are_left_as_they_are() -> None:
    mine, theirs = config(lora={"alpha": 1, "old": 1}), config(lora={"alpha": 16, "old": 2})

    merge = merge_edits(BASE, mine, theirs)

    assert merge.merged == config(lora={"alpha": 1, "old": 2})
    assert mine["config"]["lora"] == {"alpha": 1, "old": 1}
    assert theirs["config"]["lora"] == {"alpha": 16, "old": 2}


@pytest.mark.parametrize(
    ("mine", "field", "message"),
    [
        ({"confg": {}}, "mine", "has 'confg', which is no argument of update_draft"),
        ({"config_snapshot": {}}, "mine", "has 'config_snapshot'"),
        ([1], "mine", "mine must be a Version"),
        ({"budget_limit": "much"}, "budget_limit", "budget_limit must be 0 to"),
        ({"parent_version_id": "v2"}, "parent_version_id", "parent_version_id must be a UUID"),
        ({"config": object()}, "config", "config"),
    ],
)
def test_what_is_no_edit_is_refused(mine: Any, field: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        merge_edits(BASE, mine, {})

    assert caught.value.field == field
