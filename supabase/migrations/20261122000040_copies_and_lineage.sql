-- New drafts from old versions, copied inside the database; and where a version comes from and
-- what came of it.
--
-- Touches: creates restore_training_version, fork_training_version and get_version_lineage; an
--   index.
-- For operators: a copy is an ordinary draft and meets every rule.

-- The children of a version that a user may see are one look-up, which is how a lineage is walked.
create index if not exists idx_package_versions_children
    on public.training_package_versions (parent_version_id, created_by);

--
-- Copies. Definer: they declare an origin, which no client may. So they refuse by themselves what
-- policies would.
--

-- The draft that this very call made before, whatever became of it or of its source since; null if
-- there is none yet.
create or replace function training_versions_internal.find_copy(
    p_kind text,
    p_version_id uuid,
    p_package_id uuid,
    p_new_version_id uuid
)
returns public.training_package_versions
stable
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    select * into version
    from public.training_package_versions v
    where v.id = p_new_version_id and training_versions_internal.acts_for(v.created_by);
    if found and not exists (
        select from training_versions_internal.version_origins o
        where o.version_id = version.id
            and o.kind = p_kind
            and o.details ->> 'from_version_id' = p_version_id::pg_catalog.text
            and (p_kind = 'restored' or version.package_id = p_package_id)
    ) then
        perform training_versions_internal.refuse_taken_id(
            p_new_version_id, 'is another version''s already'
        );
    end if;
    return version;
end
$$;

-- The version to copy, kept from being deleted meanwhile, under the lock on the package that the
-- copy goes into; refused unless the caller acts for the owner of both.
create or replace function training_versions_internal.lock_source(
    p_version_id uuid,
    p_package_id uuid
)
returns public.training_package_versions
security definer
set search_path = ''
language plpgsql
as $$
declare
    source public.training_package_versions;
begin
    perform training_versions_internal.lock_package(p_package_id);
    select * into source
    from public.training_package_versions v
    where v.id = p_version_id and training_versions_internal.acts_for(v.created_by)
    for key share;
    if not found then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    if not exists (
        select from public.training_configs c
        where c.id = p_package_id and training_versions_internal.acts_for(c.user_id)
    ) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return source;
end
$$;

-- The content of a version as a new draft, with that version as its parent: 'restored' in its own
-- package, or 'forked' into another.
create or replace function training_versions_internal.copy_version(
    p_kind text,
    p_version_id uuid,
    p_package_id uuid,
    p_name text,
    p_change_summary text,
    p_new_version_id uuid
)
returns public.training_package_versions
security definer
set search_path = ''
language plpgsql
as $$
declare
    new_id constant pg_catalog.uuid := coalesce(p_new_version_id, gen_random_uuid());
    source public.training_package_versions;
    summary pg_catalog.text;
    version public.training_package_versions;
begin
    version := training_versions_internal.find_copy(p_kind, p_version_id, p_package_id, new_id);
    if version.id is not null then
        return version;
    end if;
    if p_kind = 'restored' then
        select v.package_id into p_package_id
        from public.training_package_versions v
        where v.id = p_version_id;
    end if;
    source := training_versions_internal.lock_source(p_version_id, p_package_id);
    -- Made by the same call at the same moment, which had the lock first?
    version := training_versions_internal.find_copy(p_kind, p_version_id, p_package_id, new_id);
    if version.id is not null then
        return version;
    end if;
    if training_versions_internal.was_deleted(new_id, false) then
        perform training_versions_internal.refuse_taken_id(
            new_id, 'was a draft''s that is deleted'
        );
    end if;

    perform training_versions_internal.declare_origin(
        new_id,
        p_kind,
        jsonb_build_object(
            'from_version_id', source.id,
            'from_package_id', source.package_id,
            'from_version_number', source.version_number
        )
    );
    if p_kind = 'restored' then
        summary := format('Restored from version %s', source.version_number);
    else
        summary := format('Forked from %s', source.name);
    end if;
    -- What is edited is copied, but for costs, which are of the one version.
    source.name := p_name;
    source.change_summary := coalesce(p_change_summary, summary);
    source.parent_version_id := source.id;
    source.estimated_cost := null;
    source.budget_limit := null;
    return training_versions_internal.insert_draft(new_id, p_package_id, source);
end
$$;

create or replace function public.restore_training_version(
    p_version_id uuid,
    p_name text default null,
    p_change_summary text default null,
    p_new_version_id uuid default null
)
returns public.training_package_versions
set search_path = ''
language sql
as $$
    select * from training_versions_internal.copy_version(
        'restored', p_version_id, null, p_name, p_change_summary, p_new_version_id
    )
$$;
comment on function public.restore_training_version(uuid, text, text, uuid) is
    'training-versions: '
    'Makes a new draft with the content of an old version, which becomes its parent.';

create or replace function public.fork_training_version(
    p_version_id uuid,
    p_into_package_id uuid,
    p_name text default null,
    p_change_summary text default null,
    p_new_version_id uuid default null
)
returns public.training_package_versions
set search_path = ''
language sql
as $$
    select * from training_versions_internal.copy_version(
        'forked', p_version_id, p_into_package_id, p_name, p_change_summary, p_new_version_id
    )
$$;
comment on function public.fork_training_version(uuid, uuid, text, text, uuid) is
    'training-versions: '
    'Makes a new draft in another package of the caller with the content of a version, which '
    'becomes its parent.';

-- Every version that is tied to this one by parents, as far as the caller may see: up to the first
-- ancestor, and down from there. One JSON array, because replies are capped in rows. Walks level by
-- level, however deep; `offset 0` makes each step a look-up by index, also where the planner has no
-- statistics and would rather read all that is the caller's.
create or replace function public.get_version_lineage(p_version_id uuid)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
declare
    found_rows pg_catalog.jsonb;
begin
    with recursive ancestors (id, parent_version_id) as (
        select v.id, v.parent_version_id
        from public.training_package_versions v
        where v.id = p_version_id
        union
        select p.id, p.parent_version_id
        from ancestors a
        cross join lateral (
            select v.id, v.parent_version_id
            from public.training_package_versions v
            where v.id = a.parent_version_id
            offset 0
        ) as p
    ),
    roots (id) as (
        select a.id
        from ancestors a
        where not exists (select from ancestors p where p.id = a.parent_version_id)
    ),
    tree (id) as (
        -- Rows from before these rules may be each other's ancestors: then there is no first one.
        select coalesce(
            (select r.id from roots r),
            (select a.id from ancestors a where a.id = p_version_id)
        )
        union
        select c.id
        from tree t
        cross join lateral (
            select v.id
            from public.training_package_versions v
            where v.parent_version_id = t.id
            offset 0
        ) as c
    )
    select jsonb_agg(to_jsonb(f) order by f.created_at, f.id) into found_rows
    from (
        select
            v.id, v.package_id, v.version_number, v.name, v.status, v.created_at,
            v.change_summary, v.parent_version_id
        from tree
        join public.training_package_versions v on v.id = tree.id
    ) as f;
    if found_rows is null then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    return found_rows;
end
$$;
comment on function public.get_version_lineage(uuid) is
    'training-versions: '
    'The whole family of a version that the caller may see, as a JSON array in the order of '
    'creation.';
