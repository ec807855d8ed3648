"""A plain `supabase db push`, or `psql -f`, migrates a new project and one of the first release."""

import re

import psycopg
import pytest

from tests.server.schema.conftest import OLDER
from tests.server.schema.databases import APP_FILES, EMPTY_FIELDS, FIRST_RELEASE, PUSH_HISTORY
from tests.server.schema.supabase_cli import Cli
from training_versions.cli import main as training_versions_command

RELEASED_VERSION = "20250131000001"
VERSIONS = "public.training_package_versions"

# How the CLI reads its own history does not depend on the server: one of them is enough.
on_one_server = pytest.mark.parametrize("server", [OLDER], indirect=True)


def policies_of(database, table):
    return database.value(f"select count(*) from pg_policies where tablename = '{table}'")


@pytest.fixture
def names(migrations):
    return [file.name for file in migrations]


@pytest.fixture(scope="module")
def pushed(server, cli):
    """A new project after one push, and the files that the push applied."""
    database = server.new_project()
    return database, cli.push(database)


class TestANewProject:
    def test_gets_everything_by_one_push(self, pushed, names):
        _, applied = pushed

        assert applied == names

    @on_one_server
    def test_has_a_history_that_agrees(self, pushed, cli, names):
        database, _ = pushed

        assert cli.history(database) == [(name[:14], name[:14]) for name in names]

    @on_one_server
    def test_is_left_alone_by_a_second_push(self, pushed, cli):
        database, _ = pushed
        before = database.catalog()

        assert cli.push(database) == []
        assert database.catalog() == before

    def test_gets_the_same_by_psql(self, pushed, server):
        database, _ = pushed

        assert server.migrated_project().catalog() == database.catalog()

    def test_is_shown_by_psql_what_was_made(self, server, migrations):
        assert "NOTICE" in server.new_project().psql(*migrations)

    def test_passes_the_checks_that_the_first_release_gave_its_users(self, server):
        database = server.migrated_project()
        owner = database.new_user()
        database.run(f"""
            insert into public.training_configs (name, template_type, config_json, user_id)
            values ('test', 'lora_finetuning', '{{}}', '{owner}');
        """)

        checks = database.rows(f"""
            select
                (select count(*) from {VERSIONS}) as versions,
                (
                    select count(*) from information_schema.columns
                    where table_name = 'training_configs' and column_name in
                        ('current_version_id', 'version_count', 'latest_published_version')
                ) as columns,
                (
                    select rowsecurity from pg_tables
                    where tablename = 'training_package_versions'
                ) as row_security,
                (
                    select count(*) >= 9 from pg_indexes
                    where tablename = 'training_package_versions'
                ) as indexes,
                (
                    select public.get_next_version_number(id) from public.training_configs
                ) as next_number
        """)

        assert checks == [
            {"versions": 0, "columns": 3, "row_security": True, "indexes": True, "next_number": 1}
        ]
        assert policies_of(database, "training_package_versions") == 4


@pytest.fixture(scope="module")
def app(server, migrations):
    """A project with packages and without versions, after the push; and its packages before."""
    database = server.new_project()
    database.run("""
        create table public.training_configs (
            id uuid primary key, name text, template_type text, config_json jsonb, user_id uuid
        );
        insert into public.training_configs values (gen_random_uuid(), null, null, null, null);
        grant all on public.training_configs to authenticated, service_role;
    """)
    before = database.rows("select * from public.training_configs")
    database.psql(*migrations)
    return database, before


class TestAProjectThatHadItsPackagesBefore:
    """`training_configs` is the app's: it stays what it is and gets three columns."""

    def test_keeps_table_and_rows(self, app):
        database, before = app
        derived = {"current_version_id": None, "version_count": 0, "latest_published_version": 0}

        rows = database.rows("select * from public.training_configs where user_id is null")

        assert rows == [{**old, **derived} for old in before]
        assert policies_of(database, "training_configs") == 0

    def test_gets_the_id_that_the_table_does_not_give(self, app):
        database, _ = app
        user = database.new_user()

        (package,) = database.rows(
            "select * from public.create_training_package('new', 'lora', '{}')", user=user
        )

        assert package["user_id"] == user

    def test_gets_versions_of_a_package_without_name_and_owner(self, app):
        database, (package,) = app

        with database.session() as session:
            session.execute("begin; set role service_role")
            (number,) = session.execute(
                "select version_number"
                f" from public.create_training_draft('{package['id']}', '{EMPTY_FIELDS}')"
            ).fetchone()

        assert number == 1


@pytest.fixture(scope="module")
def upgraded(server, app_cli):
    """The project after one push, and the files that the push applied."""
    database = server.released_project()
    return database, app_cli.push(database)


@pytest.fixture(scope="module")
def upgraded_by_psql(server, migrations):
    database = server.released_project()
    _, *newer = migrations
    database.psql(*newer)
    return database


class TestAProjectOfTheFirstRelease:
    def test_gets_the_newer_files_by_a_plain_push(self, upgraded, names):
        _, applied = upgraded

        assert applied == [name for name in names if not name.startswith(RELEASED_VERSION)]

    @on_one_server
    def test_is_left_alone_by_a_second_push(self, upgraded, app_cli):
        database, _ = upgraded

        assert app_cli.push(database) == []

    @on_one_server
    def test_has_a_history_that_agrees(self, upgraded, app_cli, names):
        database, _ = upgraded

        history = app_cli.history(database)

        assert all(local == remote for local, remote in history)
        assert {name[:14] for name in names} <= {local for local, _ in history}

    def test_gets_the_same_by_psql(self, upgraded, upgraded_by_psql):
        database, _ = upgraded

        assert upgraded_by_psql.catalog() == database.catalog()

    def test_may_run_the_newer_files_twice(self, upgraded_by_psql, migrations):
        _, *newer = migrations
        before = upgraded_by_psql.catalog(), upgraded_by_psql.contents()

        upgraded_by_psql.psql(*newer)

        assert (upgraded_by_psql.catalog(), upgraded_by_psql.contents()) == before

    def test_may_run_the_released_file_by_psql_again(self, server, migrations):
        released = server.released_project()
        before = released.contents()["training_package_versions"]

        released.psql(*migrations)

        assert released.contents()["training_package_versions"].keys() == before.keys()
        assert policies_of(released, "training_package_versions") == 4

    @on_one_server
    def test_comes_back_after_the_first_releases_rollback_undid_it(self, server, cli, names):
        undone = server.new_project()
        undone.psql(*APP_FILES, FIRST_RELEASE, PUSH_HISTORY)
        undone.run("""
            drop table public.training_package_versions cascade;
            alter table public.training_configs drop version_count, drop latest_published_version;
            drop function public.get_next_version_number(uuid);
            delete from supabase_migrations.schema_migrations where version <> '20250131000001';
            insert into supabase_migrations.schema_migrations (version, name)
            values ('20250131000002', 'rollback');
        """)

        cli.revert(undone, ["20250131000001", "20250131000002"])

        assert cli.push(undone) == names


@pytest.fixture
def app_project(tmp_path, newest_server):
    """A project with two pushed migrations of its app, before and after our first; and its CLI."""
    _, *of_the_app = APP_FILES
    cli = Cli.in_copy_of_our_project(tmp_path, *of_the_app)
    for file in (cli.project / "supabase" / "migrations").iterdir():
        if file.name not in {each.name for each in of_the_app}:
            file.unlink()
    database = newest_server.new_project()
    cli.push(database)
    return cli, database


class TestTheFirstPushIntoAProjectThatHasMigrations:
    def test_is_done_with_the_command_that_training_versions_prints(
        self, app_project, names, capsys
    ):
        cli, database = app_project
        folder = cli.project / "supabase" / "migrations"

        status = training_versions_command(["migrations", str(folder)])

        said = capsys.readouterr().out
        assert status == 0
        assert "\n  supabase db push --remote --include-all\n" in said
        assert "your 20250214120000_add_app_notes.sql is newer" in said
        refused = cli.refusal("db", "push", "--yes", database=database)
        assert "Rerun the command with --include-all" in refused
        assert cli.push(database, "--include-all") == names
        assert cli.push(database) == []

    def test_changes_nothing_where_nobody_can_confirm_it_without_yes(self, app_project, names):
        cli, database = app_project
        training_versions_command(["migrations", str(cli.project / "supabase" / "migrations")])
        before = database.catalog()

        refused = cli.refusal("db", "push", "--include-all", database=database)

        assert "Re-run with --yes to confirm." in refused
        assert database.catalog() == before


@on_one_server
def test_a_push_after_psql_says_how_to_repair_the_history_and_works_then(server, cli, names):
    database = server.migrated_project()
    before = database.catalog()

    refused = cli.refusal("db", "push", "--yes", database=database)

    command = "supabase migration repair --remote --status applied 20250131000001"
    assert command in refused
    assert database.catalog() == before
    _, *arguments = command.replace(" --remote", "").split()
    cli.run(*arguments, "--yes", database=database)
    assert cli.push(database) == names[1:]
    assert database.catalog() == before
    assert cli.push(database) == []


@on_one_server
def test_a_dump_by_the_cli_needs_docker_as_the_docs_say(server, cli):
    refused = cli.refusal("db", "dump", database=server.main)

    assert "docker" in refused.lower()


UNPROTECTED = {
    "a policy is missing": f'drop policy "Users can delete own draft versions" on {VERSIONS}',
    "a table without row level security": (
        "alter table public.training_costs disable row level security"
    ),
}


@pytest.mark.parametrize("fault", UNPROTECTED)
def test_the_grants_refuse_a_project_that_is_not_protected(newest_server, migrations, fault):
    (grants,) = [file for file in migrations if file.name.endswith("_grants.sql")]
    database = newest_server.migrated_project()
    database.run(UNPROTECTED[fault])

    assert database.refusal(grants.read_text(encoding="utf-8")) == "P0001"


# What an app may have under a name of ours, and how the refusal calls it.
TAKEN = {
    "table training_runs": "create table public.training_runs (id int)",
    "view training_costs": "create view public.training_costs as select 1 as id",
    "materialized view training_row_numbers": (
        "create materialized view public.training_row_numbers as select 1 as n"
    ),
    "type training_deployments": "create type public.training_deployments as enum ('a')",
    "type training_metric_points": "create domain public.training_metric_points as int",
    "function fork_training_version(text)": (
        "create function public.fork_training_version(text) returns text language sql"
        " as $$ select $1 $$"
    ),
    "function get_next_version_number(text)": (
        "create function public.get_next_version_number(text) returns text language sql"
        " as $$ select $1 $$"
    ),
    "index idx_training_runs_version": (
        "create index idx_training_runs_version on public.training_configs (name)"
    ),
    "sequence training_version_events_id_seq": (
        "create sequence public.training_version_events_id_seq"
    ),
    "schema training_versions_internal": "create schema training_versions_internal",
    "trigger record_10_creation on table training_package_versions": f"""
        create function public.app_trigger() returns trigger language plpgsql
        as $$ begin return null; end $$;
        create trigger record_10_creation after insert on {VERSIONS}
        for each row execute function public.app_trigger()
    """,
}


@pytest.fixture(scope="module")
def new_files(migrations):
    """The files of this release, as one text."""
    _, *newer = [file for file in migrations if file.name.startswith(("20250131", "20261122"))]
    return newer


class TestAProjectWhereANameOfOursIsTaken:
    @pytest.mark.parametrize("taken", TAKEN)
    def test_is_refused_by_that_name_before_anything_is_made(self, newest_server, new_files, taken):
        database = newest_server.released_project()
        database.run(TAKEN[taken])
        before = database.catalog()

        with pytest.raises(psycopg.errors.DuplicateObject, match=re.escape(taken)):
            database.run(new_files[0].read_text(encoding="utf-8"))

        assert database.catalog() == before

    @on_one_server
    def test_is_refused_by_a_push_which_a_rollback_then_takes_back(self, server, app_cli, rollback):
        database = server.released_project()
        database.run(
            "create table public.training_runs (id int); insert into training_runs values (7)"
        )

        said = app_cli.refusal("db", "push", "--yes", database=database)
        database.psql(rollback)

        assert "table training_runs" in said

        assert database.rows("select * from public.training_runs") == [{"id": 7}]

    def test_knows_every_name_that_the_files_need(self, newest_server, migrations, new_files):
        names = """
            select c.relname as name from pg_class c
            where c.relnamespace = 'public'::regnamespace
                and not exists (
                    select from pg_constraint o where o.conindid = c.oid and o.contype in ('p', 'u')
                )
            union
            select proname from pg_proc where pronamespace = 'public'::regnamespace
        """
        released, migrated = newest_server.new_project(), newest_server.new_project()
        released.psql(migrations[0])
        migrated.psql(migrations[0], *new_files)
        needed = {row["name"] for row in migrated.rows(names)}
        needed -= {row["name"] for row in released.rows(names)}

        listed = new_files[0].read_text(encoding="utf-8")

        assert {name for name in needed if f"'{name}'" not in listed} == set()
        assert len(needed) > 30
