"""The doctor: check whether a project is set up correctly. Needs the extra `doctor` for all checks.

    report = examine(db_url=os.environ["SUPABASE_DB_URL"])
    print(report.to_text())

It reads the catalog and the rows, and tests the rights of each role in a transaction that is rolled
back. It changes no data.
"""

from training_versions.doctor.examine import examine
from training_versions.doctor.report import Finding, Level, NotDone, Report

__all__ = ["Finding", "Level", "NotDone", "Report", "examine"]
