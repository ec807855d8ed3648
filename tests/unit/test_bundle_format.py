"""The format of bundles: how it is written, and every kind of damage."""

import gzip
import hashlib
import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from training_versions import BundleError
from training_versions.bundle import columns, index
from training_versions.bundle.format import (
    canonical,
    content_sha256,
    event_line,
    footer_line,
    parse_line,
    version_line,
)
from training_versions.models import CostRule, Rule, TextRule, UuidRule
from training_versions.operations.drafts import FIELD_RULES

from .bundled import (
    HEADER,
    MOMENT,
    PACKAGE,
    WHOLE,
    Project,
    event,
    index_of,
    lines_of,
    sealed,
    version,
)

LATER = "2025-01-31T12:00:00.123457+00:00"
FIRST_RELEASE = Path(__file__).with_name("bundle_v1.jsonl")
"""A package with a history, exported by release 0.1.0."""


def test_a_whole_bundle_is_read_and_others_run_after_every_line() -> None:
    project = Project([], [])

    found = project.run(index.read_index(io.BytesIO(WHOLE)))

    assert (found.package.id, len(found.versions), len(found.event_offsets)) == (PACKAGE, 3, 2)
    assert project.checkpoints == len(lines_of(WHOLE))


def test_a_bundle_of_the_first_release_is_imported_as_it_stands() -> None:
    records = [parse_line(line).record for line in lines_of(FIRST_RELEASE.read_bytes())]
    versions = [record for record in records if "config_snapshot" in record]
    events = [record for record in records if "kind" in record]
    project = Project([], [])

    result = project.import_(FIRST_RELEASE)

    assert (result.versions_created, result.events_added) == (3, 13)
    sent, history = (rpc.params for rpc in project.calls)
    created = sent["p_package"]
    assert (created["name"], created["config_json"]) == ("bot ü", {"r": 8, "lr": 0.0001})
    by_number = sorted(sent["p_versions"], key=lambda row: row["version_number"])
    for row, record in zip(by_number, versions, strict=True):
        newer_columns = dict.fromkeys(row.keys() - record.keys())
        assert row == record | newer_columns
    assert history["p_events"] == events


def test_the_lines_of_the_first_release_are_written_byte_for_byte() -> None:
    header, *rows, footer = lines_of(FIRST_RELEASE.read_bytes())

    assert set(parse_line(header).record) == set(parse_line(HEADER).record)
    assert header == f"{canonical(json.loads(header))}\n".encode()
    for line in rows:
        record = parse_line(line).record
        if line.startswith(b'{"event"'):
            assert set(record) == set(columns.BUNDLED_EVENT_COLUMNS)
            assert event_line(record, PACKAGE) == line
        else:
            assert set(record) <= set(columns.BUNDLED_VERSION_COLUMNS)
            assert version_line(record) == line
    assert footer_line(**parse_line(footer).record) == footer


def test_a_line_is_plain_json_for_others_too() -> None:
    records = [json.loads(line) for line in WHOLE.decode().split("\n")[:-1]]

    assert [min(set(record) - {"sha256"}) for record in records] == [
        *("header", "version", "version", "version", "event", "event", "footer")
    ]


def test_canonical_form_has_sorted_keys_no_spaces_and_plain_characters() -> None:
    written = canonical({"b": [1, 2.5, True, None], "ü": "\u2028", "a": {}})

    assert written == '{"a":{},"b":[1,2.5,true,null],"ü":"\u2028"}'


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
    content = '{"config_snapshot":{"r":8},"dataset_snapshot":[{"n":1}],"model_snapshot":{"id":"ü"}}'
    other = version(7, name="other", status="archived", change_summary="why")

    assert content_sha256(version(1)) == hashlib.sha256(content.encode()).hexdigest()
    assert content_sha256(other) == content_sha256(version(1))
    assert content_sha256(version(1, config_snapshot={"r": 16})) != content_sha256(version(1))


#
# The columns
#


@pytest.mark.parametrize(
    ("rule", "fits", "breaks"),
    [
        (TextRule(3, may_be_blank=True), ["", " ", "abc"], ["abcd", 3]),
        (TextRule(3), ["a"], ["", " \n", "abcd"]),
        (UuidRule(), [str(PACKAGE)], ["v1", 3]),
        (CostRule(), [0, 12.34, 99999999.99], [-1, 0.001, 100000000, "a"]),
    ],
)
def test_the_rule_of_an_editable_field_says_what_its_column_must_be(
    rule: Rule, fits: list[object], breaks: list[object]
) -> None:
    column = TypeAdapter[object](columns.type_for(rule))

    for value in fits:
        column.validate_python(value)
    for value in breaks:
        with pytest.raises(ValidationError):
            column.validate_python(value)


def test_every_editable_field_travels_and_may_be_missing_from_an_older_bundle() -> None:
    assert set(FIELD_RULES) <= set(columns.BUNDLED_VERSION_COLUMNS)
    older = {key: value for key, value in version().items() if key not in FIELD_RULES}
    project = Project([], [])

    project.import_(io.BytesIO(sealed([older])))

    assert project.calls[0].params["p_versions"] == [version()]


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
        ({"estimated_cost": -1}, "estimated_cost"),
        ({"id": str(uuid.UUID(int=3))}, "has the id of another one"),
        ({"parent_version_id": str(uuid.UUID(int=2))}, "descends from itself"),
        # What PostgreSQL reads otherwise than Pydantic
        ({"version_number": True}, "version_number"),
        ({"version_number": "2"}, "version_number"),
        ({"version_number": 1_000_000_001}, "version_number"),
        ({"id": "urn:uuid:00000000-0000-0000-0000-000000000002"}, "id"),
        ({"created_at": 1_700_000_000}, "created_at"),
        ({"created_at": "1700000000"}, "created_at"),
        # What readers could not hold
        ({"created_at": "infinity"}, "created_at"),
        ({"created_at": "20000-01-01T00:00:00+00:00"}, "created_at"),
        ({"created_at": "0001-01-01T00:00:00+05:00"}, "created_at.*years 1 to 9999"),
        ({"published_at": "2099-01-01T00:00:00+00:00"}, "published_at.*future"),
        (
            {"training_started_at": LATER, "training_completed_at": MOMENT},
            "training_completed_at lies before",
        ),
        # What JSON has and `jsonb` has not
        ({"name": "\0"}, "name contains a NUL"),
        ({"config_snapshot": {"a": [{"b": "\0"}]}}, r"config_snapshot\.a\[0\]\.b contains a NUL"),
        ({"model_snapshot": {"a": {"\0": 1}}}, r"a key of model_snapshot\.a contains a NUL"),
    ],
)
def test_what_the_database_would_refuse_is_refused_before_anything_is_written(
    change: Any, why: str
) -> None:
    project = Project([], [])

    with pytest.raises(BundleError, match=why):
        project.import_(io.BytesIO(sealed([version(1), version(2, **change), version(3)])))

    assert (project.calls, project.checked) == ([], [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": True}, "id"),
        ({"version_id": None}, "version_id"),
        ({"version_number": 1_000_000_001}, "version_number"),
        ({"kind": "invented"}, "kind"),
        ({"occurred_at": "infinity"}, "occurred_at"),
        ({"occurred_at": "2099-01-01T00:00:00+00:00"}, "occurred_at.*future"),
        ({"last_at": "2025-01-31T11:59:59+00:00"}, "last_at lies before occurred_at"),
        ({"details": {"paths": ["\0"]}}, r"details\.paths\[0\] contains a NUL"),
        ({"source": "x" * 501}, "source"),
    ],
)
def test_an_event_that_the_database_would_refuse_is_refused_as_well(change: Any, why: str) -> None:
    with pytest.raises(BundleError, match=rf"^Line 4 .*{why}"):
        index_of(sealed([version(1)], history=[event(1), event(2, **change)]))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b'"r":8', b'"r":1e400', r"config_json\.r has a number that is too large"),
        (b'"r":8', b'"r":' + b"1" * 5000, "4300 digits"),
        (b'"r":8', b'"r":"\\u0000"', r"config_json\.r contains a NUL"),
        (b'"bot"', b'"\\udc00"', r"package\.name contains half of a surrogate pair"),
    ],
)
def test_what_json_has_and_the_database_has_not_is_refused(
    old: bytes, new: bytes, why: str
) -> None:
    assert old in HEADER

    with pytest.raises(BundleError, match=rf"^Line 1 .*{why}"):
        index_of(sealed([version(1)], header=HEADER.replace(old, new)))


def test_a_value_from_before_a_rule_is_not_taken_for_damage() -> None:
    old = sealed([version(1, change_summary="x" * 10_001)])

    with pytest.raises(BundleError, match=r"change_summary[^$]*breaks a rule"):
        index_of(old)
    with pytest.raises(BundleError, match=r"content[^$]*whole copy"):
        index_of(old.replace(b'"r":8', b'"r":9'))


#
# Damage
#


def edited(number: int, old: bytes, new: bytes) -> bytes:
    whole = lines_of(WHOLE)
    assert old in whole[number - 1]
    whole[number - 1] = whole[number - 1].replace(old, new)
    return b"".join(whole)


def arranged(*numbers: int) -> bytes:
    """Make a file of these lines of the whole one, where 1 is the header and 7 the footer."""
    whole = lines_of(WHOLE)
    return b"".join(whole[number - 1] for number in numbers)


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        # Not a bundle
        (b"", 1, "footer is missing"),
        (b"\n", 1, "not JSON"),
        (b"[]\n", 1, "not a line of a bundle"),
        (b'{"name": "bot"}\n', 1, "not a line of a bundle"),
        (edited(1, b'{"header"', b'{"footer":{},"header"'), 1, "not a line of a bundle"),
        (b'{"header": []}\n', 1, "not a line of a bundle"),
        (gzip.compress(WHOLE), 1, "compressed; unpack it first"),
        (WHOLE.decode().encode("utf-16"), 1, "not UTF-8"),
        (b"\xef\xbb\xbf" + WHOLE, 1, "not JSON"),
        (edited(1, b'"format_version":1', b'"format_version":2'), 1, "format 2.*upgrade"),
        (edited(1, b'"format_version":1', b'"format_version":true'), 1, "not the header"),
        (edited(1, b'"format_version":1', b'"format_version":0'), 1, "not the header"),
        (edited(1, b"training-versions bundle", b"another"), 1, "not the header"),
        # Cut off, or with something added
        (WHOLE[: len(WHOLE) // 2], 3, "cut off"),
        (arranged(1, 2, 3, 4, 5, 6), 7, "footer is missing"),
        (WHOLE[:-1], 7, "cut off"),
        (WHOLE + b"\n", 8, "follows the footer"),
        (WHOLE + WHOLE, 8, "follows the footer"),
        (WHOLE.replace(b"\n", b"\r\n"), 7, "not what was exported"),
        # One line changed
        (edited(3, b'"r":8', b'"r":9'), 3, "content of version 2"),
        (edited(3, b'"sha256":"', b'"sha256":"0'), 3, "content of version 2"),
        (edited(3, b'"r":8', b'"r":NaN'), 3, "NaN is not JSON"),
        (edited(3, b'"r":8', b'"r":"\xff"'), 3, "not UTF-8"),
        (edited(3, b'"r":8', b'"r":"\\ud800"'), 3, "not UTF-8"),
        (edited(3, b'"config_snapshot":{"r":8},', b""), 3, "content of version 2"),
        (edited(3, b"bot-v2", b"bot-vX"), 7, "not what was exported"),
        (edited(5, b'"created"', b'"deleted"'), 7, "not what was exported"),
        (edited(1, b'"bot"', b'"bat"'), 7, "not what was exported"),
        (edited(7, b'"versions":3', b'"versions":4'), 7, "of 4 versions"),
        (edited(7, b'"sha256":"', b'"sha256":"0'), 7, "not what was exported"),
        (edited(7, b'{"footer"', b'{ "footer"'), 7, "not what was exported"),
        # Lines moved, missing, or there twice
        (arranged(1, 3, 2, 4, 5, 6, 7), 3, "version 1 comes after version 2"),
        (arranged(1, 2, 2, 3, 4, 5, 6, 7), 3, "version 1 comes after version 1"),
        (arranged(1, 2, 3, 4, 6, 5, 7), 6, "event 1 comes after event 2"),
        (arranged(1, 2, 4, 5, 6, 7), 6, "of 3 versions and 2"),
        (arranged(1, 2, 3, 4, 6, 7), 6, "of 3 versions and 2"),
        (arranged(2, 3, 4, 5, 6, 7), 1, "version does not belong here"),
        (arranged(1, 1, 2, 3, 4, 5, 6, 7), 2, "header does not belong here"),
        (arranged(1, 5, 2, 3, 4, 6, 7), 3, "version does not belong here"),
    ],
)
def test_a_damaged_or_altered_file_is_refused_with_the_line(
    content: bytes, line: int, why: str
) -> None:
    expected = rf"^Line {line} of the bundle cannot be imported: .*{why}"

    with pytest.raises(BundleError, match=expected) as caught:
        index_of(content)

    assert (caught.value.line, caught.value.field) == (line, "file")


def test_no_byte_can_be_lost_or_changed() -> None:
    whole = sealed([version()], events=1)

    for place in range(len(whole)):
        before, byte, after = whole[:place], whole[place], whole[place + 1 :]
        for altered in (before + after, before + bytes([byte ^ 1]) + after):
            with pytest.raises(BundleError):
                index_of(altered)


def test_a_line_that_never_ends_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "LONGEST_LINE", 100)
    file = io.BytesIO(b" " * 10_000)

    with pytest.raises(BundleError, match="Line 1"):
        next(index.read_index(file))

    assert file.tell() == 100


def test_parents_come_before_their_children_also_those_with_a_higher_number() -> None:
    parents = {1: 4, 2: 99, 3: 1, 4: None, 5: 4}
    rows = [
        version(number, parent_version_id=parent and str(uuid.UUID(int=parent)))
        for number, parent in parents.items()
    ]
    content = sealed(rows)

    order = index_of(content).parents_first

    found = [parse_line(lines_of(content[each.offset :])[0]).record for each in order]
    assert [row["version_number"] for row in found] == [4, 1, 2, 3, 5]
