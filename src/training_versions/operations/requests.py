"""Requests and replies: the one way in which an operation needs the network.

An operation is a generator. Written out, it is:

    def publish(version_id) -> Operation[Version]:
        reply = yield Rpc("versions.publish", "publish_training_version", {"p_version_id": …})
        return read_version(reply.data)

Most operations are a single request, and are written as plain functions: they check their arguments
at once, and return the generator that `call`, `read_rows`, `read_first` or `read_one` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from training_versions.errors import NotFoundError, UnreadableReplyError
from training_versions.models import mark_replayed

T = TypeVar("T")

# True also of calls that name an expected state: a function first looks whether the call has taken
# effect already, and returns the row as it is.
RETRY_HINT: Final = "Make the same call again: made twice, it has the effect of one."
SUMMARY_COLUMN: Final = "training_version_summary"
"""Computed from the version that a function returns: all but the snapshots. PostgREST takes longer
to read the names of 24 columns than to answer."""
ROW_NUMBERS: Final = "training_row_numbers"
"""A view of 1,001 rows: one more than the cap of a hosted project."""
REPLAYED_HEADER: Final = "Idempotent-Replayed"
"""Of the reply to a call that found what an earlier one with the same identifier had created."""
MAX_ROWS: Final = 1_000_000
"""The most rows to ask for at once; most servers cap replies far below."""


@dataclass(frozen=True)
class Rpc:
    """A call of a database function: a write, or a read that no select can express."""

    operation: str
    """The public name of the operation, such as `versions.publish`."""
    function: str
    params: dict[str, Any]
    """Arguments by parameter name; a top-level `None` is not sent, so the default applies."""
    columns: tuple[str, ...] = ()
    """Which columns of the row that it returns to ask for; all if empty."""
    is_write: bool = True
    retry_hint: str = RETRY_HINT
    """What to do when the reply is lost and repeating did not help."""


@dataclass(frozen=True)
class Comparison:
    """A condition on one column, in PostgREST's terms: `Comparison("status", "eq", "draft")`."""

    column: str
    operator: str
    value: str


@dataclass(frozen=True)
class AnyOf:
    """Conditions of which one must hold, as PostgREST writes them: `a.eq.1,b.gt."2025-01-31"`.

    PostgREST splits these at commas and dots, so text and timestamps are in quotes.
    """

    alternatives: str


Condition: TypeAlias = Comparison | AnyOf


@dataclass(frozen=True)
class Select:
    """A read of rows from a table."""

    operation: str
    table: str
    columns: tuple[str, ...] = ("*",)
    """Models ignore what they do not know, and PostgREST takes a name longer than a column."""
    where: tuple[Condition, ...] = ()
    order_by: tuple[str, ...] = ()
    descending: bool = False
    limit: int = 1
    """The most rows to ask for; most selects want a single one."""
    count: bool = False
    """Whether the reply says how many rows there are in all."""

    @property
    def is_write(self) -> bool:
        """A select changes nothing."""
        return False


@dataclass(frozen=True)
class Checkpoint:
    """Nothing to send: a moment at which other tasks may run, as in a long import."""


@dataclass(frozen=True)
class WhoAmI:
    """Nothing to send: asks whose token the client sends; `None` for a role without a user."""


@dataclass(frozen=True)
class RowCap:
    """What is known of the most rows that the server sends in one reply; a transport keeps it.

    A reply that has fewer rows than an earlier one was not ended by the cap.
    """

    at_least: int = 0
    """The most rows of any reply so far."""
    was_measured: bool = False
    """Whether more rows than any usual cap were asked for and are there."""

    def after(self, select: Select, data: object) -> RowCap:
        """Return what is known after one more reply."""
        if not isinstance(data, list):  # a proxy's page, say
            return self
        rows = len(cast("list[object]", data))
        was_measured = self.was_measured or select.table == ROW_NUMBERS
        return RowCap(max(self.at_least, rows), was_measured)


@dataclass
class Server:
    """What is known of a server."""

    row_cap: RowCap = RowCap()


_SERVERS: Final = WeakKeyDictionary[object, dict[str, Server]]()


def server_at(address: str, http_client: object) -> Server:
    """Return what is known of a server, to all who reach it over the same connections.

    A server that acts for its callers makes a repository for each request. Each of them would
    measure the cap again, and double what a list costs.
    """
    return _SERVERS.setdefault(http_client, {}).setdefault(address, Server())


@dataclass(frozen=True)
class Reply:
    """What came back: the parsed JSON, and the row count if it was asked for."""

    data: object = None
    count: int | None = None
    row_cap: RowCap = RowCap()
    """What was known of the server's cap before this reply."""
    replayed: bool = False
    """Whether the call created nothing, since an earlier one with the same identifier had."""


Request: TypeAlias = Rpc | Select | Checkpoint | WhoAmI
Operation: TypeAlias = Generator[Request, Reply, T]


def advance(operation: Operation[Any], outcome: Reply | BaseException | None) -> Request:
    """Give an operation the outcome of its last request, and return its next one.

    Raises:
        StopIteration: The operation is finished; `value` is its result.
    """
    if outcome is None:
        return next(operation)
    if isinstance(outcome, BaseException):
        return operation.throw(outcome)
    return operation.send(outcome)


def call(rpc: Rpc, read: Callable[[object], T]) -> Operation[T]:
    """Call a database function, and read what it returns."""
    reply = yield rpc
    try:
        result = read(reply.data)
    except ValueError as exc:
        raise unreadable(rpc.operation, reply.data, exc, is_write=rpc.is_write) from exc
    if reply.replayed:
        mark_replayed(result)
    return result


def read_rows(select: Select, read: Callable[[object], T]) -> Operation[list[T]]:
    """Select rows, and read each of them."""
    reply = yield select
    return rows_of(select, reply, read)


def rows_of(select: Select, reply: Reply, read: Callable[[object], T]) -> list[T]:
    """Read each row of a reply."""
    try:
        return [read(row) for row in expect_array(reply.data)]
    except ValueError as exc:
        raise unreadable(select.operation, reply.data, exc) from exc


def read_first(select: Select, read: Callable[[object], T]) -> Operation[T | None]:
    """Select the first row, and read it; `None` if there is no row."""
    rows = yield from read_rows(select, read)
    return rows[0] if rows else None


def read_one(select: Select, read: Callable[[object], T], *, what: str) -> Operation[T]:
    """Select the first row, and read it; raise a `NotFoundError` about `what` if there is none."""
    found = yield from read_first(select, read)
    if found is None:
        raise not_found(select.operation, what)
    return found


def expect_array(data: object) -> list[Any]:
    """Return the data if it is a JSON array."""
    if not isinstance(data, list):
        raise ValueError("it is not an array")
    return cast("list[Any]", data)


def not_found(operation: str, what: str) -> NotFoundError:
    """Make the error for what a read did not find."""
    return NotFoundError(
        f"There is no {what}, or you may not see it.",
        operation=operation,
        hint="Check the identifier, and that the client is signed in as its owner.",
    )


def unreadable(
    operation: str, data: object, exc: Exception, *, is_write: bool = False
) -> UnreadableReplyError:
    """Make the error for a reply that says success and is not what was asked for."""
    subject = f"The reply to {operation}"
    hint = "See .reply."
    if isinstance(data, str) and data:
        hint = "See .reply: it is text, so something in between answered."
    elif data in (None, []) and is_write:
        hint = "The reply says success: read what is stored before you make the same call again."
    elif _has_row_of_ours(data):
        subject = f"What {operation} found"
        if is_write:
            subject = f"{operation} was carried out, but its reply"
        hint = (
            "See .reply; where types do not fit what is stored, use a repository without types, "
            "or store what fits."
        )
    message = f"{subject} cannot be read: {describe_problem(exc)}."
    return UnreadableReplyError(message, reply=data, operation=operation, hint=hint)


def _has_row_of_ours(data: object) -> bool:
    """Return whether this is a row of one of our tables, so that the database answered."""
    row = data
    if isinstance(data, list) and data:
        row = cast("list[object]", data)[0]
    ours = {"id", "package_id", "version_id", SUMMARY_COLUMN}
    return isinstance(row, dict) and not row.keys().isdisjoint(ours)


def hint_to_repeat_with(argument: str, identifier: str) -> str:
    """Say how to repeat a call whose identifier the SDK made."""
    return (
        f"Make the same call again with {argument}={identifier!r}: "
        "made twice, it has the effect of one."
    )


def describe_problem(exc: Exception) -> str:
    """Say in one sentence, without its full stop, what was wrong with a value."""
    if isinstance(exc, ValidationError):
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        if not place:
            place = "the value"
        return f"{place}: {first['msg']}"
    return str(exc).rstrip(".")
