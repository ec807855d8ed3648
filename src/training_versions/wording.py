"""The words for a moment, an amount, a hint and an origin, the same wherever they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
# Of each unit: the age in seconds from which on it is used, its length in seconds, and its name.
_UNITS: Final = (
    (365 * _DAY, 365 * _DAY, "year"),
    (60 * _DAY, 30.4375 * _DAY, "month"),
    (14 * _DAY, 7 * _DAY, "week"),
    (_DAY, _DAY, "day"),
    (_HOUR, _HOUR, "hour"),
    (_MINUTE, _MINUTE, "minute"),
)
_JUST_NOW: Final = 10

HINTS_FOR_JSON: Final = {
    " A repository made with allow_secrets=True stores it all the same.": "",
    "Write None, or text such as 'inf' that you turn back when you read it; a model does that "
    "with ser_json_inf_nan='strings'.": 'Write null, or text such as "inf".',
}
"""Parts of the SDK's hints that speak of Python, and what stands there for those who wrote JSON."""


def describe_hint(hint: str | None) -> str | None:
    """Return a hint of the SDK in words for somebody who wrote JSON, and not Python."""
    if hint is None:
        return None
    for sentence, shown in HINTS_FOR_JSON.items():
        hint = hint.replace(sentence, shown)
    return hint


def describe_age(moment: datetime, now: datetime) -> str:
    """Say how long before `now` a moment is, or how long after."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < _JUST_NOW:
        return "just now"
    amount = _describe_duration(abs(seconds))
    if seconds < 0:
        return f"in {amount}"
    return f"{amount} ago"


def _describe_duration(seconds: float) -> str:
    for least, length, unit in _UNITS:
        if seconds >= least:
            count = int(seconds // length)
            plural = "" if count == 1 else "s"
            return f"{count} {unit}{plural}"
    return f"{int(seconds)} seconds"


def write_amount(amount: Decimal) -> str:
    """Write an amount of money, exact and with thousands separators."""
    return f"{amount:,.2f}"


def describe_other_package(kind: str, details: Mapping[str, object], package_id: UUID) -> str:
    """Return what to write behind the number of a forked version; empty if it is of this package.

    Each package counts its versions from 1, so the number alone would name one of this package.
    """
    if kind != "forked" or details.get("from_package_id") in (None, str(package_id)):
        return ""
    return " of another package"
