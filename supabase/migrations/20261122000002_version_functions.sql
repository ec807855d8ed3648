-- The writes of the version history: one request, one transaction each, and every one of them can be repeated.
--
-- Touches: replaces get_next_version_number; creates the functions that the SDK calls.
-- For operators: all are security invoker, so policies and triggers keep the rules; these functions make the writes
--   atomic, repeatable and honest about what they did not find. A browser app may go on writing the tables directly.

--
-- What the functions below may ask that row level security would not tell them
--

-- Was this deleted by its owner (or by anyone, for roles that skip row level security)?
create or replace function training_versions_internal.was_deleted(p_id uuid, p_is_package boolean)
returns boolean
stable
security definer
set search_path = ''
language sql
as $$
    select exists (
        select from training_versions_internal.deletions d
        where d.id = p_id
            and (d.version_number is null) = p_is_package
            and (training_versions_internal.acts_for_all() or d.owner_id = auth.uid())
    )
$$;

-- Definer: the update policy covers drafts only. A user archives their own; a role that skips row level security any.
create or replace function training_versions_internal.archive_version(p_version_id uuid)
returns void
volatile
security definer
set search_path = ''
language sql
as $$
    update public.training_package_versions
    set status = 'archived'
    where id = p_version_id and status = 'published' and (training_versions_internal.acts_for_all() or created_by = auth.uid())
$$;

revoke all on function
    training_versions_internal.was_deleted(uuid, boolean),
    training_versions_internal.archive_version(uuid)
from public, anon, authenticated, service_role;
grant execute on function
    training_versions_internal.was_deleted(uuid, boolean),
    training_versions_internal.archive_version(uuid)
to authenticated, service_role;

--
-- Refusals, worded once. Each raises and never returns; a row that the caller cannot see is not there.
--

create or replace function training_versions_internal.refuse_missing_version(p_version_id uuid)
returns void
volatile
security invoker
set search_path = ''
language plpgsql
as $$
begin
    raise exception using
        errcode = 'TV101',
        message = format('there is no version %s, or it is not yours', p_version_id),
        detail = jsonb_build_object('version_id', p_version_id)::pg_catalog.text,
        hint = 'Check the id, and that you are signed in as the user who created it.';
end
$$;

create or replace function training_versions_internal.refuse_missing_package(p_package_id uuid)
returns void
volatile
security invoker
set search_path = ''
language plpgsql
as $$
begin
    raise exception using
        errcode = 'TV102',
        message = format('there is no package %s, or it is not yours', p_package_id),
        detail = jsonb_build_object('package_id', p_package_id)::pg_catalog.text,
        hint = 'Check the id, and that you are signed in as the user who created it.';
end
$$;

create or replace function training_versions_internal.refuse_taken_id(p_id uuid, p_why text)
returns void
volatile
security invoker
set search_path = ''
language plpgsql
as $$
begin
    raise exception using
        errcode = 'TV204',
        message = format('the id %s %s', p_id, p_why),
        detail = jsonb_build_object('id', p_id)::pg_catalog.text,
        hint = 'Use a new id for something new.';
end
$$;

-- Refuses unless p_changes is an object whose keys are all among p_fields.
create or replace function training_versions_internal.check_changes(p_changes jsonb, p_fields text[])
returns void
immutable
security invoker
set search_path = ''
language plpgsql
as $$
declare
    unknown pg_catalog.text;
begin
    if jsonb_typeof(p_changes) is distinct from 'object' then
        unknown := 'p_changes';
    else
        select k into unknown from jsonb_object_keys(p_changes) as k where k <> all (p_fields) limit 1;
    end if;
    if unknown is null and exists (
        select from jsonb_each(p_changes) as c
        where c.key in ('name', 'template_type', 'change_summary') and jsonb_typeof(c.value) not in ('string', 'null')
    ) then
        raise exception using
            errcode = 'TV306',
            message = 'name, template_type and change_summary must be text',
            detail = jsonb_build_object('field', 'p_changes')::pg_catalog.text;
    end if;
    if unknown is not null then
        raise exception using
            errcode = 'TV306',
            message = format('%s is not something that can be changed', unknown),
            detail = jsonb_build_object('field', unknown)::pg_catalog.text,
            hint = format('p_changes is an object with any of: %s.', array_to_string(p_fields, ', '));
    end if;
end
$$;

-- Refuses what is no draft any more, or was edited since.
create or replace function training_versions_internal.check_draft(
    p_version public.training_package_versions,
    p_expected_updated_at timestamptz,
    p_instead text default 'Create a new draft from it.'
)
returns void
stable
security invoker
set search_path = ''
language plpgsql
as $$
begin
    if p_version.status <> 'draft' then
        raise exception using
            errcode = 'TV202',
            message = format('version %s is %s; its content never changes', p_version.version_number, p_version.status),
            detail = jsonb_build_object(
                'version_id', p_version.id, 'version_number', p_version.version_number, 'status', p_version.status
            )::pg_catalog.text,
            hint = p_instead;
    end if;
    if p_version.updated_at <> p_expected_updated_at then
        raise exception using
            errcode = 'TV201',
            message = format('draft %s has changed since you read it', p_version.version_number),
            detail = jsonb_build_object(
                'version_id', p_version.id,
                'expected_updated_at', p_expected_updated_at,
                'updated_at', p_version.updated_at
            )::pg_catalog.text,
            hint = 'Read it again, and repeat your change on what you find.';
    end if;
end
$$;

-- The version; refused if the caller sees none.
create or replace function training_versions_internal.see_version(p_version_id uuid)
returns public.training_package_versions
stable
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    select * into version from public.training_package_versions v where v.id = p_version_id;
    if not found then
        perform training_versions_internal.refuse_missing_version(p_version_id);
    end if;
    return version;
end
$$;

-- The version, locked against other changes; refused if the caller sees none. A frozen one is returned without a lock,
-- because the update policy hides it from a lock, and it needs none.
create or replace function training_versions_internal.lock_version(p_version_id uuid)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    select * into version from public.training_package_versions v where v.id = p_version_id for no key update;
    if not found then
        version := training_versions_internal.see_version(p_version_id);
    end if;
    return version;
end
$$;

-- The lock on the package that a version lies in. Taken before that on the version by whatever takes both, so that two
-- functions never wait for each other; a client that writes the table directly takes them the other way round.
create or replace function training_versions_internal.lock_package_of(p_version_id uuid)
returns void
volatile
security invoker
set search_path = ''
language sql
as $$
    select training_versions_internal.lock_package(v.package_id)
    from public.training_package_versions v
    where v.id = p_version_id
$$;

revoke all on function
    training_versions_internal.lock_package_of(uuid),
    training_versions_internal.see_version(uuid),
    training_versions_internal.lock_version(uuid),
    training_versions_internal.refuse_missing_version(uuid),
    training_versions_internal.refuse_missing_package(uuid),
    training_versions_internal.refuse_taken_id(uuid, text),
    training_versions_internal.check_changes(jsonb, text[]),
    training_versions_internal.check_draft(public.training_package_versions, timestamptz, text)
from public, anon, authenticated, service_role;
grant execute on function
    training_versions_internal.lock_package_of(uuid),
    training_versions_internal.see_version(uuid),
    training_versions_internal.lock_version(uuid),
    training_versions_internal.refuse_missing_version(uuid),
    training_versions_internal.refuse_missing_package(uuid),
    training_versions_internal.refuse_taken_id(uuid, text),
    training_versions_internal.check_changes(jsonb, text[]),
    training_versions_internal.check_draft(public.training_package_versions, timestamptz, text)
to authenticated, service_role;

--
-- Numbers
--

create or replace function public.get_next_version_number(p_package_id uuid)
returns integer
stable
security invoker
set search_path = ''
language plpgsql
as $$
declare
    next_number constant integer := training_versions_internal.next_number(p_package_id);
begin
    if next_number is null then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    return next_number;
end
$$;
comment on function public.get_next_version_number(uuid) is
    'The number that the next version of a package of the caller will get: 1, 2, 3 …. It reserves nothing.';

--
-- Packages
--

create or replace function public.create_training_package(
    p_name text,
    p_template_type text,
    p_config_json jsonb,
    p_package_id uuid default null,
    p_user_id uuid default null
)
returns public.training_configs
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    owner constant pg_catalog.uuid := coalesce(p_user_id, auth.uid());
    made boolean;
    package public.training_configs;
begin
    perform training_versions_internal.check_text('name', p_name, 255);
    perform training_versions_internal.check_text('template_type', p_template_type, 100);
    perform training_versions_internal.check_snapshot('config_json', p_config_json, 'object');
    if owner is null then
        raise exception using
            errcode = 'TV306',
            message = 'user_id must say whose package it is',
            detail = jsonb_build_object('field', 'user_id')::pg_catalog.text,
            hint = 'The service role acts for nobody in particular: pass the owner''s user_id.';
    end if;
    if owner <> auth.uid() then
        raise exception using
            errcode = '42501',
            message = 'user_id must be the user who creates',
            detail = jsonb_build_object('field', 'user_id')::pg_catalog.text,
            hint = 'Leave user_id out.';
    end if;
    if training_versions_internal.was_deleted(p_package_id, true) then
        perform training_versions_internal.refuse_taken_id(p_package_id, 'was a package''s that is deleted');
    end if;

    begin
        insert into public.training_configs (id, name, template_type, config_json, user_id)
        values (coalesce(p_package_id, gen_random_uuid()), p_name, p_template_type, p_config_json, owner)
        on conflict (id) do nothing
        returning * into package;
        made := found;
    exception
        when foreign_key_violation then
            raise exception using
                errcode = 'TV306',
                message = format('there is no user %s', owner),
                detail = jsonb_build_object('field', 'user_id')::pg_catalog.text,
                hint = 'Check the id; users are in auth.users.';
    end;
    if not made then
        -- A repeat answers with the package it made.
        select * into package from public.training_configs c where c.id = p_package_id;
        -- (An older table may have `json`, which cannot be compared.)
        if (package.name, package.template_type, package.config_json::pg_catalog.jsonb, package.user_id)
            is distinct from (p_name, p_template_type, p_config_json, owner)
        then
            perform training_versions_internal.refuse_taken_id(p_package_id, 'is another package''s already');
        end if;
    end if;
    return package;
end
$$;
comment on function public.create_training_package(text, text, jsonb, uuid, uuid) is
    'Creates a package for the caller. Repeated with the same p_package_id it returns the package it made.';

create or replace function public.update_training_package(p_package_id uuid, p_changes jsonb)
returns public.training_configs
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    package public.training_configs;
    wanted public.training_configs;
begin
    perform training_versions_internal.check_changes(p_changes, array['name', 'template_type', 'config_json']);
    select * into package from public.training_configs c where c.id = p_package_id for no key update;
    if not found then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;

    wanted := jsonb_populate_record(package, p_changes);
    if p_changes ? 'name' then
        perform training_versions_internal.check_text('name', wanted.name, 255);
    end if;
    if p_changes ? 'template_type' then
        perform training_versions_internal.check_text('template_type', wanted.template_type, 100);
    end if;
    if p_changes ? 'config_json' then
        perform training_versions_internal.check_snapshot('config_json', wanted.config_json::pg_catalog.jsonb, 'object');
    end if;

    if (wanted.name, wanted.template_type, wanted.config_json::pg_catalog.jsonb)
        is distinct from (package.name, package.template_type, package.config_json::pg_catalog.jsonb)
    then
        update public.training_configs
        set name = wanted.name, template_type = wanted.template_type, config_json = wanted.config_json
        where id = p_package_id
        returning * into package;
    end if;
    return package;
end
$$;
comment on function public.update_training_package(uuid, jsonb) is
    'Changes what p_changes names of a package: name, template_type, config_json. An edit that changes nothing succeeds.';

create or replace function public.delete_training_package(p_package_id uuid)
returns void
volatile
security invoker
set search_path = ''
language plpgsql
as $$
begin
    delete from public.training_configs where id = p_package_id;
    if not found and not training_versions_internal.was_deleted(p_package_id, true) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
end
$$;
comment on function public.delete_training_package(uuid) is
    'Deletes a package and its drafts. Refused to its owner while it has published or archived versions.';

--
-- Versions
--

create or replace function public.create_training_draft(
    p_package_id uuid,
    p_config_snapshot jsonb,
    p_model_snapshot jsonb,
    p_dataset_snapshot jsonb,
    p_name text default null,
    p_change_summary text default null,
    p_parent_version_id uuid default null,
    p_estimated_cost numeric default null,
    p_budget_limit numeric default null,
    p_version_id uuid default null
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package(p_package_id);
    if not exists (
        select from public.training_configs c
        where c.id = p_package_id
            and (c.user_id = auth.uid() or not row_security_active('public.training_package_versions'))
    ) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    -- Before the column rounds them.
    perform training_versions_internal.check_cost('estimated_cost', p_estimated_cost);
    perform training_versions_internal.check_cost('budget_limit', p_budget_limit);

    select * into version from public.training_package_versions v where v.id = p_version_id;
    if found then
        -- A repeat answers with the draft it made. Before its first edit it must be what is asked for now.
        if version.package_id <> p_package_id
            or version.updated_at = version.created_at
                and (
                    version.config_snapshot, version.model_snapshot, version.dataset_snapshot,
                    version.name, version.change_summary, version.parent_version_id,
                    version.estimated_cost, version.budget_limit
                ) is distinct from (
                    p_config_snapshot, p_model_snapshot, p_dataset_snapshot,
                    coalesce(p_name, version.name), p_change_summary, p_parent_version_id,
                    p_estimated_cost, p_budget_limit
                )
        then
            perform training_versions_internal.refuse_taken_id(p_version_id, 'is another version''s already');
        end if;
        return version;
    end if;
    if training_versions_internal.was_deleted(p_version_id, false) then
        perform training_versions_internal.refuse_taken_id(p_version_id, 'was a draft''s that is deleted');
    end if;

    insert into public.training_package_versions (
        id, package_id, name, status, config_snapshot, model_snapshot, dataset_snapshot,
        change_summary, parent_version_id, estimated_cost, budget_limit
    )
    values (
        coalesce(p_version_id, gen_random_uuid()), p_package_id, p_name, 'draft',
        p_config_snapshot, p_model_snapshot, p_dataset_snapshot,
        p_change_summary, p_parent_version_id, p_estimated_cost, p_budget_limit
    )
    on conflict (id) do nothing
    returning * into version;
    if not found then
        perform training_versions_internal.refuse_taken_id(p_version_id, 'is another version''s already');
    end if;
    return version;
end
$$;
comment on function public.create_training_draft(uuid, jsonb, jsonb, jsonb, text, text, uuid, numeric, numeric, uuid) is
    'Creates a draft with the package''s next number. Repeated with the same p_version_id it returns the draft it made.';

create or replace function public.update_training_draft(
    p_version_id uuid,
    p_changes jsonb,
    p_expected_updated_at timestamptz default null
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    wanted public.training_package_versions;
begin
    perform training_versions_internal.check_changes(p_changes, array[
        'config_snapshot', 'model_snapshot', 'dataset_snapshot',
        'name', 'change_summary', 'parent_version_id', 'estimated_cost', 'budget_limit'
    ]);
    -- Before the columns round them.
    perform training_versions_internal.check_cost('estimated_cost', (p_changes ->> 'estimated_cost')::numeric);
    perform training_versions_internal.check_cost('budget_limit', (p_changes ->> 'budget_limit')::numeric);

    version := training_versions_internal.lock_version(p_version_id);
    wanted := jsonb_populate_record(version, p_changes);
    if version.status = 'draft'
        and (
            wanted.config_snapshot, wanted.model_snapshot, wanted.dataset_snapshot,
            wanted.name, wanted.change_summary, wanted.parent_version_id, wanted.estimated_cost, wanted.budget_limit
        ) is not distinct from (
            version.config_snapshot, version.model_snapshot, version.dataset_snapshot,
            version.name, version.change_summary, version.parent_version_id, version.estimated_cost, version.budget_limit
        )
    then
        return version;
    end if;
    perform training_versions_internal.check_draft(version, p_expected_updated_at);

    update public.training_package_versions
    set config_snapshot = wanted.config_snapshot,
        model_snapshot = wanted.model_snapshot,
        dataset_snapshot = wanted.dataset_snapshot,
        name = wanted.name,
        change_summary = wanted.change_summary,
        parent_version_id = wanted.parent_version_id,
        estimated_cost = wanted.estimated_cost,
        budget_limit = wanted.budget_limit
    where id = p_version_id
    returning * into version;
    return version;
end
$$;
comment on function public.update_training_draft(uuid, jsonb, timestamptz) is
    'Changes what p_changes names of a draft; null clears. An edit that changes nothing succeeds.';

create or replace function public.delete_training_draft(
    p_version_id uuid,
    p_expected_updated_at timestamptz default null
)
returns void
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    if training_versions_internal.was_deleted(p_version_id, false)
        and not exists (select from public.training_package_versions v where v.id = p_version_id)
    then
        return;
    end if;
    version := training_versions_internal.lock_version(p_version_id);
    perform training_versions_internal.check_draft(
        version, p_expected_updated_at,
        case version.status when 'published' then 'Archive it instead.' else 'It stays: it is history.' end
    );
    delete from public.training_package_versions where id = p_version_id;
end
$$;
comment on function public.delete_training_draft(uuid, timestamptz) is
    'Deletes a draft; its number is never given again. Deleting again what you deleted succeeds.';

create or replace function public.publish_training_version(
    p_version_id uuid,
    p_name text default null,
    p_expected_updated_at timestamptz default null
)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_version(p_version_id);
    if version.status = 'published' then
        return version;
    end if;
    if version.status = 'archived' then
        raise exception using
            errcode = 'TV203',
            message = format('version %s is archived and cannot be published again', version.version_number),
            detail = jsonb_build_object(
                'version_id', version.id, 'version_number', version.version_number, 'status', version.status
            )::pg_catalog.text,
            hint = 'Create a new draft from it.';
    end if;
    perform training_versions_internal.check_draft(version, p_expected_updated_at);

    -- The trigger would take a name that does not change for one that was not given, and shorten it.
    perform set_config('training_versions.keep_name', case when p_name is null then '' else 'on' end, true);
    update public.training_package_versions
    set status = 'published', name = coalesce(p_name, name)
    where id = p_version_id
    returning * into version;
    perform set_config('training_versions.keep_name', '', true);
    return version;
end
$$;
comment on function public.publish_training_version(uuid, text, timestamptz) is
    'Publishes a draft: from then on its content changes for nobody. Publishing what is published returns it.';

create or replace function public.archive_training_version(p_version_id uuid)
returns public.training_package_versions
volatile
security invoker
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_version(p_version_id);
    if version.status = 'draft' then
        raise exception using
            errcode = 'TV203',
            message = format('version %s is a draft and cannot be archived', version.version_number),
            detail = jsonb_build_object(
                'version_id', version.id, 'version_number', version.version_number, 'status', version.status
            )::pg_catalog.text,
            hint = 'Publish it first, or delete it.';
    end if;
    perform training_versions_internal.archive_version(p_version_id);
    select * into version from public.training_package_versions v where v.id = p_version_id;
    return version;
end
$$;
comment on function public.archive_training_version(uuid) is
    'Archives a published version; the package''s pointers move to the newest one still published. Repeatable.';

-- Signed-in users and the service role; nobody else.
revoke all on function
    public.get_next_version_number(uuid),
    public.create_training_package(text, text, jsonb, uuid, uuid),
    public.update_training_package(uuid, jsonb),
    public.delete_training_package(uuid),
    public.create_training_draft(uuid, jsonb, jsonb, jsonb, text, text, uuid, numeric, numeric, uuid),
    public.update_training_draft(uuid, jsonb, timestamptz),
    public.delete_training_draft(uuid, timestamptz),
    public.publish_training_version(uuid, text, timestamptz),
    public.archive_training_version(uuid)
from public, anon, authenticated, service_role;
grant execute on function
    public.get_next_version_number(uuid),
    public.create_training_package(text, text, jsonb, uuid, uuid),
    public.update_training_package(uuid, jsonb),
    public.delete_training_package(uuid),
    public.create_training_draft(uuid, jsonb, jsonb, jsonb, text, text, uuid, numeric, numeric, uuid),
    public.update_training_draft(uuid, jsonb, timestamptz),
    public.delete_training_draft(uuid, timestamptz),
    public.publish_training_version(uuid, text, timestamptz),
    public.archive_training_version(uuid)
to authenticated, service_role;
