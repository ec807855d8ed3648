"""The editor of a draft in a browser, as the tests use it."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Locator, Page, expect

from tests.server.web.drafting import path_of
from training_versions import Version

SAVED = re.compile(r"Saved \d+ s ago")
CONFLICT = re.compile("this draft was changed elsewhere")

NO_NETWORK = "ERR_INTERNET_DISCONNECTED"
"""What the console says of each request without a network."""


def status_code(code: int) -> str:
    """What the console says of a reply that is an error."""
    return f"the server responded with a status of {code} "


def open_editor(page: Page, draft: Version) -> Page:
    page.goto(path_of(draft))
    expect(status_of(page)).to_have_text("All changes are saved.")
    return page


def status_of(page: Page) -> Locator:
    return page.locator("#save-status")


def field(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def type_at_end(page: Page, label: str, text: str) -> None:
    field(page, label).press("ControlOrMeta+End")
    page.keyboard.type(text)


def set_config(page: Page, config: object) -> None:
    field(page, "Config").fill(json.dumps(config))


def save_now(page: Page) -> None:
    page.keyboard.press("Control+s")


def news_of(page: Page) -> str:
    """What a screen reader was told last, when it is done with what it reads."""
    return page.locator("#save-news").inner_text()


def alarm_of(page: Page) -> str:
    """What a screen reader was told last, at once."""
    return page.locator("#save-alarm").inner_text()
