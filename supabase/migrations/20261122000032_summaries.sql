-- Versions without their snapshots, for lists and for functions that return a version: a list of a
-- hundred versions is kilobytes, and no megabyte of snapshots is read to be thrown away.
--
-- Touches: creates the views training_package_version_summaries, training_published_versions and
--   training_row_numbers, and the computed column training_version_summary of
--   training_package_versions.
-- For operators: what a caller sees is decided by the policies of training_package_versions.

-- The columns by name, because an app may have added its own to the table. Not replaced where it is
-- there: a later migration may have added a column, see add_to_views().
do $$
begin
    if to_regclass('public.training_package_version_summaries') is null then
        create view public.training_package_version_summaries
        with (security_invoker = true)
        as
        select
            v.id,
            v.package_id,
            v.version_number,
            v.name,
            v.status,
            v.created_at,
            v.created_by,
            v.published_at,
            v.published_by,
            v.updated_at,
            v.change_summary,
            v.parent_version_id,
            v.is_deployed,
            v.deployment_target,
            v.deployment_url,
            v.deployment_id,
            v.training_status,
            v.training_started_at,
            v.training_completed_at,
            v.training_metrics,
            v.estimated_cost,
            v.actual_cost,
            v.budget_limit,
            v.cost_alerts_sent
        from public.training_package_versions v;
    end if;
end
$$;
comment on view public.training_package_version_summaries is
    'training-versions: '
    'training_package_versions without the snapshots. Whoever sees a version sees its summary.';

-- The summary of a version that a function returns, as a computed column: its name is short to
-- parse, where PostgREST takes longer to read the names of two dozen columns than to answer.
-- Volatile, so that it sees what that function has just written.
create or replace function public.training_version_summary(
    p_version public.training_package_versions
)
returns public.training_package_version_summaries
set search_path = ''
language plpgsql
as $$
begin
    return (
        select s from public.training_package_version_summaries s where s.id = p_version.id
    );
end
$$;
comment on function public.training_version_summary(public.training_package_versions) is
    'training-versions: '
    'A version without its snapshots, as a computed column.';

-- The summary of a version, for the functions of this schema that return one. Its snapshots are not
-- read, however large they are.
create or replace function training_versions_internal.see_summary(p_version_id uuid)
returns public.training_package_version_summaries
stable
set search_path = ''
language plpgsql
as $$
begin
    return (
        select s from public.training_package_version_summaries s where s.id = p_version_id
    );
end
$$;

--
-- Other views for readers
--

-- What is published, by a condition that the planner knows: PostgREST sends the value of a filter
-- as a parameter, and the lasting plan of its statement can then not use the index of what is
-- published.
do $$
begin
    if to_regclass('public.training_published_versions') is null then
        create view public.training_published_versions
        with (security_invoker = true)
        as
        select
            v.id,
            v.package_id,
            v.version_number,
            v.name,
            v.status,
            v.created_at,
            v.created_by,
            v.published_at,
            v.published_by,
            v.updated_at,
            v.change_summary,
            v.parent_version_id,
            v.is_deployed,
            v.deployment_target,
            v.deployment_url,
            v.deployment_id,
            v.training_status,
            v.training_started_at,
            v.training_completed_at,
            v.training_metrics,
            v.estimated_cost,
            v.actual_cost,
            v.budget_limit,
            v.cost_alerts_sent,
            v.config_snapshot,
            v.model_snapshot,
            v.dataset_snapshot
        from public.training_package_versions v
        where v.status = 'published';
    end if;
end
$$;
comment on view public.training_published_versions is
    'training-versions: '
    'Versions that are published now, neither drafts nor archived. Whoever sees a version sees it.';

-- Servers cap replies silently. Whoever asks for all rows of this view learns the cap, and knows
-- from then on that a shorter list is the whole list.
create or replace view public.training_row_numbers
with (security_invoker = true)
as
select n
from generate_series(1, 1001) as n;
comment on view public.training_row_numbers is
    'training-versions: '
    'The numbers 1 to 1001: how many of them arrive shows how many rows a reply may have.';

-- Adds a column of the versions to both views of versions, for a migration that adds such a column.
create or replace function training_versions_internal.add_to_views(p_column text)
returns void
set search_path = ''
language plpgsql
as $$
declare
    view_name pg_catalog.regclass;
    condition pg_catalog.text;
    columns pg_catalog.text[];
begin
    for view_name, condition in
        values
            ('public.training_package_version_summaries'::regclass, 'true'),
            ('public.training_published_versions'::regclass, 'v.status = ''published''')
    loop
        select array_agg(a.attname::pg_catalog.text order by a.attnum) into columns
        from pg_catalog.pg_attribute a
        where a.attrelid = view_name and a.attnum > 0;
        if p_column <> all (columns) then
            execute format(
                'create or replace view %s with (security_invoker = true)'
                ' as select %s from public.training_package_versions v where %s',
                view_name,
                (select string_agg(format('v.%I', c), ', ') from unnest(columns || p_column) as c),
                condition
            );
        end if;
    end loop;
end
$$;
