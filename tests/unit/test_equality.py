"""Equality of JSON: as `jsonb` writes it, in both of its forms, and where two objects differ."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_versions.snapshots import MISSING, ContentFingerprints, changed_paths, json_equal

# Few values, so that equal ones come up often.
SCALARS = st.sampled_from(
    [None, True, False, 0, 1, 1.0, -0.0, 0.5, 1e16, 10**16, 1e23, 10**23, int(1e23), "", "1", "a"]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=8,
)


def spelled_out(value: object) -> object:
    """Say of each value what `jsonb` stores it as, so that `==` does not take `True` for 1."""
    if isinstance(value, dict):
        return {name: spelled_out(item) for name, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [spelled_out(item) for item in cast("list[object]", value)]
    if isinstance(value, float) and abs(value) >= 2**53:
        value = int(value)
    return (type(value), value)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, True, False),
        (0, False, False),
        (1, 1.0, False),
        (1, 2 / 2, False),
        (True, 1.0, False),
        (0, -0.0, False),
        (0.0, -0.0, True),
        (10**15, 1e15, False),
        # From here on floats are stored as the integers that they are.
        (2**53, 2.0**53, True),
        (10**23, 1e23, False),
        (int(1e23), 1e23, True),
        (-(10**16), -1e16, True),
        ([1], [True], False),
        ([1], [1, 1], False),
        ({"a": None}, {}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (2, 3, False),
        ([], {}, False),
        (None, MISSING, False),
    ],
)
def test_values_are_equal_if_the_database_writes_them_alike(
    left: object, right: object, equal: bool
) -> None:
    assert json_equal(left, right) is equal
    assert json_equal({"at": [left]}, {"at": [right]}) is equal


@given(JSON, JSON)
def test_fingerprints_are_equal_exactly_if_their_values_are(left: object, right: object) -> None:
    fingerprints = ContentFingerprints()

    same_fingerprint = fingerprints.of(left) == fingerprints.of(right)

    assert same_fingerprint is json_equal(left, right) is (spelled_out(left) == spelled_out(right))


@given(st.lists(JSON, max_size=4))
def test_a_value_has_the_same_fingerprint_alone_and_among_others(values: list[object]) -> None:
    fingerprints = ContentFingerprints()

    assert fingerprints.of_each(values) == [fingerprints.of(value) for value in values]


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": True}, {("a",): True}),
        ({"a": 1}, {}, {("a",): MISSING}),
        ({}, {"a": None}, {("a",): None}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3}}, {("a", "y"): 3}),
        ({"a": {"x": 1}}, {"a": None}, {("a",): None}),
        ({"a": {"x": 1}}, {"a": {}}, {("a", "x"): MISSING}),
        ({"a": [1, 2, 3]}, {"a": [1, 2]}, {("a",): [1, 2]}),
    ],
)
def test_changed_paths_lead_to_the_new_values_and_arrays_are_one_value(
    old: Any, new: Any, changed: object
) -> None:
    assert changed_paths(old, new) == changed


def test_changed_paths_come_in_the_order_of_the_old_object_and_new_keys_last() -> None:
    found = changed_paths({"b": 1, "a": 1}, {"c": 1, "a": 2, "b": 2})

    assert list(found) == [("b",), ("a",), ("c",)]
