-- The history of packages: every change of state adds an event, in the same transaction.
--
-- Touches: creates public.training_version_events; existing versions get the events that their
--   columns imply.
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
    imported_from text generated always as (
        case when kind = 'imported' then details ->> 'from_version_id' end
    ) stored,

    constraint known_event_kind check (kind in (
        'created', 'restored', 'forked', 'imported', 'edited', 'published', 'archived', 'deleted',
        'training_pending', 'training_started',
        'training_completed', 'training_failed', 'training_cancelled',
        'deployed', 'undeployed', 'cost_recorded', 'cost_alert'
    ))
);
comment on table public.training_version_events is
    'training-versions: '
    'What happened to versions: who, when, what. Invariant: append-only; rows go only with their '
    'whole package.';
comment on column public.training_version_events.version_id is
    'Not a foreign key, because the events of a deleted draft are kept.';
comment on column public.training_version_events.owner_id is
    'Who may read it: who created the version.';
comment on column public.training_version_events.actor_id is
    'Who did it; null for a role without a user (the service role).';
comment on column public.training_version_events.last_at is
    'Of edits that are one event: the time of the last; occurred_at is that of the first.';
comment on column public.training_version_events.details is
    'What is particular to the kind: changed paths (not content), target, amount, reason, the '
    'version copied from.';
comment on column public.training_version_events.source is
    'Of an imported event: the package, id and time that it had in the project it came from.';
comment on column public.training_version_events.imported_from is
    'Of the event `imported`: the id that the version had in the project it came from. A column, '
    'because with an index on an expression of details every change of details would be written '
    'to every index.';
-- Here, too, and not only with all other grants: a push that ends before those leaves nothing open.
revoke all on sequence public.training_version_events_id_seq
from public, anon, authenticated, service_role;
-- History is read in the order of time, because imported events have high ids and early times, and
-- by the owner, whom every read of a user compares. Bundles are read in the order of ids.
create index if not exists idx_version_events_package
    on public.training_version_events (owner_id, package_id, occurred_at, id);
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
-- Events are changed only by our triggers (record_edit) and deleted only with their package, by its
-- foreign key, which is a trigger, too. In both cases this trigger is fired by another one, so it
-- runs at a depth of two or more. A client's own statement fires it at depth one.
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

-- Adds an event about a version, which is named and not passed: to pass a row is to read all of its
-- snapshots. Called by the definer functions of this schema only.
create or replace function training_versions_internal.record_event(
    p_version_id uuid,
    p_kind text,
    p_details jsonb default '{}'
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    insert into public.training_version_events
        (package_id, version_id, version_number, owner_id, kind, actor_id, details)
    select
        v.package_id, v.id, v.version_number, v.created_by,
        p_kind, auth.uid(), jsonb_strip_nulls(p_details)
    from public.training_package_versions v
    where v.id = p_version_id;
end
$$;

--
-- Edits
--

-- The paths at which two JSON values differ, as JSON Pointers: the first p_most of them, at most
-- eight levels deep. Arrays are compared whole. Objects are compared key by key, and by recursion.
create or replace function training_versions_internal.changed_paths(
    p_old jsonb,
    p_new jsonb,
    p_path text,
    p_most integer,
    p_levels integer default 8
)
returns setof text
immutable
set search_path = ''
language plpgsql
as $$
declare
    inner_key pg_catalog.text;
    old_value pg_catalog.jsonb;
    new_value pg_catalog.jsonb;
    found_here integer;
begin
    if record_image_eq(row(p_old), row(p_new)) then
        return;
    end if;
    if p_levels = 0
        or jsonb_typeof(p_old) is distinct from 'object'
        or jsonb_typeof(p_new) is distinct from 'object'
    then
        return next p_path;
        return;
    end if;
    for inner_key, old_value, new_value in
        select key, o.value, n.value
        from jsonb_each(p_old) as o
        full join jsonb_each(p_new) as n using (key)
        where record_image_ne(row(o.value), row(n.value))
        order by key
        limit p_most  -- each has one path at least
    loop
        return query
        select p
        from training_versions_internal.changed_paths(
            old_value,
            new_value,
            p_path || '/' || replace(replace(inner_key, '~', '~0'), '/', '~1'),
            p_most,
            p_levels - 1
        ) as p;
        get diagnostics found_here = row_count;
        p_most := p_most - found_here;
        exit when p_most <= 0;
    end loop;
end
$$;

-- The details of an event that folds several edits: at most a hundred paths, whether there were
-- more, and how many edits there were. p_before has those of the earlier edits, or is null. What
-- p_is_more of the same edit is not counted once more.
create or replace function training_versions_internal.edit_details(
    p_before jsonb,
    p_paths text[],
    p_is_more boolean
)
returns jsonb
immutable
set search_path = ''
language plpgsql
as $$
begin
    return (
        with paths as (
            select p from unnest(p_paths) as p
            union
            select p from jsonb_array_elements_text(p_before -> 'paths') as p
        )
        select jsonb_strip_nulls(jsonb_build_object(
            'paths', (select jsonb_agg(f.p) from (select p from paths order by p limit 100) as f),
            'more', case when p_before ? 'more' or (select count(*) from paths) > 100 then true end,
            'edits', coalesce((p_before ->> 'edits')::integer, 0) + (not p_is_more)::integer
        ))
    );
end
$$;

-- Folds edits by the same user within a minute into one event: a client that saves at every pause
-- in typing would fill the history. Imported events (with a source) are never folded into.
create or replace function training_versions_internal.record_edit(
    p_version_id uuid,
    p_paths text[]
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    update public.training_version_events
    set details = training_versions_internal.edit_details(
            details,
            p_paths,
            -- Two triggers record what one statement edits.
            coalesce(last_at, occurred_at) >= statement_timestamp()
        ),
        last_at = clock_timestamp()
    where id = (
        select e.id
        from public.training_version_events e
        where e.version_id = p_version_id
            and e.kind = 'edited'
            and e.actor_id is not distinct from auth.uid()
            and e.occurred_at > clock_timestamp() - interval '1 minute'
            and e.source is null
        order by e.occurred_at desc, e.id desc
        limit 1
    );
    if not found then
        perform training_versions_internal.record_event(
            p_version_id, 'edited', training_versions_internal.edit_details(null, p_paths, false)
        );
    end if;
end
$$;

--
-- The triggers. Definer, because nobody is granted a write to the events.
--

-- Adds the event of a new version: `created`, or its origin.
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
        perform training_versions_internal.record_event(new.id, origin.kind, origin.details);
    else
        perform training_versions_internal.record_event(
            new.id, 'created', jsonb_build_object('parent_version_id', new.parent_version_id)
        );
    end if;
    return null;
end
$$;
create or replace trigger record_10_creation
    after insert on public.training_package_versions
    for each row execute function training_versions_internal.record_creation();

-- Adds the event of an edit of snapshots. Fires for statements that name one, since to compare them
-- is to read them whole. Of 101 paths an event holds a hundred, and that there are more.
create or replace function training_versions_internal.record_snapshot_edits()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    paths constant pg_catalog.text[] := array(
        select p
        from (
            values
                ('/config_snapshot', old.config_snapshot, new.config_snapshot),
                ('/model_snapshot', old.model_snapshot, new.model_snapshot),
                ('/dataset_snapshot', old.dataset_snapshot, new.dataset_snapshot)
        ) as s (place, before, after)
        cross join lateral training_versions_internal.changed_paths(
            s.before, s.after, s.place, 101
        ) as p
        limit 101
    );
begin
    if paths <> '{}' then
        perform training_versions_internal.record_edit(new.id, paths);
    end if;
    return null;
end
$$;
create or replace trigger record_10_snapshots
    after update of config_snapshot, model_snapshot, dataset_snapshot
    on public.training_package_versions
    for each row
    when (new.content_updated_at is distinct from old.content_updated_at)
    execute function training_versions_internal.record_snapshot_edits();

-- Adds the event of an edit of other columns: of a draft, or of the costs that are never frozen.
create or replace function training_versions_internal.record_edits()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    was constant public.training_package_versions :=
        training_versions_internal.without_facts(old);
    is_now public.training_package_versions := training_versions_internal.without_facts(new);
    paths pg_catalog.text[];
begin
    if new.status <> old.status then  -- what publishing changes is in its own event
        is_now.name := was.name;
        is_now.published_at := was.published_at;
        is_now.published_by := was.published_by;
    end if;
    if was *= is_now then
        return null;
    end if;
    paths := array(
        select p
        from training_versions_internal.differences(was, is_now) as d
        cross join lateral training_versions_internal.changed_paths(
            d.old_value, d.new_value, '/' || d.column_name, 101
        ) as p
        where d.column_name = any (training_versions_internal.editable_columns())
        limit 101
    );
    if paths <> '{}' then
        perform training_versions_internal.record_edit(new.id, paths);
    end if;
    return null;
end
$$;
create or replace trigger record_11_edits
    after update on public.training_package_versions
    for each row
    when (
        new.content_updated_at is distinct from old.content_updated_at
        or (new.estimated_cost, new.budget_limit) is distinct from
            (old.estimated_cost, old.budget_limit)
    )
    execute function training_versions_internal.record_edits();

-- Adds the event of a new status.
create or replace function training_versions_internal.record_status()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.record_event(
        new.id, new.status, jsonb_build_object('name', new.name)
    );
    return null;
end
$$;
create or replace trigger record_12_status
    after update of status on public.training_package_versions
    for each row
    when (new.status <> old.status)
    execute function training_versions_internal.record_status();

-- Adds the event of a deleted draft.
create or replace function training_versions_internal.record_deletion()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    -- A version that is deleted with its whole package leaves no event: they are deleted, too.
    if exists (select from public.training_configs c where c.id = old.package_id) then
        insert into public.training_version_events
            (package_id, version_id, version_number, owner_id, kind, actor_id, details)
        values (
            old.package_id, old.id, old.version_number, old.created_by,
            'deleted', auth.uid(), jsonb_build_object('name', old.name)
        );
    end if;
    return null;
end
$$;
create or replace trigger record_10_deletion
    after delete on public.training_package_versions
    for each row execute function training_versions_internal.record_deletion();

-- The events that the columns of existing versions imply.
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
