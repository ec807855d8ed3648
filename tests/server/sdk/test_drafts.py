"""Drafts and what becomes of them, as the SDK gives them.

The database's own rules are in `tests/server/schema`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.data import SNAPSHOTS
from training_versions import NotFoundError, VersionStatus

COSTS = {"estimated_cost": Decimal("12.50"), "budget_limit": Decimal("99999999.99")}
COLUMNS = {"config": "config_snapshot", "model": "model_snapshot", "dataset": "dataset_snapshot"}


def test_a_draft_comes_back_as_it_was_created(ada, package):
    draft = ada.draft(package, change_summary="more rows", **COSTS)

    assert isinstance(draft.id, UUID)
    assert (draft.package_id, draft.version_number) == (package.id, 1)
    assert draft.status is VersionStatus.DRAFT
    assert draft.name == f"support-bot-v1-draft-{draft.created_at:%Y%m%d}"
    assert {name: getattr(draft, column) for name, column in COLUMNS.items()} == SNAPSHOTS
    assert (draft.change_summary, draft.parent_version_id) == ("more rows", None)
    assert {name: getattr(draft, name) for name in COSTS} == COSTS
    assert draft.created_by == ada.id
    assert (draft.published_at, draft.published_by, draft.is_deployed) == (None, None, False)
    assert abs(draft.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert draft.created_at.utcoffset() == timedelta(0)
    assert draft.updated_at == draft.created_at
    assert ada.versions.get(draft.id) == draft


def test_a_draft_takes_name_parent_and_identifier_that_are_given(ada, package, published):
    mine = uuid4()

    draft = ada.draft(package, name="all", parent_version_id=str(published.id), version_id=mine)

    assert (draft.id, draft.name, draft.parent_version_id) == (mine, "all", published.id)


CHANGES: dict[str, Any] = {
    "config": {"r": 16},
    "model": {"id": "mistral"},
    "dataset": [{"id": "chats"}],
    "name": "renamed",
    "change_summary": "shorter",
    "parent_version_id": None,
    "estimated_cost": Decimal("1.05"),
    "budget_limit": Decimal("7"),
}
CLEARED = ("change_summary", "parent_version_id", "estimated_cost", "budget_limit")
EDITS = [
    *({argument: value} for argument, value in CHANGES.items()),
    *({argument: None} for argument in CLEARED),
    CHANGES,
]


@pytest.fixture
def full(ada, published):
    """A draft in which everything has a value."""
    texts = {"name": "full", "change_summary": "everything"}
    return ada.draft(published, **COSTS, **texts, parent_version_id=published.id)


@pytest.mark.parametrize("changes", EDITS, ids=" ".join)
def test_an_edit_changes_only_what_is_named(ada, full, changes):
    ada.sent.clear()

    edited = ada.versions.update_draft(full.id, **changes)

    assert ada.paths == ["rpc/update_training_draft"]
    by_column = {COLUMNS.get(argument, argument): value for argument, value in changes.items()}
    assert edited == full.model_copy(update={**by_column, "updated_at": edited.updated_at})
    assert edited.updated_at > full.updated_at
    assert ada.versions.get(full.id) == edited


def test_an_edit_that_changes_nothing_returns_the_draft_as_it_is(ada, full):
    same = ada.versions.update_draft(full.id, **SNAPSHOTS, name="full", estimated_cost="12.5")

    assert same == full


def test_the_moment_that_was_read_counts_in_any_time_zone(ada, draft):
    there = draft.updated_at.astimezone(ZoneInfo("Asia/Kolkata"))

    assert ada.versions.update_draft(draft.id, name="n", expected_updated_at=there).name == "n"


@pytest.mark.parametrize(
    "write",
    [
        lambda ada, draft, token: ada.versions.update_draft(draft.id, name="n", **token),
        lambda ada, draft, token: ada.versions.publish(draft.id, **token),
        lambda ada, draft, token: ada.versions.delete_draft(draft.id, **token),
    ],
    ids=["update_draft", "publish", "delete_draft"],
)
def test_training_and_cost_are_no_edits_whenever_the_draft_was_read(ada, draft, write):
    run = ada.versions.start_training(draft.id)
    during = ada.versions.record_metrics(draft.id, {"loss": 0.5}, step=1, run_id=run.id)
    ada.versions.record_cost(draft.id, 1)

    for read in (draft, during):
        moment = {"expected_updated_at": read.updated_at}
        same = ada.versions.update_draft(draft.id, name=draft.name, **moment)
        assert same.updated_at > read.updated_at
    write(ada, draft, {"expected_updated_at": draft.updated_at})


def test_a_published_draft_is_signed_dated_and_named(ada, draft):
    version = ada.versions.publish(draft.id, expected_updated_at=draft.updated_at)

    assert version.status is VersionStatus.PUBLISHED
    assert (version.name, version.published_by) == ("support-bot-v1", ada.id)
    assert abs(version.published_at - datetime.now(UTC)) < timedelta(minutes=1)
    changed = ("status", "name", "published_by", "published_at", "updated_at")
    assert version == draft.model_copy(update={name: getattr(version, name) for name in changed})
    assert ada.packages.get(draft.package_id).current_version_id == version.id


def test_publishing_takes_a_name(ada, draft):
    assert ada.versions.publish(draft.id, name="spring").name == "spring"


def test_archiving_returns_what_it_made(ada, published):
    version = ada.versions.archive(str(published.id))

    changed = {"status": VersionStatus.ARCHIVED, "updated_at": version.updated_at}
    assert version == published.model_copy(update=changed)


def test_latest_looks_at_every_status_and_latest_published_at_one(ada, bob, package):
    assert ada.versions.latest(package.id) is None
    assert ada.versions.latest_published(package.id) is None
    one, two, three = (ada.draft(package) for _ in range(3))
    for draft in (two, one):  # not in the order of their numbers
        published = ada.versions.publish(draft.id)

    assert ada.versions.latest_published(str(package.id)).id == two.id
    assert ada.versions.latest(str(package.id)) == three
    ada.versions.archive(two.id)
    assert ada.versions.latest_published(package.id) == published
    assert bob.versions.latest(package.id) is None
    assert bob.versions.latest_published(package.id) is None


READS = {
    "get": ("id",),
    "find": ("id",),
    "get_by_number": ("package_id", "version_number"),
    "latest": ("package_id",),
    "latest_published": ("package_id",),
    "count": ("package_id",),
}


@pytest.mark.parametrize("read", READS)
def test_a_read_is_one_request(ada, published, read):
    arguments = [getattr(published, name) for name in READS[read]]
    ada.sent.clear()

    found = getattr(ada.versions, read)(*arguments)

    assert found == (1 if read == "count" else published)
    assert [request.method for request in ada.sent] == ["GET"]


def test_uuids_of_every_spelling_work(ada, draft):
    text = str(draft.id)
    for spelling in (text, text.upper(), draft.id.hex, f"{{{text}}}", draft.id.urn, UUID(text)):
        assert ada.versions.get(spelling) == draft
        assert ada.versions.count(parent_version_id=spelling) == 0
    assert ada.versions.count(package_id=draft.package_id.urn) == 1


COSTS_THAT_WORK: list[tuple[Any, str]] = [
    *((0, "0"), (-0.0, "0"), (Decimal("-0"), "0"), (7, "7"), ("7.5", "7.50"), (0.1, "0.10")),
    *((19.99, "19.99"), (0.29, "0.29"), (0.01, "0.01"), ("1e2", "100")),
    *((Decimal("1E+2"), "100"), (Decimal("1.10000"), "1.10")),
    *((99_999_999.99, "99999999.99"), (99_999_999.98, "99999999.98")),
    (Decimal("99999999.99"), "99999999.99"),
]


@pytest.mark.parametrize(("given", "stored"), COSTS_THAT_WORK, ids=repr)
def test_a_cost_comes_back_equal(ada, draft, given, stored):
    edited = ada.versions.update_draft(draft.id, estimated_cost=given, budget_limit=given)

    (listed,) = ada.versions.list(draft.package_id).items
    for version in (edited, ada.versions.get(draft.id), listed):
        assert version.estimated_cost == version.budget_limit == Decimal(stored)
        assert isinstance(version.estimated_cost, Decimal)


def test_a_number_beyond_integers_never_finds_the_greatest_one(ada, draft, sql):
    # Databases that are older than the rules may have such a row.
    sql.change(draft.id, version_number=2**31 - 1)
    assert ada.versions.get_by_number(draft.package_id, 2**31 - 1).id == draft.id

    for number in (2**31, 2**31 + 5, 2**63, 10**30):
        with pytest.raises((ValueError, NotFoundError), match=str(number)):
            ada.versions.get_by_number(draft.package_id, number)
