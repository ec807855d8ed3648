"""Exactly what goes over the wire, and how the replies are read."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx

from training_versions import InvalidInputError, NotFoundError, UnreadableReplyError

from .conftest import PACKAGE, VERSION, Driven, body, package_row, row

DRAFT: dict[str, Any] = {"config": {"r": 8}, "model": {"id": "m"}, "dataset": [{"datasetId": "1"}]}
WRITES: list[Any] = [
    (
        "packages",
        "create",
        ("bot",),
        {"template_type": "lora", "config": {"r": 8}, "package_id": PACKAGE},
        "create_training_package",
        {
            "p_name": "bot",
            "p_template_type": "lora",
            "p_config_json": {"r": 8},
            "p_package_id": PACKAGE,
        },
    ),
    (
        "packages",
        "update",
        (PACKAGE,),
        {"name": "b", "config": {}},
        "update_training_package",
        {"p_package_id": PACKAGE, "p_changes": {"name": "b", "config_json": {}}},
    ),
    ("packages", "delete", (PACKAGE,), {}, "delete_training_package", {"p_package_id": PACKAGE}),
    (
        "versions",
        "next_version_number",
        (PACKAGE,),
        {},
        "get_next_version_number",
        {"p_package_id": PACKAGE},
    ),
    (
        "versions",
        "create_draft",
        (UUID(PACKAGE),),
        {
            **DRAFT,
            "version_id": UUID(VERSION),
            "estimated_cost": Decimal("0.10"),
            "parent_version_id": VERSION,
        },
        "create_training_draft",
        {
            "p_package_id": PACKAGE,
            "p_version_id": VERSION,
            "p_parent_version_id": VERSION,
            "p_config_snapshot": {"r": 8},
            "p_model_snapshot": {"id": "m"},
            "p_dataset_snapshot": [{"datasetId": "1"}],
            "p_estimated_cost": 0.1,
        },
    ),
    (
        "versions",
        "update_draft",
        (VERSION,),
        {"name": "b", "budget_limit": None},
        "update_training_draft",
        {"p_version_id": VERSION, "p_changes": {"name": "b", "budget_limit": None}},
    ),
    (
        "versions",
        "delete_draft",
        (VERSION,),
        {},
        "delete_training_draft",
        {"p_version_id": VERSION},
    ),
    (
        "versions",
        "publish",
        (VERSION,),
        {"name": "b"},
        "publish_training_version",
        {"p_version_id": VERSION, "p_name": "b"},
    ),
    ("versions", "archive", (VERSION,), {}, "archive_training_version", {"p_version_id": VERSION}),
]


def reply_to(repository: str, method: str) -> httpx.Response:
    if "delete" in method:
        return httpx.Response(204)
    if method == "next_version_number":
        return httpx.Response(200, json=3)
    return httpx.Response(200, json=package_row() if repository == "packages" else row())


@pytest.mark.parametrize(("repository", "method", "args", "kwargs", "function", "sent"), WRITES)
def test_a_write_is_one_request(
    face: Any,
    server: respx.MockRouter,
    repository: str,
    method: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    function: str,
    sent: dict[str, Any],
) -> None:
    route = server.post(f"/rpc/{function}").mock(reply_to(repository, method))

    getattr(getattr(face, repository)(), method)(*args, **kwargs)

    assert len(server.calls) == 1
    assert body(route.calls[0].request) == sent
    assert route.calls[0].request.headers["Content-Profile"] == "public"


def test_a_read_by_identifier_is_one_select(versions: Driven, server: respx.MockRouter) -> None:
    route = server.get("/training_package_versions").mock(httpx.Response(200, json=[row(2)]))

    version = versions.get(VERSION)

    assert str(version.id) == VERSION
    params = route.calls[0].request.url.params
    assert (params["id"], params["limit"]) == (f"eq.{VERSION}", "1")
    assert len(params["select"].split(",")) == 27


def test_a_package_of_an_older_table_is_read(packages: Driven, server: respx.MockRouter) -> None:
    server.get("/training_configs").mock(httpx.Response(200, json=[package_row()]))

    assert packages.get(PACKAGE).created_at is None


def test_nothing_found_is_none_or_an_error_that_names_it(
    versions: Driven, server: respx.MockRouter
) -> None:
    server.get("/training_package_versions").mock(httpx.Response(200, json=[]))

    assert versions.find(VERSION) is None
    assert versions.latest(PACKAGE) is None
    assert versions.latest_published(PACKAGE) is None
    with pytest.raises(
        NotFoundError, match=f"There is no version {VERSION}, or you may not see it"
    ):
        versions.get(VERSION)
    with pytest.raises(NotFoundError, match=f"There is no version 3 of package {PACKAGE}"):
        versions.get_by_number(PACKAGE, 3)


def test_latest_published_asks_for_one_row_of_the_index(
    versions: Driven, server: respx.MockRouter
) -> None:
    route = server.get("/training_package_versions").mock(httpx.Response(200, json=[row()]))

    versions.latest_published(PACKAGE)

    params = route.calls[0].request.url.params
    assert (params["status"], params["order"], params["limit"]) == (
        "eq.published",
        "version_number.desc",
        "1",
    )


def test_a_count_is_read_from_the_range(versions: Driven, server: respx.MockRouter) -> None:
    reply = httpx.Response(206, json=[{"id": VERSION}], headers={"Content-Range": "0-0/2500"})
    route = server.get("/training_package_versions").mock(reply)

    assert versions.count(PACKAGE, status="draft") == 2500
    assert route.calls[0].request.headers["Prefer"] == "count=exact"


class Table:
    """A table of versions behind a server that returns at most `cap` rows, newest first."""

    def __init__(self, server: respx.MockRouter, rows: int, cap: int) -> None:
        self.rows, self.cap = rows, cap
        self.route = server.get("/training_package_versions").mock(side_effect=self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        below = int(params.get("version_number", "lt.1000000").removeprefix("lt."))
        numbers = range(min(self.rows, below - 1), 0, -1)[: min(self.cap, int(params["limit"]))]
        return httpx.Response(200, json=[row(number) for number in numbers])


@pytest.mark.parametrize(
    ("rows", "cap", "limit"), [(25, 10, 100), (25, 1000, 10), (20, 10, 10), (20, 10, 9), (0, 5, 5)]
)
def test_pages_lead_to_the_end_whatever_the_server_caps(
    versions: Driven, server: respx.MockRouter, rows: int, cap: int, limit: int
) -> None:
    Table(server, rows, cap)
    found, cursor = [], None

    while True:
        page = versions.list(PACKAGE, limit=limit, cursor=cursor)
        found += [item.version_number for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == list(range(rows, 0, -1))


@pytest.mark.parametrize(("rows", "cap"), [(25, 10), (20, 10), (3, 1000), (0, 10)])
def test_a_walk_reaches_the_end_whatever_the_server_caps(
    versions: Driven, server: respx.MockRouter, rows: int, cap: int
) -> None:
    Table(server, rows, cap)

    assert [item.version_number for item in versions.iterate(PACKAGE)] == list(range(rows, 0, -1))


def test_a_full_page_needs_one_request_and_a_short_one_a_proof(
    versions: Driven, server: respx.MockRouter
) -> None:
    table = Table(server, 25, 1000)

    versions.list(PACKAGE, limit=10)
    full = len(table.route.calls)
    versions.list(PACKAGE, limit=100)

    assert (full, len(table.route.calls)) == (1, 3)
    assert table.route.calls[2].request.url.params["select"] == "id"


def test_both_conditions_on_the_key_are_sent(versions: Driven, server: respx.MockRouter) -> None:
    route = server.get("/training_package_versions").mock(
        httpx.Response(200, json=[row(2), row(1)])
    )

    page = versions.list(limit=1, text="a,b")
    versions.list(limit=1, text="a,b", cursor=page.next_cursor)

    sent = list(route.calls[1].request.url.params.multi_items())
    moment = "2025-01-31T12:00:00.123456+00:00"
    assert ("created_at", f"lte.{moment}") in sent
    assert ("or", f'(created_at.lt."{moment}",id.lt.{VERSION})') in sent
    assert ("or", '(name.imatch."a\\\\,b",change_summary.imatch."a\\\\,b")') in sent
    assert ("order", "created_at.desc,id.desc") in sent


@pytest.mark.parametrize(
    "text", ["<html>It works!</html>", "", '{"a": 1}', '"text"', "[[1]]", "[" * 100_000]
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_success_that_is_not_an_answer_is_unreadable(
    versions: Driven, server: respx.MockRouter, text: str
) -> None:
    server.get("/training_package_versions").mock(httpx.Response(200, text=text))
    server.post("/rpc/publish_training_version").mock(httpx.Response(200, text=text))

    with pytest.raises(
        UnreadableReplyError, match=re.escape("The reply to versions.publish cannot be read")
    ):
        versions.publish(VERSION)
    if text:  # an empty reply to a read is what postgrest gives for no rows
        with pytest.raises(UnreadableReplyError):
            versions.get(VERSION)


def test_the_unreadable_reply_is_kept(versions: Driven, server: respx.MockRouter) -> None:
    server.post("/rpc/archive_training_version").mock(httpx.Response(200, text="<html>"))

    with pytest.raises(UnreadableReplyError) as caught:
        versions.archive(VERSION)

    assert (caught.value.reply, caught.value.operation) == ("<html>", "versions.archive")


def test_bad_input_sends_nothing(face: Any, server: respx.MockRouter) -> None:
    versions, packages = face.versions(), face.packages()

    for refused in (
        lambda: versions.create_draft(PACKAGE, **{**DRAFT, "config": {"a": float("nan")}}),
        lambda: versions.update_draft(VERSION),
        lambda: versions.publish("no"),
        lambda: versions.list(PACKAGE, cursor="no"),
        lambda: versions.iterate(PACKAGE, page_size=0),
        lambda: packages.create(" ", template_type="lora", config={}),
        lambda: packages.update(PACKAGE, template_type=""),
        lambda: packages.list(limit=-1),
    ):
        with pytest.raises(InvalidInputError):
            refused()
    assert len(server.calls) == 0
