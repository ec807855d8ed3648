-- Takes back everything that the migrations made. ALL VERSION HISTORY IS DELETED; back it up first.
--
-- Keeps: training_configs with its rows, its own columns and its policies.
-- For operators: lies outside migrations/, because `supabase db push` applies whatever lies
--   there. Run it by hand, with `psql -f` or in the SQL editor; it is one transaction. Afterwards
--   `supabase migration repair` makes the history agree, as docs/migrations.md shows, and then a
--   push starts anew.

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

-- Our functions are known by their comments, so that a new one needs no line here, and no function
-- of the app is dropped.
do $$
declare
    our_function regprocedure;
begin
    for our_function in
        select oid
        from pg_catalog.pg_proc
        where pronamespace = 'public'::regnamespace
            and obj_description(oid, 'pg_proc') like 'training-versions: %'
    loop
        execute format('drop function %s', our_function);
    end loop;
end
$$;

-- With the schema go its functions, and with these the triggers that call them.
drop schema if exists training_versions_internal cascade;

drop view if exists public.training_package_version_summaries, public.training_row_numbers;

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
    public.get_next_version_number,
    public.update_version_count,
    public.update_training_package_versions_updated_at;

commit;
