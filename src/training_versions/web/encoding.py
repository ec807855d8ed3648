"""Check that forms are encoded as UTF-8.

Starlette decodes invalid bytes leniently, and uses whatever charset the header names. So other
characters than the ones sent would be stored. Browsers send forms as UTF-8 without a charset, so
only programs get this error.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException

_NAME: Final = re.compile(rb'\r\nContent-Disposition: form-data; name="([^"]*)"', re.IGNORECASE)
_BEYOND_ASCII: Final = re.compile(rb"%[89a-fA-F]|[\x80-\xff]")


def check_encoding(body: bytes, content_type: str) -> None:
    """Check the encoding of a form.

    Raises:
        HTTPException: The form is not UTF-8.
    """
    kind, parameters = parse_options_header(content_type)
    if kind.startswith(b"multipart/"):
        _check_charset(parameters.get(b"charset", b"utf-8"))
        _check_multipart(body)
    else:
        _check_urlencoded(body)


def _check_charset(name: bytes) -> None:
    """Check the charset of a multipart form. URL-encoded forms ignore it."""
    if name.lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(400, "The form is not encoded as UTF-8, and nothing was saved.")


def _check_multipart(body: bytes) -> None:
    """Check a multipart form: raw texts, each after a header with the name of its field."""
    try:
        body.decode()
    except UnicodeDecodeError as exc:
        names = _NAME.findall(body, 0, exc.start)
        raise _refusal(names[-1] if names else b"") from None


def _check_urlencoded(body: bytes) -> None:
    """Check a URL-encoded form, in which characters beyond ASCII are percent-encoded."""
    if _BEYOND_ASCII.search(body) is None:
        return
    for field in body.split(b"&"):
        try:
            field.decode("ascii")
            unquote_to_bytes(field).decode()
        except UnicodeDecodeError:
            raise _refusal(field.partition(b"=")[0]) from None


def _refusal(name: bytes) -> HTTPException:
    field = name.decode("ascii", "replace")
    return HTTPException(
        400, f"The field {field:.80} is not encoded as UTF-8, and nothing was saved."
    )
