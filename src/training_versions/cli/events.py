"""The details of an event of the history, in a few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from training_versions import Event
from training_versions.cli.output import money
from training_versions.cli.text import json_text
from training_versions.wording import describe_other_package

_MOST_PATHS: Final = 3


def describe(event: Event) -> str:
    """Return the details of an event, or an empty text if its kind is enough."""
    describe_details = _DESCRIBERS.get(str(event.kind))
    if describe_details is None:
        if event.details:
            return json_text(event.details, indent=None)
        return ""
    other = describe_other_package(event.kind, event.details, event.package_id)
    return f"{describe_details(event.details)}{other}"


def _name(details: Mapping[str, Any]) -> str:
    return str(details.get("name", ""))


def _source(details: Mapping[str, Any]) -> str:
    number = details.get("from_version_number")
    if number is None:
        return ""
    return f"from version {number}"


def _paths(details: Mapping[str, Any]) -> str:
    paths = [str(path) for path in details.get("paths", ())]
    shown = ", ".join(paths[:_MOST_PATHS])
    if len(paths) > _MOST_PATHS:
        shown += f" and {len(paths) - _MOST_PATHS} more"
    return shown


def _reason(details: Mapping[str, Any]) -> str:
    return str(details.get("reason") or "")


def _place(details: Mapping[str, Any]) -> str:
    parts = [str(details.get("target", "")), str(details.get("url") or "")]
    return " ".join(part for part in parts if part)


def _cost(details: Mapping[str, Any]) -> str:
    amount = money(_amount(details.get("amount")))
    note = details.get("note")
    if not note:
        return f"{amount}"
    return f"{amount}, {note}"


def _alert(details: Mapping[str, Any]) -> str:
    actual = money(_amount(details.get("actual_cost")))
    budget = money(_amount(details.get("budget_limit")))
    return f"{details.get('share')} % of the budget: {actual} of {budget}"


def _amount(value: object) -> Decimal | None:
    # JSON made a float of the amount. Its repr is the text that the database wrote.
    if value is None:
        return None
    return Decimal(repr(value))


_DESCRIBERS: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "created": _source,
    "restored": _source,
    "forked": _source,
    "imported": _source,
    "edited": _paths,
    "published": _name,
    "archived": _name,
    "deleted": _name,
    "training_pending": _reason,
    "training_started": _reason,
    "training_completed": _reason,
    "training_failed": _reason,
    "training_cancelled": _reason,
    "deployed": _place,
    "undeployed": _place,
    "cost_recorded": _cost,
    "cost_alert": _alert,
}
