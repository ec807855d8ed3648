-- The rules of a package, kept by triggers whichever client writes: its id, owner and values, the
-- columns that the database keeps, and its deletion.
--
-- Touches: triggers on training_configs.
-- For operators: roles that bypass row level security (the service role, the deletion of a user)
--   may delete any package; its owner may not while it has history.
--
--   before   both    rule_05   the id of a deleted package is not used again
--            update  rule_10   a package that has versions keeps its owner
--            both    rule_20   counters and pointers are the database's
--            both    rule_25   values
--            delete  rule_30   packages with history are not deleted
--   after    delete  record_10 a record of the deletion, so that repeating it succeeds

-- Does the owner of this schema write, as in the definer functions of our triggers? (A trigger that
-- asks this must be invoker: in a definer function `current_user` would always be that owner.)
create or replace function training_versions_internal.is_own_write()
returns boolean
stable
set search_path = ''
language plpgsql
as $$
begin
    return (
        select pg_has_role(current_user, n.nspowner, 'member')
        from pg_catalog.pg_namespace n
        where n.nspname = 'training_versions_internal'
    );
end
$$;

-- The id of a deleted package is not used again, whoever deleted it: those who still have that id
-- would find another package under it. Definer, because nobody is granted the record of deletions.
create or replace function training_versions_internal.keep_deleted_ids()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    if exists (
        select from training_versions_internal.deletions d
        where d.id = new.id and d.version_number is null
    ) then
        perform training_versions_internal.refuse(
            'TV204',
            format('the id %s was a package''s that is deleted', new.id),
            jsonb_build_object('id', new.id),
            'Use a new id for something new.'
        );
    end if;
    return new;
end
$$;
create or replace trigger rule_05_deleted_ids
    before insert or update of id on public.training_configs
    for each row execute function training_versions_internal.keep_deleted_ids();

-- The versions of a package belong to its owner. Invoker, because it asks who writes.
create or replace function training_versions_internal.keep_package_owner()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    if not training_versions_internal.is_own_write() then
        perform training_versions_internal.refuse(
            'TV301',
            'a package that has versions keeps its owner',
            jsonb_build_object('package_id', old.id, 'columns', array['user_id']),
            'Export it, and import it as the new owner.'
        );
    end if;
    return new;
end
$$;
create or replace trigger rule_10_package_owner
    before update on public.training_configs
    for each row
    when (new.user_id is distinct from old.user_id and old.version_count > 0)
    execute function training_versions_internal.keep_package_owner();

-- Counters and pointers are written by the triggers of versions only. Invoker, as above.
create or replace function training_versions_internal.keep_derived_columns()
returns trigger
set search_path = ''
language plpgsql
as $$
begin
    new.version_count := coalesce(new.version_count, 0);
    new.latest_published_version := coalesce(new.latest_published_version, 0);
    -- In an insert `old` is null.
    if (new.version_count, new.latest_published_version, new.current_version_id)
            is distinct from (
                coalesce(old.version_count, 0),
                coalesce(old.latest_published_version, 0),
                old.current_version_id
            )
        and not training_versions_internal.is_own_write()
    then
        perform training_versions_internal.refuse(
            'TV305',
            'version_count, latest_published_version and current_version_id'
            ' are kept by the database',
            jsonb_build_object('package_id', new.id),
            'Leave them out; publishing and archiving move them.'
        );
    end if;
    return new;
end
$$;
create or replace trigger rule_20_derived_columns
    before insert or update on public.training_configs
    for each row execute function training_versions_internal.keep_derived_columns();

-- The values of a package, where they are new: rows from before these rules keep theirs. Where a
-- column may be null, which in an older table is the app's decision, null passes. The casts are for
-- such tables, too: their columns may be of types `varchar` and `json`. Definer: it serves every
-- role that may write the table, also one that may not call the checks.
create or replace function training_versions_internal.check_package_values()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    is_insert constant boolean := tg_op = 'INSERT';
begin
    if new.name is not null and (is_insert or new.name is distinct from old.name) then
        perform training_versions_internal.check_text('name', new.name::pg_catalog.text, 255);
    end if;
    if new.template_type is not null
        and (is_insert or new.template_type is distinct from old.template_type)
    then
        perform training_versions_internal.check_text(
            'template_type', new.template_type::pg_catalog.text, 100
        );
    end if;
    if new.config_json is not null
        and (
            is_insert
            or record_image_ne(
                row(new.config_json::pg_catalog.jsonb), row(old.config_json::pg_catalog.jsonb)
            )
        )
    then
        perform training_versions_internal.check_snapshot(
            'config_json', new.config_json::pg_catalog.jsonb, 'object'
        );
    end if;
    return new;
end
$$;
create or replace trigger rule_25_values
    before insert or update of name, template_type, config_json on public.training_configs
    for each row execute function training_versions_internal.check_package_values();

-- A package with published or archived versions is not deleted by its owner, nor one with a draft
-- that is the parent of a published version elsewhere. Definer, because it must see every version,
-- also those that the caller may not see.
create or replace function training_versions_internal.keep_packages_with_history()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    -- Waits for what is being made of its versions right now, and for children of them that are
    -- being published elsewhere, so that the checks below see them.
    perform from public.training_package_versions v
    where v.package_id = old.id
    for update;
    perform from public.training_package_versions v
    join public.training_package_versions child on child.parent_version_id = v.id
    where v.package_id = old.id
    for no key update of child;
    if exists (
        select from public.training_package_versions v
        where v.package_id = old.id and v.status <> 'draft'
    ) then
        perform training_versions_internal.refuse(
            'TV304',
            'the package has published or archived versions and cannot be deleted',
            jsonb_build_object('package_id', old.id),
            'Archive its versions instead; only the service role deletes a package with history.'
        );
    end if;
    if exists (
        select from public.training_package_versions v
        join public.training_package_versions child on child.parent_version_id = v.id
        where v.package_id = old.id and child.status <> 'draft'
    ) then
        perform training_versions_internal.refuse(
            'TV308',
            'a draft of the package is the parent of a published version in another package',
            jsonb_build_object('package_id', old.id),
            'Keep it: a published version keeps its parent.'
        );
    end if;
    return old;
end
$$;
create or replace trigger rule_30_history_stays
    before delete on public.training_configs
    for each row
    when (row_security_active('public.training_package_versions'))
    execute function training_versions_internal.keep_packages_with_history();

-- Records a deleted package as one entry, in place of those of its drafts, whose numbers cannot be
-- given again in it. Definer, because nobody is granted the record of deletions.
create or replace function training_versions_internal.record_deleted_package()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
begin
    delete from training_versions_internal.claims c where c.id = old.id and c.kind = 'package';
    delete from training_versions_internal.deletions where package_id = old.id;
    insert into training_versions_internal.deletions (id, package_id, owner_id)
    values (old.id, old.id, old.user_id);
    return null;
end
$$;
create or replace trigger record_10_deleted_package
    after delete on public.training_configs
    for each row execute function training_versions_internal.record_deleted_package();
