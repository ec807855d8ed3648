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


def run_both(database, user, first, second):
    """Run the second statement while the first is uncommitted; return how the second is refused."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    with database.session(user=user) as session, ThreadPoolExecutor(1) as pool:
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
