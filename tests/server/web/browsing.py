"""What the browser tests share: tabs that are watched, axe, and how a page is looked at."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
)

from tests.server.web.visitor import PASSWORD

TIMEOUT = 10_000
"""Milliseconds after which a browser test no longer waits for what should be there."""


@dataclass(frozen=True)
class Look:
    """How a page is looked at: light or dark, wide or narrow."""

    scheme: Literal["light", "dark"]
    width: int

    def __str__(self) -> str:
        return f"{self.scheme}-{self.width}"


LOOKS = [Look(scheme, width) for scheme in ("light", "dark") for width in (390, 1280)]
every_look = pytest.mark.parametrize("look", LOOKS, ids=str)
"""Runs a test four times: light and dark, on a telephone and on a desk."""


@dataclass
class Watch:
    """Collects what goes wrong in the tabs of a test: no test has to look for it.

    Whatever the console says as a warning or an error counts, and so do exceptions of scripts,
    requests that failed, replies of 500 and more, and requests to any other address.
    """

    site: str
    found: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.found.append(f"exception: {error.error}"))
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failure)
        context.on("response", self._on_response)

    def expect(self, pattern: str) -> None:
        """Say that something goes wrong in this test on purpose."""
        self._expected.append(re.compile(pattern))

    @property
    def unexpected(self) -> list[str]:
        return [
            line
            for line in self.found
            if not any(pattern.search(line) for pattern in self._expected)
        ]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.found.append(
                f"console {message.type}: {message.text} at {message.location['url']}"
            )

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        of_site = f"{address.scheme}://{address.netloc}" == self.site
        if not of_site and address.scheme not in ("data", "blob", "about"):
            self.found.append(f"leaves the site: {request.url}")

    def _on_failure(self, request: Request) -> None:
        # A page that is left takes its requests with it.
        if request.failure != "net::ERR_ABORTED":
            self.found.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.found.append(f"answered {response.status}: {response.url}")


def sign_in(page: Page, email: str) -> None:
    """Sign in through the form that is open."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Packages", exact=True).wait_for()


def axe(page: Page) -> str:
    """Return what keeps people with a screen reader or a keyboard out, readable; empty if nothing.

    Transitions are finished first: colours half-way have too little contrast.
    """
    page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    results = page.evaluate("axe.run({resultTypes: ['violations']})")
    lines: list[str] = []
    for violation in results["violations"]:
        lines.append(f"{violation['id']} ({violation['impact']}): {violation['help']}")
        for node in violation["nodes"]:
            lines.append(f"    {node['html'][:200]}")
            lines.extend(f"        {line}" for line in node["failureSummary"].splitlines()[1:])
    return "\n".join(lines)


def look_at(page: Page, look: Look) -> None:
    """Look at the page that is open in another way."""
    page.emulate_media(color_scheme=look.scheme)
    page.set_viewport_size({"width": look.width, "height": 800})


def assert_is_for_everybody(
    page: Page, take_picture: Callable[[Page, str], None], name: str
) -> None:
    """Look at a page in every way: axe finds nothing, and it is not wider than its window."""
    for look in LOOKS:
        look_at(page, look)
        assert (name, look, axe(page)) == (name, look, "")
        assert not scrolls_sideways(page), (name, look)
        take_picture(page, f"{name}-{look}")


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )


def wait_until(page: Page, holds: Callable[[], object]) -> None:
    """Wait for what no locator can see: something outside of the page, or collected here."""
    deadline = time.monotonic() + TIMEOUT / 1000
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        # Events of the browser arrive while Playwright waits, not while Python sleeps.
        page.wait_for_timeout(20)


@contextmanager
def offline(context: BrowserContext) -> Iterator[None]:
    """Take the network away."""
    context.set_offline(True)
    try:
        yield
    finally:
        context.set_offline(False)
