"""Rows that are wrong are found, each kind under its own id, and mended by the SQL that is named.

They are planted with triggers off, as nobody but a superuser can.
"""

import re

import pytest

from tests.server.doctor.planted import Fault, Patient, plant_and_mend
from training_versions.doctor.kinds import KINDS
from training_versions.doctor.rows import all_checks, examine_rows
from training_versions.doctor.rows.check import as_query

PAST_RULES = "set local session_replication_role = replica;"
VERSIONS = "public.training_package_versions"
PACKAGES = "public.training_configs"
EVENTS = "public.training_version_events"
RUNS = "public.training_runs"
DEPLOYMENTS = "public.training_deployments"
COSTS = "public.training_costs"
INTERNAL = "training_versions_internal"

# What `:name` in the SQL below stands for: rows that the story has left.
ROWS = {
    "ada": "select id from auth.users where email = 'ada@example.com'",
    "bo": "select id from auth.users where email = 'bo@example.com'",
    "package": f"select id from {PACKAGES} where name = 'support-bot' and user_id = :ada",
    # Trained, published, live, with costs.
    "first": f"select id from {VERSIONS} where package_id = :package and version_number = 1",
    "archived": f"select id from {VERSIONS} where package_id = :package and version_number = 2",
    "third": f"select id from {VERSIONS} where package_id = :package and version_number = 3",
    "of_bo": f"select id from {VERSIONS} where created_by = :bo and status = 'draft' limit 1",
    "by_hand": f"select id from {PACKAGES} where name = 'by hand' and user_id = :ada limit 1",
    "draft": f"select id from {VERSIONS} where package_id = :package and version_number = 99",
}


def fault(id, plant, **options):
    return Fault(id, f"begin; {PAST_RULES} {plant}; commit", as_admin=True, **options)


def change(what, which="id = :draft"):
    return f"update {VERSIONS} set {what} where {which}"


def again(kind, to=None):
    """Write an event of the first version once more, or as one of another kind."""
    columns = "package_id, version_id, version_number, owner_id, actor_id, occurred_at, details"
    return (
        f"insert into {EVENTS} (kind, {columns}) select '{to or kind}', {columns}"
        f" from {EVENTS} where version_id = :first and kind = '{kind}' limit 1"
    )


FAULTS = (
    # rows that point at nothing
    fault(
        "orphan-row",
        f"insert into {INTERNAL}.calls (call_id, version_id, operation)"
        " values (gen_random_uuid(), gen_random_uuid(), 'completed')",
    ),
    fault(
        "orphan-row",
        f"insert into {EVENTS} (package_id, version_id, version_number, kind)"
        " values (gen_random_uuid(), gen_random_uuid(), 1, 'created')",
        name="in the history",
    ),
    fault(
        "orphan-row",
        change("parent_version_id = gen_random_uuid()"),
        name="of a parent",
    ),
    # counters, pointers, numbers
    fault("version-count", f"update {PACKAGES} set version_count = 99 where id = :package"),
    fault(
        "latest-published",
        f"update {PACKAGES} set latest_published_version = 2 where id = :package",
    ),
    fault(
        "current-version",
        f"update {PACKAGES} set current_version_id = :archived where id = :package",
    ),
    fault(
        "last-number",
        f"update {INTERNAL}.package_numbers set last_number = 1 where package_id = :package",
    ),
    fault(
        "number-reused",
        f"insert into {INTERNAL}.deletions (id, package_id, version_number)"
        " values (gen_random_uuid(), :package, 1)",
        also=("deletion-without-event",),
    ),
    fault("number-below-one", change("version_number = -1"), also=("event-version",)),
    fault(
        "sequence-behind",
        "select setval('public.training_version_events_id_seq', 1)",
        also=("owner-cannot",),
    ),
    fault(
        "sequence-behind",
        f"select setval('{INTERNAL}.deletions_deletion_id_seq', 1)",
        also=("owner-cannot",),
        name="of deletions",
    ),
    fault("import-left-open", f"insert into {INTERNAL}.imports values ('3'::xid8)"),
    # versions
    fault("version-of-another-user", change("created_by = :bo"), also=("event-owner",)),
    fault("version-without-creator", change("created_by = null"), also=("event-owner",)),
    fault("published-unsigned", change("published_by = null", "id = :archived")),
    fault("draft-signed", change("published_at = now(), published_by = created_by")),
    fault("edit-token", change("updated_at = content_updated_at - interval '1 second'")),
    fault("version-name", change("name = '  '")),
    fault("snapshot-shape", change("dataset_snapshot = '{}'")),
    fault("version-cost", change("budget_limit = -1")),
    fault("version-cost", change("estimated_cost = 'NaN'"), name="not a number"),
    fault(
        "deployed-without-target",
        f"alter table {VERSIONS} drop constraint deployed_has_target;"
        + change("is_deployed = true"),
        also=("check-missing", "deployed-without-deployment"),
        after=f"alter table {VERSIONS} add constraint deployed_has_target"
        " check (not is_deployed or deployment_target is not null)",
    ),
    fault("parent-of-another-user", change("parent_version_id = :of_bo")),
    fault("parent-circle", change("parent_version_id = :third", "id = :first")),
    fault("parent-circle", change("parent_version_id = id"), name="of one"),
    # training
    fault(
        "run-not-running",
        change("training_status = 'running', training_started_at = now()"),
        after=f"begin; {PAST_RULES} delete from {RUNS} where version_id = :draft;"
        f" delete from {EVENTS} where version_id = :draft and kind ~ '^training_';"
        + change("training_status = null, training_started_at = null")
        + "; commit",
    ),
    fault(
        "run-left-running",
        f"insert into {RUNS} (version_id, owner_id, started_at) values (:first, :ada, now())",
        also=("run-without-event",),
        after=f"begin; {PAST_RULES} delete from {RUNS} r where version_id = :first"
        f" and not exists (select from {EVENTS} e where e.details ->> 'run_id' = r.id::text);"
        "commit",
    ),
    fault(
        "run-disagrees",
        change(
            "training_status = 'completed', training_started_at = now(),"
            " training_completed_at = now()"
        ),
    ),
    fault(
        "run-times",
        change("training_completed_at = training_completed_at + interval '1 day'", "id = :first"),
    ),
    fault(
        "run-times",
        f"update {RUNS} set ended_at = started_at - interval '1 day'"
        " where version_id = :first and status = 'failed'",
        name="reversed",
    ),
    fault(
        "run-without-event",
        f"delete from {EVENTS} where details ->> 'run_id' ="
        f" (select r.id::text from {RUNS} r where version_id = :first and status = 'failed')",
    ),
    fault(
        "event-without-run", f"delete from {RUNS} where version_id = :first and status = 'failed'"
    ),
    fault("run-owner", f"update {RUNS} set owner_id = :bo where version_id = :first"),
    fault("point-owner", "update public.training_metric_points set owner_id = null"),
    fault(
        "point-not-finite",
        "update public.training_metric_points set value = 'NaN' where step = 0",
    ),
    # deployments
    fault(
        "deployed-without-deployment",
        change("is_deployed = true, deployment_target = 'local'"),
    ),
    fault("live-not-shown", change("is_deployed = false", "id = :first")),
    fault(
        "live-not-shown",
        change("deployment_url = 'https://example.com/other'", "id = :first"),
        name="or another",
    ),
    fault(
        "live-not-published",
        f"insert into {DEPLOYMENTS} (package_id, version_id, version_number, owner_id, target)"
        f" select package_id, id, version_number, :ada, 'local' from {VERSIONS} where id = :draft",
        also=("deployment-without-event",),
        after=f"begin; {PAST_RULES} delete from {DEPLOYMENTS} where version_id = :draft;"
        f" delete from {EVENTS} where version_id = :draft and kind = 'undeployed'; commit",
    ),
    fault(
        "deployment-version",
        f"update {DEPLOYMENTS} set version_number = 98 where version_id = :first",
    ),
    fault(
        "deployments-overlap",
        f"update {DEPLOYMENTS} set ended_at = ended_at + interval '1 hour'"
        " where version_id = :archived and target = 'hf_space'",
    ),
    fault("deployment-owner", f"update {DEPLOYMENTS} set owner_id = :bo where version_id = :first"),
    fault(
        "deployment-without-event",
        f"delete from {EVENTS} where version_id = :archived and kind = 'undeployed'",
    ),
    fault(
        "deployment-without-event",
        f"delete from {DEPLOYMENTS} where version_id = :archived and target = 'hf_space'",
        name="but an event without a deployment",
    ),
    # costs
    fault("cost-sum", change("actual_cost = actual_cost + 1", "id = :first")),
    fault(
        "cost-total",
        f"update {INTERNAL}.cost_sums set total = total + 1 where version_id = :first",
    ),
    fault(
        "cost-without-event",
        f"delete from {EVENTS} where version_id = :first and kind = 'cost_recorded'",
    ),
    fault(
        "alert-without-event",
        f"delete from {EVENTS} where version_id = :first and kind = 'cost_alert'",
    ),
    fault(
        "cost-without-event",
        f"delete from {COSTS} where version_id = :first and amount = 1.75 and id ="
        f" (select id from {COSTS} where version_id = :first order by recorded_at limit 1)",
        also=("cost-sum", "cost-total"),
        name="but an event without an entry",
    ),
    fault("cost-owner", f"update {COSTS} set owner_id = :bo where version_id = :first"),
    # history
    fault("event-owner", f"update {EVENTS} set owner_id = :bo where version_id = :first"),
    fault("event-version", f"update {EVENTS} set version_number = 98 where version_id = :first"),
    fault(
        "history-without-beginning",
        f"delete from {EVENTS} where version_id = :draft and kind = 'created'",
    ),
    fault(
        "history-of-publishing",
        f"delete from {EVENTS} where version_id = :archived and kind in ('published', 'archived')",
    ),
    fault(
        "status-went-back",
        change("status = 'published'", "id = :archived"),
        also=("latest-published", "current-version"),
    ),
    fault(
        "status-went-back",
        change("status = 'draft'", "id = :archived"),
        also=("draft-signed",),
        name="to a draft",
    ),
    fault(
        "origin-disagrees",
        f"update {EVENTS} set kind = 'created' where version_id = :archived and kind = 'restored'",
    ),
    fault(
        "origin-disagrees",
        f"delete from {INTERNAL}.version_origins where version_id = :archived",
        name="which is gone",
    ),
    fault("event-doubled", again("published")),
    fault(
        "event-doubled",
        again("cost_recorded"),
        also=("cost-without-event",),
        name="of a cost",
    ),
    fault("deleted-and-there", again("created", to="deleted")),
    fault(
        "deletion-without-event",
        f"delete from {EVENTS} where package_id = :package and kind = 'deleted'",
    ),
    fault("deletion-not-recorded", f"delete from {INTERNAL}.deletions where package_id = :package"),
)

DRAFT = f"""
    insert into {VERSIONS}
        (package_id, version_number, status, created_by, config_snapshot, model_snapshot,
        dataset_snapshot)
    values (:package, 99, 'draft', :ada, '{{}}', '{{}}', '[]')
"""


def fill_in(sql):
    """Write the rows that the story has left into SQL."""

    def row(found):
        return f"({fill_in(ROWS[found[1]])})" if found[1] in ROWS else found[0]

    return re.sub(r"(?<!:):([a-z_]+)", row, sql)


@pytest.fixture(scope="module")
def patient(project):
    made = Patient(project)
    made.owner.execute(fill_in(DRAFT))
    for name, query in ROWS.items():
        ((id,),) = made.owner.execute(fill_in(query)).fetchall()
        ROWS[name] = f"select '{id}'::uuid"
    yield made
    made.close()


@pytest.mark.parametrize("fault", [pytest.param(each, id=each.label) for each in FAULTS])
def test_wrong_rows_are_found_and_mended(patient, fault):
    ready = Fault(
        fault.id,
        fill_in(fault.plant),
        also=fault.also,
        after=fill_in(fault.after),
        as_admin=True,
    )

    plant_and_mend(patient, ready, "rows")


CHAIN = f"""
    with numbers as (
        select n, gen_random_uuid() as id, lag(n) over (order by n) as before
        from generate_series(1000, 5999) as n
    )
    insert into {VERSIONS}
        (id, package_id, version_number, name, status, created_by, parent_version_id,
        config_snapshot, model_snapshot, dataset_snapshot)
    select
        v.id, :package, v.n, 'long', 'draft', :ada,
        (select p.id from numbers p where p.n = v.before), '{{}}', '{{}}', '[]'
    from numbers v
"""


def test_a_long_chain_is_not_read_again_for_each_of_its_versions(patient):
    def rows_read():
        query = "select seq_tup_read from pg_stat_xact_user_tables where relid = %s::regclass"
        ((number,),) = patient.admin.execute(query, [VERSIONS]).fetchall()
        return number

    with patient.admin.transaction(force_rollback=True):
        patient.admin.execute(f"{PAST_RULES} {fill_in(CHAIN)}")
        before = rows_read()
        found = {finding.id for finding in examine_rows(patient.admin)}

        assert "parent-circle" not in found
        assert "version-count" in found
        assert rows_read() - before < 5000 * 100


def test_without_statistics_no_check_makes_room_for_rows_that_there_are_not(patient):
    with patient.admin.transaction(force_rollback=True):
        patient.admin.execute(f"{PAST_RULES} {fill_in(CHAIN)}")
        patient.admin.execute("set local jit = off")
        query = f"explain (analyze) {as_query(all_checks())}"
        plan = "\n".join(line for (line,) in patient.admin.execute(query.encode()))

    assert max(int(number) for number in re.findall(r"Batches: (\d+)", plan)) < 16


def test_nothing_is_left_of_the_faults(patient):
    assert patient.examine() == ()


def test_every_kind_of_wrong_row_is_planted():
    assert {check.id for check in all_checks()} == {each.id for each in FAULTS}
    assert {check.id for check in all_checks()} <= KINDS.keys()
