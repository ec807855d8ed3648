"""How a package is found again: by its name, and in the order in which packages were created."""

import psycopg
import pytest

from tests.server.schema.rest import PACKAGES

GET_OR_CREATE = "select id from public.get_or_create_training_package('bot', 'x', '{}')"


@pytest.fixture
def bad_names():
    return ("", "  ", "n" * 256, None)


def test_a_name_that_no_package_may_have_is_refused(ada, bad_names):
    for name in bad_names:
        answer = ada.rpc(
            "get_or_create_training_package", name=name, template_type="x", config_json={}
        )

        assert answer.code == "TV306"
    assert ada.send("GET", PACKAGES).rows == []


def test_packages_come_in_the_order_of_their_creation(ada):
    made = [ada.package() for _ in range(3)]
    ids = [package["id"] for package in made]
    if "created_at" not in made[0]:
        ids.sort()  # a table that is older than this project does not know

    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        by = f"training_package_made_at.{order},id.{order}"
        answer = ada.send("GET", f"{PACKAGES}?select=id&order={by}")
        assert [row["id"] for row in answer.rows] == expected


def test_a_package_that_an_apps_policy_shows_to_everybody_stays_its_owners(newest_server):
    database = newest_server.migrated_project()
    owner, other = database.new_user(), database.new_user()
    database.run("create policy open on public.training_configs for select using (true)")

    theirs = database.value(GET_OR_CREATE, user=owner)
    mine = database.value(GET_OR_CREATE, user=other)

    assert mine != theirs
    assert mine == database.value(GET_OR_CREATE, user=other)


def test_the_second_of_two_waits_for_the_first_and_finds_its_package(newest_server):
    database = newest_server.migrated_project()
    owner = database.new_user()
    with database.session(user=owner) as first, database.session(user=owner) as second:
        first.execute("begin")
        (made,) = first.execute(GET_OR_CREATE).fetchone()
        second.execute("set statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            second.execute(GET_OR_CREATE)
        # Another name does not wait.
        second.execute(GET_OR_CREATE.replace("bot", "other"))
        first.execute("commit")

        assert second.execute(GET_OR_CREATE).fetchone() == (made,)


# What the column may be in a table that is older than this project, and the rows that it then has.
CREATED_AT = {
    "missing": ("", ["1970-01-01 00:00:00"] * 2),
    "null": (", created_at timestamptz", ["1970-01-01 00:00:00"] * 2),
    "without a time zone": (
        ", created_at timestamp default '2025-01-31 12:00'",
        ["2025-01-31 12:00:00"] * 2,
    ),
    "with a time zone": (
        ", created_at timestamptz default '2025-01-31 12:00+02'",
        ["2025-01-31 10:00:00"] * 2,
    ),
    "a date": (", created_at date default '2025-01-31'", ["2025-01-31 00:00:00"] * 2),
}


@pytest.mark.parametrize("kind", CREATED_AT)
def test_an_older_table_has_an_order_whatever_it_knows_of_it(server, migrations, kind):
    column, expected = CREATED_AT[kind]
    database = server.new_project()
    database.run(f"""
        create table public.training_configs (
            id uuid primary key, name text, template_type text, config_json jsonb, user_id uuid
            {column}
        );
        insert into public.training_configs (id) values (gen_random_uuid()), (gen_random_uuid());
    """)
    database.psql(*migrations)

    with database.session() as session:
        session.execute("set timezone = 'America/St_Johns'")
        rows = session.execute("""
            select c.training_package_made_at at time zone 'UTC' from public.training_configs c
        """).fetchall()

    assert [str(made_at) for (made_at,) in rows] == expected
