"""Rule 1: the database numbers a package's versions 1, 2, 3 …, and gives no number twice."""

from uuid import uuid4

import pytest

from tests.server.schema.rest import RETURN_ROWS, SNAPSHOTS, VERSIONS


def rows_of(package, count, **columns):
    row = {"package_id": package["id"], "status": "draft", **SNAPSHOTS, **columns}
    return [dict(row) for _ in range(count)]


class TestTheOwner:
    def test_gets_1_as_the_first_number(self, ada):
        assert ada.next_number(ada.package()).rows == 1

    def test_gets_the_number_that_was_returned_as_the_next(self, ada):
        package = ada.package()
        ada.draft(package)

        number = ada.next_number(package).rows

        assert (number, ada.draft(package)["version_number"]) == (2, 2)

    def test_may_leave_number_and_name_out_of_an_insert(self, ada):
        package = ada.package()

        drafts = [ada.draft(package) for _ in range(3)]

        assert [draft["version_number"] for draft in drafts] == [1, 2, 3]

    def test_may_send_null_for_number_and_name(self, ada):
        draft = ada.draft(ada.package(), version_number=None, name=None)

        assert draft["version_number"] == 1
        assert draft["name"]

    def test_may_insert_many_drafts_at_once(self, ada):
        rows = ada.insert(VERSIONS, rows_of(ada.package(), 5)).rows

        assert sorted(row["version_number"] for row in rows) == [1, 2, 3, 4, 5]

    def test_may_bring_the_number_that_the_rpc_gave(self, ada):
        package = ada.package()
        ada.draft(package)
        columns = {
            "version_number": ada.next_number(package).rows,
            "name": "my-package-v2-draft-20250131",
        }

        draft = ada.draft(package, **columns)

        assert {column: draft[column] for column in columns} == {**columns, "version_number": 2}

    def test_goes_on_after_a_number_brought_along(self, ada):
        package = ada.package()
        ada.draft(package, version_number=41)

        assert ada.next_number(package).rows == 42
        assert ada.draft(package)["version_number"] == 42

    def test_is_refused_a_taken_number_with_a_unique_violation(self, ada):
        package = ada.package()
        ada.draft(package)

        assert ada.try_draft(package, version_number=1).refusal == (409, "23505")

    def test_gets_nothing_inserted_when_one_number_of_many_is_taken(self, ada):
        package = ada.package()
        ada.draft(package, version_number=2)
        free, taken = rows_of(package, 1, version_number=3), rows_of(package, 1, version_number=2)

        answer = ada.insert(VERSIONS, free + taken)

        assert answer.code == "23505"
        assert ada.numbers(package) == [2]
        assert ada.next_number(package).rows == 3

    @pytest.mark.parametrize("way", ["remove", "delete_draft"])
    def test_never_gets_the_number_of_a_deleted_draft_again(self, ada, way):
        package = ada.package()
        ada.draft(package)
        getattr(ada, way)(ada.draft(package))

        assert ada.next_number(package).rows == 3
        assert ada.draft(package)["version_number"] == 3

    def test_cannot_bring_the_number_of_a_deleted_draft(self, ada):
        package = ada.package()
        first = ada.draft(package)
        ada.draft(package)
        ada.remove(first)

        assert ada.try_draft(package, version_number=1).refusal == (409, "23505")

    @pytest.mark.parametrize("number", [0, -1])
    def test_cannot_bring_a_number_below_1(self, ada, number):
        assert ada.try_draft(ada.package(), version_number=number).code == "TV306"

    def test_is_not_stopped_for_ever_by_the_largest_integer(self, ada):
        package = ada.package()
        ada.try_draft(package, version_number=2**31 - 1)

        assert ada.try_draft(package).status == 201

    def test_may_bring_the_number_that_the_rpc_gave_however_high(self, ada):
        package = ada.package()
        ada.draft(package, version_number=10**9)

        for _ in range(2):
            number = ada.next_number(package).rows
            assert ada.draft(package, version_number=number)["version_number"] == number
        assert ada.try_draft(package, version_number=number + 2).code == "TV306"

    def test_may_write_a_whole_draft_back_by_an_upsert(self, ada):
        package = ada.package()
        draft = ada.draft(package)
        row = {**draft, "config_snapshot": {"r": 8}}
        prefer = f"resolution=merge-duplicates,{RETURN_ROWS}"

        edited = ada.insert(VERSIONS, row, prefer=prefer).row

        assert edited["config_snapshot"] == {"r": 8}
        assert edited["created_at"] == draft["created_at"]
        forged = {**row, "created_at": "2020-01-01T00:00:00Z"}
        assert ada.insert(VERSIONS, forged, prefer=prefer).code == "TV301"
        copy = {**row, "id": str(uuid4()), "version_number": None}
        assert ada.insert(VERSIONS, copy, prefer=prefer).row["created_at"] > draft["created_at"]

    @pytest.mark.parametrize("resolution", ["merge-duplicates", "ignore-duplicates"])
    @pytest.mark.parametrize("number", [{}, {"version_number": None}], ids=["left out", "null"])
    def test_uses_up_no_number_by_an_upsert_of_a_draft_that_is_there(self, ada, resolution, number):
        package = ada.package()
        draft = ada.draft(package)
        row = {"id": draft["id"], "package_id": package["id"], "status": "draft", **SNAPSHOTS}
        prefer = f"resolution={resolution},{RETURN_ROWS}"

        for summary in ("second", "third"):
            row |= {"change_summary": summary, **number}
            assert ada.insert(VERSIONS, row, prefer=prefer).status in (200, 201)

        assert ada.see(draft)["version_number"] == 1
        assert ada.next_number(package).rows == 2
        assert ada.draft(package)["version_number"] == 2

    @pytest.mark.parametrize("resolution", ["merge-duplicates", "ignore-duplicates"])
    def test_uses_up_no_number_by_an_upsert_under_the_id_of_another_version(
        self, ada, bo, resolution
    ):
        package, others = ada.package(), bo.draft(bo.package())
        row = {"id": others["id"], "package_id": package["id"], "status": "draft", **SNAPSHOTS}

        ada.insert(VERSIONS, row, prefer=f"resolution={resolution},{RETURN_ROWS}")

        assert bo.see(others) == others
        assert ada.next_number(package).rows == 1

    def test_gets_a_number_by_an_upsert_of_a_new_draft(self, ada):
        package = ada.package()
        row = {"id": str(uuid4()), "package_id": package["id"], "status": "draft", **SNAPSHOTS}

        draft = ada.insert(VERSIONS, row, prefer=f"resolution=merge-duplicates,{RETURN_ROWS}").row

        assert (draft["version_number"], ada.next_number(package).rows) == (1, 2)

    def test_finds_each_package_numbered_on_its_own(self, ada):
        first, second = ada.package(), ada.package()
        ada.draft(first)
        ada.draft(first)

        assert ada.draft(second)["version_number"] == 1


class TestAStranger:
    def test_learns_nothing_from_the_next_number_of_someone_elses_package(self, ada, bo):
        theirs, none = ada.package(), {"id": str(uuid4())}
        ada.draft(theirs)

        assert bo.next_number(theirs).code == bo.next_number(none).code == "TV102"

    def test_cannot_use_up_numbers_of_someone_elses_package(self, ada, bo):
        package = ada.package()

        bo.try_draft(package)
        bo.try_draft(package, version_number=1_000)
        bo.create_draft(package)

        assert ada.next_number(package).rows == 1


class TestTheServiceRole:
    def test_gets_the_next_number_of_any_package(self, ada, backend):
        package = ada.package()
        ada.draft(package)

        assert backend.next_number(package).rows == 2

    def test_gets_no_number_twice_either(self, ada, backend):
        package = ada.package()
        backend.remove(backend.draft(package))

        assert backend.draft(package)["version_number"] == 2
        assert backend.try_draft(package, version_number=1).code == "23505"


def test_somebody_not_signed_in_gets_no_number(ada, anon):
    assert anon.next_number(ada.package()).refusal == (401, "42501")
