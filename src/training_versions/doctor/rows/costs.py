"""Checks of the costs of versions: entries, sums, events and alerts."""

from __future__ import annotations

from training_versions.doctor.rows.check import RowCheck, owned_by_creator

_COSTS = "public.training_costs"

COSTS = (
    RowCheck(
        "cost-sum",
        "public.training_package_versions",
        """
        select v.label
        from v
        left join costs c on c.version_id = v.id
        where coalesce(v.actual_cost, 0) <> coalesce(c.total, 0)
            and v.actual_cost is distinct from 'NaN'
        """,
        """
begin;
alter table public.training_package_versions disable trigger record_75_cost;
update public.training_package_versions v set actual_cost = s.total
from (
    select v.id, sum(c.amount) as total
    from public.training_package_versions v
    left join public.training_costs c on c.version_id = v.id
    group by v.id
) as s
where s.id = v.id and coalesce(v.actual_cost, 0) <> coalesce(s.total, 0);
alter table public.training_package_versions enable trigger record_75_cost;
commit;
""",
    ),
    RowCheck(
        "cost-total",
        "training_versions_internal.cost_sums",
        """
        select v.label
        from v
        left join costs c on c.version_id = v.id
        left join training_versions_internal.cost_sums s on s.version_id = v.id
        where coalesce(s.total, 0) <> coalesce(c.total, 0)
        """,
        """
insert into training_versions_internal.cost_sums (version_id, total)
select v.id, coalesce(sum(c.amount), 0)
from public.training_package_versions v
left join public.training_costs c on c.version_id = v.id
group by v.id
on conflict (version_id) do update set total = excluded.total;
""",
    ),
    RowCheck(
        "cost-without-event",
        _COSTS,
        """
        select v.label
        from v
        left join costs c on c.version_id = v.id
        where not v.is_old and not v.is_imported and coalesce(c.number, 0) <> v.events_of_costs
        """,
        """
-- An event for each entry that has none: of one amount there are as many events as entries.
insert into public.training_version_events
    (package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at, details)
select
    v.package_id, v.id, v.version_number, v.created_by, 'cost_recorded', c.recorded_by,
    c.recorded_at, jsonb_build_object('amount', c.amount, 'key', c.key, 'repaired', true)
from (
    select c.*, row_number() over (
        partition by c.version_id, c.amount order by c.recorded_at desc
    ) as place
    from public.training_costs c
) as c
join public.training_package_versions v on v.id = c.version_id
where c.place <= (
        select count(*) from public.training_costs o
        where o.version_id = c.version_id and o.amount = c.amount
    ) - (
        select count(*) from public.training_version_events e
        where e.version_id = c.version_id and e.kind = 'cost_recorded' and e.source is null
            and (e.details ->> 'amount')::numeric = c.amount
    )
    and c.note is distinct from 'carried over';
-- And an entry for each event that has none.
insert into public.training_costs
    (version_id, owner_id, amount, note, key, recorded_at, recorded_by)
select
    e.version_id, v.created_by, (e.details ->> 'amount')::numeric, e.details ->> 'note',
    coalesce(e.details ->> 'key', 'event ' || e.id), e.occurred_at, e.actor_id
from (
    select e.*, row_number() over (
        partition by e.version_id, (e.details ->> 'amount')::numeric order by e.id desc
    ) as place
    from public.training_version_events e
    where e.kind = 'cost_recorded' and e.source is null
) as e
join public.training_package_versions v on v.id = e.version_id
where e.place <= (
        select count(*) from public.training_version_events o
        where o.version_id = e.version_id and o.kind = 'cost_recorded' and o.source is null
            and (o.details ->> 'amount')::numeric = (e.details ->> 'amount')::numeric
    ) - (
        select count(*) from public.training_costs c
        where c.version_id = e.version_id and c.amount = (e.details ->> 'amount')::numeric
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
        "alert-without-event",
        _COSTS,
        """
        select v.label
        from v
        left join costs c on c.version_id = v.id
        where not v.is_old and not v.is_imported and coalesce(c.alerts, 0) <> v.events_of_alerts
        """,
        """
insert into public.training_version_events
    (package_id, version_id, version_number, owner_id, kind, occurred_at, details)
select
    v.package_id, v.id, v.version_number, v.created_by, 'cost_alert', c.recorded_at,
    jsonb_build_object(
        'share', s.share, 'actual_cost', v.actual_cost, 'budget_limit', v.budget_limit,
        'repaired', true
    )
from public.training_costs c
cross join unnest(c.alerts) as s (share)
join public.training_package_versions v on v.id = c.version_id
where not exists (
    select from public.training_version_events e
    where e.version_id = v.id and e.kind = 'cost_alert' and e.details -> 'share' = to_jsonb(s.share)
);
-- And for each event that no entry knows of, the entry before it.
update public.training_costs c set alerts = c.alerts || m.shares
from (
    select array_agg((e.details ->> 'share')::integer) as shares, (
        select n.id from public.training_costs n
        where n.version_id = e.version_id
        order by n.recorded_at <= e.occurred_at desc, abs(
            extract(epoch from n.recorded_at - e.occurred_at)
        )
        limit 1
    ) as cost_id
    from public.training_version_events e
    join public.training_package_versions v on v.id = e.version_id
    where e.kind = 'cost_alert' and e.source is null
        and not exists (
            select from public.training_costs o
            where o.version_id = e.version_id and (e.details ->> 'share')::integer = any (o.alerts)
        )
        and not exists (
            select from public.training_version_events o
            where o.version_id = v.id and o.source is null
                and (o.kind in ('imported', 'deleted') or o.details ? 'backfilled')
        )
    group by cost_id
) as m
where c.id = m.cost_id;
""",
    ),
    owned_by_creator("cost-owner", _COSTS),
)
