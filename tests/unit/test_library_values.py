"""Numbers and data of NumPy, PyTorch, pandas and the like, by stand-ins of the same shapes.

`tests/libraries` tries the same with the libraries themselves.
"""

import dataclasses
import struct
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from training_versions import InvalidInputError
from training_versions.operations.checks import check_cost
from training_versions.snapshots import Codec, to_json

from .scripted import PACKAGE, VERSION, VERSIONS, params_of, where_of


class Scalar:
    """As a scalar of NumPy, an array without dimensions, or a tensor of PyTorch is."""

    shape = ()

    def __init__(self, value: object, kind: str | None = None, itemsize: int = 8) -> None:
        self.value = value
        # The types of PyTorch have no `kind`.
        self.dtype = SimpleNamespace(itemsize=itemsize)
        if kind is not None:
            self.dtype.kind = kind

    def item(self) -> Any:
        return self.value

    def __array__(self) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("iteration over a 0-d array")

    def __repr__(self) -> str:
        return f"np.number({self.value})"


class Float64(float):
    """As `numpy.float64` does, it shows its own type."""

    shape = ()
    dtype = SimpleNamespace(kind="f", itemsize=8)

    def item(self) -> float:
        return float(self)

    def __repr__(self) -> str:
        return f"np.float64({float(self)})"


def float32(value: float) -> Scalar:
    (exact,) = struct.unpack("f", struct.pack("f", value))
    return Scalar(exact, "f", 4)


NUMBERS: list[tuple[Any, object]] = [
    (Scalar(3, "i"), 3),
    (Scalar(3), 3),
    (Scalar(True, "b"), True),
    (Float64(0.1), 0.1),
    (float32(0.1), 0.10000000149011612),
    (Scalar(0.5, "V", 2), 0.5),
    (Scalar(2.5), 2.5),
]


class Holder(BaseModel):
    inner: Any


@dataclasses.dataclass
class Fields:
    inner: Any


@pytest.mark.parametrize(("number", "plain"), NUMBERS)
def test_numbers_are_stored_as_the_numbers_they_are(number: Any, plain: object) -> None:
    for written in (
        to_json({"a": [number]}, "config"),
        to_json({"a": [Fields(number)]}, "config"),
        to_json(Holder(inner={"a": number}), "config"),
        Codec("config", "config_snapshot", Holder).write(Holder(inner={"a": number})),
    ):
        assert repr(plain) in repr(written)
        assert "np." not in repr(written)


@pytest.mark.parametrize("number", [Scalar(float("nan"), "f"), Float64("inf")])
def test_a_number_that_is_none_is_refused_as_any_other(number: Any) -> None:
    for value in ({"a": number}, Holder(inner=number)):
        with pytest.raises(InvalidInputError, match="which JSON cannot express"):
            to_json(value, "config")


@pytest.mark.parametrize("value", [Scalar(1767225600, "M"), Scalar(3, "m"), Scalar(1j, "c")])
def test_a_moment_is_no_number(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"config\.a is "):
        to_json({"a": value}, "config")


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        (Float64(1.25), 1.25),
        (float32(12.3), 12.3),
        (Scalar(99999999, "i"), 99999999),
        (Scalar(0.1), 0.1),
        (Scalar(0.0999755859375, "f", 2), 0.1),
    ],
)
def test_money_is_read_by_its_shortest_decimal(amount: Any, sent: float) -> None:
    assert check_cost(amount, "amount") == sent
    assert params_of(VERSIONS.record_cost(VERSION, amount))["p_amount"] == sent


@pytest.mark.parametrize("amount", [Scalar(True, "b"), float32(0.125), Float64("nan")])
def test_other_numbers_are_no_money(amount: Any) -> None:
    with pytest.raises(InvalidInputError):
        check_cost(amount, "amount")


def test_integers_of_any_kind_are_taken_everywhere() -> None:
    three: Any = Scalar(3, "i")

    assert ("version_number", "eq", "3") in where_of(VERSIONS.get_by_number(PACKAGE, three))
    assert next(VERSIONS.list(PACKAGE, limit=three)) == next(VERSIONS.list(PACKAGE, limit=3))
    assert params_of(VERSIONS.record_cost(VERSION, 1, alert_at=[three]))["p_alert_at"] == [3]
    assert ("is_deployed", "is", "true") in where_of(
        VERSIONS.list(PACKAGE, deployed=Scalar(True, "b"))
    )
    with pytest.raises(InvalidInputError, match="limit must be an integer"):
        VERSIONS.list(PACKAGE, limit=Scalar(3.0, "f"))


class Dataset:
    """As `datasets.Dataset` does, it gives away all its rows by `to_dict()`."""

    column_names = ("text",)

    def __len__(self) -> int:
        return 20_000

    def __getitem__(self, index: object) -> object:
        return {"text": "a"}

    def to_dict(self) -> dict[str, list[str]]:
        return {"text": ["a"] * 20_000}


class IterableDataset:
    def __iter__(self) -> Iterator[object]:
        return iter([{"text": "a"}])


class Frame:
    """As data frames do, it offers its data by a protocol; and it has `keys()`."""

    shape = (2, 1)

    def keys(self) -> list[str]:
        return ["a"]

    def __dataframe__(self) -> object:
        return self

    def to_dict(self) -> dict[str, object]:
        return {"a": {0: 1, 1: 2}}


class Array:
    shape = (2,)

    def __array__(self) -> object:
        return self

    def item(self) -> float:
        raise ValueError("can only convert an array of size 1")


class Series:
    __module__ = "pandas.core.series"

    def to_dict(self) -> dict[str, int]:
        return {"a": 1}


class Column(Sequence[Any]):
    """A column of a data set is a sequence."""

    __module__ = "datasets.arrow_dataset"

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: Any) -> Any:
        return {"a": index}


def generator() -> Iterator[dict[str, int]]:
    yield {"a": 1}


DATA: list[Any] = [
    *(Dataset(), IterableDataset(), Frame(), Array(), Series(), Column(), generator()),
    *(iter([1]), map(str, [1]), zip([1], [2], strict=True)),
]


@pytest.mark.parametrize("data", DATA, ids=lambda data: type(data).__name__)
def test_data_itself_is_refused_with_a_hint(data: Any) -> None:
    attempts: list[tuple[str, Any, Any]] = [
        ("dataset", data, None),
        ("dataset", data, list[Any]),
        ("dataset[0]", [data], None),
        ("dataset[0].train", [{"train": data}], None),
        ("dataset[0].inner", [Holder(inner=data)], None),
        ("dataset[0].inner", [Holder(inner=data)], list[Holder]),
        ("dataset[0].inner[0]", [Fields([data])], None),
    ]
    for place, value, type_ in attempts:
        codec = Codec[Any]("dataset", "dataset_snapshot", type_, many=True)
        with pytest.raises(InvalidInputError) as caught:
            codec.write(value)
        assert caught.value.message.startswith(f"{place} is a"), caught.value.message
        assert caught.value.message.endswith("and snapshots do not hold the data itself.")
        assert "what identifies the data" in str(caught.value.hint)


class ConfigDict:
    """As `ml_collections.ConfigDict` does, it has keys, and is still no mapping by its type."""

    def __init__(self) -> None:
        self.content = {"r": 8}

    def keys(self) -> Any:
        return self.content.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __getitem__(self, key: str) -> int:
        return self.content[key]

    def __len__(self) -> int:
        return 1

    def to_dict(self) -> dict[str, int]:
        return self.content


class LikeTransformers:
    """As a model config of Transformers does, it iterates over the names of its attributes.

    It writes infinity in a form of its own.
    """

    limit = float("inf")

    def __iter__(self) -> Iterator[str]:
        return iter(["limit"])

    def to_dict(self) -> dict[str, object]:
        return {"limit": self.limit, "id2label": {0: "x"}}

    def _encode_special_floats(self, content: dict[str, object]) -> dict[str, object]:
        return content | {"limit": {"__float__": "Infinity"}}


class Described(BaseModel):
    """Its name is no reason to refuse it."""

    shape: tuple[int, ...] = (1, 2)
    columns: list[str] = ["text"]


def test_configs_that_look_like_data_are_stored() -> None:
    assert to_json({"a": ConfigDict()}, "config") == {"a": {"r": 8}}
    assert to_json(LikeTransformers(), "config") == {
        "limit": {"__float__": "Infinity"},
        "id2label": {"0": "x"},
    }
    assert to_json([Described()], "dataset") == [{"shape": [1, 2], "columns": ["text"]}]
    assert to_json({"a": range(3), "b": (1,)}, "config") == {"a": [0, 1, 2], "b": [1]}


class Raising(dict[str, object]):
    """As a config of OmegaConf does, it raises what it likes when a value is missing."""

    def items(self) -> Any:
        raise KeyError("???")


def test_whatever_an_object_raises_when_it_is_read_is_a_refusal() -> None:
    with pytest.raises(InvalidInputError, match=r"^config\.a cannot be written as JSON"):
        to_json({"a": Raising()}, "config")


@dataclasses.dataclass
class PerLayer:
    """As the configs of Gemma 4: a field differs from layer to layer, and raises as a whole."""

    head_dim: int = 8

    def __getattribute__(self, name: str) -> Any:
        if name == "head_dim":
            raise AttributeError("differs from layer to layer")
        return super().__getattribute__(name)

    def to_dict(self) -> dict[str, Any]:
        return {"layers": {0: {"head_dim": 8}}}


class HoldsPerLayer(BaseModel):
    model: Any
    more: list[Any]


@pytest.mark.parametrize("type_", [None, HoldsPerLayer])
def test_an_object_whose_fields_raise_is_written_as_it_says_itself(type_: Any) -> None:
    config = HoldsPerLayer(model=PerLayer(), more=[{"a": (PerLayer(), 1.0)}])

    plain = Codec[Any]("config", "config_snapshot", type_).write(config)

    layers = {"layers": {"0": {"head_dim": 8}}}
    assert plain == {"model": layers, "more": [{"a": [layers, 1.0]}]}
