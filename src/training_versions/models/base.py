"""What every model is built from: the base class, JSON types, money, and `UNSET`.

Every public class sets `__module__` to `training_versions`, where users import it from, so that
pickles, tracebacks and `help()` show the public name.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass
from decimal import Context, Decimal
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
)
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict

# C, M and D are the types of the config, model and data set snapshots of a repository.
# Type checkers see exact types, with plain JSON as the default of the three snapshots. At run time
# JSON is `Any`: what arrives is parsed JSON already, and checking every leaf again would cost
# seconds on a large snapshot. (Defaults of type variables need Python 3.13 at run time.)
if TYPE_CHECKING:
    from pydantic import JsonValue
    from typing_extensions import TypeVar as TypeVarWithDefault

    JsonObject: TypeAlias = dict[str, JsonValue]
    C = TypeVarWithDefault("C", default=JsonObject)
    M = TypeVarWithDefault("M", default=JsonObject)
    D = TypeVarWithDefault("D", default=list[JsonObject])
    # Those of a class method: pyright gives the ones of the class their defaults there.
    C1 = TypeVarWithDefault("C1", default=JsonObject)
    M1 = TypeVarWithDefault("M1", default=JsonObject)
    D1 = TypeVarWithDefault("D1", default=list[JsonObject])
else:
    JsonValue = Any
    JsonObject = dict[str, Any]
    C, M, D = TypeVar("C"), TypeVar("M"), TypeVar("D")
    C1, M1, D1 = TypeVar("C1"), TypeVar("M1"), TypeVar("D1")

T = TypeVar("T")

MAX_SUMMARY: Final = 10_000
"""Characters in a change summary, and in the reason why training failed."""


class DataclassLike(Protocol):
    """An instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class HasToDict(Protocol):
    """An object with `to_dict()`, as the configs of PEFT, Transformers and Datasets have."""

    def to_dict(self) -> Mapping[str, object]:
        """Return its content."""
        ...


JsonLike: TypeAlias = Mapping[str, object] | BaseModel | DataclassLike | HasToDict
"""What becomes a JSON object: a mapping, Pydantic model, dataclass, or object with `to_dict()`."""
Id: TypeAlias = UUID | str
"""A `UUID`, or its text."""
Amount: TypeAlias = Decimal | int | str | float
"""An amount of money with at most two decimals."""


@dataclass(frozen=True)
class TextRule:
    """The argument is text."""

    max_length: int
    may_be_blank: bool = False


@dataclass(frozen=True)
class UuidRule:
    """The argument identifies a row."""


@dataclass(frozen=True)
class CostRule:
    """The argument is an amount of money."""


Rule: TypeAlias = TextRule | UuidRule | CostRule
"""What an argument must be. Data, not a function: models do not know how arguments are checked,
which is in `operations/checks.py`."""


class Unset(enum.Enum):
    """The type of `UNSET`, which separates "leave it as it is" from `None`, "make it empty"."""

    __module__ = "training_versions"

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


def round_to_cents(value: Decimal) -> Decimal:
    """Round to two decimals, whatever decimal context the caller's program has set."""
    return value.quantize(Decimal("0.01"), context=Context(prec=28))


def _read_cost(value: object) -> object:
    # PostgREST writes numerics as JSON numbers, which arrive as floats. The repr of such a float is
    # what the database wrote.
    if isinstance(value, int | float):
        return round_to_cents(Decimal(repr(value)))
    return value


Cost = Annotated[Decimal, BeforeValidator(_read_cost)]


class Record(BaseModel):
    """Base of all models: frozen, and columns that this release does not know are ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        protected_namespaces=(),  # `model_snapshot` is a column
        defer_build=True,  # at first use: importing the package stays quick
    )

    def __str__(self) -> str:
        # Not Pydantic's, which writes every field. Fields with content that may be large are
        # `repr=False`, for everything else that shows models by their fields.
        return repr(self)


class Replayable:
    """What a call creates with an identifier of the caller's, and a repeat of the call finds."""

    @property
    def replayed(self) -> bool:
        """Whether an earlier call with the same identifier had created it, and this one did not.

        No field: it is neither compared nor dumped, and what is read later does not know it. A call
        whose own first reply was lost says `False`.
        """
        return "_replayed" in self.__dict__


def mark_replayed(record: object) -> None:
    """Remember that a record was there before the call that returned it."""
    if isinstance(record, Replayable):
        # As cached properties are kept: models are frozen, and compare and dump their fields alone.
        record.__dict__["_replayed"] = True


class Page(Record, Sequence[T], Generic[T]):
    """One page of a list, and a sequence of what is on it: `for`, `len`, `in` and `[0]` work.

    There is more exactly when `next_cursor` is not `None`, however short the page is.

    Example:
        >>> newest = page[0] if page else None
    """

    __module__ = "training_versions"

    items: list[T]
    next_cursor: str | None

    # Models of Pydantic iterate over their fields, as pairs.
    def __iter__(self) -> Iterator[T]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.items[index]

    def __repr__(self) -> str:
        more = "the last" if self.next_cursor is None else "more follow"
        return f"<Page of {len(self)}, {more}>"
