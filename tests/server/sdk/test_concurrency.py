"""Many at once: threads with the sync repositories, tasks on one event loop with the async ones."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from tests.faces import both_faces
from training_versions import ConflictError

pytestmark = both_faces

WRITERS, EACH = 16, 4
NUMBERS = list(range(1, WRITERS * EACH + 1))


def test_sixteen_writers_of_one_package_get_numbers_without_gap_or_repeat(
    connect, ada, package, at_once
):
    writers = [connect(ada, retry_pauses=()) for _ in range(WRITERS)]

    at_once([lambda w=writer: [w.draft(package) for _ in range(EACH)] for writer in writers])

    made = ada.versions.iterate(package.id, order="oldest")
    assert [version.version_number for version in made] == NUMBERS
    assert ada.packages.get(package.id).version_count == len(NUMBERS)
    assert sum(len(writer.sent) for writer in writers) == len(NUMBERS)


def test_one_repository_serves_many_at_once(ada, package, at_once):
    drafts = at_once([lambda: ada.draft(package)] * WRITERS * EACH)

    assert sorted(draft.version_number for draft in drafts) == NUMBERS


def test_of_many_who_edit_what_they_all_read_exactly_one_succeeds(connect, ada, draft, at_once):
    def edit(writer: Any, r: int) -> Any:
        moment = draft.updated_at
        return writer.versions.update_draft(draft.id, config={"r": r}, expected_updated_at=moment)

    writers = [connect(ada) for _ in range(8)]

    outcomes = at_once([partial(edit, writer, r) for r, writer in enumerate(writers)])

    refused = [outcome for outcome in outcomes if isinstance(outcome, ConflictError)]
    (winner,) = [outcome for outcome in outcomes if outcome not in refused]
    assert ada.versions.get(draft.id) == winner
    assert {error.code for error in refused} == {"TV201"}
    moments = {datetime.fromisoformat(error.details["updated_at"]) for error in refused}
    assert moments == {winner.updated_at}


def test_many_who_create_the_same_draft_make_one(connect, ada, package, at_once):
    writers, mine = [connect(ada) for _ in range(8)], uuid4()

    drafts = at_once([lambda w=writer: w.draft(package, version_id=mine) for writer in writers])

    assert drafts == [drafts[0]] * 8
    assert ada.versions.count(package.id) == 1
    assert ada.versions.next_version_number(package.id) == 2
