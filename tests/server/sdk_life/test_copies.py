"""Comparing, restoring, forking, and the family that comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, Field, model_validator

from training_versions import ConflictError, NotFoundError, UnreadableReplyError, Version
from training_versions.local import LocalSupabase

SNAPSHOTS = ("config_snapshot", "model_snapshot", "dataset_snapshot")


def test_two_versions_are_compared_in_one_request(
    ada: Any, published: Version, snapshots: Any
) -> None:
    changed = snapshots | {
        "config": snapshots["config"] | {"r": 16},
        "dataset": [{"id": "new"}, *snapshots["dataset"]],
    }
    other = ada.versions.create_draft(published.package_id, **changed)
    before = len(ada.sent)

    diff = ada.versions.compare(published.id, other.id)

    assert len(ada.sent) == before + 1
    content = diff.filter("/config_snapshot", "/dataset_snapshot")
    assert [(change.label, change.kind, change.delta) for change in content] == [
        ("/config_snapshot/r", "changed", 8),
        ("/dataset_snapshot/id=new", "added", None),
    ]
    assert ada.versions.compare(published, other) == diff
    assert ada.versions.compare(published.id, other) == diff
    assert not ada.versions.compare(published.id, published)


def test_versions_are_compared_as_they_are_stored_through_a_typed_repository_too(
    connect: Any, ada: Any, package: Any
) -> None:
    ours, theirs, old = (
        ada.versions.create_draft(package.id, config=config, model={}, dataset=[], name="same")
        for config in ({"id": "a", "extra": 5}, {"id": "a"}, {"rank": 8})
    )
    typed = connect(ada, config=Entry)
    fitting = typed.versions.get(ours.id)
    before = len(typed.sent)

    diffs = [typed.versions.compare(left, theirs.id) for left in (ours.id, fitting, ours)]

    assert len(typed.sent) == before + 3
    assert [[change.path for change in diff] for diff in diffs] == [["/config_snapshot/extra"]] * 3
    assert len(typed.versions.compare(fitting, old.id)) == 3
    assert not typed.versions.compare(fitting, ours)


def test_a_version_that_cannot_be_compared_is_named(ada: Any, bob: Any, draft: Version) -> None:
    for left, right, missing in (
        (draft.id, uuid4(), 1),
        (uuid4(), draft.id, 0),
        (uuid4(), draft, 0),
    ):
        with pytest.raises(NotFoundError, match=f"There is no version {(left, right)[missing]}"):
            ada.versions.compare(left, right)
    with pytest.raises(NotFoundError, match=f"There is no version {draft.id}"):
        bob.versions.compare(draft.id, draft)


def test_versions_are_compared_also_where_replies_have_one_row(
    connect: Any, ada: Any, draft: Version, snapshots: Any
) -> None:
    """A project that caps replies at a single row is asked again for the other version."""
    other = ada.versions.create_draft(draft.package_id, **snapshots | {"config": {"r": 9}})

    class OneRow:
        def __init__(self, usual: Any) -> None:
            self.usual = usual

        def __getattr__(self, name: str) -> Any:
            return getattr(self.usual, name)

        def __call__(self, request: Any) -> Any:
            request.url = request.url.copy_set_param("limit", "1")
            return request

    def hook(usual: Any) -> Any:
        handle = "handle_async_request" if connect.is_async else "handle_request"
        inner, one = getattr(usual, handle), OneRow(usual)
        setattr(usual, handle, lambda request: inner(one(request)))
        return usual

    capped = connect(ada, transport=hook)

    assert len(capped.versions.compare(draft.id, other.id).filter("/config_snapshot/r")) == 1
    assert len(capped.sent) == 2


def test_a_restored_version_is_a_new_draft_with_the_old_content_and_the_old_version_as_its_parent(
    ada: Any, publish: Callable[..., Version], package: Any
) -> None:
    old = publish()
    publish(config={"r": 64})
    history_of_old = list(ada.versions.iterate_history(version_id=old.id))

    copied = ada.versions.restore(old.id)

    assert copied
    assert copied.fits
    draft = ada.versions.get(copied.draft.id)
    assert (draft.status, draft.version_number, draft.parent_version_id) == ("draft", 3, old.id)
    assert [getattr(draft, name) for name in SNAPSHOTS] == [
        getattr(old, name) for name in SNAPSHOTS
    ]
    assert draft.change_summary == "Restored from version 1"
    assert ada.versions.get(old.id) == old
    assert list(ada.versions.iterate_history(version_id=old.id)) == history_of_old
    (event,) = ada.versions.iterate_history(version_id=draft.id)
    assert (event.kind, event.details["from_version_id"]) == ("restored", str(old.id))


def test_the_content_does_not_travel_when_a_version_is_restored(ada: Any, package: Any) -> None:
    heavy = {"notes": "x" * 200_000}
    old = ada.versions.create_draft(package.id, config=heavy, model=heavy, dataset=[heavy])
    before = len(ada.replies)

    draft = ada.versions.restore(old.id, name="again", change_summary="because").draft

    (reply,) = ada.replies[before:]
    assert len(reply.content) < 2000
    assert len(ada.sent[-1].content) < 2000
    assert (draft.name, draft.change_summary) == ("again", "because")
    assert ada.versions.get(draft.id).dataset_snapshot == [heavy]


@pytest.mark.parametrize("method", ["restore", "fork"])
def test_a_copy_that_is_made_twice_with_the_same_identifier_is_made_once(
    ada: Any, published: Version, method: str
) -> None:
    target = ada.packages.create("other", template_type="lora", config={})
    given: dict[str, Any] = {"new_version_id": uuid4()} | (
        {"into": target.id} if method == "fork" else {}
    )
    make = getattr(ada.versions, method)

    first, second = make(published.id, **given), make(str(published.id), **given)
    ada.versions.update_draft(first.draft.id, config={"r": 1})
    third = make(published.id, **given)

    assert first == second
    assert third.draft.id == given["new_version_id"]
    assert ada.versions.count(first.draft.package_id) == (1 if method == "fork" else 2)


@pytest.mark.parametrize("method", ["restore", "fork"])
def test_a_copy_of_a_draft_is_made_once_although_the_draft_goes_on(
    ada: Any, draft: Version, method: str
) -> None:
    target = ada.packages.create("other", template_type="lora", config={})
    given: dict[str, Any] = {"new_version_id": uuid4()} | (
        {"into": target.id} if method == "fork" else {}
    )
    make = getattr(ada.versions, method)

    first = make(draft.id, **given)
    ada.versions.update_draft(draft.id, config={"r": 99}, name="renamed meanwhile")

    assert make(draft.id, **given) == first


def test_an_identifier_that_names_something_else_is_refused(
    ada: Any, published: Version, draft: Version
) -> None:
    other = ada.versions.create_draft(draft.package_id, config={}, model={}, dataset=[])

    with pytest.raises(ConflictError) as caught:
        ada.versions.restore(published.id, new_version_id=other.id)

    assert caught.value.code == "TV204"
    assert ada.versions.get(other.id) == other


def test_a_fork_goes_into_another_package_of_the_callers(ada: Any, published: Version) -> None:
    target = ada.packages.create("sales-bot", template_type="lora", config={})

    draft = ada.versions.fork(published.id, into=target.id).draft

    assert (draft.package_id, draft.version_number, draft.parent_version_id) == (
        target.id,
        1,
        published.id,
    )
    assert draft.name.startswith("sales-bot-v1-draft-")
    assert draft.change_summary == f"Forked from {published.name}"
    assert ada.versions.get(draft.id).config_snapshot == published.config_snapshot
    (event,) = ada.versions.iterate_history(package_id=target.id)
    assert (event.kind, event.details["from_package_id"]) == ("forked", str(published.package_id))


def test_nobody_copies_what_is_not_theirs_or_into_what_is_not_theirs(
    ada: Any, bob: Any, admin: Any, published: Version
) -> None:
    his = bob.packages.create("his", template_type="lora", config={})

    for attempt, code in (
        (lambda: bob.versions.restore(published.id), "TV101"),
        (lambda: bob.versions.fork(published.id, into=his.id), "TV101"),
        (lambda: ada.versions.fork(published.id, into=his.id), "TV102"),
        (lambda: ada.versions.fork(published.id, into=uuid4()), "TV102"),
        (lambda: ada.versions.restore(uuid4()), "TV101"),
        (lambda: admin.versions.fork(published.id, into=his.id), "TV103"),
    ):
        with pytest.raises(NotFoundError) as caught:
            attempt()
        assert caught.value.code == code
    assert bob.versions.count() == 0


def test_the_service_role_copies_for_the_packages_owner(
    ada: Any, admin: Any, published: Version
) -> None:
    draft = admin.versions.restore(published.id).draft

    assert draft.created_by == ada.id
    assert ada.versions.get(draft.id).parent_version_id == published.id


class Optimizer(BaseModel):
    name: str
    warmup: int


class Lora(BaseModel):
    r: int
    alpha: int = Field(alias="loraAlpha")
    optimizer: Optimizer
    seed: int | None = None


class Entry(BaseModel):
    id: str


@pytest.mark.parametrize("method", ["restore", "fork"])
def test_a_typed_copy_tells_all_that_does_not_fit_todays_types(
    connect: Any, ada: Any, package: Any, method: str
) -> None:
    old = ada.versions.create_draft(
        package.id,
        config={"r": "eight", "rank": 8, "optimizer": {"name": "adam", "momentum": 0.9}},
        model={"anything": "goes"},
        dataset=[{"id": "a"}, {"id": "b", "rows/all": 3}],
    )
    typed = connect(ada, config=Lora, dataset=list[Entry])
    given = (
        {"into": ada.packages.create("other", template_type="lora", config={}).id}
        if method == "fork"
        else {}
    )

    copied = getattr(typed.versions, method)(old.id, **given)

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
    kept = ada.versions.get(copied.draft.id)
    assert [getattr(kept, name) for name in SNAPSHOTS] == [getattr(old, name) for name in SNAPSHOTS]


class Careless(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def look_up(cls, value: Any) -> Any:
        return value["rank"]


def test_a_copy_is_told_of_whatever_its_type_raises(connect: Any, ada: Any, package: Any) -> None:
    old = ada.versions.create_draft(package.id, config={"r": 8}, model={}, dataset=[])
    typed = connect(ada, config=Careless)

    copied = typed.versions.restore(old.id)

    assert [(misfit.path, misfit.problem) for misfit in copied.misfits] == [
        ("/config_snapshot", "invalid")
    ]
    assert ada.versions.get(copied.draft.id).config_snapshot == {"r": 8}
    with pytest.raises(
        UnreadableReplyError, match="config_snapshot does not fit its type: KeyError: 'rank'"
    ):
        typed.versions.get(copied.draft.id)


def test_a_typed_copy_that_fits_says_so(connect: Any, ada: Any, package: Any) -> None:
    config = {"r": 8, "loraAlpha": 16, "optimizer": {"name": "adam", "warmup": 10}, "seed": None}
    old = ada.versions.create_draft(package.id, config=config, model={}, dataset=[{"id": "a"}])

    assert connect(ada, config=Lora, dataset=list[Entry]).versions.restore(old.id).misfits == ()


def test_a_lineage_goes_up_and_down_and_across_packages(
    ada: Any, bob: Any, nobody: Any, publish: Callable[..., Version]
) -> None:
    first = publish()
    second = publish(parent_version_id=first.id)
    side = ada.versions.restore(first.id).draft
    target = ada.packages.create("sales-bot", template_type="lora", config={})
    forked = ada.versions.fork(second.id, into=target.id).draft
    publish()  # of another family
    before = len(ada.sent)

    lineage = ada.versions.lineage(second.id)

    assert len(ada.sent) == before + 1
    assert [node.id for node in lineage.ancestors] == [first.id]
    assert [node.id for node in lineage.descendants] == [forked.id]
    assert lineage.root.id == first.id
    assert [child.id for child in lineage.root.children] == [second.id, side.id]
    assert [node.package_id for node in lineage.root.walk()].count(target.id) == 1
    assert f"* {second.name} (published)" in str(lineage).splitlines()
    for other in (bob, nobody):
        with pytest.raises(Exception, match=r"there is no version|not signed in"):
            other.versions.lineage(second.id)


def test_a_write_that_returns_what_does_not_fit_says_that_it_was_carried_out(
    connect: Any, ada: Any, draft: Version
) -> None:
    class Newer(BaseModel):
        optimizer: str

    typed = connect(ada, config=Newer)

    with pytest.raises(
        UnreadableReplyError, match=r"versions\.publish was carried out, but"
    ) as caught:
        typed.versions.publish(draft.id)

    assert "use a repository without types" in caught.value.hint
    with pytest.raises(UnreadableReplyError, match=r"What versions\.get found cannot be read"):
        typed.versions.get(draft.id)
    assert ada.versions.get(draft.id).status == "published"


def test_a_copy_that_is_asked_for_again_is_there_although_its_origin_is_gone(
    ada: Any, draft: Version
) -> None:
    new_id = uuid4()
    copied = ada.versions.restore(draft.id, new_version_id=new_id)
    ada.versions.delete_draft(draft.id)

    assert (
        ada.versions.restore(draft.id, new_version_id=new_id).draft.version_number
        == copied.draft.version_number
    )
    with pytest.raises(ConflictError):
        ada.versions.fork(draft.id, into=draft.package_id, new_version_id=new_id)


def test_a_draft_that_is_deleted_while_it_is_restored_is_not_found(
    ada: Any, package: Any, snapshots: Any, at_once: Callable[..., list[Any]]
) -> None:
    for _ in range(8):
        draft = ada.versions.create_draft(package.id, **snapshots)

        deleted, *restored = at_once(
            [lambda v=draft: ada.versions.delete_draft(v.id)]
            + [lambda v=draft: ada.versions.restore(v.id)] * 2
        )

        assert deleted is None
        assert {getattr(outcome, "code", "") for outcome in restored} <= {"", "TV101"}


def test_a_lineage_of_three_thousand_generations_is_one_request(
    carol: Any, capped_stack: LocalSupabase, snapshots: Any
) -> None:
    package = carol.packages.create("dynasty", template_type="lora", config={})
    first = carol.versions.create_draft(package.id, **snapshots)
    capped_stack.psql(
        """
        with line as (
            select n, case n when 1 then :'first'::uuid else gen_random_uuid() end as id from generate_series(1, 3000) n
        )
        insert into public.training_package_versions
            (id, package_id, version_number, name, status, created_by, created_at, parent_version_id,
            config_snapshot, model_snapshot, dataset_snapshot)
        select l.id, v.package_id, l.n, 'v' || l.n, 'draft', v.created_by, now() + l.n * interval '1 ms', p.id,
            '{}', '{}', '[]'
        from line l join line p on p.n = l.n - 1, public.training_package_versions v
        where v.id = :'first'::uuid
        order by l.n;
        """,
        first=str(first.id),
    )
    middle = carol.versions.get_by_number(package.id, 1000)
    before = len(carol.sent)

    lineage = carol.versions.lineage(middle.id)

    assert len(carol.sent) == before + 1
    assert [node.version_number for node in lineage.ancestors] == list(range(999, 0, -1))
    assert [node.version_number for node in lineage.descendants] == list(range(1001, 3001))
    assert sum(1 for _ in lineage.root.walk()) == 3000
    assert len(str(lineage).splitlines()) == 3000
