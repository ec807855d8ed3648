"""Among 50,000 versions a read uses an index and few pages, also in a package of many versions.

Reads are looked at as PostgREST's connections make them: prepared, by one of two thousand users
whom the planner does not know, and after the tenth call, when the plan is the lasting one, which
knows no parameter.
"""

from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from tests.server.schema.databases import EMPTY_FIELDS

VERSIONS = "public.training_package_versions"
SUMMARIES = "public.training_package_version_summaries"
DEPLOYMENTS = "public.training_deployments"
EVENTS = "public.training_version_events"
BIG, SMALL, OTHERS = 39_000, 500, 2_000
EACH = 5
"""The versions of each of the others."""


@dataclass(frozen=True)
class Read:
    """A query as PostgREST sends it: prepared, with the values and the limit as parameters.

    The first parameter is the package; `types` and `arguments` are those of the others.
    """

    query: str
    types: str
    arguments: str
    table: str = VERSIONS


READS = {
    "latest": Read("package_id = $1 order by version_number desc limit $2", "bigint", "1"),
    "latest published": Read(
        "package_id = $1 order by version_number desc limit $2",
        "bigint",
        "1",
        table="public.training_published_versions",
    ),
    "list by package": Read(
        "package_id = $1 and status = any ($2) order by version_number desc limit $3",
        "text[], bigint",
        "array['draft', 'published', 'archived'], 50",
        table=SUMMARIES,
    ),
    "list of a status that few have": Read(
        "package_id = $1 and status = $2 order by version_number desc limit $3",
        "text, bigint",
        "'published', 50",
        table=SUMMARIES,
    ),
    "history of a package": Read(
        "package_id = $1 order by occurred_at desc, id desc limit $2",
        "bigint",
        "50",
        table=EVENTS,
    ),
    "deployments of a package": Read(
        "package_id = $1 order by started_at desc, id desc limit $2",
        "bigint",
        "50",
        table=DEPLOYMENTS,
    ),
    "next page of a list": Read(
        "package_id = $1 and version_number < $2 order by version_number desc limit $3",
        "integer, bigint",
        "{middle}, 50",
    ),
    "get by number": Read(
        "package_id = $1 and version_number = $2 order by version_number desc limit $3",
        "integer, bigint",
        "{middle}, 1",
    ),
}


@dataclass
class Plan:
    """What `explain (analyze, buffers)` says."""

    tree: dict

    def nodes(self):
        waiting = [self.tree]
        while waiting:
            node = waiting.pop()
            waiting += node.get("Plans", [])
            yield node

    @property
    def indexes(self):
        return {node["Index Name"] for node in self.nodes() if "Index Name" in node}

    @property
    def pages(self):
        return self.tree["Shared Hit Blocks"] + self.tree["Shared Read Blocks"]

    @property
    def rows_looked_at(self):
        """Rows of these tables that were fetched, those thrown away by a filter included."""
        scans = [
            node
            for node in self.nodes()
            if f"public.{node.get('Relation Name')}" in (VERSIONS, EVENTS, DEPLOYMENTS)
        ]
        parts = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        return sum(
            node["Actual Loops"] * sum(node.get(part, 0) for part in parts) for node in scans
        )

    @property
    def scans_the_table(self):
        scans = [node for node in self.nodes() if node["Node Type"] == "Seq Scan"]
        return "training_package_versions" in {node["Relation Name"] for node in scans}


def explain(session, query):
    (answer,) = session.execute(f"explain (analyze, buffers, format json) {query}").fetchone()
    return Plan(answer[0]["Plan"])


@dataclass(frozen=True)
class Owner:
    """Somebody with one package of many versions, of which the oldest ones are published."""

    versions: int
    published: int
    id: str = field(default_factory=lambda: str(uuid4()))
    package: str = field(default_factory=lambda: str(uuid4()))


FILL = (
    "insert into auth.users (id) values (%(id)s)",
    """
    insert into public.training_configs (id, name, template_type, config_json, user_id)
    values (%(package)s, 'x', 'lora_finetuning', '{}', %(id)s)
    """,
    f"""
    insert into {VERSIONS} (
        package_id, version_number, name, status, created_by, created_at, updated_at,
        published_at, published_by, config_snapshot, model_snapshot, dataset_snapshot
    )
    select
        %(package)s::uuid, n, 'bot-v' || n,
        case when n <= %(published)s then 'published' else 'draft' end,
        %(id)s::uuid, now() - (50000 - n) * interval '1 minute', now(),
        case when n <= %(published)s then now() end,
        case when n <= %(published)s then %(id)s::uuid end,
        jsonb_build_object('r', n %% 64, 'run', 'run-' || n, 'notes', repeat('x', 100)),
        '{{"id": "base"}}',
        '[{{"datasetId": "123"}}]'
    from generate_series(1, %(versions)s) n
    """,
    f"""
    insert into {EVENTS} (
        package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at
    )
    select package_id, id, version_number, created_by, 'created', created_by, created_at
    from {VERSIONS}
    where package_id = %(package)s
    """,
    f"""
    insert into {DEPLOYMENTS} (
        package_id, version_id, version_number, owner_id, target, started_at, ended_at
    )
    select package_id, id, version_number, created_by, 'local', created_at, created_at
    from {VERSIONS}
    where package_id = %(package)s
    """,
    """
    insert into training_versions_internal.package_numbers (package_id, last_number)
    values (%(package)s, %(versions)s)
    """,
)


FILL_OTHERS = f"""
create temp table others as
    select gen_random_uuid() as id, gen_random_uuid() as package from generate_series(1, {OTHERS});
insert into auth.users (id) select id from others;
insert into public.training_configs (id, name, template_type, config_json, user_id)
select package, 'x', 'lora_finetuning', '{{}}', id from others;
insert into {VERSIONS} (
    package_id, version_number, name, status, created_by, created_at, updated_at, published_at,
    published_by, config_snapshot, model_snapshot, dataset_snapshot
)
select
    package, n, 'bot-v' || n, 'published', id, now() - n * interval '1 minute', now(), now(), id,
    jsonb_build_object('r', n), '{{"id": "base"}}', '[{{"datasetId": "123"}}]'
from others, generate_series(1, {EACH}) as n;
insert into {EVENTS} (
    package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at
)
select package_id, v.id, version_number, created_by, 'created', created_by, created_at
from {VERSIONS} v
join others on package = package_id;
"""


class Archive:
    """50,000 versions, most of them of one package, the others of two thousand users."""

    def __init__(self, database):
        self.database = database
        self.big = Owner(versions=BIG, published=1)
        self.small = Owner(versions=SMALL, published=1)
        with database.session(admin=True) as session:
            # As a restored backup would, past the triggers: it is the reads that are looked at.
            session.execute("set session_replication_role = replica")
            for owner in (self.big, self.small):
                for statement in FILL:
                    session.execute(statement, vars(owner))
            session.execute(FILL_OTHERS)
            session.execute(f"vacuum analyze {VERSIONS}")
            session.execute(f"vacuum analyze {EVENTS}")
            session.execute(f"vacuum analyze {DEPLOYMENTS}")

    def explain(self, query, *, user=None, before=""):
        """The plan of a query, by a user or by the service role, after other statements."""
        with self.database.session(user=user) as session:
            if user is None:
                session.execute("set role service_role")
            session.execute(before)
            return explain(session, query)

    def read(self, name, owner):
        """The plan of a read that the same connection has made often."""
        read = READS[name]
        arguments = read.arguments.format(middle=owner.versions // 2)
        query = f"select * from {read.table} where {read.query}"
        prepare = f"prepare read (uuid, {read.types}) as {query};"
        execute = f"execute read ('{owner.package}', {arguments});"
        return self.explain(execute, user=owner.id, before=prepare + 10 * execute)


@pytest.fixture(scope="module")
def archive(server):
    return Archive(server.migrated_project())


@pytest.mark.parametrize("read", READS)
def test_a_read_uses_an_index(archive, read):
    plan = archive.read(read, archive.big)

    assert not plan.scans_the_table
    assert plan.indexes


@pytest.mark.parametrize("read", READS)
def test_a_read_does_not_depend_on_how_many_versions_the_package_has(archive, read):
    big = archive.read(read, archive.big)
    small = archive.read(read, archive.small)

    assert big.pages <= small.pages + 10
    assert big.rows_looked_at <= 51


def test_a_list_of_a_status_that_few_have_looks_at_no_others(archive):
    plan = archive.read("list of a status that few have", archive.big)

    assert plan.rows_looked_at == archive.big.published
    assert plan.pages <= 10


def test_a_lineage_does_not_depend_on_how_many_versions_the_package_has(archive):
    def pages(owner):
        call = f"select public.get_version_lineage(id) from {VERSIONS}"
        query = f"{call} where package_id = '{owner.package}' and version_number = 2"
        return archive.explain(query, user=owner.id, before=f"{query};" * 10).pages

    assert pages(archive.big) <= pages(archive.small) + 10


def test_a_count_reads_nothing_but_an_index(archive):
    plan = archive.explain(
        f"select count(*) from {VERSIONS} where package_id = '{archive.big.package}'",
        user=archive.big.id,
    )

    assert not plan.scans_the_table
    assert plan.pages <= BIG / 50


def test_the_latest_published_is_one_look_up_when_it_is_the_oldest(archive):
    plan = archive.read("latest published", archive.big)

    assert plan.rows_looked_at == 1
    assert plan.pages <= 10


def test_a_list_over_all_packages_stops_at_its_page(archive):
    plan = archive.explain(
        f"select * from {VERSIONS} order by created_at desc, id desc limit 10",
        user=archive.big.id,
    )

    assert plan.rows_looked_at <= 11


def test_a_page_of_overviews_adds_up_the_packages_of_that_page_alone(archive):
    plan = archive.explain(
        "select * from public.training_package_overviews"
        " order by training_package_made_at desc, id desc limit 3"
    )

    # To add up all of them takes several pages for each.
    assert plan.pages <= OTHERS


@pytest.mark.parametrize(
    "contained",
    ['{"run": "run-77"}', '{"r": 7}', '{"run": "none"}'],
    ids=["in one version", "in many versions", "in none"],
)
def test_containment_costs_no_more_than_the_callers_own_versions(archive, contained):
    plan = archive.explain(
        f"select * from {VERSIONS} where config_snapshot @> '{contained}'"
        " order by created_at desc, id desc limit 50",
        user=archive.small.id,
    )

    assert plan.rows_looked_at <= SMALL
    assert not plan.scans_the_table


def test_containment_in_one_package_costs_no_more_than_its_versions(archive):
    plan = archive.explain(
        f"select * from {VERSIONS} where package_id = '{archive.small.package}'"
        """ and config_snapshot @> '{"run": "run-77"}'""",
        user=archive.small.id,
    )

    assert plan.rows_looked_at <= SMALL


@pytest.mark.parametrize(
    ("column", "contained"),
    [
        ("config_snapshot", '{"run": "run-77"}'),
        ("model_snapshot", '{"id": "rare"}'),
        ("dataset_snapshot", '[{"datasetId": "9"}]'),
    ],
    ids=["config", "model", "data set"],
)
def test_containment_uses_the_gin_index_for_the_service_role(archive, column, contained):
    plan = archive.explain(f"select * from {VERSIONS} where {column} @> '{contained}'")

    assert plan.indexes == {f"idx_package_versions_{column}"}


def test_text_taken_out_of_a_snapshot_uses_no_index(archive):
    plan = archive.explain(f"select * from {VERSIONS} where config_snapshot ->> 'run' = 'run-77'")

    assert plan.scans_the_table


ONE_VERSION = f"from {VERSIONS} where package_id = '{{package}}' and version_number"
WRITES = {
    "create": "select public.create_training_draft('{package}', '{fields}')",
    "next number": "select public.get_next_version_number('{package}')",
    "publish": f"select public.publish_training_version(id) {ONE_VERSION} = 2",
    "delete": f"select public.delete_training_draft(id) {ONE_VERSION} = 3",
}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_does_not_depend_on_how_many_versions_the_package_has(archive, write):
    def pages(owner):
        query = WRITES[write].format(package=owner.package, fields=EMPTY_FIELDS)
        # Once before, so that the session has read the catalog.
        before = f"begin; savepoint s; {query}; rollback to s"
        return archive.explain(query, user=owner.id, before=before).pages

    assert pages(archive.big) <= pages(archive.small) + 60


def test_a_lineage_is_walked_by_index_before_there_are_statistics(server):
    database = server.migrated_project()
    owner = database.new_user()
    # 3,000 versions, each from the one before, among as many others of the same user.
    database.run(
        f"""
        set session_replication_role = replica;
        alter table {VERSIONS} set (autovacuum_enabled = false);
        insert into public.training_configs (id, name, template_type, config_json, user_id)
        values (md5('p')::uuid, 'x', 'lora_finetuning', '{{}}', '{owner}');
        insert into {VERSIONS} (
            id, package_id, version_number, name, status, created_by, created_at, updated_at,
            parent_version_id, config_snapshot, model_snapshot, dataset_snapshot
        )
        select
            md5(n::text)::uuid, md5('p')::uuid, n, 'bot-v' || n, 'draft', '{owner}', now(), now(),
            case when n between 2 and 3000 then md5((n - 1)::text)::uuid end, '{{}}', '{{}}', '[]'
        from generate_series(1, 6000) n;
        """,
        admin=True,
    )

    def pages(number):
        with database.session(user=owner) as session:
            return explain(
                session, f"select public.get_version_lineage(md5('{number}')::uuid)"
            ).pages

    assert pages(3000) - pages(6000) <= 3000 * 10  # the last one has no family
