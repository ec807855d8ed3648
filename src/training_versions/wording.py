"""Text for ages, amounts, hints and origins, the same wherever it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
# For each unit: the smallest age that is shown in it (in seconds), its length, and its name.
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
"""Parts of the SDK's hints that are about Python, with the replacements for callers with JSON."""


def describe_hint(hint: str | None) -> str | None:
    """Return a hint of the SDK for a caller who sent JSON instead of Python values."""
    if hint is None:
        return None
    for sentence, shown in HINTS_FOR_JSON.items():
        hint = hint.replace(sentence, shown)
    return hint


def describe_age(moment: datetime, now: datetime) -> str:
    """Describe the time between a moment and `now`, such as "2 hours ago" or "in 3 days"."""
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
    """Format an amount of money with two decimals and thousands separators."""
    return f"{amount:,.2f}"


def describe_other_package(kind: str, details: Mapping[str, object], package_id: UUID) -> str:
    """Return the suffix for the number of a version that was forked from another package.

    Each package counts its versions from 1, so without a suffix the number would seem to be one of
    this package. The suffix is empty for other events, and for a version of this package.
    """
    if kind != "forked" or details.get("from_package_id") in (None, str(package_id)):
        return ""
    return " of another package"
