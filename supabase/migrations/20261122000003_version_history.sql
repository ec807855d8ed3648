-- The history of packages: every change of state leaves an event, in the same transaction.
--
-- Touches: creates public.training_version_events; versions from before get the events that their columns tell of.
-- For operators: events grow with use; they go only with their whole package. Nobody is granted a write.

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
        'training_pending', 'training_started', 'training_completed', 'training_failed', 'training_cancelled',
        'deployed', 'undeployed', 'cost_recorded', 'cost_alert'
    ))
);
comment on table public.training_version_events is
    'What happened to versions: who, when, what. Invariant: append-only; rows go only with their whole package.';
comment on column public.training_version_events.version_id is
    'Not a foreign key: the event of a deleted draft stays.';
comment on column public.training_version_events.owner_id is 'Who may read it: who created the version.';
comment on column public.training_version_events.actor_id is 'Who did it; null for a role without a user (the service role).';
comment on column public.training_version_events.last_at is
    'Of edits that are one event: the moment of the last; occurred_at is that of the first.';
comment on column public.training_version_events.details is
    'What is particular to the kind: changed paths (not content), target, amount, reason, the version copied from.';
-- History is read in the order of time: what was imported has older moments than its ids tell. Bundles go by id.
create index if not exists idx_version_events_package on public.training_version_events (package_id, occurred_at, id);
create index if not exists idx_version_events_version on public.training_version_events (version_id, occurred_at, id);
create index if not exists idx_version_events_owner on public.training_version_events (owner_id, occurred_at, id);
create index if not exists idx_version_events_bundle on public.training_version_events (package_id, id);

alter table public.training_version_events enable row level security;
drop policy if exists "Users can view own version events" on public.training_version_events;
create policy "Users can view own version events" on public.training_version_events
    for select to authenticated
    using ((select auth.uid()) = owner_id);
revoke all on table public.training_version_events from public, anon, authenticated, service_role;
grant select on table public.training_version_events to authenticated, service_role;

-- Events change only from inside our triggers, and go only with their package: then the change is a trigger's own.
create or replace function training_versions_internal.keep_events()
returns trigger
volatile
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if tg_op = 'TRUNCATE' or pg_trigger_depth() < 2 then
        raise exception using
            errcode = 'TV309',
            message = 'the history of versions cannot be changed',
            hint = 'It goes only with its whole package.';
    end if;
    return coalesce(new, old);
end
$$;
create or replace trigger keep_events
    before update or delete on public.training_version_events
    for each row execute function training_versions_internal.keep_events();
create or replace trigger keep_all_events
    before truncate on public.training_version_events
    for each statement execute function training_versions_internal.keep_events();

-- Where two JSON values differ, as JSON Pointers, eight levels deep; an array is one place.
create or replace function training_versions_internal.changed_paths(p_old jsonb, p_new jsonb, p_path text, p_levels integer)
returns setof text
immutable
security invoker
set search_path = ''
language plpgsql
as $$
declare
    key pg_catalog.text;
begin
    if p_old is not distinct from p_new then
        return;
    end if;
    if p_levels = 0 or jsonb_typeof(p_old) is distinct from 'object' or jsonb_typeof(p_new) is distinct from 'object' then
        return next p_path;
        return;
    end if;
    for key in
        select k from jsonb_object_keys(p_old) as k union select k from jsonb_object_keys(p_new) as k order by 1
    loop
        return query select p from training_versions_internal.changed_paths(
            p_old -> key, p_new -> key, p_path || '/' || replace(replace(key, '~', '~0'), '/', '~1'), p_levels - 1
        ) as p;
    end loop;
end
$$;

-- The details of an edit that is added to those of earlier ones: a hundred paths, and whether there are more.
create or replace function training_versions_internal.edit_details(p_before jsonb, p_paths text[])
returns jsonb
immutable
security invoker
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

-- Adds an event about a version. Called by the triggers and functions of this schema only.
create or replace function training_versions_internal.record_event(
    p_version public.training_package_versions,
    p_kind text,
    p_details jsonb default '{}'
)
returns void
volatile
security definer
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

-- Events of a version's making, edits and status, whichever client writes. Definer: nobody is granted the events.
create or replace function training_versions_internal.record_version_events()
returns trigger
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    actor constant pg_catalog.uuid := auth.uid();
    origin pg_catalog.jsonb;
    paths pg_catalog.text[];
begin
    if tg_op = 'INSERT' then
        -- How it came to be, if one of our functions says so.
        origin := nullif(current_setting('training_versions.origin', true), '');
        if origin ->> 'kind' not in ('restored', 'forked', 'imported') then
            origin := null;
        end if;
        perform training_versions_internal.record_event(
            new,
            coalesce(origin ->> 'kind', 'created'),
            coalesce(origin - 'kind', jsonb_build_object('parent_version_id', new.parent_version_id))
        );
    elsif tg_op = 'DELETE' then
        if exists (select from public.training_configs c where c.id = old.package_id) then
            perform training_versions_internal.record_event(old, 'deleted', jsonb_build_object('name', old.name));
        end if;
    else
        select array_agg(p) into paths
        from (
            select p
            from (
                values
                    ('/config_snapshot', old.config_snapshot, new.config_snapshot),
                    ('/model_snapshot', old.model_snapshot, new.model_snapshot),
                    ('/dataset_snapshot', old.dataset_snapshot, new.dataset_snapshot),
                    -- The name that publishing gives stands in its own event.
                    ('/name', to_jsonb(case when new.status = old.status then old.name else new.name end), to_jsonb(new.name)),
                    ('/change_summary', to_jsonb(old.change_summary), to_jsonb(new.change_summary)),
                    ('/parent_version_id', to_jsonb(old.parent_version_id), to_jsonb(new.parent_version_id)),
                    ('/estimated_cost', to_jsonb(old.estimated_cost), to_jsonb(new.estimated_cost)),
                    ('/budget_limit', to_jsonb(old.budget_limit), to_jsonb(new.budget_limit))
            ) as place (path, was, is_now),
            training_versions_internal.changed_paths(place.was, place.is_now, place.path, 8) as p
            limit 101
        ) as changed;
        if paths is not null then
            -- Edits within a minute by the same user are one event.
            update public.training_version_events
            set details = training_versions_internal.edit_details(details, paths), last_at = clock_timestamp()
            where id = (
                select e.id
                from public.training_version_events e
                where e.version_id = new.id
                    and e.kind = 'edited'
                    and e.actor_id is not distinct from actor
                    and e.occurred_at > clock_timestamp() - interval '1 minute'
                    and e.source is null
                order by e.occurred_at desc, e.id desc
                limit 1
            );
            if not found then
                perform training_versions_internal.record_event(
                    new, 'edited', training_versions_internal.edit_details(null, paths)
                );
            end if;
        end if;
        if new.status <> old.status then
            perform training_versions_internal.record_event(new, new.status, jsonb_build_object('name', new.name));
        end if;
    end if;
    return null;
end
$$;
-- Its name sorts before those of the triggers that tell of training, deployment and cost: they fire in that order.
create or replace trigger record_changes
    after insert or update or delete on public.training_package_versions
    for each row execute function training_versions_internal.record_version_events();

revoke all on function
    training_versions_internal.keep_events(),
    training_versions_internal.changed_paths(jsonb, jsonb, text, integer),
    training_versions_internal.edit_details(jsonb, text[]),
    training_versions_internal.record_event(public.training_package_versions, text, jsonb),
    training_versions_internal.record_version_events()
from public, anon, authenticated, service_role;

-- What the columns of older versions tell of.
insert into public.training_version_events
    (package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at, details)
select t.package_id, t.version_id, t.version_number, t.owner_id, t.kind, t.actor_id, t.occurred_at, '{"backfilled": true}'
from (
    select v.package_id, v.id as version_id, v.version_number, v.created_by as owner_id,
        'created' as kind, v.created_by as actor_id, v.created_at as occurred_at, 0 as place
    from public.training_package_versions v
    union all
    select v.package_id, v.id, v.version_number, v.created_by, 'published', v.published_by, v.published_at, 1
    from public.training_package_versions v
    where v.published_at is not null and v.status <> 'draft'
) as t
where not exists (select from public.training_version_events e where e.version_id = t.version_id)
order by t.occurred_at, t.place;
