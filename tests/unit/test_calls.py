"""What is sent, decided without a network: arguments, filters, cursors, pages and repeats."""

import base64
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal, localcontext
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from postgrest.exceptions import APIError

from training_versions import (
    UNSET,
    ConflictError,
    ConnectionFailedError,
    InvalidInputError,
    JsonObject,
    OutcomeUnknownError,
    UnreadableReplyError,
)
from training_versions.models import to_cents
from training_versions.operations._calls import (
    Attempts,
    Done,
    PackageCalls,
    Select,
    VersionCalls,
    as_cost,
    check_pauses,
    read_rows,
)
from training_versions.snapshots.codec import Codec

PACKAGE = UUID("11111111-1111-4111-8111-111111111111")
MOMENT = datetime(2025, 1, 31, 12, 0, 0, 123456, UTC)
VERSIONS: VersionCalls[JsonObject, JsonObject, list[JsonObject]] = VersionCalls(
    Codec("config", "config_snapshot"),
    Codec("model", "model_snapshot"),
    Codec("dataset", "dataset_snapshot", many=True),
)
PACKAGES = PackageCalls()


def row(number: int) -> dict[str, Any]:
    """Make a row as PostgREST sends it."""
    return {
        "id": str(UUID(int=number)),
        "package_id": str(PACKAGE),
        "version_number": number,
        "name": f"bot-v{number}",
        "status": "draft",
        "created_at": MOMENT.isoformat(),
        "created_by": None,
        "published_at": None,
        "published_by": None,
        "updated_at": MOMENT.isoformat(),
        "change_summary": None,
        "parent_version_id": None,
        "is_deployed": False,
        "deployment_target": None,
        "deployment_url": None,
        "deployment_id": None,
        "training_status": None,
        "training_started_at": None,
        "training_completed_at": None,
        "training_metrics": None,
        "estimated_cost": 0.1,
        "actual_cost": None,
        "budget_limit": 99999999.99,
        "cost_alerts_sent": None,
        "config_snapshot": {"r": number},
        "model_snapshot": {},
        "dataset_snapshot": [],
        "a_column_of_a_newer_release": 1,
    }


def listing(
    package_id: Any = PACKAGE,
    *,
    order: Any = "newest",
    limit: Any = 2,
    cursor: Any = None,
    **filters: Any,
):
    options: Any = {"order": order, "limit": limit, "cursor": cursor, **filters}
    return VERSIONS.list(package_id, False, options)


def filters_of(**filters: Any) -> tuple[tuple[str, str, str], ...]:
    return VERSIONS.count(None, cast("Any", filters)).filters


def draft(**changed: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = dict.fromkeys(
        [
            "name",
            "change_summary",
            "parent_version_id",
            "estimated_cost",
            "budget_limit",
            "version_id",
        ]
    )
    arguments |= {"config": {}, "model": {}, "dataset": []} | changed
    return VERSIONS.create_draft(PACKAGE, **arguments).params


def edit(expected_updated_at: Any = None, **changes: Any) -> dict[str, Any]:
    return VERSIONS.update_draft(PACKAGE, expected_updated_at=expected_updated_at, **changes).params


def test_a_draft_has_its_identifier_before_it_is_sent() -> None:
    first, second = draft(), draft()

    assert UUID(first["p_version_id"]) != UUID(second["p_version_id"])


def test_only_what_is_given_is_sent_with_a_draft() -> None:
    assert sorted(draft(name="a", estimated_cost="0.10")) == [
        "p_config_snapshot",
        "p_dataset_snapshot",
        "p_estimated_cost",
        "p_model_snapshot",
        "p_name",
        "p_package_id",
        "p_version_id",
    ]


def test_an_edit_sends_what_is_named_and_none_empties() -> None:
    assert edit(change_summary=None, name=UNSET, config={"r": 1})["p_changes"] == {
        "change_summary": None,
        "config_snapshot": {"r": 1},
    }


def test_an_edit_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="nothing to change"):
        edit(name=UNSET)


@pytest.mark.parametrize("field", ["config", "model", "dataset", "name"])
def test_none_is_refused_for_what_may_not_be_empty(field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{field} must") as caught:
        edit(**{field: None})
    assert caught.value.field == field


@pytest.mark.parametrize("cost", [Decimal("12.30"), "12.3", 12.3, Decimal("12.300")])
def test_costs_are_exact_to_the_cent(cost: object) -> None:
    assert draft(estimated_cost=cost)["p_estimated_cost"] == 12.3


@pytest.mark.parametrize(
    "cost",
    [
        -1,
        "0.001",
        Decimal("100000000"),
        "NaN",
        float("inf"),
        True,
        "",
        "ten",
        0.1 + 0.2,
        [],
        "1e999999",
        b"1",
    ],
)
def test_other_costs_are_refused(cost: object) -> None:
    with pytest.raises(
        InvalidInputError, match=r"budget_limit must be 0 to 99,999,999\.99"
    ) as caught:
        draft(budget_limit=cost)
    assert caught.value.field == "budget_limit"


@pytest.mark.parametrize("name", ["", "  \n", "x" * 256, "a\0", "\ud800", 3, b"x"])
def test_names_that_cannot_be_are_refused(name: object) -> None:
    with pytest.raises(InvalidInputError, match=r"^name "):
        draft(name=name)


@pytest.mark.parametrize("name", ["x" * 255, 'a "b", (c).d %*\n', "😀", "שלום"])
def test_any_other_name_is_sent_as_it_is(name: str) -> None:
    assert draft(name=name)["p_name"] == name


@pytest.mark.parametrize("key", ["", "no", 3, None, b"x", "1" * 31, ["a"]])
def test_what_is_not_an_identifier_is_refused(key: Any) -> None:
    with pytest.raises(InvalidInputError, match="version_id must be a UUID"):
        VERSIONS.get(key)


@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", 2**31])
def test_what_is_not_a_number_of_a_version_is_refused(number: Any) -> None:
    with pytest.raises(InvalidInputError, match="version_number must be"):
        VERSIONS.get_by_number(PACKAGE, number)


def test_a_moment_is_sent_exactly_and_in_utc() -> None:
    moment = MOMENT.astimezone(timezone(timedelta(hours=5)))

    assert edit(moment, name="a")["p_expected_updated_at"] == "2025-01-31T12:00:00.123456+00:00"


@pytest.mark.parametrize("moment", [datetime(2025, 1, 1), "2025-01-01", 3])  # naive on purpose
def test_a_moment_without_time_zone_is_refused(moment: object) -> None:
    with pytest.raises(InvalidInputError, match="expected_updated_at must"):
        edit(moment, name="a")
    with pytest.raises(InvalidInputError, match="created_after must"):
        filters_of(created_after=moment)


def test_filters_are_written_in_postgrests_words() -> None:
    found = filters_of(
        status=["draft", "published"],
        training_status="running",
        deployed=False,
        parent_version_id=str(PACKAGE),
        created_after=MOMENT,
        created_before=MOMENT,
        config_contains={"a": {"b": "é,)"}},
        dataset_contains={"datasetId": "1"},
    )

    assert found == (
        ("status", "in", "(draft,published)"),
        ("training_status", "in", "(running)"),
        ("is_deployed", "is", "false"),
        ("parent_version_id", "eq", str(PACKAGE)),
        ("created_at", "gte", "2025-01-31T12:00:00.123456+00:00"),
        ("created_at", "lt", "2025-01-31T12:00:00.123456+00:00"),
        ("config_snapshot", "cs", '{"a":{"b":"é,)"}}'),
        ("dataset_snapshot", "cs", '[{"datasetId":"1"}]'),
    )


def test_text_is_searched_literally() -> None:
    ((column, _, value),) = filters_of(text='a"b\\*')

    pattern = 'a\\\\\\"b\\\\\\\\\\\\*'  # each special character escaped for the regex, then for PostgREST's quotes
    assert (column, value) == ("or", f'name.imatch."{pattern}",change_summary.imatch."{pattern}"')


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"status": "gone"}, "status"),
        ({"status": []}, "status"),
        ({"status": [3]}, "status"),
        ({"training_status": "draft"}, "training_status"),
        ({"deployed": 1}, "deployed"),
        ({"parent_version_id": "x"}, "parent_version_id"),
        ({"text": "a\0"}, "text"),
        ({"text": "x" * 10_000}, "text"),
        ({"text": 0}, "text"),
        ({"config_contains": []}, "config_contains"),
        ({"model_contains": {"a": float("nan")}}, "model_contains"),
        ({"dataset_contains": 3}, "dataset_contains"),
        ({"state": "draft"}, "state"),
    ],
)
def test_a_filter_that_cannot_be_right_is_refused(filters: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        filters_of(**filters)
    assert caught.value.field == field


@pytest.mark.parametrize("limit", [0, -1, True, 2.0, "3", None])
def test_a_page_size_that_cannot_be_is_refused(limit: object) -> None:
    with pytest.raises(InvalidInputError, match="limit must be an integer of 1 or more"):
        listing(limit=limit)


def test_a_page_asks_for_one_row_more_than_it_returns() -> None:
    select = listing(limit=2)

    step = select.read([row(9), row(8), row(7)], None)

    assert select.limit == 3
    assert isinstance(step, Done)
    assert [item.version_number for item in step.value.items] == [9, 8]
    assert listing(cursor=step.value.next_cursor).filters[-1] == ("version_number", "lt", "8")


@pytest.mark.parametrize(("beyond", "is_end"), [([], True), ([{"id": "x"}], False)])
def test_a_short_page_is_the_end_only_when_nothing_lies_beyond(
    beyond: list[Any], is_end: bool
) -> None:
    proof = listing(limit=9).read([row(9)], None)
    assert isinstance(proof, Select)
    assert (proof.columns, proof.limit, proof.filters[-1]) == (
        ("id",),
        1,
        ("version_number", "lt", "9"),
    )

    step = proof.read(beyond, None)

    assert isinstance(step, Done)
    assert (step.value.next_cursor is None) is is_end


def test_over_all_packages_the_key_is_time_and_identifier() -> None:
    step = listing(None, order="oldest", limit=1).read([row(1), row(2)], None)
    assert isinstance(step, Done)

    select = listing(None, order="oldest", limit=1, cursor=step.value.next_cursor)

    moment = "2025-01-31T12:00:00.123456+00:00"
    assert select.filters == (
        ("created_at", "gte", moment),
        ("or", "", f'created_at.gt."{moment}",id.gt.{UUID(int=1)}'),
    )
    assert (select.order, select.descending) == (("created_at", "id"), False)


def test_a_page_survives_pickle() -> None:
    step = listing().read([row(9), row(8), row(7)], None)

    assert isinstance(step, Done)
    assert pickle.loads(pickle.dumps(step.value)) == step.value


def test_a_walk_goes_on_until_a_page_is_empty() -> None:
    walk = VERSIONS.iterate(PACKAGE, True, {"page_size": 500})

    step = walk.read([row(3)], None)
    assert isinstance(step, Done)
    assert step.value.rest is not None
    assert step.value.rest.filters[-1] == ("version_number", "lt", "3")
    last = step.value.rest.read([], None)

    assert last == Done(type(step.value)([], None))


def cursor_of(select: Select[Any]) -> str:
    step = select.read([row(9), row(8), row(7)], None)
    assert isinstance(step, Done)
    return step.value.next_cursor


def test_a_cursor_of_another_list_is_refused() -> None:
    cursor = cursor_of(listing())

    for other in (
        lambda: listing(uuid4(), cursor=cursor),
        lambda: listing(None, cursor=cursor),
        lambda: listing(order="oldest", cursor=cursor),
        lambda: listing(status="draft", cursor=cursor),
        lambda: PACKAGES.list(limit=2, cursor=cursor, filters={}),
    ):
        with pytest.raises(InvalidInputError, match="cursor does not belong"):
            other()


def test_a_mangled_cursor_is_refused() -> None:
    cursor = cursor_of(listing())
    forged = base64.urlsafe_b64encode(json.dumps(["7) or (1", "abc"]).encode()).decode()

    for mangled in (
        "",
        "x",
        "é",
        cursor[:-1],
        cursor[1:],
        cursor + "A",
        cursor[::-1],
        forged,
        "bnVsbA",
        "W10",
        3,
        b"x",
    ):
        with pytest.raises(InvalidInputError, match="cursor does not belong") as caught:
            listing(cursor=mangled)
        assert caught.value.field == "cursor"


def test_a_cursor_goes_with_another_page_size() -> None:
    assert listing(limit=50, cursor=cursor_of(listing(limit=2))).limit == 51


def test_a_version_is_read_with_exact_costs_and_times() -> None:
    step = VERSIONS.get(PACKAGE).read([row(7)], None)

    assert isinstance(step, Done)
    assert (str(step.value.estimated_cost), str(step.value.budget_limit)) == ("0.10", "99999999.99")
    assert step.value.created_at == MOMENT
    assert step.value.config_snapshot == {"r": 7}


@pytest.mark.parametrize(
    "rows",
    ["<html>", {}, [3], [{}], [row(1) | {"status": "lost"}], [row(1) | {"config_snapshot": 3}]],
)
def test_rows_that_do_not_fit_are_unreadable(rows: object) -> None:
    with pytest.raises(UnreadableReplyError) as caught:
        read_rows(VERSIONS.get(PACKAGE), rows, None)
    assert caught.value.reply == rows


def test_a_snapshot_that_does_not_fit_is_named_with_version_and_path() -> None:
    typed = VersionCalls(
        Codec("config", "config_snapshot", dict[str, list[int]]), VERSIONS.model, VERSIONS.dataset
    )

    with pytest.raises(UnreadableReplyError) as caught:
        read_rows(typed.get(PACKAGE), [row(7) | {"config_snapshot": {"a": [1, "x"]}}], None)

    message = caught.value.message
    assert (
        f"in version {UUID(int=7)} (number 7), config_snapshot does not fit its type: a.1: Input should"
        in message
    )


@pytest.mark.parametrize("pauses", [[-1], [float("nan")], [float("inf")]])
def test_pauses_are_seconds(pauses: list[float]) -> None:
    with pytest.raises(InvalidInputError, match="retry_pauses"):
        check_pauses(pauses)


PUBLISH = VERSIONS.publish(PACKAGE)
LOST = httpx.ReadTimeout("timed out")
REFUSED = httpx.ConnectError("refused")
CONFLICT = APIError({"code": "TV201", "message": "edited since"})
BUSY = APIError({"code": "PGRST003", "message": "timed out"})


def test_a_lost_reply_is_followed_by_each_pause_and_then_unknown() -> None:
    attempts = Attempts(PUBLISH, (0.5, 1.0))

    assert [attempts.pause_after(LOST, {}), attempts.pause_after(LOST, {})] == [0.5, 1.0]
    with pytest.raises(OutcomeUnknownError) as caught:
        attempts.pause_after(LOST, {})
    assert caught.value.__cause__ is LOST


def test_who_must_call_create_again_is_told_the_identifier() -> None:
    call = VERSIONS.create_draft(
        PACKAGE, config={}, model={}, dataset=[], name=None, version_id=None
    )

    with pytest.raises(OutcomeUnknownError) as caught:
        Attempts(call, ()).pause_after(LOST, {})

    assert f"with version_id='{call.params['p_version_id']}'" in str(caught.value.hint)


def test_nothing_is_repeated_when_nothing_was_sent() -> None:
    with pytest.raises(ConnectionFailedError):
        Attempts(PUBLISH, (0.5,)).pause_after(REFUSED, {})


@pytest.mark.parametrize(
    "then", [REFUSED, BUSY, APIError({"code": "PGRST301", "message": "JWT expired"})]
)
def test_after_a_lost_reply_only_an_answer_makes_it_known(then: Exception) -> None:
    attempts = Attempts(PUBLISH, (0.5,))
    attempts.pause_after(LOST, {})

    with pytest.raises(OutcomeUnknownError):
        attempts.pause_after(then, {})


def test_a_refusal_after_a_lost_reply_says_that_a_try_was_lost() -> None:
    attempts = Attempts(PUBLISH, (0.5,))
    attempts.pause_after(LOST, {})

    with pytest.raises(ConflictError) as caught:
        attempts.pause_after(CONFLICT, {})

    assert "earlier try" in caught.value.__notes__[0]


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_what_another_transaction_stood_in_the_way_of_is_sent_again(code: str) -> None:
    deadlock = APIError({"code": code, "message": "deadlock detected", "details": "", "hint": None})
    attempts = Attempts(PUBLISH, (0.5,))

    assert attempts.pause_after(deadlock, {}) == 0.5
    with pytest.raises(ConflictError) as caught:
        attempts.pause_after(deadlock, {})
    assert caught.value.code == code


def test_costs_are_exact_whatever_precision_the_program_works_with() -> None:
    with localcontext(Context(prec=3)):
        assert as_cost(Decimal("12345.67"), "amount") == 12345.67
        assert as_cost("99999999.99", "amount") == 99999999.99
        assert to_cents(Decimal("12345.6")) == Decimal("12345.60")
