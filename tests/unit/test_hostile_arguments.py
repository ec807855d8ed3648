"""No argument, however odd, makes the SDK raise an error that is not its own.

Every argument of every operation is given every kind of value here. Whether it is taken or refused
is told elsewhere: that an error, if there is one, is ours, and can be shown.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import partial
from typing import Any, cast

import postgrest
import pytest
from pydantic import BaseModel, model_serializer

from tests.data import CALLS, version_row
from training_versions import (
    DraftAutosaver,
    InvalidInputError,
    TrainingVersionsError,
    VersionRepository,
    VersionSummary,
    models,
)

from .scripted import OTHER, PACKAGES, VERSIONS, versions, where_of

CLIENT = postgrest.SyncPostgrestClient("http://nowhere.test")


class Boom(Exception):
    """What is raised by a value that nobody may look at; it cannot be shown either."""

    def __str__(self) -> str:
        raise RuntimeError("boom")


def boom(*_: object, **__: object) -> Any:
    raise Boom


def hostile(base: type, *names: str) -> Any:
    """Make a class whose methods of these names raise."""
    return cast("Any", type(f"Hostile{base.__name__}", (base,), dict.fromkeys(names, boom)))


SHOWN = ("__repr__", "__str__", "__format__")
COMPARED = ("__eq__", "__lt__", "__le__", "__ge__")
Nothing = hostile(object, *SHOWN, *COMPARED, "__bool__", "__len__", "__iter__", "__getattr__")
Text = hostile(str, *SHOWN, "__len__", "strip", "lower", "isascii")
Integer = hostile(int, *SHOWN, *COMPARED)
Float = hostile(float, *SHOWN, *COMPARED)
Object = hostile(dict, *SHOWN, "items", "keys", "values", "__iter__", "__len__", "__getitem__")
Array = hostile(list, *SHOWN, "__iter__", "__len__", "__getitem__")
HostileMapping = hostile(Mapping, "__getitem__", "__iter__", "__len__")
HostileSequence = hostile(Sequence, "__getitem__", "__len__")
HostileZone = hostile(tzinfo, "utcoffset", "dst")


class NotATime(datetime):
    """As the NaT of pandas, it is a datetime that is none."""

    def utcoffset(self) -> Any:
        return self

    def astimezone(self, tz: object = None) -> Any:
        return self

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return "NaT"


class Unfinished(Mapping[str, object]):
    """As a DictConfig of OmegaConf, it raises where a value is missing."""

    def __getitem__(self, key: str) -> object:
        raise Boom

    def __iter__(self) -> Iterator[str]:
        return iter(["learning_rate"])

    def __len__(self) -> int:
        return 1


class Unwritable(BaseModel):
    @model_serializer
    def write(self) -> Any:
        raise Boom


class Fields(BaseModel):
    a: int


@dataclasses.dataclass
class Computed:
    a: int = 1

    def __getattribute__(self, name: str) -> Any:
        return boom() if name == "a" else object.__getattribute__(self, name)


class Colour(enum.Enum):
    RED = 1


class WithId:
    id = property(boom)


class ToDict:
    to_dict = boom


class ToItself:
    def to_dict(self) -> object:
        return self


class Scalar:
    item = boom
    shape = ()


async def coroutine_function() -> None: ...


def endless() -> Iterator[int]:
    yield 1
    raise Boom


UUID_TEXT = "11111111-1111-4111-8111-111111111111"
VALUES: list[Callable[[], object]] = [
    *(Nothing, HostileMapping, HostileSequence, Unfinished, Unwritable, Computed, WithId),
    *(ToDict, ToItself, Scalar, object, endless),
    *(lambda: Text("draft"), lambda: Text(UUID_TEXT), lambda: Integer(3), lambda: Float(1.5)),
    *(lambda: Object(a=1), lambda: Array([{"a": 1}]), lambda: Array(["draft"])),
    *(lambda: datetime(2025, 1, 1, tzinfo=HostileZone()), lambda: NotATime(2025, 1, 1)),
    *(lambda: Fields.model_construct(), lambda: Colour.RED, lambda: Fields, lambda: int),
    *(lambda: coroutine_function, lambda: None, lambda: pytest, lambda: 1j, lambda: b"x"),
    *(lambda: float("nan"), lambda: 10**400, lambda: Decimal("sNaN"), lambda: "x" * 100_000),
    *(lambda: "\ud800", lambda: "a\0b", lambda: f"URN:UUID:{UUID_TEXT}"),
    *(lambda: [Nothing()], lambda: {"a": Nothing()}, lambda: [{"a": Scalar()}]),
    *(lambda: (Text("draft"),), lambda: [Integer(5)], lambda: {Text("k"): Float(2.5)}),
]


def arguments_of(method: Any) -> list[str]:
    """Return the arguments of a method, with those of its typed keyword arguments."""
    names: list[str] = []
    for name, parameter in inspect.signature(method).parameters.items():
        unpacked = re.match(r"Unpack\[(\w+)\]", str(parameter.annotation))
        if unpacked is None:
            names.append(name)
        else:
            names += getattr(models, unpacked[1]).__annotations__
    return names


def error_of(call: Callable[..., object], **arguments: object) -> TrainingVersionsError | None:
    """Return the error of ours that a call raises, if it does; any other error fails the test."""
    try:
        call(**arguments)
    except TrainingVersionsError as exc:
        return exc
    return None


def method_of(operation: str) -> Any:
    repository, name = operation.split(".")
    return getattr({"packages": PACKAGES, "versions": VERSIONS}[repository], name)


@pytest.mark.parametrize("operation", CALLS)
def test_whatever_is_given_an_error_is_ours_and_can_be_shown(operation: str) -> None:
    method = method_of(operation)
    for argument in arguments_of(method):
        for value in VALUES:
            error = error_of(method, **CALLS[operation].arguments | {argument: value()})
            assert error is None or len(str(error)) < 2000


@pytest.mark.parametrize("argument", ["config", "model", "dataset"])
def test_whatever_a_typed_repository_is_given_an_error_is_ours(argument: str) -> None:
    typed = versions(config=Fields, model=Fields, dataset=list[Fields])
    for value in VALUES:
        update = cast("Any", partial(typed.update_draft, OTHER))
        error = error_of(update, **{argument: value()})
        assert isinstance(error, InvalidInputError | None)


@pytest.mark.parametrize("operation", ["export", "import_"])
@pytest.mark.parametrize("argument", ["package_id", "file", "progress"])
def test_whatever_a_bundle_is_made_of_an_error_is_ours(operation: str, argument: str) -> None:
    for value in VALUES:
        given = {"package_id": OTHER, "file": io.BytesIO(b"{}"), "progress": None}
        begun = getattr(PACKAGES, operation)(**given | {argument: value()})
        try:
            error = error_of(begun.__next__)
        except OSError:
            continue  # of a name that a file might have
        assert error is None or str(error)


@pytest.mark.parametrize("argument", ["client", "config", "model", "dataset", "retry_pauses"])
def test_whatever_a_repository_is_made_of_an_error_is_ours(argument: str) -> None:
    for value in VALUES:
        error = error_of(VersionRepository, **{"client": CLIENT, argument: value()})
        assert error is None or str(error)


@pytest.mark.parametrize("argument", ["versions", "draft", "interval", "on_error"])
def test_whatever_an_autosaver_is_made_of_an_error_is_ours(argument: str) -> None:
    repository = VersionRepository(CLIENT)
    for value in VALUES:
        given = {"versions": repository, "draft": None, argument: value()}
        with pytest.raises(InvalidInputError):
            DraftAutosaver(**cast("Any", given))


def test_a_coroutine_instead_of_a_client_says_what_is_missing() -> None:
    forgotten = cast("Any", coroutine_function())
    with pytest.raises(InvalidInputError, match="not a coroutine") as caught:
        VersionRepository(forgotten)
    forgotten.close()

    assert "await" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("https://x.supabase.co", "not text, such as a URL"),
        (None, "not None"),
        (VersionRepository, "not the class VersionRepository"),
        ({"url": "https://x.supabase.co"}, "not dict"),
        (VERSIONS, "not VersionRepository"),
    ],
)
def test_what_is_given_instead_of_a_client_is_named(client: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        VersionRepository(client)

    assert "create_client(url, key)" in str(caught.value.hint)


def test_a_version_where_a_number_is_wanted_is_told_where_the_number_is() -> None:
    version = VersionSummary.model_validate(version_row())

    with pytest.raises(InvalidInputError, match="left must be an integer") as caught:
        VERSIONS.compare_numbers(OTHER, cast("Any", version), 2)

    assert caught.value.hint == "Pass its version_number."


@pytest.mark.parametrize("prefix", ["urn:uuid:", "URN:UUID:", "Urn:Uuid:"])
def test_an_identifier_is_read_in_any_case(prefix: str) -> None:
    assert where_of(VERSIONS.get(f"{prefix}{UUID_TEXT}".upper())) == (("id", "eq", UUID_TEXT),)


class Incomplete(Unfinished):
    def __getitem__(self, key: str) -> object:
        raise LookupError(f"Missing mandatory value: {key}")


def test_what_a_value_raised_is_told() -> None:
    with pytest.raises(InvalidInputError, match="Missing mandatory value: learning_rate") as caught:
        VERSIONS.update_draft(OTHER, config=Incomplete())

    assert caught.value.field == "config"
