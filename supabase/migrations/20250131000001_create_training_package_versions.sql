-- The first release (2025-01-31): a version history for training packages.
--
-- Touches: creates public.training_package_versions, adds three columns to public.training_configs.
-- Presumes: auth.users and auth.uid(), which every Supabase project has.
-- For operators: databases exist that have this version in their history; it is never edited in meaning. Everything it
--   makes is guarded, because some of them got it through the SQL editor, without history. training_configs is created
--   only where it is missing; one that exists keeps its columns, policies and rows. The rules that hold today are made
--   by the later files; push them together.

do $$
begin
    if to_regnamespace('training_versions_internal') is not null then
        raise exception 'this database has the later migrations already; running the first one again would undo them. '
            'If it was applied without the Supabase CLI, tell its history so, and push again: '
            'supabase migration repair --remote --status applied 20250131000001';
    end if;
end
$$;

-- A package: what the versions are versions of.
do $$
begin
    if to_regclass('public.training_configs') is null then
        create table public.training_configs (
            id uuid primary key default gen_random_uuid(),
            name text not null,
            template_type text not null,
            config_json jsonb not null default '{}',
            user_id uuid not null references auth.users (id) on delete cascade,
            created_at timestamptz not null default now()
        );
        comment on table public.training_configs is
            'Training packages. Each belongs to one user; its versions are rows of training_package_versions.';
        create index idx_training_configs_user on public.training_configs (user_id);

        alter table public.training_configs enable row level security;
        create policy "Users can view own training configs" on public.training_configs
            for select to authenticated using (user_id = (select auth.uid()));
        create policy "Users can create own training configs" on public.training_configs
            for insert to authenticated with check (user_id = (select auth.uid()));
        create policy "Users can update own training configs" on public.training_configs
            for update to authenticated using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
        create policy "Users can delete own training configs" on public.training_configs
            for delete to authenticated using (user_id = (select auth.uid()));

        revoke all on table public.training_configs from anon, authenticated, service_role;
        grant select, insert, update, delete on table public.training_configs to authenticated, service_role;
    end if;
end
$$;

create table if not exists public.training_package_versions (
    -- identity
    id uuid primary key default gen_random_uuid(),
    package_id uuid not null references public.training_configs (id) on delete cascade,
    version_number integer not null,
    -- metadata
    name text not null,
    status text not null,
    created_at timestamptz default now(),
    created_by uuid references auth.users (id),
    published_at timestamptz,
    published_by uuid references auth.users (id),
    updated_at timestamptz default now(),
    -- snapshots
    config_snapshot jsonb not null,
    model_snapshot jsonb not null,
    dataset_snapshot jsonb not null,
    -- change tracking
    change_summary text,
    parent_version_id uuid references public.training_package_versions (id) on delete set null,
    -- deployment
    is_deployed boolean default false,
    deployment_target text,
    deployment_url text,
    deployment_id text,
    -- training
    training_status text,
    training_started_at timestamptz,
    training_completed_at timestamptz,
    training_metrics jsonb,
    -- cost
    estimated_cost decimal(10, 2),
    actual_cost decimal(10, 2),
    budget_limit decimal(10, 2),
    cost_alerts_sent jsonb,

    constraint unique_package_version unique (package_id, version_number),
    constraint valid_status check (status in ('draft', 'published', 'archived')),
    constraint valid_deployment_target check (deployment_target in ('local', 'hf_space')),
    constraint valid_training_status
        check (training_status in ('pending', 'running', 'completed', 'failed', 'cancelled')),
    constraint published_has_timestamp_and_user
        check (status <> 'published' or (published_at is not null and published_by is not null)),
    constraint deployed_has_target check (not is_deployed or deployment_target is not null)
);

comment on table public.training_package_versions is
    'Versions of training packages: snapshots of config, base model and data sets, draft, then published, then archived.';

alter table public.training_configs
    add column if not exists current_version_id uuid references public.training_package_versions (id) on delete set null,
    add column if not exists version_count integer default 0,
    add column if not exists latest_published_version integer default 0;

create index if not exists idx_package_versions_package
    on public.training_package_versions (package_id, version_number desc);
create index if not exists idx_package_versions_status on public.training_package_versions (status);
create index if not exists idx_package_versions_user on public.training_package_versions (created_by);
create index if not exists idx_package_versions_deployment
    on public.training_package_versions (is_deployed, deployment_target);
create index if not exists idx_package_versions_training_status on public.training_package_versions (training_status);
create index if not exists idx_package_versions_parent on public.training_package_versions (parent_version_id);
create index if not exists idx_package_versions_config_snapshot
    on public.training_package_versions using gin (config_snapshot);
create index if not exists idx_package_versions_model_snapshot
    on public.training_package_versions using gin (model_snapshot);
create index if not exists idx_package_versions_dataset_snapshot
    on public.training_package_versions using gin (dataset_snapshot);

alter table public.training_package_versions enable row level security;

drop policy if exists "Users can view own package versions" on public.training_package_versions;
create policy "Users can view own package versions" on public.training_package_versions
    for select to authenticated using ((select auth.uid()) = created_by);
drop policy if exists "Users can create own package versions" on public.training_package_versions;
create policy "Users can create own package versions" on public.training_package_versions
    for insert to authenticated with check ((select auth.uid()) = created_by);
drop policy if exists "Users can update own draft versions" on public.training_package_versions;
create policy "Users can update own draft versions" on public.training_package_versions
    for update to authenticated using ((select auth.uid()) = created_by and status = 'draft');
drop policy if exists "Users can delete own draft versions" on public.training_package_versions;
create policy "Users can delete own draft versions" on public.training_package_versions
    for delete to authenticated using ((select auth.uid()) = created_by and status = 'draft');

-- The next number of a package: 1, 2, 3 …
create or replace function public.get_next_version_number(p_package_id uuid)
returns integer
stable
security invoker
set search_path = ''
language sql
as $$
    select coalesce(max(version_number), 0) + 1
    from public.training_package_versions
    where package_id = p_package_id
$$;

-- Keeps training_configs.version_count.
create or replace function public.update_version_count()
returns trigger
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        update public.training_configs set version_count = version_count + 1 where id = new.package_id;
    else
        update public.training_configs set version_count = version_count - 1 where id = old.package_id;
    end if;
    return null;
end
$$;

-- Keeps training_package_versions.updated_at.
create or replace function public.update_training_package_versions_updated_at()
returns trigger
security invoker
set search_path = ''
language plpgsql
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

create or replace trigger set_updated_at
    before update on public.training_package_versions
    for each row execute function public.update_training_package_versions_updated_at();

create or replace trigger update_config_version_count
    after insert or delete on public.training_package_versions
    for each row execute function public.update_version_count();

-- The migration verifies itself.
do $$
declare
    columns integer;
    policies integer;
    indexes integer;
begin
    select count(*) into columns from information_schema.columns
    where table_schema = 'public' and table_name = 'training_package_versions';
    select count(*) into policies from pg_catalog.pg_policies
    where schemaname = 'public' and tablename = 'training_package_versions';
    select count(*) into indexes from pg_catalog.pg_indexes
    where schemaname = 'public' and tablename = 'training_package_versions';
    if columns < 27 or policies < 4 or indexes < 9 then
        raise exception 'training_package_versions is incomplete: % columns, % policies, % indexes',
            columns, policies, indexes;
    end if;
    raise notice 'training_package_versions: % columns, % policies, % indexes', columns, policies, indexes;
end
$$;
