"""Who may call which function, and that nobody gets at the bookkeeping behind them.

The rules for rows, whose they are and who signs for them, are in `test_ownership.py`.
"""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.data import BUNDLE_FUNCTIONS, CALLS, PACKAGE, VERSION
from tests.server.schema.rest import PACKAGES, VERSIONS, blurred

# Every function, with parameters that would do something for the owner of a package and a version.
# A package that is being created belongs to nobody yet, and has a test of its own.
FUNCTIONS: dict[str, dict[str, Any]] = {
    **{call.function: call.sent for call in CALLS.values() if call.function},
    **BUNDLE_FUNCTIONS,
}
CREATES_A_PACKAGE = {"create_training_package", "get_or_create_training_package"}
OF_A_ROW = {"training_package_made_at", "training_version_summary"}
"""Computed columns. One reads nothing but the row that it is given, the other has its attacks in
`test_summaries.py`."""
for _name in CREATES_A_PACKAGE:
    del FUNCTIONS[_name]


def call(caller, function, package_id, version_id):
    """Call a function as it would do something for the owner of the package and of the version."""
    sent = json.dumps(FUNCTIONS[function])
    sent = sent.replace(PACKAGE, package_id).replace(VERSION, version_id)
    parameters = json.loads(sent)
    parameters.pop("p_run_id", None)  # there is no such run
    return caller.send("POST", f"rpc/{function}", json=parameters)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_stranger_finds_by_every_function_that_there_is_no_such_thing(ada, bo, function):
    package = ada.package()
    draft, before = ada.draft(package), ada.see_package(package)
    none = str(uuid4())

    theirs = call(bo, function, package["id"], draft["id"])

    nothing = call(bo, function, none, none)
    assert theirs.code in ("TV101", "TV102")
    assert blurred(theirs, package["id"], draft["id"]) == blurred(nothing, none)
    assert (ada.see_package(package), ada.see(draft)) == (before, draft)


BODIES = {"GET": None, "POST": {"name": "x"}, "PATCH": {"name": "x"}, "DELETE": None}


class TestSomebodyNotSignedIn:
    @pytest.mark.parametrize("method", BODIES)
    def test_is_refused_by_the_versions(self, anon, method):
        answer = anon.send(method, VERSIONS, json=BODIES[method])

        assert answer.refusal == (401, "42501")

    @pytest.mark.parametrize("method", BODIES)
    def test_gets_nowhere_with_the_packages(self, ada, anon, method):
        package = ada.package()

        answer = anon.send(method, PACKAGES, json=BODIES[method])

        # The grants of a table that was there before are the app's; its policies show no row.
        assert answer.code == "42501" or answer.rows == []
        assert ada.see_package(package) == package

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_is_refused_by_every_function(self, ada, anon, function):
        package = ada.package()
        draft = ada.draft(package)

        assert call(anon, function, package["id"], draft["id"]).refusal == (401, "42501")

    def test_creates_no_package(self, ada, anon):
        named = {"p_name": "n", "p_template_type": "t", "p_config_json": {}, "p_user_id": ada.id}

        assert anon.create_package(user_id=ada.id).refusal == (401, "42501")
        for function in CREATES_A_PACKAGE:
            assert anon.send("POST", f"rpc/{function}", json=named).refusal == (401, "42501")


def test_the_stories_above_leave_no_function_out(database):
    found = database.rows("""
        select proname from pg_proc
        where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype
    """)

    assert {row["proname"] for row in found} == {*FUNCTIONS, *CREATES_A_PACKAGE, *OF_A_ROW}


# The definer functions of the bookkeeping, as a caller asks them in SQL of their own.
BOOKKEEPING = {
    "archive_version": "archive_version('{draft}')",
    "copy_version": "copy_version('restored', '{draft}', null, null, null, null)",
    "lock_package": "lock_package('{package}')",
    "hold_package_of": "hold_package_of('{draft}')",
    "owns_package": "owns_package('{package}')",
    "lock_own_package": "lock_own_package('{package}')",
    "next_number": "next_number('{package}')",
    "claim_id": "claim_id('version', '{draft}', to_jsonb(clock_timestamp()))",
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
def test_the_bookkeeping_shows_a_stranger_nothing(ada, bo, database, function):
    package = ada.package()
    draft, published, deleted = ada.draft(package), ada.published(package), ada.draft(package)
    ada.remove(deleted)
    ids = {
        "package": package["id"],
        "draft": draft["id"],
        "published": published["id"],
        "deleted": deleted["id"],
    }
    query = f"select training_versions_internal.{BOOKKEEPING[function].format(**ids)}"

    code = database.refusal(query, user=bo.id)

    if code is None:
        assert not database.value(query, user=bo.id)
    else:
        assert code in ("TV101", "TV102")
    assert (ada.see(draft), ada.see(published)) == (draft, published)


def test_the_story_above_leaves_no_bookkeeping_out_that_a_user_may_call(database):
    found = database.rows("""
        select proname from pg_proc
        where pronamespace = 'training_versions_internal'::regnamespace
            and prosecdef and has_function_privilege('authenticated', oid, 'execute')
    """)

    assert {row["proname"] for row in found} == set(BOOKKEEPING)


@pytest.mark.parametrize("table", ["package_numbers", "deletions", "claims"])
@pytest.mark.parametrize("statement", ["select * from", "delete from"])
def test_nobody_reads_or_writes_the_bookkeeping_in_sql_of_their_own(
    ada, database, table, statement
):
    sql = f"{statement} training_versions_internal.{table}"

    assert database.refusal(sql, user=ada.id) == "42501"


def test_no_sequence_is_open_to_a_client(database):
    open_sequences = database.rows("""
        select c.oid::regclass::text as sequence, r.rolname
        from pg_sequence s
        join pg_class c on c.oid = s.seqrelid
        cross join pg_roles r
        where r.rolname in ('anon', 'authenticated', 'service_role')
            and has_sequence_privilege(r.oid, s.seqrelid, 'usage, select, update')
            and (
                c.relnamespace = 'training_versions_internal'::regnamespace
                or c.relname like 'training\\_version%'
            )
    """)

    assert open_sequences == []


def test_nobody_reaches_the_bookkeeping_through_rest(ada, backend, anon):
    headers = {"Accept-Profile": "training_versions_internal"}

    answers = [
        caller.send("GET", "package_numbers", headers=headers) for caller in (ada, backend, anon)
    ]

    assert [answer.code for answer in answers] == ["PGRST106"] * 3


PRIVILEGES = """
    select o.name, a.grantee::regrole::text as grantee, a.privilege_type
    from (
        select c.oid::regclass::text as name, c.relnamespace as schema,
            coalesce(c.relacl, acldefault((
                case c.relkind when 'S' then 's' else 'r' end
            )::"char", c.relowner)) as acl
        from pg_class c where c.relkind in ('r', 'v', 'S')
        union all
        select p.oid::regprocedure::text, p.pronamespace,
            coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_proc p
        union all
        select n.nspname, n.oid, coalesce(n.nspacl, acldefault('n', n.nspowner))
        from pg_namespace n where n.nspname = 'training_versions_internal'
    ) o
    cross join aclexplode(o.acl) a
    where o.schema in (
        'public'::regnamespace, to_regnamespace('training_versions_internal')
    )
        and a.grantee::regrole::text <> 'postgres'
    order by 1, 2, 3
"""


def test_default_privileges_open_nothing(server, migrations):
    closed, open_by_default = server.migrated_project(), server.new_project()
    for what in ("tables", "sequences", "functions", "schemas"):
        open_by_default.run(
            f"alter default privileges grant all on {what} to anon, authenticated, service_role"
        )
    open_by_default.psql(*migrations)

    privileges = open_by_default.rows(PRIVILEGES)

    assert privileges == closed.rows(PRIVILEGES)
    assert {row["grantee"] for row in privileges} == {"authenticated", "service_role"}


def test_nobody_may_set_the_ids_of_events_even_where_a_push_ended_halfway(
    newest_server, migrations
):
    database = newest_server.new_project()
    database.run("alter default privileges grant all on sequences to anon, authenticated")
    database.psql(*[file for file in migrations if file.name < "20261122000036"])
    statement = "select setval('public.training_version_events_id_seq', 1)"

    assert database.refusal(f"set role anon; {statement}") == "42501"
    assert database.refusal(f"set role authenticated; {statement}") == "42501"
