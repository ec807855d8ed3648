"""A real Chromium on a real server on the real stack.

Playwright's sync API keeps an event loop running in its thread for as long as it is started, and
`asyncio.run` refuses to work beside it. So the browser lives as long as one file of tests (it
starts in less than a second), and a file has either browser tests or tests that use asyncio.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.server.web.browsing import TIMEOUT, Look, Watch
from tests.server.web.chromium import ARGUMENTS, Chromium, find_chromium
from training_versions.local import LocalSupabase

PASSWORD = "correct horse battery"
SERVER_TIMEOUT = 20
DESK = Look("light", 1280)


async def _home(request: Request) -> Response:
    return HTMLResponse(
        "<!doctype html><html lang='en'><title>Packages</title>"
        "<link rel='icon' href='data:,'><main><h1>Packages</h1></main></html>"
    )


def _make_app(stack: LocalSupabase) -> Starlette:
    return Starlette(routes=[Route("/", _home)])


@pytest.fixture(scope="session")
def site(stack: LocalSupabase) -> Iterator[str]:
    """The address of the pages, served by uvicorn on the stack."""
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    config = uvicorn.Config(_make_app(stack), log_level="warning", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="site")
    thread.start()
    address = f"http://{host}:{port}"
    try:
        # The socket listens already, so the request waits until the application has started.
        httpx.get(address, timeout=SERVER_TIMEOUT)
        yield address
    finally:
        server.should_exit = True
        thread.join(SERVER_TIMEOUT)
        listener.close()
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    return find_chromium()


@pytest.fixture(scope="module")
def browser(chromium: Chromium) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium.program,
            env=chromium.environment,
            args=ARGUMENTS,
        )
        yield started
        started.close()


@pytest.fixture
def watch(site: str) -> Iterator[Watch]:
    """What goes wrong in the tabs of a test, which fails for it unless it said `watch.expect`."""
    watch = Watch(site)
    yield watch
    assert watch.unexpected == []


OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def open_context(browser: Browser, site: str, watch: Watch) -> Iterator[OpenContext]:
    """Opens a browser of its own, as of another person: no cookie is shared between two."""
    opened: list[BrowserContext] = []

    def open_one(
        *, look: Look = DESK, javascript: bool = True, state: StorageState | None = None
    ) -> BrowserContext:
        context = browser.new_context(
            base_url=site,
            color_scheme=look.scheme,
            viewport={"width": look.width, "height": 800},
            java_script_enabled=javascript,
            storage_state=state,
            locale="en-GB",
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        context.set_default_timeout(TIMEOUT)
        watch.follow(context)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def page(open_context: OpenContext) -> Page:
    """A tab of somebody who is not signed in."""
    return open_context().new_page()


@pytest.fixture
def take_picture(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Page, str], Path]:
    """Takes a picture of a whole page, into the folder that `PICTURES` names, if it does."""
    folder = Path(os.environ.get("PICTURES", tmp_path))

    def take(page: Page, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=True, animations="disabled", caret="initial")
        return path

    return take
