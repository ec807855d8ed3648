"""Faults in the objects and settings of a project are found, each under its own id, and mended."""

from urllib.parse import quote, urlsplit

import pytest

from tests.server.doctor.planted import Fault, Patient, plant_and_mend
from training_versions.doctor import examine

VERSIONS = "public.training_package_versions"
PACKAGES = "public.training_configs"
EVENTS = "public.training_version_events"
INTERNAL = "training_versions_internal"
SELECT_POLICY = '"Users can view own package versions"'
COST_FUNCTION = "public.get_package_cost(uuid)"
OWNER = ("owner-cannot",)

OBJECTS = (
    # schemas
    Fault("schema-open", f"grant usage on schema {INTERNAL} to anon"),
    Fault("schema-closed", f"revoke usage on schema {INTERNAL} from authenticated", also=OWNER),
    # tables and views
    Fault(
        "table-missing",
        f"alter table {INTERNAL}.imports rename to gone",
        also=OWNER,
        mended_by_hand=True,
        after=f"alter table {INTERNAL}.gone rename to imports",
    ),
    Fault("view-missing", "drop view public.training_row_numbers"),
    Fault(
        "view-not-invoker",
        "alter view public.training_published_versions reset (security_invoker)",
        also=("stranger-can",),
    ),
    Fault(
        "view-changed",
        "create or replace view public.training_row_numbers with (security_invoker = true) as"
        " select n from generate_series(1, 10) as n",
    ),
    Fault(
        "view-changed",
        "create table public.d (like public.training_costs);"
        "create or replace view public.training_cost_entries with (security_invoker = true) as"
        " select c.id, c.version_id, v.package_id, v.version_number, c.amount, c.note, c.key,"
        " c.alerts, c.recorded_at, c.recorded_by"
        f" from public.d c join {VERSIONS} v on v.id = c.version_id",
        after="drop table public.d",
        name="to read another table",
    ),
    Fault(
        "row-security-off",
        f"alter table {EVENTS} disable row level security",
        also=("stranger-can",),
    ),
    Fault("package-row-security-off", f"alter table {PACKAGES} disable row level security"),
    Fault("row-security-forced", f"alter table {VERSIONS} force row level security"),
    Fault("table-unlogged", f"alter table {INTERNAL}.cost_sums set unlogged"),
    Fault("table-rule", f"create rule loud as on update to {EVENTS} do also notify edits"),
    Fault(
        "owner-changed",
        "alter table public.training_costs owner to supabase_admin",
        also=OWNER,
        as_admin=True,
    ),
    Fault(
        "owner-changed",
        f"alter function {COST_FUNCTION} owner to supabase_admin",
        as_admin=True,
        name="of a function",
    ),
    Fault(
        "owner-changed",
        "alter table public.training_runs owner to authenticated",
        also=("owner-can", "stranger-can"),
        as_admin=True,
        name="to a role of the API",
    ),
    Fault(
        "owner-changed",
        f"alter schema {INTERNAL} owner to authenticated",
        also=("owner-can",),
        as_admin=True,
        name="of the schema",
    ),
    Fault("mark-missing", "comment on view public.training_row_numbers is null"),
    Fault("mark-missing", f"comment on function {COST_FUNCTION} is 'mine'", name="of a function"),
    # grants
    Fault("table-open-to-anon", f"grant select on {VERSIONS} to anon"),
    Fault("table-open-to-anon", f"grant select (name) on {VERSIONS} to anon", name="a column"),
    Fault("table-open-to-anon", "grant select on public.training_costs to public", name="public"),
    Fault("table-open-to-users", f"grant truncate on {VERSIONS} to authenticated"),
    Fault("table-open-to-service", "grant insert on public.training_runs to service_role"),
    Fault("table-grant-missing", f"revoke update on {VERSIONS} from authenticated", also=OWNER),
    Fault("function-open-to-anon", f"grant execute on function {COST_FUNCTION} to anon"),
    Fault(
        "function-open-to-anon",
        f"grant execute on function {COST_FUNCTION} to public",
        name="public",
    ),
    Fault(
        "function-open-to-users",
        f"grant execute on function {INTERNAL}.declare_origin to authenticated",
    ),
    Fault(
        "execute-missing", f"revoke execute on function {COST_FUNCTION} from authenticated", OWNER
    ),
    # columns
    Fault("column-missing", f"alter table {INTERNAL}.deletions drop column deleted_at"),
    Fault("column-type", "alter table public.training_runs alter column reason type varchar(50)"),
    Fault("column-nullable", f"alter table {VERSIONS} alter column updated_at drop not null"),
    Fault(
        "column-default-missing",
        "alter table public.training_deployments alter column started_at drop default",
    ),
    Fault(
        "column-default-missing",
        f"alter table {VERSIONS} alter column created_at drop default",
        name="of the first release",
    ),
    Fault("column-default-changed", f"alter table {EVENTS} alter column details set default '[]'"),
    Fault("column-generated", f"alter table {EVENTS} alter column imported_from drop expression"),
    Fault(
        "column-generated",
        f"alter table {EVENTS} drop column imported_from;"
        f" alter table {EVENTS} add column imported_from text generated always as ('x') stored",
        also=("index-missing",),
        name="from something else",
    ),
    Fault(
        "column-generated",
        f"alter table {EVENTS} alter column id set generated by default",
        name="unless it is given",
    ),
    Fault(
        "column-generated",
        f"alter table {INTERNAL}.deletions alter column deletion_id drop identity",
        also=OWNER,
        name="without a sequence",
    ),
    Fault(
        "column-blocks-versions",
        f"alter table {VERSIONS} add column team text not null default 'red';"
        f"alter table {VERSIONS} alter column team drop default",
        also=OWNER,
        after=f"alter table {VERSIONS} drop column team",
    ),
    Fault(
        "column-blocks-packages",
        f"alter table {PACKAGES} add column team text not null default 'red';"
        f"alter table {PACKAGES} alter column team drop default",
        also=OWNER,
        after=f"alter table {PACKAGES} drop column team",
    ),
    # constraints
    Fault(
        "primary-key-missing",
        f"alter table {INTERNAL}.cost_sums drop constraint cost_sums_pkey",
        also=OWNER,
    ),
    Fault("unique-missing", "alter table public.training_costs drop constraint counts_once"),
    Fault("check-missing", f"alter table {VERSIONS} drop constraint valid_status"),
    Fault(
        "check-changed",
        f"alter table {VERSIONS} drop constraint valid_status,"
        " add constraint valid_status check (status is not null)",
    ),
    Fault(
        "foreign-key-missing",
        "alter table public.training_runs drop constraint training_runs_version_id_fkey",
    ),
    Fault(
        "foreign-key-changed",
        "alter table public.training_costs drop constraint training_costs_version_id_fkey,"
        " add constraint training_costs_version_id_fkey foreign key (version_id)"
        f" references {VERSIONS} (id)",
    ),
    Fault(
        "foreign-key-off", "alter table public.training_costs disable trigger all", as_admin=True
    ),
    Fault(
        "constraint-not-valid",
        f"alter table {VERSIONS} drop constraint deployed_has_target,"
        " add constraint deployed_has_target"
        " check (not is_deployed or deployment_target is not null) not valid",
    ),
    # indexes
    Fault("index-missing", "drop index public.idx_training_runs_version"),
    Fault("unique-index-missing", "drop index public.one_live_per_target"),
    Fault(
        "unique-index-changed",
        "drop index public.one_live_per_target; create index one_live_per_target"
        " on public.training_deployments (package_id, target) where ended_at is null",
    ),
    Fault(
        "index-changed",
        "drop index public.idx_package_versions_user;"
        f"create index idx_package_versions_user on {VERSIONS} (created_by)",
    ),
    Fault(
        "index-invalid",
        "update pg_index set indisvalid = false"
        " where indexrelid = 'public.one_running_per_version'::regclass",
        as_admin=True,
    ),
    Fault(
        "index-settings",
        "alter index public.idx_package_versions_model_snapshot reset (gin_pending_list_limit)",
    ),
    # triggers
    Fault(
        "trigger-missing",
        f"drop trigger rule_45_status_order on {VERSIONS}",
    ),
    Fault(
        "trigger-disabled",
        f"alter table {PACKAGES} disable trigger rule_20_derived_columns",
        also=("owner-can", "service-can"),
    ),
    Fault(
        "trigger-disabled",
        f"alter table {VERSIONS} enable replica trigger record_12_status",
        also=("owner-cannot",),
        name="but for replication",
    ),
    Fault(
        "trigger-changed",
        f"drop trigger rule_90_published_stays on {VERSIONS};"
        f"create trigger rule_90_published_stays before delete on {VERSIONS} for each row"
        f" when (old.status = 'archived') execute function {INTERNAL}.keep_published()",
        also=("service-can",),
    ),
    # policies
    Fault("policy-missing", f"drop policy {SELECT_POLICY} on {VERSIONS}", also=OWNER),
    Fault(
        "policy-changed",
        f"alter policy {SELECT_POLICY} on {VERSIONS} using (true)",
        also=("stranger-can",),
    ),
    Fault(
        "policy-changed",
        f"alter policy {SELECT_POLICY} on {VERSIONS} to public",
        name="for everybody",
    ),
    Fault(
        "policy-open",
        f"create policy open on {VERSIONS} for select to authenticated using (true)",
        also=("stranger-can",),
    ),
    Fault(
        "policy-open",
        f"create policy writes on {EVENTS} for insert to authenticated with check (true)",
        name="on the history",
    ),
    Fault(
        "policy-restrictive",
        f"create policy narrow on {VERSIONS} as restrictive for select using (true)",
    ),
    # functions
    Fault("function-missing", f"drop function {COST_FUNCTION}", also=OWNER),
    Fault(
        "function-body",
        "create or replace function public.get_package_cost(p_package_id uuid) returns jsonb"
        " stable set search_path = '' language plpgsql as $$ begin return '{}'; end $$",
    ),
    Fault(
        "function-body",
        f"create or replace function {INTERNAL}.acts_for_all() returns boolean"
        " stable set search_path = '' language plpgsql as $$ begin return true; end $$",
        also=("stranger-can",),
        name="of a rule",
    ),
    Fault(
        "function-arguments",
        "drop function public.get_package_cost;"
        "create function public.get_package_cost(p_id uuid) returns jsonb"
        " stable set search_path = '' language sql as $$ select '{}'::jsonb $$",
    ),
    Fault("function-security", f"alter function {COST_FUNCTION} security definer"),
    Fault("function-search-path", f"alter function {COST_FUNCTION} reset search_path"),
    Fault(
        "function-search-path",
        f"alter function {INTERNAL}.owns_package set search_path = public",
        name="of a definer function",
    ),
    Fault("function-volatility", f"alter function {COST_FUNCTION} volatile"),
    Fault(
        "function-overloaded",
        "create function public.get_package_cost(p_name text) returns jsonb"
        " language sql as $$ select '{}'::jsonb $$",
    ),
)

SETTINGS = (
    Fault("role-skips-policies", "alter role anon bypassrls", as_admin=True),
    Fault("role-member", "grant service_role to anon", as_admin=True),
    Fault(
        "role-member",
        "grant authenticated to anon",
        as_admin=True,
        name="of the users",
    ),
    Fault(
        "role-member",
        f"create role team; grant select on {INTERNAL}.claims to team; grant team to authenticated",
        as_admin=True,
        after="drop owned by team; drop role team",
        name="of a group that may more",
    ),
    Fault(
        "service-role-bound",
        "alter role service_role nobypassrls",
        also=("service-cannot",),
        as_admin=True,
    ),
    Fault(
        "authenticator-cannot-switch",
        "revoke anon from authenticator",
        as_admin=True,
    ),
    Fault(
        "triggers-off",
        "alter role authenticator set session_replication_role = 'replica'",
        as_admin=True,
    ),
    Fault(
        "triggers-off",
        "alter database postgres set session_replication_role = 'REPLICA'",
        as_admin=True,
        name="for all",
    ),
    Fault(
        "triggers-off",
        "alter role postgres set session_replication_role = 'replica'",
        as_admin=True,
        name="for the owner",
    ),
    Fault(
        "read-only",
        "alter role all set default_transaction_read_only = on",
        as_admin=True,
        name="for all",
    ),
    Fault(
        "read-only",
        "alter role authenticated set default_transaction_read_only = on",
        as_admin=True,
    ),
    Fault("row-security-setting", "alter role authenticated set row_security = off", as_admin=True),
    Fault(
        "statement-timeout-short",
        "alter role authenticated set statement_timeout = '200ms'",
        as_admin=True,
    ),
    Fault(
        "statement-timeout-short",
        "alter role authenticated set lock_timeout = '9s';"
        "alter role authenticated set idle_in_transaction_session_timeout = '0.5ms';"
        "alter role service_role set statement_timeout = 200",
        as_admin=True,
        after="alter role authenticated reset all",
        name="without a unit",
    ),
    Fault(
        "api-takes-back",
        "alter role authenticator set pgrst.db_tx_end = 'rollback'",
        as_admin=True,
    ),
    Fault(
        "anon-acts-as-another",
        "alter role authenticator set pgrst.db_anon_role = 'service_role'",
        as_admin=True,
    ),
    Fault(
        "internal-schema-exposed",
        "alter role authenticator set pgrst.db_schemas = 'public, training_versions_internal'",
        as_admin=True,
    ),
    Fault(
        "public-not-exposed", "alter role authenticator set pgrst.db_schemas = 'api'", as_admin=True
    ),
    Fault(
        "internal-schema-exposed",
        "alter role authenticator set pgrst.db_schemas = 'training_versions_internal'",
        also=("public-not-exposed",),
        as_admin=True,
        name="alone",
    ),
    Fault("row-cap-small", "alter role authenticator set pgrst.db_max_rows = 10", as_admin=True),
    Fault(
        "view-shows-all",
        f"create view public.all_versions as select id, name from {VERSIONS};"
        "grant select on public.all_versions to authenticated",
        after="drop view public.all_versions",
    ),
)

HISTORY = "supabase_migrations.schema_migrations"
KEEP = f"create table supabase_migrations.kept as select * from {HISTORY};"
BRING_BACK = f"""
    truncate {HISTORY};
    insert into {HISTORY} (version, statements, name)
        select version, statements, name from supabase_migrations.kept;
    drop table supabase_migrations.kept;
"""
MIGRATIONS = (
    Fault("migration-missing", f"{KEEP} delete from {HISTORY} where version = '20261122000090'"),
    Fault(
        "migration-changed",
        f"{KEEP} update {HISTORY} set statements = array['select 1']"
        " where version = '20261122000025'",
    ),
    Fault("migration-history-missing", f"{KEEP} delete from {HISTORY}"),
    Fault("rollback-pushed", f"{KEEP} insert into {HISTORY} (version) values ('20250131000002')"),
)

REFUSE = """
    create function public.app_refuses() returns trigger language plpgsql as $$
    begin
        raise exception 'a plan is needed';
    end
    $$;
"""
RIGHTS = (
    Fault(
        "caller-not-known",
        "create or replace function auth.uid() returns uuid stable security definer language sql"
        " as $$ select id from auth.users limit 1 $$",
        as_admin=True,
        after="create or replace function auth.uid() returns uuid stable security invoker"
        " language sql as $$ select (auth.jwt() ->> 'sub')::uuid $$",
    ),
    Fault(
        "policy-recursion",
        f"create policy team on {PACKAGES} using"
        f" (exists (select from {PACKAGES} c where c.user_id = auth.uid()))",
    ),
    Fault(
        "owner-cannot",
        f"{REFUSE} create trigger app_plans before insert on {PACKAGES}"
        " for each row execute function public.app_refuses()",
        mended_by_hand=True,
        after="drop function public.app_refuses cascade",
    ),
    Fault(
        "owner-cannot",
        f"{REFUSE} create trigger app_plans before insert on {PACKAGES}"
        " for each row when (new.name = 'doctor two') execute function public.app_refuses()",
        mended_by_hand=True,
        after="drop function public.app_refuses cascade",
        name="of two owners",
    ),
    Fault(
        "service-cannot",
        f"{REFUSE} create trigger app_plans before update on {VERSIONS} for each row"
        " when (new.actual_cost = 2) execute function public.app_refuses()",
        mended_by_hand=True,
        after="drop function public.app_refuses cascade",
    ),
    Fault(
        "anon-can",
        f"grant select on {VERSIONS} to anon;"
        f" create policy open on {VERSIONS} for select to anon using (true)",
        also=("table-open-to-anon", "policy-open"),
        mended_by_hand=True,
        after=f"drop policy open on {VERSIONS}; revoke select on {VERSIONS} from anon",
    ),
)


@pytest.fixture(scope="module")
def patient(project):
    made = Patient(project)
    yield made
    made.close()


def labelled(faults):
    return [pytest.param(fault, id=fault.label) for fault in faults]


@pytest.mark.parametrize("fault", labelled(OBJECTS))
def test_a_fault_in_an_object_is_found_and_mended(patient, fault):
    plant_and_mend(patient, fault, "objects")


@pytest.mark.parametrize("fault", labelled(SETTINGS))
def test_a_fault_in_a_setting_is_found_and_mended(patient, fault):
    plant_and_mend(patient, fault, "settings")


@pytest.mark.parametrize("fault", labelled(MIGRATIONS))
def test_a_fault_in_the_history_of_migrations_is_found(patient, fault):
    try:
        patient.admin.execute(fault.plant)

        assert {finding.id for finding in patient.examine()} == {fault.id}
    finally:
        patient.admin.execute(BRING_BACK)


@pytest.mark.parametrize("fault", labelled(RIGHTS))
def test_what_somebody_can_or_cannot_do_is_found(patient, fault):
    plant_and_mend(patient, fault, "rights")


HARMLESS = {
    "a group that may do no more": (
        f"create role team; grant select on {VERSIONS} to team; grant team to authenticated",
        "drop owned by team; drop role team",
    ),
    "an index that may be dropped": (
        "drop index public.idx_package_versions_config_snapshot",
        "create index idx_package_versions_config_snapshot on public.training_package_versions"
        " using gin (config_snapshot jsonb_path_ops) with (gin_pending_list_limit = 16384)",
    ),
    "columns of the app": (
        f"alter table {VERSIONS} add column team text;"
        f" alter table {PACKAGES} add column team text not null default 'red'",
        f"alter table {VERSIONS} drop column team; alter table {PACKAGES} drop column team",
    ),
    "names of packages that are unique": (
        f"create unique index app_names on {PACKAGES} (name) where name like 'doctor%'",
        "drop index public.app_names",
    ),
    "a policy of the app that reads versions": (
        f"create policy team on {PACKAGES} for select using (exists ("
        f"select from {VERSIONS} v where v.package_id = training_configs.id))",
        f"drop policy team on {PACKAGES}",
    ),
    "a trigger, an index and a function of the app": (
        "create function public.app() returns trigger language plpgsql as"
        " $$ begin return new; end $$;"
        f"create trigger app before update on {VERSIONS} for each row"
        " execute function public.app();"
        f"create index app on {VERSIONS} (name)",
        "drop function public.app cascade; drop index public.app",
    ),
    "a view of the app that asks for the caller's rights": (
        f"create view public.mine with (security_invoker = true) as select * from {VERSIONS};"
        "grant select on public.mine to authenticated",
        "drop view public.mine",
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_the_app_adds_is_no_finding(patient, name):
    plant, after = HARMLESS[name]
    try:
        patient.execute(plant, as_admin="role" in plant)

        assert patient.examine() == ()
    finally:
        patient.execute(after, as_admin="role" in plant)


def test_how_a_session_starts_makes_no_difference(patient):
    settings = {
        "quote_all_identifiers": "on",
        "standard_conforming_strings": "off",
        "client_encoding": "sql_ascii",
        "default_transaction_read_only": "on",
        "row_security": "off",
        "search_path": "public",
        "DateStyle": "German",
        "timezone": "Asia/Kathmandu",
        "bytea_output": "escape",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())

    report = examine(db_url=f"{patient.stack.db_url}?options={quote(options)}")

    assert report.findings == ()
    assert "rights" in report.done


def test_a_role_that_may_only_read_says_what_it_could_not_try(patient):
    reader = patient.stack.db_url.replace("//postgres:", "//reader:")
    password = urlsplit(reader).password
    try:
        patient.execute(
            f"create role reader login bypassrls in role pg_read_all_data password '{password}'",
            as_admin=True,
        )

        report = examine(db_url=reader)

        assert report.findings == ()
        assert report.done == ("migrations", "objects", "settings", "rows")
        assert report.not_done[0].check == "rights"
        assert "role postgres" in report.not_done[0].why
    finally:
        patient.execute("drop role reader", as_admin=True)


def test_nothing_is_left_of_the_faults(patient):
    assert patient.examine() == ()
