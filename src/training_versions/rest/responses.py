"""What every endpoint may answer besides success, for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

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
    """Return the problems that every endpoint may tell, and these."""
    return {status: _problem(status) for status in sorted({*_COMMON, 405, *more})}


def header(description: str) -> dict[str, Any]:
    """Describe a header of a reply."""
    return {"description": description, "schema": {"type": "string"}}


ETAG: Final = {"ETag": header("The entity tag, for If-Match and If-None-Match.")}
NEXT: Final = {"Link": header("The next page, with rel=next; absent on the last one.")}
NOT_MODIFIED: Final[dict[str, Any]] = {"description": "The client has it already.", "headers": ETAG}
CREATED: Final = {
    "Location": header("Where what was created is."),
    "Idempotent-Replayed": header("true, if an earlier request with the same key created it."),
}


def link(operation: str, parameters: dict[str, str], description: str) -> dict[str, Any]:
    """Say where an endpoint leads to: a link of OpenAPI."""
    return {"operationId": operation, "parameters": parameters, "description": description}
