"""Replies: a model of the SDK as JSON, with the headers that say what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter

from training_versions import Page
from training_versions.rest.etags import is_current
from training_versions.rest.links import next_link

_CACHE: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
"""Only the caller's own cache may keep a reply, and asks again before it is used."""
_ANY: Final = TypeAdapter[Any](Any)


def reply(
    content: BaseModel | list[Any] | dict[str, Any],
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """Return a model, or plain data, as JSON: numbers as they are stored, amounts exact."""
    if isinstance(content, BaseModel):
        body = content.__pydantic_serializer__.to_json(content)
    else:
        body = _ANY.dump_json(content)
    return Response(body, status, {**_CACHE, **(headers or {})}, media_type)


def reply_page(request: Request, page: Page[Any]) -> Response:
    """Return a page of a list, with the link to the next one."""
    return reply(page, headers=next_link(request, page))


def reply_tagged(content: BaseModel, tag: str, known: list[str] | None = None) -> Response:
    """Return a model with its entity tag, unless the client has it already."""
    if is_current(tag, known):
        return not_modified(tag)
    return reply(content, headers={"ETag": tag})


def not_modified(tag: str) -> Response:
    """Say that the client has it already."""
    return Response(status_code=304, headers={**_CACHE, "ETag": tag})


def no_content() -> Response:
    """Say that it is done, and that there is nothing to show."""
    return Response(status_code=204)
