"""Events of the history in words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Final

from training_versions import Event, EventKind, JsonObject
from training_versions.web.views.differences import column_name
from training_versions.web.views.json_text import steps_of, visible
from training_versions.web.views.targets import target_name
from training_versions.wording import describe_other_package, write_amount

_PATHS: Final = 3
_PLAIN: Final[dict[str, str]] = {
    EventKind.CREATED: "Created",
    EventKind.IMPORTED: "Imported",
    EventKind.PUBLISHED: "Published",
    EventKind.ARCHIVED: "Archived",
    EventKind.DELETED: "Deleted",
    EventKind.TRAINING_PENDING: "Training is waiting to start",
    EventKind.TRAINING_STARTED: "Training started",
    EventKind.TRAINING_COMPLETED: "Training completed",
}


def describe_event(event: Event) -> str:
    """Describe an event. For a kind that only a newer database knows, return its name."""
    describe = _WITH_DETAILS.get(event.kind)
    if describe is not None:
        other = describe_other_package(event.kind, event.details, event.package_id)
        return f"{describe(event.details)}{other}"
    return _PLAIN.get(event.kind, visible(event.kind))


def _copied(verb: str) -> Callable[[JsonObject], str]:
    def describe(details: JsonObject) -> str:
        number = details.get("from_version_number")
        if isinstance(number, int):
            return f"{verb} from v{number}"
        return verb

    return describe


def _edited(details: JsonObject) -> str:
    paths = details.get("paths")
    if not isinstance(paths, list) or not paths:
        return "Edited"
    named = ", ".join(_place(str(path)) for path in paths[:_PATHS])
    if len(paths) > _PATHS:
        named = f"{named} and {len(paths) - _PATHS} more"
    return f"Edited: {named}"


def _place(path: str) -> str:
    column, *steps = steps_of(f"/{path.lstrip('/')}")
    return " / ".join([column_name(column), *(visible(step) for step in steps)])


def _ended(text: str) -> Callable[[JsonObject], str]:
    def describe(details: JsonObject) -> str:
        reason = details.get("reason")
        if isinstance(reason, str):
            return f"{text}: {visible(reason)}"
        return text

    return describe


def _deployed(text: str) -> Callable[[JsonObject], str]:
    def describe(details: JsonObject) -> str:
        return text.format(target_name(str(details.get("target"))))

    return describe


def _cost_recorded(details: JsonObject) -> str:
    text = f"Cost of {_amount(details.get('amount'))} recorded"
    note = details.get("note")
    if isinstance(note, str):
        return f"{text}: {visible(note)}"
    return text


def _cost_alert(details: JsonObject) -> str:
    share, budget = details.get("share"), _amount(details.get("budget_limit"))
    return f"Cost reached {share} % of the budget of {budget}"


def _amount(value: object) -> str:
    try:
        return write_amount(Decimal(str(value)))
    except InvalidOperation:
        return "an unknown amount"


_WITH_DETAILS: Final[dict[str, Callable[[JsonObject], str]]] = {
    EventKind.RESTORED: _copied("Restored"),
    EventKind.FORKED: _copied("Forked"),
    EventKind.EDITED: _edited,
    EventKind.TRAINING_FAILED: _ended("Training failed"),
    EventKind.TRAINING_CANCELLED: _ended("Training cancelled"),
    EventKind.DEPLOYED: _deployed("Deployed to {}"),
    EventKind.UNDEPLOYED: _deployed("Undeployed from {}"),
    EventKind.COST_RECORDED: _cost_recorded,
    EventKind.COST_ALERT: _cost_alert,
}
