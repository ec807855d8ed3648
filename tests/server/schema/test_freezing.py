"""Rule 5: what is published never changes and is never deleted alone.

Facts that arrive later, of training, deployment and cost, may still be written.
"""

from uuid import uuid4

import pytest

from tests.server.schema.rest import RETURN_ROWS, VERSIONS

# What each frozen column is changed to; a function is called with the owner and a stranger.
FROZEN = {
    "id": lambda ada, bo: str(uuid4()),
    "package_id": lambda ada, bo: ada.package()["id"],
    "version_number": 7,
    "name": "rewritten",
    "created_at": "2001-01-01T00:00:00Z",
    "created_by": None,
    "published_at": "2001-01-01T00:00:00Z",
    "published_by": lambda ada, bo: bo.id,
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
KEPT_BY_THE_DATABASE = {
    "status",
    "updated_at",
    "content_updated_at",
    "training_started_at",
    "training_completed_at",
}


def package_of(version):
    return {"id": version["package_id"]}


@pytest.fixture
def parent(ada):
    return ada.published(ada.package())


@pytest.fixture(params=["published", "archived"])
def frozen(request, ada, parent):
    make = ada.published if request.param == "published" else ada.archived
    return make(ada.package(), parent_version_id=parent["id"], change_summary="as it was")


class TestTheOwner:
    def test_changes_nothing_with_a_patch(self, ada, frozen):
        assert ada.patch(frozen, config_snapshot={"r": 999}).rows == []
        assert ada.see(frozen) == frozen

    def test_is_refused_by_the_function_because_it_is_no_draft_any_more(self, ada, frozen):
        answer = ada.update_draft(frozen, {"config_snapshot": {"r": 999}})

        assert answer.code == "TV202"
        assert answer.detail == {
            "version_id": frozen["id"],
            "version_number": frozen["version_number"],
            "status": frozen["status"],
        }
        assert ada.see(frozen) == frozen

    def test_deletes_nothing(self, ada, frozen):
        assert ada.remove(frozen).rows == []
        assert ada.delete_draft(frozen).code == "TV202"
        assert ada.see(frozen) == frozen

    def test_cannot_turn_it_back_into_a_draft(self, ada, frozen):
        assert ada.patch(frozen, status="draft").rows == []
        assert ada.see(frozen) == frozen

    def test_cannot_delete_its_package(self, ada, frozen):
        package = package_of(frozen)

        assert ada.remove_package(package).refusal == (400, "TV304")
        assert ada.delete_package(package).code == "TV304"
        assert ada.see(frozen) == frozen

    def test_deletes_a_package_that_has_only_drafts(self, ada):
        package = ada.package()
        draft = ada.draft(package)

        assert ada.remove_package(package).row["id"] == package["id"]
        assert ada.see(draft) is None

    def test_may_delete_a_draft_that_drafts_descend_from(self, ada):
        package = ada.package()
        parent = ada.draft(package)
        child = ada.draft(package, parent_version_id=parent["id"])

        ada.remove(parent)

        assert ada.see(child)["parent_version_id"] is None

    def test_cannot_delete_a_package_with_a_draft_that_a_published_version_came_from(self, ada):
        package = ada.package()
        child = ada.published(ada.package(), parent_version_id=ada.draft(package)["id"])

        assert ada.remove_package(package).code == "TV308"
        assert ada.see(child) == child

    def test_may_write_what_is_open_while_it_is_a_draft(self, ada):
        draft = ada.patch(ada.draft(ada.package()), **OPEN).row

        assert {column: draft[column] for column in OPEN} == OPEN


class TestTheServiceRole:
    @pytest.mark.parametrize("column", FROZEN)
    def test_cannot_change_the_content(self, ada, bo, backend, frozen, column):
        value = FROZEN[column]
        if callable(value):
            value = value(ada, bo)

        answer = backend.patch(frozen, **{column: value})

        assert answer.refusal == (400, "TV301")
        assert answer.detail["columns"] == [column]
        assert ada.see(frozen) == frozen

    def test_cannot_change_any_content_with_a_patch_that_has_no_filter(self, ada, backend, frozen):
        assert backend.update(VERSIONS, {"config_snapshot": {"r": 999}}).code == "TV301"
        assert ada.see(frozen) == frozen

    def test_cannot_overwrite_it_by_inserting_it_again(self, ada, backend, frozen):
        unsigned = {"status": "draft", "published_at": None, "published_by": None}
        row = {**frozen, **unsigned, "config_snapshot": {"r": 999}}

        answer = backend.insert(VERSIONS, row, prefer=f"resolution=merge-duplicates,{RETURN_ROWS}")

        assert answer.status == 400
        assert ada.see(frozen) == frozen

    def test_cannot_delete_it(self, ada, backend, frozen):
        assert backend.remove(frozen).refusal == (400, "TV303")
        assert ada.see(frozen) == frozen

    def test_cannot_delete_all_versions_at_once(self, ada, backend, frozen):
        draft = ada.draft(ada.package())

        assert backend.delete(VERSIONS).code in ("TV303", "TV308")
        assert (ada.see(frozen), ada.see(draft)) == (frozen, draft)

    def test_cannot_turn_it_back(self, ada, backend, frozen):
        back = {"published": "draft", "archived": "published"}[frozen["status"]]
        unsigned = {"status": "draft", "published_at": None, "published_by": None}

        assert backend.patch(frozen, status=back).code == "TV302"
        assert backend.patch(frozen, **unsigned).code in ("TV301", "TV302")
        assert ada.see(frozen) == frozen

    def test_writes_facts_that_arrive_later(self, ada, backend, frozen):
        version = backend.patch(frozen, **OPEN).row

        assert version == {**frozen, **OPEN, "updated_at": version["updated_at"]}
        assert ada.see(frozen) == version

    def test_writes_down_how_training_went(self, ada, backend, frozen):
        backend.patch(frozen, training_status="running")

        version = backend.patch(frozen, training_status="completed").row

        moved = ("training_status", "training_started_at", "training_completed_at", "updated_at")
        assert version == {**frozen, **{column: version[column] for column in moved}}
        assert version["training_started_at"] < version["training_completed_at"]

    def test_writes_down_where_it_is_deployed(self, ada, backend):
        published = ada.published(ada.package())

        version = backend.patch(published, **DEPLOYMENT).row

        assert version == {**published, **DEPLOYMENT, "updated_at": version["updated_at"]}

    @pytest.mark.parametrize("way", ["remove_package", "delete_package"])
    def test_deletes_a_package_with_its_history(self, ada, backend, frozen, way):
        assert getattr(backend, way)(package_of(frozen)).status in (200, 204)
        assert ada.see(frozen) is None
        assert ada.see_package(package_of(frozen)) is None

    def test_deletes_a_package_that_other_packages_forked_from(self, ada, backend, parent, frozen):
        backend.remove_package(package_of(parent))

        left = ada.see(frozen)
        assert left == {**frozen, "parent_version_id": None, "updated_at": left["updated_at"]}


def test_a_draft_that_a_published_version_came_from_is_not_deleted(ada, actor):
    package = ada.package()
    parent = ada.draft(package)
    child = ada.published(package, parent_version_id=parent["id"])

    assert actor.remove(parent).code == "TV308"
    assert actor.delete_draft(parent).code == "TV308"
    assert ada.see(child) == child


def test_a_stranger_deletes_no_package_with_history(ada, bo):
    version = ada.published(ada.package())

    assert bo.remove_package(package_of(version)).rows == []
    assert bo.delete_package(package_of(version)).code == "TV102"
    assert ada.see(version) == version


def test_every_column_is_either_frozen_or_open(database):
    # That a newer editable column freezes is in `test_editable_columns.py`.
    found = database.rows(f"""
        select attname from pg_attribute
        where attrelid = 'public.{VERSIONS}'::regclass and attnum > 0 and not attisdropped
            and not attname = any(training_versions_internal.editable_columns())
    """)
    editable = set(database.value("select training_versions_internal.editable_columns()"))

    named = {*FROZEN, *OPEN, *DEPLOYMENT, *KEPT_BY_THE_DATABASE}
    assert {row["attname"] for row in found} == named - editable
