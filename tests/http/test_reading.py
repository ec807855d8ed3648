"""Reads on the wire: what is asked for, and that pages and walks reach the end under any cap."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx

from tests.data import (
    MOMENT,
    PACKAGE,
    URL,
    VERSION,
    event_row,
    package_row,
    version_row,
)
from training_versions import NotFoundError, UnreadableReplyError, VersionRepository

VERSIONS = "/training_package_versions"
SUMMARIES = "/training_package_version_summaries"

# A read, the path that it asks, and the parameters that decide what it gets.
SELECTS: dict[str, tuple[Callable[[Any], Any], str, dict[str, str]]] = {
    "get": (
        lambda versions: versions.find(VERSION),
        VERSIONS,
        {"id": f"eq.{VERSION}", "limit": "1"},
    ),
    "latest_published": (
        lambda versions: versions.latest_published(PACKAGE),
        "/training_published_versions",
        {"package_id": f"eq.{PACKAGE}", "order": "version_number.desc", "limit": "1"},
    ),
    "live": (
        lambda versions: versions.live(PACKAGE, "local"),
        "/training_deployments",
        {
            "package_id": f"eq.{PACKAGE}",
            "target": "eq.local",
            "ended_at": "is.null",
            "order": "started_at.desc",
            "limit": "1",
        },
    ),
}


@pytest.mark.parametrize(("read", "path", "expected"), SELECTS.values(), ids=SELECTS)
def test_a_read_asks_for_one_row(versions, server, read, path, expected):
    route = server.get(path).mock(httpx.Response(200, json=[]))

    assert read(versions) is None

    assert len(server.calls) == 1
    params = route.calls[0].request.url.params
    assert {name: params[name] for name in expected} == expected


def test_nothing_found_is_none_or_an_error_that_names_it(versions, server):
    server.get(VERSIONS).mock(httpx.Response(200, json=[]))

    assert versions.find(VERSION) is None
    assert versions.latest(PACKAGE) is None
    with pytest.raises(NotFoundError, match=f"There is no version {VERSION}, or you may not"):
        versions.get(VERSION)
    with pytest.raises(NotFoundError, match=f"There is no version 3 of package {PACKAGE}"):
        versions.get_by_number(PACKAGE, 3)


def test_a_package_of_an_older_table_is_read(packages, server):
    server.get("/training_configs").mock(httpx.Response(200, json=[package_row()]))

    assert packages.get(PACKAGE).created_at is None


def test_a_count_is_read_from_the_range(versions, server):
    reply = httpx.Response(206, json=[{"id": VERSION}], headers={"Content-Range": "0-0/2500"})
    route = server.get(VERSIONS).mock(reply)

    assert versions.count(PACKAGE, status="draft") == 2500
    assert route.calls[0].request.headers["Prefer"] == "count=exact"


class Table:
    """A table behind a server that returns at most `cap` rows, newest first."""

    def __init__(self, server: respx.MockRouter, path: str, rows: int, cap: int) -> None:
        self.rows, self.cap = rows, cap
        self.make = version_row if path == SUMMARIES else event_row
        self.route = server.get(path).mock(side_effect=self.answer)
        numbers = [{"n": number} for number in range(1, 1002)][:cap]
        self.numbers = server.get("/training_row_numbers").mock(httpx.Response(200, json=numbers))

    def answer(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        limits = re.findall(
            r"(?:^|id\.)lt\.(\d+)", params.get("version_number", params.get("or", ""))
        )
        below = int(limits[-1]) if limits else self.rows + 1
        numbers = range(min(self.rows, below - 1), 0, -1)[: min(self.cap, int(params["limit"]))]
        return httpx.Response(200, json=[self.make(number) for number in numbers])


LISTS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "versions": (SUMMARIES, "list", "iterate", {"package_id": PACKAGE}),
    "history": ("/training_version_events", "history", "iterate_history", {"version_id": VERSION}),
}


@pytest.mark.parametrize(("path", "list_name", "iterate", "which"), LISTS.values(), ids=LISTS)
@pytest.mark.parametrize(
    ("rows", "cap", "limit"),
    [(25, 10, 100), (25, 1000, 10), (20, 10, 10), (20, 10, 9), (3, 1000, 50), (0, 5, 5)],
)
def test_pages_and_walks_lead_to_the_end_whatever_the_server_caps(
    versions, server, path, list_name, iterate, which, rows, cap, limit
):
    Table(server, path, rows, cap)
    key = "version_number" if path == SUMMARIES else "id"

    page = getattr(versions, list_name)(**which, limit=limit)
    listed = list(page.items)
    while page.next_cursor is not None:
        page = getattr(versions, list_name)(**which, limit=limit, cursor=page.next_cursor)
        listed += page.items
    walked = list(getattr(versions, iterate)(**which, page_size=limit))

    assert [getattr(item, key) for item in listed] == list(range(rows, 0, -1))
    assert walked == listed


def test_the_first_short_page_measures_the_cap_and_later_ones_need_one_request(versions, server):
    table = Table(server, SUMMARIES, 25, 1000)

    versions.list(PACKAGE, limit=10)
    assert (len(table.route.calls), len(table.numbers.calls)) == (1, 0)
    versions.list(PACKAGE, limit=100)
    versions.list(PACKAGE, limit=100)
    list(versions.iterate(PACKAGE))

    assert (len(table.route.calls), len(table.numbers.calls)) == (4, 1)


def test_repositories_over_the_same_connections_measure_the_cap_once(server):
    table = Table(server, SUMMARIES, 25, 1000)

    project = URL.removesuffix("/rest/v1")
    with httpx.Client() as http:
        for token in ("of.one.caller", "of.another.caller"):
            versions = VersionRepository.for_token(project, "key", token, http_client=http)
            assert len(versions.list(PACKAGE, limit=100)) == 25

    assert len(table.numbers.calls) == 1


def test_a_page_as_long_as_the_cap_is_followed_by_a_proof(versions, server):
    table = Table(server, SUMMARIES, 20, cap=10)
    list(versions.iterate(PACKAGE))
    before = len(table.route.calls)

    versions.list(PACKAGE, limit=50)

    probe = table.route.calls[before + 1].request.url.params
    assert (len(table.route.calls) - before, probe["select"], probe["limit"]) == (2, "id", "1")


def test_both_conditions_on_the_key_are_sent(versions, server):
    rows = [version_row(2), version_row(1)]
    route = server.get(SUMMARIES).mock(httpx.Response(200, json=rows))

    page = versions.list(limit=1, text="a,b")
    versions.list(limit=1, text="a,b", cursor=page.next_cursor)

    sent = list(route.calls[1].request.url.params.multi_items())
    assert ("created_at", f"lte.{MOMENT}") in sent
    assert ("or", f'(created_at.lt."{MOMENT}",id.lt.{VERSION})') in sent
    assert ("or", '(name.imatch."a\\\\,b",change_summary.imatch."a\\\\,b")') in sent
    assert ("order", "created_at.desc,id.desc") in sent


NOT_AN_ANSWER = {
    "page": "<html>It works!</html>",
    "empty": "",
    "object": '{"a": 1}',
    "text": '"text"',
    "arrays": "[[1]]",
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", NOT_AN_ANSWER.values(), ids=NOT_AN_ANSWER)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_success_that_is_not_an_answer_is_unreadable(versions, server, text):
    server.get(VERSIONS).mock(httpx.Response(200, text=text))
    server.post("/rpc/publish_training_version").mock(httpx.Response(200, text=text))

    with pytest.raises(UnreadableReplyError, match=r"reply to versions\.publish cannot be read"):
        versions.publish(VERSION)
    if text:  # an empty reply to a read is what postgrest gives for no rows
        with pytest.raises(UnreadableReplyError):
            versions.get(VERSION)


def test_the_unreadable_reply_is_kept(versions, server):
    server.post("/rpc/archive_training_version").mock(httpx.Response(200, text="<html>"))

    with pytest.raises(UnreadableReplyError) as caught:
        versions.archive(VERSION)

    assert (caught.value.reply, caught.value.operation) == ("<html>", "versions.archive")


def test_two_versions_are_fetched_for_comparison_in_one_request(versions, server):
    one, two = str(UUID(int=1)), str(UUID(int=2))
    reply = [version_row(2, config_snapshot={"r": 16}), version_row(1, config_snapshot={"r": 8})]
    route = server.get(VERSIONS).mock(httpx.Response(200, json=reply))

    diff = versions.compare(one, two)

    assert len(server.calls) == 1
    params = route.calls[0].request.url.params
    assert (params["id"], params["limit"]) == (f"in.({one},{two})", "2")
    assert [
        (change.path, change.old, change.new) for change in diff.filter("/config_snapshot")
    ] == [("/config_snapshot/r", 8, 16)]


def test_versions_are_compared_also_where_replies_have_one_row(versions, server):
    rows = [version_row(1), version_row(2, config_snapshot={"r": 9})]
    first = iter([rows[:1], rows[1:]])
    route = server.get(VERSIONS).mock(
        side_effect=lambda request: httpx.Response(200, json=next(first))
    )

    diff = versions.compare(UUID(int=1), UUID(int=2))

    assert [change.path for change in diff.filter("/config_snapshot")] == ["/config_snapshot/r"]
    assert len(route.calls) == 2


def test_a_version_that_cannot_be_compared_is_named(versions, server):
    missing = UUID(int=9)

    def answer(request: httpx.Request) -> httpx.Response:
        rows = [version_row(2)] if VERSION in request.url.params["id"] else []
        return httpx.Response(200, json=rows)

    server.get(VERSIONS).mock(side_effect=answer)

    with pytest.raises(NotFoundError, match=f"There is no version {missing}, or you") as caught:
        versions.compare(VERSION, missing)

    assert caught.value.operation == "versions.compare"
