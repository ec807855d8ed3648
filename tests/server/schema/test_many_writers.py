"""Rule 1 under load: however many clients make drafts at once, each gets a number of its own and none fails."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

CLIENTS, DRAFTS = 16, 20
SNAPSHOTS = {"config_snapshot": {"r": 16}, "model_snapshot": {"id": "base"}, "dataset_snapshot": []}


def write_at_once(write):
    """What `write` answered to every client, all of whom begin at the same moment."""
    start = Barrier(CLIENTS)

    def client(_):
        start.wait()
        return [write() for _ in range(DRAFTS)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [answer for answers in pool.map(client, range(CLIENTS)) for answer in answers]


@pytest.mark.parametrize("way", ["by rpc", "by insert"])
def test_many_clients_make_many_drafts_at_once_and_none_fails(ada, way):
    package = ada.package()

    answers = write_at_once(
        lambda: (
            ada.rpc("create_training_draft", package_id=package["id"], **SNAPSHOTS)
            if way == "by rpc"
            else ada.try_draft(package)
        )
    )

    assert {answer.code for answer in answers} == {None}
    assert sorted(answer.row["version_number"] for answer in answers) == list(
        range(1, CLIENTS * DRAFTS + 1)
    )
    assert ada.numbers(package) == list(range(1, CLIENTS * DRAFTS + 1))
    assert ada.see_package(package)["version_count"] == CLIENTS * DRAFTS


def test_clients_that_ask_first_and_insert_then_lose_only_what_they_are_told_of(
    callers_of_a_new_project, capsys
):
    ada = callers_of_a_new_project.new_user()
    package = ada.package()

    def ask_then_insert():
        return ada.try_draft(
            package,
            version_number=ada.rpc("get_next_version_number", package_id=package["id"]).rows,
        )

    answers = write_at_once(ask_then_insert)

    lost = [answer for answer in answers if answer.status == 409]
    with capsys.disabled():
        print(f"\nrpc, then insert: {len(lost)} of {len(answers)} lost to 23505")  # noqa: T201 - a figure for the log
    assert {answer.code for answer in answers} <= {None, "23505"}
    assert (
        len(ada.numbers(package))
        == len(answers) - len(lost)
        == ada.see_package(package)["version_count"]
    )


def test_clients_of_many_packages_do_not_wait_for_ever_for_each_other(ada):
    packages = [ada.package() for _ in range(4)]

    def everything():
        for package in packages:
            draft = ada.draft(package)
            ada.rpc("publish_training_version", version_id=draft["id"])
            ada.rpc("archive_training_version", version_id=draft["id"])
        ada.rpc("delete_training_draft", version_id=ada.draft(packages[0])["id"])
        return ada.update("training_package_versions", {"change_summary": "x"})

    with ThreadPoolExecutor(8) as pool:
        answers = [future.result() for future in [pool.submit(everything) for _ in range(16)]]

    assert {answer.code for answer in answers} <= {None}
    assert [ada.see_package(package)["version_count"] for package in packages] == [16] * 4
