"""Cookies that no script can read, also for values that are longer than one cookie may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

# Browsers drop, without a word, a cookie of more than 4,096 bytes with its name and attributes.
_PART: Final = 3_600
WEEK: Final = 7 * 24 * 3600
# Servers and proxies refuse headers of more than 16 to 64 kB, all cookies together.
_MOST_PARTS: Final = 4
MAX_VALUE: Final = _PART * _MOST_PARTS


@dataclass(frozen=True)
class Cookie:
    """A cookie for this site alone."""

    name: str
    max_age: int
    """Seconds until the browser forgets it."""
    secure: bool | None
    """Whether it travels over https only; `None` if that follows from the request."""

    def read(self, request: Request) -> str:
        """Return the value in a request; empty if there is none."""
        parts: list[str] = []
        for name in self._names(request):
            part = request.cookies.get(name)
            if part is None:
                break
            parts.append(part)
        return "".join(parts)

    def write(self, request: Request, response: Response, value: str) -> None:
        """Set the value, of at most `MAX_VALUE` characters."""
        assert len(value) <= MAX_VALUE
        for number, name in enumerate(self._names(request)):
            part = value[number * _PART : (number + 1) * _PART]
            if part:
                self._set(request, response, name, part, self.max_age)
            elif name in request.cookies:
                self._set(request, response, name, "", 0)

    def clear(self, request: Request, response: Response) -> None:
        """Have the browser forget it."""
        for name in self._names(request):
            if name in request.cookies:
                self._set(request, response, name, "", 0)

    def _set(
        self, request: Request, response: Response, name: str, value: str, max_age: int
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path="/",
            httponly=True,
            secure=self._is_secure(request),
            # Links from elsewhere lead to the pages; forms of other sites are refused twice over.
            samesite="lax",
        )

    def _names(self, request: Request) -> list[str]:
        # Only this very host can set a cookie with this prefix, over https and for all paths.
        prefix = "__Host-" if self._is_secure(request) else ""
        name = f"{prefix}{self.name}"
        return [name, *(f"{name}.{number}" for number in range(1, _MOST_PARTS))]

    def _is_secure(self, request: Request) -> bool:
        if self.secure is None:
            return request.url.scheme == "https"
        return self.secure
