-- Takes back everything that the migrations made. ALL VERSION HISTORY IS DELETED; back it up first.
--
-- Keeps: training_configs with its rows, its own columns and its policies; and what is not ours.
-- For operators: lies outside migrations/, because `supabase db push` applies whatever lies there.
--   Run it by hand, with `psql -f` or in the SQL editor; it is one transaction. Where something of
--   the app depends on what would go, it refuses, and the message names it. Afterwards
--   `supabase migration repair` makes the history agree, as docs/migrations.md shows, and then a
--   push starts anew.
--
-- Our tables, views and functions are known by their comments, which begin with
-- `training-versions: `: a new one needs no line here, and nothing of the app is dropped that only
-- has such a name. Those of the first release have no such comment, and are named.

begin;

do $$
declare
    versions bigint := 0;
begin
    if to_regclass('public.training_package_versions') is not null then
        select count(*) into versions from public.training_package_versions;
    end if;
    raise warning 'deleting all version history: % versions', versions;
end
$$;

-- What is ours, for the steps below.
create temporary table our_relations on commit drop as
select c.oid, c.relkind, c.reltype
from pg_catalog.pg_class c
where c.relkind in ('r', 'v')
    and (
        c.relnamespace = to_regnamespace('training_versions_internal')
        or c.relnamespace = 'public'::regnamespace
        and (
            c.relname = 'training_package_versions'
            or obj_description(c.oid, 'pg_class') like 'training-versions: %'
        )
    );
create temporary table our_functions on commit drop as
select p.oid
from pg_catalog.pg_proc p
where p.pronamespace = to_regnamespace('training_versions_internal')
    or p.pronamespace = 'public'::regnamespace
    and obj_description(p.oid, 'pg_proc') like 'training-versions: %'
    or p.oid in (
        to_regprocedure('public.get_next_version_number(uuid)'),
        to_regprocedure('public.update_version_count()'),
        to_regprocedure('public.update_training_package_versions_updated_at()')
    );
create temporary table our_policies on commit drop as
select p.oid, p.polname, p.polrelid
from pg_catalog.pg_policy p
where p.polrelid in (select r.oid from our_relations r)
    and (
        p.polname in (
            'Users can view own package versions', 'Users can create own package versions',
            'Users can update own draft versions', 'Users can delete own draft versions',
            'Users can view own version events', 'Users can view own training runs',
            'Users can view own metric points', 'Users can view own deployments',
            'Users can view own costs'
        )
        -- Of the first release, which a push that ended early has not replaced yet: nobody knows
        -- what they are called.
        or p.polrelid = to_regclass('public.training_package_versions')
        and not exists (
            select from pg_catalog.pg_policy o
            where o.polrelid = p.polrelid and o.polname = 'Users can update own draft versions'
        )
    );
create temporary table our_columns on commit drop as
select a.attrelid, a.attnum
from pg_catalog.pg_attribute a
where a.attrelid = to_regclass('public.training_configs')
    and a.attname in ('current_version_id', 'version_count', 'latest_published_version');

-- Refuses if something of the app would go, too, or would stop working: views, functions, foreign
-- keys, defaults, and the policies and triggers of other tables; and what would silently go with
-- its table or column, such as a trigger or a policy that the app has put on one of ours.
do $$
declare
    others text;
begin
    with needed as (
        select d.classid, d.objid, d.objsubid
        from pg_catalog.pg_depend d
        where d.refclassid = 'pg_class'::regclass
            and d.refobjid in (select r.oid from our_relations r)
            or d.refclassid = 'pg_type'::regclass
            and d.refobjid in (
                select t.oid from pg_catalog.pg_type t
                join our_relations r on t.typrelid = r.oid or t.typelem = r.reltype
            )
            or d.refclassid = 'pg_proc'::regclass
            and d.refobjid in (select f.oid from our_functions f)
            or d.refclassid = 'pg_class'::regclass
            and (d.refobjid, d.refobjsubid) in (
                select c.attrelid, c.attnum::integer from our_columns c
            )
    ),
    found as (
        select n.classid, n.objid, n.objsubid, (
            case n.classid
                when 'pg_proc'::regclass then n.objid not in (select f.oid from our_functions f)
                when 'pg_policy'::regclass then n.objid not in (select p.oid from our_policies p)
                when 'pg_trigger'::regclass then (
                    -- A trigger of ours calls a function of ours, on a table of ours.
                    select not t.tgisinternal and (
                        t.tgfoid not in (select f.oid from our_functions f)
                        or t.tgrelid not in (select r.oid from our_relations r)
                        and t.tgrelid <> to_regclass('public.training_configs')
                    )
                    from pg_catalog.pg_trigger t where t.oid = n.objid
                )
                when 'pg_rewrite'::regclass then (
                    select w.ev_class not in (select r.oid from our_relations r)
                    from pg_catalog.pg_rewrite w where w.oid = n.objid
                )
                when 'pg_constraint'::regclass then (
                    select o.conrelid not in (select r.oid from our_relations r)
                        and not (
                            -- That of current_version_id.
                            o.conrelid = to_regclass('public.training_configs')
                            and o.contype = 'f'
                            and o.confrelid in (select r.oid from our_relations r)
                        )
                        and o.contype <> 'n'
                    from pg_catalog.pg_constraint o where o.oid = n.objid
                )
                when 'pg_attrdef'::regclass then (
                    select a.adrelid not in (select r.oid from our_relations r)
                        and (a.adrelid, a.adnum) not in (
                            select c.attrelid, c.attnum from our_columns c
                        )
                    from pg_catalog.pg_attrdef a where a.oid = n.objid
                )
                when 'pg_class'::regclass then (
                    -- Indexes, sequences and toast of our tables go with them.
                    select n.objid not in (select r.oid from our_relations r)
                        and c.relkind not in ('S', 't')
                        and c.relname <> 'idx_training_configs_current_version'
                        and not exists (
                            select from pg_catalog.pg_index i
                            where i.indexrelid = c.oid
                                and i.indrelid in (select r.oid from our_relations r)
                        )
                    from pg_catalog.pg_class c where c.oid = n.objid
                )
                -- Types of our tables; publications and statistics, which are settings of a table.
                else false
            end
        ) as is_other
        from needed n
    )
    select string_agg(distinct
        case f.classid
            when 'pg_rewrite'::regclass then (
                select pg_describe_object('pg_class'::regclass, w.ev_class, 0)
                from pg_catalog.pg_rewrite w where w.oid = f.objid
            )
            else pg_describe_object(f.classid, f.objid, f.objsubid)
        end,
        ', '
    )
    into others
    from found f
    where f.is_other;
    if others is not null then
        raise exception using
            errcode = '2BP01',
            message = 'other objects depend on what the rollback would drop: ' || others,
            hint = 'Drop or change them first, and run it again. Nothing was dropped.';
    end if;
end
$$;

-- Without `cascade`: if something else depends on it after all, PostgreSQL refuses and names it.
do $$
declare
    step text;
    calling oid[];
begin
    for step in
        select format('drop policy %I on %s', p.polname, p.polrelid::regclass) from our_policies p
        union all
        select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass)
        from pg_catalog.pg_trigger t
        where not t.tgisinternal and t.tgfoid in (select f.oid from our_functions f)
    loop
        execute step;
    end loop;
    -- Each kind by one statement, in which the order does not matter: views that call our functions,
    -- then the functions, then the views whose rows they return.
    select coalesce(array_agg(w.ev_class), '{}') into calling
    from pg_catalog.pg_depend d
    join pg_catalog.pg_rewrite w on w.oid = d.objid and d.classid = 'pg_rewrite'::regclass
    where d.refclassid = 'pg_proc'::regclass
        and d.refobjid in (select f.oid from our_functions f)
        and w.ev_class in (select r.oid from our_relations r);
    for step in
        select 'drop view ' || string_agg(r.oid::regclass::text, ', ')
        from our_relations r where r.relkind = 'v' and r.oid = any (calling)
        union all
        select 'drop function ' || string_agg(f.oid::regprocedure::text, ', ')
        from our_functions f
        union all
        select 'drop view ' || string_agg(r.oid::regclass::text, ', ')
        from our_relations r where r.relkind = 'v' and r.oid <> all (calling)
    loop
        if step is not null then
            execute step;
        end if;
    end loop;
end
$$;

alter table public.training_configs
    drop column if exists current_version_id,
    drop column if exists version_count,
    drop column if exists latest_published_version;

do $$
declare
    our_tables text;
begin
    select string_agg(r.oid::regclass::text, ', ') into our_tables
    from our_relations r where r.relkind = 'r';
    if our_tables is not null then
        execute 'drop table ' || our_tables;
    end if;
end
$$;

drop schema if exists training_versions_internal;

commit;
