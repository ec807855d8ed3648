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
from collections.abc import Mapping, Set
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
        in_python, in_json = _dump_twice(kind.__pydantic_serializer__, model, warnings=True)
    return Merge().of(_Part(model), in_python, in_json)


def _dump_twice(
    serializer: SchemaSerializer, value: object, *, warnings: bool
) -> tuple[object, object]:
    """Dump a value as Python objects and as JSON."""
    # What Pydantic cannot write is null there, and is found in the other dump.
    text = serializer.to_json(value, by_alias=True, warnings=warnings, fallback=lambda _: None)
    in_json: object = json.loads(text)
    try:
        in_python = serializer.to_python(value, mode="python", by_alias=True, warnings=False)
    except TypeError:
        # A set of models, which are dumped as dictionaries, and those are in no set.
        return in_json, in_json
    return in_python, in_json


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
        in_python, in_json = _dump_twice(serializer, value, warnings=False)
        return self.of(_Part(value, any_key=True), in_python, in_json)

    def of(self, part: _Part, in_python: object, in_json: object) -> object:
        """Return what a part holds."""
        value = part.value
        if isinstance(value, RootModel):
            root = cast("RootModel[Any]", value)
            return self.of(_declared(part, root, "root", root.root), in_python, in_json)
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
                held = parts.get(key) or _Part(inner, part.any_key)
                merged[name] = self.of(held, inner, inner_json)
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
                merged.append(self.of(_Part(each, part.any_key), inner, entry))
        return merged

    def _set(self, in_python: Set[object], in_json: object) -> object:
        """Return a set, for the copy to sort."""
        if not isinstance(in_json, list):
            return in_json
        members = cast("list[object]", in_json)
        lost = zip(in_python, members, strict=False)
        if any(_is_lost(member, written) for member, written in lost):
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
    was_plain = in_python is None or isinstance(in_python, str | int | float)
    return in_json is None and not was_plain


def _parts(part: _Part) -> _Parts:
    """Return what a value holds, by the keys that Pydantic dumps it under."""
    value = part.value
    if isinstance(value, BaseModel):
        parts: dict[object, _Part] = {
            key: _Part(extra, part.any_key) for key, extra in (value.model_extra or {}).items()
        }
        for name, info in type(value).model_fields.items():
            key = info.serialization_alias or name
            parts[key] = _declared(part, value, name, value.__dict__.get(name))
        return parts
    if dataclasses.is_dataclass(value):
        fields = {each.name: getattr(value, each.name, None) for each in dataclasses.fields(value)}
        return {key: _Part(inner, part.any_key) for key, inner in fields.items()}
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        return {key: _Part(inner, part.any_key) for key, inner in members.items()}
    return {}


def _declared(part: _Part, model: BaseModel, name: str, value: object) -> _Part:
    """Return a field of a model, which may declare mappings with keys of other types."""
    annotation = type(model).model_fields[name].annotation
    return _Part(value, part.any_key or _has_other_keys(annotation))


def _has_other_keys(annotation: object) -> bool:
    """Return whether a type has a mapping in it whose keys are declared, and no text."""
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
    if is_mapping and arguments and arguments[0] not in (Any, str, object):
        return True
    return any(_has_other_keys(each) for each in arguments)
