"""What does not fit a type is found where it is: missing, unknown or invalid, all at once."""

import dataclasses
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    computed_field,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from training_versions.snapshots import Codec


class Optimizer(BaseModel):
    name: str
    rate: float = 0.1


class Lora(BaseModel):
    r: int
    alpha: int = Field(default=16, alias="loraAlpha")
    optimizer: Optimizer = Optimizer(name="adam")
    tags: dict[str, str] = {}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    r: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    r: int


class Reader(BaseModel):
    kind: Literal["csv"]
    path: str


class Stream(BaseModel):
    kind: Literal["stream"]
    url: str


class Source(BaseModel):
    reader: Annotated[Reader | Stream, Field(discriminator="kind")]
    limit: int | None = None
    either: int | list[int] = 0


class Node(BaseModel):
    name: str
    below: "list[Node]" = []


class Pair(TypedDict):
    left: int
    right: int


@dataclasses.dataclass
class Plain:
    r: int


class Opaque:
    pass


class WithOpaque(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    r: int
    odd: Annotated[Opaque, BeforeValidator(lambda _: Opaque())] = Opaque()


class Renamed(BaseModel):
    """Read by other names than it is written."""

    r: int
    alpha: int = Field(default=16, validation_alias="loraAlpha")
    steps: int = Field(
        default=1, validation_alias=AliasChoices("max_steps", AliasPath("limits", "steps"))
    )
    optimizer: Optimizer = Field(default=Optimizer(name="adam"), validation_alias="opt")
    secret: str = Field(default="", exclude=True)


class ByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    r: int
    alpha: int = Field(default=16, alias="loraAlpha")


@pydantic_dataclass
class RenamedDataclass:
    r: int
    alpha: int = Field(default=16, validation_alias="loraAlpha")


class Total(BaseModel):
    r: int
    layers: int = 1

    @computed_field
    @property
    def parameters(self) -> int:
        return self.r * self.layers


class Careless(BaseModel):
    r: int

    @model_validator(mode="before")
    @classmethod
    def look_up(cls, value: Any) -> Any:
        return {"r": value["rank"]}


class Unwritable(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    r: int
    odd: Annotated[Opaque, BeforeValidator(lambda _: Opaque())]


FirstTwo = Annotated[list[int], AfterValidator(lambda entries: entries[:2])]


def misfits(type_: Any, stored: object) -> list[tuple[str, str]]:
    codec = Codec[Any]("config", "config_snapshot", type_)
    return [
        (misfit.path.removeprefix("/config_snapshot"), misfit.problem)
        for misfit in codec.misfits(stored)
    ]


def test_without_a_type_everything_fits() -> None:
    assert Codec[Any]("config", "config_snapshot").misfits({"anything": [None]}) == []


@pytest.mark.parametrize(
    ("type_", "stored"),
    [
        (Lora, {"r": 8, "loraAlpha": 32, "optimizer": {"name": "sgd"}, "tags": {"any": "thing"}}),
        (Open, {"r": 8, "more": {"of": "it"}}),
        (dict[str, Any], {"a": {"b": 1}}),
        (Source, {"reader": {"kind": "stream", "url": "u"}, "either": [1, 2]}),
        (Node, {"name": "a", "below": [{"name": "b", "below": [{"name": "c"}]}]}),
        (Pair, {"left": 1, "right": 2}),
        (RootModel[dict[str, int]], {"a": 1}),
        (Renamed, {"r": 1, "loraAlpha": 2, "max_steps": 3, "secret": "s", "opt": {"name": "sgd"}}),
        (Renamed, {"r": 1, "limits": {"steps": 3}}),
        (ByName, {"r": 1, "alpha": 2}),
        (ByName, {"r": 1, "loraAlpha": 2}),
        (RenamedDataclass, {"r": 1, "loraAlpha": 2}),
        (list[Renamed], [{"r": 1, "loraAlpha": 2}]),
        (Unwritable, {"r": 1, "odd": 2}),
        (Total, {"r": 1, "parameters": 1}),
    ],
)
def test_what_fits_has_no_misfits(type_: Any, stored: object) -> None:
    assert misfits(type_, stored) == []


def test_missing_unknown_and_invalid_are_all_found_at_once() -> None:
    stored = {
        "loraAlpha": "many",
        "rank": 8,
        "optimizer": {"name": "adam", "momentum": 0.9},
        "tags": {"a": 1},
    }

    assert sorted(misfits(Lora, stored)) == [
        ("/loraAlpha", "invalid"),
        ("/optimizer/momentum", "unknown"),
        ("/r", "missing"),
        ("/rank", "unknown"),
        ("/tags/a", "invalid"),
    ]


@pytest.mark.parametrize(
    ("type_", "stored", "found"),
    [
        (Strict, {"r": 8, "x": 1}, [("/x", "unknown")]),
        (Strict, {"x": 1}, [("/r", "missing"), ("/x", "unknown")]),
        (Open, {"x": 1}, [("/r", "missing")]),
        (Plain, {"x": 1}, [("/r", "missing"), ("/x", "unknown")]),
        (Pair, {"left": 1, "up": 2}, [("/right", "missing"), ("/up", "unknown")]),
        (dict[str, int], {"a": 1, "b": "x"}, [("/b", "invalid")]),
        (dict[str, FirstTwo], {"a": [1, 2, 3, 4]}, [("/a/2", "unknown"), ("/a/3", "unknown")]),
        (Lora, [], [("", "invalid")]),
        (Lora, None, [("", "invalid")]),
        (
            Lora,
            {"r": 8, "rank": 8, "optimizer": {"name": "adam", "a/b~c": 1}},
            [("/rank", "unknown"), ("/optimizer/a~1b~0c", "unknown")],
        ),
        # It has no JSON schema.
        (WithOpaque, {"x": 1, "odd": {"any": 1}}, [("/r", "missing"), ("/x", "unknown")]),
    ],
)
def test_all_kinds_of_types_are_understood(
    type_: Any, stored: object, found: list[tuple[str, str]]
) -> None:
    assert misfits(type_, stored) == found


def test_a_path_leads_into_the_document_not_into_the_members_of_a_union() -> None:
    stored = {"reader": {"kind": "csv", "file": "f"}, "limit": "x", "either": ["x"]}

    assert sorted(misfits(Source, stored)) == [
        ("/either", "invalid"),
        ("/either/0", "invalid"),
        ("/limit", "invalid"),
        ("/reader/file", "unknown"),
        ("/reader/path", "missing"),
    ]


def test_types_that_contain_themselves_are_followed() -> None:
    stored = {"name": "a", "below": [{"name": "b", "size": 1, "below": [{"size": 2}]}]}

    assert sorted(misfits(Node, stored)) == [
        ("/below/0/below/0/name", "missing"),
        ("/below/0/below/0/size", "unknown"),
        ("/below/0/size", "unknown"),
    ]


def test_entries_of_a_data_set_are_found_by_their_place() -> None:
    codec = Codec("dataset", "dataset_snapshot", list[Optimizer], many=True)

    found = codec.misfits([{"name": "a"}, {"name": 1, "x": 1}, {}])

    assert [(misfit.path, misfit.problem) for misfit in found] == [
        ("/dataset_snapshot/1/name", "invalid"),
        ("/dataset_snapshot/2/name", "missing"),
        ("/dataset_snapshot/1/x", "unknown"),
    ]


@pytest.mark.parametrize(
    ("type_", "stored", "found"),
    [
        (Renamed, {"r": 1, "opt": {"name": "sgd", "x": 1}}, [("/opt/x", "unknown")]),
        (Renamed, {"r": 1, "alpha": 2}, [("/alpha", "unknown")]),
        (
            Renamed,
            {"r": "x", "loraAlpha": 2, "limits": {}, "secret": "s", "y": 1},
            [("/r", "invalid"), ("/y", "unknown")],
        ),
        (Lora, {"r": 1, "alpha": 2}, [("/alpha", "unknown")]),
        (ByName, {"r": "x", "alpha": 2, "y": 1}, [("/r", "invalid"), ("/y", "unknown")]),
        (RenamedDataclass, {"loraAlpha": 2, "y": 1}, [("/r", "missing"), ("/y", "unknown")]),
        (Unwritable, {"r": 1, "odd": 2, "x": 1}, [("/x", "unknown")]),
        (Total, {"r": "x", "parameters": 1}, [("/r", "invalid")]),
    ],
)
def test_what_a_type_reads_by_another_name_is_known_to_it(
    type_: Any, stored: object, found: list[tuple[str, str]]
) -> None:
    assert misfits(type_, stored) == found


@pytest.mark.parametrize(
    ("type_", "stored", "path", "problem", "message"),
    [
        (Lora, {"r": 1, "x": 2}, "/x", "unknown", "the type does not know it, and drops it"),
        (Lora, {"r": []}, "/r", "invalid", "Input should be a valid integer"),
        # Whatever a validator raises is a misfit of the whole.
        (Careless, {"r": 8, "x": 1}, "", "invalid", "KeyError: 'rank'"),
        (Careless, {"rank": 8}, "/rank", "unknown", "the type does not know it, and drops it"),
    ],
)
def test_a_misfit_says_what_is_wrong(
    type_: Any, stored: object, path: str, problem: str, message: str
) -> None:
    (misfit,) = Codec("config", "config_snapshot", type_).misfits(stored)

    found = (misfit.path, misfit.problem, misfit.message)
    assert found == (f"/config_snapshot{path}", problem, message)
