-- Cost: entries that add up to actual_cost, and an alert when a share of the budget is crossed.
--
-- Touches: creates public.training_costs and the view training_cost_entries; versions that have an
--   actual_cost get one entry that carries it over.
-- For operators: the service role may go on writing actual_cost directly; the difference becomes an
--   entry.
--
-- How a cost is written: record_cost inserts the entry and then adds its amount to actual_cost. The
-- trigger on actual_cost finds that the entries add up to it. Where a client wrote actual_cost
-- itself they do not, and the trigger inserts an entry of the difference.
--
-- The order in which triggers fire is explained in 20261122000020.

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
    'training-versions: '
    'What training a version cost, entry by entry. Invariant: actual_cost is their sum. '
    'Written by the database only.';
comment on column public.training_costs.alerts is
    'The shares of the budget, in percent, that this entry crossed.';

-- Entries with the package and the number of their version, for lists.
create or replace view public.training_cost_entries
with (security_invoker = true)
as
select
    c.id,
    c.version_id,
    v.package_id,
    v.version_number,
    c.amount,
    c.note,
    c.key,
    c.alerts,
    c.recorded_at,
    c.recorded_by
from public.training_costs c
join public.training_package_versions v on v.id = c.version_id;
comment on view public.training_cost_entries is
    'training-versions: '
    'Cost entries with the package and the number of their version. Whoever sees both sees one.';

create table if not exists training_versions_internal.cost_sums (
    version_id uuid primary key
        references public.training_package_versions (id) on delete cascade,
    total numeric not null
);
comment on table training_versions_internal.cost_sums is
    'The sum of the entries of a version, kept so that no write has to read them all.';

alter table training_versions_internal.cost_sums enable row level security;
alter table public.training_costs enable row level security;
drop policy if exists "Users can view own costs" on public.training_costs;
create policy "Users can view own costs" on public.training_costs
    for select to authenticated
    using ((select auth.uid()) = owner_id);

-- The entries that older columns imply. Nobody may write a cost between the two statements and the
-- triggers below. The new foreign keys above keep writers out until this file is applied, as in
-- 20261122000060; but where the tables were there already, no foreign key is made, and the sums
-- must not be taken while a cost comes in. Hence a lock.
do $$
begin
    lock table public.training_package_versions in share row exclusive mode;
    insert into public.training_costs (version_id, owner_id, amount, note, key, recorded_at)
    select v.id, v.created_by, v.actual_cost, 'carried over', v.id::text, v.updated_at
    from public.training_package_versions v
    where v.actual_cost <> 'NaN'
        and not exists (select from public.training_costs c where c.version_id = v.id);
    insert into training_versions_internal.cost_sums (version_id, total)
    select c.version_id, sum(c.amount) from public.training_costs c group by c.version_id
    on conflict do nothing;
end
$$;

-- Finds the entries that sent alerts (sent_alerts) without reading every entry.
create index if not exists idx_training_costs_alerts
    on public.training_costs (version_id) where alerts <> '{}';

comment on column public.training_package_versions.cost_alerts_sent is
    'A JSON array of the shares of the budget, in percent, that alerts were sent for.';

-- Inserts an entry, and adds its amount to the sum. Runs as the definer function that calls it.
create or replace function training_versions_internal.insert_cost_entry(
    p_version public.training_package_versions,
    p_amount numeric,
    p_note text,
    p_key text,
    p_alerts integer[],
    p_entry_id uuid
)
returns public.training_costs
set search_path = ''
language plpgsql
as $$
declare
    entry public.training_costs;
begin
    insert into public.training_costs
        (id, version_id, owner_id, amount, note, key, alerts, recorded_by)
    values (
        p_entry_id, p_version.id, p_version.created_by, p_amount, p_note,
        coalesce(p_key, p_entry_id::pg_catalog.text), p_alerts, auth.uid()
    )
    on conflict (id) do nothing
    returning * into entry;
    if not found then
        perform training_versions_internal.refuse_taken_id(
            p_entry_id, 'is another entry''s already'
        );
    end if;
    insert into training_versions_internal.cost_sums as s (version_id, total)
    values (p_version.id, p_amount)
    on conflict (version_id) do update set total = s.total + excluded.total;
    return entry;
end
$$;

-- The change that a client makes to actual_cost becomes an entry, so that the entries add up to it.
-- Definer, because nobody is granted a write to them.
create or replace function training_versions_internal.record_direct_cost()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    recorded numeric;
    difference numeric;
begin
    select s.total into recorded
    from training_versions_internal.cost_sums s
    where s.version_id = new.id;
    difference := coalesce(new.actual_cost, 0) - coalesce(recorded, 0);
    if difference = 0 then
        return null;
    end if;
    perform training_versions_internal.insert_cost_entry(
        new, difference, 'written to actual_cost', null, '{}', gen_random_uuid()
    );
    -- The events of an imported version are imported with it.
    if not training_versions_internal.is_importing() then
        perform training_versions_internal.record_event(
            new.id, 'cost_recorded', jsonb_build_object('amount', difference)
        );
    end if;
    return null;
end
$$;
create or replace trigger record_75_cost
    after update of actual_cost on public.training_package_versions
    for each row
    when (new.actual_cost is distinct from old.actual_cost)
    execute function training_versions_internal.record_direct_cost();
create or replace trigger record_75_cost_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.actual_cost is not null)
    execute function training_versions_internal.record_direct_cost();

--
-- Recording a cost: check the arguments, look for an earlier call, write. Called by record_cost,
-- and run as its definer.
--

-- Checks the arguments of record_cost.
create or replace function training_versions_internal.check_cost_entry(
    p_amount numeric,
    p_note text,
    p_key text,
    p_alert_at integer[]
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    -- The check lets null pass, for columns that may be empty; an amount may not.
    perform training_versions_internal.check_cost('amount', coalesce(p_amount, 'NaN'));
    if p_note is not null then
        perform training_versions_internal.check_text('note', p_note, 1000);
    end if;
    if p_key is not null then
        perform training_versions_internal.check_text('key', p_key, 255);
    end if;
    if exists (select from unnest(p_alert_at) as s where s is null or s not between 1 and 1000) then
        perform training_versions_internal.refuse_value(
            'alert_at',
            'alert_at must be shares of the budget between 1 and 1000 percent',
            'Whole numbers, such as 50, 80 and 100.'
        );
    end if;
end
$$;

-- The entry that an earlier call made, found by its id or its key; null if there is none. Refuses
-- an id or a key that belongs to another entry. A repeat with the entry's id comes from the caller
-- that made it and gets its alerts again; one with the same key may come from another, and gets
-- none, so that each alert is sent once.
create or replace function training_versions_internal.find_cost_entry(
    p_version_id uuid,
    p_amount numeric,
    p_key text,
    p_entry_id uuid
)
returns public.training_costs
set search_path = ''
language plpgsql
as $$
declare
    entry public.training_costs;
begin
    select * into entry from public.training_costs c where c.id = p_entry_id;
    if found then
        if (entry.version_id, entry.amount, entry.key)
            is distinct from (p_version_id, p_amount, coalesce(p_key, entry.key))
        then
            perform training_versions_internal.refuse_taken_id(
                p_entry_id, 'is another entry''s already'
            );
        end if;
        return entry;
    end if;

    select * into entry
    from public.training_costs c
    where c.version_id = p_version_id and c.key = p_key;
    if not found then
        return null;
    end if;
    if entry.amount <> p_amount then
        perform training_versions_internal.refuse(
            'TV204',
            format('the key %s is that of an entry of %s already', p_key, entry.amount),
            jsonb_build_object('key', p_key, 'amount', entry.amount),
            'Use a new key for a new entry.'
        );
    end if;
    entry.alerts := '{}';
    return entry;
end
$$;

-- The shares of the budget that alerts were sent for: those of the entries, because a client may
-- have overwritten the column; and those of the column, because an import has no entries. A column
-- that is not an array counts as empty, and the next alert replaces it.
create or replace function training_versions_internal.sent_alerts(
    p_version public.training_package_versions
)
returns jsonb
set search_path = ''
language plpgsql
as $$
begin
    return (
        select coalesce(jsonb_agg(distinct share), '[]')
        from (
            select to_jsonb(unnest(c.alerts)) as share
            from public.training_costs c
            where c.version_id = p_version.id and c.alerts <> '{}'
            union all
            select jsonb_array_elements(p_version.cost_alerts_sent)
            where jsonb_typeof(p_version.cost_alerts_sent) = 'array'
        ) as sent
    );
end
$$;

-- The shares of the budget that this amount crosses: those that are reached now and that no alert
-- was sent for, and those that were not reached before it, although an alert was sent, because the
-- budget was raised or the sum lowered since.
create or replace function training_versions_internal.crossed_shares(
    p_version public.training_package_versions,
    p_amount numeric,
    p_alert_at integer[]
)
returns integer[]
set search_path = ''
language plpgsql
as $$
declare
    sent constant pg_catalog.jsonb := training_versions_internal.sent_alerts(p_version);
    spent_before constant numeric := coalesce(p_version.actual_cost, 0);
    spent constant numeric := spent_before + p_amount;
begin
    return (
        select coalesce(array_agg(distinct share order by share), '{}')
        from unnest(p_alert_at) as share
        where spent > 0
            and spent * 100 >= p_version.budget_limit * share
            and (not sent @> to_jsonb(share) or spent_before * 100 < p_version.budget_limit * share)
    );
end
$$;

-- Adds an entry and its events, its amount to actual_cost, and its alerts to cost_alerts_sent.
create or replace function training_versions_internal.add_cost_entry(
    p_version public.training_package_versions,
    p_amount numeric,
    p_note text,
    p_key text,
    p_alerts integer[],
    p_entry_id uuid
)
returns public.training_costs
set search_path = ''
language plpgsql
as $$
declare
    entry public.training_costs;
    share integer;
begin
    entry := training_versions_internal.insert_cost_entry(
        p_version, p_amount, p_note, p_key, p_alerts, p_entry_id
    );
    if p_alerts <> '{}' then
        p_version.cost_alerts_sent := training_versions_internal.sent_alerts(p_version);
    end if;
    update public.training_package_versions
    set actual_cost = coalesce(actual_cost, 0) + p_amount,
        cost_alerts_sent = p_version.cost_alerts_sent
    where id = p_version.id
    returning * into p_version;

    perform training_versions_internal.record_event(
        p_version.id, 'cost_recorded',
        jsonb_build_object('amount', p_amount, 'note', p_note, 'key', p_key)
    );
    foreach share in array p_alerts loop
        perform training_versions_internal.record_event(
            p_version.id, 'cost_alert',
            jsonb_build_object(
                'share', share, 'actual_cost', p_version.actual_cost,
                'budget_limit', p_version.budget_limit
            )
        );
    end loop;
    return entry;
end
$$;

-- Records a cost under the lock on the version, and returns the entry and the new sum. Definer, and
-- called through a function in public, for the reasons that 20261122000050 gives for training.
create or replace function training_versions_internal.record_cost(
    p_version_id uuid,
    p_amount numeric,
    p_note text,
    p_key text,
    p_alert_at integer[],
    p_entry_id uuid
)
returns jsonb
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    entry public.training_costs;
begin
    perform training_versions_internal.check_cost_entry(p_amount, p_note, p_key, p_alert_at);
    version := training_versions_internal.lock_owned_version(p_version_id);
    if p_entry_id is not null and training_versions_internal.claim_id(
        'cost',
        p_entry_id,
        jsonb_build_array(
            p_version_id, trim_scale(p_amount), p_note, p_key,
            (select jsonb_agg(distinct s) from unnest(p_alert_at) as s)  -- in any order
        )
    ) = false then
        perform training_versions_internal.refuse_taken_id(p_entry_id, 'was given to another call');
    end if;
    entry := training_versions_internal.find_cost_entry(p_version_id, p_amount, p_key, p_entry_id);
    if entry.id is not null then
        perform training_versions_internal.say_replayed();
    else
        if coalesce(version.actual_cost, 0) + p_amount > 99999999.99 then
            perform training_versions_internal.refuse_value(
                'amount',
                'actual_cost would be more than 99,999,999.99',
                'That is the most the column holds.'
            );
        end if;
        entry := training_versions_internal.add_cost_entry(
            version, p_amount, p_note, p_key,
            training_versions_internal.crossed_shares(version, p_amount, p_alert_at),
            coalesce(p_entry_id, gen_random_uuid())
        );
        select v.actual_cost into version.actual_cost
        from public.training_package_versions v
        where v.id = p_version_id;
    end if;
    return to_jsonb(entry) - 'owner_id' || jsonb_build_object(
        'package_id', version.package_id, 'version_number', version.version_number,
        'actual_cost', version.actual_cost, 'budget_limit', version.budget_limit
    );
end
$$;

create or replace function public.record_training_cost(
    p_version_id uuid,
    p_amount numeric,
    p_note text default null,
    p_key text default null,
    p_alert_at integer[] default '{50,80,100}',
    p_entry_id uuid default null
)
returns jsonb
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.record_cost(
        p_version_id, p_amount, p_note, p_key, p_alert_at, p_entry_id
    );
end
$$;
comment on function public.record_training_cost(uuid, numeric, text, text, integer[], uuid) is
    'training-versions: '
    'Adds a cost to a version; alerts are the shares of the budget that this call crossed. '
    'Idempotent: with the same p_key a cost counts once, '
    'and a repeat with the same p_entry_id returns the same entry with its alerts.';

create or replace function public.get_package_cost(p_package_id uuid)
returns jsonb
stable
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
    'training-versions: '
    'Estimated, actual and budgeted cost of all versions of a package that the caller may see.';
