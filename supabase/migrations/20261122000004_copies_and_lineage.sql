-- New drafts from old versions, copied inside the database; and where a version comes from and what came of it.
--
-- Touches: creates restore_training_version, fork_training_version and get_version_lineage; one index of versions.
-- For operators: security invoker all; a copy is an ordinary draft and meets every rule.

-- The children of a version that a user may see are one look-up, which is how a lineage is walked.
create index if not exists idx_package_versions_children
    on public.training_package_versions (parent_version_id, created_by);

-- The snapshots of a version as a new draft, with that version as its parent: 'restored' in its own package, or 'forked'
-- into another.
create or replace function training_versions_internal.copy_version(
    p_kind text,
    p_version_id uuid,
    p_package_id uuid,
    p_name text,
    p_change_summary text,
    p_new_version_id uuid
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    source public.training_package_versions;
    version public.training_package_versions;
begin
    -- A repeat answers with the draft it made, whatever became of either since: history knows where it is from.
    select * into version from public.training_package_versions v where v.id = p_new_version_id;
    if found then
        if p_kind = 'forked' and version.package_id is distinct from p_package_id
            or not exists (
                select from public.training_version_events e
                where e.version_id = p_new_version_id and e.kind = p_kind
                    and e.details ->> 'from_version_id' = p_version_id::pg_catalog.text
            )
        then
            perform training_versions_internal.refuse_taken_id(p_new_version_id, 'is another version''s already');
        end if;
        return version;
    end if;
    source := training_versions_internal.see_version(p_version_id);
    if p_kind = 'restored' then
        p_package_id := source.package_id;
    end if;
    -- Read by the trigger that records events; local to this statement.
    perform set_config(
        'training_versions.origin',
        jsonb_build_object(
            'kind', p_kind,
            'from_version_id', source.id,
            'from_package_id', source.package_id,
            'from_version_number', source.version_number
        )::pg_catalog.text,
        true
    );
    begin
        version := public.create_training_draft(
            p_package_id => p_package_id,
            p_config_snapshot => source.config_snapshot,
            p_model_snapshot => source.model_snapshot,
            p_dataset_snapshot => source.dataset_snapshot,
            p_name => p_name,
            p_change_summary => coalesce(
                p_change_summary,
                case p_kind
                    when 'restored' then format('Restored from version %s', source.version_number)
                    else format('Forked from %s', source.name)
                end
            ),
            p_parent_version_id => source.id,
            p_version_id => p_new_version_id
        );
    exception
        when sqlstate 'TV103' then
            perform training_versions_internal.see_version(source.id);  -- a draft, deleted meanwhile?
            raise;
    end;
    perform set_config('training_versions.origin', '', true);
    return version;
end
$$;

create or replace function public.restore_training_version(
    p_version_id uuid,
    p_name text default null,
    p_change_summary text default null,
    p_new_version_id uuid default null
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.copy_version(
        'restored', p_version_id, null, p_name, p_change_summary, p_new_version_id
    )
$$;
comment on function public.restore_training_version(uuid, text, text, uuid) is
    'Makes a new draft with the content of an old version, which becomes its parent. History is untouched.';

create or replace function public.fork_training_version(
    p_version_id uuid,
    p_into_package_id uuid,
    p_name text default null,
    p_change_summary text default null,
    p_new_version_id uuid default null
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.copy_version(
        'forked', p_version_id, p_into_package_id, p_name, p_change_summary, p_new_version_id
    )
$$;
comment on function public.fork_training_version(uuid, uuid, text, text, uuid) is
    'Makes a new draft in another package of the caller with the content of a version, which becomes its parent.';

-- Every version that is tied to this one by parents, as far as the caller may see: up to the first ancestor, and down
-- from there. One JSON array, because replies are capped in rows. Walks level by level, however deep; `offset 0` makes
-- each step a look-up by index, also where the planner has no statistics and would rather read all that is the caller's.
create or replace function public.get_version_lineage(p_version_id uuid)
returns jsonb
stable
security invoker
set search_path = ''
language plpgsql
as $$
declare
    found_rows pg_catalog.jsonb;
begin
    with recursive ancestors (id, parent_version_id) as (
        select v.id, v.parent_version_id from public.training_package_versions v where v.id = p_version_id
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
        select coalesce((select r.id from roots r), (select a.id from ancestors a where a.id = p_version_id))
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
    select jsonb_agg(
        jsonb_build_object(
            'id', v.id,
            'package_id', v.package_id,
            'version_number', v.version_number,
            'name', v.name,
            'status', v.status,
            'created_at', v.created_at,
            'change_summary', v.change_summary,
            'parent_version_id', v.parent_version_id
        )
        order by v.created_at, v.id
    )
    into found_rows
    from tree
    join public.training_package_versions v on v.id = tree.id;
    if found_rows is null then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    return found_rows;
end
$$;
comment on function public.get_version_lineage(uuid) is
    'The whole family of a version that the caller may see, as a JSON array in the order of creation.';

revoke all on function
    training_versions_internal.copy_version(text, uuid, uuid, text, text, uuid),
    public.restore_training_version(uuid, text, text, uuid),
    public.fork_training_version(uuid, uuid, text, text, uuid),
    public.get_version_lineage(uuid)
from public, anon, authenticated, service_role;
grant execute on function
    training_versions_internal.copy_version(text, uuid, uuid, text, text, uuid),
    public.restore_training_version(uuid, text, text, uuid),
    public.fork_training_version(uuid, uuid, text, text, uuid),
    public.get_version_lineage(uuid)
to authenticated, service_role;
