"""A new editable column is one name in one list: all that concerns editing follows from it."""

import pytest

VERSIONS = "public.training_package_versions"
# What the migration of a release with one more editable column would hold.
MIGRATION = f"""
    alter table {VERSIONS} add column notes text;
    create or replace function training_versions_internal.editable_columns()
    returns text[]
    immutable
    set search_path = ''
    language sql
    as $$
        select array[
            'config_snapshot', 'model_snapshot', 'dataset_snapshot', 'notes',
            'name', 'change_summary', 'parent_version_id', 'estimated_cost', 'budget_limit'
        ]
    $$;
"""
FIELDS = (
    """{"config_snapshot": {}, "model_snapshot": {}, "dataset_snapshot": [], "notes": "first"}"""
)
ID = "cccccccc-0000-4000-8000-000000000001"
CREATE = f"public.create_training_draft(:package, '{FIELDS}', '{ID}')"


class Author:
    """A user with a draft that has the new column, in a database that has it."""

    def __init__(self, database):
        self.database = database
        self.id = database.new_user()
        package = self.value("select id from public.create_training_package('bot', 'x', '{}')")
        self.create = CREATE.replace(":package", f"'{package}'")
        self.value(f"select id from {self.create}")

    def value(self, query, **options):
        return self.database.value(query, user=self.id, **options)

    def event(self, kind):
        query = "select count(*) from public.training_version_events where kind = '{}'"
        return self.value(query.format(kind))


@pytest.fixture
def author(newest_server):
    database = newest_server.migrated_project()
    database.run(MIGRATION)
    return Author(database)


def test_it_is_created_edited_and_recorded(author):
    change = """'{"notes": "second"}'"""

    made = author.value(f"select notes from {author.create}")
    edited = author.value(f"select notes from public.update_training_draft('{ID}', {change})")

    assert (made, edited) == ("first", "second")
    assert author.value(
        "select details -> 'paths' from public.training_version_events where kind = 'edited'"
    ) == ["/notes"]


def test_its_value_tells_a_repeat_from_another_call(author):
    other = author.create.replace("first", "other")

    assert author.database.refusal(f"select {author.create};", user=author.id) is None
    assert author.database.refusal(f"select {other};", user=author.id) == "TV204"


def test_an_edit_that_does_not_change_it_changes_nothing(author):
    change = """'{"notes": "first"}'"""

    author.value(f"select notes from public.update_training_draft('{ID}', {change})")

    assert author.event("edited") == 0


def test_it_freezes(author):
    author.value(f"select status from public.publish_training_version('{ID}')")

    change = f"update {VERSIONS} set notes = 'late' where id = '{ID}';"

    assert author.database.refusal(change) == "TV301"


def test_it_is_copied(author):
    copied = author.value(f"select notes from public.restore_training_version('{ID}')")

    assert copied == "first"
