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
