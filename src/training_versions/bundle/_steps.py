"""Export and import as steps: each yields the requests to send, so that no client is known here and nothing awaited.

The sync and the async face carry the same steps out. Files are opened, written and read here; what stands in them is
decided in `bundle.py`.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, TypeVar, cast

from training_versions.bundle import _format as bundle
from training_versions.bundle._format import BundledPackage, ExportResult, ImportResult, Row, Survey
from training_versions.errors import (
    ConflictError,
    InvalidInputError,
    TrainingVersionsError,
    claims_of,
)
from training_versions.models import Id, Package
from training_versions.operations._calls import VERSIONS, Done, PackageCalls, Rpc, Select, as_uuid

T = TypeVar("T")
Steps: TypeAlias = Generator[Rpc[Any] | Select[Any] | None, Any, T]
"""Requests to send, each answered with what it read; `None` is a moment to let others run."""
BundleFile: TypeAlias = str | os.PathLike[str] | BinaryIO
Progress: TypeAlias = Callable[[int, int], object]
Lines: TypeAlias = list[tuple[int, bytes]]

PAGE_BYTES: Final = 2**20  # of versions, asked for; one is whole, however large
EVENTS: Final = "training_version_events"
PAGE_ROWS: Final = 250  # of events, asked for
BATCH_ROWS, BATCH_BYTES = 100, 2**20  # sent; hosted projects give a statement eight seconds
CHECK_ROWS: Final = 1000  # whose numbers are asked for at once


Page: TypeAlias = Callable[[str, int, int], Rpc[Lines] | Select[Lines]]
"""Asks for rows of a package: those after one key, up to another."""


def _newest(table: str, key: str, package_id: uuid.UUID) -> Select[tuple[int, int]]:
    """Find the highest key, and count the rows."""
    filters = (("package_id", "eq", str(package_id)),)

    def read(rows: list[Row], count: int | None) -> Done[tuple[int, int]]:
        return Done((rows[0][key] if rows else 0, count or 0))

    return Select(
        "packages.export", table, (key,), filters, read, (key,), descending=True, count=True
    )


def _versions(package_id: str, after: int, newest: int) -> Rpc[Lines]:
    params = {
        "p_package_id": package_id,
        "p_after": after,
        "p_newest": newest,
        "p_bytes": PAGE_BYTES,
    }

    def read(reply: object) -> Lines:
        if not isinstance(reply, list):
            raise ValueError("it is not an array of rows")
        kept = [
            {column: row[column] for column in bundle.VERSION_COLUMNS}
            for row in cast("list[Row]", reply)
        ]
        return [(row["version_number"], bundle.version_line(row)) for row in kept]

    return Rpc("packages.export", "export_training_versions", params, read, write=False)


def _events(package_id: str, after: int, newest: int) -> Select[Lines]:
    filters = (
        ("package_id", "eq", package_id),
        ("id", "gt", str(after)),
        ("id", "lte", str(newest)),
    )

    def read(rows: list[Row], _: int | None) -> Done[Lines]:
        return Done([(row["id"], bundle.event_line(row, uuid.UUID(package_id))) for row in rows])

    return Select(
        "packages.export", EVENTS, bundle.EVENT_COLUMNS, filters, read, ("id",), limit=PAGE_ROWS
    )


def export_steps(
    package_id: Id, file: BundleFile, progress: Progress | None
) -> Steps[ExportResult]:
    """Write a package to a file."""
    _check_progress(progress)
    with _written(file) as out:
        package: Package = yield PackageCalls().get(package_id)
        # Events first: so no event tells of something that its version does not show.
        newest_event, events = yield _newest(EVENTS, "id", package.id)
        newest_version, versions = yield _newest(VERSIONS, "version_number", package.id)
        writer = _Writer(out, progress, versions + events)
        writer.write(bundle.header_line(package))
        versions = yield from writer.copy(_versions, package.id, newest_version)
        events = yield from writer.copy(_events, package.id, newest_event)
        writer.write(bundle.footer_line(versions, events, writer.sum.hexdigest()))
    return ExportResult(package_id=package.id, versions=versions, events=events)


@dataclass
class _Writer:
    """Writes lines, keeps their sum, and tells of progress."""

    out: BinaryIO
    progress: Progress | None
    total: int
    done: int = 0
    sum: Any = field(default_factory=hashlib.sha256)

    def write(self, line: bytes) -> None:
        self.sum.update(line)
        while line:  # an unbuffered file may take a part at a time
            line = line[self.out.write(line) or len(line) :]

    def copy(self, page: Page, package_id: uuid.UUID, newest: int) -> Steps[int]:
        """Copy rows; servers cap replies, so only an empty page or the newest row is the end."""
        before, last = self.done, -1
        while last != newest:
            lines: Lines = yield page(str(package_id), last, newest)
            if not lines:
                break
            for _, line in lines:
                self.write(line)
                self.done += 1
                if self.progress is not None:
                    self.progress(self.done, self.total)
            last = lines[-1][0]
            del lines  # not kept while the next page is read
        return self.done - before


def import_steps(
    file: BundleFile,
    package_id: Id | None,
    user_id: Id | None,
    caller: str | None,
    progress: Progress | None,
) -> Steps[ImportResult]:
    """Read a file through; then send what it holds in batches. `caller` is who signs, see `caller_of`."""
    _check_progress(progress)
    with _opened(file) as source:
        survey = Survey()
        yield from survey.read(source)
        target = yield from _target(survey.package, package_id, user_id, caller)
        yield from _check_numbers(survey, target)
        done, counts = 0, Counter[str]()
        total = len(survey.versions) + len(survey.events)
        for part, columns, offsets in (
            ("versions", bundle.VERSION_COLUMNS, survey.parents_first()),
            ("events", bundle.EVENT_COLUMNS, survey.events),
        ):
            for batch in _batches(source, offsets, columns):
                params = {"p_package_id": str(target), f"p_{part}": batch}
                try:
                    counts.update(
                        (yield Rpc("packages.import", f"import_training_{part}", params, _count))
                    )
                except TrainingVersionsError as exc:
                    numbers = ", ".join(map(str, sorted({row["version_number"] for row in batch})))
                    exc.add_note(
                        f"It was a batch of {part}, numbers {numbers}; before it {counts['created']} versions came in."
                    )
                    raise
                for _ in batch:
                    done += 1
                    if progress is not None:
                        progress(done, total)
    return ImportResult(
        package_id=target,
        versions_created=counts["created"],
        versions_present=len(survey.versions) - counts["created"],
        versions_differing=counts["differs"],
        parents_missing=counts["parent_missing"],
        events_added=counts["events"],
    )


def caller_of(headers: Mapping[str, str]) -> str | None:
    """Tell whose token a client sends; `None` for a role without a user."""
    try:
        return str(uuid.UUID(cast("str", claims_of(headers).get("sub"))))
    except (ValueError, TypeError, AttributeError):
        return None


def _target(
    package: BundledPackage, package_id: Id | None, user_id: Id | None, caller: str | None
) -> Steps[uuid.UUID]:
    """Find the package to import into, or create it: with its own id if that is free, else with one that follows."""
    calls, owner = (
        PackageCalls(),
        as_uuid(user_id, "user_id") if user_id is not None else caller or "",
    )
    if package_id is not None:
        chosen: Package = yield calls.get(package_id)
        if user_id is not None and owner != str(chosen.user_id):
            raise InvalidInputError(
                f"package_id has another owner than user_id {owner}.", field="user_id"
            )
        return chosen.id
    # Where an import before this one had to go comes first: the file's own id may have become free since.
    wanted, ids = package.id, [uuid.uuid5(package.id, owner), package.id]
    while True:
        for wanted in ids:
            found: Package | None = yield calls.find(wanted)
            if found is not None and owner in ("", str(found.user_id)):
                return found.id
        try:
            created: Package = yield calls.create(
                package.name,
                package_id=wanted,
                user_id=user_id,
                template_type=package.template_type,
                config=package.config_json,
            )
            return created.id
        except ConflictError as exc:
            if exc.code != "TV204":  # it is somebody else's, or that of a package since deleted
                raise
        ids = [uuid.uuid5(wanted, owner)]


def _check_numbers(survey: Survey, target: uuid.UUID) -> Steps[None]:
    """Refuse what clashes with other versions of the package, before the first write."""
    numbers = [
        {"id": str(version_id), "version_number": row[2]}
        for version_id, row in survey.versions.items()
    ]
    for start in range(0, len(numbers), CHECK_ROWS):
        given = numbers[start : start + CHECK_ROWS]
        params = {"p_package_id": str(target), "p_versions": given, "p_check_only": True}
        yield Rpc(
            "packages.import", "import_training_versions", params, lambda _: None, write=False
        )


def _batches(
    source: BinaryIO, offsets: Iterable[int], columns: Sequence[str]
) -> Iterator[list[Row]]:
    batch, size = list[Row](), 0
    for offset in offsets:
        source.seek(offset)
        line = source.readline()
        if batch and (len(batch) == BATCH_ROWS or size + len(line) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        _, record, _ = bundle.read_line(line)  # checked again: somebody may be changing the file
        batch.append({column: record.get(column) for column in columns})
        size += len(line)
    if batch:
        yield batch


def _count(reply: object) -> Counter[str]:
    """Read what a batch changed."""
    if isinstance(reply, list):
        outcome = cast("list[Row]", reply)
        told = ("created", "differs", "parent_missing")
        return Counter(key for item in outcome for key in told if item.get(key) is True)
    if not isinstance(reply, int):
        raise ValueError("it is not a number")
    return Counter(events=reply)


def _check_progress(progress: object) -> None:
    if progress is None:
        return
    if not callable(progress):
        raise InvalidInputError(
            f"progress must be a function of two numbers, not {progress!r:.80}.", field="progress"
        )
    if iscoroutinefunction(progress) or iscoroutinefunction(progress.__call__):
        raise InvalidInputError(
            "progress must be a plain function: an async one is not awaited.", field="progress"
        )


@contextmanager
def _written(file: BundleFile) -> Generator[BinaryIO, None, None]:
    """Open a file to write; a path shows it whole, or not at all."""
    if not isinstance(file, str | os.PathLike):
        yield _binary(file, "write", "writable", "writing")
        return
    target = Path(os.path.realpath(file))
    if (
        target.exists() and not target.is_file()
    ):  # a device or a pipe takes it as it comes, a folder refuses
        with target.open("wb") as out:
            yield out
        return
    if not target.parent.is_dir():  # the part's name would tell nobody anything
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target.parent))
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as out:
            if target.exists():
                shutil.copymode(target, part)
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _opened(file: BundleFile) -> Generator[BinaryIO, None, None]:
    if isinstance(file, str | os.PathLike):
        with open(file, "rb") as source:
            yield source
        return
    source = _binary(file, "seekable", "readable", "reading")
    if not source.seekable():
        raise InvalidInputError(
            "file is read twice and cannot go back; pass a path or a saved file.", field="file"
        )
    yield source


def _binary(file: object, method: str, able: str, to: str) -> BinaryIO:
    if isinstance(file, io.TextIOBase) or not hasattr(file, method):
        raise InvalidInputError(
            f"file must be a path or a binary file, not {file!r:.80}.", field="file"
        )
    if not getattr(file, able, lambda: True)():
        raise InvalidInputError(f"file is not open for {to}.", field="file")
    return cast("BinaryIO", file)
