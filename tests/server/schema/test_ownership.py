"""Rule 3: users see, make, edit and delete only their own, and nobody signs for someone else.

Who may call which function is in `test_access.py`.
"""

from uuid import uuid4

import pytest

from tests.server.schema.rest import PACKAGES, RETURN_ROWS, SNAPSHOTS, VERSIONS, blurred

DERIVED = ("version_count", "latest_published_version", "current_version_id")
LONG_AGO = "2001-01-01T00:00:00Z"


class TestTheOwner:
    def test_sees_their_packages_and_versions(self, ada):
        package = ada.package()
        draft = ada.draft(package)

        assert ada.see_package(package)["name"] == package["name"]
        assert ada.see(draft) == draft

    def test_signs_a_draft_without_saying_so(self, ada):
        assert ada.draft(ada.package())["created_by"] == ada.id

    def test_may_sign_a_draft_as_themself(self, ada):
        assert ada.draft(ada.package(), created_by=ada.id)["created_by"] == ada.id

    def test_cannot_sign_a_draft_for_someone_else(self, ada, bo):
        package = ada.package()

        answer = ada.try_draft(package, created_by=bo.id)

        assert answer.refusal == (403, "42501")
        assert ada.numbers(package) == []

    def test_cannot_hand_a_draft_to_someone_else(self, ada, bo):
        draft = ada.draft(ada.package())

        answer = ada.patch(draft, created_by=bo.id)

        assert answer.code == "TV301"
        assert answer.detail["columns"] == ["created_by"]
        assert ada.see(draft) == draft

    def test_cannot_say_when_a_draft_was_made(self, ada):
        draft = ada.draft(ada.package(), created_at=LONG_AGO, updated_at=LONG_AGO)

        assert not draft["created_at"].startswith("2001")
        assert not draft["updated_at"].startswith("2001")

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("id", "00000000-0000-4000-8000-00000000abcd"),
            ("version_number", 7),
            ("created_at", LONG_AGO),
            ("created_by", None),
        ],
    )
    def test_cannot_change_what_a_draft_is(self, ada, column, value):
        draft = ada.draft(ada.package())

        answer = ada.patch(draft, **{column: value})

        assert (answer.code, answer.detail["columns"]) == ("TV301", [column])
        assert ada.see(draft) == draft

    def test_cannot_move_a_draft_between_their_own_packages(self, ada):
        draft = ada.draft(ada.package())

        assert ada.patch(draft, package_id=ada.package()["id"]).code == "TV301"

    @pytest.mark.parametrize("way", ["try_package", "create_package"])
    def test_cannot_make_a_package_for_someone_else(self, ada, bo, way):
        assert getattr(ada, way)(user_id=bo.id).refusal == (403, "42501")

    def test_cannot_hand_a_package_to_someone_else(self, ada, bo):
        package = ada.package()

        assert ada.patch_package(package, user_id=bo.id).code == "42501"
        assert ada.see_package(package) == package

    @pytest.mark.parametrize("package", ["the same package", "another package"])
    def test_may_name_an_own_version_as_parent(self, ada, package):
        own = ada.package()
        parent = ada.published(own)
        into = own if package == "the same package" else ada.package()

        draft = ada.draft(into, parent_version_id=parent["id"])

        assert draft["parent_version_id"] == parent["id"]

    def test_may_change_and_clear_the_parent_of_a_draft(self, ada):
        package = ada.package()
        first, second = ada.draft(package), ada.draft(package)
        draft = ada.draft(package, parent_version_id=first["id"])

        for parent_id in (second["id"], None):
            row = ada.patch(draft, parent_version_id=parent_id).row
            assert row["parent_version_id"] == parent_id

    def test_cannot_make_a_version_its_own_ancestor(self, ada):
        package = ada.package()
        first = ada.draft(package)
        second = ada.draft(package, parent_version_id=first["id"])
        third = ada.draft(package, parent_version_id=second["id"])

        assert ada.patch(first, parent_version_id=first["id"]).code == "TV307"
        assert ada.patch(first, parent_version_id=third["id"]).code == "TV307"

    def test_cannot_make_a_version_of_a_package_that_is_not_there(self, ada):
        answer = ada.try_draft({"id": str(uuid4())})

        assert answer.refusal == (403, "42501")
        assert "Create the package first" in answer.body["hint"]

    def test_edits_only_their_own_drafts_with_a_patch_that_has_no_filter(self, ada, bo):
        published, draft = ada.published(ada.package()), ada.draft(ada.package())
        others = bo.draft(bo.package())

        rows = ada.update(VERSIONS, {"change_summary": "all of mine"}).rows

        assert [row["id"] for row in rows] == [draft["id"]]
        assert ada.see(published) == published
        assert bo.see(others) == others

    def test_deletes_only_their_own_drafts_with_a_delete_that_has_no_filter(self, ada, bo):
        published, draft = ada.published(ada.package()), ada.draft(ada.package())
        others = bo.draft(bo.package())

        rows = ada.delete(VERSIONS).rows

        assert [row["id"] for row in rows] == [draft["id"]]
        assert ada.see(published) == published
        assert bo.see(others) == others

    @pytest.mark.parametrize("column", DERIVED)
    def test_cannot_forge_what_the_database_keeps_of_a_package(self, ada, column):
        package = ada.package()
        forged = {column: ada.draft(package)["id"] if column == "current_version_id" else 7}
        before = ada.see_package(package)

        assert ada.patch_package(package, **forged).code == "TV305"
        assert ada.try_package(**forged).code == "TV305"
        assert ada.see_package(package) == before

    def test_may_send_back_what_the_database_keeps_as_it_is(self, ada):
        package = ada.package()
        ada.published(package)
        now = ada.see_package(package)

        assert ada.patch_package(package, **{**now, "name": "renamed"}).row["name"] == "renamed"


class TestAStranger:
    def test_sees_nothing(self, ada, bo):
        package = ada.package()
        draft, published = ada.draft(package), ada.published(package)

        assert (bo.see_package(package), bo.see(draft), bo.see(published)) == (None, None, None)

    def test_sees_nothing_through_an_embedded_table(self, ada, bo):
        package = ada.package()
        ada.published(package)
        bo.package()

        rows = bo.select(PACKAGES, select=f"id,{VERSIONS}!package_id(id)")

        assert [row[VERSIONS] for row in rows] == [[]]

    def test_changes_nothing_with_a_patch(self, ada, bo):
        package = ada.package()
        draft = ada.draft(package)
        package = ada.see_package(package)

        assert bo.patch(draft, name="taken over").rows == []
        assert bo.patch(draft, status="published").rows == []
        assert bo.patch_package(package, name="taken over").rows == []
        assert (ada.see(draft), ada.see_package(package)) == (draft, package)

    def test_deletes_nothing(self, ada, bo):
        package = ada.package()
        draft = ada.draft(package)

        assert bo.remove(draft).rows == []
        assert bo.remove_package(package).rows == []
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("columns", [{}, {"version_number": 50}])
    def test_cannot_put_a_version_into_someone_elses_package(self, ada, bo, columns):
        package = ada.package()

        answer = bo.try_draft(package, created_by=bo.id, **columns)

        assert answer.refusal == (403, "42501")
        assert ada.see_package(package)["version_count"] == 0

    def test_cannot_put_a_version_there_in_the_owners_name(self, ada, bo):
        package = ada.package()

        assert bo.try_draft(package, created_by=ada.id).code == "42501"
        assert ada.numbers(package) == []

    def test_cannot_move_a_version_into_someone_elses_package(self, ada, bo):
        package = ada.package()
        draft = bo.draft(bo.package())

        assert bo.patch(draft, package_id=package["id"]).code in ("TV301", "42501")
        assert bo.see(draft) == draft

    @pytest.mark.parametrize("changes", [{}, {"status": "published"}, {"created_by": None}])
    def test_gets_the_same_answer_for_moving_a_version_there_and_nowhere(self, ada, bo, changes):
        theirs, none, draft = ada.package(), {"id": str(uuid4())}, bo.draft(bo.package())

        answers = [
            bo.patch(draft, package_id=package["id"], **changes) for package in (theirs, none)
        ]

        assert answers[0].status >= 400
        assert blurred(answers[0], theirs["id"]) == blurred(answers[1], none["id"])
        assert bo.see(draft) == draft

    @pytest.mark.parametrize("resolution", ["merge-duplicates", "ignore-duplicates"])
    def test_gets_the_same_answer_for_an_upsert_there_and_nowhere(self, ada, bo, resolution):
        theirs, none, draft = ada.package(), {"id": str(uuid4())}, bo.draft(bo.package())
        row = {"id": draft["id"], "status": "draft", **SNAPSHOTS}

        answers = [
            bo.insert(
                VERSIONS,
                {**row, "package_id": package["id"]},
                prefer=f"resolution={resolution},{RETURN_ROWS}",
            )
            for package in (theirs, none)
        ]

        assert blurred(answers[0], theirs["id"]) == blurred(answers[1], none["id"])
        assert bo.see(draft) == draft

    def test_gets_the_same_answer_for_a_package_of_someone_else_and_of_none(self, ada, bo):
        theirs, none = ada.package(), {"id": str(uuid4())}

        answers = [bo.try_draft(package) for package in (theirs, none)]

        assert blurred(answers[0], theirs["id"]) == blurred(answers[1], none["id"])

    def test_gets_the_same_answer_for_a_parent_of_someone_else_and_of_none(self, ada, bo):
        package, theirs, none = bo.package(), ada.published(ada.package())["id"], str(uuid4())

        answers = [bo.try_draft(package, parent_version_id=parent) for parent in (theirs, none)]

        assert [answer.code for answer in answers] == ["TV103", "TV103"]
        assert blurred(answers[0], theirs) == blurred(answers[1], none)

    def test_cannot_make_someone_elses_version_a_parent_afterwards(self, ada, bo):
        theirs = ada.published(ada.package())
        draft = bo.draft(bo.package())

        assert bo.patch(draft, parent_version_id=theirs["id"]).code == "TV103"
        assert bo.see(draft) == draft

    def test_cannot_point_a_package_at_someone_elses_version(self, ada, bo):
        theirs = ada.published(ada.package())

        assert bo.patch_package(bo.package(), current_version_id=theirs["id"]).code == "TV305"

    @pytest.mark.parametrize("resolution", ["merge-duplicates", "ignore-duplicates"])
    def test_cannot_take_a_version_over_by_inserting_its_id_again(self, ada, bo, resolution):
        theirs, own = ada.draft(ada.package()), bo.package()
        row = {"id": theirs["id"], "package_id": own["id"], "status": "draft", **SNAPSHOTS}

        answer = bo.insert(VERSIONS, row, prefer=f"resolution={resolution},{RETURN_ROWS}")

        assert answer.status >= 400 or answer.rows == []
        assert ada.see(theirs) == theirs

    def test_cannot_take_a_package_over_by_inserting_its_id_again(self, ada, bo):
        theirs = ada.package()
        row = {**bo.package(), "id": theirs["id"]}

        answer = bo.insert(PACKAGES, row, prefer=f"resolution=merge-duplicates,{RETURN_ROWS}")

        assert answer.status >= 400
        assert ada.see_package(theirs) == theirs

    def test_cannot_create_under_the_id_of_someone_elses_version(self, ada, bo):
        theirs, own = ada.draft(ada.package()), bo.package()

        answer = bo.create_draft(own, version_id=theirs["id"])

        assert answer.refusal in ((409, "23505"), (400, "TV204"))
        assert ada.see(theirs) == theirs
        assert bo.numbers(own) == []

    def test_cannot_create_under_the_id_of_someone_elses_package(self, ada, bo):
        theirs = ada.package()

        assert bo.create_package(package_id=theirs["id"]).code in ("TV204", "23505")
        assert ada.see_package(theirs) == theirs


class TestTheServiceRole:
    def test_sees_everything(self, ada, backend):
        package = ada.package()
        draft = ada.draft(package)

        assert (backend.see_package(package)["id"], backend.see(draft)) == (package["id"], draft)

    @pytest.mark.parametrize("way", ["try_draft", "create_draft"])
    def test_acts_for_the_packages_owner(self, ada, backend, way):
        draft = getattr(backend, way)(ada.package()).row

        assert draft["created_by"] == ada.id
        assert ada.see(draft) == draft

    def test_may_say_who_made_a_version(self, ada, bo, backend):
        assert backend.draft(ada.package(), created_by=bo.id)["created_by"] == bo.id

    def test_publishes_for_the_packages_owner(self, ada, backend):
        version = backend.patch(ada.draft(ada.package()), status="published").row

        assert version["published_by"] == ada.id

    def test_may_say_who_published(self, ada, bo, backend):
        version = backend.patch(
            ada.draft(ada.package()), status="published", published_by=bo.id
        ).row

        assert version["published_by"] == bo.id

    def test_makes_packages_for_the_user_it_names(self, ada, backend):
        package = backend.create_package(user_id=ada.id).row

        assert ada.see_package(package) == package

    def test_must_name_the_user_of_a_package(self, backend):
        answer = backend.create_package()

        assert (answer.code, answer.detail["field"]) == ("TV306", "user_id")

    def test_cannot_make_a_strangers_version_a_parent(self, ada, bo, backend):
        theirs = bo.published(bo.package())

        assert backend.try_draft(ada.package(), parent_version_id=theirs["id"]).code == "TV103"

    @pytest.mark.parametrize("column", ["version_count", "latest_published_version"])
    def test_cannot_forge_what_the_database_keeps_of_a_package(self, ada, backend, column):
        package = ada.package()

        assert backend.patch_package(package, **{column: 7}).code == "TV305"
        assert ada.see_package(package) == package


def test_an_account_is_deleted_with_its_packages(callers_of_a_new_project):
    ada, database = callers_of_a_new_project.new_user(), callers_of_a_new_project.database
    package = ada.package()
    ada.published(package)
    ada.draft(package)

    database.run(f"delete from auth.users where id = '{ada.id}'", admin=True)

    assert database.rows(f"select id from public.{VERSIONS} where created_by = '{ada.id}'") == []
    assert database.rows(f"select id from public.{PACKAGES} where user_id = '{ada.id}'") == []


def test_a_foreign_key_of_the_app_is_not_taken_for_a_missing_user(newest_server):
    database = newest_server.migrated_project()
    database.run("""
        create table public.app_templates (name text primary key);
        alter table public.training_configs
            add constraint known_template
            foreign key (template_type) references public.app_templates (name);
    """)
    user = database.new_user()

    refusal = database.refusal(
        "select public.create_training_package('bot', 'unknown', '{}')", user=user
    )

    assert refusal == "23503"


class TestAVersionBeforeItsPackage:
    """Foreign keys are checked at the end of a statement, or later: the rules do not wait."""

    def test_is_refused_as_the_foreign_key_would(self, backend):
        answer = backend.try_draft({"id": str(uuid4())})

        assert answer.refusal == (409, "23503")
        assert answer.detail == {"field": "package_id"}

    @pytest.mark.parametrize("columns", ["", ", version_number", ", created_by"])
    def test_is_refused_in_a_statement_that_makes_the_package_later(self, ada, database, columns):
        package = uuid4()
        given = {"": "", ", version_number": ", -5", ", created_by": f", '{ada.id}'"}[columns]

        refusal = database.refusal(f"""
            with version as (
                insert into public.{VERSIONS} (
                    package_id, status, config_snapshot, model_snapshot, dataset_snapshot{columns}
                )
                values ('{package}', 'draft', '{{}}', '{{}}', '[]'{given})
                returning id
            )
            insert into public.{PACKAGES} (id, name, template_type, config_json, user_id)
            select '{package}', 'bot', 'x', '{{}}', '{ada.id}' from version
        """)

        assert refusal == "23503"
        assert ada.see_package({"id": str(package)}) is None


READS_VERSIONS = f"""
    create policy app_reads_versions on public.{PACKAGES} for select to authenticated using (
        exists (select from public.{VERSIONS} v where v.package_id = {PACKAGES}.id)
    )
"""
HIDES_PACKAGES = f"""
    create policy app_reads_versions on public.{PACKAGES} as restrictive for select
    to authenticated using (
        (select count(*) from public.{VERSIONS} v where v.package_id = {PACKAGES}.id) < 1000
    )
"""


@pytest.mark.parametrize("policy", [READS_VERSIONS, HIDES_PACKAGES], ids=["more", "less"])
def test_an_app_may_have_a_policy_on_packages_that_reads_versions(ada, database, policy):
    package = ada.package()
    database.run(policy)
    try:
        draft = ada.draft(package)
        edited = ada.patch(draft, change_summary="edited")
        made = ada.create_draft(package)
        published = ada.publish(draft)
        removed = ada.remove(made.row)
        gone = ada.delete_package(ada.package())
    finally:
        database.run(f"drop policy app_reads_versions on public.{PACKAGES}")

    answers = (edited, made, published, removed, gone)
    assert [answer.code for answer in answers] == [None] * 5
