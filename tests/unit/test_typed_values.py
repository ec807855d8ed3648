"""Models, plain and typed: what is stored is what they hold, and what a type reads back equal."""

import dataclasses
import math
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    PlainSerializer,
    PlainValidator,
    RootModel,
    SecretBytes,
    SecretStr,
    computed_field,
    create_model,
    field_serializer,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from training_versions import InvalidInputError
from training_versions.snapshots import Codec, to_json

T = TypeVar("T")


def written(value: object, type_: Any = None) -> Any:
    return Codec[Any]("config", "config_snapshot", type_).write(value)


def refusal_of(value: object, type_: Any = None) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        written(value, type_)
    assert caught.value.field == "config"
    return caught.value


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")
    params: Any = None
    named: dict[str, Any] = {}


class Nested(BaseModel):
    inner: Any = None
    many: list[Any] = []


class Root(RootModel[dict[str, Any]]):
    pass


class Computed(BaseModel):
    @computed_field
    @property
    def rate(self) -> Any:
        return {"a": math.inf}


class Serialized(BaseModel):
    rate: float = 1

    @field_serializer("rate")
    def to_infinity(self, value: float) -> Any:
        return math.inf


class SerializedWhole(BaseModel):
    @model_serializer
    def as_nan(self) -> dict[str, Any]:
        return {"rate": math.nan}


@dataclasses.dataclass
class Plain:
    params: Any = None


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (Anything(params=math.inf), "config.params"),
        (Anything(params={"a": [1, {"b": math.nan}]}), "config.params.a[1].b"),
        (Anything(named={"lr": -math.inf}), "config.named.lr"),
        (Anything.model_validate({"extra": math.nan}), "config.extra"),
        (Nested(inner=Anything(params=math.inf)), "config.inner.params"),
        (Nested(many=[Anything(named={"a": math.nan})]), "config.many[0].named.a"),
        (Nested(inner={1.5, math.nan}), "config.inner"),
        (Nested(inner=[Decimal("Infinity")]), "config.inner[0]"),
        (Root({"a": math.nan}), "config.a"),
        (Computed(), "config.rate.a"),
        (Serialized(), "config.rate"),
        (SerializedWhole(), "config.rate"),
        (Plain(params=math.nan), "config.params"),
        (Plain(params=Anything(params=(math.inf,))), "config.params.params[0]"),
        (Nested(inner=Plain(params=math.inf)), "config.inner.params"),
    ],
)
@pytest.mark.parametrize("typed", [False, True])
def test_nan_and_infinity_never_become_null(value: object, place: str, typed: bool) -> None:
    refusal = refusal_of(value, type(value) if typed else None)

    assert refusal.message.startswith(place)
    assert "which JSON cannot express" in refusal.message
    assert "Write None" in str(refusal.hint)


def test_nan_in_a_data_set_and_in_typed_dictionaries_is_refused() -> None:
    class Row(TypedDict):
        weight: Any

    codec = Codec[Any]("dataset", "dataset_snapshot", list[Row], many=True)

    with pytest.raises(InvalidInputError, match=r"^dataset\[1\]\.weight is nan"):
        codec.write([{"weight": 1}, {"weight": math.nan}])


class AsStrings(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="strings")
    rate: float
    params: Any = None


@pytest.mark.parametrize("typed", [False, True])
def test_a_type_that_writes_infinity_as_text_has_it_stored_as_text(typed: bool) -> None:
    config = AsStrings(rate=-math.inf)

    plain = written(config, AsStrings if typed else None)

    assert plain == {"rate": "-Infinity", "params": None}


def test_text_for_infinity_is_stored_in_fields_of_any_type_too() -> None:
    assert written(AsStrings(rate=math.nan, params={"a": math.inf})) == {
        "rate": "NaN",
        "params": {"a": "Infinity"},
    }


class Modules(BaseModel):
    names: set[str]
    frozen: frozenset[int] = frozenset()
    anything: Any = None


WORDS = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (WORDS, sorted(WORDS)),
        (frozenset({3, 20, 1}), [1, 3, 20]),
        ({2.5, 1}, [1, 2.5]),
        ({("b", 1), ("a", 2)}, [["a", 2], ["b", 1]]),
        ({"b", 1, None, "a"}, ["a", "b", 1, None]),
        ([{"x": WORDS}], [{"x": sorted(WORDS)}]),
        (dict.fromkeys(["b", "a"]).keys(), ["a", "b"]),
    ],
)
def test_sets_are_sorted_wherever_they_are(value: Any, plain: object) -> None:
    assert written({"a": value}) == {"a": plain}
    assert written({"a": Plain(value)}) == {"a": {"params": plain}}
    assert written(Nested(inner=value))["inner"] == plain
    assert written(Nested(many=[Anything(params=value)]))["many"][0]["params"] == plain


class Frozen(BaseModel, frozen=True):
    name: str


class SetOfModels(BaseModel):
    models: set[Frozen]


@pytest.mark.parametrize("type_", [None, SetOfModels])
def test_sets_of_models_are_sorted(type_: Any) -> None:
    config = SetOfModels(models={Frozen(name=name) for name in WORDS})

    assert written(config, type_) == {"models": [{"name": name} for name in sorted(WORDS)]}


def test_nan_never_becomes_null_beside_or_in_a_set_of_models() -> None:
    class Member(BaseModel, frozen=True):
        rate: Any = None

    class Owner(BaseModel):
        params: Any = None
        at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
        members: set[Member] = set()

    member = Member(rate=0.5)
    cases: list[tuple[object, str]] = [
        (Owner(params=math.nan, members={member}), "config.params"),
        (Owner(params=[{"a": math.inf}], members={member}), "config.params[0].a"),
        (Owner(members={Member(rate=math.nan)}), "config.members[0].rate"),
        (Owner(members={Member(rate=(1, math.nan))}), "config.members[0].rate[1]"),
        ({"a": [Plain(Owner(params=math.nan, members={member}))]}, "config.a[0].params.params"),
        (Nested(many=[Owner(params=math.nan, members={member})]), "config.many[0].params"),
        (Nested(inner={(math.nan, 1)}), "config.inner[0][0]"),
    ]

    for value, place in cases:
        assert refusal_of(value).message.startswith(f"{place} is ")
    assert written(Owner(params={"a": (1,)}, members={member})) == {
        "params": {"a": [1]},
        "at": "2026-01-01T00:00:00Z",
        "members": [{"rate": 0.5}],
    }


def test_sets_of_a_type_are_sorted() -> None:
    config = Modules(names=WORDS, frozen=frozenset({30, 4}), anything=WORDS)

    for type_ in (None, Modules):
        assert written(config, type_) == {
            "names": sorted(WORDS),
            "frozen": [4, 30],
            "anything": sorted(WORDS),
        }


def test_sets_are_the_same_in_every_process() -> None:
    script = (
        "from tests.unit.test_typed_values import *\n"
        "print(written(Modules(names=WORDS, anything=[WORDS]), Modules), written({'a': WORDS}))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(printed) == 1


class Labels(BaseModel):
    id2label: dict[int, str] = {}
    anything: Any = None


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": {1: "x"}}, "config.a has the key 1"),
        ({"a": {True: "x"}}, "config.a has the key True"),
        (Labels(anything={1: "x", "1": "y"}), "config.anything has the key 1"),
        (Labels(anything=[{1: "x"}]), "config.anything[0] has the key 1"),
        (Nested(inner=Labels(anything={None: 1})), "config.inner.anything has the key None"),
        (Plain({1: "x"}), "config.params has the key 1"),
        (Anything.model_validate({"extra": {1: 2}}), "config.extra has the key 1"),
    ],
)
def test_keys_that_are_no_text_are_refused_with_a_hint(value: object, place: str) -> None:
    refusal = refusal_of(value)

    assert refusal.message == f"{place}, and keys must be strings."
    assert refusal.hint is not None
    assert "str(key)" in refusal.hint


@pytest.mark.parametrize("value", [{1: "x", "1": "y"}, {1: "x"}])
def test_keys_that_would_come_back_as_text_are_refused_through_a_type(value: Any) -> None:
    assert "config.anything" in refusal_of(Labels(anything=value), Labels).message


@pytest.mark.parametrize("type_", [None, Labels])
def test_keys_that_a_type_declares_are_written_as_text(type_: Any) -> None:
    labels = Labels(id2label={0: "NEGATIVE", 10: "POSITIVE"})

    assert written(labels, type_)["id2label"] == {"0": "NEGATIVE", "10": "POSITIVE"}


class LikeTransformers:
    """As a model config of Transformers, it has integer keys, which its JSON has as text."""

    def __init__(self, labels: dict[Any, Any]) -> None:
        self.labels = labels

    def to_dict(self) -> dict[str, Any]:
        return {"id2label": self.labels, "nested": [{"a": self.labels}]}


OWNERS: list[Callable[[Any], Any]] = [lambda it: it, lambda it: {"a": it}, lambda it: Plain(it)]


@pytest.mark.parametrize("owner", OWNERS)
def test_keys_that_an_object_made_itself_are_written_as_its_json_would(owner: Any) -> None:
    config = LikeTransformers({0: "x", True: "y", None: "z", 0.5: "w"})

    plain = written(owner(config))

    labels = {"0": "x", "true": "y", "null": "z", "0.5": "w"}
    assert str({"id2label": labels, "nested": [{"a": labels}]}) in str(plain)


@pytest.mark.parametrize("type_", [None, Nested])
def test_keys_that_an_object_made_itself_are_text_in_a_model_too(type_: Any) -> None:
    plain = written(Nested(inner=LikeTransformers({0: "x"})), type_)

    assert plain["inner"]["id2label"] == {"0": "x"}


def test_two_keys_that_are_one_as_text_are_refused() -> None:
    refusal = refusal_of(LikeTransformers({1: "x", "1": "y"}))

    assert refusal.message == "config.id2label has two keys that are both '1' as text."


# What a type reads back.


class Rank(BaseModel):
    r: int = Field(8, validation_alias="rank")


class Choices(BaseModel):
    r: int = Field(8, validation_alias=AliasChoices("rank", "lora_r"))


class Deep(BaseModel):
    r: int = Field(8, validation_alias=AliasPath("lora", "r"))


class OneSided(BaseModel):
    r: int = Field(8, serialization_alias="rank")


class Forbidding(BaseModel):
    model_config = ConfigDict(extra="forbid")
    r: int = 8

    @computed_field
    @property
    def alpha(self) -> int:
        return 2 * self.r


class Excluded(BaseModel):
    r: int = Field(8, exclude=True)


class Rounded(BaseModel):
    rate: float

    @field_serializer("rate")
    def rounded(self, value: float) -> float:
        return round(value, 2)


class Shown(BaseModel):
    when: Annotated[datetime, PlainSerializer(lambda value: f"{value:%Y-%m-%d}")]


class Text(BaseModel):
    data: Json[dict[str, int]]


class Base(BaseModel):
    r: int


class Derived(Base):
    alpha: int = 16


class Holder(BaseModel):
    lora: Base
    many: list[Base] = []


class Password(BaseModel):
    password: SecretStr


class PasswordBytes(BaseModel):
    password: SecretBytes


class Growing(BaseModel):
    n: int

    @model_validator(mode="after")
    def grow(self) -> "Growing":
        object.__setattr__(self, "n", self.n + 1)
        return self


class Half(BaseModel):
    r: int
    alpha: int

    @model_serializer
    def only_r(self) -> dict[str, int]:
        return {"r": self.r}


@dataclasses.dataclass
class BaseFields:
    r: int = 8


@dataclasses.dataclass
class DerivedFields(BaseFields):
    alpha: int = 16


class HoldsFields(BaseModel):
    lora: BaseFields


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (Rank.model_validate({"rank": 64}), "config.r would be read back as 8"),
        (Choices.model_validate({"lora_r": 64}), "config.r would be read back as 8"),
        (Deep.model_validate({"lora": {"r": 64}}), "config.r would be read back as 8"),
        (OneSided(r=64), "config.r would be read back as 8"),
        (Forbidding(r=4), "config.alpha would not be read back"),
        (Excluded(r=64), "config.r would be read back as 8"),
        (Rounded(rate=0.123), "config.rate would be read back as 0.12"),
        (Shown(when=datetime(2026, 1, 1, 5, tzinfo=UTC)), "config.when would be read back as"),
        (Text.model_validate({"data": '{"a": 1}'}), "config.data would not be read back"),
        (Holder(lora=Derived(r=8)), "config.lora would be read back as Base(r=8)"),
        (Holder(lora=Base(r=8), many=[Derived(r=8)]), "config.many[0] would be read back as"),
        (HoldsFields(lora=DerivedFields()), "config.lora would be read back as"),
        (Password(password=SecretStr("x")), "config.password would not be read back"),
        (PasswordBytes(password=SecretBytes(b"x")), "config.password would not be read back"),
        (Growing(n=1), "config.n would be read back as"),
        (Half(r=1, alpha=2), "config.alpha would not be read back"),
        (Nested(inner=datetime(2026, 1, 1, tzinfo=UTC)), "config.inner would be read back as '20"),
        (Nested(inner=Decimal("0.10")), "config.inner would be read back as '0.10'"),
        (Base.model_construct(r="many"), "config.r would not be read back"),
    ],
)
def test_what_a_type_would_not_read_back_is_refused(value: object, place: str) -> None:
    refusal = refusal_of(value, type(value))

    assert refusal.message.startswith(place)
    assert refusal.hint is not None
    assert "must read what it writes" in refusal.hint


class Common(BaseModel):
    pass


class Settings(Common):
    seed: int = 1


class Wrapped(BaseModel):
    r: int = 8

    @model_serializer(mode="wrap")
    def with_kind(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {"kind": "lora", **handler(self)}


class WrappedMore(Wrapped):
    alpha: int = 16


class Open(Base):
    model_config = ConfigDict(extra="allow")


class Hidden(Base):
    alpha: int = Field(16, exclude=True)


class Own(Base):
    alpha: int = 16

    @model_serializer
    def own(self) -> dict[str, Any]:
        return {"r": self.r}


class RootOfBase(RootModel[Base]):
    pass


DERIVED, OF_DERIVED = Derived(r=8), {"r": 8, "alpha": 16}


@pytest.mark.parametrize(
    ("declared", "value", "plain"),
    [
        (Base, DERIVED, OF_DERIVED),
        (Base | None, DERIVED, OF_DERIVED),
        (list[Base], [Base(r=1), DERIVED], [{"r": 1}, OF_DERIVED]),
        (dict[str, Base], {"a": DERIVED}, {"a": OF_DERIVED}),
        (tuple[Base, int], (DERIVED, 1), [OF_DERIVED, 1]),
        (RootOfBase, RootOfBase(DERIVED), OF_DERIVED),
        (Holder, Holder(lora=DERIVED), {"lora": OF_DERIVED, "many": []}),
        (Common, Settings(), {"seed": 1}),
        (BaseModel, Settings(), {"seed": 1}),
        (Wrapped, WrappedMore(), {"kind": "lora", "r": 8, "alpha": 16}),
        (Base, Open.model_validate({"r": 1, "more": [2]}), {"r": 1, "more": [2]}),
        (BaseFields, DerivedFields(), OF_DERIVED),
        (list[BaseFields], [DerivedFields()], [OF_DERIVED]),
        # A model's own wish.
        (Base, Hidden.model_validate({"r": 8}), {"r": 8}),
        (Base, Own(r=8), {"r": 8}),
        (Annotated[Base, PlainSerializer(lambda _: "text")], DERIVED, "text"),
        (Annotated[Base, Field(exclude=True)], DERIVED, None),
    ],
)
def test_fields_of_a_subclass_are_stored_without_a_type(
    declared: Any, value: Any, plain: Any
) -> None:
    holder = create_model("holder", it=(declared, ...))(it=value)

    for owner in (holder, Plain(holder), Nested(inner=holder)):
        assert str(written(owner)).count(str({"it": plain} if plain is not None else {})) == 1


def test_what_is_lost_is_told_by_its_place_in_a_data_set() -> None:
    codec = Codec[Any]("dataset", "dataset_snapshot", list[Rank], many=True)

    with pytest.raises(InvalidInputError, match=r"^dataset\[1\]\.r would be read back as 8"):
        codec.write([{"rank": 8}, {"rank": 64}])


class Color(Enum):
    RED = 1


class Level(StrEnum):
    HIGH = "high"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = "Rex"


class Point(NamedTuple):
    x: int
    y: float


class Box(BaseModel, Generic[T]):
    value: T


class Options(TypedDict, total=False):
    seed: int
    tags: list[str]


class ByName(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)
    r: int = Field(8, validation_alias="rank")


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    lora_alpha: int


class WithComputed(BaseModel):
    model_config = ConfigDict(extra="allow")
    r: int = 8

    @computed_field
    @property
    def alpha(self) -> int:
        return 2 * self.r


class Revealed(BaseModel):
    value: SecretStr

    @field_serializer("value", when_used="json")
    def reveal(self, value: SecretStr) -> str:
        return value.get_secret_value()


class WithPrivate(BaseModel):
    r: int
    _cache: dict[str, int] = {}

    def model_post_init(self, context: Any, /) -> None:
        self._cache = {str(id(self)): 1}


@pydantic_dataclass
class Optimizer:
    name: str
    betas: tuple[float, float] = (0.9, 0.999)


@dataclasses.dataclass
class Renamed:
    """Its `to_dict()` uses other names than its fields, which its type reads."""

    learning_rate: float = 0.1

    def to_dict(self) -> dict[str, Any]:
        return {"learningRate": self.learning_rate}


class RawDefaults(BaseModel):
    """Defaults as they are often written, which Pydantic does not validate."""

    output: Path = "out"  # pyright: ignore[reportAssignmentType]
    hub: HttpUrl = "https://example.org/"  # pyright: ignore[reportAssignmentType]
    logs: list[Path] = ["a", "b"]  # pyright: ignore[reportAssignmentType]


class Array:
    """As an array of NumPy, it compares entry by entry."""

    def __init__(self, entries: Any) -> None:
        self.entries = list(entries)

    def __eq__(self, other: object) -> Any:
        assert isinstance(other, Array)
        return AllOf([a == b for a, b in zip(self.entries, other.entries, strict=True)])


class AllOf(list[bool]):
    def all(self) -> bool:
        return all(self)

    def __bool__(self) -> bool:
        raise ValueError("The truth value of an array is ambiguous.")


class HoldsArray(BaseModel):
    array: Annotated[Any, PlainValidator(Array), PlainSerializer(lambda value: value.entries)]


class Everything(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Dog()
    when: datetime = datetime(2026, 1, 1, 5, 6, 7, 89, UTC)
    wait: timedelta = timedelta(days=1, microseconds=3)
    price: Decimal = Decimal("0.1234567890123456789")
    path: Path = Path("a/b")
    id: UUID = UUID(int=1)
    color: Color = Color.RED
    level: Level = Level.HIGH
    point: Point = Point(1, 2.0)
    data: bytes = b"abc"
    queue: deque[int] = deque([1, 2])
    by_id: dict[int, dict[str, set[int]]] = {1: {"a": {3, 1}}}
    number: int | float | str = 1.0
    large: float = 1e300
    small: Any = {"a": 0.1, "b": (1, 2.0), "c": 1e16, "d": -0.0, "e": {"x"}}
    options: Options = {"seed": 1, "tags": ["a"]}
    nothing: int | None = None
    box: Box[list[int]] = Box(value=[1])
    optimizer: Optimizer = Optimizer("adam")
    pattern: Any = [True, 1, 1.0, None, "x"]
    of_strings: Any = Level.HIGH


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (Everything(), Everything),
        (RawDefaults(), RawDefaults),
        (HoldsArray(array=[1, 2]), HoldsArray),
        (ByName.model_validate({"r": 64}), ByName),
        (Camel(lora_alpha=3), Camel),
        (WithComputed(r=4), WithComputed),
        (WithComputed.model_validate({"r": 4, "alpha": 8, "more": 1}), WithComputed),
        (Rank.model_validate({}), Rank),
        (Excluded(r=8), Excluded),
        (Revealed(value=SecretStr("x")), Revealed),
        (WithPrivate(r=3), WithPrivate),
        (Optimizer("adam"), Optimizer),
        (Renamed(0.5), Renamed),
        (Plain({"betas": (0.9, 0.99)}), Plain),
        ({"seed": 1}, Options),
        ({1: {2: 3.0}}, dict[int, dict[int, float]]),
        (Dog(), Annotated[Cat | Dog, Field(discriminator="kind")]),
        (Dog(name="Cat"), Cat | Dog),
        (Holder(lora=Base(r=8)), Holder),
        (Nested(inner=Base(r=8), many=[Plain(1), (2,), {"x"}]), Nested),
        (Root({"a": [1, 1.0]}), Root),
        ({"a": 1, "b": [1.0, True]}, dict[str, Any]),
    ],
)
def test_what_a_type_reads_back_equal_is_stored(value: object, type_: Any) -> None:
    codec = Codec[Any]("config", "config_snapshot", type_)

    assert codec.write(codec.read(codec.write(value))) == codec.write(value)


def test_a_dataclass_is_written_by_its_fields_where_its_type_reads_those() -> None:
    assert written(Renamed(0.5), Renamed) == {"learning_rate": 0.5}
    assert written(Renamed(0.5)) == {"learningRate": 0.5}


def test_what_is_stored_already_is_shown_though_its_type_would_lose_it() -> None:
    codec = Codec[Any]("config", "config_snapshot", Rank)

    assert codec.rewrite(codec.read({"rank": 64})) == {"r": 64}


def test_an_overridden_dump_has_the_last_word() -> None:
    class Own(BaseModel):
        r: int = 8

        def model_dump(self, **_: Any) -> dict[str, Any]:
            return {"rank": self.r}

    assert to_json(Own(), "config") == {"rank": 8}
