"""Take the pictures of the page that the README and the docs show, from the content of the demo."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import zlib
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.server.web.chromium import ARGUMENTS, find_chromium  # noqa: E402  # after the path
from training_versions.cli.demo import DemoUser, fill  # noqa: E402
from training_versions.local import LocalSupabase  # noqa: E402
from training_versions.web import create_app  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1160, "height": 660}
MAX_BYTES = 120_000


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
                site = f"http://127.0.0.1:{listener.getsockname()[1]}"
                context = browser.new_context(
                    base_url=site, viewport=SIZE, locale="en-US", color_scheme="light"
                )
                take_all(context.new_page(), accounts.ada)
        finally:
            server.should_exit = True
            thread.join()


def take_all(page: Page, user: DemoUser) -> None:
    """Sign in, and take a picture of each page."""
    page.goto("/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(user.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Packages")).to_be_visible()
    take(page, "packages", height=400)

    page.get_by_role("link", name="support-bot").first.click()
    expect(page.get_by_role("heading", name="support-bot")).to_be_visible()
    package = page.url
    take(page, "package")

    page.goto(f"{package}/v/5")
    page.locator(".uplot").wait_for()
    page.evaluate("document.getElementById('training').scrollIntoView()")
    take(page, "training")

    page.goto(f"{package}/compare?left=4&right=5")
    expect(page.get_by_role("heading", name="v4 → v5")).to_be_visible()
    take(page, "compare")

    page.goto(f"{package}/v/5/restore")
    expect(page.get_by_role("heading", name="Restore v5")).to_be_visible()
    take(page, "restore")

    # The last one: it changes the draft.
    take_conflict(page, f"{package}/v/8/edit")


def take_conflict(page: Page, address: str) -> None:
    """Edit a draft in two tabs, and show what the later one gets."""
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(address)
        expect(tab.get_by_text("All changes are saved.")).to_be_visible()
    edit(page, '"r": 32', '"r": 64')
    expect(page.locator("#save-status")).to_contain_text("Saved")
    edit(other, '"lora_dropout": 0.1', '"lora_dropout": 0.05')
    expect(other.get_by_role("heading", name="This draft was changed elsewhere")).to_be_visible()
    other.set_viewport_size(SIZE)
    other.evaluate("scrollTo(0, 0)")
    take(other, "editor")


def edit(page: Page, old: str, new: str) -> None:
    """Change the config of the draft, and save it."""
    config = page.get_by_label("Config")
    config.fill(config.input_value().replace(old, new))
    page.get_by_role("button", name="Save", exact=True).last.click()


def take(page: Page, name: str, *, height: int = SIZE["height"]) -> None:
    """Write a picture of what the window shows."""
    page.set_viewport_size({"width": SIZE["width"], "height": height})
    path = IMAGES / f"{name}.png"
    picture = page.screenshot(animations="disabled", caret="hide")
    size = path.write_bytes(compressed(picture))
    if size > MAX_BYTES:
        raise SystemExit(f"{path.name} has {size:,} bytes, more than {MAX_BYTES:,}")
    print(f"{path.relative_to(ROOT)}: {size:,} bytes")


def compressed(picture: bytes) -> bytes:
    """Compress a PNG as far as it goes: a browser is in a hurry."""
    signature, pixels = picture[:8], b""
    chunks: list[tuple[bytes, bytes]] = []
    position = len(signature)
    while position < len(picture):
        length, kind = struct.unpack_from(">I4s", picture, position)
        content = picture[position + 8 : position + 8 + length]
        position += length + 12
        if kind == b"IDAT":
            pixels += content
        else:
            chunks.append((kind, content))
    packed = zlib.compress(zlib.decompress(pixels), level=9)
    chunks.insert(-1, (b"IDAT", packed))
    return signature + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


if __name__ == "__main__":
    main()
