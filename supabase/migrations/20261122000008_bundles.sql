-- Bundles: packages brought in from another project, with their numbers, moments and history.
--
-- Touches: creates export_training_versions, import_training_versions and import_training_events; events get a source.
-- For operators: an import makes versions that are published from the start and carry the moments of the other project.
--   Who did it there is told by the events' details; here the importer signs. Importing twice changes nothing.

alter table public.training_version_events add column if not exists source text;
comment on column public.training_version_events.source is 'Which event of which package it was in the project it was imported from.';
-- What became of a version that was imported, by the id that it had.
create index if not exists idx_version_events_imported
    on public.training_version_events ((details ->> 'from_version_id')) where kind = 'imported';
create unique index if not exists imported_once
    on public.training_version_events (package_id, source) where source is not null;

-- Marks this transaction as an import while versions are brought in: the trigger that keeps the rules looks here.
create or replace function training_versions_internal.set_importing(p_on boolean)
returns void
volatile
security definer
set search_path = ''
language plpgsql
as $$
begin
    delete from training_versions_internal.imports where transaction_id = pg_current_xact_id();
    if p_on then
        insert into training_versions_internal.imports (transaction_id) values (pg_current_xact_id());
    end if;
end
$$;

-- An id in this project for something of another one: the same if it is free or was brought here before, else one that
-- follows from both, so that importing again finds it.
create or replace function training_versions_internal.imported_id(p_package_id uuid, p_id uuid)
returns uuid
stable
security definer
set search_path = ''
language sql
as $$
    select case
        -- Brought here before under another id, whoever has p_id by now. Looked up by id alone: in a table without
        -- statistics the planner may take all versions of the package instead.
        when p_package_id = (
            select v.package_id
            from public.training_package_versions v
            where v.id = other.id
        ) or exists (
            select from training_versions_internal.deletions d
            where d.id = other.id and d.package_id = p_package_id
        ) or exists (
            select from public.training_package_versions v where v.id = p_id and v.package_id <> p_package_id
        ) or exists (
            select from training_versions_internal.deletions d where d.id = p_id and d.package_id <> p_package_id
        ) then other.id
        else p_id
    end
    from (select md5(p_package_id::pg_catalog.text || p_id::pg_catalog.text)::pg_catalog.uuid as id) as other
$$;

-- The owner of the package; refused unless the caller is that, or may act for all. Definer: called by those below.
create or replace function training_versions_internal.owner_to_import_for(p_package_id uuid)
returns uuid
stable
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
begin
    select c.user_id into package_owner
    from public.training_configs c
    where c.id = p_package_id and (training_versions_internal.acts_for_all() or c.user_id = auth.uid());
    if not found then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return package_owner;
end
$$;

-- With p_check_only nothing is written, and of each version only its id and version_number are looked at: whether the
-- package has or had another one with that number.
create or replace function training_versions_internal.import_versions(
    p_package_id uuid,
    p_versions jsonb,
    p_check_only boolean
)
returns jsonb
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner constant pg_catalog.uuid := training_versions_internal.owner_to_import_for(p_package_id);
    item pg_catalog.jsonb;
    given public.training_package_versions;
    there public.training_package_versions;
    parent pg_catalog.uuid;
    parent_here pg_catalog.uuid;
    deleted boolean;
    outcome pg_catalog.jsonb := '[]';
begin
    perform training_versions_internal.check_snapshot('p_versions', p_versions, 'array');
    perform training_versions_internal.lock_package(p_package_id);
    perform training_versions_internal.set_importing(true);

    for item in select i from jsonb_array_elements(p_versions) as i loop
        given := jsonb_populate_record(null::public.training_package_versions, item);
        given.id := training_versions_internal.imported_id(p_package_id, given.id);
        select * into there
        from public.training_package_versions v
        where v.id = given.id and v.package_id = p_package_id;
        if not found and exists (select from public.training_package_versions v where v.id = given.id) then
            perform training_versions_internal.refuse_taken_id(given.id, 'is that of a version in another package');
        end if;
        deleted := there.id is null and exists (
            select from training_versions_internal.deletions d
            where d.id = given.id and d.package_id = p_package_id and d.version_number = given.version_number
        );
        if there.id is null and not deleted and exists (
            select from public.training_package_versions v
            where v.package_id = p_package_id and v.version_number = given.version_number
            union all
            select from training_versions_internal.deletions d
            where d.package_id = p_package_id and d.version_number = given.version_number
        ) then
            raise exception using
                errcode = 'TV207',
                message = format('number %s was given to another version of this package', given.version_number),
                detail = jsonb_build_object(
                    'version_id', given.id, 'version_number', given.version_number
                )::pg_catalog.text,
                hint = 'Import into a new package.';
        end if;
        continue when p_check_only;

        parent := given.parent_version_id;
        if parent is not null then
            parent_here := training_versions_internal.imported_id(p_package_id, parent);
            -- One in another package keeps its id, or has another one since it was imported.
            given.parent_version_id := (
                select p.id
                from public.training_package_versions p
                where p.id = any (array[parent_here, parent] || array(
                        select e.version_id
                        from public.training_version_events e
                        where e.kind = 'imported' and e.details ->> 'from_version_id' = parent::pg_catalog.text
                            and e.owner_id = package_owner
                    ))
                    and p.created_by = package_owner
                order by p.package_id = p_package_id desc, p.id = parent desc, p.created_at desc, p.id
                limit 1
            );
        end if;
        if there.id is not null then
            -- A draft in the file may have been edited and published here since: that differs, and stays.
            if there.status <> 'draft' and given.status <> 'draft'
                and (
                    there.version_number, there.name, there.change_summary,
                    there.config_snapshot, there.model_snapshot, there.dataset_snapshot
                ) is distinct from (
                    given.version_number, given.name, given.change_summary,
                    given.config_snapshot, given.model_snapshot, given.dataset_snapshot
                )
            then
                raise exception using
                    errcode = 'TV207',
                    message = format('version %s is there already, with other content', given.version_number),
                    detail = jsonb_build_object(
                        'version_id', given.id, 'version_number', given.version_number
                    )::pg_catalog.text,
                    hint = 'Import into a new package.';
            end if;
            -- The parent was imported later than its child.
            if there.status <> 'draft' and there.parent_version_id is null and given.parent_version_id is not null
                and exists (
                    select from public.training_version_events e
                    where e.version_id = given.id and e.kind = 'imported' and e.source is null
                )
            then
                update public.training_package_versions
                set parent_version_id = given.parent_version_id
                where id = given.id
                returning * into there;
            end if;
        elsif not deleted then
            perform set_config(
                'training_versions.origin',
                jsonb_build_object('kind', 'imported', 'from_version_id', item -> 'id')::pg_catalog.text,
                true
            );
            if not (
                isfinite(given.created_at)
                and coalesce(isfinite(given.published_at), true)
                and coalesce(isfinite(given.training_started_at), true)
                and coalesce(isfinite(given.training_completed_at), true)
            ) then
                raise exception using
                    errcode = 'TV306',
                    message = format(
                        'created_at, published_at and the times of training of version %s must be moments',
                        given.version_number
                    ),
                    detail = jsonb_build_object('field', 'created_at')::pg_catalog.text;
            end if;
            insert into public.training_package_versions (
                id, package_id, version_number, name, status, created_at, created_by, published_at, published_by,
                config_snapshot, model_snapshot, dataset_snapshot, change_summary, parent_version_id,
                training_status, training_started_at, training_completed_at, training_metrics,
                estimated_cost, actual_cost, budget_limit, cost_alerts_sent
            )
            values (
                given.id, p_package_id, given.version_number, given.name, given.status, given.created_at, package_owner,
                case when given.status <> 'draft' then given.published_at end,
                case when given.status <> 'draft' then package_owner end,
                given.config_snapshot, given.model_snapshot, given.dataset_snapshot, given.change_summary,
                given.parent_version_id,
                given.training_status, given.training_started_at, given.training_completed_at, given.training_metrics,
                given.estimated_cost, given.actual_cost, given.budget_limit, given.cost_alerts_sent
            );
            perform set_config('training_versions.origin', '', true);
            insert into public.training_runs (version_id, owner_id, status, started_at, ended_at, started_by)
            select
                given.id, package_owner, given.training_status,
                coalesce(given.training_started_at, given.training_completed_at, given.created_at),
                coalesce(given.training_completed_at, given.created_at), auth.uid()
            where given.training_status in ('completed', 'failed', 'cancelled');
        end if;
        outcome := outcome || jsonb_build_object(
            'id', given.id,
            'version_number', given.version_number,
            'created', there.id is null and not deleted,
            'parent_missing', parent is not null and not deleted
                and case when there.id is null then given.parent_version_id else there.parent_version_id end is null,
            -- A draft that was edited here or there since stays as it is here, and one that was deleted here stays away.
            'differs', deleted or there.id is not null
                and (
                    there.status, there.name, there.change_summary,
                    there.config_snapshot, there.model_snapshot, there.dataset_snapshot,
                    there.training_status, there.training_metrics, there.actual_cost
                ) is distinct from (
                    given.status, given.name, given.change_summary,
                    given.config_snapshot, given.model_snapshot, given.dataset_snapshot,
                    given.training_status, given.training_metrics, given.actual_cost
                )
        );
    end loop;
    perform training_versions_internal.set_importing(false);
    perform training_versions_internal.move_pointers(p_package_id);
    return outcome;
end
$$;

create or replace function training_versions_internal.import_events(p_package_id uuid, p_events jsonb)
returns integer
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner constant pg_catalog.uuid := training_versions_internal.owner_to_import_for(p_package_id);
    added integer;
begin
    perform training_versions_internal.check_snapshot('p_events', p_events, 'array');
    if exists (
        select from jsonb_populate_recordset(null::public.training_version_events, p_events) as e
        where not isfinite(e.occurred_at) or not isfinite(e.last_at) or jsonb_typeof(e.details) <> 'object'
    ) then
        raise exception using
            errcode = 'TV306',
            message = 'occurred_at and last_at of an event must be moments, and its details an object',
            detail = jsonb_build_object('field', 'p_events')::pg_catalog.text;
    end if;
    -- Numbers of drafts that were deleted there, of which only the history tells, are not given again.
    perform training_versions_internal.lock_package(p_package_id);
    update training_versions_internal.package_numbers n
    set last_number = greatest(n.last_number, (
        select max(e.version_number)
        from jsonb_populate_recordset(null::public.training_version_events, p_events) as e
        where e.version_number <= 1000000000
    ))
    where n.package_id = p_package_id;
    insert into public.training_version_events (
        package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at, last_at, details, source
    )
    select
        p_package_id,
        here.version_id,
        e.version_number,
        package_owner,
        e.kind,
        null,
        e.occurred_at,
        e.last_at,
        coalesce(e.details, '{}') || jsonb_strip_nulls(jsonb_build_object('imported', true, 'actor_id', e.actor_id)),
        -- An event that was itself imported keeps its first source.
        coalesce(
            e.source,
            e.package_id::pg_catalog.text || '/' || e.id::pg_catalog.text || '@' || e.occurred_at::pg_catalog.text
        )
    from jsonb_populate_recordset(null::public.training_version_events, p_events) as e
    -- Nobody writes the history of a version to be made elsewhere: what this package knows nothing of, such as a draft
    -- that was deleted there, gets an id of this package alone.
    cross join lateral (
        select case
            when exists (
                select from public.training_package_versions v where v.id = known.id and v.package_id = p_package_id
            ) or exists (
                select from training_versions_internal.deletions d
                where d.id = known.id and d.package_id = p_package_id
            ) or exists (
                select from public.training_version_events o
                where o.version_id = known.id and o.package_id = p_package_id
            ) then known.id
            else md5(p_package_id::pg_catalog.text || e.version_id::pg_catalog.text)::pg_catalog.uuid
        end as version_id
        from (select training_versions_internal.imported_id(p_package_id, e.version_id) as id) as known
    ) as here
    -- What happened in this very package is in its history already.
    where not exists (
        select from public.training_version_events o
        where o.package_id = p_package_id and o.version_number = e.version_number
            and o.kind = e.kind and o.occurred_at = e.occurred_at and o.source is null
    )
    order by e.id
    on conflict (package_id, source) where source is not null do nothing;
    get diagnostics added = row_count;
    return added;
end
$$;

revoke all on function
    training_versions_internal.set_importing(boolean),
    training_versions_internal.imported_id(uuid, uuid),
    training_versions_internal.owner_to_import_for(uuid),
    training_versions_internal.import_versions(uuid, jsonb, boolean),
    training_versions_internal.import_events(uuid, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
    training_versions_internal.import_versions(uuid, jsonb, boolean),
    training_versions_internal.import_events(uuid, jsonb)
to authenticated, service_role;

create or replace function public.import_training_versions(
    p_package_id uuid,
    p_versions jsonb,
    p_check_only boolean default false
)
returns jsonb
volatile
security invoker
set search_path = ''
language sql
as $$
    select training_versions_internal.import_versions(p_package_id, p_versions, p_check_only)
$$;
comment on function public.import_training_versions(uuid, jsonb, boolean) is
    'Brings versions of another project into a package of the caller, or only tells whether their numbers are free. Repeatable.';

create or replace function public.import_training_events(p_package_id uuid, p_events jsonb)
returns integer
volatile
security invoker
set search_path = ''
language sql
as $$
    select training_versions_internal.import_events(p_package_id, p_events)
$$;
comment on function public.import_training_events(uuid, jsonb) is
    'Brings the history of another project into a package of the caller; answers how many events were new. Repeatable.';

-- One at a time, because how large the next one is, is not known: a page may be longer by one version, and no more.
create or replace function public.export_training_versions(
    p_package_id uuid,
    p_after integer,
    p_newest integer,
    p_bytes integer
)
returns json
stable
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    line pg_catalog.text;
    page pg_catalog.text[] := '{}';
    size bigint := 0;
begin
    if not exists (select from public.training_configs c where c.id = p_package_id) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    version.version_number := p_after;
    loop
        select * into version
        from public.training_package_versions v
        where v.package_id = p_package_id and v.version_number > version.version_number and v.version_number <= p_newest
        order by v.version_number
        limit 1;
        exit when not found;
        line := row_to_json(version)::pg_catalog.text;
        size := size + octet_length(line);
        exit when size > p_bytes and page <> '{}';
        page := page || line;
        exit when size > p_bytes;
    end loop;
    return ('[' || array_to_string(page, ',') || ']')::pg_catalog.json;
end
$$;
comment on function public.export_training_versions(uuid, integer, integer, integer) is
    'The versions of a package above one number and up to another, in order, as one JSON array of about p_bytes.';

revoke all on function
    public.export_training_versions(uuid, integer, integer, integer),
    public.import_training_versions(uuid, jsonb, boolean),
    public.import_training_events(uuid, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
    public.export_training_versions(uuid, integer, integer, integer),
    public.import_training_versions(uuid, jsonb, boolean),
    public.import_training_events(uuid, jsonb)
to authenticated, service_role;
