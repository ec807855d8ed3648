"""JSON as a tree that folds, with a limit on the values that one page shows.

A snapshot may have 100,000 values, and each takes about a hundred bytes of HTML. So a tree has a
budget of values. Values beyond it are counted, and have a page of their own.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal, TypeAlias

from training_versions import JsonValue
from training_versions.diff import identities_of
from training_versions.web.views.json_text import (
    count_values,
    json_text,
    members_of,
    pointer_to,
    visible,
)

MAX_VALUES: Final = 400
"""The most values that a tree shows, about 60 kB of HTML."""
MAX_ENTRIES: Final = 100
"""The most entries of one array or object that a tree shows."""
MAX_TEXT: Final = 400
"""The most characters of a text that a tree shows."""
MAX_HINT: Final = 60
"""The most characters of a hint."""
# Deeper values have a page of their own. More levels are hard to follow, and do not fit on narrow
# screens.
_MAX_DEPTH: Final = 10
# The number of levels that are open at first, if they have few entries.
_OPEN_DEPTH: Final = 2
_OPEN_ENTRIES: Final = 20

Kind: TypeAlias = Literal["object", "array", "text", "number", "boolean", "null"]


@dataclass(frozen=True)
class Node:
    """One value in a tree."""

    name: str | None
    """The key or position; `None` at the top."""
    hint: str
    """The key by which comparisons match an entry of an array, such as `id=faq`, or empty."""
    pointer: str
    kind: Kind
    text: str
    """The value as JSON, perhaps only its beginning; empty for an object or array."""
    size: int
    """The number of entries, or of characters of a text."""
    children: tuple["Node", ...] = ()
    first: int = 0
    """The position of the first child that is shown."""
    is_open: bool = False

    @property
    def is_container(self) -> bool:
        """Whether the value is an object or an array."""
        return self.kind in ("object", "array")

    @property
    def is_cut(self) -> bool:
        """Whether only the beginning of a text is shown."""
        return self.kind == "text" and self.size > MAX_TEXT

    @property
    def next(self) -> int:
        """The position after the last entry that is shown."""
        return self.first + len(self.children)

    @property
    def hidden_after(self) -> int:
        """The number of entries after those that are shown."""
        if not self.is_container:
            return 0
        return self.size - self.next


def json_tree(
    value: JsonValue, pointer: str = "", *, first: int = 0, budget: int = MAX_VALUES
) -> Node:
    """Return the tree of a value.

    Args:
        value: The value at the top.
        pointer: The JSON Pointer of the value.
        first: The position of its first entry to show.
        budget: The most values to show.
    """
    place = _Place(None, "", pointer, 0, among_many=False)
    return _node(place, value, first, budget)


@dataclass(frozen=True)
class _Place:
    """The place of a value: its name in its parent, its pointer and its depth."""

    name: str | None
    hint: str
    pointer: str
    depth: int
    among_many: bool
    """Whether its parent has many entries, which are folded at first."""


def _node(place: _Place, value: JsonValue, first: int, budget: int) -> Node:
    if not isinstance(value, dict | list):
        return _leaf(place, value)

    shown: list[tuple[str | int, JsonValue]] = []
    if place.depth < _MAX_DEPTH:
        most = min(MAX_ENTRIES, budget)
        shown = list(islice(members_of(value), first, first + most))
    sizes = [count_values(member, most=budget) for _, member in shown]
    budgets = _shares(sizes, budget)
    hints = _hints(value)
    are_many = len(value) > _OPEN_ENTRIES
    children: list[Node] = []
    for (step, member), share in zip(shown, budgets, strict=True):
        name, pointer = visible(str(step)), pointer_to(place.pointer, step)
        within = _Place(name, hints.get(step, ""), pointer, place.depth + 1, are_many)
        children.append(_node(within, member, 0, share))
    is_open = place.depth < _OPEN_DEPTH and not are_many and not place.among_many
    return Node(
        name=place.name,
        hint=place.hint,
        pointer=place.pointer,
        kind="object" if isinstance(value, dict) else "array",
        text="",
        size=len(value),
        children=tuple(children),
        first=first,
        is_open=is_open,
    )


def _shares(sizes: list[int], budget: int) -> list[int]:
    """Divide a budget: small values are shown whole, and large ones share the rest equally.

    The values themselves are always shown, so a share counts only the values inside.
    """
    left = max(0, budget - len(sizes))
    shares = [0] * len(sizes)
    by_size = sorted(range(len(sizes)), key=sizes.__getitem__)
    for done, index in enumerate(by_size):
        fair = left // (len(sizes) - done)
        shares[index] = min(sizes[index] - 1, fair)
        left -= shares[index]
    return shares


def _hints(value: JsonValue) -> dict[str | int, str]:
    """Return the keys by which comparisons match the entries of an array."""
    if not isinstance(value, list):
        return {}
    hints: dict[str | int, str] = {}
    for position, identity in identities_of(value).items():
        key, named, _ = identity
        hints[position] = visible(f"{key}={named}"[:MAX_HINT])
    return hints


def _leaf(place: _Place, value: JsonValue) -> Node:
    where = (place.name, place.hint, place.pointer)
    if isinstance(value, str):
        return Node(*where, "text", json_text(value[:MAX_TEXT]), len(value))
    if value is None:
        return Node(*where, "null", "null", 0)
    if isinstance(value, bool):
        return Node(*where, "boolean", json_text(value), 0)
    return Node(*where, "number", json_text(value), 0)
