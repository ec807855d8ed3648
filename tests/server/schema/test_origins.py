"""Where a version comes from is said by our functions only, and only while they run."""

from uuid import uuid4

VERSIONS = "public.training_package_versions"
DECLARE = "select training_versions_internal.declare_origin('{}', 'restored', '{{}}');"


def test_nobody_declares_an_origin_in_sql_of_their_own(ada, database):
    assert database.refusal(DECLARE.format(uuid4()), user=ada.id) == "42501"


def test_a_setting_of_the_session_makes_no_origin(ada, database):
    package, draft = ada.package(), uuid4()

    database.run(
        f"""
        set training_versions.origin = '{{"kind": "imported"}}';
        insert into {VERSIONS}
            (id, package_id, status, config_snapshot, model_snapshot, dataset_snapshot)
        values ('{draft}', '{package["id"]}', 'draft', '{{}}', '{{}}', '[]');
        """,
        user=ada.id,
    )

    (event,) = ada.select("training_version_events", version_id=f"eq.{draft}")
    assert event["kind"] == "created"


def test_no_origin_is_left_without_its_version(database):
    assert database.refusal(DECLARE.format(uuid4())) == "23503"


def test_an_origin_goes_with_its_version(ada, database):
    source = ada.draft(ada.package())
    copied = ada.rpc("restore_training_version", version_id=source["id"]).row
    origins = (
        "select count(*) from training_versions_internal.version_origins"
        f" where version_id = '{copied['id']}'"
    )
    before = database.value(origins)

    ada.rpc("delete_training_draft", version_id=copied["id"])

    assert (before, database.value(origins)) == (1, 0)


def test_an_import_leaves_no_transaction_marked_as_importing(ada, database):
    package = ada.package()

    answer = ada.rpc("import_training_versions", package_id=package["id"], versions=[])

    assert answer.rows == []
    assert database.rows("select * from training_versions_internal.imports") == []


def test_only_the_import_itself_brings_a_status_along(ada, database):
    package = ada.package()

    code = database.refusal(
        f"""
        select public.import_training_versions('{package["id"]}', '[]');
        insert into {VERSIONS}
            (package_id, status, config_snapshot, model_snapshot, dataset_snapshot)
        values ('{package["id"]}', 'published', '{{}}', '{{}}', '[]');
        """,
        user=ada.id,
    )

    assert code == "TV302"
    assert ada.numbers(package) == []
