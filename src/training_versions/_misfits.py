"""What of a stored snapshot does not fit a type: where something is missing, is not known, or is refused.

What a type drops shows when what it read is written again. What it refuses as a whole cannot be written, so there the
JSON Schema of the type tells which keys it knows.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from training_versions.records import Misfit

UNKNOWN: Final = "the type does not know it, and drops it"
_EXTRA: Final = ("extra_forbidden", "unexpected_keyword_argument")
_ABSENT: Final = ("missing", "missing_argument", "missing_keyword_only_argument")
Path = tuple[str | int, ...]


def find_misfits(adapter: TypeAdapter[Any], column: str, stored: object) -> list[Misfit]:
    """Tell where a stored snapshot and a type part ways, in the order of the document."""
    found = dict[tuple[Path, str], str]()
    try:
        written = adapter.dump_python(adapter.validate_json(json.dumps(stored)), mode="json", by_alias=True)
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False, include_context=False):
            kind = "unknown" if error["type"] in _EXTRA else "missing" if error["type"] in _ABSENT else "invalid"
            found.setdefault((_located(stored, error["loc"], kind), kind), error["msg"])
        dropped = _not_in_schema(stored, adapter)
    else:
        dropped = _not_written(stored, written, ())
    for path in dropped:
        found.setdefault((path, "unknown"), UNKNOWN)
    return [
        Misfit.model_validate({"path": _pointer((column, *path)), "problem": problem, "message": message})
        for (path, problem), message in found.items()
    ]


def _located(stored: object, loc: Sequence[str | int], kind: str) -> Path:
    """Follow an error's location through the document, past the steps that only name a member of a union."""
    path: Path = ()
    at = stored
    for place, part in enumerate(loc):
        if isinstance(at, dict) and part in at:
            at = cast("dict[str, object]", at)[cast("str", part)]
        elif isinstance(at, list) and isinstance(part, int) and 0 <= part < len(cast("list[object]", at)):
            at = cast("list[object]", at)[part]
        elif kind != "missing" or place < len(loc) - 1:
            continue
        path += (part,)
    return path


def _not_written(stored: object, written: object, path: Path) -> Iterator[Path]:
    if isinstance(stored, dict) and isinstance(written, dict):
        kept = cast("dict[str, object]", written)
        for key, value in cast("dict[str, object]", stored).items():
            if key in kept:
                yield from _not_written(value, kept[key], (*path, key))
            else:
                yield (*path, key)
    elif isinstance(stored, list) and isinstance(written, list):
        pairs = zip(cast("list[object]", stored), cast("list[object]", written), strict=False)
        for index, (value, kept) in enumerate(pairs):
            yield from _not_written(value, kept, (*path, index))


def _not_in_schema(stored: object, adapter: TypeAdapter[Any]) -> Iterator[Path]:
    try:
        schema = adapter.json_schema(by_alias=True, mode="validation")
    except PydanticUserError:  # a type of the user's own making, which does not say
        return iter(())
    return _not_known(stored, [schema], cast("dict[str, Any]", schema.get("$defs", {})), ())


def _not_known(value: object, schemas: Sequence[Any], definitions: dict[str, Any], path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        objects = [each for each in _alternatives(schemas, definitions) if each.get("type", "object") == "object"]
        closed = bool(objects) and all(
            "properties" in each and not each.get("additionalProperties") for each in objects
        )
        for key, inner in cast("dict[str, object]", value).items():
            known = [each["properties"][key] for each in objects if key in each.get("properties", {})]
            known += [each["additionalProperties"] for each in objects if each.get("additionalProperties")]
            if known:
                yield from _not_known(inner, known, definitions, (*path, key))
            elif closed:
                yield (*path, key)
    elif isinstance(value, list):
        arrays = list(_alternatives(schemas, definitions))
        for index, inner in enumerate(cast("list[object]", value)):
            known = [each["prefixItems"][index] for each in arrays if index < len(each.get("prefixItems", ()))]
            known += [
                each["items"] for each in arrays if each.get("items") and index >= len(each.get("prefixItems", ()))
            ]
            yield from _not_known(inner, known, definitions, (*path, index))


def _alternatives(schemas: Sequence[Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    ahead, seen = list(schemas), set[str]()
    while ahead:
        schema = ahead.pop()
        if not isinstance(schema, dict):
            continue
        each = cast("dict[str, Any]", schema)
        reference = str(each.get("$ref", ""))
        if reference and reference not in seen:
            seen.add(reference)
            ahead.append(definitions.get(reference.rpartition("/")[2]))
        ahead += [inner for word in ("anyOf", "oneOf", "allOf") for inner in each.get(word, ())]
        if not reference and not {"anyOf", "oneOf", "allOf"} & each.keys():
            yield each


def _pointer(path: Path) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
