-- The writes of packages and versions: each is one request, one transaction, and can be repeated.
--
-- Touches: replaces get_next_version_number; creates the functions that clients call.
-- For operators: what lies in `public` is security invoker, so policies and triggers keep the
--   rules; the functions make writes atomic and repeatable, and report what they did not find.
--   A browser app may go on writing the tables directly.

--
-- Refusals, worded once. Each raises. A row that the caller may not see is reported as missing.
--

-- Refuses a version that is not there, or that the caller may not see.
create or replace function training_versions_internal.refuse_missing_version(p_version_id uuid)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV101',
        format('there is no version %s, or it is not yours', p_version_id),
        jsonb_build_object('version_id', p_version_id),
        'Check the id, and that you are signed in as the user who created it.'
    )
$$;

-- Refuses a package that is not there, or that the caller may not see.
create or replace function training_versions_internal.refuse_missing_package(p_package_id uuid)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV102',
        format('there is no package %s, or it is not yours', p_package_id),
        jsonb_build_object('package_id', p_package_id),
        'Check the id, and that you are signed in as the user who created it.'
    )
$$;

-- Refuses an id that belongs to something else. p_predicate completes the sentence "the id …".
create or replace function training_versions_internal.refuse_taken_id(p_id uuid, p_predicate text)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        'TV204',
        format('the id %s %s', p_id, p_predicate),
        jsonb_build_object('id', p_id),
        'Use a new id for something new.'
    )
$$;

-- Refuses what the status of a version does not allow. p_predicate completes the sentence
-- "version 3 of 'bot' …".
create or replace function training_versions_internal.refuse_status(
    p_errcode text,
    p_version public.training_package_versions,
    p_predicate text,
    p_hint text
)
returns void
set search_path = ''
language sql
as $$
    select training_versions_internal.refuse(
        p_errcode,
        format(
            '%s %s',
            training_versions_internal.version_label(
                p_version.package_id, p_version.version_number
            ),
            p_predicate
        ),
        jsonb_build_object(
            'version_id', p_version.id,
            'version_number', p_version.version_number,
            'status', p_version.status
        ),
        p_hint
    )
$$;

-- Refuses a version that is not a draft, or whose content was edited since the caller read it
-- (optimistic concurrency). The token is the updated_at that the caller read: any since the last
-- edit will do, as training, deployment and cost move it, too. Without a token any state of the
-- draft will do.
create or replace function training_versions_internal.check_draft_and_token(
    p_version public.training_package_versions,
    p_expected_updated_at timestamptz,
    p_instead text default 'Create a new draft from it.'
)
returns void
stable
set search_path = ''
language plpgsql
as $$
begin
    if p_version.status <> 'draft' then
        perform training_versions_internal.refuse_status(
            'TV202',
            p_version,
            format('is %s; its content never changes', p_version.status),
            p_instead
        );
    end if;
    if p_expected_updated_at
        not between least(p_version.content_updated_at, p_version.updated_at)
        and p_version.updated_at
    then
        perform training_versions_internal.refuse(
            'TV201',
            format(
                '%s has changed since you read it',
                training_versions_internal.version_label(
                    p_version.package_id, p_version.version_number
                )
            ),
            jsonb_build_object(
                'version_id', p_version.id,
                'expected_updated_at', p_expected_updated_at,
                'updated_at', p_version.updated_at
            ),
            'Read it again, and repeat your change on what you find.'
        );
    end if;
end
$$;

--
-- Looking up and locking
--
-- Locks are taken in one order: the package, then its versions. There are two locks on a package.
--
--   lock_package_of   for one writer at a time: creates, publishes, archives, deletes and deploys
--   hold_package_of   keeps the package from being deleted, and waits for nothing but its deletion
--
-- The second is for all other writes of a version. Each adds an event, whose foreign key locks the
-- package in the same way. If that came last, a deletion of the package, which locks the package
-- and then its versions, could wait for the write and the write for the deletion (40P01).
--
-- Two things can still be refused as a deadlock. A client that writes the table directly locks the
-- version first, and its triggers lock the package. And deleting a package or draft changes the
-- versions that descend from it, also those in another package, which may be being deleted itself.
-- The one that is refused has written nothing and can be repeated, which the SDK does by itself.
--

-- Was this deleted by its owner? Definer, because nobody is granted the record of deletions.
create or replace function training_versions_internal.was_deleted(p_id uuid, p_is_package boolean)
returns boolean
stable
security definer
set search_path = ''
language plpgsql
as $$
begin
    return exists (
        select from training_versions_internal.deletions d
        where d.id = p_id
            and (d.version_number is null) = p_is_package
            and training_versions_internal.acts_for(d.owner_id)
    );
end
$$;

-- The version; refused if the caller sees none.
create or replace function training_versions_internal.see_version(p_version_id uuid)
returns public.training_package_versions
stable
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

-- The lock on the package that a version lies in.
create or replace function training_versions_internal.lock_package_of(p_version_id uuid)
returns void
set search_path = ''
language plpgsql
as $$
begin
    perform training_versions_internal.lock_package(v.package_id)
    from public.training_package_versions v
    where v.id = p_version_id;
end
$$;

-- Keeps the package that a version lies in from being deleted. Definer, because an app's policies
-- on training_configs may hide the package from a user's lock; only for those who may act for the
-- owner of the version.
create or replace function training_versions_internal.hold_package_of(p_version_id uuid)
returns void
security definer
set search_path = ''
language plpgsql
as $$
begin
    perform from public.training_configs c
    join public.training_package_versions v on v.package_id = c.id
    where v.id = p_version_id and training_versions_internal.acts_for(v.created_by)
    for key share of c;
end
$$;

-- The version, locked against other changes, with its package held unless that is locked already;
-- refused if the caller sees none. A frozen one is not locked: the update policy hides it from a
-- lock, and it needs none.
create or replace function training_versions_internal.lock_version(
    p_version_id uuid,
    p_package_is_locked boolean default false
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    if not p_package_is_locked then
        perform training_versions_internal.hold_package_of(p_version_id);
    end if;
    select * into version
    from public.training_package_versions v
    where v.id = p_version_id
    for no key update;
    if not found then
        version := training_versions_internal.see_version(p_version_id);
    end if;
    return version;
end
$$;

--
-- Repeats
--

-- Claims an id for what a call is about to create with it. True if an earlier call claimed it for
-- the same, false if for something else, and null if nobody did: then it is claimed now, unless
-- this transaction fails. Definer, because nobody is granted the claims.
create or replace function training_versions_internal.claim_id(
    p_kind text,
    p_id uuid,
    p_asked jsonb
)
returns boolean
security definer
set search_path = ''
language plpgsql
as $$
declare
    hash constant pg_catalog.uuid := md5(p_asked::pg_catalog.text)::pg_catalog.uuid;
    claimed pg_catalog.uuid;
begin
    insert into training_versions_internal.claims (kind, id, asked)
    values (p_kind, p_id, hash)
    on conflict do nothing;
    if found then
        return null;
    end if;
    select c.asked into claimed
    from training_versions_internal.claims c
    where c.kind = p_kind and c.id = p_id;
    return claimed = hash;
end
$$;

-- Says in a header of the reply that this call created nothing, since an earlier one with the same
-- id had done so. (PostgREST sends what it finds in this setting.)
create or replace function training_versions_internal.say_replayed()
returns void
set search_path = ''
language plpgsql
as $$
declare
    headers constant pg_catalog.jsonb :=
        coalesce(nullif(current_setting('response.headers', true), '')::pg_catalog.jsonb, '[]');
begin
    perform set_config(
        'response.headers', (headers || '[{"Idempotent-Replayed": "true"}]')::pg_catalog.text, true
    );
end
$$;

--
-- Numbers
--

create or replace function public.get_next_version_number(p_package_id uuid)
returns integer
stable
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
    'training-versions: '
    'Returns the number that the next version of a package gets: 1, 2, 3 …. Reserves nothing.';

--
-- Packages
--

-- A user creates packages for themselves; a role without a user names the owner.
create or replace function training_versions_internal.check_new_owner(p_user_id uuid)
returns void
stable
set search_path = ''
language plpgsql
as $$
begin
    if p_user_id is null then
        perform training_versions_internal.refuse_value(
            'user_id',
            'user_id must say whose package it is',
            'The service role acts for nobody in particular: pass the owner''s user_id.'
        );
    end if;
    if p_user_id <> auth.uid() then
        perform training_versions_internal.refuse(
            '42501',
            'user_id must be the user who creates',
            jsonb_build_object('field', 'user_id'),
            'Leave user_id out.'
        );
    end if;
end
$$;

-- Is this constraint the foreign key from a package to its owner? Its name is not known: an app may
-- have made the table, and given it other foreign keys.
create or replace function training_versions_internal.is_owner_reference(p_constraint text)
returns boolean
stable
set search_path = ''
language sql
as $$
    select exists (
        select from pg_catalog.pg_constraint o
        join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = any (o.conkey)
        where o.conrelid = 'public.training_configs'::pg_catalog.regclass
            and o.conname = p_constraint
            and o.contype = 'f'
            and a.attname = 'user_id'
    )
$$;

create or replace function public.create_training_package(
    p_name text,
    p_template_type text,
    p_config_json jsonb,
    p_package_id uuid default null,
    p_user_id uuid default null
)
returns public.training_configs
set search_path = ''
language plpgsql
as $$
declare
    owner constant pg_catalog.uuid := coalesce(p_user_id, auth.uid());
    package public.training_configs;
    is_repeat boolean;
    violated pg_catalog.text;
begin
    perform training_versions_internal.check_text('name', p_name, 255);
    perform training_versions_internal.check_text('template_type', p_template_type, 100);
    perform training_versions_internal.check_snapshot('config_json', p_config_json, 'object');
    perform training_versions_internal.check_new_owner(owner);

    if p_package_id is not null then
        is_repeat := training_versions_internal.claim_id(
            'package',
            p_package_id,
            jsonb_build_array(p_name, p_template_type, p_config_json, owner)
        );
    end if;
    insert into public.training_configs (id, name, template_type, config_json, user_id)
    values (
        coalesce(p_package_id, gen_random_uuid()), p_name, p_template_type, p_config_json, owner
    )
    on conflict (id) do nothing
    returning * into package;
    if found then
        return package;
    end if;

    -- A repeat returns the package that the first call made, as it is now. One that no call made
    -- must be as this one asks for. The cast is for older tables, whose config_json may be `json`.
    select * into package from public.training_configs c where c.id = p_package_id;
    if package.user_id is distinct from owner
        or is_repeat is not true
        and (
            (package.name, package.template_type) is distinct from (p_name, p_template_type)
            or record_image_ne(row(package.config_json::pg_catalog.jsonb), row(p_config_json))
        )
    then
        perform training_versions_internal.refuse_taken_id(
            p_package_id, 'is another package''s already'
        );
    end if;
    perform training_versions_internal.say_replayed();
    return package;
exception
    when foreign_key_violation then
        get stacked diagnostics violated = constraint_name;
        if not training_versions_internal.is_owner_reference(violated) then
            raise;
        end if;
        perform training_versions_internal.refuse_value(
            'user_id',
            format('there is no user %s', owner),
            'Check the id; users are in auth.users.'
        );
end
$$;
comment on function public.create_training_package(text, text, jsonb, uuid, uuid) is
    'training-versions: '
    'Creates a package for the caller. Repeated with the same p_package_id it returns that one.';

-- When a package was created, to order by: a computed column, since created_at of an older table
-- may be missing, null or without a time zone. Where it is missing, its name below is found in
-- `unknown`.
create or replace function public.training_package_made_at(p_package public.training_configs)
returns timestamptz
stable
set search_path = ''
language sql
as $$
    select coalesce(
        (
            select case
                when pg_typeof(created_at) = 'pg_catalog.timestamptz'::regtype
                    then created_at::pg_catalog.timestamptz
                else created_at::pg_catalog.timestamp at time zone 'UTC'
            end
            from (select (p_package).*) as package
        ),
        'epoch'
    )
    from (select null::pg_catalog.timestamptz as created_at) as unknown
$$;
comment on function public.training_package_made_at(public.training_configs) is
    'training-versions: '
    'When a package was created, 1970 if that is not known; packages are listed in its order.';

-- Two callers at once make one package: they wait for each other, owner by owner and name by name.
create or replace function public.get_or_create_training_package(
    p_name text,
    p_template_type text,
    p_config_json jsonb,
    p_user_id uuid default null
)
returns public.training_configs
set search_path = ''
language plpgsql
as $$
declare
    owner constant pg_catalog.uuid := coalesce(p_user_id, auth.uid());
    package public.training_configs;
begin
    perform training_versions_internal.check_new_owner(owner);
    perform pg_advisory_xact_lock(
        hashtextextended(format('training-versions: %s %s', owner, p_name), 0)
    );
    select * into package
    from public.training_configs c
    where c.user_id = coalesce(p_user_id, auth.uid()) and c.name = p_name
    order by public.training_package_made_at(c.*), c.id
    limit 1;
    if found then
        perform training_versions_internal.say_replayed();
        return package;
    end if;
    return public.create_training_package(
        p_name, p_template_type, p_config_json, null, owner
    );
end
$$;
comment on function public.get_or_create_training_package(text, text, jsonb, uuid) is
    'training-versions: '
    'Returns the caller''s package of that name as it is, the oldest if there are several; creates '
    'it if there is none. Called twice at once it creates one.';

create or replace function public.update_training_package(p_package_id uuid, p_changes jsonb)
returns public.training_configs
set search_path = ''
language plpgsql
as $$
declare
    package public.training_configs;
    wanted public.training_configs;
begin
    perform training_versions_internal.check_fields(
        'p_changes', p_changes, array['name', 'template_type', 'config_json']
    );
    select * into package
    from public.training_configs c
    where c.id = p_package_id
    for no key update;
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
        perform training_versions_internal.check_snapshot(
            'config_json', wanted.config_json::pg_catalog.jsonb, 'object'
        );
    end if;

    if record_image_ne(row(to_jsonb(wanted)), row(to_jsonb(package))) then
        update public.training_configs
        set name = wanted.name,
            template_type = wanted.template_type,
            config_json = wanted.config_json
        where id = p_package_id
        returning * into package;
    end if;
    return package;
end
$$;
comment on function public.update_training_package(uuid, jsonb) is
    'training-versions: '
    'Changes what p_changes names of a package: name, template_type, config_json. An edit that '
    'changes nothing succeeds.';

create or replace function public.delete_training_package(p_package_id uuid)
returns void
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
    'training-versions: '
    'Deletes a package and its drafts. Refused to its owner while it has published or archived '
    'versions.';

--
-- Drafts. The statements are put together from the list of editable columns.
--

-- Inserts a draft with the editable columns of p_content; the database sets all others. The plan of
-- a statement that is put together is not kept, and to make one takes a tenth of all that it takes
-- to create a draft. So that for the columns of this release is written out.
create or replace function training_versions_internal.insert_draft(
    p_version_id uuid,
    p_package_id uuid,
    p_content public.training_package_versions
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    columns constant pg_catalog.text :=
        array_to_string(training_versions_internal.editable_columns(), ', ');
    new_id constant pg_catalog.uuid := coalesce(p_version_id, gen_random_uuid());
    version public.training_package_versions;
begin
    if columns = 'config_snapshot, model_snapshot, dataset_snapshot, name, change_summary, '
        'parent_version_id, estimated_cost, budget_limit'
    then
        insert into public.training_package_versions (
            id, package_id, status,
            config_snapshot, model_snapshot, dataset_snapshot, name, change_summary,
            parent_version_id, estimated_cost, budget_limit
        )
        values (
            new_id, p_package_id, 'draft',
            p_content.config_snapshot, p_content.model_snapshot, p_content.dataset_snapshot,
            p_content.name, p_content.change_summary,
            p_content.parent_version_id, p_content.estimated_cost, p_content.budget_limit
        )
        on conflict (id) do nothing
        returning * into version;
    else
        execute format(
            'insert into public.training_package_versions (id, package_id, status, %1$s)
            select $1, $2, ''draft'', %1$s from (select ($3).*) as content
            on conflict (id) do nothing
            returning *',
            columns
        )
        into version
        using new_id, p_package_id, p_content;
    end if;
    if version.id is null then
        perform training_versions_internal.refuse_taken_id(
            p_version_id, 'is another version''s already'
        );
    end if;
    return version;
end
$$;

-- Does the draft hold what p_fields asks for? Editable columns that p_fields does not name must be
-- null, except for the name, which the database gives.
create or replace function training_versions_internal.has_fields(
    p_version public.training_package_versions,
    p_fields jsonb
)
returns boolean
stable
set search_path = ''
language plpgsql
as $$
declare
    asked public.training_package_versions;
begin
    asked := jsonb_populate_record(
        p_version,
        (
            select jsonb_object_agg(c, null)
            from unnest(training_versions_internal.editable_columns()) as c
        ) || p_fields
    );
    asked.name := coalesce(asked.name, p_version.name);
    return asked *= p_version;
end
$$;

create or replace function public.create_training_draft(
    p_package_id uuid,
    p_fields jsonb,
    p_version_id uuid default null
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
    is_repeat boolean;
    was_edited boolean;
    holds_the_same boolean;
begin
    if not training_versions_internal.lock_package(p_package_id) then
        perform training_versions_internal.refuse_missing_package(p_package_id);
    end if;
    perform training_versions_internal.check_fields(
        'p_fields', p_fields, training_versions_internal.editable_columns()
    );

    if p_version_id is not null then
        is_repeat := training_versions_internal.claim_id(
            'version', p_version_id, jsonb_build_array(p_package_id, p_fields)
        );
    end if;

    select * into version from public.training_package_versions v where v.id = p_version_id;
    if found then
        -- A repeat returns the draft that the first call made, as it is now.
        was_edited := least(version.content_updated_at, version.updated_at) <> version.created_at;
        holds_the_same := training_versions_internal.has_fields(version, p_fields);
        if is_repeat is null then
            -- Nothing is known of the first call, so an edited draft may be what became of it.
            is_repeat := was_edited or holds_the_same;
        elsif not is_repeat then
            -- The first call may have asked for the same in other words.
            is_repeat := holds_the_same and not was_edited;
        end if;
        if version.package_id <> p_package_id or not is_repeat then
            perform training_versions_internal.refuse_taken_id(
                p_version_id, 'is another version''s already'
            );
        end if;
        perform training_versions_internal.say_replayed();
        return version;
    end if;
    if training_versions_internal.was_deleted(p_version_id, false) then
        perform training_versions_internal.refuse_taken_id(
            p_version_id, 'was a draft''s that is deleted'
        );
    end if;
    return training_versions_internal.insert_draft(
        p_version_id,
        p_package_id,
        jsonb_populate_record(null::public.training_package_versions, p_fields)
    );
end
$$;
comment on function public.create_training_draft(uuid, jsonb, uuid) is
    'training-versions: '
    'Creates a draft with the next number of its package. p_fields names the three snapshots, and '
    'what else is given. Repeated with the same p_version_id it returns the draft it made.';

create or replace function public.update_training_draft(
    p_version_id uuid,
    p_changes jsonb,
    p_expected_updated_at timestamptz default null
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    usual_work_mem constant pg_catalog.text := current_setting('work_mem');
    version public.training_package_versions;
begin
    perform training_versions_internal.check_fields(
        'p_changes', p_changes, training_versions_internal.editable_columns()
    );
    version := training_versions_internal.lock_version(p_version_id);
    if version.status = 'draft' and jsonb_populate_record(version, p_changes) *= version then
        return version;
    end if;
    perform training_versions_internal.check_draft_and_token(version, p_expected_updated_at);

    -- So that the new entries that a GIN index has collected (gin_pending_list_limit) are sorted in
    -- at once: in portions of the usual 4 MB, each entry of a large draft would be written often.
    perform set_config('work_mem', '64MB', true);
    execute format(
        'update public.training_package_versions
        set (%1$s) = (
            select %1$s from jsonb_populate_record(null::public.training_package_versions, $1)
        )
        where id = $2
        returning *',
        (select string_agg(k, ', ') from jsonb_object_keys(p_changes) as k)
    )
    into version
    using p_changes, p_version_id;
    perform set_config('work_mem', usual_work_mem, true);
    return version;
end
$$;
comment on function public.update_training_draft(uuid, jsonb, timestamptz) is
    'training-versions: '
    'Changes what p_changes names of a draft; null clears. An edit that changes nothing succeeds.';

create or replace function public.delete_training_draft(
    p_version_id uuid,
    p_expected_updated_at timestamptz default null
)
returns void
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    if training_versions_internal.was_deleted(p_version_id, false)
        and not exists (
            select from public.training_package_versions v where v.id = p_version_id
        )
    then
        return;
    end if;
    version := training_versions_internal.lock_version(p_version_id, true);
    perform training_versions_internal.check_draft_and_token(
        version,
        p_expected_updated_at,
        case version.status
            when 'published' then 'Archive it instead.'
            else 'Keep it: archived versions are part of the history.'
        end
    );
    delete from public.training_package_versions where id = p_version_id;
end
$$;
comment on function public.delete_training_draft(uuid, timestamptz) is
    'training-versions: '
    'Deletes a draft; its number is never given again. Deleting again what you deleted succeeds.';

--
-- Publishing and archiving
--

create or replace function public.publish_training_version(
    p_version_id uuid,
    p_name text default null,
    p_expected_updated_at timestamptz default null
)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_version(p_version_id, true);
    if version.status = 'published' then
        return version;
    end if;
    if version.status = 'archived' then
        perform training_versions_internal.refuse_status(
            'TV203',
            version,
            'is archived and cannot be published again',
            'Create a new draft from it.'
        );
    end if;
    perform training_versions_internal.check_draft_and_token(version, p_expected_updated_at);

    -- The one setting that a trigger reads. Publishing with a name that the draft has already
    -- changes no column, so the row cannot say that the name was given and is not to be
    -- shortened. A client that sets it only keeps the name of its own version.
    perform set_config(
        'training_versions.keep_name', case when p_name is null then '' else 'on' end, true
    );
    update public.training_package_versions
    set status = 'published', name = coalesce(p_name, name)
    where id = p_version_id
    returning * into version;
    perform set_config('training_versions.keep_name', '', true);
    return version;
end
$$;
comment on function public.publish_training_version(uuid, text, timestamptz) is
    'training-versions: '
    'Publishes a draft: from then on its content changes for nobody. Publishing what is published '
    'returns it.';

-- Archives a published version. Definer, because the update policy covers drafts only.
create or replace function training_versions_internal.archive_version(p_version_id uuid)
returns void
security definer
set search_path = ''
language plpgsql
as $$
begin
    update public.training_package_versions
    set status = 'archived'
    where id = p_version_id
        and status = 'published'
        and training_versions_internal.acts_for(created_by);
end
$$;

create or replace function public.archive_training_version(p_version_id uuid)
returns public.training_package_versions
set search_path = ''
language plpgsql
as $$
declare
    version public.training_package_versions;
begin
    perform training_versions_internal.lock_package_of(p_version_id);
    version := training_versions_internal.lock_version(p_version_id, true);
    if version.status = 'draft' then
        perform training_versions_internal.refuse_status(
            'TV203',
            version,
            'is a draft and cannot be archived',
            'Publish it first, or delete it.'
        );
    end if;
    perform training_versions_internal.archive_version(p_version_id);
    return training_versions_internal.see_version(p_version_id);
end
$$;
comment on function public.archive_training_version(uuid) is
    'training-versions: '
    'Archives a published version; the package''s pointers move to the newest one still published. '
    'Archiving what is archived returns it.';
