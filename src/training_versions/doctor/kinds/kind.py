"""What a kind of finding is."""

from __future__ import annotations

from dataclasses import dataclass

from training_versions.doctor.report import Level


@dataclass(frozen=True)
class Kind:
    """What findings of one id have in common."""

    level: Level
    means: str
    why: str


def error(means: str, why: str) -> Kind:
    """Return a kind of finding that breaks a promise."""
    return Kind("error", means, why)


def warning(means: str, why: str) -> Kind:
    """Return a kind of finding with which all works, but not as it should."""
    return Kind("warning", means, why)
