"""Export: an operation that writes a package to a file, page by page.

Memory holds one page at a time, however large the package is. Rows made while the export runs are
left out: it begins by finding the newest key of each table, and copies no further. Rows that are
edited meanwhile are exported as they are when their page is read.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from training_versions.bundle.columns import BUNDLED_EVENT_COLUMNS, BUNDLED_VERSION_COLUMNS, Row
from training_versions.bundle.files import open_for_writing, write_all
from training_versions.bundle.format import event_line, footer_line, header_line, version_line
from training_versions.bundle.progress import ProgressMeter
from training_versions.bundle.results import BundleFile, ExportResult, Progress
from training_versions.models import Id
from training_versions.operations import packages
from training_versions.operations.requests import (
    Comparison,
    Operation,
    Rpc,
    Select,
    call,
    expect_array,
    read_rows,
    unreadable,
)
from training_versions.operations.rows import EVENTS, VERSIONS, expect_object, read_integer

EXPORT: Final = "packages.export"
PAGE_BYTES: Final = 2**20
"""How many bytes of versions to ask for at once; a single version may have more."""
PAGE_ROWS: Final = 250
"""How many events to ask for at once."""


@dataclass(frozen=True)
class Extent:
    """How far the rows of a package in one table go."""

    newest: int
    """The highest key, 0 if there are no rows."""
    count: int


class KeyedLine(NamedTuple):
    """The line of one row, with the key that rows are ordered by."""

    key: int
    data: bytes


Lines: TypeAlias = list[KeyedLine]
ReadPage: TypeAlias = Callable[[uuid.UUID, int, int], Operation[Lines]]
"""Reads rows of a package: those after one key, up to another."""


def export_package(
    package_id: Id, file: BundleFile, progress: Progress | None
) -> Operation[ExportResult]:
    """Write a package to a file."""
    meter = ProgressMeter(progress)
    with open_for_writing(file) as out:
        package = yield from packages.get(package_id, operation=EXPORT)
        # The extent of the events is found first, although they are written last. So no event
        # speaks of something that its version, which is read later, does not show.
        events = yield from _find_extent(EVENTS, "id", package.id)
        versions = yield from _find_extent(VERSIONS, "version_number", package.id)
        meter.total = versions.count + events.count

        writer = _LineWriter(out)
        writer.write(header_line(package))
        copy = partial(_copy_rows, writer, meter, package.id)
        version_count = yield from copy(_read_versions, versions.newest)
        event_count = yield from copy(_read_events, events.newest)
        writer.write(footer_line(version_count, event_count, writer.sha256()))
    return ExportResult(
        package_id=package.id,
        versions=version_count,
        events=event_count,
    )


class _LineWriter:
    """Writes lines, and keeps the checksum of all of them."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._checksum = hashlib.sha256()

    def write(self, line: bytes) -> None:
        """Write a line."""
        self._checksum.update(line)
        write_all(self._out, line)

    def sha256(self) -> str:
        """Return the checksum of what was written so far."""
        return self._checksum.hexdigest()


def _copy_rows(
    writer: _LineWriter,
    meter: ProgressMeter,
    package_id: uuid.UUID,
    read_page: ReadPage,
    newest: int,
) -> Operation[int]:
    """Write the rows of one table up to the newest, and count them."""
    copied = 0
    last = -1  # below every key
    # Servers cap replies, so a short page is not the end; the newest row is, or an empty page if
    # that row was deleted meanwhile.
    while last != newest:
        page = yield from read_page(package_id, last, newest)
        if not page:
            break
        for line in page:
            writer.write(line.data)
            meter.count_row()
        copied += len(page)
        last = page[-1].key
        del page  # not kept while the next one is read
    return copied


def _find_extent(table: str, key: str, package_id: uuid.UUID) -> Operation[Extent]:
    """Find the highest key of a package's rows, and count them."""
    select = Select(
        EXPORT,
        table,
        columns=(key,),
        where=(Comparison("package_id", "eq", str(package_id)),),
        order_by=(key,),
        descending=True,
        count=True,
    )
    reply = yield select
    try:
        rows = expect_array(reply.data)
        if not rows:
            return Extent(newest=0, count=0)
        newest = read_integer(expect_object(rows[0]).get(key))
    except ValueError as exc:
        raise unreadable(EXPORT, reply.data, exc) from exc
    if reply.count is None:
        # Something in between dropped the header. Only progress needs it.
        return Extent(newest, count=0)
    return Extent(newest, reply.count)


def _read_versions(package_id: uuid.UUID, after: int, newest: int) -> Operation[Lines]:
    # A function, since no select limits a reply by its bytes.
    params = {
        "p_package_id": str(package_id),
        "p_after": after,
        "p_newest": newest,
        "p_bytes": PAGE_BYTES,
    }
    rpc = Rpc(EXPORT, "export_training_versions", params, is_write=False)
    return call(rpc, lambda data: [_read_version(row) for row in expect_array(data)])


def _read_version(data: object) -> KeyedLine:
    row = _pick(expect_object(data), BUNDLED_VERSION_COLUMNS)
    return KeyedLine(row["version_number"], version_line(row))


def _read_events(package_id: uuid.UUID, after: int, newest: int) -> Operation[Lines]:
    select = Select(
        EXPORT,
        EVENTS,
        columns=BUNDLED_EVENT_COLUMNS,
        where=(
            Comparison("package_id", "eq", str(package_id)),
            Comparison("id", "gt", str(after)),
            Comparison("id", "lte", str(newest)),
        ),
        order_by=("id",),
        limit=PAGE_ROWS,
    )
    return read_rows(select, partial(_read_event, package_id))


def _read_event(package_id: uuid.UUID, data: object) -> KeyedLine:
    row = _pick(expect_object(data), BUNDLED_EVENT_COLUMNS)
    return KeyedLine(row["id"], event_line(row, package_id))


def _pick(row: Row, columns: tuple[str, ...]) -> Row:
    """Return these columns of a row."""
    missing = [column for column in columns if column not in row]
    if missing:
        raise ValueError(f"the row has no column {missing[0]}")
    return {column: row[column] for column in columns}
