"""The rollback takes back all that we made and nothing else; after it a push starts anew."""

import re
from dataclasses import dataclass

import pytest

from tests.server.schema.conftest import OLDER
from tests.server.schema.databases import (
    APP_FILES,
    EMPTY_FIELDS,
    FIRST_RELEASE,
    PUSH_HISTORY,
    YEAR_OF_USE,
    Database,
)

VERSIONS = "public.training_package_versions"
PACKAGES = """
    select id, name, template_type, config_json, user_id from public.training_configs order by id
"""
OLD_PACKAGES = """
    select id, user_id, name, description, config_json, tags
    from public.training_configs order by id
"""
# What a push leaves behind beside the schema.
HISTORY = "supabase_migrations.schema_migrations"


@pytest.fixture(scope="module")
def applied(migrations):
    """The versions that the history has after a push."""
    return [file.name[:14] for file in migrations]


@dataclass(frozen=True)
class State:
    """What a project has at one moment."""

    objects: dict
    packages: list


@dataclass(frozen=True)
class RolledBack:
    """A new project after a push, use, and the rollback, twice."""

    database: Database
    objects_before_push: dict
    before: State
    after: State
    said: list


@pytest.fixture(scope="module")
def rolled_back(server, rollback, applied):
    database = server.migrated_project()
    database.run(
        f"""
        create schema supabase_migrations;
        create table {HISTORY} (version text, statements text[], name text);
        insert into {HISTORY} (version) select unnest(array{applied});
        """
    )
    use(database)
    before = State(database.catalog(), database.rows(PACKAGES))
    said = [database.psql(rollback), database.psql(rollback)]
    after = State(database.catalog(), database.rows(PACKAGES))
    return RolledBack(database, server.new_project().catalog(), before, after, said)


def use(database):
    """Make two packages with a draft each, and publish one of them."""
    database.run(
        f"""
        select public.create_training_package('first', 'lora_finetuning', '{{}}');
        select public.create_training_package('second', 'lora_finetuning', '{{}}');
        insert into {VERSIONS}
            (package_id, status, config_snapshot, model_snapshot, dataset_snapshot)
        select id, 'draft', '{{}}', '{{}}', '[]' from public.training_configs;
        update {VERSIONS} set status = 'published' where name like 'first%';
        """,
        user=database.new_user(),
    )


class TestInANewProject:
    def test_it_warns_that_history_is_lost(self, rolled_back):
        assert "WARNING" in rolled_back.said[0]

    def test_it_may_be_run_twice(self, rolled_back):
        assert "WARNING" in rolled_back.said[1]

    def test_it_keeps_the_packages(self, rolled_back):
        assert rolled_back.after.packages == rolled_back.before.packages
        assert len(rolled_back.after.packages) == 2

    def test_it_takes_everything_else_back(self, rolled_back):
        before, after = rolled_back.objects_before_push, rolled_back.after.objects

        left = {name for name, text in after.items() if before.get(name) != text}

        assert before.keys() <= after.keys()
        assert {name for name in left if "training_configs" not in name} == set()
        assert {name for name in left if name.startswith(("trigger", "function"))} == set()
        assert {name for name in left if name.startswith("column")} == {
            f"column training_configs.{column}"
            for column in ("id", "name", "template_type", "config_json", "user_id", "created_at")
        }

    def test_it_leaves_the_packages_protected(self, rolled_back):
        database = rolled_back.database
        stranger = database.new_user()

        assert database.value("select count(*) from public.training_configs", user=stranger) == 0

    @pytest.mark.parametrize(
        "server", [OLDER], indirect=True
    )  # one is enough for what the CLI does
    def test_a_new_push_after_it_makes_the_same_again(self, rolled_back, cli, applied, migrations):
        database = rolled_back.database
        cli.revert(database, applied)

        assert cli.push(database) == [file.name for file in migrations]
        assert database.catalog() == rolled_back.before.objects

    def test_the_files_make_the_same_again_and_versions_begin_at_1(
        self, rolled_back, server, rollback, migrations
    ):
        database = server.migrated_project()
        use(database)
        database.psql(rollback)

        database.psql(*migrations)

        assert database.catalog() == rolled_back.before.objects
        package = database.rows(PACKAGES)[0]
        draft = f"public.create_training_draft('{package['id']}', '{EMPTY_FIELDS}')"
        number = database.value(f"select version_number from {draft}", user=package["user_id"])
        assert number == 1


class TestInAProjectThatWasThereBefore:
    @pytest.fixture
    def app(self, server):
        database = server.new_project()
        database.psql(*APP_FILES)
        # A function of the app that might be taken for one of ours.
        database.run("""
            create function public.update_training_note(p_note text) returns text
            language sql as $$ select p_note $$;
            comment on function public.update_training_note is 'For training-versions: a note.';
        """)
        return database

    @pytest.mark.parametrize("upgraded", [False, True], ids=["first release", "upgraded"])
    def test_it_leaves_what_was_there_before_the_first_release(
        self, app, migrations, rollback, upgraded
    ):
        before = app.catalog()
        _, *newer = migrations
        app.psql(FIRST_RELEASE, YEAR_OF_USE, PUSH_HISTORY)
        packages = app.rows(OLD_PACKAGES)
        if upgraded:
            app.psql(*newer)

        app.psql(rollback)

        assert app.catalog() == before
        assert app.rows(OLD_PACKAGES) == packages

    def test_it_takes_back_a_push_that_ended_before_it_replaced_the_policies(
        self, app, migrations, rollback
    ):
        before = app.catalog()
        earlier = [file for file in migrations[1:] if file.name < "20261122000025"]
        app.psql(FIRST_RELEASE, *earlier)

        app.psql(rollback)

        assert app.catalog() == before


TOUCH = "training_versions_internal.update_training_package_versions_updated_at()"
OF_THE_APP = """
    create table public.app_things (id int, updated_at timestamptz);
    create function public.app_trigger() returns trigger language plpgsql
    as $$ begin return null; end $$;
"""
# What an app may have that depends on what the rollback drops, and how the refusal calls it.
DEPENDENTS = {
    "trigger touch on table app_things": f"""
        create trigger touch before update on public.app_things
        for each row execute function {TOUCH}
    """,
    "trigger app_notices on table training_package_versions": f"""
        create trigger app_notices after insert on {VERSIONS}
        for each row execute function public.app_trigger()
    """,
    "trigger app_notices on table training_runs": """
        create trigger app_notices after insert on public.training_runs
        for each row execute function public.app_trigger()
    """,
    "view app_view": f"create view public.app_view as select id from {VERSIONS}",
    "view app_packages": (
        "create view public.app_packages as select version_count from public.training_configs"
    ),
    "materialized view app_counts": (
        "create materialized view public.app_counts as select count(*) from public.training_costs"
    ),
    "function app_function(training_package_versions)": f"""
        create function public.app_function({VERSIONS}) returns text language sql
        as $$ select $1.name $$
    """,
    "function app_next()": """
        create function public.app_next() returns integer language sql
        begin atomic select public.get_next_version_number(null); end
    """,
    "constraint app_things_version_fkey on table app_things": f"""
        alter table public.app_things add version uuid,
            add constraint app_things_version_fkey foreign key (version) references {VERSIONS} (id)
    """,
    "constraint app_check on table training_configs": (
        "alter table public.training_configs add constraint app_check check (version_count < 100)"
    ),
    "index app_index": "create index app_index on public.training_configs (name, version_count)",
    "policy app_policy on table app_things": f"""
        alter table public.app_things enable row level security;
        create policy app_policy on public.app_things using (exists (select from {VERSIONS}))
    """,
    "policy app_policy on table training_package_versions": (
        f"create policy app_policy on {VERSIONS} as restrictive using (true)"
    ),
    "default value for column id of table app_things": """
        alter table public.app_things alter column id
        set default training_versions_internal.next_number(null)
    """,
    "column whole of table app_things": (
        f"alter table public.app_things add column whole {VERSIONS}"
    ),
}


class TestWhereSomethingElseDependsOnIt:
    @pytest.mark.parametrize("dependent", DEPENDENTS)
    def test_it_is_refused_by_that_name_and_drops_nothing(self, newest_server, rollback, dependent):
        database = newest_server.migrated_project()
        database.run(OF_THE_APP)
        database.run(DEPENDENTS[dependent])
        before = database.catalog()

        with pytest.raises(AssertionError, match=re.escape(dependent)):
            database.psql(rollback)

        assert database.catalog() == before

    def test_all_of_them_are_named_at_once(self, newest_server, rollback):
        database = newest_server.migrated_project()
        database.run(OF_THE_APP)
        for statement in DEPENDENTS.values():
            database.run(statement)

        with pytest.raises(AssertionError) as refused:
            database.psql(rollback)

        assert [name for name in DEPENDENTS if name not in str(refused.value)] == []

    def test_a_trigger_of_the_app_may_call_the_function_of_the_first_release(
        self, server, rollback
    ):
        database = server.new_project()
        database.psql(*APP_FILES, FIRST_RELEASE)
        database.run(OF_THE_APP)
        database.run("""
            create trigger touch before update on public.app_things for each row
            execute function public.update_training_package_versions_updated_at()
        """)

        with pytest.raises(AssertionError, match="trigger touch on table app_things"):
            database.psql(rollback)

        assert database.rows(f"select count(*) from {VERSIONS}") == [{"count": 0}]


def test_what_only_has_a_name_of_ours_stays(server, rollback):
    database = server.new_project()
    database.psql(*APP_FILES, FIRST_RELEASE)
    database.run("""
        create table public.training_runs (id int);
        create view public.training_costs as select id from public.training_runs;
        create function public.fork_training_version(text) returns text language sql
        as $$ select $1 $$;
        create function public.get_next_version_number(text) returns text language sql
        as $$ select $1 $$;
    """)

    database.psql(rollback)

    assert database.rows("select * from public.training_costs") == []
    assert database.value("select public.fork_training_version('kept')") == "kept"
    assert database.value("select public.get_next_version_number('kept')") == "kept"
