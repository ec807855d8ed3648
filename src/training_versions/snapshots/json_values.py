"""From what users hold to plain JSON that PostgreSQL's `jsonb` gives back equal.

What JSON or `jsonb` cannot hold is refused here, before anything is sent, with the path to it. Two
things are neither kept by `jsonb` nor refused: the order of keys, and the sign of -0.0.
"""

import dataclasses
import enum
import math
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NoReturn, cast

from pydantic import BaseModel

from training_versions.errors import InvalidInputError

if TYPE_CHECKING:
    from pydantic import JsonValue

# Levels of nesting. Pydantic reads 200; Python's own stack ends at a few hundred.
MAX_DEPTH: Final = 100
# Python itself neither writes nor reads longer integers.
MAX_DIGITS: Final = 4300
_TOO_LARGE: Final = 10**MAX_DIGITS
# From here on every float is an integer, and is written as one. `jsonb` would keep its short
# decimal form instead: the float 1e23 is 99999999999999991611392, but `jsonb` reads "1e23" as a 1
# and 23 zeros.
INTEGERS_ONLY: Final = 2**53
# To Python these are sequences of integers.
_BYTES: Final = (bytes, bytearray, memoryview)
_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
}


def to_json(value: object, field: str) -> "JsonValue":
    """Copy a value as plain JSON that `jsonb` gives back equal.

    Args:
        value: JSON, or Pydantic models, dataclasses and objects with `to_dict()` at any depth.
        field: The argument that it came in, for the error.

    Raises:
        InvalidInputError: Something in it cannot be stored; the message has the path to it.
    """
    return _JsonCopy(field).copy(value)


def check_storable(text: str, at: str, field: str) -> str:
    """Return the text if PostgreSQL can hold it.

    Args:
        text: What is to be stored.
        at: What to call it in the message.
        field: The argument that it came in, for the error.

    Raises:
        InvalidInputError: It contains a NUL character or half of a surrogate pair.
    """
    problem = _unstorable(text)
    if problem is not None:
        raise InvalidInputError(f"{at} {problem}.", field=field)
    # An instance of a subclass, such as an enum of strings, becomes a plain string.
    return str.__str__(text)


def kind_of(value: object) -> str:
    """Name the kind of a value, for a message: "an object", "null", "of type bytes"."""
    if value is None:
        return "null"
    kind = type(value)
    return _KINDS.get(kind, f"of type {kind.__name__}")


def dotted(field: str, path: Sequence[str | int]) -> str:
    """Write where something is as Python would: `config.layers[0]['learning rate']`."""
    text = field
    for step in path:
        if isinstance(step, str) and step.isidentifier():
            text += f".{step}"
        else:
            text += f"[{step!r}]"
    return text


class _JsonCopy:
    """One copy under way: what is copied, and where in the whole that is."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._path: list[str | int] = []
        # The ids of the containers that the current value lies in.
        self._inside: set[int] = set()

    def copy(self, value: object, *, made_by_object: bool = False) -> "JsonValue":
        """Copy a value; `made_by_object` says that `to_dict()`, a dump or a dataclass returned it.

        Every level of nesting takes two frames of Python's stack, so that `MAX_DEPTH` levels fit.
        """
        if isinstance(value, enum.Enum):
            value = value.value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int | float | Decimal):
            return self._number(value)

        marker = id(value)
        self._check_nesting(marker)
        self._inside.add(marker)
        if made_by_object and isinstance(value, set | frozenset):
            value = self._sorted(cast("set[str]", value))
        if isinstance(value, Mapping):
            members = cast("Mapping[object, object]", value)
            copied = self._object(members, made_by_object=made_by_object)
        elif isinstance(value, Sequence) and not isinstance(value, _BYTES):
            entries = cast("Sequence[object]", value)
            copied = self._array(entries, made_by_object=made_by_object)
        else:
            content = self._content_of(cast("object", value))
            copied = self.copy(content, made_by_object=True)
        self._inside.discard(marker)
        return copied

    def _check_nesting(self, marker: int) -> None:
        if marker in self._inside:
            self._refuse("contains itself, which JSON cannot express")
        if len(self._inside) >= MAX_DEPTH:
            # The beginning of the path is enough to find it by.
            del self._path[8:]
            self._refuse(f"is nested deeper than {MAX_DEPTH} levels")

    def _sorted(self, members: Set[str]) -> list[str]:
        """Return the members of a set in an order that is the same in every run.

        PEFT holds `target_modules` as a set, and saves it as a list.
        """
        try:
            return sorted(members)
        except TypeError as exc:
            # Numbers and text, say, have no order among them.
            self._refuse("is a set whose members cannot be sorted", cause=exc)

    def _object(
        self, members: Mapping[object, object], *, made_by_object: bool
    ) -> "dict[str, JsonValue]":
        copied: dict[str, JsonValue] = {}
        for key, value in members.items():
            name = self._key(key)
            self._path.append(cast("str", key))
            copied[name] = self.copy(value, made_by_object=made_by_object)
            self._path.pop()
        return copied

    def _array(self, entries: Sequence[object], *, made_by_object: bool) -> "list[JsonValue]":
        copied: list[JsonValue] = []
        for index, value in enumerate(entries):
            self._path.append(index)
            copied.append(self.copy(value, made_by_object=made_by_object))
            self._path.pop()
        return copied

    def _content_of(self, value: object) -> object:
        """Return what an object holds: a model as it is dumped, else `to_dict()`, else fields."""
        try:
            if isinstance(value, BaseModel):
                return value.model_dump(mode="json", by_alias=True)
            # A class has the methods of its instances, and holds nothing to be stored.
            if not isinstance(value, type):
                to_dict = getattr(value, "to_dict", None)
                if callable(to_dict):
                    return to_dict()
                if dataclasses.is_dataclass(value):
                    fields = dataclasses.fields(value)
                    return {each.name: getattr(value, each.name) for each in fields}
        except (ValueError, TypeError, RecursionError) as exc:
            self._refuse(f"cannot be written as JSON ({exc})", cause=exc)
        self._refuse(f"is {kind_of(value)}, which is not JSON")

    def _key(self, key: object) -> str:
        if not isinstance(key, str):
            self._refuse(f"has the key {key!r}, and keys must be strings")
        text = key
        if isinstance(key, enum.Enum):
            text = str(key.value)
        problem = _unstorable(text)
        if problem is not None:
            raise InvalidInputError(f"a key of {self._place()} {problem}.", field=self._field)
        return str.__str__(text)

    def _text(self, text: str) -> str:
        # Not by `check_storable`: to write the place for each text would take most of the time.
        problem = _unstorable(text)
        if problem is not None:
            self._refuse(problem)
        return str.__str__(text)

    def _number(self, number: float | Decimal) -> int | float:
        if isinstance(number, Decimal):
            return self._decimal(number)
        if isinstance(number, float):
            return self._float(number)
        if abs(number) >= _TOO_LARGE:
            self._refuse(f"is an integer of more than {MAX_DIGITS} digits")
        return int(number)

    def _float(self, number: float) -> int | float:
        if not math.isfinite(number):
            self._refuse(f"is {number}, which JSON cannot express")
        if abs(number) >= INTEGERS_ONLY:
            return int(number)
        return float(number)

    def _decimal(self, number: Decimal) -> int | float:
        if not number.is_finite():
            self._refuse(f"is {number}, which JSON cannot express")
        # The number of digits comes first: 1e999999 as an integer would fill the memory.
        if number.adjusted() < MAX_DIGITS and number == number.to_integral_value():
            return int(number)
        nearest = float(number)
        if Decimal(repr(nearest)) != number:
            self._refuse(f"is {number!r}, which a JSON number does not keep; store it as a string")
        return self._float(nearest)

    def _place(self) -> str:
        return dotted(self._field, self._path)

    def _refuse(self, why: str, *, cause: Exception | None = None) -> NoReturn:
        raise InvalidInputError(f"{self._place()} {why}.", field=self._field) from cause


def _unstorable(text: str) -> str | None:
    """Say why PostgreSQL cannot hold a text, or `None` if it can."""
    if "\0" in text:
        return "contains a NUL character, which PostgreSQL cannot store"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "contains half of a surrogate pair, which is not text"
    return None
