"""Rules 7 and 8: a write made twice has the effect of one, and a write that did nothing says why."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

SNAPSHOTS = {"config_snapshot": {"r": 16}, "model_snapshot": {"id": "base"}, "dataset_snapshot": []}


def create(caller, package, version_id, **arguments):
    return caller.rpc(
        "create_training_draft",
        package_id=package["id"],
        version_id=version_id,
        **{**SNAPSHOTS, **arguments},
    )


def update(caller, version, changes, **arguments):
    return caller.rpc(
        "update_training_draft", version_id=version["id"], changes=changes, **arguments
    )


def delete(caller, version, **arguments):
    return caller.rpc("delete_training_draft", version_id=version["id"], **arguments)


def publish(caller, version, **arguments):
    return caller.rpc("publish_training_version", version_id=version["id"], **arguments)


def archive(caller, version):
    return caller.rpc("archive_training_version", version_id=version["id"])


def create_package(caller, package_id, **arguments):
    arguments = {
        "name": "bot",
        "template_type": "lora_finetuning",
        "config_json": {"a": 1},
        **arguments,
    }
    return caller.rpc("create_training_package", package_id=package_id, **arguments)


class TestCreatingADraft:
    def test_twice_makes_one(self, ada):
        package, wanted = ada.package(), str(uuid4())
        all_of_it = {
            "name": "first",
            "change_summary": "x",
            "estimated_cost": 1.5,
            "budget_limit": 2,
        }

        first = create(ada, package, wanted, **all_of_it).row
        second = create(ada, package, wanted, **all_of_it).row

        assert first["id"] == wanted
        assert second == first
        assert ada.numbers(package) == [1]

    def test_twice_without_a_name_makes_one(self, ada):
        package, wanted = ada.package(), str(uuid4())

        assert create(ada, package, wanted).row == create(ada, package, wanted).row

    def test_many_times_at_once_makes_one(self, ada):
        package, wanted = ada.package(), str(uuid4())

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: create(ada, package, wanted), range(8)))

        assert len({str(answer.row) for answer in answers}) == 1
        assert ada.numbers(package) == [1]

    def test_twice_by_the_service_role_makes_one(self, ada, backend):
        package, wanted = ada.package(), str(uuid4())

        assert create(backend, package, wanted).row == create(backend, package, wanted).row

    def test_again_after_it_was_edited_returns_the_edited_one(self, ada):
        package, wanted = ada.package(), str(uuid4())
        first = create(ada, package, wanted).row
        edited = update(ada, first, {"name": "edited"}).row

        assert create(ada, package, wanted).row == edited

    def test_again_after_it_was_published_returns_the_published_one(self, ada):
        package, wanted = ada.package(), str(uuid4())
        published = publish(ada, create(ada, package, wanted).row).row

        assert create(ada, package, wanted).row == published

    @pytest.mark.parametrize(
        "other", [{"config_snapshot": {"r": 8}}, {"name": "other"}, {"estimated_cost": 1}]
    )
    def test_under_a_taken_id_with_other_content_is_refused(self, ada, other):
        package, wanted = ada.package(), str(uuid4())
        first = create(ada, package, wanted).row

        assert create(ada, package, wanted, **other).code == "TV204"
        assert ada.see(first) == first

    def test_under_an_id_taken_in_another_package_is_refused(self, ada):
        wanted = str(uuid4())
        create(ada, ada.package(), wanted)

        assert create(ada, ada.package(), wanted).code == "TV204"

    def test_under_the_id_of_a_deleted_draft_is_refused(self, ada):
        package, wanted = ada.package(), str(uuid4())
        delete(ada, create(ada, package, wanted).row)

        assert create(ada, package, wanted).code == "TV204"
        assert ada.numbers(package) == []

    def test_in_a_package_that_is_not_there_says_so(self, ada):
        package = {"id": str(uuid4())}

        answer = create(ada, package, None)

        assert (answer.code, answer.detail) == ("TV102", {"package_id": package["id"]})

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("config_snapshot", []),
            ("config_snapshot", None),
            ("model_snapshot", "text"),
            ("dataset_snapshot", {}),
            ("dataset_snapshot", [1]),
            ("dataset_snapshot", None),
            ("estimated_cost", -0.01),
            ("estimated_cost", 1.005),
            ("estimated_cost", "NaN"),
            ("budget_limit", 100_000_000),
            ("budget_limit", "Infinity"),
            ("change_summary", "x" * 10_001),
        ],
    )
    def test_with_a_value_that_does_not_fit_names_the_field(self, ada, field, value):
        package = ada.package()

        answer = create(ada, package, None, **{field: value})

        assert (answer.status, answer.code, answer.detail["field"]) == (400, "TV306", field)
        assert ada.numbers(package) == []


class TestEditingADraft:
    def test_changes_only_what_is_named(self, ada):
        draft = ada.draft(ada.package(), change_summary="stays")

        edited = update(ada, draft, {"config_snapshot": {"r": 8}}).row

        assert edited == {**draft, "config_snapshot": {"r": 8}, "updated_at": edited["updated_at"]}

    def test_can_change_everything_at_once(self, ada):
        package = ada.package()
        parent, draft = ada.draft(package), ada.draft(package)
        changes = {
            "config_snapshot": {"a": 1},
            "model_snapshot": {"b": 2},
            "dataset_snapshot": [{"c": 3}],
            "name": "new",
            "change_summary": "new",
            "parent_version_id": parent["id"],
            "estimated_cost": 1.25,
            "budget_limit": 99999999.99,
        }

        edited = update(ada, draft, changes).row

        assert edited == {**draft, **changes, "updated_at": edited["updated_at"]}

    def test_clears_with_null_what_may_be_empty(self, ada):
        package = ada.package()
        parent = ada.draft(package)
        full = {
            "change_summary": "x",
            "parent_version_id": parent["id"],
            "estimated_cost": 1,
            "budget_limit": 2,
        }
        draft = ada.draft(package, **full)

        cleared = update(ada, draft, dict.fromkeys(full)).row

        assert {field: cleared[field] for field in full} == dict.fromkeys(full)

    @pytest.mark.parametrize(
        "field", ["config_snapshot", "model_snapshot", "dataset_snapshot", "name"]
    )
    def test_does_not_clear_what_may_not_be_empty(self, ada, field):
        draft = ada.draft(ada.package())

        answer = update(ada, draft, {field: None})

        assert (answer.code, answer.detail["field"]) == ("TV306", field)
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("field", ["status", "version_number", "created_by", "unheard_of"])
    def test_refuses_a_field_that_is_not_for_editing(self, ada, field):
        draft = ada.draft(ada.package())

        answer = update(ada, draft, {"name": "new", field: "published"})

        assert (answer.code, answer.detail["field"]) == ("TV306", field)
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("changes", [None, [], "name"])
    def test_refuses_changes_that_are_no_object(self, ada, changes):
        assert update(ada, ada.draft(ada.package()), changes).code == "TV306"

    def test_with_what_is_there_already_changes_nothing_and_succeeds(self, ada):
        draft = ada.draft(ada.package())

        assert (
            update(
                ada, draft, {"name": draft["name"], "config_snapshot": draft["config_snapshot"]}
            ).row
            == draft
        )
        assert update(ada, draft, {}).row == draft

    def test_twice_with_the_token_of_the_first_time_has_the_effect_of_once(self, ada):
        draft = ada.draft(ada.package())

        first = update(ada, draft, {"name": "edited"}, expected_updated_at=draft["updated_at"]).row
        second = update(ada, draft, {"name": "edited"}, expected_updated_at=draft["updated_at"]).row

        assert second == first

    def test_that_is_not_there_says_so(self, ada):
        none = {"id": str(uuid4())}

        answer = update(ada, none, {"name": "x"})

        assert (answer.code, answer.detail) == ("TV101", {"version_id": none["id"]})


class TestDeletingADraft:
    def test_twice_succeeds(self, ada):
        draft = ada.draft(ada.package())

        assert [delete(ada, draft).status, delete(ada, draft).status] == [204, 204]
        assert ada.see(draft) is None

    def test_twice_with_the_token_of_the_first_time_succeeds(self, ada):
        draft = ada.draft(ada.package())
        token = {"expected_updated_at": draft["updated_at"]}

        assert [delete(ada, draft, **token).status, delete(ada, draft, **token).status] == [
            204,
            204,
        ]

    def test_again_after_deleting_it_directly_succeeds(self, ada):
        draft = ada.draft(ada.package())
        ada.delete("training_package_versions", id=f"eq.{draft['id']}")

        assert delete(ada, draft).status == 204

    def test_that_someone_else_deleted_is_not_told_to_a_stranger(self, ada, bo):
        draft = ada.draft(ada.package())
        delete(ada, draft)

        assert delete(bo, draft).code == "TV101"

    def test_that_never_was_says_so(self, ada):
        assert delete(ada, {"id": str(uuid4())}).code == "TV101"

    def test_counts_once(self, ada):
        package = ada.package()
        ada.draft(package)
        draft = ada.draft(package)

        delete(ada, draft)
        delete(ada, draft)

        assert ada.see_package(package)["version_count"] == 1


class TestPublishing:
    def test_twice_returns_the_same_version(self, ada):
        draft = ada.draft(ada.package())

        assert publish(ada, draft).row == publish(ada, draft).row

    def test_twice_with_name_and_token_of_the_first_time_returns_the_same_version(self, ada):
        draft = ada.draft(ada.package())
        arguments = {"name": "gold", "expected_updated_at": draft["updated_at"]}

        assert publish(ada, draft, **arguments).row == publish(ada, draft, **arguments).row

    def test_many_times_at_once_publishes_once(self, ada):
        draft = ada.draft(ada.package())

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: publish(ada, draft), range(8)))

        assert len({str(answer.row) for answer in answers}) == 1

    def test_twice_by_the_service_role_returns_the_same_version(self, ada, backend):
        draft = ada.draft(ada.package())

        assert publish(backend, draft).row == publish(backend, draft).row

    def test_what_is_archived_says_so(self, ada):
        version = ada.archived(ada.package())

        answer = publish(ada, version)

        assert answer.code == "TV203"
        assert answer.detail == {
            "version_id": version["id"],
            "version_number": 1,
            "status": "archived",
        }

    def test_what_is_not_there_says_so(self, ada):
        assert publish(ada, {"id": str(uuid4())}).code == "TV101"


class TestArchiving:
    def test_twice_returns_the_same_version(self, ada):
        version = ada.published(ada.package())

        assert archive(ada, version).row == archive(ada, version).row

    def test_a_draft_says_so(self, ada):
        draft = ada.draft(ada.package())

        answer = archive(ada, draft)

        assert answer.code == "TV203"
        assert answer.detail == {"version_id": draft["id"], "version_number": 1, "status": "draft"}

    def test_what_is_not_there_says_so(self, ada):
        assert archive(ada, {"id": str(uuid4())}).code == "TV101"


class TestPackages:
    def test_created_twice_are_made_once(self, ada):
        wanted = str(uuid4())

        assert create_package(ada, wanted).row == create_package(ada, wanted).row

    def test_created_many_times_at_once_are_made_once(self, ada):
        wanted = str(uuid4())

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: create_package(ada, wanted), range(8)))

        assert {answer.row["id"] for answer in answers} == {wanted}

    def test_created_under_a_taken_id_with_other_content_are_refused(self, ada):
        wanted = str(uuid4())
        create_package(ada, wanted)

        assert create_package(ada, wanted, name="other").code == "TV204"

    def test_change_only_in_what_is_named(self, ada):
        package = create_package(ada, None).row

        changed = ada.rpc(
            "update_training_package", package_id=package["id"], changes={"config_json": {"b": 2}}
        ).row

        # An existing table may have a trigger of the app's that moves its updated_at.
        moved = {column: changed[column] for column in changed if column == "updated_at"}
        assert changed == {**package, "config_json": {"b": 2}, **moved}

    def test_changed_twice_are_changed_once(self, ada):
        package = ada.package()
        call = {"package_id": package["id"], "changes": {"name": "renamed"}}

        assert (
            ada.rpc("update_training_package", **call).row
            == ada.rpc("update_training_package", **call).row
        )

    @pytest.mark.parametrize("field", ["user_id", "version_count", "current_version_id", "id"])
    def test_are_not_changed_in_anything_else(self, ada, field):
        package = ada.package()

        answer = ada.rpc("update_training_package", package_id=package["id"], changes={field: 1})

        assert (answer.code, answer.detail["field"]) == ("TV306", field)

    @pytest.mark.parametrize(
        ("field", "value"), [("name", " "), ("template_type", "x" * 101), ("config_json", [])]
    )
    def test_with_a_value_that_does_not_fit_name_the_field(self, ada, field, value):
        package = ada.package()

        created = create_package(ada, None, **{field: value})
        changed = ada.rpc(
            "update_training_package", package_id=package["id"], changes={field: value}
        )

        assert (created.code, created.detail["field"]) == ("TV306", field)
        assert (changed.code, changed.detail["field"]) == ("TV306", field)
        assert ada.see_package(package) == package

    def test_deleted_twice_succeed(self, ada):
        call = {"package_id": ada.package()["id"]}

        statuses = [ada.rpc("delete_training_package", **call).status for _ in range(2)]

        assert statuses == [204, 204]

    def test_deleted_are_not_told_to_a_stranger(self, ada, bo):
        call = {"package_id": ada.package()["id"]}
        ada.rpc("delete_training_package", **call)

        assert bo.rpc("delete_training_package", **call).code == "TV102"

    @pytest.mark.parametrize("function", ["update_training_package", "delete_training_package"])
    def test_that_are_not_there_say_so(self, ada, function):
        none = str(uuid4())
        changes = {"changes": {"name": "x"}} if function == "update_training_package" else {}

        answer = ada.rpc(function, package_id=none, **changes)

        assert (answer.code, answer.detail) == ("TV102", {"package_id": none})
