"""Rule 9: Supabase's advisors find nothing, neither the CLI's nor those only in its linter."""

import json

import pytest

# Splinter's lints 0028 and 0029, which the CLI does not know yet: security definer functions that
# somebody may call, signed in or not. In an exposed schema there must be none.
CALLABLE_DEFINERS = """
    select p.oid::regprocedure::text as function, r.role
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    cross join unnest(array['anon', 'authenticated']) as r (role)
    where p.prosecdef
        and n.nspname not in ('auth', 'extensions', 'information_schema')
        and n.nspname !~ '^pg_'
        and has_schema_privilege(r.role, n.oid, 'usage')
        and has_function_privilege(r.role, p.oid, 'execute')
"""
OUR_FUNCTIONS = """
    select
        p.oid::regprocedure::text as function,
        n.nspname as schema,
        p.prosecdef as definer,
        p.proconfig as settings
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('public', 'training_versions_internal')
"""


# On the level of information the advisors name indexes that nothing has used yet, and tables that
# row level security shows to nobody: our bookkeeping is meant to be such.
INTENDED = [("INFO", "unused_index"), ("INFO", "rls_enabled_no_policy")]


@pytest.fixture(scope="module")
def project(newest_server):
    return newest_server.migrated_project()


def complaints(cli, database):
    """What `supabase db advisors` says, without what is intended."""
    said = cli.run(
        "db", "advisors", "--level", "info", "--output-format", "json", database=database
    )
    return [
        result
        for result in json.loads(said)["results"]
        if (result["level"], result["name"]) not in INTENDED
    ]


def test_the_advisors_find_nothing_in_a_new_project(project, cli):
    assert complaints(cli, project) == []


def test_the_advisors_find_nothing_of_ours_in_an_upgraded_project(
    callers_of_an_upgraded_project, cli
):
    found = complaints(cli, callers_of_an_upgraded_project.database)

    # The app has its own faults; they are not hidden, and they are not ours.
    assert any("training_configs" in result["detail"] for result in found)
    assert [result["detail"] for result in found if "version" in result["detail"]] == []


def test_no_definer_function_is_callable_in_an_exposed_schema(project):
    functions = [row["function"] for row in project.rows(CALLABLE_DEFINERS)]

    assert [name for name in functions if not name.startswith("training_versions_internal.")] == []


def test_every_function_has_an_empty_search_path(project):
    functions = project.rows(OUR_FUNCTIONS)

    assert len(functions) >= 18
    assert [row for row in functions if 'search_path=""' not in (row["settings"] or [])] == []


def test_every_definer_function_lies_outside_the_exposed_schema(project):
    definers = [row for row in project.rows(OUR_FUNCTIONS) if row["definer"]]

    assert {row["schema"] for row in definers} == {"training_versions_internal"}


def test_no_function_name_is_overloaded(project):
    names = [row["function"].partition("(")[0] for row in project.rows(OUR_FUNCTIONS)]

    assert len(names) == len(set(names))


def test_nobody_may_execute_a_function_of_ours_by_default(project):
    everybody = project.rows(f"""
        select f.function
        from ({OUR_FUNCTIONS}) f
        join pg_proc p on p.oid = f.function::regprocedure
        cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where a.grantee = 0
    """)

    assert everybody == []


def test_every_table_of_ours_has_row_level_security(project):
    unprotected = project.rows("""
        select c.relname
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r'
            and n.nspname in ('public', 'training_versions_internal')
            and not c.relrowsecurity
    """)

    assert unprotected == []
