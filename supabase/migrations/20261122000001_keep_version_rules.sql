-- The database keeps the rules of the version history: numbers, ownership, freezing, publishing, counters.
--
-- Touches: rows of training_package_versions that lack created_by, created_at, updated_at or is_deployed (filled in), the
--   three derived columns of training_configs (worked out anew), every policy and trigger function of the first release
--   (replaced), grants (written out by name).
-- For operators: takes a lock on both tables while it runs; reads every version once. Every policy on
--   training_package_versions is dropped and the four below take its place, because an old permissive one would stay in
--   force beside them. Rows that the new rules would refuse today stay as they are; what they hold is checked where it changes.

-- Bookkeeping that no client may see or touch. PostgREST must not expose this schema.
create schema if not exists training_versions_internal;
comment on schema training_versions_internal is
    'Bookkeeping of training_package_versions: numbers handed out, deletions, triggers. Never expose it through the API.';
revoke all on schema training_versions_internal from public;
grant usage on schema training_versions_internal to authenticated, service_role;

-- The highest number a package ever handed out. Its row is also the lock under which versions of the package are made.
create table if not exists training_versions_internal.package_numbers (
    package_id uuid primary key references public.training_configs (id) on delete cascade,
    last_number integer not null default 0
);
comment on table training_versions_internal.package_numbers is
    'Highest version number given in a package. Invariant: never goes down, so no number is given twice.';
alter table training_versions_internal.package_numbers enable row level security;

-- What was deleted: its numbers stay taken, and deleting it again is known to be a repeat.
create table if not exists training_versions_internal.deletions (
    deletion_id bigint generated always as identity primary key,
    id uuid not null,
    package_id uuid not null,
    version_number integer,
    owner_id uuid,
    deleted_at timestamptz not null default now()
);
comment on table training_versions_internal.deletions is
    'Deleted drafts, and deleted packages (version_number is null); an id may come back and be deleted again. No content.';
create index if not exists idx_deletions_id on training_versions_internal.deletions (id);
create index if not exists idx_deletions_number
    on training_versions_internal.deletions (package_id, version_number);
alter table training_versions_internal.deletions enable row level security;

-- The transactions that are bringing versions in from another project: those come with their status and moments.
create table if not exists training_versions_internal.imports (
    transaction_id xid8 primary key
);
comment on table training_versions_internal.imports is
    'Transactions that import versions right now. Invariant: empty for everybody but the importing transaction.';
alter table training_versions_internal.imports enable row level security;

-- Roles that PostgREST switches to get nothing here, also where default privileges are generous.
revoke all on all tables in schema training_versions_internal from public, anon, authenticated, service_role;

-- The released triggers would disturb the repair below; their functions leave the exposed schema.
drop trigger if exists set_updated_at on public.training_package_versions;
drop trigger if exists update_config_version_count on public.training_package_versions;
do $$
begin
    if to_regprocedure('public.update_version_count()') is not null then
        alter function public.update_version_count() set schema training_versions_internal;
    end if;
    if to_regprocedure('public.update_training_package_versions_updated_at()') is not null then
        alter function public.update_training_package_versions_updated_at() set schema training_versions_internal;
    end if;
end
$$;

-- Repair what the released triggers left wrong or empty, from the rows that are there.
do $$
begin
    lock table public.training_configs, public.training_package_versions in share row exclusive mode;

    -- A version that says not who made it was made by the service role for the package's owner.
    update public.training_package_versions v
    set created_by = coalesce(v.created_by, c.user_id),
        created_at = coalesce(v.created_at, v.updated_at, v.published_at, now()),
        updated_at = coalesce(v.updated_at, v.created_at, v.published_at, now()),
        is_deployed = coalesce(v.is_deployed, false)
    from public.training_configs c
    where c.id = v.package_id
        and (
            (v.created_by is null and c.user_id is not null)
            or v.created_at is null or v.updated_at is null or v.is_deployed is null
        );

    -- Numbering goes on above the owner's own versions. A stranger's are skipped when they are met, so that one far up
    -- does not drag the numbers along; so is an absurdly high number of the owner's.
    insert into training_versions_internal.package_numbers as n (package_id, last_number)
    select v.package_id, greatest(max(v.version_number), 0)
    from public.training_package_versions v
    join public.training_configs c on c.id = v.package_id
    where v.created_by is not distinct from c.user_id and v.version_number <= 1000000000
    group by v.package_id
    on conflict (package_id) do update set last_number = greatest(n.last_number, excluded.last_number);

    -- Pointers show the newest published version that the package's owner can see.
    update public.training_configs c
    set version_count = t.version_count,
        latest_published_version = t.latest_published_version,
        current_version_id = t.current_version_id
    from (
        select
            p.id,
            (select count(*) from public.training_package_versions v where v.package_id = p.id)::integer as version_count,
            coalesce(newest.version_number, 0) as latest_published_version,
            newest.id as current_version_id
        from public.training_configs p
        left join lateral (
            select v.id, v.version_number
            from public.training_package_versions v
            where v.package_id = p.id and v.status = 'published' and v.created_by is not distinct from p.user_id
            order by v.version_number desc
            limit 1
        ) newest on true
    ) t
    where t.id = c.id
        and (c.version_count, c.latest_published_version, c.current_version_id)
            is distinct from (t.version_count, t.latest_published_version, t.current_version_id);
end
$$;

alter table public.training_package_versions
    alter column created_at set not null,
    alter column updated_at set not null,
    alter column is_deployed set not null;
alter table public.training_configs
    alter column version_count set default 0,
    alter column version_count set not null,
    alter column latest_published_version set default 0,
    alter column latest_published_version set not null;

-- A user goes with their packages: who made and who published is checked at the end of the transaction, when the versions
-- are gone, too. The names of the constraints in existing databases are not known.
do $$
declare
    user_reference name;
begin
    for user_reference in
        select conname from pg_catalog.pg_constraint
        where conrelid = 'public.training_package_versions'::regclass
            and confrelid = 'auth.users'::regclass
            and contype = 'f'
    loop
        execute format(
            'alter table public.training_package_versions alter constraint %I deferrable initially deferred',
            user_reference
        );
    end loop;
end
$$;

-- Latest published is one look-up, however many drafts lie above it.
create index if not exists idx_package_versions_published
    on public.training_package_versions (package_id, version_number desc) where status = 'published';
-- The order in which versions of all packages are paged.
create index if not exists idx_package_versions_user_created
    on public.training_package_versions (created_by, created_at desc, id desc);
-- Every foreign key has an index.
create index if not exists idx_package_versions_published_by on public.training_package_versions (published_by);
create index if not exists idx_training_configs_current_version on public.training_configs (current_version_id);

comment on column public.training_configs.version_count is 'How many versions the package has. Kept by the database.';
comment on column public.training_configs.latest_published_version is
    'Number of the newest version that is published now, 0 if none is. Kept by the database.';
comment on column public.training_configs.current_version_id is
    'The newest version that is published now, null if none is. Kept by the database.';
comment on column public.training_package_versions.version_number is
    'Given under a lock on the package when the version is made; never given again, also after a draft is deleted.';
comment on column public.training_package_versions.updated_at is
    'Moves forward with every change; the edit token of a draft.';

--
-- Values
--

-- A cost is a number of cents between 0 and 99,999,999.99, or null.
create or replace function training_versions_internal.check_cost(p_field text, p_value numeric)
returns void
immutable
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if p_value not between 0 and 99999999.99 or p_value <> round(p_value, 2) then
        raise exception using
            errcode = 'TV306',
            message = format('%s must be between 0 and 99,999,999.99 with at most two decimals', p_field),
            detail = jsonb_build_object('field', p_field)::pg_catalog.text,
            hint = 'Round it to cents.';
    end if;
end
$$;

-- A text is not blank and not longer than it may be.
create or replace function training_versions_internal.check_text(p_field text, p_value text, p_longest integer)
returns void
immutable
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if p_value is null or p_value !~ '\S' or char_length(p_value) > p_longest then
        raise exception using
            errcode = 'TV306',
            message = format('%s must have 1 to %s characters that are not all blank', p_field, p_longest),
            detail = jsonb_build_object('field', p_field)::pg_catalog.text,
            hint = 'Shorten it, or give it something to say.';
    end if;
end
$$;

-- A snapshot has the shape that readers rely on: 'object', or 'array' of objects.
create or replace function training_versions_internal.check_snapshot(p_field text, p_value jsonb, p_type text)
returns void
immutable
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if jsonb_typeof(p_value) is distinct from p_type
        or p_type = 'array' and jsonb_path_exists(p_value, 'strict $[*] ? (@.type() <> "object")')
    then
        raise exception using
            errcode = 'TV306',
            message = format(
                '%s must be a JSON %s', p_field, case p_type when 'array' then 'array of objects' else p_type end
            ),
            detail = jsonb_build_object('field', p_field)::pg_catalog.text,
            hint = format('Send it as JSON, not as text; an empty one is %s.', case p_type when 'array' then '[]' else '{}' end);
    end if;
end
$$;

-- May the caller act for every user? Only roles that skip row level security may (the service role, the owner); a token
-- without a user in it is not enough, and one with a user in it no hindrance. Inside a security definer function
-- `current_user` does not tell, the role that was set does.
create or replace function training_versions_internal.acts_for_all()
returns boolean
stable
security invoker
set search_path = ''
language sql
as $$
    select exists (
        select from pg_catalog.pg_roles r
        where r.rolname = coalesce(nullif(current_setting('role'), 'none'), session_user)
            and (r.rolbypassrls or r.rolsuper)
    )
$$;

-- Is this transaction bringing versions in from another project? Called where the owner of this schema acts.
create or replace function training_versions_internal.is_importing()
returns boolean
volatile
security invoker
set search_path = ''
language sql
as $$
    select exists (select from training_versions_internal.imports i where i.transaction_id = pg_current_xact_id())
$$;

--
-- Numbers. Definer: they are given across all rows of the package, also those that the caller cannot see. Called by hand,
-- a user asks for their own packages only, and a role that skips row level security (the service role) for any; the triggers below ask
-- for whatever package a row was allowed into.
--

-- The lock under which versions of a package are made; held to the end of the transaction.
create or replace function training_versions_internal.lock_package(p_package_id uuid)
returns void
volatile
security definer
set search_path = ''
language plpgsql
as $$
begin
    if training_versions_internal.acts_for_all()
        or pg_trigger_depth() > 0
        or exists (select from public.training_configs c where c.id = p_package_id and c.user_id = auth.uid())
    then
        -- The package first, as its deletion takes it; one that is gone meanwhile has nothing to lock.
        perform from public.training_configs c where c.id = p_package_id for no key update;
        if found then
            insert into training_versions_internal.package_numbers (package_id) values (p_package_id)
            on conflict do nothing;
            perform from training_versions_internal.package_numbers n where n.package_id = p_package_id for update;
        end if;
    end if;
end
$$;

-- The next number: the lowest above the last one given that no version has or had. Null for somebody else's package.
create or replace function training_versions_internal.next_number(p_package_id uuid)
returns integer
stable
security definer
set search_path = ''
language plpgsql
as $$
declare
    next_number integer;
begin
    select coalesce(n.last_number, 0) into next_number
    from public.training_configs c
    left join training_versions_internal.package_numbers n on n.package_id = c.id
    where c.id = p_package_id and (
        training_versions_internal.acts_for_all() or pg_trigger_depth() > 0 or c.user_id = auth.uid()
    );
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

revoke all on function
    training_versions_internal.check_cost(text, numeric),
    training_versions_internal.check_text(text, text, integer),
    training_versions_internal.check_snapshot(text, jsonb, text),
    training_versions_internal.acts_for_all(),
    training_versions_internal.is_importing(),
    training_versions_internal.lock_package(uuid),
    training_versions_internal.next_number(uuid)
from public, anon, authenticated, service_role;
grant execute on function
    training_versions_internal.check_cost(text, numeric),
    training_versions_internal.check_text(text, text, integer),
    training_versions_internal.check_snapshot(text, jsonb, text),
    training_versions_internal.lock_package(uuid),
    training_versions_internal.next_number(uuid)
to authenticated, service_role;

--
-- Triggers of training_package_versions. Those that must see or write past row level security are security definer;
-- they lie in a schema that is not exposed, and trigger functions cannot be called.
--

-- Nobody puts a version into a package that is not theirs, or signs for someone else, or learns from a later refusal what
-- is in there.
create or replace function training_versions_internal.check_package_owner()
returns trigger
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if not exists (
        select from public.training_configs c where c.id = new.package_id and c.user_id = (select auth.uid())
    ) then
        raise exception using
            errcode = '42501',
            message = format('there is no package %s of yours', new.package_id),
            hint = 'Create the package first, signed in as the same user.';
    end if;
    if new.created_by <> (select auth.uid()) then
        raise exception using
            errcode = '42501',
            message = 'created_by must be the user who creates',
            detail = jsonb_build_object('field', 'created_by')::pg_catalog.text,
            hint = 'Leave created_by out.';
    end if;
    return new;
end
$$;

-- The rules a version is made and changed by. Definer: numbers are handed out across all rows of the package.
create or replace function training_versions_internal.keep_version_rules()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    made constant boolean := tg_op = 'INSERT';
    actor constant pg_catalog.uuid := auth.uid();
    importing constant boolean := training_versions_internal.is_importing();
    package_owner pg_catalog.uuid;
    package_name pg_catalog.text;
    brought boolean;
    changed pg_catalog.text[];
begin
    select c.user_id, c.name into package_owner, package_name
    from public.training_configs c
    where c.id = new.package_id;
    if not found then
        -- The foreign key refuses it.
        new.version_number := coalesce(new.version_number, 1);
        new.name := coalesce(new.name, '-');
        return new;
    end if;
    new.is_deployed := coalesce(new.is_deployed, false);

    if made then
        -- A version starts as a draft, unless it is brought in from another project.
        if new.status is distinct from 'draft' and not importing then
            raise exception using
                errcode = 'TV302',
                message = format('a version starts as a draft, not as %s', coalesce(new.status, 'null')),
                detail = jsonb_build_object('field', 'status', 'status', new.status)::pg_catalog.text,
                hint = 'Insert it with status draft, then publish it.';
        end if;
        new.created_by := coalesce(new.created_by, actor, package_owner);

        -- Under the lock on the package: the next number, or the one brought along if it was never given.
        perform training_versions_internal.lock_package(new.package_id);
        brought := new.version_number is not null;
        new.version_number := coalesce(new.version_number, training_versions_internal.next_number(new.package_id));
        if new.version_number not between 1 and 1000000000 then
            raise exception using
                errcode = 'TV306',
                message = 'version_number must be between 1 and 1,000,000,000',
                detail = jsonb_build_object('field', 'version_number')::pg_catalog.text,
                hint = 'Leave it out: the database gives the next one.';
        end if;
        if brought and exists (
            select from training_versions_internal.deletions d
            where d.package_id = new.package_id and d.version_number = new.version_number
        ) then
            raise exception using
                errcode = '23505',
                message = format('version number %s was given to a draft since deleted', new.version_number),
                detail = jsonb_build_object('field', 'version_number')::pg_catalog.text,
                constraint = 'unique_package_version',
                hint = 'Ask get_next_version_number for the next one, or leave version_number out.';
        end if;
        update training_versions_internal.package_numbers
        set last_number = greatest(last_number, new.version_number)
        where package_id = new.package_id;

        -- The moment is the database's, unless it is brought along, or a role without a user (the service role) says when.
        if actor is not null and not importing or new.created_at is null then
            new.created_at := clock_timestamp();
        elsif not isfinite(new.created_at) then
            raise exception using
                errcode = 'TV306',
                message = 'created_at must be a moment',
                detail = jsonb_build_object('field', 'created_at')::pg_catalog.text;
        end if;
        new.updated_at := new.created_at;
        new.name := coalesce(
            new.name,
            format(
                '%s-v%s-draft-%s',
                left(case when package_name ~ '\S' then package_name else 'package' end, 220),
                new.version_number,
                to_char(new.created_at at time zone 'UTC', 'YYYYMMDD')
            )
        );
    else
        -- What a version is, it stays: its place, number, maker and moment.
        changed := array_remove(array[
            case when new.id <> old.id then 'id' end,
            case when new.package_id <> old.package_id then 'package_id' end,
            case when new.version_number <> old.version_number then 'version_number' end,
            case when old.created_by is not null and new.created_by is distinct from old.created_by then 'created_by' end,
            case when new.created_at is distinct from old.created_at then 'created_at' end
        ], null);

        -- A frozen version keeps its content. Its parent goes only with the parent's whole package.
        if old.status <> 'draft' then
            changed := changed || array_remove(array[
                case when new.name is distinct from old.name then 'name' end,
                case when new.config_snapshot is distinct from old.config_snapshot then 'config_snapshot' end,
                case when new.model_snapshot is distinct from old.model_snapshot then 'model_snapshot' end,
                case when new.dataset_snapshot is distinct from old.dataset_snapshot then 'dataset_snapshot' end,
                case when new.change_summary is distinct from old.change_summary then 'change_summary' end,
                case when new.published_at is distinct from old.published_at then 'published_at' end,
                case when new.published_by is distinct from old.published_by then 'published_by' end,
                case
                    when new.parent_version_id is distinct from old.parent_version_id
                        and not (importing and old.parent_version_id is null)  -- it was imported before its parent
                        and (
                            new.parent_version_id is not null
                            or exists (
                                select from public.training_package_versions p where p.id = old.parent_version_id
                            )
                        )
                    then 'parent_version_id'
                end
            ], null);
        end if;
        if changed <> '{}' then
            raise exception using
                errcode = 'TV301',
                message = format(
                    '%s of version %s cannot change: it is %s',
                    array_to_string(changed, ', '), old.version_number, old.status
                ),
                detail = jsonb_build_object(
                    'version_id', old.id, 'version_number', old.version_number, 'columns', changed
                )::pg_catalog.text,
                hint = 'Create a new draft from it.';
        end if;

        -- Draft, then published, then archived.
        if new.status is distinct from old.status
            and (old.status, new.status) not in (('draft', 'published'), ('published', 'archived'))
        then
            raise exception using
                errcode = 'TV302',
                message = format(
                    'version %s is %s and cannot become %s', old.version_number, old.status, coalesce(new.status, 'null')
                ),
                detail = jsonb_build_object(
                    'version_id', old.id, 'version_number', old.version_number, 'status', old.status
                )::pg_catalog.text,
                hint = 'A version goes from draft to published to archived.';
        end if;

        if new.status = 'published' and old.status = 'draft' then
            -- Nobody signs for someone else; a role without a user acts for the package's owner unless it says who.
            if new.published_by is not distinct from old.published_by then
                new.published_by := null;
            end if;
            if actor is not null and new.published_by <> actor then
                raise exception using
                    errcode = '42501',
                    message = 'published_by must be the user who publishes',
                    detail = jsonb_build_object('field', 'published_by')::pg_catalog.text,
                    hint = 'Leave published_by out.';
            end if;
            new.published_by := coalesce(new.published_by, actor, package_owner);
            new.published_at := clock_timestamp();
            if new.name = old.name and current_setting('training_versions.keep_name', true) is distinct from 'on' then
                new.name := regexp_replace(new.name, '-draft-\d{8}$', '');
            end if;
        end if;
    end if;

    -- A draft is signed by nobody yet.
    if new.status = 'draft'
        and (
            made and (new.published_at is not null or new.published_by is not null)
            or not made and (new.published_at, new.published_by) is distinct from (old.published_at, old.published_by)
        )
    then
        raise exception using
            errcode = 'TV306',
            message = 'published_at and published_by are set by publishing',
            detail = jsonb_build_object('field', 'published_at')::pg_catalog.text,
            hint = 'Leave them out.';
    end if;

    -- Values, where they are new: rows from before these rules keep theirs.
    if made or new.name is distinct from old.name then
        perform training_versions_internal.check_text('name', new.name, 255);
    end if;
    if made or new.config_snapshot is distinct from old.config_snapshot then
        perform training_versions_internal.check_snapshot('config_snapshot', new.config_snapshot, 'object');
    end if;
    if made or new.model_snapshot is distinct from old.model_snapshot then
        perform training_versions_internal.check_snapshot('model_snapshot', new.model_snapshot, 'object');
    end if;
    if made or new.dataset_snapshot is distinct from old.dataset_snapshot then
        perform training_versions_internal.check_snapshot('dataset_snapshot', new.dataset_snapshot, 'array');
    end if;
    if (made or new.change_summary is distinct from old.change_summary)
        and char_length(new.change_summary) > 10000
    then
        raise exception using
            errcode = 'TV306',
            message = 'change_summary must have at most 10000 characters',
            detail = jsonb_build_object('field', 'change_summary')::pg_catalog.text;
    end if;
    if made or new.estimated_cost is distinct from old.estimated_cost then
        perform training_versions_internal.check_cost('estimated_cost', new.estimated_cost);
    end if;
    if made or new.actual_cost is distinct from old.actual_cost then
        perform training_versions_internal.check_cost('actual_cost', new.actual_cost);
    end if;
    if made or new.budget_limit is distinct from old.budget_limit then
        perform training_versions_internal.check_cost('budget_limit', new.budget_limit);
    end if;

    -- A parent is another version by the same user, and nobody is their own ancestor.
    if new.parent_version_id is not null
        and (made or new.parent_version_id is distinct from old.parent_version_id)
    then
        if not exists (
            select from public.training_package_versions p
            where p.id = new.parent_version_id and p.created_by = new.created_by
        ) then
            raise exception using
                errcode = 'TV103',
                message = format('there is no version %s that could be the parent', new.parent_version_id),
                detail = jsonb_build_object('field', 'parent_version_id')::pg_catalog.text,
                hint = 'The parent must be a version of the same user.';
        end if;
        if not made then
            -- One change of parents at a time per user: two at once could close a circle between them.
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
                raise exception using
                    errcode = 'TV307',
                    message = format('version %s would become its own ancestor', new.version_number),
                    detail = jsonb_build_object('field', 'parent_version_id')::pg_catalog.text,
                    hint = 'Choose a parent that does not descend from it.';
            end if;
        end if;
    end if;
    return new;
end
$$;

-- The edit token moves with every change, also when the clock does not.
create or replace function training_versions_internal.update_training_package_versions_updated_at()
returns trigger
security invoker
set search_path = ''
language plpgsql
as $$
begin
    new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
    return new;
end
$$;

-- A published or archived version is not deleted alone, nor the draft that one came from. Definer: sees every child.
create or replace function training_versions_internal.keep_frozen_versions()
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
        raise exception using
            errcode = 'TV303',
            message = format('version %s is %s and cannot be deleted', old.version_number, old.status),
            detail = jsonb_build_object(
                'version_id', old.id, 'version_number', old.version_number, 'status', old.status
            )::pg_catalog.text,
            hint = 'Archive it instead.';
    end if;
    -- A child that is being published right now is waited for.
    perform from public.training_package_versions v where v.parent_version_id = old.id for no key update;
    if exists (
        select from public.training_package_versions v where v.parent_version_id = old.id and v.status <> 'draft'
    ) then
        raise exception using
            errcode = 'TV308',
            message = format('draft %s is the parent of a published version', old.version_number),
            detail = jsonb_build_object(
                'version_id', old.id, 'version_number', old.version_number
            )::pg_catalog.text,
            hint = 'Keep it: a published version keeps its parent.';
    end if;
    return old;
end
$$;

-- Keeps training_configs.version_count, and remembers what was deleted. Definer: the counter is not the client's to write.
create or replace function training_versions_internal.update_version_count()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        update public.training_configs set version_count = version_count + 1 where id = new.package_id;
    else
        update public.training_configs set version_count = version_count - 1 where id = old.package_id;
        if found then
            insert into training_versions_internal.deletions (id, package_id, version_number, owner_id)
            values (old.id, old.package_id, old.version_number, old.created_by);
        end if;
    end if;
    return null;
end
$$;

-- Moves the pointers to the newest version that is published now and that the package's owner can see. The package is
-- locked before it is looked up, so that of two changes at once the later one sees the earlier. Definer: as above.
create or replace function training_versions_internal.move_pointers(p_package_id uuid)
returns void
volatile
security definer
set search_path = ''
language plpgsql
as $$
declare
    newest_id pg_catalog.uuid;
    newest_number integer;
begin
    perform from public.training_configs c where c.id = p_package_id for no key update;
    select v.id, v.version_number into newest_id, newest_number
    from public.training_package_versions v
    join public.training_configs c on c.id = v.package_id
    where v.package_id = p_package_id and v.status = 'published' and v.created_by is not distinct from c.user_id
    order by v.version_number desc
    limit 1;
    update public.training_configs
    set current_version_id = newest_id, latest_published_version = coalesce(newest_number, 0)
    where id = p_package_id;
end
$$;

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

create or replace trigger check_package_owner
    before insert on public.training_package_versions
    for each row
    when (row_security_active('public.training_package_versions'))
    execute function training_versions_internal.check_package_owner();

create or replace trigger keep_version_rules
    before insert or update on public.training_package_versions
    for each row execute function training_versions_internal.keep_version_rules();

create or replace trigger set_updated_at
    before update on public.training_package_versions
    for each row execute function training_versions_internal.update_training_package_versions_updated_at();

create or replace trigger keep_frozen_versions
    before delete on public.training_package_versions
    for each row execute function training_versions_internal.keep_frozen_versions();

create or replace trigger update_config_version_count
    after insert or delete on public.training_package_versions
    for each row execute function training_versions_internal.update_version_count();

create or replace trigger update_config_pointers
    after update of status on public.training_package_versions
    for each row
    when (new.status is distinct from old.status)
    execute function training_versions_internal.update_pointers();

--
-- Triggers of training_configs
--

-- Counters and pointers are written by the triggers above only, whose owner is the owner of their schema.
create or replace function training_versions_internal.keep_derived_columns()
returns trigger
security invoker
set search_path = ''
language plpgsql
as $$
begin
    new.version_count := coalesce(new.version_count, 0);
    new.latest_published_version := coalesce(new.latest_published_version, 0);
    if pg_has_role(
        current_user,
        (select n.nspowner from pg_catalog.pg_namespace n where n.nspname = 'training_versions_internal'),
        'member'
    ) then
        return new;
    end if;
    -- The versions of a package belong to its owner.
    if tg_op = 'UPDATE' and new.user_id is distinct from old.user_id and old.version_count > 0 then
        raise exception using
            errcode = 'TV301',
            message = 'a package that has versions keeps its owner',
            detail = jsonb_build_object('package_id', old.id, 'columns', array['user_id'])::pg_catalog.text,
            hint = 'Export it, and import it as the new owner.';
    end if;
    if tg_op = 'INSERT'
            and (new.version_count, new.latest_published_version, new.current_version_id) is distinct from (0, 0, null)
        or tg_op = 'UPDATE'
            and (new.version_count, new.latest_published_version, new.current_version_id)
                is distinct from (old.version_count, old.latest_published_version, old.current_version_id)
    then
        raise exception using
            errcode = 'TV305',
            message = 'version_count, latest_published_version and current_version_id are kept by the database',
            detail = jsonb_build_object('package_id', new.id)::pg_catalog.text,
            hint = 'Leave them out; publishing and archiving move them.';
    end if;
    return new;
end
$$;

-- A user's package with published or archived versions stays. Definer: sees every version and child. Roles that skip row
-- level security (the service role, the deletion of a user) may delete a package whole.
create or replace function training_versions_internal.keep_packages_with_history()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if exists (
        select from public.training_package_versions v where v.package_id = old.id and v.status <> 'draft'
    ) then
        raise exception using
            errcode = 'TV304',
            message = 'the package has published or archived versions and cannot be deleted',
            detail = jsonb_build_object('package_id', old.id)::pg_catalog.text,
            hint = 'Archive its versions instead; only the service role deletes a package with history.';
    end if;
    if exists (
        select from public.training_package_versions v
        join public.training_package_versions child on child.parent_version_id = v.id
        where v.package_id = old.id and child.status <> 'draft'
    ) then
        raise exception using
            errcode = 'TV308',
            message = 'a draft of the package is the parent of a published version in another package',
            detail = jsonb_build_object('package_id', old.id)::pg_catalog.text,
            hint = 'Keep it: a published version keeps its parent.';
    end if;
    return old;
end
$$;

-- Deleting a package again is known to be a repeat. Definer: the record is not the client's to write.
create or replace function training_versions_internal.remember_deleted_package()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    delete from training_versions_internal.deletions where package_id = old.id;
    insert into training_versions_internal.deletions (id, package_id, owner_id) values (old.id, old.id, old.user_id);
    return null;
end
$$;

create or replace trigger keep_derived_columns
    before insert or update on public.training_configs
    for each row execute function training_versions_internal.keep_derived_columns();

create or replace trigger keep_packages_with_history
    before delete on public.training_configs
    for each row
    when (row_security_active('public.training_package_versions'))
    execute function training_versions_internal.keep_packages_with_history();

create or replace trigger remember_deleted_package
    after delete on public.training_configs
    for each row execute function training_versions_internal.remember_deleted_package();

-- These are called by triggers only.
revoke all on function
    training_versions_internal.check_package_owner(),
    training_versions_internal.keep_version_rules(),
    training_versions_internal.update_training_package_versions_updated_at(),
    training_versions_internal.keep_frozen_versions(),
    training_versions_internal.update_version_count(),
    training_versions_internal.move_pointers(uuid),
    training_versions_internal.update_pointers(),
    training_versions_internal.keep_derived_columns(),
    training_versions_internal.keep_packages_with_history(),
    training_versions_internal.remember_deleted_package()
from public, anon, authenticated, service_role;

--
-- Row level security: four policies, one per command.
--

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
        and exists (
            select from public.training_configs c where c.id = package_id and c.user_id = (select auth.uid())
        )
    );

-- A user edits and publishes their own drafts, in their own packages.
create policy "Users can update own draft versions" on public.training_package_versions
    for update to authenticated
    using ((select auth.uid()) = created_by and status = 'draft')
    with check (
        (select auth.uid()) = created_by
        and status in ('draft', 'published')
        and exists (
            select from public.training_configs c where c.id = package_id and c.user_id = (select auth.uid())
        )
    );

-- A user deletes only their own drafts.
create policy "Users can delete own draft versions" on public.training_package_versions
    for delete to authenticated
    using ((select auth.uid()) = created_by and status = 'draft');

revoke all on table public.training_package_versions from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.training_package_versions to authenticated, service_role;

-- The migration verifies itself.
do $$
declare
    policies integer;
    triggers integer;
begin
    select count(*) into policies from pg_catalog.pg_policies
    where schemaname = 'public' and tablename = 'training_package_versions';
    select count(*) into triggers from pg_catalog.pg_trigger
    where tgrelid = 'public.training_package_versions'::regclass and not tgisinternal;
    if policies <> 4 or triggers < 6 then
        raise exception 'training_package_versions is incomplete: % policies, % triggers', policies, triggers;
    end if;
    raise notice 'training_package_versions keeps its rules: % policies, % triggers', policies, triggers;
end
$$;
