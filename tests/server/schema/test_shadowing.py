"""Tables, types, functions and operators that a caller puts in front of ours change nothing."""

import pytest

from tests.server.schema.databases import json_rows

ADA, BO = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000"
PACKAGE, FOREIGN = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001"
DRAFT, OTHER, PLAIN = (f"aaaaaaaa-0000-4000-8000-00000000001{n}" for n in range(3))
VERSIONS = "public.training_package_versions"

TABLES = (
    "training_configs",
    "training_package_versions",
    "package_numbers",
    "deletions",
    "users",
)
TYPES = (
    "uuid",
    "text",
    "jsonb",
    "timestamptz",
    "name",
    "int4",
    "bool",
    "numeric",
    "regclass",
    "record",
    "void",
)
FUNCTIONS = (
    "now() returns timestamptz",
    "clock_timestamp() returns timestamptz",
    "gen_random_uuid() returns uuid",
    "jsonb_typeof(jsonb) returns text",
    "jsonb_path_exists(jsonb, jsonpath) returns boolean",
    "jsonb_object_keys(jsonb) returns setof text",
    "jsonb_build_object(text, uuid) returns jsonb",
    "jsonb_build_object(text, text) returns jsonb",
    "char_length(text) returns integer",
    "round(numeric, integer) returns numeric",
    "format(text, integer) returns text",
    "format(text, text) returns text",
    "format(text, uuid) returns text",
    "left(text, integer) returns text",
    "to_char(timestamp, text) returns text",
    "timezone(text, timestamptz) returns timestamp",
    "regexp_replace(text, text, text) returns text",
    "row_security_active(text) returns boolean",
    "pg_has_role(name, oid, text) returns boolean",
    "array_remove(text[], text) returns text[]",
    "array_to_string(text[], text) returns text",
    "hashtext(text) returns integer",
    "current_setting(text, boolean) returns text",
    "uid() returns uuid",
)
OPERATORS = (
    *(
        (sign, kind, kind, "boolean")
        for sign in ("=", "<>")
        for kind in ("uuid", "text", "integer", "jsonb")
    ),
    ("+", "integer", "integer", "integer"),
    ("!~", "text", "text", "boolean"),
    ("->>", "jsonb", "text", "text"),
    ("?", "jsonb", "text", "boolean"),
)
BODY = "language plpgsql as $$ begin raise 'trapped'; end $$"


def traps():
    """SQL for a schema of things that are named like what our functions use, and raise."""
    yield "create schema traps; grant usage on schema traps to authenticated;"
    for function in FUNCTIONS:
        yield f"create function traps.{function} {BODY};"
    for n, (sign, left, right, result) in enumerate(OPERATORS):
        yield f"create function traps.operator_{n}({left}, {right}) returns {result} {BODY};"
        yield (
            f"create operator traps.{sign}"
            f" (leftarg = {left}, rightarg = {right}, function = traps.operator_{n});"
        )


# What a caller can do in their own session before they call us.
# pg_catalog would come first if it were not named.
SHADOW = "".join(
    [
        *(f"create temp table {table} (nothing integer);" for table in TABLES),
        *(f"create type pg_temp.{name} as (nothing integer);" for name in TYPES),
        "set search_path = traps, pg_temp, public, auth, training_versions_internal, pg_catalog;",
    ]
)


def equals(column, value):
    return f"{column} operator(pg_catalog.=) '{value}'"


# Every function and every kind of direct write, with nothing in it that the traps could catch.
STORY = f"""
    select public.create_training_package('bot', 'lora_finetuning', '{{}}', '{PACKAGE}');
    select public.update_training_package('{PACKAGE}', '{{"name": "support-bot"}}');
    select public.get_next_version_number('{PACKAGE}');
    select public.create_training_draft(
        '{PACKAGE}',
        '{{"config_snapshot": {{"r": 1}}, "model_snapshot": {{}}, "dataset_snapshot": [{{}}],
            "estimated_cost": "1.5"}}',
        '{DRAFT}'
    );
    select public.create_training_draft(
        '{PACKAGE}',
        '{{"config_snapshot": {{"r": 1}}, "model_snapshot": {{}}, "dataset_snapshot": [{{}}],
            "estimated_cost": "1.5"}}',
        '{DRAFT}'
    );
    select public.create_training_draft(
        '{PACKAGE}',
        '{{"config_snapshot": {{}}, "model_snapshot": {{}}, "dataset_snapshot": [],
            "parent_version_id": "{DRAFT}"}}',
        '{OTHER}'
    );
    select public.update_training_draft(
        '{OTHER}', '{{"budget_limit": "2.5", "change_summary": "x"}}'
    );
    select public.delete_training_draft('{OTHER}');
    select public.delete_training_draft('{OTHER}');
    select public.publish_training_version('{DRAFT}');
    insert into {VERSIONS}
        (
            id, package_id, status, config_snapshot, model_snapshot, dataset_snapshot,
            parent_version_id
        )
    values ('{PLAIN}', '{PACKAGE}', 'draft', '{{}}', '{{}}', '[{{}}]', '{DRAFT}');
    update {VERSIONS} set config_snapshot = '{{"r": 2}}' where {equals("id", PLAIN)};
    update {VERSIONS} set status = 'published' where {equals("id", PLAIN)};
    select public.archive_training_version('{PLAIN}');
    delete from {VERSIONS} where {equals("id", DRAFT)};
"""
OUTCOME = """
    select v.id, v.version_number, regexp_replace(v.name, '\\d{8}', 'DATE') as name, v.status,
        v.created_by, v.published_by, v.config_snapshot, v.parent_version_id, v.estimated_cost,
        v.published_at > v.created_at as in_order,
        c.name as package, c.version_count, c.latest_published_version, c.current_version_id
    from public.training_package_versions v
    join public.training_configs c on c.id = v.package_id
    order by v.version_number
"""


@pytest.fixture(scope="module")
def database(server):
    database = server.migrated_project()
    name = database.value("select current_database()")
    database.run(
        f"""
        insert into auth.users (id) values ('{ADA}'), ('{BO}');
        -- Supabase's own functions have no search path set; they are not ours to test.
        alter function auth.jwt() set search_path = pg_catalog, pg_temp;
        alter function auth.uid() set search_path = pg_catalog, pg_temp;
        grant create, temporary on database {name} to authenticated;
        {"".join(traps())}
        """,
        admin=True,
    )
    database.run(
        f"select public.create_training_package('theirs', 'x', '{{}}', '{FOREIGN}');", user=BO
    )
    return database


def outcome(database, story):
    """What a story leaves behind, as somebody sees it whom nothing shadows."""
    with database.session(user=ADA) as session:
        session.execute(f"begin; {story}")
        session.execute("reset role; set search_path = pg_catalog, pg_temp")
        return json_rows(session, OUTCOME)


def test_a_whole_story_goes_the_same_way(database):
    plain = outcome(database, STORY)

    assert outcome(database, SHADOW + STORY) == plain
    assert [(row["version_number"], row["status"]) for row in plain] == [
        (1, "published"),
        (3, "archived"),
    ]


ATTACKS = {
    "insert into someone else's package": (
        f"insert into {VERSIONS}"
        " (package_id, status, config_snapshot, model_snapshot, dataset_snapshot)"
        f" values ('{FOREIGN}', 'draft', '{{}}', '{{}}', '[]')",
        "42501",
    ),
    "create in someone else's package": (
        f"select public.create_training_draft('{FOREIGN}', '{{}}')",
        "TV102",
    ),
    "create without snapshots": (
        f"select public.create_training_draft('{PACKAGE}', '{{}}')",
        "TV306",
    ),
    "forge the version count": (
        f"update public.training_configs set version_count = 7 where {equals('id', PACKAGE)}",
        "TV305",
    ),
    "change a number": (
        f"update {VERSIONS} set version_number = 7 where {equals('id', PLAIN)}",
        "TV301",
    ),
    "make a version its own parent": (
        f"update {VERSIONS} set parent_version_id = '{PLAIN}' where {equals('id', PLAIN)}",
        "TV307",
    ),
    "edit what is published": (
        f"select public.update_training_draft('{DRAFT}', '{{\"name\": \"x\"}}')",
        "TV202",
    ),
    "edit with an old token": (
        f"select public.update_training_draft('{PLAIN}', '{{\"name\": \"x\"}}', '2001-01-01')",
        "TV201",
    ),
    "delete a package with history": (
        f"select public.delete_training_package('{PACKAGE}')",
        "TV304",
    ),
    "delete someone else's package": (
        f"select public.delete_training_package('{FOREIGN}')",
        "TV102",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_the_same_way(database, attack):
    story = STORY.partition(f"update {VERSIONS} set status")[0]
    sql, code = ATTACKS[attack]

    assert database.refusal(f"begin; {story} {sql}", user=ADA) == code
    assert database.refusal(f"begin; {story} {SHADOW} {sql}", user=ADA) == code


TRAPS = {
    "function": "select now()",
    "operator": "select 1 + 1",
    "type": f"select '{ADA}'::uuid",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_the_traps_work(database, trap):
    assert database.refusal(TRAPS[trap], user=ADA) is None
    assert database.refusal(SHADOW + TRAPS[trap], user=ADA) in ("P0001", "22P02")
