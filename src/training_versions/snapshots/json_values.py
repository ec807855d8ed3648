"""From what users hold to plain JSON that PostgreSQL's `jsonb` gives back equal.

What JSON or `jsonb` cannot hold is refused here, before anything is sent, with the path to it. Two
things are neither kept by `jsonb` nor refused: the order of keys where it means nothing, and the
sign of -0.0.
"""

import enum
import json
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NoReturn, cast

from pydantic import BaseModel

from training_versions.errors import InvalidInputError
from training_versions.snapshots.dumps import Unordered, dump_model
from training_versions.snapshots.key_order import HINT as ORDER_HINT
from training_versions.snapshots.key_order import ORDERED_KEYS, moved_keys
from training_versions.snapshots.limits import (
    INTEGERS_ONLY,
    MAX_DEPTH,
    MAX_DIGITS,
    TOO_LARGE,
    unstorable,
)
from training_versions.snapshots.numbers import plain_number
from training_versions.snapshots.objects import content_of, data_kind, is_masked
from training_versions.snapshots.plain import copy_plain
from training_versions.snapshots.secrets import (
    has_secret_form,
    is_placeholder,
    is_secret,
    is_secret_key,
    refers_to_secret,
)

if TYPE_CHECKING:
    from pydantic import JsonValue

# To Python these are sequences of integers.
_BYTES: Final = (bytes, bytearray, memoryview)
_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
}
_KEY_HINT: Final = (
    "JSON has text as keys only: write str(key) yourself, and turn it back when you read it."
)
_TEXT_HINT: Final = (
    "Write what it stands for as JSON, such as isoformat() of a moment, str() of a path or of a "
    "type like torch.float32, or the dictionary of what an object holds."
)
_NUMBER_HINT: Final = (
    "Write None, or text such as 'inf' that you turn back when you read it; a model does that "
    "with ser_json_inf_nan='strings'."
)
_CHARACTER_HINT: Final = "Leave the character out, or store the bytes as base64."
_DATA_HINT: Final = (
    "Store what identifies the data, such as {'name': ..., 'revision': ..., 'split': ..., "
    "'rows': ...}, and not its rows; a short array as a list, by tolist()."
)
_SECRET_HINT: Final = (
    "A version is kept for ever: leave the secret out, or store the name of the environment "
    "variable that holds it. A repository made with allow_secrets=True stores it all the same."
)


def to_json(value: object, field: str, *, allow_secrets: bool = False) -> "JsonValue":
    """Copy a value as plain JSON that `jsonb` gives back equal.

    Args:
        value: JSON, or Pydantic models, dataclasses and objects with `to_dict()` at any depth.
        field: The argument that it came in, for the error.
        allow_secrets: Take text that is a secret by its form or by its key, too.

    Raises:
        InvalidInputError: Something in it cannot be stored; the message has the path to it.
    """
    copied = copy_plain(value, allow_secrets=allow_secrets)
    if copied is not None:
        return copied
    return _JsonCopy(field, allow_secrets=allow_secrets).copy(value)


def check_storable(text: str, at: str, field: str) -> str:
    """Return the text if PostgreSQL can hold it.

    Args:
        text: What is to be stored.
        at: What to call it in the message.
        field: The argument that it came in, for the error.

    Raises:
        InvalidInputError: It contains a NUL character or half of a surrogate pair.
    """
    problem = unstorable(text)
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


def in_order(members: "list[JsonValue]") -> "list[JsonValue]":
    """Sort what was a set, so that it is the same in every run and process.

    PEFT holds `target_modules` as a set, and saves it as a list.
    """
    try:
        return cast("list[JsonValue]", sorted(cast("list[str]", members)))
    except TypeError:
        # Numbers and text, say, have no order among them; as text, all JSON has.
        return sorted(members, key=lambda member: json.dumps(member, sort_keys=True))


class _JsonCopy:
    """One careful copy under way: what is copied, and where in the whole that is."""

    def __init__(self, field: str, *, allow_secrets: bool) -> None:
        self._field = field
        self._allow_secrets = allow_secrets
        self._path: list[str | int] = []
        # The ids of the containers that the current value lies in.
        self._inside: set[int] = set()

    def copy(self, value: object, *, keys_as_text: bool = False) -> "JsonValue":
        """Copy a value; `keys_as_text` says that keys which are no text become text.

        Every level of nesting takes three frames of Python's stack, so that `MAX_DEPTH` levels fit.
        """
        if isinstance(value, enum.Enum):
            value = value.value
        value = plain_number(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int | float | Decimal):
            return self._number(value)
        if is_masked(value):
            # Its asterisks would be read as the secret.
            return None

        marker = id(value)
        self._check_nesting(marker)
        self._inside.add(marker)
        copied = self._open(value, keys_as_text=keys_as_text)
        self._inside.discard(marker)
        return copied

    def _check_nesting(self, marker: int) -> None:
        if marker in self._inside:
            self._refuse("contains itself, which JSON cannot express")
        if len(self._inside) >= MAX_DEPTH:
            # The beginning of the path is enough to find it by.
            del self._path[8:]
            self._refuse(f"is nested deeper than {MAX_DEPTH} levels")

    def _open(self, value: object, *, keys_as_text: bool) -> "JsonValue":
        """Copy what a container or an object holds."""
        data = data_kind(value)
        if data is not None:
            self._refuse(f"is {data}, and snapshots do not hold the data itself", hint=_DATA_HINT)
        try:
            if isinstance(value, Mapping):
                members = cast("Mapping[object, object]", value)
                return self._object(members, keys_as_text=keys_as_text)
            if isinstance(value, Set | Unordered):
                unordered = cast("Iterable[object]", value)
                return in_order(self._array(unordered, keys_as_text=keys_as_text))
            if isinstance(value, Sequence) and not isinstance(value, _BYTES):
                return self._array(cast("Sequence[object]", value), keys_as_text=keys_as_text)
            if isinstance(value, BaseModel):
                return self.copy(dump_model(value))
            content = content_of(cast("object", value))
            if content is not None:
                keys_as_text = keys_as_text or content.keys_as_text
                return self.copy(content.value, keys_as_text=keys_as_text)
        except InvalidInputError:
            raise
        except Exception as exc:  # what the caller's own objects raise
            reason = f"{exc}".partition("\n")[0]
            if not reason:
                reason = type(exc).__name__
            self._refuse(f"cannot be written as JSON ({reason})", cause=exc)
        self._refuse(f"is {kind_of(cast('object', value))}, which is not JSON", hint=_TEXT_HINT)

    def _object(
        self, members: Mapping[object, object], *, keys_as_text: bool
    ) -> "dict[str, JsonValue]":
        copied: dict[str, JsonValue] = {}
        for key, value in members.items():
            name = self._key(key, as_text=keys_as_text)
            if name in copied:
                self._refuse(f"has two keys that are both {name!r} as text", hint=_KEY_HINT)
            self._path.append(name)
            plain = self.copy(value, keys_as_text=keys_as_text)
            if is_secret_key(name):
                plain = self._without_secret(name, plain)
            copied[name] = plain
            self._path.pop()
        for name in ORDERED_KEYS.intersection(copied):
            moved = moved_keys(name, copied[name], copied)
            if moved is not None:
                self._path.append(name)
                self._refuse(
                    "depends on the order of its keys, which the database does not keep: it would "
                    f"put {moved[1]!r:.80} before {moved[0]!r:.80}",
                    hint=ORDER_HINT,
                )
        return copied

    def _array(self, entries: Iterable[object], *, keys_as_text: bool) -> "list[JsonValue]":
        copied: list[JsonValue] = []
        for index, value in enumerate(entries):
            self._path.append(index)
            copied.append(self.copy(value, keys_as_text=keys_as_text))
            self._path.pop()
        return copied

    def _key(self, key: object, *, as_text: bool) -> str:
        if not isinstance(key, str):
            if not as_text or not (key is None or isinstance(key, int | float)):
                problem = f"has the key {key!r:.80}, and keys must be strings"
                self._refuse(problem, hint=_KEY_HINT)
            # As the standard library's `json` writes it: true, null, 0.5.
            return json.dumps(key.value if isinstance(key, enum.Enum) else key)
        text = key
        if isinstance(key, enum.Enum):
            text = str(key.value)
        problem = unstorable(text)
        hint = _CHARACTER_HINT
        if problem is None and not self._allow_secrets and has_secret_form(text):
            problem, hint = "contains a secret, by its form", _SECRET_HINT
        if problem is not None:
            message = f"a key of {self._place()} {problem}."
            raise InvalidInputError(message, field=self._field, hint=hint)
        return str.__str__(text)

    def _without_secret(self, key: str, plain: "JsonValue") -> "JsonValue":
        """Return what may be stored under the key of a secret: one text, or several.

        Numbers are none: in a `label2id`, "secret" is what a model finds in texts.
        """
        if isinstance(plain, str):
            if is_placeholder(key, plain):
                # It would be read as the secret.
                return None
            if not self._allow_secrets and is_secret(key, plain):
                self._refuse("is a secret, by its key", hint=_SECRET_HINT)
        elif isinstance(plain, dict):
            for name, member in plain.items():
                if not refers_to_secret(name):
                    self._path.append(name)
                    plain[name] = self._without_secret(key, member)
                    self._path.pop()
        elif isinstance(plain, list):
            for index, entry in enumerate(plain):
                self._path.append(index)
                plain[index] = self._without_secret(key, entry)
                self._path.pop()
        return plain

    def _text(self, text: str) -> str:
        # Not by `check_storable`: to write the place for each text would take most of the time.
        problem = unstorable(text)
        if problem is not None:
            self._refuse(problem, hint=_CHARACTER_HINT)
        if not self._allow_secrets and has_secret_form(text):
            self._refuse("contains a secret, by its form", hint=_SECRET_HINT)
        return str.__str__(text)

    def _number(self, number: float | Decimal) -> int | float:
        if isinstance(number, Decimal):
            return self._decimal(number)
        if isinstance(number, float):
            return self._float(number)
        if abs(number) >= TOO_LARGE:
            problem = f"is an integer of more than {MAX_DIGITS} digits"
            self._refuse(problem, hint="Store it as a string.")
        return int(number)

    def _float(self, number: float) -> int | float:
        if not math.isfinite(number):
            self._refuse(f"is {number}, which JSON cannot express", hint=_NUMBER_HINT)
        if abs(number) >= INTEGERS_ONLY:
            return int(number)
        return float(number)

    def _decimal(self, number: Decimal) -> int | float:
        if not number.is_finite():
            self._refuse(f"is {number}, which JSON cannot express", hint=_NUMBER_HINT)
        # The number of digits comes first: 1e999999 as an integer would fill the memory.
        if number.adjusted() < MAX_DIGITS and number == number.to_integral_value():
            return int(number)
        nearest = float(number)
        if Decimal(repr(nearest)) != number:
            self._refuse(f"is {number!r}, which a JSON number does not keep; store it as a string")
        return self._float(nearest)

    def _place(self) -> str:
        return dotted(self._field, self._path)

    def _refuse(
        self, why: str, *, hint: str | None = None, cause: Exception | None = None
    ) -> NoReturn:
        problem = f"{self._place()} {why}."
        raise InvalidInputError(problem, field=self._field, hint=hint) from cause
