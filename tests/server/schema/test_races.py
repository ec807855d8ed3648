"""Two transactions at once: the second waits for the first, sees what it did, and keeps the rules."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

VERSIONS = "public.training_package_versions"

# What the first transaction does, what the second does meanwhile, and what the second is told. There is a package with
# a draft, and a second draft whose parent the first is.
RACES = {
    "publish the child, delete the parent": (
        "select public.publish_training_version('{child}')",
        f"delete from {VERSIONS} where id = '{{parent}}'",
        "TV308",
    ),
    "publish, edit": (
        "select public.publish_training_version('{child}')",
        "select public.update_training_draft('{child}', '{{\"name\": \"late\"}}')",
        "TV202",
    ),
    "publish, edit by patch": (
        "select public.publish_training_version('{child}')",
        f"update {VERSIONS} set name = 'late' where id = '{{child}}'",
        None,
    ),
    "edit, edit with the old token": (
        "select public.update_training_draft('{child}', '{{\"name\": \"first\"}}')",
        "select public.update_training_draft('{child}', '{{\"name\": \"late\"}}', '{token}')",
        "TV201",
    ),
    "publish, delete the package": (
        "select public.publish_training_version('{child}')",
        "select public.delete_training_package('{package}')",
        "TV304",
    ),
    "delete the package, publish": (
        "select public.delete_training_package('{package}')",
        "select public.publish_training_version('{child}')",
        "TV101",
    ),
    "delete, publish": (
        "select public.delete_training_draft('{child}')",
        "select public.publish_training_version('{child}')",
        "TV101",
    ),
    "make one the parent, make the other the parent": (
        f"update {VERSIONS} set parent_version_id = '{{parent}}' where id = '{{child}}'",
        f"update {VERSIONS} set parent_version_id = '{{child}}' where id = '{{parent}}'",
        "TV307",
    ),
}


@pytest.fixture(scope="module")
def database(new_server, migrate):
    database = new_server.database()
    migrate(database)
    return database


def frozen(database, package):
    """What may not change of the package's versions that are published."""
    columns = "id, version_number, name, parent_version_id, config_snapshot"
    return database.rows(
        f"select {columns} from {VERSIONS} where package_id = '{package}' and status = 'published'"
    )


@pytest.mark.parametrize("race", RACES)
def test_the_second_of_two_is_told_what_the_first_did(database, race):
    first, second, code = RACES[race]
    user = database.new_user()
    package = database.value(
        "select id from public.create_training_package('bot', 'x', '{}')", user=user
    )
    draft = f"public.create_training_draft('{package}', '{{}}', '{{}}', '[]'"
    parent = database.value(f"select id from {draft})", user=user)
    with_parent = "" if race.startswith("make one") else f", p_parent_version_id => '{parent}'"
    (child,) = database.rows(f"select id, updated_at from {draft}{with_parent})", user=user)
    names = {
        "package": package,
        "parent": parent,
        "child": child["id"],
        "token": child["updated_at"],
    }

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(
            database.run,
            f"begin; {first.format(**names)}; select pg_sleep(0.5); commit;",
            user=user,
        )
        asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
        while not slow.done() and not database.value(asleep, admin=True):
            time.sleep(0.01)
        refusal = database.refusal(f"{second.format(**names)};", user=user)
        slow.result()

    assert refusal == code
    if first.startswith("select public.publish"):
        expected = {
            "id": child["id"],
            "version_number": 2,
            "parent_version_id": parent,
            "config_snapshot": {},
        }
        assert [
            {column: row[column] for column in expected} for row in frozen(database, package)
        ] == [expected]
        assert "late" not in str(frozen(database, package))
