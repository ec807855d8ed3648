"""Check that the rows agree with each other, and follow the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import psycopg

from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.rows.check import RowCheck, as_query
from training_versions.doctor.rows.costs import COSTS
from training_versions.doctor.rows.facts import DEPLOYMENTS, TRAINING
from training_versions.doctor.rows.history import HISTORY
from training_versions.doctor.rows.packages import PACKAGES, orphans
from training_versions.doctor.rows.versions import VERSIONS


def all_checks() -> tuple[RowCheck, ...]:
    """Return every check of rows."""
    return (*orphans(), *PACKAGES, *VERSIONS, *TRAINING, *DEPLOYMENTS, *COSTS, *HISTORY)


def examine_rows(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    """Run every check of rows, and report the wrong rows."""
    checks = all_checks()
    rows = connection.execute(as_query(checks).encode())
    found = {cast("int", number): (count, labels) for number, count, labels in rows}
    for number, check in enumerate(checks):
        if number in found:
            yield _rows_found(check, *found[number])


def _rows_found(check: RowCheck, count: int, labels: list[str]) -> Finding:
    more = "" if count <= len(labels) else f" and {count - len(labels)} more"
    noun = "row" if count == 1 else "rows"
    return finding(
        check.id,
        check.table,
        f"{count} {noun}: {', '.join(labels)}{more}.",
        check.fix.strip(),
    )
