"""Rule 6: `updated_at` is the edit token of a draft; a write that brings an old one is refused."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from tests.server.schema.rest import VERSIONS, at_once

# Each write that takes a token, as a method of a caller and what it is called with.
WRITES = {
    "update_draft": ({"change_summary": "the second writer's"},),
    "delete_draft": (),
    "publish": (),
}


def write(caller, name, draft, **token):
    return getattr(caller, name)(draft, *WRITES[name], **token)


def summarise(caller, draft, summary, **token):
    return caller.update_draft(draft, {"change_summary": summary}, **token)


def moment(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("name", WRITES)
class TestAWrite:
    def test_with_the_current_token_is_done(self, ada, name):
        draft = ada.draft(ada.package())

        answer = write(ada, name, draft, expected_updated_at=draft["updated_at"])

        assert answer.status in (200, 204)
        assert ada.see(draft) != draft

    def test_with_an_old_token_is_refused_and_shown_both_moments(self, ada, name):
        draft = ada.draft(ada.package())
        edited = summarise(ada, draft, "the first writer's").row

        answer = write(ada, name, draft, expected_updated_at=draft["updated_at"])

        assert answer.code == "TV201"
        assert answer.detail["version_id"] == draft["id"]
        assert moment(answer.detail["expected_updated_at"]) == moment(draft["updated_at"])
        assert moment(answer.detail["updated_at"]) == moment(edited["updated_at"])
        assert ada.see(draft) == edited

    def test_with_a_token_from_the_future_is_refused(self, ada, name):
        draft = ada.draft(ada.package())
        future = moment(draft["updated_at"]) + timedelta(microseconds=1)

        answer = write(ada, name, draft, expected_updated_at=future.isoformat())

        assert answer.code == "TV201"

    def test_without_a_token_is_done_after_any_edit(self, ada, name):
        draft = ada.draft(ada.package())
        summarise(ada, draft, "the first writer's")

        assert write(ada, name, draft).status in (200, 204)


def test_an_old_token_of_the_service_role_is_refused_too(ada, backend):
    draft = ada.draft(ada.package())
    summarise(ada, draft, "the owner's")

    answer = summarise(backend, draft, "the service's", expected_updated_at=draft["updated_at"])

    assert answer.code == "TV201"


def test_a_stranger_learns_no_token(ada, bo):
    draft = ada.draft(ada.package())

    answer = summarise(bo, draft, "x", expected_updated_at="2001-01-01T00:00:00Z")

    assert answer.code == "TV101"
    assert "updated_at" not in answer.detail


def test_every_kind_of_write_moves_the_token(ada):
    draft = ada.draft(ada.package())

    later = [
        ada.patch(draft, name="patched").row,
        summarise(ada, draft, "by rpc").row,
        ada.patch(draft, training_status="pending").row,
        ada.patch(draft, status="published").row,
    ]

    moments = [moment(row["updated_at"]) for row in (draft, *later)]
    assert moments == sorted(set(moments))


def test_the_token_moves_also_when_the_clock_does_not(ada, database):
    draft = ada.draft(ada.package())
    tokens = [moment(draft["updated_at"])]

    with database.session() as session:
        session.execute("begin")  # now() is the same in all of a transaction
        for summary in ("first", "second"):
            (token,) = session.execute(
                f"update public.{VERSIONS} set change_summary = '{summary}'"
                f" where id = '{draft['id']}' returning updated_at"
            ).fetchone()
            tokens.append(token)

    assert tokens == sorted(set(tokens))


def test_the_token_cannot_be_chosen(ada):
    draft = ada.draft(ada.package())

    edited = ada.patch(draft, updated_at="2001-01-01T00:00:00Z").row

    assert moment(edited["updated_at"]) > moment(draft["updated_at"])


def test_a_browser_app_compares_and_swaps_with_a_filter(ada):
    draft = ada.draft(ada.package())
    unchanged = {"id": f"eq.{draft['id']}", "updated_at": f"eq.{draft['updated_at']}"}

    first = ada.update(VERSIONS, {"name": "first"}, **unchanged)
    second = ada.update(VERSIONS, {"name": "second"}, **unchanged)

    assert (first.row["name"], second.rows) == ("first", [])


def test_of_many_writers_with_one_token_one_wins(ada):
    draft = ada.draft(ada.package())
    token = {"expected_updated_at": draft["updated_at"]}

    answers = at_once([partial(summarise, ada, draft, f"writer {n}", **token) for n in range(8)])

    assert sorted(answer.code or "done" for answer in answers) == ["TV201"] * 7 + ["done"]
