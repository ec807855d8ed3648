"""With 50,000 versions a read uses an index and touches a few pages, however many versions the package has."""

import json
from dataclasses import dataclass

import pytest

VERSIONS = "public.training_package_versions"
BIG, SMALL, OTHERS = 39_000, 500, 10_500

# As PostgREST sends them: prepared, the values and the limit as parameters.
READS = {
    "latest published": "package_id = $1 and status = $2 order by version_number desc limit $3",
    "list by package": "package_id = $1 and status = any ($2) order by version_number desc limit $3",
    "next page of a list": "package_id = $1 and version_number < $2 order by version_number desc limit $3",
    "get by number": "package_id = $1 and version_number = $2 order by version_number desc limit $3",
}
TYPES = {"latest published": "uuid, text, bigint", "list by package": "uuid, text[], bigint"}
ARGUMENTS = {
    "latest published": "'published', 1",
    "list by package": "array['draft', 'published', 'archived'], 50",
    "next page of a list": "{middle}, 50",
    "get by number": "{middle}, 1",
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
        """Rows of versions that were fetched, those thrown away by a filter included."""
        scans = [
            node
            for node in self.nodes()
            if node.get("Relation Name") == "training_package_versions"
        ]
        parts = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        return sum(
            node["Actual Loops"] * sum(node.get(part, 0) for part in parts) for node in scans
        )

    @property
    def scans_the_table(self):
        scans = [node for node in self.nodes() if node["Node Type"] == "Seq Scan"]
        return "training_package_versions" in {node["Relation Name"] for node in scans}


class Archive:
    """50,000 versions: packages of 39,000 and 500 with only the oldest published, and published ones of others."""

    def __init__(self, database):
        self.database = database
        self.big_owner, self.small_owner, crowd = (database.new_user() for _ in range(3))
        self.big, self.small, crowds = (
            database.run(
                "insert into public.training_configs (name, template_type, config_json, user_id)"
                f" values ('x', 'lora_finetuning', '{{}}', '{owner}') returning id;"
            ).strip()
            for owner in (self.big_owner, self.small_owner, crowd)
        )
        fill = "".join(
            f"""
            insert into {VERSIONS} (
                package_id, version_number, name, status, created_by, created_at, updated_at,
                published_at, published_by, config_snapshot, model_snapshot, dataset_snapshot
            )
            select
                '{package}', n, 'bot-v' || n, case when n <= {published} then 'published' else 'draft' end, '{owner}',
                now() - (50000 - n) * interval '1 minute', now(),
                case when n <= {published} then now() end, case when n <= {published} then '{owner}'::uuid end,
                jsonb_build_object('r', n % 64, 'run', 'run-' || n, 'notes', repeat('x', 100)), '{{"id": "base"}}',
                '[{{"datasetId": "123"}}]'
            from generate_series(1, {count}) n;
            insert into training_versions_internal.package_numbers (package_id, last_number)
            values ('{package}', {count});
            """
            for owner, package, count, published in (
                (self.big_owner, self.big, BIG, 1),
                (self.small_owner, self.small, SMALL, 1),
                (crowd, crowds, OTHERS, OTHERS),
            )
        )
        # As a restored backup would, past the triggers: it is the reads that are looked at here.
        database.run(
            f"set session_replication_role = replica; {fill} vacuum analyze {VERSIONS};", admin=True
        )

    def explain(self, query, *, user=None, before=""):
        role = "" if user else "set role service_role;"
        said = self.database.run(
            f"{role}\\o /dev/null\n{before}\n\\o\nexplain (analyze, buffers, format json) {query};",
            user=user,
        )
        return Plan(json.loads(said)[0]["Plan"])

    def read(self, name, package, user, middle):
        """The plan of a read that the same connection has made often."""
        arguments = f"'{package}', {ARGUMENTS[name].format(middle=middle)}"
        types = TYPES.get(name, "uuid, integer, bigint")
        execute = f"execute read ({arguments})"
        often = f"prepare read ({types}) as select * from {VERSIONS} where {READS[name]}; {f'{execute}; ' * 10}"
        return self.explain(execute, user=user, before=often)


@pytest.fixture(scope="module")
def archive(server, migrate):
    database = server.database()
    migrate(database)
    return Archive(database)


@pytest.mark.parametrize("read", READS)
def test_a_read_uses_an_index(archive, read):
    plan = archive.read(read, archive.big, archive.big_owner, BIG // 2)

    assert not plan.scans_the_table
    assert plan.indexes


@pytest.mark.parametrize("read", READS)
def test_a_read_does_not_depend_on_how_many_versions_the_package_has(archive, read):
    big = archive.read(read, archive.big, archive.big_owner, BIG // 2)
    small = archive.read(read, archive.small, archive.small_owner, SMALL // 2)

    assert big.pages <= small.pages + 10
    assert big.rows_looked_at <= 51


def test_the_latest_published_is_one_look_up_when_it_is_the_oldest(archive):
    plan = archive.read("latest published", archive.big, archive.big_owner, None)

    assert plan.rows_looked_at == 1
    assert plan.pages <= 10
    assert plan.indexes == {"idx_package_versions_published"}


def test_a_list_over_all_packages_stops_at_its_page(archive):
    plan = archive.explain(
        f"select * from {VERSIONS} order by created_at desc, id desc limit 50",
        user=archive.big_owner,
    )

    assert plan.rows_looked_at <= 51


@pytest.mark.parametrize("contained", ['{"run": "run-77"}', '{"r": 7}', '{"run": "none"}'])
def test_containment_costs_no_more_than_the_callers_own_versions(archive, contained):
    plan = archive.explain(
        f"select * from {VERSIONS} where config_snapshot @> '{contained}' order by created_at desc, id desc limit 50",
        user=archive.small_owner,
    )

    assert plan.rows_looked_at <= SMALL
    assert not plan.scans_the_table


def test_containment_in_one_package_costs_no_more_than_its_versions(archive):
    plan = archive.explain(
        f"""
        select * from {VERSIONS} where package_id = '{archive.small}' and config_snapshot @> '{{"run": "run-77"}}'
        """,
        user=archive.small_owner,
    )

    assert plan.rows_looked_at <= SMALL


@pytest.mark.parametrize(
    ("column", "contained"),
    [
        ("config_snapshot", '{"run": "run-77"}'),
        ("model_snapshot", '{"id": "rare"}'),
        ("dataset_snapshot", '[{"datasetId": "9"}]'),
    ],
)
def test_containment_uses_the_gin_index_for_the_service_role(archive, column, contained):
    plan = archive.explain(f"select * from {VERSIONS} where {column} @> '{contained}'")

    assert plan.indexes == {f"idx_package_versions_{column}"}


def test_text_taken_out_of_a_snapshot_uses_no_index(archive):
    plan = archive.explain(f"select * from {VERSIONS} where config_snapshot ->> 'run' = 'run-77'")

    assert plan.scans_the_table


WRITES = {
    "create": "public.create_training_draft('{package}', '{{}}', '{{}}', '[]')",
    "next number": "public.get_next_version_number('{package}')",
    "publish": "public.publish_training_version(id) from {versions} where {second}",
    "delete": "public.delete_training_draft(id) from {versions} where {third}",
}


@pytest.mark.parametrize("write", WRITES)
def test_a_write_does_not_depend_on_how_many_versions_the_package_has(archive, write):
    def pages(package, user):
        one = f"package_id = '{package}' and version_number = "
        query = "select " + WRITES[write].format(
            package=package, versions=VERSIONS, second=f"{one}2", third=f"{one}3"
        )
        # Once before, so that the session has read the catalog.
        return archive.explain(
            query, user=user, before=f"begin; savepoint s; {query}; rollback to s;"
        ).pages

    big, small = pages(archive.big, archive.big_owner), pages(archive.small, archive.small_owner)

    assert big <= small + 60


def test_a_lineage_is_walked_by_index_before_there_are_statistics(server, migrate):
    database = server.database()
    migrate(database)
    owner = database.new_user()
    # A first version and 3,000 that each descend from the one before, among as many others of the same user.
    database.run(
        f"""
        set session_replication_role = replica;
        alter table {VERSIONS} set (autovacuum_enabled = false);
        insert into public.training_configs (id, name, template_type, config_json, user_id)
        values (md5('p')::uuid, 'x', 'lora_finetuning', '{{}}', '{owner}');
        insert into {VERSIONS} (
            id, package_id, version_number, name, status, created_by, created_at, updated_at, parent_version_id,
            config_snapshot, model_snapshot, dataset_snapshot
        )
        select
            md5(n::text)::uuid, md5('p')::uuid, n, 'bot-v' || n, 'draft', '{owner}', now(), now(),
            case when n between 2 and 3000 then md5((n - 1)::text)::uuid end, '{{}}', '{{}}', '[]'
        from generate_series(1, 6000) n;
        """,
        admin=True,
    )

    def pages(number):
        said = database.run(
            f"explain (analyze, buffers, format json) select public.get_version_lineage(md5('{number}')::uuid);",
            user=owner,
        )
        return Plan(json.loads(said)[0]["Plan"]).pages

    assert pages(3000) - pages(6000) <= 3000 * 10  # the last one has no family
