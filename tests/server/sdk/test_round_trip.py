"""Snapshots come back equal from the database: arbitrary JSON, extreme numbers, and large ones."""

from __future__ import annotations

import math
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training_versions import InvalidInputError, PackageRepository, VersionRepository

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBERS = (
    st.integers()
    | st.integers(-(10**400), 10**400)
    | st.integers(2**63 - 2, 2**64 + 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([sys.float_info.max, sys.float_info.min, 5e-324, 1e16, 1e22, 1e23])
    | st.sampled_from([2**53 + 1, 0.1, 1e-7, -0.0])
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=12,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=5)


@pytest.fixture(scope="module")
def shelf(connect, person):
    # What is drawn at random may be called "secret".
    ada = connect(person(), allow_secrets=True)
    ada.shelf = ada.package().id
    return ada


def same(one: Any, other: Any) -> bool:
    """Equal, and also of the same kind: to Python True is 1, to JSON it is not."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(same(one[k], other[k]) for k in one)
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=OBJECT, model=OBJECT, dataset=st.lists(OBJECT, max_size=4))
def test_arbitrary_json_comes_back_equal(shelf, config, model, dataset):
    draft = shelf.draft(shelf.shelf, config=config, model=model, dataset=dataset)

    for version in (draft, shelf.versions.get(draft.id)):
        assert same(version.config_snapshot, config)
        assert same(version.model_snapshot, model)
        assert same(version.dataset_snapshot, dataset)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=OBJECT)
def test_arbitrary_json_is_found_by_containing_itself(shelf, config):
    draft = shelf.draft(shelf.shelf, config=config)

    assert draft.id in {
        version.id for version in shelf.versions.iterate(shelf.shelf, config_contains=config)
    }


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=OBJECT)
def test_an_edit_of_a_package_config_comes_back_equal(shelf, config):
    assert same(shelf.packages.update(shelf.shelf, config=config).config_json, config)


EDGES: list[float] = [
    *(2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64),
    *(10**100, 10**1_000 + 7, 10**4_299, -(10**4_299)),
    *(0.1, 1 / 3, math.pi * 1e-200, 1e-7, 0.1 + 0.2, 5e-324, -0.0, 1.0),
    *(sys.float_info.min, sys.float_info.max, -sys.float_info.max),
    *(1e16, 1e22, 1e23, 123456789012345680.0, 2.0**53, 2.0**1023),
]


@pytest.mark.parametrize(
    "number", EDGES, ids=lambda number: f"{type(number).__name__} {number!r:.25}"
)
def test_a_number_comes_back_equal(shelf, number):
    content = {"config": {"n": number}, "model": {"n": [number]}, "dataset": [{"n": number}]}
    draft = shelf.draft(shelf.shelf, **content)

    stored = shelf.versions.get(draft.id)

    assert stored.config_snapshot == {"n": number}
    assert stored.model_snapshot == {"n": [number]}
    assert stored.dataset_snapshot == [{"n": number}]


@pytest.mark.parametrize(
    "text", ["0.1", "1.50", "-7", "1E+30", "12345678901234567890", "0.30", "1e-300", "0E+3", "-0"]
)
def test_a_decimal_comes_back_equal(shelf, text):
    number = Decimal(text)

    draft = shelf.draft(shelf.shelf, config={"n": number})

    assert Decimal(repr(shelf.versions.get(draft.id).config_snapshot["n"])) == number


def test_what_jsonb_does_not_keep_is_the_order_of_keys_and_the_sign_of_zero(shelf):
    config = {"zz": 1, "a": -0.0, "mmm": 3}

    stored = shelf.draft(shelf.shelf, config=config).config_snapshot

    assert stored == config
    assert list(stored) == ["a", "zz", "mmm"]
    assert math.copysign(1, stored["a"]) == 1


def test_a_snapshot_as_deep_as_is_allowed_works_and_a_deeper_one_says_the_limit(shelf):
    def nested(depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for _ in range(depth - 1):
            value = {"a": value}
        return value

    draft = shelf.draft(shelf.shelf, config=nested(100))
    shelf.sent.clear()

    with pytest.raises(InvalidInputError, match="100 levels"):
        shelf.versions.update_draft(draft.id, config=nested(101))

    assert shelf.sent == []
    assert shelf.versions.get(draft.id).config_snapshot == nested(100)


def test_an_empty_snapshot_and_empty_keys_work(shelf):
    draft = shelf.draft(shelf.shelf, config={"": {"": ""}}, model={}, dataset=[{}, {}])

    assert (draft.config_snapshot, draft.model_snapshot, draft.dataset_snapshot) == (
        {"": {"": ""}},
        {},
        [{}, {}],
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: [{"text": "x" * 20_000_000}],
        lambda: [{"id": n, "text": "🚀 row " * 10, "score": n / 7} for n in range(12_000)],
    ],
    ids=["one text of 20 MB", "tens of thousands of values"],
)
def test_a_large_snapshot_works(stack, person, make):
    client = stack.client(person().token)
    package = PackageRepository(client).create("support-bot", template_type="lora", config={})
    versions, large = VersionRepository(client), make()

    draft = versions.create_draft(package.id, config={}, model={}, dataset=large)

    assert draft.dataset_snapshot == large
    assert len(versions.list(limit=1).items) == 1
