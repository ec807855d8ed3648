"""The OpenAPI descriptions that endpoints share: headers, problems and links.

`etags` and `idempotency` parse the headers for preconditions and idempotency keys, because FastAPI
would answer a bad header with 422. So FastAPI does not describe these headers; this module does.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from training_versions import Page
from training_versions.rest.problems import KINDS, MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]

_SCHEMA: Final = {"$ref": "#/components/schemas/TrainingProblem"}
_COMMON: Final = (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)
_HEADERS: Final[dict[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": "`Bearer`, with what is wrong with the token, if there is one."},
    405: {"Allow": "The methods of this address."},
    429: {"Retry-After": "Seconds to wait."},
    503: {"Retry-After": "Seconds to wait."},
}


def _problem(status: int) -> dict[str, Any]:
    kinds = [kind for kind in KINDS.values() if kind.status == status]
    described = " or ".join(f"{kind.title} (`{kind.slug}`)" for kind in kinds)
    answer: dict[str, Any] = {
        "description": f"{described}.",
        "content": {MEDIA_TYPE: {"schema": _SCHEMA}},
    }
    if status in _HEADERS:
        answer["headers"] = {
            name: {"description": words, "schema": {"type": "string"}}
            for name, words in _HEADERS[status].items()
        }
    return answer


def problems(*more: int) -> Responses:
    """Describe the problems of every endpoint, and those of additional statuses."""
    return {status: _problem(status) for status in sorted({*_COMMON, 405, *more})}


def describe_reply(model: object) -> str:
    """Describe a successful reply in one sentence."""
    if model is None:
        return "Done; there is nothing to show."
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return "The whole list."
    if issubclass(model, Page):
        return "One page of the list."
    return (model.__doc__ or "").strip().partition("\n")[0].replace("`None`", "null")


def header(description: str) -> dict[str, Any]:
    """Describe a response header."""
    return {"description": description, "schema": {"type": "string"}}


ETAG: Final = {"ETag": header("The entity tag, for If-Match and If-None-Match.")}
PAGE: Final[Responses] = {
    200: {"headers": {"Link": header("The next page, with rel=next; absent on the last one.")}}
}
NOT_MODIFIED: Final[dict[str, Any]] = {"description": "The client has it already.", "headers": ETAG}
TAGGED: Final[Responses] = {200: {"headers": ETAG}, 304: NOT_MODIFIED}
REPLAYED: Final = {
    "Idempotent-Replayed": header("true, if an earlier request with the same key did it."),
}
CREATED: Final = {"Location": header("Where what was created is."), **REPLAYED}


def link(
    operation: str,
    parameters: dict[str, str],
    description: str,
    body: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return an OpenAPI link from a reply to another operation."""
    made: dict[str, Any] = {"operationId": operation, "parameters": parameters}
    if body is not None:
        made["requestBody"] = body
    return made | {"description": description}


def _parameter(name: str, description: str, **schema: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


def takes(*parameters: dict[str, Any]) -> dict[str, Any]:
    """Describe the request headers of an operation."""
    return {"parameters": list(parameters)}


IF_NONE_MATCH: Final = _parameter(
    "If-None-Match",
    "Entity tags of what the client has, or `*`; answers 304 if one is current.",
)
IF_MATCH: Final = _parameter(
    "If-Match",
    "The `ETag` of the draft that was read, or `*` for any state. A draft that was edited since "
    "answers 412; training, deployment and cost are no edits.",
)
IF_MATCH_REQUIRED: Final = {**IF_MATCH, "required": True}
IF_MATCH_PACKAGE: Final = {
    **IF_MATCH,
    "description": "The `ETag` of the package that was read, or `*` for any state. It is compared "
    "just before the write; two writers at the same moment may both pass.",
}
IDEMPOTENCY_KEY: Final = _parameter(
    "Idempotency-Key",
    "Makes the request repeatable: with the same key and body it answers as before, marked with "
    "`Idempotent-Replayed: true`. 1 to 255 visible ASCII characters, chosen at random, such as a "
    "UUID.",
    pattern="^[!-~]([ -~]{0,253}[!-~])?$",
)
