"""A megabyte of content is not written again by what does not change it."""

import pytest

VERSIONS = "public.training_package_versions"
HEAVY = """
    jsonb_build_object(
        'config_snapshot', (
            select jsonb_object_agg('key' || n, md5(n::text)) from generate_series(1, 9000) as n
        ),
        'model_snapshot', '{}'::jsonb,
        'dataset_snapshot', '[]'::jsonb
    )
"""
CHANGES = {
    "a metric": "training_metrics = '{\"loss\": 1}'",
    "the name": "name = 'other'",
    "publishing": "status = 'published'",
}


@pytest.fixture(scope="module")
def database(newest_server):
    return newest_server.migrated_project()


@pytest.mark.parametrize("change", CHANGES)
def test_a_small_change_does_not_store_the_snapshots_anew(database, change):
    user = database.new_user()
    package = database.value(
        "select id from public.create_training_package('bot', 'x', '{}')", user=user
    )
    version = database.value(
        f"select id from public.create_training_draft('{package}', {HEAVY})", user=user
    )
    stored = (
        f"select pg_column_toast_chunk_id(config_snapshot) from {VERSIONS} where id = '{version}'"
    )
    before = database.value(stored)

    database.run(f"update {VERSIONS} set {CHANGES[change]} where id = '{version}';", user=user)

    assert before is not None
    assert database.value(stored) == before
