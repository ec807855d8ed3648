"""Export and import without a network: what is sent, and what is done to the file."""

import io
import os
import pickle
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import training_versions
from training_versions import (
    BundleError,
    ConnectionFailedError,
    ExportResult,
    ImportResult,
    InvalidInputError,
    NotFoundError,
    RejectedError,
    UnreadableReplyError,
)
from training_versions.bundle.export import export_package
from training_versions.operations.requests import Reply, Rpc, Select

from .bundled import MOMENT, PACKAGE, WHOLE, Project, event, index_of, sealed, version

#
# Export
#


@pytest.mark.parametrize("cap", [1, 7, 1000])
def test_an_export_does_not_end_early_where_replies_are_capped(cap: int) -> None:
    project = Project([version(n) for n in range(1, 60)], [event(n) for n in range(1, 30)], cap)
    file = io.BytesIO()
    seen: list[tuple[int, int]] = []

    result = project.export(file, lambda done, total: seen.append((done, total)))

    assert (result.versions, result.events) == (59, 29)
    assert len(index_of(file.getvalue()).versions) == 59
    assert seen == [(done, 88) for done in range(1, 89)]


def test_an_export_asks_for_pages_of_bounded_bytes_and_reads_only() -> None:
    project = Project([version(n) for n in range(1, 30)], [])

    project.export(io.BytesIO())

    assert [(rpc.params["p_bytes"], rpc.is_write) for rpc in project.calls] == [(2**20, False)]


def test_what_is_made_or_deleted_while_an_export_runs_is_left_out() -> None:
    project = Project([version(n) for n in range(1, 20)], [event(1)], cap=10)
    versions = project.rows["training_package_versions"]

    def make_and_delete(done: int, total: int) -> None:
        versions.append(version(100 + done))
        project.rows["training_version_events"].append(event(100 + done))
        if done == 1:
            versions[:] = [row for row in versions if row["version_number"] != 19]

    result = project.export(io.BytesIO(), make_and_delete)

    assert (result.versions, result.events) == (18, 1)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (version(config_snapshot={"x": float("inf")}), "not JSON compliant"),
        ({"id": 1, "version_number": 1, "created_at": MOMENT}, "the row has no column name"),
    ],
)
def test_a_version_that_cannot_be_written_is_an_error_and_leaves_no_file(
    tmp_path: Path, row: Any, why: str
) -> None:
    expected = rf"^What packages\.export found cannot be read: .*{why}"

    with pytest.raises(UnreadableReplyError, match=expected):
        Project([row], []).export(tmp_path / "bot.jsonl")

    assert list(tmp_path.iterdir()) == []


#
# Import
#


def test_an_import_sends_batches_of_bounded_rows_and_bytes() -> None:
    large = {"text": "x" * 700_000}
    rows = [version(n) for n in range(1, 451)]
    rows += [version(n, config_snapshot=large) for n in range(451, 454)]
    file = io.BytesIO(b"before" + sealed(rows, events=3))
    file.seek(6)
    project = Project([], [])
    seen: list[tuple[int, int]] = []

    result = project.import_(file, progress=lambda done, total: seen.append((done, total)))

    assert project.checked == [*range(1, 454)]
    batches = [rpc.params.get("p_versions", []) for rpc in project.calls]
    assert [len(batch) for batch in batches] == [100, 100, 100, 100, 51, 1, 1, 0]
    assert [row for batch in batches for row in batch] == rows
    assert project.calls[-1].params["p_events"][2]["source"] == f"{PACKAGE}/3@{MOMENT}"
    assert all(rpc.is_write for rpc in project.calls)
    assert (result.versions_created, result.versions_present, result.events_added) == (453, 0, 3)
    assert seen == [(done, 456) for done in range(1, 457)]


def test_an_import_counts_what_the_database_says_of_each_version() -> None:
    class Settled(Project):
        def call(self, rpc: Rpc) -> object:
            if "p_events" in rpc.params:
                return 1
            return [{"created": True, "parent_missing": True}, {"differs": True}, {}]

    result = Settled([], []).import_(io.BytesIO(WHOLE))

    assert result == ImportResult(
        package_id=PACKAGE,
        package_name="bot",
        package_created=False,
        versions_created=1,
        versions_present=2,
        versions_differing=1,
        parents_missing=1,
        events_added=1,
    )


class Empty(Project):
    """A project without packages, which fails at the n-th request that writes."""

    def __init__(self, failure: Exception, at: int) -> None:
        super().__init__([], [])
        self.rows["training_configs"] = []
        self.failure, self.at = failure, at

    def call(self, rpc: Rpc) -> object:
        if len(self.calls) == self.at:
            raise self.failure
        return super().call(rpc)


def test_a_package_is_created_with_its_first_versions_and_so_leaves_nothing_empty_behind() -> None:
    project = Empty(RejectedError("no"), at=1)

    with pytest.raises(RejectedError):
        project.import_(io.BytesIO(WHOLE))

    (sent,) = project.calls
    assert sent.params["p_package"]["name"] == "bot"
    assert len(sent.params["p_versions"]) == 3


def test_only_what_comes_first_creates_the_package_also_one_without_versions() -> None:
    project = Empty(RejectedError("no"), at=9)

    result = project.import_(io.BytesIO(sealed([], events=2)))

    assert [bool(rpc.params.get("p_package")) for rpc in project.calls] == [True, False]
    assert result.events_added == 2


def test_an_import_that_stops_halfway_does_not_say_that_nothing_was_changed() -> None:
    no_network = ConnectionFailedError("No reply came, and nothing was changed.", hint="Check it.")

    with pytest.raises(ConnectionFailedError) as first:
        Empty(no_network, at=1).import_(io.BytesIO(WHOLE))
    with pytest.raises(ConnectionFailedError) as second:
        Empty(no_network, at=2).import_(io.BytesIO(WHOLE))

    assert first.value is no_network
    assert "nothing was changed" not in str(second.value)
    assert "3 versions were created before, and stay" in str(second.value)


def test_a_damaged_file_causes_no_request() -> None:
    project = Project([], [])

    with pytest.raises(BundleError):
        project.import_(io.BytesIO(WHOLE[:-9]))

    assert (project.calls, project.checked) == ([], [])


def test_the_owner_is_refused_where_the_chosen_package_has_another() -> None:
    project = Project([], [])

    with pytest.raises(InvalidInputError, match="another owner") as caught:
        project.import_(io.BytesIO(WHOLE), package_id=PACKAGE, user_id=uuid.UUID(int=2))

    assert (caught.value.field, project.calls) == ("user_id", [])
    result = project.import_(io.BytesIO(WHOLE), package_id=PACKAGE, user_id=str(PACKAGE))
    assert result.package_id == PACKAGE


def test_what_a_gateway_finds_too_large_is_reported_with_its_versions() -> None:
    class Gateway(Project):
        def call(self, rpc: Rpc) -> object:
            raise RejectedError("Payload too large", code="413")

    with pytest.raises(RejectedError) as caught:
        Gateway([], []).import_(io.BytesIO(WHOLE))

    assert caught.value.__notes__ == [
        "What failed was a batch of versions, numbers 1, 2, 3; 0 versions were created before."
    ]


#
# Files and progress
#


def test_a_path_has_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "bot.jsonl"
    path.write_bytes(b"old")
    project = Project([version(n) for n in range(1, 20)], [])

    def stop(done: int, total: int) -> None:
        assert path.read_bytes() == b"old"
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.export(path, stop)
    assert [file.name for file in tmp_path.iterdir()] == ["bot.jsonl"]

    project.export(str(path))
    assert len(index_of(path.read_bytes()).versions) == 19
    assert [file.name for file in tmp_path.iterdir()] == ["bot.jsonl"]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        Project([], []).export(tmp_path / "missing" / "bot.jsonl")

    assert caught.value.filename == str(tmp_path / "missing")


def test_a_symbolic_link_goes_on_pointing_where_it_does(tmp_path: Path) -> None:
    link = tmp_path / "link"
    target = tmp_path / "target"
    link.symlink_to(target)

    Project([version()], []).export(link)

    assert link.is_symlink()
    assert len(index_of(target.read_bytes()).versions) == 1


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_a_file_that_is_replaced_keeps_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "bot.jsonl"
    path.touch(mode=0o600)

    Project([version()], []).export(path)

    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="named pipes are those of POSIX")
def test_a_named_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    try:
        Project([version()], []).export(pipe)
        content = os.read(reading, 65_536)
    finally:
        os.close(reading)

    assert pipe.is_fifo()
    assert len(index_of(content).versions) == 1


def test_unbuffered_files_are_written_whole() -> None:
    class Slow(io.RawIOBase):
        content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int:
            self.content += bytes(data[:10])
            return min(10, len(data))

    file = Slow()

    Project([version()], []).export(file)

    assert len(index_of(file.content).versions) == 1


@pytest.mark.parametrize("written", [None, 0])
def test_a_raw_file_that_takes_no_bytes_is_an_error(written: int | None) -> None:
    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int | None:
            return written

    with pytest.raises(BlockingIOError, match="takes no more bytes"):
        Project([version()], []).export(Full())


@pytest.mark.skipif(os.name != "posix", reason="named pipes are those of POSIX")
def test_a_named_pipe_cannot_be_imported_since_it_is_read_twice(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(InvalidInputError, match="read twice and cannot go back"):
        Project([], []).import_(pipe)


def test_a_file_that_only_writes_and_counts_nothing_will_do() -> None:
    class Sink:
        content = b""

        def write(self, data: bytes) -> None:
            self.content += data

    file = Sink()

    Project([version()], []).export(file)

    assert len(index_of(file.content).versions) == 1


async def awaited(done: int, total: int) -> None: ...


class Awaited:
    async def __call__(self, done: int, total: int) -> None: ...


@pytest.mark.parametrize("run", [Project.export, Project.import_])
@pytest.mark.parametrize(
    ("file", "progress", "field", "why"),
    [
        (None, None, "file", "path or a binary file"),
        (3, None, "file", "path or a binary file"),
        (io.StringIO(), None, "file", "path or a binary file"),
        ("x", 3, "progress", "must be a function"),
        (io.BytesIO(), awaited, "progress", "not awaited"),
        (io.BytesIO(), Awaited(), "progress", "not awaited"),
    ],
)
def test_what_is_no_file_or_no_plain_function_is_refused(
    run: Callable[..., object], file: object, progress: object, field: str, why: str
) -> None:
    with pytest.raises(InvalidInputError, match=why) as caught:
        run(Project([], []), file, progress)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("run", "lacks", "why"),
    [
        (Project.import_, "seekable", "read twice"),
        (Project.import_, "readable", "not open for reading"),
        (Project.export, "writable", "not open for writing"),
    ],
)
def test_a_file_that_is_open_the_wrong_way_is_refused(
    run: Callable[..., object], lacks: str, why: str
) -> None:
    def answer_no(self: io.BytesIO) -> bool:
        return False

    file = type("Limited", (io.BytesIO,), {lacks: answer_no})()

    with pytest.raises(InvalidInputError, match=why) as caught:
        run(Project([], []), file)

    assert caught.value.field == "file"


#
# The public classes
#


@pytest.mark.parametrize(
    "value",
    [
        BundleError("Line 3 is wrong.", field="file", line=3),
        ExportResult(package_id=PACKAGE, versions=1, events=2),
    ],
)
def test_public_classes_name_the_package_and_survive_pickle(value: object) -> None:
    restored = pickle.loads(pickle.dumps(value))

    assert type(value).__module__ == training_versions.__name__
    assert (type(restored), restored.__dict__) == (type(value), value.__dict__)


def test_the_results_are_loaded_without_the_rest() -> None:
    loaded = "'training_versions.bundle.format' in sys.modules"
    code = f"import sys, training_versions.bundle; print({loaded})"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_a_package_that_is_not_there_is_an_error_of_the_export() -> None:
    export = export_package(PACKAGE, io.BytesIO(), None)
    request = next(export)

    with pytest.raises(NotFoundError) as caught:
        export.send(Reply([]))

    assert isinstance(request, Select)
    assert request.operation == caught.value.operation == "packages.export"
