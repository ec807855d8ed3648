"""Checks of arguments, before anything is sent.

A check returns the value in the form in which it is used, or raises an `InvalidInputError` that
names the argument. What only the database can know is left to the database.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, TypeGuard, TypeVar, cast

from training_versions.errors import InvalidInputError
from training_versions.models import (
    MAX_SUMMARY,
    CopiedDraft,
    CostRule,
    Id,
    Package,
    PackageOverview,
    Rule,
    TextRule,
    UuidRule,
    VersionSummary,
    round_to_cents,
)
from training_versions.snapshots import (
    check_storable,
    plain_number,
    refuses_foreign_errors,
    refusing_foreign_errors,
    shortest_decimal,
)

R = TypeVar("R")

MAX_COST: Final = Decimal("99999999.99")
MAX_NAME: Final = 255
"""Characters in the name of a package or a version."""
MAX_VERSION_NUMBER: Final = 2**31 - 1
MAX_SEARCH: Final = 500
"""Characters to search for: they travel in the URL."""
UUID_TEXT: Final = re.compile(
    r"(?:urn:uuid:)?(\{)?"
    r"[0-9a-f]{8}(-?)[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}"
    r"(?(1)\})",
    re.ASCII | re.IGNORECASE,
)


def optional(check: Callable[[object, str], R], value: object, argument: str) -> R | None:
    """Check a value unless it is `None`, which stays `None`."""
    if value is None:
        return None
    return check(value, argument)


@refuses_foreign_errors
def check_uuid(value: object, argument: str) -> str:
    """Return the text of a UUID."""
    if isinstance(value, uuid.UUID):
        return str(value)
    # `uuid.UUID` alone would accept signs, underscores and digits of other scripts.
    if not isinstance(value, str) or not UUID_TEXT.fullmatch(value):
        raise InvalidInputError(
            f"{argument} must be a UUID, not {value!r:.80}.",
            field=argument,
            hint=_hint_for_id(value, argument),
        )
    # It takes `urn:uuid:` in lower case only.
    return str(uuid.UUID(value.lower()))


# A number is one within its package.
_READ_BY_NUMBER: Final = "By its number: versions.get_by_number(package_id, number).id."
_COMPARE_NUMBERS: Final = "By their numbers: versions.compare_numbers(package_id, 1, 2)."
_HINTS_FOR_NUMBERS: Final = {
    "version_id": _READ_BY_NUMBER,
    "parent_version_id": _READ_BY_NUMBER,
    "left": _COMPARE_NUMBERS,
    "right": _COMPARE_NUMBERS,
}


def _hint_for_id(value: object, argument: str) -> str | None:
    """Say where the identifier is that somebody meant."""
    wants_package = argument in ("package_id", "into")
    if isinstance(value, CopiedDraft):
        wanted = "package_id" if wants_package else "id"
        return f"Pass the {wanted} of the draft: copied.draft.{wanted}."
    if isinstance(value, VersionSummary) and wants_package:
        return "Pass the package_id of the version."
    is_package = isinstance(value, Package | PackageOverview)
    if is_package and not wants_package and argument != "ids":  # those of packages, too
        return "A package has many versions: pass the id of one of them."
    if isinstance(getattr(value, argument, None), uuid.UUID):
        return f"Pass its {argument}."
    if isinstance(getattr(value, "id", None), uuid.UUID):
        return "Pass its id."
    if isinstance(value, str) and wants_package:
        return "A package is found by its name with packages.find_by_name(name)."
    if is_integer(value) or (isinstance(value, str) and value.isdecimal()):
        return _HINTS_FOR_NUMBERS.get(argument)
    if isinstance(value, str) and argument in _HINTS_FOR_NUMBERS:
        return "A name does not identify a version: versions.list(package_id) has the ids."
    return None


def check_or_make_uuid(value: Id | None, argument: str) -> str:
    """Return the text of a UUID, a new one if none is given.

    An identifier that is made before the first attempt makes its repeats idempotent.
    """
    if value is None:
        return str(uuid.uuid4())
    return check_uuid(value, argument)


@refuses_foreign_errors
def check_text(value: object, argument: str, *, max_length: int, may_be_blank: bool = False) -> str:
    """Return text that is not too long and that PostgreSQL can hold."""
    if not isinstance(value, str):
        raise InvalidInputError(f"{argument} must be a string, not {value!r:.80}.", field=argument)
    if len(value) > max_length:
        raise InvalidInputError(
            f"{argument} has {len(value):,} characters, and {max_length:,} is the most.",
            field=argument,
        )
    if not may_be_blank and not value.strip():
        kind = "blank" if value else "empty"
        raise InvalidInputError(f"{argument} must not be {kind}.", field=argument)
    return check_storable(value, at=argument, field=argument)


def check_name(value: object, argument: str = "name") -> str:
    """Return the name of a package or a version."""
    return check_text(value, argument, max_length=MAX_NAME)


def check_summary(value: object, argument: str) -> str:
    """Return a change summary, which may be blank."""
    return check_text(value, argument, max_length=MAX_SUMMARY, may_be_blank=True)


@refuses_foreign_errors
def check_cost(value: object, argument: str) -> float:
    """Return an amount of money as a JSON number.

    JSON numbers are floats to Python. With at most ten digits, a float prints exactly as it was
    given, and the database reads what is printed.
    """
    amount = _parse_amount(value)
    if amount is None or not amount.is_finite() or not 0 <= amount <= MAX_COST:
        raise _wrong_cost(value, argument)
    cents = round_to_cents(amount)
    if cents != amount:
        hint = None
        if isinstance(value, float | Decimal):
            hint = "Round it: round(amount, 2), or compute with Decimal."
        raise _wrong_cost(value, argument, hint)
    return float(cents)


def _parse_amount(value: object) -> Decimal | None:
    # Of a float of any kind, the shortest decimal that stands for it.
    value = shortest_decimal(value)
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        return None
    try:
        return Decimal(value)
    except (InvalidOperation, ValueError):
        return None


def _wrong_cost(value: object, argument: str, hint: str | None = None) -> InvalidInputError:
    return InvalidInputError(
        f"{argument} must be 0 to {MAX_COST:,} with at most two decimals, not {value!r:.80}.",
        field=argument,
        hint=hint,
    )


@refuses_foreign_errors
def check_moment(value: object, argument: str) -> str:
    """Return a moment as ISO 8601 text in UTC."""
    if not isinstance(value, datetime):
        raise InvalidInputError(
            f"{argument} must be a datetime, not {value!r:.80}.",
            field=argument,
            hint=_hint_for_moment(value),
        )
    if value.utcoffset() is None:
        raise InvalidInputError(
            f"{argument} must have a time zone, as datetime.now(UTC) has.", field=argument
        )
    try:
        text = format_moment(value)
    except OverflowError:
        raise InvalidInputError(
            f"{argument} is outside of the years 1 to 9999 in UTC.", field=argument
        ) from None
    datetime.fromisoformat(text)  # raises for a moment that is none, such as the NaT of pandas
    return text


def _hint_for_moment(value: object) -> str | None:
    if isinstance(value, VersionSummary):
        return "Pass its updated_at."
    if isinstance(value, str):
        return "Read the text first: datetime.fromisoformat(text)."
    if isinstance(value, date):
        return "A day has no time: datetime(2025, 1, 31, tzinfo=UTC)."
    return None


def format_moment(value: datetime) -> str:
    """Write a moment so that the database reads back the very same."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


@refuses_foreign_errors
def check_positive(value: object, argument: str, most: int | None = None) -> int:
    """Return an integer of 1 or more."""
    number = plain_number(value)
    if is_integer(number) and number >= 1 and (most is None or number <= most):
        return number
    allowed = "or more" if most is None else f"to {most:,}"
    raise InvalidInputError(
        f"{argument} must be an integer of 1 {allowed}, not {value!r:.80}.",
        field=argument,
        hint="Pass its version_number." if isinstance(value, VersionSummary) else None,
    )


def is_integer(value: object) -> TypeGuard[int]:
    """Return whether a value is an integer; for Python, `True` is one."""
    return isinstance(value, int) and not isinstance(value, bool)


@refuses_foreign_errors
def check_member(value: object, argument: str, kind: type[StrEnum]) -> str:
    """Return the text of one member of an enum."""
    known = [str(member) for member in kind]
    if not isinstance(value, str) or value not in known:
        raise InvalidInputError(
            f"{argument} must be one of {', '.join(known)}, not {value!r:.80}.", field=argument
        )
    return str(value)


@refuses_foreign_errors
def is_newest_first(order: object, argument: str) -> bool:
    """Read an order."""
    if order not in ("newest", "oldest"):
        raise InvalidInputError(
            f"{argument} must be 'newest' or 'oldest', not {order!r:.80}.", field=argument
        )
    return order == "newest"


def is_collection(value: object) -> bool:
    """Return whether a value is several values, rather than one piece of text."""
    return isinstance(value, Sequence | Set) and not isinstance(value, str | bytes)


def check_rule(value: object, argument: str, rule: Rule) -> str | int | float:
    """Return a value that obeys the rule of its field."""
    match rule:
        case TextRule():
            return check_text(
                value, argument, max_length=rule.max_length, may_be_blank=rule.may_be_blank
            )
        case UuidRule():
            return check_uuid(value, argument)
        case CostRule():
            return check_cost(value, argument)


def check_pauses(pauses: Sequence[float]) -> tuple[float, ...]:
    """Return the pauses before repeats if they are seconds."""
    are_seconds, checked = False, ()
    with refusing_foreign_errors("retry_pauses"), suppress(TypeError):
        checked = tuple(pauses)
        are_seconds = all(0 <= pause < float("inf") for pause in checked)
    if not are_seconds:
        raise InvalidInputError(
            "retry_pauses must be a sequence of seconds, each 0 or more.", field="retry_pauses"
        )
    return checked


@refuses_foreign_errors
def check_flag(value: object, argument: str) -> bool:
    """Return whether a value is true."""
    return bool(value)


def nothing_to_change() -> InvalidInputError:
    """Make the error for an edit that names nothing."""
    return InvalidInputError("There is nothing to change: name at least one field.")


def check_known(
    named: object, kind: type, *, noun: str = "filter", besides: Sequence[str] = ()
) -> None:
    """Refuse a keyword argument that is not one of a `TypedDict`.

    Args:
        named: The arguments by name.
        kind: The `TypedDict`.
        noun: What the error calls such an argument.
        besides: Other arguments that the error lists, because the caller may have meant them.
    """
    known = kind.__annotations__
    for name in cast("dict[str, object]", named):
        if name not in known:
            choices = [*besides, *known]
            raise InvalidInputError(
                f"There is no {noun} {name}; there are {', '.join(choices)}.",
                field=name,
                hint=_did_you_mean(name, choices),
            )


def _did_you_mean(name: str, choices: Sequence[str]) -> str | None:
    import difflib  # loaded by those who misspell

    similar = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    return f"Did you mean {similar[0]}?" if similar else None
