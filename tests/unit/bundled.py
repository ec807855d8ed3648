"""Bundles made of rows, and a project that answers an export or an import without a network."""

import copy
import hashlib
import io
import uuid
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from training_versions import ExportResult, ImportResult, Package, TrainingVersionsError
from training_versions.bundle import Progress, columns
from training_versions.bundle.export import export_package
from training_versions.bundle.format import event_line, footer_line, header_line, version_line
from training_versions.bundle.import_ import import_package
from training_versions.bundle.index import BundleIndex, read_index
from training_versions.operations.requests import (
    Checkpoint,
    Comparison,
    Operation,
    Reply,
    Request,
    Rpc,
    Select,
    WhoAmI,
    advance,
)

MOMENT = "2025-01-31T12:00:00.123456+00:00"
PACKAGE = uuid.UUID(int=1)


def version(number: int = 1, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(columns.BUNDLED_VERSION_COLUMNS)
    row |= {"id": str(uuid.UUID(int=number)), "version_number": number, "name": f"bot-v{number}"}
    row |= {"status": "published", "created_at": MOMENT, "published_at": MOMENT}
    row |= {"config_snapshot": {"r": 8}, "model_snapshot": {"id": "ü"}}
    row |= {"dataset_snapshot": [{"n": 1}]}
    return row | changed


def event(number: int = 1, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(columns.BUNDLED_EVENT_COLUMNS)
    row |= {"id": number, "version_id": str(uuid.UUID(int=1)), "version_number": 1}
    row |= {"kind": "created", "occurred_at": MOMENT, "details": {}}
    return row | changed


def package() -> Package:
    row = {"id": PACKAGE, "user_id": PACKAGE, "name": "bot", "template_type": "lora"}
    counters = {"current_version_id": None, "version_count": 0, "latest_published_version": 0}
    return Package.model_validate({**row, **counters, "config_json": {"r": 8}})


HEADER = header_line(package())


def sealed(
    versions: list[dict[str, Any]],
    events: int = 0,
    *,
    history: Sequence[dict[str, Any]] = (),
    header: bytes = HEADER,
) -> bytes:
    """Make a file of these rows, and of usual or given events, whose footer is right."""
    history = history or [event(n) for n in range(1, events + 1)]
    lines = [header, *(version_line(row) for row in versions)]
    lines += [event_line(row, PACKAGE) for row in history]
    sha256 = hashlib.sha256(b"".join(lines)).hexdigest()
    return b"".join([*lines, footer_line(len(versions), len(history), sha256)])


WHOLE = sealed([version(1), version(2), version(3)], events=2)


def lines_of(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def index_of(content: bytes) -> BundleIndex:
    return Project([], []).run(read_index(io.BytesIO(content)))


class Project:
    """Answers requests as a server would that caps replies at `cap` rows."""

    def __init__(self, versions: list[Any], events: list[Any], cap: int = 1000) -> None:
        self.rows = {"training_package_versions": versions, "training_version_events": events}
        self.rows["training_configs"] = [package().model_dump(mode="json")]
        self.cap = cap
        self.calls: list[Rpc] = []
        self.checked: list[int] = []
        self.checkpoints = 0

    def run(self, operation: Operation[Any]) -> Any:
        outcome: Reply | BaseException | None = None
        with closing(operation):
            while True:
                try:
                    request = advance(operation, outcome)
                except StopIteration as finished:
                    return finished.value
                try:
                    outcome = copy.deepcopy(self.answer(request))
                except TrainingVersionsError as exc:
                    outcome = exc

    def export(self, file: Any, progress: Progress | None = None) -> ExportResult:
        return self.run(export_package(PACKAGE, file, progress))

    def import_(
        self,
        file: Any,
        progress: Progress | None = None,
        package_id: Any = None,
        user_id: Any = None,
    ) -> ImportResult:
        return self.run(
            import_package(file, package_id=package_id, user_id=user_id, progress=progress)
        )

    def answer(self, request: Request) -> Reply:
        match request:
            case Checkpoint():
                self.checkpoints += 1
                return Reply()
            case WhoAmI():
                return Reply()  # the service role, say
            case Rpc(params={"p_check_only": True, "p_versions": given}):
                self.checked += [row["version_number"] for row in given]
                return Reply([])
            case Rpc():
                self.calls.append(request)
                return Reply(self.call(request))
            case Select():
                return self.select(request)

    def call(self, rpc: Rpc) -> object:
        match rpc.params:
            case {"p_after": after, "p_newest": newest}:
                stored = self.rows["training_package_versions"]
                found = [row for row in stored if after < row["version_number"] <= newest]
                return found[: self.cap]
            case {"p_versions": given}:
                return [{"created": True} for _ in given]
            case _:
                return len(rpc.params["p_events"])

    def select(self, select: Select) -> Reply:
        rows = self.rows[select.table]
        for condition in select.where:
            assert isinstance(condition, Comparison)
            if condition.column != "package_id":
                rows = [row for row in rows if holds(condition, row)]
        if select.order_by:
            rows = sorted(rows, key=lambda row: row[select.order_by[0]], reverse=select.descending)
        return Reply(rows[: min(select.limit, self.cap)], len(rows) if select.count else None)


def holds(condition: Comparison, row: dict[str, Any]) -> bool:
    value = row[condition.column]
    match condition.operator:
        case "gt":
            return value > int(condition.value)
        case "lte":
            return value <= int(condition.value)
        case _:
            return str(value) == condition.value
