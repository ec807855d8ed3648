"""Checks of training, its runs and curves, and of deployments."""

from __future__ import annotations

from training_versions.doctor.rows.check import RowCheck, of_versions, owned_by_creator

_RUNS = "public.training_runs"
_DEPLOYMENTS = "public.training_deployments"

_LOST_RUNS = """
    select
        (e.details ->> 'run_id')::uuid as id, e.version_id,
        min(e.occurred_at) as started_at,
        (array_agg(e.actor_id order by e.id))[1] as started_by,
        max(e.occurred_at) filter (where e.kind <> 'training_started') as ended_at,
        max(substr(e.kind, 10)) filter (where e.kind <> 'training_started') as status,
        max(e.details ->> 'reason') as reason
    from public.training_version_events e
    where e.source is null
        and e.kind in (
            'training_started', 'training_completed', 'training_failed', 'training_cancelled'
        )
        and not exists (
            select from public.training_runs r where r.id::text = e.details ->> 'run_id'
        )
        -- A draft that was deleted has taken its runs along.
        and not exists (
            select from public.training_version_events d
            where d.version_id = e.version_id and d.kind = 'deleted' and d.id > e.id
        )
    group by e.details ->> 'run_id', e.version_id
    having e.details ->> 'run_id' is not null
"""

TRAINING = (
    RowCheck(
        "run-not-running",
        _RUNS,
        """
        select v.label from v
        where v.training_status = 'running' and not v.is_old
            and not exists (
                select from public.training_runs r
                where r.version_id = v.id and r.status = 'running'
            )
        """,
        """
insert into public.training_runs (version_id, owner_id, started_at)
select v.id, v.created_by, coalesce(v.training_started_at, v.updated_at)
from public.training_package_versions v
where v.training_status = 'running'
on conflict do nothing;
insert into public.training_version_events
    (package_id, version_id, version_number, owner_id, kind, details)
select
    v.package_id, v.id, v.version_number, v.created_by, 'training_started',
    jsonb_build_object('run_id', r.id, 'repaired', true)
from public.training_runs r
join public.training_package_versions v on v.id = r.version_id
where r.status = 'running'
    and not exists (
        select from public.training_version_events e
        where e.version_id = v.id and e.details ->> 'run_id' = r.id::text
    );
""",
    ),
    RowCheck(
        "run-left-running",
        _RUNS,
        """
        select v.label
        from v
        join public.training_runs r on r.version_id = v.id
        where r.status = 'running' and v.training_status is distinct from 'running'
        """,
        of_versions(
            """
-- A version whose training has ended ends its run; any other one is being trained.
update public.training_runs r
set status = v.training_status,
    started_at = coalesce(v.training_started_at, r.started_at),
    ended_at = greatest(coalesce(v.training_completed_at, now()), r.started_at)
from public.training_package_versions v
where v.id = r.version_id and r.status = 'running'
    and v.training_status in ('completed', 'failed', 'cancelled');
update public.training_package_versions v
set training_status = 'running', training_started_at = r.started_at, training_completed_at = null
from public.training_runs r
where r.version_id = v.id and r.status = 'running'
    and v.training_status is distinct from 'running';
""",
            "rule_80_training",
            "record_80_training",
        ),
    ),
    RowCheck(
        "run-disagrees",
        _RUNS,
        """
        select v.label from v
        where not v.is_old
            and case
                when v.training_status in ('completed', 'failed', 'cancelled') then not exists (
                    select from public.training_runs r
                    where r.version_id = v.id and r.status in (v.training_status, 'running')
                )
                else v.training_status is distinct from 'running' and exists (
                    select from public.training_runs r
                    where r.version_id = v.id and r.status <> 'running'
                )
            end
        """,
        of_versions(
            """
-- The runs tell what happened.
update public.training_package_versions v
set training_status = r.status, training_started_at = r.started_at,
    training_completed_at = r.ended_at
from public.training_runs r
where r.id = (
        select l.id from public.training_runs l
        where l.version_id = v.id order by l.started_at desc limit 1
    )
    and (v.training_status is null or v.training_status <> 'running')
    and not exists (
        select from public.training_runs s
        where s.version_id = v.id and s.status is not distinct from v.training_status
    );
update public.training_package_versions v
set training_status = null, training_started_at = null, training_completed_at = null
where v.training_status in ('completed', 'failed', 'cancelled')
    and not exists (select from public.training_runs r where r.version_id = v.id)
    and not exists (
        select from public.training_version_events e
        where e.version_id = v.id and e.details ? 'backfilled'
    );
""",
            "rule_80_training",
            "record_80_training",
        ),
    ),
    RowCheck(
        "run-times",
        _RUNS,
        """
        select v.label from v
        where v.training_status is not null and v.training_status <> 'pending'
            and not v.is_old and not v.is_imported
            and exists (
                select from public.training_runs r
                where r.version_id = v.id and r.status = v.training_status
            )
            and not exists (
                select from public.training_runs r
                where r.version_id = v.id
                    and (r.status, r.started_at, r.ended_at) is not distinct from
                        (v.training_status, v.training_started_at, v.training_completed_at)
            )
        union
        select v.label
        from v
        join public.training_runs r on r.version_id = v.id
        where r.ended_at < r.started_at
        """,
        of_versions(
            """
update public.training_runs set ended_at = started_at where ended_at < started_at;
update public.training_package_versions v
set training_started_at = r.started_at, training_completed_at = r.ended_at
from public.training_runs r
where r.id = (
        select l.id from public.training_runs l
        where l.version_id = v.id and l.status = v.training_status
        order by l.started_at desc limit 1
    )
    and (v.training_started_at, v.training_completed_at)
        is distinct from (r.started_at, r.ended_at);
""",
            "rule_80_training",
        ),
    ),
    RowCheck(
        "run-without-event",
        _RUNS,
        """
        select v.label
        from public.training_runs r
        join v on v.id = r.version_id
        where not v.is_imported and not v.is_old
            and not exists (
                select from public.training_version_events e
                where e.version_id = v.id and e.details ->> 'run_id' = r.id::text
            )
        """,
        """
insert into public.training_version_events
    (package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at, details)
select
    v.package_id, v.id, v.version_number, v.created_by, 'training_started', r.started_by,
    r.started_at, jsonb_build_object('run_id', r.id, 'repaired', true)
from public.training_runs r
join public.training_package_versions v on v.id = r.version_id
where not exists (
    select from public.training_version_events e
    where e.version_id = v.id and e.details ->> 'run_id' = r.id::text
);
""",
    ),
    RowCheck(
        "event-without-run",
        _RUNS,
        f"""
        select distinct v.label
        from v
        join ({_LOST_RUNS}) as l on l.version_id = v.id
        """,
        f"""
-- As the history tells it; the points of its curve are gone. Of an end that it does not tell, all
-- that is known is that there was one, unless the version is being trained.
insert into public.training_runs
    (id, version_id, owner_id, status, started_at, ended_at, started_by, reason)
select
    l.id, l.version_id, v.created_by, coalesce(l.status, s.status), l.started_at,
    coalesce(l.ended_at, s.ended_at), l.started_by, l.reason
from ({_LOST_RUNS}) as l
join public.training_package_versions v on v.id = l.version_id
cross join lateral (
    select 'running' as status, null::timestamptz as ended_at
    where v.training_status = 'running'
    union all
    select 'cancelled', l.started_at
    where v.training_status is distinct from 'running'
) as s
on conflict do nothing;
""",
    ),
    owned_by_creator("run-owner", _RUNS),
    RowCheck(
        "point-owner",
        "public.training_metric_points",
        """
        select distinct v.label
        from public.training_metric_points p
        join public.training_runs r on r.id = p.run_id
        join v on v.id = r.version_id
        where p.owner_id is distinct from v.created_by
        """,
        """
update public.training_metric_points p set owner_id = v.created_by
from public.training_runs r
join public.training_package_versions v on v.id = r.version_id
where r.id = p.run_id and p.owner_id is distinct from v.created_by;
""",
    ),
    RowCheck(
        "point-not-finite",
        "public.training_metric_points",
        """
        select distinct p.name || ' of run ' || p.run_id as label
        from public.training_metric_points p
        where p.value in ('NaN', 'Infinity', '-Infinity')
        """,
        """
delete from public.training_metric_points where value in ('NaN', 'Infinity', '-Infinity');
""",
    ),
)

DEPLOYMENTS = (
    RowCheck(
        "deployed-without-deployment",
        _DEPLOYMENTS,
        """
        select v.label from v
        where v.is_deployed and not v.is_old
            and not exists (
                select from public.training_deployments d
                where d.version_id = v.id and d.ended_at is null
            )
        """,
        """
-- As if the version were taken down; deploy it again if it is live.
begin;
alter table public.training_package_versions disable trigger record_70_deployment;
update public.training_package_versions v
set is_deployed = false, deployment_target = null, deployment_url = null, deployment_id = null
where v.is_deployed and not exists (
    select from public.training_deployments d where d.version_id = v.id and d.ended_at is null
);
alter table public.training_package_versions enable trigger record_70_deployment;
commit;
""",
    ),
    RowCheck(
        "live-not-shown",
        _DEPLOYMENTS,
        """
        select v.label from v
        where v.status = 'published'
            and exists (
                select from public.training_deployments d
                where d.version_id = v.id and d.ended_at is null
            )
            and not exists (
                select from public.training_deployments d
                where d.version_id = v.id and d.ended_at is null
                    and v.is_deployed
                    and (d.target, d.url, d.deployment_id) is not distinct from
                        (v.deployment_target, v.deployment_url, v.deployment_id)
            )
        """,
        """
begin;
alter table public.training_package_versions disable trigger record_70_deployment;
select training_versions_internal.show_deployment(d.version_id)
from public.training_deployments d
where d.ended_at is null;
alter table public.training_package_versions enable trigger record_70_deployment;
commit;
""",
    ),
    RowCheck(
        "live-not-published",
        _DEPLOYMENTS,
        """
        select v.label
        from public.training_deployments d
        join v on v.id = d.version_id
        where d.ended_at is null and v.status <> 'published'
        """,
        """
select
    training_versions_internal.end_deployments(v.id, null, clock_timestamp()),
    training_versions_internal.show_deployment(v.id)
from public.training_package_versions v
where v.status <> 'published' and exists (
    select from public.training_deployments d where d.version_id = v.id and d.ended_at is null
);
""",
    ),
    RowCheck(
        "deployment-version",
        _DEPLOYMENTS,
        """
        select v.label
        from public.training_deployments d
        join v on v.id = d.version_id
        where (d.package_id, d.version_number) is distinct from (v.package_id, v.version_number)
        """,
        """
update public.training_deployments d
set package_id = v.package_id, version_number = v.version_number
from public.training_package_versions v
where v.id = d.version_id
    and (d.package_id, d.version_number) is distinct from (v.package_id, v.version_number);
""",
    ),
    RowCheck(
        "deployments-overlap",
        _DEPLOYMENTS,
        """
        select p.label || ' at ' || o.target as label
        from (
            select
                d.package_id, d.target, d.ended_at, d.started_at,
                lead(d.started_at) over (
                    partition by d.package_id, d.target order by d.started_at, d.ended_at
                ) as next_started_at
            from public.training_deployments d
        ) as o
        join p on p.id = o.package_id
        where o.next_started_at < coalesce(o.ended_at, 'infinity')
        """,
        """
update public.training_deployments d set ended_at = n.next_started_at
from (
    select d.id, lead(d.started_at) over (
        partition by d.package_id, d.target order by d.started_at, d.ended_at
    ) as next_started_at
    from public.training_deployments d
) as n
where n.id = d.id and n.next_started_at < coalesce(d.ended_at, 'infinity');
""",
    ),
    owned_by_creator("deployment-owner", _DEPLOYMENTS),
)
