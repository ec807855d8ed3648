"""The page of a version, comparisons and actions in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.data import SNAPSHOTS
from tests.server.web.browsing import Watch
from tests.server.web.shop import path_of
from training_versions import Package, PackageRepository, Version, VersionRepository
from training_versions.local import LocalSupabase

EMAIL = "ada-compares@example.com"
"""One user for all tests of this file, who signs in once."""
CHANGED = SNAPSHOTS | {"config": SNAPSHOTS["config"] | {"r": 16, "dropout": 0.1}}
HOSTILE = "<img src=x onerror=alert(1)>\u202e👩‍👧"


class Lab:
    """A package with a trained and deployed version, one after it, and a draft."""

    def __init__(self, stack: LocalSupabase) -> None:
        client = stack.sign_in(EMAIL)
        self.packages, self.versions = PackageRepository(client), VersionRepository(client)
        self.package: Package = self.packages.create(HOSTILE, template_type=HOSTILE, config={})
        self.other = self.packages.create("other-bot", template_type="lora", config={})
        self.first = self._publish(**SNAPSHOTS, change_summary=HOSTILE, budget_limit=10)
        self.second = self._publish(**CHANGED, name=HOSTILE + "x" * 200)
        long = {HOSTILE: HOSTILE, "x" * 255: "y" * 2000, "list": list(range(300))}
        self.draft = self.versions.create_draft(
            self.package.id, **CHANGED | {"model": long}, parent_version_id=self.second.id
        )
        run = self.versions.start_training(self.first.id)
        for step in range(20):
            metrics = {"accuracy": step / 20, "loss": 2 / (step + 1), HOSTILE: step}
            self.versions.record_metrics(self.first.id, metrics, step=step * 10, run_id=run.id)
        self.versions.complete_training(self.first.id, run_id=run.id)
        self.versions.record_cost(self.first.id, 9, note=HOSTILE)
        self.versions.deploy(self.first.id, "local", url="http://localhost:1")
        self.versions.deploy(self.second.id, "hf_space", url="https://x.hf.space")

    def _publish(self, **given: object) -> Version:
        draft = self.versions.create_draft(self.package.id, **given)  # pyright: ignore[reportArgumentType]
        return self.versions.publish(draft.id, name=draft.name)

    @property
    def compare(self) -> str:
        return f"/packages/{self.package.id}/compare"


@pytest.fixture
def tab(page_of: Callable[..., Page]) -> Page:
    page = page_of(EMAIL)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


_LABS: dict[str, Lab] = {}


@pytest.fixture
def lab(stack: LocalSupabase, tab: Page) -> Lab:
    # After the account was made, and once for the file.
    if stack.url not in _LABS:
        _LABS[stack.url] = Lab(stack)
    return _LABS[stack.url]


def clipboard(page: Page) -> str:
    return page.evaluate("navigator.clipboard.readText()")


# --- the page of a version


def test_a_curve_is_drawn_and_another_one_by_keyboard(tab: Page, lab: Lab) -> None:
    tab.goto(path_of(lab.first))
    plot = tab.locator("[data-curve]")
    expect(plot.locator("canvas")).to_be_visible()
    metric = tab.get_by_label("Metric")

    metric.focus()
    metric.press("l")

    expect(tab.locator("figcaption")).to_contain_text("loss: 2 at step 0")
    expect(plot.locator("canvas")).to_be_visible()
    expect(metric).to_be_focused()
    assert parse_qs(urlsplit(tab.url).query)["metric"] == ["loss"]
    tab.reload()
    expect(metric).to_have_value("loss")


def test_the_keys_lead_along_a_curve(tab: Page, lab: Lab) -> None:
    tab.goto(f"{path_of(lab.first)}?metric=loss")
    plot = tab.locator("[data-curve]")
    expect(plot.locator("canvas")).to_be_visible()

    plot.press("End")
    plot.press("ArrowLeft")

    expect(tab.locator(".curve-readout")).to_contain_text("Step 180:")
    expect(plot).to_have_accessible_name(
        "Curve of loss over 20 points. The table below has its values."
    )


def test_where_a_curve_cannot_be_drawn_the_words_and_the_table_stay(
    tab: Page, lab: Lab, watch: Watch
) -> None:
    # A browser under LANG=C calls its language so, and uPlot does not start with it.
    posix = "Object.defineProperty(navigator, 'language', {get: () => 'en-US@posix'})"
    tab.add_init_script(posix)
    watch.expect("language tag")

    with tab.expect_response(re.compile("/curves/")):
        tab.goto(f"{path_of(lab.first)}?metric=loss")

    expect(tab.locator("figcaption")).to_contain_text("loss: 2 at step 0")
    expect(tab.locator("[data-curve]")).to_be_hidden()
    expect(tab.locator(".curve-readout")).to_be_hidden()


def test_content_is_copied_as_json(tab: Page, lab: Lab) -> None:
    tab.goto(path_of(lab.draft))

    tab.get_by_role("button", name="Copy all as JSON").click()

    expect(tab.get_by_text("Copied", exact=True)).to_be_visible()
    copied = json.loads(clipboard(tab))
    assert copied["model_snapshot"] == lab.draft.model_snapshot
    assert set(copied) == {"config_snapshot", "model_snapshot", "dataset_snapshot"}


def test_the_tree_folds_by_keyboard(tab: Page, lab: Lab) -> None:
    tab.goto(path_of(lab.first))
    entry = tab.get_by_text("id=tickets")
    inside = tab.locator(".tree li", has_text="12000").last
    expect(inside).to_be_visible()

    tab.locator("summary", has=entry).press("Enter")

    expect(inside).to_be_hidden()


def test_the_first_stop_of_the_keyboard_skips_to_the_content(tab: Page, lab: Lab) -> None:
    tab.goto(path_of(lab.first))

    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")

    expect(tab.get_by_role("link", name="Packages")).to_be_focused()


# --- comparing


def test_typing_a_key_filters_while_the_field_keeps_the_focus(tab: Page, lab: Lab) -> None:
    tab.goto(f"{lab.compare}?left=1&right=2")
    rows = tab.locator(".diff tbody tr:not(.diff-part)")
    before = rows.count()
    field = tab.get_by_label("Only keys with")

    field.press_sequentially("dropout")

    expect(rows).to_have_count(1)
    expect(field).to_be_focused()
    expect(field).to_have_value("dropout")
    assert before > 1
    tab.go_back()
    expect(field).to_have_value("")
    expect(rows).to_have_count(before)


def test_another_version_is_chosen_and_the_address_says_so(tab: Page, lab: Lab) -> None:
    tab.goto(f"{lab.compare}?left=1&right=2")

    newer = tab.get_by_label("Newer")
    newer.focus()
    newer.select_option("3")

    expect(tab.get_by_role("heading", level=1)).to_have_text("v1 → v3")
    expect(newer).to_be_focused()
    assert parse_qs(urlsplit(tab.url).query)["right"] == ["3"]


def test_a_link_to_one_difference_shows_it(tab: Page, lab: Lab) -> None:
    tab.goto(f"{lab.compare}?left=1&right=2")
    row = tab.locator("tr", has=tab.get_by_role("rowheader", name="dropout"))
    address = row.get_by_role("link", name="Link to this line").get_attribute("href")

    tab.goto(lab.compare + str(address))

    expect(row).to_be_in_viewport()
    assert row.evaluate("row => row.matches(':target')")


def test_the_difference_is_copied_as_json_patch(tab: Page, lab: Lab) -> None:
    tab.goto(f"{lab.compare}?left=1&right=2&part=config")

    tab.get_by_role("button", name="Copy as JSON Patch").click()

    expect(tab.get_by_text("Copied", exact=True)).to_be_visible()
    assert {"op": "replace", "path": "/config_snapshot/r", "value": 16} in json.loads(
        clipboard(tab)
    )


# --- acting


def test_a_version_is_restored_and_said_so_once(tab: Page, lab: Lab) -> None:
    tab.goto(path_of(lab.first))
    tab.get_by_role("link", name="Restore…").click()
    expect(tab.get_by_role("rowheader", name="dropout")).to_be_visible()

    tab.get_by_role("button", name="Make the draft").click()

    said = tab.get_by_text("This new draft has the content of v1")
    expect(said).to_be_visible()
    expect(tab).to_have_url(re.compile(r"/v/\d+$"))
    tab.reload()
    expect(said).to_have_count(0)
    lab.versions.delete_draft(lab.versions.latest(lab.package.id).id)  # pyright: ignore[reportOptionalMemberAccess]


def test_the_buttons_of_an_action_are_in_sight_above_a_long_difference(tab: Page, lab: Lab) -> None:
    tab.set_viewport_size({"width": 390, "height": 400})
    tab.goto(path_of(lab.draft, "delete"))
    confirm = tab.get_by_role("button", name="Delete the draft")
    last = tab.locator(".diff tr").last

    expect(last).not_to_be_in_viewport()
    expect(confirm).to_be_in_viewport(ratio=1)
    tab.keyboard.press("End")

    expect(last).to_be_in_viewport()
    expect(confirm).to_be_in_viewport(ratio=1)


def test_the_buttons_of_an_action_cover_nothing_on_paper(tab: Page, lab: Lab) -> None:
    tab.goto(path_of(lab.draft, "delete"))
    bar = tab.locator(".bottom-bar")

    expect(bar).to_have_css("position", "sticky")
    tab.emulate_media(media="print")

    expect(bar).to_have_css("position", "static")


def test_reading_comparing_and_restoring_need_no_scripts(
    page_of: Callable[..., Page], lab: Lab
) -> None:
    page = page_of(EMAIL, javascript=False)
    page.goto(path_of(lab.first))
    expect(page.get_by_role("button", name="Copy all as JSON")).to_be_hidden()
    page.get_by_label("Metric").select_option("loss")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("figcaption")).to_contain_text("loss: 2 at step 0")
    page.get_by_text("Values of the curve").click()
    expect(page.get_by_role("cell", name="190", exact=True)).to_be_visible()

    page.goto(lab.compare)
    page.get_by_label("Older").select_option("1")
    page.get_by_label("Show").select_option("all")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("v1 → v3")

    page.goto(path_of(lab.first, "restore"))
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_text("This new draft has the content of v1")).to_be_visible()
    lab.versions.delete_draft(lab.versions.latest(lab.package.id).id)  # pyright: ignore[reportOptionalMemberAccess]
