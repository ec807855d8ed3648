"""Import: an operation that reads a package from a file into a project.

The file is read through first. Then the package is looked for, and the numbers in it are compared
with those in the file. Only then are versions sent, and after them the history. Rows go in batches,
each of them a transaction; the first one also creates the package where there is none, so that an
import which fails there leaves nothing behind. An import that failed halfway is repeated as a
whole: what is there is left.

What a version must be is checked in `format.py`, and the place of each row is known to `index.py`;
which rows are new is decided in the database.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO, Final, cast

from training_versions.bundle.columns import (
    BUNDLED_EVENT_COLUMNS,
    BUNDLED_VERSION_COLUMNS,
    Row,
)
from training_versions.bundle.files import open_for_reading
from training_versions.bundle.format import parse_line
from training_versions.bundle.index import BundleIndex, read_index
from training_versions.bundle.progress import ProgressMeter
from training_versions.bundle.results import BundleFile, ImportResult, Progress
from training_versions.errors import (
    ConflictError,
    ConnectionFailedError,
    InvalidInputError,
    TrainingVersionsError,
)
from training_versions.models import Id, Package
from training_versions.operations import packages
from training_versions.operations.checks import check_uuid
from training_versions.operations.filters import check_bool
from training_versions.operations.requests import Operation, Rpc, WhoAmI, call, expect_array
from training_versions.operations.rows import expect_object, read_integer

IMPORT: Final = "packages.import"
IMPORT_VERSIONS: Final = "import_training_versions"
ID_WAS_TAKEN: Final = "TV204"

# Small enough for the eight seconds that hosted projects give a statement.
BATCH_ROWS: Final = 100
BATCH_BYTES: Final = 2**20
CHECK_ROWS: Final = 1000
"""How many numbers to have checked at once."""


def import_package(
    file: BundleFile,
    *,
    package_id: Id | None,
    user_id: Id | None,
    progress: Progress | None,
    dry_run: bool = False,
) -> Operation[ImportResult]:
    """Import the package in a file into this project.

    Args:
        file: The bundle.
        package_id: The package to import into, if not the one that the file names.
        user_id: The owner of a new package, if not the caller.
        progress: Called after each row.
        dry_run: Have everything taken back again, batch by batch.
    """
    meter = ProgressMeter(progress)
    is_dry_run = check_bool(dry_run, "dry_run") is True
    with open_for_reading(file) as source:
        index = yield from read_index(source)
        meter.total = len(index.versions) + len(index.event_offsets)
        if package_id is not None:
            chosen = yield from _get_chosen(package_id, user_id)
            target = _Target(chosen.id, chosen.name, is_dry_run)
            tally = yield from _send_all(source, index, target, meter)
        else:
            target, tally = yield from _send_to_own_copy(
                source, index, user_id, meter, is_dry_run=is_dry_run
            )
    return ImportResult(
        package_id=target.id,
        package_name=target.name,
        package_created=target.is_new,
        versions_created=tally.created,
        versions_present=len(index.versions) - tally.created,
        versions_differing=tally.differing,
        parents_missing=tally.parents_missing,
        events_added=tally.events,
        new_ids=tally.new_ids,
    )


#
# The package to import into
#


def _get_chosen(package_id: Id, user_id: Id | None) -> Operation[Package]:
    """Return the package that the caller chose."""
    owner = None if user_id is None else check_uuid(user_id, "user_id")
    chosen = yield from packages.get(package_id, operation=IMPORT)
    if owner is not None and owner != str(chosen.user_id):
        raise InvalidInputError(
            f"package_id has another owner than user_id {owner}.", field="user_id"
        )
    return chosen


@dataclass
class _Target:
    """The package that rows are sent to."""

    id: uuid.UUID
    name: str
    is_dry_run: bool
    """Whether nothing that is sent stays."""
    to_create: Row | None = None
    """Its columns, until it exists; in a dry run, that is never."""
    is_new: bool = False
    """Whether it did not exist before."""


def _send_to_own_copy(
    source: BinaryIO,
    index: BundleIndex,
    user_id: Id | None,
    meter: ProgressMeter,
    *,
    is_dry_run: bool,
) -> Operation[tuple[_Target, _Tally]]:
    """Send everything to the owner's copy of the package; create it if needed.

    A copy has the package's own id if that is free, and otherwise one that follows from the id and
    the owner, so that the next import finds it.
    """
    if user_id is None:
        reply = yield WhoAmI()
        owner = cast("str | None", reply.data)
    else:
        owner = check_uuid(user_id, "user_id")
    columns = packages.check_columns(
        # It was stored before.
        packages.config_codec(allow_secrets=True),
        index.package.name,
        template_type=index.package.template_type,
        config=index.package.config_json,
        user_id=user_id,
    )
    # The id of a copy first: an earlier import may have had to use it, although the package's own
    # id is free by now.
    wanted = index.package.id
    candidates = [_id_of_copy(wanted, owner), wanted]
    while True:
        found = yield from _find_copy(candidates, owner)
        if found is None:
            target = _Target(wanted, index.package.name, is_dry_run, to_create=columns, is_new=True)
        else:
            target = _Target(found.id, found.name, is_dry_run)
        try:
            tally = yield from _send_all(source, index, target, meter)
        except ConflictError as exc:
            if not target.is_new or not _is_taken(target.id, exc):
                raise
        else:
            if target.is_new and target.id != index.package.id:
                tally.new_ids[index.package.id] = target.id
            return target, tally
        # The id is taken: a package has it that is not this owner's, or had it and was deleted. The
        # id of a copy may be taken as well, so this goes on.
        wanted = _id_of_copy(wanted, owner)
        candidates = [wanted]


def _find_copy(candidates: Iterable[uuid.UUID], owner: str | None) -> Operation[Package | None]:
    for candidate in candidates:
        found = yield from packages.find(candidate, operation=IMPORT)
        # Without an owner, as for the service role, a package of any owner is taken.
        if found is not None and owner in (None, str(found.user_id)):
            return found
    return None


def _is_taken(package_id: uuid.UUID, exc: ConflictError) -> bool:
    details = exc.details if isinstance(exc.details, dict) else {}
    return exc.code == ID_WAS_TAKEN and details.get("id") == str(package_id)


def _id_of_copy(package_id: uuid.UUID, owner: str | None) -> uuid.UUID:
    """Return the id that a package gets where its own is taken."""
    return uuid.uuid5(package_id, "" if owner is None else owner)


def _send_all(
    source: BinaryIO, index: BundleIndex, target: _Target, meter: ProgressMeter
) -> Operation[_Tally]:
    """Send all rows, after a look at the numbers that the package has."""
    if target.to_create is None:
        yield from _check_numbers(index, target.id)
    sender = _Sender(source, target, meter)
    yield from sender.send_versions(version.offset for version in index.parents_first)
    yield from sender.send_events(index.event_offsets)
    return sender.tally


def _check_numbers(index: BundleIndex, target: uuid.UUID) -> Operation[None]:
    """Refuse, before the first write, numbers that other versions have."""
    numbers = [
        {"id": str(version.id), "version_number": version.number}
        for version in index.versions.values()
    ]
    for start in range(0, len(numbers), CHECK_ROWS):
        params = {
            "p_package_id": str(target),
            "p_versions": numbers[start : start + CHECK_ROWS],
            "p_check_only": True,
        }
        # If it is not refused, no number clashes; what it returns says no more.
        yield Rpc(IMPORT, IMPORT_VERSIONS, params, is_write=False)


#
# Its rows
#


@dataclass
class _Tally:
    """What the batches changed so far."""

    created: int = 0
    differing: int = 0
    parents_missing: int = 0
    events: int = 0
    new_ids: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict[uuid.UUID, uuid.UUID])
    created_ids: set[str] = field(default_factory=set[str])
    """The ids in the file of what was created. In a dry run those of earlier batches are gone."""

    def add_versions(self, batch: list[Row], data: object) -> None:
        """Add the reply to a batch of versions: an outcome for each."""
        for row, item in zip(batch, expect_array(data), strict=True):
            outcome = expect_object(item)
            if outcome.get("created") is True:
                self.created += 1
                self.created_ids.add(row["id"])
                self._note_id(uuid.UUID(row["id"]), outcome.get("id"))
            self.differing += outcome.get("differs") is True
            came_along = row.get("parent_version_id") in self.created_ids
            self.parents_missing += outcome.get("parent_missing") is True and not came_along

    def _note_id(self, in_file: uuid.UUID, here: object) -> None:
        if isinstance(here, str) and uuid.UUID(here) != in_file:
            self.new_ids[in_file] = uuid.UUID(here)

    def add_events(self, data: object) -> None:
        """Add the reply to a batch of events: how many of them are new."""
        self.events += read_integer(data)


@dataclass
class _Sender:
    """Sends rows in batches, and keeps the tally."""

    source: BinaryIO
    target: _Target
    meter: ProgressMeter
    tally: _Tally = field(default_factory=_Tally)
    batches_sent: int = 0

    def send_versions(self, offsets: Iterable[int]) -> Operation[None]:
        """Send the versions whose lines begin at these places."""
        for batch in _read_batches(self.source, offsets, BUNDLED_VERSION_COLUMNS):
            yield from self._send_versions(batch)
        if self.target.is_new and not self.batches_sent:
            yield from self._send_versions([])  # a package that has no versions

    def _send_versions(self, batch: list[Row]) -> Operation[None]:
        params = {
            "p_package_id": str(self.target.id),
            "p_versions": batch,
            "p_package": self.target.to_create,
        }
        read = partial(self.tally.add_versions, batch)
        yield from self._send("versions", batch, self._call(IMPORT_VERSIONS, params), read)
        if not self.target.is_dry_run:
            self.target.to_create = None

    def send_events(self, offsets: Iterable[int]) -> Operation[None]:
        """Send the events whose lines begin at these places."""
        for batch in _read_batches(self.source, offsets, BUNDLED_EVENT_COLUMNS):
            if self.target.to_create is not None:
                # A dry run, in which the package does not exist: all of its history is new.
                self.tally.events += len(batch)
                self.meter.count_rows(len(batch))
                continue
            params = {"p_package_id": str(self.target.id), "p_events": batch}
            rpc = self._call("import_training_events", params)
            yield from self._send("events", batch, rpc, self.tally.add_events)

    def _call(self, function: str, params: dict[str, Any]) -> Rpc:
        if not self.target.is_dry_run:
            return Rpc(IMPORT, function, params)
        return Rpc(IMPORT, function, params | {"p_dry_run": True}, is_write=False)

    def _send(
        self, noun: str, batch: list[Row], rpc: Rpc, read: Callable[[object], None]
    ) -> Operation[None]:
        try:
            yield from call(rpc, read)
        except ConnectionFailedError as exc:
            if not self.batches_sent or self.target.is_dry_run:
                raise
            # "Nothing was changed" is true of this batch only.
            raise ConnectionFailedError(
                f"The import stopped at {_describe_batch(noun, batch)}, to which no reply came; "
                f"{self.tally.created} versions were created before, and stay.",
                operation=IMPORT,
                hint=f"{exc.hint} Import the same file again: it goes on where it stopped.",
            ) from exc
        except TrainingVersionsError as exc:
            # A gateway that finds a batch too large does not name its versions.
            created = 0 if self.target.is_dry_run else self.tally.created
            exc.add_note(
                f"What failed was {_describe_batch(noun, batch)}; "
                f"{created} versions were created before."
            )
            raise
        self.batches_sent += 1
        self.meter.count_rows(len(batch))


def _describe_batch(noun: str, batch: list[Row]) -> str:
    numbers = sorted({row["version_number"] for row in batch})
    return f"a batch of {noun}, numbers {', '.join(map(str, numbers))}"


def _read_batches(
    source: BinaryIO, offsets: Iterable[int], columns: tuple[str, ...]
) -> Iterator[list[Row]]:
    """Read rows again, as many at a time as one request may have."""
    batch: list[Row] = []
    size = 0
    for offset in offsets:
        source.seek(offset)
        data = source.readline()
        is_full = len(batch) == BATCH_ROWS or size + len(data) > BATCH_BYTES
        if batch and is_full:
            yield batch
            batch = []
            size = 0
        # Checked again, since somebody may be changing the file.
        record = parse_line(data).record
        # A bundle may be older than a column, which is empty then.
        batch.append({column: record.get(column) for column in columns})
        size += len(data)
    if batch:
        yield batch
