-- Refuses to begin where something of the app has a name that the files after this one need.
--
-- Touches: nothing.
-- For operators: the message lists what has to be renamed, or moved to another schema. Nothing of
--   these files has been made by then; the push can be repeated. Without this check, `create … if
--   not exists` would take a table of the app for ours, and the rollback would drop it.
--
-- What is ours already, from an earlier run, is known by its comment, by the table that it belongs
-- to, or by the function that it calls.
do $$
declare
    tables constant text[] := array[
        'training_version_events', 'training_runs', 'training_metric_points',
        'training_deployments', 'training_costs',
        'training_package_version_summaries', 'training_published_versions',
        'training_row_numbers', 'training_package_overviews', 'training_cost_entries'
    ];
    indexes constant text[] := array[
        'idx_package_versions_published', 'idx_package_versions_user_created',
        'idx_package_versions_published_by', 'idx_package_versions_children',
        'training_version_events_id_seq', 'idx_version_events_package',
        'idx_version_events_version', 'idx_version_events_owner', 'idx_version_events_bundle',
        'idx_version_events_imported', 'imported_once',
        'idx_training_runs_version', 'one_running_per_version',
        'one_live_per_target', 'idx_training_deployments_target',
        'idx_training_deployments_version', 'idx_training_deployments_package',
        'idx_training_deployments_owner', 'idx_training_costs_alerts'
    ];
    functions constant text[] := array[
        'get_next_version_number', 'create_training_package', 'get_or_create_training_package',
        'update_training_package', 'training_package_made_at', 'delete_training_package',
        'create_training_draft', 'update_training_draft', 'delete_training_draft',
        'publish_training_version', 'archive_training_version', 'training_version_summary',
        'restore_training_version', 'fork_training_version', 'get_version_lineage',
        'start_version_training', 'complete_version_training', 'fail_version_training',
        'cancel_version_training', 'record_version_metrics', 'get_metric_history',
        'get_metric_names', 'deploy_training_version', 'undeploy_training_version',
        'record_training_cost', 'get_package_cost', 'export_training_versions',
        'import_training_versions', 'import_training_events'
    ];
    taken text;
begin
    with relations as (
        select c.oid, c.relname, coalesce(i.indrelid, s.refobjid) as belongs_to
        from pg_catalog.pg_class c
        left join pg_catalog.pg_index i on i.indexrelid = c.oid
        left join pg_catalog.pg_depend s
            on c.relkind = 'S' and s.objid = c.oid and s.classid = 'pg_class'::regclass
            and s.deptype = 'i'
        where c.relnamespace = 'public'::regnamespace
    ),
    ours as (
        select r.oid from relations r
        where r.relname = 'training_package_versions'
            or r.relname = any (tables)
            and obj_description(r.oid, 'pg_class') like 'training-versions: %'
    ),
    others as (
        select 'pg_class'::regclass as class_id, r.oid
        from relations r
        where r.relname = any (tables) and r.oid not in (select o.oid from ours o)
            or r.relname = any (indexes)
            and coalesce(r.belongs_to, 0) not in (select o.oid from ours o)
            or r.relname = 'idx_training_configs_current_version'
            and r.belongs_to is distinct from 'public.training_configs'::regclass
        union all
        -- A table makes a type of its name. (That of a table with such a name is listed above.)
        select 'pg_type'::regclass, t.oid
        from pg_catalog.pg_type t
        where t.typnamespace = 'public'::regnamespace and t.typname = any (tables)
            and not exists (select from relations r where r.oid = t.typrelid)
        union all
        -- Whatever its arguments: the API would no longer know which of two to call.
        select 'pg_proc'::regclass, p.oid
        from pg_catalog.pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.proname = any (functions)
            and coalesce(obj_description(p.oid, 'pg_proc'), '') not like 'training-versions: %'
            -- Of the first release.
            and p.oid is distinct from to_regprocedure('public.get_next_version_number(uuid)')
        union all
        select 'pg_namespace'::regclass, n.oid
        from pg_catalog.pg_namespace n
        where n.nspname = 'training_versions_internal'
            and coalesce(obj_description(n.oid, 'pg_namespace'), '')
                not like '%training_package_versions%'
        union all
        -- The packages' table is the app's, and may have triggers of its own.
        select 'pg_trigger'::regclass, t.oid
        from pg_catalog.pg_trigger t
        join pg_catalog.pg_proc p on p.oid = t.tgfoid
        where t.tgrelid in (
                'public.training_configs'::regclass, 'public.training_package_versions'::regclass
            )
            and not t.tgisinternal
            and t.tgname ~ '^(rule|record)_\d\d_'
            and p.pronamespace <> coalesce(to_regnamespace('training_versions_internal'), 0)
    )
    select string_agg(pg_describe_object(o.class_id, o.oid, 0), ', ' order by o.class_id, o.oid)
    into taken
    from others o;
    if taken is not null then
        raise exception using
            errcode = '42710',
            message = 'names that training-versions needs are taken: ' || taken,
            hint = 'Rename them, or move them to another schema, and push again. '
                'Nothing of this release has been made.';
    end if;
end
$$;
