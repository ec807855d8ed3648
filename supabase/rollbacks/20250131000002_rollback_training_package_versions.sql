-- Takes back everything that the migrations made. ALL VERSION HISTORY IS DELETED; back it up first.
--
-- Keeps: training_configs with its rows, its own columns and its policies.
-- For operators: lies outside migrations/, because `supabase db push` applies whatever lies
--   there. Run it by hand, with `psql -f` or in the SQL editor; it is one transaction. Afterwards
--   make the history agree, then a push starts anew:
--       supabase migration repair --remote --yes --status reverted \
--           20250131000001 20261122000010 20261122000015 20261122000020 20261122000022 \
--           20261122000025 20261122000028 20261122000030 20261122000035 20261122000040 \
--           20261122000050 20261122000060 20261122000070 20261122000080 20261122000090

begin;

do $$
declare
    versions bigint := 0;
begin
    if to_regclass('public.training_package_versions') is not null then
        select count(*) into versions from public.training_package_versions;
    end if;
    raise warning 'deleting all version history: % versions', versions;
end
$$;

drop function if exists
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
    public.import_training_events;

-- With the schema go its functions, and with these the triggers that call them.
drop schema if exists training_versions_internal cascade;

alter table public.training_configs
    drop column if exists current_version_id,
    drop column if exists version_count,
    drop column if exists latest_published_version;

drop table if exists
    public.training_version_events,
    public.training_metric_points,
    public.training_runs,
    public.training_deployments,
    public.training_costs,
    public.training_package_versions;

-- Where only the first release was ever applied.
drop function if exists
    public.update_version_count,
    public.update_training_package_versions_updated_at;

commit;
