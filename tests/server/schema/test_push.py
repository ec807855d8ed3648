"""A plain `supabase db push`, or `psql -f`, brings a new project and one of the first release to the same schema."""

import pytest

RELEASED_VERSION = "20250131000001"
VERSIONS = "public.training_package_versions"


@pytest.fixture
def names(migrations):
    return [file.name for file in migrations]


@pytest.fixture(scope="module")
def pushed(server, cli):
    """A new project after one push, and the files that the push applied."""
    database = server.database()
    return database, cli.push(database)


class TestANewProject:
    def test_gets_everything_by_one_push(self, pushed, names):
        _, applied = pushed

        assert applied == names

    def test_has_a_history_that_agrees(self, pushed, cli, names):
        database, _ = pushed

        assert cli.history(database) == [(name[:14], name[:14]) for name in names]

    def test_gets_the_same_by_psql(self, pushed, empty, migrate):
        database, _ = pushed

        migrate(empty)

        assert empty.catalog() == database.catalog()

    def test_is_left_alone_by_a_second_push(self, pushed, cli):
        database, _ = pushed
        before = database.catalog()

        assert cli.push(database) == []
        assert database.catalog() == before

    def test_is_told_by_psql_what_was_made(self, empty, migrate):
        assert "NOTICE" in migrate(empty)

    def test_passes_the_checks_that_the_first_release_told_its_users_to_make(self, empty, migrate):
        migrate(empty)

        columns = empty.value("""
            select count(*) from information_schema.columns
            where table_name = 'training_configs'
                and column_name in ('current_version_id', 'version_count', 'latest_published_version')
        """)
        next_number = empty.value(
            "select public.get_next_version_number(id) from public.training_configs",
            before=f"""
                insert into public.training_configs (name, template_type, config_json, user_id)
                values ('test', 'lora_finetuning', '{{}}', '{empty.new_user()}');
            """,
        )
        assert empty.value(f"select count(*) from {VERSIONS}") == 0
        assert columns == 3
        assert empty.value(
            "select rowsecurity from pg_tables where tablename = 'training_package_versions'"
        )
        assert (
            empty.value(
                "select count(*) from pg_policies where tablename = 'training_package_versions'"
            )
            == 4
        )
        assert (
            empty.value(
                "select count(*) from pg_indexes where tablename = 'training_package_versions'"
            )
            >= 9
        )
        assert next_number == 1


@pytest.fixture(scope="module")
def app(server, migrate):
    """An app that has packages and never heard of versions, after the push; and its packages before."""
    database = server.database()
    database.run("""
        create table public.training_configs (
            id uuid primary key, name text, template_type text, config_json jsonb, user_id uuid
        );
        insert into public.training_configs values (gen_random_uuid(), null, null, null, null);
        grant all on public.training_configs to authenticated, service_role;
    """)
    before = database.rows("select * from public.training_configs")
    migrate(database)
    return database, before


class TestAProjectThatHadItsPackagesBefore:
    """`training_configs` is the app's: it stays what it is and gets three columns."""

    def test_keeps_table_and_rows(self, app):
        database, before = app
        derived = {"current_version_id": None, "version_count": 0, "latest_published_version": 0}

        (row,) = database.rows("select * from public.training_configs where user_id is null")

        assert [row] == [{**old, **derived} for old in before]
        assert (
            database.value("select count(*) from pg_policies where tablename = 'training_configs'")
            == 0
        )

    def test_gets_the_id_that_the_table_does_not_give(self, app):
        database, _ = app
        user = database.new_user()

        (package,) = database.rows(
            "select * from public.create_training_package('new', 'lora', '{}')", user=user
        )

        assert package["user_id"] == user

    def test_gets_versions_of_a_package_without_name_and_owner(self, app):
        database, (package,) = app
        draft = (
            f"select * from public.create_training_draft('{package['id']}', '{{}}', '{{}}', '[]')"
        )

        (version,) = database.rows(draft, before="begin; set role service_role;")

        assert version["version_number"] == 1


class TestAProjectOfTheFirstRelease:
    def test_gets_the_newer_files_by_a_plain_push(self, upgraded, names):
        assert upgraded.applied == [name for name in names if not name.startswith(RELEASED_VERSION)]

    def test_is_left_alone_by_a_second_push(self, upgraded, app_cli):
        assert app_cli.push(upgraded.database) == []

    def test_has_a_history_that_agrees(self, upgraded, app_cli, names):
        history = app_cli.history(upgraded.database)

        assert all(local == remote for local, remote in history)
        assert {name[:14] for name in names} <= {local for local, _ in history}

    def test_gets_the_same_by_psql(self, upgraded, migrate):
        by_psql = upgraded.server.database()
        by_psql.release()

        migrate(by_psql, first_release=False)

        assert by_psql.catalog() == upgraded.database.catalog()

    def test_may_run_the_released_file_by_psql_again(self, empty, migrate):
        empty.release()
        before = empty.contents()["training_package_versions"]

        migrate(empty)

        assert empty.contents()["training_package_versions"].keys() == before.keys()
        assert (
            empty.value(
                "select count(*) from pg_policies where tablename = 'training_package_versions'"
            )
            == 4
        )

    def test_may_run_the_newer_files_twice(self, empty, migrate):
        empty.release()
        migrate(empty, first_release=False)
        before = empty.catalog(), empty.contents()

        migrate(empty, first_release=False)

        assert (empty.catalog(), empty.contents()) == before

    def test_comes_back_after_the_first_releases_rollback_undid_it(self, new_server, cli, names):
        undone = new_server.database()
        undone.release(data=False)
        undone.run("""
            drop table public.training_package_versions cascade;
            alter table public.training_configs drop version_count, drop latest_published_version;
            drop function public.get_next_version_number(uuid);
            delete from supabase_migrations.schema_migrations where version <> '20250131000001';
            insert into supabase_migrations.schema_migrations (version, name) values ('20250131000002', 'rollback');
        """)

        cli.revert(undone, "20250131000001", "20250131000002")

        assert cli.push(undone) == names
