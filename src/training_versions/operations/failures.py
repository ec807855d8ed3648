"""Failures: what an exception that a client raised means for the caller.

Answered here: may the request have been carried out all the same (`is_lost`), may a repeat help
(`is_worth_a_repeat` and its neighbours), and which error of ours is it (`translate`). How a refusal
is worded is in `refusals.py`; when a request is repeated is decided in `retries.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx
from postgrest.exceptions import APIError

from training_versions.errors import (
    ConnectionFailedError,
    OutcomeUnknownError,
    TrainingVersionsError,
)
from training_versions.operations.refusals import explain

TRANSPORT_ERRORS: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
)
UNREADABLE_JSON: Final = (ValueError, RecursionError)
"""What a client raises for a successful reply that is valid JSON and that Python cannot hold, such
as one nested thousands of levels deep. A reply that is no JSON arrives as text instead."""
CLIENT_ERRORS: Final = (APIError, *TRANSPORT_ERRORS, RuntimeError)
"""Everything that a client raises when no successful reply came. (A `RecursionError` is a
`RuntimeError`, too: ask for unreadable JSON first.)"""

# The request never left this machine. Every other error is treated as if a part of it may have.
_NOTHING_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,  # and its subclass below
)
# The database's session ended during the request, which may have been committed by then. PostgREST
# says PGRST001, or passes on the last words of the database: 57P01 of a shutdown, 57P02 of a crash,
# class 08 of a broken connection, and no code at all if there were no words.
_SESSION_ENDED: Final = ("", "PGRST001", "57P01", "57P02")
_CONNECTION_EXCEPTIONS: Final = "08"
# A gateway says that nothing behind it took the request. Of a write it cannot know that for sure.
_GATEWAY_IS_BUSY: Final = ("503", "520")
# The request was turned away before it did anything: no connection to the database, no schema cache
# yet, no connection free, a database that is starting, a gateway that limits the rate.
_TURNED_AWAY: Final = ("PGRST000", "PGRST002", "PGRST003", "57P03", "429")
# Too many connections, no memory, no disk space: passing, and nothing was written.
_INSUFFICIENT_RESOURCES: Final = "53"
# Serialization failure, deadlock and a lock that was not available: the transaction was rolled
# back, nothing was written.
_ROLLED_BACK: Final = ("40001", "40P01", "55P03")
# The statement was cancelled, mostly by `statement_timeout`, and the transaction rolled back.
_CANCELLED: Final = "57014"
# What is known only after some seconds: 8 of a statement, 10 of the wait for a connection.
_SLOW: Final = (_CANCELLED, "PGRST003")

_HINT_NETWORK: Final = "Check the project's URL and the network, and try again."
_HINT_ENDED_STACK: Final = (
    "Nothing listens at {}. A LocalSupabase answers until its `with` block ends, or its program."
)
_HINT_PLAIN_STACK: Final = "The URL of a LocalSupabase begins with http://, not https://."
_HINT_EVENT_LOOP: Final = (
    "A client serves one event loop: make it, and the repositories, inside of the asyncio.run that "
    "uses them."
)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class RedirectError(httpx.UnsupportedProtocol):
    """The request was sent back unread, with another address."""


def refuse_redirect(response: httpx.Response) -> None:
    """Refuse a reply that names another address for the request."""
    if response.has_redirect_location:
        location = response.headers["Location"]
        raise RedirectError(
            f"the server redirects to {location}, and the SDK follows no redirect, since the "
            "project's key would go along",
            request=response.request,
        )


def is_lost(exc: Exception) -> bool:
    """Return whether the request may have been carried out although its reply never came."""
    if not isinstance(exc, APIError):
        return not isinstance(exc, _NOTHING_SENT)
    if exc.code is None:
        # JSON of a gateway, which has no codes. Supabase's own gateway gives a hint where it turns
        # a request down: {"message": "Invalid API key", "hint": "Double check your key."}. Whatever
        # else answers without a code may have lost the database's reply.
        return not exc.hint
    return _has_lost_session(exc.code) or _is_page_of_a_proxy(exc.code)


def is_worth_a_repeat(exc: Exception) -> bool:
    """Return whether the same read may soon be answered: nothing took it, or its taker ended.

    A timeout is none of these, since whoever reads has waited long enough by then.
    """
    if not isinstance(exc, APIError):
        return isinstance(exc, httpx.NetworkError | httpx.RemoteProtocolError)
    if exc.code is None:
        return False
    return _has_lost_session(exc.code) or exc.code in _GATEWAY_IS_BUSY or _was_turned_away(exc.code)


def changed_nothing(exc: Exception) -> bool:
    """Return whether a write was certainly not carried out, for no fault of the caller.

    The database or PostgREST says so: it did not take the request, or rolled the transaction back.
    A connection that failed is none of these: its URL may be wrong, and stay wrong.
    """
    if not isinstance(exc, APIError) or exc.code is None:
        return False
    return was_rolled_back(exc) or exc.code == _CANCELLED or _was_turned_away(exc.code)


def was_rolled_back(exc: Exception) -> bool:
    """Return whether another transaction stood in the way of this one, which left no trace."""
    return isinstance(exc, APIError) and exc.code in _ROLLED_BACK


def took_long(exc: Exception) -> bool:
    """Return whether the server took seconds to say no."""
    return isinstance(exc, APIError) and exc.code in _SLOW


def is_of_another_loop(exc: Exception) -> bool:
    """Return whether an async client was used in a second event loop.

    A connection of the first loop can still send, so that a write may have been carried out, but
    it cannot receive.
    """
    return isinstance(exc, RuntimeError)


def translate(
    exc: Exception, operation: str, headers: Mapping[str, str], *, is_write: bool
) -> TrainingVersionsError:
    """Return our error for one that a client raised; the caller raises it `from` that one."""
    hint = None
    if is_of_another_loop(exc):
        hint = _HINT_EVENT_LOOP
    if is_write and is_lost(exc):
        return OutcomeUnknownError(
            f"The reply to {operation} was lost, so it may or may not have happened: "
            f"{_describe(exc)}.",
            operation=operation,
            hint=hint,
        )
    if isinstance(exc, APIError) and not _is_without_answer(exc):
        return explain(exc, operation, headers)
    if hint is None:
        hint = _hint_for_address(exc)
    return ConnectionFailedError(
        f"No reply came to {operation}, and nothing was changed: {_describe(exc)}.",
        operation=operation,
        hint=hint,
    )


def _is_without_answer(exc: APIError) -> bool:
    """Return whether neither the database nor PostgREST has said what it makes of the request."""
    return exc.code is not None and (not exc.code or _is_page_of_a_proxy(exc.code))


def _was_turned_away(code: str) -> bool:
    return code in _TURNED_AWAY or code.startswith(_INSUFFICIENT_RESOURCES)


def _has_lost_session(code: str) -> bool:
    return code in _SESSION_ENDED or code.startswith(_CONNECTION_EXCEPTIONS)


def _is_page_of_a_proxy(code: str) -> bool:
    """Return whether a proxy answered instead of the database, which may have done its work."""
    # Such a page arrives as an APIError whose code is the HTTP status: "408", "502".
    return code == "408" or (len(code) == 3 and code.startswith("5"))


def _hint_for_address(exc: Exception) -> str:
    request = getattr(exc, "_request", None)  # the property `request` raises where there is none
    if isinstance(exc, httpx.ConnectError) and isinstance(request, httpx.Request):
        url = request.url
        if url.scheme == "https" and url.host in _LOOPBACK:
            return _HINT_PLAIN_STACK
        if url.host in _LOOPBACK:
            return _HINT_ENDED_STACK.format(f"{url.scheme}://{url.netloc.decode()}")
    return _HINT_NETWORK


def _describe(exc: Exception) -> str:
    """Say what came instead of a reply."""
    if isinstance(exc, APIError):
        return _describe_answer(exc)
    if is_of_another_loop(exc):
        return f"the client was used in another event loop before ({exc})"
    if not str(exc):
        return type(exc).__name__
    return f"{type(exc).__name__}: {exc}"


def _describe_answer(exc: APIError) -> str:
    if exc.code is None:
        source = "a gateway said"
    elif _has_lost_session(exc.code):
        source = f"the database's session ended {exc.code}".rstrip()
    else:
        source = exc.code
    if exc.message:
        source += f" {exc.message}"
    return source.strip().rstrip(".")
