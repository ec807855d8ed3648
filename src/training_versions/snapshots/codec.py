"""Codecs: how one kind of snapshot is written as JSON and read back, with or without a type.

What JSON can hold is the business of `json_values.py`. A codec adds the type that the user named,
and the rule that a snapshot is an object, or an array of objects. It knows its column for messages
only.
"""

import json
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar, cast

from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError
from pydantic_core import SchemaSerializer, core_schema

from training_versions.errors import InvalidInputError
from training_versions.models import Misfit
from training_versions.snapshots.dumps import Merge
from training_versions.snapshots.foreign import refusing_foreign_errors
from training_versions.snapshots.json_values import dotted, kind_of, to_json
from training_versions.snapshots.objects import data_kind
from training_versions.snapshots.read_back import HINT, find_loss

if TYPE_CHECKING:
    from pydantic import JsonValue

S = TypeVar("S")


class Codec(Generic[S]):
    """Writes and reads one kind of snapshot: as plain JSON, or through the type the user named.

    Args:
        field: The argument that callers pass the snapshot in.
        column: The column it is stored in.
        type_: The type it is read as; without one, it is read as it is stored.
        many: It is an array of objects, and not one object.
        allow_secrets: Write text that looks like a secret, too.

    Raises:
        InvalidInputError: The type is not one that Pydantic can read, or that of one entry of many.
    """

    def __init__(
        self,
        field: str,
        column: str,
        type_: type[S] | None = None,
        *,
        many: bool = False,
        allow_secrets: bool = False,
    ) -> None:
        self.field = field
        self.column = column
        self.many = many
        self._allow_secrets = allow_secrets
        self._adapter: TypeAdapter[S] | None = None
        if many and _is_type_of_one_object(type_):
            name = cast("type", type_).__name__
            raise InvalidInputError(
                f"{field}={name} is the type of one entry, and a data set is a list of them.",
                field=field,
                hint=f"Name the type of the whole list: {field}=list[{name}].",
            )
        if type_ is not None:
            try:
                self._adapter = TypeAdapter(type_)
            except Exception as exc:
                # Of many kinds: Pydantic's own, KeyError for a dictionary, which it takes for a
                # core schema, and what the annotations of the type raise.
                with refusing_foreign_errors(field):
                    problem = f"{field}={type_!r:.200} is not a type that Pydantic can read."
                hint = f"Pass its class: {field}={type(type_).__name__}."
                if not isinstance(type_, BaseModel):
                    hint = "Pass a Pydantic model, a dataclass or a TypedDict."
                raise InvalidInputError(problem, field=field, hint=hint) from exc

    @property
    def is_typed(self) -> bool:
        """Whether the user named a type."""
        return self._adapter is not None

    def write(self, value: object) -> "JsonValue":
        """Return the JSON to store.

        With a type, that type has the last word on defaults, aliases and unknown keys.

        Raises:
            InvalidInputError: The value does not fit the type, would not be read back equal by it,
                is not an object (a data set: an array of objects), or contains something that
                cannot be stored.
        """
        with refusing_foreign_errors(self.field):
            return self._write(value)

    def _write(self, value: object) -> "JsonValue":
        if value is None:
            self._refuse(f"{self.field} must not be None.")
        if self._adapter is not None:
            plain = self._through_type(self._adapter, value)
        else:
            plain = self._to_json(value)
        self._check_shape(plain)
        return plain

    def rewrite(self, value: S) -> "JsonValue":
        """Return what a snapshot that was read from the database looks like when it is written.

        It is for comparing alone, so what is stored already is not refused for a secret, nor for
        what the type would lose.

        Raises:
            InvalidInputError: The type cannot write what it read.
        """
        if self._adapter is None:
            return to_json(value, self.field, allow_secrets=True)
        return self._written(self._adapter, value, allow_secrets=True)[0]

    def read(self, stored: object) -> S:
        """Read a stored snapshot.

        Raises:
            ValueError: The snapshot does not fit. Pydantic's `ValidationError` is one.
        """
        if self._adapter is None:
            if not isinstance(stored, list if self.many else dict):
                raise ValueError(f"the snapshot is {kind_of(stored)}")
            return cast("S", stored)
        # As JSON, not as Python objects: only then does a strict model read dates and enums from
        # text, and a field of bytes decode base64.
        text = json.dumps(stored)
        try:
            return self._adapter.validate_json(text)
        except ValueError:
            raise
        except Exception as exc:  # validators are the user's, and raise what they like
            raise ValueError(f"{type(exc).__name__}: {exc}") from exc

    def misfits(self, stored: object) -> list[Misfit]:
        """Find where a stored snapshot does not fit the type; without one, everything fits."""
        if self._adapter is None:
            return []
        from training_versions.snapshots.misfits import find_misfits  # loaded when needed

        return find_misfits(self._adapter, self.column, stored)

    def _check_shape(self, plain: "JsonValue") -> None:
        if not self.many:
            if not isinstance(plain, dict):
                self._refuse(f"{self.field} must be an object, not {kind_of(plain)}.")
            return
        if not isinstance(plain, list):
            self._refuse(f"{self.field} must be an array of objects, not {kind_of(plain)}.")
        for index, entry in enumerate(plain):
            if not isinstance(entry, dict):
                self._refuse(f"{self.field}[{index}] must be an object, not {kind_of(entry)}.")

    def _through_type(self, adapter: TypeAdapter[S], value: object) -> "JsonValue":
        """Validate a value, and write what came of it so that it is read back equal."""
        data = data_kind(value)
        if data is not None:
            self._to_json(value)  # refuses it, and says what to store instead
        fitting = self._fitting(adapter, value)
        plain, loss = self._written(adapter, fitting, allow_secrets=self._allow_secrets)
        if loss is not None:
            self._refuse(f"{loss}.", hint=HINT)
        return plain

    def _written(
        self, adapter: TypeAdapter[S], fitting: S, *, allow_secrets: bool
    ) -> "tuple[JsonValue, str | None]":
        """Write an instance of the type, and say what would be lost when it is read back."""
        # A dataclass that has `to_dict()`, such as PEFT's configs, is written by its fields if it
        # reads those, else as it says itself.
        by_fields = Merge(by_fields=True)
        content = self._dumped(adapter, fitting, by_fields)
        plain = to_json(content, self.field, allow_secrets=allow_secrets)
        loss = self._loss(adapter, fitting, plain, by_fields)
        if loss is None or not by_fields.found_own_dict:
            return plain, loss
        own = Merge()
        content = self._dumped(adapter, fitting, own)
        as_it_says = to_json(content, self.field, allow_secrets=allow_secrets)
        if self._loss(adapter, fitting, as_it_says, own) is None:
            return as_it_says, None
        return plain, loss

    def _to_json(self, value: object) -> "JsonValue":
        return to_json(value, self.field, allow_secrets=self._allow_secrets)

    def _loss(
        self, adapter: TypeAdapter[S], fitting: S, plain: "JsonValue", merge: Merge
    ) -> str | None:
        redacted = merge.redacted
        return find_loss(adapter, fitting, plain, field=self.field, redacted=redacted)

    def _fitting(self, adapter: TypeAdapter[S], value: object) -> S:
        """Return the value as an instance of the type."""
        try:
            return self._validated(adapter, value)
        except InvalidInputError:
            raise
        except ValidationError as exc:
            first = exc.errors(include_url=False)[0]
            place = dotted(self.field, first["loc"])
            self._refuse(f"{place} does not fit its type: {first['msg']}.", cause=exc)
        except Exception as exc:  # validators are the user's, and raise what they like
            problem = f"{type(exc).__name__}: {exc}"
            self._refuse(f"{self.field} does not fit its type: {problem}.", cause=exc)

    def _dumped(self, adapter: TypeAdapter[S], fitting: S, merge: Merge) -> object:
        try:
            return merge.dump(adapter.serializer, fitting)
        except Exception as exc:  # serializers are the user's, too
            self._refuse(f"{self.field} cannot be written as JSON: {exc}.", cause=exc)

    def _validated(self, adapter: TypeAdapter[S], value: object) -> S:
        try:
            return adapter.validate_python(value)
        except ValidationError as exc:
            # A strict model takes a date as a `date` from Python and as a string from JSON; what
            # the caller holds may be JSON.
            text = json.dumps(to_json(value, self.field, allow_secrets=True))
            try:
                return adapter.validate_json(text)
            except ValidationError:
                # The first error speaks of the value as the caller gave it.
                raise exc from None

    def _refuse(
        self, problem: str, *, hint: str | None = None, cause: Exception | None = None
    ) -> NoReturn:
        raise InvalidInputError(problem, field=self.field, hint=hint) from cause


def _is_type_of_one_object(type_: object) -> bool:
    """Return whether values of a type are JSON objects, and so never a list."""
    if not isinstance(type_, type):
        return False  # such as list[DatasetRef]
    kind = cast("type[object]", type_)
    if issubclass(kind, BaseModel):
        return not issubclass(kind, RootModel)
    # A TypedDict is a dict.
    return is_dataclass(kind) or issubclass(kind, dict)


def stored_form(value: object, at: str = "version") -> "JsonValue":
    """Return what a value that was read through some type looks like when it is stored.

    Args:
        value: The value.
        at: What errors call it.
    """
    content = Merge(by_fields=True).dump(SchemaSerializer(core_schema.any_schema()), value)
    return to_json(content, at, allow_secrets=True)
