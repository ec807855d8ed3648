"""Replies: models of the SDK as JSON, with headers for caching, entity tags and pagination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter

from training_versions import Page
from training_versions.rest.etags import is_current
from training_versions.rest.links import next_link

_CACHE: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
"""Only the caller's own cache may store a reply, and it revalidates the reply before each use."""
_ANY: Final = TypeAdapter[Any](Any)


def reply(
    content: BaseModel | list[Any] | dict[str, Any],
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """Return a response with a model or plain data as JSON, which keeps every number exact."""
    if isinstance(content, BaseModel):
        body = content.__pydantic_serializer__.to_json(content)
    else:
        body = _ANY.dump_json(content)
    return Response(body, status, {**_CACHE, **(headers or {})}, media_type)


def reply_page(request: Request, page: Page[Any]) -> Response:
    """Return a response with a page of a list, and the link to the next page."""
    return reply(page, headers=next_link(request, page))


def reply_tagged(content: BaseModel, tag: str, known: list[str] | None = None) -> Response:
    """Return a response with a model and its ETag; 304 if the ETag is among the `known` ones."""
    if is_current(tag, known):
        return not_modified(tag)
    return reply(content, headers={"ETag": tag})


def not_modified(tag: str) -> Response:
    """Return a response with status 304: the client's copy is current."""
    return Response(status_code=304, headers={**_CACHE, "ETag": tag})


def no_content() -> Response:
    """Return a response with status 204 and no body."""
    return Response(status_code=204)
