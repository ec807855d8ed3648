"""Checks that the history of versions agrees with the versions."""

from __future__ import annotations

from training_versions.doctor.rows.check import RowCheck, of_events, of_versions

_EVENTS = "public.training_version_events"

_INSERT = """
insert into public.training_version_events
    (package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at, details)
"""

# A new version may have the id of a deleted draft. The events before the deletion are not those of
# the new version.
_FIRST_LIFE = """not exists (
                select from training_versions_internal.deletions d where d.id = v.id
            )"""

# Duplicates of events that happen once in the life of a version or a run. The number of deletions
# before an event tells to which life it belongs.
_DOUBLED = """
    select d.id, d.version_id
    from (
        select
            l.id, l.version_id, l.kind,
            row_number() over (
                partition by l.version_id, l.life, l.once order by l.id
            ) as place
        from (
            select
                e.id, e.version_id, e.kind,
                count(*) filter (where e.kind = 'deleted') over (
                    partition by e.version_id order by e.id rows between unbounded preceding
                    and 1 preceding
                ) as life,
                case
                    when e.kind in ('created', 'restored', 'forked', 'imported') then 'begun'
                    when e.kind in ('published', 'archived', 'deleted') then e.kind
                    when e.details ->> 'run_id' is not null
                        then (e.kind = 'training_started') || (e.details ->> 'run_id')
                    else concat_ws(' ', e.kind, e.occurred_at, e.details)
                end as once
            from public.training_version_events e
            where e.source is null
        ) as l
    ) as d
    where d.place > 1
"""
_DELETED_AND_THERE = """
    select e.id, e.version_id
    from public.training_version_events e
    join public.training_package_versions t on t.id = e.version_id
    where e.kind = 'deleted' and e.source is null and not exists (
        select from public.training_version_events n
        where n.version_id = e.version_id and n.id > e.id and n.source is null
            and n.kind in ('created', 'restored', 'forked', 'imported')
    )
"""

HISTORY = (
    RowCheck(
        "history-without-beginning",
        _EVENTS,
        """
        select v.label from v where v.events_begun = 0
        """,
        _INSERT
        + """select
    v.package_id, v.id, v.version_number, v.created_by,
    coalesce(o.kind, 'created'), v.created_by, v.created_at,
    coalesce(o.details, '{}') || '{"repaired": true}'
from public.training_package_versions v
left join training_versions_internal.version_origins o on o.version_id = v.id
where not exists (
    select from public.training_version_events e
    where e.version_id = v.id and e.source is null
        and e.kind in ('created', 'restored', 'forked', 'imported')
);
""",
    ),
    RowCheck(
        "history-of-publishing",
        _EVENTS,
        """
        select v.label from v
        where not v.is_old and not v.is_imported
            and (
                v.status in ('published', 'archived') and v.events_published = 0
                or v.status = 'archived' and v.events_archived = 0
            )
        """,
        _INSERT
        + """select
    v.package_id, v.id, v.version_number, v.created_by, k.kind, k.actor_id,
    coalesce(k.occurred_at, v.updated_at), jsonb_build_object('name', v.name, 'repaired', true)
from public.training_package_versions v
cross join lateral (
    values ('published', v.published_by, v.published_at), ('archived', null, v.updated_at)
) as k (kind, actor_id, occurred_at)
where (v.status = k.kind or v.status = 'archived')
    and not exists (
        select from public.training_version_events e
        where e.version_id = v.id and e.kind = k.kind and e.source is null
    )
    and not exists (
        select from public.training_version_events e
        where e.version_id = v.id and e.source is null
            and (e.kind = 'imported' or e.details ? 'backfilled')
    );
""",
    ),
    RowCheck(
        "status-went-back",
        "public.training_package_versions",
        """
        select v.label from v
        where v.status = 'draft' and v.events_published + v.events_archived > 0
            or v.status = 'published' and v.events_archived > 0
        """,
        of_versions(
            """
-- Freezes them again, as they are now: compare them with a backup first.
update public.training_package_versions v
set status = s.status,
    published_at = coalesce(v.published_at, s.published_at),
    published_by = coalesce(v.published_by, s.published_by, v.created_by)
from (
    select
        e.version_id,
        case when bool_or(e.kind = 'archived') then 'archived' else 'published' end as status,
        min(e.occurred_at) filter (where e.kind = 'published') as published_at,
        (array_agg(e.actor_id) filter (where e.kind = 'published'))[1] as published_by
    from public.training_version_events e
    where e.kind in ('published', 'archived') and e.source is null
    group by e.version_id
) as s
where s.version_id = v.id
    and (v.status = 'draft' or v.status = 'published' and s.status = 'archived');
select training_versions_internal.move_pointers(c.id) from public.training_configs c;
""",
            "rule_45_status_order",
            "rule_50_sign",
            "record_12_status",
        ),
    ),
    RowCheck(
        "origin-disagrees",
        _EVENTS,
        """
        select v.label from v
        where v.events_begun > 0 and v.origin is distinct from v.events_origin
        """,
        of_events(
            """
update public.training_version_events e set kind = o.kind, details = o.details
from training_versions_internal.version_origins o
where o.version_id = e.version_id and e.kind = 'created' and e.source is null
    and not exists (
        select from public.training_version_events t
        where t.version_id = o.version_id and t.kind = o.kind and t.source is null
    );
insert into training_versions_internal.version_origins (version_id, kind, details)
select e.version_id, e.kind, e.details
from public.training_version_events e
join public.training_package_versions v on v.id = e.version_id
where e.kind in ('restored', 'forked', 'imported') and e.source is null
    and not exists (select from training_versions_internal.deletions d where d.id = v.id)
on conflict do nothing;
"""
        ),
    ),
    RowCheck(
        "event-doubled",
        _EVENTS,
        """
        select v.label from v
        where v.events_begun > 1 or v.events_published > 1 or v.events_archived > 1
        union
        select v.label
        from v
        join (
            select e.version_id
            from public.training_version_events e
            where e.source is null and e.details ->> 'run_id' is not null
            group by e.version_id, e.details ->> 'run_id', e.kind = 'training_started'
            having count(*) > 1
            union all
            select e.version_id
            from public.training_version_events e
            where e.source is null and e.kind in ('deployed', 'undeployed', 'cost_recorded')
            group by e.version_id, e.kind, e.occurred_at, e.details
            having count(*) > 1
        ) as x on x.version_id = v.id
        """,
        of_events(
            f"""
delete from public.training_version_events e
using ({_DOUBLED}) as x
where x.id = e.id;
"""
        ),
    ),
    RowCheck(
        "deleted-and-there",
        _EVENTS,
        f"""
        select distinct v.label
        from v
        join ({_DELETED_AND_THERE}) as x on x.version_id = v.id
        """,
        of_events(
            f"""
delete from public.training_version_events e
using ({_DELETED_AND_THERE}) as x
where x.id = e.id;
"""
        ),
    ),
    RowCheck(
        "deletion-without-event",
        _EVENTS,
        """
        select p.label || ', number ' || d.version_number as label
        from training_versions_internal.deletions d
        join p on p.id = d.package_id
        where d.version_number is not null and not exists (
            select from public.training_version_events e
            where e.version_id = d.id and e.version_number = d.version_number
                and e.kind = 'deleted' and e.source is null
        )
        """,
        _INSERT
        + """select
    d.package_id, d.id, d.version_number, d.owner_id, 'deleted', null, d.deleted_at,
    '{"repaired": true}'
from training_versions_internal.deletions d
join public.training_configs c on c.id = d.package_id
where d.version_number is not null and not exists (
    select from public.training_version_events e
    where e.version_id = d.id and e.version_number = d.version_number
        and e.kind = 'deleted' and e.source is null
);
""",
    ),
    RowCheck(
        "deletion-not-recorded",
        "training_versions_internal.deletions",
        """
        select p.label || ', number ' || d.version_number as label
        from public.training_version_events d
        join p on p.id = d.package_id
        where d.kind = 'deleted' and d.source is null
            and not exists (select from v where v.id = d.version_id)
            and not exists (
                select from training_versions_internal.deletions r
                where r.id = d.version_id and r.version_number = d.version_number
            )
        """,
        """
insert into training_versions_internal.deletions
    (id, package_id, version_number, owner_id, deleted_at)
select e.version_id, e.package_id, e.version_number, e.owner_id, e.occurred_at
from public.training_version_events e
where e.kind = 'deleted' and e.source is null
    and not exists (select from public.training_package_versions v where v.id = e.version_id)
    and not exists (
        select from training_versions_internal.deletions r
        where r.id = e.version_id and r.version_number = e.version_number
    );
""",
    ),
    RowCheck(
        "deployment-without-event",
        _EVENTS,
        """
        select v.label
        from v
        left join (
            select
                d.version_id, count(*) as began, count(d.ended_at) as ended
            from public.training_deployments d
            group by d.version_id
        ) as d on d.version_id = v.id
        where not v.is_old
            and (coalesce(d.began, 0), coalesce(d.ended, 0))
                <> (v.events_deployed, v.events_undeployed)
        """,
        _INSERT
        + """select
    v.package_id, v.id, v.version_number, v.created_by, k.kind, k.actor_id, k.occurred_at,
    jsonb_build_object('target', d.target, 'url', d.url, 'repaired', true)
from public.training_deployments d
join public.training_package_versions v on v.id = d.version_id
cross join lateral (
    values ('deployed', d.started_by, d.started_at), ('undeployed', d.ended_by, d.ended_at)
) as k (kind, actor_id, occurred_at)
where k.occurred_at is not null and not exists (
    -- The event is written right after the deployment began, or ended.
    select from public.training_version_events e
    where e.version_id = v.id and e.kind = k.kind and e.source is null
        and e.details ->> 'target' = d.target
        and e.occurred_at between k.occurred_at and k.occurred_at + interval '10 seconds'
);
-- And a deployment for each event that has none.
insert into public.training_deployments
    (package_id, version_id, version_number, owner_id, target, url, started_at, started_by,
    ended_at)
select
    v.package_id, v.id, v.version_number, v.created_by, e.details ->> 'target',
    e.details ->> 'url', e.occurred_at, e.actor_id, (
        select min(u.occurred_at) from public.training_version_events u
        where u.version_id = e.version_id and u.kind = 'undeployed' and u.id > e.id
            and u.source is null and u.details ->> 'target' = e.details ->> 'target'
    )
from public.training_version_events e
join public.training_package_versions v on v.id = e.version_id
where e.kind = 'deployed' and e.source is null
    and not exists (
        select from public.training_deployments d
        where d.version_id = e.version_id and d.target = e.details ->> 'target'
            and e.occurred_at between d.started_at and d.started_at + interval '10 seconds'
            and not exists (
                -- The event of that one is another.
                select from public.training_version_events o
                where o.version_id = e.version_id and o.kind = 'deployed' and o.id < e.id
                    and o.source is null and o.details ->> 'target' = d.target
                    and o.occurred_at >= d.started_at
            )
    )
    and not exists (
        select from public.training_version_events o
        where o.version_id = v.id and o.source is null
            and (o.kind in ('imported', 'deleted') or o.details ? 'backfilled')
    )
on conflict do nothing;
""",
    ),
    RowCheck(
        "event-version",
        _EVENTS,
        f"""
        select distinct v.label
        from public.training_version_events x
        join v on v.id = x.version_id
        where (x.package_id, x.version_number) is distinct from (v.package_id, v.version_number)
            and {_FIRST_LIFE}
        """,
        of_events(
            """
update public.training_version_events e
set package_id = v.package_id, version_number = v.version_number
from public.training_package_versions v
where v.id = e.version_id
    and (e.package_id, e.version_number) is distinct from (v.package_id, v.version_number)
    and not exists (select from training_versions_internal.deletions d where d.id = v.id);
"""
        ),
    ),
    RowCheck(
        "event-owner",
        _EVENTS,
        f"""
        select distinct v.label
        from public.training_version_events x
        join v on v.id = x.version_id
        where x.owner_id is distinct from v.created_by
            and {_FIRST_LIFE}
        """,
        of_events(
            """
update public.training_version_events e set owner_id = v.created_by
from public.training_package_versions v
where v.id = e.version_id and e.owner_id is distinct from v.created_by
    and not exists (select from training_versions_internal.deletions d where d.id = v.id);
"""
        ),
    ),
)
