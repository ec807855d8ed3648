"""The editor of a draft in a real browser: typing and saving, and what comes in between."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.server.web.browsing import (
    Watch,
    assert_is_for_everybody,
    offline,
    sign_in,
    wait_until,
)
from tests.server.web.drafting import Drafter
from tests.server.web.editor_pages import (
    NO_NETWORK,
    SAVED,
    alarm_of,
    field,
    news_of,
    open_editor,
    save_now,
    set_config,
    status_code,
    status_of,
    type_at_end,
)
from tests.server.web.visitor import make_account
from training_versions import Version
from training_versions.local import LocalSupabase

EMAIL = "ada-types@example.com"
"""One user for all tests of this file, who signs in once."""


@pytest.fixture
def tab(page_of: Callable[..., Page]) -> Page:
    return page_of(EMAIL)


@pytest.fixture
def ada(stack: LocalSupabase, tab: Page) -> Drafter:
    return Drafter.of(stack, EMAIL)


@pytest.fixture
def draft(ada: Drafter) -> Version:
    return ada.draft()


@pytest.fixture
def editor(tab: Page, draft: Version) -> Page:
    return open_editor(tab, draft)


# --- typing and saving


def test_what_is_typed_is_saved_by_itself_and_said_once(
    editor: Page, ada: Drafter, draft: Version
) -> None:
    editor.evaluate(
        """() => {
            window.heard = [];
            for (const part of document.querySelectorAll("[role=status], [role=alert]")) {
                new MutationObserver(() => window.heard.push(part.textContent))
                    .observe(part, { childList: true, characterData: true, subtree: true });
            }
        }"""
    )

    type_at_end(editor, "Summary", "a higher rank")

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
    type_at_end(editor, "Summary", "one ")
    wait_until(editor, lambda: held)

    editor.keyboard.type("three")
    for _ in range(5):
        editor.keyboard.press("ArrowLeft")
    editor.keyboard.type("two ")
    held.pop().continue_()
    wait_until(editor, lambda: ada.now(draft).change_summary == "one ")
    editor.keyboard.type("& ")

    expect(field(editor, "Summary")).to_be_focused()
    expect(field(editor, "Summary")).to_have_value("one two & three")
    wait_until(editor, lambda: held)
    held.pop().continue_()
    editor.unroute("**/edit")
    wait_until(editor, lambda: ada.now(draft).change_summary == "one two & three")


def test_the_text_is_left_as_it_was_typed(editor: Page, ada: Drafter, draft: Version) -> None:
    text = '{"r":1.0,\n\n      "alpha" : 1e1 ,"n":12345678901234567890}'
    field(editor, "Config").fill(text)
    field(editor, "Budget").fill("12.5")

    save_now(editor)

    expect(status_of(editor)).to_have_text(SAVED)
    expect(field(editor, "Config")).to_have_value(text)
    expect(field(editor, "Budget")).to_have_value("12.5")
    stored = ada.now(draft).config_snapshot
    assert repr(stored["r"]) == "1.0"
    assert stored["n"] == 12345678901234567890


def test_without_a_network_it_says_so_and_saves_when_there_is_one_again(
    editor: Page, ada: Drafter, draft: Version, watch: Watch
) -> None:
    watch.expect(NO_NETWORK)
    set_config(editor, {"r": 0})
    with offline(editor.context):
        expect(status_of(editor)).to_contain_text("Not saved yet: no network.")
        set_config(editor, {"r": 1})
        expect(status_of(editor)).to_contain_text("no connection to the server.")
        set_config(editor, {"r": 2})
        assert "Not saved yet" in news_of(editor)
        assert ada.now(draft) == draft

    expect(status_of(editor)).to_have_text(SAVED)
    wait_until(editor, lambda: ada.now(draft).config_snapshot == {"r": 2})


def test_a_save_whose_reply_was_lost_is_sent_again_and_is_no_conflict(
    editor: Page, ada: Drafter, draft: Version, watch: Watch
) -> None:
    watch.expect("ERR_CONNECTION_RESET")

    def lose_reply(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    editor.route("**/edit", lose_reply, times=1)
    set_config(editor, {"r": 1})
    save_now(editor)
    expect(status_of(editor)).to_contain_text("Not saved yet")
    assert ada.now(draft).config_snapshot == {"r": 1}
    set_config(editor, {"r": 2})

    expect(status_of(editor)).to_have_text(SAVED)
    wait_until(editor, lambda: ada.now(draft).config_snapshot == {"r": 2})
    expect(editor.locator("#conflict")).to_have_count(0)


# --- leaving


def test_leaving_with_unsaved_changes_asks_and_without_does_not(editor: Page, watch: Watch) -> None:
    watch.expect(NO_NETWORK)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    editor.on("dialog", stay)
    with offline(editor.context):
        type_at_end(editor, "Summary", "unsaved")
        editor.close(run_before_unload=True)
        wait_until(editor, lambda: asked)
    assert asked == ["beforeunload"]
    expect(status_of(editor)).to_have_text(SAVED)

    with editor.expect_event("close"):
        editor.close(run_before_unload=True)
    assert asked == ["beforeunload"]


def test_a_link_waits_for_the_save(editor: Page, ada: Drafter, draft: Version) -> None:
    type_at_end(editor, "Summary", "before leaving")

    editor.get_by_role("link", name="support-bot").click()

    editor.wait_for_url(re.compile(f"/packages/{draft.package_id}$"))
    assert ada.now(draft).change_summary == "before leaving"


def test_a_link_does_not_leave_what_cannot_be_saved(editor: Page, watch: Watch) -> None:
    watch.expect(status_code(422))
    field(editor, "Name").fill("")

    editor.get_by_role("link", name="support-bot").click()

    expect(editor.locator("#problem-name")).to_contain_text("Name must not be empty")
    assert editor.url.endswith("/edit")
    assert "this page stays open" in alarm_of(editor)


# --- mistakes and refusals


def test_a_mistake_is_shown_when_typing_pauses_and_leads_to_its_place(editor: Page) -> None:
    field(editor, "Config").fill('{"note": "😀😀"\n "r": 1}')

    problem = editor.locator("#problem-config")
    expect(problem).to_contain_text("Line 2, column 2: Here a comma is missing")
    expect(field(editor, "Config")).to_have_attribute("aria-invalid", "true")
    assert news_of(editor).startswith("Config: Here a comma is missing")
    problem.get_by_role("button", name="Go to line 2 of Config").click()
    editor.keyboard.type("XX")
    expect(field(editor, "Config")).to_have_value('{"note": "😀😀"\n XXr": 1}')

    field(editor, "Config").fill('{"note": "😀😀",\n "r": 1}')
    expect(problem).to_be_empty()
    expect(field(editor, "Config")).not_to_have_attribute("aria-invalid", "true")
    expect(status_of(editor)).to_have_text(SAVED)


def test_what_is_refused_is_said_beside_its_field_and_the_rest_is_saved(
    editor: Page, ada: Drafter, draft: Version, watch: Watch
) -> None:
    watch.expect(status_code(422))
    secret = '{"hub_token": "hf_abcdefghijklmnopqrstuvwxyz0123456"}'
    # What is typed is checked after a pause, when the save has refused it already.
    with editor.expect_response("**/edit/check"):
        field(editor, "Config").fill(secret)
        type_at_end(editor, "Summary", "with a token")

        save_now(editor)

    expect(editor.locator("#problem-config")).to_contain_text("config.hub_token contains a secret")
    expect(status_of(editor)).to_contain_text("All is saved but for")
    expect(field(editor, "Config")).to_have_value(secret)
    assert ada.now(draft).change_summary == "with a token"
    assert ada.now(draft).config_snapshot == draft.config_snapshot
    status_of(editor).get_by_role("button", name="Config").click()
    expect(field(editor, "Config")).to_be_focused()
    expect(editor.locator("#problem-config")).to_contain_text("config.hub_token contains a secret")


# --- sessions


def end_session(page: Page) -> None:
    """Let the tokens be gone; the browser keeps the name that the server gave it."""
    tokens = re.compile("-(access|refresh)$")
    assert any(tokens.search(cookie["name"]) for cookie in page.context.cookies())
    page.context.clear_cookies(name=tokens)


def test_when_the_session_has_ended_nothing_is_lost_and_signing_in_elsewhere_goes_on(
    editor: Page, ada: Drafter, draft: Version, watch: Watch
) -> None:
    watch.expect(status_code(401))
    end_session(editor)
    set_config(editor, {"r": 5})
    save_now(editor)

    expect(status_of(editor)).to_contain_text("You are signed out. What you typed is kept here.")
    assert "You are signed out" in alarm_of(editor)
    set_config(editor, {"r": 6})
    with editor.expect_popup() as opened:
        status_of(editor).get_by_role("link", name="Sign in in a new tab").click()
    other = opened.value
    sign_in(other, EMAIL)
    other.close()

    expect(status_of(editor)).to_have_text(SAVED)
    wait_until(editor, lambda: ada.now(draft).config_snapshot == {"r": 6})


def test_signed_in_as_somebody_else_nothing_is_saved_and_nothing_is_lost(
    editor: Page,
    stack: LocalSupabase,
    ada: Drafter,
    draft: Version,
    watch: Watch,
    stranger_email: str,
) -> None:
    watch.expect(f"{status_code(403)}|{status_code(404)}")
    make_account(stack, stranger_email)
    editor.context.clear_cookies()
    other = editor.context.new_page()
    other.goto("/sign-in")
    sign_in(other, stranger_email)

    set_config(editor, {"r": 7})
    save_now(editor)

    expect(status_of(editor)).to_contain_text("You are signed in as somebody else.")
    expect(field(editor, "Config")).to_have_value('{"r": 7}')
    assert ada.now(draft) == draft


# --- how it looks and reads


def test_it_works_by_keyboard_alone(editor: Page, ada: Drafter, draft: Version) -> None:
    editor.locator("body").press("Tab")
    labels = ["Name", "Summary", "Config", "Base model", "Data sets", "Budget"]
    reached: list[str] = []
    for _ in range(20):
        editor.keyboard.press("Tab")
        reached.append(editor.evaluate("document.activeElement.labels?.[0]?.textContent ?? ''"))
    assert [label for label in reached if label in labels] == labels

    field(editor, "Budget").focus()
    editor.keyboard.type("99.5")
    editor.keyboard.press("Enter")

    expect(status_of(editor)).to_have_text(SAVED)
    assert str(ada.now(draft).budget_limit) == "99.50"


HOSTILE = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\"'&amp;"


def test_hostile_content_is_text_everywhere(tab: Page, ada: Drafter, watch: Watch) -> None:
    watch.expect(status_code(422))
    content = {HOSTILE: HOSTILE}
    draft = ada.draft(HOSTILE, config=content, name=HOSTILE, change_summary=HOSTILE)
    editor = open_editor(tab, draft)

    field(editor, "Base model").fill('{"<b>x</b>": <script>alert(1)</script>}')
    field(editor, "Budget").fill("<b>12</b>")
    save_now(editor)

    expect(editor.locator("#problem-model")).to_contain_text("<script>alert(1)</script>")
    expect(editor.locator("#problem-budget_limit")).to_contain_text("<b>12</b>")
    expect(editor.locator("main b, main script, main img")).to_have_count(0)
    expect(field(editor, "Name")).to_have_value(HOSTILE)
    assert ada.now(draft).config_snapshot == content


def test_axe_finds_nothing(editor: Page, watch: Watch, take_picture) -> None:
    watch.expect(status_code(422))
    assert_is_for_everybody(editor, take_picture, "editor")

    field(editor, "Config").fill('{\n  "r": 16\n  "alpha": 32\n}')
    field(editor, "Budget").fill("much")
    save_now(editor)

    expect(editor.locator("#problem-config")).to_contain_text("comma")
    assert_is_for_everybody(editor, take_picture, "editor-mistakes")
