"""Rule 4: publishing signs a version and moves the package's pointers in one transaction.

Nobody can forge the signature or the pointers.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from uuid import uuid4

import pytest

from tests.server.schema.rest import VERSIONS, at_once

WAYS = {
    "by rpc": lambda caller, draft: caller.publish(draft),
    "by patch": lambda caller, draft: caller.patch(draft, status="published"),
}
LONG_AGO = "2001-01-01T00:00:00Z"


def pointers(caller, package):
    row = caller.see_package(package)
    return row["current_version_id"], row["latest_published_version"]


def is_now(text):
    return abs(datetime.fromisoformat(text) - datetime.now(UTC)) < timedelta(minutes=1)


class TestTheOwner:
    @pytest.mark.parametrize("way", WAYS)
    def test_publishes(self, ada, way):
        package = ada.package()

        version = WAYS[way](ada, ada.draft(package)).row

        assert (version["status"], version["published_by"]) == ("published", ada.id)
        assert is_now(version["published_at"])
        assert pointers(ada, package) == (version["id"], 1)

    def test_publishes_by_patch_as_clients_of_the_first_release_do(self, ada):
        draft = ada.draft(ada.package())
        changes = {
            "status": "published",
            "published_at": "2025-01-31T12:00:00.000Z",
            "published_by": ada.id,
            "name": "my-package-v1",
        }

        answer = ada.update(VERSIONS, changes, id=f"eq.{draft['id']}", status="eq.draft")

        assert (answer.row["status"], answer.row["name"]) == ("published", "my-package-v1")

    def test_cannot_sign_for_someone_else(self, ada, bo):
        draft = ada.draft(ada.package())

        answer = ada.patch(draft, status="published", published_by=bo.id)

        assert answer.refusal == (403, "42501")
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("column", ["published_at", "published_by"])
    def test_cannot_sign_a_draft(self, ada, column):
        signature = {column: {"published_at": LONG_AGO, "published_by": ada.id}[column]}
        package = ada.package()
        draft = ada.draft(package)

        assert ada.patch(draft, **signature).code == "TV306"
        assert ada.try_draft(package, **signature).code == "TV306"
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("status", ["published", "archived", "unheard-of", None])
    def test_cannot_insert_anything_but_a_draft(self, ada, status):
        package = ada.package()
        signature = {"published_at": LONG_AGO, "published_by": ada.id, "created_by": ada.id}

        assert ada.try_draft(package, status=status, **signature).code == "TV302"
        assert pointers(ada, package) == (None, 0)

    def test_cannot_archive_a_draft(self, ada):
        draft = ada.draft(ada.package())

        assert ada.archive(draft).code == "TV203"
        assert ada.patch(draft, status="archived").code in ("TV302", "42501")
        assert ada.see(draft) == draft

    def test_cannot_publish_an_archived_version(self, ada):
        version = ada.archived(ada.package())

        assert ada.publish(version).code == "TV203"
        assert ada.patch(version, status="published").rows == []
        assert ada.see(version) == version


class TestThePointers:
    def test_show_the_newest_number_in_any_order_of_publishing(self, ada):
        package = ada.package()
        first, second = ada.draft(package), ada.draft(package)

        ada.publish(second)
        ada.publish(first)

        assert pointers(ada, package) == (second["id"], 2)

    def test_are_right_after_publishing_all_drafts_with_one_patch(self, ada):
        package = ada.package()
        drafts = [ada.draft(package) for _ in range(3)]

        rows = ada.update(VERSIONS, {"status": "published"}, package_id=f"eq.{package['id']}").rows

        assert len(rows) == 3
        assert pointers(ada, package) == (drafts[2]["id"], 3)

    def test_show_the_newest_that_is_still_published_after_archiving(self, ada):
        package = ada.package()
        first, second, third = (ada.published(package) for _ in range(3))
        shown = []

        for version in (second, third, first):
            ada.archive(version)
            shown.append(pointers(ada, package))

        assert shown == [(third["id"], 3), (first["id"], 1), (None, 0)]

    def test_are_not_moved_by_drafts(self, ada):
        package = ada.package()
        version = ada.published(package)

        ada.remove(ada.draft(package))
        ada.draft(package)

        assert pointers(ada, package) == (version["id"], 1)

    def test_come_with_the_number_of_versions_that_there_are(self, ada):
        package = ada.package()

        def count():
            return ada.see_package(package)["version_count"]

        counts = [count()]
        draft = ada.draft(package)
        counts.append(count())
        ada.published(package)
        counts.append(count())
        ada.remove(draft)
        counts.append(count())

        assert counts == [0, 1, 2, 1]

    def test_are_right_after_publishing_many_at_once(self, ada):
        package = ada.package()
        drafts = [ada.draft(package) for _ in range(12)]

        answers = at_once([partial(ada.publish, draft) for draft in drafts])

        assert {answer.row["status"] for answer in answers} == {"published"}
        assert pointers(ada, package) == (drafts[-1]["id"], 12)

    def test_are_right_after_publishing_and_archiving_many_at_once(self, ada):
        package = ada.package()
        kept, *published = [ada.published(package) for _ in range(8)]
        drafts = [ada.draft(package) for _ in range(2)]

        answers = at_once(
            [
                *[partial(ada.archive, version) for version in published],
                *[partial(ada.publish, draft) for draft in drafts],
            ]
        )
        for draft in drafts:
            ada.archive(draft)

        assert [answer.status for answer in answers] == [200] * 9
        assert pointers(ada, package) == (kept["id"], 1)


class TestAStranger:
    def test_publishes_nothing_of_someone_else(self, ada, bo):
        draft, none = ada.draft(ada.package()), {"id": str(uuid4())}

        assert bo.publish(draft).code == bo.publish(none).code == "TV101"
        assert bo.patch(draft, status="published").rows == []
        assert ada.see(draft) == draft

    def test_archives_nothing_of_someone_else(self, ada, bo):
        version = ada.published(ada.package())

        assert bo.archive(version).code == "TV101"
        assert ada.see(version) == version

    def test_archives_nothing_of_someone_else_even_with_sql_of_their_own(self, ada, bo, database):
        version = ada.published(ada.package())

        database.refusal(
            f"select training_versions_internal.archive_version('{version['id']}')", user=bo.id
        )

        assert ada.see(version) == version


class TestTheServiceRole:
    def test_publishes_and_archives(self, ada, backend):
        package = ada.package()

        version = backend.publish(ada.draft(package)).row
        after_publishing = pointers(ada, package)
        backend.archive(version)

        assert after_publishing == (version["id"], 1)
        assert pointers(ada, package) == (None, 0)

    def test_archives_by_patch(self, ada, backend):
        package = ada.package()
        version = ada.published(package)

        assert backend.patch(version, status="archived").row["status"] == "archived"
        assert pointers(ada, package) == (None, 0)

    @pytest.mark.parametrize("status", ["published", "archived"])
    def test_cannot_insert_anything_but_a_draft(self, ada, backend, status):
        signature = {"published_at": LONG_AGO, "published_by": ada.id}

        assert backend.try_draft(ada.package(), status=status, **signature).code == "TV302"


def test_nobody_chooses_the_moment_of_publishing(ada, actor):
    draft = ada.draft(ada.package())

    version = actor.patch(draft, status="published", published_at=LONG_AGO).row

    assert is_now(version["published_at"])


def test_the_moments_of_a_version_are_in_order(ada):
    version = ada.archived(ada.package())

    moments = [
        datetime.fromisoformat(version[column])
        for column in ("created_at", "published_at", "updated_at")
    ]

    assert all(earlier < later for earlier, later in pairwise(moments))
