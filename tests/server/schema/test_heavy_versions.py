"""A megabyte of content is not written again by what does not change it; nor is an index."""

import pytest

from tests.server.schema.databases import json_rows

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


def heavy_draft(database, user):
    """A draft of the user, with large snapshots, in a package of its own."""
    package = database.value(
        "select id from public.create_training_package('bot', 'x', '{}')", user=user
    )
    return database.value(
        f"select id from public.create_training_draft('{package}', {HEAVY})", user=user
    )


@pytest.mark.parametrize("change", CHANGES)
def test_a_small_change_does_not_store_the_snapshots_anew(database, change):
    user = database.new_user()
    version = heavy_draft(database, user)
    stored = (
        f"select pg_column_toast_chunk_id(config_snapshot) from {VERSIONS} where id = '{version}'"
    )
    before = database.value(stored)

    database.run(f"update {VERSIONS} set {CHANGES[change]} where id = '{version}';", user=user)

    assert before is not None
    assert database.value(stored) == before


def test_an_edit_of_100_000_keys_is_recorded_at_once(database):
    content = """
        select jsonb_object_agg(g, (
            select jsonb_object_agg(k, jsonb_build_object('r', {0})) from generate_series(1, 1000) k
        ))
        from generate_series(1, 100) g
    """
    paths = f"""
        select p from training_versions_internal.changed_paths(
            ({content.format(1)}), ({content.format(2)}), '/config_snapshot', 101
        ) p
    """

    with database.session() as session:
        # Fifty milliseconds are usual; without a bound on the paths it was four seconds.
        session.execute("set statement_timeout = '2s'")
        found = json_rows(session, paths)

    assert len(found) == 101
    assert found[0] == {"p": "/config_snapshot/1/1/r"}


def test_an_edit_that_joins_an_event_writes_to_no_index_of_the_events(database):
    user = database.new_user()
    version = heavy_draft(database, user)

    with database.session(user=user) as session:
        session.execute("begin")
        for summary in ("first", "second", "third"):
            changes = f"""'{{"change_summary": "{summary}"}}'"""
            session.execute(f"select public.update_training_draft('{version}', {changes})")
        (updates,) = session.execute(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables"
            " where relname = 'training_version_events'"
        )

    assert updates == (2, 2)  # heap-only tuples


def test_a_save_of_a_large_draft_writes_little_more_than_its_content_to_the_log(database):
    user = database.new_user()
    version = heavy_draft(database, user)
    size = database.value(
        f"select pg_column_size(config_snapshot) from {VERSIONS} where id = '{version}'"
    )
    position = "select pg_current_wal_insert_lsn()"
    saves = 8

    before = database.value(position)
    for number in range(saves):
        database.value(
            f"""
            select s.id
            from {VERSIONS} v
            cross join lateral public.update_training_draft(v.id, jsonb_build_object(
                'config_snapshot', v.config_snapshot || '{{"key1": {number}}}'
            )) as s
            where v.id = '{version}'
            """,
            user=user,
        )
    written = database.value(f"select pg_wal_lsn_diff(({position}), '{before}')")

    assert written / saves < 2 * size
