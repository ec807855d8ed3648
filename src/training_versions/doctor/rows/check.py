"""Checks of rows, and the common table expressions that their queries use.

A check is a query that selects a `label` for each wrong row. All checks run as one query, so they
see one state of the database. `v` has the versions without their snapshots, and the counts of their
events. `p` has the packages. `costs` has the sum of the cost entries of each version.

Versions that are older than the present rules stay as they are, because a push does not change
them. The push gave them an event, from which `v.is_old` is derived. An imported version has the
history of another project, and `v.is_imported` is true.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowCheck:
    """A query for wrong rows, and the SQL that fixes all of them."""

    id: str
    table: str
    labels: str
    fix: str


READABLE = """
h as materialized (
    select
        e.version_id,
        count(*) filter (where e.kind in ('created', 'restored', 'forked', 'imported')) as begun,
        count(*) filter (where e.kind = 'published') as published,
        count(*) filter (where e.kind = 'archived') as archived,
        count(*) filter (where e.kind = 'deployed') as deployed,
        count(*) filter (where e.kind = 'undeployed') as undeployed,
        count(*) filter (where e.kind = 'cost_recorded') as costs,
        count(*) filter (where e.kind = 'cost_alert') as alerts,
        max(e.kind) filter (where e.kind in ('restored', 'forked', 'imported')) as origin,
        bool_or(e.kind = 'created' and e.details ? 'backfilled') as is_old
    from public.training_version_events e
    left join (
        select d.version_id, max(d.id) as event_id
        from public.training_version_events d
        where d.kind = 'deleted' and d.source is null
            and exists (
                select from public.training_version_events n
                where n.version_id = d.version_id and n.id > d.id and n.source is null
                    and n.kind in ('created', 'restored', 'forked', 'imported')
            )
        group by d.version_id
    ) as deleted on deleted.version_id = e.version_id
    -- A new version may have the id of a deleted draft. Its history starts after the deletion.
    where e.source is null and e.id > coalesce(deleted.event_id, 0)
    group by e.version_id
),
costs as materialized (
    select
        c.version_id, count(*) as number, sum(c.amount) as total,
        sum(cardinality(c.alerts)) as alerts
    from public.training_costs c
    group by c.version_id
),
p as materialized (
    select
        c.id, c.user_id, c.version_count, c.latest_published_version, c.current_version_id,
        to_json(left(c.name::text, 60))::text || ' (' || c.id || ')' as label
    from public.training_configs c
),
v as materialized (
    select
        v.id, v.package_id, v.version_number, v.name, v.status, v.created_at, v.created_by,
        v.published_at, v.published_by, v.updated_at, v.content_updated_at, v.parent_version_id,
        v.is_deployed, v.deployment_target, v.deployment_url, v.deployment_id, v.training_status,
        v.training_started_at, v.training_completed_at, v.estimated_cost, v.actual_cost,
        v.budget_limit,
        c.user_id as owner_id,
        coalesce(h.is_old, false) as is_old,
        'imported' in (coalesce(o.kind, ''), coalesce(h.origin, '')) as is_imported,
        o.kind as origin,
        h.origin as events_origin,
        coalesce(h.begun, 0) as events_begun,
        coalesce(h.published, 0) as events_published,
        coalesce(h.archived, 0) as events_archived,
        coalesce(h.deployed, 0) as events_deployed,
        coalesce(h.undeployed, 0) as events_undeployed,
        coalesce(h.costs, 0) as events_of_costs,
        coalesce(h.alerts, 0) as events_of_alerts,
        to_json(left(c.name::text, 60))::text || '@' || v.version_number || ' (' || v.id || ')'
            as label
    from public.training_package_versions v
    left join public.training_configs c on c.id = v.package_id
    left join h on h.version_id = v.id
    left join training_versions_internal.version_origins o
        on o.version_id = v.id
)
"""


def as_query(checks: tuple[RowCheck, ...]) -> str:
    """Return one query that runs all checks.

    Its columns are the index of the check, the number of wrong rows, and the first labels.
    """
    parts = [
        f"select {number}, count(*), (array_agg(t.label order by t.label))[1:3]\n"
        f"from ({check.labels}) as t\nhaving count(*) > 0"
        for number, check in enumerate(checks)
    ]
    return f"with {READABLE}\n" + "\nunion all\n".join(parts)


def owned_by_creator(id_: str, table: str) -> RowCheck:
    """Return the check that rows of a version belong to the creator of the version."""
    return RowCheck(
        id_,
        table,
        f"""
        select v.label
        from {table} r
        join v on v.id = r.version_id
        where r.owner_id is distinct from v.created_by
        """,
        f"""
update {table} r set owner_id = v.created_by
from public.training_package_versions v
where v.id = r.version_id and r.owner_id is distinct from v.created_by;
""",
    )


def without_triggers(*triggers: str, table: str, statement: str) -> str:
    """Return a transaction that runs a statement with some triggers disabled."""
    off = [f"alter table {table} disable trigger {trigger};" for trigger in triggers]
    on = [f"alter table {table} enable trigger {trigger};" for trigger in triggers]
    # Pending checks of deferred foreign keys would prevent altering the table.
    now = "set constraints all immediate;"
    return "\n".join(["begin;", *off, statement.strip(), now, *on, "commit;"])


def of_versions(statement: str, *more_triggers: str) -> str:
    """Return an update of versions without the triggers for frozen content and `updated_at`."""
    return without_triggers(
        "rule_40_frozen",
        "set_updated_at",
        *more_triggers,
        table="public.training_package_versions",
        statement=statement,
    )


def of_events(statement: str) -> str:
    """Return a change of the history, which is append-only otherwise."""
    return without_triggers(
        "rule_10_append_only",
        table="public.training_version_events",
        statement=statement,
    )
