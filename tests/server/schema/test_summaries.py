"""Versions without snapshots: the view that lists read, and a column of functions' answers.

Whoever sees a version sees its summary, and nobody writes one.
"""

from uuid import uuid4

import pytest

from tests.server.schema.rest import SNAPSHOTS, VERSIONS

SUMMARIES = "training_package_version_summaries"
PUBLISHED = "training_published_versions"
NUMBERS = "training_row_numbers"


def without_snapshots(version):
    left_out = {*SNAPSHOTS, "content_updated_at"}  # what an edit token is compared with
    return {name: value for name, value in version.items() if name not in left_out}


def test_the_owner_and_the_service_role_see_the_version_without_its_snapshots(ada, backend):
    draft = ada.draft(ada.package())
    where = {"id": f"eq.{draft['id']}"}

    assert ada.select(SUMMARIES, **where) == [without_snapshots(draft)]
    assert backend.select(SUMMARIES, **where) == [without_snapshots(draft)]


def test_a_stranger_sees_no_summary_of_ours(ada, bo):
    draft = ada.draft(ada.package())

    assert bo.select(SUMMARIES, id=f"eq.{draft['id']}") == []
    # Nor by the function behind the computed column, given the identifier.
    forged = bo.rpc("training_version_summary", version={"id": draft["id"]})
    unknown = bo.rpc("training_version_summary", version={"id": str(uuid4())})
    assert (forged.status, forged.body) == (unknown.status, unknown.body)
    assert draft["name"] not in str(forged.body)


def test_what_is_published_is_there_whole_and_nothing_else(ada, bo, backend):
    package = ada.package()
    published = ada.published(package)
    ada.draft(package)
    ada.archived(package)
    where = {"package_id": f"eq.{package['id']}"}

    whole = {name: value for name, value in published.items() if name != "content_updated_at"}
    assert ada.select(PUBLISHED, **where) == [whole]
    assert backend.select(PUBLISHED, **where) == [whole]
    assert bo.select(PUBLISHED, **where) == []


@pytest.mark.parametrize("name", [SUMMARIES, PUBLISHED, NUMBERS])
def test_somebody_not_signed_in_is_refused(anon, name):
    assert anon.send("GET", name).refusal == (401, "42501")


def test_somebody_not_signed_in_cannot_call_the_function_behind_the_column(anon):
    answer = anon.rpc("training_version_summary", version={"id": str(uuid4())})

    assert answer.refusal == (401, "42501")


@pytest.mark.parametrize("view", [SUMMARIES, PUBLISHED])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_nobody_writes_by_a_view(ada, bo, backend, method, view):
    published = ada.published(ada.package())
    body = None if method == "DELETE" else {"name": "written"}

    for caller in (ada, bo, backend):
        answer = caller.send(method, view, json=body, params={"id": f"eq.{published['id']}"})
        assert answer.code == "42501"
    assert ada.see(published) == published


def test_a_function_s_answer_has_the_summary_of_what_it_has_just_written(ada):
    published = ada.published(ada.package())
    columns = {"select": "training_version_summary"}

    answer = ada.send(
        "POST",
        "rpc/restore_training_version",
        json={"p_version_id": published["id"]},
        params=columns,
    )

    summary = answer.row["training_version_summary"]
    assert summary["parent_version_id"] == published["id"]
    assert summary == without_snapshots(ada.see(summary))


def test_the_column_is_not_part_of_a_whole_row(ada):
    draft = ada.draft(ada.package())

    assert "training_version_summary" not in draft
    (row,) = ada.select(VERSIONS, id=f"eq.{draft['id']}", select="id,training_version_summary")
    assert row["training_version_summary"] == without_snapshots(draft)


def test_more_rows_than_a_usual_cap_are_there_to_count(ada, backend):
    assert [row["n"] for row in ada.select(NUMBERS)] == list(range(1, 1002))
    assert len(backend.select(NUMBERS)) == 1001
