"""The editor of a draft in a real browser: typing, saving, and what comes in between."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.server.web.browsing import wait_until
from tests.server.web.drafting import Drafter, path_of
from training_versions import Version
from training_versions.local import LocalSupabase

SAVED = re.compile(r"Saved \d+ s ago")


@pytest.fixture(scope="module")
def ada_email() -> str:
    """One user for all tests of this file, who signs in once."""
    return "ada-of-the-editor@example.com"


@pytest.fixture
def ada(stack: LocalSupabase, ada_email: str, page_of: Callable[..., Page]) -> Drafter:
    page_of(ada_email)
    return Drafter.of(stack, ada_email)


@pytest.fixture
def draft(ada: Drafter) -> Version:
    return ada.draft()


@pytest.fixture
def editor(draft: Version, page_of: Callable[..., Page], ada_email: str) -> Page:
    return open_editor(page_of(ada_email), draft)


def open_editor(page: Page, draft: Version) -> Page:
    page.goto(path_of(draft))
    expect(status_of(page)).to_have_text("All changes are saved.")
    return page


def status_of(page: Page):
    return page.locator("#save-status")


def type_at_end(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).press("ControlOrMeta+End")
    page.keyboard.type(text)


def test_what_is_typed_is_saved_by_itself_and_said_once(
    editor: Page, ada: Drafter, draft: Version
) -> None:
    editor.evaluate(
        """() => {
            window.heard = [];
            const news = document.getElementById("save-news");
            new MutationObserver(() => window.heard.push(news.textContent))
                .observe(news, { childList: true, characterData: true, subtree: true });
        }"""
    )

    type_at_end(editor, "What is new", "a higher rank")

    expect(status_of(editor)).to_have_text("Unsaved changes")
    expect(status_of(editor)).to_have_text(SAVED)
    assert ada.now(draft).change_summary == "a higher rank"
    expect(status_of(editor)).to_have_text("Saved 2 s ago")
    heard = editor.evaluate("window.heard")
    assert [text[:9] for text in heard] == ["Saved at "]


def test_typing_while_a_save_is_under_way_loses_neither_a_character_nor_the_caret(
    editor: Page, ada: Drafter, draft: Version
) -> None:
    held: list[Route] = []
    editor.route("**/edit", lambda route: held.append(route))
    type_at_end(editor, "What is new", "one ")
    wait_until(editor, lambda: held)

    editor.keyboard.type("three")
    for _ in range(5):
        editor.keyboard.press("ArrowLeft")
    editor.keyboard.type("two ")
    held.pop().continue_()
    wait_until(editor, lambda: ada.now(draft).change_summary == "one ")
    editor.unroute("**/edit")
    editor.keyboard.type("& ")
    for route in held:
        route.continue_()

    summary = editor.get_by_label("What is new")
    expect(summary).to_be_focused()
    expect(summary).to_have_value("one two & three")
    wait_until(editor, lambda: ada.now(draft).change_summary == "one two & three")
