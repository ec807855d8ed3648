"""Bad input, at every entry where it can be given: the error names the field, and nothing is sent.

Of training, deployment, costs and history only the first words are here; the rest is in
`tests/unit`.
"""

from __future__ import annotations

import functools
import inspect
import pickle
import re
import socket
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import respx
from pydantic import BaseModel, Field

from tests.data import (
    BUNDLES,
    CALLS,
    MOMENT,
    PACKAGE,
    VERSION,
    package_row,
    public_operations,
    version_row,
)
from tests.faces import Driven
from training_versions import InvalidInputError

NAN, INFINITY = float("nan"), float("inf")

one_face = pytest.mark.parametrize("face", ["sync"], indirect=True)


class Desk:
    """Both repositories, in front of a server that is asked nothing."""

    def __init__(self, versions: Driven, packages: Driven, server: respx.MockRouter) -> None:
        self.versions, self.packages, self.server = versions, packages, server

    def call(self, operation: str, **changed: Any) -> Any:
        repository, method = operation.split(".")
        return getattr(getattr(self, repository), method)(**CALLS[operation].arguments | changed)

    def refused(self, operation: str, field: str, bad: Any) -> InvalidInputError:
        """Make a call with something wrong in a field: it is refused for that and sends nothing."""
        with pytest.raises(InvalidInputError) as caught:
            self.call(operation, **{field: bad})

        error = caught.value
        assert error.field == field
        assert field in error.message
        assert len(error.message) < 500
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), vars(again)) == (str(error), vars(error))
        assert not self.server.calls
        return error


@pytest.fixture
def desk(versions, packages, server):
    return Desk(versions, packages, server)


# --- what is wrong, by kind of value


@functools.cache  # they take long to build
def nested(depth: int, *, arrays: bool = False) -> Any:
    value: Any = [] if arrays else {}
    for _ in range(depth):
        value = [value] if arrays else {"a": value}
    return value


def ring() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = [value]
    return value


class Endless:
    def to_dict(self) -> dict[str, Any]:
        return {"more": Endless()}


UNSTORABLE: list[Any] = [
    *(NAN, INFINITY, -INFINITY, Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")),
    *(Decimal("0.1234567890123456789"), 10**5_000, 1j),
    *("a\0b", {"a\0b": 1}, "\ud83d", "x\udc00", {"\ud83d": 1}),
    *({1: "a"}, {None: "a"}, {(1, 2): "a"}),
    *(b"abc", bytearray(b"abc"), memoryview(b"abc"), {b"a"}, datetime(2025, 1, 31)),
    *(object(), dict, print, (n for n in range(3)), Endless()),
    *(ring(), [ring()]),
]
NO_OBJECT: list[Any] = [*("r=8", 8, 8.5, True, [], [{"r": 8}], (), b"{}", {"r"}, object(), dict)]
NO_DATA_SET: list[Any] = [*("tickets", 8, True, ["tickets"], [1], [None], [[{}]], [{}, "x"], b"[]")]
NO_TEXT: list[Any] = ["a\0b", "\ud83d", 0, 5, True, b"name", ["name"], object()]
BLANK = ["", " ", "\t\n ", "\u2003\u3000", "\u00a0"]
NO_NAME = [*NO_TEXT, *BLANK, "n" * 256, "n" * 10_000]
NO_COST: list[Any] = [
    *(-1, -0.01, Decimal("-0.01"), "0.001", 12.345, Decimal("1.005"), 0.1 + 0.2),
    *(100_000_000, "99999999.995", Decimal("1e9"), 10**400),
    *(NAN, INFINITY, -INFINITY, "NaN", "sNaN", Decimal("NaN"), Decimal("sNaN")),
    *(Decimal("Infinity"), "ten", "", "1,50", "12 €"),
    *(True, [1], {"cents": 5}, b"5", 1j, object()),
]
NO_UUID: list[Any] = [
    *("", "not-a-uuid", "123", "0" * 33, "g" * 32, 5, True, b"0" * 16, ["x"], uuid4, "\0" * 36),
    # Python's UUID takes these.
    *("\uff11" * 32, "+" + "1" * 31, "0x" + "1" * 30, "1_1" + "1" * 29, " " * 31 + "1"),
]
NO_SIZE: list[Any] = [0, -1, -(10**30), True, 2.5, 10.0, "10", None, NAN, [10]]
NO_MOMENT: list[Any] = [
    *(datetime(2025, 1, 31), date(2025, 1, 31), "2025-01-31T00:00:00Z", 1_700_000_000, True),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
]
NO_STATUS: list[Any] = ["", "drafts", "DRAFT", 5, True, ["draft", "x"], [], [None], b"draft", "a,b"]

CREATE, UPDATE = "versions.create_draft", "versions.update_draft"
LISTS = ("versions.list", "versions.iterate", "versions.count")
OF_A_PACKAGE = [
    *(f"packages.{name}" for name in ("get", "find", "update", "delete")),
    *(f"versions.{name}" for name in ("next_version_number", "create_draft", "get_by_number")),
    *("versions.latest_published", "versions.latest"),
]
OF_A_VERSION = [
    f"versions.{name}"
    for name in ("update_draft", "delete_draft", "publish", "archive", "get", "find")
]
OF_LATER_LIFE = [
    operation
    for operation in CALLS
    if "version_id" in CALLS[operation].arguments and operation not in (*OF_A_VERSION, CREATE)
]

# The kind of what is wrong, the values that are, and the entries at which they are refused.
REFUSED: list[tuple[str, list[Any], list[tuple[str, str]]]] = [
    (
        "unstorable",
        [{"x": {"y": bad}} for bad in UNSTORABLE],
        [
            *(("packages.create", "config"), ("packages.update", "config")),
            *(
                (operation, field)
                for operation in (CREATE, UPDATE)
                for field in ("config", "model")
            ),
            *((operation, "config_contains") for operation in LISTS),
            ("versions.iterate", "model_contains"),
        ],
    ),
    (
        "unstorable in a data set",
        [[{}, {"x": bad}] for bad in UNSTORABLE],
        [(CREATE, "dataset"), (UPDATE, "dataset"), ("versions.count", "dataset_contains")],
    ),
    (
        "no object",
        NO_OBJECT,
        [
            *(("packages.create", "config"), ("packages.update", "config")),
            *(
                (operation, field)
                for operation in (CREATE, UPDATE)
                for field in ("config", "model")
            ),
            *(("versions.list", "config_contains"), ("versions.count", "model_contains")),
        ],
    ),
    ("no data set", [*NO_DATA_SET, {}, {"id": "a"}], [(CREATE, "dataset"), (UPDATE, "dataset")]),
    ("no data set to find", NO_DATA_SET, [(operation, "dataset_contains") for operation in LISTS]),
    (
        "no name",
        NO_NAME,
        [
            *(("packages.create", "name"), ("packages.update", "name")),
            *((CREATE, "name"), (UPDATE, "name"), ("versions.publish", "name")),
        ],
    ),
    (
        "no template type",
        [*NO_TEXT, *BLANK, "n" * 101],
        [("packages.create", "template_type"), ("packages.update", "template_type")],
    ),
    (
        "no text",
        [*NO_TEXT, "n" * 10_001],
        [
            *((CREATE, "change_summary"), (UPDATE, "change_summary")),
            *((operation, "text") for operation in (*LISTS, "packages.list")),
            ("packages.list", "template_type"),
        ],
    ),
    (
        "empty",
        [None],
        [
            *((CREATE, field) for field in ("config", "model", "dataset")),
            *((UPDATE, field) for field in ("config", "model", "dataset", "name")),
            *(("packages.create", field) for field in ("name", "template_type", "config")),
            *(("packages.update", field) for field in ("name", "template_type", "config")),
            *((operation, "package_id") for operation in OF_A_PACKAGE),
            *((operation, "version_id") for operation in OF_A_VERSION),
        ],
    ),
    (
        "no cost",
        NO_COST,
        [
            (operation, field)
            for operation in (CREATE, UPDATE)
            for field in ("estimated_cost", "budget_limit")
        ],
    ),
    (
        "no UUID",
        NO_UUID,
        [
            *(
                (operation, "package_id")
                for operation in (*OF_A_PACKAGE, *LISTS, "packages.create")
            ),
            *((operation, "version_id") for operation in (*OF_A_VERSION, CREATE)),
            *((operation, "parent_version_id") for operation in (CREATE, UPDATE, "versions.list")),
            ("packages.create", "user_id"),
        ],
    ),
    (
        "no version number",
        [0, -1, 2**31, True, 1.0, "1", None, NAN, [1]],
        [("versions.get_by_number", "version_number")],
    ),
    (
        "no page size",
        NO_SIZE,
        [
            *(("versions.list", "limit"), ("packages.list", "limit")),
            *(("versions.iterate", "page_size"), ("packages.iterate", "page_size")),
            ("versions.iterate_runs", "page_size"),
        ],
    ),
    (
        "no order",
        ["", "new", "NEWEST", None, 1, ["newest"]],
        [
            *(("versions.list", "order"), ("versions.iterate", "order")),
            ("versions.iterate_runs", "order"),
        ],
    ),
    (
        "no moment",
        NO_MOMENT,
        [
            *(("versions.list", "created_after"), ("versions.count", "created_before")),
            ("versions.iterate", "created_before"),
            *((UPDATE, "expected_updated_at"), ("versions.delete_draft", "expected_updated_at")),
            ("versions.publish", "expected_updated_at"),
        ],
    ),
    ("no status", NO_STATUS, [("versions.list", "status"), ("versions.count", "status")]),
    (
        "no training status",
        ["draft", {"draft"}, *(bad for bad in NO_STATUS if bad != [])],
        [("versions.iterate", "training_status")],
    ),
    ("neither true nor false", ["true", 1, 0, "", [True]], [("versions.list", "deployed")]),
    ("no UUID", NO_UUID, [(operation, "version_id") for operation in OF_LATER_LIFE]),
    ("no UUID", NO_UUID, [("versions.package_cost", "package_id"), ("versions.fork", "into")]),
    ("no version", ["no", None], [("versions.compare", "left"), ("versions.compare", "right")]),
    ("no metrics", [{"loss": NAN}], [("versions.record_metrics", "metrics")]),
    (
        "no target",
        ["moon"],
        [(f"versions.{name}", "target") for name in ("deploy", "undeploy", "live")],
    ),
    ("no moment", NO_MOMENT, [("versions.live_at", "moment")]),
    ("no amount", ["0.001"], [("versions.record_cost", "amount")]),
    (
        "no ids",
        [VERSION, [VERSION, "no"], [None], 7, {VERSION: 1}, [VERSION] * 201],
        [("versions.list", "ids"), ("versions.count", "ids"), ("packages.list", "ids")],
    ),
    (
        "no number",
        [0, -1, "2", 2.0, True, 2**31],
        [("versions.list", "number_below"), ("versions.iterate", "number_above")],
    ),
    (
        "no moment",
        NO_MOMENT,
        [("versions.deployments", "at"), ("versions.iterate_deployments", "at")],
    ),
    (
        "no order",
        ["new", None],
        [("versions.costs", "order"), ("versions.iterate_costs", "order")],
    ),
    ("no version", [None], [("versions.costs", "version_id")]),
    ("no target", ["moon", ""], [("versions.deployments", "target")]),
    ("neither true nor false", ["yes", 1], [("versions.iterate_deployments", "live")]),
    ("no version beside a package", [VERSION], [("versions.deployments", "version_id")]),
    ("no version beside a package", [VERSION], [("versions.history", "version_id")]),
    ("no kind", ["gone"], [("versions.iterate_history", "kind")]),
    ("no filter", ["draft"], [("versions.list", "stauts"), ("versions.iterate", "name")]),
    ("no filter", ["*"], [("versions.count", "select"), ("packages.list", "status")]),
    ("no filter", ["*"], [("packages.overviews", "status")]),
    ("no limit", [0], [("packages.overviews", "limit")]),
    ("no page size", [0], [("packages.iterate_overviews", "page_size")]),
]
CASES = [
    pytest.param(operation, field, values, id=f"{kind}-{operation}-{field}")
    for kind, values, entries in REFUSED
    for operation, field in entries
]


@one_face
@pytest.mark.parametrize(("operation", "field", "values"), CASES)
def test_bad_input_is_refused_for_its_field_and_nothing_is_sent(desk, operation, field, values):
    for bad in values:
        desk.refused(operation, field, bad)


@one_face
@pytest.mark.parametrize("bad", [nested(10_000), nested(10_000, arrays=True)], ids=["{", "["])
def test_what_is_nested_too_deep_is_refused_and_nothing_is_sent(desk, bad):
    desk.refused(CREATE, "config", {"x": bad})
    desk.refused(UPDATE, "dataset", [{"x": bad}])
    desk.refused("versions.list", "model_contains", {"x": bad})


def test_every_operation_is_here():
    # Those of bundles are refused in tests/unit/test_bundle.py.
    assert public_operations() == {*CALLS, *BUNDLES}


@pytest.mark.parametrize("operation", CALLS)
def test_every_operation_refuses_on_both_faces(desk, operation):
    repository, method = operation.split(".")
    signature = inspect.signature(getattr(getattr(desk, repository).target, method))
    first = next(iter(signature.parameters))

    desk.refused(operation, first, object())


# --- what the refusal says

WORDS: list[tuple[str, str, Any, str]] = [
    *(
        (CREATE, "config", {"layers": [{}, {"q proj": bad}]}, f"config.layers[1]['q proj'] {words}")
        for bad, words in (
            (NAN, "is nan"),
            (b"x", "is of type bytes"),
            ("\0", "contains a NUL character"),
            ("\ud800", "contains half of a surrogate pair"),
            ({1: 2}, "has the key 1, and keys must be strings"),
        )
    ),
    (CREATE, "name", "n" * 10_000, "name has 10,000 characters, and 255 is the most."),
    ("versions.list", "text", "x" * 10_000, "500 is the most"),
    (CREATE, "estimated_cost", -1, "99,999,999.99 with at most two decimals"),
    ("versions.get", "version_id", "x", "must be a UUID"),
    ("versions.list", "created_after", datetime(2025, 1, 31), "datetime.now(UTC)"),
    (
        "versions.record_metrics",
        "metrics",
        {"loss": NAN},
        "metrics.loss is nan, which JSON cannot express",
    ),
]


@one_face
@pytest.mark.parametrize(
    ("operation", "field", "bad", "words"), WORDS, ids=[words for *_, words in WORDS]
)
def test_a_refusal_says_where_and_what_would_be_right(desk, operation, field, bad, words):
    assert words in str(desk.refused(operation, field, bad))


@pytest.mark.parametrize(
    "filters",
    [
        {"config_contains": {"x": "🚀" * 10_000}},
        {"config_contains": {"x": "🚀" * 100_000}},
        {"config_contains": {"x": "🚀" * 3_000}, "model_contains": {"x": "🚀" * 3_000}},
    ],
    ids=["long", "very long", "long together"],
)
@one_face
def test_filters_that_are_too_long_say_the_limit(desk, filters):
    with pytest.raises(InvalidInputError, match=r"_contains.*\d") as caught:
        desk.versions.list(**filters)

    assert caught.value.field in filters
    assert len(caught.value.message) < 300
    assert not desk.server.calls


def test_an_edit_of_nothing_is_refused(desk):
    moment = datetime.fromisoformat(MOMENT)
    for act in (
        lambda: desk.versions.update_draft(VERSION),
        lambda: desk.versions.update_draft(VERSION, expected_updated_at=moment),
        lambda: desk.packages.update(PACKAGE),
    ):
        with pytest.raises(InvalidInputError, match="nothing to change"):
            act()

    assert not desk.server.calls


# --- cursors


@pytest.fixture
def cursors(desk):
    """Those of a package's versions, of all versions, and of packages."""
    desk.server.get("/training_package_version_summaries").mock(
        httpx.Response(200, json=[version_row(2), version_row(1)])
    )
    desk.server.get("/training_configs").mock(
        httpx.Response(200, json=[package_row(), package_row(id=str(UUID(int=9)))])
    )
    found = {
        "package": desk.versions.list(PACKAGE, limit=1).next_cursor,
        "everywhere": desk.versions.list(limit=1).next_cursor,
        "packages": desk.packages.list(limit=1).next_cursor,
    }
    assert None not in found.values()
    desk.server.reset()
    return found


OTHER_LISTS: list[tuple[str, str, dict[str, Any]]] = [
    ("package", "versions.list", {"package_id": VERSION}),
    ("package", "versions.list", {}),
    ("everywhere", "versions.list", {"package_id": PACKAGE}),
    ("packages", "versions.list", {"package_id": PACKAGE}),
    ("package", "versions.list", {"package_id": PACKAGE, "order": "oldest"}),
    ("package", "versions.list", {"package_id": PACKAGE, "status": "draft"}),
    ("package", "versions.list", {"package_id": PACKAGE, "text": "n"}),
    ("package", "versions.list", {"package_id": PACKAGE, "config_contains": {}}),
    ("package", "packages.list", {}),
    ("everywhere", "packages.list", {}),
    ("packages", "packages.list", {"text": "o"}),
]


@one_face
@pytest.mark.parametrize(("which", "operation", "given"), OTHER_LISTS)
def test_a_cursor_of_another_list_is_refused(desk, cursors, which, operation, given):
    with pytest.raises(InvalidInputError, match="same package, filters and order") as caught:
        desk.call(operation, **given, cursor=cursors[which])

    assert caught.value.field == "cursor"
    assert not desk.server.calls


def altered(cursor: str, at: int) -> str:
    at %= len(cursor)
    return cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]


MANGLED: dict[str, Callable[[str], Any]] = {
    **{
        repr(text)[:20]: lambda _, text=text: text
        for text in ("", " ", "x", "é", "%", "null", "W10", "\0", "\ud800", "A" * 100_000)
    },
    **{repr(other): lambda _, other=other: other for other in (5, True, b"W10", ["W10"])},
    "the end is cut": lambda cursor: cursor[:-1],
    "the beginning is cut": lambda cursor: cursor[1:],
    "longer": lambda cursor: cursor + "A",
    "padded": lambda cursor: cursor + "=",
    "other case": lambda cursor: cursor.swapcase(),
    "backwards": lambda cursor: cursor[::-1],
    "a blank before": lambda cursor: f" {cursor}",
    **{f"other at {at}": functools.partial(altered, at=at) for at in range(0, 60, 7)},
}


@one_face
@pytest.mark.parametrize("mangle", MANGLED.values(), ids=MANGLED)
def test_a_mangled_cursor_is_refused(desk, cursors, mangle):
    for which, operation, given in (
        ("package", "versions.list", {"package_id": PACKAGE}),
        ("everywhere", "versions.list", {}),
        ("packages", "packages.list", {}),
    ):
        with pytest.raises(InvalidInputError) as caught:
            desk.call(operation, **given, cursor=mangle(cursors[which]))

        assert caught.value.field == "cursor"
        assert len(caught.value.message) < 300
    assert not desk.server.calls


# --- repositories themselves


@pytest.mark.parametrize("bad", [(-1,), (0.5, NAN), (INFINITY,)], ids=repr)
def test_pauses_that_are_no_seconds_are_refused(face, client, bad):
    with pytest.raises(InvalidInputError) as caught:
        face.versions(client, retry_pauses=bad)

    assert caught.value.field == "retry_pauses"


@pytest.mark.parametrize("field", ["config", "model", "dataset"])
def test_a_type_that_pydantic_cannot_read_is_refused(face, client, field):
    with pytest.raises(InvalidInputError) as caught:
        face.versions(client, **{field: socket.socket})

    assert caught.value.field == field


class Config(BaseModel):
    r: int = Field(gt=0)


class DataSet(BaseModel):
    id: str


MISFITS: list[tuple[str, Any, str]] = [
    ("config", {"r": 0}, "config.r does not fit its type"),
    ("config", {}, "config.r does not fit its type"),
    ("config", "r=8", "config does not fit its type"),
    ("model", {"id": 5}, "model.id does not fit its type"),
    ("dataset", [{"id": "a"}, {"share": "much"}], "dataset[1].id does not fit its type"),
    ("dataset", {"id": "a"}, "dataset does not fit its type"),
]


@one_face
@pytest.mark.parametrize(("field", "bad", "words"), MISFITS)
def test_a_snapshot_that_does_not_fit_its_type_is_refused(face, client, desk, field, bad, words):
    types = {"config": Config, "model": DataSet, "dataset": list[DataSet]}
    desk.versions = face.versions(client, **types)

    assert desk.refused(UPDATE, field, bad).message.startswith(words)
    fitting = {"config": {"r": 1}, "model": {"id": "m"}, "dataset": []}
    with pytest.raises(InvalidInputError, match=re.escape(words)):
        desk.call(CREATE, **fitting | {field: bad})
    assert not desk.server.calls
