-- What the catalog holds of our objects, a row each: kind, name, and facts as JSON. Read with an
-- empty search_path, so that every name in a definition is whole.
with ours (oid) as (
    select c.oid
    from pg_class c
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        and (
            c.relnamespace = to_regnamespace('training_versions_internal')
            or c.relnamespace = 'public'::regnamespace and c.relname = any (%(relations)s)
        )
),
api_roles (oid, name) as (
    select 0::oid, 'public'
    union all
    select r.oid, r.rolname::text
    from pg_roles r
    where r.rolname in ('anon', 'authenticated', 'service_role')
),
of_relations as (
    select c.*, format('%%I.%%I', n.nspname, c.relname) as name
    from ours
    join pg_class c using (oid)
    join pg_namespace n on n.oid = c.relnamespace
),
functions as (
    select p.*, format('%%I.%%I', n.nspname, p.proname) as name
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'training_versions_internal'
        or n.nspname = 'public' and p.proname = any (%(functions)s)
)

select 'schema' as kind, n.nspname::text as name, jsonb_build_object(
    'owner', pg_get_userbyid(n.nspowner),
    'grants', (
        select coalesce(jsonb_object_agg(g.name, g.privileges), '{}')
        from (
            select a.name, jsonb_agg(x.privilege_type order by x.privilege_type) as privileges
            from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as x
            join api_roles a on a.oid = x.grantee
            group by a.name
        ) as g
    )
) as facts
from pg_namespace n
where n.nspname in ('public', 'training_versions_internal')

union all
select 'relation', c.name, jsonb_build_object(
    'kind', c.relkind,
    'owner', pg_get_userbyid(c.relowner),
    'row_security', c.relrowsecurity,
    'forced', c.relforcerowsecurity,
    'persistence', c.relpersistence,
    'security_invoker', coalesce(
        (
            select o.option_value::boolean
            from pg_options_to_table(c.reloptions) as o
            where o.option_name = 'security_invoker'
        ),
        false
    ),
    'marked', coalesce(
        starts_with(obj_description(c.oid, 'pg_class'), 'training-versions: '), false
    ),
    'definition', case when c.relkind = 'v' then pg_get_viewdef(c.oid) end,
    'grants', (
        select coalesce(jsonb_object_agg(g.name, g.privileges), '{}')
        from (
            select a.name, jsonb_agg(distinct x.privilege_type) as privileges
            from (
                select e.grantee, e.privilege_type
                from aclexplode(c.relacl) as e
                union all
                select e.grantee, e.privilege_type
                from pg_attribute t
                cross join aclexplode(t.attacl) as e
                where t.attrelid = c.oid and not t.attisdropped
            ) as x
            join api_roles a on a.oid = x.grantee
            group by a.name
        ) as g
    ),
    'rules', (
        select coalesce(jsonb_agg(r.rulename order by r.rulename), '[]')
        from pg_rewrite r
        where r.ev_class = c.oid and c.relkind = 'r'
    )
)
from of_relations c

union all
select 'column', c.name || '.' || a.attname, jsonb_build_object(
    'type', format_type(a.atttypid, a.atttypmod),
    'not_null', a.attnotnull,
    'default', pg_get_expr(d.adbin, d.adrelid),
    'identity', a.attidentity,
    'generated', a.attgenerated
)
from of_relations c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relkind in ('r', 'v')

union all
select 'constraint', c.name || '.' || o.conname, jsonb_build_object(
    'table', c.name,
    'type', o.contype,
    'columns', (
        select coalesce(jsonb_agg(a.attname order by a.attname), '[]')
        from pg_attribute a
        where a.attrelid = o.conrelid and a.attnum = any (o.conkey)
    ),
    'references', (
        select format('%%I.%%I', n.nspname, r.relname)
        from pg_class r
        join pg_namespace n on n.oid = r.relnamespace
        where r.oid = o.confrelid
    ),
    'on_delete', case when o.contype = 'f' then o.confdeltype end,
    'deferred', o.condeferred,
    'validated', o.convalidated,
    'enforced', not exists (
        select from pg_trigger t where t.tgconstraint = o.oid and t.tgenabled in ('D', 'R')
    ),
    'definition', pg_get_constraintdef(o.oid)
)
from of_relations c
join pg_constraint o on o.conrelid = c.oid and o.contype in ('c', 'f', 'p', 'u')

union all
select 'index', format('%%I.%%I', n.nspname, i.relname), jsonb_build_object(
    'table', c.name,
    'unique', x.indisunique,
    'valid', x.indisvalid and x.indisready,
    'options', coalesce(to_jsonb(i.reloptions), '[]'),
    'definition', pg_get_indexdef(x.indexrelid)
)
from of_relations c
join pg_index x on x.indrelid = c.oid
join pg_class i on i.oid = x.indexrelid
join pg_namespace n on n.oid = i.relnamespace
where not exists (select from pg_constraint o where o.conindid = x.indexrelid and o.contype <> 'f')

union all
select 'trigger', c.name || '.' || t.tgname, jsonb_build_object(
    'table', c.name,
    'enabled', t.tgenabled in ('O', 'A'),
    'definition', pg_get_triggerdef(t.oid)
)
from of_relations c
join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal

union all
select 'policy', c.name || '.' || p.polname, jsonb_build_object(
    'table', c.name,
    'command', p.polcmd,
    'permissive', p.polpermissive,
    'roles', (
        select jsonb_agg(coalesce(r.rolname::text, 'public') order by r.rolname)
        from unnest(p.polroles) as o (oid)
        left join pg_roles r on r.oid = o.oid
    ),
    'using', pg_get_expr(p.polqual, p.polrelid),
    'check', pg_get_expr(p.polwithcheck, p.polrelid)
)
from of_relations c
join pg_policy p on p.polrelid = c.oid

union all
select 'function', f.name, jsonb_build_object(
    'arguments', pg_get_function_arguments(f.oid),
    'signature', f.oid::regprocedure,
    'result', pg_get_function_result(f.oid),
    'language', (select l.lanname from pg_language l where l.oid = f.prolang),
    'definer', f.prosecdef,
    'volatile', f.provolatile,
    'strict', f.proisstrict,
    'settings', coalesce(to_jsonb(f.proconfig), '[]'),
    -- git may have changed the line endings; that is no difference.
    'body', md5(replace(f.prosrc, e'\r\n', e'\n')),
    'owner', pg_get_userbyid(f.proowner),
    'marked', coalesce(
        starts_with(obj_description(f.oid, 'pg_proc'), 'training-versions: '), false
    ),
    'grants', (
        select coalesce(jsonb_object_agg(g.name, g.privileges), '{}')
        from (
            select a.name, jsonb_agg(distinct x.privilege_type) as privileges
            from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) as x
            join api_roles a on a.oid = x.grantee
            group by a.name
        ) as g
    )
)
from functions f
