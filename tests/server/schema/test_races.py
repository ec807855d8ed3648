"""The second of two transactions waits for the first, sees what it did, and keeps the rules."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.server.schema.databases import EMPTY_FIELDS

VERSIONS = "public.training_package_versions"


@dataclass(frozen=True)
class Race:
    """Two statements, and how the second is refused; None when it succeeds and changes nothing.

    They meet in a package with two drafts, `parent` and `child`, one of which came from the other.
    """

    first: str
    second: str
    refusal: str | None


PUBLISH = "select public.publish_training_version('{child}')"
DELETE_PACKAGE = "select public.delete_training_package('{package}')"
UPDATE = "select public.update_training_draft('{child}', jsonb_build_object('name', '%s')%s)"

RACES = {
    "publish the child, delete the parent": Race(
        PUBLISH, f"delete from {VERSIONS} where id = '{{parent}}'", "TV308"
    ),
    "publish, edit": Race(PUBLISH, UPDATE % ("late", ""), "TV202"),
    "publish, edit by patch": Race(
        PUBLISH, f"update {VERSIONS} set name = 'late' where id = '{{child}}'", None
    ),
    "edit, edit with the old token": Race(
        UPDATE % ("first", ""), UPDATE % ("late", ", '{token}'"), "TV201"
    ),
    "publish, delete the package": Race(PUBLISH, DELETE_PACKAGE, "TV304"),
    "delete the package, publish": Race(DELETE_PACKAGE, PUBLISH, "TV101"),
    "delete, publish": Race("select public.delete_training_draft('{child}')", PUBLISH, "TV101"),
    "make one the parent, make the other the parent": Race(
        f"update {VERSIONS} set parent_version_id = '{{parent}}' where id = '{{child}}'",
        f"update {VERSIONS} set parent_version_id = '{{child}}' where id = '{{parent}}'",
        "TV307",
    ),
}


@pytest.fixture(scope="module")
def database(newest_server):
    return newest_server.migrated_project()


def start(database, user, *, related):
    """A package with two drafts, the second from the first if they are `related`."""
    create = "select id from public.create_training_package('bot', 'x', '{}')"
    package = database.value(create, user=user)
    draft = f"select id, updated_at from public.create_training_draft('{package}', '%s')"
    fields = json.loads(EMPTY_FIELDS)
    (parent,) = database.rows(draft % json.dumps(fields), user=user)
    if related:
        fields["parent_version_id"] = parent["id"]
    (child,) = database.rows(draft % json.dumps(fields), user=user)
    return {
        "package": package,
        "parent": parent["id"],
        "child": child["id"],
        "token": child["updated_at"],
    }


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def run_both(database, user, first, second, *, first_user=...):
    """Run the second statement while the first is uncommitted; return how the second is refused."""
    first_user = user if first_user is ... else first_user
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    with database.session(user=first_user) as session, ThreadPoolExecutor(1) as pool:
        session.execute(f"begin; {first}")
        refusal = pool.submit(database.refusal, second, user=user)
        wait_until(lambda: refusal.done() or database.value(waiting, admin=True))
        assert not refusal.done()
        session.execute("commit")
        return refusal.result()


@pytest.mark.parametrize("name", RACES)
def test_the_second_of_two_sees_what_the_first_did(database, name):
    race, user = RACES[name], database.new_user()
    ids = start(database, user, related=not name.startswith("make one"))

    refusal = run_both(database, user, race.first.format(**ids), race.second.format(**ids))

    assert refusal == race.refusal
    if race.first == PUBLISH:
        columns = "id, version_number, name, parent_version_id, config_snapshot"
        (published,) = database.rows(
            f"select {columns} from {VERSIONS}"
            f" where package_id = '{ids['package']}' and status = 'published'"
        )
        assert published == {
            "id": ids["child"],
            "version_number": 2,
            "name": "bot-v2",
            "parent_version_id": ids["parent"],
            "config_snapshot": {},
        }


def test_of_two_publications_at_once_the_newest_number_is_shown(database):
    user = database.new_user()
    ids = start(database, user, related=False)
    publish = f"update {VERSIONS} set status = 'published' where id = '{{}}'"

    run_both(database, user, publish.format(ids["child"]), publish.format(ids["parent"]))

    current = (
        f"select current_version_id from public.training_configs where id = '{ids['package']}'"
    )
    assert database.value(current) == ids["child"]


def fill(statement, ids):
    """The statement with the ids in place of their names in braces; other braces are JSON."""
    for name, value in ids.items():
        statement = statement.replace("{" + name + "}", value)
    return statement


NEW_DRAFT = """
    insert into public.training_package_versions
        (package_id, parent_version_id, status, config_snapshot, model_snapshot, dataset_snapshot)
    values ('{into}', {from}, 'draft', '{}', '{}', '[]');
"""
PUBLISH_ALL = """
    update public.training_package_versions set status = 'published' where package_id = '{into}';
"""
ACROSS_PACKAGES = {
    "publish the child, delete the package": Race(PUBLISH, DELETE_PACKAGE, "TV308"),
    "publish the child by patch, delete the package by itself": Race(
        PUBLISH_ALL, "delete from public.training_configs where id = '{package}'", "TV308"
    ),
    # A child that is not committed yet is not seen by the deletion until it has waited for it.
    "make and publish a child, delete the package": Race(
        NEW_DRAFT + PUBLISH_ALL, DELETE_PACKAGE, "TV308"
    ),
    "make and publish a child, delete the parent": Race(
        NEW_DRAFT + PUBLISH_ALL, "select public.delete_training_draft('{parent}')", "TV308"
    ),
}


@pytest.mark.parametrize("name", ACROSS_PACKAGES)
def test_a_published_version_keeps_its_parent_in_another_package(database, name):
    race, user = ACROSS_PACKAGES[name], database.new_user()
    ids = start(database, user, related=False)
    into = start(database, user, related=False)
    ids |= {"into": into["package"], "child": into["child"], "from": f"'{ids['parent']}'"}
    database.run(
        f"update {VERSIONS} set parent_version_id = '{ids['parent']}' where id = '{ids['child']}'",
        user=user,
    )

    refusal = run_both(database, user, fill(race.first, ids), fill(race.second, ids))

    published = f"{versions_in(ids['into'])} and status = 'published' and version_number > 1"
    orphans = f"{published} and parent_version_id is null"
    assert refusal == race.refusal
    assert database.value(orphans) == 0


def versions_in(package):
    return f"select count(*) from {VERSIONS} where package_id = '{package}'"


HAND_OVER = """
    set role service_role;
    update public.training_configs set user_id = '{bo}' where id = '{into}'
"""
IMPORTED = {
    "id": "00000000-0000-4000-8000-00000000abcd",
    "version_number": 1,
    "name": "imported",
    "status": "draft",
    **json.loads(EMPTY_FIELDS),
}
MAKING = {
    "insert": (NEW_DRAFT, "42501"),
    "create": ("select public.create_training_draft('{into}', '" + EMPTY_FIELDS + "')", "TV102"),
    "fork": ("select public.fork_training_version('{child}', '{into}')", "TV102"),
    "import versions": (
        f"select public.import_training_versions('{{into}}', '[{json.dumps(IMPORTED)}]')",
        "TV102",
    ),
    "import events": ("select public.import_training_events('{into}', '[]')", "TV102"),
}


def start_handing_over(database):
    """Two users, an empty package of the first, and a version elsewhere."""
    ada, bo = database.new_user(), database.new_user()
    into = database.value(
        "select id from public.create_training_package('bot', 'x', '{}')", user=ada
    )
    return start(database, ada, related=False) | {
        "ada": ada,
        "bo": bo,
        "into": into,
        "from": "null",
    }


@pytest.mark.parametrize("way", MAKING)
def test_nothing_of_the_old_owner_lands_in_a_package_that_is_handed_over(database, way):
    ids, (statement, expected) = start_handing_over(database), MAKING[way]

    refusal = run_both(
        database, ids["ada"], fill(HAND_OVER, ids), fill(statement, ids), first_user=None
    )

    assert refusal == expected
    assert database.value(versions_in(ids["into"])) == 0


def test_what_the_service_role_makes_meanwhile_is_the_new_owners(database):
    ids = start_handing_over(database)

    refusal = run_both(
        database, None, fill(HAND_OVER, ids), "set role service_role;" + fill(NEW_DRAFT, ids)
    )

    assert refusal is None
    assert database.value(f"{versions_in(ids['into'])} and created_by = '{ids['bo']}'") == 1


@pytest.mark.parametrize("way", ["insert", "create", "fork", "import versions"])
def test_a_package_is_not_handed_over_while_its_first_version_is_made(database, way):
    ids = start_handing_over(database)

    refusal = run_both(
        database, None, fill(MAKING[way][0], ids), fill(HAND_OVER, ids), first_user=ids["ada"]
    )

    assert refusal == "TV301"
    assert database.value(f"{versions_in(ids['into'])} and created_by = '{ids['ada']}'") == 1


@dataclass(frozen=True)
class Write:
    """A write that adds an event to the history of the child, and what has to be done before."""

    statement: str
    before: str = "select 1"


START_TRAINING = "select public.start_version_training('{child}')"

WRITES = {
    "edit": Write(UPDATE % ("late", "")),
    "start training": Write(START_TRAINING),
    "end training": Write("select public.complete_version_training('{child}')", START_TRAINING),
    "record a cost": Write("select public.record_training_cost('{child}', 1)"),
    "delete": Write("select public.delete_training_draft('{child}')"),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_and_the_deletion_of_its_package_never_wait_for_each_other(database, name):
    write, user = WRITES[name], database.new_user()
    ids = start(database, user, related=False)
    database.run(write.before.format(**ids), user=user)
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"

    with database.session() as session, ThreadPoolExecutor(2) as pool:
        # The write stops before its event, holding all locks that it has taken until then.
        session.execute("begin; lock table public.training_version_events in share mode")
        writing = pool.submit(database.refusal, write.statement.format(**ids), user=user)
        wait_until(lambda: database.value(waiting, admin=True) == 1)
        deletion = pool.submit(database.refusal, DELETE_PACKAGE.format(**ids), user=user)
        wait_until(lambda: database.value(waiting, admin=True) == 2)
        session.execute("commit")

        assert (writing.result(), deletion.result()) == (None, None)
