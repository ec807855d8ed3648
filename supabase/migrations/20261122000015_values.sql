-- What a version holds: which columns a draft's author edits, and which values they may have.
--
-- Touches: creates functions only. The triggers that call them come in the next file.
-- For operators: nothing to know. To add an editable column: `alter table … add column` (without a
--   default: null is "not given"), its name in editable_columns(), its check in check_values().

-- The one list of what create_training_draft and update_training_draft take. From it follow what
-- freezes with publishing, what an `edited` event names, and what restoring and forking copy.
create or replace function training_versions_internal.editable_columns()
returns text[]
immutable
set search_path = ''
language sql
as $$
    select array[
        'config_snapshot', 'model_snapshot', 'dataset_snapshot',
        'name', 'change_summary', 'parent_version_id', 'estimated_cost', 'budget_limit'
    ]
$$;

-- What never changes once a version has this status: what it is and, from publishing on, what it
-- holds and who signed it. Costs can still change.
create or replace function training_versions_internal.frozen_columns(p_status text)
returns text[]
immutable
set search_path = ''
language sql
as $$
    select array['id', 'package_id', 'version_number', 'created_by', 'created_at'] || array(
        select c
        from unnest(
            training_versions_internal.editable_columns() || array['published_at', 'published_by']
        ) as c
        where p_status <> 'draft' and c not in ('estimated_cost', 'budget_limit')
    )
$$;

-- How JSON is compared, here and in all files: as it is written. To `=` and `is distinct from`, 1
-- and 1.0 are one number; to a trainer they may be one batch and all of them. A jsonb value keeps
-- its numbers as they were written, and so its bytes say what its text says. record_image_ne()
-- compares bytes, takes two nulls for equal, and is faster than either; the same holds for `*=` and
-- `*<>` between whole rows, which may have columns without an equality, such as those of type json.

-- The columns in which two states of a version differ, and their values. The snapshots may be
-- large, so they are compared as they are, and only the rest of the rows is turned into JSON.
create or replace function training_versions_internal.differences(
    p_old public.training_package_versions,
    p_new public.training_package_versions
)
returns table (column_name text, old_value jsonb, new_value jsonb)
stable
set search_path = ''
language plpgsql
as $$
begin
    return query
    select s.place, s.before, s.after
    from (
        values
            ('config_snapshot', p_old.config_snapshot, p_new.config_snapshot),
            ('model_snapshot', p_old.model_snapshot, p_new.model_snapshot),
            ('dataset_snapshot', p_old.dataset_snapshot, p_new.dataset_snapshot)
    ) as s (place, before, after)
    where record_image_ne(row(s.before), row(s.after));

    p_old.config_snapshot := null;
    p_old.model_snapshot := null;
    p_old.dataset_snapshot := null;
    p_new.config_snapshot := null;
    p_new.model_snapshot := null;
    p_new.dataset_snapshot := null;
    return query
    select o.key, o.value, n.value
    from jsonb_each(to_jsonb(p_old)) as o
    join jsonb_each(to_jsonb(p_new)) as n on n.key = o.key
    where record_image_ne(row(n.value), row(o.value));
end
$$;

--
-- Checks
--

-- A cost is a number of cents between 0 and 99,999,999.99, or null.
create or replace function training_versions_internal.check_cost(p_field text, p_value numeric)
returns void
immutable
set search_path = ''
language plpgsql
as $$
begin
    if p_value not between 0 and 99999999.99 or p_value <> round(p_value, 2) then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s must be between 0 and 99,999,999.99 with at most two decimals', p_field),
            'Round it to cents.'
        );
    end if;
end
$$;

-- A text is not blank and not longer than it may be.
create or replace function training_versions_internal.check_text(
    p_field text,
    p_value text,
    p_longest integer
)
returns void
immutable
set search_path = ''
language plpgsql
as $$
begin
    if p_value is null or p_value !~ '\S' or char_length(p_value) > p_longest then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s must have 1 to %s characters that are not all blank', p_field, p_longest),
            'Shorten it, or write at least one character that is not blank.'
        );
    end if;
end
$$;

-- A timestamp is one that every reader can hold: in the years 1 to 9999, and not in the future. (A
-- day is allowed for clocks that differ.) Null passes.
create or replace function training_versions_internal.check_moment(
    p_field text,
    p_value timestamptz
)
returns void
stable
set search_path = ''
language plpgsql
as $$
begin
    if p_value not between '0001-01-01 00:00:00+00' and clock_timestamp() + interval '1 day' then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s must lie between the year 1 and tomorrow', p_field)
        );
    end if;
end
$$;

-- The numbers in a JSON value are such that every reader can read them: Python reads integers of at
-- most 4,300 digits, and one that is longer would hide all rows that are read together with it.
create or replace function training_versions_internal.check_numbers(p_field text, p_value jsonb)
returns void
immutable
set search_path = ''
language plpgsql
as $$
begin
    if jsonb_path_exists(p_value, 'strict $.** ? (@ >= 1e4300 || @ <= -1e4300)') then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s has a number of more than 4,300 digits', p_field),
            'Send it as text.'
        );
    end if;
end
$$;

-- A snapshot has the shape that readers rely on: 'object', or 'array' of objects.
create or replace function training_versions_internal.check_snapshot(
    p_field text,
    p_value jsonb,
    p_type text
)
returns void
immutable
set search_path = ''
language plpgsql
as $$
declare
    expected pg_catalog.text := 'object';
    empty_one pg_catalog.text := '{}';
begin
    if p_type = 'array' then
        expected := 'array of objects';
        empty_one := '[]';
    end if;
    if jsonb_typeof(p_value) is distinct from p_type
        or p_type = 'array' and jsonb_path_exists(p_value, 'strict $[*] ? (@.type() <> "object")')
    then
        perform training_versions_internal.refuse_value(
            p_field,
            format('%s must be a JSON %s', p_field, expected),
            format('Send it as JSON, not as text; an empty one is %s.', empty_one)
        );
    end if;
    perform training_versions_internal.check_numbers(p_field, p_value);
end
$$;

-- The values of a version, where they are new: rows from before these rules keep theirs. Snapshots
-- of an update are checked by keep_snapshots(), where a statement names them. Definer:
-- it serves every role that may write the table, also one that may not call the checks.
create or replace function training_versions_internal.check_values()
returns trigger
security definer
set search_path = ''
language plpgsql
as $$
declare
    is_insert constant boolean := tg_op = 'INSERT';
begin
    new.is_deployed := coalesce(new.is_deployed, false);
    if is_insert or new.name is distinct from old.name then
        perform training_versions_internal.check_text('name', new.name, 255);
    end if;
    if is_insert then
        perform training_versions_internal.check_snapshot(
            'config_snapshot', new.config_snapshot, 'object'
        );
        perform training_versions_internal.check_snapshot(
            'model_snapshot', new.model_snapshot, 'object'
        );
        perform training_versions_internal.check_snapshot(
            'dataset_snapshot', new.dataset_snapshot, 'array'
        );
    end if;
    -- In an insert `old` is null.
    if new.change_summary is distinct from old.change_summary
        and char_length(new.change_summary) > 10000
    then
        perform training_versions_internal.refuse_value(
            'change_summary',
            'change_summary must have at most 10000 characters'
        );
    end if;
    if new.training_metrics is distinct from old.training_metrics then
        perform training_versions_internal.check_numbers('training_metrics', new.training_metrics);
    end if;
    if new.cost_alerts_sent is distinct from old.cost_alerts_sent then
        perform training_versions_internal.check_numbers('cost_alerts_sent', new.cost_alerts_sent);
    end if;
    if new.estimated_cost is distinct from old.estimated_cost then
        perform training_versions_internal.check_cost('estimated_cost', new.estimated_cost);
    end if;
    if new.actual_cost is distinct from old.actual_cost then
        perform training_versions_internal.check_cost('actual_cost', new.actual_cost);
    end if;
    if new.budget_limit is distinct from old.budget_limit then
        perform training_versions_internal.check_cost('budget_limit', new.budget_limit);
    end if;
    return new;
end
$$;

-- What a function takes as p_fields or p_changes: an object of columns that it knows. Texts must be
-- sent as texts, and costs are checked here because their columns would round them.
create or replace function training_versions_internal.check_fields(
    p_argument text,
    p_fields jsonb,
    p_columns text[]
)
returns void
immutable
set search_path = ''
language plpgsql
as $$
declare
    unknown pg_catalog.text;
begin
    if jsonb_typeof(p_fields) is distinct from 'object' then
        unknown := p_argument;
    elsif p_fields - p_columns <> '{}' then
        select k into unknown
        from jsonb_object_keys(p_fields) as k
        where k <> all (p_columns)
        limit 1;
    end if;
    if unknown is not null then
        perform training_versions_internal.refuse_value(
            unknown,
            format('%s is not something that can be changed', unknown),
            format('%s is an object with any of: %s.', p_argument, array_to_string(p_columns, ', '))
        );
    end if;
    -- By name: to go through all fields is to copy the snapshots.
    if jsonb_typeof(p_fields -> 'name') not in ('string', 'null')
        or jsonb_typeof(p_fields -> 'template_type') not in ('string', 'null')
        or jsonb_typeof(p_fields -> 'change_summary') not in ('string', 'null')
    then
        perform training_versions_internal.refuse_value(
            p_argument,
            'name, template_type and change_summary must be text'
        );
    end if;
    if p_fields ?| array['estimated_cost', 'budget_limit'] then
        perform training_versions_internal.check_cost(
            'estimated_cost', (p_fields ->> 'estimated_cost')::numeric
        );
        perform training_versions_internal.check_cost(
            'budget_limit', (p_fields ->> 'budget_limit')::numeric
        );
    end if;
end
$$;
