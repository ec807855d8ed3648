"""Rule 1: a package's versions are numbered 1, 2, 3 …, by the database, and no number is given twice."""

from uuid import uuid4

VERSIONS = "training_package_versions"


def next_number(caller, package):
    return caller.rpc("get_next_version_number", package_id=package["id"])


class TestTheOwner:
    def test_gets_1_as_the_first_number(self, ada):
        package = ada.package()

        assert next_number(ada, package).rows == 1

    def test_is_told_the_number_that_the_next_draft_then_gets(self, ada):
        package = ada.package()
        ada.draft(package)

        told = next_number(ada, package).rows

        assert (told, ada.draft(package)["version_number"]) == (2, 2)

    def test_may_leave_number_and_name_out_of_an_insert(self, ada):
        package = ada.package()

        drafts = [ada.draft(package) for _ in range(3)]

        assert [draft["version_number"] for draft in drafts] == [1, 2, 3]

    def test_may_send_null_for_number_and_name(self, ada):
        draft = ada.draft(ada.package(), version_number=None, name=None)

        assert draft["version_number"] == 1
        assert draft["name"]

    def test_may_insert_many_drafts_at_once(self, ada):
        package = ada.package()
        row = {
            "package_id": package["id"],
            "status": "draft",
            "config_snapshot": {},
            "model_snapshot": {},
        }

        rows = ada.insert(VERSIONS, [{**row, "dataset_snapshot": []} for _ in range(5)]).rows

        assert sorted(row["version_number"] for row in rows) == [1, 2, 3, 4, 5]

    def test_may_bring_the_number_that_the_rpc_gave(self, ada):
        package = ada.package()
        ada.draft(package)

        draft = ada.draft(
            package,
            version_number=next_number(ada, package).rows,
            name="my-package-v2-draft-20250131",
        )

        assert (draft["version_number"], draft["name"]) == (2, "my-package-v2-draft-20250131")

    def test_goes_on_after_a_number_brought_along(self, ada):
        package = ada.package()
        ada.draft(package, version_number=41)

        assert next_number(ada, package).rows == 42
        assert ada.draft(package)["version_number"] == 42

    def test_is_refused_a_taken_number_with_a_unique_violation(self, ada):
        package = ada.package()
        ada.draft(package)

        answer = ada.try_draft(package, version_number=1)

        assert (answer.status, answer.code) == (409, "23505")

    def test_gets_nothing_inserted_when_one_number_of_many_is_taken(self, ada):
        package = ada.package()
        ada.draft(package, version_number=2)
        row = {
            "package_id": package["id"],
            "status": "draft",
            "config_snapshot": {},
            "model_snapshot": {},
        }

        answer = ada.insert(
            VERSIONS, [{**row, "dataset_snapshot": [], "version_number": n} for n in (3, 2)]
        )

        assert answer.code == "23505"
        assert ada.numbers(package) == [2]
        assert next_number(ada, package).rows == 3

    def test_never_gets_the_number_of_a_deleted_draft_again(self, ada):
        package = ada.package()
        ada.draft(package)
        second = ada.draft(package)
        ada.delete(VERSIONS, id=f"eq.{second['id']}")

        assert next_number(ada, package).rows == 3
        assert ada.draft(package)["version_number"] == 3

    def test_never_gets_a_number_again_after_deleting_by_rpc(self, ada):
        package = ada.package()
        ada.rpc("delete_training_draft", version_id=ada.draft(package)["id"])

        assert ada.draft(package)["version_number"] == 2

    def test_cannot_bring_the_number_of_a_deleted_draft(self, ada):
        package = ada.package()
        first = ada.draft(package)
        ada.draft(package)
        ada.delete(VERSIONS, id=f"eq.{first['id']}")

        answer = ada.try_draft(package, version_number=1)

        assert (answer.status, answer.code) == (409, "23505")

    def test_cannot_bring_a_number_below_1(self, ada):
        package = ada.package()

        assert [ada.try_draft(package, version_number=n).code for n in (0, -1)] == [
            "TV306",
            "TV306",
        ]

    def test_is_not_stopped_for_ever_by_the_largest_integer(self, ada):
        package = ada.package()
        ada.try_draft(package, version_number=2**31 - 1)

        assert ada.try_draft(package).status == 201

    def test_finds_each_package_numbered_on_its_own(self, ada):
        first, second = ada.package(), ada.package()
        ada.draft(first)
        ada.draft(first)

        assert ada.draft(second)["version_number"] == 1


class TestAStranger:
    def test_learns_nothing_from_the_next_number_of_someone_elses_package(self, ada, bo):
        package = ada.package()
        ada.draft(package)

        answer = next_number(bo, package)

        assert answer.code == next_number(bo, {"id": str(uuid4())}).code == "TV102"

    def test_cannot_use_up_numbers_of_someone_elses_package(self, ada, bo):
        package = ada.package()

        bo.try_draft(package)
        bo.try_draft(package, version_number=1_000)
        bo.rpc("create_training_draft", package_id=package["id"], **_snapshots())

        assert next_number(ada, package).rows == 1


class TestTheServiceRole:
    def test_is_told_the_next_number_of_any_package(self, ada, backend):
        package = ada.package()
        ada.draft(package)

        assert next_number(backend, package).rows == 2

    def test_gets_no_number_twice_either(self, ada, backend):
        package = ada.package()
        first = backend.draft(package)
        backend.delete(VERSIONS, id=f"eq.{first['id']}")

        assert backend.draft(package)["version_number"] == 2
        assert backend.try_draft(package, version_number=1).code == "23505"


def test_somebody_not_signed_in_gets_no_number(ada, anon):
    answer = next_number(anon, ada.package())

    assert (answer.status, answer.code) == (401, "42501")


def _snapshots():
    return {"config_snapshot": {}, "model_snapshot": {}, "dataset_snapshot": []}
