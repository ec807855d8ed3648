-- What a user would write by hand: the columns of a version in a plain table, row level security
-- for its owner, and a function for the next number. It keeps none of the promises of this project:
-- no numbering under a lock, no freezing, no history, no checks.

create table public.plain_packages (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    user_id uuid not null default auth.uid()
);
alter table public.plain_packages enable row level security;
create policy "own packages" on public.plain_packages
    to authenticated using ((select auth.uid()) = user_id);

create table public.plain_versions (
    id uuid primary key default gen_random_uuid(),
    package_id uuid not null references public.plain_packages (id) on delete cascade,
    version_number integer not null,
    name text not null,
    status text not null,
    created_at timestamptz not null default now(),
    created_by uuid not null default auth.uid(),
    published_at timestamptz,
    published_by uuid,
    updated_at timestamptz not null default now(),
    config_snapshot jsonb not null,
    model_snapshot jsonb not null,
    dataset_snapshot jsonb not null,
    change_summary text,
    parent_version_id uuid references public.plain_versions (id),
    is_deployed boolean not null default false,
    deployment_target text,
    deployment_url text,
    deployment_id text,
    training_status text,
    training_started_at timestamptz,
    training_completed_at timestamptz,
    training_metrics jsonb,
    estimated_cost decimal(10, 2),
    actual_cost decimal(10, 2),
    budget_limit decimal(10, 2),
    cost_alerts_sent jsonb,

    unique (package_id, version_number)
);
create index on public.plain_versions (created_by);
alter table public.plain_versions enable row level security;
create policy "own versions" on public.plain_versions
    to authenticated using ((select auth.uid()) = created_by);

create view public.plain_version_summaries with (security_invoker = true) as
select
    id, package_id, version_number, name, status, created_at, created_by, published_at,
    published_by, updated_at, change_summary, parent_version_id, is_deployed, deployment_target,
    deployment_url, deployment_id, training_status, training_started_at, training_completed_at,
    training_metrics, estimated_cost, actual_cost, budget_limit, cost_alerts_sent
from public.plain_versions;

create function public.plain_next_number(p_package_id uuid)
returns integer
stable
language sql
as $$
    select coalesce(max(version_number), 0) + 1
    from public.plain_versions
    where package_id = p_package_id
$$;

grant select, insert, update, delete on public.plain_packages, public.plain_versions
to authenticated;
grant select on public.plain_version_summaries to authenticated;
