-- What a Supabase project has before its first migration: roles, the schema `auth`, and grants.
--
-- Run once per database, in one transaction, by the superuser `supabase_admin`.
-- The psql variable default_privileges is a boolean. Every role that logs in has the password that
-- psql itself used.
\getenv password PGPASSWORD

-- Roles. As on a hosted project `postgres`, which applies migrations, is not a superuser.
create role postgres login createrole createdb bypassrls replication password :'password';
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit password :'password';
grant anon, authenticated, service_role to authenticator;

-- How long a statement of a request may take, as on a hosted project. `service_role` has the limit
-- of the role that logs in.
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';

grant anon, authenticated, service_role to postgres with admin option;

alter database postgres owner to postgres;
alter database postgres set timezone to 'UTC';
grant all on schema public to postgres;
grant usage on schema public to postgres, anon, authenticated, service_role;

create schema extensions;
grant usage on schema extensions to postgres, anon, authenticated, service_role;
grant create on schema extensions to postgres;
alter database postgres set search_path to '$user', public, extensions;

-- Users and the claims of their tokens. PostgREST hands the claims over as JSON, once per request.
create schema auth;
grant usage on schema auth to postgres, anon, authenticated, service_role;

create table auth.users (
    id uuid primary key,
    aud text not null default 'authenticated',
    role text not null default 'authenticated',
    email text unique,
    raw_app_meta_data jsonb not null default '{}',
    raw_user_meta_data jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
grant all on auth.users to postgres;

create function auth.jwt()
returns jsonb
language sql
stable
as $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;

create function auth.uid()
returns uuid
language sql
stable
as $$
    select (auth.jwt() ->> 'sub')::uuid
$$;

create function auth.role()
returns text
language sql
stable
as $$
    select auth.jwt() ->> 'role'
$$;

-- PostgREST reads the schema again whenever it changes, so that a migration needs no restart.
create function extensions.pgrst_ddl_watch()
returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
    notify pgrst, 'reload schema';
end;
$$;

create event trigger pgrst_ddl_watch on ddl_command_end
    execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop
    execute function extensions.pgrst_ddl_watch();

-- Newer hosted projects give no default privileges; older ones give the three API roles everything.
\if :default_privileges
    alter default privileges for role postgres in schema public
        grant all on tables to anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
        grant all on sequences to anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
        grant all on functions to anon, authenticated, service_role;
\endif
