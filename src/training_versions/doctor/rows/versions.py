"""Checks of the values, owners, signatures, edit tokens and parents of versions."""

from __future__ import annotations

from training_versions.doctor.rows.check import RowCheck, of_versions

_TABLE = "public.training_package_versions"

# Snapshots with a larger stored size than this are skipped, because reading one takes longer than
# all other checks together.
_SMALL = 65_536

_SHAPES = " or ".join(
    f"pg_column_size(s.{column}) < {_SMALL} and jsonb_typeof(s.{column}) <> '{shape}'"
    for column, shape in (
        ("config_snapshot", "object"),
        ("model_snapshot", "object"),
        ("dataset_snapshot", "array"),
    )
)
_BAD_COST = "{0} < 0 or {0} = 'NaN'"
_COSTS = " or ".join(
    _BAD_COST.format(f"v.{column}") for column in ("estimated_cost", "actual_cost", "budget_limit")
)

VERSIONS = (
    RowCheck(
        "version-of-another-user",
        _TABLE,
        """
        select v.label from v
        where v.created_by is not null and v.created_by <> v.owner_id and not v.is_old
        """,
        """
-- If the versions are the owner's. Otherwise their creator should fork them.
-- What they have in other tables goes along.
begin;
alter table public.training_package_versions disable trigger rule_40_frozen;
alter table public.training_package_versions disable trigger set_updated_at;
alter table public.training_version_events disable trigger rule_10_append_only;
create temporary table moved on commit drop as
select v.id, c.user_id
from public.training_package_versions v
join public.training_configs c on c.id = v.package_id
where v.created_by <> c.user_id;
update public.training_package_versions v set created_by = m.user_id
from moved m where m.id = v.id;
update public.training_version_events e set owner_id = m.user_id
from moved m where m.id = e.version_id;
update public.training_runs r set owner_id = m.user_id
from moved m where m.id = r.version_id;
update public.training_metric_points p set owner_id = m.user_id
from moved m join public.training_runs r on r.version_id = m.id where r.id = p.run_id;
update public.training_deployments d set owner_id = m.user_id
from moved m where m.id = d.version_id;
update public.training_costs c set owner_id = m.user_id
from moved m where m.id = c.version_id;
select training_versions_internal.move_pointers(c.id) from public.training_configs c;
set constraints all immediate;
alter table public.training_package_versions enable trigger rule_40_frozen;
alter table public.training_package_versions enable trigger set_updated_at;
alter table public.training_version_events enable trigger rule_10_append_only;
commit;
""",
    ),
    RowCheck(
        "version-without-creator",
        _TABLE,
        "select v.label from v where v.created_by is null and v.owner_id is not null",
        of_versions(
            """
update public.training_package_versions v set created_by = c.user_id
from public.training_configs c
where c.id = v.package_id and v.created_by is null and c.user_id is not null;
select training_versions_internal.move_pointers(c.id) from public.training_configs c;
"""
        ),
    ),
    RowCheck(
        "published-unsigned",
        _TABLE,
        """
        select v.label from v
        where (v.published_at is null or v.published_by is null)
            and (v.status = 'published' or v.status = 'archived' and not v.is_old)
        """,
        of_versions(
            """
update public.training_package_versions v
set published_at = coalesce(v.published_at, v.updated_at),
    published_by = coalesce(v.published_by, v.created_by, c.user_id)
from public.training_configs c
where c.id = v.package_id and v.status <> 'draft'
    and (v.published_at is null or v.published_by is null);
"""
        ),
    ),
    RowCheck(
        "draft-signed",
        _TABLE,
        """
        select v.label from v
        where v.status = 'draft' and not v.is_old
            and (v.published_at is not null or v.published_by is not null)
        """,
        of_versions(
            """
update public.training_package_versions set published_at = null, published_by = null
where status = 'draft' and (published_at is not null or published_by is not null);
""",
            "rule_60_unsigned",
        ),
    ),
    RowCheck(
        "edit-token",
        _TABLE,
        "select v.label from v where v.content_updated_at > v.updated_at and not v.is_old",
        of_versions(
            """
update public.training_package_versions set updated_at = content_updated_at
where content_updated_at > updated_at;
"""
        ),
    ),
    RowCheck(
        "version-name",
        _TABLE,
        r"""
        select v.label from v
        where not v.is_old and (v.name is null or v.name !~ '\S' or char_length(v.name) > 255)
        """,
        of_versions(
            r"""
update public.training_package_versions
set name = case when name ~ '\S' then left(name, 255) else 'version ' || version_number end
where name !~ '\S' or char_length(name) > 255;
"""
        ),
    ),
    RowCheck(
        "snapshot-shape",
        _TABLE,
        f"""
        select v.label
        from v
        join public.training_package_versions s on s.id = v.id
        where not v.is_old and ({_SHAPES})
        """,
        of_versions(
            """
-- What was there is kept under one key, or as the one entry of the data sets.
update public.training_package_versions
set config_snapshot = jsonb_build_object('value', config_snapshot)
where jsonb_typeof(config_snapshot) <> 'object';
update public.training_package_versions
set model_snapshot = jsonb_build_object('value', model_snapshot)
where jsonb_typeof(model_snapshot) <> 'object';
update public.training_package_versions
set dataset_snapshot = jsonb_build_array(dataset_snapshot)
where jsonb_typeof(dataset_snapshot) <> 'array';
""",
            "rule_41_snapshots",
        ),
    ),
    RowCheck(
        "version-cost",
        _TABLE,
        f"select v.label from v where not v.is_old and ({_COSTS})",
        """
-- A cost that is not known is null; actual_cost is the sum of the entries that are left.
update public.training_package_versions set estimated_cost = null
where estimated_cost < 0 or estimated_cost = 'NaN';
update public.training_package_versions set budget_limit = null
where budget_limit < 0 or budget_limit = 'NaN';
update public.training_package_versions set actual_cost = null
where actual_cost < 0 or actual_cost = 'NaN';
""",
    ),
    RowCheck(
        "deployed-without-target",
        _TABLE,
        "select v.label from v where v.is_deployed and v.deployment_target is null",
        """
update public.training_package_versions set is_deployed = false
where is_deployed and deployment_target is null;
""",
    ),
    RowCheck(
        "parent-of-another-user",
        _TABLE,
        """
        select v.label
        from v
        join v as parent on parent.id = v.parent_version_id
        where not v.is_old and parent.created_by is distinct from v.created_by
        """,
        of_versions(
            """
update public.training_package_versions v set parent_version_id = null
from public.training_package_versions p
where p.id = v.parent_version_id and p.created_by is distinct from v.created_by;
"""
        ),
    ),
    RowCheck(
        "parent-circle",
        _TABLE,
        """
        -- Those that descend from one without a parent, or from an old one, are in no circle.
        select v.label
        from v
        left join (
            with recursive
            children as materialized (
                select
                    c.id, c.parent_version_id,
                    c.is_old or p.id is null or p.is_old or p.parent_version_id is null as is_first
                from v as c
                left join v as p on p.id = c.parent_version_id
                where c.parent_version_id is not null
            ),
            descended (id) as (
                select c.id from children c where c.is_first
                union
                select c.id
                from descended d
                -- Not flattened, so that each step looks the children up by the index. A table
                -- without statistics would be read whole in every step otherwise.
                cross join lateral (
                    select n.id
                    from public.training_package_versions n
                    where n.parent_version_id = d.id
                    offset 0
                ) as c
            )
            -- `distinct` drops nothing. Without statistics the planner expects billions of rows
            -- from the recursion, and would spread a hash table for them over thousands of files.
            select distinct d.id from descended d
        ) as d on d.id = v.id
        where d.id is null and v.parent_version_id is not null
        """,
        of_versions(
            """
-- Cuts every circle at its oldest version.
with recursive ancestors (id, ancestor_id) as (
    select v.id, v.parent_version_id
    from public.training_package_versions v where v.parent_version_id is not null
    union
    select a.id, v.parent_version_id
    from ancestors a join public.training_package_versions v on v.id = a.ancestor_id
    where v.parent_version_id is not null
)
update public.training_package_versions v set parent_version_id = null
where v.id in (select a.id from ancestors a where a.id = a.ancestor_id)
    and not exists (
        select from ancestors a join public.training_package_versions o on o.id = a.ancestor_id
        where a.id = v.id and (o.created_at, o.id) < (v.created_at, v.id)
            and exists (select from ancestors b where b.id = o.id and b.ancestor_id = v.id)
    );
"""
        ),
    ),
)
