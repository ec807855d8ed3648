"""A push loses nothing of a database of the first release, repairs it and makes it behave as new.

`TestThePush` looks at what a push leaves, on both PostgreSQL versions. The stories after it are
played in the upgraded project that the other tests use too, on the older one.
"""

from collections import Counter
from dataclasses import dataclass

import pytest

from tests.server.schema.databases import APP_FILES, FIRST_RELEASE, Database
from tests.server.schema.rest import PACKAGES, VERSIONS

ADA, BO, CY = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")


def package_id(digit):
    return f"{str(digit) * 8}-0000-4000-8000-000000000000"


def version_id(digit, number):
    return f"{str(digit) * 8}-0000-4000-8000-{number:012}"


def old_version(digit, number):
    return {"id": version_id(digit, number)}


BUSY, EMPTY, STRANGERS, RETIRED, SKETCHES, LONG, NOBODYS, NAMELESS = (
    package_id(digit) for digit in range(1, 9)
)

# What is right after the push: version_count, latest_published_version, current_version_id.
DERIVED = {
    BUSY: (9, 7, version_id(1, 7)),
    EMPTY: (0, 0, None),
    STRANGERS: (3, 2, version_id(3, 2)),
    RETIRED: (2, 0, None),
    SKETCHES: (3, 0, None),
    LONG: (3, 1, version_id(6, 1)),
    NOBODYS: (1, 0, None),
    NAMELESS: (0, 0, None),
}


@pytest.fixture
def callers(callers_of_an_upgraded_project):
    return callers_of_an_upgraded_project


@pytest.fixture
def ada(callers):
    """The owner of the busy package."""
    return callers.user("ada@example.com")


@pytest.fixture
def bo(callers):
    """The stranger who put versions into it."""
    return callers.user("bo@example.com")


@pytest.fixture
def cy(callers):
    """The owner of the package with the long name and of the sketches."""
    return callers.user("cy@example.com")


# What somebody who is not signed in may do with anything of ours: it should be nothing.
RIGHTS_OF_ANON = """
    select c.oid::regclass::text as what, p.privilege
    from pg_class c
    cross join unnest(
        array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']
    ) as p (privilege)
    where c.relkind = 'r'
        and (
            c.relnamespace = 'public'::regnamespace
            and c.relname ~ '^training_' and c.relname <> 'training_configs'
            or c.relnamespace = 'training_versions_internal'::regnamespace
        )
        and has_table_privilege('anon', c.oid, p.privilege)
    union all
    select p.oid::regprocedure::text, 'execute'
    from pg_proc p
    where (
            p.pronamespace = 'training_versions_internal'::regnamespace
            or p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
        )
        and has_function_privilege('anon', p.oid, 'execute')
    union all
    select 'training_versions_internal', 'usage'
    where has_schema_privilege('anon', 'training_versions_internal', 'usage')
"""


@dataclass(frozen=True)
class Push:
    """What a push found and what it left, in a database that no other test writes to."""

    database: Database
    rows_before: dict
    objects_before: dict
    rows_after: dict
    objects_after: dict


@pytest.fixture(scope="module")
def push(server, migrations):
    database = server.released_project()
    before = database.contents(), database.catalog()
    _, *newer = migrations
    database.psql(*newer)
    return Push(database, *before, database.contents(), database.catalog())


class TestThePush:
    def test_loses_no_row(self, push):
        assert {table: rows.keys() for table, rows in push.rows_after.items()} == {
            table: rows.keys() for table, rows in push.rows_before.items()
        }

    def test_fills_in_only_what_was_empty_in_a_version(self, push):
        may_be_filled = {"created_by", "created_at", "updated_at", "is_deployed"}

        for key, old in push.rows_before[VERSIONS].items():
            new = push.rows_after[VERSIONS][key]
            changed = {column for column in old if new[column] != old[column]}

            assert changed <= {column for column in may_be_filled if old[column] is None}, key
            assert all(new[column] is not None for column in may_be_filled), key

    def test_gives_versions_that_nobody_signed_to_the_owner_of_the_package(self, push):
        unsigned = [
            key for key, row in push.rows_before[VERSIONS].items() if row["created_by"] is None
        ]

        given = {key: push.rows_after[VERSIONS][key]["created_by"] for key in unsigned}

        assert given == {version_id(1, 6): ADA, version_id(1, 7): ADA, version_id(3, 3): BO}

    def test_changes_only_the_derived_columns_of_a_package(self, push):
        # updated_at is kept by a trigger of the app.
        may_change = {
            "version_count",
            "latest_published_version",
            "current_version_id",
            "updated_at",
        }

        for key, old in push.rows_before[PACKAGES].items():
            new = push.rows_after[PACKAGES][key]
            assert {column for column in old if new[column] != old[column]} <= may_change, key

    def test_leaves_everything_else_of_the_app_alone(self, push):
        for table in ("app_notes", "users"):
            assert push.rows_after[table] == push.rows_before[table]

    def test_works_counters_and_pointers_out_anew(self, push):
        assert {
            key: (row["version_count"], row["latest_published_version"], row["current_version_id"])
            for key, row in push.rows_after[PACKAGES].items()
        } == DERIVED

    def test_keeps_the_objects_of_the_app(self, push):
        ours = (
            VERSIONS,
            "version_count",
            "latest_published_version",
            "current_version_id",
            "get_next_version_number",
            "idx_package_versions",
        )
        apps = {
            name: text
            for name, text in push.objects_before.items()
            if not any(our in name for our in ours)
        }

        assert len(apps) > 30
        assert {name: push.objects_after.get(name) for name in apps} == apps

    @pytest.mark.parametrize("snapshot", ["config", "model", "dataset"])
    def test_makes_the_index_of_a_snapshot_smaller(self, push, snapshot):
        index = push.objects_after[f"index idx_package_versions_{snapshot}_snapshot"]

        assert f"gin ({snapshot}_snapshot jsonb_path_ops)" in index

    def test_leaves_exactly_four_policies_one_per_command(self, push):
        policies = push.database.rows(
            f"select cmd, roles from pg_policies where tablename = '{VERSIONS}'"
        )

        assert Counter(row["cmd"] for row in policies) == {
            "SELECT": 1,
            "INSERT": 1,
            "UPDATE": 1,
            "DELETE": 1,
        }
        assert all(row["roles"] == ["authenticated"] for row in policies)

    def test_takes_from_anon_what_the_old_default_privileges_gave(self, push):
        assert push.database.rows(RIGHTS_OF_ANON) == []


def test_an_index_that_the_project_has_dropped_is_not_made_again(server, migrations):
    database = server.released_project()
    database.run("drop index public.idx_package_versions_config_snapshot")

    _, *later = migrations
    database.psql(*later)

    assert "index idx_package_versions_config_snapshot" not in database.catalog()
    assert "index idx_package_versions_model_snapshot" in database.catalog()


# Every default that the released tables have, by column.
RELEASED_DEFAULTS = {
    VERSIONS: ("id", "created_at", "updated_at", "is_deployed"),
    PACKAGES: ("id", "version_count", "latest_published_version"),
}
DROP_DEFAULTS = "".join(
    f"alter table public.{table} alter column {column} drop default;"
    for table, columns in RELEASED_DEFAULTS.items()
    for column in columns
)


@pytest.fixture(scope="module")
def bare(server, migrations):
    """A database whose released tables had no defaults, after the push."""
    database = server.released_project()
    database.run(DROP_DEFAULTS)
    _, *newer = migrations
    database.psql(*newer)
    return database


class TestATableWithoutDefaults:
    def test_gets_those_of_the_first_release(self, bare):
        with bare.session(user=ADA) as session:
            ((package,),) = session.execute(
                f"insert into public.{PACKAGES} as c (user_id, name) values ('{ADA}', 'bot')"
                " returning to_jsonb(c)"
            )
            ((draft,),) = session.execute(
                f"""
                insert into public.{VERSIONS} as v
                    (package_id, status, config_snapshot, model_snapshot, dataset_snapshot)
                values ('{package["id"]}', 'draft', '{{}}', '{{}}', '[]')
                returning to_jsonb(v)
                """
            )

        assert (package["version_count"], package["latest_published_version"]) == (0, 0)
        assert (draft["version_number"], draft["is_deployed"]) == (1, False)
        assert None not in (package["id"], draft["id"], draft["created_at"], draft["updated_at"])

    def test_has_one_for_every_column_of_the_first_release_that_has_one(self, bare):
        found = bare.rows(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'public' and column_default is not null"
        )

        defaults = {(row["table_name"], row["column_name"]) for row in found}
        assert {
            (table, column) for table, columns in RELEASED_DEFAULTS.items() for column in columns
        } <= defaults

    def test_keeps_a_default_that_is_another(self, server, migrations):
        database = server.released_project()
        database.run(
            f"alter table public.{VERSIONS} alter column created_at set default '2025-01-01'"
        )
        _, *newer = migrations
        database.psql(*newer)

        assert "2025-01-01" in database.value(
            "select column_default from information_schema.columns"
            f" where table_name = '{VERSIONS}' and column_name = 'created_at'"
        )


class TestTheOwner:
    def test_sees_what_was_theirs_and_what_the_service_made_for_them(self, ada):
        rows = ada.select(VERSIONS, package_id=f"eq.{BUSY}", order="version_number")

        assert {1, 2, 3, 5, 6, 7, 8} <= {row["version_number"] for row in rows}
        assert {row["created_by"] for row in rows} == {ADA}

    @pytest.mark.parametrize(
        "package", [BUSY, EMPTY, RETIRED, NAMELESS], ids=["busy", "empty", "retired", "nameless"]
    )
    def test_goes_on_numbering(self, ada, package):
        number = ada.next_number({"id": package}).rows

        draft = ada.draft({"id": package})

        assert draft["version_number"] == number

    def test_publishes_a_new_draft(self, ada):
        version = ada.published({"id": BUSY})

        package = ada.see_package({"id": BUSY})
        assert package["current_version_id"] == version["id"]
        assert package["latest_published_version"] == version["version_number"]

    def test_publishes_an_old_draft(self, ada):
        version = ada.patch(old_version(1, 5), status="published").row

        assert (version["name"], version["published_by"]) == ("support-bot-v5", ADA)

    def test_publishes_a_draft_that_the_service_made(self, ada):
        version = ada.publish(old_version(1, 6)).row

        assert (version["status"], version["published_by"]) == ("published", ADA)

    def test_publishes_a_draft_that_carries_someone_elses_signature(self, ada):
        version = ada.publish(old_version(1, 8)).row

        assert version["published_by"] == ADA

    def test_archives_an_old_published_version(self, ada):
        version = ada.archive(old_version(1, 3)).row

        assert version["status"] == "archived"

    def test_cannot_change_or_delete_an_old_published_version(self, ada, backend):
        frozen = ada.see(old_version(1, 2))

        assert ada.patch(frozen, config_snapshot={}).rows == []
        assert backend.patch(frozen, config_snapshot={}).code == "TV301"
        assert backend.remove(frozen).code == "TV303"
        assert ada.see(frozen) == frozen

    def test_sees_nothing_of_the_stranger(self, ada):
        assert ada.see(old_version(1, 90)) is None
        assert ada.see(old_version(1, 99)) is None

    def test_edits_a_draft_in_a_circle_of_parents_and_breaks_the_circle(self, cy):
        hen = old_version(5, 2)

        assert cy.patch(hen, change_summary="still a hen").row["change_summary"] == "still a hen"
        assert cy.patch(hen, parent_version_id=None).row["parent_version_id"] is None

    def test_is_not_stopped_by_the_last_number_that_a_stranger_took(self, cy):
        number = cy.next_number({"id": LONG}).rows

        version = cy.published({"id": LONG})

        assert version["version_number"] == number
        assert len(version["name"]) <= 255


class TestTheStranger:
    @pytest.mark.parametrize("publish", ["by rpc", "by patch"])
    def test_publishes_nothing_into_the_package(self, bo, ada, publish):
        before = bo.see(old_version(1, 90))

        answer = bo.publish(before) if publish == "by rpc" else bo.patch(before, status="published")

        assert answer.refusal == (403, "42501")
        assert bo.see(before) == before

    def test_puts_nothing_more_into_the_package(self, bo):
        assert bo.try_draft({"id": BUSY}).code == "42501"
        assert bo.next_number({"id": BUSY}).code == "TV102"

    def test_may_take_an_own_draft_out_of_it(self, bo, cy):
        draft = old_version(6, 3)
        count = cy.see_package({"id": LONG})["version_count"]

        assert bo.remove(draft).row["id"] == draft["id"]
        assert cy.see_package({"id": LONG})["version_count"] == count - 1

    def test_goes_on_with_an_own_package_full_of_odd_values(self, bo):
        assert bo.patch(old_version(3, 1), change_summary="mine").row["change_summary"] == "mine"
        assert bo.archive(old_version(3, 2)).row["status"] == "archived"
        assert bo.published({"id": STRANGERS})["version_number"] == 4


class TestTheServiceRole:
    def test_moves_nobodys_pointers_with_a_strangers_version(self, backend):
        before = backend.see_package({"id": BUSY})

        backend.archive(old_version(1, 99))

        after = backend.see_package({"id": BUSY})
        assert after["current_version_id"] == before["current_version_id"]

    def test_goes_on_with_a_package_that_is_nobodys(self, backend):
        draft = backend.draft({"id": NOBODYS})

        assert backend.next_number({"id": NOBODYS}).rows == draft["version_number"] + 1


def test_somebody_not_signed_in_sees_nothing(anon):
    answer = anon.send("GET", VERSIONS)

    assert answer.refusal == (401, "42501")


def test_a_trigger_of_the_app_may_go_on_calling_the_function_of_the_first_release(
    newest_server, migrations
):
    database = newest_server.new_project()
    database.psql(*APP_FILES, FIRST_RELEASE)
    database.run("""
        create table public.app_things (id integer, updated_at timestamptz);
        insert into public.app_things (id) values (1);
        create trigger touch before update on public.app_things for each row
        execute function public.update_training_package_versions_updated_at();
    """)
    _, *later = migrations

    database.psql(*later)
    database.run("update public.app_things set id = 2")

    query = "select updated_at is not null from public.app_things where id = 2"
    assert database.value(query) is True
