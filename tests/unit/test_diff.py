"""Comparing: every difference shows once, where a reader looks for it, and patches lead across."""

import dataclasses
import json
import pickle
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
from pydantic import BaseModel, Field, SecretStr

import training_versions
from training_versions.diff import Change, ChangeKind, VersionDiff, compare_versions, document
from training_versions.errors import InvalidInputError
from training_versions.models import Version
from training_versions.snapshots import MAX_DEPTH, json_equal

ID = UUID("11111111-1111-4111-8111-111111111111")
OTHER_ID = UUID("22222222-2222-4222-8222-222222222222")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = datetime(2026, 3, 4, tzinfo=UTC)

# Few values, so that entries are often equal, and any, so that nothing is left out.
FEW = st.sampled_from([None, True, False, 0, 1, 1.0, 2, "", "a", "~/"])
ANY = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
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
    FEW | ANY | ENTRIES,
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
    config: object = None, dataset: object = None, **columns: Any
) -> Version[Any, Any, Any]:
    row: dict[str, Any] = dict.fromkeys(Version.model_fields)
    row |= {"id": ID, "package_id": ID, "version_number": 1, "name": "bot-v1"}
    row |= {"status": "published", "created_at": NOW, "updated_at": NOW, "is_deployed": False}
    row |= {
        "config_snapshot": config or {},
        "model_snapshot": {},
        "dataset_snapshot": dataset or [],
    }
    return cast("Version[Any, Any, Any]", Version.model_validate(row | columns))


def configs(left: object, right: object) -> VersionDiff:
    return compare_versions(version({"at": left}), version({"at": right}))


def datasets(left: object, right: object) -> VersionDiff:
    return compare_versions(version(dataset=left), version(dataset=right))


def found(diff: VersionDiff, below: str = "") -> list[tuple[str, str]]:
    return [(str(change.kind), change.path.removeprefix(below)) for change in diff]


def patched(left: Version[Any, Any, Any], diff: VersionDiff) -> Any:
    patch = json.loads(json.dumps(diff.to_json_patch(), allow_nan=False))
    return cast("Any", jsonpatch).apply_patch(document(left), patch)


# What is true of all documents


@given(JSON, JSON)
@example([{"id": 1}, {"id": 2, "x": 0}], [{"id": 2, "x": 1}, {"id": 3}, {"id": 1}])
@example([{"id": 1, "x": [1]}, {"id": 2, "x": [1, 2]}], [{"id": 2, "x": [0, 1, 2]}])
@example([1, True, 0], [True, 1, False])
@example({"a": 1, "b": [{"id": 1}, {"id": 2}]}, {"a": 2, "b": [{"id": 2}, {"id": 1}]})
def test_the_patch_turns_left_into_right(left: object, right: object) -> None:
    before, after = version({"at": left}), version({"at": right})

    assert json_equal(patched(before, compare_versions(before, after)), document(after))


@given(MIXED, st.data())
def test_the_patch_turns_left_into_right_whatever_identities_there_are(
    left: list[object], data: Any
) -> None:
    more = [*left, {"id": 9}, {"id": 1}, 3]
    right = data.draw(MIXED | st.permutations(left) | st.permutations(more))
    before, after = version({"at": left}), version({"at": right})

    assert json_equal(patched(before, compare_versions(before, after)), document(after))


@given(JSON, JSON)
@example(1, True)
@example(0, False)
@example([1], [True])
@example(1, "1")
@example("[]", [])
@example([], {})
@example(None, False)
@example("", None)
@example(1, 1.0)
@example(0.0, -0.0)
@example({"a": 1, "b": 2}, {"b": 2, "a": 1})
def test_a_diff_is_empty_exactly_when_both_are_equal_in_jsonb(left: object, right: object) -> None:
    assert bool(configs(left, right)) is not json_equal(left, right)


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
            assert json_equal(resolve_pointer(document(before), change.path), change.old)
        else:
            assert json_equal(resolve_pointer(document(after), change.path), change.new)


# Values


def test_a_changed_number_comes_with_its_path_and_by_how_much() -> None:
    left, right = ({"lora": {"r": r, "alpha": 16}} for r in (8, 16))

    (change,) = compare_versions(version(left), version(right))

    path = "/config_snapshot/lora/r"
    assert change == Change(path, path, ChangeKind.CHANGED, 8, 16)
    assert change.delta == 8


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
        (1, 1.0, 0.0),
        # More digits than Python writes.
        (-9 * 10**4299, 9 * 10**4299, None),
        (False, 1, None),
        (1, True, None),
        (1, "2", None),
        (None, 2, None),
        ([1], [True], None),
    ],
)
def test_deltas_are_exact_as_written(old: object, new: object, delta: float | None) -> None:
    (change,) = configs(old, new)

    assert change.delta == delta
    assert isinstance(change.delta, type(delta))
    assert str(change)


def test_costs_are_decimals_whose_difference_is_exact() -> None:
    left, right = version(estimated_cost="99999999.98"), version(estimated_cost="99999999.99")

    diff = compare_versions(left, right)

    assert (diff[0].old, diff[0].delta) == (Decimal("99999999.98"), Decimal("0.01"))
    assert patched(left, diff)["estimated_cost"] == 99999999.99
    assert str(diff) == "~ /estimated_cost  99999999.98 -> 99999999.99  (+0.01)"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param({"a": 1}, {}, ("removed", "/a"), id="a missing value"),
        pytest.param({"a": 1}, {"a": None}, ("changed", "/a"), id="a null"),
        pytest.param({}, {"a": None}, ("added", "/a"), id="a null that was missing"),
        pytest.param({"a/b~c": 1}, {"a/b~c": 2}, ("changed", "/a~1b~0c"), id="an odd name"),
    ],
)
def test_members_are_added_removed_or_changed(left: object, right: object, expected: Any) -> None:
    diff = compare_versions(version(left), version(right))

    assert found(diff, "/config_snapshot") == [expected]


def test_plain_columns_are_compared_but_not_what_makes_it_another_version() -> None:
    compared = {
        "name": "bot-v2", "status": "archived", "change_summary": "better",
        "training_status": "completed", "training_metrics": {"loss": 0.1},
        "estimated_cost": 1, "actual_cost": 2, "budget_limit": 3,
        "is_deployed": True, "deployment_target": "hf_space",
        "deployment_url": "https://example.org", "deployment_id": "7",
    }  # fmt: skip
    others = {
        "id": OTHER_ID, "package_id": OTHER_ID, "version_number": 2, "parent_version_id": ID,
        "created_at": LATER, "updated_at": LATER, "published_at": LATER, "created_by": OTHER_ID,
        "published_by": OTHER_ID, "training_started_at": LATER, "training_completed_at": LATER,
        "cost_alerts_sent": {"50": "2026-03-04"},
    }  # fmt: skip

    diff = compare_versions(version(), version(**compared, **others))

    assert [change.path for change in diff] == [f"/{column}" for column in compared]
    assert {type(change.new) for change in diff.filter("/status", "/training_status")} == {str}


def test_typed_snapshots_are_compared_as_they_are_stored() -> None:
    ref = {"base": BaseModelRef("mistral", NOW, Decimal("0.10")), "price": Decimal("0.10")}
    base = {"repo": "mistral", "pinned_at": "2026-01-02T00:00:00Z", "price": "0.10"}
    typed = version(Lora(r=8, loraAlpha=16), model_snapshot=ref)
    plain = version({"r": 8, "loraAlpha": 32}, model_snapshot={"base": base, "price": "0.10"})

    diff = compare_versions(typed, plain)

    assert found(diff) == [("changed", "/config_snapshot/loraAlpha")]
    assert document(typed)["config_snapshot"] == {"r": 8, "loraAlpha": 16}


def test_sets_and_masks_of_a_type_are_compared_as_they_are_stored() -> None:
    class Modules(BaseModel):
        names: set[str]
        token: SecretStr | None = None

    names = {"q_proj", "k_proj", "v_proj", "o_proj", "up_proj"}
    typed = version(Modules(names=names, token=SecretStr("x")))

    assert document(typed)["config_snapshot"] == {"names": sorted(names), "token": None}


# Arrays


@pytest.mark.parametrize("identity", ["datasetId", "id", "name"])
def test_a_data_set_inserted_at_the_front_is_one_addition(identity: str) -> None:
    left = [{identity: "faq", "split": "train"}, {identity: "tickets", "split": "train"}]

    diff = datasets(left, [{identity: "new", "split": "test"}, *left])

    assert found(diff) == [("added", "/dataset_snapshot/0")]
    assert diff[0].label == f"/dataset_snapshot/{identity}=new"
    assert [operation["op"] for operation in diff.to_json_patch()] == ["add"]


def test_a_change_inside_a_matched_entry_is_named_by_the_entry() -> None:
    new_files = [{"name": "y"}, {"name": "x", "rows": 3}]
    left = [{"datasetId": "a/b", "files": [{"name": "x", "rows": 1}]}]
    right = [{"datasetId": "new"}, {"datasetId": "a/b", "files": new_files}]

    diff = datasets(left, right)

    assert [(change.label, change.path) for change in diff] == [
        ("/dataset_snapshot/datasetId=new", "/dataset_snapshot/0"),
        ("/dataset_snapshot/datasetId=a~1b/files/name=y", "/dataset_snapshot/1/files/0"),
        ("/dataset_snapshot/datasetId=a~1b/files/name=x/rows", "/dataset_snapshot/1/files/1/rows"),
    ]
    assert diff[-1].delta == 2


@pytest.mark.parametrize(
    ("left", "right", "lines"),
    [
        pytest.param(
            [{"id": 1}, {"id": 2}, {"id": 3, "x": 1}],
            [{"id": 3, "x": 2}, {"id": 1}, {"id": 2}],
            ["order: [1, 2, 3] -> [3, 1, 2]", "1 -> 2  (+1)"],
            id="and one changed",
        ),
        pytest.param(
            [{"id": 1}, 5, {"id": 2}, {"name": "a"}],
            [{"id": 2}, {"id": 1}, 5, {"name": "a"}],
            ['order: [1, 2, "a"] -> [2, 1, "a"]'],
            id="among others without an identity",
        ),
        pytest.param(
            [{"datasetId": 1, "name": "a"}, {"name": "b"}],
            [{"name": "b"}, {"datasetId": 1, "name": "a"}],
            ['order: [1, "b"] -> ["b", 1]'],
            id="by identities of two kinds",
        ),
    ],
)
def test_entries_that_changed_places_are_one_change_of_the_array(
    left: object, right: object, lines: list[str]
) -> None:
    diff = configs(left, right)

    assert [line.split("  ", 1)[1].strip() for line in str(diff).splitlines()] == lines
    assert diff[0].path == "/config_snapshot/at"
    assert [change.reordered for change in diff] == [True] + [False] * (len(diff) - 1)


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
    changed = list(left)
    for index, entry in enumerate(left):
        if entry in ({"id": 1}, {"id": 1, "x": 1}):
            changed[index] = {**entry, "y": 1}

    inserted = configs(left, [{"id": 7}, *left])
    and_changed = configs(left, [{"id": 7}, *changed])

    assert found(inserted) == [("added", "/config_snapshot/at/0")]
    assert inserted[0].label == "/config_snapshot/at/id=7"
    assert [change.kind for change in and_changed] == ["added"] * len(and_changed)
    assert len(and_changed) == 1 + sum(old != new for old, new in zip(left, changed, strict=True))


def test_of_entries_with_the_same_identity_the_first_is_matched_with_the_first() -> None:
    left = [{"id": 1, "x": "a"}, {"id": 2}, {"id": 1, "x": "b"}]
    right = [{"id": 1, "x": "c"}, {"id": 2}, {"id": 1, "x": "d"}, {"id": 1}]

    assert [(change.path, change.label) for change in datasets(left, right)] == [
        ("/dataset_snapshot/0/x", "/dataset_snapshot/id=1/x"),
        ("/dataset_snapshot/2/x", "/dataset_snapshot/2/x"),
        ("/dataset_snapshot/3", "/dataset_snapshot/3"),
    ]


@pytest.mark.parametrize("text", ["1", "-1.5", "1e5", '"1"'])
def test_a_text_that_reads_as_a_number_is_another_identity_and_label(text: str) -> None:
    left, right = ([{"id": json.loads(text), "n": n}, {"id": text, "n": n}] for n in (1, 2))

    first, second = datasets(left, right)

    assert (first.path, second.path) == ("/dataset_snapshot/0/n", "/dataset_snapshot/1/n")
    assert first.label != second.label
    assert second.label == f"/dataset_snapshot/id={json.dumps(text)}/n"


@pytest.mark.parametrize("text", ["007", "2025-01-01", "9b", "true", "-", ""])
def test_other_texts_are_labels_as_they_are(text: str) -> None:
    (change,) = datasets([], [{"id": text}])

    assert change.label == f"/dataset_snapshot/id={text}"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (["b"], ["a", "b"], [("added", "0")]),
        (["q", "v"], ["q", "k", "v", "o"], [("added", "1"), ("added", "3")]),
        (["q", "k", "v", "o"], ["q", "v"], [("removed", "1"), ("removed", "3")]),
        (["q", "v"], ["v", "q"], [("removed", "0"), ("added", "1")]),
        ([1, 2, 3], [1, 5, 3], [("changed", "1")]),
        ([1, 1, 1], [1, 1], [("removed", "2")]),
        (
            [{"x": 1}, {"x": 2}, 9],
            [0, {"x": 1}, {"x": 3}, 9],
            [("added", "0"), ("changed", "2/x")],
        ),
        (
            [1, {"id": "a"}, {"x": 1}, {"id": "b"}],
            [{"id": "a"}, {"x": 2}, {"id": "b"}, 1],
            [("removed", "0"), ("changed", "1/x"), ("added", "3")],
        ),
    ],
)
def test_entries_without_identity_are_aligned_by_what_is_equal(
    left: object, right: object, expected: list[Any]
) -> None:
    assert found(configs(left, right), "/config_snapshot/at/") == expected


@pytest.mark.parametrize("right", [[], [*range(-1001, 0), *range(2000)]])
def test_an_array_of_which_more_than_a_thousand_entries_come_or_go_is_replaced(
    right: list[int],
) -> None:
    diff = configs([*range(2000)], right)

    replacement = {"op": "replace", "path": "/config_snapshot/at", "value": right}
    assert diff.to_json_patch() == [replacement]
    assert len(diff) == abs(len(right) - 2000)


# Filters


def test_a_filter_counts_names_as_a_whole() -> None:
    left = version({"r": 1, "rank": {"x": 1}})
    right = version({"r": 2, "rank": {"x": 2}}, name="other")

    diff = compare_versions(left, right)

    assert found(diff.filter("/config_snapshot/r")) == [("changed", "/config_snapshot/r")]
    assert found(diff.filter("/config_snapshot/rank")) == [("changed", "/config_snapshot/rank/x")]
    assert len(diff.filter("/config_snapshot", "/name")) == len(diff.filter("")) == len(diff)
    assert not diff.filter("/model_snapshot")
    assert not diff.filter("/config_snapshot/r/")  # which is a name that is empty, below `r`


def test_a_filtered_patch_changes_that_part_alone() -> None:
    left = version({"r": 1}, [{"id": 1}], name="one")
    right = version({"r": 2}, [{"id": 2}, {"id": 1}], name="two")

    part = compare_versions(left, right).filter("/config_snapshot", "/dataset_snapshot")

    assert patched(left, part) == document(right) | {"name": "one"}


@pytest.mark.parametrize("prefix", ["/dataset_snapshot/datasetId=faq", "/dataset_snapshot/1/files"])
def test_a_part_of_an_array_is_found_but_not_patched_alone(prefix: str) -> None:
    left = [{"datasetId": name, "files": ["a"]} for name in ("faq", "faq-2")]
    right = [{"datasetId": name, "files": ["a", "b"]} for name in ("new", "faq", "faq-2")]

    part = datasets(left, right).filter(prefix)

    assert found(part) == [("added", "/dataset_snapshot/1/files/1")]
    for each in (part, part.filter("/dataset_snapshot")):
        with pytest.raises(InvalidInputError, match="array /dataset_snapshot cannot be patched"):
            each.to_json_patch()
    assert part.filter("/name").to_json_patch() == []
    assert part.filter("/name").to_json_patch() == []


# What is refused


@pytest.mark.parametrize(
    ("prefixes", "message"),
    [
        ([], "Name at least one path"),
        (["config_snapshot"], "is not a path such as '/config_snapshot'"),
        ([None], "is not a path"),
        (["/name", 3], "is not a path"),
    ],
)
def test_a_filter_takes_paths(prefixes: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        configs(1, 2).filter(*prefixes)

    assert caught.value.field == "prefixes"


@pytest.mark.parametrize("width", [0, -1, 1.5, True, "60", None])
def test_a_width_that_shows_nothing_is_refused(width: Any) -> None:
    with pytest.raises(InvalidInputError, match="width must be a positive integer"):
        configs(1, 2).to_text(width=width)


@pytest.mark.parametrize("other", [None, {}, "11111111-1111-4111-8111-111111111111"])
def test_what_is_no_version_is_refused(other: Any) -> None:
    with pytest.raises(InvalidInputError, match="version must be a Version with its snapshots"):
        document(other)
    with pytest.raises(InvalidInputError, match="left must be a Version with its snapshots"):
        compare_versions(other, version())
    with pytest.raises(InvalidInputError, match="right must be a Version with its snapshots"):
        compare_versions(version(), other)


# As text, as plain data, and as an object


def test_text_is_aligned_and_says_what_happened() -> None:
    left = version({"lora": {"r": 8}, "warmup": 100, "rate": 2e-4}, name="bot-v1")
    config = {"lora": {"r": 16}, "rate": 1e-4, "dora": True}
    right = version(config, [{"datasetId": "faq"}], name="bot-v2")

    assert str(compare_versions(left, right)).splitlines() == [
        '~ /name                            "bot-v1" -> "bot-v2"',
        "~ /config_snapshot/lora/r          8 -> 16  (+8)",
        "- /config_snapshot/warmup          100",
        "~ /config_snapshot/rate            0.0002 -> 0.0001  (-0.0001)",
        "+ /config_snapshot/dora            true",
        '+ /dataset_snapshot/datasetId=faq  {"datasetId": "faq"}',
    ]


@pytest.mark.parametrize(
    ("old", "new", "width", "shown"),
    [
        pytest.param(
            "so it goes " * 20 + "and ends here",
            "so it goes " * 20 + "and goes on",
            24,
            '...s and ends here" -> ...s and goes on"',
            id="where they begin to differ",
        ),
        pytest.param("x" * 10_000, None, 4, '"xxx... -> null', id="from the beginning"),
    ],
)
def test_of_long_values_a_part_is_shown(old: str, new: object, width: int, shown: str) -> None:
    assert configs(old, new).to_text(width=width) == f"~ /config_snapshot/at  {shown}"


def test_long_values_are_shown_shortened_by_default() -> None:
    assert len(configs("x" * 10_000, None).to_text()) < 200


def test_text_stays_one_line_for_each_change_whatever_is_in_it() -> None:
    left, right = version({"a\nb": "\x1b[2J\u202eevil"}), version({"a\nb": "gr\u00fc\u00dfe"})

    line = '~ /config_snapshot/a\\nb  "\\u001b[2J\\u202eevil" -> "gr\u00fc\u00dfe"'
    assert str(compare_versions(left, right)) == line


def test_plain_data_is_json_and_leaves_out_what_is_not_there() -> None:
    right = version({"b": None, "r": 2}, actual_cost="1.50")

    diff = compare_versions(version({"a": None, "r": 1}), right)

    assert json.loads(json.dumps(diff.to_dict(), allow_nan=False)) == {
        "changes": [
            {**at("/config_snapshot/a"), "kind": "removed", "old": None},
            {**at("/config_snapshot/r"), "kind": "changed", "old": 1, "new": 2, "delta": 1},
            {**at("/config_snapshot/b"), "kind": "added", "new": None},
            {**at("/actual_cost"), "kind": "changed", "old": None, "new": 1.5},
        ]
    }


def at(path: str) -> dict[str, str]:
    return {"path": path, "label": path}


def test_a_diff_is_a_sequence_that_nothing_changes_later() -> None:
    left, right = version({"a": [1], "b": 1}), version({"a": [1], "b": {"c": [2]}})
    diff = compare_versions(left, right)
    patch: Any = diff.to_json_patch()

    right.config_snapshot["b"]["c"].append(3)
    patch[0]["value"]["c"].append(4)

    assert diff[0] in diff
    assert diff[:1] == (diff[0],)
    assert repr(diff) == "<VersionDiff: 1 change>"
    assert repr(diff[0]) == "<Change changed '/config_snapshot/b'>"
    assert str(diff[0]) == str(diff) == '~ /config_snapshot/b  1 -> {"c": [2]}'
    assert diff[0].new == {"c": [2]}
    with pytest.raises(dataclasses.FrozenInstanceError):
        cast("Any", diff[0]).path = "/name"


def test_a_diff_survives_pickle_under_its_public_name() -> None:
    diff = configs([{"id": 1}], [{"id": 2, "x": 1.5}])

    copy = pickle.loads(pickle.dumps(diff))

    assert (copy, copy.to_json_patch()) == (diff, diff.to_json_patch())
    for public in (VersionDiff, Change, ChangeKind):
        assert public.__module__ == "training_versions"
        assert getattr(training_versions, public.__name__) is public


# Size


def test_snapshots_as_deep_as_the_repositories_allow_are_compared() -> None:
    levels = MAX_DEPTH // 2
    left, right = (
        version(json.loads('{"a":[' * levels + leaf + "]}" * levels)) for leaf in ("1", "2")
    )

    diff = compare_versions(left, right)

    assert [change.delta for change in diff] == [1]
    assert patched(left, diff) == document(right)


TWENTY_THOUSAND = range(20_000)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param([*range(50_000)], [*range(1, 50_000), 0], id="rotated"),
        pytest.param(
            [n % 7 for n in TWENTY_THOUSAND], [n % 5 for n in TWENTY_THOUSAND], id="repetitive"
        ),
        pytest.param(
            [{"id": n} for n in TWENTY_THOUSAND],
            [{"id": n} for n in reversed(TWENTY_THOUSAND)],
            id="reversed",
        ),
        pytest.param(
            [{"id": n} for n in TWENTY_THOUSAND],
            [{"id": -n} for n in TWENTY_THOUSAND],
            id="other entries",
        ),
        pytest.param(
            [{"x": n} for n in TWENTY_THOUSAND],
            [{"x": -n} for n in range(10_000)],
            id="no identity",
        ),
    ],
)
def test_long_arrays_take_no_more_than_their_length(
    left: list[object], right: list[object]
) -> None:
    before, after = version({"at": left}), version({"at": right})

    start = time.process_time()
    result = patched(before, compare_versions(before, after))
    seconds = time.process_time() - start

    assert result["config_snapshot"]["at"] == right
    # A second at most on its own; what grows with the square takes minutes.
    assert seconds < 20
