"""What a report of the doctor says, without a project."""

from __future__ import annotations

import json
from pathlib import Path

from training_versions.doctor import Finding, NotDone, Report
from training_versions.doctor.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"

ERROR = Finding("row-security-off", "error", "table t", "It is off.", "Why.", "alter …;\nmore;")
WARNING = Finding("index-missing", "warning", "index i", "It is missing.", "Slow.", "create …;")
SKIPPED = (NotDone("rows", "no database"), NotDone("rights", "no database"))


def report(*findings: Finding, not_done: tuple[NotDone, ...] = ()) -> Report:
    return Report(findings, ("objects",), not_done, 0.41)


def test_the_exit_status_is_that_of_the_worst_finding() -> None:
    assert report().exit_status == 0
    assert report(WARNING).exit_status == 1
    assert report(ERROR, WARNING).exit_status == 2


def test_the_last_line_is_the_verdict() -> None:
    assert report().to_text() == "Fit: nothing found in 0.4 s."
    assert report(WARNING).to_text().splitlines()[-1] == "Fit, with 1 warning in 0.4 s."
    last = report(ERROR, WARNING, not_done=SKIPPED).to_text().splitlines()[-1]
    assert last == "Not fit: 1 error and 1 warning in 0.4 s. Not checked: rows, rights."


def test_a_project_that_was_not_checked_whole_is_not_called_fit() -> None:
    nothing = report(not_done=SKIPPED)
    warned = report(WARNING, not_done=SKIPPED)

    assert nothing.verdict == (
        "Nothing was found in what could be checked, in 0.4 s. Not checked: rows, rights."
    )
    assert nothing.to_text().splitlines()[-1] == nothing.verdict
    assert nothing.to_dict()["verdict"] == nothing.verdict
    assert warned.verdict == (
        "1 warning in what could be checked, in 0.4 s. Not checked: rows, rights."
    )
    assert (nothing.exit_status, warned.exit_status) == (0, 1)


def test_a_finding_is_told_with_its_fix_as_it_is() -> None:
    assert report(ERROR).to_text().splitlines()[:6] == [
        "error: row-security-off: table t",
        "  what It is off.",
        "  why  Why.",
        "  fix  alter …;",
        "       more;",
        "",
    ]


def test_checks_that_were_not_done_for_one_reason_are_told_once() -> None:
    text = report(not_done=SKIPPED).to_text()

    assert text.count("no database") == 1
    assert "not checked: rows, rights" in text


def test_the_data_of_a_report_are_json() -> None:
    data = json.loads(json.dumps(report(ERROR, not_done=SKIPPED).to_dict()))

    assert data["findings"][0] == {
        "id": "row-security-off",
        "level": "error",
        "object": "table t",
        "what": "It is off.",
        "why": "Why.",
        "fix": "alter …;\nmore;",
    }
    assert data["exit_status"] == 2
    assert data["not_done"][1] == {"check": "rights", "why": "no database"}
    assert data["verdict"].startswith("Not fit: ")


def test_every_kind_of_finding_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")

    for id, kind in KINDS.items():
        assert f"| `{id}` | {kind.level} | {kind.means} |" in page
