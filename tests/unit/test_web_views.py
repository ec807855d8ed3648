"""What the pages of a version and of a comparison show, without a server."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from tests.data import version_row
from training_versions import MetricPoint, Version, compare_versions
from training_versions.diff import document
from training_versions.web.views.curves import MAX_DRAWN, MAX_LISTED, Curve
from training_versions.web.views.differences import all_rows, changed_rows, count_differences
from training_versions.web.views.json_text import find_value, json_text, pointer_to, pretty_json
from training_versions.web.views.json_tree import MAX_ENTRIES, MAX_VALUES, Node, json_tree
from training_versions.web.views.values import MAX_SHOWN, show_sides

AnyVersion: TypeAlias = "Version[Any, Any, Any]"


def version(number: int = 1, **changed: Any) -> AnyVersion:
    return Version.model_validate(version_row(number, **changed))


def of_dataset(*entries: dict[str, Any]) -> AnyVersion:
    return version(dataset_snapshot=list(entries))


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


# --- trees


def test_a_small_value_is_shown_whole() -> None:
    value: Any = {"lora": {"r": 8, "modules": ["q", "v"]}, "bf16": True, "seed": None}

    tree = json_tree(value, "/config_snapshot")

    assert [(node.pointer, node.kind, node.text) for node in walk(tree)] == [
        ("/config_snapshot", "object", ""),
        ("/config_snapshot/lora", "object", ""),
        ("/config_snapshot/lora/r", "number", "8"),
        ("/config_snapshot/lora/modules", "array", ""),
        ("/config_snapshot/lora/modules/0", "text", '"q"'),
        ("/config_snapshot/lora/modules/1", "text", '"v"'),
        ("/config_snapshot/bf16", "boolean", "true"),
        ("/config_snapshot/seed", "null", "null"),
    ]
    assert not any(node.hidden_after for node in walk(tree))


@pytest.mark.parametrize(
    "value",
    [
        list(range(50_000)),
        {f"key {n}": {"rows": list(range(200))} for n in range(300)},
        [[[n] * 30 for n in range(30)] for _ in range(30)],
    ],
)
def test_a_large_value_is_shown_in_part_and_what_is_left_out_is_counted(value: Any) -> None:
    nodes = list(walk(json_tree(value)))

    assert len(nodes) <= MAX_VALUES + 1
    for node in nodes:
        assert node.size == len(node.children) + node.hidden_after or not node.is_container
    assert any(node.hidden_after for node in nodes)


def test_what_is_left_out_can_be_reached_entry_by_entry() -> None:
    value: Any = list(range(250))
    seen: list[int] = []
    first = 0
    while first < len(value):
        tree = json_tree(value, first=first)
        seen += [int(node.text) for node in tree.children]
        first = tree.next

    assert seen == value
    assert len(json_tree(value).children) == MAX_ENTRIES


def test_small_values_beside_a_large_one_are_shown_whole() -> None:
    tree = json_tree({"small": {"r": 8, "alpha": 16}, "large": list(range(10_000))})

    assert [len(node.children) for node in tree.children] == [2, MAX_ENTRIES]


def test_deep_values_end_with_a_link() -> None:
    value: Any = 1
    for _ in range(100):
        value = {"a": value}

    deepest = list(walk(json_tree(value)))[-1]

    assert (deepest.kind, deepest.hidden_after) == ("object", 1)
    assert find_value(value, deepest.pointer) is not None


@pytest.mark.parametrize("step", ["a/b", "~1", "", "__proto__", "é\n", "0"])
def test_pointers_lead_back_to_their_values(step: str) -> None:
    value: Any = {"x": [{step: "found"}]}

    pointer = pointer_to(pointer_to(pointer_to("", "x"), 0), step)

    assert find_value(value, pointer) == "found"


@pytest.mark.parametrize(
    "pointer", ["x", "/y", "/x/1", "/x/-1", "/x/ 0", "/x/0/0", "/x/" + "9" * 9999]
)
def test_a_pointer_to_nothing_is_an_error(pointer: str) -> None:
    with pytest.raises(LookupError):
        find_value({"x": [1]}, pointer)


def test_what_a_page_cannot_show_is_escaped_and_stays_json() -> None:
    value = {"a\u202eb": "x\u2028y\x7f", "emoji": "👩‍👧", "rtl": "שלום"}

    for text in (json_text(value), pretty_json(value)):
        assert json.loads(text) == value
        assert "\u202e" not in text
        assert "\u2028" not in text
        assert "👩‍👧" in text
        assert "שלום" in text


# --- differences


def test_changes_are_put_into_parts() -> None:
    left = version(1, config_snapshot={"lora": {"r": 8}}, training_metrics={"loss": 0.5})
    right = version(2, config_snapshot={"lora": {"r": 16}}, training_metrics={"loss": 0.4})

    rows = changed_rows(compare_versions(left, right))

    assert [(row.part.key, row.steps, row.delta) for row in rows] == [
        ("details", ("name",), ""),
        ("config", ("lora", "r"), "+8"),
        ("training", ("training metrics", "loss"), "-0.1"),
    ]


def test_every_compared_column_has_a_part() -> None:
    left, right = version(1), version(2)

    assert {row.label for row in all_rows([], document(left))} == {
        f"/{column}" for column in document(right)
    }


def test_everything_is_shown_in_its_place() -> None:
    left = of_dataset({"id": "a", "rows": 1}, {"id": "b", "rows": 2, "old": True}, {"id": "gone"})
    right = of_dataset({"id": "new"}, {"id": "a", "rows": 1}, {"id": "b", "rows": 3})
    diff = compare_versions(left, right).filter("/dataset_snapshot")

    rows = all_rows(diff, {"dataset_snapshot": document(right)["dataset_snapshot"]})

    assert [("/".join(row.steps), str(row.kind)) for row in rows] == [
        ("id=gone", "removed"),
        ("id=new", "added"),
        ("id=a/id", "same"),
        ("id=a/rows", "same"),
        ("id=b/old", "removed"),
        ("id=b/id", "same"),
        ("id=b/rows", "changed"),
    ]


def test_entries_that_changed_places_are_no_difference() -> None:
    left = of_dataset({"id": "a"}, {"id": "b"})
    right = of_dataset({"id": "b"}, {"id": "a"})
    diff = compare_versions(left, right)

    (row,) = changed_rows(diff)

    assert row.kind == "reordered"
    assert count_differences([row]) == 0
    assert row.sides.old is not None
    assert json.loads(row.sides.old.differs) == ["id=a", "id=b"]
    rows = all_rows(diff, {"dataset_snapshot": document(right)["dataset_snapshot"]})
    assert [str(row.kind) for row in rows] == ["reordered", "same", "same"]


def test_each_change_is_shown_once_among_everything() -> None:
    left = of_dataset(*({"id": n, "tags": [n, "x"], "same": 1} for n in range(60)))
    right = of_dataset(*({"id": n, "tags": ["x", n + 1]} for n in range(59, 20, -1)))
    diff = compare_versions(left, right)

    among_all = [row for row in all_rows(diff, document(right)) if row.kind != "same"]

    assert sorted((row.label, row.kind) for row in among_all) == sorted(
        (row.label, row.kind) for row in changed_rows(diff)
    )


def test_anchors_are_the_labels_own() -> None:
    left = version(config_snapshot={f"<b>{n}": n for n in range(1000)})
    rows = changed_rows(compare_versions(left, version(config_snapshot={})))

    anchors = {row.anchor for row in rows}

    assert len(anchors) == 1000
    assert all(anchor.replace("-", "").isalnum() for anchor in anchors)


def test_long_texts_are_shown_around_where_they_differ() -> None:
    old = "a" * 5000 + "old" + "b" * 5000
    new = "a" * 5000 + "new and longer" + "b" * 5000

    sides = show_sides(old, new)

    assert sides.old is not None
    assert sides.new is not None
    assert (sides.old.differs, sides.new.differs) == ("old", "new and longer")
    assert sides.old.before.startswith("…")
    assert sides.old.after.endswith("…")
    assert sides.old.is_cut


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("completed", "failed", ("completed", "failed")),
        ("meta-llama/8B", "mistralai/8B", ("meta-llama", "mistralai")),
        ("v1 of it", "v12 of it", ("v1", "v12")),
        ("one two", "one two three", ("", " three")),
        ("", "all", ("", "all")),
        # Of a long word, such as a hash, a part is marked.
        ("f" * 40 + "0", "f" * 40 + "1", ("0", "1")),
    ],
)
def test_words_are_marked_whole(old: str, new: str, differs: tuple[str, str]) -> None:
    sides = show_sides(old, new)

    assert sides.old is not None
    assert sides.new is not None
    assert (sides.old.differs, sides.new.differs) == differs
    assert sides.old.before + sides.old.differs + sides.old.after == f'"{old}"'


def test_a_column_without_a_value_is_empty_and_null_in_a_snapshot_is_a_value() -> None:
    left = version(1, config_snapshot={"seed": None}, budget_limit=None)
    right = version(1, config_snapshot={"seed": 1}, budget_limit="5.00")

    rows = {row.steps: row.sides for row in changed_rows(compare_versions(left, right))}

    assert rows[("budget",)].old is None
    seed = rows[("seed",)].old
    assert seed is not None
    assert seed.differs == "null"


def test_large_values_are_cut_and_say_how_large_they_are() -> None:
    sides = show_sides(None, list(range(10_000)), has_old=False)

    assert sides.old is None
    assert sides.new is not None
    assert len(sides.new.differs) == MAX_SHOWN
    assert sides.new.is_cut
    assert sides.new.size == len(pretty_json(list(range(10_000))))


# --- curves


def curve(values: list[float]) -> Curve:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    points = [
        MetricPoint(step=step, value=value, recorded_at=moment) for step, value in enumerate(values)
    ]
    return Curve("loss", points)


def test_a_short_curve_is_drawn_and_listed_whole() -> None:
    short = curve([3.0, 1.0, 2.0])

    assert short.to_json() == {"name": "loss", "points": 3, "steps": [0, 1, 2], "values": [3, 1, 2]}
    assert short.listed == short.points
    assert (short.lowest.step, short.highest.step) == (1, 0)


def test_a_long_curve_keeps_its_extremes() -> None:
    values = [1.0] * 100_000
    values[54_321], values[12_345] = 9.0, -9.0

    drawn = curve(values).drawn

    assert len(drawn) <= MAX_DRAWN
    assert {9.0, -9.0} <= {point.value for point in drawn}
    steps = [point.step for point in drawn]
    assert steps == sorted(set(steps))
    listed = curve(values).listed
    assert (len(listed), listed[0].step, listed[-1].step) == (MAX_LISTED, 0, 99_999)
