"""Packages and their versions as lists: what they show, filter, and take."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from tests.data import SNAPSHOTS
from tests.server.web.shop import Shop
from tests.server.web.visitor import OURS, Visitor, csrf_token

HOSTILE = {
    "markup": "</a><script>alert(1)</script>",
    "quotes": "\"'><img src=x onerror=alert(1)>",
    "template": "{{ 7 * 7 }}{% raw %}",
    "right to left": "\u202e\u0645\u0631\u062d\u0628\u0627 support-bot",
    "emoji": "👩\u200d👩\u200d👧🏽" * 36,
    "one word": "w" * 255,
    "controls": "a\tb\u200b\u2028c\x7f",
    "percent": "100%25&amp;<b>",
}


def rows(page: httpx.Response) -> list[str]:
    """The rows of the table of a page, as markup."""
    return re.findall(r"<tr>(.*?)</tr>", page.text.partition("<tbody>")[2], re.DOTALL)


def numbers(page: httpx.Response) -> list[int]:
    return [int(number) for number in re.findall(r'name="left" value="(\d+)"', page.text)]


def text_of(markup: str) -> str:
    """What is to be read of a piece of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", markup)).strip()


def test_somebody_without_packages_reads_what_to_do(owner_page: Visitor) -> None:
    page = owner_page.get("/")

    assert "No packages yet" in page.text
    assert 'href="/packages/new"' in page.text


def test_a_package_shows_what_became_of_it(shop: Shop, unique: Callable[[str], str]) -> None:
    package = shop.package(unique("bot"))
    first = shop.published(package.id, budget_limit="20.00")
    shop.versions.deploy(first.id, "hf_space")
    shop.versions.record_cost(first.id, "1234.50")
    shop.draft(package.id)

    page = shop.pages.get("/", params={"text": package.name})

    (row,) = rows(page)
    assert text_of(row) == (
        f"{package.name} lora_finetuning 2 1 draft v1 just now HF Space v1 "
        "1,234.50 of 20.00 just now"
    )
    assert f'href="/packages/{package.id}"' in row
    assert f'href="/packages/{package.id}/v/1"' in row
    assert 'class="over"' in row


def test_packages_are_found_by_literal_text_and_paged(
    shop: Shop, unique: Callable[[str], str]
) -> None:
    mark = unique("100%_")
    names = [f"{mark} {number}" for number in range(51)]
    for name in names:
        shop.package(name)

    first = shop.pages.get("/", params={"text": mark})
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following is not None
    second = shop.pages.get(following[1].replace("&amp;", "&"))
    oldest = shop.pages.get("/", params={"text": mark, "order": "oldest"})
    none = shop.pages.get("/", params={"text": f"{mark} <none>"})

    assert len(rows(first)) == 50
    assert names[0] in rows(second)[0]
    assert 'rel="next"' not in second.text
    assert names[0] in rows(oldest)[0]
    assert "No package has" in none.text
    assert "&lt;none&gt;" in none.text


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_text_everywhere(shop: Shop, name: str) -> None:
    made = shop.pages.submit(
        "/packages/new", {"name": name, "template_type": name[:40], "config": "{}"}
    )
    assert made.status_code == 303, made.text
    path = made.headers["Location"]
    package_id = path.rpartition("/")[2]
    shop.draft(package_id, name=name, change_summary=name * 30)

    assert shop.packages.get(package_id).name == name
    for address in ("/", path, f"{path}/history", f"{path}/new-draft"):
        page = shop.pages.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "&lt;b&gt;" in page.text or "<b>" not in name
        assert "49" not in re.findall(r'class="name">([^<]*)<', page.text)


BAD_PACKAGES = {
    "no name": ({"name": ""}, "name"),
    "a blank name": ({"name": "  "}, "name"),
    "too long": ({"name": "x" * 256}, "name"),
    "NUL": ({"name": "a\0b"}, "name"),
    "no type": ({"template_type": ""}, "template_type"),
    "no JSON": ({"config": '{"r": 8,\n "x" 3}'}, "config"),
    "a list": ({"config": "[1]"}, "config"),
    "twice": ({"config": '{"r": 8, "r": 9}'}, "config"),
    "a secret": ({"config": '{"token": "hf_abcdefghijklmnopqrstuvwxyzABCDEF12"}'}, "config"),
}


@pytest.mark.parametrize(("wrong", "field"), BAD_PACKAGES.values(), ids=BAD_PACKAGES)
def test_what_is_wrong_with_a_new_package_is_said_at_its_field_and_nothing_is_lost(
    shop: Shop, wrong: dict[str, str], field: str
) -> None:
    typed = {"name": "bot <1>", "template_type": "lora & more", "config": '{"kept": 1}'} | wrong

    page = shop.pages.submit("/packages/new", typed)

    assert page.status_code == 422
    assert f'id="{field}-problem"' in page.text
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page.text)
    for name, value in typed.items():
        if name not in wrong:
            assert value in html.unescape(page.text)


def test_the_place_of_a_mistake_in_the_config_is_said(shop: Shop) -> None:
    page = shop.pages.submit(
        "/packages/new", {"name": "bot", "template_type": "lora", "config": '{"r": 8,\n "x" 3}'}
    )

    assert "Line 2, column 6" in page.text


def test_a_form_that_is_sent_twice_makes_one_package(
    shop: Shop, unique: Callable[[str], str]
) -> None:
    form = shop.pages.get("/packages/new")
    found = re.search(r'name="package_id" value="([^"]+)"', form.text)
    assert found is not None
    sent = {"name": unique("bot"), "template_type": "lora", "config": "{}"}
    sent |= {"package_id": found[1], "csrf_token": csrf_token(form)}

    done = [shop.pages.post("/packages/new", sent, headers=OURS) for _ in range(2)]

    assert {each.headers["Location"] for each in done} == {f"/packages/{found[1]}"}
    assert len(shop.packages.list(text=sent["name"])) == 1


def test_a_package_without_versions_says_what_to_do(shop: Shop) -> None:
    page = shop.pages.get(f"/packages/{shop.package().id}")

    assert "No versions yet" in page.text
    assert "/new-draft" in page.text


def test_the_first_draft_starts_from_the_config_of_the_package(shop: Shop) -> None:
    package = shop.packages.create("bot", template_type="lora", config={"r": 8})

    made = shop.pages.submit(f"/packages/{package.id}/new-draft", {"source": "package"})

    assert made.headers["Location"] == f"/packages/{package.id}/v/1/edit"
    draft = shop.versions.get_by_number(package.id, 1)
    assert (draft.config_snapshot, draft.model_snapshot, draft.dataset_snapshot) == (
        {"r": 8},
        {},
        [],
    )


def test_a_draft_can_be_a_copy_of_any_version(shop: Shop) -> None:
    package = shop.package()
    first = shop.published(package.id)
    shop.draft(package.id, config={"other": 1})

    form = shop.pages.get(f"/packages/{package.id}/new-draft")
    made = shop.pages.submit(
        f"/packages/{package.id}/new-draft",
        {"source": "version", "number": "1", "name": "ünïcode <3", "change_summary": "a\r\nb"},
    )

    assert 'name="number" value="1"' in form.text
    assert made.headers["Location"] == f"/packages/{package.id}/v/3/edit"
    draft = shop.versions.get_by_number(package.id, 3)
    assert draft.config_snapshot == SNAPSHOTS["config"]
    assert (draft.name, draft.change_summary) == ("ünïcode <3", "a\nb")
    assert draft.parent_version_id == first.id


@pytest.mark.parametrize(
    ("number", "status"), [("", 422), ("x", 422), ("-1", 422), ("99", 404), ("1" * 30, 422)]
)
def test_a_copy_of_a_version_that_is_not_there_is_refused(
    shop: Shop, number: str, status: int
) -> None:
    package = shop.package()
    shop.draft(package.id)

    page = shop.pages.submit(
        f"/packages/{package.id}/new-draft",
        {"source": "version", "number": number, "name": "kept name"},
    )

    assert page.status_code == status
    assert 'role="alert"' in page.text
    assert "kept name" in page.text
    assert shop.versions.count(package.id) == 1


def test_the_versions_of_a_package_show_everything_about_them(shop: Shop) -> None:
    package = shop.package()
    first = shop.published(package.id, name="first", change_summary="Baseline", budget_limit="20")
    shop.versions.record_cost(first.id, "21")
    shop.versions.start_training(first.id)
    shop.versions.deploy(first.id, "local")
    shop.versions.restore(first.id, name="second")
    other = shop.package("another bot")
    shop.versions.fork(first.id, into=other.id, name="forked")

    second, last = rows(shop.pages.get(f"/packages/{package.id}"))
    (forked,) = rows(shop.pages.get(f"/packages/{other.id}"))

    assert text_of(last) == (
        "v1 first Baseline published &ndash; running local 21.00 of 20.00 just now by you"
    )
    assert text_of(second).startswith("v2 second Restored")
    assert f'href="/packages/{package.id}/v/2/edit"' in second
    assert f'<a href="/packages/{package.id}/v/1">v1</a>' in second
    assert f'href="/packages/{package.id}/v/1"' in forked
    assert "support-bot" in text_of(forked)


def test_filters_and_order_are_in_the_address(shop: Shop) -> None:
    package = shop.package()
    for number in range(4):
        shop.draft(package.id, name=f"name {number}", change_summary="" if number else "special")
    versions = {each.version_number: each for each in shop.versions.iterate(package.id)}
    shop.versions.publish(versions[2].id)
    shop.versions.publish(versions[3].id)
    shop.versions.archive(versions[3].id)
    shop.versions.deploy(versions[2].id, "local")
    shop.versions.start_training(versions[2].id)

    def found(query: str) -> list[int]:
        return numbers(shop.pages.get(f"/packages/{package.id}?{query}"))

    assert found("") == [4, 3, 2, 1]
    assert found("order=oldest") == [1, 2, 3, 4]
    assert found("status=draft") == [4, 1]
    assert found("status=draft&status=archived") == [4, 3, 1]
    assert found("text=SPECIAL") == [1]
    assert found("deployed=yes") == [2]
    assert found("deployed=no") == [4, 3, 1]
    assert found("training=running") == [2]
    # What an empty form sends is no filter.
    assert found("text=&status=&training=&deployed=&order=&cursor=") == [4, 3, 2, 1]
    page = shop.pages.get(f"/packages/{package.id}?status=draft&deployed=no&order=oldest&text=n")
    assert 'value="draft" checked' in page.text
    assert "<option selected>no" in page.text
    assert '<option value="oldest" selected>' in page.text
    assert 'type="search" maxlength="500" value="n"' in page.text
    assert "2 versions of 4" in text_of(page.text)
    assert "No version like that" in shop.pages.get(f"/packages/{package.id}?text=nothing").text


@pytest.mark.parametrize(
    "query",
    [
        "status=nonsense",
        "training=nonsense",
        "deployed=maybe",
        "order=sideways",
        "cursor=nonsense",
        "text=%00",
        f"text={'x' * 501}",
    ],
)
def test_a_filter_that_there_is_not_is_named(shop: Shop, query: str) -> None:
    page = shop.pages.get(f"/packages/{shop.package().id}?{query}")

    assert page.status_code == 422
    name = query.partition("=")[0].replace("training", "training_status")
    assert name in text_of(page.text)


def test_a_package_of_somebody_else_is_not_there(shop: Shop, other_shop: Shop) -> None:
    package = shop.package("private name")

    for path in ("", "/history", "/new-draft"):
        page = other_shop.pages.get(f"/packages/{package.id}{path}")
        assert page.status_code == 404
        assert "private name" not in page.text
    made = other_shop.pages.submit(
        f"/packages/{package.id}/new-draft", {"source": "package"}, page="/"
    )
    assert made.status_code == 404
    assert shop.versions.count(package.id) == 0
    assert other_shop.pages.get(f"/packages/{uuid4()}/history").status_code == 404


def test_the_history_says_that_a_fork_comes_from_another_package(shop: Shop) -> None:
    source = shop.published(shop.package("one").id)
    here = shop.package("other")
    there = shop.versions.fork(source.id, into=here.id).draft
    shop.versions.restore(shop.versions.publish(there.id).id)

    events = [text_of(row) for row in rows(shop.pages.get(f"/packages/{here.id}/history"))]

    assert events == [
        "Restored from v1 v2 you just now",
        "Published v1 you just now",
        "Forked from v1 of another package v1 you just now",
    ]


def test_the_history_says_who_did_what_and_links_what_is_still_there(shop: Shop) -> None:
    package = shop.package()
    shop.published(package.id)
    gone = shop.draft(package.id)
    shop.versions.delete_draft(gone.id)
    path = f"/packages/{package.id}/history"

    events = [text_of(row) for row in rows(shop.pages.get(path))]
    deleted = shop.pages.get(f"{path}?kind=deleted")

    assert events == [
        "Deleted v2, deleted you just now",
        "Created v2, deleted you just now",
        "Published v1 you just now",
        "Created v1 you just now",
    ]
    assert len(rows(deleted)) == 1
    assert f'href="/packages/{package.id}/v/2"' not in deleted.text
    assert shop.pages.get(f"{path}?kind=nonsense").status_code == 422
    assert "No event of this package" in shop.pages.get(f"{path}?kind=imported").text
