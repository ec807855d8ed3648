"""What is no JSON itself: the objects that hold some, and the data that no snapshot holds."""

import dataclasses
from collections.abc import Mapping, Sequence, Set
from typing import Any, Final, NamedTuple, cast

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

# What pandas, Polars, PyArrow, NumPy, PyTorch and others offer to have their data read.
_DATA_PROTOCOLS: Final = (
    *("__dataframe__", "__arrow_c_stream__", "__arrow_c_array__"),
    *("__array__", "__array_interface__", "__dlpack__"),
)
_ROWS: Final = ("__iter__", "__getitem__", "__len__")
_ROWS_BY_INDEX: Final = ("__getitem__", "__len__")
# Libraries whose containers are data, even those that look like lists or can be made mappings.
_DATA_LIBRARIES: Final = frozenset({"datasets", "pandas", "polars", "pyarrow"})


class Content(NamedTuple):
    """What an object holds, as it says itself."""

    value: object
    keys_as_text: bool
    """Keys that are no text become text, as in the object's own `to_json_string()`."""


def is_masked(value: object) -> bool:
    """Return whether a value is one of Pydantic's secrets, which show asterisks only."""
    return isinstance(value, SecretStr | SecretBytes | Secret)


def has_own_dict(value: object) -> bool:
    """Return whether an object has a `to_dict()` that says what it holds."""
    # A class has the methods of its instances, and holds nothing to be stored.
    if isinstance(value, BaseModel | type | Mapping):
        return False
    return callable(getattr(value, "to_dict", None))


def content_of(value: object) -> Content | None:
    """Return what an object holds by `to_dict()`, else by its fields; `None` if it has neither."""
    if has_own_dict(value):
        content = cast("Any", value).to_dict()
        # Infinity as a model config of Transformers itself writes and reads it.
        encode = getattr(value, "_encode_special_floats", None)
        if callable(encode):
            content = encode(content)
        return Content(content, keys_as_text=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return Content({each.name: getattr(value, each.name) for each in fields}, False)
    return None


def data_kind(value: object) -> str | None:
    """Name what holds data: a data set, a table, an array, an iterator; `None` for all else."""
    if isinstance(value, BaseModel | Mapping | type) or dataclasses.is_dataclass(value):
        return None
    if getattr(value, "shape", None) == () and not hasattr(value, "to_dict"):
        # A single value, or NumPy's type of one.
        return None
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    name = f"{library}.{kind.__name__}"
    if any(hasattr(kind, each) for each in _DATA_PROTOCOLS):
        return f"a table or an array ({name})"
    if library in _DATA_LIBRARIES and any(hasattr(kind, each) for each in (*_ROWS, "to_dict")):
        return f"a data set ({name})"
    if isinstance(value, Sequence | Set):
        return None
    if hasattr(kind, "__next__"):
        return f"an iterator ({name})"
    # Rows that can be taken one by one, but no keys: a data set. With keys, or where only the names
    # of attributes can be taken, it is a config, though its type is no mapping.
    rows = _ROWS if not has_own_dict(value) else _ROWS_BY_INDEX
    if any(hasattr(kind, each) for each in rows) and not hasattr(kind, "keys"):
        return f"a data set or the like ({name})"
    return None
