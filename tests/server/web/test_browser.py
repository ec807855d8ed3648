"""The browser itself: that it runs here, and that the tests see what goes wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.web.browsing import (
    Watch,
    axe,
    every_look,
    offline,
    scrolls_sideways,
    wait_until,
)


def test_a_page_is_shown(page: Page, take_picture, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PICTURES", str(tmp_path))

    page.goto("/")
    take_picture(page, "first")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert (tmp_path / "first.png").stat().st_size > 1000


FAULTS = {
    "console error: broken": "console.error('broken')",
    "console warning: careful": "console.warn('careful')",
    "exception: ": "setTimeout(() => { throw new Error('thrown') })",
    "console error: Connecting to 'http://": "fetch('http://localhost:9/').catch(() => 0)",
}


@pytest.mark.parametrize("found", FAULTS)
def test_what_goes_wrong_in_a_page_is_seen(page: Page, watch: Watch, found: str) -> None:
    page.goto("/")

    page.evaluate(FAULTS[found])

    wait_until(page, lambda: [line for line in watch.unexpected if line.startswith(found)])
    watch.expect("")


def test_a_request_without_a_network_is_seen(page: Page, watch: Watch) -> None:
    page.goto("/")

    with offline(page.context):
        page.evaluate("fetch('/').catch(() => 0)")

    wait_until(page, lambda: "failed: GET" in str(watch.unexpected))
    watch.expect("ERR_INTERNET_DISCONNECTED")


@every_look
def test_axe_sees_what_is_wrong_and_nothing_else(open_context, look) -> None:
    page = open_context(look=look).new_page()
    page.goto("/")
    assert axe(page) == ""

    page.evaluate("document.querySelector('main').innerHTML += '<img src=\"data:,\"><input>'")

    found = axe(page)
    assert "image-alt (critical)" in found
    assert "label (critical)" in found


def test_a_page_wider_than_its_window_is_seen(page: Page) -> None:
    page.goto("/")
    assert not scrolls_sideways(page)

    page.evaluate("document.querySelector('main').style.minWidth = '2000px'")

    assert scrolls_sideways(page)
