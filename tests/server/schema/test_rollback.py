"""The rollback takes back all that we made and nothing else; after it a push starts anew."""

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
