"""The fast way for what is plain JSON already, as nearly every large snapshot is.

A snapshot may have a hundred thousand values. So they are copied without a path for each, and
texts, numbers and keys are looked at all together. Whatever is not plain, or may have to be
refused, is left to the careful copy in `json_values.py`, which knows where it is.
"""

import math
from collections.abc import Collection
from typing import Any

from training_versions.snapshots.key_order import ORDERED_KEYS
from training_versions.snapshots.limits import INTEGERS_ONLY, MAX_DEPTH, unstorable
from training_versions.snapshots.secrets import (
    has_secret_form,
    is_secret_key,
    may_have_secret_key,
)


def copy_plain(value: object, *, allow_secrets: bool) -> Any:
    """Return a copy of a JSON object or array, or `None` if it needs the careful copy."""
    if type(value) is not dict and type(value) is not list:
        return None
    found = _Found()
    # One entry more, so that there is one loop for what lies in arrays.
    copied = _copy([value], found)
    return copied[0] if _is_faultless(found, allow_secrets=allow_secrets) else None


class _Found:
    """What is to be looked at when the copy is done."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.numbers: list[int | float] = []
        self.keys: set[str] = set()
        self.others = False
        """There was a value that is no plain JSON, or one too deep."""


def _copy(whole: list[Any], found: _Found) -> list[Any]:
    """Copy an array with all that lies in it."""
    add_text, add_number, add_keys = found.texts.append, found.numbers.append, found.keys.update

    # The two loops are alike, and have no calls in them but those that they need, since this is
    # where the time goes. A value is copied by being there, and a container is replaced by its
    # copy. Being functions in a function, they find all they use without looking it up.

    def copy_object(members: dict[str, Any], depth: int) -> dict[str, Any]:
        copied = members.copy()
        add_keys(members)
        for key, value in members.items():
            kind = type(value)  # pyright: ignore[reportUnknownVariableType]  # of anything
            if kind is str:
                add_text(value)
            elif kind is float or kind is int:
                add_number(value)
            elif kind is dict and depth < MAX_DEPTH:
                copied[key] = copy_object(value, depth + 1)
            elif kind is list and depth < MAX_DEPTH:
                copied[key] = copy_array(value, depth + 1)
            elif value is not None and kind is not bool:
                found.others = True
        return copied

    def copy_array(entries: list[Any], depth: int) -> list[Any]:
        copied = entries.copy()
        for index, value in enumerate(entries):
            kind = type(value)  # pyright: ignore[reportUnknownVariableType]  # of anything
            if kind is str:
                add_text(value)
            elif kind is float or kind is int:
                add_number(value)
            elif kind is dict and depth < MAX_DEPTH:
                copied[index] = copy_object(value, depth + 1)
            elif kind is list and depth < MAX_DEPTH:
                copied[index] = copy_array(value, depth + 1)
            elif value is not None and kind is not bool:
                found.others = True
        return copied

    return copy_array(whole, 0)


def _is_faultless(found: _Found, *, allow_secrets: bool) -> bool:
    """Return whether all of it can be stored just as it is."""
    if found.others or not all(type(key) is str for key in found.keys):
        return False
    if found.numbers and not _are_common(found.numbers):
        return False
    texts, keys = "\n".join(found.texts), "\n".join(found.keys)
    if unstorable(texts) is not None or unstorable(keys) is not None:
        return False
    if not found.keys.isdisjoint(ORDERED_KEYS):
        return False
    # An object's placeholder becomes null even where secrets are allowed.
    if may_have_secret_key(keys) and any(map(is_secret_key, found.keys)):
        return False
    return allow_secrets or not (has_secret_form(texts) or has_secret_form(keys))


def _are_common(numbers: Collection[int | float]) -> bool:
    """Return whether all numbers are finite, and floats that are integers are written as such."""
    # NaN may hide from `min` and `max`, but not from `sum`.
    within = min(numbers) > -INTEGERS_ONLY and max(numbers) < INTEGERS_ONLY
    return within and not math.isnan(sum(numbers))
