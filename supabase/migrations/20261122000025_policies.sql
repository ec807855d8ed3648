-- Who may see and write versions: row level security, four policies, one per command.
--
-- Touches: every policy on training_package_versions.
-- For operators: every existing policy on the table is dropped, whatever its name, and the four
--   below take their place. PostgreSQL combines policies with `or`, so an old one that allows more
--   would undo these. They read no table, so that an app's policy on training_configs may read the
--   versions without a recursion.

do $$
declare
    old_policy name;
begin
    for old_policy in
        select policyname from pg_catalog.pg_policies
        where schemaname = 'public' and tablename = 'training_package_versions'
    loop
        execute format('drop policy %I on public.training_package_versions', old_policy);
    end loop;
end
$$;
alter table public.training_package_versions enable row level security;

-- A user sees only their own versions.
create policy "Users can view own package versions" on public.training_package_versions
    for select to authenticated
    using ((select auth.uid()) = created_by);

-- A user makes drafts, in their own packages, under their own name.
create policy "Users can create own package versions" on public.training_package_versions
    for insert to authenticated
    with check (
        (select auth.uid()) = created_by
        and status = 'draft'
        and training_versions_internal.owns_package(package_id)
    );

-- A user edits and publishes their own drafts, in their own packages.
create policy "Users can update own draft versions" on public.training_package_versions
    for update to authenticated
    using ((select auth.uid()) = created_by and status = 'draft')
    with check (
        (select auth.uid()) = created_by
        and status in ('draft', 'published')
        and training_versions_internal.owns_package(package_id)
    );

-- A user deletes only their own drafts.
create policy "Users can delete own draft versions" on public.training_package_versions
    for delete to authenticated
    using ((select auth.uid()) = created_by and status = 'draft');
