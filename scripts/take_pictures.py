"""Take the pictures of the page that the README and the docs show, from the content of the demo."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.server.web.chromium import ARGUMENTS, find_chromium  # noqa: E402  # after the path
from training_versions.cli.demo import DemoUser, fill  # noqa: E402
from training_versions.local import LocalSupabase  # noqa: E402
from training_versions.web import create_app  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1200, "height": 800}


def main() -> None:
    """Write the pictures."""
    IMAGES.mkdir(exist_ok=True)
    chromium = find_chromium()
    with LocalSupabase() as stack, socket.create_server(("127.0.0.1", 0)) as listener:
        accounts = fill(stack)
        app = create_app(url=stack.url, key=stack.publishable_key)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium.program,
                    args=ARGUMENTS,
                    env={**chromium.environment},
                )
                page = browser.new_page(viewport=SIZE, locale="en-US", device_scale_factor=1.5)
                take_all(page, f"http://127.0.0.1:{listener.getsockname()[1]}", accounts.ada)
        finally:
            server.should_exit = True
            thread.join()


def take_all(page: Page, site: str, user: DemoUser) -> None:
    """Sign in, and take a picture of each page."""
    page.goto(site)
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(user.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="support-bot").first.click()
    page.get_by_role("heading", name="support-bot").wait_for()
    page.screenshot(path=IMAGES / "history.png", animations="disabled")


if __name__ == "__main__":
    main()
