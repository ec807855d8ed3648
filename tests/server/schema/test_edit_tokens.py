"""Rule 6: `updated_at` is the edit token of a draft; who brings an old one is refused and told both moments."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

VERSIONS = "training_package_versions"

WRITES = {
    "update_training_draft": {"changes": {"change_summary": "the second writer's"}},
    "delete_training_draft": {},
    "publish_training_version": {},
}


def edit(caller, draft, summary, **arguments):
    return caller.rpc(
        "update_training_draft",
        version_id=draft["id"],
        changes={"change_summary": summary},
        **arguments,
    )


@pytest.mark.parametrize("function", WRITES)
def test_a_write_with_the_current_token_is_done(ada, function):
    draft = ada.draft(ada.package())

    answer = ada.rpc(
        function,
        version_id=draft["id"],
        expected_updated_at=draft["updated_at"],
        **WRITES[function],
    )

    assert answer.status in (200, 204)
    assert ada.see(draft) != draft


@pytest.mark.parametrize("function", WRITES)
def test_a_write_with_an_old_token_is_refused_with_both_moments(ada, function):
    draft = ada.draft(ada.package())
    edited = edit(ada, draft, "the first writer's").row

    answer = ada.rpc(
        function,
        version_id=draft["id"],
        expected_updated_at=draft["updated_at"],
        **WRITES[function],
    )

    assert answer.code == "TV201"
    assert answer.detail["version_id"] == draft["id"]
    assert datetime.fromisoformat(answer.detail["expected_updated_at"]) == datetime.fromisoformat(
        draft["updated_at"]
    )
    assert datetime.fromisoformat(answer.detail["updated_at"]) == datetime.fromisoformat(
        edited["updated_at"]
    )
    assert ada.see(draft) == edited


@pytest.mark.parametrize("function", WRITES)
def test_a_write_with_a_token_from_the_future_is_refused(ada, function):
    draft = ada.draft(ada.package())
    future = datetime.fromisoformat(draft["updated_at"]) + timedelta(microseconds=1)

    answer = ada.rpc(
        function, version_id=draft["id"], expected_updated_at=future.isoformat(), **WRITES[function]
    )

    assert answer.code == "TV201"


@pytest.mark.parametrize("function", WRITES)
def test_a_write_without_a_token_is_done_whatever_came_between(ada, function):
    draft = ada.draft(ada.package())
    edit(ada, draft, "the first writer's")

    assert ada.rpc(function, version_id=draft["id"], **WRITES[function]).status in (200, 204)


def test_the_token_is_refused_to_the_service_role_too(ada, backend):
    draft = ada.draft(ada.package())
    edit(ada, draft, "the owner's")

    assert (
        edit(backend, draft, "the service's", expected_updated_at=draft["updated_at"]).code
        == "TV201"
    )


def test_a_stranger_learns_no_token(ada, bo):
    draft = ada.draft(ada.package())

    answer = edit(bo, draft, "x", expected_updated_at="2001-01-01T00:00:00Z")

    assert answer.code == "TV101"
    assert "updated_at" not in answer.detail


def test_every_kind_of_write_moves_the_token(ada):
    draft = ada.draft(ada.package())
    tokens = [draft["updated_at"]]

    tokens.append(ada.edit(draft, name="patched").row["updated_at"])
    tokens.append(edit(ada, draft, "by rpc").row["updated_at"])
    tokens.append(ada.edit(draft, training_status="pending").row["updated_at"])
    tokens.append(ada.edit(draft, status="published").row["updated_at"])

    moments = [datetime.fromisoformat(token) for token in tokens]
    assert moments == sorted(set(moments))


def test_the_token_moves_also_when_the_clock_does_not(ada, database):
    draft = ada.draft(ada.package())
    change = f"update public.training_package_versions set change_summary = '%s' where id = '{draft['id']}'"

    token = f"select updated_at from public.training_package_versions where id = '{draft['id']}'"
    (tokens,) = database.rows(
        f"select first.updated_at as first, second.updated_at as second from first, ({token}) second",
        before=f"begin; {change % 1}; create temp table first as {token}; {change % 2};",
    )

    assert draft["updated_at"] < tokens["first"] < tokens["second"]


def test_the_token_cannot_be_chosen(ada):
    draft = ada.draft(ada.package())

    edited = ada.edit(draft, updated_at="2001-01-01T00:00:00Z").row

    assert datetime.fromisoformat(edited["updated_at"]) > datetime.fromisoformat(
        draft["updated_at"]
    )


def test_a_browser_app_compares_and_swaps_with_a_filter(ada):
    draft = ada.draft(ada.package())
    mine = {"id": f"eq.{draft['id']}", "updated_at": f"eq.{draft['updated_at']}"}

    first = ada.update(VERSIONS, {"name": "first"}, **mine)
    second = ada.update(VERSIONS, {"name": "second"}, **mine)

    assert (first.row["name"], second.rows) == ("first", [])


def test_of_many_writers_with_one_token_one_wins(ada):
    draft = ada.draft(ada.package())

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda n: edit(ada, draft, f"writer {n}", expected_updated_at=draft["updated_at"]),
                range(8),
            )
        )

    assert sorted(answer.code or "done" for answer in answers) == ["TV201"] * 7 + ["done"]
