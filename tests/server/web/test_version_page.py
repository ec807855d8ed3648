"""The page of a version: all that is known about it, however large, hostile or damaged it is."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import unquote

import pytest

from tests.data import SNAPSHOTS
from tests.server.web.shop import path_of, text_of

HOSTILE = "<script>alert(1)</script>\"'&\u202e👩‍👧"
# What would turn the direction of the text around it is escaped.
SHOWN = HOSTILE.replace("\u202e", r"\u202e")
LONG = "x" * 255


@pytest.fixture
def package(shop):
    return shop.package()


@pytest.fixture
def version(shop, package):
    return shop.published(package.id, change_summary="the first one", budget_limit=10)


def test_the_page_shows_what_the_version_is(shop, version):
    page = text_of(shop.pages.get(path_of(version)))

    assert f"v1 {version.name} published" in page
    assert "the first one" in page
    assert "by you" in page
    assert 'id: "meta-llama/Llama-3.1-8B"' in page
    assert "0: id=tickets 2 keys" in page
    assert "Never deployed" in page
    assert "Not trained yet" in page


def test_a_stranger_sees_no_version(shop, other_shop, version):
    for path in ("", "content", "content.json"):
        assert other_shop.pages.get(path_of(version, path)).status_code == 404


def test_whoever_is_signed_out_signs_in_and_comes_back(visitor, version):
    asked = visitor.get(f"{path_of(version)}?metric=loss")

    assert asked.status_code == 303
    assert asked.headers["Location"].endswith("%3Fmetric%3Dloss")


@pytest.mark.parametrize("number", ["0", "2", "2147483648", "99999999999999999999", "x", "-1"])
def test_a_number_that_is_none_is_told(shop, version, number):
    page = shop.pages.get(f"/packages/{version.package_id}/v/{number}")

    assert page.status_code in (404, 422)
    assert "text/html" in page.headers["Content-Type"]


# --- what happened to it


def test_training_is_shown_with_the_curve_of_a_metric(shop, version):
    run = shop.versions.start_training(version.id)
    for step in (10, 20, 30):
        metrics = {"loss": 1 / step, HOSTILE: step}
        shop.versions.record_metrics(version.id, metrics, step=step, run_id=run.id)
    shop.versions.fail_training(version.id, HOSTILE, run_id=run.id)
    again = shop.versions.start_training(version.id)

    newest = shop.pages.get(path_of(version))
    page = shop.pages.get(path_of(version), params={"run": str(run.id), "metric": HOSTILE})

    assert f'aria-current="true"><code>{str(again.id)[:8]}' in newest.text
    assert "No curve was recorded in this run" in newest.text
    other = shop.pages.get(path_of(version), params={"run": str(run.id), "metric": "f1"})
    assert "This run has no curve of f1" in text_of(other)
    assert "10 at step 10" in text_of(other)
    nobodys = shop.pages.get(path_of(version), params={"run": str(version.id)})
    assert nobodys.status_code == 404
    assert f"{SHOWN}: 10 at step 10, 30 at step 30" in text_of(page)
    assert "failed" in text_of(page)
    assert "<script>alert" not in page.text
    curve = shop.pages.get(f"/curves/{version.id}", params={"run": run.id, "metric": "loss"})
    assert curve.json()["steps"] == [10, 20, 30]


def test_a_curve_of_somebody_else_has_no_points(shop, other_shop, version):
    assert other_shop.pages.get(f"/curves/{version.id}?metric=loss").status_code == 404


def test_costs_are_shown_with_their_sum_against_the_budget(shop, version):
    shop.versions.record_cost(version.id, "1234.5", note=HOSTILE)
    shop.versions.record_cost(version.id, "0.25")

    page = shop.pages.get(path_of(version))

    assert "1,234.75 of 10.00" in text_of(page)
    assert f"1,234.50 {SHOWN}" in text_of(page)
    assert "50 %, 80 %, 100 % of the budget" in text_of(page)


def test_more_costs_than_are_shown_are_on_the_next_page(shop, version):
    for number in range(51):
        shop.versions.record_cost(version.id, number)

    page = shop.pages.get(path_of(version))
    cursor = unquote(re.search(r'\?costs=([^"#]*)#costs">Older', page.text)[1])
    older = shop.pages.get(path_of(version), params={"costs": cursor})

    counts = [each.text.count('data-label="Amount"') for each in (page, older)]
    assert counts == [50, 1]


def test_stays_are_shown_with_addresses_that_are_links_only_if_they_lead_to_the_web(shop, version):
    shop.versions.deploy(version.id, "local", url="javascript:alert(1)")
    shop.versions.deploy(version.id, "hf_space", url="https://x.hf.space/?a=<b>")

    page = shop.pages.get(path_of(version))

    assert 'href="https://x.hf.space/?a=&lt;b&gt;"' in page.text
    assert "javascript:alert(1)" in text_of(page)
    assert 'href="javascript' not in page.text
    assert text_of(page).count("live") >= 2


def test_the_history_is_told_page_by_page(shop, package):
    draft = shop.draft(package.id)
    for number in range(12):
        shop.versions.record_cost(draft.id, number)
    seen, path = 0, path_of(draft)

    while path:
        page = shop.pages.get(path)
        seen += page.text.count("event-kind")
        older = [line for line in page.text.splitlines() if "Older events" in line]
        path = (
            older[0].partition('href="')[2].partition('"')[0].replace("&amp;", "&") if older else ""
        )

    assert seen == len(list(shop.versions.iterate_history(version_id=draft.id)))


def test_the_line_of_descent_leads_to_parents_and_children(shop, package, version):
    child = shop.versions.restore(version.id).draft
    fork = shop.versions.fork(version.id, into=shop.package("sales-bot").id).draft

    page = shop.pages.get(path_of(version))

    for relative in (child, fork):
        assert f'href="{path_of(relative)}"' in page.text
    assert "in another package" in text_of(page)
    assert f"Made from v1 {version.name}" in text_of(shop.pages.get(path_of(child)))


# --- hostile content


def test_hostile_content_is_text_everywhere(shop):
    package = shop.package(HOSTILE + LONG[:200])
    content = {
        "config": {
            HOSTILE: HOSTILE,
            "__proto__": {"</script>": 1},
            LONG: LONG,
            "": [{}],
            "a/b~": 1,
        },
        "model": {"deep": [[[[HOSTILE]]]]},
        "dataset": [{"id": HOSTILE}, {"name": "\u2066" + LONG}],
    }
    draft = shop.draft(package.id, **content, change_summary=HOSTILE)
    version = shop.versions.publish(draft.id, name=HOSTILE + LONG[:200])

    page = shop.pages.get(path_of(version))

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "\u2066" not in page.text
    assert '"\\u2066' not in page.text.partition("<title>")[0]
    found = shop.pages.get(path_of(version, "content"), params={"at": "/config_snapshot/a~1b~0"})
    assert found.status_code == 200
    download = shop.pages.get(path_of(version, "content.json"))
    assert download.json() == {
        "config_snapshot": content["config"],
        "model_snapshot": content["model"],
        "dataset_snapshot": content["dataset"],
    }
    assert "\n" not in download.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "at", ["/config_snapshot/nothing", "config", "/name", "/dataset_snapshot/9"]
)
def test_a_part_that_is_not_there_is_not_found(shop, version, at):
    for path in ("content", "content.json"):
        assert shop.pages.get(path_of(version, path), params={"at": at}).status_code == 404


# --- size


@pytest.fixture(scope="module")
def large(shop):
    package = shop.package("large")
    dataset = [{"id": n, "path": f"s3://bucket/part-{n:06}.parquet"} for n in range(20_000)]
    return shop.published(package.id, **SNAPSHOTS | {"dataset": dataset})


def test_a_version_of_a_megabyte_makes_a_small_page_quickly(shop, large):
    shop.pages.get(path_of(large))
    began = time.perf_counter()
    page = shop.pages.get(path_of(large))
    seconds = time.perf_counter() - began

    size = len(json.dumps(large.dataset_snapshot))
    assert size > 1_000_000
    assert len(page.content) < 150_000
    assert seconds < 2
    assert "20,000" in text_of(page)


def test_every_entry_of_a_large_list_can_be_reached(shop, large):
    last = shop.pages.get(f"{path_of(large, 'content')}?at=/dataset_snapshot&from=19900")

    assert "part-019999.parquet" in last.text
    assert "Entries before" in text_of(last)
    part = shop.pages.get(f"{path_of(large, 'content.json')}?at=/dataset_snapshot/19999")
    assert part.json() == large.dataset_snapshot[19999]


# --- damage


def test_a_version_that_cannot_be_read_is_shown_with_the_reason(shop, version, damage):
    damage(version, "created_at = '20000-01-01'")

    page = shop.pages.get(path_of(version))

    assert page.status_code == 200
    assert "cannot be read" in text_of(page)
    assert "created_at" in text_of(page)
    assert "meta-llama" in text_of(page)
    # The row itself, not a list with one row.
    assert f'What is stored id: "{version.id}"' in text_of(page)


def test_content_of_another_shape_is_shown_as_it_is(shop, version, damage):
    damage(version, """dataset_snapshot = '{"a": [1]}', training_metrics = '[]'""")

    page = text_of(shop.pages.get(path_of(version)))

    assert "a: 1 entry 0: 1" in page
