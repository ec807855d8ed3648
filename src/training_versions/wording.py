"""How people read a moment and an amount: the same words in the shell and on the pages."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
# From which age in seconds on, how many seconds, in which unit.
_UNITS: Final = (
    (365 * _DAY, 365 * _DAY, "year"),
    (60 * _DAY, 30.4375 * _DAY, "month"),
    (14 * _DAY, 7 * _DAY, "week"),
    (_DAY, _DAY, "day"),
    (_HOUR, _HOUR, "hour"),
    (_MINUTE, _MINUTE, "minute"),
)
_JUST_NOW: Final = 10


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
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{int(seconds)} seconds"


def write_amount(amount: Decimal) -> str:
    """Write an amount of money, exact and with thousands separators."""
    return f"{amount:,.2f}"
