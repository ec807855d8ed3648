"""Snapshots: from what users hold to plain JSON that comes back equal, and from stored JSON to the user's types.

Everything that JSON or PostgreSQL's `jsonb` cannot hold is refused here, before anything is sent, with the path to it.
Not kept by `jsonb`, and not refused: the order of keys, and the sign of -0.0. Which column a snapshot goes to is not
known here.
"""

import dataclasses
import enum
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from training_versions.errors import InvalidInputError
from training_versions.models import Misfit
from training_versions.snapshots.misfits import find_misfits

if TYPE_CHECKING:
    from pydantic import JsonValue

S = TypeVar("S")

MAX_DEPTH: Final = (
    100  # levels of nesting; Pydantic reads 200, Python's own stack ends at a few hundred
)
MAX_DIGITS: Final = 4300  # Python itself neither writes nor reads longer integers
_TOO_LARGE: Final = 10**MAX_DIGITS
_EXACT: Final = (
    2**53
)  # from here on every float is an integer, and `jsonb` would keep its short decimal form instead


def to_json(value: object, field: str) -> "JsonValue":
    """Turn a value into plain JSON that `jsonb` gives back equal.

    Raises:
        InvalidInputError: Something in it cannot be stored; the message has the path to it.
    """
    return _plain(value, field, [], set(), converted=False)


def check_text(text: str, at: str, field: str) -> str:
    """Return the text if PostgreSQL can hold it."""
    if "\0" in text:
        raise InvalidInputError(
            f"{at} contains a NUL character, which PostgreSQL cannot store.", field=field
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(
            f"{at} contains half of a surrogate pair, which is not text.", field=field
        ) from None
    return str.__str__(text)


class Codec(Generic[S]):
    """Writes and reads one kind of snapshot: as plain JSON, or through the type that the user named."""

    def __init__(
        self, field: str, column: str, type_: type[S] | None = None, *, many: bool = False
    ) -> None:
        self.field, self.column, self.many = field, column, many
        try:
            self._adapter: TypeAdapter[S] | None = None if type_ is None else TypeAdapter(type_)
        except (PydanticUserError, KeyError, TypeError) as exc:
            raise InvalidInputError(
                f"{field}={type_!r} is not a type that Pydantic can read.", field=field
            ) from exc

    def write(self, value: object) -> "JsonValue":
        """Turn a snapshot into the JSON to store.

        With a type, that type has the last word on defaults, aliases and unknown keys.

        Raises:
            InvalidInputError: It does not fit the type, is not an object (a data set: an array of objects), or
                contains something that cannot be stored.
        """
        if value is None:
            raise InvalidInputError(f"{self.field} must not be None.", field=self.field)
        plain = to_json(
            value if self._adapter is None else self._typed(self._adapter, value), self.field
        )
        entries = (
            cast("list[JsonValue]", plain) if self.many and isinstance(plain, list) else [plain]
        )
        if self.many and not isinstance(plain, list):
            raise InvalidInputError(
                f"{self.field} must be an array of objects, not {_kind(plain)}.", field=self.field
            )
        for index, entry in enumerate(entries):
            if not isinstance(entry, dict):
                path = f"{self.field}[{index}]" if self.many else self.field
                raise InvalidInputError(
                    f"{path} must be an object, not {_kind(entry)}.", field=self.field
                )
        return plain

    def read(self, stored: object) -> S:
        """Read a stored snapshot; `ValueError` (also Pydantic's) tells that it does not fit."""
        if self._adapter is not None:
            # As JSON, not as Python objects: strict models and fields of bytes, dates and enums read nothing else.
            try:
                return self._adapter.validate_json(json.dumps(stored))
            except ValueError:
                raise
            except Exception as exc:  # validators are the user's, and raise what they like
                raise ValueError(f"{type(exc).__name__}: {exc}") from exc
        if not isinstance(stored, list if self.many else dict):
            raise ValueError(f"it is {_kind(stored)}")
        return cast("S", stored)

    @property
    def is_typed(self) -> bool:
        """Whether the user named a type."""
        return self._adapter is not None

    def misfits(self, stored: object) -> list[Misfit]:
        """Tell where a stored snapshot does not fit the type; nothing if there is none."""
        return [] if self._adapter is None else find_misfits(self._adapter, self.column, stored)

    def _typed(self, adapter: TypeAdapter[S], value: object) -> object:
        try:
            try:
                fitting = adapter.validate_python(value)
            except ValidationError as exc:
                try:
                    fitting = adapter.validate_json(json.dumps(to_json(value, self.field)))
                except ValidationError:
                    raise exc from None
            return adapter.dump_python(fitting, mode="json", by_alias=True)
        except ValidationError as exc:
            problem = exc.errors(include_url=False)[0]
            path = self.field + "".join(_step(part) for part in problem["loc"])
            raise InvalidInputError(
                f"{path} does not fit its type: {problem['msg']}.", field=self.field
            ) from exc
        except InvalidInputError:
            raise
        except (ValueError, TypeError, RecursionError) as exc:
            raise InvalidInputError(
                f"{self.field} cannot be written as JSON: {exc}.", field=self.field
            ) from exc


def _plain(
    value: object, field: str, path: list[str | int], above: set[int], *, converted: bool
) -> "JsonValue":
    """Copy a value as JSON. `above` holds the containers that it lies in, `converted` tells that an object made it."""
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return check_text(value, _at(field, path), field)
    if isinstance(value, int | float | Decimal):
        return _number(value, field, path)
    if id(value) in above:
        raise _refused(field, path, "contains itself, which JSON cannot express")
    if len(above) >= MAX_DEPTH:
        raise _refused(field, path[:8], f"is nested deeper than {MAX_DEPTH} levels")
    marker = id(value)
    above.add(marker)
    try:
        if isinstance(value, Mapping):
            members = cast("Mapping[object, object]", value).items()
            return {
                _key(key, field, path): _plain(
                    item, field, [*path, cast("str", key)], above, converted=converted
                )
                for key, item in members
            }
        if converted and isinstance(
            value, set | frozenset
        ):  # PEFT keeps target_modules so, and saves them as a list
            value = sorted(cast("set[str]", value))
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
            items = enumerate(cast("Sequence[object]", value))
            return [
                _plain(item, field, [*path, index], above, converted=converted)
                for index, item in items
            ]
        return _plain(
            _opened(cast("object", value), field, path), field, path, above, converted=True
        )
    finally:
        above.discard(marker)


def _opened(value: object, field: str, path: list[str | int]) -> object:
    try:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json", by_alias=True)
        to_dict = getattr(value, "to_dict", None)
        if callable(to_dict) and not isinstance(value, type):
            return to_dict()
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    except (ValueError, TypeError, RecursionError) as exc:
        raise _refused(field, path, f"cannot be written as JSON ({exc})") from exc
    raise _refused(field, path, f"is {_kind(cast('object', value))}, which is not JSON")


def _key(key: object, field: str, path: list[str | int]) -> str:
    if not isinstance(key, str):
        raise _refused(field, path, f"has the key {key!r}, and keys must be strings")
    return check_text(
        str(key.value) if isinstance(key, enum.Enum) else key, f"a key of {_at(field, path)}", field
    )


def _number(value: float | Decimal, field: str, path: list[str | int]) -> int | float:
    if not (
        value.is_finite()
        if isinstance(value, Decimal)
        else isinstance(value, int) or math.isfinite(value)
    ):
        raise _refused(field, path, f"is {value}, which JSON cannot express")
    if isinstance(value, Decimal):
        if value.adjusted() < MAX_DIGITS and value == value.to_integral_value():
            value = int(value)
        elif Decimal(repr(float(value))) == value:
            value = float(value)
        else:
            raise _refused(
                field,
                path,
                f"is {value!r}, which a JSON number does not keep; store it as a string",
            )
    if isinstance(value, float):
        return int(value) if abs(value) >= _EXACT else float(value)
    if abs(value) >= _TOO_LARGE:
        raise _refused(field, path, f"is an integer of more than {MAX_DIGITS} digits")
    return int(value)


def _refused(field: str, path: list[str | int], why: str) -> InvalidInputError:
    return InvalidInputError(f"{_at(field, path)} {why}.", field=field)


def _at(field: str, path: Sequence[str | int]) -> str:
    return field + "".join(_step(part) for part in path)


def _step(part: str | int) -> str:
    return f".{part}" if isinstance(part, str) and part.isidentifier() else f"[{part!r}]"


def _kind(value: object) -> str:
    names: dict[type[Any], str] = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
    }
    return names.get(type(value), "null" if value is None else f"of type {type(value).__name__}")
