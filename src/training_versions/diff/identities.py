"""What entries of an array are recognised by: a `datasetId`, else an `id`, else a `name`.

Which entries then belong together is decided in `matching.py`.
"""

import json
from typing import Final, TypeAlias

from training_versions.models import JsonValue
from training_versions.snapshots import escape_step

# A plain tuple, as there is one for each entry of long arrays: to make instances of a class, and
# the garbage collector's visits to them, would take a fifth of the whole comparison.
Identity: TypeAlias = tuple[str, str | int | float, int]
"""A key, its value, and how many entries before it have the same."""

# The best first.
_KEYS: Final = ("datasetId", "id", "name")
_BEGIN_NUMBERS_AND_QUOTES: Final = frozenset('-0123456789"')


def identities_of(array: list[JsonValue]) -> dict[int, Identity]:
    """Return the identities of the entries that have one, by position."""
    identities: dict[int, Identity] = {}
    occurrences: dict[tuple[str, object], int] = {}
    for position, entry in enumerate(array):
        if not isinstance(entry, dict):
            continue
        for key in _KEYS:
            value = entry.get(key)
            # To Python, a boolean is an integer.
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                before = occurrences.get((key, value), 0)
                occurrences[key, value] = before + 1
                identities[position] = (key, value, before)
                break
    return identities


def entry_label(position: int, identity: Identity | None) -> str:
    """Name an entry for people: `datasetId=faq` if it has an identity, or its position.

    A text that reads as a number is quoted, so that it is not taken for that number. Of entries
    with the same identity only the first is named by it.
    """
    if identity is None:
        return str(position)
    key, value, before = identity
    if before > 0:
        return str(position)
    if isinstance(value, str) and _reads_as_number_or_quoted(value):
        value = json.dumps(value)
    return escape_step(f"{key}={value}")


def _reads_as_number_or_quoted(text: str) -> bool:
    if text[:1] not in _BEGIN_NUMBERS_AND_QUOTES:
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
