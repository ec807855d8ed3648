"""The fast way for what is plain JSON already, as nearly every large snapshot is.

A snapshot may have a hundred thousand values. So they are copied without a path for each, and
texts, numbers and keys are looked at all together. Whatever is not plain, or may have to be
refused, is left to the careful copy in `json_values.py`, which knows where it is.
"""

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
    copied = _copy(value, found)
    return copied if _is_faultless(found, allow_secrets=allow_secrets) else None


class _Found:
    """What is to be looked at when the copy is done."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.keys: set[str] = set()
        self.others = False
        """There was a value that is no plain JSON, a number out of range, or something too deep."""


def _copy(whole: Any, found: _Found) -> Any:
    """Copy an object or an array with all that lies in it."""
    add_text, add_keys = found.texts.append, found.keys.update
    lowest, highest = -INTEGERS_ONLY, INTEGERS_ONLY

    # This is where the time goes, so it has no calls but those that it needs, and as a function in
    # a function it finds all that it uses without looking it up. A value is copied by being in the
    # container, and a container is replaced by its copy.

    def copy_container(container: Any, depth: int) -> Any:
        copied = container.copy()
        if type(container) is dict:
            add_keys(copied)
            members = copied.items()
        else:
            members = enumerate(copied)
        for key, value in members:
            kind = type(value)  # pyright: ignore[reportUnknownVariableType]  # of anything
            if kind is str:
                add_text(value)
            elif kind is float or kind is int:
                # Also NaN is not between the two.
                if not lowest < value < highest:
                    found.others = True
            elif kind is dict or kind is list:
                if depth == MAX_DEPTH or found.others:
                    # At once: what contains itself twice has 2 ** MAX_DEPTH containers.
                    found.others = True
                    return copied
                copied[key] = copy_container(value, depth + 1)
            elif value is not None and kind is not bool:
                found.others = True
        return copied

    return copy_container(whole, 1)


def _is_faultless(found: _Found, *, allow_secrets: bool) -> bool:
    """Return whether all of it can be stored just as it is."""
    if found.others or not all(type(key) is str for key in found.keys):
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
