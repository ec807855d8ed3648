"""The format of a bundle: how lines are written, read and checked; no IO.

A bundle is JSON Lines in UTF-8. Each line is one object in canonical form and ends with a newline:

    {"header": {"format": "training-versions bundle", "format_version": 1, …}}
    {"sha256": …, "version": {…}}
    {"event": {…}}
    {"footer": {"events": 5, "sha256": …, "versions": 2}}

Versions are in the order of their numbers; the checksum of each is that of its three snapshots.
Events are in the order of their ids. The checksum in the footer is that of all lines before it.

Canonical form: keys sorted by code point, no spaces, nothing escaped that need not be, and numbers
as Python writes what it read from `jsonb`. So the same content has the same SHA-256 in every
project. Checksums reveal damage and edits by hand; they are not a signature.

Training runs with their curves, deployments and cost entries are not in a bundle: columns and
history summarize them. Neither are versions of other packages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from importlib.metadata import version as release_of
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias, cast
from uuid import UUID

from pydantic import BaseModel

from training_versions.bundle.columns import (
    CHECKED_VERSION,
    SNAPSHOTS,
    BundledEvent,
    BundledPackage,
    BundledVersion,
    Row,
    check_content,
)
from training_versions.models import Package

FORMAT: Final = "training-versions bundle"
FORMAT_VERSION: Final = 1
GZIP_MAGIC: Final = b"\x1f\x8b"


class LineKind(StrEnum):
    """What a line holds; the key in its object."""

    HEADER = "header"
    VERSION = "version"
    EVENT = "event"
    FOOTER = "footer"


class Header(BaseModel):
    """The first line, as far as an import needs it."""

    package: BundledPackage


class Footer(BaseModel):
    """The last line."""

    versions: int
    events: int
    sha256: str


Shape: TypeAlias = Header | BundledVersion | BundledEvent | Footer
"""What is in a line, by its kind."""


class Line(NamedTuple):
    """A line that was read."""

    kind: LineKind
    record: Row
    """What it holds, as it stands in the file."""
    checked: Shape
    """The same, found to be what the database accepts."""


SHAPES: Final[dict[LineKind, type[Shape]]] = {
    LineKind.HEADER: Header,
    LineKind.VERSION: CHECKED_VERSION,
    LineKind.EVENT: BundledEvent,
    LineKind.FOOTER: Footer,
}


#
# Writing
#


_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False,
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
)


def canonical(value: object) -> str:
    """Write JSON in the one form that checksums are taken of."""
    text = _ENCODER.encode(value)
    if "e+" not in text:
        return text
    # Python writes floats of 1e16 or more with an exponent, and `jsonb` makes integers of them. So
    # they are written as integers, and the checksum is the same before and after the database had
    # them.
    stored = json.loads(text, parse_float=_parse_float)
    return _ENCODER.encode(stored)


def content_sha256(version: Mapping[str, object]) -> str:
    """Return the checksum of a version's content: its three snapshots."""
    content = {column: version.get(column) for column in SNAPSHOTS}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def header_line(package: Package) -> bytes:
    """Write which package was exported, when, and by which release."""
    columns = set(BundledPackage.model_fields)
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "exported_by": f"training-versions {release_of('training-versions')}",
        "exported_at": datetime.now(UTC).isoformat(),
        "package": package.model_dump(mode="json", include=columns),
    }
    return _write_line({"header": header})


def version_line(row: Row) -> bytes:
    """Write a row of versions."""
    return _write_line({"version": row, "sha256": content_sha256(row)})


def event_line(row: Row, package_id: UUID) -> bytes:
    """Write a row of the history, with where it was first recorded."""
    source = row["source"]
    if not source:
        # A package has the same id in other projects, where events are numbered anew: only its
        # moment makes the id of an event unique.
        source = f"{package_id}/{row['id']}@{row['occurred_at']}"
    return _write_line({"event": {**row, "source": source}})


def footer_line(versions: int, events: int, sha256: str) -> bytes:
    """Write what a whole file has."""
    footer = {"versions": versions, "events": events, "sha256": sha256}
    return _write_line({"footer": footer})


def _write_line(value: object) -> bytes:
    return f"{canonical(value)}\n".encode()


def _parse_float(number: str) -> float | int:
    if "e+" in number:
        # Through Decimal: a float is not exactly the digits in the text.
        return int(Decimal(number))
    return float(number)


#
# Reading: whatever is wrong with a line is a ValueError
#


def parse_line(data: bytes) -> Line:
    """Read and check a line."""
    value = _parse_object(data)
    kinds = [kind for kind in SHAPES if kind in value]
    if len(kinds) != 1:
        raise _not_a_line()
    kind = kinds[0]
    record = _object(value[kind])
    # These come first: a newer format has other shapes, and content that was altered should not be
    # reported as a value that breaks a rule.
    if kind == LineKind.HEADER:
        _check_format(record)
    if kind == LineKind.VERSION:
        _check_sum(record, value.get("sha256"))
    check_content(record)
    return Line(kind, record, SHAPES[kind].model_validate(record))


def _parse_object(data: bytes) -> Row:
    if data.startswith(GZIP_MAGIC):
        raise ValueError("the file is compressed; unpack it first")
    if not data:
        raise ValueError("the file is cut off: the footer is missing")
    if not data.endswith(b"\n"):
        raise ValueError("the file is cut off here")
    return _object(json.loads(data.decode(), parse_constant=_refuse_constant))


def _object(value: object) -> Row:
    if not isinstance(value, dict):
        raise _not_a_line()
    return cast("Row", value)


def _not_a_line() -> ValueError:
    return ValueError("this is not a line of a bundle")


def _check_format(header: Row) -> None:
    number: Any = header.get("format_version")
    # `type`, because for Python `True` is an integer, and equal to 1.
    is_number = type(number) is int and number >= 1
    if header.get("format") != FORMAT or not is_number:
        raise ValueError("this is not the header of a bundle")
    if number > FORMAT_VERSION:
        exporter = f"{header.get('exported_by')!s:.50}"
        raise ValueError(
            f"the bundle has format {number}, of {exporter}, "
            f"and this release knows {FORMAT_VERSION}: upgrade it"
        )


def _check_sum(version: Row, sha256: object) -> None:
    if sha256 != content_sha256(version):
        number = version.get("version_number")
        raise ValueError(f"the content of version {number} is not what was exported")


def _refuse_constant(name: str) -> NoReturn:
    # Python's parser accepts NaN and the infinities, which JSON lacks.
    raise ValueError(f"{name} is not JSON")
