"""Static files: scripts, styles and vendored libraries, which browsers may cache forever.

The address of each file holds a hash of all files. So a script can import others by relative
paths, and files of different releases are never mixed.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

FOLDER: Final = Path(__file__).parent / "static"
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"


@cache
def _hash_of_all() -> str:
    seen = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            seen.update(path.relative_to(FOLDER).as_posix().encode())
            seen.update(path.read_bytes())
    return seen.hexdigest()[:12]


def static_url(path: str) -> str:
    """Return the address of a static file. It changes when any of the files changes."""
    if not (FOLDER / path).is_file():
        raise FileNotFoundError(f"there is no static file {path}")
    return f"/static/{_hash_of_all()}/{path}"


_FILES: Final = StaticFiles(directory=FOLDER)


async def _serve(request: Request) -> Response:
    path: str = request.path_params["path"]
    response = await _FILES.get_response(path, request.scope)
    if response.status_code >= 400:
        raise HTTPException(response.status_code)
    # A page of an older release gets the current file, which must not be cached.
    is_current = request.path_params["release"] == _hash_of_all()
    response.headers["Cache-Control"] = _FOR_GOOD if is_current else _ASK_AGAIN
    return response


routes = [Route("/static/{release}/{path:path}", _serve, methods=["GET", "HEAD"])]
