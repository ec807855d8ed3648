"""Forms in another encoding than UTF-8, which are refused.

Starlette reads such bytes as well as it can, and UTF-8 by whatever charset the header names: other
characters than those that were sent would be stored. Browsers send forms as UTF-8 and name no
charset, so it is a program that has to be told.
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
    """Check that a form is UTF-8.

    Raises:
        HTTPException: It is not.
    """
    kind, parameters = parse_options_header(content_type)
    if kind.startswith(b"multipart/"):
        _check_charset(parameters.get(b"charset", b"utf-8"))
        _check_multipart(body)
    else:
        _check_urlencoded(body)


def _check_charset(name: bytes) -> None:
    """Only texts in parts are read by it; what is percent-encoded is UTF-8 whatever it says."""
    if name.lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(400, "The form is not encoded as UTF-8, and nothing was saved.")


def _check_multipart(body: bytes) -> None:
    """Texts are in it as they are, each after a header with the name of its field."""
    try:
        body.decode()
    except UnicodeDecodeError as exc:
        names = _NAME.findall(body, 0, exc.start)
        raise _refusal(names[-1] if names else b"") from None


def _check_urlencoded(body: bytes) -> None:
    """What is not ASCII in it is percent-encoded."""
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
