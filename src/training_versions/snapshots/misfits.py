"""What of a stored snapshot does not fit a type: where something is missing, is not known, or is refused.

What a type drops shows when what it read is written again. What it refuses as a whole cannot be written, so there its
core schema, which is what Pydantic reads by, tells which keys it knows, by whatever name.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from training_versions.models import Misfit
from training_versions.snapshots.pointers import pointer

UNKNOWN: Final = "the type does not know it, and drops it"
_EXTRA: Final = ("extra_forbidden", "unexpected_keyword_argument")
_ABSENT: Final = ("missing", "missing_argument", "missing_keyword_only_argument")
_OPAQUE: Final = ("any", "function-plain", "is-instance")  # they may read any key
Path = tuple[str | int, ...]
Schema = dict[str, Any]


def find_misfits(adapter: TypeAdapter[Any], column: str, stored: object) -> list[Misfit]:
    """Tell where a stored snapshot and a type part ways, in the order of the document."""
    found, dropped = dict[tuple[Path, str], str](), list[Path]()
    known = _known(adapter, stored)
    unknown = [path for path, is_known in known.items() if not is_known]
    try:
        value = adapter.validate_json(json.dumps(stored))
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False, include_context=False):
            kind = (
                "unknown"
                if error["type"] in _EXTRA
                else "missing"
                if error["type"] in _ABSENT
                else "invalid"
            )
            found.setdefault((_located(stored, error["loc"], kind), kind), error["msg"])
        dropped = unknown
    except Exception as exc:  # validators are the user's, and raise what they like
        found[(), "invalid"] = f"{type(exc).__name__}: {exc}"
    else:
        try:
            written = adapter.dump_python(value, mode="json", by_alias=True)
        except Exception:  # so are serializers
            dropped = unknown
        else:
            # Also what is read by one name and written by another.
            for path in _not_written(stored, written, set(unknown), ()):
                dropped += (
                    [each for each in unknown if each[: len(path)] == path]
                    if known.get(path)
                    else [path]
                )
    for path in dropped:
        found.setdefault((path, "unknown"), UNKNOWN)
    return [
        Misfit.model_validate(
            {"path": pointer((column, *path)), "problem": problem, "message": message}
        )
        for (path, problem), message in found.items()
    ]


def _located(stored: object, loc: Sequence[str | int], kind: str) -> Path:
    """Follow an error's location through the document, past the steps that only name a member of a union."""
    path: Path = ()
    at = stored
    for place, part in enumerate(loc):
        if isinstance(at, dict) and part in at:
            at = cast("dict[str, object]", at)[cast("str", part)]
        elif (
            isinstance(at, list)
            and isinstance(part, int)
            and 0 <= part < len(cast("list[object]", at))
        ):
            at = cast("list[object]", at)[part]
        elif kind != "missing" or place < len(loc) - 1:
            continue
        path += (part,)
    return path


def _not_written(stored: object, written: object, unknown: set[Path], path: Path) -> Iterator[Path]:
    if isinstance(stored, dict) and isinstance(written, dict):
        kept = cast("dict[str, object]", written)
        for key, value in cast("dict[str, object]", stored).items():
            inner = (*path, key)
            if key not in kept or (
                inner in unknown and kept[key] != value
            ):  # a default by the same name
                yield inner
            else:
                yield from _not_written(value, kept[key], unknown, inner)
    elif isinstance(stored, list) and isinstance(written, list):
        entries = cast("list[object]", written)
        for index, value in enumerate(cast("list[object]", stored)):
            if index < len(entries):
                yield from _not_written(value, entries[index], unknown, (*path, index))
            else:
                yield (*path, index)


def _known(adapter: TypeAdapter[Any], stored: object) -> dict[Path, bool]:
    """Tell of each key that lies where a type has fields whether it is one of them."""
    try:
        schema = cast("Schema", adapter.core_schema)
        definitions = {each["ref"]: each for each in schema.get("definitions", ())}
    except PydanticUserError:  # a type that is not defined to the end
        return {}
    return dict(_walked(stored, [schema], definitions, ()))


def _walked(
    value: object, schemas: Sequence[Schema], definitions: dict[str, Schema], path: Path
) -> Iterator[tuple[Path, bool]]:
    members = list(_members(schemas, definitions))
    if isinstance(value, dict):
        objects = [each for each in members if each.fields is not None]
        closed = bool(objects) and not any(each.open for each in members)
        for key, inner in cast("dict[str, object]", value).items():
            known = [each.fields[key] for each in objects if each.fields and key in each.fields]
            if known or closed:
                yield (*path, key), bool(known)
            known += [each.values for each in members if each.fields is None and each.values]
            yield from _walked(inner, known, definitions, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[object]", value)):
            known = [each.items[min(index, len(each.items) - 1)] for each in members if each.items]
            yield from _walked(inner, known, definitions, (*path, index))


class _Member(NamedTuple):
    """What one member of a union, or all there is, knows of the object or array that it reads."""

    fields: dict[str, Schema] | None = None
    open: bool = False
    values: Schema | None = None
    items: Sequence[Schema] = ()


def _members(schemas: Sequence[Schema], definitions: dict[str, Schema]) -> Iterator[_Member]:
    ahead, seen = [(each, dict[str, Any]()) for each in reversed(schemas)], set[str]()
    while ahead:
        schema, config = ahead.pop()
        kind, config = schema["type"], schema.get("config") or config
        if kind == "definition-ref":
            reference = schema["schema_ref"]
            if reference in definitions and reference not in seen:
                seen.add(reference)
                ahead.append((definitions[reference], config))
        elif "fields" in schema and kind != "dataclass":
            extra = schema.get("extra_behavior") or config.get("extra_fields_behavior")
            yield _Member(_fields(schema, config), extra == "allow")
        elif kind == "dict":
            yield _Member(None, True, schema.get("values_schema"))
        elif items := schema.get("items_schema"):
            yield _Member(
                items=cast("Sequence[Schema]", items if isinstance(items, list) else [items])
            )
        else:
            choices = schema.get("choices", ())
            inner: list[Any] = list(
                cast("Schema", choices).values() if isinstance(choices, dict) else choices
            )
            inner += [
                schema[name] for name in ("schema", "lax_schema", "json_schema") if name in schema
            ]
            inner += schema.get("steps", ())[:1]
            ahead += [(each[0] if isinstance(each, tuple) else each, config) for each in inner]
            if kind in _OPAQUE:
                yield _Member(open=True)


def _fields(schema: Schema, config: dict[str, Any]) -> dict[str, Schema]:
    by_name = config.get("validate_by_name") or config.get("populate_by_name")
    fields: Any = schema["fields"]
    named = (
        cast("Schema", fields)
        if isinstance(fields, dict)
        else {each["name"]: each for each in fields}
    )
    written: list[Schema] = schema.get("computed_fields", [])
    keys = {str(each.get("alias") or each["property_name"]): Schema(type="any") for each in written}
    for name, field in named.items():
        alias: Any = field.get("validation_alias", name)
        paths: Any = (
            [[alias]]
            if isinstance(alias, str)
            else alias
            if isinstance(alias[0], list)
            else [alias]
        )
        keys |= {
            path[0]: field["schema"] if len(path) == 1 else Schema(type="any") for path in paths
        }
        keys |= {name: field["schema"]} if by_name else {}
    return keys
