"""Bundles without a database: the format, every kind of damage, and the requests of an export and an import."""

import copy
import gzip
import hashlib
import io
import json
import os
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from training_versions import (
    InvalidInputError,
    Package,
    RejectedError,
    UnreadableReplyError,
)
from training_versions.bundle import _format as bundle
from training_versions.bundle._format import BundleError, Survey, canonical, content_sha256
from training_versions.bundle._steps import Steps, caller_of, export_steps, import_steps
from training_versions.operations._calls import Done, Rpc, Select, read_reply, read_rows

MOMENT = "2025-01-31T12:00:00.123456+00:00"
PACKAGE = uuid.UUID(int=1)


def version(number: int = 1, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(bundle.VERSION_COLUMNS) | {
        "id": str(uuid.UUID(int=number)),
        "version_number": number,
    }
    row |= {
        "name": f"bot-v{number}",
        "status": "published",
        "created_at": MOMENT,
        "published_at": MOMENT,
    }
    return (
        row
        | {
            "config_snapshot": {"r": 8},
            "model_snapshot": {"id": "ü"},
            "dataset_snapshot": [{"n": 1}],
        }
        | changed
    )


def event(number: int = 1, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(bundle.EVENT_COLUMNS) | {
        "id": number,
        "version_id": str(uuid.UUID(int=1)),
        "details": {},
    }
    return row | {"version_number": 1, "kind": "created", "occurred_at": MOMENT} | changed


def package(**changed: Any) -> Package:
    known = {
        "id": PACKAGE,
        "name": "bot",
        "template_type": "lora",
        "config_json": {"r": 8},
        "user_id": PACKAGE,
    }
    counters = {"current_version_id": None, "version_count": 0, "latest_published_version": 0}
    return Package.model_validate(known | counters | changed)


def lines(versions: int = 3, events: int = 2) -> list[bytes]:
    made = [bundle.header_line(package())]
    made += [bundle.version_line(version(number)) for number in range(1, versions + 1)]
    return made + [bundle.event_line(event(number), PACKAGE) for number in range(1, events + 1)]


def sealed(before: list[bytes]) -> bytes:
    """Make a file of lines whose footer is right."""
    versions, events = (
        sum(line.startswith(start) for line in before) for start in (b'{"sha256"', b'{"event"')
    )
    footer = bundle.footer_line(versions, events, hashlib.sha256(b"".join(before)).hexdigest())
    return b"".join([*before, footer])


def survey(content: bytes) -> Survey:
    found = Survey()
    for _ in found.read(io.BytesIO(content)):
        pass
    return found


WHOLE = sealed(lines())


def changed_lines(change: Callable[[list[bytes]], object]) -> bytes:
    whole = WHOLE.splitlines(keepends=True)
    change(whole)
    return b"".join(whole)


def edited(number: int, old: bytes, new: bytes) -> bytes:
    def edit(whole: list[bytes]) -> None:
        assert old in whole[number - 1]
        whole[number - 1] = whole[number - 1].replace(old, new)

    return changed_lines(edit)


def test_a_whole_bundle_is_read() -> None:
    found = survey(WHOLE)

    assert (found.package.id, len(found.versions), len(found.events)) == (PACKAGE, 3, 2)


def test_canonical_form_has_sorted_keys_no_spaces_and_plain_characters() -> None:
    assert (
        canonical({"b": [1, 2.5, True, None], "ü": "\u2028", "a": {}})
        == '{"a":{},"b":[1,2.5,true,null],"ü":"\u2028"}'
    )


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (1e16, 10**16),
        (1.5e300, 15 * 10**299),
        (-2e20, -2 * 10**20),
        (1e-7, 1e-7),
        (0.1, 0.1),
        (2**70, 2**70),
    ],
)
def test_numbers_are_written_as_the_database_gives_them_back(sent: float, stored: float) -> None:
    assert canonical(["e+", sent]) == canonical(["e+", stored])


def test_the_sum_is_that_of_the_snapshots_alone() -> None:
    other = version(7, name="other", status="archived", change_summary="why")

    assert content_sha256(other) == content_sha256(version(1))
    assert content_sha256(version(1, config_snapshot={"r": 16})) != content_sha256(version(1))
    assert (
        content_sha256(version(1))
        == hashlib.sha256(
            '{"config_snapshot":{"r":8},"dataset_snapshot":[{"n":1}],"model_snapshot":{"id":"ü"}}'.encode()
        ).hexdigest()
    )


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        pytest.param(b"", 1, "footer is missing", id="empty"),
        pytest.param(b"\n", 1, "not JSON", id="empty line"),
        pytest.param(b"[]\n", 1, "no line of a bundle", id="an array"),
        pytest.param(b'{"name": "bot"}\n', 1, "no line of a bundle", id="other JSON"),
        pytest.param(gzip.compress(WHOLE), 1, "unpack the file first", id="gzip"),
        pytest.param(WHOLE.decode().encode("utf-16"), 1, "not UTF-8", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + WHOLE, 1, "not JSON", id="byte order mark"),
        pytest.param(WHOLE[: len(WHOLE) // 2], 3, "cut off", id="truncated in a line"),
        pytest.param(
            changed_lines(lambda whole: whole.pop()),
            7,
            "footer is missing",
            id="truncated between lines",
        ),
        pytest.param(WHOLE[:-1], 7, "cut off", id="last newline missing"),
        pytest.param(WHOLE + b"\n", 8, "follows the footer", id="something after the end"),
        pytest.param(WHOLE + WHOLE, 8, "follows the footer", id="two bundles"),
        pytest.param(
            WHOLE.replace(b"\n", b"\r\n"), 7, "not what was exported", id="line ends of Windows"
        ),
        pytest.param(edited(3, b'"r":8', b'"r":9'), 3, "content of version 2", id="content"),
        pytest.param(
            edited(3, b'"sha256":"', b'"sha256":"0'),
            3,
            "content of version 2",
            id="sum of a version",
        ),
        pytest.param(edited(3, b'"r":8', b'"r":NaN'), 3, "NaN is not JSON", id="NaN"),
        pytest.param(edited(3, b'"r":8', b'"r":"\xff"'), 3, "not UTF-8", id="not UTF-8"),
        pytest.param(
            edited(3, b'"r":8', b'"r":"\\ud800"'), 3, "not UTF-8", id="half a surrogate pair"
        ),
        pytest.param(edited(3, b"bot-v2", b"bot-vX"), 7, "not what was exported", id="name"),
        pytest.param(edited(5, b'"created"', b'"deleted"'), 7, "not what was exported", id="event"),
        pytest.param(edited(1, b'"bot"', b'"bat"'), 7, "not what was exported", id="header"),
        pytest.param(
            edited(7, b'"versions":3', b'"versions":4'),
            7,
            "of 4 versions",
            id="count in the footer",
        ),
        pytest.param(
            edited(7, b'"sha256":"', b'"sha256":"0'),
            7,
            "not what was exported",
            id="sum in the footer",
        ),
        pytest.param(
            edited(7, b'{"footer"', b'{ "footer"'),
            7,
            "not what was exported",
            id="space in the footer",
        ),
        pytest.param(
            changed_lines(lambda whole: whole.insert(1, whole.pop(2))),
            3,
            "version 1 comes after version 2",
            id="swapped",
        ),
        pytest.param(
            changed_lines(lambda whole: whole.insert(4, whole.pop(5))),
            6,
            "event 1 comes after event 2",
            id="swapped events",
        ),
        pytest.param(
            changed_lines(lambda whole: whole.pop(2)),
            6,
            "of 3 versions and 2",
            id="missing version",
        ),
        pytest.param(
            changed_lines(lambda whole: whole.pop(4)), 6, "of 3 versions and 2", id="missing event"
        ),
        pytest.param(
            changed_lines(lambda whole: whole.insert(2, whole[1])),
            3,
            "version 1 comes after version 1",
            id="twice",
        ),
        pytest.param(
            changed_lines(lambda whole: whole.pop(0)),
            1,
            "version does not belong here",
            id="no header",
        ),
        pytest.param(
            changed_lines(lambda whole: whole.insert(1, whole[0])),
            2,
            "header does not belong here",
            id="two headers",
        ),
        pytest.param(
            changed_lines(lambda whole: whole.insert(1, whole.pop(4))),
            3,
            "version does not belong here",
            id="event first",
        ),
        pytest.param(
            edited(1, b'"format_version":1', b'"format_version":2'),
            1,
            "format 2.*upgrade",
            id="newer",
        ),
        pytest.param(
            edited(1, b'"format_version":1', b'"format_version":true'),
            1,
            "no header",
            id="odd format",
        ),
        pytest.param(
            edited(1, b'"format_version":1', b'"format_version":0'),
            1,
            "no header",
            id="older than the first",
        ),
        pytest.param(
            edited(1, b"training-versions bundle", b"another"), 1, "no header", id="another format"
        ),
    ],
)
def test_a_damaged_or_altered_file_is_refused_with_the_line(
    content: bytes, line: int, why: str
) -> None:
    with pytest.raises(
        BundleError, match=rf"^Line {line} of the bundle cannot be imported: .*{why}"
    ) as caught:
        survey(content)

    assert (caught.value.line, caught.value.field) == (line, "file")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "draft?"}, "status"),
        ({"published_at": None}, "published_at is missing"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "2025-01-31T12:00:00"}, "created_at"),
        ({"version_number": 0}, "version_number"),
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"change_summary": "x" * 10_001}, "change_summary"),
        ({"config_snapshot": []}, "config_snapshot"),
        ({"dataset_snapshot": [3]}, "dataset_snapshot.0"),
        ({"parent_version_id": "v1"}, "parent_version_id"),
        ({"actual_cost": -1}, "actual_cost"),
        ({"actual_cost": 0.001}, "actual_cost"),
        ({"id": str(uuid.UUID(int=3))}, "has the id of another one"),
        ({"parent_version_id": str(uuid.UUID(int=2))}, "descends from itself"),
    ],
)
def test_what_the_database_would_refuse_is_refused_before_anything_is_written(
    change: Any, why: str
) -> None:
    rows = [version(1), version(2, **change), version(3)]

    with pytest.raises(BundleError, match=why):
        survey(sealed([lines()[0], *(bundle.version_line(row) for row in rows)]))


def test_no_byte_can_be_lost_or_changed() -> None:
    whole = sealed(lines(1, 1))

    for place in range(len(whole)):
        before, byte, after = whole[:place], whole[place], whole[place + 1 :]
        for altered in (before + after, before + bytes([byte ^ 1]) + after):
            with pytest.raises(BundleError):
                survey(altered)


def test_a_line_that_never_ends_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "LONGEST_LINE", 100)
    file = io.BytesIO(b" " * 10_000)

    with pytest.raises(BundleError, match="Line 1"):
        list(Survey().read(file))

    assert file.tell() == 100


def test_parents_come_before_their_children_also_those_with_a_higher_number() -> None:
    parents = {1: 4, 2: 99, 3: 1, 4: None, 5: 4}
    rows = [version(n, parent_version_id=p and str(uuid.UUID(int=p))) for n, p in parents.items()]
    content = sealed([lines()[0], *(bundle.version_line(row) for row in rows)])

    order = survey(content).parents_first()

    numbers = [
        bundle.read_line(content[place:].splitlines(keepends=True)[0])[1]["version_number"]
        for place in order
    ]
    assert numbers == [4, 1, 2, 3, 5]


#
# Requests
#


class Project:
    """Answers steps as a server would that caps replies at `cap` rows."""

    def __init__(self, versions: list[Any], events: list[Any], cap: int = 1000) -> None:
        self.rows = {"training_package_versions": versions, "training_version_events": events}
        self.cap = cap
        self.calls: list[Rpc[Any]] = []
        self.checked: list[int] = []
        self.packages = {str(PACKAGE): package().model_dump(mode="json")}

    def carry_out(self, steps: Steps[Any]) -> Any:
        answer: Any = None
        with closing(steps):
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration as end:
                    return end.value
                try:
                    answer = self.answer(step)
                except RejectedError as exc:
                    steps.throw(exc)

    def answer(self, step: Any) -> Any:
        if isinstance(step, Rpc):
            call = cast("Rpc[Any]", step)
            if call.params.get("p_check_only"):
                self.checked += [row["version_number"] for row in call.params["p_versions"]]
                return read_reply(call, [])
            self.calls.append(call)
            if call.function == "export_training_versions":
                after, newest = call.params["p_after"], call.params["p_newest"]
                stored = self.rows["training_package_versions"]
                rows = [row for row in stored if after < row["version_number"] <= newest]
                return read_reply(call, copy.deepcopy(rows[: self.cap]))
            new: Any = [{"created": True}] * len(call.params.get("p_versions", [])) or len(
                call.params.get("p_events", [])
            )
            return read_reply(call, new)
        if step is None:
            return None
        select = cast("Select[Any]", step)
        if select.table == "training_configs":
            rows = [
                row for key, row in self.packages.items() if ("id", "eq", key) in select.filters
            ]
        else:
            rows, key = self.rows[select.table], select.order[0]
            for column, operator, value in select.filters[1:]:
                assert column == key
                rows = [
                    row
                    for row in rows
                    if (row[key] > int(value) if operator == "gt" else row[key] <= int(value))
                ]
            rows = sorted(rows, key=lambda row: row[key], reverse=select.descending)
        found = read_rows(
            select,
            copy.deepcopy(rows[: min(select.limit, self.cap)]),
            len(rows) if select.count else None,
        )
        assert isinstance(found, Done)
        return found.value


@pytest.mark.parametrize("cap", [1, 7, 1000])
def test_an_export_does_not_end_early_where_replies_are_capped(cap: int) -> None:
    project = Project([version(n) for n in range(1, 60)], [event(n) for n in range(1, 30)], cap)
    file, seen = io.BytesIO(), list[tuple[int, int]]()

    result = project.carry_out(
        export_steps(PACKAGE, file, lambda done, total: seen.append((done, total)))
    )

    assert (result.versions, result.events) == (59, 29)
    assert len(survey(file.getvalue()).versions) == 59
    assert seen == [(done, 88) for done in range(1, 89)]


def test_an_export_asks_for_pages_of_bounded_bytes() -> None:
    project = Project([version(n) for n in range(1, 30)], [])

    project.carry_out(export_steps(PACKAGE, io.BytesIO(), None))

    assert [call.params["p_bytes"] for call in project.calls] == [2**20]


def test_what_is_made_while_an_export_runs_is_left_out() -> None:
    project = Project([version(n) for n in range(1, 20)], [event(1)])

    def make_another(done: int, total: int) -> None:
        project.rows["training_package_versions"].append(version(100 + done))
        project.rows["training_version_events"].append(event(100 + done))

    result = project.carry_out(export_steps(PACKAGE, io.BytesIO(), make_another))

    assert (result.versions, result.events) == (19, 1)


def test_a_number_that_json_lacks_is_told_and_leaves_no_file(tmp_path: Path) -> None:
    project = Project([version(1, config_snapshot={"x": float("inf")})], [])

    with pytest.raises(UnreadableReplyError, match=r"What packages\.export found cannot be read"):
        project.carry_out(export_steps(PACKAGE, tmp_path / "bot.jsonl", None))

    assert list(tmp_path.iterdir()) == []


def test_a_path_has_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "bot.jsonl"
    path.write_bytes(b"old")
    project = Project([version(n) for n in range(1, 20)], [])

    def stop(done: int, total: int) -> None:
        assert path.read_bytes() == b"old"
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.carry_out(export_steps(PACKAGE, path, stop))
    assert [file.name for file in tmp_path.iterdir()] == ["bot.jsonl"]

    project.carry_out(export_steps(PACKAGE, str(path), None))
    assert len(survey(path.read_bytes()).versions) == 19
    assert [file.name for file in tmp_path.iterdir()] == ["bot.jsonl"]


def test_a_symbolic_link_goes_on_pointing_where_it_does(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)

    Project([version()], []).carry_out(export_steps(PACKAGE, link, None))

    assert link.is_symlink()
    assert len(survey(target.read_bytes()).versions) == 1


def test_unbuffered_files_are_written_whole() -> None:
    class Slow(io.RawIOBase):
        content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int:
            self.content += bytes(data[:10])
            return min(10, len(data))

    file = Slow()

    Project([version()], []).carry_out(export_steps(PACKAGE, cast("Any", file), None))

    assert len(survey(file.content).versions) == 1


def test_an_import_sends_batches_of_bounded_rows_and_bytes() -> None:
    large = {"text": "x" * 700_000}
    rows = [version(n, config_snapshot=large if n > 450 else {}) for n in range(1, 454)]
    file = io.BytesIO(
        b"before"
        + sealed([lines()[0], *(bundle.version_line(row) for row in rows), *lines(0, 3)[1:]])
    )
    file.seek(6)
    project, seen = Project([], []), list[tuple[int, int]]()

    result = project.carry_out(
        import_steps(file, None, None, None, lambda done, total: seen.append((done, total)))
    )

    assert project.checked == [*range(1, 454)]
    sizes = [len(call.params.get("p_versions", [])) for call in project.calls]
    assert sizes == [100, 100, 100, 100, 51, 1, 1, 0]
    assert [row for call in project.calls for row in call.params.get("p_versions", [])] == rows
    assert project.calls[-1].params["p_events"][2]["source"] == f"{PACKAGE}/3@{MOMENT}"
    assert (result.versions_created, result.versions_present, result.events_added) == (453, 0, 3)
    assert seen == [(done, 456) for done in range(1, 457)]


def test_a_damaged_file_causes_no_request() -> None:
    project = Project([], [])

    with pytest.raises(BundleError):
        project.carry_out(import_steps(io.BytesIO(WHOLE[:-9]), None, None, None, None))

    assert (project.calls, project.checked) == ([], [])


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (None, "path or a binary file"),
        (3, "path or a binary file"),
        (io.StringIO(), "path or a binary file"),
    ],
)
def test_what_is_no_file_is_refused(file: Any, why: str) -> None:
    for steps in (export_steps(PACKAGE, file, None), import_steps(file, None, None, None, None)):
        with pytest.raises(InvalidInputError, match=why):
            next(steps)


def test_a_stream_that_cannot_go_back_is_refused() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(InvalidInputError, match="read twice"):
        next(import_steps(Pipe(WHOLE), None, None, None, None))


def test_a_file_that_is_open_the_wrong_way_is_refused(tmp_path: Path) -> None:
    with (
        (tmp_path / "x").open("wb") as out,
        pytest.raises(InvalidInputError, match="not open for reading") as caught,
    ):
        next(import_steps(out, None, None, None, None))
    assert caught.value.field == "file"
    with (
        (tmp_path / "x").open("rb") as source,
        pytest.raises(InvalidInputError, match="not open for writing"),
    ):
        next(export_steps(PACKAGE, cast("Any", source), None))


def test_progress_that_would_have_to_be_awaited_is_refused() -> None:
    async def progress(done: int, total: int) -> None: ...

    class Told:
        async def __call__(self, done: int, total: int) -> None: ...

    for given in (progress, Told()):
        for steps in (
            export_steps(PACKAGE, io.BytesIO(), given),
            import_steps(io.BytesIO(), None, None, None, given),
        ):
            with pytest.raises(InvalidInputError, match="not awaited") as caught:
                next(steps)
            assert caught.value.field == "progress"


def test_the_owner_is_refused_where_the_chosen_package_has_another() -> None:
    project = Project([], [])

    with pytest.raises(InvalidInputError, match="another owner") as caught:
        project.carry_out(import_steps(io.BytesIO(WHOLE), PACKAGE, uuid.UUID(int=2), None, None))

    assert (caught.value.field, project.calls) == ("user_id", [])
    assert (
        project.carry_out(
            import_steps(io.BytesIO(WHOLE), PACKAGE, str(PACKAGE), None, None)
        ).package_id
        == PACKAGE
    )


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_a_file_that_is_replaced_keeps_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "bot.jsonl"
    path.touch(mode=0o600)

    Project([version()], []).carry_out(export_steps(PACKAGE, path, None))

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_value_from_before_a_rule_is_not_taken_for_damage() -> None:
    old = sealed([lines()[0], bundle.version_line(version(1, change_summary="x" * 10_001))])

    with pytest.raises(BundleError, match="change_summary") as caught:
        survey(old)
    assert caught.value.hint is not None
    assert "breaks a rule" in caught.value.hint

    with pytest.raises(BundleError) as caught:
        survey(old.replace(b'"r":8', b'"r":9'))
    assert caught.value.hint is not None
    assert "whole copy" in caught.value.hint


def test_what_a_gateway_finds_too_large_is_told_with_its_versions() -> None:
    class Gateway(Project):
        def answer(self, step: Any) -> Any:
            if (
                isinstance(step, Rpc)
                and "p_versions" in step.params
                and "p_check_only" not in step.params
            ):
                raise RejectedError("Payload too large", code="413")
            return super().answer(step)

    with pytest.raises(RejectedError) as caught:
        Gateway([], []).carry_out(import_steps(io.BytesIO(WHOLE), None, None, None, None))

    assert caught.value.__notes__ == [
        "It was a batch of versions, numbers 1, 2, 3; before it 0 versions came in."
    ]


def test_progress_must_be_a_function(tmp_path: Path) -> None:
    for steps in (
        export_steps(PACKAGE, tmp_path / "x", cast("Any", 3)),
        import_steps("x", None, None, None, cast("Any", 3)),
    ):
        with pytest.raises(InvalidInputError, match="progress"):
            next(steps)


@pytest.mark.parametrize(
    ("authorization", "caller"),
    [
        (
            "Bearer e30.eyJzdWIiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDEifQ.x",
            str(PACKAGE),
        ),
        ("Bearer e30.e30.x", None),
        ("Bearer e30.eyJzdWIiOjN9.x", None),
        ("Bearer sb_secret_x", None),
        ("Bearer a.b.c", None),
        ("", None),
    ],
)
def test_the_caller_is_the_user_of_the_token(authorization: str, caller: str | None) -> None:
    assert caller_of({"Authorization": authorization}) == caller


def test_a_line_is_plain_json_for_others_too() -> None:
    records = [json.loads(line) for line in WHOLE.decode().split("\n")[:-1]]

    assert [next(iter(set(record) - {"sha256"})) for record in records] == [
        *("header", "version", "version", "version", "event", "event", "footer")
    ]
