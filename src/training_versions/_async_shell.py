"""How the repositories send what `_calls.py` decided, async; `_shell.py`, its sync twin, is derived from this file.

Only `_call` and `_read` touch the network.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from postgrest import AsyncPostgrestClient
from postgrest.exceptions import APIError
from postgrest.types import CountMethod

from training_versions.errors import TRANSPORT_ERRORS, TrainingVersionsError, translate
from training_versions.operations import _calls

if TYPE_CHECKING:  # bundles are rare, and steps come from there
    from training_versions.bundle._steps import Steps

T = TypeVar("T")
RETRY_PAUSES = (0.5, 1.0, 2.0)


class AsyncClient(Protocol):
    """A `supabase.AsyncClient` or a `postgrest.AsyncPostgrestClient`."""

    def schema(self, schema: str, /) -> AsyncPostgrestClient:
        """Give a client for one schema, with the headers of the current session."""
        ...


class AsyncRepository:
    """What the repositories share: how a call is sent, sent again, and read."""

    def __init__(self, client: AsyncClient, retry_pauses: Sequence[float]) -> None:
        _calls.check_client(client, AsyncPostgrestClient, type(self).__name__)
        self._client = client
        self._pauses = _calls.check_pauses(retry_pauses)

    async def _call(self, call: _calls.Rpc[T]) -> T:
        attempts = _calls.Attempts(call, self._pauses)
        while True:
            client = self._client.schema(
                "public"
            )  # anew each time: it carries the token of the current session
            try:
                builder = client.rpc(call.function, call.params)
                reply = await (builder.select(*call.columns) if call.columns else builder).execute()
                return _calls.read_reply(call, reply.data)
            except (APIError, *TRANSPORT_ERRORS) as exc:
                await sleep(attempts.pause_after(exc, client.headers))
            except (ValueError, RecursionError) as exc:  # JSON that Python does not read
                raise _calls.unreadable(call.operation, None, exc) from exc

    async def _read(self, read: _calls.Select[T] | _calls.Done[T]) -> T:
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
                reply = await builder.limit(read.limit).execute()
            except (APIError, *TRANSPORT_ERRORS) as exc:
                raise translate(exc, read.operation, client.headers, write=False) from exc
            except (ValueError, RecursionError) as exc:
                raise _calls.unreadable(read.operation, None, exc) from exc
            read = _calls.read_rows(read, reply.data, reply.count)
        return read.value

    async def _walk(self, select: _calls.Select[_calls.Walk[T]]) -> AsyncIterator[T]:
        rest: _calls.Select[_calls.Walk[T]] | None = select
        while rest is not None:
            walk = await self._read(rest)
            for item in walk.items:
                yield item
            rest = walk.rest

    async def _carry_out(self, steps: Steps[T]) -> T:
        with closing(steps):
            go_on = partial(steps.send, None)
            while True:
                try:
                    step = go_on()
                except StopIteration as end:
                    return end.value
                try:
                    if step is None:
                        reply = await sleep(0)
                    else:
                        reply = await (
                            self._call(step) if isinstance(step, _calls.Rpc) else self._read(step)
                        )
                    go_on = partial(steps.send, reply)
                except TrainingVersionsError as exc:
                    go_on = partial(steps.throw, exc)
