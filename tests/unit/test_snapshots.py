"""Snapshots: what is stored comes back equal; what cannot be stored is refused with its path."""

import dataclasses
import enum
import json
import math
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from training_versions import InvalidInputError
from training_versions.snapshots import MAX_DEPTH, Codec, json_equal, to_json

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


class Lora(BaseModel):
    r: int
    alpha: int = Field(default=16, alias="loraAlpha")
    targets: list[str] = []


class DatasetRef(BaseModel):
    dataset_id: str


@dataclasses.dataclass
class Optimizer:
    name: str
    rate: float


class PeftLike:
    """As `peft.LoraConfig` does, it has `to_dict()`, an enum that is a string, and a set."""

    class Kind(str, enum.Enum):  # noqa: UP042  # what PEFT has
        LORA = "LORA"

    def to_dict(self) -> dict[str, object]:
        return {
            "peft_type": self.Kind.LORA,
            "target_modules": {"v_proj", "q_proj"},
            "inner": Optimizer("adam", 0.1),
        }


def as_stored(value: object) -> object:
    """Do to JSON what `jsonb` and PostgREST do: numbers become decimals without an exponent."""

    def number(text: str) -> int | float:
        plain = format(Decimal(text), "f")
        return json.loads(plain)

    return json.loads(json.dumps(value, allow_nan=False), parse_float=number)


def refusal_of(value: object, codec: Codec[Any] | None = None) -> str:
    with pytest.raises(InvalidInputError) as caught:
        (codec or Codec[Any]("config", "config_snapshot")).write(value)
    assert caught.value.field == (codec.field if codec else "config")
    return caught.value.message


@given(JSON | FLOATS)
@example(2**63)
@example(-(2**200))
@example(10**4299)
@example(1e23)
@example(5e-324)
@example(1.7e308)
@example(2.0**53)
@example(0.1)
def test_any_json_comes_back_equal(value: object) -> None:
    assert json_equal(as_stored(to_json(value, "config", allow_secrets=True)), value)


@pytest.mark.parametrize(
    ("value", "sent"),
    [(Decimal("0.10"), 0.1), (Decimal("12"), 12), (Decimal("1E+3"), 1000), (Decimal("1e-5"), 1e-5)],
)
def test_a_decimal_that_a_json_number_keeps_is_sent_as_one(value: Decimal, sent: float) -> None:
    assert to_json(value, "config") == sent


def test_pydantic_models_are_sent_by_alias() -> None:
    assert to_json({"lora": Lora(r=8, loraAlpha=32)}, "config") == {
        "lora": {"r": 8, "loraAlpha": 32, "targets": []}
    }


def test_objects_with_to_dict_and_dataclasses_are_opened_at_any_depth() -> None:
    assert to_json({"peft": [PeftLike()]}, "config") == {
        "peft": [
            {
                "peft_type": "LORA",
                "target_modules": ["q_proj", "v_proj"],
                "inner": {"name": "adam", "rate": 0.1},
            }
        ]
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, math.nan]}, "config.a[1] is nan, which JSON cannot express."),
        ({"a": math.inf}, "config.a is inf, which JSON cannot express."),
        (
            {"a": {"b c": "x\0"}},
            "config.a['b c'] contains a NUL character, which PostgreSQL cannot store.",
        ),
        ({"a": "\ud800"}, "config.a contains half of a surrogate pair, which is not text."),
        (
            {"a": {"\ud800": 1}},
            "a key of config.a contains half of a surrogate pair, which is not text.",
        ),
        ({"\0": 1}, "a key of config contains a NUL character, which PostgreSQL cannot store."),
        ({"a": {1: 2}}, "config.a has the key 1, and keys must be strings."),
        ({"a": b"x"}, "config.a is of type bytes, which is not JSON."),
        ({"a": object}, "config.a is of type type, which is not JSON."),
        ({"a": 10**4300}, "config.a is an integer of more than 4300 digits."),
        ({"a": Decimal("NaN")}, "config.a is NaN, which JSON cannot express."),
        ({"a": Decimal("1e999999")}, "config.a is"),
        (
            {"a": Decimal("0.1234567890123456789")},
            "config.a is Decimal('0.1234567890123456789'), which a JSON number",
        ),
        ([1], "config must be an object, not an array."),
        ("text", "config must be an object, not a string."),
        (3, "config must be an object, not of type int."),
        (None, "config must not be None."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_stored_is_refused_with_its_path(value: object, message: str) -> None:
    assert refusal_of(value).startswith(message)


def test_a_circular_snapshot_is_refused() -> None:
    value: dict[str, object] = {}
    value["self"] = [value]

    assert refusal_of(value) == "config.self[0] contains itself, which JSON cannot express."


def test_a_snapshot_that_contains_itself_twice_is_refused_at_once() -> None:
    entries: list[object] = []
    entries += [entries, entries]

    assert refusal_of({"a": entries}) == "config.a[0] contains itself, which JSON cannot express."


def test_the_same_object_twice_is_no_circle() -> None:
    shared = {"r": 8}

    assert to_json({"a": shared, "b": [shared, shared]}, "config") == {
        "a": shared,
        "b": [shared, shared],
    }


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def test_nesting_up_to_the_limit_works() -> None:
    assert to_json(nested(MAX_DEPTH), "config") == nested(MAX_DEPTH)


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 10_000])
def test_deeper_nesting_is_refused(levels: int) -> None:
    assert "is nested deeper than 100 levels" in refusal_of(nested(levels))


def test_deep_nesting_is_refused_by_a_typed_codec_too() -> None:
    assert refusal_of(
        nested(10_000), Codec("config", "config_snapshot", dict[str, object])
    ).startswith("config")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": 1}, "dataset must be an array of objects, not an object."),
        ("ab", "dataset must be an array of objects, not a string."),
        ([{"a": 1}, 1], "dataset[1] must be an object, not of type int."),
        ([["a"]], "dataset[0] must be an object, not an array."),
    ],
)
def test_a_data_set_is_an_array_of_objects(value: Any, message: str) -> None:
    assert refusal_of(value, Codec[Any]("dataset", "dataset_snapshot", many=True)) == message


def test_a_typed_codec_writes_its_type_and_what_fits_it() -> None:
    codec = Codec("dataset", "dataset_snapshot", list[DatasetRef], many=True)

    assert codec.write([DatasetRef(dataset_id="1"), {"dataset_id": "2"}]) == [
        {"dataset_id": "1"},
        {"dataset_id": "2"},
    ]


def test_a_typed_codec_reads_what_it_wrote() -> None:
    codec = Codec("config", "config_snapshot", Lora)
    config = Lora(r=8, loraAlpha=32, targets=["q"])

    assert codec.read(codec.write(config)) == config


def test_a_strict_model_reads_what_it_wrote() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True, ser_json_bytes="base64", val_json_bytes="base64")
        price: Decimal
        blob: bytes

    codec = Codec("config", "config_snapshot", Strict)
    value = Strict(price=Decimal("0.1234567890123456789"), blob=b"\xff\0")

    assert codec.read(codec.write(value)) == value


def test_whatever_a_type_raises_tells_that_what_is_stored_does_not_fit() -> None:
    class Careless(BaseModel):
        @model_validator(mode="before")
        @classmethod
        def look_up(cls, value: Any) -> Any:
            return value["rank"]

    with pytest.raises(ValueError, match=r"^KeyError: 'rank'$"):
        Codec("config", "config_snapshot", Careless).read({"r": 8})


@pytest.mark.parametrize("error", [KeyError("rank"), TypeError("no rank"), ZeroDivisionError("1")])
def test_whatever_a_validator_raises_refuses_what_is_written(error: Exception) -> None:
    class Careless(BaseModel):
        @model_validator(mode="before")
        @classmethod
        def look_up(cls, value: Any) -> Any:
            raise error

    message = refusal_of({"r": 8}, Codec("config", "config_snapshot", Careless))

    assert message == f"config does not fit its type: {type(error).__name__}: {error}."


def test_what_does_not_fit_its_type_is_refused_with_the_path() -> None:
    message = refusal_of(
        [{"dataset_id": 1}], Codec("dataset", "dataset_snapshot", list[DatasetRef], many=True)
    )

    assert message.startswith(
        "dataset[0].dataset_id does not fit its type: Input should be a valid string"
    )


def test_nan_in_a_typed_snapshot_is_refused() -> None:
    class Rates(BaseModel):
        rate: float

    assert (
        refusal_of(Rates(rate=math.nan), Codec("config", "config_snapshot", Rates))
        == "config.rate is nan, which JSON cannot express."
    )


def test_a_type_that_pydantic_cannot_read_is_refused() -> None:
    class Odd:
        pass

    with pytest.raises(InvalidInputError, match="is not a type that Pydantic can read"):
        Codec("model", "model_snapshot", Odd)


def test_twenty_megabytes_are_written() -> None:
    value: dict[str, object] = {"rows": ["x" * 1000] * 20_000}

    assert cast("dict[str, list[str]]", to_json(value, "config"))["rows"][-1] == "x" * 1000
