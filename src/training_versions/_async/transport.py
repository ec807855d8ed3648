"""Transport: drives operations, async. The only file of the async face that touches the network.

`run` carries out any operation: it sends each request that the operation yields, gives back the
reply or throws in the error, and returns the operation's result. Repeats are decided in
`operations/retries.py`.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias, TypeVar, cast

import httpx
from postgrest import AsyncPostgrestClient
from postgrest.types import CountMethod
from pydantic import BaseModel

from training_versions.errors import InvalidInputError, UnreadableRow
from training_versions.operations.checks import check_pauses
from training_versions.operations.clients import (
    check_address,
    check_client,
    check_http_client,
    check_usable,
    headers_for,
)
from training_versions.operations.failures import (
    CLIENT_ERRORS,
    UNREADABLE_JSON,
    refuse_redirect,
)
from training_versions.operations.paging import Key, Listing
from training_versions.operations.requests import (
    REPLAYED_HEADER,
    AnyOf,
    Checkpoint,
    Operation,
    Reply,
    Request,
    Rpc,
    Select,
    Server,
    WhoAmI,
    advance,
    server_at,
    unreadable,
)
from training_versions.operations.retries import DEFAULT_PAUSES, RetryState
from training_versions.operations.tokens import user_of
from training_versions.snapshots import refusing_foreign_errors

T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)


class AsyncClient(Protocol):
    """A `supabase.AsyncClient` or a `postgrest.AsyncPostgrestClient`."""

    def schema(self, schema: str, /) -> AsyncPostgrestClient:
        """Return a client for one schema, with the headers of the current session."""
        ...


HttpClient: TypeAlias = httpx.AsyncClient
"""What holds the connections; many clients may share one."""


class ClientForToken(AsyncPostgrestClient):
    """A client whose token never changes: one of many over the same connections."""


def client_for_token(
    url: str, key: str, token: str, http_client: HttpClient
) -> AsyncPostgrestClient:
    """Make a client for one token."""
    check_http_client(http_client, httpx.AsyncClient)
    address, headers = check_address(url), headers_for(key, token)
    try:
        return ClientForToken(address, headers=headers, http_client=http_client)
    except ValueError as exc:
        raise InvalidInputError(f"url is no URL: {exc}.", field="url") from exc


class OperationSession:
    """The user's HTTP client for one operation: it follows no redirect, and keeps reply headers.

    When httpx follows a redirect to another host, it drops the access token but not the project's
    key, and it turns a write into a GET. The headers are kept because the postgrest client does not
    return them.
    """

    def __init__(self, session: HttpClient) -> None:
        self.auth = session.auth
        self.last_headers = httpx.Headers()
        """The headers of the last reply."""
        self._session = session

    async def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send a request, and refuse a redirect."""
        self.last_headers = httpx.Headers()
        response = await self._session.request(method, url, follow_redirects=False, **options)
        refuse_redirect(response)
        self.last_headers = response.headers
        return response


class AsyncTransport:
    """Sends the requests of operations through the user's client.

    Args:
        client: The user's client.
        owner: The name of the class that the client was given to, for errors.
        retry_pauses: Seconds before each repeat of a call that was lost or not carried out.
    """

    def __init__(
        self, client: AsyncClient, owner: str, retry_pauses: Sequence[float] = DEFAULT_PAUSES
    ) -> None:
        check_client(client, AsyncPostgrestClient, owner)
        self.client = client  # autosave makes a second transport of it, which does not repeat
        self._retry_pauses = check_pauses(retry_pauses)
        self._server = Server()
        if isinstance(client, ClientForToken):
            self._server = server_at(str(client.base_url), client.session)
        self.current_client()

    async def run(self, operation: Operation[T]) -> T:
        """Carry out an operation, and return its result."""
        outcome: Reply | BaseException | None = None
        try:
            while True:
                try:
                    request = advance(operation, outcome)
                except StopIteration as finished:
                    return finished.value
                try:
                    outcome = await self._send(request)
                except BaseException as exc:  # a cancelled task, too: the operation may clean up
                    outcome = exc
        finally:
            # An error refers to this frame by its traceback. A reference back to it would keep the
            # error, the frame and the reply alive until the garbage is collected.
            del outcome

    async def walk(self, listing: Listing[R]) -> AsyncIterator[R]:
        """Go through all rows of a listing, batch by batch; each batch is an operation."""
        key: Key = ()
        unreadable_rows: list[UnreadableRow] = []
        while True:
            batch = await self.run(listing.batch_after(key))
            for item in batch.rows:
                yield item
            unreadable_rows += batch.unreadable
            if batch.is_last:
                break
            key = batch.last_key
        listing.check_all_read(unreadable_rows)

    async def _send(self, request: Request) -> Reply:
        """Send one request, and repeat it as long as that may help."""
        if isinstance(request, Checkpoint):
            await sleep(0)
            return Reply()
        # Asked for anew by each request, since it carries the token of the current session, which a
        # long export may outlive. The repeats of a request keep its token: somebody who signs in
        # meanwhile on the same client must not be the one who repeats this write.
        client = self.current_client()
        if isinstance(request, WhoAmI):
            return Reply(user_of(client.headers))
        retries = RetryState(request, self._retry_pauses)
        while True:
            try:
                reply = await self._execute(client, request)
                if retries.has_lost_a_reply:
                    # What was found may be what the attempt with the lost reply made.
                    reply = replace(reply, replayed=False)
                return reply
            except UNREADABLE_JSON as exc:
                # Not repeated: the same reply would come again.
                is_write = request.is_write
                raise unreadable(request.operation, None, exc, is_write=is_write) from exc
            except CLIENT_ERRORS as exc:
                replied = cast("OperationSession", client.session).last_headers
                await sleep(retries.next_pause_or_raise(exc, client.headers, replied))

    def current_client(self) -> AsyncPostgrestClient:
        """Return a client with the token of the moment.

        Raises:
            InvalidInputError: It cannot send, or not from this process.
        """
        with refusing_foreign_errors("client"):  # such as that of a token that is no text
            client = self.client.schema("public")
        check_usable(client)
        client.session = cast("HttpClient", OperationSession(client.session))
        return client

    async def _execute(self, client: AsyncPostgrestClient, request: Rpc | Select) -> Reply:
        """Send one request once."""
        if isinstance(request, Rpc):
            params = {name: value for name, value in request.params.items() if value is not None}
            rpc = client.rpc(request.function, params)
            # With the names of the arguments PostgREST need not parse the body to learn them.
            if params:
                config = cast("Any", rpc).request
                config.params = config.params.set("columns", ",".join(params))
            if request.columns:
                rpc = rpc.select(*request.columns)
            result = await rpc.execute()
            headers = cast("OperationSession", client.session).last_headers
            return Reply(result.data, replayed=headers.get(REPLAYED_HEADER) == "true")

        # Counting reads every row that the filters keep, so only `count` and exports ask for it.
        count = CountMethod.exact if request.count else None
        query = client.from_(request.table).select(*request.columns, count=count)
        for condition in request.where:
            if isinstance(condition, AnyOf):
                query = query.or_(condition.alternatives)
            else:
                query = query.filter(condition.column, condition.operator, condition.value)
        for column in request.order_by:
            query = query.order(column, desc=request.descending)
        # Repeats are ours: those of the client would take seven seconds.
        rows = await query.limit(request.limit).retry(False).execute()
        reply = Reply(rows.data, rows.count, self._server.row_cap)
        self._server.row_cap = self._server.row_cap.after(request, reply.data)
        return reply
