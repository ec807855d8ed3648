"""Rule 4: publishing signs a version and moves the package's pointers in one transaction, and neither is forged."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

VERSIONS = "training_package_versions"


def pointers(caller, package):
    row = caller.see_package(package)
    return row["current_version_id"], row["latest_published_version"]


def publish(caller, version, **arguments):
    return caller.rpc("publish_training_version", version_id=version["id"], **arguments)


def archive(caller, version):
    return caller.rpc("archive_training_version", version_id=version["id"])


def is_now(text):
    return abs(datetime.fromisoformat(text) - datetime.now(UTC)) < timedelta(minutes=1)


class TestTheOwner:
    def test_publishes_by_rpc(self, ada):
        package = ada.package()

        version = publish(ada, ada.draft(package)).row

        assert (version["status"], version["published_by"]) == ("published", ada.id)
        assert is_now(version["published_at"])
        assert pointers(ada, package) == (version["id"], 1)

    def test_publishes_by_patch(self, ada):
        package = ada.package()

        version = ada.edit(ada.draft(package), status="published").row

        assert (version["status"], version["published_by"]) == ("published", ada.id)
        assert is_now(version["published_at"])
        assert pointers(ada, package) == (version["id"], 1)

    def test_publishes_by_patch_as_the_first_release_was_told_to(self, ada):
        draft = ada.draft(ada.package())

        answer = ada.update(
            VERSIONS,
            {
                "status": "published",
                "published_at": "2025-01-31T12:00:00.000Z",
                "published_by": ada.id,
                "name": "my-package-v1",
            },
            id=f"eq.{draft['id']}",
            status="eq.draft",
        )

        assert (answer.row["status"], answer.row["name"]) == ("published", "my-package-v1")

    def test_cannot_choose_the_moment(self, ada):
        version = ada.edit(
            ada.draft(ada.package()), status="published", published_at="2001-01-01T00:00:00Z"
        ).row

        assert is_now(version["published_at"])

    def test_cannot_sign_for_someone_else(self, ada, bo):
        draft = ada.draft(ada.package())

        answer = ada.edit(draft, status="published", published_by=bo.id)

        assert (answer.status, answer.code) == (403, "42501")
        assert ada.see(draft) == draft

    @pytest.mark.parametrize(
        "signature", [{"published_at": "2025-01-01T00:00:00Z"}, {"published_by": "ada"}]
    )
    def test_cannot_sign_a_draft(self, ada, signature):
        signature = {
            column: ada.id if value == "ada" else value for column, value in signature.items()
        }
        package = ada.package()
        draft = ada.draft(package)

        assert ada.edit(draft, **signature).code == "TV306"
        assert ada.try_draft(package, **signature).code == "TV306"
        assert ada.see(draft) == draft

    @pytest.mark.parametrize("status", ["published", "archived", "unheard-of", None])
    def test_cannot_insert_anything_but_a_draft(self, ada, status):
        package = ada.package()

        answer = ada.try_draft(
            package,
            status=status,
            published_at="2025-01-01T00:00:00Z",
            published_by=ada.id,
            created_by=ada.id,
        )

        assert answer.code == "TV302"
        assert pointers(ada, package) == (None, 0)

    def test_cannot_archive_a_draft(self, ada):
        draft = ada.draft(ada.package())

        assert archive(ada, draft).code == "TV203"
        assert ada.edit(draft, status="archived").code in ("TV302", "42501")
        assert ada.see(draft) == draft

    def test_cannot_publish_an_archived_version(self, ada):
        version = ada.archived(ada.package())

        assert publish(ada, version).code == "TV203"
        assert ada.edit(version, status="published").rows == []
        assert ada.see(version) == version

    def test_finds_the_pointers_at_the_newest_number_whatever_the_order_of_publishing(self, ada):
        package = ada.package()
        first, second = ada.draft(package), ada.draft(package)

        publish(ada, second)
        publish(ada, first)

        assert pointers(ada, package) == (second["id"], 2)

    def test_finds_the_pointers_right_after_publishing_all_drafts_with_one_patch(self, ada):
        package = ada.package()
        drafts = [ada.draft(package) for _ in range(3)]

        rows = ada.update(VERSIONS, {"status": "published"}, package_id=f"eq.{package['id']}").rows

        assert len(rows) == 3
        assert pointers(ada, package) == (drafts[2]["id"], 3)

    def test_finds_the_pointers_at_the_newest_still_published_after_archiving(self, ada):
        package = ada.package()
        first, second, third = (ada.published(package) for _ in range(3))

        archive(ada, second)
        after_second = pointers(ada, package)
        archive(ada, third)
        after_third = pointers(ada, package)
        archive(ada, first)

        assert after_second == (third["id"], 3)
        assert after_third == (first["id"], 1)
        assert pointers(ada, package) == (None, 0)

    def test_finds_drafts_without_influence_on_the_pointers(self, ada):
        package = ada.package()
        version = ada.published(package)

        ada.delete(VERSIONS, id=f"eq.{ada.draft(package)['id']}")
        ada.draft(package)

        assert pointers(ada, package) == (version["id"], 1)

    def test_finds_version_count_at_the_number_of_versions_there_are(self, ada):
        package = ada.package()
        counts = []

        counts.append(ada.see_package(package)["version_count"])
        first = ada.draft(package)
        counts.append(ada.see_package(package)["version_count"])
        ada.published(package)
        counts.append(ada.see_package(package)["version_count"])
        ada.delete(VERSIONS, id=f"eq.{first['id']}")
        counts.append(ada.see_package(package)["version_count"])

        assert counts == [0, 1, 2, 1]

    def test_may_publish_many_at_once_from_many_places(self, ada):
        package = ada.package()
        drafts = [ada.draft(package) for _ in range(12)]

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda draft: publish(ada, draft), drafts))

        assert {answer.row["status"] for answer in answers} == {"published"}
        assert pointers(ada, package) == (drafts[-1]["id"], 12)

    def test_may_publish_and_archive_at_once_from_many_places(self, ada):
        package = ada.package()
        published = [ada.published(package) for _ in range(8)]
        drafts = [ada.draft(package) for _ in range(2)]

        with ThreadPoolExecutor(10) as pool:
            done = [pool.submit(archive, ada, version) for version in published[1:]]
            done += [pool.submit(publish, ada, draft) for draft in drafts]
        archive(ada, drafts[1])
        archive(ada, drafts[0])

        assert [future.result().status for future in done] == [200] * 9
        assert pointers(ada, package) == (published[0]["id"], 1)


class TestAStranger:
    def test_publishes_nothing_of_someone_else(self, ada, bo):
        package = ada.package()
        draft = ada.draft(package)

        assert publish(bo, draft).code == publish(bo, {"id": str(uuid4())}).code == "TV101"
        assert bo.edit(draft, status="published").rows == []
        assert ada.see(draft) == draft

    def test_archives_nothing_of_someone_else(self, ada, bo):
        version = ada.published(ada.package())

        assert archive(bo, version).code == "TV101"
        assert ada.see(version) == version

    def test_archives_nothing_of_someone_else_even_with_sql_of_their_own(self, ada, bo, database):
        version = ada.published(ada.package())

        database.refusal(
            f"select training_versions_internal.archive_version('{version['id']}');", user=bo.id
        )

        assert ada.see(version) == version


class TestTheServiceRole:
    def test_publishes_and_archives(self, ada, backend):
        package = ada.package()
        version = publish(backend, ada.draft(package)).row

        after_publishing = pointers(ada, package)
        archive(backend, version)

        assert after_publishing == (version["id"], 1)
        assert pointers(ada, package) == (None, 0)

    def test_archives_by_patch(self, ada, backend):
        package = ada.package()
        version = ada.published(package)

        assert backend.edit(version, status="archived").row["status"] == "archived"
        assert pointers(ada, package) == (None, 0)

    @pytest.mark.parametrize("status", ["published", "archived"])
    def test_cannot_insert_anything_but_a_draft(self, ada, backend, status):
        answer = backend.try_draft(
            ada.package(), status=status, published_at="2025-01-01T00:00:00Z", published_by=ada.id
        )

        assert answer.code == "TV302"

    def test_cannot_choose_the_moment(self, ada, backend):
        version = backend.edit(
            ada.draft(ada.package()), status="published", published_at="2001-01-01T00:00:00Z"
        ).row

        assert is_now(version["published_at"])


def test_the_moments_of_a_version_are_in_order(ada):
    version = ada.archived(ada.package())

    moments = [
        datetime.fromisoformat(version[column])
        for column in ("created_at", "published_at", "updated_at")
    ]

    assert all(earlier < later for earlier, later in pairwise(moments))
