"""Comparisons: any two versions, what differs or everything, and links that keep leading there."""

from __future__ import annotations

import re
import time
from html import unescape
from urllib.parse import urlsplit

import jsonpatch
import pytest

from tests.data import SNAPSHOTS
from tests.server.web.shop import path_of, text_of
from training_versions.diff import document

HOSTILE = "<script>alert(1)</script>\"'&\u202e"


@pytest.fixture
def package(shop):
    return shop.package()


@pytest.fixture
def path(package):
    return f"/packages/{package.id}/compare"


@pytest.fixture
def three(shop, package):
    """Three versions: the rank grows, then a data set comes first and another model is used."""
    first = shop.published(package.id)
    config = SNAPSHOTS["config"] | {"r": 16}
    second = shop.published(package.id, **SNAPSHOTS | {"config": config})
    dataset = [{"id": "new"}, *SNAPSHOTS["dataset"]]
    model = SNAPSHOTS["model"] | {"revision": "v2"}
    third = shop.draft(package.id, config=config, model=model, dataset=dataset)
    return first, second, third


def heading(page):
    return re.sub(r"<[^>]*>", "", re.search(r"<h1>(.*?)</h1>", page.text)[1])


def labels(page):
    """The paths of the rows of a page, with what happened to each."""
    rows = re.findall(
        r'<tr id="d-[0-9a-f]{12}" class="diff-([a-z]*).*?diff-path">(.*?)</span>\n', page.text, re.S
    )
    return [(kind, unescape(re.sub(r"<[^>]*>", "", path))) for kind, path in rows]


# --- which versions


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "v2 → v3"),
        ("?right=2", "v1 → v2"),
        ("?left=1&right=3", "v1 → v3"),
        ("?left=3&right=1", "v1 → v3"),
        ("?left=v3&right=+1+", "v1 → v3"),
        ("?left=1&right=3&swap=1", "v3 → v1"),
        ("?left=published&right=latest", "v2 → v3"),
        ("?left=live:local&right=3", "v1 → v3"),
        ("?left=3&right=live:local", "v1 → v3"),
    ],
)
def test_the_older_version_is_on_the_left_unless_asked_otherwise(shop, three, path, query, shown):
    shop.versions.deploy(three[0].id, "local")

    assert heading(shop.pages.get(path + query)) == shown


def test_the_version_before_is_found_where_drafts_were_deleted(shop, package, three, path):
    for _ in range(2):
        shop.versions.delete_draft(shop.draft(package.id).id)
    shop.draft(package.id)

    assert heading(shop.pages.get(path)) == "v3 → v6"


@pytest.mark.parametrize("swap", ["", "&swap=1"])
def test_the_form_chooses_what_is_shown_on_each_side(shop, three, path, swap):
    shop.versions.deploy(three[0].id, "local")

    page = shop.pages.get(f"{path}?left=3&right=live:local{swap}")

    assert re.findall(r'value="([^"]*)" selected>', page.text) == (
        ["3", "live:local"] if swap else ["live:local", "3"]
    )


NOTHING = {
    "?left=live:hf_space": "Nothing is live at HF Space",
    "?right=1": "v1 is the first version",
}


@pytest.mark.parametrize("query", NOTHING)
def test_what_there_is_not_is_said(shop, three, path, query):
    page = shop.pages.get(path + query)

    assert page.status_code == 200
    assert NOTHING[query] in text_of(page)


def test_a_package_without_versions_has_nothing_to_compare(shop, path):
    assert "no version yet" in text_of(shop.pages.get(path))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?left=9&right=3", 404),
        ("?left=one", 422),
        ("?left=live:moon", 422),
        ("?right=9999999999999", 422),
        ("?part=nothing", 422),
        ("?show=nothing", 422),
        ("?from=-1", 422),
        ("?from=9999", 200),
        ("?key=%00%F0%9F%98%80&at=%2Fx", 200),
    ],
)
def test_what_cannot_be_understood_is_refused(shop, three, path, query, status):
    assert shop.pages.get(path + query).status_code == status


def test_a_stranger_sees_nothing(shop, other_shop, three, path):
    assert other_shop.pages.get(path).status_code == 404
    assert other_shop.pages.get(f"{path}/patch").status_code == 404


# --- what is shown


def test_only_what_differs_is_shown_and_an_entry_that_moved_does_not(shop, three, path):
    page = shop.pages.get(f"{path}?left=1&right=3&part=dataset")

    assert labels(page) == [("added", "id=new")]
    assert "Data sets (1)" in text_of(page)


def test_numbers_have_their_deltas(shop, three, path):
    assert "r # 8 16 +8" in text_of(shop.pages.get(f"{path}?left=1&right=2"))


def test_parts_are_apart_and_counted(shop, three, path):
    run = shop.versions.start_training(three[2].id)
    shop.versions.record_metrics(three[2].id, {"loss": 0.5}, run_id=run.id)

    page = shop.pages.get(f"{path}?left=1&right=3")

    for count in ("Config (1)", "Base model (1)", "Data sets (1)", "Training (2)"):
        assert count in text_of(page)
    model = shop.pages.get(f"{path}?left=1&right=3&part=model")
    assert labels(model) == [("changed", "revision")]


def test_everything_can_be_shown(shop, three, path):
    page = shop.pages.get(f"{path}?left=1&right=3&show=all&part=config")

    assert labels(page) == [
        ("changed", "r"),
        ("same", "lora_alpha"),
        ("same", "target_modules / 0"),
        ("same", "target_modules / 1"),
    ]


def test_rows_can_be_filtered_by_their_keys(shop, three, path):
    page = shop.pages.get(f"{path}?left=1&right=3&show=all&key=REVIS")
    nothing = shop.pages.get(f"{path}?left=1&right=3&key={HOSTILE}")

    assert labels(page) == [("changed", "revision")]
    assert "No key of this part" in text_of(nothing)
    assert "<script>alert" not in nothing.text


def test_a_link_leads_to_one_difference_on_whichever_page_it_is(shop, package, path):
    shop.draft(package.id)
    many = {f"key {n:04}": n for n in range(1000)}
    shop.draft(package.id, **SNAPSHOTS | {"config": many})
    last = shop.pages.get(f"{path}?part=config&from=800")
    link, anchor = re.findall(r'href="(\?[^"]*)#(d-\w+)" aria-label="Link', last.text)[-1]

    there = shop.pages.get(path + unescape(link))

    assert f'id="{anchor}" class="diff-added diff-marked"' in there.text
    gone = shop.pages.get(f"{path}?at=/config_snapshot/nothing")
    assert "is not here" in text_of(gone)


def test_a_thousand_differences_are_shown_page_by_page(shop, package, path):
    shop.draft(package.id, **SNAPSHOTS | {"config": {}})
    many = {f"key {n:04}": n for n in range(1000)}
    shop.draft(package.id, **SNAPSHOTS | {"config": many})
    shop.pages.get(path)

    began = time.perf_counter()
    page = shop.pages.get(f"{path}?part=config")
    seconds = time.perf_counter() - began
    seen, query = [], "?part=config"
    while query:
        shown = shop.pages.get(path + query)
        seen += labels(shown)
        following = re.search(r'href="([^"]*)">Next', shown.text)
        query = "?" + urlsplit(unescape(following[1])).query if following else ""

    assert "1,000 differences" in text_of(page)
    assert "Lines 1 to 200 of 1,000" in text_of(page)
    assert len(page.content) < 200_000
    assert seconds < 1
    assert seen == [("added", f"key {n:04}") for n in range(1000)]


def test_hostile_content_is_text_on_both_sides(shop, package, path):
    shop.draft(
        package.id, config={HOSTILE: HOSTILE}, model={"a": HOSTILE}, dataset=[], name=HOSTILE
    )
    content = {"config": {"__proto__": [HOSTILE]}, "model": {"a": "x" * 9000}}
    shop.draft(package.id, **content, dataset=[{"id": HOSTILE}], change_summary=HOSTILE)

    for show in ("changes", "all"):
        page = shop.pages.get(f"{path}?show={show}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "__proto__" in text_of(page)


def test_a_version_that_cannot_be_read_is_told(shop, package, three, path, damage):
    damage(three[1], "created_at = '20000-01-01'")

    page = shop.pages.get(f"{path}?left=1&right=2")

    assert page.status_code == 200
    assert "created_at" in text_of(page)
    assert heading(shop.pages.get(f"{path}?left=1&right=3")) == "v1 → v3"


def test_what_is_compared_with_the_latest_version_can_be_restored_if_it_differs(
    shop, package, three, path
):
    assert f"{path_of(three[0])}/restore" in shop.pages.get(f"{path}?left=1&right=3").text
    assert "/restore" not in shop.pages.get(f"{path}?left=1&right=2").text

    shop.versions.restore(three[0].id)

    assert "/restore" not in shop.pages.get(f"{path}?left=1&right=4").text


# --- JSON Patch


def test_the_patch_is_that_of_the_part_and_the_direction_that_are_shown(shop, three, path):
    reply = shop.pages.get(f"{path}/patch?left=3&right=1&part=model")
    back = shop.pages.get(f"{path}/patch?left=3&right=1&part=model&swap=1")

    revision = {"op": "replace", "path": "/model_snapshot/revision"}
    assert reply.json() == [revision | {"value": "v2"}]
    assert back.json() == [revision | {"value": "main"}]
    assert reply.headers["Content-Type"] == "application/json-patch+json"


def test_the_patch_of_everything_leads_from_left_to_right(shop, three, path):
    patch = shop.pages.get(f"{path}/patch?left=1&right=3").json()

    assert jsonpatch.apply_patch(document(three[0]), patch) == document(three[2])


def test_the_version_page_leads_to_the_comparison_with_the_one_before(shop, three, path):
    assert f"{path}?left=1&amp;right=2" in shop.pages.get(path_of(three[1])).text
    assert "/compare?" not in shop.pages.get(path_of(three[0])).text
