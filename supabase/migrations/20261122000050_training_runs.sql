-- Training: when a version was trained, how each run went, and the curves of its metrics.
--
-- Touches: creates public.training_runs and public.training_metric_points; training_status of
--   versions follows rules.
-- For operators: the service role may go on writing the training columns directly; the same rules
--   apply, and the runs follow what it writes. training_started_at and training_completed_at are
--   set by the database, unless the service role gives them with a new training_status.
--
-- How a run is written: start_training inserts it and end_training adds the reason to it; then both
-- set training_status. The trigger on the version ends the run that is running. Where a client set
-- training_status itself, that trigger also inserts the run, since it finds none.
--
-- The order in which triggers fire is explained in 20261122000020.
--
-- The functions in public run as their caller and only pass their arguments on. The work is done
-- by functions of the same purpose in training_versions_internal. These are security definer,
-- because nobody is granted a write to runs and points, and because the update policy does not
-- cover published versions; a definer function must not lie in an exposed schema.

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
    'training-versions: '
    'Training runs of versions. Invariant: at most one run of a version is running. '
    'Written by the database only.';
create index if not exists idx_training_runs_version
    on public.training_runs (version_id, started_at desc);
-- Two workers cannot both run a version.
create unique index if not exists one_running_per_version
    on public.training_runs (version_id) where status = 'running';

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
    'training-versions: '
    'One value of one metric at one step of a run: the last one that was written.';

create table if not exists training_versions_internal.calls (
    call_id uuid primary key,
    version_id uuid not null references public.training_package_versions (id) on delete cascade,
    operation text not null,
    run_id uuid
);
comment on table training_versions_internal.calls is
    'Idempotency keys of calls that ended training, deployed or undeployed. '
    'Invariant: a repeated call changes nothing, whatever happened since.';
create index if not exists idx_calls_version on training_versions_internal.calls (version_id);

alter table training_versions_internal.calls enable row level security;
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

--
-- The rules of training_status, and what follows from it
--

-- Refuses a change of training_status, with both states in the detail.
create or replace function training_versions_internal.refuse_training_status(
    p_version public.training_package_versions,
    p_was text,
    p_wanted text
)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV205',
        format(
            'training of %s %s and cannot become %s',
            training_versions_internal.version_label(
                p_version.package_id, p_version.version_number
            ),
            coalesce('is ' || p_was, 'has not started'),
            coalesce(p_wanted, 'not started')
        ),
        jsonb_build_object(
            'version_id', p_version.id, 'training_status', p_was, 'wanted', p_wanted
        ),
        'Training starts, then completes, fails or is cancelled; '
        'failed and cancelled training may start again.'
    )
$$;

-- The timestamps that a client gives for a run can be those of one. p_start is when it began,
-- whoever says so.
create or replace function training_versions_internal.check_run_times(
    p_given_start timestamptz,
    p_given_end timestamptz,
    p_start timestamptz
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.check_moment('training_started_at', p_given_start);
    perform training_versions_internal.check_moment('training_completed_at', p_given_end);
    if p_given_end < p_start then
        perform training_versions_internal.refuse_value(
            'training_completed_at',
            'training_completed_at must not be before training_started_at',
            'Give both, or leave both out: the database sets them.'
        );
    end if;
end
$$;

-- Training goes from none or pending to running, from there to completed, failed or cancelled, and
-- from failed or cancelled to running again. Where a client writes an outcome to none or pending,
-- that is a run that began and ended. The timestamps are those of the database's clock, unless a
-- role without a user gives others with a new status; a start that nobody gives is not after the
-- end. A run starts without the metrics of the one before it. Definer, because it reads the runs,
-- and whether the version is being imported.
create or replace function training_versions_internal.keep_training_transitions()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    -- On insert, old is null.
    was constant pg_catalog.text := coalesce(old.training_status, 'none');
    wanted constant pg_catalog.text := coalesce(new.training_status, 'none');
    given_start pg_catalog.timestamptz;
    given_end pg_catalog.timestamptz;
begin
    if training_versions_internal.is_importing() then
        return new;
    end if;
    if auth.uid() is null and wanted <> was then
        given_start := nullif(new.training_started_at, old.training_started_at);
        if wanted <> 'running' then
            given_end := nullif(new.training_completed_at, old.training_completed_at);
        end if;
    end if;
    new.training_started_at := old.training_started_at;
    new.training_completed_at := old.training_completed_at;
    if wanted = was or (was, wanted) = ('none', 'pending') then
        return new;
    end if;
    if not (
        was in ('none', 'pending', 'failed', 'cancelled') and wanted = 'running'
        or was in ('none', 'pending', 'running') and wanted in ('completed', 'failed', 'cancelled')
    ) then
        perform training_versions_internal.refuse_training_status(
            new, old.training_status, new.training_status
        );
    end if;

    if was <> 'running' then
        select r.started_at into new.training_started_at  -- if start_training inserted the run
        from public.training_runs r
        where r.version_id = new.id and r.status = 'running';
    end if;
    new.training_started_at := coalesce(
        given_start, new.training_started_at, least(given_end, clock_timestamp())
    );
    if wanted <> 'running' then
        new.training_completed_at := coalesce(
            given_end, greatest(clock_timestamp(), new.training_started_at)
        );
    else
        new.training_completed_at := null;
        if record_image_eq(row(new.training_metrics), row(old.training_metrics)) then
            new.training_metrics := null;
        end if;
    end if;
    perform training_versions_internal.check_run_times(
        given_start, given_end, new.training_started_at
    );
    return new;
end
$$;
create or replace trigger rule_80_training
    before update on public.training_package_versions
    for each row
    when (
        (new.training_status, new.training_started_at, new.training_completed_at) is distinct from
        (old.training_status, old.training_started_at, old.training_completed_at)
    )
    execute function training_versions_internal.keep_training_transitions();
create or replace trigger rule_80_training_of_new_version
    before insert on public.training_package_versions
    for each row
    when (
        new.training_status is not null
        or new.training_started_at is not null
        or new.training_completed_at is not null
    )
    execute function training_versions_internal.keep_training_transitions();

-- The run that p_run_id names, which must be one of the version; without p_run_id the one that is
-- running, else the one that ran last.
create or replace function training_versions_internal.find_run(
    p_version public.training_package_versions,
    p_run_id uuid
)
returns public.training_runs
stable
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
        perform training_versions_internal.refuse(
            'TV104',
            format(
                '%s has no run %s',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                ),
                p_run_id
            ),
            jsonb_build_object('version_id', p_version.id, 'run_id', p_run_id),
            'Pass the id of what starting the training returned.'
        );
    end if;
    return run;
end
$$;

-- Runs and events follow training_status, whoever writes it. Definer, because nobody is granted a
-- write to either.
create or replace function training_versions_internal.record_training()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    is_importing constant boolean := training_versions_internal.is_importing();
    run public.training_runs;
    kind pg_catalog.text := 'training_' || new.training_status;
begin
    if new.training_status = 'running' then
        kind := 'training_started';
        insert into public.training_runs (version_id, owner_id, started_at, started_by)
        values (
            new.id, new.created_by,
            coalesce(new.training_started_at, clock_timestamp()),  -- an import may set none
            auth.uid()
        )
        on conflict do nothing;  -- start_training may have inserted the run already
        run := training_versions_internal.find_run(new, null);
    elsif new.training_status <> 'pending' then
        update public.training_runs r
        set status = new.training_status,
            started_at = new.training_started_at, ended_at = new.training_completed_at
        where r.version_id = new.id and r.status = 'running'
        returning * into run;
        -- Nobody said that it began. (The run of an imported version is imported with it.)
        if not found and not is_importing then
            insert into public.training_runs
                (version_id, owner_id, status, started_at, ended_at, started_by)
            values (
                new.id, new.created_by, new.training_status,
                new.training_started_at, new.training_completed_at, auth.uid()
            )
            returning * into run;
            perform training_versions_internal.record_event(
                new.id, 'training_started', jsonb_build_object('run_id', run.id)
            );
        end if;
    end if;

    -- The events of an imported version are imported with it.
    if not is_importing then
        perform training_versions_internal.record_event(
            new.id, kind, jsonb_build_object('run_id', run.id, 'reason', run.reason)
        );
    end if;
    return null;
end
$$;
create or replace trigger record_80_training
    after update of training_status on public.training_package_versions
    for each row
    when (new.training_status is distinct from old.training_status)
    execute function training_versions_internal.record_training();
create or replace trigger record_80_training_of_new_version
    after insert on public.training_package_versions
    for each row
    when (new.training_status is not null)
    execute function training_versions_internal.record_training();

--
-- What the functions about training, deployment and cost share
--

-- The version without its snapshots, which may be large and take no part in this, locked against
-- other changes, with its package held. A user gets their own versions, a role that bypasses row
-- level security any. Definer, because the update policy would hide a published version from the
-- lock.
create or replace function training_versions_internal.lock_owned_version(p_version_id uuid)
returns public.training_package_versions
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.hold_package_of(p_version_id);
    select * into version
    from public.training_package_versions v
    where v.id = p_version_id and training_versions_internal.acts_for(v.created_by)
    for no key update;
    if not found then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    version.config_snapshot := null;
    version.model_snapshot := null;
    version.dataset_snapshot := null;
    return version;
end
$$;

-- Claims an idempotency key, under the lock on the version. Returns false for a repeat, a call that
-- was carried out before. Refuses a key that another call has claimed. A call without a key is
-- never a repeat. p_operation says what is done, with the arguments in which a repeat must agree.
create or replace function training_versions_internal.claim_call(
    p_call_id uuid,
    p_version_id uuid,
    p_operation text
)
returns boolean
set search_path = ''
language plpgsql
as $$
begin
    if p_call_id is null then
        return true;
    end if;
    insert into training_versions_internal.calls (call_id, version_id, operation)
    values (p_call_id, p_version_id, p_operation)
    on conflict do nothing;
    if found then
        return true;
    end if;
    if not exists (
        select from training_versions_internal.calls c
        where c.call_id = p_call_id
            and c.version_id = p_version_id
            and c.operation = p_operation
    ) then
        perform training_versions_internal.refuse_taken_id(p_call_id, 'was given to another call');
    end if;
    return false;
end
$$;

--
-- Starting and ending
--

-- Refuses to train a version that is archived, or in training already. The trigger does not refuse
-- an archived version, because the service role may record its training later.
create or replace function training_versions_internal.check_may_train(
    p_version public.training_package_versions
)
returns void
set search_path = ''
language plpgsql
as $$
declare
    details constant pg_catalog.jsonb := jsonb_build_object(
        'version_id', p_version.id, 'training_status', p_version.training_status,
        'wanted', 'running'
    );
begin
    if p_version.status = 'archived' then
        perform training_versions_internal.refuse(
            'TV205',
            format(
                '%s is archived and is not trained any more',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                )
            ),
            details || jsonb_build_object('status', p_version.status),
            'Restore it, and train the draft.'
        );
    end if;
    if p_version.training_status = 'running' then
        perform training_versions_internal.refuse(
            'TV205',
            format(
                'training of %s is running already',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                )
            ),
            details,
            'Wait for it to end, or cancel it.'
        );
    end if;
end
$$;

-- Inserts a run that begins now; null if there is one with this id.
create or replace function training_versions_internal.begin_run(
    p_version public.training_package_versions,
    p_run_id uuid
)
returns public.training_runs
set search_path = ''
language sql
as $$
    insert into public.training_runs (id, version_id, owner_id, started_at, started_by)
    values (
        coalesce(p_run_id, gen_random_uuid()), p_version.id, p_version.created_by,
        clock_timestamp(), auth.uid()
    )
    on conflict (id) do nothing
    returning *
$$;

-- Starts a run, or returns the one that an earlier call with the same p_run_id started.
create or replace function training_versions_internal.start_training(
    p_version_id uuid,
    p_run_id uuid
)
returns public.training_runs
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    run public.training_runs;
begin
    version := training_versions_internal.lock_owned_version(p_version_id);
    select * into run from public.training_runs r where r.id = p_run_id;
    if run.version_id = p_version_id then
        perform training_versions_internal.say_replayed();
        return run;
    end if;
    if run.id is null then
        perform training_versions_internal.check_may_train(version);
        run := training_versions_internal.begin_run(version, p_run_id);
    end if;
    if run.version_id is distinct from p_version_id then
        perform training_versions_internal.refuse_taken_id(
            p_run_id, 'is another version''s run already'
        );
    end if;
    update public.training_package_versions set training_status = 'running' where id = p_version_id;
    return run;
end
$$;

-- Refuses a call about a run that has ended, such as one of a worker that was replaced.
create or replace function training_versions_internal.check_running(
    p_run public.training_runs,
    p_wanted text
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    if p_run.status <> 'running' then
        perform training_versions_internal.refuse(
            'TV205',
            format('run %s is %s already', p_run.id, p_run.status),
            jsonb_build_object(
                'version_id', p_run.version_id, 'run_id', p_run.id,
                'training_status', p_run.status, 'wanted', p_wanted
            ),
            'It is over: another run may have started since.'
        );
    end if;
end
$$;

-- Ends the run that p_run_id names, or without it the one that is running; what is pending may be
-- cancelled or fail as well. A repeated call (with the same p_call_id) never ends another run, even
-- if one has started since.
create or replace function training_versions_internal.end_training(
    p_version_id uuid,
    p_status text,
    p_reason text,
    p_run_id uuid,
    p_call_id uuid
)
returns public.training_runs
security definer
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    run public.training_runs;
begin
    version := training_versions_internal.lock_owned_version(p_version_id);
    if p_reason is not null then
        perform training_versions_internal.check_text('reason', p_reason, 10000);
    end if;
    if not training_versions_internal.claim_call(p_call_id, p_version_id, p_status) then
        select r.* into run
        from training_versions_internal.calls c
        join public.training_runs r on r.id = c.run_id
        where c.call_id = p_call_id;
        return run;
    end if;

    run := training_versions_internal.find_run(version, p_run_id);
    if run.status = p_status then
        update training_versions_internal.calls set run_id = run.id where call_id = p_call_id;
        return run;  -- it has this status already
    end if;
    if p_run_id is not null then
        perform training_versions_internal.check_running(run, p_status);
    elsif version.training_status = 'pending' and p_status <> 'completed' then
        run := training_versions_internal.begin_run(version, gen_random_uuid());
    elsif version.training_status is distinct from 'running' then
        perform training_versions_internal.refuse_training_status(
            version, version.training_status, p_status
        );
    end if;
    -- The triggers end the run.
    update training_versions_internal.calls set run_id = run.id where call_id = p_call_id;
    update public.training_runs set reason = p_reason where id = run.id and status = 'running';
    update public.training_package_versions set training_status = p_status where id = p_version_id;
    select * into run from public.training_runs r where r.id = run.id;
    return run;
end
$$;

--
-- Metrics
--

-- Adds the numbers among the metrics to the curves of the run.
create or replace function training_versions_internal.add_points(
    p_version public.training_package_versions,
    p_run public.training_runs,
    p_metrics jsonb,
    p_step bigint
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    -- Beyond these bounds the cast below would fail, or turn a small number into 0.
    if exists (
        select from jsonb_each(p_metrics) as m
        where jsonb_typeof(m.value) = 'number'
            and (m.value #>> '{}')::numeric <> 0
            and abs((m.value #>> '{}')::numeric) not between 4.95e-324 and 1.7e308
    ) then
        perform training_versions_internal.refuse_value(
            'metrics',
            'a metric with a step must be within double precision',
            'Leave step out to keep it without a curve.'
        );
    end if;
    if p_run.id is null then
        perform training_versions_internal.refuse(
            'TV205',
            format(
                'training of %s has not started, so it has no steps',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                )
            ),
            jsonb_build_object(
                'version_id', p_version.id, 'training_status', p_version.training_status,
                'wanted', 'running'
            ),
            'Start training first, or leave step out.'
        );
    end if;
    insert into public.training_metric_points as p (run_id, name, step, value, owner_id)
    select p_run.id, m.key, p_step, (m.value #>> '{}')::double precision, p_version.created_by
    from jsonb_each(p_metrics) as m
    where jsonb_typeof(m.value) = 'number'
    -- A repeat leaves recorded_at as it is.
    on conflict (run_id, name, step) do update
        set value = excluded.value, recorded_at = excluded.recorded_at
        where p.value <> excluded.value;
end
$$;

-- Merges metrics into those of the version; with a step, also adds them to the curves of the run.
create or replace function training_versions_internal.record_metrics(
    p_version_id uuid,
    p_metrics jsonb,
    p_step bigint,
    p_run_id uuid
)
returns public.training_package_version_summaries
security definer
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    version public.training_package_versions;
    run public.training_runs;
    merged pg_catalog.jsonb := p_metrics;
begin
    version := training_versions_internal.lock_owned_version(p_version_id);
    run := training_versions_internal.find_run(version, p_run_id);
    perform training_versions_internal.check_snapshot('metrics', p_metrics, 'object');
    perform training_versions_internal.check_text('metrics', k, 255)
    from jsonb_object_keys(p_metrics) as k;
    if p_run_id is not null then
        perform training_versions_internal.check_running(run, 'running');
    end if;
    if p_step is not null then
        perform training_versions_internal.add_points(version, run, p_metrics, p_step);
    end if;

    -- An older client may have written something other than an object to the column.
    if jsonb_typeof(version.training_metrics) = 'object' then
        merged := version.training_metrics || p_metrics;
    end if;
    if record_image_ne(row(merged), row(coalesce(version.training_metrics, '{}'))) then
        update public.training_package_versions
        set training_metrics = merged
        where id = p_version_id;
    end if;
    return training_versions_internal.see_summary(p_version_id);
end
$$;

--
-- The functions of the API
--

create or replace function public.start_version_training(
    p_version_id uuid,
    p_run_id uuid default null
)
returns public.training_runs
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.start_training(p_version_id, p_run_id);
end
$$;
comment on function public.start_version_training(uuid, uuid) is
    'training-versions: '
    'Starts training of a version; refused while it is running. '
    'Idempotent: repeated with the same p_run_id it changes nothing.';

create or replace function public.complete_version_training(
    p_version_id uuid,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.end_training(
        p_version_id, 'completed', null, p_run_id, p_call_id
    );
end
$$;
comment on function public.complete_version_training(uuid, uuid, uuid) is
    'training-versions: '
    'Ends running training as completed; it cannot start again. With p_run_id only if that is the '
    'run that is running. '
    'Idempotent with the same p_call_id.';

create or replace function public.fail_version_training(
    p_version_id uuid,
    p_reason text,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.end_training(
        p_version_id, 'failed', p_reason, p_run_id, p_call_id
    );
end
$$;
comment on function public.fail_version_training(uuid, text, uuid, uuid) is
    'training-versions: '
    'Ends running training as failed, with the reason; it may start again. '
    'Idempotent with the same p_call_id.';

create or replace function public.cancel_version_training(
    p_version_id uuid,
    p_reason text default null,
    p_run_id uuid default null,
    p_call_id uuid default null
)
returns public.training_runs
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.end_training(
        p_version_id, 'cancelled', p_reason, p_run_id, p_call_id
    );
end
$$;
comment on function public.cancel_version_training(uuid, text, uuid, uuid) is
    'training-versions: '
    'Ends running training as cancelled; it may start again. Idempotent with the same p_call_id.';

create or replace function public.record_version_metrics(
    p_version_id uuid,
    p_metrics jsonb,
    p_step bigint default null,
    p_run_id uuid default null
)
returns public.training_package_version_summaries
set search_path = ''
language plpgsql
as $$
begin
    return training_versions_internal.record_metrics(p_version_id, p_metrics, p_step, p_run_id);
end
$$;
comment on function public.record_version_metrics(uuid, jsonb, bigint, uuid) is
    'training-versions: '
    'Merges metrics into training_metrics; with a step, numbers also become points of the run''s '
    'curves. With p_run_id only while that run is running. Idempotent.';

create or replace function public.get_metric_history(
    p_version_id uuid,
    p_name text,
    p_run_id uuid default null
)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    run public.training_runs;
begin
    version := training_versions_internal.see_version(p_version_id);
    run := training_versions_internal.find_run(version, p_run_id);
    -- One JSON array, because PostgREST caps the rows of a reply.
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object('step', p.step, 'value', p.value, 'recorded_at', p.recorded_at)
                order by p.step
            ),
            '[]'
        )
        from public.training_metric_points p
        where p.name = p_name and p.run_id = run.id
    );
end
$$;
comment on function public.get_metric_history(uuid, text, uuid) is
    'training-versions: '
    'The values of a metric by step, of the latest run or the one given, '
    'as a JSON array in the order of steps.';

create or replace function public.get_metric_names(p_version_id uuid, p_run_id uuid default null)
returns jsonb
stable
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    run public.training_runs;
begin
    version := training_versions_internal.see_version(p_version_id);
    run := training_versions_internal.find_run(version, p_run_id);
    -- From each name to the next by the primary key, however many points a curve has.
    return (
        with recursive curves as (
            select min(p.name) as name
            from public.training_metric_points p
            where p.run_id = run.id
            union all
            select (
                select min(p.name)
                from public.training_metric_points p
                where p.run_id = run.id and p.name > c.name
            )
            from curves c
            where c.name is not null
        )
        select coalesce(jsonb_agg(c.name order by c.name), '[]')
        from curves c
        where c.name is not null
    );
end
$$;
comment on function public.get_metric_names(uuid, uuid) is
    'training-versions: '
    'The names of the metrics that have a curve, of the latest run or the one given, as a JSON '
    'array in their order.';

-- The runs that the columns of older versions imply.
insert into public.training_runs
    (version_id, owner_id, status, started_at, ended_at, started_by)
select
    v.id, v.created_by, v.training_status,
    coalesce(v.training_started_at, v.training_completed_at, v.updated_at),
    case v.training_status when 'running' then null
        else coalesce(v.training_completed_at, v.updated_at) end,
    v.created_by
from public.training_package_versions v
where v.training_status in ('running', 'completed', 'failed', 'cancelled')
    and not exists (select from public.training_runs r where r.version_id = v.id);
