"""The fast way for what is plain JSON already, as nearly every large snapshot is.

A snapshot may have a hundred thousand values. So they are copied without a call and without a path
for each, and texts, numbers and keys are looked at all together. Whatever is not plain, or may have
to be refused, is left to the careful copy in `json_values.py`, which knows where it is.
"""

import math
from typing import Any, cast

from training_versions.snapshots.limits import INTEGERS_ONLY, MAX_DEPTH, unstorable
from training_versions.snapshots.secrets import (
    has_secret_form,
    is_secret_key,
    may_have_secret_key,
)


def copy_plain(value: object, *, allow_secrets: bool) -> Any:
    """Return a copy of a JSON object or array, or `None` if it needs the careful copy."""
    copying = _PlainCopy()
    if type(value) is dict:
        copied: object = copying.copy_object(cast("dict[str, object]", value), 1)
    elif type(value) is list:
        copied = copying.copy_array(cast("list[object]", value), 1)
    else:
        return None
    return copied if copying.is_faultless(allow_secrets=allow_secrets) else None


class _PlainCopy:
    """One copy under way, and what is to be looked at when it is done."""

    def __init__(self) -> None:
        self._is_plain = True
        self._texts: list[str] = []
        self._numbers: list[int | float] = []
        self._keys: set[str] = set()

    # The two loops are alike, and have no calls in them but those that they need: most of the time
    # is spent here. A number is copied by being there; what is a container is replaced by its copy.

    def copy_object(self, members: dict[str, object], depth: int) -> dict[str, object]:
        """Copy an object."""
        copied = members.copy()
        self._keys.update(members)
        if depth > MAX_DEPTH:
            self._is_plain = False
            return copied
        for key, value in members.items():
            kind = type(value)
            if kind is str:
                self._texts.append(cast("str", value))
            elif kind is float or kind is int:
                self._numbers.append(cast("float", value))
            elif kind is dict:
                copied[key] = self.copy_object(cast("dict[str, object]", value), depth + 1)
            elif kind is list:
                copied[key] = self.copy_array(cast("list[object]", value), depth + 1)
            elif value is not None and kind is not bool:
                self._is_plain = False
        return copied

    def copy_array(self, entries: list[object], depth: int) -> list[object]:
        """Copy an array."""
        copied = entries.copy()
        if depth > MAX_DEPTH:
            self._is_plain = False
            return copied
        for index, value in enumerate(entries):
            kind = type(value)
            if kind is str:
                self._texts.append(cast("str", value))
            elif kind is float or kind is int:
                self._numbers.append(cast("float", value))
            elif kind is dict:
                copied[index] = self.copy_object(cast("dict[str, object]", value), depth + 1)
            elif kind is list:
                copied[index] = self.copy_array(cast("list[object]", value), depth + 1)
            elif value is not None and kind is not bool:
                self._is_plain = False
        return copied

    def is_faultless(self, *, allow_secrets: bool) -> bool:
        """Return whether all of it can be stored just as it is."""
        if not self._is_plain or not all(type(key) is str for key in self._keys):
            return False
        if self._numbers and not _are_common(self._numbers):
            return False
        texts, keys = "\n".join(self._texts), "\n".join(self._keys)
        if unstorable(texts) is not None or unstorable(keys) is not None:
            return False
        # An object's placeholder becomes null even where secrets are allowed.
        if may_have_secret_key(keys) and any(map(is_secret_key, self._keys)):
            return False
        return allow_secrets or not (has_secret_form(texts) or has_secret_form(keys))


def _are_common(numbers: list[int | float]) -> bool:
    """Return whether all numbers are finite, and floats that are integers are written as such."""
    # NaN may hide from `min` and `max`, but not from `sum`.
    within = min(numbers) > -INTEGERS_ONLY and max(numbers) < INTEGERS_ONLY
    return within and not math.isnan(sum(numbers))
