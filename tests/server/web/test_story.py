"""What people come for, from beginning to end, in a real browser, with hostile text everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.server.web.browsing import Watch
from tests.server.web.editor_pages import (
    CONFLICT,
    SAVED,
    field,
    save_now,
    status_code,
    status_of,
)
from tests.server.web.hostile import KEY, MARKUP, Packages, make_packages, paths_of
from tests.server.web.visitor import make_account
from training_versions import VersionStatus
from training_versions.local import LocalSupabase

ADA, EVE = "ada-of-the-story@example.com", "eve-of-the-story@example.com"


@pytest.fixture(scope="module")
def ada(stack: LocalSupabase) -> Packages:
    """What belongs to Ada."""
    make_account(stack, ADA)
    return make_packages(stack, ADA)


def has_no_markup_of_users(page: Page) -> bool:
    """Whether nothing that a user wrote became an element."""
    return page.locator("main img, main script, main b").count() == 0


def test_two_packages_compared_restored_edited_in_two_tabs_and_nothing_lost(
    stack: LocalSupabase, page_of: Callable[..., Page], watch: Watch
) -> None:
    watch.expect(status_code(409))
    email = "ada-who-works@example.com"
    page = page_of(email)
    made = make_packages(stack, email)

    # Two packages with their history.
    page.goto("/")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name=MARKUP).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(MARKUP)
    expect(page.locator("tbody tr")).to_have_count(3)

    # Two versions compared.
    page.get_by_label("Version 2 as the older").check()
    page.get_by_label("Version 3 as the newer").check()
    page.get_by_role("button", name="Compare the two chosen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("v2 → v3")
    expect(page.locator("#result")).to_contain_text("16")
    assert has_no_markup_of_users(page)

    # The older one restored.
    page.get_by_role("link", name="v2", exact=True).first.click()
    page.get_by_role("link", name="Restore…").click()
    expect(page.locator("main")).to_contain_text("16")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_role("status").first).to_contain_text("This new draft has the content of v2")
    expect(page.get_by_role("status").first).to_be_focused()
    draft = made.versions.get_by_number(made.first.id, 4)
    assert draft.config_snapshot == made.old.config_snapshot

    # The draft edited in two tabs.
    page.get_by_role("link", name="Edit", exact=True).click()
    other = page.context.new_page()
    other.goto(page.url)
    expect(status_of(other)).to_have_text("All changes are saved.")
    shown = json.loads(field(page, "Config").input_value())
    assert shown == made.old.config_snapshot
    field(page, "Config").fill(json.dumps(shown | {"r": 64}))
    save_now(page)
    expect(status_of(page)).to_have_text(SAVED)
    field(other, "Config").fill(json.dumps(shown | {KEY: "mine"}))
    field(other, "Summary").fill(MARKUP)
    expect(status_of(other)).to_contain_text(CONFLICT)
    other.get_by_role("button", name="Merge both").click()
    expect(status_of(other)).to_have_text(SAVED)
    assert has_no_markup_of_users(other)

    # The first tab goes on with what it has, and gets both sides, too.
    field(page, "Budget").fill("99.50")
    expect(status_of(page)).to_contain_text(CONFLICT)
    page.get_by_role("button", name="Merge both").click()
    expect(status_of(page)).to_have_text(SAVED)

    # Published, with the last words that were typed.
    field(page, "Estimated cost").fill("12")
    page.get_by_role("link", name="Preview and publish…").click()
    page.get_by_role("heading", name=re.compile("^Publish")).wait_for()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Published.")

    final = made.versions.get(draft.id)
    assert final.status == VersionStatus.PUBLISHED
    assert final.config_snapshot == shown | {"r": 64, KEY: "mine"}
    assert final.change_summary == MARKUP
    assert (str(final.budget_limit), str(final.estimated_cost)) == ("99.50", "12.00")

    # The other tab finds out, and keeps what is typed there.
    field(other, "Name").fill("too late")
    expect(other.locator("#ended")).to_contain_text("v4 is published")
    expect(field(other, "Name")).to_have_value("too late")


def test_another_user_sees_nothing_of_it(
    ada: Packages, page_of: Callable[..., Page], watch: Watch
) -> None:
    watch.expect(status_code(404))
    page = page_of(EVE)

    page.goto("/")
    expect(page.get_by_role("heading", name="No packages yet")).to_be_visible()
    for path in paths_of(ada).values():
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
        assert MARKUP not in page.content()
