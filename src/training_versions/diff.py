"""What differs between two versions: as records, as text for people, as JSON Patch and as plain data.

Pure functions over versions that were read already; nothing here fetches or stores anything. Values are equal if they
are equal in `jsonb`: 1 and 1.0 are, `true` is not 1, the order of keys does not count, and `null` is not missing.
"""

import enum
import json
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import partial
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeGuard, cast, overload

from pydantic_core import to_jsonable_python

from training_versions.errors import InvalidInputError
from training_versions.models import JsonObject, JsonValue, Version

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
MAX_STEPS: Final = 1000  # many single steps on a long array are slow to apply; beyond this it is replaced
_DECIMAL: Final = Context(prec=50, traps=[])
_TRUE, _FALSE = object(), object()
_SIMPLE: Final = frozenset({str, int, float, type(None)})
_TEXT = json.JSONEncoder(ensure_ascii=False)


class ChangeKind(enum.StrEnum):
    """What happened to the value at a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions."""

    path: str
    """A JSON Pointer (RFC 6901) such as `/config_snapshot/lora/r`. In arrays, where positions shift, it leads to the
    value in the right version, or, if it was removed, in the left one."""
    label: str
    """The path for people: an entry with an identity is named by it, as in `/dataset_snapshot/datasetId=faq/split`."""
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
        return exact if isinstance(old, Decimal) else float(exact) if isfinite(float(exact)) else None

    @property
    def reordered(self) -> bool:
        """Whether entries of the array at `path` changed places; `old` and `new` are the whole array."""
        return isinstance(self.old, list) and isinstance(self.new, list)


class _Operation(NamedTuple):
    op: str
    path: str
    array: str | None
    value: Value = None

    def to_dict(self) -> dict[str, Value]:
        return {"op": self.op, "path": self.path} | ({} if self.op == "remove" else {"value": self.value})


@dataclass(frozen=True, repr=False)
class VersionDiff(Sequence[Change]):
    """The differences between two versions, in the order of their content; falsy if there are none.

    Example:
        >>> diff = compare_versions(before, after)
        >>> print(diff.filter("/config_snapshot"))
        ~ /config_snapshot/lora/r  8 -> 16  (+8)
    """

    _changes: tuple[Change, ...]
    _operations: tuple[_Operation, ...]
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
            InvalidInputError: One of them is neither empty nor begins with a slash.

        Example:
            >>> content = diff.filter("/config_snapshot", "/model_snapshot", "/dataset_snapshot")
            >>> faq = diff.filter("/dataset_snapshot/datasetId=faq")
        """
        for each in cast("tuple[object, ...]", prefixes):
            if not isinstance(each, str) or (each and not each.startswith("/")):
                problem = f"{each!r} is not a path such as '/config_snapshot'."
                raise InvalidInputError(problem, field="prefixes")
        starts = tuple(f"{each}/" for each in prefixes)
        changes = tuple(c for c in self if f"{c.path}/".startswith(starts) or f"{c.label}/".startswith(starts))
        operations = tuple(o for o in self._operations if f"{o.array or o.path}/".startswith(starts))
        cut = {o.array for o in self._operations} - {o.array for o in operations} | self._cut
        return VersionDiff(changes, operations, frozenset(c.array for c in changes if c.array) & cut)

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
            raise InvalidInputError(f"width must be a positive integer, not {width!r}.", field="width")
        column = min(max((len(change.label) for change in self), default=0), 60)
        return "\n".join(_line(change, column, width) for change in self) or "no differences"

    def to_json_patch(self) -> list[JsonObject]:
        """Give the operations (RFC 6902) that turn `document(left)` into `document(right)`, or the filtered part of it.

        An array whose entries changed places, or of which more than 1,000 come or go, is replaced as a whole.

        Raises:
            InvalidInputError: A filter went inside an array, whose entries can only be patched together.

        Example:
            >>> patch = compare_versions(left, right).to_json_patch()
            >>> jsonpatch.apply_patch(document(left), patch) == document(right)
            True
        """
        if self._cut:
            problem = f"A part of the array {min(self._cut)} cannot be patched alone; filter by the path of the array."
            raise InvalidInputError(problem, field="prefixes")
        return cast("list[JsonObject]", _plain([operation.to_dict() for operation in self._operations]))

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
            changes.append({name: getattr(change, name) for name in names if name != missing.get(change.kind)})
        return cast("JsonObject", _plain({"changes": changes}))


def compare_versions(left: AnyVersion, right: AnyVersion) -> VersionDiff:
    """Tell what differs between two versions, of one package or of two.

    Compared are the snapshots, name, status, change summary, training status and metrics, costs and deployment. What
    makes a version another one is not: ids, number, parent, who and when. Typed snapshots are compared as they would be
    stored, so what their type ignores is not seen.

    Arrays of objects are matched by `datasetId`, else `id`, else `name`, if all entries of both have it, as text or a
    number, and none twice: an entry inserted at the front is one addition, and entries that changed places are one more
    change, which says `reordered`. Other arrays are aligned by their equal entries, and by position between those.

    Raises:
        InvalidInputError: One of them is not a version with its snapshots.

    Example:
        >>> print(compare_versions(versions.get_by_number(package.id, 1), versions.get_by_number(package.id, 2)))
        ~ /name                                "support-bot-v1" -> "support-bot-v2"
        ~ /config_snapshot/lora/r              8 -> 16  (+8)
        + /dataset_snapshot/datasetId=tickets  {"datasetId": "tickets", "split": "train"}
    """
    comparison = _Comparison()
    comparison.values(_document(left, "left"), _document(right, "right"), _Place("", "", "", None))
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
        raise InvalidInputError(f"{name} must be a Version with its snapshots, not {version!r:.80}.", field=name)
    values = {column: getattr(cast("AnyVersion", version), column) for column in COMPARED}
    stored = partial(to_jsonable_python, by_alias=True)
    return {key: value if isinstance(value, Decimal) else _plain(value, stored) for key, value in values.items()}


def _plain(value: object, opened: Callable[[Any], object] = float) -> JsonValue:
    """Copy as plain JSON, through text: the standard library does both ways in C. Costs become numbers."""
    return json.loads(json.dumps(value, default=opened))


class _Place(NamedTuple):
    old: str
    new: str
    label: str
    array: str | None

    def at(self, old: object, new: object, label: object) -> "_Place":
        return _Place(f"{self.old}/{old}", f"{self.new}/{new}", f"{self.label}/{label}", self.array)


class _Comparison:
    """One walk over two documents, collecting changes and operations.

    Operations apply one after the other, so each is written for a document in which everything before it is as on the
    right already: within an array, first entries go, then others come and move, then what is inside them changes.
    """

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.operations: list[_Operation] = []
        self._keys: dict[int, object] = {}
        self._known: dict[tuple[object, ...], object] = {}

    def values(self, left: Value, right: Value, at: _Place) -> None:
        """Take down what differs between two values that are not equal."""
        if isinstance(left, dict) and isinstance(right, dict):
            self._objects(left, right, at)
        elif isinstance(left, list) and isinstance(right, list):
            self._arrays(left, right, at)
        else:
            self._change(ChangeKind.CHANGED, at, left, right)
            self._operation("replace", at.new, at, right)

    def _objects(self, left: JsonObject, right: JsonObject, at: _Place) -> None:
        for name in [*left, *(name for name in right if name not in left)]:
            if name in left and name in right and self._key(left[name]) == self._key(right[name]):
                continue
            step = _escaped(name)
            inner = at.at(step, step, step)
            if name not in right:
                self._change(ChangeKind.REMOVED, inner, old=left[name])
                self._operation("remove", inner.new, inner)
            elif name not in left:
                self._change(ChangeKind.ADDED, inner, new=right[name])
                self._operation("add", inner.new, inner, right[name])
            else:
                self.values(left[name], right[name], inner)

    def _arrays(self, left: list[JsonValue], right: list[JsonValue], at: _Place) -> None:
        at = at._replace(array=at.array or at.new)
        name = _identity(left, right)
        names = [_named(each, name) if name else [self._key(entry) for entry in each] for each in (left, right)]
        pairs = (_same if name else _aligned)(*names)
        kept, origin = {old for old, _ in pairs}, {new: old for old, new in pairs}
        gone = [old for old in range(len(left)) if old not in kept]
        moved = any(after < before for (_, before), (_, after) in pairwise(pairs))
        start = len(self.operations)

        for old in gone:
            self._change(ChangeKind.REMOVED, at.at(old, old, _step(left[old], old, name)), old=left[old])
        for old in reversed(gone):
            self._operation("remove", f"{at.new}/{old}", at)
        if moved:
            self._change(ChangeKind.CHANGED, at, left, right)
        for new, value in enumerate(right):
            if new not in origin:
                inner = at.at(new, new, _step(value, new, name))
                self._change(ChangeKind.ADDED, inner, new=value)
                self._operation("add", inner.new, inner, value)
            elif self._key(left[origin[new]]) != self._key(value):
                self.values(left[origin[new]], value, at.at(origin[new], new, _step(value, new, name)))
        if moved or len(gone) + len(right) - len(pairs) > MAX_STEPS:
            del self.operations[start:]
            self._operation("replace", at.new, at, right)

    def _key(self, value: Value) -> object:
        """Give what two values share exactly if they are equal.

        One object stands for each content, so that no content is looked at twice, however deep the difference lies.
        """
        if isinstance(value, bool):
            return _TRUE if value else _FALSE
        if not isinstance(value, dict | list):
            return value
        key = self._keys.get(id(value))
        if key is None:
            names = tuple(sorted(value)) if isinstance(value, dict) else None
            entries = value if isinstance(value, list) else map(value.__getitem__, names or ())
            # Most entries are scalars that stand for themselves: not to call for each is what makes this fast.
            keys = [entry if type(entry) in _SIMPLE else self._key(entry) for entry in entries]
            content = (names, *keys)
            key = self._keys[id(value)] = self._known.setdefault(content, object())
        return key

    def _change(self, kind: ChangeKind, at: _Place, old: Value = None, new: Value = None) -> None:
        path = at.old if kind is ChangeKind.REMOVED else at.new
        self.changes.append(Change(path, at.label, kind, old, new, at.array))

    def _operation(self, op: str, path: str, at: _Place, value: Value = None) -> None:
        self.operations.append(_Operation(op, path, at.array, value))


def _is_number(value: Value) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _identity(*arrays: list[JsonValue]) -> str | None:
    """Find the key that names the entries, if there is one."""
    for name in IDENTITIES:
        if all(
            all(isinstance(entry, dict) and type(entry.get(name)) in (str, int, float) for entry in each)
            and len(set(_named(each, name))) == len(each)
            for each in arrays
        ):
            return name
    return None


def _named(array: list[JsonValue], name: str) -> list[str | float]:
    return [cast("dict[str, Any]", entry)[name] for entry in array]


def _step(value: JsonValue, position: int, name: str | None) -> str:
    return _escaped(f"{name}={cast('JsonObject', value)[name]}") if name else str(position)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _same(left: Sequence[object], right: Sequence[object]) -> list[tuple[int, int]]:
    """Pair each entry with an equal one, the first with the first, if there is one."""
    where: dict[object, deque[int]] = {}
    for new, key in enumerate(right):
        where.setdefault(key, deque()).append(new)
    return [(old, where[key].popleft()) for old, key in enumerate(left) if where.get(key)]


def _aligned(left: Sequence[object], right: Sequence[object]) -> list[tuple[int, int]]:
    """Pair entries without changing their order: equal ones at both ends and in between, the rest by position."""
    shorter = min(len(left), len(right))
    head = next((n for n in range(shorter) if left[n] != right[n]), shorter)
    tail = next((n for n in range(shorter - head) if left[-1 - n] != right[-1 - n]), shorter - head)
    ends = (len(left) - tail, len(right) - tail)
    same = _same(left[head : ends[0]], right[head : ends[1]])
    anchors = [(old + head, new + head) for old, new in _increasing(same)]
    pairs = [(n, n) for n in range(head)]
    for (old, new), stop in pairwise([(head - 1, head - 1), *anchors, ends]):
        pairs += zip(range(old + 1, stop[0]), range(new + 1, stop[1]), strict=False)
        pairs += [stop]
    return pairs[:-1] + [(old, old - ends[0] + ends[1]) for old in range(ends[0], len(left))]


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Find the longest selection of pairs that do not cross."""
    ends: list[int] = []  # the lowest end of a selection of each length, and where that is
    at: list[int] = []
    previous: list[int] = []
    for position, (_, new) in enumerate(pairs):
        length = bisect_left(ends, new)
        previous.append(at[length - 1] if length else -1)
        ends[length : length + 1], at[length : length + 1] = [new], [position]
    selection: list[tuple[int, int]] = []
    position = at[-1] if at else -1
    while position >= 0:
        selection.append(pairs[position])
        position = previous[position]
    return selection[::-1]


def _line(change: Change, column: int, width: int) -> str:
    old, new = change.old, change.new
    if isinstance(old, list) and isinstance(new, list):
        names = [_named(each, cast("str", _identity(old, new))) for each in (old, new)]
        both = set(names[0]) & set(names[1])
        old, new = ([cast("Value", name) for name in each if name in both] for each in names)
    texts = [str(each) if isinstance(each, Decimal) else _TEXT.encode(each) for each in (old, new)]
    sign, shown = {"added": ("+", texts[1:]), "removed": ("-", texts[:1])}.get(change.kind, ("~", texts))
    alike = 0
    if len(shown) == 2 and max(map(len, shown)) > width:
        differing = (n for n, (before, after) in enumerate(zip(*shown, strict=False)) if before != after)
        alike = next(differing, min(map(len, shown)))
    values = " -> ".join(_excerpt(text, alike - width // 4, width) for text in shown)
    delta = change.delta
    line = f"{sign} {change.label:{column}}  {'order: ' * change.reordered}{values}"
    return _printable(line if delta is None else f"{line}  ({delta:+})")


def _excerpt(text: str, start: int, width: int) -> str:
    start = max(0, start) if len(text) > width else 0
    return f"{'...' * (start > 0)}{text[start : start + width]}{'...' * (start + width < len(text))}"


def _printable(line: str) -> str:
    """Escape what would break the line or steer the terminal."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
