-- Writes out all that the migrations made: each table with what belongs to it, then each function.
-- One text, in the order of a reader: what clients use first, then the internal schema.

set local search_path = '';

with

tables as (
    select
        c.oid,
        n.nspname,
        c.relname,
        c.relacl,
        c.relowner,
        c.relrowsecurity,
        format('%s.%s', n.nspname, c.relname) as title,
        case c.relname
            when 'training_configs' then 1
            when 'training_package_versions' then 2
            else 3
        end as place
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r'
        and n.nspname in ('public', 'training_versions_internal')
),

functions as (
    select
        p.*,
        n.nspname,
        l.lanname,
        format('%s.%s', n.nspname, p.proname) as title
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    join pg_language l on l.oid = p.prolang
    where n.nspname in ('public', 'training_versions_internal')
),

column_lines as (
    select
        t.oid,
        a.attnum as place,
        coalesce(E'    -- ' || col_description(t.oid, a.attnum) || E'\n', '') || concat_ws(
            ' ',
            '   ',
            a.attname,
            format_type(a.atttypid, a.atttypmod),
            case when a.attnotnull then 'not null' end,
            case a.attidentity when 'a' then 'generated always as identity' end,
            'default ' || pg_get_expr(d.adbin, d.adrelid)
        ) as line
    from tables t
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
),

constraint_lines as (
    select
        t.oid,
        10000 + row_number() over (order by o.contype = 'c', o.contype = 'f', o.conname) as place,
        format('    constraint %s %s', o.conname, pg_get_constraintdef(o.oid, true)) as line
    from tables t
    join pg_constraint o on o.conrelid = t.oid and o.contype <> 'n'
),

definitions as (
    select
        lines.oid,
        string_agg(lines.line, E',\n' order by lines.place) as body
    from (
        select * from column_lines
        union all
        select * from constraint_lines
    ) as lines
    group by lines.oid
),

-- What is said of a table after it, a statement each.
statements as (
    select
        t.oid,
        1 as place,
        i.indexrelid::regclass::text as name,
        replace(pg_get_indexdef(i.indexrelid), ' USING btree', '') as line
    from tables t
    join pg_index i on i.indrelid = t.oid
    where not exists (
        select
        from pg_constraint o
        where o.conindid = i.indexrelid and o.contype <> 'f'
    )
    union all
    select
        oid,
        2,
        '',
        format('alter table %s enable row level security', title)
    from tables
    where relrowsecurity
    union all
    select
        t.oid,
        3,
        p.polname,
        concat_ws(
            E'\n    ',
            format('create policy %I on %s', p.polname, t.title),
            case p.polcmd
                when 'r' then 'for select'
                when 'a' then 'for insert'
                when 'w' then 'for update'
                else 'for delete'
            end || ' to ' || (
                select string_agg(r::regrole::text, ', ')
                from unnest(p.polroles) as r
            ),
            'using (' || pg_get_expr(p.polqual, p.polrelid, true) || ')',
            'with check (' || pg_get_expr(p.polwithcheck, p.polrelid, true) || ')'
        )
    from tables t
    join pg_policy p on p.polrelid = t.oid
    union all
    -- In the order in which they fire: before the change and then after it, and by name.
    select
        t.oid,
        case when g.tgtype & 2 = 2 then 4 else 5 end,
        g.tgname,
        regexp_replace(
            pg_get_triggerdef(g.oid, true),
            ' (BEFORE|AFTER|FOR EACH|WHEN|EXECUTE) ',
            E'\n    \\1 ',
            'g'
        )
    from tables t
    join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
    union all
    select
        g.oid,
        6,
        g.privileges,
        format(
            'grant %s on %s to %s',
            g.privileges,
            g.title,
            string_agg(g.grantee, ', ' order by g.grantee)
        )
    from (
        select
            t.oid,
            t.title,
            a.grantee::regrole::text as grantee,
            string_agg(a.privilege_type, ', ' order by a.privilege_type) as privileges
        from tables t
        cross join aclexplode(t.relacl) as a
        where a.grantee <> t.relowner
        group by t.oid, t.title, a.grantee
    ) as g
    group by g.oid, g.title, g.privileges
),

objects as (
    select
        n.nspname as schema,
        0 as kind,
        0 as place,
        n.nspname::text as title,
        concat_ws(
            E'\n',
            '-- ' || obj_description(n.oid, 'pg_namespace'),
            format('create schema %s;', n.nspname),
            (
                select format('revoke all on schema %s from public;', n.nspname)
                where not exists (select from aclexplode(n.nspacl) as a where a.grantee = 0)
            ),
            (
                select 'revoke all on all functions in schema ' || n.nspname || ' from public;'
                where not exists (
                    select
                    from functions f
                    where f.pronamespace = n.oid
                        and has_function_privilege('anon', f.oid, 'execute')
                )
            ),
            (
                select string_agg(
                    format(
                        'grant %s on schema %s to %s;',
                        a.privilege_type, n.nspname, a.grantee::regrole
                    ),
                    E'\n' order by a.grantee::regrole::text, a.privilege_type
                )
                from aclexplode(n.nspacl) as a
                where a.grantee <> n.nspowner
            )
        ) as definition
    from pg_namespace n
    where n.nspname = 'training_versions_internal'
    union all
    select
        t.nspname,
        1,
        t.place,
        t.title,
        concat_ws(
            E'\n',
            '-- ' || obj_description(t.oid, 'pg_class'),
            format(E'create table %s (\n%s\n);', t.title, d.body),
            (
                select string_agg(s.line || ';', E'\n' order by s.place, s.name)
                from statements s
                where s.oid = t.oid
            )
        )
    from tables t
    join definitions d on d.oid = t.oid
    union all
    select
        n.nspname,
        1,
        4,
        c.oid::regclass::text,
        concat_ws(
            E'\n',
            '-- ' || obj_description(c.oid, 'pg_class'),
            format('create view %s', c.oid::regclass),
            'with (' || replace(array_to_string(c.reloptions, ', '), '=', ' = ') || ')',
            'as',
            pg_get_viewdef(c.oid, true),
            (
                select string_agg(
                    format(
                        'grant %s on %s to %s;',
                        lower(a.privilege_type), c.oid::regclass, a.grantee::regrole
                    ),
                    E'\n' order by a.grantee::regrole::text
                )
                from aclexplode(c.relacl) as a
                where a.grantee <> c.relowner
            )
        )
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'v' and n.nspname = 'public'
    union all
    select
        f.nspname,
        2,
        1,
        f.title,
        concat_ws(
            E'\n',
            -- The comments of those in public begin so, for the rollback.
            '-- ' || replace(obj_description(f.oid, 'pg_proc'), 'training-versions: ', ''),
            format(
                case
                    when length(pg_get_function_arguments(f.oid)) < 50 then 'create function %s(%s)'
                    else E'create function %s(\n    %s\n)'
                end,
                f.title,
                replace(pg_get_function_arguments(f.oid), ', p_', E',\n    p_')
            ),
            'returns ' || pg_get_function_result(f.oid),
            case f.provolatile when 's' then 'stable' when 'i' then 'immutable' end,
            case when f.prosecdef then 'security definer' end,
            (
                select string_agg('set ' || replace(c, '=""', ' = '''''), E'\n')
                from unnest(f.proconfig) as c
            ),
            'language ' || f.lanname,
            format('as $$%s$$;', f.prosrc),
            (
                select 'grant execute on function ' || f.title || ' to '
                    || string_agg(a.grantee::regrole::text, ', ' order by a.grantee::regrole::text)
                    || ';'
                from aclexplode(f.proacl) as a
                where a.grantee <> f.proowner
            )
        )
    from functions f
)

select string_agg(definition, E'\n\n' order by schema, kind, place, title)
from objects
