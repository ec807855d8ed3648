"""Whether what a type writes is read back by it as the same value.

A type may write what it does not read: under another name, with a serializer that rounds, without a
field that it excludes. Then the snapshot would come back as another one, and the next edit would
save that. So what is to be written is read at once, and compared with what was given.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Set
from typing import Annotated, Any, Final, TypeAlias, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from training_versions.errors import InvalidInputError
from training_versions.snapshots.equality import json_equal
from training_versions.snapshots.json_values import dotted, to_json
from training_versions.snapshots.objects import has_own_dict, is_masked
from training_versions.snapshots.secrets import is_placeholder, is_secret_key

_Path: TypeAlias = tuple[str | int, ...]
_NUMBERS: Final = (int, float)
_LEAVES: Final = frozenset({str, int, float, bool})
HINT: Final = (
    "The type must read what it writes. Names that differ in reading and writing, serializers, "
    "excluded and computed fields, fields of subclasses, and keys that are no text may keep it "
    "from that."
)


def find_loss(
    adapter: TypeAdapter[Any], given: object, plain: object, *, field: str, redacted: Set[str]
) -> str | None:
    """Say where and how a value would come back differently; `None` if it comes back equal.

    Args:
        adapter: Of the type.
        given: The value, as the type has validated it.
        plain: What is to be stored of it.
        field: The argument that it came in.
        redacted: Texts in it that its objects do not tell, and that are null in what is stored.
    """
    try:
        again: object = adapter.validate_json(json.dumps(plain))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = dotted(field, first["loc"])
        return f"{place} would not be read back by its type: {first['msg']}"
    except Exception as exc:  # validators are the user's, and raise what they like
        return f"{field} would not be read back by its type: {type(exc).__name__}: {exc}"
    path = _Comparison(redacted).difference(given, again, ())
    if path is None:
        return None
    return f"{dotted(field, path)} would be read back {_as_what(again, path)}"


def _as_what(again: Any, path: _Path) -> str:
    """Describe what is read back at a path: what was given may be a secret."""
    for step in path:
        is_container = isinstance(again, list | tuple | Mapping)
        try:
            again = again[step] if is_container else getattr(again, str(step))
        except (LookupError, AttributeError, TypeError):
            return "as nothing"
    return f"as {again!r:.80}"


class _Comparison:
    """Compares a value with what its type read back."""

    def __init__(self, redacted: Set[str]) -> None:
        self._redacted = redacted

    def difference(self, given: Any, again: Any, path: _Path) -> _Path | None:
        """Return the path to the first difference, or `None`."""
        if type(given) is type(again) and type(given) in _LEAVES and given == again:
            return None
        if given is again or self._is_withheld(given, again, path):
            return None
        if _are_of_one_model(given, again):
            return self._in_fields(given, _fields_of(given), _fields_of(again), path)
        if type(given) is not type(again):
            return None if _same_as_json(given, again) else path
        if isinstance(given, Mapping):
            return self._in_members(cast("Mapping[Any, object]", given), again, path)
        if isinstance(given, list | tuple):
            return self._in_entries(cast("list[object]", given), cast("list[object]", again), path)
        if dataclasses.is_dataclass(given):
            return self._in_fields(given, _data_of(given), _data_of(again), path)
        return None if _same(given, again) else path

    def _is_withheld(self, given: object, again: object, path: _Path) -> bool:
        """Return whether something is null because it is not to be told."""
        if again is not None:
            return False
        if not isinstance(given, str):
            return is_masked(given)
        key = str(path[-1]) if path else ""
        return given in self._redacted or (is_secret_key(key) and is_placeholder(key, given))

    def _in_fields(
        self, owner: object, given: Mapping[str, object], again: Mapping[str, object], path: _Path
    ) -> _Path | None:
        declared: Mapping[str, FieldInfo] = getattr(type(owner), "__pydantic_fields__", {})
        members = dict(given)
        while (found := self._in_members(members, again, path)) is not None:
            name = str(found[len(path)])
            if name not in declared or name not in again:
                return found
            if not _is_raw_default(declared[name], members[name], again[name]):
                return found
            members[name] = again[name]
        return None

    def _in_members(
        self, given: Mapping[Any, object], again: Mapping[Any, object], path: _Path
    ) -> _Path | None:
        for key, value in given.items():
            if key not in again:
                return (*path, key)
            found = self.difference(value, again[key], (*path, key))
            if found is not None:
                return found
        for key in again:
            if key not in given:
                return (*path, key)
        return None

    def _in_entries(self, given: list[object], again: list[object], path: _Path) -> _Path | None:
        if len(given) != len(again):
            return path
        for index, (value, other) in enumerate(zip(given, again, strict=True)):
            found = self.difference(value, other, (*path, index))
            if found is not None:
                return found
        return None


def _is_raw_default(info: FieldInfo, given: object, again: object) -> bool:
    """Return whether a field has its default, and reads back what its type makes of that.

    Pydantic does not validate defaults: `output: Path = "out"` is text until it is read back.
    """
    default: object = info.default
    try:
        if type(given) is not type(default) or given != default:
            return False
        declared: Any = info.annotation
        if info.metadata:
            declared = Annotated[(declared, *info.metadata)]
        return bool(TypeAdapter[object](declared).validate_python(given) == again)
    except Exception:  # types and what they compare with are the user's
        return False


def _data_of(instance: Any) -> dict[str, object]:
    """Return the fields of a dataclass."""
    fields: dict[str, object] = {}
    for each in dataclasses.fields(instance):
        fields[each.name] = getattr(instance, each.name, None)
    return fields


def _are_of_one_model(given: object, again: object) -> bool:
    """Return whether both are of one model, be it generic, as `Box` and `Box[int]` are."""
    if not isinstance(given, BaseModel) or not isinstance(again, BaseModel):
        return False
    return _unparametrized(type(given)) is _unparametrized(type(again))


def _unparametrized(kind: type[BaseModel]) -> type[BaseModel]:
    origin = kind.__pydantic_generic_metadata__["origin"]
    return kind if origin is None else origin


def _fields_of(model: BaseModel) -> Mapping[str, object]:
    """Return the fields of a model, and what it holds beyond them."""
    kind = type(model)
    members = {name: model.__dict__.get(name) for name in kind.model_fields}
    # Computed fields are written, and read back as extra ones; they are computed anew all the same.
    computed: set[str] = set()
    for name, info in kind.model_computed_fields.items():
        computed.add(name if info.alias is None else info.alias)
    if model.model_extra is not None:
        for name, value in model.model_extra.items():
            if name not in computed:
                members[name] = value
    return members


def _same(given: Any, again: Any) -> bool:
    """Compare two values of one type that are no containers."""
    if isinstance(given, float) and math.isnan(given):
        return math.isnan(again)
    try:
        equal = given == again
        if hasattr(equal, "all"):
            equal = equal.all()  # of arrays, one for each of their entries
        if bool(equal):
            return True
    except Exception:  # what compares in its own way is the user's
        return False
    if type(cast("object", given)).__eq__ is not object.__eq__:
        return False
    # Without an equality of its own, it is what it holds.
    if has_own_dict(cast("object", given)):
        return bool(cast("Any", given).to_dict() == again.to_dict())
    return hasattr(cast("object", given), "__dict__") and _vars(given) == _vars(again)


def _vars(value: object) -> dict[str, Any]:
    return vars(value)


def _same_as_json(given: object, again: object) -> bool:
    """Compare two values of different types, as where a type takes anything.

    There a tuple comes back as a list, and a model as an object, just as without a type.
    """
    if isinstance(given, str) and isinstance(again, str):
        return str.__str__(given) == str.__str__(again)
    if type(given) in _NUMBERS and type(again) in _NUMBERS:
        # Where the type says which of the two it is, Python may still hold the other.
        return given == again
    if not isinstance(again, dict | list | str | int | float):
        return False
    try:
        plain: object = to_json(given, "value", allow_secrets=True)
    except InvalidInputError:
        return False
    return json_equal(plain, cast("object", again))
