"""Rule 1 under load: each of many clients gets numbers of its own, and none fails."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.server.schema.rest import VERSIONS, at_once

CLIENTS, DRAFTS = 16, 20

WAYS = {
    "by rpc": lambda caller, package: caller.create_draft(package),
    "by insert": lambda caller, package: caller.try_draft(package),
}


def write_at_once(write):
    """The answers to all clients, each of whom makes the same write again and again."""

    def client():
        return [write() for _ in range(DRAFTS)]

    return [answer for answers in at_once([client] * CLIENTS) for answer in answers]


@pytest.mark.parametrize("way", WAYS)
def test_many_clients_make_many_drafts_at_once_and_none_fails(ada, way):
    package = ada.package()
    every_number = list(range(1, CLIENTS * DRAFTS + 1))

    answers = write_at_once(lambda: WAYS[way](ada, package))

    assert {answer.code for answer in answers} == {None}
    assert sorted(answer.row["version_number"] for answer in answers) == every_number
    assert ada.numbers(package) == every_number
    assert ada.see_package(package)["version_count"] == CLIENTS * DRAFTS


def test_clients_that_ask_first_and_insert_then_lose_only_what_is_refused(
    callers_of_a_new_project, capsys
):
    ada = callers_of_a_new_project.new_user()
    package = ada.package()

    answers = write_at_once(
        lambda: ada.try_draft(package, version_number=ada.next_number(package).rows)
    )

    lost = [answer for answer in answers if answer.status == 409]
    kept = len(answers) - len(lost)
    with capsys.disabled():
        figure = f"{len(lost)} of {len(answers)} lost to 23505"
        print(f"\nrpc, then insert: {figure}")  # noqa: T201 - for the log
    assert {answer.code for answer in answers} <= {None, "23505"}
    assert len(ada.numbers(package)) == kept
    assert ada.see_package(package)["version_count"] == kept


def test_clients_of_many_packages_do_not_wait_for_ever_for_each_other(ada):
    packages = [ada.package() for _ in range(4)]

    def everything():
        for package in packages:
            draft = ada.draft(package)
            ada.publish(draft)
            ada.archive(draft)
        ada.delete_draft(ada.draft(packages[0]))
        return ada.update(VERSIONS, {"change_summary": "x"})

    with ThreadPoolExecutor(8) as pool:
        answers = [future.result() for future in [pool.submit(everything) for _ in range(16)]]

    assert {answer.code for answer in answers} <= {None}
    assert [ada.see_package(package)["version_count"] for package in packages] == [16] * 4
