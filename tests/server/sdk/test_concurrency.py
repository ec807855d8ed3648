"""Many at once through the SDK: threads with the sync repositories, tasks on one event loop with the async ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import uuid4

from training_versions import ConflictError

WRITERS, EACH = 16, 4
NUMBERS = list(range(1, WRITERS * EACH + 1))


def test_sixteen_writers_of_one_package_get_numbers_without_gap_or_repeat(
    connect: Any, ada: Any, package: Any, snapshots: Any
) -> None:
    writers = [connect(ada, retry_pauses=()) for _ in range(WRITERS)]

    def write(writer: Any) -> list[int]:
        return [
            writer.versions.create_draft(package.id, **snapshots).version_number
            for _ in range(EACH)
        ]

    with ThreadPoolExecutor(WRITERS) as threads:
        numbers = [number for made in threads.map(write, writers) for number in made]

    assert sorted(numbers) == NUMBERS
    assert [
        version.version_number for version in ada.versions.iterate(package.id, order="oldest")
    ] == NUMBERS
    assert ada.packages.get(package.id).version_count == len(NUMBERS)
    assert sum(len(writer.sent) for writer in writers) == len(NUMBERS)


def test_one_repository_serves_many_at_once(ada: Any, package: Any, snapshots: Any) -> None:
    def write(_: int) -> int:
        return ada.versions.create_draft(package.id, **snapshots).version_number

    with ThreadPoolExecutor(WRITERS) as threads:
        numbers = sorted(threads.map(write, NUMBERS))

    assert numbers == NUMBERS


def test_of_many_who_edit_what_they_all_read_exactly_one_succeeds(
    connect: Any, ada: Any, draft: Any
) -> None:
    def edit(r: int) -> Any:
        try:
            return writers[r].versions.update_draft(
                draft.id, config={"r": r}, expected_updated_at=draft.updated_at
            )
        except ConflictError as exc:
            return exc

    writers = [connect(ada) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(edit, range(8)))

    (winner,) = [outcome for outcome in outcomes if not isinstance(outcome, ConflictError)]
    assert ada.versions.get(draft.id) == winner
    refused = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
    assert {
        (error.code, datetime.fromisoformat(error.details["updated_at"])) for error in refused
    } == {("TV201", winner.updated_at)}


def test_many_who_create_the_same_draft_make_one(
    connect: Any, ada: Any, package: Any, snapshots: Any
) -> None:
    mine = uuid4()
    writers = [connect(ada) for _ in range(8)]

    with ThreadPoolExecutor(8) as threads:
        drafts = list(
            threads.map(
                lambda who: who.versions.create_draft(package.id, **snapshots, version_id=mine),
                writers,
            )
        )

    assert drafts == [drafts[0]] * 8
    assert ada.versions.count(package.id) == 1
    assert ada.versions.next_version_number(package.id) == 2


def test_pointers_are_right_after_many_published_and_archived_at_once(
    connect: Any, ada: Any, package: Any, snapshots: Any
) -> None:
    drafts = [ada.versions.create_draft(package.id, **snapshots) for _ in range(12)]
    writers = [connect(ada) for _ in drafts]

    def release(number: int) -> None:
        writers[number].versions.publish(drafts[number].id)
        if number >= 8:
            writers[number].versions.archive(drafts[number].id)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(release, range(12)))

    found = ada.packages.get(package.id)
    assert (found.latest_published_version, found.current_version_id) == (8, drafts[7].id)
