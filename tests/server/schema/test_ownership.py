"""Rule 3: a user sees, makes, edits and deletes only their own, and nobody signs for someone else."""

from uuid import uuid4

import pytest

PACKAGES = "training_configs"
VERSIONS = "training_package_versions"
SNAPSHOTS = {"config_snapshot": {}, "model_snapshot": {}, "dataset_snapshot": []}

# Every function, with arguments that would do something for the owner of the package and of the draft.
CALLS = {
    "get_next_version_number": lambda package, draft: {"package_id": package},
    "create_training_package": lambda package, draft: {
        "name": "x",
        "template_type": "x",
        "config_json": {},
    },
    "update_training_package": lambda package, draft: {
        "package_id": package,
        "changes": {"name": "taken over"},
    },
    "delete_training_package": lambda package, draft: {"package_id": package},
    "create_training_draft": lambda package, draft: {"package_id": package, **SNAPSHOTS},
    "update_training_draft": lambda package, draft: {
        "version_id": draft,
        "changes": {"name": "taken over"},
    },
    "delete_training_draft": lambda package, draft: {"version_id": draft},
    "publish_training_version": lambda package, draft: {"version_id": draft},
    "archive_training_version": lambda package, draft: {"version_id": draft},
    "restore_training_version": lambda package, draft: {"version_id": draft},
    "fork_training_version": lambda package, draft: {
        "version_id": draft,
        "into_package_id": package,
    },
    "get_version_lineage": lambda package, draft: {"version_id": draft},
    "start_version_training": lambda package, draft: {"version_id": draft},
    "complete_version_training": lambda package, draft: {"version_id": draft},
    "fail_version_training": lambda package, draft: {
        "version_id": draft,
        "reason": "none of theirs",
    },
    "cancel_version_training": lambda package, draft: {"version_id": draft},
    "record_version_metrics": lambda package, draft: {"version_id": draft, "metrics": {"loss": 0}},
    "get_metric_history": lambda package, draft: {"version_id": draft, "name": "loss"},
    "deploy_training_version": lambda package, draft: {"version_id": draft, "target": "local"},
    "undeploy_training_version": lambda package, draft: {"version_id": draft},
    "record_training_cost": lambda package, draft: {"version_id": draft, "amount": 1},
    "get_package_cost": lambda package, draft: {"package_id": package},
    "export_training_versions": lambda package, draft: {
        "package_id": package,
        "after": 0,
        "newest": 9,
        "bytes": 1,
    },
    "import_training_versions": lambda package, draft: {"package_id": package, "versions": []},
    "import_training_events": lambda package, draft: {"package_id": package, "events": []},
}


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

        assert (answer.status, answer.code) == (403, "42501")
        assert ada.numbers(package) == []

    def test_cannot_hand_a_draft_to_someone_else(self, ada, bo):
        draft = ada.draft(ada.package())

        answer = ada.edit(draft, created_by=bo.id)

        assert answer.code == "TV301"
        assert answer.detail["columns"] == ["created_by"]
        assert ada.see(draft) == draft

    def test_cannot_say_when_a_draft_was_made(self, ada):
        draft = ada.draft(
            ada.package(), created_at="2001-01-01T00:00:00Z", updated_at="2001-01-01T00:00:00Z"
        )

        assert not draft["created_at"].startswith("2001")
        assert not draft["updated_at"].startswith("2001")

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("id", "00000000-0000-4000-8000-00000000abcd"),
            ("version_number", 7),
            ("created_at", "2001-01-01T00:00:00Z"),
            ("created_by", None),
        ],
    )
    def test_cannot_change_what_a_draft_is(self, ada, column, value):
        draft = ada.draft(ada.package())

        answer = ada.edit(draft, **{column: value})

        assert (answer.code, answer.detail["columns"]) == ("TV301", [column])
        assert ada.see(draft) == draft

    def test_cannot_move_a_draft_between_their_own_packages(self, ada):
        draft = ada.draft(ada.package())

        assert ada.edit(draft, package_id=ada.package()["id"]).code == "TV301"

    def test_cannot_make_a_package_for_someone_else(self, ada, bo):
        answer = ada.insert(
            PACKAGES, {"name": "x", "template_type": "x", "config_json": {}, "user_id": bo.id}
        )

        assert (answer.status, answer.code) == (403, "42501")

    def test_cannot_make_a_package_for_someone_else_by_rpc(self, ada, bo):
        answer = ada.rpc(
            "create_training_package", name="x", template_type="x", config_json={}, user_id=bo.id
        )

        assert (answer.status, answer.code) == (403, "42501")

    def test_cannot_hand_a_package_to_someone_else(self, ada, bo):
        package = ada.package()

        assert ada.edit_package(package, user_id=bo.id).code == "42501"
        assert ada.see_package(package) == package

    def test_may_name_an_own_version_as_parent(self, ada):
        package = ada.package()
        parent = ada.published(package)

        assert (
            ada.draft(package, parent_version_id=parent["id"])["parent_version_id"] == parent["id"]
        )

    def test_may_fork_from_an_own_version_of_another_package(self, ada):
        parent = ada.published(ada.package())

        assert (
            ada.draft(ada.package(), parent_version_id=parent["id"])["parent_version_id"]
            == parent["id"]
        )

    def test_may_change_and_clear_the_parent_of_a_draft(self, ada):
        package = ada.package()
        first, second = ada.draft(package), ada.draft(package)
        draft = ada.draft(package, parent_version_id=first["id"])

        assert (
            ada.edit(draft, parent_version_id=second["id"]).row["parent_version_id"] == second["id"]
        )
        assert ada.edit(draft, parent_version_id=None).row["parent_version_id"] is None

    def test_cannot_make_a_version_its_own_ancestor(self, ada):
        package = ada.package()
        first = ada.draft(package)
        second = ada.draft(package, parent_version_id=first["id"])
        third = ada.draft(package, parent_version_id=second["id"])

        assert ada.edit(first, parent_version_id=first["id"]).code == "TV307"
        assert ada.edit(first, parent_version_id=third["id"]).code == "TV307"

    def test_cannot_make_a_version_of_a_package_that_is_not_there(self, ada):
        answer = ada.try_draft({"id": str(uuid4())})

        assert (answer.status, answer.code) == (403, "42501")
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

    @pytest.mark.parametrize(
        "forged",
        [
            {"version_count": 7},
            {"latest_published_version": 7},
            {"current_version_id": "a version of theirs"},
        ],
    )
    def test_cannot_forge_what_the_database_keeps_of_a_package(self, ada, forged):
        package = ada.package()
        draft = ada.draft(package)
        before = ada.see_package(package)
        forged = {
            column: draft["id"] if column == "current_version_id" else value
            for column, value in forged.items()
        }

        assert ada.edit_package(package, **forged).code == "TV305"
        assert ada.see_package(package) == before
        assert ada.insert(PACKAGES, {**_new_package(ada), **forged}).code == "TV305"

    def test_may_send_back_what_the_database_keeps_as_it_is(self, ada):
        package = ada.package()
        ada.published(package)
        now = ada.see_package(package)

        assert ada.edit_package(package, **{**now, "name": "renamed"}).row["name"] == "renamed"


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

        assert bo.edit(draft, name="taken over").rows == []
        assert bo.edit(draft, status="published").rows == []
        assert bo.edit_package(package, name="taken over").rows == []
        assert (ada.see(draft), ada.see_package(package)) == (draft, package)

    def test_deletes_nothing(self, ada, bo):
        package = ada.package()
        draft = ada.draft(package)

        assert bo.delete(VERSIONS, id=f"eq.{draft['id']}").rows == []
        assert bo.delete(PACKAGES, id=f"eq.{package['id']}").rows == []
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("columns", [{}, {"version_number": 50}])
    def test_cannot_put_a_version_into_someone_elses_package(self, ada, bo, columns):
        package = ada.package()

        answer = bo.try_draft(package, created_by=bo.id, **columns)

        assert (answer.status, answer.code) == (403, "42501")
        assert ada.see_package(package)["version_count"] == 0

    def test_cannot_put_a_version_there_in_the_owners_name(self, ada, bo):
        package = ada.package()

        assert bo.try_draft(package, created_by=ada.id).code == "42501"
        assert ada.numbers(package) == []

    def test_cannot_move_a_version_into_someone_elses_package(self, ada, bo):
        package = ada.package()
        draft = bo.draft(bo.package())

        assert bo.edit(draft, package_id=package["id"]).code in ("TV301", "42501")
        assert bo.see(draft) == draft

    def test_is_told_the_same_of_a_package_of_someone_else_and_of_none(self, ada, bo):
        theirs, none = ada.package(), {"id": str(uuid4())}

        told = [bo.try_draft(package) for package in (theirs, none)]

        assert _blur(told[0], theirs["id"]) == _blur(told[1], none["id"])

    def test_is_told_the_same_of_a_parent_of_someone_else_and_of_none(self, ada, bo):
        package, theirs, none = bo.package(), ada.published(ada.package())["id"], str(uuid4())

        told = [bo.try_draft(package, parent_version_id=parent) for parent in (theirs, none)]

        assert [answer.code for answer in told] == ["TV103", "TV103"]
        assert _blur(told[0], theirs) == _blur(told[1], none)

    def test_cannot_make_someone_elses_version_a_parent_afterwards(self, ada, bo):
        theirs = ada.published(ada.package())
        draft = bo.draft(bo.package())

        assert bo.edit(draft, parent_version_id=theirs["id"]).code == "TV103"
        assert bo.see(draft) == draft

    def test_cannot_point_a_package_at_someone_elses_version(self, ada, bo):
        theirs = ada.published(ada.package())

        assert bo.edit_package(bo.package(), current_version_id=theirs["id"]).code == "TV305"

    @pytest.mark.parametrize(
        "function", [name for name in CALLS if name != "create_training_package"]
    )
    def test_is_told_by_every_function_that_there_is_no_such_thing(self, ada, bo, function):
        package = ada.package()
        draft, before = ada.draft(package), ada.see_package(package)
        none = str(uuid4())

        theirs = bo.rpc(function, **CALLS[function](package["id"], draft["id"]))

        nothing = bo.rpc(function, **CALLS[function](none, none))
        assert theirs.code in ("TV101", "TV102")
        assert _blur(theirs, package["id"], draft["id"]) == _blur(nothing, none)
        assert (ada.see_package(package), ada.see(draft)) == (before, draft)

    @pytest.mark.parametrize("resolution", ["merge-duplicates", "ignore-duplicates"])
    def test_cannot_take_a_version_over_by_inserting_its_id_again(self, ada, bo, resolution):
        theirs, own = ada.draft(ada.package()), bo.package()
        row = {"id": theirs["id"], "package_id": own["id"], "status": "draft", **SNAPSHOTS}

        answer = bo.insert(VERSIONS, row, prefer=f"resolution={resolution},return=representation")

        assert answer.status >= 400 or answer.rows == []
        assert ada.see(theirs) == theirs

    def test_cannot_take_a_package_over_by_inserting_its_id_again(self, ada, bo):
        theirs = ada.package()
        row = {**_new_package(bo), "id": theirs["id"]}

        answer = bo.insert(
            PACKAGES, row, prefer="resolution=merge-duplicates,return=representation"
        )

        assert answer.status >= 400
        assert ada.see_package(theirs) == theirs

    def test_cannot_create_under_the_id_of_someone_elses_version(self, ada, bo):
        theirs, own = ada.draft(ada.package()), bo.package()

        answer = bo.rpc(
            "create_training_draft", package_id=own["id"], version_id=theirs["id"], **SNAPSHOTS
        )

        assert (answer.status, answer.code) in ((409, "23505"), (400, "TV204"))
        assert ada.see(theirs) == theirs
        assert bo.numbers(own) == []

    def test_cannot_create_under_the_id_of_someone_elses_package(self, ada, bo):
        theirs = ada.package()

        answer = bo.rpc(
            "create_training_package",
            name="x",
            template_type="x",
            config_json={},
            package_id=theirs["id"],
        )

        assert answer.code in ("TV204", "23505")
        assert ada.see_package(theirs) == theirs


class TestTheServiceRole:
    def test_sees_everything(self, ada, backend):
        package = ada.package()
        draft = ada.draft(package)

        assert (backend.see_package(package)["id"], backend.see(draft)) == (package["id"], draft)

    def test_acts_for_the_packages_owner(self, ada, backend):
        package = ada.package()

        draft = backend.draft(package)

        assert draft["created_by"] == ada.id
        assert ada.see(draft) == draft

    def test_acts_for_the_packages_owner_by_rpc(self, ada, backend):
        package = ada.package()

        draft = backend.rpc("create_training_draft", package_id=package["id"], **SNAPSHOTS).row

        assert draft["created_by"] == ada.id

    def test_may_say_who_made_a_version(self, ada, bo, backend):
        assert backend.draft(ada.package(), created_by=bo.id)["created_by"] == bo.id

    def test_publishes_for_the_packages_owner(self, ada, backend):
        version = backend.edit(ada.draft(ada.package()), status="published").row

        assert version["published_by"] == ada.id

    def test_may_say_who_published(self, ada, bo, backend):
        version = backend.edit(ada.draft(ada.package()), status="published", published_by=bo.id).row

        assert version["published_by"] == bo.id

    def test_makes_packages_for_the_user_it_names(self, ada, backend):
        package = backend.rpc(
            "create_training_package",
            name="for ada",
            template_type="x",
            config_json={},
            user_id=ada.id,
        ).row

        assert ada.see_package(package) == package

    def test_must_name_the_user_of_a_package(self, backend):
        answer = backend.rpc(
            "create_training_package", name="whose", template_type="x", config_json={}
        )

        assert (answer.code, answer.detail["field"]) == ("TV306", "user_id")

    def test_cannot_make_a_strangers_version_a_parent(self, ada, bo, backend):
        theirs = bo.published(bo.package())

        assert backend.try_draft(ada.package(), parent_version_id=theirs["id"]).code == "TV103"

    @pytest.mark.parametrize("forged", [{"version_count": 7}, {"latest_published_version": 7}])
    def test_cannot_forge_what_the_database_keeps_of_a_package(self, ada, backend, forged):
        package = ada.package()

        assert backend.edit_package(package, **forged).code == "TV305"
        assert ada.see_package(package) == package


class TestSomebodyNotSignedIn:
    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
    def test_is_refused_by_the_versions(self, anon, method):
        answer = anon.send(
            method, VERSIONS, json=None if method in ("GET", "DELETE") else {"name": "x"}
        )

        assert (answer.status, answer.code) == (401, "42501")

    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
    def test_gets_nowhere_with_the_packages(self, ada, anon, method):
        package = ada.package()

        answer = anon.send(
            method, PACKAGES, json=None if method in ("GET", "DELETE") else {"name": "x"}
        )

        # The grants of a table that was there before are the app's; its policies show no row.
        assert answer.code == "42501" or answer.rows == []
        assert ada.see_package(package) == package

    @pytest.mark.parametrize("function", CALLS)
    def test_is_refused_by_every_function(self, ada, anon, function):
        package = ada.package()
        draft = ada.draft(package)

        answer = anon.rpc(function, **CALLS[function](package["id"], draft["id"]))

        assert (answer.status, answer.code) == (401, "42501")


def test_the_stories_above_are_told_of_every_function(database):
    found = database.rows(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype"
    )

    assert {row["proname"] for row in found} == set(CALLS)


# The definer functions of the bookkeeping, as a caller asks them in SQL of their own.
BOOKKEEPING = {
    "archive_version": "archive_version('{draft}')",
    "lock_package": "lock_package('{package}')",
    "next_number": "next_number('{package}')",
    "was_deleted": "was_deleted('{deleted}', false)",
    "start_training": "start_training('{draft}', null)",
    "end_training": "end_training('{draft}', 'completed', null, null, null)",
    "record_metrics": "record_metrics('{draft}', '{{\"loss\": 0}}', null, null)",
    "deploy": "deploy('{published}', 'local', null, null, null)",
    "undeploy": "undeploy('{published}', null, null)",
    "record_cost": "record_cost('{draft}', 1, null, null, null, null)",
    "import_versions": "import_versions('{package}', '[]', false)",
    "import_events": "import_events('{package}', '[]')",
}


@pytest.mark.parametrize("function", BOOKKEEPING)
def test_the_bookkeeping_tells_a_stranger_nothing(ada, bo, database, function):
    package = ada.package()
    draft, published, deleted = ada.draft(package), ada.published(package), ada.draft(package)
    ada.delete(VERSIONS, id=f"eq.{deleted['id']}")
    ids = {
        "package": package["id"],
        "draft": draft["id"],
        "published": published["id"],
        "deleted": deleted["id"],
    }
    call = f"select training_versions_internal.{BOOKKEEPING[function].format(**ids)}"

    assert database.refusal(call, user=bo.id) in ("TV101", "TV102") or not database.value(
        call, user=bo.id
    )
    assert (ada.see(draft), ada.see(published)) == (draft, published)


def test_the_stories_above_are_told_of_all_bookkeeping_that_a_user_may_call(database):
    found = database.rows("""
        select proname from pg_proc
        where pronamespace = 'training_versions_internal'::regnamespace
            and prosecdef and has_function_privilege('authenticated', oid, 'execute')
    """)

    assert {row["proname"] for row in found} == set(BOOKKEEPING)


@pytest.mark.parametrize("table", ["package_numbers", "deletions"])
@pytest.mark.parametrize("statement", ["select * from {}", "delete from {}"])
def test_nobody_reads_or_writes_the_bookkeeping_in_sql_of_their_own(
    ada, database, table, statement
):
    assert (
        database.refusal(statement.format(f"training_versions_internal.{table}"), user=ada.id)
        == "42501"
    )


def test_nobody_reaches_the_bookkeeping_through_rest(ada, backend, anon):
    headers = {"Accept-Profile": "training_versions_internal"}

    answers = [
        caller.send("GET", "package_numbers", headers=headers) for caller in (ada, backend, anon)
    ]

    assert [answer.code for answer in answers] == ["PGRST106"] * 3


def test_an_account_is_deleted_with_its_packages(callers_of_a_new_project):
    ada, database = callers_of_a_new_project.new_user(), callers_of_a_new_project.database
    package = ada.package()
    ada.published(package)
    ada.draft(package)

    database.run(f"delete from auth.users where id = '{ada.id}'", admin=True)

    assert (
        database.value(
            f"select count(*) from public.training_package_versions where created_by = '{ada.id}'"
        )
        == 0
    )
    assert (
        database.value(f"select count(*) from public.training_configs where user_id = '{ada.id}'")
        == 0
    )


def _new_package(caller):
    return {"name": "x", "template_type": "x", "config_json": {}, "user_id": caller.id}


def _blur(answer, *ids):
    """The whole answer, with the ids that were asked for made alike."""
    text = repr((answer.status, answer.body))
    for asked in ids:
        text = text.replace(asked, "…")
    return text
