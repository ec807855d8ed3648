"""A deleted row stays known by its id: its number stays taken, and a repeated delete succeeds.

It is known as what it was, a package or a version; a row of the other kind may have the same id.
"""

from functools import partial
from uuid import uuid4

import pytest

from tests.server.schema.rest import at_once


def test_a_stranger_cannot_hold_a_package_by_deleting_a_draft_with_its_id(ada, bo):
    package = ada.package()
    draft = bo.create_draft(bo.package(), version_id=package["id"]).row
    assert bo.delete_draft(draft).status == 204

    assert ada.delete_package(package).status == 204
    assert ada.see_package(package) is None


def test_a_number_stays_taken_when_the_id_of_its_draft_comes_back_and_goes_again(ada):
    package, again = ada.package(), str(uuid4())
    for _ in range(2):
        ada.remove(ada.draft(package, id=again))

    assert ada.try_draft(package, version_number=1).code == "23505"
    assert ada.try_draft(package, version_number=2).code == "23505"
    assert ada.draft(package)["version_number"] == 3


def test_a_number_stays_taken_when_its_draft_had_the_id_of_a_deleted_package(ada):
    gone, package = ada.package(), ada.package()
    ada.remove_package(gone)
    ada.remove(ada.draft(package, id=gone["id"]))

    assert ada.try_draft(package, version_number=1).code == "23505"


def test_what_is_deleted_of_one_kind_is_not_there_of_the_other(ada):
    package, draft = ada.package(), ada.draft(ada.package())
    ada.remove(draft)
    ada.remove_package(package)

    assert ada.delete_package(draft).code == "TV102"
    assert ada.delete_draft(package).code == "TV101"


def test_a_package_that_has_versions_keeps_its_owner(ada, bo, actor):
    package = ada.package()
    ada.draft(package)

    answer = actor.patch_package(package, user_id=bo.id)

    assert answer.code in ("TV301", "42501")
    assert ada.see_package(package)["user_id"] == ada.id


def test_drafts_are_created_or_find_no_package_while_it_is_deleted(ada):
    for _ in range(4):
        package = ada.package()
        create, delete = partial(ada.create_draft, package), partial(ada.delete_package, package)

        *created, deleted = at_once([*[create] * 5, delete])

        assert {answer.code for answer in created} <= {None, "TV102"}
        assert deleted.status == 204
        assert ada.see_package(package) is None


@pytest.mark.parametrize("way", ["try_package", "create_package"])
def test_the_id_of_a_deleted_package_is_not_used_again(ada, bo, backend, way):
    package = ada.package()
    ada.remove_package(package)
    given = {"try_package": "id", "create_package": "package_id"}[way]

    for caller, owner in ((ada, ada), (bo, bo), (backend, ada)):
        answer = getattr(caller, way)(user_id=owner.id, **{given: package["id"]})

        assert answer.code == "TV204"
        assert answer.detail == {"id": package["id"]}
    assert backend.see_package(package) is None


def test_no_package_takes_the_id_of_a_deleted_one_by_a_patch(ada, actor):
    deleted, package = ada.package(), ada.package()
    ada.remove_package(deleted)

    answer = actor.patch_package(package, id=deleted["id"])

    assert answer.code == "TV204"
    assert ada.see_package(package) == package
