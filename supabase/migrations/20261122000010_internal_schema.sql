-- The schema for what no client may see: bookkeeping, and the functions that keep the rules.
--
-- Touches: creates training_versions_internal with five tables and the helpers of all later files;
--   moves the two trigger functions of the first release there.
-- For operators: PostgREST must not expose this schema. Only the way into it is granted here;
--   20261122000090_grants.sql has all other grants in one list.
--
-- PostgreSQL lets everybody execute a new function until 20261122000090 revokes it, and a push runs
-- each file as a transaction of its own. That window gives nothing away. Our functions in `public`
-- are security invoker, so that privileges and policies apply to whoever calls them; the definer
-- functions lie here, where no API reaches them; every table has row level security from the
-- start. (A default privilege of one schema cannot take away what everybody has in all schemas, and
-- that of the role would concern the app's functions.)
--
-- Who is calling is asked in three ways. `row_security_active(…)`: do policies apply to this
-- statement? For code that runs as its caller. `acts_for_all()`: is this a role that policies do
-- not apply to? For definer functions, where the role of the statement is always the owner's.
-- `auth.uid() is null`: is there no user to sign for? For what is signed, such as created_by.
--
-- Declarations say `pg_catalog.text`, because `pg_temp` is searched for types before `pg_catalog`
-- even when search_path is empty, and anybody may make a temporary type named `text`. (`integer`,
-- `bigint`, `numeric` and `boolean` are keywords, which no such type can shadow.)
--
-- A function whose query of an app's table names a variable says `use_variable`: the app may have a
-- column of that name.
--
-- What every write calls is in plpgsql, even where one query is all it does: plpgsql keeps its
-- plans for the session, and PostgreSQL before 18 plans the query of an SQL function at each call.

create schema if not exists training_versions_internal;
comment on schema training_versions_internal is
    'Bookkeeping and rules of training_package_versions. Never expose it through the API.';
revoke all on schema training_versions_internal from public, anon, authenticated, service_role;
grant usage on schema training_versions_internal to authenticated, service_role;

-- The trigger functions of the first release leave the exposed schema. Their triggers go on calling
-- them, until 20261122000020 replaces both.
do $$
begin
    if to_regprocedure('public.update_version_count()') is not null then
        alter function public.update_version_count() set schema training_versions_internal;
    end if;
    if to_regprocedure('public.update_training_package_versions_updated_at()') is not null then
        alter function public.update_training_package_versions_updated_at()
            set schema training_versions_internal;
    end if;
end
$$;

--
-- Bookkeeping
--

create table if not exists training_versions_internal.package_numbers (
    package_id uuid primary key references public.training_configs (id) on delete cascade,
    last_number integer not null default 0
);
comment on table training_versions_internal.package_numbers is
    'Highest version number given in a package. Invariant: it never goes down, so that no number '
    'is given twice. Written under the lock on the package.';
alter table training_versions_internal.package_numbers enable row level security;

create table if not exists training_versions_internal.deletions (
    deletion_id bigint generated always as identity primary key,
    id uuid not null,
    package_id uuid not null,
    version_number integer,
    owner_id uuid,
    deleted_at timestamptz not null default now()
);
comment on table training_versions_internal.deletions is
    'Deleted drafts, and deleted packages (version_number is null), without their content. '
    'Keeps their numbers from being given again, and makes a repeated deletion succeed. The '
    'id of a draft may be inserted and deleted again, so it is not unique.';
create index if not exists idx_deletions_id on training_versions_internal.deletions (id);
create index if not exists idx_deletions_number
    on training_versions_internal.deletions (package_id, version_number);
alter table training_versions_internal.deletions enable row level security;

create table if not exists training_versions_internal.version_origins (
    version_id uuid primary key
        references public.training_package_versions (id)
        on delete cascade
        deferrable initially deferred,
    kind text not null,
    details jsonb not null,

    constraint known_origin check (kind in ('restored', 'forked', 'imported'))
);
comment on table training_versions_internal.version_origins is
    'How a version came to be, unless it was simply created. Written before the version, in the '
    'same transaction, which fails if there is no such version at its end.';
alter table training_versions_internal.version_origins enable row level security;

create table if not exists training_versions_internal.claims (
    kind text not null,
    id uuid not null,
    asked uuid not null,

    primary key (id, kind)
);
comment on table training_versions_internal.claims is
    'What was asked for, as a hash, by the call that created something with an id that the caller '
    'chose: a repeat must ask for the same, also after the row was edited. Written by claim_id; '
    'that of a package or version is deleted with it. Calls that create no row of their id keep '
    'theirs in calls.';
alter table training_versions_internal.claims enable row level security;

create table if not exists training_versions_internal.imports (
    transaction_id xid8 primary key
);
comment on table training_versions_internal.imports is
    'The transactions that import versions right now. Imported versions keep their status and '
    'timestamps. Invariant: empty for everybody but the importing transaction.';
alter table training_versions_internal.imports enable row level security;

--
-- Helpers
--

-- Every refusal of ours: a code that errors.py knows, a sentence, a JSON object, and what to do;
-- one of the last two may be missing. RAISE takes no null, hence the branches.
create or replace function training_versions_internal.refuse(
    p_errcode text,
    p_message text,
    p_detail jsonb default '{}',
    p_hint text default null
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    if p_detail = '{}' then
        raise exception using errcode = p_errcode, message = p_message, hint = p_hint;
    elsif p_hint is null then
        raise exception using
            errcode = p_errcode, message = p_message, detail = p_detail::pg_catalog.text;
    end if;
    raise exception using
        errcode = p_errcode, message = p_message, detail = p_detail::pg_catalog.text, hint = p_hint;
end
$$;

-- A value that is not acceptable; the detail names the field.
create or replace function training_versions_internal.refuse_value(
    p_field text,
    p_message text,
    p_hint text default null
)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV306', p_message, jsonb_build_object('field', p_field), p_hint
    )
$$;

-- May the caller act for every user? Roles that bypass row level security may (the service role,
-- the owner of the tables), whether or not their token names a user; no other role may. Inside a
-- definer function `current_user` is its owner, so this asks for the role that was set.
create or replace function training_versions_internal.acts_for_all()
returns boolean
stable
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from pg_catalog.pg_roles r
        where r.rolname = coalesce(nullif(current_setting('role'), 'none'), session_user)
            and (r.rolbypassrls or r.rolsuper)
    );
end
$$;

-- May the caller act for this user? What policies decide elsewhere, for use in definer functions.
create or replace function training_versions_internal.acts_for(p_user_id uuid)
returns boolean
stable
set search_path = ''
language plpgsql
as $$
begin
    return coalesce(p_user_id = auth.uid(), false) or training_versions_internal.acts_for_all();
end
$$;

-- How refusals name a version: its number, and the name of its package; or the id of its package,
-- where the caller may not act for the owner.
create or replace function training_versions_internal.version_label(
    p_package_id uuid,
    p_version_number integer
)
returns text
stable
set search_path = ''
language sql
as $$
    select format(
        'version %s of %s',
        p_version_number,
        coalesce(
            (
                select quote_literal(c.name)
                from public.training_configs c
                where c.id = p_package_id and training_versions_internal.acts_for(c.user_id)
            ),
            'package ' || p_package_id
        )
    )
$$;

-- Is this transaction importing versions? Kept in a table rather than in a session setting, which
-- any client could set.
create or replace function training_versions_internal.is_importing()
returns boolean
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from training_versions_internal.imports i
        where i.transaction_id = pg_current_xact_id()
    );
end
$$;

-- Records the origin of a version that is about to be inserted. Only definer functions of this
-- schema may call it, so that no client forges an origin. An id that is taken is left to the insert
-- of the version, which refuses it.
create or replace function training_versions_internal.declare_origin(
    p_version_id uuid,
    p_kind text,
    p_details jsonb
)
returns void
set search_path = ''
language plpgsql
as $$
begin
    -- The version comes after its origin, also where a client wants constraints checked at once.
    set constraints training_versions_internal.version_origins_version_id_fkey deferred;
    insert into training_versions_internal.version_origins (version_id, kind, details)
    values (p_version_id, p_kind, p_details)
    on conflict do nothing;
end
$$;
