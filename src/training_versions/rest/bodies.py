"""Request bodies: a size limit that is checked while the body arrives, and strict JSON."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from email.message import Message
from typing import Any

from fastapi import Request

from training_versions.rest.json_text import read_json
from training_versions.rest.problems import (
    BAD_HEADER,
    BODY_TOO_LARGE,
    INVALID_INPUT,
    UNSUPPORTED_MEDIA_TYPE,
    InvalidField,
    Problem,
)
from training_versions.rest.service import service_of


class StrictRequest(Request):
    """A request with a size limit for its body and strict JSON parsing."""

    was_read = False
    """Whether the body was parsed as JSON."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives; raise a problem once it exceeds the limit."""
        check_size(self)
        limit = service_of(self).settings.max_body
        received = 0
        async for chunk in super().stream():
            received += len(chunk)
            if received > limit:
                raise _too_large(limit)
            yield chunk

    async def json(self) -> Any:
        """Parse the body as JSON."""
        value = read_json(await self.body())
        self.was_read = True
        return value


def check_size(request: Request) -> None:
    """Raise a problem if `Content-Length` is larger than the limit.

    Raises:
        Problem: `Content-Length` is larger than the limit, or not a number.
    """
    limit = service_of(request).settings.max_body
    if _announced_size(request) > limit:
        raise _too_large(limit)


async def refuse_body(request: Request) -> None:
    """Raise a problem if there is a body that would be ignored.

    Blank, `{}` and `null` are accepted, because many clients send `{}` for an empty body.

    Raises:
        Problem: The request has any other body.
    """
    if not _has_body(request):
        return
    if (await request.body()).strip() not in (b"", b"{}", b"null"):
        detail = "This address takes no body."
        raise Problem(INVALID_INPUT, detail, errors=[InvalidField(detail=detail, pointer="#")])


def check_media_type(request: Request) -> None:
    """Raise a problem if the headers declare the body as anything but plain JSON.

    A request without a body is accepted.

    Raises:
        Problem: The body has no media type, another one, or is compressed.
    """
    if not _has_body(request):
        return
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed.")
    header = request.headers.get("Content-Type")
    if header is None:
        raise Problem(
            UNSUPPORTED_MEDIA_TYPE,
            "The request does not say of what type its body is.",
            hint="Send Content-Type: application/json.",
        )
    message = Message()
    message["Content-Type"] = header
    charset = message.get_content_charset("utf-8")
    if message.get_content_type() != "application/json" or charset != "utf-8":
        raise Problem(
            UNSUPPORTED_MEDIA_TYPE,
            "The body must be JSON, in UTF-8.",
            hint="Send Content-Type: application/json.",
        )


def _has_body(request: Request) -> bool:
    return "Transfer-Encoding" in request.headers or _announced_size(request) > 0


def _announced_size(request: Request) -> int:
    size = request.headers.get("Content-Length", "0")
    if not size.isascii() or not size.isdigit():
        raise Problem(BAD_HEADER, "Content-Length is not a number of bytes.")
    return int(size)


def _too_large(limit: int) -> Problem:
    return Problem(
        BODY_TOO_LARGE,
        f"The body is larger than {limit:,} bytes, the most that this server takes.",
        # The rest of the body stays unread, so the connection cannot be used for another request.
        headers={"Connection": "close"},
    )
