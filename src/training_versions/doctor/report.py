"""The report of the doctor: findings, checks that were not done, and the verdict."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["error", "warning"]

_WIDTH = 96
_LABEL = "  {:<4} "


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a project."""

    id: str
    """The kind of finding, such as `policy-missing`. `docs/doctor.md` explains each kind."""
    level: Level
    """`error`: a promise is broken. `warning`: it works, but not as it should."""
    object: str
    """The subject: a table, a function, a version, a setting."""
    what: str
    """The problem, in one sentence."""
    why: str
    """Why it matters, and what follows from it."""
    fix: str
    """The command or the SQL that fixes it."""


@dataclass(frozen=True)
class NotDone:
    """A group of checks that could not be done."""

    check: str
    """The group: `migrations`, `objects`, `settings`, `rows`, `rights`, `api` or `row cap`."""
    why: str
    """The reason: what the checks would need, or how they failed."""


@dataclass(frozen=True)
class Report:
    """The outcome of an examination."""

    findings: tuple[Finding, ...]
    """Errors first."""
    done: tuple[str, ...]
    """The groups of checks that were done."""
    not_done: tuple[NotDone, ...]
    """The groups of checks that were not done, with the reasons."""
    seconds: float
    """How long the examination took."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings of level `error`."""
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings of level `warning`."""
        return tuple(finding for finding in self.findings if finding.level == "warning")

    @property
    def exit_status(self) -> int:
        """0 if nothing was found, 1 if there are warnings only, 2 if there are errors."""
        if self.errors:
            return 2
        if self.warnings:
            return 1
        return 0

    @property
    def verdict(self) -> str:
        """The outcome in one line. A project is called fit only if everything was checked."""
        took = f"in {self.seconds:.1f} s"
        if not self.done:
            return f"Not examined: nothing could be checked, {took}."
        unchecked = ""
        if self.not_done:
            unchecked = f" Not checked: {', '.join(part.check for part in self.not_done)}."
        if not self.findings:
            if self.not_done:
                return f"Nothing was found in what could be checked, {took}.{unchecked}"
            return f"Fit: nothing found {took}."
        counts = [
            _count(len(self.errors), "error"),
            _count(len(self.warnings), "warning"),
        ]
        found = " and ".join(count for count in counts if count)
        if self.errors:
            return f"Not fit: {found} {took}.{unchecked}"
        if self.not_done:
            return f"{found} in what could be checked, {took}.{unchecked}"
        return f"Fit, with {found} {took}."

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for JSON.

        Example:
            >>> report.to_dict()["exit_status"]
            0
        """
        return {
            "findings": [asdict(finding) for finding in self.findings],
            "done": list(self.done),
            "not_done": [asdict(part) for part in self.not_done],
            "seconds": round(self.seconds, 3),
            "verdict": self.verdict,
            "exit_status": self.exit_status,
        }

    def to_text(self) -> str:
        """Return the report for people; the last line is the verdict.

        Example:
            >>> print(report.to_text())
            Fit: nothing found in 0.6 s.
        """
        parts = [_finding_text(finding) for finding in self.findings]
        parts += [
            f"not checked: {', '.join(checks)}\n{_field('why', why)}"
            for why, checks in self._not_done_by_reason().items()
        ]
        return "\n\n".join([*parts, self.verdict])

    def _not_done_by_reason(self) -> dict[str, list[str]]:
        reasons: dict[str, list[str]] = {}
        for part in self.not_done:
            reasons.setdefault(part.why, []).append(part.check)
        return reasons


def _count(number: int, noun: str) -> str:
    if number == 0:
        return ""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}s"


def _finding_text(finding: Finding) -> str:
    lines = [
        f"{finding.level}: {finding.id}: {finding.object}",
        _field("what", finding.what),
        _field("why", finding.why),
        _code("fix", finding.fix),
    ]
    return "\n".join(lines)


def _field(label: str, text: str) -> str:
    """Return a wrapped paragraph with its label."""
    first = _LABEL.format(label)
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _code(label: str, text: str) -> str:
    """Return indented lines with a label, without wrapping, so that commands stay intact."""
    first = _LABEL.format(label)
    return textwrap.indent(text, " " * len(first)).replace(" " * len(first), first, 1)
