"""The functions that import versions and events, called by hand as a client of REST may."""

from uuid import uuid4

import pytest

TIMESTAMP = "2024-01-31T12:00:00+00:00"


def version(**columns):
    usual = {"id": str(uuid4()), "version_number": 1, "name": "one", "status": "draft"}
    usual |= {"created_at": TIMESTAMP, "config_snapshot": {}, "model_snapshot": {}}
    return usual | {"dataset_snapshot": []} | columns


def event(version_id, **columns):
    usual = {"version_id": version_id, "version_number": 1, "kind": "created"}
    return usual | {"occurred_at": TIMESTAMP, "details": {}} | columns


def test_events_of_one_moment_that_say_nothing_of_their_source_are_all_imported_once(ada):
    package, draft = ada.package(), str(uuid4())
    events = [event(draft), event(draft, kind="published"), event(str(uuid4()))]

    counts = [
        ada.rpc("import_training_events", package_id=package["id"], events=events).rows
        for _ in range(2)
    ]

    assert counts == [3, 0]
    found = ada.select("training_version_events", package_id=f"eq.{package['id']}")
    assert all(row["source"].startswith("unknown/") for row in found)


@pytest.mark.parametrize("check_only", [None, False])
def test_versions_are_imported_unless_only_a_check_is_asked_for(ada, check_only):
    package = ada.package()

    arguments = {"versions": [version()], "check_only": check_only}
    answer = ada.rpc("import_training_versions", package_id=package["id"], **arguments)

    assert answer.status == 200
    assert ada.numbers(package) == [1]


def test_a_version_without_an_id_is_refused_by_that_name(ada):
    package = ada.package()

    versions = [version(id=None)]
    answer = ada.rpc("import_training_versions", package_id=package["id"], versions=versions)

    assert (answer.code, answer.detail) == ("TV306", {"field": "id"})


def test_a_version_is_restored_also_where_constraints_are_checked_at_once(ada, database):
    draft = ada.draft(ada.package())

    database.run(
        f"""
        set constraints all immediate;
        select public.restore_training_version('{draft["id"]}');
        """,
        user=ada.id,
    )

    assert ada.numbers({"id": draft["package_id"]}) == [1, 2]
