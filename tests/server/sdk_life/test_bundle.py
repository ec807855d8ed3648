"""Export and import on the real stack, on both faces: round trips, twice without harm, refusals, and size."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from postgrest import AsyncPostgrestClient

from training_versions import (
    AsyncPackageRepository,
    ConflictError,
    NotFoundError,
    PackageRepository,
    PermissionDeniedError,
    RejectedError,
    VersionStatus,
)
from training_versions.bundle import BundleError, ImportResult
from training_versions.local import LocalSupabase

KEPT = (
    *(
        "version_number",
        "name",
        "status",
        "created_at",
        "published_at",
        "change_summary",
        "config_snapshot",
    ),
    *(
        "model_snapshot",
        "dataset_snapshot",
        "training_status",
        "training_started_at",
        "training_completed_at",
    ),
    *("training_metrics", "estimated_cost", "actual_cost", "budget_limit", "cost_alerts_sent"),
)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[LocalSupabase]:
    """Another project, whose replies are capped at 100 rows."""
    with LocalSupabase(max_rows=100) as running:
        yield running


@pytest.fixture
def export() -> Callable[..., Any]:
    """Exports as a caller, on the face of the test."""
    return lambda caller, package_id, file, **options: caller.packages.export(
        package_id, file, **options
    )


@pytest.fixture
def bring() -> Callable[..., Any]:
    """Imports as a caller, on the face of the test."""
    return lambda caller, file, **options: caller.packages.import_(file, **options)


@pytest.fixture
def abroad(connect: Any, elsewhere: LocalSupabase, unique: Callable[[str], str]) -> Any:
    """Somebody who is signed in to the other project."""
    return connect(elsewhere.token(unique("abroad@")), stack=elsewhere)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each version and each event is sent alone."""
    monkeypatch.setattr("training_versions.bundle._steps.BATCH_ROWS", 1)


def rows(caller: Any, connect: Any, table: str, package_id: Any) -> list[dict[str, Any]]:
    query = caller.client.table(table).select("*").eq("package_id", str(package_id)).order("id")
    return connect.finish(query.execute()).data


def insert_third(caller: Any, connect: Any, package_id: Any, **given: Any) -> str:
    """Make a draft with the number 3, whatever the next one is."""
    content = {"config_snapshot": {}, "model_snapshot": {}, "dataset_snapshot": []}
    row = {
        "package_id": str(package_id),
        "version_number": 3,
        "status": "draft",
        "name": "third",
        **content,
        **given,
    }
    return connect.finish(
        caller.client.table("training_package_versions").insert(row).execute()
    ).data[0]["id"]


def states(caller: Any, package_id: Any) -> list[dict[str, Any]]:
    found = caller.versions.list(package_id, snapshots=True, order="oldest").items
    return [{name: getattr(version, name) for name in KEPT} for version in found]


def parents(caller: Any, package_id: Any) -> dict[int, int | None]:
    found = caller.versions.list(package_id, order="oldest").items
    numbers = {version.id: version.version_number for version in found}
    return {version.version_number: numbers.get(version.parent_version_id) for version in found}


def sums(file: Path) -> list[str]:
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    return [line["sha256"] for line in lines if "version" in line]


@pytest.fixture
def lived(ada: Any, package: Any) -> Any:
    """A package with a history: four versions, a number that is gone, parents that come later, training, cost."""
    numbers = {"tiny": 1e-7, "large": 1e16, "long": 2**70, "text": 'ü\u2028"\\', "none": None}
    first = ada.versions.create_draft(
        package.id, config=numbers, model={"id": "m"}, dataset=[{"id": "a"}]
    )
    ada.versions.publish(first.id)
    gone = ada.versions.create_draft(package.id, config={}, model={}, dataset=[])
    ada.versions.delete_draft(gone.id)
    third = ada.versions.create_draft(
        package.id,
        config={},
        model={},
        dataset=[],
        change_summary="why",
        estimated_cost="12.34",
        budget_limit=10,
    )
    fourth = ada.versions.create_draft(
        package.id, config={"r": 1}, model={}, dataset=[], parent_version_id=first.id
    )
    ada.versions.update_draft(third.id, parent_version_id=fourth.id, config={"r": 16})
    ada.versions.publish(third.id, name="named")
    ada.versions.archive(first.id)
    ada.versions.start_training(third.id)
    ada.versions.record_metrics(third.id, {"loss": 0.25})
    ada.versions.complete_training(third.id)
    ada.versions.record_cost(third.id, "5.01")
    return package


def test_a_package_comes_to_another_project_as_it_was(
    ada: Any, abroad: Any, lived: Any, export: Any, bring: Any, connect: Any, tmp_path: Path
) -> None:
    before, history = states(ada, lived.id), rows(ada, connect, "training_version_events", lived.id)

    exported = export(ada, lived.id, tmp_path / "out.jsonl")
    result = bring(abroad, tmp_path / "out.jsonl")

    assert (exported.versions, exported.events) == (3, len(history))
    assert result == ImportResult(
        package_id=lived.id,
        versions_created=3,
        versions_present=0,
        versions_differing=0,
        parents_missing=0,
        events_added=len(history),
    )
    assert states(abroad, lived.id) == before
    assert parents(abroad, lived.id) == parents(ada, lived.id) == {1: None, 3: 4, 4: 1}
    brought = abroad.packages.get(lived.id)
    assert (brought.name, brought.template_type, brought.config_json) == (
        *(lived.name, lived.template_type, lived.config_json),
    )
    assert (brought.version_count, brought.latest_published_version) == (3, 3)
    assert (
        abroad.versions.create_draft(lived.id, config={}, model={}, dataset=[]).version_number == 5
    )

    export(abroad, lived.id, tmp_path / "again.jsonl")
    assert sums(tmp_path / "again.jsonl")[:3] == sums(tmp_path / "out.jsonl")


def test_history_comes_along_with_who_and_when(
    ada: Any, abroad: Any, lived: Any, export: Any, bring: Any, connect: Any, tmp_path: Path
) -> None:
    history = rows(ada, connect, "training_version_events", lived.id)

    export(ada, lived.id, tmp_path / "out.jsonl")
    bring(abroad, tmp_path / "out.jsonl")

    here = rows(abroad, connect, "training_version_events", lived.id)
    assert [event["kind"] for event in here if event["source"] is None] == ["imported"] * 3
    columns = ("version_number", "kind", "occurred_at", "last_at")
    brought = [event for event in here if event["source"] is not None]
    assert [[e[c] for c in columns] for e in brought] == [[e[c] for c in columns] for e in history]
    alive = [(e, o) for e, o in zip(brought, history, strict=True) if o["version_number"] != 2]
    assert [e["version_id"] for e, _ in alive] == [o["version_id"] for _, o in alive]
    for event, original in zip(brought, history, strict=True):
        assert event["details"] == {
            **original["details"],
            "imported": True,
            "actor_id": original["actor_id"],
        }


def test_importing_twice_changes_nothing(
    ada: Any, abroad: Any, lived: Any, export: Any, bring: Any, connect: Any, tmp_path: Path
) -> None:
    events = export(ada, lived.id, tmp_path / "out.jsonl").events
    first = bring(abroad, tmp_path / "out.jsonl")
    before = [
        rows(abroad, connect, f"training_{name}", lived.id)
        for name in ("package_versions", "version_events")
    ]

    second = bring(abroad, tmp_path / "out.jsonl")

    assert (first.versions_created, first.events_added) == (3, events)
    assert second == ImportResult(
        package_id=lived.id,
        versions_created=0,
        versions_present=3,
        versions_differing=0,
        parents_missing=0,
        events_added=0,
    )
    after = [
        rows(abroad, connect, f"training_{name}", lived.id)
        for name in ("package_versions", "version_events")
    ]
    assert after == before


def test_in_the_same_project_somebody_else_gets_a_copy_and_finds_it_again(
    ada: Any, bob: Any, lived: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    events = export(ada, lived.id, tmp_path / "out.jsonl").events

    result, again = bring(bob, tmp_path / "out.jsonl"), bring(bob, tmp_path / "out.jsonl")

    assert result.package_id != lived.id
    assert (result.versions_created, result.events_added) == (3, events)
    assert again == ImportResult(
        package_id=result.package_id,
        versions_created=0,
        versions_present=3,
        versions_differing=0,
        parents_missing=0,
        events_added=0,
    )
    assert states(bob, result.package_id) == states(ada, lived.id)
    assert parents(bob, result.package_id) == parents(ada, lived.id)
    export(bob, result.package_id, tmp_path / "copy.jsonl")
    assert sums(tmp_path / "copy.jsonl") == sums(tmp_path / "out.jsonl")


def test_importing_into_where_it_comes_from_changes_nothing(
    ada: Any, lived: Any, export: Any, bring: Any, connect: Any, tmp_path: Path
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")
    ada.packages.update(lived.id, name="renamed since")

    result = bring(ada, tmp_path / "out.jsonl")

    assert result == ImportResult(
        package_id=lived.id,
        versions_created=0,
        versions_present=3,
        versions_differing=0,
        parents_missing=0,
        events_added=0,
    )
    assert ada.packages.get(lived.id).name == "renamed since"


def test_there_and_back_brings_what_happened_there_and_doubles_nothing(
    ada: Any, abroad: Any, lived: Any, export: Any, bring: Any, connect: Any, tmp_path: Path
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")
    bring(abroad, tmp_path / "out.jsonl")
    new = abroad.versions.publish(
        abroad.versions.create_draft(lived.id, config={}, model={}, dataset=[]).id
    )
    before = len(rows(ada, connect, "training_version_events", lived.id))

    export(abroad, lived.id, tmp_path / "back.jsonl")
    result = bring(ada, tmp_path / "back.jsonl")

    assert (result.versions_created, result.versions_present) == (1, 3)
    assert ada.versions.get(new.id).status == VersionStatus.PUBLISHED
    assert result.events_added == 3 + 2  # imported there, and created and published there
    after = rows(ada, connect, "training_version_events", lived.id)
    assert len(after) == before + 5 + 1  # and imported here


def test_a_draft_that_moved_on_is_left_and_counted(
    ada: Any, abroad: Any, package: Any, draft: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    export(ada, package.id, tmp_path / "out.jsonl")
    bring(abroad, tmp_path / "out.jsonl")
    abroad.versions.update_draft(draft.id, config={"edited": "here"})

    result = bring(abroad, tmp_path / "out.jsonl")

    assert (result.versions_created, result.versions_present, result.versions_differing) == (
        0,
        1,
        1,
    )
    assert abroad.versions.get(draft.id).config_snapshot == {"edited": "here"}


@pytest.mark.parametrize("rows", [1, 100])
def test_a_draft_that_was_deleted_here_stays_away_and_is_counted(
    ada: Any,
    abroad: Any,
    lived: Any,
    export: Any,
    bring: Any,
    monkeypatch: Any,
    rows: int,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("training_versions.bundle._steps.BATCH_ROWS", rows)
    draft = ada.versions.create_draft(lived.id, config={}, model={}, dataset=[])
    export(ada, lived.id, tmp_path / "out.jsonl")
    bring(abroad, tmp_path / "out.jsonl")

    for caller in (abroad, ada):
        caller.versions.delete_draft(draft.id)
        result = bring(caller, tmp_path / "out.jsonl")

        assert (result.versions_created, result.versions_present, result.versions_differing) == (
            0,
            4,
            1,
        )
        assert [version["version_number"] for version in states(caller, lived.id)] == [1, 3, 4]


def test_a_draft_deleted_from_a_copy_stays_away_also_when_its_origin_is_gone(
    ada: Any, bob: Any, package: Any, draft: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    export(ada, package.id, tmp_path / "out.jsonl")
    chosen = bob.packages.create("mine", template_type="other", config={})
    bring(bob, tmp_path / "out.jsonl", package_id=chosen.id)
    bob.versions.delete_draft(bob.versions.latest(chosen.id).id)
    ada.packages.delete(package.id)

    result = bring(bob, tmp_path / "out.jsonl", package_id=chosen.id)

    assert (result.versions_created, result.versions_differing) == (0, 1)
    assert states(bob, chosen.id) == []


def test_numbers_that_were_given_are_not_given_again_after_an_import(
    ada: Any, abroad: Any, lived: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    for draft in [
        ada.versions.create_draft(lived.id, config={}, model={}, dataset=[]) for _ in range(2)
    ]:
        ada.versions.delete_draft(draft.id)
    export(ada, lived.id, tmp_path / "out.jsonl")

    bring(abroad, tmp_path / "out.jsonl")

    assert (
        ada.versions.next_version_number(lived.id)
        == abroad.versions.next_version_number(lived.id)
        == 7
    )


def test_history_is_not_brought_to_versions_that_are_none_of_the_package(
    ada: Any, bob: Any, admin: Any, lived: Any, connect: Any
) -> None:
    theirs, later = ada.versions.latest(lived.id), uuid.uuid4()
    mine = bob.packages.create("mine", template_type="other", config={})
    event = {
        "id": 1,
        "version_number": 1,
        "kind": "edited",
        "occurred_at": "2020-01-01T00:00:00Z",
        "details": {},
    }
    events = [
        {**event, "version_id": str(target), "source": str(target)} for target in (theirs.id, later)
    ]
    params = {"p_package_id": str(mine.id), "p_events": events}

    connect.finish(bob.client.rpc("import_training_events", params).execute())

    ada.versions.create_draft(lived.id, config={}, model={}, dataset=[], version_id=later)
    for target in (theirs.id, later):
        assert {
            event.package_id for event in admin.versions.iterate_history(version_id=target)
        } == {lived.id}


@pytest.fixture
def forked(ada: Any, package: Any, published: Any, export: Any, tmp_path: Path) -> list[Any]:
    """Files of a package, and of another one with a published fork of its version."""
    other = ada.packages.create("fork", template_type="lora", config={})
    ada.versions.publish(ada.versions.fork(published.id, into=other.id).draft.id)
    for each in (package, other):
        export(ada, each.id, tmp_path / f"{each.id}.jsonl")
    return [tmp_path / f"{each.id}.jsonl" for each in (package, other)]


def test_a_draft_that_was_published_since_is_no_clash(
    ada: Any, package: Any, draft: Any, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.jsonl"
    ada.packages.export(package.id, file)
    ada.versions.publish(draft.id)

    again = ada.packages.import_(file)

    assert (again.versions_present, again.versions_differing) == (1, 1)
    assert ada.versions.get(draft.id).status == "published"


def test_what_moved_on_in_its_life_is_counted(
    ada: Any, package: Any, draft: Any, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.jsonl"
    ada.packages.export(package.id, file)
    assert ada.packages.import_(file).versions_differing == 0
    ada.versions.record_cost(draft.id, 1)

    assert ada.packages.import_(file).versions_differing == 1


def test_an_id_that_somebody_else_took_is_no_version_of_the_package(
    ada: Any, bob: Any, package: Any, draft: Any, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.jsonl"
    ada.packages.export(package.id, file)
    ada.packages.delete(package.id)
    theirs = bob.packages.create("squat", template_type="lora", config={})
    target = ada.packages.create("anew", template_type="lora", config={})
    mapped = uuid.UUID(md5(f"{target.id}{draft.id}".encode()).hexdigest())
    for taken in (draft.id, mapped):
        bob.versions.create_draft(theirs.id, config={}, model={}, dataset=[], version_id=taken)

    with pytest.raises(ConflictError) as caught:
        ada.packages.import_(file, package_id=target.id)

    assert caught.value.code == "TV204"


@pytest.mark.parametrize("who", ["abroad", "bob"])  # for whom ids stay, and change
def test_a_parent_in_another_package_is_found_whichever_comes_first(
    request: pytest.FixtureRequest, forked: list[Any], bring: Any, who: str
) -> None:
    caller, (origin, fork) = request.getfixturevalue(who), forked

    alone = bring(caller, fork)
    brought = bring(caller, origin)
    again = bring(caller, fork)

    assert (alone.parents_missing, brought.parents_missing, again.parents_missing) == (1, 0, 0)
    child = caller.versions.latest(again.package_id)
    assert child.parent_version_id == caller.versions.latest(brought.package_id).id
    assert (again.versions_created, again.versions_differing) == (0, 0)

    there = bring(
        caller, fork, package_id=caller.packages.create("mine", template_type="other", config={}).id
    )
    assert there.parents_missing == 0
    assert caller.versions.latest(there.package_id).parent_version_id == child.parent_version_id


def test_a_version_that_was_published_here_is_given_no_parent_by_an_import(
    ada: Any, abroad: Any, connect: Any, forked: list[Any], bring: Any, export: Any, tmp_path: Path
) -> None:
    made_here = abroad.packages.create("other", template_type="lora", config={})
    version = abroad.versions.publish(
        abroad.versions.create_draft(made_here.id, config={}, model={}, dataset=[]).id
    )
    export(abroad, made_here.id, tmp_path / "out.jsonl")
    parent = abroad.versions.latest(bring(abroad, forked[0]).package_id)
    row = rows(abroad, connect, "training_package_versions", made_here.id)[0]
    params = {
        "p_package_id": str(made_here.id),
        "p_versions": [{**row, "parent_version_id": str(parent.id)}],
    }

    connect.finish(abroad.client.rpc("import_training_versions", params).execute())

    assert abroad.versions.get(version.id).parent_version_id is None


def test_a_chosen_package_takes_the_versions_and_keeps_its_name(
    ada: Any, bob: Any, lived: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")
    chosen = bob.packages.create("mine", template_type="other", config={})

    result = bring(bob, tmp_path / "out.jsonl", package_id=chosen.id)

    assert (result.package_id, result.versions_created) == (chosen.id, 3)
    assert bob.packages.get(chosen.id).name == "mine"


def test_a_package_with_other_versions_is_refused_and_left_alone(
    ada: Any, bob: Any, lived: Any, export: Any, bring: Any, snapshots: Any, tmp_path: Path
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")
    chosen = bob.packages.create("mine", template_type="other", config={})
    bob.versions.create_draft(chosen.id, **snapshots)
    before = states(bob, chosen.id)

    with pytest.raises(ConflictError, match="number 1 was given to another version") as caught:
        bring(bob, tmp_path / "out.jsonl", package_id=chosen.id)

    assert (caught.value.code, caught.value.operation) == ("TV207", "packages.import")
    assert states(bob, chosen.id) == before


@pytest.mark.parametrize("deleted", [False, True])
def test_a_clash_in_a_later_batch_is_found_before_anything_is_written(
    ada: Any,
    bob: Any,
    lived: Any,
    export: Any,
    bring: Any,
    connect: Any,
    small_batches: None,
    deleted: bool,
    tmp_path: Path,
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")
    chosen = bob.packages.create("mine", template_type="other", config={})
    mine = insert_third(bob, connect, chosen.id)
    if deleted:
        bob.versions.delete_draft(mine)
    before = states(bob, chosen.id)

    with pytest.raises(ConflictError, match="number 3 was given to another version"):
        bring(bob, tmp_path / "out.jsonl", package_id=chosen.id)

    assert states(bob, chosen.id) == before


def test_a_refusal_in_a_later_batch_tells_what_was_brought_in_before(
    ada: Any,
    abroad: Any,
    lived: Any,
    export: Any,
    bring: Any,
    connect: Any,
    small_batches: None,
    tmp_path: Path,
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")
    abroad.packages.create("mine", template_type="other", config={}, package_id=lived.id)
    same_id = str(ada.versions.get_by_number(lived.id, 3).id)
    abroad.versions.publish(insert_third(abroad, connect, lived.id, id=same_id))

    with pytest.raises(ConflictError, match="there already, with other content") as caught:
        bring(abroad, tmp_path / "out.jsonl")

    assert caught.value.__notes__ == [
        "It was a batch of versions, numbers 3; before it 2 versions came in."
    ]


def test_somebody_elses_package_is_not_found(
    ada: Any, bob: Any, lived: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")
    before = states(ada, lived.id)

    with pytest.raises(NotFoundError):
        export(bob, lived.id, tmp_path / "stolen.jsonl")
    with pytest.raises(NotFoundError):
        bring(bob, tmp_path / "out.jsonl", package_id=lived.id)

    assert not (tmp_path / "stolen.jsonl").exists()
    assert states(ada, lived.id) == before


def test_who_is_not_signed_in_is_refused(
    ada: Any, nobody: Any, lived: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")

    with pytest.raises(PermissionDeniedError, match="not signed in"):
        export(nobody, lived.id, tmp_path / "stolen.jsonl")
    with pytest.raises(PermissionDeniedError, match="not signed in"):
        bring(nobody, tmp_path / "out.jsonl")

    assert not (tmp_path / "stolen.jsonl").exists()


def test_the_service_role_says_whose_a_new_package_is(
    ada: Any,
    abroad: Any,
    elsewhere: LocalSupabase,
    lived: Any,
    export: Any,
    bring: Any,
    connect: Any,
    tmp_path: Path,
) -> None:
    export(ada, lived.id, tmp_path / "out.jsonl")
    admin = connect(elsewhere.service_key, stack=elsewhere)
    owner = abroad.packages.create("any", template_type="lora", config={}).user_id

    with pytest.raises(RejectedError, match="whose package"):
        bring(admin, tmp_path / "out.jsonl")
    first = bring(admin, tmp_path / "out.jsonl", user_id=str(owner).upper())
    again = bring(admin, tmp_path / "out.jsonl")

    assert (first.package_id, first.versions_created, again.versions_present) == (lived.id, 3, 3)
    assert abroad.packages.get(lived.id).user_id == owner
    assert {version.created_by for version in abroad.versions.list(lived.id).items} == {owner}


def test_a_package_that_was_deleted_comes_back_under_a_new_id(
    ada: Any, package: Any, draft: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    export(ada, package.id, tmp_path / "out.jsonl")
    ada.packages.delete(package.id)

    first = bring(ada, tmp_path / "out.jsonl")
    again = bring(ada, tmp_path / "out.jsonl")
    ada.packages.delete(first.package_id)
    other = bring(ada, tmp_path / "out.jsonl")

    assert (first.versions_created, again.package_id, again.versions_present) == (
        1,
        first.package_id,
        1,
    )
    assert len({package.id, first.package_id, other.package_id}) == 3
    assert ada.versions.latest(other.package_id).config_snapshot == draft.config_snapshot


def test_a_damaged_file_writes_nothing(
    ada: Any, abroad: Any, lived: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    file = io.BytesIO()
    export(ada, lived.id, file)
    sent = len(abroad.sent)

    with pytest.raises(BundleError, match="Line 3 "):
        bring(abroad, io.BytesIO(file.getvalue().replace(b'"r":16', b'"r":17')))

    assert len(abroad.sent) == sent
    assert abroad.packages.find(lived.id) is None


def test_a_reply_is_bounded_also_where_small_versions_come_before_large_ones(
    ada: Any, package: Any, export: Any, tmp_path: Path
) -> None:
    large = {"text": "x" * 400_000}
    for n in range(30):
        ada.versions.create_draft(package.id, config=large if n > 20 else {}, model={}, dataset=[])

    export(ada, package.id, tmp_path / "out.jsonl")

    replies = [reply for reply in ada.replies if "export" in reply.url.path]
    assert [len(reply.json()) for reply in replies] == [23, 2, 2, 2, 1]
    assert max(len(reply.content) for reply in replies) < 2**20
    assert len(sums(tmp_path / "out.jsonl")) == 30


def test_one_version_travels_however_large(
    ada: Any, package: Any, export: Any, tmp_path: Path
) -> None:
    for _ in range(2):
        ada.versions.create_draft(
            package.id, config={"text": "x" * 1_200_000}, model={}, dataset=[]
        )

    export(ada, package.id, tmp_path / "out.jsonl")

    assert [len(reply.json()) for reply in ada.replies if "export" in reply.url.path] == [1, 1]


def test_an_empty_package_goes_round_too(
    ada: Any, abroad: Any, package: Any, export: Any, bring: Any, tmp_path: Path
) -> None:
    exported = export(ada, package.id, tmp_path / "out.jsonl")
    result = bring(abroad, tmp_path / "out.jsonl")

    assert (exported.versions, exported.events) == (0, 0)
    assert (result.package_id, result.versions_created, result.events_added) == (package.id, 0, 0)
    assert abroad.packages.get(package.id).version_count == 0


def test_batches_whose_replies_are_lost_are_sent_again(
    ada: Any,
    connect: Any,
    elsewhere: LocalSupabase,
    lived: Any,
    export: Any,
    bring: Any,
    unique: Any,
    tmp_path: Path,
) -> None:
    events = export(ada, lived.id, tmp_path / "out.jsonl").events
    lost = set[str]()

    class Losing:
        """Carries the first request to each function out, and loses its reply."""

        def __init__(self, usual: Any) -> None:
            self.usual = usual

        def lose(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
            if "import" in request.url.path and request.url.path not in lost:
                lost.add(request.url.path)
                raise httpx.ReadError("lost", request=request)
            return response

    class LosingSync(Losing, httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return self.lose(request, self.usual.handle_request(request))

        def close(self) -> None:
            self.usual.close()

    class LosingAsync(Losing, httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return self.lose(request, await self.usual.handle_async_request(request))

        async def aclose(self) -> None:
            await self.usual.aclose()

    caller = connect(
        elsewhere.token(unique("losing@")),
        stack=elsewhere,
        transport=LosingAsync if connect.is_async else LosingSync,
    )

    result = bring(caller, tmp_path / "out.jsonl")

    assert len(lost) == 2
    assert result.versions_created + result.versions_present == 3
    assert states(caller, lived.id) == states(ada, lived.id)
    assert len(rows(caller, connect, "training_version_events", lived.id)) == 3 + events


def test_ten_thousand_versions_take_little_memory(
    stack: LocalSupabase, elsewhere: LocalSupabase, unique: Callable[[str], str], tmp_path: Path
) -> None:
    many, email = 10_000, unique("owner@")
    client = stack.sign_in(email)
    package = PackageRepository(client).create("bot", template_type="lora", config={})
    stack.psql(
        f"""
        set session_replication_role = replica;
        insert into public.training_package_versions (
            id, package_id, version_number, name, status, created_at, created_by, published_at, published_by,
            updated_at, is_deployed, config_snapshot, model_snapshot, dataset_snapshot
        )
        select gen_random_uuid(), '{package.id}', n, 'bot-v' || n, 'published', now(), '{package.user_id}', now(),
            '{package.user_id}', now(), false, jsonb_build_object('n', n, 'text', repeat('x', 500)), '{{}}', '[]'
        from generate_series(1, {many}) as n;
        insert into public.training_version_events
            (package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at)
        select package_id, id, version_number, created_by, 'published', created_by, created_at
        from public.training_package_versions where package_id = '{package.id}' order by version_number;
        analyze public.training_package_versions, public.training_version_events;
        """,
        admin=True,
    )
    path, seen, grown = tmp_path / "many.jsonl", list[int](), list[int]()
    # Not tracemalloc, under which this takes four times as long: it finds 2 MB in an export and 5 MB in an import.
    memory = psutil.Process().memory_info
    before = memory().rss

    def progress(done: int, total: int) -> None:
        assert total == 2 * many
        seen.append(done)
        if done % 100 == 0:
            grown.append(memory().rss - before)

    async def bring() -> ImportResult:
        headers = {
            "apikey": elsewhere.anon_key,
            "Authorization": f"Bearer {elsewhere.token(email)}",
        }
        async with httpx.AsyncClient(verify=False, timeout=60) as http:
            there = AsyncPostgrestClient(elsewhere.rest_url, headers=headers, http_client=http)
            return await AsyncPackageRepository(there).import_(path, progress=progress)

    exported = PackageRepository(client).export(package.id, path, progress=progress)
    imported = asyncio.run(bring())

    assert (exported.versions, exported.events) == (many, many)
    assert (imported.versions_created, imported.events_added) == (many, many)
    assert seen == [*range(1, 2 * many + 1)] * 2
    assert path.stat().st_size > 12_000_000
    assert max(grown) < 30_000_000
