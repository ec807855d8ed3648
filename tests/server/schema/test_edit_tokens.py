"""Rule 6: `updated_at` is the edit token of a draft; a write that brings an old one is refused.

Old is a token from before the last edit of the content. Training, deployment and cost move
`updated_at` as well, and are no edits: they move it away from `content_updated_at`.
"""

from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

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


# What moves a draft without editing it, as what the owner or the service role does.
FACTS = {
    "start of training": lambda who, draft: who.rpc(
        "start_version_training", version_id=draft["id"]
    ),
    "metrics": lambda who, draft: who.rpc(
        "record_version_metrics", version_id=draft["id"], metrics={"loss": 0.5}
    ),
    "cost": lambda who, draft: who.rpc("record_training_cost", version_id=draft["id"], amount=1),
    "patch of training": lambda who, draft: who.patch(draft, training_status="running"),
    "patch of metrics": lambda who, draft: who.patch(draft, training_metrics={"loss": 0.5}),
    "patch of cost": lambda who, draft: who.patch(draft, actual_cost=1, cost_alerts_sent=[50]),
    "patch of deployment": lambda who, draft: who.patch(draft, deployment_target="local"),
    "patch with what is there": lambda who, draft: who.patch(
        draft,
        name=draft["name"],
        config_snapshot=draft["config_snapshot"],
        estimated_cost=draft["estimated_cost"],
    ),
    "patch with the whole row": lambda who, draft: who.patch(draft, **draft),
}
# What edits it, beside `update_training_draft`.
EDITS = {
    "name": {"name": "edited"},
    "config": {"config_snapshot": {"r": 8}},
    "model": {"model_snapshot": {"id": "other"}},
    "dataset": {"dataset_snapshot": []},
    "summary": {"change_summary": "edited"},
    "estimate": {"estimated_cost": 2},
    "budget": {"budget_limit": 2},
    "content and metrics": {"name": "edited", "training_metrics": {"loss": 0.5}},
}


class TestAFactThatIsNoEdit:
    def move(self, actor, draft, fact):
        assert FACTS[fact](actor, draft).status in (200, 201)

    # Each fact before one write, and one fact before each of the others.
    @pytest.mark.parametrize(
        ("fact", "name"),
        [
            *((fact, "update_draft") for fact in FACTS),
            *(("metrics", name) for name in WRITES if name != "update_draft"),
        ],
    )
    def test_leaves_the_token_from_before_it_current(self, ada, actor, fact, name):
        draft = ada.draft(ada.package())
        self.move(actor, draft, fact)
        moved = ada.see(draft)

        answer = write(ada, name, draft, expected_updated_at=draft["updated_at"])

        assert moment(moved["updated_at"]) > moment(draft["updated_at"])
        assert moved["content_updated_at"] == draft["content_updated_at"]
        assert answer.status in (200, 204)

    @pytest.mark.parametrize("fact", FACTS)
    def test_between_an_edit_and_the_write_hides_no_edit(self, ada, fact):
        draft = ada.draft(ada.package())
        summarise(ada, draft, "the first writer's")
        self.move(ada, ada.see(draft), fact)

        answer = summarise(ada, draft, "mine", expected_updated_at=draft["updated_at"])

        assert answer.code == "TV201"
        assert ada.see(draft)["change_summary"] == "the first writer's"

    @pytest.mark.parametrize("fact", FACTS)
    def test_gives_a_token_that_is_current_after_more_of_it(self, ada, fact):
        draft = ada.draft(ada.package())
        self.move(ada, draft, fact)
        read = ada.see(draft)
        ada.patch(draft, training_metrics={"loss": 0.25})

        answer = summarise(ada, draft, "mine", expected_updated_at=read["updated_at"])

        assert answer.row["change_summary"] == "mine"


@pytest.mark.parametrize("changes", EDITS.values(), ids=EDITS)
def test_an_edit_past_the_functions_makes_tokens_old(ada, actor, changes):
    draft = ada.draft(ada.package())

    edited = actor.patch(draft, **changes).row

    assert edited["content_updated_at"] == edited["updated_at"]
    assert summarise(ada, draft, "x", expected_updated_at=draft["updated_at"]).code == "TV201"
    assert summarise(ada, draft, "x", expected_updated_at=edited["updated_at"]).status == 200


@pytest.mark.parametrize("value", ["2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z", None])
@pytest.mark.parametrize("changes", [{}, {"name": "edited"}], ids=["alone", "with an edit"])
def test_when_the_content_was_edited_cannot_be_chosen(ada, actor, value, changes):
    draft = ada.draft(ada.package(), content_updated_at=value or "2001-01-01T00:00:00Z")

    after = actor.patch(draft, content_updated_at=value, **changes).row

    assert draft["content_updated_at"] == draft["created_at"]
    moved = after["updated_at"] if changes else draft["updated_at"]
    assert after["content_updated_at"] == moved


def test_a_draft_that_was_made_and_trained_is_not_taken_for_an_edited_one(ada):
    package, new_id = ada.package(), str(uuid4())
    draft = ada.create_draft(package, version_id=new_id).row
    FACTS["metrics"](ada, draft)

    assert ada.create_draft(package, version_id=new_id).row["id"] == draft["id"]
    assert ada.create_draft(package, version_id=new_id, name="other").code == "TV204"


def test_a_draft_from_before_the_column_conflicts_only_with_edits(ada, database):
    draft = ada.draft(ada.package())
    # What the migration leaves: the time of the migration, which is later than `updated_at`.
    database.run(
        f"""
        set session_replication_role = replica;
        update public.{VERSIONS} set content_updated_at = now() + interval '1 second'
        where id = '{draft["id"]}';
        reset session_replication_role;
        """,
        admin=True,
    )

    for _ in range(2):
        FACTS["metrics"](ada, draft)
        token = draft["updated_at"]
        assert ada.update_draft(draft, {"name": draft["name"]}, expected_updated_at=token).row
    edited = summarise(ada, draft, "mine", expected_updated_at=draft["updated_at"])

    assert edited.row["change_summary"] == "mine"
    assert summarise(ada, draft, "x", expected_updated_at=draft["updated_at"]).code == "TV201"


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
    moment_of_content = f"eq.{draft['content_updated_at']}"
    unchanged = {"id": f"eq.{draft['id']}", "content_updated_at": moment_of_content}
    ada.patch(draft, training_metrics={"loss": 0.5})

    first = ada.update(VERSIONS, {"name": "first"}, **unchanged)
    second = ada.update(VERSIONS, {"name": "second"}, **unchanged)

    assert (first.row["name"], second.rows) == ("first", [])


def test_of_many_writers_with_one_token_one_wins(ada):
    draft = ada.draft(ada.package())
    token = {"expected_updated_at": draft["updated_at"]}

    answers = at_once([partial(summarise, ada, draft, f"writer {n}", **token) for n in range(8)])

    assert sorted(answer.code or "done" for answer in answers) == ["TV201"] * 7 + ["done"]
