"""Lists, walks and single versions: filters, cursors, pages, and how rows are read."""

import base64
import json
import pickle
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.data import MOMENT, event_row
from training_versions import EventKind, InvalidInputError, UnreadableReplyError
from training_versions.operations.requests import ROW_NUMBERS, Reply, RowCap

from .scripted import (
    PACKAGE,
    VERSION,
    VERSIONS,
    conditions_of,
    request_of,
    result_of,
    row,
    versions,
    where_of,
)

AWARE = datetime.fromisoformat(MOMENT)
ROWS = [row(9), row(8), row(7)]


def test_filters_are_written_in_postgrests_words() -> None:
    counted = VERSIONS.count(
        status=["draft", "published"],
        training_status="running",
        deployed=False,
        parent_version_id=str(PACKAGE),
        created_after=AWARE,
        created_before=AWARE,
        config_contains={"a": {"b": "é,)"}},
        dataset_contains={"datasetId": "1"},
    )

    assert where_of(counted) == (
        ("status", "in", "(draft,published)"),
        ("training_status", "eq", "running"),
        ("is_deployed", "is", "false"),
        ("parent_version_id", "eq", str(PACKAGE)),
        ("created_at", "gte", MOMENT),
        ("created_at", "lt", MOMENT),
        ("config_snapshot", "cs", '{"a":{"b":"é,)"}}'),
        ("dataset_snapshot", "cs", '[{"datasetId":"1"}]'),
    )


def test_text_is_searched_literally() -> None:
    ((alternatives,),) = where_of(VERSIONS.count(text='a"b\\*'))

    # Each special character is escaped for the regex, and then for PostgREST's quotes.
    pattern = 'a\\\\\\"b\\\\\\\\\\\\*'
    assert alternatives == f'name.imatch."{pattern}",change_summary.imatch."{pattern}"'


def test_history_filters_are_written_in_postgrests_words() -> None:
    select = request_of(
        VERSIONS.history(
            version_id=VERSION,
            kind=["published", EventKind.DEPLOYED],
            since=AWARE,
            until=AWARE,
            order="oldest",
        )
    )

    assert select.table == "training_version_events"
    assert conditions_of(select) == (
        ("version_id", "eq", str(VERSION)),
        ("kind", "in", "(published,deployed)"),
        (f'occurred_at.gte."{MOMENT}",last_at.gte."{MOMENT}"',),
        ("occurred_at", "lt", MOMENT),
    )
    assert (select.order_by, select.descending, select.limit) == (("occurred_at", "id"), False, 51)


def test_live_at_asks_for_the_deployment_that_had_begun_and_not_ended() -> None:
    read = VERSIONS.live_at(PACKAGE, "local", AWARE)

    assert conditions_of(next(read))[2:] == (
        ("started_at", "lte", MOMENT),
        (f'ended_at.is.null,ended_at.gt."{MOMENT}"',),
    )
    with pytest.raises(StopIteration) as finished:
        read.send(Reply([]))
    assert finished.value.value is None


def test_a_page_asks_for_one_row_more_than_it_returns() -> None:
    page = result_of(VERSIONS.list(PACKAGE, limit=2), ROWS)

    assert request_of(VERSIONS.list(PACKAGE, limit=2)).limit == 3
    assert [item.version_number for item in page.items] == [9, 8]
    after = VERSIONS.list(PACKAGE, limit=2, cursor=page.next_cursor)
    assert where_of(after)[-1] == ("version_number", "lt", "8")


@pytest.mark.parametrize(("beyond", "is_end"), [([], True), ([{"id": "x"}], False)])
def test_a_page_as_long_as_the_cap_is_the_end_only_when_nothing_lies_beyond(
    beyond: list[Any], is_end: bool
) -> None:
    listed = VERSIONS.list(PACKAGE, limit=9)
    next(listed)
    listed.send(Reply([row(9)]))
    probe = listed.send(Reply([{"n": 1}]))

    assert (probe.columns, probe.limit) == (("id",), 1)
    assert conditions_of(probe)[-1] == ("version_number", "lt", "9")
    with pytest.raises(StopIteration) as finished:
        listed.send(Reply(beyond))
    assert (finished.value.value.next_cursor is None) is is_end


# Rows of the reply, what was known of the cap, and what a request for it brings, if one is sent.
BATCHES: dict[str, tuple[int, RowCap, int | None, bool]] = {
    "shorter than one before": (2, RowCap(3), None, True),
    "shorter than the cap": (2, RowCap(), 3, True),
    "as long as the cap": (2, RowCap(2, was_measured=True), None, False),
    "as long as the cap, the first time": (2, RowCap(), 2, False),
    "of a server that sends no numbers": (2, RowCap(), 0, False),
    "longer than any before": (4, RowCap(3, was_measured=True), None, False),
    "full": (5, RowCap(9), None, False),
    "empty": (0, RowCap(), None, True),
}


@pytest.mark.parametrize(("rows", "cap", "numbers", "is_last"), BATCHES.values(), ids=BATCHES)
def test_a_reply_is_the_last_when_the_cap_cannot_have_ended_it(
    rows: int, cap: RowCap, numbers: int | None, is_last: bool
) -> None:
    walk = VERSIONS.iterate(PACKAGE, page_size=5).batch_after(())
    next(walk)

    reply = Reply([row(9 - number) for number in range(rows)], row_cap=cap)
    if numbers is not None:
        assert walk.send(reply).table == ROW_NUMBERS
        reply = Reply([{"n": number} for number in range(numbers)])
    with pytest.raises(StopIteration) as finished:
        walk.send(reply)

    assert finished.value.value.is_last is is_last


def test_over_all_packages_the_key_is_time_and_identifier() -> None:
    page = result_of(VERSIONS.list(order="oldest", limit=1), [row(1), row(2)])

    select = request_of(VERSIONS.list(order="oldest", limit=1, cursor=page.next_cursor))

    assert conditions_of(select) == (
        ("created_at", "gte", MOMENT),
        (f'created_at.gt."{MOMENT}",id.gt.{UUID(int=1)}',),
    )
    assert (select.order_by, select.descending) == (("created_at", "id"), False)


def test_history_is_paged_by_time_and_identifier() -> None:
    page = result_of(VERSIONS.history(limit=2), [event_row(9), event_row(8), event_row(5)])

    assert where_of(VERSIONS.history(limit=2, cursor=page.next_cursor)) == (
        ("occurred_at", "lte", MOMENT),
        (f'occurred_at.lt."{MOMENT}",id.lt.8',),
    )


def test_a_page_survives_pickle() -> None:
    page = result_of(VERSIONS.list(PACKAGE, limit=2), ROWS)

    assert pickle.loads(pickle.dumps(page)) == page


def test_a_walk_goes_on_after_the_last_row_that_came() -> None:
    walk = VERSIONS.iterate(PACKAGE, snapshots=True, page_size=500)

    batch = result_of(walk.batch_after(()), [row(3)], [{"n": 1}])
    after = walk.batch_after(walk.key_of(batch.rows[0]))

    assert request_of(walk.batch_after(())).limit == 500
    assert not batch.is_last
    assert where_of(after)[-1] == ("version_number", "lt", "3")


def test_a_cursor_of_another_history_is_refused() -> None:
    events = [event_row(number) for number in (9, 8, 5)]
    page = result_of(VERSIONS.history(limit=2), events)

    with pytest.raises(InvalidInputError, match="cursor does not belong"):
        VERSIONS.history(package_id=PACKAGE, limit=2, cursor=page.next_cursor)


def test_a_forged_cursor_is_refused() -> None:
    # It would be a condition of the query, if it were believed.
    forged = base64.urlsafe_b64encode(json.dumps(["7) or (1", "abc"]).encode()).decode()

    with pytest.raises(InvalidInputError, match="cursor does not belong"):
        VERSIONS.list(PACKAGE, limit=2, cursor=forged)


def test_a_cursor_goes_with_another_page_size() -> None:
    cursor = result_of(VERSIONS.list(PACKAGE, limit=2), ROWS).next_cursor

    assert request_of(VERSIONS.list(PACKAGE, limit=50, cursor=cursor)).limit == 51


def test_a_version_is_read_with_exact_costs_and_times() -> None:
    version = result_of(VERSIONS.get(VERSION), [row(7)])

    assert (str(version.estimated_cost), str(version.budget_limit)) == ("0.10", "99999999.99")
    assert version.created_at == datetime(2025, 1, 31, 12, 0, 0, 123456, UTC)
    assert version.config_snapshot == {"r": 7}


@pytest.mark.parametrize(
    "rows",
    ["<html>", {}, [3], [{}], [row(1, status="lost")], [row(1, config_snapshot=3)]],
)
def test_rows_that_do_not_fit_are_unreadable(rows: object) -> None:
    with pytest.raises(UnreadableReplyError) as caught:
        result_of(VERSIONS.get(VERSION), rows)
    assert caught.value.reply == rows


def test_a_snapshot_that_does_not_fit_is_named_with_version_and_path() -> None:
    typed = versions(config=dict[str, list[int]])

    with pytest.raises(UnreadableReplyError) as caught:
        result_of(typed.get(VERSION), [row(7, config_snapshot={"a": [1, "x"]})])

    place = f"in version {UUID(int=7)} (number 7), config_snapshot does not fit its type: a.1: "
    assert place in caught.value.message
