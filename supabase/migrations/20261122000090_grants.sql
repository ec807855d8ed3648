-- Who may do what: everything is taken from everybody, and given by name.
--
-- Touches: the privileges on our tables and functions; nobody else's.
-- For operators: anonymous callers get nothing. Row level security narrows what is granted here;
--   tables on which only `select` is granted are written by the database. The revokes are for older
--   projects, whose default privileges granted more.

revoke all on all tables in schema training_versions_internal
    from public, anon, authenticated, service_role;
revoke all on all sequences in schema training_versions_internal
    from public, anon, authenticated, service_role;
revoke all on all functions in schema training_versions_internal
    from public, anon, authenticated, service_role;
revoke all on table
    public.training_package_versions,
    public.training_package_version_summaries,
    public.training_published_versions,
    public.training_row_numbers,
    public.training_package_overviews,
    public.training_cost_entries,
    public.training_version_events,
    public.training_runs,
    public.training_metric_points,
    public.training_deployments,
    public.training_costs
from public, anon, authenticated, service_role;
-- Of the ids of events. Nobody needs it: the sequence of an identity column is used by the insert.
revoke all on sequence public.training_version_events_id_seq
    from public, anon, authenticated, service_role;
revoke all on function
    public.training_version_summary, public.get_next_version_number,
    public.create_training_package, public.get_or_create_training_package,
    public.training_package_made_at,
    public.update_training_package, public.delete_training_package, public.create_training_draft,
    public.update_training_draft, public.delete_training_draft, public.publish_training_version,
    public.archive_training_version, public.restore_training_version,
    public.fork_training_version, public.get_version_lineage, public.start_version_training,
    public.complete_version_training, public.fail_version_training,
    public.cancel_version_training, public.record_version_metrics, public.get_metric_history,
    public.get_metric_names,
    public.deploy_training_version, public.undeploy_training_version, public.record_training_cost,
    public.get_package_cost, public.export_training_versions, public.import_training_versions,
    public.import_training_events
from public, anon, authenticated, service_role;

--
-- Signed-in users and the service role
--

grant select, insert, update, delete on table
    public.training_package_versions
to authenticated, service_role;

grant select on table
    public.training_package_version_summaries,
    public.training_published_versions,
    public.training_row_numbers,
    public.training_package_overviews,
    public.training_cost_entries,
    public.training_version_events,
    public.training_runs,
    public.training_metric_points,
    public.training_deployments,
    public.training_costs
to authenticated, service_role;

grant execute on function
    public.training_version_summary,
    public.get_next_version_number,
    public.create_training_package,
    public.get_or_create_training_package,
    public.training_package_made_at,
    public.update_training_package,
    public.delete_training_package,
    public.create_training_draft,
    public.update_training_draft,
    public.delete_training_draft,
    public.publish_training_version,
    public.archive_training_version,
    public.restore_training_version,
    public.fork_training_version,
    public.get_version_lineage,
    public.start_version_training,
    public.complete_version_training,
    public.fail_version_training,
    public.cancel_version_training,
    public.record_version_metrics,
    public.get_metric_history,
    public.get_metric_names,
    public.deploy_training_version,
    public.undeploy_training_version,
    public.record_training_cost,
    public.get_package_cost,
    public.export_training_versions,
    public.import_training_versions,
    public.import_training_events
to authenticated, service_role;

-- What those functions call, being security invoker, and what the triggers call that are invoker,
-- too. They are out of reach of the API. Each definer function among them checks for whom the
-- caller may act.
grant execute on function
    -- refusals and checks
    training_versions_internal.refuse,
    training_versions_internal.refuse_value,
    training_versions_internal.acts_for,
    training_versions_internal.acts_for_all,
    training_versions_internal.version_label,
    training_versions_internal.refuse_missing_version,
    training_versions_internal.refuse_missing_package,
    training_versions_internal.refuse_taken_id,
    training_versions_internal.refuse_status,
    training_versions_internal.check_cost,
    training_versions_internal.check_text,
    training_versions_internal.check_snapshot,
    training_versions_internal.check_numbers,
    training_versions_internal.check_fields,
    training_versions_internal.check_draft_and_token,
    training_versions_internal.check_new_owner,
    training_versions_internal.is_owner_reference,
    training_versions_internal.is_own_write,
    training_versions_internal.say_replayed,
    -- drafts
    training_versions_internal.editable_columns,
    training_versions_internal.has_fields,
    training_versions_internal.insert_draft,
    training_versions_internal.see_version,
    training_versions_internal.lock_version,
    training_versions_internal.lock_package_of,
    -- definer
    training_versions_internal.was_deleted,
    training_versions_internal.claim_id,
    training_versions_internal.lock_package,
    training_versions_internal.owns_package,
    training_versions_internal.lock_own_package,
    training_versions_internal.hold_package_of,
    training_versions_internal.next_number,
    training_versions_internal.archive_version,
    training_versions_internal.copy_version,
    training_versions_internal.start_training,
    training_versions_internal.end_training,
    training_versions_internal.record_metrics,
    training_versions_internal.deploy,
    training_versions_internal.undeploy,
    training_versions_internal.record_cost,
    training_versions_internal.import_versions,
    training_versions_internal.import_events,
    -- reading
    training_versions_internal.find_run,
    training_versions_internal.package_totals
to authenticated, service_role;

-- The migrations verify themselves: one policy per command on the versions, row level security on
-- every table of ours, and nothing that an anonymous caller may use. Our functions in public are
-- known by calling those of the internal schema, which all of them do.
do $$
declare
    commands pg_catalog.text;
    open_tables pg_catalog.text;
    open_to_anon pg_catalog.text;
begin
    select string_agg(cmd, ', ' order by cmd) into commands
    from pg_catalog.pg_policies
    where schemaname = 'public' and tablename = 'training_package_versions';
    if commands is distinct from 'DELETE, INSERT, SELECT, UPDATE' then
        raise exception 'training_package_versions should have one policy per command, not: %',
            commands;
    end if;

    select string_agg(c.oid::regclass::pg_catalog.text, ', ') into open_tables
    from pg_catalog.pg_class c
    where c.relkind = 'r'
        and not c.relrowsecurity
        and (
            c.relnamespace = 'training_versions_internal'::regnamespace
            or c.oid in (
                'public.training_package_versions'::regclass,
                'public.training_version_events'::regclass,
                'public.training_runs'::regclass,
                'public.training_metric_points'::regclass,
                'public.training_deployments'::regclass,
                'public.training_costs'::regclass
            )
        );
    if open_tables is not null then
        raise exception 'row level security is off: %', open_tables;
    end if;

    select string_agg(o.name, ', ') into open_to_anon
    from (
        select p.oid::regprocedure::pg_catalog.text as name
        from pg_catalog.pg_proc p
        where has_function_privilege('anon', p.oid, 'execute')
            and (
                p.pronamespace = 'training_versions_internal'::regnamespace
                or p.pronamespace = 'public'::regnamespace
                and p.prosrc like '%training\_versions\_internal.%'
            )
        union all
        select c.oid::regclass::pg_catalog.text
        from pg_catalog.pg_sequence s
        join pg_catalog.pg_class c on c.oid = s.seqrelid
        where has_sequence_privilege('anon', s.seqrelid, 'usage, select, update')
            and (
                c.relnamespace = 'training_versions_internal'::regnamespace
                or c.oid = 'public.training_version_events_id_seq'::regclass
            )
    ) as o;
    if open_to_anon is not null then
        raise exception 'anonymous callers may use: %', open_to_anon;
    end if;

    raise notice
        'training_package_versions keeps its rules: one policy per command, row level security on,'
        ' nothing open to anonymous callers';
end
$$;
