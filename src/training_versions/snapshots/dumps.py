"""What Pydantic's own JSON of a value gets wrong, put right.

Pydantic writes NaN and infinity as null, sets in the order of their hashes, which is another one in
each process, keys that differ only in their type as one, and the fields of an object whose own
`to_dict()` leaves a secret out. So a value is dumped twice, as Python objects and as JSON, and both
are walked side by side with the value itself. The JSON has the last word, since it knows aliases
and serializers, except where it says something else than is meant. There the Python object takes
its place, for the copy in `json_values.py` to write or to refuse.
"""

import dataclasses
import json
import math
from collections import deque
from collections.abc import Collection, Mapping, Set
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias, cast, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic_core import SchemaSerializer

from training_versions.snapshots.objects import has_own_dict, is_masked
from training_versions.snapshots.secrets import is_placeholder, is_secret_key

_ARRAYS: Final = (list, tuple, deque)
_LEAVES: Final = frozenset({str, int, float, bool, type(None)})
_Parts: TypeAlias = "Mapping[object, _Part]"


def dump_model(model: BaseModel) -> object:
    """Return what a model holds, for the copy to write or to refuse."""
    kind = type(model)
    if kind.model_dump is not BaseModel.model_dump:
        # It has a dump of its own.
        in_python, in_json = model.model_dump(by_alias=True), model.model_dump(mode="json")
    else:
        in_json = _dump_as_json(kind.__pydantic_serializer__, model, warnings=True)
        try:
            in_python = _dump_as_python(kind.__pydantic_serializer__, model)
        except TypeError:
            in_python = _dump_each_field(model)
    return Merge().of(_Part(model), in_python, in_json)


def _dump_as_json(serializer: SchemaSerializer, value: object, *, warnings: bool) -> object:
    def dump(value: object, *, warnings: bool) -> bytes:
        # What Pydantic cannot write is null there, and is found in the other dump.
        return serializer.to_json(value, by_alias=True, warnings=warnings, fallback=lambda _: None)

    try:
        text = dump(value, warnings=warnings)
    except Exception:
        text = dump(_without_own_dicts(value, frozenset()), warnings=False)
    return json.loads(text)


def _dump_as_python(
    serializer: SchemaSerializer, value: object, *, only: set[str] | None = None
) -> object:
    """Dump a value as Python objects.

    Raises:
        TypeError: It holds a set of models: they are dumped as dictionaries, which no set can hold.
    """

    def dump(value: object) -> object:
        return serializer.to_python(
            value, mode="python", by_alias=True, include=only, warnings=False
        )

    try:
        return dump(value)
    except TypeError:
        raise
    except Exception:
        return dump(_without_own_dicts(value, frozenset()))


class _OwnDict:
    """Stands for an object that says itself what it holds."""


def _without_own_dicts(value: object, inside: frozenset[int]) -> object:
    """Return a value without the objects in it that are left to their own `to_dict()`.

    Their fields may raise when Pydantic reads them, as those of Gemma's configs do that differ
    from layer to layer.
    """
    if has_own_dict(value):
        return _OwnDict()
    if id(value) in inside:
        return value
    inside |= {id(value)}
    if isinstance(value, BaseModel):
        copied = BaseModel.__copy__(value)
        for members in (vars(cast("object", copied)), copied.__pydantic_extra__ or {}):
            for name, held in members.items():
                members[name] = _without_own_dicts(held, inside)
        return copied
    if type(value) is dict:
        entries = cast("dict[object, object]", value)
        return {key: _without_own_dicts(held, inside) for key, held in entries.items()}
    if type(value) is list or type(value) is tuple:
        return [_without_own_dicts(held, inside) for held in cast("list[object]", value)]
    return value


def _dump_each_field(model: BaseModel) -> dict[object, object]:
    """Dump a model field by field, but for those that hold a set of models."""
    serializer = type(model).__pydantic_serializer__
    keys = _dumped_keys(type(model))
    dumped: dict[object, object] = {}
    # In the order in which Pydantic dumps them.
    extra, computed = _extra_of(model), type(model).model_computed_fields
    for name in (*model.__dict__, *extra, *computed):
        try:
            field = _dump_as_python(serializer, model, only={name})
        except TypeError:
            field = {keys.get(name, name): _Undumped(getattr(model, name))}
        dumped |= cast("dict[object, object]", field)
    return dumped


class _Undumped(NamedTuple):
    """Stands for what Pydantic cannot dump as Python objects."""

    value: object


class _Part(NamedTuple):
    """A value, or a part of it, as its owner holds it."""

    value: object
    any_key: bool = False
    """Keys of mappings in it may be no text, since its type says how they are read."""


class Merge:
    """Merges the two dumps of a value.

    Args:
        by_fields: Write a dataclass that has a `to_dict()` by its fields all the same.
    """

    def __init__(self, *, by_fields: bool = False) -> None:
        self.by_fields = by_fields
        self.found_own_dict = False
        """There was such a dataclass, so that there is another way to write it."""
        self.redacted: set[str] = set()
        """Texts in such a dataclass that its `to_dict()` does not tell."""

    def dump(self, serializer: SchemaSerializer, value: object) -> object:
        """Return what a value holds that will be read back, and may so have keys of any type."""
        in_json = _dump_as_json(serializer, value, warnings=False)
        try:
            in_python = _dump_as_python(serializer, value)
        except TypeError:
            # What is lost in the JSON is found when it is read back.
            in_python = in_json
        return self.of(_Part(value, any_key=True), in_python, in_json)

    def _inner(self, part: _Part, in_python: object, in_json: object) -> object:
        """Return what a part of another holds, or the part for the copy to open."""
        if isinstance(in_python, _Undumped):
            return in_python.value
        if _is_dumped_as_its_base(part.value, in_python):
            return part.value
        return self.of(part, in_python, in_json)

    def of(self, part: _Part, in_python: object, in_json: object) -> object:
        """Return what a part holds."""
        value = part.value
        if isinstance(value, RootModel):
            root = cast("RootModel[Any]", value)
            annotation = type(root).model_fields["root"].annotation
            return self._inner(_declared(part, annotation, root.root), in_python, in_json)
        if is_masked(value) or is_masked(in_python):
            return None if _is_mask(in_json) else in_json
        if has_own_dict(value):
            return self._own(value, in_python, in_json)
        if hasattr(in_python, "__next__"):
            # Read by now, and never to be read again.
            return value
        if _is_lost(in_python, in_json):
            return in_python
        if isinstance(in_python, Mapping):
            return self._object(part, cast("Mapping[object, object]", in_python), in_json)
        if isinstance(value, Set) and isinstance(in_python, list):
            return Unordered(cast("list[object]", in_python))
        if isinstance(in_python, _ARRAYS):
            return self._array(part, list(cast("list[object]", in_python)), in_json)
        if isinstance(in_python, Set):
            return self._set(cast("Set[object]", in_python), in_json)
        return in_json

    def _own(self, value: object, in_python: object, in_json: object) -> object:
        """Leave an object to its own `to_dict()`, or take from it what may be told."""
        is_by_fields = dataclasses.is_dataclass(value) and isinstance(in_json, dict)
        self.found_own_dict |= is_by_fields
        if not (is_by_fields and self.by_fields):
            return value
        told = cast("dict[str, object]", cast("Any", value).to_dict())
        part, members = _Part(value, any_key=True), cast("dict[object, object]", in_python)
        merged = self._object(part, members, cast("object", in_json))
        fields = cast("dict[str, object]", merged)
        for key, text in fields.items():
            own = told.get(key)
            if not isinstance(text, str) or own == text:
                continue
            if is_secret_key(key) or (isinstance(own, str) and is_placeholder(key, own)):
                self.redacted.add(text)
                fields[key] = None
        return fields

    def _object(self, part: _Part, in_python: Mapping[object, object], in_json: object) -> object:
        if not isinstance(in_json, dict):
            return in_json
        texts = cast("dict[str, object]", in_json)
        have_other_keys = not all(isinstance(key, str) for key in in_python)
        if have_other_keys and (len(texts) != len(in_python) or not part.any_key):
            # Two that differ in their type became one, or come back as another type.
            return in_python
        if len(texts) != len(in_python):
            return texts
        parts: _Parts | None = None
        merged: dict[str, object] = {}
        for (key, inner), (name, inner_json) in zip(in_python.items(), texts.items(), strict=True):
            if _is_plain_leaf(inner, inner_json):
                merged[name] = inner_json
            else:
                if parts is None:
                    parts = _parts(part)
                held = parts.get(key, _Part(inner, part.any_key))
                merged[name] = self._inner(held, inner, inner_json)
        return merged

    def _array(self, part: _Part, in_python: list[object], in_json: object) -> object:
        if not isinstance(in_json, list):
            return in_json
        entries = cast("list[object]", in_json)
        if len(entries) != len(in_python):
            return entries
        value, held = part.value, in_python
        if isinstance(value, _ARRAYS):
            held = list(cast("list[object]", value))
        if len(held) != len(in_python):
            held = in_python
        merged: list[object] = []
        for each, inner, entry in zip(held, in_python, entries, strict=True):
            if _is_plain_leaf(inner, entry):
                merged.append(entry)
            else:
                merged.append(self._inner(_Part(each, part.any_key), inner, entry))
        return merged

    def _set(self, in_python: Set[object], in_json: object) -> object:
        """Return a set, for the copy to sort."""
        if not isinstance(in_json, list):
            return in_json
        members = cast("list[object]", in_json)
        # The two may be in different orders.
        if _count_nulls(members) != _count_nulls(in_python):
            return in_python
        return Unordered(members)


class Unordered(list[object]):
    """The members of what was a set, to be sorted."""


def _is_mask(in_json: object) -> bool:
    """Return whether this is what one of Pydantic's secrets shows; a serializer may tell more."""
    return in_json is None or (isinstance(in_json, str) and not in_json.strip("*/-. "))


def _is_plain_leaf(in_python: object, in_json: object) -> bool:
    """Return whether both dumps have the same text, number, boolean or nothing."""
    return type(in_python) in _LEAVES and in_python == in_json


def _is_lost(in_python: object, in_json: object) -> bool:
    """Return whether JSON says null, or a number that is none, for something else."""
    if isinstance(in_python, float) and not math.isfinite(in_python):
        return not isinstance(in_json, str)
    if isinstance(in_python, Decimal):
        # Pydantic writes those as text, whatever the type says of infinity.
        return not in_python.is_finite()
    was_plain = in_python is None or isinstance(in_python, str | int | float)
    return in_json is None and not was_plain


def _count_nulls(value: object) -> int:
    """Count what is null in a member of a set, which may be a tuple."""
    if isinstance(value, Set | list | tuple):
        return sum(map(_count_nulls, cast("Collection[object]", value)))
    return int(value is None)


def _is_dumped_as_its_base(value: object, in_python: object) -> bool:
    """Return whether fields are missing because a field is declared as a base class of its value.

    Pydantic dumps a value by the declared class. What a model excludes, or a serializer leaves out,
    is not missing: that is how the model is to be written.
    """
    if not isinstance(in_python, Mapping) or isinstance(value, RootModel):
        return False
    kind: type[object] = type(value)
    dumped = cast("Mapping[object, object]", in_python).keys()
    extra: Mapping[str, object] = {}
    if isinstance(value, BaseModel):
        extra = _extra_of(value)
        if not extra and type(value).model_fields.keys() <= dumped:
            return False  # as nearly all are
    if {*_dumped_keys(kind).values(), *extra} <= dumped:
        return False
    return any(_keys_as(base, value) == dumped for base in kind.__mro__[1:])


def _keys_as(base: type[object], value: object) -> Set[object] | None:
    """Return the keys that a value has when it is dumped as one of its base classes."""
    if base is BaseModel:
        return set()
    if issubclass(base, BaseModel):
        dumped = _dump_as_python(base.__pydantic_serializer__, value)
        is_object = isinstance(dumped, Mapping)
        return cast("Mapping[object, object]", dumped).keys() if is_object else None
    if dataclasses.is_dataclass(base):
        return {*_dumped_keys(base).values()}
    return None


def _dumped_keys(kind: type[object]) -> dict[str, str]:
    """Return the keys that Pydantic dumps the fields of a class under, by the fields' names."""
    keys: dict[str, str] = {}
    if issubclass(kind, BaseModel):
        for name, info in kind.model_fields.items():
            if not info.exclude:
                keys[name] = _alias_or_name(info.serialization_alias, name)
        for name, computed in kind.model_computed_fields.items():
            keys[name] = _alias_or_name(computed.alias, name)
    elif dataclasses.is_dataclass(kind):
        keys = {each.name: each.name for each in dataclasses.fields(kind)}
    return keys


def _alias_or_name(alias: str | None, name: str) -> str:
    return name if alias is None else alias


def _extra_of(model: BaseModel) -> Mapping[str, object]:
    """Return what a model holds beyond its fields."""
    return {} if model.model_extra is None else model.model_extra


def _parts(part: _Part) -> _Parts:
    """Return what a value holds, by the keys that Pydantic dumps it under."""
    value = part.value
    if isinstance(value, BaseModel):
        parts: dict[object, _Part] = {
            key: _Part(extra, part.any_key) for key, extra in _extra_of(value).items()
        }
        for name, info in type(value).model_fields.items():
            key = _alias_or_name(info.serialization_alias, name)
            parts[key] = _declared(part, info.annotation, value.__dict__.get(name))
        return parts
    if dataclasses.is_dataclass(value):
        fields = {each.name: getattr(value, each.name, None) for each in dataclasses.fields(value)}
        return {key: _Part(inner, part.any_key) for key, inner in fields.items()}
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        return {key: _Part(inner, part.any_key) for key, inner in members.items()}
    return {}


def _declared(part: _Part, annotation: object, value: object) -> _Part:
    """Return a field of a model, which may declare mappings with keys of other types."""
    return _Part(value, part.any_key or _has_other_keys(annotation))


def _has_other_keys(annotation: object) -> bool:
    """Return whether a type has a mapping in it whose keys are declared, and no text."""
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
    if is_mapping and arguments and arguments[0] not in (Any, str, object):
        return True
    return any(_has_other_keys(each) for each in arguments)
