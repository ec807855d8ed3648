-- New drafts from old versions, copied inside the database; and the lineage of a version: its
-- ancestors and their descendants.
--
-- Touches: creates restore_training_version, fork_training_version and get_version_lineage; an
--   index.
-- For operators: a copy is an ordinary draft, to which every rule applies.

-- Finds the children of a version that a user may see, for each step down in a lineage.
create index if not exists idx_package_versions_children
    on public.training_package_versions (parent_version_id, created_by)
    where parent_version_id is not null;

--
-- Copies. Definer, because they declare an origin, which no client may. Policies do not apply to
-- them, so they check themselves for whom the caller may act.
--

-- The draft that an earlier call with the same arguments made, whatever happened to it or to its
-- source since; null if there is none.
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

-- Inserts the copy, with its origin and with the source as its parent. Editable columns are copied,
-- except for costs, which belong to one version only. Called by copy_version, as its definer.
create or replace function training_versions_internal.insert_copy(
    p_kind text,
    p_source public.training_package_versions,
    p_package_id uuid,
    p_name text,
    p_change_summary text,
    p_new_version_id uuid
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    content public.training_package_versions := p_source;
begin
    perform training_versions_internal.declare_origin(
        p_new_version_id,
        p_kind,
        jsonb_build_object(
            'from_version_id', p_source.id,
            'from_package_id', p_source.package_id,
            'from_version_number', p_source.version_number
        )
    );
    content.name := p_name;
    content.change_summary := p_change_summary;
    if p_change_summary is null and p_kind = 'restored' then
        content.change_summary := format('Restored from version %s', p_source.version_number);
    elsif p_change_summary is null then
        content.change_summary := format('Forked from %s', p_source.name);
    end if;
    content.parent_version_id := p_source.id;
    content.estimated_cost := null;
    content.budget_limit := null;
    return training_versions_internal.insert_draft(p_new_version_id, p_package_id, content);
end
$$;

-- Copies a version into a new draft: 'restored' in its own package, or 'forked' into another.
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
    version public.training_package_versions;
begin
    if p_new_version_id is not null and training_versions_internal.claim_id(
        'version',
        new_id,
        jsonb_build_array(p_kind, p_version_id, p_package_id, p_name, p_change_summary)
    ) = false then
        perform training_versions_internal.refuse_taken_id(new_id, 'was given to another call');
    end if;
    version := training_versions_internal.find_copy(p_kind, p_version_id, p_package_id, new_id);
    if version.id is not null then
        perform training_versions_internal.say_replayed();
        return version;
    end if;
    if p_kind = 'restored' then
        select v.package_id into p_package_id
        from public.training_package_versions v
        where v.id = p_version_id;
    end if;
    source := training_versions_internal.lock_source(p_version_id, p_package_id);
    if training_versions_internal.was_deleted(new_id, false) then
        perform training_versions_internal.refuse_taken_id(
            new_id, 'was a draft''s that is deleted'
        );
    end if;

    return training_versions_internal.insert_copy(
        p_kind, source, p_package_id, p_name, p_change_summary, new_id
    );
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
language plpgsql
as $$
begin
    return training_versions_internal.copy_version(
        'restored', p_version_id, null, p_name, p_change_summary, p_new_version_id
    );
end
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
language plpgsql
as $$
begin
    return training_versions_internal.copy_version(
        'forked', p_version_id, p_into_package_id, p_name, p_change_summary, p_new_version_id
    );
end
$$;
comment on function public.fork_training_version(uuid, uuid, text, text, uuid) is
    'training-versions: '
    'Makes a new draft in another package of the caller with the content of a version, which '
    'becomes its parent.';

-- All versions that are related to this one by parents, as far as the caller may see: the first
-- ancestor and all its descendants. Walks up, finds the root, and walks down, level by level. One
-- JSON array, because PostgREST caps the rows of a reply. `offset 0` keeps the planner from merging
-- each step into a join: without statistics it would read all versions of the caller for it,
-- instead of looking one up by its index.
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
        -- Rows from before these rules may be each other's ancestors: then there is no root.
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
        cross join lateral (
            select * from public.training_package_versions p where p.id = tree.id offset 0
        ) as v
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
