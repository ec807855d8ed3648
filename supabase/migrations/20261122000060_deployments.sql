-- Deployment: which version is live at which target, and which one was at any time.
--
-- Touches: creates public.training_deployments; the deployment columns of a version show where it
--   is live.
-- For operators: the service role may go on writing the deployment columns directly; the
--   deployments follow what it writes. Of versions that older data call deployed, the newest
--   published one of a package and target is taken to be live there. A direct write locks the
--   version first, and its triggers lock the package; the functions do the reverse. So when both
--   change one package at once, either may be refused as a deadlock (40P01), and can be repeated.
--   The SDK does that by itself.
--
-- How a deployment is written: deploy inserts it (begin_deployment) and then sets the columns of
-- its version; undeploy ends it (end_deployments) and then makes the columns show what is left
-- (show_deployment). The trigger on the columns finds nothing left to do. Where a client wrote the
-- columns itself, that trigger begins and ends deployments by the same functions. They run as the
-- definer functions that call them.
--
-- The order in which triggers fire is explained in 20261122000020.

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
    'training-versions: '
    'Deployments of versions to targets. Invariant: at most one of a package is live (not ended) '
    'per target. Written by the database only.';
create unique index if not exists one_live_per_target
    on public.training_deployments (package_id, target) where ended_at is null;
create index if not exists idx_training_deployments_target
    on public.training_deployments (package_id, target, started_at desc);
create index if not exists idx_training_deployments_version
    on public.training_deployments (version_id);
-- For lists of a package and of all that a user has, in the order of time.
create index if not exists idx_training_deployments_package
    on public.training_deployments (package_id, started_at, id);
create index if not exists idx_training_deployments_owner
    on public.training_deployments (owner_id, started_at, id);

alter table public.training_deployments enable row level security;
drop policy if exists "Users can view own deployments" on public.training_deployments;
create policy "Users can view own deployments" on public.training_deployments
    for select to authenticated
    using ((select auth.uid()) = owner_id);

-- The deployments that older columns imply: of a package and target the newest published version.
-- Without a lock of its own: making the table above, with its foreign keys, keeps writers out of
-- training_package_versions until this file is applied. Where there was such a table already, the
-- triggers below were there, too.
do $$
begin
    if exists (select from public.training_deployments) then
        return;
    end if;
    insert into public.training_deployments (
        package_id, version_id, version_number, owner_id,
        target, url, deployment_id, started_at, started_by
    )
    select distinct on (v.package_id, v.deployment_target)
        v.package_id, v.id, v.version_number, v.created_by,
        v.deployment_target, v.deployment_url, v.deployment_id,
        least(coalesce(v.published_at, v.updated_at), now()), v.published_by
    from public.training_package_versions v
    join public.training_configs c on c.id = v.package_id
    where v.is_deployed and v.deployment_target is not null and v.status = 'published'
        and v.created_by is not distinct from c.user_id
    order by v.package_id, v.deployment_target, v.version_number desc;
end
$$;

--
-- Beginning, ending, showing
--

-- Is the version live at the target, with this url and deployment_id?
create or replace function training_versions_internal.is_live(
    p_version_id uuid,
    p_target text,
    p_url text,
    p_deployment_id text
)
returns boolean
stable
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from public.training_deployments d
        where d.version_id = p_version_id and d.target = p_target and d.ended_at is null
            and (d.url, d.deployment_id) is not distinct from (p_url, p_deployment_id)
    );
end
$$;

-- Ends the live deployments of a version, at one target or (null) at all; returns whether there
-- were any. The only place that ends a deployment.
create or replace function training_versions_internal.end_deployments(
    p_version_id uuid,
    p_target text,
    p_ended_at timestamptz
)
returns boolean
set search_path = ''
language plpgsql
as $$
declare
    ended public.training_deployments;
begin
    for ended in
        -- `greatest`, because the clock may have been set back since the deployment started.
        update public.training_deployments d
        set ended_at = greatest(p_ended_at, d.started_at), ended_by = auth.uid()
        where d.version_id = p_version_id and d.ended_at is null
            and (p_target is null or d.target = p_target)
        returning d.*
    loop
        perform training_versions_internal.record_event(
            p_version_id, 'undeployed', jsonb_build_object('target', ended.target, 'url', ended.url)
        );
    end loop;
    return found;
end
$$;

-- Makes the columns of a version show the latest of its live deployments, or that there is none.
create or replace function training_versions_internal.show_deployment(p_version_id uuid)
returns void
set search_path = ''
language plpgsql
as $$
declare
    live public.training_deployments;
begin
    select * into live
    from public.training_deployments d
    where d.version_id = p_version_id and d.ended_at is null
    order by d.started_at desc
    limit 1;
    update public.training_package_versions
    set is_deployed = live.id is not null, deployment_target = live.target,
        deployment_url = live.url, deployment_id = live.deployment_id
    where id = p_version_id
        and (is_deployed, deployment_target, deployment_url, deployment_id)
            is distinct from (live.id is not null, live.target, live.url, live.deployment_id);
end
$$;

-- Refuses to deploy a version that is not published, or that lies in another user's package, as
-- some older data do.
create or replace function training_versions_internal.check_deployable(
    p_version public.training_package_versions
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    if p_version.status = 'draft' then
        perform training_versions_internal.refuse_status(
            'TV206', p_version, 'is a draft and cannot be deployed', 'Publish it first.'
        );
    elsif p_version.status = 'archived' then
        perform training_versions_internal.refuse_status(
            'TV206',
            p_version,
            'is archived and cannot be deployed',
            'Restore it, and publish the draft.'
        );
    end if;
    if not exists (
        select from public.training_configs c
        where c.id = p_version.package_id and c.user_id is not distinct from p_version.created_by
    ) then
        perform training_versions_internal.refuse(
            '42501',
            format(
                'version %s lies in package %s, which is another user''s',
                p_version.version_number, p_version.package_id
            ),
            p_hint => 'Fork it into a package of your own.'
        );
    end if;
end
$$;

-- Makes a version the live one at a target, under the lock on the package. The deployment before it
-- ends at the timestamp at which this one starts, so that the target is never without a version.
create or replace function training_versions_internal.begin_deployment(
    p_version public.training_package_versions,
    p_target text,
    p_url text,
    p_deployment_id text,
    p_id uuid default gen_random_uuid()
)
returns void
set search_path = ''
language plpgsql
as $$
declare
    began_at constant pg_catalog.timestamptz := clock_timestamp();
    replaced_id pg_catalog.uuid;
begin
    perform training_versions_internal.check_deployable(p_version);
    select d.version_id into replaced_id
    from public.training_deployments d
    where d.package_id = p_version.package_id and d.target = p_target and d.ended_at is null;
    if found then
        perform training_versions_internal.end_deployments(replaced_id, p_target, began_at);
        if replaced_id <> p_version.id then
            perform training_versions_internal.show_deployment(replaced_id);
        end if;
    end if;

    insert into public.training_deployments (
        id, package_id, version_id, version_number, owner_id,
        target, url, deployment_id, started_at, started_by
    )
    values (
        p_id, p_version.package_id, p_version.id, p_version.version_number, p_version.created_by,
        p_target, p_url, p_deployment_id, began_at, auth.uid()
    );
    perform training_versions_internal.record_event(
        p_version.id, 'deployed', jsonb_build_object('target', p_target, 'url', p_url)
    );
end
$$;

--
-- Triggers
--

-- Archiving a version ends its deployments. Definer, because nobody is granted a write to them.
create or replace function training_versions_internal.end_deployments_of_archived()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if training_versions_internal.end_deployments(new.id, null, clock_timestamp()) then
        perform training_versions_internal.show_deployment(new.id);
    end if;
    return null;
end
$$;
create or replace trigger record_05_end_deployments
    after update of status on public.training_package_versions
    for each row
    when (new.status = 'archived' and old.status <> 'archived')
    execute function training_versions_internal.end_deployments_of_archived();

-- Deployments follow the columns of a version, whoever writes them. Definer, as above.
create or replace function training_versions_internal.record_deployment()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions := new;
begin
    -- To pass a row on is to read all of its snapshots.
    version.config_snapshot := null;
    version.model_snapshot := null;
    version.dataset_snapshot := null;
    perform training_versions_internal.lock_package(new.package_id);
    if not new.is_deployed then
        -- Where nothing was live, a client may prepare the other columns before it deploys.
        if training_versions_internal.end_deployments(new.id, null, clock_timestamp()) then
            perform training_versions_internal.show_deployment(new.id);
        end if;
    elsif not training_versions_internal.is_live(
        new.id, new.deployment_target, new.deployment_url, new.deployment_id
    ) then
        -- A client wrote the columns. They show one target only, so that writing another target
        -- there moves the version to it. (On insert, old is null.)
        if old.is_deployed and old.deployment_target <> new.deployment_target then
            perform training_versions_internal.end_deployments(
                new.id, old.deployment_target, clock_timestamp()
            );
        end if;
        perform training_versions_internal.begin_deployment(
            version, new.deployment_target, new.deployment_url, new.deployment_id
        );
    end if;
    return null;
end
$$;
create or replace trigger record_70_deployment
    after update of is_deployed, deployment_target, deployment_url, deployment_id
    on public.training_package_versions
    for each row
    when (
        (new.is_deployed, new.deployment_target, new.deployment_url, new.deployment_id)
        is distinct from
        (old.is_deployed, old.deployment_target, old.deployment_url, old.deployment_id)
    )
    execute function training_versions_internal.record_deployment();
-- A new version is a draft, or an imported one that is not marked as deployed. This trigger makes
-- begin_deployment refuse an insert with is_deployed, as it would refuse the update.
create or replace trigger record_70_deployment_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.is_deployed)
    execute function training_versions_internal.record_deployment();

--
-- Deploying and undeploying. Definer, and called through functions in public, for the reasons that
-- 20261122000050 gives for training.
--

-- A target is one of those that the tables know.
create or replace function training_versions_internal.check_target(p_target text)
returns void
set search_path = ''
language plpgsql
as $$
begin
    if p_target is null or p_target not in ('local', 'hf_space') then
        perform training_versions_internal.refuse_value(
            'target',
            'target must be local or hf_space',
            'Pass one of these two.'
        );
    end if;
end
$$;

-- Deploys a version to a target, unless this call was carried out before.
create or replace function training_versions_internal.deploy(
    p_version_id uuid,
    p_target text,
    p_url text,
    p_deployment_id text,
    p_stay_id uuid
)
returns public.training_package_version_summaries
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
    version := training_versions_internal.lock_owned_version(p_version_id);
    if not training_versions_internal.claim_call(
        p_stay_id,
        p_version_id,
        format(
            'deploy %s %s',
            p_target,
            md5(jsonb_build_array(p_url, p_deployment_id)::pg_catalog.text)
        )
    ) then
        perform training_versions_internal.say_replayed();
        return training_versions_internal.see_summary(p_version_id);
    end if;
    if exists (select from public.training_deployments d where d.id = p_stay_id) then
        perform training_versions_internal.refuse_taken_id(
            p_stay_id, 'is another deployment''s already'
        );
    end if;

    if not training_versions_internal.is_live(p_version_id, p_target, p_url, p_deployment_id) then
        perform training_versions_internal.begin_deployment(
            version, p_target, p_url, p_deployment_id, coalesce(p_stay_id, gen_random_uuid())
        );
    end if;
    update public.training_package_versions
    set is_deployed = true, deployment_target = p_target,
        deployment_url = p_url, deployment_id = p_deployment_id
    where id = p_version_id
        and (is_deployed, deployment_target, deployment_url, deployment_id)
            is distinct from (true, p_target, p_url, p_deployment_id);
    return training_versions_internal.see_summary(p_version_id);
end
$$;

-- Ends the deployments of a version, unless this call was carried out before.
create or replace function training_versions_internal.undeploy(
    p_version_id uuid,
    p_target text,
    p_call_id uuid
)
returns public.training_package_version_summaries
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    was_live boolean;
begin
    if p_target is not null then
        perform training_versions_internal.check_target(p_target);
    end if;
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_owned_version(p_version_id);
    if training_versions_internal.claim_call(
        p_call_id, p_version_id, concat_ws(' ', 'undeploy', p_target)
    ) then
        was_live := training_versions_internal.end_deployments(
            p_version_id, p_target, clock_timestamp()
        );
        -- In older data a version may be marked as deployed without a deployment.
        if was_live or version.is_deployed then
            perform training_versions_internal.show_deployment(p_version_id);
        end if;
    end if;
    return training_versions_internal.see_summary(p_version_id);
end
$$;

create or replace function public.deploy_training_version(
    p_version_id uuid,
    p_target text,
    p_url text default null,
    p_deployment_id text default null,
    p_stay_id uuid default null
)
returns public.training_package_version_summaries
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.deploy(
        p_version_id, p_target, p_url, p_deployment_id, p_stay_id
    );
end
$$;
comment on function public.deploy_training_version(uuid, text, text, text, uuid) is
    'training-versions: '
    'Makes a published version the one that is live at a target, in place of the one before it. '
    'p_stay_id makes the call idempotent: repeated with it, the call changes nothing, whatever was '
    'deployed since. A deployment that the call begins has this id; a version that is live there '
    'already keeps its deployment and its id.';

create or replace function public.undeploy_training_version(
    p_version_id uuid,
    p_target text default null,
    p_call_id uuid default null
)
returns public.training_package_version_summaries
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.undeploy(p_version_id, p_target, p_call_id);
end
$$;
comment on function public.undeploy_training_version(uuid, text, uuid) is
    'training-versions: '
    'Ends the deployment of a version at a target, or at all of them. '
    'Idempotent: repeated with the same p_call_id it ends no later one.';
