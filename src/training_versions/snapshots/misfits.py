"""Where a stored snapshot does not fit a type: what is missing, unknown to it, or invalid.

Pydantic reports what is missing or invalid, but says nothing about keys that a type ignores. To
find those, what was read is serialised again: a key that is not written was dropped. The type's
core schema says which keys it knows, for when validation fails and there is nothing to serialise,
and for keys that are read by one name and written by another.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from pydantic import TypeAdapter, ValidationError

from training_versions.models import Misfit
from training_versions.snapshots.core_schemas import SnapshotPath, known_keys
from training_versions.snapshots.equality import json_equal
from training_versions.snapshots.pointers import pointer

_Kind: TypeAlias = Literal["missing", "unknown", "invalid"]
_DROPPED: Final = "the type does not know it, and drops it"
# How Pydantic's types of errors are called here; all others are "invalid".
_KINDS: Final[dict[str, _Kind]] = {
    "extra_forbidden": "unknown",
    "unexpected_keyword_argument": "unknown",
    "missing": "missing",
    "missing_argument": "missing",
    "missing_keyword_only_argument": "missing",
}


@dataclass(frozen=True, slots=True)
class _Problem:
    path: SnapshotPath
    kind: _Kind
    message: str


def find_misfits(adapter: TypeAdapter[Any], column: str, stored: object) -> list[Misfit]:
    """Find where a stored snapshot does not fit a type.

    First comes what is missing or invalid, then what is dropped, each in the order of the document.

    Args:
        adapter: Of the type.
        column: Where the snapshot is stored, which the paths begin with.
        stored: The snapshot.
    """
    # The same problem may be found twice: by two members of a union, or by Pydantic and here.
    first: dict[tuple[SnapshotPath, _Kind], _Problem] = {}
    for problem in _find_problems(adapter, stored):
        first.setdefault((problem.path, problem.kind), problem)
    return [
        Misfit(
            path=pointer((column, *problem.path)),
            problem=problem.kind,
            message=problem.message,
        )
        for problem in first.values()
    ]


def _find_problems(adapter: TypeAdapter[Any], stored: object) -> list[_Problem]:
    """Find all problems, some of them twice."""
    # What is neither known nor unknown is not in it.
    is_known = known_keys(adapter, stored)
    problems: list[_Problem] = []
    try:
        value = adapter.validate_json(json.dumps(stored))
    except ValidationError as exc:
        problems = _refusals(exc, stored)
        dropped = _unknown(is_known)
    except Exception as exc:  # validators are the user's, and raise what they like
        # Which keys it had read by then cannot be known.
        return [_Problem((), "invalid", f"{type(exc).__name__}: {exc}")]
    else:
        dropped = _dropped(adapter, value, stored, is_known)
    return problems + [_Problem(path, "unknown", _DROPPED) for path in dropped]


def _refusals(exc: ValidationError, stored: object) -> list[_Problem]:
    """Turn Pydantic's errors into problems."""
    errors = exc.errors(include_url=False, include_input=False, include_context=False)
    problems: list[_Problem] = []
    for error in errors:
        kind = _KINDS.get(error["type"], "invalid")
        path = _path_in_document(stored, error["loc"], kind)
        problems.append(_Problem(path, kind, error["msg"]))
    return problems


def _path_in_document(stored: object, loc: Sequence[str | int], kind: str) -> SnapshotPath:
    """Follow an error's location through the document.

    A location also has steps that only name a member of a union; those are left out. The last step
    to something missing is not in the document either, but belongs to the path.
    """
    path: SnapshotPath = ()
    at = stored
    for position, step in enumerate(loc):
        is_last = position == len(loc) - 1
        if _leads_on(at, step):
            at = cast("Any", at)[step]
            path += (step,)
        elif kind == "missing" and is_last:
            path += (step,)
    return path


def _leads_on(value: object, step: str | int) -> bool:
    """Whether an object has such a key, or an array such an index."""
    if isinstance(value, dict):
        return step in value
    if isinstance(value, list) and isinstance(step, int):
        return 0 <= step < len(cast("list[object]", value))
    return False


def _dropped(
    adapter: TypeAdapter[Any], value: object, stored: object, is_known: dict[SnapshotPath, bool]
) -> list[SnapshotPath]:
    """Find what the type dropped when it read the snapshot, by serialising what it read."""
    unknown = _unknown(is_known)
    try:
        written = adapter.dump_python(value, mode="json", by_alias=True)
    except Exception:  # serializers are the user's, too
        return unknown

    dropped: list[SnapshotPath] = []
    for path in _not_written(stored, written, set(unknown), ()):
        if is_known.get(path):
            # It was read by this name and written by another, so it is not lost. Of what lies in
            # it, the schema says which keys are.
            dropped += [each for each in unknown if each[: len(path)] == path]
        else:
            dropped.append(path)
    return dropped


def _unknown(is_known: dict[SnapshotPath, bool]) -> list[SnapshotPath]:
    return [path for path, known in is_known.items() if not known]


def _not_written(
    stored: object, written: object, unknown: set[SnapshotPath], path: SnapshotPath
) -> Iterator[SnapshotPath]:
    """Walk both documents, and yield what only the stored one has."""
    if isinstance(stored, dict) and isinstance(written, dict):
        kept = cast("dict[str, object]", written)
        for key, value in cast("dict[str, object]", stored).items():
            inner = (*path, key)
            if key not in kept:
                yield inner
            elif inner in unknown and not json_equal(kept[key], value):
                # The type does not read it, but writes a default by the same name.
                yield inner
            else:
                yield from _not_written(value, kept[key], unknown, inner)
    elif isinstance(stored, list) and isinstance(written, list):
        kept_entries = cast("list[object]", written)
        for index, value in enumerate(cast("list[object]", stored)):
            inner = (*path, index)
            if index < len(kept_entries):
                yield from _not_written(value, kept_entries[index], unknown, inner)
            else:
                yield inner
