"""Rows that are stored and cannot be read are told one by one, and stop no walk."""

import pytest

from tests.faces import both_faces
from training_versions import UnreadableReplyError, UnreadableRow

# What older rules let into a database: how a version is made unreadable, and what is said of it.
UNREADABLE = {
    "a moment after the year 9999": ("created_at = '20000-01-01'", "created_at"),
    "a moment without end": ("updated_at = 'infinity'", "updated_at"),
    "a number of 5,000 digits": (
        "config_snapshot = jsonb_build_object('a', (1 || repeat('0', 5000))::numeric)",
        "text",
    ),
    "a status that is none": ("training_status = 'lost'", "training_status"),
}


@pytest.fixture
def spoilt(ada, package, sql, request):
    """Five versions, of which the second and the newest cannot be read."""
    drafts = [ada.draft(package) for _ in range(5)]
    change, _ = UNREADABLE[request.param]
    ids = ", ".join(f"'{drafts[place].id}'" for place in (1, 4))
    sql.past_triggers(
        "alter table public.training_package_versions drop constraint valid_training_status;"
        f"update public.training_package_versions set {change} where id in ({ids})"
    )
    yield drafts
    sql.past_triggers(
        f"update public.training_package_versions set training_status = null where id in ({ids});"
        "alter table public.training_package_versions add constraint valid_training_status"
        " check (training_status in ('pending', 'running', 'completed', 'failed', 'cancelled'))"
    )


def walk(iterator):
    """What a walk yields, and the error that it ends with."""
    found = []
    with pytest.raises(UnreadableReplyError) as caught:
        found.extend(iterator)  # keeps what came before the error
    return found, caught.value


@both_faces
@pytest.mark.parametrize("page_size", [2, 200])
@pytest.mark.parametrize("spoilt", UNREADABLE, indirect=True)
def test_a_walk_yields_all_others_and_then_names_those(
    ada, package, spoilt, page_size, request, survives_pickle
):
    bad = {spoilt[1].id, spoilt[4].id}
    walked = ada.versions.iterate(package.id, snapshots=True, page_size=page_size)

    found, error = walk(walked)

    assert [version.version_number for version in found] == [4, 3, 1]
    assert {row.id for row in error.rows} == {str(version_id) for version_id in bad}
    assert all(isinstance(row, UnreadableRow) for row in error.rows)
    assert all(str(version_id) in error.message for version_id in bad)
    assert (error.operation, len(error.reply)) == ("versions.iterate", 2)
    survives_pickle(error)


@pytest.mark.parametrize("spoilt", UNREADABLE, indirect=True)
def test_a_list_is_refused_with_the_same_names(ada, package, spoilt):
    with pytest.raises(UnreadableReplyError) as caught:
        ada.versions.list(package.id, snapshots=True)

    assert {row.id for row in caught.value.rows} == {str(spoilt[1].id), str(spoilt[4].id)}


def test_a_walk_over_history_goes_on_as_well(ada, package, sql):
    draft = ada.draft(package)
    ada.versions.publish(draft.id)
    sql.past_triggers(
        "update public.training_version_events set occurred_at = '-infinity'"
        " where version_id = %(version)s and kind = 'created'",
        version=draft.id,
    )

    found, error = walk(ada.versions.iterate_history(package_id=package.id, order="oldest"))

    assert [event.kind for event in found] == ["published"]
    assert "occurred_at" in error.rows[0].problem


def test_a_walk_over_packages_of_all_users_goes_on_as_well(ada, admin, unique, sql):
    packages = [ada.package(unique("bot")) for _ in range(2)]
    sql.past_triggers(
        "update public.training_configs"
        " set config_json = jsonb_build_object('a', (1 || repeat('0', 5000))::numeric)"
        " where id = %(package)s",
        package=packages[0].id,
    )

    found, error = walk(admin.packages.iterate(page_size=50))

    assert packages[1].id in {package.id for package in found}
    assert str(packages[0].id) in {row.id for row in error.rows}
    sql.past_triggers(
        "update public.training_configs set config_json = '{}' where id = %(package)s",
        package=packages[0].id,
    )
