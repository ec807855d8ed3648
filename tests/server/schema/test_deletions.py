"""What was deleted stays known: for its numbers, for repeats, and for nothing else that has the same id."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

PACKAGES = "training_configs"
VERSIONS = "training_package_versions"


def test_a_stranger_cannot_hold_a_package_by_deleting_a_draft_with_its_id(ada, bo):
    theirs, package = bo.package(), ada.package()
    assert bo.rpc("create_training_draft", package_id=theirs["id"], config_snapshot={}, model_snapshot={},
                  dataset_snapshot=[], version_id=package["id"]).status == 200  # fmt: skip
    assert bo.rpc("delete_training_draft", version_id=package["id"]).status == 204

    assert ada.rpc("delete_training_package", package_id=package["id"]).status == 204
    assert ada.see_package(package) is None


def test_a_number_stays_taken_when_the_id_of_its_draft_comes_back_and_goes_again(ada):
    package, again = ada.package(), str(uuid4())
    for _ in range(2):
        ada.draft(package, id=again)
        ada.delete(VERSIONS, id=f"eq.{again}")

    assert [ada.try_draft(package, version_number=number).code for number in (1, 2)] == [
        "23505",
        "23505",
    ]
    assert ada.draft(package)["version_number"] == 3


def test_a_number_stays_taken_when_its_draft_had_the_id_of_a_deleted_package(ada):
    gone, package = ada.package(), ada.package()
    ada.delete(PACKAGES, id=f"eq.{gone['id']}")
    ada.draft(package, id=gone["id"])
    ada.delete(VERSIONS, id=f"eq.{gone['id']}")

    assert ada.try_draft(package, version_number=1).code == "23505"


def test_what_is_deleted_of_one_kind_is_not_there_of_the_other(ada):
    package, gone = ada.package(), ada.package()
    draft = ada.draft(package)
    ada.delete(VERSIONS, id=f"eq.{draft['id']}")
    ada.delete(PACKAGES, id=f"eq.{gone['id']}")

    assert ada.rpc("delete_training_package", package_id=draft["id"]).code == "TV102"
    assert ada.rpc("delete_training_draft", version_id=gone["id"]).code == "TV101"


@pytest.mark.parametrize("role", ["ada", "backend"])
def test_a_package_that_has_versions_keeps_its_owner(ada, bo, request, role):
    caller, package = request.getfixturevalue(role), ada.package()
    ada.draft(package)

    answer = caller.update(PACKAGES, {"user_id": bo.id}, id=f"eq.{package['id']}")

    assert answer.code in ("TV301", "42501")
    assert ada.see_package(package)["user_id"] == ada.id


def test_creating_drafts_while_the_package_is_deleted_ends_well_for_each(ada):
    for _ in range(4):
        package, ready = ada.package(), threading.Barrier(6)

        def create(package=package, ready=ready):
            ready.wait(30)
            return ada.rpc("create_training_draft", package_id=package["id"], config_snapshot={}, model_snapshot={},
                           dataset_snapshot=[]).code  # fmt: skip

        def delete(package=package, ready=ready):
            ready.wait(30)
            return ada.rpc("delete_training_package", package_id=package["id"]).code

        with ThreadPoolExecutor(6) as threads:
            codes = [
                one.result(60)
                for one in [*(threads.submit(create) for _ in range(5)), threads.submit(delete)]
            ]

        assert set(codes[:5]) <= {None, "TV102"}
        assert codes[5] is None
        assert ada.see_package(package) is None
