"""The doctor says whether a project is fit: the extra `doctor` for all of its checks.

    report = examine(db_url=os.environ["SUPABASE_DB_URL"])
    print(report.to_text())

It reads the catalog and the rows, and tries in a transaction that is rolled back what each role can
and cannot do. It changes nothing.
"""

from training_versions.doctor.examine import examine
from training_versions.doctor.report import Finding, Level, NotDone, Report

__all__ = ["Finding", "Level", "NotDone", "Report", "examine"]
