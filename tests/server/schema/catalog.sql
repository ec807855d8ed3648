-- Everything in the schemas of a project, a row each: two databases are compared by it.
with schemas as (
    select oid, nspname, nspacl, nspowner from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('information_schema', 'supabase_migrations')
),
found as (
    select 'schema' as kind, nspname::text as name,
        concat_ws(' ', nspowner::regrole, nspacl, obj_description(oid, 'pg_namespace')) as definition
    from schemas

    union all
    select 'relation', c.oid::regclass::text,
        concat_ws(' ',
            c.relkind, c.relowner::regrole, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
            c.reloptions, obj_description(c.oid, 'pg_class'),
            case when c.relkind = 'v' then pg_get_viewdef(c.oid) end)
    from pg_class c
    join schemas s on s.oid = c.relnamespace
    where c.relkind <> 'i'

    union all
    select 'column', c.oid::regclass || '.' || a.attname,
        concat_ws(' ',
            format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
            a.attidentity, a.attgenerated, a.attacl, col_description(c.oid, a.attnum))
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'v')
    join schemas s on s.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attnum > 0 and not a.attisdropped

    union all
    select 'constraint', o.conrelid::regclass || '.' || o.conname, pg_get_constraintdef(o.oid)
    from pg_constraint o
    join schemas s on s.oid = o.connamespace
    where o.conrelid <> 0

    union all
    select 'index', i.indexrelid::regclass::text,
        concat_ws(' ',
            pg_get_indexdef(i.indexrelid), i.indisvalid, obj_description(i.indexrelid, 'pg_class'))
    from pg_index i
    join pg_class c on c.oid = i.indrelid
    join schemas s on s.oid = c.relnamespace

    union all
    select 'trigger', t.tgrelid::regclass || '.' || t.tgname,
        concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
    from pg_trigger t
    where not t.tgisinternal

    union all
    select 'policy', p.polrelid::regclass || '.' || p.polname,
        concat_ws(' ',
            p.polcmd, p.polpermissive, p.polroles::regrole[],
            pg_get_expr(p.polqual, p.polrelid), '/', pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_policy p

    union all
    select 'function', p.oid::regprocedure::text,
        concat_ws(' ',
            pg_get_functiondef(p.oid), p.proowner::regrole, p.proacl,
            obj_description(p.oid, 'pg_proc'))
    from pg_proc p
    join schemas s on s.oid = p.pronamespace
    where p.prokind <> 'a'

    union all
    select 'type', format_type(t.oid, null), concat_ws(' ', t.typtype, t.typacl)
    from pg_type t
    join schemas s on s.oid = t.typnamespace
    where t.typelem = 0

    union all
    select 'default privileges',
        concat_ws(' ', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype),
        defaclacl::text
    from pg_default_acl

    union all
    select 'event trigger', evtname::text, concat_ws(' ', evtevent, evtfoid::regproc)
    from pg_event_trigger
)
select * from found order by kind, name
