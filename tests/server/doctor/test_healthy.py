"""The doctor finds nothing in a healthy project, and leaves nothing in it."""

import pytest

from tests.server.doctor.conftest import upgrade
from tests.server.doctor.story import play
from training_versions.doctor import examine
from training_versions.local import LocalSupabase

NEWEST, OLDER = "newest PostgreSQL", "older PostgreSQL"


# Each pair of two of them is in one of these.
KINDS = [
    (NEWEST, False, "fresh"),
    (NEWEST, True, "upgraded"),
    (OLDER, True, "fresh"),
    (OLDER, False, "upgraded"),
]


@pytest.fixture(
    params=KINDS,
    ids=[f"{how}, {server}, default privileges: {given}" for server, given, how in KINDS],
)
def healthy(request):
    version, default_privileges, how = request.param
    options = {"default_privileges": default_privileges}
    if version == OLDER:
        options["postgres_bin"] = request.getfixturevalue("older_postgres_bin")
    if how == "upgraded":
        options["migrations"] = None
    with LocalSupabase(**options) as stack:
        if how == "upgraded":
            upgrade(stack)
        yield stack


def test_nothing_is_found_in_a_healthy_project(healthy):
    before = examine(db_url=healthy.db_url)
    assert before.findings == ()

    play(healthy)
    report = examine(db_url=healthy.db_url, url=healthy.url, key=healthy.secret_key)

    assert report.findings == ()
    assert report.not_done == ()
    assert report.exit_status == 0
    assert report.seconds < 3
