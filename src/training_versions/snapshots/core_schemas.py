"""Which keys of a document a type reads, according to its core schema.

A core schema is what Pydantic validates by: nested dictionaries, each with a `type`. Those that
read objects and arrays lie inside others, for defaults, unions, validators and references. Only
what says which keys are read is looked at here; values are never checked.

For example, the core schema of `Lora | None`, where `Lora` is a model with a field `r`, is in
short:

    {"type": "nullable", "schema":
        {"type": "model", "cls": Lora, "schema":
            {"type": "model-fields", "fields": {"r": {"type": "model-field", "schema": …}}}}}

Two schemas wrap the one that reads an object, and that one reads the key `r`. The schema of a union
of two models, `Lora | Full`, wraps both, and an object may be read by either:

    {"type": "union", "choices": [{"type": "model", …}, {"type": "model", …}]}
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

SnapshotPath: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value in a snapshot."""
Schema: TypeAlias = dict[str, Any]
_Definitions: TypeAlias = dict[str, Schema]
"""Schemas that others refer to, by their reference."""
_AliasPath: TypeAlias = list[Any]
"""Keys and indexes that lead to the value of a field."""

# What these read is not in the schema: anything, or whatever code of the user's own reads.
_OPAQUE: Final = ("any", "function-plain", "is-instance")
_ANYTHING: Final[Schema] = {"type": "any"}


def known_keys(adapter: TypeAdapter[Any], stored: object) -> dict[SnapshotPath, bool]:
    """Return for each key in a document whether the type reads it.

    There are three answers for a key:

    - `True`: a schema that may read the object has a field of this name.
    - `False`: none has, and none takes other keys, so the type ignores or refuses this one.
    - The key is left out: the schema cannot say. It may be one of a mapping or of a model with
      `extra="allow"`, or be read by the user's own code.
    """
    try:
        schema = cast("Schema", adapter.core_schema)
    except PydanticUserError:
        # The type refers to another that is not defined yet.
        return {}
    definitions = {each["ref"]: each for each in schema.get("definitions", ())}
    return dict(_walk(stored, [schema], definitions, ()))


def _walk(
    value: object, schemas: Sequence[Schema], definitions: _Definitions, path: SnapshotPath
) -> Iterator[tuple[SnapshotPath, bool]]:
    """Walk a document along the schemas that may read it, of which a union has several."""
    readers = list(_readers(schemas, definitions))
    if isinstance(value, dict):
        value_schemas = [each.values for each in readers if each.values is not None]
        # A key that one reader of several might take is not unknown.
        have_fields = any(each.fields is not None for each in readers)
        knows_all_keys = have_fields and not any(each.takes_any_key for each in readers)
        for key, inner in cast("dict[str, object]", value).items():
            inner_path = (*path, key)
            field_schemas = _field_schemas(readers, key)
            if field_schemas:
                yield inner_path, True
            elif knows_all_keys:
                yield inner_path, False
            yield from _walk(inner, field_schemas + value_schemas, definitions, inner_path)
    elif isinstance(value, list):
        entries = [each.entries for each in readers if each.entries]
        for index, inner in enumerate(cast("list[object]", value)):
            # A tuple has a schema for each entry, of which the last stands for all further ones.
            inner_schemas = [each[min(index, len(each) - 1)] for each in entries]
            yield from _walk(inner, inner_schemas, definitions, (*path, index))


@dataclass(frozen=True, slots=True)
class _Reader:
    """What one schema reads of an object or of an array."""

    fields: dict[str, Schema] | None = None
    """Of a model or the like: the schemas of its fields by the keys that it reads."""
    takes_any_key: bool = False
    values: Schema | None = None
    """Of a mapping: the schema of every value."""
    entries: Sequence[Schema] = ()
    """Of an array: the schemas of its entries."""


def _field_schemas(readers: Sequence[_Reader], key: str) -> list[Schema]:
    """Return the schemas of the fields that are read from a key."""
    return [each.fields[key] for each in readers if each.fields is not None and key in each.fields]


@dataclass(frozen=True, slots=True)
class _Pending:
    """A schema to be looked at, with the config of the model that it lies in."""

    schema: Schema
    config: dict[str, Any] = field(default_factory=dict[str, Any])


def _readers(schemas: Sequence[Schema], definitions: _Definitions) -> Iterator[_Reader]:
    """Unwrap schemas, depth first, down to those that read objects and arrays."""
    ahead = [_Pending(each) for each in reversed(schemas)]
    followed: set[str] = set()
    while ahead:
        pending = ahead.pop()
        schema = pending.schema
        config = schema.get("config", pending.config)
        if schema["type"] == "definition-ref":
            # Once each, as a definition may contain itself.
            reference = schema["schema_ref"]
            if reference in definitions and reference not in followed:
                followed.add(reference)
                ahead.append(_Pending(definitions[reference], config))
            continue
        reader = _reader_of(schema, config)
        if reader is not None:
            yield reader
        ahead += [_Pending(inner, config) for inner in _wrapped(schema)]


def _reader_of(schema: Schema, config: dict[str, Any]) -> _Reader | None:
    """Return what a schema reads itself; `None` if it only wraps others, or reads no containers."""
    match schema:
        case {"type": "dataclass"}:
            # Its `fields` are names alone; the schema that it wraps has their schemas.
            return None
        case {"fields": _}:
            return _fields_reader(schema, config)
        case {"type": "dict"}:
            # A mapping takes every key, and still says how it reads the values.
            return _Reader(takes_any_key=True, values=schema.get("values_schema"))
        case {"items_schema": [_, *_] as items}:
            return _Reader(entries=cast("list[Schema]", items))
        case {"items_schema": {"type": _} as items}:
            return _Reader(entries=[cast("Schema", items)])
        case {"type": kind} if kind in _OPAQUE:
            return _Reader(takes_any_key=True)
        case _:
            return None


def _wrapped(schema: Schema) -> Iterator[Schema]:
    """Yield the schemas that a schema wraps: members of a union, or what a validator goes with."""
    choices: Any = schema.get("choices", ())
    if isinstance(choices, dict):
        # A tagged union has its members by their tags.
        choices = cast("dict[str, Any]", choices).values()
    for choice in cast("Iterable[Any]", choices):
        if isinstance(choice, tuple):
            # It comes with a label.
            choice = cast("tuple[Schema, str]", choice)[0]
        yield choice
    for name in ("schema", "lax_schema", "json_schema"):
        if name in schema:
            yield schema[name]
    # Of a chain, the first reads the document, and the others what that one made of it.
    yield from schema.get("steps", ())[:1]


def _fields_reader(schema: Schema, config: dict[str, Any]) -> _Reader:
    """Return what a model, typed dictionary or dataclass reads."""
    extra = schema.get("extra_behavior", config.get("extra_fields_behavior"))
    # The newer name of a setting, and the older one.
    by_name = config.get("validate_by_name", False) or config.get("populate_by_name", False)

    # Computed fields are not read, but whoever writes them means them to be in the document.
    keys = {_written_key(each): _ANYTHING for each in schema.get("computed_fields", ())}
    for name, each in _named_fields(schema):
        for path in _alias_paths(each.get("validation_alias", name)):
            key = path[0]
            if len(path) == 1:
                keys[key] = each["schema"]
            else:
                # It reads only a part of what is at this key.
                keys[key] = _ANYTHING
        if by_name:
            keys[name] = each["schema"]
    return _Reader(fields=keys, takes_any_key=extra == "allow")


def _named_fields(schema: Schema) -> list[tuple[str, Schema]]:
    """Return the fields with their names, which dataclasses have in a list and models do not."""
    fields: dict[str, Schema] | list[Schema] = schema["fields"]
    if isinstance(fields, dict):
        return list(fields.items())
    return [(each["name"], each) for each in fields]


def _written_key(computed: Schema) -> str:
    return str(computed.get("alias", computed["property_name"]))


def _alias_paths(alias: str | _AliasPath | list[_AliasPath]) -> list[_AliasPath]:
    """Bring the shapes of an alias into one: a list of the paths that a field is read from."""
    match alias:
        case str():
            return [[alias]]
        case [list(), *_]:
            return cast("list[_AliasPath]", alias)
        case _:
            return [cast("_AliasPath", alias)]
