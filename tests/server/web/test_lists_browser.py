"""The lists in a real browser: filters that keep their place, every look, and no script at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.data import SNAPSHOTS
from tests.server.web.browsing import assert_is_for_everybody, sign_in
from tests.server.web.visitor import make_account
from training_versions import Package, PackageRepository, VersionRepository
from training_versions.local import LocalSupabase

NAMES = [
    "w" * 255,
    "\u202e\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "👩\u200d👩\u200d👧🏽" * 36,
    "</a><script>alert(1)</script>",
    "plain",
]
TEXTS = {"sign in": "/sign-in", "packages": "/", "new package": "/packages/new"}


@pytest.fixture(scope="module")
def email() -> str:
    return f"{uuid4().hex}@example.com"


@pytest.fixture(scope="module")
def package(stack: LocalSupabase, email: str) -> Package:
    """A package of hostile names, with a branch, a deployment and a budget that was not kept."""
    make_account(stack, email)
    client = stack.sign_in(email)
    packages, versions = PackageRepository(client), VersionRepository(client)
    made = packages.create(NAMES[0], template_type=NAMES[1], config={})
    for name in NAMES:
        draft = versions.create_draft(
            made.id, **SNAPSHOTS, name=name, change_summary=name * 20, budget_limit=20
        )
    first = versions.get_by_number(made.id, 1)
    versions.publish(first.id)
    versions.deploy(first.id, "hf_space")
    versions.start_training(first.id)
    versions.record_cost(first.id, "21")
    versions.restore(first.id)
    versions.restore(draft.id)
    other = packages.create("fork of it", template_type="lora", config={})
    versions.fork(first.id, into=other.id)
    packages.create("empty", template_type="lora", config={})
    return made


def texts(page: Page) -> list[str]:
    return page.locator("tbody th a").all_inner_texts()


def test_every_list_is_for_everybody_at_every_size(
    page_of: Callable[..., Page], email: str, package: Package, take_picture
) -> None:
    page = page_of(email)
    base = f"/packages/{package.id}"

    paths = (
        "/",
        "/packages/new",
        base,
        f"{base}?text=nothing",
        f"{base}?status=wrong",
        f"{base}/history",
        f"{base}/new-draft",
        "/sign-in?ended=1",
    )
    for number, path in enumerate(paths):
        page.goto(path)
        assert_is_for_everybody(page, take_picture, f"list-{number}")


@pytest.fixture(autouse=True)
def refusals_are_told_by_the_console(watch: Any) -> None:
    # Chromium notes every reply of 400 and more.
    watch.expect("the server responded with a status of 4")


def test_filters_keep_the_focus_and_survive_reload_back_and_forward(
    page_of: Callable[..., Page], email: str, package: Package
) -> None:
    page = page_of(email)
    page.goto(f"/packages/{package.id}")
    expect(page.locator("tbody tr")).to_have_count(7)
    page.evaluate("window.wasNotReloaded = true")
    page.evaluate("window.news = document.querySelector('#versions [role=status]')")

    page.get_by_label("Text in the name").fill("plain")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "text"
    page.get_by_label("published").check()
    expect(page.get_by_text("No version like that")).to_be_visible()
    # The same element says it, so that a screen reader hears of it.
    assert page.evaluate("window.news.isConnected && window.news.innerText") == "No version found"

    assert page.evaluate("window.wasNotReloaded")
    assert page.url.endswith("?text=plain&status=published")
    page.reload()
    expect(page.get_by_text("No version like that")).to_be_visible()
    expect(page.get_by_label("published")).to_be_checked()
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_label("published")).not_to_be_checked()
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(7)
    expect(page.get_by_label("Text in the name")).to_have_value("")
    page.go_forward()
    expect(page.get_by_label("Text in the name")).to_have_value("plain")


def test_a_session_that_ends_while_filtering_leads_to_the_form_and_back(
    page_of: Callable[..., Page], email: str, package: Package
) -> None:
    page = page_of(email)
    page.goto(f"/packages/{package.id}")
    page.context.clear_cookies()

    page.get_by_label("Order").select_option("oldest first")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("[name=next]")).to_have_value(f"/packages/{package.id}?order=oldest")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_the_lists_work_by_keyboard_with_and_without_scripts(
    page_of: Callable[..., Page], email: str, package: Package, *, javascript: bool
) -> None:
    page = page_of(email, javascript=javascript)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()

    page.get_by_label("Text in the name").fill("w" * 20)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody th a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(7)
    page.get_by_label("Version 1 as the older").focus()
    page.keyboard.press("Space")
    page.get_by_label("Version 7 as the newer").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Compare the two chosen").press("Enter")

    expect(page).to_have_url(re.compile(r"/compare\?right=7&left=1$"))


def test_a_package_and_a_draft_are_made_without_scripts(
    page_of: Callable[..., Page], email: str, package: Package
) -> None:
    page = page_of(email, javascript=False)
    page.goto("/")
    page.get_by_role("link", name="New package").click()
    page.get_by_label("Name").fill("made here")
    page.get_by_label("Config").fill('{"r": }')
    page.get_by_role("button", name="Create the package").click()
    expect(page.get_by_text("Line 1, column 7")).to_be_visible()
    expect(page.get_by_label("Config")).to_be_focused()

    page.get_by_label("Config").fill('{"r": 8}')
    page.get_by_role("button", name="Create the package").click()
    page.get_by_role("link", name="Start the first draft").click()
    page.get_by_role("button", name="Create the draft").click()

    page.wait_for_url("**/v/1/edit")


def test_what_is_signed_out_on_one_tab_is_on_all_and_what_was_typed_stays(
    page_of: Callable[..., Page],
) -> None:
    person = f"{uuid4().hex}@example.com"
    page = page_of(person)
    other = page.context.new_page()
    other.goto("/packages/new")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    other.get_by_label("Name").fill("typed")
    other.get_by_role("button", name="Create the package").click()

    expect(other.get_by_text("You are signed out, and nothing was saved.")).to_be_visible()
    names = [cookie.get("name", "") for cookie in page.context.cookies()]
    assert not [name for name in names if "access" in name or "refresh" in name]

    # As the page says: sign in in another tab, go back and send it again.
    sign_in(page, person)
    other.go_back()
    expect(other.get_by_label("Name")).to_have_value("typed")
    other.get_by_role("button", name="Create the package").click()
    expect(other.get_by_role("heading", name="typed")).to_be_visible()
