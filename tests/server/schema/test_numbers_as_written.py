"""1 and 1.0 are two values: stored, compared and frozen as they are written.

To a trainer 1 may be one batch and 1.0 all of them; to `=` of `jsonb` they are one number. Rows are
compared as text here, because Python takes them for one as well.
"""

import json
from uuid import uuid4

import pytest

from tests.server.schema.rest import SNAPSHOTS

# As it is written first, and as it is written then: nothing but how a number is written differs.
PAIRS = {
    "1 to 1.0": ({"r": 1}, {"r": 1.0}),
    "1.0 to 1": ({"r": 1.0}, {"r": 1}),
    "0 to 0.0": ({"r": 0}, {"r": 0.0}),
    "deep inside": ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2.0}]}}),
    "in an array": ({"betas": [1, 2]}, {"betas": [1, 2.0]}),
    "from -5 to -5.0": ({"r": -5}, {"r": -5.0}),
}
pairs = pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
# Each pair in one snapshot, and one pair in each of the others: all are compared by one function.
in_snapshots = pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        *(("config_snapshot", *pair) for pair in PAIRS.values()),
        *((column, {"r": 1}, {"r": 1.0}) for column in SNAPSHOTS if column != "config_snapshot"),
    ],
)


def written(column, config):
    """The value of a snapshot column that has this in it."""
    return [config] if column == "dataset_snapshot" else config


def text(value):
    return json.dumps(value, sort_keys=True)


def edited_paths(caller, version):
    events = caller.select(
        "training_version_events", version_id=f"eq.{version['id']}", kind="eq.edited"
    )
    return [event["details"]["paths"] for event in events]


@in_snapshots
class TestADraft:
    @pytest.mark.parametrize("way", ["update_draft", "patch"])
    def test_gets_the_edit_and_its_event(self, ada, one, other, column, way):
        draft = ada.draft(ada.package(), **{column: written(column, one)})
        changes = {column: written(column, other)}

        if way == "update_draft":
            answer = ada.update_draft(draft, changes)
        else:
            answer = ada.patch(draft, **changes)

        assert text(answer.row[column]) == text(ada.see(draft)[column]) == text(changes[column])
        (paths,) = edited_paths(ada, draft)
        assert all(path.startswith(f"/{column}") for path in paths)
        late = ada.update_draft(draft, {"name": "x"}, expected_updated_at=draft["updated_at"])
        assert late.code == "TV201"

    def test_is_no_repeat_of_one_that_is_written_otherwise(self, ada, one, other, column):
        package, new_id = ada.package(), str(uuid4())
        usual = {column: written(column, one)}

        made = ada.create_draft(package, version_id=new_id, **usual).row
        again = ada.create_draft(package, version_id=new_id, **usual)
        otherwise = ada.create_draft(package, version_id=new_id, **{column: written(column, other)})

        assert text(again.row) == text(made)
        assert otherwise.code == "TV204"


def test_a_draft_gets_the_edit_of_the_service_role(ada, backend):
    draft = ada.draft(ada.package(), config_snapshot={"r": 1})

    edited = backend.patch(draft, config_snapshot={"r": 1.0}).row

    assert text(edited["config_snapshot"]) == text({"r": 1.0})
    assert edited["content_updated_at"] > draft["content_updated_at"]


@in_snapshots
def test_what_is_published_stays_as_it_is_written(ada, backend, one, other, column):
    version = ada.published(ada.package(), **{column: written(column, one)})

    answer = backend.patch(version, **{column: written(column, other)})

    assert (answer.code, answer.detail["columns"]) == ("TV301", [column])
    assert text(ada.see(version)) == text(version)


@pairs
def test_an_edit_that_changes_nothing_is_one_that_writes_the_same(ada, one, other):
    draft = ada.draft(ada.package(), config_snapshot=one)

    assert ada.update_draft(draft, {"config_snapshot": one}).row == draft
    assert ada.update_draft(draft, {"config_snapshot": other}).row != draft


@pairs
class TestAPackage:
    def test_gets_the_edit(self, ada, one, other):
        package = ada.create_package(config_json=one).row

        ada.update_package(package, {"config_json": other})

        assert text(ada.see_package(package)["config_json"]) == text(other)

    def test_is_no_repeat_of_one_that_is_written_otherwise(self, ada, one, other):
        new_id = str(uuid4())
        ada.create_package(package_id=new_id, config_json=one)

        assert ada.create_package(package_id=new_id, config_json=one).status == 200
        assert ada.create_package(package_id=new_id, config_json=other).code == "TV204"


@pairs
def test_metrics_are_recorded_as_they_are_written(ada, one, other):
    draft = ada.draft(ada.package())

    for metrics in (one, other):
        version = ada.rpc("record_version_metrics", version_id=draft["id"], metrics=metrics).row

        assert text(version["training_metrics"]) == text(metrics)


@pairs
def test_an_import_is_no_repeat_of_one_that_is_written_otherwise(ada, one, other):
    package = ada.package()
    version = {
        **SNAPSHOTS,
        "id": str(uuid4()),
        "version_number": 1,
        "name": "one",
        "status": "published",
        "created_at": "2024-01-31T12:00:00Z",
        "published_at": "2024-01-31T12:00:00Z",
    }

    def import_config(config):
        versions = [{**version, "config_snapshot": config}]
        return ada.rpc("import_training_versions", package_id=package["id"], versions=versions)

    assert import_config(one).row["created"]
    assert not import_config(one).row["differs"]
    assert import_config(other).code == "TV207"


def test_a_copy_is_written_as_its_source(ada):
    version = ada.published(ada.package(), config_snapshot={"r": 1.0, "n": 1})

    restored = ada.rpc("restore_training_version", version_id=version["id"]).row
    forked = ada.rpc(
        "fork_training_version", version_id=version["id"], into_package_id=ada.package()["id"]
    ).row

    for copy in (restored, forked):
        assert text(copy["config_snapshot"]) == text({"r": 1.0, "n": 1})


def test_a_column_of_an_app_without_an_equality_is_in_nobodys_way(newest_server):
    database = newest_server.migrated_project()
    database.run("alter table public.training_package_versions add column extra json default '{}'")
    user = database.new_user()

    def value(query):
        return database.value(query, user=user)

    package = value("select id from public.create_training_package('bot', 'x', '{}')")
    fields = '{"config_snapshot": {"r": 1}, "model_snapshot": {}, "dataset_snapshot": []}'
    create = (
        f"select id from public.create_training_draft('{package}', '{fields}',"
        f" 'cccccccc-0000-4000-8000-000000000001')"
    )
    draft = value(create)
    updated = "select updated_at from public.update_training_draft('{}', '{}')"
    same, other = (updated.format(draft, f'{{"config_snapshot": {{"r": {r}}}}}') for r in (1, 1.0))

    assert value(create) == draft
    assert value(same) == value(same)
    assert value(same) < value(other)
