"""`merge_edits`: two edits of one draft, side by side and together, without any state."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_paths_are_in_one_order_however_the_sides_are_written() -> None:
    mine = {"name": "mine", "model": {"b": 1, "a": 1}, "config": {}}

    merge = merge_edits({"name": "bot", "model": {}, "config": {"r": 8}}, mine, {})

    assert merge.my_paths == (
        "/config_snapshot/r",
        "/model_snapshot/a",
        "/model_snapshot/b",
        "/name",
    )
    assert merge.my_paths == tuple(change.path for change in merge.changes)


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


@pytest.mark.parametrize(
    "amount", ["NaN", "Infinity", Decimal("NaN"), Decimal("-Infinity"), "-5", 0.001]
)
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    with pytest.raises(InvalidInputError, match="estimated_cost must be"):
        merge_edits(BASE, {"estimated_cost": amount}, {})


def test_an_amount_that_is_stored_need_not_obey_the_rules_of_today() -> None:
    base = BASE | {"estimated_cost": Decimal("-5")}

    assert merge_edits(base, {"name": "b"}, {"estimated_cost": Decimal("-5")}).merged == {
        "name": "b"
    }


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


KEYS = st.sampled_from(["a", "b", "/", "~", ""])
LEAVES = st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, 1e16, "", "a"])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3)
)
CONFIGS = st.dictionaries(KEYS, TREES, max_size=4)


@st.composite
def edits_of(draw: Any, tree: Any) -> Any:
    """Some edit of a tree, which leaves most of it as it is."""
    if not isinstance(tree, dict):
        return draw(st.just(tree) | TREES)
    old = cast("dict[str, Any]", tree)
    kept = {key: draw(st.just(old[key]) | edits_of(old[key])) for key in old}
    removed = draw(st.sets(KEYS, max_size=2))
    added = draw(CONFIGS)
    return {key: kept[key] for key in kept if key not in removed} | added


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_merge_holds_both_edits_and_is_the_same_from_either_side(data: Any) -> None:
    base = {"config": data.draw(CONFIGS), "name": "bot"}
    edited = edits_of(base["config"])
    mine, theirs = ({"config": data.draw(edited)} for _ in range(2))

    merge, mirrored = merge_edits(base, mine, theirs), merge_edits(base, theirs, mine)

    assert (merge.my_paths, merge.their_paths) == (mirrored.their_paths, mirrored.my_paths)
    assert [each.overlaps for each in merge.changes] == [each.overlaps for each in mirrored.changes]
    assert (merge.merged is None) == (mirrored.merged is None) == bool(merge.overlapping)
    if merge.merged is not None and mirrored.merged is not None:
        both = base | theirs | merge.merged
        assert merge_edits(both, base | mine | mirrored.merged, {}).changes == ()
        # What is mine is in it, except for what is theirs alone.
        assert set(merge_edits(both, mine, {}).my_paths) <= set(merge.their_paths)
        assert set(merge_edits(both, theirs, {}).my_paths) <= set(merge.my_paths)
