"""A real Chromium on a real server on the real stack.

Playwright's sync API keeps an event loop running in its thread for as long as it is started, and
`asyncio.run` refuses to work beside it. So the browser lives as long as one file of tests (it
starts in less than a second), and a file has either browser tests or tests that use asyncio.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import psycopg
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright
from starlette.applications import Starlette

from tests.server.web.browsing import TIMEOUT, Look, Watch, sign_in
from tests.server.web.chromium import ARGUMENTS, Chromium, find_chromium
from tests.server.web.shop import Shop
from tests.server.web.visitor import Visitor, make_account
from training_versions import Version
from training_versions.local import LocalSupabase
from training_versions.web import create_app

SERVER_TIMEOUT = 20
CALL_TIMEOUT = 120
DESK = Look("light", 1280)


SECRET = "a secret of the tests"
AUTOSAVE_SECONDS = 2

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


def _make_app(stack: LocalSupabase) -> Starlette:
    return create_app(
        url=stack.url,
        key=stack.publishable_key,
        secret=SECRET,
        autosave_seconds=AUTOSAVE_SECONDS,
    )


# --- without a browser


@pytest.fixture(scope="session")
def run() -> Iterator[Run[Any]]:
    """Runs a coroutine to its end, all of them on one event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="pages")
    thread.start()
    yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(CALL_TIMEOUT)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(CALL_TIMEOUT)
    loop.close()


@pytest.fixture(scope="session")
def web_app(stack: LocalSupabase, run: Run[Any]) -> Iterator[Starlette]:
    """The application, started."""
    app = _make_app(stack)
    context = app.router.lifespan_context(app)
    run(context.__aenter__())
    yield app
    run(context.__aexit__(None, None, None))


@pytest.fixture
def new_visitor(
    stack: LocalSupabase, web_app: Starlette, run: Run[Any]
) -> Iterator[Callable[[], Visitor]]:
    """Makes browsers without scripts, each with cookies of its own."""
    opened: list[httpx.AsyncClient] = []

    def make() -> Visitor:
        transport = httpx.ASGITransport(web_app, raise_app_exceptions=False)
        http = httpx.AsyncClient(transport=transport, base_url="http://pages.test")
        opened.append(http)
        return Visitor(http, run, stack)

    yield make
    for http in opened:
        run(http.aclose())


@pytest.fixture
def visitor(new_visitor: Callable[[], Visitor]) -> Visitor:
    """A browser of nobody."""
    return new_visitor()


@pytest.fixture
def owner_page(new_visitor: Callable[[], Visitor], owner_email: str) -> Visitor:
    """A browser in which the owner is signed in."""
    visitor = new_visitor()
    visitor.sign_in(owner_email)
    return visitor


@pytest.fixture(scope="module")
def shop(stack: LocalSupabase, web_app: Starlette, run: Run[Any]) -> Iterator[Shop]:
    """The pages and the SDK, as one person; tests of a file tell themselves apart by packages."""
    yield from _open_shop(stack, web_app, run)


@pytest.fixture(scope="module")
def other_shop(stack: LocalSupabase, web_app: Starlette, run: Run[Any]) -> Iterator[Shop]:
    """The same as somebody else."""
    yield from _open_shop(stack, web_app, run)


def _open_shop(stack: LocalSupabase, web_app: Starlette, run: Run[Any]) -> Iterator[Shop]:
    transport = httpx.ASGITransport(web_app, raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url="http://pages.test")
    email = f"{uuid4().hex}@example.com"
    pages = Visitor(http, run, stack)
    pages.sign_in(email)
    yield Shop.open(pages, stack, email)
    run(http.aclose())


@pytest.fixture
def damage(stack: LocalSupabase) -> Callable[[Version, str], None]:
    """Changes columns of a version past all rules, to what older rules may have left."""

    def change(version: Version, columns: str) -> None:
        with psycopg.connect(stack.admin_db_url, cursor_factory=psycopg.ClientCursor) as database:
            database.execute(
                "set local session_replication_role = replica;"
                f"update public.training_package_versions set {columns} where id = %s",
                [version.id],
            )

    return change


# --- in a browser


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


PageOf = Callable[..., Page]


@pytest.fixture(scope="module")
def signed_in_states() -> dict[str, StorageState]:
    """The cookies of those who have signed in, by their addresses."""
    return {}


@pytest.fixture
def page_of(
    stack: LocalSupabase, open_context: OpenContext, signed_in_states: dict[str, StorageState]
) -> PageOf:
    """Opens a tab of somebody who is signed in, in a browser of their own.

    They sign in through the form once, and their other browsers get the same cookies.
    """

    def open_page(email: str, *, look: Look = DESK, javascript: bool = True) -> Page:
        state = signed_in_states.get(email)
        page = open_context(look=look, javascript=javascript, state=state).new_page()
        if state is None:
            make_account(stack, email)
            page.goto("/sign-in")
            sign_in(page, email)
            signed_in_states[email] = page.context.storage_state()
        return page

    return open_page


@pytest.fixture
def take_picture() -> Callable[[Page, str], None]:
    """Takes a picture of a whole page, into the folder that `PICTURES` names, if it does."""

    def take(page: Page, name: str) -> None:
        folder = os.environ.get("PICTURES")
        if folder is not None:
            path = Path(folder) / f"{name}.png"
            page.screenshot(path=path, full_page=True, animations="disabled", caret="initial")

    return take
