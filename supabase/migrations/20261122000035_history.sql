-- The history of packages: every change of state leaves an event, in the same transaction.
--
-- Touches: creates public.training_version_events; versions from before get the events that their
--   columns tell of.
-- For operators: events grow with use; they go only with their whole package. Nobody is granted a
--   write.

create table if not exists public.training_version_events (
    id bigint generated always as identity primary key,
    package_id uuid not null references public.training_configs (id) on delete cascade,
    version_id uuid not null,
    version_number integer not null,
    owner_id uuid,
    kind text not null,
    actor_id uuid,
    occurred_at timestamptz not null default clock_timestamp(),
    last_at timestamptz,
    details jsonb not null default '{}',
    source text,

    constraint known_event_kind check (kind in (
        'created', 'restored', 'forked', 'imported', 'edited', 'published', 'archived', 'deleted',
        'training_pending', 'training_started',
        'training_completed', 'training_failed', 'training_cancelled',
        'deployed', 'undeployed', 'cost_recorded', 'cost_alert'
    ))
);
comment on table public.training_version_events is
    'What happened to versions: who, when, what. Invariant: append-only; rows go only with their '
    'whole package.';
comment on column public.training_version_events.version_id is
    'Not a foreign key: the event of a deleted draft stays.';
comment on column public.training_version_events.owner_id is
    'Who may read it: who created the version.';
comment on column public.training_version_events.actor_id is
    'Who did it; null for a role without a user (the service role).';
comment on column public.training_version_events.last_at is
    'Of edits that are one event: the moment of the last; occurred_at is that of the first.';
comment on column public.training_version_events.details is
    'What is particular to the kind: changed paths (not content), target, amount, reason, the '
    'version copied from.';
-- History is read in the order of time: what was imported has older moments than its ids tell.
-- Bundles go by id.
create index if not exists idx_version_events_package
    on public.training_version_events (package_id, occurred_at, id);
create index if not exists idx_version_events_version
    on public.training_version_events (version_id, occurred_at, id);
create index if not exists idx_version_events_owner
    on public.training_version_events (owner_id, occurred_at, id);
create index if not exists idx_version_events_bundle
    on public.training_version_events (package_id, id);

alter table public.training_version_events enable row level security;
drop policy if exists "Users can view own version events" on public.training_version_events;
create policy "Users can view own version events" on public.training_version_events
    for select to authenticated
    using ((select auth.uid()) = owner_id);
-- Events change only from inside our triggers, and go only with their package: then the change is a
-- trigger's own.
create or replace function training_versions_internal.keep_events()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    if tg_op = 'TRUNCATE' or pg_trigger_depth() < 2 then
        perform training_versions_internal.refuse(
            'TV309',
            'the history of versions cannot be changed',
            p_hint => 'It goes only with its whole package.'
        );
    end if;
    return coalesce(new, old);
end
$$;
create or replace trigger rule_10_append_only
    before update or delete on public.training_version_events
    for each row execute function training_versions_internal.keep_events();
create or replace trigger rule_20_no_truncate
    before truncate on public.training_version_events
    for each statement execute function training_versions_internal.keep_events();

-- Adds an event about a version. Called by the definer functions of this schema only.
create or replace function training_versions_internal.record_event(
    p_version public.training_package_versions,
    p_kind text,
    p_details jsonb default '{}'
)
returns void
set search_path = ''
language sql
as $$
    insert into public.training_version_events
        (package_id, version_id, version_number, owner_id, kind, actor_id, details)
    values (
        p_version.package_id, p_version.id, p_version.version_number, p_version.created_by,
        p_kind, auth.uid(), jsonb_strip_nulls(p_details)
    )
$$;

--
-- Edits
--

-- Where two JSON values differ, as JSON Pointers, eight levels deep; an array is one place.
create or replace function training_versions_internal.changed_paths(
    p_old jsonb,
    p_new jsonb,
    p_path text,
    p_levels integer default 8
)
returns setof text
immutable
set search_path = ''
language plpgsql
as $$
declare
    inner_key pg_catalog.text;
    was pg_catalog.jsonb;
    is_now pg_catalog.jsonb;
begin
    if p_old is not distinct from p_new then
        return;
    end if;
    if p_levels = 0
        or jsonb_typeof(p_old) is distinct from 'object'
        or jsonb_typeof(p_new) is distinct from 'object'
    then
        return next p_path;
        return;
    end if;
    for inner_key, was, is_now in
        select key, o.value, n.value
        from jsonb_each(p_old) as o
        full join jsonb_each(p_new) as n using (key)
        where o.value is distinct from n.value
        order by key
    loop
        return query
        select p
        from training_versions_internal.changed_paths(
            was,
            is_now,
            p_path || '/' || replace(replace(inner_key, '~', '~0'), '/', '~1'),
            p_levels - 1
        ) as p;
    end loop;
end
$$;

-- The details of an edit that is added to those of earlier ones: a hundred paths, and whether there
-- are more.
create or replace function training_versions_internal.edit_details(p_before jsonb, p_paths text[])
returns jsonb
immutable
set search_path = ''
language sql
as $$
    with paths as (
        select p from unnest(p_paths) as p
        union
        select p from jsonb_array_elements_text(p_before -> 'paths') as p
    )
    select jsonb_strip_nulls(jsonb_build_object(
        'paths', (select jsonb_agg(f.p) from (select p from paths order by p limit 100) as f),
        'more', case when p_before ? 'more' or (select count(*) from paths) > 100 then true end,
        'edits', coalesce((p_before ->> 'edits')::integer, 0) + 1
    ))
$$;

-- Edits within a minute by the same user are one event.
create or replace function training_versions_internal.record_edit(
    p_version public.training_package_versions,
    p_paths text[]
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    update public.training_version_events
    set details = training_versions_internal.edit_details(details, p_paths),
        last_at = clock_timestamp()
    where id = (
        select e.id
        from public.training_version_events e
        where e.version_id = p_version.id
            and e.kind = 'edited'
            and e.actor_id is not distinct from auth.uid()
            and e.occurred_at > clock_timestamp() - interval '1 minute'
            and e.source is null
        order by e.occurred_at desc, e.id desc
        limit 1
    );
    if not found then
        perform training_versions_internal.record_event(
            p_version, 'edited', training_versions_internal.edit_details(null, p_paths)
        );
    end if;
end
$$;

--
-- The triggers. Their number comes first among those that record deployments, costs and training,
-- so that the history of one write reads in the order of a life. Definer: nobody is granted the
-- events.
--

create or replace function training_versions_internal.record_creation()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    origin training_versions_internal.version_origins;
begin
    select * into origin
    from training_versions_internal.version_origins o
    where o.version_id = new.id;
    if found then
        perform training_versions_internal.record_event(new, origin.kind, origin.details);
    else
        perform training_versions_internal.record_event(
            new, 'created', jsonb_build_object('parent_version_id', new.parent_version_id)
        );
    end if;
    return null;
end
$$;
create or replace trigger record_10_creation
    after insert on public.training_package_versions
    for each row execute function training_versions_internal.record_creation();

create or replace function training_versions_internal.record_changes()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    paths pg_catalog.text[];
begin
    select array_agg(p) into paths
    from (
        select p
        from training_versions_internal.differences(old, new) as d
        cross join lateral training_versions_internal.changed_paths(
            d.was, d.is_now, '/' || d.column_name
        ) as p
        where d.column_name = any (training_versions_internal.editable_columns())
            -- The name that publishing gives stands in the event of that.
            and (d.column_name <> 'name' or new.status = old.status)
        limit 101
    ) as changed;
    if paths is not null then
        perform training_versions_internal.record_edit(new, paths);
    end if;
    if new.status <> old.status then
        perform training_versions_internal.record_event(
            new, new.status, jsonb_build_object('name', new.name)
        );
    end if;
    return null;
end
$$;
create or replace trigger record_10_changes
    after update on public.training_package_versions
    for each row execute function training_versions_internal.record_changes();

create or replace function training_versions_internal.record_deletion()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    -- With its whole package a version goes without a trace.
    if exists (select from public.training_configs c where c.id = old.package_id) then
        perform training_versions_internal.record_event(
            old, 'deleted', jsonb_build_object('name', old.name)
        );
    end if;
    return null;
end
$$;
create or replace trigger record_10_deletion
    after delete on public.training_package_versions
    for each row execute function training_versions_internal.record_deletion();

-- Versions from before have the events that their columns tell of.
with known as (
    select
        v.id,
        v.package_id,
        v.version_number,
        v.created_by as owner_id,
        e.kind,
        e.actor_id,
        e.occurred_at,
        e.place
    from public.training_package_versions v
    cross join lateral (
        values
            ('created', v.created_by, v.created_at, 0),
            ('published', v.published_by, v.published_at, 1)
    ) as e (kind, actor_id, occurred_at, place)
    where e.kind = 'created' or v.published_at is not null and v.status <> 'draft'
)

insert into public.training_version_events
    (package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at, details)
select
    k.package_id,
    k.id,
    k.version_number,
    k.owner_id,
    k.kind,
    k.actor_id,
    k.occurred_at,
    '{"backfilled": true}'
from known k
where not exists (
    select
    from public.training_version_events e
    where e.version_id = k.id
)
order by k.occurred_at, k.place;
