"""The kind of a finding: its level and its explanation."""

from __future__ import annotations

from dataclasses import dataclass

from training_versions.doctor.report import Level


@dataclass(frozen=True)
class Kind:
    """The properties that all findings of one id share."""

    level: Level
    means: str
    why: str


def error(means: str, why: str) -> Kind:
    """Return a kind for findings that break a promise."""
    return Kind("error", means, why)


def warning(means: str, why: str) -> Kind:
    """Return a kind for findings with which the project works, but not as it should."""
    return Kind("warning", means, why)
