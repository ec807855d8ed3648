"""Export and import on the real stack: round trips, twice without harm, refusals, and size."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from hashlib import md5
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from postgrest import AsyncPostgrestClient

from tests.data import EMPTY
from tests.faces import both_faces
from tests.server.sdk.conftest import Sql
from training_versions import (
    AsyncPackageRepository,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    OutcomeUnknownError,
    Package,
    PackageRepository,
    PermissionDeniedError,
    RejectedError,
    Version,
    VersionStatus,
)
from training_versions.bundle import BundleError, ImportResult
from training_versions.local import LocalSupabase

KEPT = {
    *("version_number", "name", "status", "created_at", "published_at", "change_summary"),
    *("config_snapshot", "model_snapshot", "dataset_snapshot"),
    *("training_status", "training_started_at", "training_completed_at", "training_metrics"),
    *("estimated_cost", "actual_cost", "budget_limit", "cost_alerts_sent"),
}


def states(caller: Any, package_id: Any) -> list[dict[str, Any]]:
    """What is kept of each version on its way."""
    found = caller.versions.list(package_id, snapshots=True, order="oldest").items
    return [version.model_dump(include=KEPT) for version in found]


def parents(caller: Any, package_id: Any) -> dict[int, int | None]:
    """The number of each version's parent."""
    found = caller.versions.list(package_id, order="oldest").items
    numbers = {version.id: version.version_number for version in found}
    return {version.version_number: numbers.get(version.parent_version_id) for version in found}


def sums(file: Path) -> list[str]:
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]
    return [line["sha256"] for line in lines if "version" in line]


def rows(stack: LocalSupabase, table: str, package_id: Any) -> list[dict[str, Any]]:
    """All of a package in a table, as it is in the database."""
    found = Sql(stack)(
        f"select to_jsonb(t) from public.{table} as t where package_id = %(package)s order by id",
        admin=True,
        package=package_id,
    )
    return [row for (row,) in found]


def events(stack: LocalSupabase, package_id: Any) -> list[dict[str, Any]]:
    return rows(stack, "training_version_events", package_id)


def nothing_new(package_id: Any, versions: int = 3, name: str = "support-bot") -> ImportResult:
    """What an import gives when everything is there already."""
    return ImportResult(
        package_id=package_id,
        package_name=name,
        package_created=False,
        versions_created=0,
        versions_present=versions,
        versions_differing=0,
        parents_missing=0,
        events_added=0,
    )


def live(ada: Any, package: Package, weight: int = 0) -> Package:
    """Give a package a history: three versions, a number that is gone, later parents, training,
    cost.
    """
    numbers = {"tiny": 1e-7, "large": 1e16, "long": 2**70, "text": 'ü\u2028"\\', "none": None}
    content = {"model": {"id": "x" * weight}, "dataset": []}
    first = ada.published(package, **content, config=numbers)
    ada.versions.delete_draft(ada.draft(package).id)
    third = ada.draft(
        package, **content, config={}, change_summary="why", estimated_cost="12.34", budget_limit=10
    )
    fourth = ada.draft(package, **content, config={"r": 1}, parent_version_id=first.id)
    ada.versions.update_draft(third.id, parent_version_id=fourth.id, config={"r": 16})
    ada.versions.publish(third.id, name="named")
    ada.versions.archive(first.id)
    ada.versions.start_training(third.id)
    ada.versions.record_metrics(third.id, {"loss": 0.25})
    ada.versions.complete_training(third.id)
    ada.versions.record_cost(third.id, "5.01")
    return package


@pytest.fixture
def lived(ada, package):
    return live(ada, package)


@pytest.fixture
def heavy(ada, package):
    """One that has lived, and whose versions are so large that each is sent alone."""
    return live(ada, package, weight=600_000)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "out.jsonl"


@pytest.fixture
def bundle(ada, lived, file):
    """The file of a package that has lived."""
    ada.packages.export(lived.id, file)
    return file


# --- what would happen


def everything_in(stack: LocalSupabase, package_id: Any) -> list[Any]:
    names = ("training_package_versions", "training_version_events")
    return [rows(stack, name, package_id) for name in names]


@both_faces
def test_a_dry_run_says_what_an_import_does_and_leaves_nothing(
    carol, capped_stack, lived, bundle, monkeypatch
):
    # So that each version comes in a batch of its own, and has its parent in an earlier one.
    monkeypatch.setattr("training_versions.bundle.import_.BATCH_ROWS", 1)

    plan = carol.packages.import_(bundle, dry_run=True)

    assert carol.packages.find(lived.id) is None
    assert everything_in(capped_stack, lived.id) == [[], []]
    assert carol.packages.import_(bundle) == plan
    assert (plan.package_created, plan.package_name) == (True, "support-bot")
    assert (plan.versions_created, plan.parents_missing) == (3, 0)


def test_a_dry_run_into_a_package_that_is_there_counts_what_is_new(
    ada, carol, stack, lived, bundle, tmp_path
):
    carol.packages.import_(bundle)
    carol.published(lived)
    carol.packages.export(lived.id, tmp_path / "back.jsonl")
    before = everything_in(stack, lived.id)

    plan = ada.packages.import_(tmp_path / "back.jsonl", dry_run=True)

    assert everything_in(stack, lived.id) == before
    done = ada.packages.import_(tmp_path / "back.jsonl")
    assert plan == done
    assert (done.versions_created, done.versions_present, done.package_created) == (1, 3, False)
    assert ada.packages.import_(tmp_path / "back.jsonl", dry_run=True) == nothing_new(lived.id, 4)


@pytest.mark.parametrize("rows_at_once", [1, 100])
def test_a_dry_run_finds_the_parents_that_the_import_would(
    ada, package, file, monkeypatch, rows_at_once
):
    monkeypatch.setattr("training_versions.bundle.import_.BATCH_ROWS", rows_at_once)
    parent = ada.draft(package)
    ada.draft(package, parent_version_id=parent.id)
    ada.packages.export(package.id, file)
    ada.versions.delete_draft(parent.id)

    plan = ada.packages.import_(file, dry_run=True)

    assert plan.parents_missing == 1  # what is deleted here is not imported again
    assert ada.packages.import_(file) == plan


def test_a_dry_run_finds_the_ids_of_a_copy(bob, stack, lived, bundle):
    plan = bob.packages.import_(bundle, dry_run=True)

    assert plan.package_id != lived.id
    assert everything_in(stack, plan.package_id) == [[], []]
    assert bob.packages.import_(bundle) == plan
    assert plan.new_ids[lived.id] == plan.package_id


def test_a_dry_run_is_refused_as_the_import_would_be(ada, carol, lived, bundle):
    other = ada.package()
    ada.draft(other)

    for how in ({"dry_run": True}, {}):
        with pytest.raises(ConflictError) as caught:
            ada.packages.import_(bundle, package_id=other.id, **how)
        assert caught.value.code == "TV207"
        with pytest.raises(NotFoundError):
            carol.packages.import_(bundle, package_id=other.id, **how)
    assert ada.versions.count(other.id) == 1


@pytest.mark.parametrize("flag", ["no", 0, 1, ""])
def test_a_dry_run_is_asked_for_by_true_or_false(ada, bundle, flag):
    with pytest.raises(InvalidInputError, match="dry_run must be True or False"):
        ada.packages.import_(bundle, dry_run=flag)


def test_a_dry_run_needs_no_more_rights_than_an_import(bob, nobody, package, bundle):
    with pytest.raises(NotFoundError):
        bob.packages.import_(bundle, package_id=package.id, dry_run=True)
    with pytest.raises(NotSignedInError):
        nobody.packages.import_(bundle, dry_run=True)


# --- round trips


@both_faces
def test_a_package_comes_to_another_project_as_it_was(ada, carol, stack, lived, file, tmp_path):
    before, history = states(ada, lived.id), events(stack, lived.id)

    exported = ada.packages.export(lived.id, file)
    result = carol.packages.import_(file)

    assert (exported.versions, exported.events) == (3, len(history))
    brought_in = {"versions_created": 3, "versions_present": 0, "events_added": len(history)}
    brought_in["package_created"] = True
    assert result == nothing_new(lived.id).model_copy(update=brought_in)
    assert states(carol, lived.id) == before
    assert parents(carol, lived.id) == parents(ada, lived.id) == {1: None, 3: 4, 4: 1}
    brought = carol.packages.get(lived.id)
    kept = {"name", "template_type", "config_json"}
    assert brought.model_dump(include=kept) == lived.model_dump(include=kept)
    assert (brought.version_count, brought.latest_published_version) == (3, 3)
    assert carol.draft(lived).version_number == 5
    carol.packages.export(lived.id, tmp_path / "again.jsonl")
    assert sums(tmp_path / "again.jsonl")[:3] == sums(file)


def test_history_comes_along_with_who_and_when(ada, carol, stack, capped_stack, lived, file):
    history = events(stack, lived.id)

    ada.packages.export(lived.id, file)
    carol.packages.import_(file)

    here = events(capped_stack, lived.id)
    assert [event["kind"] for event in here if event["source"] is None] == ["imported"] * 3
    brought = [event for event in here if event["source"] is not None]
    for event, original in zip(brought, history, strict=True):
        for column in ("version_number", "kind", "occurred_at", "last_at"):
            assert event[column] == original[column]
        if original["version_number"] != 2:  # which was deleted
            assert event["version_id"] == original["version_id"]
        added = {"imported": True, "actor_id": original["actor_id"]}
        assert event["details"] == original["details"] | added


def test_importing_twice_changes_nothing(ada, carol, capped_stack, lived, file):
    def everything() -> Any:
        names = ("training_package_versions", "training_version_events")
        return [rows(capped_stack, name, lived.id) for name in names]

    ada.packages.export(lived.id, file)
    carol.packages.import_(file)
    before = everything()

    assert carol.packages.import_(file) == nothing_new(lived.id)

    assert everything() == before


def test_an_alert_that_was_sent_there_is_not_sent_again_here(carol, lived, bundle):
    carol.packages.import_(bundle)
    third = carol.versions.get_by_number(lived.id, 3)  # 5.01 of 10 are spent

    alerts = [carol.versions.record_cost(third.id, amount).alerts for amount in ("2.98", "0.01")]

    assert alerts == [(), (80,)]


def test_importing_into_where_it_comes_from_changes_nothing(ada, lived, bundle):
    ada.packages.update(lived.id, name="renamed since")

    assert ada.packages.import_(bundle) == nothing_new(lived.id, name="renamed since")

    assert ada.packages.get(lived.id).name == "renamed since"


def test_a_number_is_carried_and_compared_as_a_reader_gets_it(ada, bob, published, sql, file):
    # Python writes 0.10 as 0.1. That is no other content, as 1 for 1.0 would be.
    sql.change(published.id, config_snapshot='{"lr": [0.10, {"n": 1.0, "k": 1}]}')
    ada.packages.export(published.package_id, file)

    again, copied = ada.packages.import_(file), bob.packages.import_(file)

    assert (again.versions_created, again.versions_differing) == (0, 0)
    copy = bob.versions.get_by_number(copied.package_id, 1)
    assert json.dumps(copy.config_snapshot) == '{"lr": [0.1, {"k": 1, "n": 1.0}]}'


def test_in_the_same_project_somebody_else_gets_a_copy_and_finds_it_again(
    ada, bob, lived, file, tmp_path
):
    exported = ada.packages.export(lived.id, file)

    result, again = bob.packages.import_(file), bob.packages.import_(file)

    assert result.package_id != lived.id
    assert (result.versions_created, result.events_added) == (3, exported.events)
    assert again == nothing_new(result.package_id)
    assert states(bob, result.package_id) == states(ada, lived.id)
    assert parents(bob, result.package_id) == parents(ada, lived.id)
    bob.packages.export(result.package_id, tmp_path / "copy.jsonl")
    assert sums(tmp_path / "copy.jsonl") == sums(file)


def test_there_and_back_brings_what_happened_there_and_doubles_nothing(
    ada, carol, stack, lived, bundle, tmp_path
):
    carol.packages.import_(bundle)
    new = carol.published(lived)
    before = len(events(stack, lived.id))

    carol.packages.export(lived.id, tmp_path / "back.jsonl")
    result = ada.packages.import_(tmp_path / "back.jsonl")

    assert (result.versions_created, result.versions_present) == (1, 3)
    assert ada.versions.get(new.id).status == VersionStatus.PUBLISHED
    assert result.events_added == 3 + 2  # imported there, and created and published there
    assert len(events(stack, lived.id)) == before + 5 + 1  # and imported here


def test_an_empty_package_goes_round_too(ada, carol, package, file):
    exported = ada.packages.export(package.id, file)

    made = carol.packages.import_(file)

    assert made == nothing_new(package.id, versions=0).model_copy(update={"package_created": True})
    assert (exported.versions, exported.events) == (0, 0)
    assert carol.packages.get(package.id).version_count == 0


def test_a_chosen_package_takes_the_versions_and_keeps_its_name(ada, bob, lived, bundle):
    chosen = bob.package("mine")

    result = bob.packages.import_(bundle, package_id=chosen.id)

    assert (result.package_id, result.versions_created) == (chosen.id, 3)
    assert bob.packages.get(chosen.id).name == "mine"


# --- what moved on, or is gone


def edit(who: Any, draft: Version) -> None:
    who.versions.update_draft(draft.id, config={"edited": "here"})


def publish(who: Any, draft: Version) -> None:
    who.versions.publish(draft.id)


def spend(who: Any, draft: Version) -> None:
    who.versions.record_cost(draft.id, 1)


@pytest.mark.parametrize("change", [edit, publish, spend])
def test_a_draft_that_moved_on_is_left_and_counted(ada, draft, file, change):
    ada.packages.export(draft.package_id, file)
    assert ada.packages.import_(file) == nothing_new(draft.package_id, versions=1)
    change(ada, draft)
    moved_on = ada.versions.get(draft.id)

    result = ada.packages.import_(file)

    assert (result.versions_created, result.versions_present) == (0, 1)
    assert result.versions_differing == 1
    assert ada.versions.get(draft.id) == moved_on


@pytest.mark.parametrize("size", ["lived", "heavy"])  # in one batch, and in several
def test_a_draft_that_was_deleted_here_stays_away_and_is_counted(request, ada, carol, file, size):
    package = request.getfixturevalue(size)
    draft = ada.draft(package)
    ada.packages.export(package.id, file)
    carol.packages.import_(file)

    for caller in (carol, ada):
        caller.versions.delete_draft(draft.id)
        result = caller.packages.import_(file)

        assert (result.versions_created, result.versions_present) == (0, 4)
        assert result.versions_differing == 1
        assert set(parents(caller, package.id)) == {1, 3, 4}


def test_a_draft_deleted_from_a_copy_stays_away_also_when_its_origin_is_gone(
    ada, bob, package, draft, file
):
    ada.packages.export(package.id, file)
    chosen = bob.package("mine")
    bob.packages.import_(file, package_id=chosen.id)
    bob.versions.delete_draft(bob.versions.latest(chosen.id).id)
    ada.packages.delete(package.id)

    result = bob.packages.import_(file, package_id=chosen.id)

    assert (result.versions_created, result.versions_differing) == (0, 1)
    assert states(bob, chosen.id) == []


def test_an_import_whose_versions_do_not_arrive_leaves_no_package(connect, bob, bundle):
    def lose(request: httpx.Request) -> None:
        if request.url.path.endswith("/import_training_versions"):
            raise httpx.ReadError("cut", request=request)

    cut_off = connect(bob, before=lose)

    with pytest.raises(OutcomeUnknownError):
        cut_off.packages.import_(bundle)

    assert list(bob.packages.iterate()) == []
    assert bob.packages.import_(bundle).versions_created > 0


def test_numbers_that_were_given_are_not_given_again_after_an_import(ada, carol, lived, file):
    for draft in [ada.draft(lived) for _ in range(2)]:
        ada.versions.delete_draft(draft.id)
    ada.packages.export(lived.id, file)

    carol.packages.import_(file)

    assert ada.versions.next_version_number(lived.id) == 7
    assert carol.versions.next_version_number(lived.id) == 7


def test_a_package_that_was_deleted_comes_back_under_a_new_id(ada, package, draft, file):
    ada.packages.export(package.id, file)
    ada.packages.delete(package.id)

    first, again = ada.packages.import_(file), ada.packages.import_(file)
    ada.packages.delete(first.package_id)
    other = ada.packages.import_(file)

    assert first.versions_created == 1
    assert again == nothing_new(first.package_id, versions=1)
    assert len({package.id, first.package_id, other.package_id}) == 3
    assert ada.versions.latest(other.package_id).config_snapshot == draft.config_snapshot


# --- parents in other packages


@pytest.fixture
def forked(ada, package, published, tmp_path):
    """Files of a package, and of another one with a published fork of its version."""
    other = ada.package("fork")
    ada.versions.publish(ada.versions.fork(published.id, into=other.id).draft.id)
    files = [tmp_path / "origin.jsonl", tmp_path / "fork.jsonl"]
    for each, target in zip((package, other), files, strict=True):
        ada.packages.export(each.id, target)
    return files


@pytest.mark.parametrize("who", ["carol", "bob"])  # for whom ids stay, and change
def test_a_parent_in_another_package_is_found_whichever_comes_first(request, forked, who):
    caller, (origin, fork) = request.getfixturevalue(who), forked
    bring, latest = caller.packages.import_, caller.versions.latest

    alone, brought, again = bring(fork), bring(origin), bring(fork)

    missing = [result.parents_missing for result in (alone, brought, again)]
    assert missing == [1, 0, 0]
    assert (again.versions_created, again.versions_differing) == (0, 0)
    parent_id = latest(brought.package_id).id
    assert latest(again.package_id).parent_version_id == parent_id
    there = bring(fork, package_id=caller.package("mine").id)
    assert there.parents_missing == 0
    assert latest(there.package_id).parent_version_id == parent_id


def test_a_version_that_was_published_here_is_given_no_parent_by_an_import(
    carol, capped_stack, forked
):
    made_here = carol.package()
    version = carol.published(made_here)
    parent = carol.versions.latest(carol.packages.import_(forked[0]).package_id)
    (row,) = rows(capped_stack, "training_package_versions", made_here.id)
    row["parent_version_id"] = str(parent.id)
    params = {"p_package_id": str(made_here.id), "p_versions": [row]}

    carol.client.rpc("import_training_versions", params).execute()

    assert carol.versions.get(version.id).parent_version_id is None


# --- refusals


def insert_third(caller: Any, package: Package, **given: Any) -> Any:
    """Make a draft with the number 3, whatever the next one is."""
    row = {f"{name}_snapshot": value for name, value in EMPTY.items()}
    row |= {"package_id": str(package.id), "version_number": 3, "status": "draft", "name": "third"}
    table = caller.client.table("training_package_versions")
    return table.insert(row | given).execute().data[0]["id"]


def test_a_package_with_other_versions_is_refused_and_left_alone(ada, bob, lived, bundle, refused):
    chosen = bob.package("mine")
    bob.draft(chosen)
    before = states(bob, chosen.id)

    error = refused("TV207", bob.packages.import_, bundle, package_id=chosen.id)

    assert "number 1 was given to another version" in error.message
    assert error.operation == "packages.import"
    assert states(bob, chosen.id) == before


@pytest.mark.parametrize("deleted", [False, True], ids=["there", "deleted"])
def test_a_clash_in_a_later_batch_is_found_before_anything_is_written(
    ada, bob, heavy, file, refused, deleted
):
    ada.packages.export(heavy.id, file)
    chosen = bob.package("mine")
    mine = insert_third(bob, chosen)
    if deleted:
        bob.versions.delete_draft(mine)
    before = states(bob, chosen.id)

    error = refused("TV207", bob.packages.import_, file, package_id=chosen.id)

    assert "number 3 was given to another version" in error.message
    assert states(bob, chosen.id) == before


def test_a_refusal_in_a_later_batch_says_how_much_came_in_before(ada, carol, heavy, file, refused):
    ada.packages.export(heavy.id, file)
    mine = carol.package("mine", package_id=heavy.id)
    same_id = str(ada.versions.get_by_number(heavy.id, 3).id)
    carol.versions.publish(insert_third(carol, mine, id=same_id))

    error = refused("TV207", carol.packages.import_, file)

    assert "there already, with other content" in error.message
    assert error.__notes__ == [
        "What failed was a batch of versions, numbers 3; 2 versions were created before."
    ]


def test_ids_that_somebody_else_took_are_replaced_by_new_ones(ada, bob, package, draft, file):
    ada.packages.export(package.id, file)
    ada.packages.delete(package.id)
    theirs, target = bob.package("squat"), ada.package("anew")
    derived = uuid.UUID(md5(f"{target.id}{draft.id}".encode()).hexdigest())
    for taken in (draft.id, derived):
        bob.draft(theirs, version_id=taken)
    before = states(bob, theirs.id)

    result = ada.packages.import_(file, package_id=target.id)
    again = ada.packages.import_(file, package_id=target.id)

    (here,) = ada.versions.iterate(target.id)
    assert result.new_ids == {draft.id: here.id}
    assert here.id not in (draft.id, derived)
    assert again == nothing_new(target.id, versions=1, name="anew")
    assert states(bob, theirs.id) == before


def test_a_package_whose_ids_are_all_taken_comes_under_new_ones(ada, bob, package, draft, file):
    exported = ada.packages.export(package.id, file)
    ada.packages.delete(package.id)
    copy = uuid.uuid5(package.id, str(package.user_id))
    squat = bob.packages.create("squat", template_type="x", config={}, package_id=copy)
    bob.draft(squat, version_id=draft.id)

    result, again = ada.packages.import_(file), ada.packages.import_(file)

    (here,) = ada.versions.iterate(result.package_id)
    assert result.package_id not in (package.id, copy)
    assert (result.versions_created, result.events_added) == (1, exported.events)
    assert result.new_ids == {package.id: result.package_id, draft.id: here.id}
    assert again == nothing_new(result.package_id, versions=1)


def test_history_is_not_brought_to_versions_that_are_none_of_the_package(ada, bob, admin, lived):
    theirs, later = ada.versions.latest(lived.id).id, uuid.uuid4()
    event = {"id": 1, "version_number": 1, "kind": "edited", "details": {}}
    event["occurred_at"] = "2020-01-01T00:00:00Z"
    about = [event | {"version_id": str(key), "source": str(key)} for key in (theirs, later)]
    params = {"p_package_id": str(bob.package("mine").id), "p_events": about}

    bob.client.rpc("import_training_events", params).execute()

    ada.draft(lived, version_id=later)
    for version_id in (theirs, later):
        history = admin.versions.iterate_history(version_id=version_id)
        assert {event.package_id for event in history} == {lived.id}


def test_somebody_elses_package_is_not_found(ada, bob, lived, bundle, tmp_path):
    before = states(ada, lived.id)

    with pytest.raises(NotFoundError):
        bob.packages.export(lived.id, tmp_path / "stolen.jsonl")
    with pytest.raises(NotFoundError):
        bob.packages.import_(bundle, package_id=lived.id)

    assert not (tmp_path / "stolen.jsonl").exists()
    assert states(ada, lived.id) == before


def test_who_is_not_signed_in_is_refused(ada, nobody, lived, bundle, tmp_path):
    with pytest.raises(PermissionDeniedError, match="not signed in"):
        nobody.packages.export(lived.id, tmp_path / "stolen.jsonl")
    with pytest.raises(PermissionDeniedError, match="not signed in"):
        nobody.packages.import_(bundle)

    assert not (tmp_path / "stolen.jsonl").exists()


def test_the_service_role_says_whose_a_new_package_is(
    connect, ada, carol, capped_stack, lived, bundle
):
    admin = connect(capped_stack.service_key, stack=capped_stack)
    owner = carol.package().user_id

    with pytest.raises(RejectedError, match="whose package"):
        admin.packages.import_(bundle)
    first = admin.packages.import_(bundle, user_id=str(owner).upper())

    assert (first.package_id, first.versions_created) == (lived.id, 3)
    assert admin.packages.import_(bundle) == nothing_new(lived.id)
    assert carol.packages.get(lived.id).user_id == owner
    assert {version.created_by for version in carol.versions.list(lived.id).items} == {owner}


def test_a_damaged_file_writes_nothing(ada, carol, lived):
    file = io.BytesIO()
    ada.packages.export(lived.id, file)
    damaged = io.BytesIO(file.getvalue().replace(b'"r":16', b'"r":17'))

    with pytest.raises(BundleError, match="Line 3 "):
        carol.packages.import_(damaged)

    assert carol.sent == []
    assert carol.packages.find(lived.id) is None


# --- lost replies, and size


@both_faces
def test_batches_whose_replies_are_lost_are_sent_again(
    connect, ada, carol, capped_stack, lived, file
):
    exported = ada.packages.export(lived.id, file)
    lost = set[str]()

    def lose_the_first_of_each(request: httpx.Request) -> None:
        if "import" in request.url.path and request.url.path not in lost:
            lost.add(request.url.path)
            raise httpx.ReadError("lost", request=request)

    far = connect(carol, stack=capped_stack, after=lose_the_first_of_each)

    result = far.packages.import_(file)

    assert len(lost) == 2
    assert result.versions_created + result.versions_present == 3
    assert states(carol, lived.id) == states(ada, lived.id)
    assert len(events(capped_stack, lived.id)) == 3 + exported.events


# Sizes of versions, how many of them each reply has, and how large a reply may be.
SIZES: dict[str, tuple[list[int], list[int], int]] = {
    "small before large": ([1] * 21 + [400_000] * 9, [23, 2, 2, 2, 1], 2**20),
    "one however large": ([1_200_000] * 2, [1, 1], 1_300_000),
}


@pytest.mark.parametrize(("sizes", "per_reply", "most"), SIZES.values(), ids=SIZES)
def test_a_reply_is_bounded_and_one_version_travels_however_large(
    ada, package, file, sizes, per_reply, most
):
    for size in sizes:
        ada.draft(package, **EMPTY | {"config": {"text": "x" * size}})

    ada.packages.export(package.id, file)

    replies = [reply for reply in ada.replies if "export" in reply.url.path]
    assert [len(reply.json()) for reply in replies] == per_reply
    assert max(len(reply.content) for reply in replies) < most
    assert len(sums(file)) == len(sizes)


MANY = """
insert into public.training_package_versions (
    id, package_id, version_number, name, status, created_at, created_by, published_at,
    published_by, updated_at, config_snapshot, model_snapshot, dataset_snapshot
)
select
    gen_random_uuid(), %(package)s, n, 'bot-v' || n, 'published', now(), %(owner)s, now(),
    %(owner)s, now(), jsonb_build_object('n', n, 'text', repeat('x', 20000)), '{}', '[]'
from generate_series(1, %(many)s) as n;
insert into public.training_version_events
    (package_id, version_id, version_number, owner_id, kind, actor_id, occurred_at)
select package_id, id, version_number, created_by, 'published', created_by, created_at
from public.training_package_versions where package_id = %(package)s order by version_number;
analyze public.training_package_versions, public.training_version_events;
"""


def test_a_bundle_of_thirty_megabytes_takes_little_memory(stack, capped_stack, unique, sql, file):
    many, email = 1_500, unique("owner@")
    client = stack.sign_in(email)
    package = PackageRepository(client).create("bot", template_type="lora", config={})
    sql.past_triggers(MANY, package=package.id, owner=package.user_id, many=many)
    seen, grown = list[int](), list[int]()
    memory = psutil.Process().memory_info
    before = memory().rss

    def progress(done: int, total: int) -> None:
        assert total == 2 * many
        seen.append(done)
        if done % 100 == 0:
            grown.append(memory().rss - before)

    async def bring() -> ImportResult:
        key, token = capped_stack.anon_key, capped_stack.token(email)
        headers = {"apikey": key, "Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(verify=False, timeout=60) as http:
            there = AsyncPostgrestClient(capped_stack.rest_url, headers=headers, http_client=http)
            return await AsyncPackageRepository(there).import_(file, progress=progress)

    exported = PackageRepository(client).export(package.id, file, progress=progress)
    imported = asyncio.run(bring())

    assert (exported.versions, exported.events) == (many, many)
    assert (imported.versions_created, imported.events_added) == (many, many)
    assert seen == [*range(1, 2 * many + 1)] * 2
    assert file.stat().st_size > 30_000_000
    assert max(grown) < 25_000_000
