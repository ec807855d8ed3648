"""Faults that are planted in a project, one at a time, and mended as the doctor says."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg

from training_versions.doctor import Finding, examine
from training_versions.doctor.database import connect, read_catalog, read_only, rolled_back
from training_versions.doctor.objects import compare
from training_versions.doctor.rights import examine_rights
from training_versions.doctor.rows import examine_rows
from training_versions.doctor.settings import examine_settings
from training_versions.local import LocalSupabase

GROUPS = {
    "objects": (read_only, lambda connection: compare(read_catalog(connection))),
    "settings": (read_only, examine_settings),
    "rows": (read_only, examine_rows),
    "rights": (rolled_back, examine_rights),
}


@dataclass(frozen=True)
class Fault:
    """SQL that plants a fault, and the finding that it should be found under."""

    id: str
    plant: str
    also: tuple[str, ...] = ()
    """What else may come of it."""
    after: str = ""
    """What the fix leaves behind, because it mends no more than it should."""
    as_admin: bool = False
    """Whether both need the superuser."""
    mended_by_hand: bool = False
    """Whether the fix is a command, or a choice; then only `after` mends it."""
    name: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """How the test is called."""
        return f"{self.id}, {self.name}" if self.name else self.id


class Patient:
    """A project in which faults are planted."""

    def __init__(self, stack: LocalSupabase) -> None:
        self.stack = stack
        self.owner = psycopg.connect(stack.db_url, autocommit=True, prepare_threshold=None)
        self.admin = psycopg.connect(stack.admin_db_url, autocommit=True, prepare_threshold=None)

    def close(self) -> None:
        """Close the connections."""
        self.owner.close()
        self.admin.close()

    def examine(self) -> tuple[Finding, ...]:
        """What the doctor finds in the database, in a session that has no plans of before."""
        return examine(db_url=self.stack.db_url).findings

    def execute(self, sql: str, *, as_admin: bool) -> None:
        """Carry statements out as the owner of our objects, or as the superuser."""
        (self.admin if as_admin else self.owner).execute(sql)

    def ids_of(self, group: str) -> set[str]:
        """The ids that one group of checks finds."""
        transaction, examine_group = GROUPS[group]
        with connect(self.stack.db_url) as connection, transaction(connection):
            return {finding.id for finding in examine_group(connection)}


def plant_and_mend(patient: Patient, fault: Fault, group: str) -> None:
    """Plant a fault; see that it is found, and alone; mend it as the finding says."""
    try:
        patient.execute(fault.plant, as_admin=fault.as_admin)
        findings = patient.examine()
        found = {finding.id for finding in findings}

        assert fault.id in found, findings
        assert found <= {fault.id, *fault.also}, findings

        if not fault.mended_by_hand:
            for finding in findings:
                if finding.id == fault.id:
                    patient.execute(finding.fix, as_admin=fault.as_admin)
            assert fault.id not in patient.ids_of(group)
    finally:
        if fault.after:
            patient.execute(fault.after, as_admin=fault.as_admin)
