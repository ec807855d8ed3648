-- Cost: entries that add up to actual_cost, and an alert when a share of the budget is crossed.
--
-- Touches: creates public.training_costs; versions that have an actual_cost get one entry that carries it over.
-- For operators: the service role goes on writing actual_cost directly; the difference becomes an entry.

create table if not exists public.training_costs (
    id uuid primary key default gen_random_uuid(),
    version_id uuid not null references public.training_package_versions (id) on delete cascade,
    owner_id uuid,
    amount numeric(10, 2) not null,
    note text,
    key text not null,
    alerts integer[] not null default '{}',
    recorded_at timestamptz not null default clock_timestamp(),
    recorded_by uuid,

    constraint counts_once unique (version_id, key)
);
comment on table public.training_costs is
    'What training a version cost, entry by entry. Invariant: actual_cost is their sum; written by the database only.';
comment on column public.training_costs.alerts is 'The shares of the budget, in percent, that this entry crossed.';

alter table public.training_costs enable row level security;
drop policy if exists "Users can view own costs" on public.training_costs;
create policy "Users can view own costs" on public.training_costs
    for select to authenticated
    using ((select auth.uid()) = owner_id);
revoke all on table public.training_costs from public, anon, authenticated, service_role;
grant select on table public.training_costs to authenticated, service_role;

-- Nobody writes a cost between what is carried over and the triggers below.
do $$
begin
    lock table public.training_package_versions in share row exclusive mode;
    insert into public.training_costs (version_id, owner_id, amount, note, key, recorded_at)
    select v.id, v.created_by, v.actual_cost, 'carried over', v.id::text, v.updated_at
    from public.training_package_versions v
    where v.actual_cost <> 'NaN'
        and not exists (select from public.training_costs c where c.version_id = v.id);
end
$$;

-- What was alerted of is found without reading every entry.
create index if not exists idx_training_costs_alerts on public.training_costs (version_id) where alerts <> '{}';

-- What is written to actual_cost directly becomes an entry, so that the sum stays true. Definer: nobody is granted them.
create or replace function training_versions_internal.record_direct_cost()
returns trigger
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    difference numeric := coalesce(new.actual_cost, 0);
begin
    if tg_op = 'UPDATE' then
        -- Less what record_cost has made an entry of.
        difference := difference - coalesce(nullif(old.actual_cost, 'NaN'), 0) - coalesce((
            select c.amount
            from public.training_costs c
            where c.version_id = new.id
                and c.id = nullif(current_setting('training_versions.entry_id', true), '')::pg_catalog.uuid
        ), 0);
    end if;
    if difference <> 0 then
        insert into public.training_costs (version_id, owner_id, amount, note, key, recorded_by)
        values (
            new.id, new.created_by, difference, 'written to actual_cost',
            gen_random_uuid()::pg_catalog.text, auth.uid()
        );
        -- The history of an imported version comes with it.
        if not training_versions_internal.is_importing() then
            perform training_versions_internal.record_event(
                new, 'cost_recorded', jsonb_build_object('amount', difference)
            );
        end if;
    end if;
    return null;
end
$$;
create or replace trigger record_direct_cost
    after update of actual_cost on public.training_package_versions
    for each row
    when (new.actual_cost is distinct from old.actual_cost)
    execute function training_versions_internal.record_direct_cost();
create or replace trigger record_direct_cost_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.actual_cost is not null)
    execute function training_versions_internal.record_direct_cost();

-- What recording a cost answers: the entry, and what its version cost with it.
create or replace function training_versions_internal.recorded_cost(
    p_entry public.training_costs,
    p_version public.training_package_versions
)
returns jsonb
immutable
security invoker
set search_path = ''
language sql
as $$
    select to_jsonb(p_entry) - 'owner_id'
        || jsonb_build_object('actual_cost', p_version.actual_cost, 'budget_limit', p_version.budget_limit)
$$;

-- Under the lock on the version: the entry, the sum, and the shares that are crossed now and were not before. Whoever
-- made the entry is told its alerts, also when asking again with its id; who only brings its key is not.
create or replace function training_versions_internal.record_cost(
    p_version_id uuid,
    p_amount numeric,
    p_note text,
    p_key text,
    p_alert_at integer[],
    p_entry_id uuid
)
returns jsonb
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    entry public.training_costs;
    spent pg_catalog.numeric;
    sent pg_catalog.jsonb;
    share integer;
begin
    if p_amount is null then
        perform training_versions_internal.check_cost('amount', 'NaN');
    end if;
    perform training_versions_internal.check_cost('amount', p_amount);
    if p_note is not null then
        perform training_versions_internal.check_text('note', p_note, 1000);
    end if;
    if p_key is not null then
        perform training_versions_internal.check_text('key', p_key, 255);
    end if;
    if exists (select from unnest(p_alert_at) as s where s is null or s not between 1 and 1000) then
        raise exception using
            errcode = 'TV306',
            message = 'alert_at must be shares of the budget between 1 and 1000 percent',
            detail = jsonb_build_object('field', 'alert_at')::pg_catalog.text,
            hint = 'Whole numbers, such as 50, 80 and 100.';
    end if;
    version := training_versions_internal.take_version(p_version_id);

    select * into entry from public.training_costs c where c.id = p_entry_id;
    if found then
        if (entry.version_id, entry.amount, entry.key)
            is distinct from (p_version_id, p_amount, coalesce(p_key, entry.key))
        then
            perform training_versions_internal.refuse_taken_id(p_entry_id, 'is another entry''s already');
        end if;
        return training_versions_internal.recorded_cost(entry, version);
    end if;
    select * into entry from public.training_costs c where c.version_id = p_version_id and c.key = p_key;
    if found then
        entry.alerts := '{}';  -- told to whoever made it
        if entry.amount <> p_amount then
            raise exception using
                errcode = 'TV204',
                message = format('the key %s is that of an entry of %s already', p_key, entry.amount),
                detail = jsonb_build_object('key', p_key, 'amount', entry.amount)::pg_catalog.text,
                hint = 'Use a new key for a new entry.';
        end if;
    else
        spent := coalesce(version.actual_cost, 0) + p_amount;
        if spent > 99999999.99 then
            raise exception using
                errcode = 'TV306',
                message = 'actual_cost would be more than 99,999,999.99',
                detail = jsonb_build_object('field', 'amount')::pg_catalog.text,
                hint = 'That is the most the column holds.';
        end if;
        -- What entries alerted of stays sent, whatever a client wrote to the column since. Older clients may have kept a
        -- list of shares there.
        sent := (
            select coalesce(jsonb_object_agg(s::pg_catalog.text, c.recorded_at order by c.recorded_at), '{}')
            from public.training_costs c
            cross join lateral unnest(c.alerts) as s
            where c.version_id = p_version_id and c.alerts <> '{}'
        ) || case jsonb_typeof(version.cost_alerts_sent)
            when 'object' then version.cost_alerts_sent
            when 'array' then (
                select coalesce(jsonb_object_agg(a #>> '{}', null), '{}')
                from jsonb_array_elements(version.cost_alerts_sent) as a
                where jsonb_typeof(a) <> 'null'
            )
            else '{}'
        end;
        p_entry_id := coalesce(p_entry_id, gen_random_uuid());
        insert into public.training_costs (id, version_id, owner_id, amount, note, key, alerts, recorded_by)
        values (
            p_entry_id, version.id, version.created_by, p_amount, p_note,
            coalesce(p_key, p_entry_id::pg_catalog.text),
            (
                select coalesce(array_agg(distinct s order by s), '{}')
                from unnest(p_alert_at) as s
                where spent > 0
                    and spent * 100 >= version.budget_limit * s
                    -- Anew where the budget was raised since, or the sum lowered.
                    and (not sent ? s::pg_catalog.text or (spent - p_amount) * 100 < version.budget_limit * s)
            ),
            auth.uid()
        )
        on conflict (id) do nothing
        returning * into entry;
        if not found then
            perform training_versions_internal.refuse_taken_id(p_entry_id, 'is another entry''s already');
        end if;
        perform set_config('training_versions.entry_id', entry.id::pg_catalog.text, true);
        update public.training_package_versions
        set actual_cost = spent,
            cost_alerts_sent = case
                when entry.alerts = '{}' then cost_alerts_sent
                else sent || (
                    select jsonb_object_agg(s::pg_catalog.text, entry.recorded_at) from unnest(entry.alerts) as s
                )
            end
        where id = p_version_id
        returning * into version;
        perform set_config('training_versions.entry_id', '', true);
        perform training_versions_internal.record_event(
            version, 'cost_recorded', jsonb_build_object('amount', p_amount, 'note', p_note, 'key', p_key)
        );
        foreach share in array entry.alerts loop
            perform training_versions_internal.record_event(
                version, 'cost_alert',
                jsonb_build_object(
                    'share', share, 'actual_cost', version.actual_cost, 'budget_limit', version.budget_limit
                )
            );
        end loop;
    end if;
    return training_versions_internal.recorded_cost(entry, version);
end
$$;

revoke all on function
    training_versions_internal.record_direct_cost(),
    training_versions_internal.recorded_cost(public.training_costs, public.training_package_versions),
    training_versions_internal.record_cost(uuid, numeric, text, text, integer[], uuid)
from public, anon, authenticated, service_role;
grant execute on function
    training_versions_internal.record_cost(uuid, numeric, text, text, integer[], uuid)
to authenticated, service_role;

create or replace function public.record_training_cost(
    p_version_id uuid,
    p_amount numeric,
    p_note text default null,
    p_key text default null,
    p_alert_at integer[] default '{50,80,100}',
    p_entry_id uuid default null
)
returns jsonb
volatile
security invoker
set search_path = ''
language sql
as $$
    select training_versions_internal.record_cost(p_version_id, p_amount, p_note, p_key, p_alert_at, p_entry_id)
$$;
comment on function public.record_training_cost(uuid, numeric, text, text, integer[], uuid) is
    'Adds a cost to a version; alerts are the shares of the budget that this call crossed. With the same p_key it counts once; with the same p_entry_id it answers the same again.';

create or replace function public.get_package_cost(p_package_id uuid)
returns jsonb
stable
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if not exists (select from public.training_configs c where c.id = p_package_id) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return (
        select jsonb_build_object(
            'package_id', p_package_id,
            'versions', count(*),
            'estimated_cost', coalesce(sum(v.estimated_cost), 0),
            'actual_cost', coalesce(sum(v.actual_cost), 0),
            'budget_limit', coalesce(sum(v.budget_limit), 0)
        )
        from public.training_package_versions v
        where v.package_id = p_package_id
    );
end
$$;
comment on function public.get_package_cost(uuid) is
    'Estimated, actual and budgeted cost of all versions of a package that the caller may see.';

revoke all on function
    public.record_training_cost(uuid, numeric, text, text, integer[], uuid),
    public.get_package_cost(uuid)
from public, anon, authenticated, service_role;
grant execute on function
    public.record_training_cost(uuid, numeric, text, text, integer[], uuid),
    public.get_package_cost(uuid)
to authenticated, service_role;
