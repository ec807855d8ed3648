"""Progress: counting rows as they are written or sent, and calling the caller's function.

It is plain: progress comes while an operation runs, which awaits nothing.
"""

from __future__ import annotations

from inspect import iscoroutinefunction

from training_versions.bundle.results import Progress
from training_versions.errors import InvalidInputError
from training_versions.snapshots import refuses_foreign_errors


class ProgressMeter:
    """Counts rows, and calls the caller's function after each of them."""

    def __init__(self, report: Progress | None) -> None:
        if report is not None:
            _check_plain_function(report, "progress")
        self._report = report
        self.done = 0
        self.total = 0
        """How many rows there are; set before the first one is done."""

    def count_row(self) -> None:
        """Count one row."""
        self.done += 1
        if self._report is not None:
            self._report(self.done, self.total)

    def count_rows(self, number: int) -> None:
        """Count several rows, one by one."""
        for _ in range(number):
            self.count_row()


@refuses_foreign_errors
def _check_plain_function(report: object, argument: str) -> None:
    if not callable(report):
        raise InvalidInputError(
            f"{argument} must be a function of two numbers, not {report!r:.80}.",
            field=argument,
        )
    # An object may be called through an async method, which only its class shows.
    if iscoroutinefunction(report) or iscoroutinefunction(report.__call__):
        raise InvalidInputError(
            f"{argument} must be a plain function: an async one is not awaited.",
            field=argument,
        )
