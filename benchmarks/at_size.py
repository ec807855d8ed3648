"""What reads cost among a million versions, 100,000 of them in one package, and 9,000 other users.

    python benchmarks/at_size.py --json docs/performance_at_size.json

Each read is made in the big package and in one of ten, by users of their own, over one connection
each and after ten calls: then PostgREST's prepared statements have their lasting plans.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from processors import Processors
from report import write_at_size, write_into
from training_versions import VersionRepository
from training_versions.local import LocalSupabase

BIG = 100_000
SMALL = 10
OTHERS = 9_000
ROUNDS = 30

# Past the triggers, as a restored backup; the indexes that are no constraints are made afterwards.
FILL = """
set session_replication_role = replica;
set maintenance_work_mem = '256MB';
create temp table later on commit drop as
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index i
    where indrelid in (
            'public.training_package_versions'::regclass,
            'public.training_version_events'::regclass
        )
        and not exists (
            select from pg_constraint c where c.conindid = i.indexrelid and c.contype <> 'f'
        );
do $$
declare dropped text;
begin
    for dropped in select name from later loop execute 'drop index ' || dropped; end loop;
end $$;

create temp table owners on commit drop as
    select md5('user ' || u)::uuid as id, md5('package ' || u)::uuid as package_id,
        case u when 1 then {big} when 2 then {small} else {each} end as versions
    from generate_series(1, 2 + {others}) as u;
insert into auth.users (id, email) select id, id || '@example.com' from owners;
insert into public.training_configs (
    id, name, template_type, config_json, user_id, version_count, latest_published_version,
    current_version_id
)
select package_id, 'bench', 'lora', '{{}}', id, versions, 1, null from owners;
insert into training_versions_internal.package_numbers (package_id, last_number)
select package_id, versions from owners;
-- In each package the oldest version is the only one that is published, and every ten versions are
-- a line of parents.
insert into public.training_package_versions (
    id, package_id, version_number, name, status, created_by, created_at, updated_at,
    published_at, published_by, parent_version_id, config_snapshot, model_snapshot,
    dataset_snapshot
)
select
    md5(o.package_id::text || n)::uuid, o.package_id, n, 'bench-v' || n,
    case n when 1 then 'published' else 'draft' end, o.id, m.moment, m.moment,
    case n when 1 then m.moment end, case n when 1 then o.id end,
    case when n % 10 <> 1 then md5(o.package_id::text || (n - 1))::uuid end,
    jsonb_build_object('r', n % 64, 'run', 'run-' || n, 'lr', 0.0001 * n),
    '{{"id": "base"}}', '[{{"datasetId": "123"}}]'
from owners o
cross join lateral generate_series(1, o.versions) as n
cross join lateral (select timestamptz '2026-01-01' + n * interval '1 minute') as m (moment);
insert into public.training_version_events (
    package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at, details
)
select package_id, id, version_number, created_by, 'created', created_by, created_at, '{{}}'
from public.training_package_versions;
update public.training_configs c
set current_version_id = v.id
from public.training_package_versions v
where v.package_id = c.id and v.status = 'published';
do $$
declare made text;
begin
    for made in select definition from later loop execute made; end loop;
end $$;
"""


def fill(stack: LocalSupabase, total: int) -> None:
    """Make the versions."""
    each = (total - BIG - SMALL) // OTHERS
    script = FILL.format(big=BIG, small=SMALL, others=OTHERS, each=each)
    with psycopg.connect(stack.admin_db_url) as connection:
        connection.execute(script)
    with psycopg.connect(stack.admin_db_url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def reads(versions: VersionRepository, package_id: UUID, middle: UUID) -> dict[str, Any]:
    """Return the reads that should not depend on the size of the package."""
    return {
        "latest": lambda: versions.latest(package_id),
        "latest published": lambda: versions.latest_published(package_id),
        "list": lambda: versions.list(package_id, limit=8),
        "list of drafts": lambda: versions.list(package_id, limit=8, status="draft"),
        "list over all packages": lambda: versions.list(limit=8),
        "history": lambda: versions.history(package_id=package_id, limit=8),
        "history of all packages": lambda: versions.history(limit=8),
        "history of a version": lambda: versions.history(version_id=middle, limit=8),
        "lineage": lambda: versions.lineage(middle),
        "count": lambda: versions.count(package_id),
    }


def searches(versions: VersionRepository, package_id: UUID) -> dict[str, Any]:
    """Return the reads that look into the versions of a package."""
    return {
        "containment": lambda: versions.list(package_id, config_contains={"run": "run-77"}),
        "containment, none": lambda: versions.list(package_id, config_contains={"run": "none"}),
        "text": lambda: versions.list(package_id, text="v77"),
        "text, none": lambda: versions.list(package_id, text="none"),
    }


def measure(call: Callable[[], Any], processors: Processors, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of a call: on the clock, and of the database's processor."""
    for _ in range(10):
        call()
    processors.find_backends()
    walls: list[float] = []
    times: list[float] = []
    for _ in range(rounds):
        before = processors.read().database
        start = time.perf_counter()
        call()
        walls.append(time.perf_counter() - start)
        times.append(processors.read().database - before)
    return {"wall": statistics.median(walls) * 1000, "database": statistics.median(times) * 1000}


def measure_on(stack: LocalSupabase, total: int) -> dict[str, Any]:
    """Fill a stack, and measure every read in it."""
    start = time.perf_counter()
    fill(stack, total)
    print(f"  filled in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    processors = Processors(stack)
    repositories: dict[str, VersionRepository] = {}
    found: dict[str, tuple[UUID, UUID]] = {}
    for name, number in (("package of ten", 2), ("package of 100,000", 1)):
        with psycopg.connect(stack.admin_db_url) as connection:
            (user,), (package_id,) = connection.execute(
                f"select unnest(array[md5('user {number}'), md5('package {number}')])::uuid"
            ).fetchall()
            middle = connection.execute(
                "select id from public.training_package_versions"
                " where package_id = %s and version_number = 5",
                [package_id],
            ).fetchone()
        repositories[name] = VersionRepository(stack.sign_in(f"{user}@example.com"))
        found[name] = (package_id, middle[0])

    calls = {name: reads(each, *found[name]) for name, each in repositories.items()}
    figures: dict[str, Any] = {"reads": {}, "searches": {}}
    for read in calls["package of ten"]:
        figures["reads"][read] = {}
        for name in random.sample(list(calls), len(calls)):
            figures["reads"][read][name] = measure(calls[name][read], processors, ROUNDS)
        print(f"  {read}: {figures['reads'][read]}", file=sys.stderr)
    big = repositories["package of 100,000"]
    big_id, _ = found["package of 100,000"]
    for search, call in searches(big, big_id).items():
        figures["searches"][search] = measure(call, processors, 5)
        print(f"  {search}: {figures['searches'][search]}", file=sys.stderr)
    start = time.perf_counter()
    walked = sum(1 for _ in big.iterate(big_id, page_size=1000))
    figures["walk of 100,000, seconds"] = time.perf_counter() - start
    assert walked == BIG
    print(f"  walk: {figures['walk of 100,000, seconds']:.1f} s", file=sys.stderr)
    processors.close()
    return figures


def main() -> None:
    """Measure on the newest PostgreSQL, and on an older one where its programs are given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--versions", type=int, default=1_000_000)
    parser.add_argument("--postgres-bin", type=Path, help="of an older PostgreSQL")
    parser.add_argument("--only-older", action="store_true")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--page", type=Path, help="put the tables into this page of the docs")
    options = parser.parse_args()

    servers: list[Path | None] = [] if options.only_older else [None]
    if options.postgres_bin is not None and options.postgres_bin.is_dir():
        servers.append(options.postgres_bin)
    figures: dict[str, Any] = {}
    for server in servers:
        with LocalSupabase(postgres_bin=server) as stack:
            version = stack.psql("show server_version_num").strip()[:2]
            print(f"PostgreSQL {version}", file=sys.stderr)
            figures[f"PostgreSQL {version}"] = measure_on(stack, options.versions)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    table = write_at_size(figures)
    if options.page is not None:
        write_into(options.page, "size", table)
    print(table)


if __name__ == "__main__":
    main()
