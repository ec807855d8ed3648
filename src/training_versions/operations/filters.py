"""Filters: from the arguments of a list to conditions that PostgREST understands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, cast
from urllib.parse import quote

from training_versions.errors import InvalidInputError
from training_versions.models import (
    Id,
    TrainingStatus,
    VersionFilters,
    VersionStatus,
)
from training_versions.operations.checks import (
    MAX_SEARCH,
    MAX_VERSION_NUMBER,
    check_moment,
    check_positive,
    check_text,
    check_uuid,
    is_collection,
)
from training_versions.operations.requests import AnyOf, Comparison, Condition
from training_versions.snapshots import Codec, plain_number, refuses_foreign_errors

MAX_IDS: Final = 200
"""Identifiers to look up at once: they travel in the URL."""
MAX_QUERY_BYTES: Final = 40_000
"""Of all containment filters in a URL, of the 65,536 that httpx sends."""
_CONTAINMENT: Final = (
    # What is searched for is not stored.
    Codec[object]("config_contains", "config_snapshot", allow_secrets=True),
    Codec[object]("model_contains", "model_snapshot", allow_secrets=True),
    Codec[object]("dataset_contains", "dataset_snapshot", many=True, allow_secrets=True),
)


def of_package(package_id: Id) -> Comparison:
    """Keep what belongs to one package."""
    return Comparison("package_id", "eq", check_uuid(package_id, "package_id"))


def of_version(version_id: Id) -> Comparison:
    """Keep what belongs to one version."""
    return Comparison("version_id", "eq", check_uuid(version_id, "version_id"))


def of_one(package_id: Id | None, version_id: Id | None) -> list[Condition]:
    """Keep what belongs to the package or the version that is named; without one, everything."""
    if package_id is not None and version_id is not None:
        raise InvalidInputError(
            "Name package_id or version_id, not both: a version is of one package.",
            field="version_id",
        )
    if package_id is not None:
        return [of_package(package_id)]
    if version_id is not None:
        return [of_version(version_id)]
    return []


@refuses_foreign_errors
def with_ids(wanted: object, argument: str) -> list[Condition]:
    """Keep rows that have one of these identifiers; `None` keeps all."""
    if wanted is None:
        return []
    if not is_collection(wanted):
        raise InvalidInputError(
            f"{argument} must be a sequence of UUIDs, not {wanted!r:.80}.", field=argument
        )
    ids = [check_uuid(each, argument) for each in cast("Sequence[object]", wanted)]
    if len(ids) > MAX_IDS:
        raise InvalidInputError(
            f"{argument} has {len(ids):,} identifiers, and {MAX_IDS} is the most.", field=argument
        )
    return [Comparison("id", "in", f"({','.join(ids)})")]


def version_filters(package_id: Id | None, filters: VersionFilters) -> tuple[Condition, ...]:
    """Return the conditions of the filters that callers of `list` and `count` give."""
    where: list[Condition] = []
    if package_id is not None:
        where.append(of_package(package_id))
    where += any_member(filters.get("status"), "status", VersionStatus)
    where += any_member(filters.get("training_status"), "training_status", TrainingStatus)
    where += _deployed(filters.get("deployed"))
    if (parent := filters.get("parent_version_id")) is not None:
        where.append(Comparison("parent_version_id", "eq", check_uuid(parent, "parent_version_id")))
    where += with_ids(filters.get("ids"), "ids")
    where += _number(filters.get("number_below"), "number_below", "lt")
    where += _number(filters.get("number_above"), "number_above", "gt")
    if (after := filters.get("created_after")) is not None:
        where.append(Comparison("created_at", "gte", check_moment(after, "created_after")))
    if (before := filters.get("created_before")) is not None:
        where.append(Comparison("created_at", "lt", check_moment(before, "created_before")))
    where += text_in(filters.get("text"), "name", "change_summary")
    where += _containment(filters)
    return tuple(where)


@refuses_foreign_errors
def any_member(wanted: object, column: str, kind: type[StrEnum]) -> list[Condition]:
    """Keep rows whose column has one of the wanted members of an enum; `None` keeps all."""
    if wanted is None:
        return []
    several: list[object] = [wanted]
    if is_collection(wanted):
        several = list(cast("Sequence[object]", wanted))
    known = [str(member) for member in kind]
    if not several or not all(isinstance(value, str) and value in known for value in several):
        raise InvalidInputError(
            f"{column} must be one of {', '.join(known)}, not {wanted!r:.80}.", field=column
        )
    if len(several) == 1:
        # An index leads to the newest versions of one status, not to those of several.
        return [Comparison(column, "eq", str(several[0]))]
    return [Comparison(column, "in", f"({','.join(map(str, several))})")]


def text_in(text: str | None, *columns: str) -> list[Condition]:
    """Keep rows that have literal text in one of the columns, ignoring case.

    `*` and `%` are special in PostgREST's `ilike`, so the text travels as a regular expression in
    which everything is escaped.
    """
    if text is None:
        return []
    literal = check_text(text, "text", max_length=MAX_SEARCH, may_be_blank=True)
    if not literal:
        return []
    regex = ""
    for char in literal:
        is_special = char.isascii() and not char.isalnum()
        regex += f"\\{char}" if is_special else char
    quoted = regex.replace("\\", "\\\\").replace('"', '\\"')
    return [AnyOf(",".join(f'{column}.imatch."{quoted}"' for column in columns))]


def _number(wanted: int | None, argument: str, operator: str) -> list[Condition]:
    if wanted is None:
        return []
    number = check_positive(wanted, argument, most=MAX_VERSION_NUMBER)
    return [Comparison("version_number", operator, str(number))]


@refuses_foreign_errors
def check_bool(wanted: object, argument: str) -> bool | None:
    """Return a filter that is true, false or `None`."""
    if wanted is None:
        return None
    wanted = plain_number(wanted)
    if not isinstance(wanted, bool):
        raise InvalidInputError(
            f"{argument} must be True or False, not {wanted!r:.80}.", field=argument
        )
    return wanted


def _deployed(wanted: bool | None) -> list[Condition]:
    checked = check_bool(wanted, "deployed")
    if checked is None:
        return []
    return [Comparison("is_deployed", "is", str(checked).lower())]


def _containment(filters: VersionFilters) -> list[Condition]:
    """Keep versions whose snapshots contain the given JSON."""
    # Containment (`cs`, in SQL `@>`) can use an index; taking a value out of the JSON cannot.
    where: list[Condition] = []
    length = 0
    for codec in _CONTAINMENT:
        wanted = cast("object", filters.get(codec.field))
        if wanted is None:
            continue
        if codec.many:
            wanted = _as_entries(wanted)
        plain = codec.write(wanted)
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        length += len(quote(text, safe=""))
        if length > MAX_QUERY_BYTES:
            raise InvalidInputError(
                f"{codec.field} is too long: it travels in the URL, where {MAX_QUERY_BYTES:,} "
                "bytes is the most.",
                field=codec.field,
                hint="Name fewer keys: containment does not need the whole snapshot.",
            )
        where.append(Comparison(codec.column, "cs", text))
    return where


def _as_entries(wanted: object) -> object:
    """Let one entry of a data set stand for a list of one."""
    if isinstance(wanted, list | tuple):
        return cast("object", wanted)
    return [wanted]
