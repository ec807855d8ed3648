"""Bundles: a package in one file, with its numbers, parents, content and history. Here is the format, and no IO.

A bundle is JSON Lines in UTF-8; each line is one object in canonical form, and ends with a newline:

    {"header": {"format": "training-versions bundle", "format_version": 1, "exported_at": …, "package": {…}, …}}
    {"sha256": …, "version": {…}}      in the order of version_number; sha256 is that of its three snapshots
    {"event": {…}}                     the history, in the order of id
    {"footer": {"events": 5, "sha256": …, "versions": 2}}     sha256 is that of all lines before this one

Canonical form: keys sorted by code point, no spaces, nothing escaped that need not be, numbers as Python writes what it
read from `jsonb` (a float of 1e16 or more as the integer that `jsonb` makes of it). So the same content has the same
SHA-256 in every project. The sums tell of damage and of edits by hand; they are no signature.

Not in a bundle: training runs with their curves, deployments and entries of cost, of which columns and history tell,
and versions of other packages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version as release_of
from typing import Annotated, Any, BinaryIO, Final, NoReturn, TypeAlias, cast
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, ValidationError, model_validator

from training_versions.errors import InvalidInputError
from training_versions.models import JsonObject, Package, Record, TrainingStatus, VersionStatus
from training_versions.operations._calls import MOST_COST, problem_of

Row: TypeAlias = dict[str, Any]

FORMAT: Final = "training-versions bundle"
FORMAT_VERSION: Final = 1
SNAPSHOTS: Final = ("config_snapshot", "model_snapshot", "dataset_snapshot")
VERSION_COLUMNS: Final = (
    *(
        "id",
        "version_number",
        "name",
        "status",
        "created_at",
        "published_at",
        *SNAPSHOTS,
        "change_summary",
    ),
    *(
        "parent_version_id",
        "training_status",
        "training_started_at",
        "training_completed_at",
        "training_metrics",
    ),
    *("estimated_cost", "actual_cost", "budget_limit", "cost_alerts_sent"),
)
EVENT_COLUMNS: Final = (
    *(
        "id",
        "version_id",
        "version_number",
        "kind",
        "actor_id",
        "occurred_at",
        "last_at",
        "details",
        "source",
    ),
)
_DAMAGED = "Take a whole copy of the file, or export the package again."
_BREAKS_RULE = (
    "The snapshots are as exported, and a value breaks a rule: it is older than the rule, or was altered. "
    "Edit the draft where it comes from, and export again; a published version with such a value stays there."
)
LONGEST_LINE: Final = (
    2**30
)  # three snapshots of the 255 MB that PostgreSQL takes; what is longer is no bundle


class BundleError(InvalidInputError):
    """A file is no bundle, is damaged or altered, or has a newer format, and nothing was written."""

    line: int | None = None


class ExportResult(Record):
    """What an export wrote."""

    package_id: UUID
    versions: int
    events: int


class ImportResult(Record):
    """What an import found and did. What a try wrote whose reply was lost counts as present."""

    package_id: UUID
    versions_created: int
    versions_present: int
    """Found here, or deleted here since, and left so."""
    versions_differing: int
    """Those of them that are not as in the file: drafts edited or deleted since, and what moved on in its life."""
    parents_missing: int
    """Those with a parent in the file and none here; published ones get it when both packages were imported again."""
    events_added: int


#
# Writing
#


def canonical(value: object) -> str:
    """Write JSON in the one form that sums are taken of."""
    text = _dumps(value)
    return _dumps(json.loads(text, parse_float=_as_stored)) if "e+" in text else text


def content_sha256(version: Mapping[str, object]) -> str:
    """Take the sum of a version's content: of an object with its three snapshots, in canonical form."""
    return hashlib.sha256(
        canonical({column: version[column] for column in SNAPSHOTS}).encode()
    ).hexdigest()


def header_line(package: Package) -> bytes:
    """Write who was exported, when and by what."""
    kept = package.model_dump(mode="json", include=set(BundledPackage.model_fields))
    made_by = f"training-versions {release_of('training-versions')}"
    about = {"format": FORMAT, "format_version": FORMAT_VERSION, "exported_by": made_by}
    return _line(
        {"header": {**about, "exported_at": datetime.now(UTC).isoformat(), "package": kept}}
    )


def version_line(row: Row) -> bytes:
    """Write a row of versions."""
    return _line({"version": row, "sha256": content_sha256(row)})


def event_line(row: Row, package_id: UUID) -> bytes:
    """Write a row of history, with its first source."""
    # With its moment, because a package has the same id in other projects, where events are counted anew.
    source = row["source"] or f"{package_id}/{row['id']}@{row['occurred_at']}"
    return _line({"event": {**row, "source": source}})


def footer_line(versions: int, events: int, sha256: str) -> bytes:
    """Write what a whole file has."""
    return _line({"footer": {"versions": versions, "events": events, "sha256": sha256}})


def _line(value: object) -> bytes:
    return f"{canonical(value)}\n".encode()


def _dumps(value: object) -> str:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def _as_stored(number: str) -> float | int:
    return int(Decimal(number)) if "e+" in number else float(number)


#
# Reading: whatever is wrong with a line is a ValueError
#

_Cost: TypeAlias = Annotated[Decimal, Field(ge=0, le=MOST_COST, decimal_places=2)] | None


class BundledPackage(BaseModel):
    """A package as a header has it."""

    id: UUID
    name: str
    template_type: str
    config_json: JsonObject


class _Header(BaseModel):
    package: BundledPackage


class _Version(BaseModel):
    """What the database takes, so that it is known before anything is written."""

    id: UUID
    version_number: Annotated[int, Field(ge=1, le=1_000_000_000)]
    name: Annotated[str, Field(max_length=255, pattern=r"\S")]
    status: VersionStatus
    created_at: AwareDatetime
    published_at: AwareDatetime | None
    config_snapshot: dict[str, Any]
    model_snapshot: dict[str, Any]
    dataset_snapshot: list[dict[str, Any]]
    change_summary: Annotated[str, Field(max_length=10_000)] | None
    parent_version_id: UUID | None
    training_status: TrainingStatus | None
    training_started_at: AwareDatetime | None
    training_completed_at: AwareDatetime | None
    estimated_cost: _Cost
    actual_cost: _Cost
    budget_limit: _Cost

    @model_validator(mode="after")
    def _published_says_when(self) -> _Version:
        if self.status == VersionStatus.PUBLISHED and self.published_at is None:
            raise ValueError("published_at is missing")
        return self


class _Event(BaseModel):
    id: int
    version_id: UUID
    version_number: int
    kind: str
    actor_id: UUID | None
    occurred_at: AwareDatetime
    last_at: AwareDatetime | None
    details: JsonObject
    source: Annotated[str, Field(min_length=1)]


class _Footer(BaseModel):
    versions: int
    events: int
    sha256: str


_SHAPES: Final[dict[str, type[BaseModel]]] = {
    "header": _Header,
    "version": _Version,
    "event": _Event,
    "footer": _Footer,
}
_ORDER: Final = list(_SHAPES)


def read_line(line: bytes) -> tuple[str, Row, Any]:
    """Read a line: what it is, the record as it stands there, and its checked form."""
    if line.startswith(b"\x1f\x8b"):
        raise ValueError("it is compressed; unpack the file first")
    if not line.endswith(b"\n"):
        raise ValueError(
            "the file is cut off here" if line else "the file is cut off: the footer is missing"
        )
    value = cast("object", json.loads(line.decode(), parse_constant=_refuse_constant))
    kinds = [kind for kind in _ORDER if kind in value] if isinstance(value, dict) else []
    record = cast("Row", value)[kinds[0]] if len(kinds) == 1 else None
    if not isinstance(record, dict):
        raise ValueError("it is no line of a bundle")
    (kind,), record = kinds, cast("Row", record)
    if kind == "header":
        _check_format(record)
    content = dict.fromkeys(SNAPSHOTS) | record
    if kind == "version" and cast("Row", value).get("sha256") != content_sha256(content):
        raise ValueError(
            f"the content of version {record.get('version_number')} is not what was exported"
        )
    return kind, record, _SHAPES[kind].model_validate(record)


def _check_format(header: Row) -> None:
    given = header.get("format_version")
    if header.get("format") != FORMAT or type(given) is not int or given < 1:
        raise ValueError("it is no header of a bundle")
    if given > FORMAT_VERSION:
        by = f"{header.get('exported_by')!s:.50}"
        raise ValueError(
            f"the bundle has format {given}, of {by}, and this release knows {FORMAT_VERSION}: upgrade it"
        )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class Survey:
    """A bundle that is read through: whether it is whole, and where its lines begin."""

    package: BundledPackage

    def __init__(self) -> None:
        self.lines = 0
        self.versions: dict[
            UUID, tuple[UUID | None, int, int]
        ] = {}  # the parent, where the line begins, the number
        self.events: list[int] = []
        self._kind, self._key = (
            "",
            0,
        )  # of the line before: its kind, and what the next one of that kind is above
        self._sum = hashlib.sha256()

    def read(self, source: BinaryIO) -> Iterator[None]:
        """Read a file to its end, line by line.

        Raises:
            BundleError: It is not whole, or not what was exported.
        """
        try:
            while self._kind != "footer":
                offset = source.tell()
                self.lines += 1
                self._add(source.readline(LONGEST_LINE), offset)
                yield
            if source.read(1):
                self.lines += 1
                raise ValueError("it follows the footer")
            self.parents_first()
        except (ValueError, RecursionError) as exc:
            is_old = isinstance(exc, ValidationError) and exc.title == _Version.__name__
            raise BundleError(
                f"Line {self.lines} of the bundle cannot be imported: {_problem(exc)}.",
                field="file",
                line=self.lines,
                operation="packages.import",
                hint=f"Nothing was written. {_BREAKS_RULE if is_old else _DAMAGED}",
            ) from exc

    def _add(self, line: bytes, offset: int) -> None:
        kind, _, shape = read_line(line)
        if (kind == "header") is not (self.lines == 1) or (
            kind != self._kind and self._kind and _ORDER.index(kind) < _ORDER.index(self._kind)
        ):
            raise ValueError(f"a {kind} does not belong here")
        key = shape.version_number if kind == "version" else shape.id if kind == "event" else 0
        if kind == self._kind and key <= self._key:
            raise ValueError(f"{kind} {key} comes after {kind} {self._key}")
        if kind == "header":
            self.package = shape.package
        elif kind == "version":
            if shape.id in self.versions:
                raise ValueError(f"version {shape.version_number} has the id of another one")
            self.versions[shape.id] = shape.parent_version_id, offset, key
        elif kind == "event":
            self.events.append(offset)
        else:
            found, told = (len(self.versions), len(self.events)), (shape.versions, shape.events)
            if found != told:
                raise ValueError(
                    f"of {told[0]} versions and {told[1]} events, {found[0]} and {found[1]} are here"
                )
            if line != footer_line(*found, self._sum.hexdigest()):
                raise ValueError("lines before the footer, or it itself, are not what was exported")
        self._kind, self._key = kind, key
        self._sum.update(line)

    def parents_first(self) -> list[int]:
        """Tell where the versions begin, each after its parent, which may have the higher number."""
        placed: dict[UUID, int] = {}
        for version_id in self.versions:
            chain, above = dict[UUID, int](), cast("UUID | None", version_id)
            while above is not None and above in self.versions and above not in placed:
                if above in chain:
                    raise ValueError(f"version {above} descends from itself")
                chain[above] = self.versions[above][1]
                above = self.versions[above][0]
            placed |= dict(reversed(chain.items()))
        return list(placed.values())


def _problem(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"it is not JSON: {exc.msg} at column {exc.colno}"
    return (
        f"it is not UTF-8: {exc.reason}"
        if isinstance(exc, UnicodeDecodeError | UnicodeEncodeError)
        else problem_of(exc)
    )
