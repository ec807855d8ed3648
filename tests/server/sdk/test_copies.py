"""Comparing, restoring, forking, and the family that comes of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, Field, model_validator

from tests.data import SNAPSHOT_COLUMNS, SNAPSHOTS
from tests.faces import both_faces
from training_versions import NotFoundError, UnreadableReplyError, Version


def content_of(version: Version) -> list[Any]:
    return [getattr(version, name) for name in SNAPSHOT_COLUMNS]


# --- comparing


def test_two_versions_are_compared_whether_they_are_named_or_loaded(ada, published):
    dataset = [{"id": "new"}, *SNAPSHOTS["dataset"]]
    other = ada.draft(published, config=SNAPSHOTS["config"] | {"r": 16}, dataset=dataset)
    ada.sent.clear()

    diff = ada.versions.compare(published.id, other.id)

    assert len(ada.sent) == 1
    content = diff.filter("/config_snapshot", "/dataset_snapshot")
    assert [(change.label, change.kind, change.delta) for change in content] == [
        ("/config_snapshot/r", "changed", 8),
        ("/dataset_snapshot/id=new", "added", None),
    ]
    assert ada.versions.compare(published, other) == diff
    assert ada.versions.compare(published.id, other) == diff
    assert not ada.versions.compare(published.id, published)


@both_faces
def test_two_versions_are_compared_by_their_numbers(ada, bob, published):
    package_id = published.package_id
    ada.draft(published, config={"r": 16})
    ada.sent.clear()

    diff = ada.versions.compare_numbers(package_id, 1, 2)

    assert len(ada.sent) == 1
    assert diff == ada.versions.compare(published.id, ada.versions.latest(package_id).id)
    assert diff.filter("/config_snapshot/r")[0].new == 16
    assert not ada.versions.compare_numbers(package_id, 2, 2)
    for who, numbers, missing in ((ada, (1, 7), 7), (ada, (7, 2), 7), (bob, (1, 2), 1)):
        with pytest.raises(NotFoundError, match=f"no version {missing} of package {package_id}"):
            who.versions.compare_numbers(package_id, *numbers)


def test_how_a_number_is_written_is_a_difference(ada, draft):
    first = ada.versions.update_draft(draft.id, config={"batches": 1, "lr": 1e20})

    second = ada.versions.update_draft(draft.id, config={"batches": 1.0, "lr": 1e20})

    diff = ada.versions.compare(first, second)
    assert str(diff) == "~ /config_snapshot/batches  1 -> 1.0"
    assert json.dumps(diff.to_json_patch()[0]["value"]) == "1.0"
    assert json.dumps(ada.versions.get(draft.id).config_snapshot["batches"]) == "1.0"


class Entry(BaseModel):
    id: str


# --- copying


def test_a_restored_version_is_a_new_draft_with_the_old_content_and_the_old_version_as_its_parent(
    ada, published
):
    ada.published(published, config={"r": 64})
    history_of_old = list(ada.versions.iterate_history(version_id=published.id))

    copied = ada.versions.restore(published.id)

    assert copied
    assert copied.fits
    draft = ada.versions.get(copied.draft.id)
    assert (draft.status, draft.version_number) == ("draft", 3)
    assert draft.parent_version_id == published.id
    assert content_of(draft) == content_of(published)
    assert draft.change_summary == "Restored from version 1"
    assert ada.versions.get(published.id) == published
    assert list(ada.versions.iterate_history(version_id=published.id)) == history_of_old
    (event,) = ada.versions.iterate_history(version_id=draft.id)
    assert (event.kind, event.details["from_version_id"]) == ("restored", str(published.id))


def test_a_fork_goes_into_another_package_of_the_callers(ada, published):
    target = ada.package("sales-bot")

    draft = ada.versions.fork(published.id, into=target.id).draft

    assert (draft.package_id, draft.version_number) == (target.id, 1)
    assert draft.parent_version_id == published.id
    assert draft.name.startswith("sales-bot-v1-draft-")
    assert draft.change_summary == f"Forked from {published.name}"
    assert ada.versions.get(draft.id).config_snapshot == published.config_snapshot
    (event,) = ada.versions.iterate_history(package_id=target.id)
    assert (event.kind, event.details["from_package_id"]) == ("forked", str(published.package_id))


def test_the_content_does_not_travel_when_a_version_is_restored(ada, package):
    heavy = {"notes": "x" * 200_000}
    old = ada.draft(package, config=heavy, model=heavy, dataset=[heavy])
    ada.replies.clear()

    draft = ada.versions.restore(old.id, name="again", change_summary="because").draft

    (reply,) = ada.replies
    assert len(reply.content) < 2000
    assert len(ada.sent[-1].content) < 2000
    assert (draft.name, draft.change_summary) == ("again", "because")
    assert ada.versions.get(draft.id).dataset_snapshot == [heavy]


class Copying:
    """One of the two ways to copy a version, under an identifier of the caller's own."""

    def __init__(self, ada: Any, method: str) -> None:
        self.copy = getattr(ada.versions, method)
        self.given: dict[str, Any] = {"new_version_id": uuid4()}
        if method == "fork":
            self.given["into"] = ada.package().id

    def __call__(self, version_id: UUID | str) -> Any:
        return self.copy(version_id, **self.given)


@pytest.fixture(params=["restore", "fork"])
def copying(request, ada):
    return Copying(ada, request.param)


def test_a_copy_that_is_made_twice_with_the_same_identifier_is_made_once(ada, published, copying):
    first, second = copying(published.id), copying(str(published.id))
    ada.versions.update_draft(first.draft.id, config={"r": 1})

    assert first == second
    assert copying(published.id).draft.id == first.draft.id == copying.given["new_version_id"]
    assert ada.versions.count(parent_version_id=published.id) == 1


def test_a_copy_of_a_draft_is_made_once_although_the_draft_goes_on_and_is_deleted(
    ada, draft, copying, refused
):
    first = copying(draft.id)
    ada.versions.update_draft(draft.id, config={"r": 99}, name="renamed meanwhile")
    assert copying(draft.id) == first
    ada.versions.delete_draft(draft.id)

    assert copying(draft.id).draft.version_number == first.draft.version_number
    copying.given["into"] = ada.package("elsewhere").id
    refused("TV204", ada.versions.fork, draft.id, **copying.given)


def test_an_identifier_that_names_something_else_is_refused(ada, published, refused):
    other = ada.draft(published)

    refused("TV204", ada.versions.restore, published.id, new_version_id=other.id)

    assert ada.versions.get(other.id) == other


def test_nobody_copies_what_is_not_theirs_or_into_what_is_not_theirs(
    ada, bob, admin, published, refused
):
    his = bob.package("his").id

    refused("TV101", bob.versions.restore, published.id)
    refused("TV101", bob.versions.fork, published.id, into=his)
    refused("TV102", ada.versions.fork, published.id, into=his)
    refused("TV102", ada.versions.fork, published.id, into=uuid4())
    refused("TV101", ada.versions.restore, uuid4())
    refused("TV103", admin.versions.fork, published.id, into=his)

    assert bob.versions.count() == 0


def test_the_service_role_copies_for_the_packages_owner(ada, admin, published):
    draft = admin.versions.restore(published.id).draft

    assert draft.created_by == ada.id
    assert ada.versions.get(draft.id).parent_version_id == published.id


def test_a_draft_that_is_deleted_while_it_is_restored_is_not_found(ada, package, at_once):
    for _ in range(8):
        draft_id = ada.draft(package).id

        deleted, *restored = at_once(
            [
                lambda key=draft_id: ada.versions.delete_draft(key),
                *[lambda key=draft_id: ada.versions.restore(key)] * 2,
            ]
        )

        assert deleted is None
        assert {getattr(outcome, "code", "") for outcome in restored} <= {"", "TV101"}


# --- copies with types


class Optimizer(BaseModel):
    name: str
    warmup: int


class Lora(BaseModel):
    r: int
    alpha: int = Field(alias="loraAlpha")
    optimizer: Optimizer
    seed: int | None = None


def test_a_typed_copy_reports_all_that_does_not_fit_todays_types(connect, ada, package):
    old = ada.draft(
        package,
        config={"r": "eight", "rank": 8, "optimizer": {"name": "adam", "momentum": 0.9}},
        model={"anything": "goes"},
        dataset=[{"id": "a"}, {"id": "b", "rows/all": 3}],
    )
    typed = connect(ada, config=Lora, dataset=list[Entry])

    for copied in (typed.versions.restore(old.id), typed.versions.fork(old.id, into=package.id)):
        assert not copied
        assert sorted((misfit.path, misfit.problem) for misfit in copied.misfits) == [
            ("/config_snapshot/loraAlpha", "missing"),
            ("/config_snapshot/optimizer/momentum", "unknown"),
            ("/config_snapshot/optimizer/warmup", "missing"),
            ("/config_snapshot/r", "invalid"),
            ("/config_snapshot/rank", "unknown"),
            ("/dataset_snapshot/1/rows~1all", "unknown"),
        ]
        assert all(misfit.message for misfit in copied.misfits)
        assert "model_snapshot" not in json.loads(typed.replies[-1].content)
        assert content_of(ada.versions.get(copied.draft.id)) == content_of(old)


class Careless(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def look_up(cls, value: Any) -> Any:
        return value["rank"]


def test_a_copy_reports_whatever_its_type_raises(connect, ada, package):
    old = ada.draft(package, config={"r": 8})
    typed = connect(ada, config=Careless)

    copied = typed.versions.restore(old.id)

    assert [(misfit.path, misfit.problem) for misfit in copied.misfits] == [
        ("/config_snapshot", "invalid")
    ]
    assert ada.versions.get(copied.draft.id).config_snapshot == {"r": 8}
    words = "config_snapshot does not fit its type: KeyError: 'rank'"
    with pytest.raises(UnreadableReplyError, match=words):
        typed.versions.get(copied.draft.id)


def test_a_typed_copy_that_fits_says_so(connect, ada, package):
    config = {"r": 8, "loraAlpha": 16, "optimizer": {"name": "adam", "warmup": 10}, "seed": None}
    old = ada.draft(package, config=config, dataset=[{"id": "a"}])

    assert connect(ada, config=Lora, dataset=list[Entry]).versions.restore(old.id).misfits == ()


# --- lineage


def test_a_lineage_goes_up_and_down_and_across_packages(ada, bob, published, refused):
    second = ada.published(published, parent_version_id=published.id)
    side = ada.versions.restore(published.id).draft
    target = ada.package("sales-bot")
    forked = ada.versions.fork(second.id, into=target.id).draft
    ada.published(published)  # of another family
    ada.sent.clear()

    lineage = ada.versions.lineage(second.id)

    assert len(ada.sent) == 1
    assert [node.id for node in lineage.ancestors] == [published.id]
    assert [node.id for node in lineage.descendants] == [forked.id]
    assert lineage.root.id == published.id
    assert [child.id for child in lineage.root.children] == [second.id, side.id]
    assert [node.package_id for node in lineage.root.walk()].count(target.id) == 1
    assert f"* {second.name} (published)" in str(lineage).splitlines()
    refused("TV101", bob.versions.lineage, second.id)
