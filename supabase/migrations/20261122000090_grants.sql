-- Who may do what: everything is taken from everybody, and given by name.
--
-- Touches: the privileges on our tables and functions; nobody else's.
-- For operators: anonymous callers get nothing. Row level security narrows what is given here;
--   where only `select` is, the database writes. An older project has default privileges that
--   gave more.

revoke all on all tables in schema training_versions_internal
    from public, anon, authenticated, service_role;
revoke all on all functions in schema training_versions_internal
    from public, anon, authenticated, service_role;
revoke all on table
    public.training_package_versions,
    public.training_version_events,
    public.training_runs,
    public.training_metric_points,
    public.training_deployments,
    public.training_costs
from public, anon, authenticated, service_role;
revoke all on function
    public.get_next_version_number, public.create_training_package,
    public.update_training_package, public.delete_training_package, public.create_training_draft,
    public.update_training_draft, public.delete_training_draft, public.publish_training_version,
    public.archive_training_version, public.restore_training_version,
    public.fork_training_version, public.get_version_lineage, public.start_version_training,
    public.complete_version_training, public.fail_version_training,
    public.cancel_version_training, public.record_version_metrics, public.get_metric_history,
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
    public.training_version_events,
    public.training_runs,
    public.training_metric_points,
    public.training_deployments,
    public.training_costs
to authenticated, service_role;

grant execute on function
    public.get_next_version_number,
    public.create_training_package,
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
    public.deploy_training_version,
    public.undeploy_training_version,
    public.record_training_cost,
    public.get_package_cost,
    public.export_training_versions,
    public.import_training_versions,
    public.import_training_events
to authenticated, service_role;

-- What those call, being security invoker, and so does the trigger that checks a package's owner.
-- They are out of reach of the API. Each definer function among them looks itself for whom the
-- caller may act.
grant execute on function
    -- refusals and checks
    training_versions_internal.refuse,
    training_versions_internal.refuse_value,
    training_versions_internal.refuse_missing_version,
    training_versions_internal.refuse_missing_package,
    training_versions_internal.refuse_taken_id,
    training_versions_internal.refuse_status,
    training_versions_internal.check_cost,
    training_versions_internal.check_text,
    training_versions_internal.check_snapshot,
    training_versions_internal.check_fields,
    training_versions_internal.check_draft,
    training_versions_internal.check_new_owner,
    training_versions_internal.is_own_write,
    -- drafts
    training_versions_internal.editable_columns,
    training_versions_internal.has_fields,
    training_versions_internal.insert_draft,
    training_versions_internal.see_version,
    training_versions_internal.lock_version,
    training_versions_internal.lock_package_of,
    -- definer
    training_versions_internal.was_deleted,
    training_versions_internal.lock_package,
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
    training_versions_internal.find_run
to authenticated, service_role;

-- The migrations verify themselves.
do $$
declare
    policies integer;
    triggers integer;
    functions integer;
begin
    select count(*) into policies
    from pg_catalog.pg_policies
    where schemaname = 'public' and tablename = 'training_package_versions';
    select count(*) into triggers
    from pg_catalog.pg_trigger
    where tgrelid = 'public.training_package_versions'::regclass and not tgisinternal;
    select count(*) into functions
    from pg_catalog.pg_proc
    where pronamespace = 'training_versions_internal'::regnamespace
        and has_function_privilege('anon', oid, 'execute');
    if policies <> 4 or triggers < 20 or functions > 0 then
        raise exception
            'training_package_versions is incomplete: % policies, % triggers, % open functions',
            policies, triggers, functions;
    end if;
    raise notice 'training_package_versions keeps its rules: % policies, % triggers',
        policies, triggers;
end
$$;
