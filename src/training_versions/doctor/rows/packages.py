"""Checks of the counters, pointers and numbers of packages, and of orphaned rows."""

from __future__ import annotations

import re

from training_versions.doctor.rows.check import RowCheck, of_events, of_versions
from training_versions.doctor.shipped import shipped

_REFERENCE = re.compile(r"FOREIGN KEY \((\w+)\) REFERENCES ([\w.]+)\((\w+)\)")

_NEWEST = """
    select n.{column}
    from public.training_package_versions n
    where n.package_id = {package} and n.status = 'published'
        and n.created_by is not distinct from {owner}
    order by n.version_number desc
    limit 1
"""


def _newest(column: str, package: str, owner: str) -> str:
    return _NEWEST.format(column=column, package=package, owner=owner)


_POINTERS = """
select training_versions_internal.move_pointers(c.id) from public.training_configs c;
"""

PACKAGES = (
    RowCheck(
        "version-count",
        "public.training_configs",
        """
        select p.label
        from p
        left join (
            select v.package_id, count(*) as number from v group by v.package_id
        ) as n on n.package_id = p.id
        where p.version_count is distinct from coalesce(n.number, 0)
        """,
        """
update public.training_configs c set version_count = n.number
from (
    select p.id, count(v.id) as number
    from public.training_configs p
    left join public.training_package_versions v on v.package_id = p.id
    group by p.id
) as n
where n.id = c.id and c.version_count is distinct from n.number;
""",
    ),
    RowCheck(
        "latest-published",
        "public.training_configs",
        f"""
        select p.label from p
        where p.latest_published_version
            is distinct from coalesce(({_newest("version_number", "p.id", "p.user_id")}), 0)
        """,
        _POINTERS,
    ),
    RowCheck(
        "current-version",
        "public.training_configs",
        f"""
        select p.label from p
        where p.current_version_id is distinct from ({_newest("id", "p.id", "p.user_id")})
        """,
        _POINTERS,
    ),
    RowCheck(
        "last-number",
        "training_versions_internal.package_numbers",
        """
        select p.label
        from p
        join (
            select v.package_id, max(v.version_number) as highest
            from v
            where not v.is_old
                or v.created_by is not distinct from v.owner_id and v.version_number <= 1000000000
            group by v.package_id
        ) as given on given.package_id = p.id
        left join training_versions_internal.package_numbers n on n.package_id = p.id
        where given.highest > coalesce(n.last_number, 0)
        """,
        """
insert into training_versions_internal.package_numbers as n (package_id, last_number)
select v.package_id, max(v.version_number)
from public.training_package_versions v
join public.training_configs c on c.id = v.package_id
where v.created_by is not distinct from c.user_id and v.version_number between 1 and 1000000000
group by v.package_id
on conflict (package_id) do update set last_number = greatest(n.last_number, excluded.last_number);
""",
    ),
    RowCheck(
        "number-reused",
        "public.training_package_versions",
        """
        select v.label
        from v
        join training_versions_internal.deletions d
            on d.package_id = v.package_id and d.version_number = v.version_number
        """,
        """
-- The version keeps its number; the record of the deleted draft goes.
delete from training_versions_internal.deletions d
using public.training_package_versions v
where d.package_id = v.package_id and d.version_number = v.version_number;
""",
    ),
    RowCheck(
        "number-below-one",
        "public.training_package_versions",
        "select v.label from v where v.version_number < 1 and not v.is_old",
        of_versions(
            """
update public.training_package_versions v
set version_number = training_versions_internal.next_number(v.package_id)
where v.version_number < 1;
insert into training_versions_internal.package_numbers as n (package_id, last_number)
select v.package_id, max(v.version_number)
from public.training_package_versions v
where v.version_number between 1 and 1000000000
group by v.package_id
on conflict (package_id) do update set last_number = greatest(n.last_number, excluded.last_number);
alter table public.training_version_events disable trigger rule_10_append_only;
update public.training_version_events e set version_number = v.version_number
from public.training_package_versions v
where v.id = e.version_id and v.package_id = e.package_id
    and v.version_number is distinct from e.version_number
    and not exists (select from training_versions_internal.deletions d where d.id = v.id);
alter table public.training_version_events enable trigger rule_10_append_only;
"""
        ),
    ),
    RowCheck(
        "sequence-behind",
        "public.training_version_events",
        """
        select s.name as label
        from (
            select
                'public.training_version_events_id_seq' as name,
                (select max(e.id) from public.training_version_events e) as highest
            union all
            select
                'training_versions_internal.deletions_deletion_id_seq',
                (select max(d.deletion_id) from training_versions_internal.deletions d)
        ) as s
        -- One that is gone was the column's, and is found with it.
        where to_regclass(s.name) is not null
            and s.highest > coalesce(pg_sequence_last_value(to_regclass(s.name)), 0)
        """,
        """
select setval('public.training_version_events_id_seq', max(id))
from public.training_version_events having max(id) is not null;
select setval('training_versions_internal.deletions_deletion_id_seq', max(deletion_id))
from training_versions_internal.deletions having max(deletion_id) is not null;
""",
    ),
    RowCheck(
        "import-left-open",
        "training_versions_internal.imports",
        """
        select i.transaction_id::text as label
        from training_versions_internal.imports i
        where i.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        """,
        """
delete from training_versions_internal.imports
where transaction_id < pg_snapshot_xmin(pg_current_snapshot());
""",
    ),
)


# A published version needs a publisher, so `published_by` cannot just be set to null.
_PUBLISHED_BY = """
-- Where nobody of them is left, the package is nobody's, and goes: delete it.
update public.training_package_versions x set published_by = (
    select u.id from auth.users u
    left join public.training_configs c on c.user_id = u.id and c.id = x.package_id
    where u.id = x.created_by or c.id is not null
    limit 1
)
where {gone};
"""


def orphans() -> tuple[RowCheck, ...]:
    """Return a check for each shipped foreign key."""
    checks: list[RowCheck] = []
    for facts in shipped()["constraint"].values():
        reference = _REFERENCE.match(facts["definition"])
        if facts["type"] == "f" and reference is not None:
            checks.append(_orphans(facts["table"], reference, facts["on_delete"]))
    return tuple(checks)


def _orphans(table: str, reference: re.Match[str], on_delete: str) -> RowCheck:
    column, target, key = reference.groups()
    gone = (
        f"x.{column} is not null and not exists (select from {target} t where t.{key} = x.{column})"
    )
    # One label for each missing key, because a curve has many points.
    labels = f"select distinct '{column} ' || x.{column} as label from {table} x where {gone}"
    if on_delete == "c":
        fix = f"delete from {table} x\nwhere {gone};"
    else:
        fix = f"update {table} x set {column} = null\nwhere {gone};"
    if column == "published_by":
        fix = _PUBLISHED_BY.format(gone=gone)
    if table == "public.training_version_events":
        fix = of_events(fix)
    if table == "public.training_package_versions":
        fix = of_versions(fix)
    return RowCheck("orphan-row", table, labels, fix)
