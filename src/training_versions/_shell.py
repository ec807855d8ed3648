"""How the repositories send what `_calls.py` decided, sync.

Derived from `_async_shell.py` by `scripts/derive_sync.py`: change that file instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, Protocol, TypeVar

from postgrest import SyncPostgrestClient
from postgrest.exceptions import APIError
from postgrest.types import CountMethod

from training_versions.errors import TRANSPORT_ERRORS, TrainingVersionsError, translate
from training_versions.operations import _calls

if TYPE_CHECKING:  # bundles are rare, and steps come from there
    from training_versions.bundle._steps import Steps

T = TypeVar("T")
RETRY_PAUSES = (0.5, 1.0, 2.0)


class Client(Protocol):
    """A `supabase.Client` or a `postgrest.SyncPostgrestClient`."""

    def schema(self, schema: str, /) -> SyncPostgrestClient:
        """Give a client for one schema, with the headers of the current session."""
        ...


class Repository:
    """What the repositories share: how a call is sent, sent again, and read."""

    def __init__(self, client: Client, retry_pauses: Sequence[float]) -> None:
        _calls.check_client(client, SyncPostgrestClient, type(self).__name__)
        self._client = client
        self._pauses = _calls.check_pauses(retry_pauses)

    def _call(self, call: _calls.Rpc[T]) -> T:
        attempts = _calls.Attempts(call, self._pauses)
        while True:
            client = self._client.schema(
                "public"
            )  # anew each time: it carries the token of the current session
            try:
                builder = client.rpc(call.function, call.params)
                reply = (builder.select(*call.columns) if call.columns else builder).execute()
                return _calls.read_reply(call, reply.data)
            except (APIError, *TRANSPORT_ERRORS) as exc:
                sleep(attempts.pause_after(exc, client.headers))
            except (ValueError, RecursionError) as exc:  # JSON that Python does not read
                raise _calls.unreadable(call.operation, None, exc) from exc

    def _read(self, read: _calls.Select[T] | _calls.Done[T]) -> T:
        while isinstance(read, _calls.Select):
            client = self._client.schema("public")
            builder = client.from_(read.table).select(
                *read.columns, count=CountMethod.exact if read.count else None
            )
            for column, operator, value in read.filters:
                builder = (
                    builder.or_(value)
                    if column == "or"
                    else builder.filter(column, operator, value)
                )
            for column in read.order:
                builder = builder.order(column, desc=read.descending)
            try:
                reply = builder.limit(read.limit).execute()
            except (APIError, *TRANSPORT_ERRORS) as exc:
                raise translate(exc, read.operation, client.headers, write=False) from exc
            except (ValueError, RecursionError) as exc:
                raise _calls.unreadable(read.operation, None, exc) from exc
            read = _calls.read_rows(read, reply.data, reply.count)
        return read.value

    def _walk(self, select: _calls.Select[_calls.Walk[T]]) -> Iterator[T]:
        rest: _calls.Select[_calls.Walk[T]] | None = select
        while rest is not None:
            walk = self._read(rest)
            yield from walk.items
            rest = walk.rest

    def _carry_out(self, steps: Steps[T]) -> T:
        with closing(steps):
            go_on = partial(steps.send, None)
            while True:
                try:
                    step = go_on()
                except StopIteration as end:
                    return end.value
                try:
                    if step is None:
                        reply = sleep(0)
                    else:
                        reply = (
                            self._call(step) if isinstance(step, _calls.Rpc) else self._read(step)
                        )
                    go_on = partial(steps.send, reply)
                except TrainingVersionsError as exc:
                    go_on = partial(steps.throw, exc)
