"""Cookies that scripts cannot read. A long value is split into several cookies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

# Browsers silently drop a cookie that has more than 4,096 bytes with its name and attributes.
_PART: Final = 3_600
WEEK: Final = 7 * 24 * 3600
# Servers and proxies limit the headers, which hold all cookies together, to 16 to 64 kB.
_MOST_PARTS: Final = 4
MAX_VALUE: Final = _PART * _MOST_PARTS


@dataclass(frozen=True)
class Cookie:
    """A cookie for this site alone."""

    name: str
    max_age: int
    """Seconds until the cookie expires."""
    secure: bool | None
    """Whether it is sent over https only; `None` if the scheme of the request decides."""

    def read(self, request: Request) -> str:
        """Return the value in a request, or an empty text."""
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
        """Delete the cookie from the browser."""
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
            # Links of other sites still work. Forms of other sites are also refused by `csrf.py`.
            samesite="lax",
        )

    def _names(self, request: Request) -> list[str]:
        # Browsers accept this prefix only from this host itself, over https and for all paths.
        prefix = "__Host-" if self._is_secure(request) else ""
        name = f"{prefix}{self.name}"
        return [name, *(f"{name}.{number}" for number in range(1, _MOST_PARTS))]

    def _is_secure(self, request: Request) -> bool:
        if self.secure is None:
            return request.url.scheme == "https"
        return self.secure
