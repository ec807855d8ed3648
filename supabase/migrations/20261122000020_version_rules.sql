-- The rules of a version, kept by triggers whichever client writes: numbers, ownership, freezing,
-- publishing.
--
-- Touches: replaces the triggers of the first release on training_package_versions, and adds the
--   column content_updated_at to it (without rewriting the table).
-- For operators: rows that break the new rules are not changed; a value is checked only when it is
--   new or changes.
--
-- Triggers of one event fire in the order of their names, so the names say the order. This is the
-- one place that explains it:
--
--   before   insert  update  delete
--   rule_10    x                     the package is the caller's. First, so that a stranger learns
--                                    nothing from later refusals
--   rule_20    x                     a version starts as a draft, in a package that is there
--   rule_30    x                     its number. Before everything that names the version
--   rule_35    x                     its timestamp, and its name if none is given
--   rule_40            x             frozen columns do not change; is it an edit?
--   rule_41            x             the same of snapshots, where a statement names one
--   rule_45            x             the order of statuses
--   rule_50            x             publishing signs, and shortens the name
--   rule_60    x       x             a draft is signed by nobody
--   rule_65    x       x             values
--   rule_70    x       x             the parent
--   rule_80    x       x             training (20261122000050). After the owner and the number, so
--                                    that it reveals nothing to strangers and can name the version
--   rule_90                    x     what is published is not deleted
--   set_updated_at     x             the edit tokens. A released name; it sorts last, as it must
--
--   after                            Each may add events: the history of one write lists them in
--                                    this order
--   record_05          x             archiving ends deployments, an event before `archived`
--   record_10  x       x       x     creation, edits of snapshots, deletion (20261122000035)
--   record_11          x             other edits
--   record_12          x             the status
--   record_70  x       x             deployments (20261122000060)
--   record_75  x       x             costs (20261122000070)
--   record_80  x       x             training (20261122000050)
--   update_config_pointers           the package's pointers to what is published
--   update_config_version_count      the package's counter. A released name
--
-- The functions are security definer where it is not said otherwise. They read and write rows that
-- the caller may not see, such as those of numbers; and they serve every role that may write the
-- table, so that even those that only refuse must be able to call refuse(), which an app's own role
-- may not. They lie in a schema that is not exposed, and a trigger function cannot be called.

-- When the content was last edited, beside when anything was last changed. In a version from before
-- this column it is the timestamp of this migration, which is later than its updated_at: hence the
-- lesser of the two counts. (To give each row its own would rewrite the table and its indexes.)
alter table public.training_package_versions
    add column if not exists content_updated_at timestamptz not null default now();
comment on column public.training_package_versions.content_updated_at is
    'Moves forward with every edit of the draft, and its publishing; not with training, deployment '
    'or cost. Kept by the database.';

--
-- Numbers. Outside of a trigger these two functions serve only those who may act for the owner of
-- the package. Inside one they serve everybody: whether the row may be written is decided
-- elsewhere.
--

-- The lock under which versions of a package are made, and its pointers and numbers written. Held
-- to the end of the transaction. Returns false if there is no such package, or it is somebody
-- else's: nobody waits for that. If it is deleted or handed over while this waits, the condition is
-- judged anew.
create or replace function training_versions_internal.lock_package(p_package_id uuid)
returns boolean
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform from public.training_configs c
    where c.id = p_package_id
        and (pg_trigger_depth() > 0 or training_versions_internal.acts_for(c.user_id))
    for no key update;
    return found;
end
$$;

-- The next number: the lowest above the last one given that no version has or had. Null for
-- somebody else's package.
create or replace function training_versions_internal.next_number(p_package_id uuid)
returns integer
stable
security definer
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    next_number integer;
begin
    select coalesce(n.last_number, 0) into next_number
    from public.training_configs c
    left join training_versions_internal.package_numbers n on n.package_id = c.id
    where c.id = p_package_id
        and (pg_trigger_depth() > 0 or training_versions_internal.acts_for(c.user_id));
    while next_number is not null loop
        next_number := next_number + 1;
        exit when not exists (
            select from public.training_package_versions v
            where v.package_id = p_package_id and v.version_number = next_number
        ) and not exists (
            select from training_versions_internal.deletions d
            where d.package_id = p_package_id and d.version_number = next_number
        );
    end loop;
    return next_number;
end
$$;

-- Is this a package of the caller? What policies and triggers ask, instead of reading
-- training_configs themselves: an app's policy there may read the versions, and policies that read
-- each other's tables are refused as a recursion (42P17). Definer, so that no policy applies; it
-- tells of the caller's own packages only.
create or replace function training_versions_internal.owns_package(p_package_id uuid)
returns boolean
stable
security definer
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from public.training_configs c
        where c.id = p_package_id and c.user_id = auth.uid()
    );
end
$$;

-- The same, and takes the lock on the package. If it is being handed over, this waits, and then
-- finds the new owner. Nobody waits for a package that is not theirs.
create or replace function training_versions_internal.lock_own_package(p_package_id uuid)
returns boolean
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform from public.training_configs c
    where c.id = p_package_id and c.user_id = auth.uid()
    for no key update;
    return found;
end
$$;

--
-- Before an insert
--

-- Nobody puts a version into a package that is not theirs, or signs for someone else. Fires only
-- for roles to which policies apply. Invoker, because it needs nothing else.
create or replace function training_versions_internal.check_package_owner()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    if not training_versions_internal.lock_own_package(new.package_id) then
        perform training_versions_internal.refuse(
            '42501',
            format('there is no package %s of yours', new.package_id),
            p_hint => 'Create the package first, signed in as the same user.'
        );
    end if;
    if new.created_by <> auth.uid() then
        perform training_versions_internal.refuse(
            '42501',
            'created_by must be the user who creates',
            jsonb_build_object('field', 'created_by'),
            'Leave created_by out.'
        );
    end if;
    return new;
end
$$;
create or replace trigger rule_10_package_owner
    before insert on public.training_package_versions
    for each row
    when (row_security_active('public.training_package_versions'))
    execute function training_versions_internal.check_package_owner();

-- A version starts as a draft, unless it is imported. created_by defaults to the signed-in user,
-- or, for a role without a user, to the owner of the package, who is asked for under the lock on
-- the package. The package must be there already: a foreign key that is checked later, such as at
-- the end of the statement, would let a version without owner and number pass.
create or replace function training_versions_internal.start_as_draft()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_owner pg_catalog.uuid;
begin
    select c.user_id into package_owner
    from public.training_configs c
    where c.id = new.package_id
    for no key update;
    if not found then
        -- To clients this is the violation of the foreign key that it always was.
        perform training_versions_internal.refuse(
            '23503',
            format('there is no package %s', new.package_id),
            jsonb_build_object('field', 'package_id'),
            'Create the package first.'
        );
    end if;
    if new.status is distinct from 'draft' and not training_versions_internal.is_importing() then
        perform training_versions_internal.refuse(
            'TV302',
            format('a version starts as a draft, not as %s', coalesce(new.status, 'null')),
            jsonb_build_object('field', 'status', 'status', new.status),
            'Insert it with status draft, then publish it.'
        );
    end if;
    new.created_by := coalesce(new.created_by, auth.uid(), package_owner);
    return new;
end
$$;
create or replace trigger rule_20_start_as_draft
    before insert on public.training_package_versions
    for each row execute function training_versions_internal.start_as_draft();

-- Under the lock on the package: the next number, or the one that the row has if it was never
-- given. A row whose id is taken uses up no number: it is an upsert, or is refused.
create or replace function training_versions_internal.give_number()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    number_here integer;
    is_new boolean;
begin
    select case when v.package_id = new.package_id then v.version_number end into number_here
    from public.training_package_versions v
    where v.id = new.id;
    is_new := not found;
    if new.version_number is null then
        new.version_number := coalesce(
            number_here, training_versions_internal.next_number(new.package_id)
        );
    elsif new.version_number < 1
        -- About half of what the column holds, so that there is always a next number, which may be
        -- brought however high it is.
        or new.version_number > 1000000000
        and new.version_number > greatest(
            number_here, training_versions_internal.next_number(new.package_id)
        )
    then
        perform training_versions_internal.refuse_value(
            'version_number',
            'version_number must be between 1 and 1,000,000,000',
            'Leave it out: the database gives the next one.'
        );
    elsif exists (
        select from training_versions_internal.deletions d
        where d.package_id = new.package_id and d.version_number = new.version_number
    ) then
        -- Not by refuse(): to clients this is the unique violation that a taken number always was.
        raise exception using
            errcode = '23505',
            message = format(
                'version number %s was given to a draft since deleted', new.version_number
            ),
            detail = jsonb_build_object('field', 'version_number')::pg_catalog.text,
            constraint = 'unique_package_version',
            hint = 'Ask get_next_version_number for the next one, or leave version_number out.';
    end if;
    if is_new then
        insert into training_versions_internal.package_numbers as n (package_id, last_number)
        values (new.package_id, new.version_number)
        on conflict (package_id) do update
        set last_number = greatest(n.last_number, excluded.last_number);
    end if;
    return new;
end
$$;
create or replace trigger rule_30_number
    before insert on public.training_package_versions
    for each row execute function training_versions_internal.give_number();

-- The database sets created_at, unless the version is imported, or a role without a user sets it,
-- or it is that of the version with this id, whose whole row is written back by an upsert.
-- The name is `<package>-v<number>-draft-<day>` unless one is given.
create or replace function training_versions_internal.give_timestamp_and_name()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    package_name pg_catalog.text;
begin
    -- What is null, or now(), was not given but comes from the default.
    if new.created_at is null
        or new.created_at = now()
        or auth.uid() is not null
        and not training_versions_internal.is_importing()
        and not exists (
            select from public.training_package_versions v
            where v.id = new.id and v.created_at = new.created_at
        )
    then
        new.created_at := clock_timestamp();
    end if;
    perform training_versions_internal.check_moment('created_at', new.created_at);
    new.updated_at := new.created_at;
    new.content_updated_at := new.created_at;

    if new.name is null then
        select c.name into package_name
        from public.training_configs c
        where c.id = new.package_id and c.name ~ '\S';
        new.name := format(
            '%s-v%s-draft-%s',
            left(coalesce(package_name, 'package'), 220),  -- the rest needs up to 27 of 255
            new.version_number,
            to_char(new.created_at at time zone 'UTC', 'YYYYMMDD')
        );
    end if;
    return new;
end
$$;
create or replace trigger rule_35_timestamp_and_name
    before insert on public.training_package_versions
    for each row execute function training_versions_internal.give_timestamp_and_name();

--
-- Before an update
--

-- Refuses a change of frozen columns.
create or replace function training_versions_internal.refuse_frozen(
    p_version public.training_package_versions,
    p_columns text[]
)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV301',
        format(
            '%s of %s cannot change: it is %s',
            array_to_string(p_columns, ', '),
            training_versions_internal.version_label(
                p_version.package_id, p_version.version_number
            ),
            p_version.status
        ),
        jsonb_build_object(
            'version_id', p_version.id, 'version_number', p_version.version_number,
            'columns', p_columns
        ),
        'Create a new draft from it.'
    )
$$;

-- What of a version freezes, or is recorded as an edit: without its status, the facts that arrive
-- later, and the snapshots, which keep_snapshots() compares.
create or replace function training_versions_internal.without_facts(
    p_version public.training_package_versions
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
begin
    p_version.config_snapshot := null;
    p_version.model_snapshot := null;
    p_version.dataset_snapshot := null;
    p_version.status := null;
    p_version.updated_at := null;
    p_version.content_updated_at := null;
    p_version.training_status := null;
    p_version.training_started_at := null;
    p_version.training_completed_at := null;
    p_version.training_metrics := null;
    p_version.is_deployed := null;
    p_version.deployment_target := null;
    p_version.deployment_url := null;
    p_version.deployment_id := null;
    p_version.actual_cost := null;
    p_version.cost_alerts_sent := null;
    return p_version;
end
$$;

-- The snapshots in which two states of a version differ.
create or replace function training_versions_internal.changed_snapshots(
    p_old public.training_package_versions,
    p_new public.training_package_versions
)
returns text[]
set search_path = ''
language plpgsql
as $$
begin
    return array(
        select s.place
        from (
            values
                ('config_snapshot', p_old.config_snapshot, p_new.config_snapshot),
                ('model_snapshot', p_old.model_snapshot, p_new.model_snapshot),
                ('dataset_snapshot', p_old.dataset_snapshot, p_new.dataset_snapshot)
        ) as s (place, before, after)
        where record_image_ne(row(s.before), row(s.after))
    );
end
$$;

-- Frozen columns do not change, with three exceptions: created_by may be filled in where it is
-- null; parent_version_id becomes null when the parent is deleted with its whole package; and an
-- import may set it later, if it imports the parent after the child. Where a draft is edited or
-- published, content_updated_at becomes null here and in keep_snapshots(), which is how
-- set_updated_at knows of it.
create or replace function training_versions_internal.keep_frozen()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    was constant public.training_package_versions :=
        training_versions_internal.without_facts(old);
    wanted constant public.training_package_versions :=
        training_versions_internal.without_facts(new);
    frozen pg_catalog.text[];
    changed pg_catalog.text[];
    refused pg_catalog.text[];
begin
    new.content_updated_at := old.content_updated_at;
    if old.status = 'draft' and new.status <> 'draft' then
        new.content_updated_at := null;
    end if;
    if was *= wanted then
        return new;
    end if;

    frozen := training_versions_internal.frozen_columns(old.status);
    if old.created_by is null then
        frozen := array_remove(frozen, 'created_by');
    end if;
    if new.parent_version_id is null and not exists (
            select from public.training_package_versions p where p.id = old.parent_version_id
        )
        or old.parent_version_id is null and training_versions_internal.is_importing()
    then
        frozen := array_remove(frozen, 'parent_version_id');
    end if;
    changed := array(
        select d.column_name from training_versions_internal.differences(was, wanted) as d
    );
    refused := array(select c from unnest(changed) as c where c = any (frozen));
    if refused <> '{}' then
        refused := array(
            select c from unnest(training_versions_internal.changed_snapshots(old, new)) as c
            where c = any (frozen)
        ) || refused;
        perform training_versions_internal.refuse_frozen(old, refused);
    end if;
    if old.status = 'draft' and changed && training_versions_internal.editable_columns() then
        new.content_updated_at := null;
    end if;
    return new;
end
$$;
create or replace trigger rule_40_frozen
    before update on public.training_package_versions
    for each row execute function training_versions_internal.keep_frozen();

-- Snapshots change in drafts only, and only to what has their shape; those from before these rules
-- are kept. What is equal stays as it is stored, so that it is not written once more. Fires only
-- for statements that name a snapshot, since to compare them is to read them whole.
create or replace function training_versions_internal.keep_snapshots()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    changed constant pg_catalog.text[] :=
        training_versions_internal.changed_snapshots(old, new);
begin
    if changed <> '{}' and old.status <> 'draft' then
        perform training_versions_internal.refuse_frozen(old, changed);
    end if;
    if changed <> '{}' then
        new.content_updated_at := null;
    end if;
    if 'config_snapshot' = any (changed) then
        perform training_versions_internal.check_snapshot(
            'config_snapshot', new.config_snapshot, 'object'
        );
    else
        new.config_snapshot := old.config_snapshot;
    end if;
    if 'model_snapshot' = any (changed) then
        perform training_versions_internal.check_snapshot(
            'model_snapshot', new.model_snapshot, 'object'
        );
    else
        new.model_snapshot := old.model_snapshot;
    end if;
    if 'dataset_snapshot' = any (changed) then
        perform training_versions_internal.check_snapshot(
            'dataset_snapshot', new.dataset_snapshot, 'array'
        );
    else
        new.dataset_snapshot := old.dataset_snapshot;
    end if;
    return new;
end
$$;
create or replace trigger rule_41_snapshots
    before update of config_snapshot, model_snapshot, dataset_snapshot
    on public.training_package_versions
    for each row execute function training_versions_internal.keep_snapshots();

-- Draft, then published, then archived.
create or replace function training_versions_internal.keep_status_order()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if (old.status, new.status) not in (('draft', 'published'), ('published', 'archived'))
        or new.status is null
    then
        perform training_versions_internal.refuse(
            'TV302',
            format(
                '%s is %s and cannot become %s',
                training_versions_internal.version_label(old.package_id, old.version_number),
                old.status, coalesce(new.status, 'null')
            ),
            jsonb_build_object(
                'version_id', old.id, 'version_number', old.version_number, 'status', old.status
            ),
            'A version goes from draft to published to archived.'
        );
    end if;
    return new;
end
$$;
create or replace trigger rule_45_status_order
    before update on public.training_package_versions
    for each row
    when (new.status is distinct from old.status)
    execute function training_versions_internal.keep_status_order();

-- Publishing signs with the database's clock. It removes `-draft-<day>` from a name that was not
-- given with it, unless nothing else is in the name. Nobody signs for someone else; a role without
-- a user signs for the package's owner unless it sets published_by.
create or replace function training_versions_internal.sign_published()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if new.published_by is not distinct from old.published_by then
        new.published_by := null;
    end if;
    if new.published_by <> auth.uid() then
        perform training_versions_internal.refuse(
            '42501',
            'published_by must be the user who publishes',
            jsonb_build_object('field', 'published_by'),
            'Leave published_by out.'
        );
    end if;
    new.published_by := coalesce(
        new.published_by,
        auth.uid(),
        (select c.user_id from public.training_configs c where c.id = new.package_id)
    );
    new.published_at := clock_timestamp();
    if new.name = old.name
        and current_setting('training_versions.keep_name', true) is distinct from 'on'
    then
        new.name := regexp_replace(new.name, '(\S\s*)-draft-\d{8}$', '\1');
    end if;
    return new;
end
$$;
create or replace trigger rule_50_sign
    before update on public.training_package_versions
    for each row
    when (old.status = 'draft' and new.status = 'published')
    execute function training_versions_internal.sign_published();

--
-- Before an insert or update
--

-- A draft is signed by nobody yet. (One from before these rules may be, and keeps it.)
create or replace function training_versions_internal.refuse_signed_draft()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.refuse_value(
        'published_at',
        'published_at and published_by are set by publishing',
        'Leave them out.'
    );
    return new;
end
$$;
create or replace trigger rule_60_unsigned
    before update on public.training_package_versions
    for each row
    when (
        new.status = 'draft'
        and (new.published_at, new.published_by) is distinct from
            (old.published_at, old.published_by)
    )
    execute function training_versions_internal.refuse_signed_draft();
create or replace trigger rule_60_unsigned_new_version
    before insert on public.training_package_versions
    for each row
    when (
        new.status = 'draft' and (new.published_at is not null or new.published_by is not null)
    )
    execute function training_versions_internal.refuse_signed_draft();

create or replace trigger rule_65_values
    before insert or update on public.training_package_versions
    for each row execute function training_versions_internal.check_values();

-- A parent is another version by the same user, and nobody is their own ancestor.
create or replace function training_versions_internal.check_parent()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if new.parent_version_id is not distinct from old.parent_version_id then
        return new;
    end if;
    if not exists (
        select from public.training_package_versions p
        where p.id = new.parent_version_id and p.created_by = new.created_by
    ) then
        perform training_versions_internal.refuse(
            'TV103',
            format('there is no version %s that could be the parent', new.parent_version_id),
            jsonb_build_object('field', 'parent_version_id'),
            'The parent must be a version of the same user.'
        );
    end if;
    if tg_op = 'INSERT' then
        return new;  -- it has no descendants yet
    end if;
    -- One change of parents at a time per user: of two at once, neither would see the other, and
    -- together they could close a circle. An advisory lock, because the rows that would have to be
    -- locked are all those of the user.
    perform pg_advisory_xact_lock(
        hashtext('training_versions.parent_version_id'),
        hashtext(new.created_by::pg_catalog.text)
    );
    if exists (
        with recursive ancestors (id, parent_version_id) as (
            select p.id, p.parent_version_id
            from public.training_package_versions p
            where p.id = new.parent_version_id
            union
            select p.id, p.parent_version_id
            from public.training_package_versions p
            join ancestors a on p.id = a.parent_version_id
        )
        select from ancestors where id = new.id
    ) then
        perform training_versions_internal.refuse(
            'TV307',
            format(
                '%s would become its own ancestor',
                training_versions_internal.version_label(new.package_id, new.version_number)
            ),
            jsonb_build_object('field', 'parent_version_id'),
            'Choose a parent that does not descend from it.'
        );
    end if;
    return new;
end
$$;
create or replace trigger rule_70_parent
    before insert or update on public.training_package_versions
    for each row
    when (new.parent_version_id is not null)
    execute function training_versions_internal.check_parent();

-- updated_at moves with every change, also when the clock does not; so does content_updated_at
-- with an edit. A trigger of the app that has called this function since the first release, on a
-- table of its own, is served as it was then. Invoker: it needs nothing.
create or replace function training_versions_internal.update_training_package_versions_updated_at()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    if tg_relid <> 'public.training_package_versions'::pg_catalog.regclass then
        new.updated_at := now();
        return new;
    end if;
    new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
    if new.content_updated_at is null then
        new.content_updated_at := new.updated_at;
    else
        new.content_updated_at := least(new.content_updated_at, old.updated_at);
    end if;
    return new;
end
$$;
create or replace trigger set_updated_at
    before update on public.training_package_versions
    for each row
    execute function training_versions_internal.update_training_package_versions_updated_at();

--
-- Before a deletion
--

-- A published or archived version is not deleted alone, nor the draft that one came from.
create or replace function training_versions_internal.keep_published()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if not exists (select from public.training_configs c where c.id = old.package_id) then
        return old;  -- its whole package is going
    end if;
    if old.status <> 'draft' then
        perform training_versions_internal.refuse(
            'TV303',
            format(
                '%s is %s and cannot be deleted',
                training_versions_internal.version_label(old.package_id, old.version_number),
                old.status
            ),
            jsonb_build_object(
                'version_id', old.id, 'version_number', old.version_number, 'status', old.status
            ),
            'Archive it instead.'
        );
    end if;
    -- Waits for a child that is being published right now, so that the check below sees it.
    perform from public.training_package_versions v
    where v.parent_version_id = old.id
    for no key update;
    if exists (
        select from public.training_package_versions v
        where v.parent_version_id = old.id and v.status <> 'draft'
    ) then
        perform training_versions_internal.refuse(
            'TV308',
            format(
                '%s is the parent of a published version',
                training_versions_internal.version_label(old.package_id, old.version_number)
            ),
            jsonb_build_object('version_id', old.id, 'version_number', old.version_number),
            'Keep it: a published version keeps its parent.'
        );
    end if;
    return old;
end
$$;
create or replace trigger rule_90_published_stays
    before delete on public.training_package_versions
    for each row execute function training_versions_internal.keep_published();

--
-- After: the package's counter and pointers
--

-- Keeps training_configs.version_count, and remembers what was deleted. What was asked for under
-- its id is forgotten: once its package is deleted, too, somebody else may use the id.
create or replace function training_versions_internal.update_version_count()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        update public.training_configs
        set version_count = version_count + 1
        where id = new.package_id;
        return null;
    end if;
    delete from training_versions_internal.claims c where c.id = old.id and c.kind = 'version';
    update public.training_configs
    set version_count = version_count - 1
    where id = old.package_id;
    if found then
        insert into training_versions_internal.deletions (id, package_id, version_number, owner_id)
        values (old.id, old.package_id, old.version_number, old.created_by);
    end if;
    return null;
end
$$;
create or replace trigger update_config_version_count
    after insert or delete on public.training_package_versions
    for each row execute function training_versions_internal.update_version_count();

-- Moves the pointers to the newest version that is published now and that the package's owner can
-- see. The package is locked first, so that of two changes at once the later one sees the earlier.
create or replace function training_versions_internal.move_pointers(p_package_id uuid)
returns void
security definer
set search_path = ''
language plpgsql
as $$
#variable_conflict use_variable
declare
    newest_id pg_catalog.uuid;
    newest_number integer;
begin
    perform from public.training_configs c where c.id = p_package_id for no key update;
    select v.id, v.version_number into newest_id, newest_number
    from public.training_package_versions v
    join public.training_configs c on c.id = v.package_id
    where v.package_id = p_package_id
        and v.status = 'published'
        and v.created_by is not distinct from c.user_id
    order by v.version_number desc
    limit 1;
    update public.training_configs
    set current_version_id = newest_id, latest_published_version = coalesce(newest_number, 0)
    where id = p_package_id;
end
$$;

-- Moves the pointers of the package when the status of a version changes.
create or replace function training_versions_internal.update_pointers()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.move_pointers(new.package_id);
    return null;
end
$$;
create or replace trigger update_config_pointers
    after update of status on public.training_package_versions
    for each row
    when (new.status is distinct from old.status)
    execute function training_versions_internal.update_pointers();
