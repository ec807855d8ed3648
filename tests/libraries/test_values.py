"""Numbers and data of NumPy, PyTorch, pandas, Polars, PyArrow and Datasets."""

from collections.abc import Iterator
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from pydantic import BaseModel

from training_versions import InvalidInputError
from training_versions.operations.checks import check_cost, check_positive
from training_versions.snapshots import Codec, to_json


class Holder(BaseModel):
    inner: Any


@pytest.mark.parametrize(
    ("number", "plain"),
    [
        (np.int64(3), 3),
        (np.int8(-3), -3),
        (np.uint64(2**63), 2**63),
        (np.float64(0.1), 0.1),
        (np.float32(0.1), 0.10000000149011612),
        (np.float16(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.bool_(True), True),
        (np.array(3), 3),
        (np.array(2.5), 2.5),
        (np.str_("x"), "x"),
        (torch.tensor(3), 3),
        (torch.tensor(0.1), 0.10000000149011612),
        (torch.tensor(1.5, dtype=torch.bfloat16), 1.5),
        (torch.tensor(True), True),
    ],
    ids=repr,
)
def test_numbers_are_the_numbers_they_are(number: Any, plain: Any) -> None:
    for written in (
        to_json({"inner": number}, "config"),
        to_json(Holder(inner=number), "config"),
        Codec("config", "config_snapshot", Holder).write(Holder(inner=number)),
    ):
        assert repr(written) == repr({"inner": plain})


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        (np.float64(1.25), 125),
        (np.float32(12.3), 1230),
        (np.float16(0.1), 10),
        (np.int64(5), 500),
        (np.array(1.25), 125),
        (torch.tensor(12.3), 1230),
    ],
    ids=repr,
)
def test_money_is_read_by_its_shortest_decimal(amount: Any, cents: int) -> None:
    assert round(check_cost(amount, "amount") * 100) == cents


@pytest.mark.parametrize("number", [np.int64(3), np.array(3), torch.tensor(3)], ids=repr)
def test_integers_count(number: Any) -> None:
    assert check_positive(number, "limit") == 3


NO_JSON = [
    *(np.float32("nan"), torch.tensor(float("inf")), np.datetime64("2026-01-01", "ns"), pd.NaT),
    *(
        pd.NA,
        np.timedelta64(3, "s"),
        np.complex64(1),
        torch.float32,
        np.float32,
        torch.device("cpu"),
    ),
    *(np.dtype("float32"), np.array("abc"), np.bytes_(b"x"), pa.scalar(1)),
]


@pytest.mark.parametrize("value", NO_JSON, ids=repr)
def test_what_is_no_number_is_refused_with_its_path(value: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^config\.a"):
        to_json({"a": value}, "config")


class Rows(torch.utils.data.Dataset[int]):
    def __getitem__(self, index: int) -> int:
        return index

    def __len__(self) -> int:
        return 3


class Stream(torch.utils.data.IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter([1])


ROWS = [{"a": 1, "text": "x"}]
SET = datasets.Dataset.from_list(ROWS)
DATA: list[Any] = [
    *(SET, SET["text"], SET.to_iterable_dataset(), SET.with_format("torch"), SET.data),
    *(pd.DataFrame(ROWS), pd.Series([1]), pd.Index([1]), pd.array([1]), pd.Categorical(["a"])),
    *(pl.DataFrame(ROWS), pl.LazyFrame(ROWS), pl.Series([1])),
    *(pa.table({"a": [1]}), pa.array([1]), pa.RecordBatch.from_pydict({"a": [1]})),
    *(np.array([1, 2]), np.zeros((2, 2)), np.array([]), np.rec.array([(1, 2)]), torch.zeros(2)),
    *(Rows(), Stream(), torch.utils.data.DataLoader(Rows()), iter(ROWS)),
    torch.utils.data.TensorDataset(torch.zeros(2)),
]


@pytest.mark.parametrize("data", DATA, ids=lambda data: type(data).__name__)
@pytest.mark.parametrize("type_", [None, list[Any]])
def test_data_itself_is_refused(data: Any, type_: Any) -> None:
    codec = Codec[Any]("dataset", "dataset_snapshot", type_, many=True)
    for value in (data, [data], [{"train": data}], [Holder(inner=data)]):
        with pytest.raises(InvalidInputError, match="do not hold the data itself"):
            codec.write(value)


def test_a_dictionary_of_data_sets_is_refused_by_its_first_split() -> None:
    with pytest.raises(InvalidInputError, match=r"^dataset\[0\]\.train is a data set"):
        to_json([datasets.DatasetDict(train=SET)], "dataset")


def test_the_features_of_a_data_set_are_stored() -> None:
    features = datasets.Features(text=datasets.Value("string"))

    written: Any = to_json([{"features": features}], "dataset")

    assert written[0]["features"]["text"]["dtype"] == "string"
