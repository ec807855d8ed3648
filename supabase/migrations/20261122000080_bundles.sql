-- Bundles: packages imported from another project, with their numbers, timestamps and history.
--
-- Touches: creates export_training_versions, import_training_versions and import_training_events;
--   two indexes on training_version_events.
-- For operators: imported versions may be published from the start, and keep the timestamps of the
--   other project. created_by and published_by are the owner of the package here; who it was there
--   is in the details of the events. An import is idempotent: repeated, it changes nothing.
--
-- How a version is imported: read from the JSON with its id in this project (imported_id), looked
-- for here (state_of_import), then compared (compare_imported) or inserted (insert_imported). Its
-- first event is `imported`, because declare_origin records that origin. The functions in public
-- only pass their arguments on, as for training. import_versions and import_events are definer,
-- because they read rows that the caller may not see, and write rows that no caller may. They check
-- the caller first, and the functions that they call run as they do.

-- Finds the versions that were imported from one of another project, by its id there.
create index if not exists idx_version_events_imported
    on public.training_version_events (imported_from) where imported_from is not null;
create unique index if not exists imported_once
    on public.training_version_events (package_id, source) where source is not null;

--
-- Whose package, and which id
--

-- The owner of the package; refused unless the caller is that, or may act for all.
create or replace function training_versions_internal.owner_for_import(p_package_id uuid)
returns uuid
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
begin
    select c.user_id into package_owner
    from public.training_configs c
    where c.id = p_package_id and training_versions_internal.acts_for(c.user_id);
    if not found then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return package_owner;
end
$$;

-- An id computed from a package and the id that something had in another project, always the same.
create or replace function training_versions_internal.derived_id(p_package_id uuid, p_id uuid)
returns uuid
immutable
set search_path = ''
language sql
as $$
    select md5(p_package_id::pg_catalog.text || p_id::pg_catalog.text)::pg_catalog.uuid
$$;

-- The id in this project of a version of another one: the one under which it was imported into this
-- package before, else its own if that is free, else the first of the derived ones that is.
-- Somebody who holds the bundle may have taken some of them. Versions and events are looked up by
-- one value alone (`offset 0`): without statistics the planner might read all those of the package.
create or replace function training_versions_internal.imported_id(p_package_id uuid, p_id uuid)
returns uuid
stable
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    candidate pg_catalog.uuid;
    used_in pg_catalog.uuid;
begin
    select i.version_id into candidate
    from (
        select e.version_id, e.package_id, e.source
        from public.training_version_events e
        where e.imported_from = p_id::pg_catalog.text
        offset 0
    ) as i
    where i.package_id = p_package_id and i.source is null
    limit 1;
    if found then
        return candidate;
    end if;

    candidate := p_id;
    loop
        select v.package_id into used_in
        from public.training_package_versions v
        where v.id = candidate;
        if not found then
            select d.package_id into used_in
            from training_versions_internal.deletions d
            where d.id = candidate
            order by d.package_id = p_package_id desc
            limit 1;
        end if;
        if used_in is null or used_in = p_package_id then
            return candidate;
        end if;
        candidate := training_versions_internal.derived_id(p_package_id, candidate);
    end loop;
end
$$;

--
-- Versions
--

-- Refuses an import (TV207).
create or replace function training_versions_internal.refuse_import(
    p_given public.training_package_versions,
    p_message text
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.refuse(
        'TV207',
        p_message,
        jsonb_build_object('version_id', p_given.id, 'version_number', p_given.version_number),
        'Import into a new package.'
    );
end
$$;

-- Is an imported version 'here' already, was it 'deleted' here, or is it 'new'? Refuses one whose
-- id belongs to a version of another package, or whose number belongs to another version of this
-- one.
create or replace function training_versions_internal.state_of_import(
    p_given public.training_package_versions
)
returns text
set search_path = ''
language plpgsql
as $$
declare
    package_there pg_catalog.uuid;
begin
    select v.package_id into package_there
    from public.training_package_versions v
    where v.id = p_given.id;
    if package_there = p_given.package_id then
        return 'here';
    end if;
    if package_there is not null then
        perform training_versions_internal.refuse_taken_id(
            p_given.id, 'is that of a version in another package'
        );
    end if;
    if exists (
        select from training_versions_internal.deletions d
        where d.id = p_given.id
            and d.package_id = p_given.package_id and d.version_number = p_given.version_number
    ) then
        return 'deleted';
    end if;
    if exists (
        select from public.training_package_versions v
        where v.package_id = p_given.package_id and v.version_number = p_given.version_number
    ) or exists (
        select from training_versions_internal.deletions d
        where d.package_id = p_given.package_id and d.version_number = p_given.version_number
    ) then
        perform training_versions_internal.refuse_import(
            p_given,
            format(
                'number %s was given to another version of package %s',
                p_given.version_number, p_given.package_id
            )
        );
    end if;
    return 'new';
end
$$;

-- The parent of an imported version here: the one imported into the same package if there is, else
-- the one that kept its id, else the newest that was imported from it. Null if there is none.
create or replace function training_versions_internal.imported_parent(
    p_given public.training_package_versions
)
returns uuid
set search_path = ''
language sql
as $$
    select v.id
    from public.training_package_versions v
    where v.created_by = p_given.created_by
        and v.id = any (
            array(
                select e.version_id
                from public.training_version_events e
                where e.owner_id = p_given.created_by
                    and e.imported_from = p_given.parent_version_id::pg_catalog.text
            )
            || p_given.parent_version_id
            || training_versions_internal.imported_id(p_given.package_id, p_given.parent_version_id)
        )
    order by
        v.package_id = p_given.package_id desc, v.id = p_given.parent_version_id desc,
        v.created_at desc, v.id
    limit 1
$$;

-- Inserts an imported version, and the run that its training columns imply.
create or replace function training_versions_internal.insert_imported(
    p_given public.training_package_versions,
    p_original_id uuid
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.check_moment(t.field, t.given_at)
    from (
        values
            ('created_at', p_given.created_at),
            ('published_at', p_given.published_at),
            ('training_started_at', p_given.training_started_at),
            ('training_completed_at', p_given.training_completed_at)
    ) as t (field, given_at);
    if p_given.training_completed_at < p_given.training_started_at then
        perform training_versions_internal.refuse_value(
            'training_completed_at',
            format(
                'training of version %s in the file ends before it starts', p_given.version_number
            )
        );
    end if;
    if p_given.status = 'draft' then
        p_given.published_by := null;
        p_given.published_at := null;
    else
        p_given.published_by := p_given.created_by;
    end if;
    if p_given.id is null then
        perform training_versions_internal.refuse_value('id', 'an imported version has an id');
    end if;
    perform training_versions_internal.declare_origin(
        p_given.id, 'imported', jsonb_build_object('from_version_id', p_original_id)
    );
    -- Columns that are not named here, such as those of an app, get their defaults.
    execute format(
        'insert into public.training_package_versions (%1$s) select %1$s from (select $1.*) as v',
        array_to_string(training_versions_internal.editable_columns() || array[
            'id', 'package_id', 'version_number', 'status',
            'created_at', 'created_by', 'published_at', 'published_by',
            'training_status', 'training_started_at', 'training_completed_at',
            'training_metrics', 'actual_cost', 'cost_alerts_sent'
        ], ', ')
    ) using p_given;
    insert into public.training_runs
        (version_id, owner_id, status, started_at, ended_at, started_by)
    select
        p_given.id, p_given.created_by, p_given.training_status,
        coalesce(p_given.training_started_at, p_given.training_completed_at, p_given.created_at),
        greatest(
            p_given.training_started_at, coalesce(p_given.training_completed_at, p_given.created_at)
        ),
        auth.uid()
    where p_given.training_status in ('completed', 'failed', 'cancelled');
end
$$;

-- Does the reader of a bundle get the same from two JSON values? Not as written: an export passes
-- through a program, which writes 1.10 as 1.1. But 1 and 1.0 are two values to it as well.
create or replace function training_versions_internal.reads_alike(p_one jsonb, p_other jsonb)
returns boolean
immutable
set search_path = ''
language sql
as $$
    select p_one = p_other and not exists (
        -- Equal values have their numbers at the same places, in the same order.
        select from jsonb_path_query(p_one, 'strict $.** ? (@.type() == "number")')
            with ordinality as o (number, place)
        join jsonb_path_query(p_other, 'strict $.** ? (@.type() == "number")')
            with ordinality as p (number, place) on p.place = o.place
        where (scale(o.number::numeric) = 0) <> (scale(p.number::numeric) = 0)
    )
$$;

-- Does an imported version differ from the one that is here already? Its parent does not count,
-- which may be imported later, nor do its estimate and budget, which may change any time. Refuses
-- other content if both are frozen: a draft may have been edited, and published, since.
create or replace function training_versions_internal.compare_imported(
    p_given public.training_package_versions,
    p_here public.training_package_versions
)
returns boolean
set search_path = ''
language plpgsql
as $$
declare
    content constant pg_catalog.text[] :=
        training_versions_internal.editable_columns() || '{version_number}';
    different pg_catalog.text[];
begin
    select coalesce(array_agg(d.column_name), '{}') into different
    from training_versions_internal.differences(p_here, p_given) as d
    where d.column_name = any (
        content || '{status,training_status,training_metrics,actual_cost}'
    ) and d.column_name not in ('parent_version_id', 'estimated_cost', 'budget_limit')
        and not coalesce(training_versions_internal.reads_alike(d.old_value, d.new_value), false);
    if p_here.status <> 'draft' and p_given.status <> 'draft' and different && content then
        perform training_versions_internal.refuse_import(
            p_given,
            training_versions_internal.version_label(p_given.package_id, p_given.version_number)
            || ' is there already, with other content'
        );
    end if;
    return different <> '{}';
end
$$;

-- Imports one version, and reports the outcome as JSON. A version that is here already is not
-- changed, except that it gets its parent if that was imported later. A version that was deleted
-- here is not imported again.
create or replace function training_versions_internal.import_version(
    p_given public.training_package_versions,
    p_state text,
    p_original_id uuid
)
returns jsonb
set search_path = ''
language plpgsql
as $$
declare
    has_parent constant boolean := p_given.parent_version_id is not null;
    here public.training_package_versions;
    differs boolean := p_state = 'deleted';
begin
    if has_parent then
        p_given.parent_version_id := training_versions_internal.imported_parent(p_given);
    end if;
    here := p_given;
    if p_state = 'new' then
        perform training_versions_internal.insert_imported(p_given, p_original_id);
    elsif p_state = 'here' then
        here := training_versions_internal.see_version(p_given.id);
        differs := training_versions_internal.compare_imported(p_given, here);
        if here.status <> 'draft' and here.parent_version_id is null and exists (
            select from public.training_version_events e
            where e.version_id = here.id and e.kind = 'imported' and e.source is null
        ) then
            update public.training_package_versions
            set parent_version_id = p_given.parent_version_id
            where id = here.id and p_given.parent_version_id is not null;
            here.parent_version_id := p_given.parent_version_id;
        end if;
    end if;
    return jsonb_build_object(
        'id', p_given.id,
        'version_number', p_given.version_number,
        'created', p_state = 'new',
        'parent_missing', has_parent and p_state <> 'deleted' and here.parent_version_id is null,
        'differs', differs
    );
end
$$;

-- Imports versions, in order. With p_check_only it checks their ids and numbers, and writes none.
create or replace function training_versions_internal.import_versions(
    p_package_id uuid,
    p_versions jsonb,
    p_check_only boolean
)
returns jsonb
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
    item pg_catalog.jsonb;
    given public.training_package_versions;
    state pg_catalog.text;
    outcome pg_catalog.jsonb := '[]';
begin
    -- The owner is asked for under the lock: the package may be handed over meanwhile.
    perform training_versions_internal.lock_package(p_package_id);
    package_owner := training_versions_internal.owner_for_import(p_package_id);
    perform training_versions_internal.check_snapshot('p_versions', p_versions, 'array');
    insert into training_versions_internal.imports (transaction_id)
    values (pg_current_xact_id())
    on conflict do nothing;
    for item in select i from jsonb_array_elements(p_versions) as i loop
        given := jsonb_populate_record(null::public.training_package_versions, item);
        given.id := training_versions_internal.imported_id(p_package_id, given.id);
        given.package_id := p_package_id;
        given.created_by := package_owner;
        state := training_versions_internal.state_of_import(given);
        if p_check_only is not true then
            outcome := outcome || training_versions_internal.import_version(
                given, state, (item ->> 'id')::pg_catalog.uuid
            );
        end if;
    end loop;
    delete from training_versions_internal.imports where transaction_id = pg_current_xact_id();
    perform training_versions_internal.move_pointers(p_package_id);
    return outcome;
end
$$;

--
-- History
--

-- The id of a version in its imported events. Only a version that this package has or had keeps the
-- id that imported_id gives. Any other, such as a draft that was deleted before the export, gets
-- the derived id: otherwise an import could write events for an id that a later version may have.
create or replace function training_versions_internal.imported_history_id(
    p_package_id uuid,
    p_version_id uuid
)
returns uuid
stable
set search_path = ''
language sql
as $$
    select case
        when exists (
            select from public.training_package_versions v
            where v.id = here.id and v.package_id = p_package_id
        ) or exists (
            select from training_versions_internal.deletions d
            where d.id = here.id and d.package_id = p_package_id
        ) or exists (
            select from public.training_version_events e
            where e.version_id = here.id and e.package_id = p_package_id
        ) then here.id
        else training_versions_internal.derived_id(p_package_id, p_version_id)
    end
    from training_versions_internal.imported_id(p_package_id, p_version_id) as here (id)
$$;

-- What is wrong with an event: the name of a column, or null. What constraints refuse is left to
-- them. A number leaves room for those of the next drafts.
create or replace function training_versions_internal.wrong_column(
    p_event public.training_version_events
)
returns text
stable
set search_path = ''
language sql
as $$
    select case
        when p_event.version_id is null then 'version_id'
        when p_event.version_number is null or p_event.version_number > 1000000000
            then 'version_number'
        when p_event.kind is null then 'kind'
        when p_event.occurred_at is null
            or p_event.occurred_at
                not between '0001-01-01 00:00:00+00' and clock_timestamp() + interval '1 day'
            then 'occurred_at'
        when p_event.last_at
            not between p_event.occurred_at and clock_timestamp() + interval '1 day'
            then 'last_at'
        when jsonb_typeof(p_event.details) <> 'object' then 'details'
        when char_length(p_event.source) > 500 then 'source'
    end
$$;

-- Events are an array of objects, each of them with values that readers can hold.
create or replace function training_versions_internal.check_events(p_events jsonb)
returns void
set search_path = ''
language plpgsql
as $$
declare
    place bigint;
    wrong pg_catalog.text;
begin
    perform training_versions_internal.check_snapshot('p_events', p_events, 'array');
    select i.place, w.wrong into place, wrong
    from jsonb_array_elements(p_events) with ordinality as i (item, place)
    cross join lateral training_versions_internal.wrong_column(
        jsonb_populate_record(null::public.training_version_events, i.item)
    ) as w (wrong)
    where w.wrong is not null
    order by i.place
    limit 1;
    if found then
        perform training_versions_internal.refuse_value(
            'p_events',
            format('%s of event %s is missing or not acceptable', wrong, place),
            'Times lie between the year 1 and tomorrow, and last_at is not before occurred_at; '
            'numbers are at most 1,000,000,000; details is an object.'
        );
    end if;
end
$$;

-- Imports events, and returns how many were new.
create or replace function training_versions_internal.import_events(
    p_package_id uuid,
    p_events jsonb
)
returns integer
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
    added integer;
begin
    perform training_versions_internal.lock_package(p_package_id);
    package_owner := training_versions_internal.owner_for_import(p_package_id);
    perform training_versions_internal.check_events(p_events);
    -- Numbers of drafts that were deleted there occur only in events. They are not given again.
    insert into training_versions_internal.package_numbers as n (package_id, last_number)
    select p_package_id, greatest(max(e.version_number), 0)
    from jsonb_populate_recordset(null::public.training_version_events, p_events) as e
    on conflict (package_id) do update
    set last_number = greatest(n.last_number, excluded.last_number);
    insert into public.training_version_events (
        package_id, version_id, version_number, owner_id,
        kind, actor_id, occurred_at, last_at, details, source
    )
    select
        p_package_id, training_versions_internal.imported_history_id(p_package_id, e.version_id),
        e.version_number, package_owner, e.kind, null, e.occurred_at, e.last_at,
        coalesce(e.details, '{}')
            || jsonb_strip_nulls(jsonb_build_object('imported', true, 'actor_id', e.actor_id)),
        -- An event that was itself imported keeps its first source. One that does not say where it
        -- comes from has what it says as its source, so that it is known again, and never taken
        -- for an event of this project.
        coalesce(
            nullif(e.source, ''),
            e.package_id || '/' || e.id || '@' || e.occurred_at,
            format('unknown/%s/%s@%s', e.version_id, e.kind, e.occurred_at)
        )
    from jsonb_populate_recordset(null::public.training_version_events, p_events) as e
    -- Events of this very package, which a bundle of it contains, are in its history already.
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

--
-- The functions of the API
--

create or replace function public.import_training_versions(
    p_package_id uuid,
    p_versions jsonb,
    p_check_only boolean default false,
    p_package jsonb default null,
    p_dry_run boolean default false
)
returns jsonb
set search_path = ''
language plpgsql
as $$
declare
    outcome pg_catalog.jsonb;
begin
    begin
        -- In one transaction with its first versions: an import that fails leaves no empty package.
        if p_package is not null and p_check_only is not true then
            perform public.create_training_package(
                p_package ->> 'name', p_package ->> 'template_type', p_package -> 'config_json',
                p_package_id, (p_package ->> 'user_id')::pg_catalog.uuid
            );
        end if;
        outcome := training_versions_internal.import_versions(
            p_package_id, p_versions, p_check_only
        );
        if p_dry_run is true then
            -- All of it was done, so that all rules are asked. To leave this block by an exception
            -- takes it back; variables keep their values.
            raise exception using errcode = 'DRYRN';
        end if;
    exception
        when sqlstate 'DRYRN' then
            null;
    end;
    return outcome;
end
$$;
comment on function public.import_training_versions(uuid, jsonb, boolean, jsonb, boolean) is
    'training-versions: '
    'Imports versions of another project into a package of the caller; with p_check_only it only '
    'checks whether their ids and numbers are free. p_package creates the package first: name, '
    'template_type, config_json, user_id. With p_dry_run everything is taken back that it did. '
    'Idempotent.';

create or replace function public.import_training_events(
    p_package_id uuid,
    p_events jsonb,
    p_dry_run boolean default false
)
returns integer
set search_path = ''
language plpgsql
as $$
declare
    added integer;
begin
    begin
        added := training_versions_internal.import_events(p_package_id, p_events);
        if p_dry_run is true then
            raise exception using errcode = 'DRYRN';  -- takes it back, as above
        end if;
    exception
        when sqlstate 'DRYRN' then
            null;
    end;
    return added;
end
$$;
comment on function public.import_training_events(uuid, jsonb, boolean) is
    'training-versions: '
    'Imports the history of another project into a package of the caller, and returns how many '
    'events were new. With p_dry_run everything is taken back that it did. Idempotent.';

-- Versions are read one at a time, because their sizes are not known: a page ends before the
-- version that would make it larger than p_bytes, and has at least one version.
create or replace function public.export_training_versions(
    p_package_id uuid,
    p_after integer,
    p_newest integer,
    p_bytes integer
)
returns json
stable
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    version public.training_package_versions;
    line pg_catalog.text;
    page pg_catalog.text[] := '{}';
    last_number integer := p_after;
    size bigint := 0;
begin
    if not exists (select from public.training_configs c where c.id = p_package_id) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    loop
        select * into version
        from public.training_package_versions v
        where v.package_id = p_package_id
            and v.version_number > last_number and v.version_number <= p_newest
        order by v.version_number
        limit 1;
        exit when not found;
        line := row_to_json(version)::pg_catalog.text;
        size := size + octet_length(line);
        exit when size > p_bytes and page <> '{}';
        page := page || line;
        last_number := version.version_number;
    end loop;
    return ('[' || array_to_string(page, ',') || ']')::pg_catalog.json;
end
$$;
comment on function public.export_training_versions(uuid, integer, integer, integer) is
    'training-versions: '
    'The versions of a package above one number and up to another, in order, '
    'as one JSON array of about p_bytes.';
