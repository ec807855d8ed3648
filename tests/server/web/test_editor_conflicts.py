"""The editor of a draft in two tabs, and in one whose draft ends: nothing is lost in either."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.server.web.browsing import (
    Watch,
    assert_is_for_everybody,
    axe,
    offline,
    wait_until,
)
from tests.server.web.drafting import CONFIG, Drafter, path_of
from tests.server.web.editor_pages import (
    CONFLICT,
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
from training_versions import Version
from training_versions.local import LocalSupabase

EMAIL = "ada-in-two-tabs@example.com"
"""One user for all tests of this file, who signs in once."""


@pytest.fixture
def tab(page_of: Callable[..., Page], watch: Watch) -> Page:
    # A conflict is answered with 409, and the console says so.
    watch.expect(status_code(409))
    return page_of(EMAIL)


@pytest.fixture
def ada(stack: LocalSupabase, tab: Page) -> Drafter:
    return Drafter.of(stack, EMAIL)


@pytest.fixture
def draft(ada: Drafter) -> Version:
    return ada.draft()


@pytest.fixture
def first(tab: Page, draft: Version) -> Page:
    return open_editor(tab, draft)


@pytest.fixture
def second(first: Page, draft: Version) -> Page:
    """The same draft in another tab of the same browser."""
    return open_editor(first.context.new_page(), draft)


def clash(first: Page, second: Page, mine: object, theirs: object) -> None:
    """Save `theirs` in the first tab, and try to save `mine` in the second."""
    set_config(first, theirs)
    save_now(first)
    expect(status_of(first)).to_have_text(SAVED)
    set_config(second, mine)
    save_now(second)
    expect(status_of(second)).to_contain_text(CONFLICT)


THEIRS = CONFIG | {"r": 64}
MINE = CONFIG | {"seed": 7}


def test_the_later_tab_gets_both_sides_and_merges_them(
    first: Page, second: Page, ada: Drafter, draft: Version
) -> None:
    clash(first, second, MINE, THEIRS)

    assert ada.now(draft).config_snapshot == THEIRS
    assert "changed elsewhere" in alarm_of(second)
    expect(second.get_by_role("heading", name="This draft was changed elsewhere")).to_be_focused()
    rows = second.get_by_role("row")
    expect(rows.filter(has_text="Config / r")).to_have_text(["Config / r 16 16 64"])
    expect(rows.filter(has_text="Config / seed")).to_have_text(["Config / seed nothing 7 nothing"])
    expect(field(second, "Config")).to_have_value(json.dumps(MINE))

    second.get_by_role("button", name="Merge both").click()

    expect(status_of(second)).to_have_text(SAVED)
    expect(second.locator("#conflict")).to_have_count(0)
    assert ada.now(draft).config_snapshot == CONFIG | {"r": 64, "seed": 7}
    assert json.loads(field(second, "Config").input_value()) == CONFIG | {"r": 64, "seed": 7}


def test_overwriting_saves_mine_and_leaves_their_other_fields(
    first: Page, second: Page, ada: Drafter, draft: Version
) -> None:
    type_at_end(first, "Summary", "theirs")
    clash(first, second, {"r": 8}, {"r": 64})
    expect(second.get_by_role("button", name="Merge both")).to_have_count(0)
    expect(second.locator("#conflict")).to_contain_text("What they changed in Config is lost.")

    second.get_by_role("button", name="Overwrite with mine").click()

    expect(status_of(second)).to_have_text(SAVED)
    expect(field(second, "Summary")).to_have_value("theirs")
    now = ada.now(draft)
    assert (now.config_snapshot, now.change_summary) == ({"r": 8}, "theirs")


def test_discarding_shows_theirs_and_mine_can_be_brought_back(
    first: Page, second: Page, ada: Drafter, draft: Version
) -> None:
    clash(first, second, {"r": 8}, {"r": 64})

    second.get_by_role("button", name="Discard mine").click()

    expect(field(second, "Config")).to_have_value('{\n  "r": 64\n}')
    assert ada.now(draft).config_snapshot == {"r": 64}
    second.get_by_role("button", name="Bring it back").click()
    expect(field(second, "Config")).to_have_value('{"r": 8}')
    expect(status_of(second)).to_have_text(SAVED)
    wait_until(second, lambda: ada.now(draft).config_snapshot == {"r": 8})


def test_typing_goes_on_during_a_conflict_and_a_text_that_agrees_can_be_merged(
    first: Page, second: Page, ada: Drafter, draft: Version
) -> None:
    clash(first, second, {"r": 8}, {"r": 64})
    set_config(second, {"r": 64, "seed": 1})
    expect(field(second, "Config")).to_be_focused()

    second.get_by_role("button", name="Merge both").click()

    expect(status_of(second)).to_have_text(SAVED)
    assert ada.now(draft).config_snapshot == {"r": 64, "seed": 1}


def test_without_a_network_nothing_is_decided_and_it_can_be_chosen_again(
    first: Page, second: Page, ada: Drafter, draft: Version, watch: Watch
) -> None:
    watch.expect(NO_NETWORK)
    clash(first, second, MINE, THEIRS)
    with offline(second.context):
        second.get_by_role("button", name="Merge both").click()
        expect(status_of(second)).to_contain_text("Choose again when there is one.")
        assert "Choose again" in alarm_of(second)
    expect(field(second, "Config")).to_have_value(json.dumps(MINE))

    second.get_by_role("button", name="Merge both").click()

    expect(status_of(second)).to_have_text(SAVED)
    assert ada.now(draft).config_snapshot == CONFIG | {"r": 64, "seed": 7}


def test_a_side_that_moved_since_it_was_shown_is_shown_again(
    first: Page, second: Page, ada: Drafter, draft: Version
) -> None:
    clash(first, second, {"r": 8}, {"r": 64})
    ada.versions.update_draft(draft.id, config={"r": 128})

    second.get_by_role("button", name="Overwrite with mine").click()

    expect(second.locator("#conflict")).to_contain_text("128")
    assert "changed again meanwhile" in alarm_of(second)
    assert ada.now(draft).config_snapshot == {"r": 128}
    second.get_by_role("button", name="Overwrite with mine").click()
    expect(status_of(second)).to_have_text(SAVED)
    assert ada.now(draft).config_snapshot == {"r": 8}


def test_what_is_no_json_yet_is_kept_through_a_merge(
    first: Page, second: Page, ada: Drafter, draft: Version, watch: Watch
) -> None:
    watch.expect(status_code(422))
    field(second, "Base model").fill('{"id": ')
    expect(second.locator("#problem-model")).to_contain_text("The text ends here")
    clash(first, second, MINE, THEIRS)

    second.get_by_role("button", name="Merge both").click()

    expect(status_of(second)).to_contain_text("All is saved but for")
    expect(field(second, "Base model")).to_have_value('{"id": ')
    assert ada.now(draft).config_snapshot == CONFIG | {"r": 64, "seed": 7}


def test_an_edit_that_came_in_unnoticed_is_shown_and_not_overwritten_later(
    first: Page, second: Page, ada: Drafter, draft: Version
) -> None:
    # Both give it the same name, so the save of the second tab changes nothing and is not refused.
    ada.versions.update_draft(draft.id, config={"r": 64}, name="same")
    field(second, "Name").fill("same")
    save_now(second)

    expect(field(second, "Config")).to_have_value('{\n  "r": 64\n}')
    expect(second.locator("#editor-notice")).to_contain_text("shown here now: Config")
    assert "Config" in news_of(second)
    type_at_end(second, "Summary", "on top")
    save_now(second)
    expect(status_of(second)).to_have_text(SAVED)
    wait_until(second, lambda: ada.now(draft).change_summary == "on top")
    assert ada.now(draft).config_snapshot == {"r": 64}


@pytest.mark.parametrize("label", ["Summary", "Base model"])
def test_what_is_typed_while_both_sides_are_compared_is_not_taken_for_saved(
    first: Page, second: Page, ada: Drafter, draft: Version, label: str
) -> None:
    ada.versions.update_draft(draft.id, config={"r": 64}, name="same")
    held: list[Route] = []
    second.route("**/edit/compare", lambda route: held.append(route), times=1)
    field(second, "Name").fill("same")
    save_now(second)
    wait_until(second, lambda: held != [])
    typed = {"Summary": "on top", "Base model": '{"id": "on top"}'}[label]
    field(second, label).fill(typed)
    held[0].continue_()

    second.get_by_role("button", name="Merge both").click()

    expect(status_of(second)).to_have_text(SAVED)
    expect(field(second, label)).to_have_value(re.compile("on top"))
    now = ada.now(draft)
    assert now.config_snapshot == {"r": 64}
    assert "on top" in (now.change_summary or now.model_snapshot["id"])


@pytest.mark.parametrize("end", ["published", "archived", "not there any more"])
def test_a_draft_that_ended_elsewhere_is_read_only_with_the_reason_and_the_text(
    first: Page, ada: Drafter, draft: Version, end: str
) -> None:
    first.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if end == "not there any more":
        ada.versions.delete_draft(draft.id)
    else:
        ada.versions.publish(draft.id)
    if end == "archived":
        ada.versions.archive(draft.id)
    set_config(first, {"typed": "for an hour"})

    save_now(first)

    expect(first.locator("#ended")).to_contain_text(end)
    assert "Nothing can be saved here any more" in alarm_of(first)
    expect(field(first, "Config")).to_have_value('{"typed": "for an hour"}')
    expect(field(first, "Config")).not_to_be_editable()
    first.get_by_role("button", name="Copy what is not saved").click()
    wait_until(first, lambda: news_of(first) == "Copied.")
    copied = first.evaluate("navigator.clipboard.readText()")
    assert copied == 'Config:\n{"typed": "for an hour"}\n'
    assert axe(first) == ""


def test_the_editor_of_a_published_version_is_read_only_from_the_start(
    tab: Page, ada: Drafter, draft: Version
) -> None:
    ada.versions.publish(draft.id)

    tab.goto(path_of(draft))

    expect(tab.get_by_role("heading", name="v1 is published")).to_be_visible()
    expect(field(tab, "Config")).not_to_be_editable()
    expect(tab.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    expect(tab.get_by_role("link", name="New draft from it…")).to_be_visible()
    # Nothing was typed, so there is nothing to copy.
    expect(tab.get_by_role("button", name="Copy what is not saved")).to_be_hidden()


def test_without_scripts_a_conflict_is_decided_on_the_page(
    page_of: Callable[..., Page], ada: Drafter, draft: Version
) -> None:
    page = page_of(EMAIL, javascript=False)
    page.goto(path_of(draft))
    ada.versions.update_draft(draft.id, config=THEIRS)
    set_config(page, MINE)

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="This draft was changed elsewhere")).to_be_visible()
    page.get_by_role("button", name="Merge both").click()

    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert ada.now(draft).config_snapshot == CONFIG | {"r": 64, "seed": 7}


def test_axe_finds_nothing_in_a_conflict(
    first: Page, ada: Drafter, draft: Version, take_picture
) -> None:
    page = first
    theirs = {"model": {"id": "mistral-7b-v0.3"}, "change_summary": "a newer base model"}
    ada.versions.update_draft(draft.id, config=THEIRS, **theirs)
    set_config(page, MINE | {"r": 32})
    save_now(page)
    expect(status_of(page)).to_contain_text(CONFLICT)

    assert_is_for_everybody(page, take_picture, "editor-conflict")

    ada.versions.publish(draft.id)
    page.get_by_role("button", name="Overwrite with mine").click()
    expect(page.locator("#ended")).to_be_visible()
    assert_is_for_everybody(page, take_picture, "editor-ended")
