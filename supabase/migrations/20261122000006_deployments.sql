-- Deployment: what is live where, and what was live when.
--
-- Touches: creates public.training_deployments; is_deployed and its columns show the latest stay of a version.
-- For operators: the service role goes on writing the deployment columns directly; the stays follow what it writes. Of
--   versions that older data call deployed, the newest published one of a package and target is taken to be live there.
--   A direct write locks the version before the package, the functions the package before the version: when both change
--   one package at once, either may be refused as a deadlock (40P01), and can be made again.

create table if not exists public.training_deployments (
    id uuid primary key default gen_random_uuid(),
    package_id uuid not null references public.training_configs (id) on delete cascade,
    version_id uuid not null references public.training_package_versions (id) on delete cascade,
    version_number integer not null,
    owner_id uuid,
    target text not null,
    url text,
    deployment_id text,
    started_at timestamptz not null default clock_timestamp(),
    started_by uuid,
    ended_at timestamptz,
    ended_by uuid,

    constraint known_target check (target in ('local', 'hf_space')),
    constraint ends_after_start check (ended_at >= started_at)
);
comment on table public.training_deployments is
    'Stays of versions at targets. Invariant: at most one of a package is live (not ended) per target; written by the database only.';
create unique index if not exists one_live_per_target
    on public.training_deployments (package_id, target) where ended_at is null;
create index if not exists idx_training_deployments_target
    on public.training_deployments (package_id, target, started_at desc);
create index if not exists idx_training_deployments_version on public.training_deployments (version_id);

alter table public.training_deployments enable row level security;
drop policy if exists "Users can view own deployments" on public.training_deployments;
create policy "Users can view own deployments" on public.training_deployments
    for select to authenticated
    using ((select auth.uid()) = owner_id);
revoke all on table public.training_deployments from public, anon, authenticated, service_role;
grant select on table public.training_deployments to authenticated, service_role;

-- Ends a stay at a moment, and tells it.
create or replace function training_versions_internal.close_stay(
    p_stay public.training_deployments,
    p_version public.training_package_versions,
    p_moment timestamptz
)
returns void
volatile
security definer
set search_path = ''
language plpgsql
as $$
begin
    update public.training_deployments
    set ended_at = greatest(p_moment, started_at), ended_by = auth.uid()
    where id = p_stay.id;
    perform training_versions_internal.record_event(
        p_version, 'undeployed', jsonb_build_object('target', p_stay.target, 'url', p_stay.url)
    );
end
$$;

-- Does so, and lets the columns of the stay's version show what it is still live at, if anything.
create or replace function training_versions_internal.end_stay(p_stay public.training_deployments, p_moment timestamptz)
returns void
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    left_over public.training_deployments;
    version public.training_package_versions;
begin
    select * into version from public.training_package_versions v where v.id = p_stay.version_id;
    perform training_versions_internal.close_stay(p_stay, version, p_moment);
    select * into left_over
    from public.training_deployments d
    where d.version_id = p_stay.version_id and d.ended_at is null
    order by d.started_at desc
    limit 1;
    update public.training_package_versions
    set is_deployed = left_over.id is not null,
        deployment_target = left_over.target,
        deployment_url = left_over.url,
        deployment_id = left_over.deployment_id
    where id = p_stay.version_id;
end
$$;

-- Only published versions are deployed.
create or replace function training_versions_internal.check_published(p_version public.training_package_versions)
returns void
immutable
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if p_version.status <> 'published' then
        raise exception using
            errcode = 'TV206',
            message = format(
                'version %s is %s and cannot be deployed',
                p_version.version_number,
                case p_version.status when 'draft' then 'a draft' else p_version.status end
            ),
            detail = jsonb_build_object(
                'version_id', p_version.id, 'version_number', p_version.version_number, 'status', p_version.status
            )::pg_catalog.text,
            hint = case p_version.status when 'draft' then 'Publish it first.' else 'Restore it, and publish the draft.' end;
    end if;
end
$$;

-- Older columns may call a version deployed where it is not live.
create or replace function training_versions_internal.clear_stale_deployment(p_version_id uuid)
returns void
volatile
security definer
set search_path = ''
language sql
as $$
    update public.training_package_versions
    set is_deployed = false, deployment_target = null, deployment_url = null, deployment_id = null
    where id = p_version_id and is_deployed
        and not exists (
            select from public.training_deployments d where d.version_id = p_version_id and d.ended_at is null
        )
$$;

-- A target is one of two.
create or replace function training_versions_internal.check_target(p_target text)
returns void
immutable
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if p_target is null or p_target not in ('local', 'hf_space') then
        raise exception using
            errcode = 'TV306',
            message = 'target must be local or hf_space',
            detail = jsonb_build_object('field', 'target')::pg_catalog.text,
            hint = 'Name where the version answers.';
    end if;
end
$$;

-- Stays and events follow the deployment columns, whoever writes them: under the lock on the package, a version that
-- comes to a target ends the stay of the one before it there. Definer: nobody is granted the stays.
create or replace function training_versions_internal.record_deployment()
returns trigger
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    stay public.training_deployments;
    moment pg_catalog.timestamptz;
    -- Given by deploy(); a client that writes the columns gives none.
    stay_id constant pg_catalog.uuid := nullif(current_setting('training_versions.stay_id', true), '')::pg_catalog.uuid;
begin
    perform training_versions_internal.lock_package(new.package_id);
    moment := clock_timestamp();  -- one for what ends and what begins: a target is never without a version in between
    if not new.is_deployed then
        for stay in select * from public.training_deployments d where d.version_id = new.id and d.ended_at is null loop
            perform training_versions_internal.end_stay(stay, moment);
        end loop;
        return null;
    end if;
    -- The columns have room for one place: who writes another one there moves the version; deploy() adds a place.
    if tg_op = 'UPDATE' and stay_id is null and old.is_deployed and new.deployment_target <> old.deployment_target then
        select * into stay
        from public.training_deployments d
        where d.version_id = new.id and d.target = old.deployment_target and d.ended_at is null;
        if found then
            perform training_versions_internal.close_stay(stay, new, moment);
        end if;
    end if;

    select * into stay
    from public.training_deployments d
    where d.package_id = new.package_id and d.target = new.deployment_target and d.ended_at is null;
    if found then
        if stay.version_id = new.id
            and (stay.url, stay.deployment_id) is not distinct from (new.deployment_url, new.deployment_id)
        then
            return null;  -- live there already, just so
        end if;
        if stay.version_id = new.id then
            perform training_versions_internal.close_stay(stay, new, moment);
        else
            perform training_versions_internal.end_stay(stay, moment);
        end if;
    end if;
    perform training_versions_internal.check_published(new);
    -- What older rows left in somebody else's package is not deployed there.
    if not exists (
        select from public.training_configs c
        where c.id = new.package_id and c.user_id is not distinct from new.created_by
    ) then
        raise exception using
            errcode = '42501',
            message = format('version %s lies in a package of another user', new.version_number),
            hint = 'Fork it into a package of your own.';
    end if;
    insert into public.training_deployments
        (id, package_id, version_id, version_number, owner_id, target, url, deployment_id, started_at, started_by)
    values (
        coalesce(stay_id, gen_random_uuid()), new.package_id, new.id, new.version_number, new.created_by,
        new.deployment_target, new.deployment_url, new.deployment_id, moment, auth.uid()
    );
    perform training_versions_internal.record_event(
        new, 'deployed', jsonb_build_object('target', new.deployment_target, 'url', new.deployment_url)
    );
    return null;
end
$$;

-- Stays that older columns tell of: of a package and target the newest published version.
do $$
begin
    if exists (select from public.training_deployments) then
        return;
    end if;
    insert into public.training_deployments
        (package_id, version_id, version_number, owner_id, target, url, deployment_id, started_at, started_by)
    select distinct on (v.package_id, v.deployment_target)
        v.package_id, v.id, v.version_number, v.created_by, v.deployment_target, v.deployment_url, v.deployment_id,
        least(coalesce(v.published_at, v.updated_at), now()), v.published_by
    from public.training_package_versions v
    join public.training_configs c on c.id = v.package_id
    where v.is_deployed and v.deployment_target is not null and v.status = 'published'
        and v.created_by is not distinct from c.user_id
    order by v.package_id, v.deployment_target, v.version_number desc;
end
$$;

create or replace trigger record_deployment
    after update of is_deployed, deployment_target, deployment_url, deployment_id on public.training_package_versions
    for each row
    when (
        (new.is_deployed, new.deployment_target, new.deployment_url, new.deployment_id)
            is distinct from (old.is_deployed, old.deployment_target, old.deployment_url, old.deployment_id)
    )
    execute function training_versions_internal.record_deployment();
create or replace trigger record_deployment_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.is_deployed)
    execute function training_versions_internal.record_deployment();

-- Only published versions are deployed: archiving one ends its stays. Definer: nobody is granted the stays.
create or replace function training_versions_internal.end_stays_of_archived()
returns trigger
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    stay public.training_deployments;
    moment constant pg_catalog.timestamptz := clock_timestamp();
begin
    for stay in select * from public.training_deployments d where d.version_id = new.id and d.ended_at is null loop
        perform training_versions_internal.end_stay(stay, moment);
    end loop;
    return null;
end
$$;
create or replace trigger end_stays_of_archived
    after update of status on public.training_package_versions
    for each row
    when (new.status = 'archived' and old.status <> 'archived')
    execute function training_versions_internal.end_stays_of_archived();

create or replace function training_versions_internal.deploy(
    p_version_id uuid,
    p_target text,
    p_url text,
    p_deployment_id text,
    p_stay_id uuid
)
returns public.training_package_versions
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.check_target(p_target);
    if p_url is not null then
        perform training_versions_internal.check_text('url', p_url, 2000);
    end if;
    if p_deployment_id is not null then
        perform training_versions_internal.check_text('deployment_id', p_deployment_id, 255);
    end if;
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.take_version(p_version_id);
    if training_versions_internal.is_repeat(p_stay_id, p_version_id, 'deploy ' || p_target) then
        return version;
    end if;
    -- A stay that another call, or a client that wrote the columns, gave that id.
    if exists (select from public.training_deployments d where d.id = p_stay_id) then
        perform training_versions_internal.refuse_taken_id(p_stay_id, 'is another stay''s already');
    end if;
    perform training_versions_internal.check_published(version);
    perform training_versions_internal.clear_stale_deployment(p_version_id);
    perform set_config('training_versions.stay_id', coalesce(p_stay_id, gen_random_uuid())::pg_catalog.text, true);
    update public.training_package_versions
    set is_deployed = true, deployment_target = p_target, deployment_url = p_url, deployment_id = p_deployment_id
    where id = p_version_id
        and (is_deployed, deployment_target, deployment_url, deployment_id)
            is distinct from (true, p_target, p_url, p_deployment_id);
    perform set_config('training_versions.stay_id', '', true);
    select * into version from public.training_package_versions v where v.id = p_version_id;
    return version;
end
$$;

create or replace function training_versions_internal.undeploy(p_version_id uuid, p_target text, p_call_id uuid)
returns public.training_package_versions
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    stay public.training_deployments;
    moment pg_catalog.timestamptz;
begin
    if p_target is not null then
        perform training_versions_internal.check_target(p_target);
    end if;
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.take_version(p_version_id);
    if training_versions_internal.is_repeat(p_call_id, p_version_id, 'undeploy ' || coalesce(p_target, '')) then
        return version;
    end if;
    moment := clock_timestamp();
    for stay in
        select * from public.training_deployments d
        where d.version_id = p_version_id and d.ended_at is null and (p_target is null or d.target = p_target)
    loop
        perform training_versions_internal.end_stay(stay, moment);
    end loop;
    perform training_versions_internal.clear_stale_deployment(p_version_id);
    select * into version from public.training_package_versions v where v.id = p_version_id;
    return version;
end
$$;

revoke all on function
    training_versions_internal.close_stay(
        public.training_deployments, public.training_package_versions, timestamptz
    ),
    training_versions_internal.end_stay(public.training_deployments, timestamptz),
    training_versions_internal.check_published(public.training_package_versions),
    training_versions_internal.clear_stale_deployment(uuid),
    training_versions_internal.check_target(text),
    training_versions_internal.record_deployment(),
    training_versions_internal.end_stays_of_archived(),
    training_versions_internal.deploy(uuid, text, text, text, uuid),
    training_versions_internal.undeploy(uuid, text, uuid)
from public, anon, authenticated, service_role;
grant execute on function
    training_versions_internal.deploy(uuid, text, text, text, uuid),
    training_versions_internal.undeploy(uuid, text, uuid)
to authenticated, service_role;

create or replace function public.deploy_training_version(
    p_version_id uuid,
    p_target text,
    p_url text default null,
    p_deployment_id text default null,
    p_stay_id uuid default null
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.deploy(p_version_id, p_target, p_url, p_deployment_id, p_stay_id)
$$;
comment on function public.deploy_training_version(uuid, text, text, text, uuid) is
    'Makes a published version the one that is live at a target, and ends the stay of the one before it. Repeated with the same p_stay_id it changes nothing, whatever was deployed since.';

create or replace function public.undeploy_training_version(
    p_version_id uuid,
    p_target text default null,
    p_call_id uuid default null
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.undeploy(p_version_id, p_target, p_call_id)
$$;
comment on function public.undeploy_training_version(uuid, text, uuid) is
    'Ends the stay of a version at a target, or at all of them. Repeated with the same p_call_id it ends no later one.';

revoke all on function
    public.deploy_training_version(uuid, text, text, text, uuid),
    public.undeploy_training_version(uuid, text, uuid)
from public, anon, authenticated, service_role;
grant execute on function
    public.deploy_training_version(uuid, text, text, text, uuid),
    public.undeploy_training_version(uuid, text, uuid)
to authenticated, service_role;
