"""Rule 5: what is published never changes and is never deleted alone; facts that arrive later may still be written."""

from uuid import uuid4

import pytest

PACKAGES = "training_configs"
VERSIONS = "training_package_versions"

# What each frozen column is changed to in an attack.
FROZEN = {
    "id": str(uuid4()),
    "package_id": "another package of the owner",
    "version_number": 7,
    "name": "rewritten",
    "created_at": "2001-01-01T00:00:00Z",
    "created_by": None,
    "published_at": "2001-01-01T00:00:00Z",
    "published_by": "another user",
    "config_snapshot": {"r": 999},
    "model_snapshot": {},
    "dataset_snapshot": [],
    "change_summary": "rewritten",
    "parent_version_id": None,
}
DEPLOYMENT = {
    "is_deployed": True,
    "deployment_target": "hf_space",
    "deployment_url": "https://example.com/space",
    "deployment_id": "space-1",
}
OPEN = {
    "training_status": "pending",
    "training_metrics": {"loss": [1.5, 0.25]},
    "estimated_cost": 10.25,
    "actual_cost": 12.5,
    "budget_limit": 20.0,
    "cost_alerts_sent": [{"at": 0.5}],
}
KEPT_BY_THE_DATABASE = {"status", "updated_at", "training_started_at", "training_completed_at"}


@pytest.fixture
def parent(ada):
    return ada.published(ada.package())


@pytest.fixture(params=["published", "archived"])
def frozen(request, ada, parent):
    make = ada.published if request.param == "published" else ada.archived
    return make(ada.package(), parent_version_id=parent["id"], change_summary="as it was")


def changes_to(column, ada, bo):
    if FROZEN[column] == "another package of the owner":
        return {column: ada.package()["id"]}
    return {column: bo.id if FROZEN[column] == "another user" else FROZEN[column]}


class TestTheOwner:
    def test_changes_nothing_with_a_patch(self, ada, frozen):
        assert ada.edit(frozen, config_snapshot={"r": 999}).rows == []
        assert ada.see(frozen) == frozen

    def test_is_told_by_the_function_that_it_is_no_draft_any_more(self, ada, frozen):
        answer = ada.rpc(
            "update_training_draft",
            version_id=frozen["id"],
            changes={"config_snapshot": {"r": 999}},
        )

        assert answer.code == "TV202"
        assert answer.detail == {
            "version_id": frozen["id"],
            "version_number": frozen["version_number"],
            "status": frozen["status"],
        }
        assert ada.see(frozen) == frozen

    def test_deletes_nothing(self, ada, frozen):
        assert ada.delete(VERSIONS, id=f"eq.{frozen['id']}").rows == []
        assert ada.rpc("delete_training_draft", version_id=frozen["id"]).code == "TV202"
        assert ada.see(frozen) == frozen

    def test_cannot_turn_it_back_into_a_draft(self, ada, frozen):
        assert ada.edit(frozen, status="draft").rows == []
        assert ada.see(frozen) == frozen

    def test_cannot_delete_its_package(self, ada, frozen):
        answer = ada.delete(PACKAGES, id=f"eq.{frozen['package_id']}")

        assert (answer.status, answer.code) == (400, "TV304")
        assert ada.rpc("delete_training_package", package_id=frozen["package_id"]).code == "TV304"
        assert ada.see(frozen) == frozen

    def test_deletes_a_package_that_has_only_drafts(self, ada):
        package = ada.package()
        draft = ada.draft(package)

        assert ada.delete(PACKAGES, id=f"eq.{package['id']}").row["id"] == package["id"]
        assert ada.see(draft) is None

    def test_may_delete_a_draft_that_drafts_descend_from(self, ada):
        package = ada.package()
        parent = ada.draft(package)
        child = ada.draft(package, parent_version_id=parent["id"])

        ada.delete(VERSIONS, id=f"eq.{parent['id']}")

        assert ada.see(child)["parent_version_id"] is None

    def test_cannot_delete_a_draft_that_a_published_version_came_from(self, ada):
        package = ada.package()
        parent = ada.draft(package)
        child = ada.published(package, parent_version_id=parent["id"])

        assert ada.delete(VERSIONS, id=f"eq.{parent['id']}").code == "TV308"
        assert ada.rpc("delete_training_draft", version_id=parent["id"]).code == "TV308"
        assert ada.see(child) == child

    def test_cannot_delete_such_a_draft_with_its_package_either(self, ada):
        package = ada.package()
        child = ada.published(ada.package(), parent_version_id=ada.draft(package)["id"])

        assert ada.delete(PACKAGES, id=f"eq.{package['id']}").code == "TV308"
        assert ada.see(child) == child

    def test_may_write_what_is_open_while_it_is_a_draft(self, ada):
        draft = ada.edit(ada.draft(ada.package()), **OPEN).row

        assert {column: draft[column] for column in OPEN} == OPEN


class TestTheServiceRole:
    @pytest.mark.parametrize("column", FROZEN)
    def test_cannot_change_the_content(self, ada, bo, backend, frozen, column):
        answer = backend.edit(frozen, **changes_to(column, ada, bo))

        assert (answer.status, answer.code) == (400, "TV301")
        assert answer.detail["columns"] == [column]
        assert ada.see(frozen) == frozen

    def test_cannot_change_any_content_with_a_patch_that_has_no_filter(self, ada, backend, frozen):
        assert backend.update(VERSIONS, {"config_snapshot": {"r": 999}}).code == "TV301"
        assert ada.see(frozen) == frozen

    def test_cannot_overwrite_it_by_inserting_it_again(self, ada, backend, frozen):
        row = {
            **frozen,
            "status": "draft",
            "published_at": None,
            "published_by": None,
            "config_snapshot": {"r": 999},
        }

        answer = backend.insert(
            VERSIONS, row, prefer="resolution=merge-duplicates,return=representation"
        )

        assert answer.status == 400
        assert ada.see(frozen) == frozen

    def test_cannot_delete_it(self, ada, backend, frozen):
        answer = backend.delete(VERSIONS, id=f"eq.{frozen['id']}")

        assert (answer.status, answer.code) == (400, "TV303")
        assert ada.see(frozen) == frozen

    def test_cannot_delete_all_versions_at_once(self, ada, backend, frozen):
        draft = ada.draft(ada.package())

        assert backend.delete(VERSIONS).code in ("TV303", "TV308")
        assert (ada.see(frozen), ada.see(draft)) == (frozen, draft)

    def test_cannot_turn_it_back(self, ada, backend, frozen):
        back = {"published": "draft", "archived": "published"}[frozen["status"]]

        assert backend.edit(frozen, status=back).code == "TV302"
        assert backend.edit(frozen, status="draft", published_at=None, published_by=None).code in (
            "TV301",
            "TV302",
        )
        assert ada.see(frozen) == frozen

    def test_cannot_delete_a_draft_that_a_published_version_came_from(self, ada, backend):
        package = ada.package()
        parent = ada.draft(package)
        child = ada.published(package, parent_version_id=parent["id"])

        assert backend.delete(VERSIONS, id=f"eq.{parent['id']}").code == "TV308"
        assert ada.see(child) == child

    def test_writes_facts_that_arrive_later(self, ada, backend, frozen):
        version = backend.edit(frozen, **OPEN).row

        assert version == {**frozen, **OPEN, "updated_at": version["updated_at"]}
        assert ada.see(frozen) == version

    def test_writes_down_how_training_went(self, ada, backend, frozen):
        backend.edit(frozen, training_status="running")

        version = backend.edit(frozen, training_status="completed").row

        moved = ("training_status", "training_started_at", "training_completed_at", "updated_at")
        assert version == {**frozen, **{column: version[column] for column in moved}}
        assert version["training_started_at"] < version["training_completed_at"]

    def test_writes_down_where_it_is_deployed(self, ada, backend):
        published = ada.published(ada.package())

        version = backend.edit(published, **DEPLOYMENT).row

        assert version == {**published, **DEPLOYMENT, "updated_at": version["updated_at"]}

    def test_deletes_a_package_with_its_history(self, ada, backend, frozen):
        assert (
            backend.delete(PACKAGES, id=f"eq.{frozen['package_id']}").row["id"]
            == frozen["package_id"]
        )
        assert ada.see(frozen) is None

    def test_deletes_a_package_with_its_history_by_rpc(self, ada, backend, frozen):
        assert backend.rpc("delete_training_package", package_id=frozen["package_id"]).status == 204
        assert ada.see(frozen) is None

    def test_deletes_a_package_that_other_packages_forked_from(self, ada, backend, parent, frozen):
        backend.delete(PACKAGES, id=f"eq.{parent['package_id']}")

        left = ada.see(frozen)
        assert left == {**frozen, "parent_version_id": None, "updated_at": left["updated_at"]}


def test_a_stranger_deletes_no_package_with_history(ada, bo):
    version = ada.published(ada.package())

    assert bo.delete(PACKAGES, id=f"eq.{version['package_id']}").rows == []
    assert bo.rpc("delete_training_package", package_id=version["package_id"]).code == "TV102"
    assert ada.see(version) == version


def test_every_column_is_either_frozen_or_open(database):
    found = database.rows(
        "select attname from pg_attribute where attrelid = 'public.training_package_versions'::regclass"
        " and attnum > 0 and not attisdropped"
    )

    assert {row["attname"] for row in found} == {*FROZEN, *OPEN, *DEPLOYMENT, *KEPT_BY_THE_DATABASE}
