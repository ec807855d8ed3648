"""JSON as a tree that folds, of which a page shows only so much.

A snapshot may have 100,000 values, and each takes about a hundred bytes of HTML. So a tree has a
budget of values. What is beyond it is counted, and has an address of its own where it is shown.
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
"""How many values a tree shows at most, about 60 kB of HTML."""
MAX_ENTRIES: Final = 100
"""How many entries of one array or object are shown at once."""
MAX_TEXT: Final = 400
"""How many characters of a text are shown in a tree."""
MAX_HINT: Final = 60
"""How many characters of what an entry is recognised by are shown."""
# What is deeper has a page of its own. People do not follow so many levels, nor do narrow screens.
_MAX_DEPTH: Final = 10
# How many levels are open when the page is first shown, if there is little in them.
_OPEN_DEPTH: Final = 2
_OPEN_ENTRIES: Final = 20

Kind: TypeAlias = Literal["object", "array", "text", "number", "boolean", "null"]


@dataclass(frozen=True)
class Node:
    """One value in a tree."""

    name: str | None
    """Its key or position; `None` at the top."""
    hint: str
    """What an entry of an array is recognised by, such as `id=faq`; otherwise empty."""
    pointer: str
    kind: Kind
    text: str
    """The value as JSON, if it is not an object or array; perhaps only its beginning."""
    size: int
    """How many entries it has; of a text, how many characters."""
    children: tuple["Node", ...] = ()
    first: int = 0
    """The position of the first child that is shown."""
    is_open: bool = False

    @property
    def is_container(self) -> bool:
        """Whether it is an object or an array."""
        return self.kind in ("object", "array")

    @property
    def is_cut(self) -> bool:
        """Whether it is a text of which only the beginning is shown."""
        return self.kind == "text" and self.size > MAX_TEXT

    @property
    def next(self) -> int:
        """The position of the first entry after those that are shown."""
        return self.first + len(self.children)

    @property
    def hidden_after(self) -> int:
        """How many entries come after those that are shown."""
        if not self.is_container:
            return 0
        return self.size - self.next


def json_tree(
    value: JsonValue, pointer: str = "", *, first: int = 0, budget: int = MAX_VALUES
) -> Node:
    """Make the tree of a value.

    Args:
        value: The value at the top.
        pointer: Where it is in the content.
        first: The first entry of it to show.
        budget: How many values to show.
    """
    place = _Place(None, "", pointer, 0, among_many=False)
    return _node(place, value, first, budget)


@dataclass(frozen=True)
class _Place:
    """Where a value is: its name within what it is in, and its pointer."""

    name: str | None
    hint: str
    pointer: str
    depth: int
    among_many: bool
    """Whether it is one of so many that they are better folded."""


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
    """Share a budget out: what is small is shown whole, and the large ones share what is left.

    Each value itself is shown in any case, so a share counts what is inside.
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
    """Name the entries of an array by what comparisons recognise them by."""
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
