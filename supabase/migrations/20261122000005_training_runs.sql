-- Training: when a version was trained, how it went, and the curves of its metrics.
--
-- Touches: creates public.training_runs and public.training_metric_points; training_status of versions follows rules.
-- For operators: the service role goes on writing the training columns directly; it meets the same transitions, and the
--   runs follow what it writes. training_started_at and training_completed_at are the database's clock.

create table if not exists public.training_runs (
    id uuid primary key default gen_random_uuid(),
    version_id uuid not null references public.training_package_versions (id) on delete cascade,
    owner_id uuid,
    status text not null default 'running',
    started_at timestamptz not null,
    ended_at timestamptz,
    started_by uuid,
    reason text,

    constraint known_run_status check (status in ('running', 'completed', 'failed', 'cancelled')),
    constraint ended_unless_running check ((status = 'running') = (ended_at is null))
);
comment on table public.training_runs is
    'Training runs of versions. Invariant: at most one of a version is running; rows are written by the database only.';
create index if not exists idx_training_runs_version on public.training_runs (version_id, started_at desc);
-- Two workers cannot both run a version.
create unique index if not exists one_running_per_version on public.training_runs (version_id) where status = 'running';

create table if not exists public.training_metric_points (
    run_id uuid not null references public.training_runs (id) on delete cascade,
    name text not null,
    step bigint not null,
    value double precision not null,
    owner_id uuid,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (run_id, name, step)
);
comment on table public.training_metric_points is
    'One value of one metric at one step of a run. Written again, a step has its last value.';

-- Calls that were carried out, by the id that their caller gave them.
create table if not exists training_versions_internal.calls (
    call_id uuid primary key,
    version_id uuid not null references public.training_package_versions (id) on delete cascade,
    what text not null,
    run_id uuid
);
comment on table training_versions_internal.calls is
    'Calls that ended training, deployed or undeployed. Invariant: made again, one changes nothing, whatever happened since.';
create index if not exists idx_calls_version on training_versions_internal.calls (version_id);
alter table training_versions_internal.calls enable row level security;
revoke all on table training_versions_internal.calls from public, anon, authenticated, service_role;

alter table public.training_runs enable row level security;
alter table public.training_metric_points enable row level security;
drop policy if exists "Users can view own training runs" on public.training_runs;
create policy "Users can view own training runs" on public.training_runs
    for select to authenticated
    using ((select auth.uid()) = owner_id);
drop policy if exists "Users can view own metric points" on public.training_metric_points;
create policy "Users can view own metric points" on public.training_metric_points
    for select to authenticated
    using ((select auth.uid()) = owner_id);
revoke all on table public.training_runs, public.training_metric_points from public, anon, authenticated, service_role;
grant select on table public.training_runs, public.training_metric_points to authenticated, service_role;

-- None or pending, then running, then completed, failed or cancelled; failed and cancelled may start again. The clock is
-- the database's, whatever a client sends. Definer: it looks whether the version is being imported.
create or replace function training_versions_internal.keep_training_transitions()
returns trigger
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    was constant pg_catalog.text := case tg_op when 'UPDATE' then coalesce(old.training_status, 'none') else 'none' end;
    wanted constant pg_catalog.text := coalesce(new.training_status, 'none');
begin
    if training_versions_internal.is_importing() then
        return new;
    end if;
    new.training_started_at := case tg_op when 'UPDATE' then old.training_started_at end;
    new.training_completed_at := case tg_op when 'UPDATE' then old.training_completed_at end;
    if was = wanted then
        return new;
    end if;
    if (was, wanted) not in (
        ('none', 'pending'), ('none', 'running'), ('pending', 'running'),
        ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled'),
        ('failed', 'running'), ('cancelled', 'running')
    ) then
        raise exception using
            errcode = 'TV205',
            message = format(
                'training of version %s %s and cannot become %s',
                new.version_number,
                case was when 'none' then 'has not started' else 'is ' || was end,
                case wanted when 'none' then 'not started' else wanted end
            ),
            detail = jsonb_build_object(
                'version_id', new.id, 'training_status', nullif(was, 'none'), 'wanted', nullif(wanted, 'none')
            )::pg_catalog.text,
            hint = 'Training starts, then completes, fails or is cancelled; failed and cancelled training may start again.';
    end if;
    if wanted = 'running' then
        new.training_started_at := clock_timestamp();
        new.training_completed_at := null;
    elsif wanted <> 'pending' then
        new.training_completed_at := clock_timestamp();
    end if;
    return new;
end
$$;
create or replace trigger keep_training_transitions
    before insert or update on public.training_package_versions
    for each row execute function training_versions_internal.keep_training_transitions();

-- Runs and events follow training_status, whoever writes it. Definer: nobody is granted the runs.
create or replace function training_versions_internal.record_training()
returns trigger
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    ended public.training_runs;
begin
    if new.training_status = 'running' then
        -- start_version_training has put its own run there already.
        insert into public.training_runs (version_id, owner_id, started_at, started_by)
        values (new.id, new.created_by, least(coalesce(new.training_started_at, clock_timestamp()), clock_timestamp()), auth.uid())
        on conflict do nothing;
        -- The history of an imported version comes with it.
        if training_versions_internal.is_importing() then
            return null;
        end if;
        perform training_versions_internal.record_event(new, 'training_started', (
            select jsonb_build_object('run_id', r.id)
            from public.training_runs r
            where r.version_id = new.id and r.status = 'running'
        ));
    elsif new.training_status in ('completed', 'failed', 'cancelled') then
        update public.training_runs r
        set status = new.training_status,
            ended_at = new.training_completed_at,
            reason = nullif(current_setting('training_versions.reason', true), '')
        where r.version_id = new.id and r.status = 'running'
        returning * into ended;
        perform training_versions_internal.record_event(
            new, 'training_' || new.training_status, jsonb_build_object('run_id', ended.id, 'reason', ended.reason)
        );
    elsif new.training_status = 'pending' and not training_versions_internal.is_importing() then
        perform training_versions_internal.record_event(new, 'training_pending');
    end if;
    return null;
end
$$;
create or replace trigger record_training
    after update of training_status on public.training_package_versions
    for each row
    when (new.training_status is distinct from old.training_status)
    execute function training_versions_internal.record_training();
create or replace trigger record_training_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.training_status in ('pending', 'running'))
    execute function training_versions_internal.record_training();

-- The version, locked, for a change that the update policy does not cover because it may be published. Definer for that
-- reason; a user gets their own, a role that skips row level security any.
create or replace function training_versions_internal.take_version(p_version_id uuid)
returns public.training_package_versions
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    select * into version
    from public.training_package_versions v
    where v.id = p_version_id and (training_versions_internal.acts_for_all() or v.created_by = auth.uid())
    for no key update;
    if not found then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    return version;
end
$$;

-- Tells whether this call was carried out before, and remembers it; under the lock on its version.
create or replace function training_versions_internal.is_repeat(p_call_id uuid, p_version_id uuid, p_what text)
returns boolean
volatile
security definer
set search_path = ''
language plpgsql
as $$
begin
    if p_call_id is null then
        return false;
    end if;
    insert into training_versions_internal.calls (call_id, version_id, what) values (p_call_id, p_version_id, p_what)
    on conflict do nothing;
    if found then
        return false;
    end if;
    if not exists (
        select from training_versions_internal.calls c
        where c.call_id = p_call_id and c.version_id = p_version_id and c.what = p_what
    ) then
        perform training_versions_internal.refuse_taken_id(p_call_id, 'was given to another call');
    end if;
    return true;
end
$$;

-- The run that p_run_id names, which must be one of this version; or, without a name, the one that runs or ran last.
create or replace function training_versions_internal.find_run(p_version public.training_package_versions, p_run_id uuid)
returns public.training_runs
stable
security invoker
set search_path = ''
language plpgsql
as $$
declare
    run public.training_runs;
begin
    select * into run
    from public.training_runs r
    where r.version_id = p_version.id and (p_run_id is null or r.id = p_run_id)
    order by r.status = 'running' desc, r.started_at desc
    limit 1;
    if not found and p_run_id is not null then
        raise exception using
            errcode = 'TV104',
            message = format('version %s has no run %s', p_version.version_number, p_run_id),
            detail = jsonb_build_object('version_id', p_version.id, 'run_id', p_run_id)::pg_catalog.text,
            hint = 'Pass the id of what starting the training returned.';
    end if;
    return run;
end
$$;

-- Refuses what a worker does in the name of a run that is over.
create or replace function training_versions_internal.check_running(p_run public.training_runs, p_wanted text)
returns void
immutable
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if p_run.status <> 'running' then
        raise exception using
            errcode = 'TV205',
            message = format('run %s is %s already', p_run.id, p_run.status),
            detail = jsonb_build_object(
                'version_id', p_run.version_id, 'run_id', p_run.id,
                'training_status', p_run.status, 'wanted', p_wanted
            )::pg_catalog.text,
            hint = 'It is over: another run may have started since.';
    end if;
end
$$;

create or replace function training_versions_internal.start_training(p_version_id uuid, p_run_id uuid)
returns public.training_runs
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions := training_versions_internal.take_version(p_version_id);
    run public.training_runs;
begin
    select * into run from public.training_runs r where r.id = p_run_id;
    if found then
        if run.version_id <> p_version_id then
            perform training_versions_internal.refuse_taken_id(p_run_id, 'is another version''s run already');
        end if;
        return run;  -- a repeat
    end if;
    -- Here and not in the trigger: how training went may be written down after its version was archived.
    if version.status = 'archived' then
        raise exception using
            errcode = 'TV205',
            message = format('version %s is archived and is not trained any more', version.version_number),
            detail = jsonb_build_object(
                'version_id', version.id, 'status', version.status,
                'training_status', version.training_status, 'wanted', 'running'
            )::pg_catalog.text,
            hint = 'Restore it, and train the draft.';
    end if;
    if version.training_status = 'running' then
        raise exception using
            errcode = 'TV205',
            message = format('training of version %s is running already', version.version_number),
            detail = jsonb_build_object(
                'version_id', version.id, 'training_status', version.training_status, 'wanted', 'running'
            )::pg_catalog.text,
            hint = 'Wait for it to end, or cancel it.';
    end if;
    insert into public.training_runs (id, version_id, owner_id, started_at, started_by)
    values (coalesce(p_run_id, gen_random_uuid()), version.id, version.created_by, clock_timestamp(), auth.uid())
    on conflict (id) do nothing;
    if not found then
        perform training_versions_internal.refuse_taken_id(p_run_id, 'is another version''s run already');
    end if;
    update public.training_package_versions set training_status = 'running' where id = p_version_id
    returning * into version;
    update public.training_runs r
    set started_at = version.training_started_at
    where r.version_id = p_version_id and r.status = 'running'
    returning * into run;
    return run;
end
$$;

-- Ends the run that is running: that of p_run_id, or whichever it is; but a call that ended one and is made again ends
-- no other.
create or replace function training_versions_internal.end_training(
    p_version_id uuid,
    p_status text,
    p_reason text,
    p_run_id uuid,
    p_call_id uuid
)
returns public.training_runs
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions := training_versions_internal.take_version(p_version_id);
    run public.training_runs;
begin
    if p_reason is not null then
        perform training_versions_internal.check_text('reason', p_reason, 10000);
    end if;
    if training_versions_internal.is_repeat(p_call_id, p_version_id, p_status) then
        select r.* into run
        from training_versions_internal.calls c
        join public.training_runs r on r.id = c.run_id
        where c.call_id = p_call_id;
        return run;
    end if;
    run := training_versions_internal.find_run(version, p_run_id);
    update training_versions_internal.calls set run_id = run.id where call_id = p_call_id;
    if run.status = p_status then
        return run;  -- it has ended so already
    end if;
    if p_run_id is not null then
        perform training_versions_internal.check_running(run, p_status);
    end if;
    -- The transition is refused or made by the trigger, and the run ended by the one after it.
    perform set_config('training_versions.reason', coalesce(p_reason, ''), true);
    update public.training_package_versions set training_status = p_status where id = p_version_id;
    perform set_config('training_versions.reason', '', true);
    select * into run from public.training_runs r where r.id = run.id;
    return run;
end
$$;

create or replace function training_versions_internal.record_metrics(
    p_version_id uuid,
    p_metrics jsonb,
    p_step bigint,
    p_run_id uuid
)
returns public.training_package_versions
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions := training_versions_internal.take_version(p_version_id);
    run public.training_runs := training_versions_internal.find_run(version, p_run_id);
begin
    perform training_versions_internal.check_snapshot('metrics', p_metrics, 'object');
    perform training_versions_internal.check_text('metrics', k, 255) from jsonb_object_keys(p_metrics) as k;
    if p_step is not null and exists (
        select from jsonb_each(p_metrics) as m
        where jsonb_typeof(m.value) = 'number'
            and (m.value #>> '{}')::numeric <> 0
            and abs((m.value #>> '{}')::numeric) not between 4.95e-324 and 1.7e308
    ) then
        raise exception using
            errcode = 'TV306',
            message = 'a metric with a step must be within double precision',
            detail = jsonb_build_object('field', 'metrics')::pg_catalog.text,
            hint = 'Leave step out to keep it without a curve.';
    end if;
    if p_run_id is not null then
        perform training_versions_internal.check_running(run, 'running');
    end if;
    if p_step is not null then
        if run.id is null then
            raise exception using
                errcode = 'TV205',
                message = format('training of version %s has not started, so it has no steps', version.version_number),
                detail = jsonb_build_object(
                    'version_id', version.id, 'training_status', version.training_status, 'wanted', 'running'
                )::pg_catalog.text,
                hint = 'Start training first, or leave step out.';
        end if;
        insert into public.training_metric_points as p (run_id, name, step, value, owner_id)
        select run.id, m.key, p_step, (m.value #>> '{}')::double precision, version.created_by
        from jsonb_each(p_metrics) as m
        where jsonb_typeof(m.value) = 'number'
        on conflict (run_id, name, step) do update set value = excluded.value, recorded_at = excluded.recorded_at
        where p.value <> excluded.value;
    end if;
    if coalesce(version.training_metrics, '{}') @> p_metrics
        and coalesce(version.training_metrics, '{}') = coalesce(version.training_metrics, '{}') || p_metrics
    then
        return version;
    end if;
    update public.training_package_versions
    set training_metrics = case
        when jsonb_typeof(training_metrics) = 'object' then training_metrics || p_metrics
        else p_metrics
    end
    where id = p_version_id
    returning * into version;
    return version;
end
$$;

revoke all on function
    training_versions_internal.keep_training_transitions(),
    training_versions_internal.record_training(),
    training_versions_internal.take_version(uuid),
    training_versions_internal.is_repeat(uuid, uuid, text),
    training_versions_internal.find_run(public.training_package_versions, uuid),
    training_versions_internal.check_running(public.training_runs, text),
    training_versions_internal.start_training(uuid, uuid),
    training_versions_internal.end_training(uuid, text, text, uuid, uuid),
    training_versions_internal.record_metrics(uuid, jsonb, bigint, uuid)
from public, anon, authenticated, service_role;
grant execute on function
    training_versions_internal.find_run(public.training_package_versions, uuid),
    training_versions_internal.start_training(uuid, uuid),
    training_versions_internal.end_training(uuid, text, text, uuid, uuid),
    training_versions_internal.record_metrics(uuid, jsonb, bigint, uuid)
to authenticated, service_role;

create or replace function public.start_version_training(p_version_id uuid, p_run_id uuid default null)
returns public.training_runs
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.start_training(p_version_id, p_run_id)
$$;
comment on function public.start_version_training(uuid, uuid) is
    'Starts training of a version; refused while it runs. Repeated with the same p_run_id it changes nothing.';

create or replace function public.complete_version_training(
    p_version_id uuid,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.end_training(p_version_id, 'completed', null, p_run_id, p_call_id)
$$;
comment on function public.complete_version_training(uuid, uuid, uuid) is
    'Ends running training well, for good. With p_run_id only if that run is the one running. Repeatable.';

create or replace function public.fail_version_training(
    p_version_id uuid,
    p_reason text,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.end_training(p_version_id, 'failed', p_reason, p_run_id, p_call_id)
$$;
comment on function public.fail_version_training(uuid, text, uuid, uuid) is
    'Ends running training as failed, with the reason; it may start again. Repeatable.';

create or replace function public.cancel_version_training(
    p_version_id uuid,
    p_reason text default null,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.end_training(p_version_id, 'cancelled', p_reason, p_run_id, p_call_id)
$$;
comment on function public.cancel_version_training(uuid, text, uuid, uuid) is
    'Ends running training as cancelled; it may start again. Repeatable.';

create or replace function public.record_version_metrics(
    p_version_id uuid,
    p_metrics jsonb,
    p_step bigint default null,
    p_run_id uuid default null
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language sql
as $$
    select * from training_versions_internal.record_metrics(p_version_id, p_metrics, p_step, p_run_id)
$$;
comment on function public.record_version_metrics(uuid, jsonb, bigint, uuid) is
    'Merges metrics into training_metrics; with a step, numbers are kept as points of the run''s curves. With p_run_id only while that run is running. Repeatable.';

-- A curve as one JSON array, because replies are capped in rows.
create or replace function public.get_metric_history(p_version_id uuid, p_name text, p_run_id uuid default null)
returns jsonb
stable
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version constant public.training_package_versions := training_versions_internal.see_version(p_version_id);
    run constant public.training_runs := training_versions_internal.find_run(version, p_run_id);
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object('step', p.step, 'value', p.value, 'recorded_at', p.recorded_at) order by p.step
            ),
            '[]'
        )
        from public.training_metric_points p
        where p.name = p_name and p.run_id = run.id
    );
end
$$;
comment on function public.get_metric_history(uuid, text, uuid) is
    'The values of a metric by step, of the latest run or the one given, as a JSON array in the order of steps.';

revoke all on function
    public.start_version_training(uuid, uuid),
    public.complete_version_training(uuid, uuid, uuid),
    public.fail_version_training(uuid, text, uuid, uuid),
    public.cancel_version_training(uuid, text, uuid, uuid),
    public.record_version_metrics(uuid, jsonb, bigint, uuid),
    public.get_metric_history(uuid, text, uuid)
from public, anon, authenticated, service_role;
grant execute on function
    public.start_version_training(uuid, uuid),
    public.complete_version_training(uuid, uuid, uuid),
    public.fail_version_training(uuid, text, uuid, uuid),
    public.cancel_version_training(uuid, text, uuid, uuid),
    public.record_version_metrics(uuid, jsonb, bigint, uuid),
    public.get_metric_history(uuid, text, uuid)
to authenticated, service_role;

-- Runs that the columns of older versions tell of.
insert into public.training_runs (version_id, owner_id, status, started_at, ended_at, started_by)
select
    v.id,
    v.created_by,
    v.training_status,
    coalesce(v.training_started_at, v.training_completed_at, v.updated_at),
    case when v.training_status <> 'running' then coalesce(v.training_completed_at, v.updated_at) end,
    v.created_by
from public.training_package_versions v
where v.training_status in ('running', 'completed', 'failed', 'cancelled')
    and not exists (select from public.training_runs r where r.version_id = v.id);
