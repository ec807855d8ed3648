"""Every kind of finding: its level, what it means and why it matters.

`docs/doctor.md` lists them from here, and a test compares the two.
"""

from __future__ import annotations

from training_versions.doctor.kinds.kind import Kind
from training_versions.doctor.kinds.objects import RULES, TABLES
from training_versions.doctor.kinds.project import API, MIGRATIONS, PROJECT, RIGHTS, SETTINGS
from training_versions.doctor.kinds.rows import ROWS
from training_versions.doctor.report import Finding

__all__ = ["KINDS", "Kind", "finding"]

KINDS: dict[str, Kind] = {
    **PROJECT,
    **MIGRATIONS,
    **TABLES,
    **RULES,
    **SETTINGS,
    **ROWS,
    **RIGHTS,
    **API,
}
"""By id."""


def finding(id: str, object: str, what: str, fix: str) -> Finding:
    """Return a finding of a known kind."""
    kind = KINDS[id]
    return Finding(id, kind.level, object, what, kind.why, fix)
