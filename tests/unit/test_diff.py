"""Comparing: every difference is told once, where a reader looks for it, and the patch leads to the other side."""

import dataclasses
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import jsonpatch
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonpointer import resolve_pointer
from pydantic import BaseModel, Field

from training_versions import diff as diff_module
from training_versions.diff import Change, ChangeKind, VersionDiff, compare_versions, document
from training_versions.errors import InvalidInputError
from training_versions.models import Version
from training_versions.snapshots.codec import MAX_DEPTH

ID = UUID("11111111-1111-4111-8111-111111111111")
OTHER_ID = UUID("22222222-2222-4222-8222-222222222222")
NOW = datetime(2026, 1, 2, tzinfo=UTC)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
FEW = st.sampled_from([None, True, False, 0, 1, 1.0, 2, "", "a", "~/"])
NAMES = st.sampled_from(["a", "b", "", "0", "-", "~", "/", "~1", "datasetId", "id", "name"])
MEMBERS: Any = {"id": st.integers(0, 6) | st.sampled_from("abc"), "x": FEW, "y": st.lists(FEW)}
ENTRIES: st.SearchStrategy[Any] = st.lists(st.fixed_dictionaries(MEMBERS), max_size=6)
IDENTIFIED: Any = {
    "id": st.sampled_from([0, 1, "0", None]),
    "name": st.sampled_from("ab"),
    "x": FEW,
}
MIXED: st.SearchStrategy[Any] = st.lists(
    st.fixed_dictionaries({}, optional=IDENTIFIED) | FEW, max_size=8
)
JSON: st.SearchStrategy[Any] = st.recursive(
    FEW | SCALARS | ENTRIES,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)


class Lora(BaseModel):
    r: int
    alpha: int = Field(default=16, alias="loraAlpha")


@dataclasses.dataclass
class BaseModelRef:
    repo: str
    pinned_at: datetime
    price: Decimal


def version(
    config: object = None, dataset: object = None, **columns: object
) -> Version[Any, Any, Any]:
    row: dict[str, object] = {name: None for name in Version.model_fields}
    row |= {
        "id": ID,
        "package_id": ID,
        "version_number": 1,
        "name": "bot-v1",
        "status": "published",
    }
    row |= {"created_at": NOW, "updated_at": NOW, "is_deployed": False, "model_snapshot": {}}
    row |= {"config_snapshot": config or {}, "dataset_snapshot": dataset or []}
    return cast("Version[Any, Any, Any]", Version.model_validate(row | columns))


def configs(left: object, right: object) -> VersionDiff:
    return compare_versions(version({"at": left}), version({"at": right}))


def told(diff: VersionDiff) -> list[tuple[str, str]]:
    return [(str(change.kind), change.path) for change in diff]


def exact(value: object) -> object:
    """Give what two JSON values share exactly if they are equal, as `==` takes `True` for 1."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [exact(item) for item in cast("list[object]", value)]
    return (isinstance(value, bool), value)


def patched(left: Version[Any, Any, Any], right: Version[Any, Any, Any]) -> object:
    patch = json.loads(json.dumps(compare_versions(left, right).to_json_patch(), allow_nan=False))
    return cast("Any", jsonpatch).apply_patch(document(left), patch)


@given(JSON, JSON)
@example([{"id": 1}, {"id": 2, "x": 0}], [{"id": 2, "x": 1}, {"id": 3}, {"id": 1}])
@example([{"id": 1, "x": [1]}, {"id": 2, "x": [1, 2]}], [{"id": 2, "x": [0, 1, 2]}])
@example([1, True, 0], [True, 1, False])
@example({"a": 1, "b": [{"id": 1}, {"id": 2}]}, {"a": 2, "b": [{"id": 2}, {"id": 1}]})
def test_the_patch_turns_left_into_right(left: object, right: object) -> None:
    before, after = version({"at": left}), version({"at": right})

    assert exact(patched(before, after)) == exact(document(after))


@given(MIXED, st.data())
def test_the_patch_turns_left_into_right_whatever_identities_there_are(
    left: list[object], data: Any
) -> None:
    right = data.draw(
        MIXED | st.permutations(left) | st.permutations([*left, {"id": 9}, {"id": 1}, 3])
    )
    before, after = version({"at": left}), version({"at": right})

    assert exact(patched(before, after)) == exact(document(after))


@given(JSON, JSON)
def test_a_diff_is_empty_exactly_when_both_are_equal(left: object, right: object) -> None:
    assert bool(configs(left, right)) is (exact(left) != exact(right))


@given(JSON)
def test_nothing_differs_from_its_own_copy(value: object) -> None:
    diff = configs(value, json.loads(json.dumps(value)))

    assert (len(diff), bool(diff), list(diff), str(diff)) == (0, False, [], "no differences")
    assert (diff.to_json_patch(), diff.to_dict()) == ([], {"changes": []})


@given(JSON, JSON)
@example([{"id": 1, "x": [1, 2]}], [{"id": 0}, {"id": 1, "x": [2]}])
def test_paths_lead_to_the_values_they_come_with(left: object, right: object) -> None:
    before, after = version({"at": left}), version({"at": right})

    for change in compare_versions(before, after):
        if change.kind == ChangeKind.REMOVED:
            assert exact(resolve_pointer(document(before), change.path)) == exact(change.old)
        else:
            assert exact(resolve_pointer(document(after), change.path)) == exact(change.new)


def test_a_changed_number_comes_with_its_path_and_by_how_much() -> None:
    diff = compare_versions(
        version({"lora": {"r": 8, "alpha": 16}}), version({"lora": {"r": 16, "alpha": 16}})
    )

    assert list(diff) == [
        Change("/config_snapshot/lora/r", "/config_snapshot/lora/r", ChangeKind.CHANGED, 8, 16)
    ]
    assert diff[0].delta == 8


@pytest.mark.parametrize(
    ("old", "new", "delta"),
    [
        (8, 16, 8),
        (10**30, 10**30 + 1, 1),
        (0.1, 0.3, 0.2),
        (2e-4, 1e-4, -1e-4),
        (1, 1.5, 0.5),
        (-1e308, 1e308, None),
        (10**400, 0.5, None),
        (False, 1, None),
        (1, True, None),
        (1, "2", None),
        (None, 2, None),
    ],
)
def test_deltas_are_exact_as_written(old: object, new: object, delta: float | None) -> None:
    (change,) = configs(old, new)

    assert change.delta == delta
    assert isinstance(change.delta, type(delta))


def test_costs_are_decimals_whose_difference_is_exact() -> None:
    diff = compare_versions(
        version(estimated_cost="99999999.98"), version(estimated_cost="99999999.99")
    )

    assert (diff[0].old, diff[0].delta) == (Decimal("99999999.98"), Decimal("0.01"))
    assert diff.to_json_patch() == [
        {"op": "replace", "path": "/estimated_cost", "value": 99999999.99}
    ]
    assert str(diff) == "~ /estimated_cost  99999999.98 -> 99999999.99  (+0.01)"


def test_a_cost_that_was_not_known_is_a_change_from_null() -> None:
    (change,) = compare_versions(version(), version(actual_cost="4.20"))

    assert (change.kind, change.old, change.new, change.delta) == (
        "changed",
        None,
        Decimal("4.20"),
        None,
    )


@pytest.mark.parametrize(
    ("left", "right"), [(1, 1.0), (0.0, -0.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1})]
)
def test_what_jsonb_cannot_tell_apart_is_equal(left: object, right: object) -> None:
    assert not configs(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, True), (0, False), (1, "1"), ("[]", []), (None, False), ([1], [True]), ("", None)],
)
def test_what_json_tells_apart_is_one_change(left: object, right: object) -> None:
    assert len(configs(left, right)) == 1


def test_null_is_not_missing() -> None:
    left, removed, emptied = version({"a": 1}), version({}), version({"a": None})

    assert told(compare_versions(left, removed)) == [("removed", "/config_snapshot/a")]
    assert told(compare_versions(left, emptied)) == [("changed", "/config_snapshot/a")]
    assert told(compare_versions(removed, emptied)) == [("added", "/config_snapshot/a")]


def test_slashes_and_tildes_in_names_are_escaped() -> None:
    diff = compare_versions(version({"a/b~c": 1}), version({"a/b~c": 2}))

    assert told(diff) == [("changed", "/config_snapshot/a~1b~0c")]


def test_plain_fields_are_told_and_what_makes_it_another_version_is_not() -> None:
    later = datetime(2026, 3, 4, tzinfo=UTC)
    right = version(
        id=OTHER_ID, package_id=OTHER_ID, version_number=2, created_at=later, updated_at=later, created_by=OTHER_ID,
        published_at=later, published_by=OTHER_ID, parent_version_id=ID, training_started_at=later,
        training_completed_at=later, cost_alerts_sent={"50": "2026-03-04"},
        name="bot-v2", status="archived", change_summary="better", is_deployed=True, deployment_target="hf_space",
        deployment_url="https://example.org", deployment_id="7", training_status="completed",
        training_metrics={"loss": 0.1}, estimated_cost=1, actual_cost=2, budget_limit=3,
    )  # fmt: skip

    diff = compare_versions(version(), right)

    assert [change.path for change in diff] == [
        "/name", "/status", "/change_summary", "/training_status", "/training_metrics", "/estimated_cost",
        "/actual_cost", "/budget_limit", "/is_deployed", "/deployment_target", "/deployment_url", "/deployment_id",
    ]  # fmt: skip
    assert {type(change.new) for change in diff.filter("/status", "/training_status")} == {str}


def test_typed_snapshots_are_compared_as_they_are_stored() -> None:
    ref = {"base": BaseModelRef("mistral", NOW, Decimal("0.10")), "price": Decimal("0.10")}
    stored = {
        "base": {"repo": "mistral", "pinned_at": "2026-01-02T00:00:00Z", "price": "0.10"},
        "price": "0.10",
    }
    left = version(Lora(r=8, loraAlpha=16), model_snapshot=ref)
    plain = version({"r": 8, "loraAlpha": 32}, model_snapshot=stored)

    diff = compare_versions(left, plain)

    assert told(diff) == [("changed", "/config_snapshot/loraAlpha")]
    assert document(left)["config_snapshot"] == {"r": 8, "loraAlpha": 16}


@pytest.mark.parametrize("identity", ["datasetId", "id", "name"])
def test_a_data_set_inserted_at_the_front_is_one_addition(identity: str) -> None:
    left = [{identity: "faq", "split": "train"}, {identity: "tickets", "split": "train"}]

    diff = compare_versions(
        version(dataset=left), version(dataset=[{identity: "new", "split": "test"}, *left])
    )

    assert told(diff) == [("added", "/dataset_snapshot/0")]
    assert diff[0].label == f"/dataset_snapshot/{identity}=new"
    assert [operation["op"] for operation in diff.to_json_patch()] == ["add"]


def test_a_change_inside_a_matched_entry_is_named_by_the_entry() -> None:
    left = [{"datasetId": "a/b", "files": [{"name": "x", "rows": 1}]}]
    right = [
        {"datasetId": "new"},
        {"datasetId": "a/b", "files": [{"name": "y"}, {"name": "x", "rows": 3}]},
    ]

    diff = compare_versions(version(dataset=left), version(dataset=right))

    assert [(change.label, change.path) for change in diff] == [
        ("/dataset_snapshot/datasetId=new", "/dataset_snapshot/0"),
        ("/dataset_snapshot/datasetId=a~1b/files/name=y", "/dataset_snapshot/1/files/0"),
        ("/dataset_snapshot/datasetId=a~1b/files/name=x/rows", "/dataset_snapshot/1/files/1/rows"),
    ]
    assert diff[-1].delta == 2


def test_entries_that_changed_places_are_one_change_of_the_array() -> None:
    left = [{"id": 1}, {"id": 2}, {"id": 3, "x": 1}]
    right = [{"id": 3, "x": 2}, {"id": 1}, {"id": 2}]

    diff = configs(left, right)

    assert told(diff) == [
        ("changed", "/config_snapshot/at"),
        ("changed", "/config_snapshot/at/0/x"),
    ]
    assert [change.reordered for change in diff] == [True, False]
    assert (
        str(diff).splitlines()[0] == "~ /config_snapshot/at         order: [1, 2, 3] -> [3, 1, 2]"
    )


@pytest.mark.parametrize(
    "left",
    [
        pytest.param([{"id": 1, "x": 1}, {"id": 1, "x": 2}], id="one has it twice"),
        pytest.param([{"id": 1}, {"x": 1}], id="one does not have it"),
        pytest.param([{"id": 1}, {"name": "a"}], id="one has another"),
        pytest.param([{"id": 1}, 5], id="one is no object"),
        pytest.param([{"id": None}, {"id": 1}], id="one is null"),
        pytest.param([{"id": True}, {"id": 1}], id="one is a boolean"),
        pytest.param([{"id": [1]}, {"id": 1}], id="one is an array"),
    ],
)
def test_each_entry_is_matched_by_its_own_identity_whatever_the_others_have(
    left: list[Any],
) -> None:
    changed: list[Any] = [
        {**each, "y": 1} if each in ({"id": 1}, {"id": 1, "x": 1}) else each for each in left
    ]

    diff = configs(left, [{"id": 7}, *left])
    both = configs(left, [{"id": 7}, *changed])

    assert told(diff) == [("added", "/config_snapshot/at/0")]
    assert diff[0].label == "/config_snapshot/at/id=7"
    assert [change.kind for change in both] == ["added"] * len(both)
    assert len(both) == 1 + sum(old != new for old, new in zip(left, changed, strict=True))


def test_of_entries_with_the_same_identity_the_first_is_matched_with_the_first() -> None:
    left = [{"id": 1, "x": "a"}, {"id": 2}, {"id": 1, "x": "b"}]
    right = [{"id": 1, "x": "c"}, {"id": 2}, {"id": 1, "x": "d"}, {"id": 1}]

    assert [(change.path, change.label) for change in configs(left, right).filter("")] == [
        ("/config_snapshot/at/0/x", "/config_snapshot/at/id=1/x"),
        ("/config_snapshot/at/2/x", "/config_snapshot/at/2/x"),
        ("/config_snapshot/at/3", "/config_snapshot/at/3"),
    ]


def test_entries_without_identity_are_aligned_between_those_that_have_one() -> None:
    left, right = [1, {"id": "a"}, {"x": 1}, {"id": "b"}], [{"id": "a"}, {"x": 2}, {"id": "b"}, 1]

    assert told(configs(left, right)) == [
        ("removed", "/config_snapshot/at/0"),
        ("changed", "/config_snapshot/at/1/x"),
        ("added", "/config_snapshot/at/3"),
    ]


def test_entries_change_places_among_others_without_identity() -> None:
    diff = configs(
        [{"id": 1}, 5, {"id": 2}, {"name": "a"}], [{"id": 2}, {"id": 1}, 5, {"name": "a"}]
    )

    assert str(diff) == '~ /config_snapshot/at  order: [1, 2, "a"] -> [2, 1, "a"]'


@pytest.mark.parametrize("text", ["1", "-1.5", "1e5", '"1"'])
def test_a_text_that_reads_as_a_number_is_another_identity_and_label(text: str) -> None:
    left = [{"id": json.loads(text), "n": 1}, {"id": text, "n": 1}]
    right = [{"id": json.loads(text), "n": 2}, {"id": text, "n": 2}]

    first, second = compare_versions(version(dataset=left), version(dataset=right))

    assert (first.path, second.path) == ("/dataset_snapshot/0/n", "/dataset_snapshot/1/n")
    assert first.label != second.label
    assert second.label == f"/dataset_snapshot/id={json.dumps(text)}/n"


@pytest.mark.parametrize("text", ["007", "2025-01-01", "9b", "true", "-", ""])
def test_other_texts_are_labels_as_they_are(text: str) -> None:
    (change,) = compare_versions(version(), version(dataset=[{"id": text}]))

    assert change.label == f"/dataset_snapshot/id={text}"


def test_entries_of_which_not_all_have_the_first_identity_are_matched_by_the_next() -> None:
    diff = configs(
        [{"datasetId": 1, "name": "a"}, {"name": "b"}],
        [{"name": "b"}, {"datasetId": 1, "name": "a"}],
    )

    assert [change.reordered for change in diff] == [True]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (["b"], ["a", "b"], [("added", 0)]),
        (["q", "v"], ["q", "k", "v", "o"], [("added", 1), ("added", 3)]),
        (["q", "k", "v", "o"], ["q", "v"], [("removed", 1), ("removed", 3)]),
        (["q", "v"], ["v", "q"], [("removed", 0), ("added", 1)]),
        ([1, 2, 3], [1, 5, 3], [("changed", 1)]),
        ([1, 1, 1], [1, 1], [("removed", 2)]),
        ([{"x": 1}, {"x": 2}, 9], [0, {"x": 1}, {"x": 3}, 9], [("added", 0), ("changed", "2/x")]),
    ],
)
def test_other_arrays_are_aligned_by_what_is_equal(
    left: object, right: object, expected: list[object]
) -> None:
    diff = configs(left, right)

    assert sorted(told(diff)) == sorted(
        (kind, f"/config_snapshot/at/{at}") for kind, at in cast("Any", expected)
    )


def test_a_filter_counts_names_as_a_whole() -> None:
    diff = compare_versions(
        version({"r": 1, "rank": {"x": 1}}), version({"r": 2, "rank": {"x": 2}}, name="other")
    )

    assert [change.path for change in diff.filter("/config_snapshot/r")] == ["/config_snapshot/r"]
    assert [change.path for change in diff.filter("/config_snapshot/rank")] == [
        "/config_snapshot/rank/x"
    ]
    assert len(diff.filter("/config_snapshot", "/name")) == len(diff.filter("")) == len(diff)
    assert not diff.filter("/model_snapshot")


def test_a_filtered_patch_changes_that_part_alone() -> None:
    left, right = (
        version({"r": 1}, [{"id": 1}], name="one"),
        version({"r": 2}, [{"id": 2}, {"id": 1}], name="two"),
    )

    patch = (
        compare_versions(left, right)
        .filter("/config_snapshot", "/dataset_snapshot")
        .to_json_patch()
    )

    assert cast("Any", jsonpatch).apply_patch(document(left), patch) == document(right) | {
        "name": "one"
    }


def test_a_part_of_an_array_is_found_by_its_label_but_not_patched_alone() -> None:
    left = [{"datasetId": "faq", "x": 1}, {"datasetId": "faq-2", "x": 1}]
    right = [{"datasetId": "new"}, {"datasetId": "faq", "x": 2}, {"datasetId": "faq-2", "x": 2}]
    diff = compare_versions(version(dataset=left), version(dataset=right))

    part = diff.filter("/dataset_snapshot/datasetId=faq")

    assert told(part) == [("changed", "/dataset_snapshot/1/x")]
    with pytest.raises(
        InvalidInputError, match="part of the array /dataset_snapshot cannot be patched alone"
    ):
        part.to_json_patch()
    with pytest.raises(InvalidInputError, match="part of the array"):
        part.filter("/dataset_snapshot").to_json_patch()
    assert part.filter("/name").to_json_patch() == []


def test_an_array_inside_an_array_is_not_patched_alone_either() -> None:
    left, right = ([{"id": 1, "files": files}] for files in (["a"], ["a", "b"]))
    diff = configs(left, right)

    with pytest.raises(InvalidInputError, match="part of the array /config_snapshot/at cannot"):
        diff.filter("/config_snapshot/at/0/files").to_json_patch()
    assert [
        operation["op"] for operation in diff.filter("/config_snapshot/at").to_json_patch()
    ] == ["add"]


@pytest.mark.parametrize("right", [[], [*range(-1001, 0), *range(2000)]])
def test_an_array_of_which_more_than_a_thousand_entries_come_or_go_is_replaced(
    right: list[int],
) -> None:
    diff = configs([*range(2000)], right)

    assert diff.to_json_patch() == [
        {"op": "replace", "path": "/config_snapshot/at", "value": right}
    ]
    assert len(diff) == abs(len(right) - 2000)


@pytest.mark.parametrize("prefix", ["config_snapshot", None, 3])
def test_what_is_no_path_is_refused(prefix: Any) -> None:
    with pytest.raises(InvalidInputError, match="is not a path such as '/config_snapshot'"):
        compare_versions(version(), version()).filter(prefix)


def test_a_filter_without_a_path_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="Name at least one path") as caught:
        configs(1, 2).filter()

    assert caught.value.field == "prefixes"


def test_what_the_documentation_of_a_diff_needs_is_public() -> None:
    assert {"VersionDiff", "compare_versions", "document"} <= {*diff_module.__all__}
    assert all(hasattr(diff_module, name) for name in diff_module.__all__)


@pytest.mark.parametrize("other", [None, {}, "11111111-1111-4111-8111-111111111111"])
def test_what_is_no_version_is_refused(other: Any) -> None:
    with pytest.raises(InvalidInputError, match="version must be a Version with its snapshots"):
        document(other)
    with pytest.raises(InvalidInputError, match="left must be a Version with its snapshots"):
        compare_versions(other, version())
    with pytest.raises(InvalidInputError, match="right must be a Version with its snapshots"):
        compare_versions(version(), other)


def test_text_is_aligned_and_says_what_happened() -> None:
    left = version({"lora": {"r": 8}, "warmup": 100, "rate": 2e-4}, name="bot-v1")
    right = version(
        {"lora": {"r": 16}, "rate": 1e-4, "dora": True}, [{"datasetId": "faq"}], name="bot-v2"
    )

    assert str(compare_versions(left, right)).splitlines() == [
        '~ /name                            "bot-v1" -> "bot-v2"',
        "~ /config_snapshot/lora/r          8 -> 16  (+8)",
        "- /config_snapshot/warmup          100",
        "~ /config_snapshot/rate            0.0002 -> 0.0001  (-0.0001)",
        "+ /config_snapshot/dora            true",
        '+ /dataset_snapshot/datasetId=faq  {"datasetId": "faq"}',
    ]


def test_long_values_are_shown_where_they_begin_to_differ() -> None:
    diff = configs("so it goes " * 20 + "and ends here", "so it goes " * 20 + "and goes on")

    assert (
        diff.to_text(width=24) == '~ /config_snapshot/at  ...s and ends here" -> ...s and goes on"'
    )
    assert len(configs("x" * 10_000, None).to_text()) < 200


@pytest.mark.parametrize("width", [0, -1, 1.5, True, "60", None])
def test_a_width_that_shows_nothing_is_refused(width: Any) -> None:
    with pytest.raises(InvalidInputError, match="width must be a positive integer"):
        configs(1, 2).to_text(width=width)


def test_text_stays_one_line_for_each_change_whatever_is_in_it() -> None:
    diff = compare_versions(
        version({"a\nb": "\x1b[2J\u202eevil"}), version({"a\nb": "gr\u00fc\u00dfe"})
    )

    assert str(diff) == '~ /config_snapshot/a\\nb  "\\u001b[2J\\u202eevil" -> "gr\u00fc\u00dfe"'


def test_plain_data_is_json_and_leaves_out_what_is_not_there() -> None:
    diff = compare_versions(
        version({"a": None, "r": 1}), version({"b": None, "r": 2}, actual_cost="1.50")
    )

    plain = json.loads(json.dumps(diff.to_dict(), allow_nan=False))

    assert [sorted(change.keys() - {"path", "label", "kind"}) for change in plain["changes"]] == [
        ["old"], ["delta", "new", "old"], ["new"], ["new", "old"],
    ]  # fmt: skip
    assert plain["changes"][-1]["new"] == 1.5


def test_a_diff_is_a_sequence_that_nothing_changes_later() -> None:
    left, right = version({"a": [1], "b": 1}), version({"a": [1], "b": {"c": [2]}})
    diff = compare_versions(left, right)
    patch: Any = diff.to_json_patch()

    right.config_snapshot["b"]["c"].append(3)
    patch[0]["value"]["c"].append(4)

    assert diff[0] in diff
    assert diff[:1] == (diff[0],)
    assert repr(diff) == "<VersionDiff: 1 change>"
    assert diff[0].new == {"c": [2]}
    with pytest.raises(dataclasses.FrozenInstanceError):
        diff[0].path = "/name"  # pyright: ignore[reportAttributeAccessIssue]  # that it is refused is the point


def test_snapshots_as_deep_as_the_repositories_allow_are_compared() -> None:
    left, right = (
        json.loads('{"a":[' * (MAX_DEPTH // 2) + leaf + "]}" * (MAX_DEPTH // 2)) for leaf in "12"
    )

    diff = compare_versions(version(left), version(right))

    assert [change.delta for change in diff] == [1]
    assert patched(version(left), version(right)) == document(version(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(list(range(50_000)), [*range(1, 50_000), 0], id="rotated"),
        pytest.param(
            [n % 7 for n in range(20_000)], [n % 5 for n in range(20_000)], id="repetitive"
        ),
        pytest.param(
            [{"id": n} for n in range(20_000)],
            [{"id": n} for n in range(20_000)][::-1],
            id="reversed",
        ),
        pytest.param(
            [{"id": n} for n in range(20_000)],
            [{"id": -n} for n in range(20_000)],
            id="other entries",
        ),
        pytest.param(
            [{"x": n} for n in range(20_000)], [{"x": -n} for n in range(10_000)], id="no identity"
        ),
    ],
)
def test_long_arrays_take_no_more_than_their_length(
    left: list[object], right: list[object]
) -> None:
    start = time.process_time()
    result = patched(version({"at": left}), version({"at": right}))
    seconds = time.process_time() - start

    assert cast("Any", result)["config_snapshot"]["at"] == right
    assert seconds < 20  # a second at most on its own; what grows with the square takes minutes
