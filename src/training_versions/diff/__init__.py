"""What differs between two versions: as records, as text for people, as JSON Patch and as plain data.

Pure functions over versions that were read already; nothing here fetches or stores anything. Values are equal if they
are equal in `jsonb`: 1 and 1.0 are, `true` is not 1, the order of keys does not count, and `null` is not missing.
"""

import enum
import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import partial
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard, cast, overload

from pydantic_core import to_jsonable_python

from training_versions.errors import InvalidInputError
from training_versions.models import JsonObject, JsonValue, Version
from training_versions.snapshots.pointers import escaped

__all__ = ["Change", "ChangeKind", "VersionDiff", "compare_versions", "document"]

AnyVersion: TypeAlias = "Version[Any, Any, Any]"
if TYPE_CHECKING:
    Value: TypeAlias = JsonValue | Decimal
else:
    Value = Any

COMPARED: Final = (
    *("name", "status", "change_summary", "config_snapshot", "model_snapshot", "dataset_snapshot"),
    *("training_status", "training_metrics", "estimated_cost", "actual_cost", "budget_limit"),
    *("is_deployed", "deployment_target", "deployment_url", "deployment_id"),
)
IDENTITIES: Final = ("datasetId", "id", "name")
MAX_STEPS: Final = (
    1000  # many single steps on a long array are slow to apply; beyond this it is replaced
)
_DECIMAL: Final = Context(prec=50, traps=[])
_TRUE, _FALSE = object(), object()
_SIMPLE: Final = frozenset({str, int, float, type(None)})
_NUMERIC: Final = frozenset('-0123456789"')
_TEXT = json.JSONEncoder(ensure_ascii=False)
_Place: TypeAlias = tuple[
    str, str, str, str | None
]  # the path on the left, on the right, the label, and the array
_Name: TypeAlias = tuple[str, str | float, int]


class ChangeKind(enum.StrEnum):
    """What happened to the value at a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


_ADDED, _REMOVED, _CHANGED = ChangeKind
_OPS: Final = {_ADDED: "add", _REMOVED: "remove", _CHANGED: "replace"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions."""

    path: str
    """A JSON Pointer (RFC 6901) such as `/config_snapshot/lora/r`. In arrays, where positions shift, it leads to the
    value in the right version, or, if it was removed, in the left one."""
    label: str
    """The path for people: an entry with an identity is named by it, as in `/dataset_snapshot/datasetId=faq/split`.

    A text that reads as a number is quoted (`id="1"`), and of entries with the same identity only the first is named.
    """
    kind: ChangeKind
    old: Value = None
    """The value in the left version; `None` if it was added, or if it was `null`."""
    new: Value = None
    """The value in the right version; `None` if it was removed, or if it is `null`."""
    array: str | None = field(default=None, repr=False)
    """The path of the outermost array that it lies in, if it does."""

    @property
    def delta(self) -> int | float | Decimal | None:
        """By how much a number changed. Exact for integers and costs; floats count as written: 0.3 - 0.1 is 0.2."""
        old, new = self.old, self.new
        if not _is_number(old) or not _is_number(new):
            return None
        if isinstance(old, int) and isinstance(new, int):
            return new - old
        exact = _DECIMAL.subtract(Decimal(str(new)), Decimal(str(old)))
        return (
            exact if isinstance(old, Decimal) else float(exact) if isfinite(float(exact)) else None
        )

    @property
    def reordered(self) -> bool:
        """Whether entries of the array at `path` changed places; `old` and `new` are the whole array."""
        return isinstance(self.old, list) and isinstance(self.new, list)


@dataclass(frozen=True, repr=False)
class VersionDiff(Sequence[Change]):
    """The differences between two versions, in the order of their content; falsy if there are none.

    Example:
        >>> diff = compare_versions(before, after)
        >>> print(diff.filter("/config_snapshot"))
        ~ /config_snapshot/lora/r  8 -> 16  (+8)
    """

    _changes: tuple[Change, ...]
    _operations: tuple[
        tuple[str, Change], ...
    ]  # where each applies; entries that go do so from the last to the first
    _cut: frozenset[str] = frozenset()  # arrays of which a filter let only a part through

    def __len__(self) -> int:
        return len(self._changes)

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Change, ...]: ...
    def __getitem__(self, index: int | slice) -> Change | tuple[Change, ...]:
        return self._changes[index]

    def __repr__(self) -> str:
        return f"<VersionDiff: {len(self)} change{'' if len(self) == 1 else 's'}>"

    def __str__(self) -> str:
        return self.to_text()

    def filter(self, *prefixes: str) -> "VersionDiff":
        """Keep what lies at or below one of these paths.

        Names count as a whole: `/config_snapshot/r` does not find `/config_snapshot/rank`. What was added or removed
        with all that is in it is one change, at its own path.

        Args:
            *prefixes: The beginnings of paths or of labels.

        Raises:
            InvalidInputError: There is none, or one is neither empty nor begins with a slash.

        Example:
            >>> content = diff.filter("/config_snapshot", "/model_snapshot", "/dataset_snapshot")
            >>> faq = diff.filter("/dataset_snapshot/datasetId=faq")
        """
        if not prefixes:
            raise InvalidInputError("Name at least one path to keep.", field="prefixes")
        for each in cast("tuple[object, ...]", prefixes):
            if not isinstance(each, str) or (each and not each.startswith("/")):
                problem = f"{each!r} is not a path such as '/config_snapshot'."
                raise InvalidInputError(problem, field="prefixes")
        starts = tuple(f"{each}/" for each in prefixes)
        changes = tuple(
            c for c in self if f"{c.path}/".startswith(starts) or f"{c.label}/".startswith(starts)
        )
        operations = tuple(
            each for each in self._operations if f"{each[1].array or each[0]}/".startswith(starts)
        )
        cut = {c.array for _, c in self._operations} - {c.array for _, c in operations} | self._cut
        return VersionDiff(
            changes, operations, frozenset(c.array for c in changes if c.array) & cut
        )

    def to_text(self, *, width: int = 60) -> str:
        """Give one line for each change, for people: `+` is added, `-` removed, `~` changed.

        Args:
            width: How much of a value to show, in characters; of two long ones, it is where they begin to differ.

        Raises:
            InvalidInputError: The width is not a positive integer.

        Example:
            >>> print(diff.to_text(width=20))
        """
        if type(width) is not int or width < 1:
            raise InvalidInputError(
                f"width must be a positive integer, not {width!r}.", field="width"
            )
        column = min(max((len(change.label) for change in self), default=0), 60)
        return "\n".join(_line(change, column, width) for change in self) or "no differences"

    def to_json_patch(self) -> list[JsonObject]:
        """Give the operations (RFC 6902) that turn `document(left)` into `document(right)`, or the filtered part of it.

        An array whose entries changed places, or of which more than 1,000 come or go, is replaced as a whole.

        Raises:
            InvalidInputError: A filter went inside an array, whose entries can only be patched together.

        Example:
            >>> from training_versions.diff import document
            >>> patch = compare_versions(left, right).to_json_patch()
            >>> jsonpatch.apply_patch(document(left), patch) == document(right)
            True
        """
        if self._cut:
            problem = f"A part of the array {min(self._cut)} cannot be patched alone; filter by the path of the array."
            raise InvalidInputError(problem, field="prefixes")
        patch = [
            {"op": _OPS[change.kind], "path": path, "value": change.new}
            for path, change in self._operations
        ]
        for operation in patch:
            if operation["op"] == "remove":
                del operation["value"]
        return cast("list[JsonObject]", _plain(patch))

    def to_dict(self) -> JsonObject:
        """Give plain data for `json.dumps`: costs are numbers, and what a change does not have is left out.

        Example:
            >>> json.dumps(diff.to_dict())
            '{"changes": [{"path": "/config_snapshot/r", "label": "/config_snapshot/r", "kind": "changed", "old": 8, ...
        """
        missing = {ChangeKind.ADDED: "old", ChangeKind.REMOVED: "new"}
        changes: list[dict[str, object]] = []
        for change in self:
            names = ["path", "label", "kind", "old", "new"] + ["delta"] * (change.delta is not None)
            changes.append(
                {name: getattr(change, name) for name in names if name != missing.get(change.kind)}
            )
        return cast("JsonObject", _plain({"changes": changes}))


def compare_versions(left: AnyVersion, right: AnyVersion) -> VersionDiff:
    """Tell what differs between two versions, of one package or of two.

    Compared are the snapshots, name, status, change summary, training status and metrics, costs and deployment. What
    makes a version another one is not: ids, number, parent, who and when. Typed snapshots are compared as they would be
    stored, so what their type ignores is not seen, and its defaults are; `versions.compare` reads what is stored.

    Entries of arrays that have a `datasetId`, else an `id`, else a `name`, as text or a number, are matched by it, the
    first with the first if several have the same: an entry inserted at the front is one addition, and entries that
    changed places are one more change, which says `reordered`. The others are aligned by what is equal, and by position
    between that.

    Raises:
        InvalidInputError: One of them is not a version with its snapshots.

    Example:
        >>> print(compare_versions(versions.get_by_number(package.id, 1), versions.get_by_number(package.id, 2)))
        ~ /name                                "support-bot-v1" -> "support-bot-v2"
        ~ /config_snapshot/lora/r              8 -> 16  (+8)
        + /dataset_snapshot/datasetId=tickets  {"datasetId": "tickets", "split": "train"}
    """
    comparison = _Comparison()
    comparison.values(_document(left, "left"), _document(right, "right"), ("", "", "", None))
    return VersionDiff(tuple(comparison.changes), tuple(comparison.operations))


def document(version: AnyVersion) -> JsonObject:
    """Give what is compared of a version as plain JSON: what a patch applies to. Costs are numbers.

    Raises:
        InvalidInputError: It is not a version with its snapshots.

    Example:
        >>> document(version)["config_snapshot"]
        {'lora': {'r': 16}}
    """
    return cast("JsonObject", _plain(_document(version, "version")))


def _document(version: object, name: str) -> dict[str, Any]:
    if not isinstance(version, Version):
        raise InvalidInputError(
            f"{name} must be a Version with its snapshots, not {version!r:.80}.", field=name
        )
    values = {column: getattr(cast("AnyVersion", version), column) for column in COMPARED}
    stored = partial(to_jsonable_python, by_alias=True)
    return {
        key: value if isinstance(value, Decimal) else _plain(value, stored)
        for key, value in values.items()
    }


def _plain(value: object, opened: Callable[[Any], object] = float) -> JsonValue:
    """Copy as plain JSON, through text: the standard library does both ways in C. Costs become numbers."""
    return json.loads(json.dumps(value, default=opened))


class _Comparison:
    """One walk over two documents, collecting changes and operations.

    Operations apply one after the other, so each is written for a document in which everything before it is as on the
    right already: within an array, first entries go, then others come and move, then what is inside them changes.
    """

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.operations: list[tuple[str, Change]] = []
        self._keys: dict[int, object] = {}
        self._known: dict[tuple[object, ...], object] = {}

    def values(self, left: Value, right: Value, at: _Place) -> None:
        """Take down what differs between two values that are not equal."""
        if type(left) is not type(right) or not isinstance(left, dict | list):
            self._tell(_CHANGED, at, left, right)
        elif isinstance(left, dict):
            self._objects(left, cast("JsonObject", right), at)
        else:
            self._arrays(left, cast("list[JsonValue]", right), at)

    def _objects(self, left: JsonObject, right: JsonObject, at: _Place) -> None:
        for name, old in left.items():
            if name not in right:
                self._tell(_REMOVED, _inside(at, escaped(name)), old, None)
            elif self._key(old) != self._key(right[name]):
                self.values(old, right[name], _inside(at, escaped(name)))
        for name, new in right.items():
            if name not in left:
                self._tell(_ADDED, _inside(at, escaped(name)), None, new)

    def _arrays(self, left: list[JsonValue], right: list[JsonValue], at: _Place) -> None:
        at = (*at[:3], at[3] or at[1])
        olds = [entry if type(entry) in _SIMPLE else self._key(entry) for entry in left]
        news = [entry if type(entry) in _SIMPLE else self._key(entry) for entry in right]
        head, before, after = 0, len(left), len(right)  # what is equal at both ends is left out
        while head < before and head < after and olds[head] == news[head]:
            head += 1
        while before > head and after > head and olds[before - 1] == news[after - 1]:
            before, after = before - 1, after - 1
        if before == after == head + 1 and dict not in (type(left[head]), type(right[head])):
            return self.values(
                left[head], right[head], _inside(at, head)
            )  # what is most frequent needs no search
        names, others = _names(left, head, before), _names(right, head, after)
        pairs, moved = _paired(olds, news, names, others, (head - 1, head - 1), (before, after))
        origin, start = {new: old for old, new in pairs}, len(self.operations)

        if len(pairs) < before - head:
            for old in sorted({*range(head, before)}.difference(origin.values())):
                self._tell(_REMOVED, _inside(at, old, name=names.get(old)), left[old], None)
            self.operations[start:] = self.operations[start:][::-1]
        if moved:
            self.changes.append(Change(at[1], at[2], _CHANGED, left, right, at[3]))
        for new in range(head, after):
            old = origin.get(new)
            if old is not None and olds[old] == news[new]:
                continue
            inner = _inside(at, new, old, others.get(new))
            if old is None:
                self._tell(_ADDED, inner, None, right[new])
            else:
                self.values(left[old], right[new], inner)
        if moved or before + after - 2 * (head + len(pairs)) > MAX_STEPS:
            self.operations[start:] = [(at[1], Change(at[1], at[2], _CHANGED, left, right, at[3]))]

    def _key(self, value: Value) -> object:
        """Give what two values share exactly if they are equal.

        One object stands for each content, so that no content is looked at twice, however deep the difference lies.
        """
        key = self._keys.get(id(value))
        if key is not None:
            return key
        if isinstance(value, list):
            names, entries = None, value
        elif isinstance(value, dict):
            names = tuple(sorted(value))
            entries = map(value.__getitem__, names)
        else:
            return value if not isinstance(value, bool) else _TRUE if value else _FALSE
        if not value:
            return type(value)
        # Most entries are scalars that stand for themselves: not to call for each is what makes this fast.
        keys = [entry if type(entry) in _SIMPLE else self._key(entry) for entry in entries]
        key = self._keys[id(value)] = self._known.setdefault((names, *keys), object())
        return key

    def _tell(self, kind: ChangeKind, at: _Place, old: Value, new: Value) -> None:
        change = Change(at[0] if kind is _REMOVED else at[1], at[2], kind, old, new, at[3])
        self.changes.append(change)
        self.operations.append((at[1], change))


def _inside(at: _Place, step: object, old: int | None = None, name: _Name | None = None) -> _Place:
    """Go one step down: by key or new position; on the left by the old one, for people by the name, if there is one."""
    before, after, shown, array = at
    label = name and _label(name)
    path = f"{after}/{step}"
    return (
        path
        if before is after and (old is None or old == step)
        else f"{before}/{step if old is None else old}",
        path,
        path if shown is after and label is None else f"{shown}/{label or step}",
        array,
    )


def _is_number(value: Value) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _names(array: list[JsonValue], start: int, stop: int) -> dict[int, _Name]:
    """Name the entries that have an identity by the first of it, and by how many before them have the same."""
    names, seen = dict[int, _Name](), dict[tuple[str, object], int]()
    if dict not in map(type, array[start:stop]):
        return names
    for n, entry in enumerate(array):
        if isinstance(entry, dict) and entry:
            for key in IDENTITIES:
                value = entry.get(key)
                if isinstance(value, str | int | float) and not isinstance(value, bool):
                    seen[key, value] = number = seen.get((key, value), -1) + 1
                    names[n] = (key, value, number)
                    break
    return names


def _paired(
    left: list[object],
    right: list[object],
    names: dict[int, _Name],
    others: dict[int, _Name],
    start: tuple[int, int],
    stop: tuple[int, int],
) -> tuple[list[tuple[int, int]], bool]:
    """Pair entries between two places: by name, the others in between; and tell whether the named changed places."""
    where = {name: new for new, name in others.items() if start[1] < new < stop[1]}
    pairs: list[tuple[int, int]] = [
        (old, where[name])
        for old, name in names.items()
        if start[0] < old < stop[0] and name in where
    ]
    moved = any(after < before for (_, before), (_, after) in pairwise(pairs))
    stops = [start, *([] if moved else pairs), stop]
    for (old, new), (old_stop, new_stop) in pairwise(stops):
        olds: Sequence[int] = range(old + 1, old_stop)
        news: Sequence[int] = range(new + 1, new_stop)
        if names:
            olds = [n for n in olds if n not in names]
        if others:
            news = [n for n in news if n not in others]
        if olds and news:
            pairs += _aligned(left, right, olds, news)
    return pairs, moved


def _label(name: _Name) -> str | None:
    """Make the step of a label; a text that reads as a number is quoted, and of equal names only the first is used."""
    key, value, number = name
    if number:
        return None
    if isinstance(value, str) and value[:1] in _NUMERIC:
        try:
            json.loads(value)
        except ValueError:
            pass
        else:
            value = json.dumps(value)
    return escaped(f"{key}={value}")


def _aligned(
    left: list[object], right: list[object], olds: Sequence[int], news: Sequence[int]
) -> list[tuple[int, int]]:
    """Pair entries without changing their order: equal ones, and the others between those by position."""
    if len(olds) == len(news) == 1:
        return [(olds[0], news[0])]
    where: dict[object, list[int]] = {}
    for new in range(len(news) - 1, -1, -1):
        where.setdefault(right[news[new]], []).append(new)
    same = [(old, found.pop()) for old in range(len(olds)) if (found := where.get(left[olds[old]]))]
    pairs: list[tuple[int, int]] = []
    old = new = 0
    for old_stop, new_stop in _increasing(same):
        if old < old_stop and new < new_stop:
            pairs += zip(olds[old:old_stop], news[new:new_stop], strict=False)
        pairs.append((olds[old_stop], news[new_stop]))
        old, new = old_stop + 1, new_stop + 1
    return [*pairs, *zip(olds[old:], news[new:], strict=False)]


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Find the longest selection of pairs that do not cross."""
    ends: list[int] = []  # the lowest end of a selection of each length, and where that is
    at: list[int] = []
    previous: list[int] = []
    for position, (_, new) in enumerate(pairs):
        length = bisect_left(ends, new)
        previous.append(at[length - 1] if length else -1)
        if length == len(ends):
            ends.append(new)
            at.append(position)
        else:
            ends[length], at[length] = new, position
    selection: list[tuple[int, int]] = []
    position = at[-1] if at else -1
    while position >= 0:
        selection.append(pairs[position])
        position = previous[position]
    return selection[::-1]


def _line(change: Change, column: int, width: int) -> str:
    old, new = change.old, change.new
    if isinstance(old, list) and isinstance(new, list):
        names = [_names(each, 0, len(each)).values() for each in (old, new)]
        both = {*names[0]}.intersection(names[1])
        old, new = ([name[1] for name in each if name in both] for each in names)
    texts = [str(each) if isinstance(each, Decimal) else _TEXT.encode(each) for each in (old, new)]
    sign, shown = {"added": ("+", texts[1:]), "removed": ("-", texts[:1])}.get(
        change.kind, ("~", texts)
    )
    alike = 0
    if len(shown) == 2 and max(map(len, shown)) > width:
        differing = (
            n for n, (before, after) in enumerate(zip(*shown, strict=False)) if before != after
        )
        alike = next(differing, min(map(len, shown)))
    values = " -> ".join(_excerpt(text, alike - width // 4, width) for text in shown)
    delta = change.delta
    line = f"{sign} {change.label:{column}}  {'order: ' * change.reordered}{values}"
    return _printable(line if delta is None else f"{line}  ({delta:+})")


def _excerpt(text: str, start: int, width: int) -> str:
    start = max(0, start) if len(text) > width else 0
    return (
        f"{'...' * (start > 0)}{text[start : start + width]}{'...' * (start + width < len(text))}"
    )


def _printable(line: str) -> str:
    """Escape what would break the line or steer the terminal."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
