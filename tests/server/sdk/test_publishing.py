"""Publishing and archiving, and what a package points at afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from training_versions import Package, Version, VersionStatus


def pointers(ada: Any, package: Package) -> tuple[Any, int]:
    found = ada.packages.get(package.id)
    return found.current_version_id, found.latest_published_version


def test_a_published_draft_is_signed_dated_and_named(
    ada: Any, draft: Version, package: Package
) -> None:
    ada.sent.clear()

    version = ada.versions.publish(draft.id, expected_updated_at=draft.updated_at)

    assert [request.url.path for request in ada.sent] == ["/rest/v1/rpc/publish_training_version"]
    assert version.status is VersionStatus.PUBLISHED
    assert version.name == "support-bot-v1"
    assert version.published_by == package.user_id
    assert abs(version.published_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert version == draft.model_copy(
        update={
            "status": VersionStatus.PUBLISHED,
            "name": version.name,
            "published_by": version.published_by,
            "published_at": version.published_at,
            "updated_at": version.updated_at,
        }
    )
    assert pointers(ada, package) == (version.id, 1)


def test_publishing_takes_a_name(ada: Any, draft: Version) -> None:
    assert ada.versions.publish(draft.id, name="spring").name == "spring"


def test_a_name_that_is_given_stays_as_it_is(ada: Any, draft: Version) -> None:
    assert ada.versions.publish(draft.id, name=draft.name).name == draft.name


def test_publishing_what_is_published_returns_it(ada: Any, draft: Version) -> None:
    once = ada.versions.publish(draft.id, expected_updated_at=draft.updated_at)

    twice = ada.versions.publish(draft.id, name="other", expected_updated_at=draft.updated_at)

    assert twice == once


def test_the_service_role_publishes_for_the_owner(admin: Any, ada: Any, draft: Version) -> None:
    version = admin.versions.publish(draft.id)

    assert version.published_by == draft.created_by
    assert ada.versions.get(draft.id) == version


def test_archiving_is_one_request_and_returns_what_it_made(ada: Any, published: Version) -> None:
    ada.sent.clear()

    version = ada.versions.archive(published.id)

    assert [request.url.path for request in ada.sent] == ["/rest/v1/rpc/archive_training_version"]
    assert version == published.model_copy(
        update={"status": VersionStatus.ARCHIVED, "updated_at": version.updated_at}
    )


def test_archiving_what_is_archived_returns_it(ada: Any, published: Version) -> None:
    once = ada.versions.archive(published.id)

    assert ada.versions.archive(str(published.id)) == once


def test_the_service_role_archives(admin: Any, published: Version) -> None:
    assert admin.versions.archive(published.id).status is VersionStatus.ARCHIVED


def test_archiving_moves_the_pointers_to_the_newest_version_still_published(
    ada: Any, package: Package, snapshots: Any
) -> None:
    one, two, three = (ada.versions.create_draft(package.id, **snapshots) for _ in range(3))
    for draft in (two, three, one):  # not in the order of their numbers
        ada.versions.publish(draft.id)
    ada.versions.create_draft(package.id, **snapshots)
    assert pointers(ada, package) == (three.id, 3)

    ada.versions.archive(three.id)
    assert pointers(ada, package) == (two.id, 2)
    assert ada.versions.latest_published(package.id).id == two.id

    ada.versions.archive(one.id)
    assert pointers(ada, package) == (two.id, 2)

    ada.versions.archive(two.id)
    assert pointers(ada, package) == (None, 0)
    assert ada.versions.latest_published(package.id) is None
    assert ada.versions.latest(package.id).version_number == 4


def test_latest_looks_at_every_status_and_latest_published_at_one(
    ada: Any, package: Package, snapshots: Any
) -> None:
    assert ada.versions.latest(package.id) is None
    assert ada.versions.latest_published(package.id) is None

    first = ada.versions.publish(ada.versions.create_draft(package.id, **snapshots).id)
    second = ada.versions.create_draft(package.id, **snapshots)

    assert ada.versions.latest_published(str(package.id)) == first
    assert ada.versions.latest(str(package.id)) == second


def test_nobody_sees_what_is_latest_in_somebody_elses_package(bob: Any, published: Version) -> None:
    assert bob.versions.latest(published.package_id) is None
    assert bob.versions.latest_published(published.package_id) is None


def test_versions_are_found_by_identifier_and_by_number(
    ada: Any, package: Package, published: Version
) -> None:
    assert ada.versions.get(str(published.id)) == published
    assert ada.versions.find(published.id) == published
    assert ada.versions.find(uuid4()) is None
    assert ada.versions.get_by_number(package.id, 1) == published
    assert ada.versions.get_by_number(str(package.id), 1) == published


@pytest.mark.parametrize(
    "read", ["get", "find", "get_by_number", "latest", "latest_published", "count"]
)
def test_a_read_is_one_request(ada: Any, published: Version, read: str) -> None:
    arguments = {
        "get": [published.id],
        "find": [published.id],
        "get_by_number": [published.package_id, 1],
    }
    ada.sent.clear()

    getattr(ada.versions, read)(*arguments.get(read, [published.package_id]))

    assert [request.method for request in ada.sent] == ["GET"]
