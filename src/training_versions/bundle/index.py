"""The index of a bundle: a file that was read through and found whole.

An import reads the file twice. The first time is here, line by line: nothing is sent until the last
line proves that the file is what was exported. The second time, the rows are read again from the
places that the index knows, so that memory does not grow with the size of the file. What one line
must be is left to `format.py`; here are the rules about several.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from training_versions.bundle.columns import (
    CHECKED_VERSION,
    BundledEvent,
    BundledPackage,
    BundledVersion,
)
from training_versions.bundle.format import Footer, Header, Line, LineKind, footer_line, parse_line
from training_versions.bundle.results import BundleError
from training_versions.operations.requests import Checkpoint, Operation, describe_problem

# No bundle has a longer line: an export gets each row in a reply that is one value to PostgreSQL,
# and no value has more bytes than this. Without a limit, a file without newlines would be read into
# memory whole.
LONGEST_LINE: Final = 2**30

EXPECTED_KINDS: Final[dict[LineKind | None, set[LineKind]]] = {
    None: {LineKind.HEADER},
    LineKind.HEADER: {LineKind.VERSION, LineKind.EVENT, LineKind.FOOTER},
    LineKind.VERSION: {LineKind.VERSION, LineKind.EVENT, LineKind.FOOTER},
    LineKind.EVENT: {LineKind.EVENT, LineKind.FOOTER},
}
"""What may follow a line of each kind; what follows `None` is the first line."""

_DAMAGED: Final = "Take a whole copy of the file, or export the package again."
_BREAKS_RULE: Final = (
    "The snapshots are as exported, and a value breaks a rule: "
    "the version is older than the rule, or was altered. "
    "Edit the draft where it comes from, and export again; "
    "a published version with such a value stays there."
)


class IndexedVersion(NamedTuple):
    """A version in the file."""

    id: UUID
    number: int
    parent_id: UUID | None
    offset: int
    """Where its line begins."""


@dataclass
class BundleIndex:
    """What is in a bundle, and where."""

    package: BundledPackage
    versions: dict[UUID, IndexedVersion]
    """By id, in the order of their numbers."""
    event_offsets: list[int]
    """Where the lines of the events begin."""
    parents_first: list[IndexedVersion]
    """The versions, each after its parent; empty until the file is read through."""


def sort_parents_first(versions: dict[UUID, IndexedVersion]) -> list[IndexedVersion]:
    """Return the versions, each after its parent, whatever their numbers.

    From each version, go up from parent to parent until one is placed already or is not in the
    file; then place those on the way, the topmost first.

    Raises:
        ValueError: Versions are each other's parents.
    """
    placed: dict[UUID, IndexedVersion] = {}
    for version in versions.values():
        on_the_way: dict[UUID, IndexedVersion] = {}
        above: IndexedVersion | None = version
        while above is not None and above.id not in placed:
            if above.id in on_the_way:
                raise ValueError(f"version {above.id} descends from itself")
            on_the_way[above.id] = above
            above = _parent_of(above, versions)
        placed.update(reversed(on_the_way.items()))
    return list(placed.values())


def _parent_of(
    version: IndexedVersion, versions: dict[UUID, IndexedVersion]
) -> IndexedVersion | None:
    if version.parent_id is None:
        return None
    return versions.get(version.parent_id)


def read_index(source: BinaryIO) -> Operation[BundleIndex]:
    """Read a bundle from where the file stands now to its end, and check all of it.

    Raises:
        BundleError: It is not whole, or not what was exported.
    """
    reader = _IndexReader(source)
    try:
        while not reader.is_complete:
            reader.read_line()
            # A large file takes seconds, in which other tasks should run.
            yield Checkpoint()
        reader.check_end()
    except (ValueError, RecursionError) as exc:
        raise _cannot_import(reader.line_number, exc) from exc
    return reader.index


class _IndexReader:
    """Reads lines one after the other, and checks each against those before it.

    What is wrong with the line at `line_number` is a `ValueError`.
    """

    index: BundleIndex
    """Exists from the header on, which is the first line."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.line_number = 0
        self._checksum = hashlib.sha256()
        self._previous_kind: LineKind | None = None
        self._previous_key = 0

    @property
    def is_complete(self) -> bool:
        """Whether the footer was read."""
        return self._previous_kind == LineKind.FOOTER

    def read_line(self) -> None:
        """Read the next line."""
        self.line_number += 1
        offset = self._source.tell()
        data = self._source.readline(LONGEST_LINE)
        line = parse_line(data)
        self._add(line, data, offset)
        self._previous_kind = line.kind
        self._checksum.update(data)

    def check_end(self) -> None:
        """Refuse what follows the footer, and cycles among parents."""
        if self._source.read(1):
            self.line_number += 1
            raise ValueError("the line follows the footer")
        self.index.parents_first = sort_parents_first(self.index.versions)

    def _add(self, line: Line, data: bytes, offset: int) -> None:
        if line.kind not in EXPECTED_KINDS[self._previous_kind]:
            raise ValueError(f"the {line.kind} does not belong here")
        match line.checked:
            case Header() as header:
                self.index = BundleIndex(
                    header.package, versions={}, event_offsets=[], parents_first=[]
                )
            case BundledVersion() as version:
                self._check_rises(line.kind, version.version_number)
                self._add_version(version, offset)
            case BundledEvent() as event:
                self._check_rises(line.kind, event.id)
                self.index.event_offsets.append(offset)
            case Footer() as footer:
                self._check_footer(footer, data)

    def _check_rises(self, kind: LineKind, key: int) -> None:
        """Refuse rows that are not in the order of their key."""
        if kind == self._previous_kind and key <= self._previous_key:
            previous = f"{kind} {self._previous_key}"
            raise ValueError(f"{kind} {key} comes after {previous}")
        self._previous_key = key

    def _add_version(self, version: BundledVersion, offset: int) -> None:
        number = version.version_number
        if version.id in self.index.versions:
            raise ValueError(f"version {number} has the id of another one")
        self.index.versions[version.id] = IndexedVersion(
            version.id, number, version.parent_version_id, offset
        )

    def _check_footer(self, footer: Footer, data: bytes) -> None:
        versions = len(self.index.versions)
        events = len(self.index.event_offsets)
        if (versions, events) != (footer.versions, footer.events):
            raise ValueError(
                f"of {footer.versions} versions and {footer.events} events, "
                f"{versions} and {events} are here"
            )
        # Compared as bytes, since only the canonical spelling was exported.
        if data != footer_line(versions, events, self._checksum.hexdigest()):
            raise ValueError("the footer or the lines before it are not what was exported")


def _cannot_import(line_number: int, exc: Exception) -> BundleError:
    """Return the error for what is wrong with a line."""
    advice = _DAMAGED
    # Only the check of a version knows rules that older versions may break. Its checksum is
    # compared first: altered content does not get this far.
    if isinstance(exc, ValidationError) and exc.title == CHECKED_VERSION.__name__:
        advice = _BREAKS_RULE
    return BundleError(
        f"Line {line_number} of the bundle cannot be imported: {_describe(exc)}.",
        line=line_number,
        field="file",
        operation="packages.import",
        hint=f"Nothing was written. {advice}",
    )


def _describe(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"the line is not JSON: {exc.msg} at column {exc.colno}"
    # JSON may have half a surrogate pair as an escape. Python reads it, and fails to encode it when
    # the checksum is taken.
    if isinstance(exc, UnicodeDecodeError | UnicodeEncodeError):
        return f"the line is not UTF-8: {exc.reason}"
    return describe_problem(exc)
