-- Recomputes what the first release left wrong or empty, from the rows that are there.
--
-- Touches: versions that lack created_by, created_at, updated_at or is_deployed (filled in); the
--   three derived columns of training_configs (recomputed); the defaults of the first release,
--   where a column has none; indexes, and comments on columns.
-- For operators: locks both tables while it runs, and reads every version once. The triggers of the
--   files before this one are in force already, so what clients write meanwhile is correct.

do $$
begin
    lock table public.training_configs, public.training_package_versions
        in share row exclusive mode;

    -- A version without created_by was created by the service role for the package's owner. The two
    -- triggers are off because one would refuse to change created_at, and the other would move
    -- updated_at as if this were an edit.
    alter table public.training_package_versions disable trigger rule_40_frozen;
    alter table public.training_package_versions disable trigger set_updated_at;
    update public.training_package_versions v
    set created_by = coalesce(v.created_by, c.user_id),
        created_at = coalesce(v.created_at, v.updated_at, v.published_at, now()),
        updated_at = coalesce(v.updated_at, v.created_at, v.published_at, now()),
        is_deployed = coalesce(v.is_deployed, false)
    from public.training_configs c
    where c.id = v.package_id
        and (
            v.created_by is null and c.user_id is not null
            or v.created_at is null
            or v.updated_at is null
            or v.is_deployed is null
        );
    alter table public.training_package_versions enable trigger rule_40_frozen;
    alter table public.training_package_versions enable trigger set_updated_at;

    -- Numbering continues above the owner's own versions. The first release let strangers insert
    -- versions with any number: those do not count here, nor do numbers above a billion, which
    -- leave no room for more. next_number() skips such a number if it is ever reached.
    insert into training_versions_internal.package_numbers as n (package_id, last_number)
    select v.package_id, greatest(max(v.version_number), 0)
    from public.training_package_versions v
    join public.training_configs c on c.id = v.package_id
    where v.created_by is not distinct from c.user_id and v.version_number <= 1000000000
    group by v.package_id
    on conflict (package_id) do update
    set last_number = greatest(n.last_number, excluded.last_number);

    -- Pointers show the newest published version that the package's owner can see.
    update public.training_configs c
    set version_count = t.version_count,
        latest_published_version = t.latest_published_version,
        current_version_id = t.current_version_id
    from (
        select
            p.id,
            (
                select count(*)::integer
                from public.training_package_versions v
                where v.package_id = p.id
            ) as version_count,
            coalesce(newest.version_number, 0) as latest_published_version,
            newest.id as current_version_id
        from public.training_configs p
        left join lateral (
            select v.id, v.version_number
            from public.training_package_versions v
            where v.package_id = p.id
                and v.status = 'published'
                and v.created_by is not distinct from p.user_id
            order by v.version_number desc
            limit 1
        ) as newest on true
    ) as t
    where t.id = c.id
        and (c.version_count, c.latest_published_version, c.current_version_id)
            is distinct from (t.version_count, t.latest_published_version, t.current_version_id);
end
$$;

alter table public.training_package_versions
    alter column created_at set not null,
    alter column updated_at set not null,
    alter column is_deployed set not null;
alter table public.training_configs
    alter column version_count set default 0,
    alter column version_count set not null,
    alter column latest_published_version set default 0,
    alter column latest_published_version set not null;

-- A table that was made by hand may lack the defaults of the first release, and then every insert
-- fails that leaves the column to the database. A default that a column has stays.
do $$
declare
    missing record;
begin
    for missing in
        select d.*
        from (
            values
                ('training_package_versions', 'id', 'gen_random_uuid()'),
                ('training_package_versions', 'created_at', 'now()'),
                ('training_package_versions', 'updated_at', 'now()'),
                ('training_package_versions', 'is_deployed', 'false'),
                ('training_configs', 'id', 'gen_random_uuid()')
        ) as d (table_name, column_name, expression)
        join pg_catalog.pg_attribute a
            on a.attrelid = format('public.%I', d.table_name)::regclass
            and a.attname = d.column_name
        where not a.atthasdef and a.attidentity = ''
    loop
        execute format(
            'alter table public.%I alter column %I set default %s',
            missing.table_name, missing.column_name, missing.expression
        );
    end loop;
end
$$;

-- Deleting a user deletes their packages, too. So the references of versions to users are checked
-- at the end of the transaction, when those versions are gone. The names of the constraints are not
-- known.
do $$
declare
    user_reference name;
begin
    for user_reference in
        select conname from pg_catalog.pg_constraint
        where conrelid = 'public.training_package_versions'::regclass
            and confrelid = 'auth.users'::regclass
            and contype = 'f'
    loop
        execute format(
            'alter table public.training_package_versions
            alter constraint %I deferrable initially deferred',
            user_reference
        );
    end loop;
end
$$;

-- Latest published is one look-up, however many drafts lie above it: of the view
-- training_published_versions, whose rows are exactly those of this index.
create index if not exists idx_package_versions_published
    on public.training_package_versions (package_id, version_number desc)
    where status = 'published';
-- The order in which versions of all packages are paged.
create index if not exists idx_package_versions_user_created
    on public.training_package_versions (created_by, created_at desc, id desc);
-- Every foreign key has an index. An index without the rows that have nothing in it costs their
-- writes nothing.
create index if not exists idx_package_versions_published_by
    on public.training_package_versions (published_by)
    where published_by is not null;
create index if not exists idx_training_configs_current_version
    on public.training_configs (current_version_id);

-- Indexes of the first release are made again under their names. An index that a project has
-- dropped stays dropped.
--
-- Smaller: they serve the same searches, and cost a write less. `jsonb_path_ops` holds hashes of
-- paths with values: it serves `@>`, but no longer `?`. Others leave out versions without a parent,
-- training or deployment.
--
-- Longer: they begin with created_by, which every read of a user compares, and lead to the latest
-- versions of a package, all of them or those of a status. Under row level security the planner
-- does not know the user, and takes for the best the index that has most of the columns. Of two
-- that look alike it takes the one that was made last, so that of the status comes last.
do $$
declare
    better record;
begin
    for better in
        select i.indexname, n.definition
        from (
            values
                ('config_snapshot', 'using gin (config_snapshot jsonb_path_ops)'),
                ('model_snapshot', 'using gin (model_snapshot jsonb_path_ops)'),
                ('dataset_snapshot', 'using gin (dataset_snapshot jsonb_path_ops)'),
                ('parent', '(parent_version_id) where parent_version_id is not null'),
                ('training_status', '(training_status) where training_status is not null'),
                ('deployment', '(is_deployed, deployment_target) where is_deployed'),
                ('user', '(created_by, package_id, version_number desc)'),
                ('status', '(created_by, status, package_id, version_number desc)')
        ) as n (name, definition)
        join pg_catalog.pg_indexes i
            on i.schemaname = 'public' and i.indexname = 'idx_package_versions_' || n.name
        where i.indexdef !~ 'jsonb_path_ops|WHERE|created_by, '
        order by n.name = 'status'
    loop
        execute format('drop index public.%I', better.indexname);
        execute format(
            'create index %I on public.training_package_versions %s',
            better.indexname, better.definition
        );
        -- Four times what is usual, in KB: a megabyte has 30,000 entries, which change little from
        -- one save to the next, and are sorted in together.
        if better.definition like 'using gin%' then
            execute format(
                'alter index public.%I set (gin_pending_list_limit = 16384)', better.indexname
            );
        end if;
    end loop;
end
$$;

comment on column public.training_configs.version_count is
    'How many versions the package has. Kept by the database.';
comment on column public.training_configs.latest_published_version is
    'Number of the newest version that is published now, 0 if none is. Kept by the database.';
comment on column public.training_configs.current_version_id is
    'The newest version that is published now, null if none is. Kept by the database.';
comment on column public.training_package_versions.version_number is
    'Given under a lock on the package when the version is made; never given again, also after a '
    'draft is deleted.';
comment on column public.training_package_versions.updated_at is
    'Moves forward with every change; the edit token of a draft. A token that is not before '
    'content_updated_at is current.';
