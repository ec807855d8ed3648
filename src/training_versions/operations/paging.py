"""Paging by key: lists and walks that neither skip nor repeat a row while others write.

Rows come in the order of a unique key, and the next page begins after the key of the last row. A
cursor is that key, with a fingerprint of the list that it belongs to. (Where the key is a moment, a
row whose transaction ends late takes a place before rows that were read already.)

Servers cap replies silently, so a page that is shorter than asked for does not prove that it is the
last. It does if any reply of the same server was longer: then it was not the cap that ended the
page. The first short page therefore measures the cap, by a view that is longer than most caps; one
that is as long as the cap is followed by a request for what lies beyond it.

A row that cannot be read stops no walk: the walk goes on, and at its end an error names all such
rows. A page is refused with the same error, since a list that lacks rows would not be the list.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar, cast

from pydantic import BaseModel

from training_versions.errors import InvalidInputError, UnreadableReplyError, UnreadableRow
from training_versions.models import Page
from training_versions.operations.checks import format_moment
from training_versions.operations.requests import (
    MAX_ROWS,
    ROW_NUMBERS,
    AnyOf,
    Comparison,
    Condition,
    Operation,
    Select,
    describe_problem,
    read_rows,
    rows_of,
)
from training_versions.operations.rows import expect_object
from training_versions.snapshots import refusing_foreign_errors

R = TypeVar("R", bound=BaseModel)
Key: TypeAlias = tuple[str, ...]
"""The values of the key columns of one row, as text."""


@dataclass(frozen=True)
class Batch(Generic[R]):
    """Rows of one reply."""

    rows: list[R]
    unreadable: list[UnreadableRow]
    """Those that cannot be read, which are not among the rows."""
    last_key: Key
    """The key of the last row, readable or not."""
    is_last: bool
    """Whether it is certain that no more rows follow, see above."""


@dataclass(frozen=True)
class Listing(Generic[R]):
    """The rows of a table that some filters keep, in the order of a key.

    Args:
        select: The table, columns and filters; the order, where `order_by` is the key, one unique
            column or two that are unique together; and in `limit` how many rows a page has. The
            table has a column `id`.
        read: Reads one row.
    """

    select: Select
    read: Callable[[object], R]

    def page(self, cursor: str | None) -> Operation[Page[R]]:
        """Read one page."""
        with refusing_foreign_errors("cursor"):
            key = self._read_cursor(cursor)
        return self._page(key)

    def _page(self, key: Key) -> Operation[Page[R]]:
        limit = self.select.limit
        # One row more than the page shows whether there is a next one.
        batch = yield from self._read_batch(key, limit + 1)
        self.check_all_read(batch.unreadable)
        items = batch.rows[:limit]
        if batch.is_last:
            return _page_of(items, None)
        last = self.key_of(items[-1])
        if len(batch.rows) <= limit:
            probe = replace(self._after(last, 1), columns=("id",))
            following = yield from read_rows(probe, lambda row: row)
            if not following:
                return _page_of(items, None)
        return _page_of(items, self._write_cursor(last))

    def batch_after(self, key: Key) -> Operation[Batch[R]]:
        """Read the rows after a key, the first ones if it is empty."""
        return self._read_batch(key, self.select.limit)

    def _read_batch(self, key: Key, limit: int) -> Operation[Batch[R]]:
        select = self._after(key, limit)
        try:
            reply = yield select
        except UnreadableReplyError:
            return (yield from self._read_one_by_one(select))
        if isinstance(reply.data, str) and reply.data.startswith("["):
            # One row is enough to make JSON that Python cannot hold, and that arrives as text.
            return (yield from self._read_one_by_one(select))
        found = rows_of(select, reply, lambda row: row)
        if not found or len(found) >= select.limit:
            return self._batch_of(found, is_last=not found)
        cap = reply.row_cap
        if len(found) >= cap.at_least and not cap.was_measured:
            measure = Select(self.select.operation, ROW_NUMBERS, limit=MAX_ROWS)
            measured = yield measure
            cap = cap.after(measure, measured.data)
        return self._batch_of(found, is_last=len(found) < cap.at_least)

    def _batch_of(self, found: list[object], *, is_last: bool) -> Batch[R]:
        """Read each row by itself, so that one that cannot be read does not hide the others."""
        rows: list[R] = []
        unreadable: list[UnreadableRow] = []
        last_key: Key = ()
        for row in found:
            try:
                rows.append(self.read(row))
                last_key = self.key_of(rows[-1])
            except ValueError as exc:
                columns = _columns_of(row)
                unreadable.append(UnreadableRow(columns.get("id"), describe_problem(exc), columns))
                last_key = tuple(str(columns.get(column)) for column in self.select.order_by)
        return Batch(rows, unreadable, last_key, is_last)

    def _read_one_by_one(self, select: Select) -> Operation[Batch[R]]:
        """Read the rows of a select again, each by a request of its own."""
        keys = replace(select, columns=("id", *self.select.order_by))
        rows: list[R] = []
        unreadable: list[UnreadableRow] = []
        last_key: Key = ()
        for row in (yield from read_rows(keys, expect_object)):
            last_key = tuple(str(row.get(column)) for column in self.select.order_by)
            by_id = replace(select, where=(Comparison("id", "eq", str(row.get("id"))),), limit=1)
            try:
                rows += yield from read_rows(by_id, self.read)
            except UnreadableReplyError as exc:
                unreadable.append(UnreadableRow(row.get("id"), exc.message, row))
        # An empty reply after it is what proves the end.
        return Batch(rows, unreadable, last_key, is_last=not last_key)

    def check_all_read(self, unreadable: Sequence[UnreadableRow]) -> None:
        """Raise an error about the rows that cannot be read, if there are any."""
        if not unreadable:
            return
        operation = self.select.operation
        named = "; ".join(f"{row.id}: {row.problem}" for row in unreadable[:3])
        more = f"; and {len(unreadable) - 3} more" if len(unreadable) > 3 else ""
        raise UnreadableReplyError(
            f"What {operation} found cannot be read in {len(unreadable)} rows: {named}{more}.",
            reply=[row.reply for row in unreadable],
            rows=tuple(unreadable),
            operation=operation,
            hint="See .rows; where types do not fit what is stored, use a repository without "
            "types, or store what fits.",
        )

    def key_of(self, item: R) -> Key:
        """Return the key of a row."""
        return tuple(_as_text(getattr(item, column)) for column in self.select.order_by)

    def _after(self, key: Key, limit: int) -> Select:
        where = self.select.where + self._conditions_after(key)
        return replace(self.select, where=where, limit=min(limit, MAX_ROWS))

    def _conditions_after(self, key: Key) -> tuple[Condition, ...]:
        """Return the conditions for the rows after a key."""
        if not key:
            return ()
        operator = "lt" if self.select.descending else "gt"
        if len(key) == 1:
            (column,) = self.select.order_by
            return (Comparison(column, operator, key[0]),)
        # The first condition alone is a range of an index, the second makes it exact. Inside of it
        # a moment is quoted, because PostgREST splits alternatives at commas and dots.
        first, second = self.select.order_by
        moment, tie_breaker = key
        return (
            Comparison(first, f"{operator}e", moment),
            AnyOf(f'{first}.{operator}."{moment}",{second}.{operator}.{tie_breaker}'),
        )

    def _write_cursor(self, key: Key) -> str:
        text = json.dumps([*key, self._fingerprint(key)])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _read_cursor(self, cursor: str | None) -> Key:
        if cursor is None:
            return ()
        # A cursor is good if this list would have written the very same.
        key = _decode_cursor(cursor)
        if not key or self._write_cursor(key) != cursor:
            raise InvalidInputError(
                f"cursor does not belong to this list ({self.select.operation}).",
                field="cursor",
                operation=self.select.operation,
                hint="Pass the next_cursor of a page of the same list: same package, filters and "
                "order.",
            )
        return key

    def _fingerprint(self, key: Key) -> str:
        """Tie a cursor to its list and its key: a mistake is noticed, but this is no signature."""
        where = [astuple(condition) for condition in self.select.where]
        parts = [self.select.operation, where, self.select.order_by, self.select.descending, key]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _columns_of(row: object) -> dict[str, object]:
    """Return the columns of a row; none if it is no row at all."""
    if isinstance(row, dict):
        return cast("dict[str, object]", row)
    return {}


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return format_moment(value)
    return str(value)


def _decode_cursor(cursor: str) -> Key:
    """Return the key in a cursor, without its fingerprint; empty if it is no cursor."""
    try:
        padding = "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(cursor + padding))
        key = tuple(cast("list[Any]", values)[:-1])
    except (ValueError, TypeError, KeyError, RecursionError):
        # To slice a JSON object is a TypeError, and from Python 3.12 on a KeyError.
        return ()
    if not all(isinstance(value, str) for value in key):
        return ()
    return key


def _page_of(items: list[R], next_cursor: str | None) -> Page[R]:
    # Not Page[R], whose instances would not survive pickle.
    return Page(items=items, next_cursor=next_cursor)
