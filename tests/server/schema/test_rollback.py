"""The rollback takes back everything that we made and nothing else, and after it a push starts anew."""

import pytest

VERSIONS = "public.training_package_versions"
PACKAGES = (
    "select id, name, template_type, config_json, user_id from public.training_configs order by id"
)

# What a push leaves behind beside the schema.
HISTORY = "supabase_migrations.schema_migrations"


@pytest.fixture(scope="module")
def applied(migrations):
    """The versions that the history has."""
    return [file.name[:14] for file in migrations]


class RolledBack:
    """A new project after a push, use, and the rollback."""

    def __init__(self, database, migrate, rollback, applied):
        self.database = database
        self.objects_before_push = database.catalog()
        migrate(database)
        database.run(
            f"create schema supabase_migrations; create table {HISTORY} (version text, statements text[], name text);"
        )
        database.run("".join(f"insert into {HISTORY} values ('{version}');" for version in applied))
        self.use()
        self.objects_before, self.packages_before = database.catalog(), database.rows(PACKAGES)
        self.said = database.run("", rollback)
        self.objects, self.packages = database.catalog(), database.rows(PACKAGES)
        self.said_again = database.run("", rollback)

    def use(self):
        """Two packages with a draft each, one of which is published."""
        self.database.run(
            f"""
            select public.create_training_package('first', 'lora_finetuning', '{{}}');
            select public.create_training_package('second', 'lora_finetuning', '{{}}');
            insert into {VERSIONS} (package_id, status, config_snapshot, model_snapshot, dataset_snapshot)
            select id, 'draft', '{{}}', '{{}}', '[]' from public.training_configs;
            update {VERSIONS} set status = 'published' where name like 'first%';
            """,
            user=self.database.new_user(),
        )


@pytest.fixture(scope="module")
def rolled_back(server, migrate, rollback, applied):
    return RolledBack(server.database(), migrate, rollback, applied)


class TestInANewProject:
    def test_it_warns_that_history_is_lost(self, rolled_back):
        assert "WARNING" in rolled_back.said

    def test_it_keeps_the_packages(self, rolled_back):
        assert rolled_back.packages == rolled_back.packages_before
        assert len(rolled_back.packages) == 2

    def test_it_takes_everything_else_back(self, rolled_back):
        before = rolled_back.objects_before_push

        left = {name for name, text in rolled_back.objects.items() if before.get(name) != text}

        assert before.keys() <= rolled_back.objects.keys()
        assert {name for name in left if "training_configs" not in name} == set()
        assert {name for name in left if name.startswith(("trigger", "function"))} == set()
        assert {name for name in left if name.startswith("column")} == {
            f"column training_configs.{column}"
            for column in ("id", "name", "template_type", "config_json", "user_id", "created_at")
        }

    def test_it_leaves_the_packages_protected(self, rolled_back):
        stranger = rolled_back.database.new_user()

        assert (
            rolled_back.database.value(
                "select count(*) from public.training_configs", user=stranger
            )
            == 0
        )

    def test_it_may_be_run_twice(self, rolled_back):
        assert "WARNING" in rolled_back.said_again

    def test_a_new_push_after_it_makes_the_same_again(self, rolled_back, cli, applied, migrations):
        database = rolled_back.database
        cli.revert(database, *applied)

        assert cli.push(database) == [file.name for file in migrations]
        assert database.catalog() == rolled_back.objects_before
        package = rolled_back.packages[0]
        draft = f"select (public.create_training_draft('{package['id']}', '{{}}', '{{}}', '[]')).version_number"
        assert database.value(draft, user=package["user_id"]) == 1

    def test_the_repair_that_its_header_names_is_the_right_one(self, rollback, applied):
        assert f"--status reverted {' '.join(applied)}" in rollback.read_text()


class TestInAnUpgradedProject:
    def test_it_leaves_what_was_there_before_the_first_release(self, empty, migrate, rollback):
        app = "select id, user_id, name, description, config_json, tags from public.training_configs order by id"
        empty.release(first_release=False)
        before = empty.catalog()
        empty.release(app=False)
        rows = empty.rows(app)
        migrate(empty, first_release=False)

        empty.run("", rollback)

        assert empty.catalog() == before
        assert empty.rows(app) == rows

    def test_it_leaves_what_was_there_when_only_the_first_release_was_applied(
        self, empty, rollback
    ):
        empty.release(first_release=False)
        before = empty.catalog()
        empty.release(app=False)

        empty.run("", rollback)

        assert empty.catalog() == before
