"""Rules 7 and 8: a write made twice has the effect of one; a write that did nothing says why."""

from functools import partial
from uuid import uuid4

import pytest

from tests.server.schema.rest import at_once


def moments(edited):
    """What an edit moves beside what it names."""
    return {column: edited["updated_at"] for column in ("updated_at", "content_updated_at")}


def named(cases):
    """Pairs of a field and a value, each known by what it tries."""
    return pytest.mark.parametrize(
        ("field", "value"), [pytest.param(*case, id=name) for name, case in cases.items()]
    )


MISFITS = {
    "a list as config": ("config_snapshot", []),
    "no config": ("config_snapshot", None),
    "a text as model": ("model_snapshot", "text"),
    "an object as data sets": ("dataset_snapshot", {}),
    "a number as data set": ("dataset_snapshot", [1]),
    "no data sets": ("dataset_snapshot", None),
    "a negative cost": ("estimated_cost", -0.01),
    "a cost of half a cent": ("estimated_cost", 1.005),
    "a cost that is no number": ("estimated_cost", "NaN"),
    "a budget too large": ("budget_limit", 100_000_000),
    "an infinite budget": ("budget_limit", "Infinity"),
    "a summary too long": ("change_summary", "x" * 10_001),
}
PACKAGE_MISFITS = {
    "a blank name": ("name", " "),
    "a template type too long": ("template_type", "x" * 101),
    "a list as config": ("config_json", []),
}


@pytest.fixture
def package(ada):
    return ada.package()


@pytest.fixture
def draft(ada, package):
    return ada.draft(package)


@pytest.fixture
def new_id():
    return str(uuid4())


@pytest.fixture
def nothing():
    """The id of no row at all, as a row."""
    return {"id": str(uuid4())}


class TestCreatingADraft:
    @pytest.mark.parametrize(
        "arguments",
        [{}, {"name": "first", "change_summary": "x", "estimated_cost": 1.5, "budget_limit": 2}],
        ids=["least", "all"],
    )
    def test_twice_makes_one(self, ada, package, new_id, actor, arguments):
        create = partial(actor.create_draft, package, version_id=new_id, **arguments)

        first, second = create().row, create().row

        assert first["id"] == new_id
        assert second == first
        assert ada.numbers(package) == [1]

    def test_many_times_at_once_makes_one(self, ada, package, new_id):
        answers = at_once([partial(ada.create_draft, package, version_id=new_id)] * 8)

        assert len({str(answer.row) for answer in answers}) == 1
        assert ada.numbers(package) == [1]

    def test_again_after_it_was_edited_returns_the_edited_one(self, ada, package, new_id):
        first = ada.create_draft(package, version_id=new_id).row
        edited = ada.update_draft(first, {"name": "edited"}).row

        assert ada.create_draft(package, version_id=new_id).row == edited

    def test_again_after_it_was_published_returns_the_published_one(self, ada, package, new_id):
        published = ada.publish(ada.create_draft(package, version_id=new_id).row).row

        assert ada.create_draft(package, version_id=new_id).row == published

    @pytest.mark.parametrize(
        "other",
        [{"config_snapshot": {"r": 8}}, {"name": "other"}, {"estimated_cost": 1}],
        ids=["config", "name", "cost"],
    )
    def test_under_a_taken_id_with_other_content_is_refused(self, ada, package, new_id, other):
        first = ada.create_draft(package, version_id=new_id).row

        assert ada.create_draft(package, version_id=new_id, **other).code == "TV204"
        assert ada.see(first) == first

    def test_under_an_id_taken_in_another_package_is_refused(self, ada, package, draft):
        assert ada.create_draft(ada.package(), version_id=draft["id"]).code == "TV204"

    def test_under_the_id_of_a_deleted_draft_is_refused(self, ada, package, draft):
        ada.delete_draft(draft)

        assert ada.create_draft(package, version_id=draft["id"]).code == "TV204"
        assert ada.numbers(package) == []

    def test_in_a_package_that_is_not_there_says_so(self, ada, nothing):
        answer = ada.create_draft(nothing)

        assert (answer.code, answer.detail) == ("TV102", {"package_id": nothing["id"]})

    @named(MISFITS)
    def test_with_a_value_that_does_not_fit_names_the_field(self, ada, package, field, value):
        answer = ada.create_draft(package, **{field: value})

        assert answer.refusal == (400, "TV306")
        assert answer.detail["field"] == field
        assert ada.numbers(package) == []


class TestEditingADraft:
    def test_changes_only_what_is_named(self, ada, package):
        draft = ada.draft(package, change_summary="stays")

        edited = ada.update_draft(draft, {"config_snapshot": {"r": 8}}).row

        assert edited == {**draft, "config_snapshot": {"r": 8}, **moments(edited)}

    def test_can_change_everything_at_once(self, ada, package, draft):
        changes = {
            "config_snapshot": {"a": 1},
            "model_snapshot": {"b": 2},
            "dataset_snapshot": [{"c": 3}],
            "name": "new",
            "change_summary": "new",
            "parent_version_id": ada.draft(package)["id"],
            "estimated_cost": 1.25,
            "budget_limit": 99999999.99,
        }

        edited = ada.update_draft(draft, changes).row

        assert edited == {**draft, **changes, **moments(edited)}

    def test_clears_with_null_what_may_be_empty(self, ada, package, draft):
        full = {
            "change_summary": "x",
            "parent_version_id": ada.draft(package)["id"],
            "estimated_cost": 1,
            "budget_limit": 2,
        }
        ada.update_draft(draft, full)

        cleared = ada.update_draft(draft, dict.fromkeys(full)).row

        assert {field: cleared[field] for field in full} == dict.fromkeys(full)

    @pytest.mark.parametrize(
        "field", ["config_snapshot", "model_snapshot", "dataset_snapshot", "name"]
    )
    def test_does_not_clear_what_may_not_be_empty(self, ada, draft, field):
        answer = ada.update_draft(draft, {field: None})

        assert (answer.code, answer.detail["field"]) == ("TV306", field)
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("field", ["status", "version_number", "created_by", "unheard_of"])
    def test_refuses_a_field_that_is_not_for_editing(self, ada, draft, field):
        answer = ada.update_draft(draft, {"name": "new", field: "published"})

        assert (answer.code, answer.detail["field"]) == ("TV306", field)
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("changes", [None, [], "name"], ids=repr)
    def test_refuses_changes_that_are_no_object(self, ada, draft, changes):
        assert ada.update_draft(draft, changes).code == "TV306"

    @pytest.mark.parametrize("fields", [(), ("name", "config_snapshot")], ids=["none", "two"])
    def test_with_what_is_there_already_changes_nothing_and_succeeds(self, ada, draft, fields):
        same = {field: draft[field] for field in fields}

        assert ada.update_draft(draft, same).row == draft

    def test_twice_with_the_token_of_the_first_time_has_the_effect_of_once(self, ada, draft):
        edit = partial(
            ada.update_draft, draft, {"name": "edited"}, expected_updated_at=draft["updated_at"]
        )

        assert edit().row == edit().row

    def test_that_is_not_there_says_so(self, ada, nothing):
        answer = ada.update_draft(nothing, {"name": "x"})

        assert (answer.code, answer.detail) == ("TV101", {"version_id": nothing["id"]})


class TestDeletingADraft:
    def test_twice_succeeds_and_counts_once(self, ada, package, draft):
        ada.draft(package)

        assert [ada.delete_draft(draft).status for _ in range(2)] == [204, 204]
        assert ada.see(draft) is None
        assert ada.see_package(package)["version_count"] == 1

    def test_twice_with_the_token_of_the_first_time_succeeds(self, ada, draft):
        delete = partial(ada.delete_draft, draft, expected_updated_at=draft["updated_at"])

        assert [delete().status, delete().status] == [204, 204]

    def test_again_after_deleting_it_directly_succeeds(self, ada, draft):
        ada.remove(draft)

        assert ada.delete_draft(draft).status == 204

    def test_that_someone_else_deleted_is_not_shown_to_a_stranger(self, ada, bo, draft):
        ada.delete_draft(draft)

        assert bo.delete_draft(draft).code == "TV101"

    def test_that_never_was_says_so(self, ada, nothing):
        assert ada.delete_draft(nothing).code == "TV101"


class TestPublishing:
    def test_twice_returns_the_same_version(self, draft, actor):
        assert actor.publish(draft).row == actor.publish(draft).row

    def test_twice_with_name_and_token_of_the_first_time_returns_the_same_version(self, ada, draft):
        publish = partial(ada.publish, draft, name="gold", expected_updated_at=draft["updated_at"])

        assert publish().row == publish().row

    def test_many_times_at_once_publishes_once(self, ada, draft):
        answers = at_once([partial(ada.publish, draft)] * 8)

        assert len({str(answer.row) for answer in answers}) == 1


class TestArchiving:
    def test_twice_returns_the_same_version(self, ada, package):
        version = ada.published(package)

        assert ada.archive(version).row == ada.archive(version).row


class TestAStatusThatDoesNotFit:
    @pytest.mark.parametrize(("act", "status"), [("publish", "archived"), ("archive", "draft")])
    def test_is_named(self, ada, package, act, status):
        version = {"draft": ada.draft, "archived": ada.archived}[status](package)

        answer = getattr(ada, act)(version)

        assert answer.code == "TV203"
        assert answer.detail == {"version_id": version["id"], "version_number": 1, "status": status}

    @pytest.mark.parametrize("act", ["publish", "archive"])
    def test_is_not_that_of_a_version_that_is_not_there(self, ada, nothing, act):
        assert getattr(ada, act)(nothing).code == "TV101"


class TestPackages:
    def test_created_twice_are_made_once(self, ada, new_id):
        create = partial(ada.create_package, package_id=new_id)

        assert create().row == create().row

    def test_created_many_times_at_once_are_made_once(self, ada, new_id):
        answers = at_once([partial(ada.create_package, package_id=new_id)] * 8)

        assert {answer.row["id"] for answer in answers} == {new_id}

    def test_created_under_a_taken_id_with_other_content_are_refused(self, ada, new_id):
        ada.create_package(package_id=new_id)

        assert ada.create_package(package_id=new_id, name="other").code == "TV204"

    def test_change_only_in_what_is_named(self, ada):
        package = ada.create_package().row

        changed = ada.update_package(package, {"config_json": {"b": 2}}).row

        # An existing table may have a trigger of the app's that moves its updated_at.
        moved = {column: changed[column] for column in changed if column == "updated_at"}
        assert changed == {**package, "config_json": {"b": 2}, **moved}

    def test_changed_twice_are_changed_once(self, ada, package):
        change = partial(ada.update_package, package, {"name": "renamed"})

        assert change().row == change().row

    @pytest.mark.parametrize("field", ["user_id", "version_count", "current_version_id", "id"])
    def test_are_not_changed_in_anything_else(self, ada, package, field):
        answer = ada.update_package(package, {field: 1})

        assert (answer.code, answer.detail["field"]) == ("TV306", field)

    @named(PACKAGE_MISFITS)
    def test_with_a_value_that_does_not_fit_name_the_field(self, ada, package, field, value):
        created = ada.create_package(**{field: value})
        changed = ada.update_package(package, {field: value})

        assert (created.code, created.detail["field"]) == ("TV306", field)
        assert (changed.code, changed.detail["field"]) == ("TV306", field)
        assert ada.see_package(package) == package

    def test_deleted_twice_succeed(self, ada, package):
        assert [ada.delete_package(package).status for _ in range(2)] == [204, 204]

    def test_deleted_are_not_shown_to_a_stranger(self, ada, bo, package):
        ada.delete_package(package)

        assert bo.delete_package(package).code == "TV102"

    def test_that_are_not_there_say_so(self, ada, nothing):
        for answer in (ada.update_package(nothing, {"name": "x"}), ada.delete_package(nothing)):
            assert (answer.code, answer.detail) == ("TV102", {"package_id": nothing["id"]})
