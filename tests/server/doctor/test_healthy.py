"""The doctor finds nothing in a healthy project, and leaves nothing in it."""

import psycopg
import pytest

from tests.server.doctor.conftest import upgrade
from tests.server.doctor.story import play
from training_versions.doctor import examine
from training_versions.local import LocalSupabase

NEWEST, OLDER = "newest PostgreSQL", "older PostgreSQL"


# Each pair of two of them is in one of these.
KINDS = [
    (NEWEST, False, "fresh"),
    (NEWEST, True, "upgraded"),
    (OLDER, True, "fresh"),
    (OLDER, False, "upgraded"),
]


@pytest.fixture(
    params=KINDS,
    ids=[f"{how}, {server}, default privileges: {given}" for server, given, how in KINDS],
)
def healthy(request):
    version, default_privileges, how = request.param
    options = {"default_privileges": default_privileges}
    if version == OLDER:
        options["postgres_bin"] = request.getfixturevalue("older_postgres_bin")
    if how == "upgraded":
        options["migrations"] = None
    with LocalSupabase(**options) as stack:
        if how == "upgraded":
            upgrade(stack)
        yield stack


TABLES = """
    select format('%I.%I', n.nspname, c.relname)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r'
        and n.nspname in ('public', 'auth', 'training_versions_internal', 'supabase_migrations')
"""
CATALOG = """
    select kind, md5(string_agg(row::text, ',' order by row::text))
    from (
        select 'class', (oid, relname, relacl, reloptions, relfilenode)::text from pg_class
        union all select 'proc', (oid, proname, proacl, prosrc, proconfig)::text from pg_proc
        union all select 'trigger', (oid, tgname, tgenabled)::text from pg_trigger
        union all select 'policy', (oid, polname)::text from pg_policy
        union all select 'role', (oid, rolname, rolbypassrls)::text from pg_roles
        union all select 'setting', (setdatabase, setrole, setconfig)::text
        from pg_db_role_setting
    ) as o (kind, row)
    group by kind
"""


def contents(admin):
    """Return hashes of every row, and of the catalog."""
    hashes = dict(admin.execute(CATALOG).fetchall())
    for (table,) in admin.execute(TABLES).fetchall():
        query = f"select md5(string_agg(t::text, ',' order by t::text)) from {table} t"
        ((hashes[table],),) = admin.execute(query).fetchall()
    return hashes


def test_nothing_is_changed(project):
    with psycopg.connect(project.admin_db_url, autocommit=True) as admin:
        before = contents(admin)

        report = examine(db_url=project.db_url, url=project.url, key=project.secret_key)

        assert report.not_done == ()
        assert contents(admin) == before
        assert len(before) > 20
        open_sessions = admin.execute(
            "select count(*) from pg_stat_activity where application_name like '%doctor'"
        )
        assert open_sessions.fetchall() == [(0,)]


def test_nothing_is_found_in_a_healthy_project(healthy):
    before = examine(db_url=healthy.db_url)
    assert before.findings == ()

    play(healthy)
    report = examine(db_url=healthy.db_url, url=healthy.url, key=healthy.secret_key)

    assert report.findings == ()
    assert report.not_done == ()
    assert report.exit_status == 0
    assert report.seconds < 3
