-- Takes back everything that the migrations made. ALL VERSION HISTORY IS DELETED; back it up first.
--
-- Keeps: training_configs with its rows, its own columns and its policies.
-- For operators: lies outside migrations/, because `supabase db push` applies whatever lies there. Run it by hand, with
--   `psql -f` or in the SQL editor; it is one transaction. Afterwards make the history agree, then a push starts anew:
--       supabase migration repair --remote --yes --status reverted 20250131000001 20261122000001 20261122000002 20261122000003 20261122000004 20261122000005 20261122000006 20261122000007 20261122000008

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
    public.get_next_version_number(uuid),
    public.create_training_package(text, text, jsonb, uuid, uuid),
    public.update_training_package(uuid, jsonb),
    public.delete_training_package(uuid),
    public.create_training_draft(uuid, jsonb, jsonb, jsonb, text, text, uuid, numeric, numeric, uuid),
    public.update_training_draft(uuid, jsonb, timestamptz),
    public.delete_training_draft(uuid, timestamptz),
    public.publish_training_version(uuid, text, timestamptz),
    public.archive_training_version(uuid),
    public.restore_training_version(uuid, text, text, uuid),
    public.fork_training_version(uuid, uuid, text, text, uuid),
    public.get_version_lineage(uuid),
    public.start_version_training(uuid, uuid),
    public.complete_version_training(uuid, uuid, uuid),
    public.fail_version_training(uuid, text, uuid, uuid),
    public.cancel_version_training(uuid, text, uuid, uuid),
    public.record_version_metrics(uuid, jsonb, bigint, uuid),
    public.get_metric_history(uuid, text, uuid),
    public.deploy_training_version(uuid, text, text, text, uuid),
    public.undeploy_training_version(uuid, text, uuid),
    public.record_training_cost(uuid, numeric, text, text, integer[], uuid),
    public.get_package_cost(uuid),
    public.export_training_versions(uuid, integer, integer, integer),
    public.import_training_versions(uuid, jsonb, boolean),
    public.import_training_events(uuid, jsonb);

drop trigger if exists keep_derived_columns on public.training_configs;
drop trigger if exists keep_packages_with_history on public.training_configs;
drop trigger if exists remember_deleted_package on public.training_configs;

alter table public.training_configs
    drop column if exists current_version_id,
    drop column if exists version_count,
    drop column if exists latest_published_version;

-- What lies in the schema hangs on the table and the table's triggers on the schema; nothing of anybody else's does.
drop trigger if exists check_package_owner on public.training_package_versions;
drop trigger if exists keep_version_rules on public.training_package_versions;
drop trigger if exists set_updated_at on public.training_package_versions;
drop trigger if exists keep_frozen_versions on public.training_package_versions;
drop trigger if exists update_config_version_count on public.training_package_versions;
drop trigger if exists update_config_pointers on public.training_package_versions;
drop trigger if exists record_changes on public.training_package_versions;
drop trigger if exists keep_training_transitions on public.training_package_versions;
drop trigger if exists record_training on public.training_package_versions;
drop trigger if exists record_training_of_new_version on public.training_package_versions;
drop trigger if exists record_deployment on public.training_package_versions;
drop trigger if exists record_deployment_of_new_version on public.training_package_versions;
drop trigger if exists end_stays_of_archived on public.training_package_versions;
drop trigger if exists record_direct_cost on public.training_package_versions;
drop trigger if exists record_direct_cost_of_new_version on public.training_package_versions;
drop trigger if exists keep_events on public.training_version_events;
drop trigger if exists keep_all_events on public.training_version_events;
drop schema if exists training_versions_internal cascade;

drop table if exists
    public.training_version_events,
    public.training_metric_points,
    public.training_runs,
    public.training_deployments,
    public.training_costs,
    public.training_package_versions;

-- Where only the first release was ever applied.
drop function if exists public.update_version_count();
drop function if exists public.update_training_package_versions_updated_at();

commit;
