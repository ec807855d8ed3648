"""Bad input, at every entry where it can be given: either an error names the field and nothing is sent, or it works and
comes back equal. The refusals of the database itself are in `test_refusals.py`.
"""

from __future__ import annotations

import functools
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from training_versions import InvalidInputError, NotFoundError

NAN, INFINITY = float("nan"), float("inf")


@dataclass
class Desk:
    """Somebody with a package, a draft in it, and the record of what they send."""

    who: Any
    package: Any
    draft: Any

    @property
    def versions(self) -> Any:
        return self.who.versions

    @property
    def packages(self) -> Any:
        return self.who.packages


@pytest.fixture(scope="module")
def desk(connect: Any, person: Any, snapshots: Any, rows_of: Any) -> Iterator[Desk]:
    ada = connect(person())
    package = ada.packages.create("support-bot", template_type="lora", config={"r": 8})
    draft = ada.versions.create_draft(package.id, **snapshots, estimated_cost=1, budget_limit=2)
    before = rows_of(ada.id)
    ada.sent.clear()
    yield Desk(ada, package, draft)
    assert rows_of(ada.id) == before


@pytest.fixture
def refused(desk: Desk, survives_pickle: Any) -> Iterator[Callable[..., InvalidInputError]]:
    """Asserts that a call is refused for one of its fields, and that nothing was sent."""

    def check(field: str, act: Callable[[], Any]) -> InvalidInputError:
        desk.who.sent.clear()
        with pytest.raises(InvalidInputError) as caught:
            act()

        error = caught.value
        assert error.field == field
        assert field in error.message
        assert isinstance(error, ValueError)
        assert len(error.message) < 500
        assert desk.who.sent == []
        survives_pickle(error)
        return error

    return check


def draft_with(desk: Desk, **given: Any) -> Any:
    content = {"config": {}, "model": {}, "dataset": [], **given}
    return desk.versions.create_draft(content.pop("package_id", desk.package.id), **content)


# --- snapshots: what JSON or PostgreSQL cannot hold


def ring() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = [value]
    return value


@functools.cache  # they take long to build
def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@functools.cache
def nested_lists(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def endless() -> Any:
    class Endless:
        def to_dict(self) -> dict[str, Any]:
            return {"more": Endless()}

    return Endless()


UNSTORABLE: dict[str, Callable[[], Any]] = {
    "NaN": lambda: NAN,
    "infinity": lambda: INFINITY,
    "minus infinity": lambda: -INFINITY,
    "a decimal NaN": lambda: Decimal("NaN"),
    "a decimal sNaN": lambda: Decimal("sNaN"),
    "a decimal infinity": lambda: Decimal("-Infinity"),
    "a decimal that no float is": lambda: Decimal("0.1234567890123456789"),
    "NUL": lambda: "a\0b",
    "a NUL key": lambda: {"a\0b": 1},
    "half of a surrogate pair": lambda: "\ud83d",
    "the other half": lambda: "x\udc00",
    "a surrogate key": lambda: {"\ud83d": 1},
    "an integer key": lambda: {1: "a"},
    "a None key": lambda: {None: "a"},
    "a tuple key": lambda: {(1, 2): "a"},
    "bytes": lambda: b"abc",
    "a bytearray": lambda: bytearray(b"abc"),
    "a memoryview": lambda: memoryview(b"abc"),
    "a set": lambda: {1, 2},
    "a date": lambda: datetime(2025, 1, 31),
    "a complex number": lambda: 1j,
    "an object": object,
    "a class": lambda: dict,
    "a function": lambda: print,
    "a generator": lambda: (n for n in range(3)),
    "a circle of objects": ring,
    "a circle of arrays": lambda: [ring()],
    "10,000 objects deep": lambda: nested(10_000),
    "10,000 arrays deep": lambda: nested_lists(10_000),
    "an object that gives itself": endless,
    "an integer too long for Python": lambda: 10**5_000,
}

# Where a snapshot is given, and how deep in it the value is put.
SNAPSHOT_ENTRIES: dict[str, tuple[str, Callable[[Desk, Any], Any]]] = {
    "packages.create": (
        "config",
        lambda desk, bad: desk.packages.create("n", template_type="t", config={"x": bad}),
    ),
    "packages.update": (
        "config",
        lambda desk, bad: desk.packages.update(desk.package.id, config={"x": [bad]}),
    ),
    "create_draft config": ("config", lambda desk, bad: draft_with(desk, config={"x": {"y": bad}})),
    "create_draft model": ("model", lambda desk, bad: draft_with(desk, model={"x": bad})),
    "create_draft dataset": (
        "dataset",
        lambda desk, bad: draft_with(desk, dataset=[{}, {"x": bad}]),
    ),
    "update_draft config": (
        "config",
        lambda desk, bad: desk.versions.update_draft(desk.draft.id, config={"x": bad}),
    ),
    "update_draft model": (
        "model",
        lambda desk, bad: desk.versions.update_draft(desk.draft.id, model={"x": bad}),
    ),
    "update_draft dataset": (
        "dataset",
        lambda desk, bad: desk.versions.update_draft(desk.draft.id, dataset=[{"x": bad}]),
    ),
    "list config": (
        "config_contains",
        lambda desk, bad: desk.versions.list(config_contains={"x": bad}),
    ),
    "iterate model": (
        "model_contains",
        lambda desk, bad: desk.versions.iterate(model_contains={"x": bad}),
    ),
    "count dataset": (
        "dataset_contains",
        lambda desk, bad: desk.versions.count(dataset_contains=[{"x": bad}]),
    ),
}


@pytest.mark.parametrize("entry", SNAPSHOT_ENTRIES)
def test_what_cannot_be_stored_in_a_snapshot_is_refused_before_anything_is_sent(
    desk: Desk, refused: Any, entry: str
) -> None:
    field, give = SNAPSHOT_ENTRIES[entry]

    for make in UNSTORABLE.values():
        refused(field, lambda make=make: give(desk, make()))


def test_a_refusal_tells_the_path_to_what_cannot_be_stored(desk: Desk, refused: Any) -> None:
    for bad, words in (
        (NAN, "config.layers[1]['q proj'] is nan"),
        (b"x", "config.layers[1]['q proj'] is of type bytes"),
        ("\0", "config.layers[1]['q proj'] contains a NUL character"),
        ("\ud800", "config.layers[1]['q proj'] contains half of a surrogate pair"),
        ({1: 2}, "config.layers[1]['q proj'] has the key 1, and keys must be strings"),
    ):
        give = {"layers": [{}, {"q proj": bad}]}
        assert refused(
            "config", lambda give=give: draft_with(desk, config=give)
        ).message.startswith(words)


@pytest.mark.parametrize(
    "bad",
    [None, "r=8", 8, 8.5, True, [], [{"r": 8}], (), b"{}", {"r"}, object(), dict],
    ids=lambda bad: re.sub(" at 0x.*", "", repr(bad)),
)
def test_a_config_or_model_that_is_no_object_is_refused(desk: Desk, refused: Any, bad: Any) -> None:
    refused("config", lambda: desk.packages.create("n", template_type="t", config=bad))
    refused("config", lambda: desk.packages.update(desk.package.id, config=bad))
    refused("config", lambda: draft_with(desk, config=bad))
    refused("config", lambda: desk.versions.update_draft(desk.draft.id, config=bad))
    refused("model", lambda: draft_with(desk, model=bad))
    refused("model", lambda: desk.versions.update_draft(desk.draft.id, model=bad))
    if bad is not None:  # None does not filter
        refused("config_contains", lambda: desk.versions.list(config_contains=bad))
        refused("model_contains", lambda: desk.versions.count(model_contains=bad))


@pytest.mark.parametrize(
    "bad",
    [None, "tickets", 8, True, {}, {"id": "a"}, ["tickets"], [1], [None], [[{}]], [{}, "x"], b"[]"],
    ids=repr,
)
def test_a_data_set_that_is_no_array_of_objects_is_refused(
    desk: Desk, refused: Any, bad: Any
) -> None:
    refused("dataset", lambda: draft_with(desk, dataset=bad))
    refused("dataset", lambda: desk.versions.update_draft(desk.draft.id, dataset=bad))


@pytest.mark.parametrize("bad", ["tickets", 8, True, ["tickets"], [None], [[{}]], b"[]"], ids=repr)
def test_a_data_set_filter_that_is_no_object_and_no_array_of_objects_is_refused(
    desk: Desk, refused: Any, bad: Any
) -> None:
    refused("dataset_contains", lambda: desk.versions.list(dataset_contains=bad))
    refused("dataset_contains", lambda: desk.versions.iterate(dataset_contains=bad))


# --- names and other texts

NAME_ENTRIES: dict[str, tuple[str, Callable[[Desk, Any], Any]]] = {
    "packages.create name": (
        "name",
        lambda desk, bad: desk.packages.create(bad, template_type="t", config={}),
    ),
    "packages.create type": (
        "template_type",
        lambda desk, bad: desk.packages.create("n", template_type=bad, config={}),
    ),
    "packages.update name": (
        "name",
        lambda desk, bad: desk.packages.update(desk.package.id, name=bad),
    ),
    "packages.update type": (
        "template_type",
        lambda desk, bad: desk.packages.update(desk.package.id, template_type=bad),
    ),
    "create_draft": ("name", lambda desk, bad: draft_with(desk, name=bad)),
    "update_draft": ("name", lambda desk, bad: desk.versions.update_draft(desk.draft.id, name=bad)),
    "publish": ("name", lambda desk, bad: desk.versions.publish(desk.draft.id, name=bad)),
}
TEXT_ENTRIES: dict[str, tuple[str, Callable[[Desk, Any], Any]]] = {
    "create_draft summary": (
        "change_summary",
        lambda desk, bad: draft_with(desk, change_summary=bad),
    ),
    "update_draft summary": (
        "change_summary",
        lambda desk, bad: desk.versions.update_draft(desk.draft.id, change_summary=bad),
    ),
    "versions.list text": ("text", lambda desk, bad: desk.versions.list(text=bad)),
    "versions.iterate text": ("text", lambda desk, bad: desk.versions.iterate(text=bad)),
    "versions.count text": ("text", lambda desk, bad: desk.versions.count(text=bad)),
    "packages.list text": ("text", lambda desk, bad: desk.packages.list(text=bad)),
    "packages.list type": (
        "template_type",
        lambda desk, bad: desk.packages.list(template_type=bad),
    ),
}
NOT_TEXT = ["a\0b", "\ud83d", 5, True, b"name", ["name"], object()]
BLANK = ["", " ", "\t\n ", "\u2003\u3000", "\u00a0"]
OPTIONAL = ("create_draft", "publish")


@pytest.mark.parametrize("entry", NAME_ENTRIES)
def test_a_name_that_is_blank_too_long_or_no_text_is_refused(
    desk: Desk, refused: Any, entry: str
) -> None:
    field, give = NAME_ENTRIES[entry]
    longest = 100 if field == "template_type" else 255

    for bad in [*NOT_TEXT, *BLANK, "n" * (longest + 1), "n" * 10_000]:
        refused(field, lambda bad=bad: give(desk, bad))
    if entry not in OPTIONAL:
        refused(field, lambda: give(desk, None))


@pytest.mark.parametrize("entry", TEXT_ENTRIES)
def test_a_text_that_is_too_long_or_no_text_is_refused(
    desk: Desk, refused: Any, entry: str
) -> None:
    field, give = TEXT_ENTRIES[entry]

    for bad in [*NOT_TEXT, "n" * 10_001]:
        refused(field, lambda bad=bad: give(desk, bad))


def test_the_refusal_of_a_long_name_says_the_limit(desk: Desk, refused: Any) -> None:
    error = refused("name", lambda: draft_with(desk, name="n" * 10_000))

    assert error.message == "name has 10,000 characters, and 255 is the most."


# --- costs

BAD_COSTS = [
    -1,
    -0.01,
    Decimal("-0.01"),
    "0.001",
    12.345,
    Decimal("1.005"),
    100_000_000,
    "99999999.995",
    Decimal("1e9"),
    10**400,
    NAN,
    INFINITY,
    -INFINITY,
    "NaN",
    "sNaN",
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    0.1 + 0.2,
    "ten",
    "",
    "1,50",
    "12 €",
    True,
    [1],
    {"cents": 5},
    b"5",
    1j,
    object(),
]


@pytest.mark.parametrize("field", ["estimated_cost", "budget_limit"])
def test_a_cost_that_is_no_number_of_cents_in_range_is_refused(
    desk: Desk, refused: Any, field: str
) -> None:
    for bad in BAD_COSTS:
        created = refused(field, lambda bad=bad: draft_with(desk, **{field: bad}))
        refused(field, lambda bad=bad: desk.versions.update_draft(desk.draft.id, **{field: bad}))

        assert "99,999,999.99 with at most two decimals" in created.message


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (0, "0"),
        (-0.0, "0"),
        (Decimal("-0"), "0"),
        (7, "7"),
        ("7.5", "7.50"),
        (0.1, "0.10"),
        (19.99, "19.99"),
        (0.29, "0.29"),
        (99_999_999.99, "99999999.99"),
        (99_999_999.98, "99999999.98"),
        (Decimal("99999999.99"), "99999999.99"),
        (Decimal("1E+2"), "100"),
        (Decimal("1.10000"), "1.10"),
        ("1e2", "100"),
        (0.01, "0.01"),
    ],
    ids=repr,
)
def test_a_cost_comes_back_equal(ada: Any, draft: Any, given: Any, stored: str) -> None:
    edited = ada.versions.update_draft(draft.id, estimated_cost=given, budget_limit=given)

    for version in (
        edited,
        ada.versions.get(draft.id),
        ada.versions.list(draft.package_id).items[0],
    ):
        assert version.estimated_cost == version.budget_limit == Decimal(stored)
        assert isinstance(version.estimated_cost, Decimal)


# --- identifiers

BAD_IDS = [
    "",
    "not-a-uuid",
    "123",
    "0" * 33,
    "g" * 32,
    5,
    None,
    True,
    b"0" * 16,
    ["x"],
    uuid4,
    "\0" * 36,
]
BAD_IDS += [
    "\uff11" * 32,
    "+" + "1" * 31,
    "0x" + "1" * 30,
    "1_1" + "1" * 29,
    " " * 31 + "1",
]  # Python's UUID takes these
ID_ENTRIES: dict[str, tuple[str, Callable[[Desk, Any], Any]]] = {
    "packages.create": (
        "package_id",
        lambda desk, bad: desk.packages.create("n", template_type="t", config={}, package_id=bad),
    ),
    "packages.create user": (
        "user_id",
        lambda desk, bad: desk.packages.create("n", template_type="t", config={}, user_id=bad),
    ),
    "packages.get": ("package_id", lambda desk, bad: desk.packages.get(bad)),
    "packages.find": ("package_id", lambda desk, bad: desk.packages.find(bad)),
    "packages.update": ("package_id", lambda desk, bad: desk.packages.update(bad, name="n")),
    "packages.delete": ("package_id", lambda desk, bad: desk.packages.delete(bad)),
    "next_version_number": ("package_id", lambda desk, bad: desk.versions.next_version_number(bad)),
    "create_draft": ("package_id", lambda desk, bad: draft_with(desk, package_id=bad)),
    "create_draft parent": (
        "parent_version_id",
        lambda desk, bad: draft_with(desk, parent_version_id=bad),
    ),
    "create_draft own": ("version_id", lambda desk, bad: draft_with(desk, version_id=bad)),
    "update_draft": ("version_id", lambda desk, bad: desk.versions.update_draft(bad, name="n")),
    "update_draft parent": (
        "parent_version_id",
        lambda desk, bad: desk.versions.update_draft(desk.draft.id, parent_version_id=bad),
    ),
    "delete_draft": ("version_id", lambda desk, bad: desk.versions.delete_draft(bad)),
    "publish": ("version_id", lambda desk, bad: desk.versions.publish(bad)),
    "archive": ("version_id", lambda desk, bad: desk.versions.archive(bad)),
    "get": ("version_id", lambda desk, bad: desk.versions.get(bad)),
    "find": ("version_id", lambda desk, bad: desk.versions.find(bad)),
    "get_by_number": ("package_id", lambda desk, bad: desk.versions.get_by_number(bad, 1)),
    "latest_published": ("package_id", lambda desk, bad: desk.versions.latest_published(bad)),
    "latest": ("package_id", lambda desk, bad: desk.versions.latest(bad)),
    "list": ("package_id", lambda desk, bad: desk.versions.list(bad)),
    "iterate": ("package_id", lambda desk, bad: desk.versions.iterate(bad)),
    "count": ("package_id", lambda desk, bad: desk.versions.count(bad)),
    "list parent": (
        "parent_version_id",
        lambda desk, bad: desk.versions.list(parent_version_id=bad),
    ),
}
MAY_BE_NONE = (
    "packages.create",
    "packages.create user",
    "create_draft parent",
    "create_draft own",
    "update_draft parent",
    "list",
    "iterate",
    "count",
    "list parent",
)


@pytest.mark.parametrize("entry", ID_ENTRIES)
def test_an_identifier_that_is_no_uuid_is_refused(desk: Desk, refused: Any, entry: str) -> None:
    field, give = ID_ENTRIES[entry]

    for bad in BAD_IDS:
        if bad is None and entry in MAY_BE_NONE:
            continue
        assert "must be a UUID" in refused(field, lambda bad=bad: give(desk, bad)).message


@pytest.mark.parametrize("bad", [0, -1, True, 1.0, "1", None, NAN, [1]], ids=repr)
def test_a_version_number_that_none_can_have_is_refused(desk: Desk, refused: Any, bad: Any) -> None:
    refused("version_number", lambda: desk.versions.get_by_number(desk.package.id, bad))


def test_a_number_beyond_integers_never_finds_the_greatest_one(
    ada: Any, package: Any, draft: Any, stack: Any
) -> None:
    # Databases that are older than the rules may have such a row.
    stack.psql(
        "set session_replication_role = replica; "
        "update public.training_package_versions set version_number = 2147483647 where id = :'id';",
        admin=True,
        id=str(draft.id),
    )
    assert ada.versions.get_by_number(package.id, 2**31 - 1).id == draft.id

    for number in (2**31, 2**31 + 5, 2**63, 10**30):
        with pytest.raises((InvalidInputError, NotFoundError), match=str(number)):
            ada.versions.get_by_number(package.id, number)


# --- pages


@pytest.mark.parametrize(
    "bad", [0, -1, -(10**30), True, 2.5, 10.0, "10", None, NAN, [10]], ids=repr
)
def test_a_page_size_that_is_no_positive_integer_is_refused(
    desk: Desk, refused: Any, bad: Any
) -> None:
    refused("limit", lambda: desk.versions.list(limit=bad))
    refused("limit", lambda: desk.packages.list(limit=bad))
    refused("page_size", lambda: desk.versions.iterate(page_size=bad))
    refused("page_size", lambda: desk.packages.iterate(page_size=bad))


@pytest.mark.parametrize("size", [1_000, 1_000_000, 2**31, 2**63, 10**30])
def test_a_page_size_above_every_cap_works(ada: Any, draft: Any, size: int) -> None:
    assert [version.id for version in ada.versions.list(limit=size).items] == [draft.id]
    assert [version.id for version in ada.versions.iterate(page_size=size)] == [draft.id]
    assert (
        len(ada.packages.list(limit=size).items)
        == len(list(ada.packages.iterate(page_size=size)))
        == 1
    )


@pytest.fixture
def shelf(ada: Any, package: Any, snapshots: Any) -> Any:
    """Somebody with three drafts in a package, and two more packages."""
    for n in range(3):
        ada.versions.create_draft(package.id, **snapshots, name=f"n{n}")
    for n in range(2):
        ada.packages.create(f"other {n}", template_type="lora", config={})
    return ada


def test_a_cursor_of_another_list_is_refused(shelf: Any, package: Any) -> None:
    here: dict[str, Any] = {"limit": 1}
    cursor = shelf.versions.list(package.id, **here).next_cursor
    everywhere = shelf.versions.list(**here).next_cursor
    packages = shelf.packages.list(**here).next_cursor
    other = shelf.packages.list(text="other 1").items[0].id
    assert None not in (cursor, everywhere, packages)
    shelf.sent.clear()

    for act in (
        lambda: shelf.versions.list(other, cursor=cursor),
        lambda: shelf.versions.list(cursor=cursor),
        lambda: shelf.versions.list(package.id, cursor=everywhere),
        lambda: shelf.versions.list(package.id, cursor=packages),
        lambda: shelf.versions.list(package.id, order="oldest", cursor=cursor),
        lambda: shelf.versions.list(package.id, status="draft", cursor=cursor),
        lambda: shelf.versions.list(package.id, text="n", cursor=cursor),
        lambda: shelf.versions.list(package.id, config_contains={}, cursor=cursor),
        lambda: shelf.packages.list(cursor=cursor),
        lambda: shelf.packages.list(cursor=everywhere),
        lambda: shelf.packages.list(text="o", cursor=packages),
    ):
        with pytest.raises(InvalidInputError) as caught:
            act()

        assert caught.value.field == "cursor"
        assert "same package, filters and order" in caught.value.hint
    assert shelf.sent == []


def test_a_mangled_cursor_is_refused(shelf: Any, package: Any) -> None:
    cursor = shelf.versions.list(package.id, limit=1).next_cursor
    everywhere = shelf.versions.list(limit=1).next_cursor
    mangled: list[Any] = [
        "",
        " ",
        "x",
        "é",
        "%",
        "null",
        "W10",
        "\0",
        "\ud800",
        5,
        True,
        b"W10",
        ["W10"],
        "A" * 100_000,
    ]
    mangled += [
        cursor[:-1],
        cursor[1:],
        cursor + "A",
        cursor + "=",
        cursor.swapcase(),
        cursor[::-1],
        f" {cursor}",
    ]
    mangled += [
        everywhere[:at] + ("A" if everywhere[at] != "A" else "B") + everywhere[at + 1 :]
        for at in range(0, 60, 7)
    ]
    shelf.sent.clear()

    for bad in mangled:
        for act in (
            lambda bad=bad: shelf.versions.list(package.id, cursor=bad),
            lambda bad=bad: shelf.versions.list(cursor=bad),
            lambda bad=bad: shelf.packages.list(cursor=bad),
        ):
            with pytest.raises(InvalidInputError) as caught:
                act()

            assert caught.value.field == "cursor"
            assert len(caught.value.message) < 300
    assert shelf.sent == []


def test_a_cursor_goes_with_another_page_size_and_with_snapshots(shelf: Any, package: Any) -> None:
    cursor = shelf.versions.list(package.id, limit=1).next_cursor

    rest = shelf.versions.list(package.id, limit=50, snapshots=True, cursor=cursor)

    assert [version.version_number for version in rest.items] == [2, 1]


@pytest.mark.parametrize("bad", ["", "new", "NEWEST", None, 1, ["newest"]], ids=repr)
def test_an_order_that_there_is_not_is_refused(desk: Desk, refused: Any, bad: Any) -> None:
    refused("order", lambda: desk.versions.list(order=bad))
    refused("order", lambda: desk.versions.iterate(order=bad))


# --- moments and other filters

BAD_MOMENTS = [
    datetime(2025, 1, 31),
    date(2025, 1, 31),
    "2025-01-31T00:00:00Z",
    1_700_000_000,
    True,
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
]


@pytest.mark.parametrize("bad", BAD_MOMENTS, ids=repr)
def test_a_moment_without_time_zone_or_that_is_none_is_refused(
    desk: Desk, refused: Any, bad: Any
) -> None:
    refused("created_after", lambda: desk.versions.list(created_after=bad))
    refused("created_before", lambda: desk.versions.count(created_before=bad))
    refused("created_before", lambda: desk.versions.iterate(created_before=bad))
    key = desk.draft.id
    refused(
        "expected_updated_at",
        lambda: desk.versions.update_draft(key, name="n", expected_updated_at=bad),
    )
    refused("expected_updated_at", lambda: desk.versions.delete_draft(key, expected_updated_at=bad))
    refused("expected_updated_at", lambda: desk.versions.publish(key, expected_updated_at=bad))


def test_the_refusal_of_a_naive_moment_says_how_to_make_an_aware_one(
    desk: Desk, refused: Any
) -> None:
    error = refused(
        "created_after", lambda: desk.versions.list(created_after=datetime(2025, 1, 31))
    )

    assert "datetime.now(UTC)" in str(error)


@pytest.mark.parametrize(
    "bad", ["", "drafts", "DRAFT", 5, True, ["draft", "x"], [], [None], b"draft", {"draft"}, "a,b"]
)
def test_a_status_that_there_is_not_is_refused(desk: Desk, refused: Any, bad: Any) -> None:
    if bad != {"draft"}:
        refused("status", lambda: desk.versions.list(status=bad))
        refused("status", lambda: desk.versions.count(status=bad))
    if bad != []:
        refused("training_status", lambda: desk.versions.iterate(training_status=bad))


@pytest.mark.parametrize("bad", ["true", 1, 0, "", [True]], ids=repr)
def test_deployed_is_true_or_false(desk: Desk, refused: Any, bad: Any) -> None:
    refused("deployed", lambda: desk.versions.list(deployed=bad))


def test_a_filter_that_there_is_not_is_refused(desk: Desk, refused: Any) -> None:
    refused("stauts", lambda: desk.versions.list(stauts="draft"))
    refused("name", lambda: desk.versions.iterate(name="n"))
    refused("select", lambda: desk.versions.count(select="*"))
    refused("status", lambda: desk.packages.list(status="draft"))


def test_an_edit_of_nothing_is_refused(desk: Desk) -> None:
    for act in (
        lambda: desk.versions.update_draft(desk.draft.id),
        lambda: desk.versions.update_draft(
            desk.draft.id, expected_updated_at=desk.draft.updated_at
        ),
        lambda: desk.packages.update(desk.package.id),
    ):
        with pytest.raises(InvalidInputError, match="nothing to change"):
            act()

    assert desk.who.sent == []


def test_what_may_not_be_empty_is_not_cleared_with_none(desk: Desk, refused: Any) -> None:
    for field in ("config", "model", "dataset", "name"):
        refused(
            field, lambda field=field: desk.versions.update_draft(desk.draft.id, **{field: None})
        )
    for field in ("name", "template_type", "config"):
        refused(field, lambda field=field: desk.packages.update(desk.package.id, **{field: None}))


def test_a_client_of_the_other_kind_is_refused_at_once(
    desk: Desk, connect: Any, stack: Any
) -> None:
    from training_versions import (
        AsyncPackageRepository,
        AsyncVersionRepository,
        PackageRepository,
        VersionRepository,
    )

    kinds = (
        (PackageRepository, VersionRepository)
        if connect.is_async
        else (AsyncPackageRepository, AsyncVersionRepository)
    )
    for kind in kinds:
        for client in (desk.who.client, None, "https://project.supabase.co", stack.url):
            with pytest.raises(InvalidInputError) as caught:
                kind(client)

            assert caught.value.field == "client"


def test_uuids_of_every_spelling_work(ada: Any, draft: Any) -> None:
    for spelling in (
        str(draft.id).upper(),
        draft.id.hex,
        f"{{{draft.id}}}",
        draft.id.urn,
        UUID(str(draft.id)),
    ):
        assert ada.versions.get(spelling) == draft
        assert ada.versions.count(package_id=draft.package_id.urn, parent_version_id=spelling) == 0


@pytest.mark.parametrize("bad", [(-1,), (0.5, NAN), (INFINITY,)], ids=repr)
def test_pauses_that_are_no_seconds_are_refused(connect: Any, ada: Any, bad: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        connect(ada, retry_pauses=bad)

    assert caught.value.field == "retry_pauses"


@pytest.mark.parametrize("field", ["config", "model", "dataset"])
def test_a_type_that_pydantic_cannot_read_is_refused_at_once(
    connect: Any, ada: Any, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        connect(ada, **{field: socket.socket})

    assert caught.value.field == field
