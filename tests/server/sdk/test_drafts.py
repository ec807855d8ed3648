"""Drafts: created, edited, deleted, by their owner; the refusals are in `test_refusals.py`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from training_versions import ConflictError, Package, Version, VersionStatus

COSTS = {"estimated_cost": Decimal("12.50"), "budget_limit": Decimal("99999999.99")}


def test_a_draft_comes_back_as_it_was_created(ada: Any, package: Package, snapshots: Any) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)

    draft = ada.versions.create_draft(package.id, **snapshots, change_summary="more rows", **COSTS)

    assert draft.package_id == package.id
    assert draft.version_number == 1
    assert draft.status is VersionStatus.DRAFT
    assert draft.name == f"support-bot-v1-draft-{draft.created_at:%Y%m%d}"
    assert draft.config_snapshot == snapshots["config"]
    assert draft.model_snapshot == snapshots["model"]
    assert draft.dataset_snapshot == snapshots["dataset"]
    assert draft.change_summary == "more rows"
    assert draft.parent_version_id is None
    assert (draft.estimated_cost, draft.budget_limit) == (Decimal("12.50"), Decimal("99999999.99"))
    assert draft.created_by == ada.id
    assert (draft.published_at, draft.published_by, draft.is_deployed) == (None, None, False)
    assert before < draft.created_at == draft.updated_at < datetime.now(UTC) + timedelta(seconds=5)
    assert ada.versions.get(draft.id) == draft
    assert ada.packages.get(package.id).version_count == 1


def test_creating_a_draft_is_one_request(ada: Any, package: Package, snapshots: Any) -> None:
    ada.sent.clear()

    ada.versions.create_draft(package.id, **snapshots)

    assert [request.url.path for request in ada.sent] == ["/rest/v1/rpc/create_training_draft"]


def test_a_draft_takes_name_parent_and_identifier_that_are_given(
    ada: Any, package: Package, published: Version, snapshots: Any
) -> None:
    mine = uuid4()

    draft = ada.versions.create_draft(
        package.id,
        **snapshots,
        name="with manuals",
        parent_version_id=published.id,
        version_id=mine,
    )

    assert (draft.id, draft.name, draft.parent_version_id) == (mine, "with manuals", published.id)


def test_creating_with_the_same_identifier_returns_the_draft_that_it_made(
    ada: Any, package: Package, snapshots: Any
) -> None:
    mine = uuid4()
    first = ada.versions.create_draft(package.id, **snapshots, **COSTS, version_id=mine)

    again = ada.versions.create_draft(
        package.id, **snapshots, **COSTS, version_id=str(mine).upper()
    )

    assert again == first
    assert ada.versions.count(package.id) == 1
    assert ada.versions.next_version_number(package.id) == 2


def test_creating_with_the_same_identifier_returns_the_draft_also_after_it_was_edited_or_published(
    ada: Any, package: Package, snapshots: Any
) -> None:
    mine = uuid4()
    ada.versions.create_draft(package.id, **snapshots, version_id=mine)
    edited = ada.versions.update_draft(mine, change_summary="edited")

    assert ada.versions.create_draft(package.id, **snapshots, version_id=mine) == edited

    published = ada.versions.publish(mine)

    assert ada.versions.create_draft(package.id, **snapshots, version_id=mine) == published


def test_a_parent_may_lie_in_another_package_of_the_same_user(
    ada: Any, published: Version, snapshots: Any
) -> None:
    other = ada.packages.create("other", template_type="lora", config={})

    draft = ada.versions.create_draft(other.id, **snapshots, parent_version_id=str(published.id))

    assert draft.parent_version_id == published.id


def test_the_service_role_creates_a_draft_for_the_owner_of_the_package(
    admin: Any, ada: Any, package: Package, snapshots: Any
) -> None:
    made = admin.versions.create_draft(package.id, **snapshots)

    assert made.created_by == package.user_id
    assert ada.versions.get(made.id) == made


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
COLUMNS = {"config": "config_snapshot", "model": "model_snapshot", "dataset": "dataset_snapshot"}


@pytest.fixture
def full(ada: Any, package: Package, published: Version, snapshots: Any) -> Version:
    """A draft in which everything has a value."""
    return ada.versions.create_draft(
        package.id,
        **snapshots,
        **COSTS,
        name="full",
        change_summary="everything",
        parent_version_id=published.id,
    )


@pytest.mark.parametrize("argument", CHANGES)
def test_an_edit_changes_only_what_is_named(ada: Any, full: Version, argument: str) -> None:
    edited = ada.versions.update_draft(full.id, **{argument: CHANGES[argument]})

    changed = {COLUMNS.get(argument, argument): CHANGES[argument], "updated_at": edited.updated_at}
    assert edited == full.model_copy(update=changed)
    assert edited.updated_at > full.updated_at
    assert ada.versions.get(full.id) == edited


def test_an_edit_changes_everything_at_once_in_one_request(ada: Any, full: Version) -> None:
    ada.sent.clear()

    edited = ada.versions.update_draft(full.id, **CHANGES)

    assert [request.url.path for request in ada.sent] == ["/rest/v1/rpc/update_training_draft"]
    changes = {COLUMNS.get(argument, argument): value for argument, value in CHANGES.items()}
    assert edited == full.model_copy(update={**changes, "updated_at": edited.updated_at})


@pytest.mark.parametrize(
    "argument", ["change_summary", "parent_version_id", "estimated_cost", "budget_limit"]
)
def test_none_clears_what_may_be_empty(ada: Any, full: Version, argument: str) -> None:
    edited = ada.versions.update_draft(full.id, **{argument: None})

    assert edited == full.model_copy(update={argument: None, "updated_at": edited.updated_at})


def test_an_edit_with_the_moment_that_was_read_succeeds(ada: Any, draft: Version) -> None:
    first = ada.versions.update_draft(
        draft.id, config={"r": 16}, expected_updated_at=draft.updated_at
    )
    second = ada.versions.update_draft(
        draft.id, config={"r": 32}, expected_updated_at=first.updated_at
    )

    assert second.config_snapshot == {"r": 32}


def test_the_moment_counts_in_any_time_zone(ada: Any, draft: Version) -> None:
    from zoneinfo import ZoneInfo

    there = draft.updated_at.astimezone(ZoneInfo("Asia/Kolkata"))

    assert ada.versions.update_draft(draft.id, name="n", expected_updated_at=there).name == "n"


def test_the_same_edit_again_with_the_old_moment_succeeds(ada: Any, draft: Version) -> None:
    once = ada.versions.update_draft(draft.id, **CHANGES, expected_updated_at=draft.updated_at)

    twice = ada.versions.update_draft(draft.id, **CHANGES, expected_updated_at=draft.updated_at)

    assert twice == once


def test_an_edit_that_changes_nothing_succeeds_and_leaves_the_moment(
    ada: Any, full: Version, snapshots: Any
) -> None:
    same = ada.versions.update_draft(full.id, **snapshots, name="full", estimated_cost="12.5")

    assert same == full


def test_of_two_who_read_the_same_the_second_is_refused_and_the_first_stays(
    ada: Any, draft: Version
) -> None:
    ada.versions.update_draft(draft.id, config={"r": 16}, expected_updated_at=draft.updated_at)

    with pytest.raises(ConflictError):
        ada.versions.update_draft(draft.id, config={"r": 64}, expected_updated_at=draft.updated_at)

    assert ada.versions.get(draft.id).config_snapshot == {"r": 16}


def test_a_deleted_draft_is_gone_and_its_number_is_not_given_again(
    ada: Any, package: Package, draft: Version, snapshots: Any
) -> None:
    assert ada.versions.delete_draft(draft.id, expected_updated_at=draft.updated_at) is None

    assert ada.versions.find(draft.id) is None
    assert ada.packages.get(package.id).version_count == 0
    assert ada.versions.next_version_number(package.id) == 2
    assert ada.versions.create_draft(package.id, **snapshots).version_number == 2


def test_deleting_a_draft_twice_has_the_effect_of_one(ada: Any, draft: Version) -> None:
    ada.versions.delete_draft(draft.id, expected_updated_at=draft.updated_at)

    assert ada.versions.delete_draft(draft.id, expected_updated_at=draft.updated_at) is None
    assert ada.versions.delete_draft(str(draft.id)) is None


def test_a_draft_whose_parent_is_deleted_loses_the_parent(
    ada: Any, package: Package, draft: Version, snapshots: Any
) -> None:
    child = ada.versions.create_draft(package.id, **snapshots, parent_version_id=draft.id)

    ada.versions.delete_draft(draft.id)

    assert ada.versions.get(child.id).parent_version_id is None


def test_the_next_number_is_told_and_not_reserved(
    ada: Any, package: Package, snapshots: Any
) -> None:
    assert ada.versions.next_version_number(package.id) == 1
    assert ada.versions.next_version_number(str(package.id)) == 1

    ada.versions.create_draft(package.id, **snapshots)

    assert ada.versions.next_version_number(package.id) == 2


def test_numbers_count_in_each_package_alone(
    ada: Any, package: Package, draft: Version, snapshots: Any
) -> None:
    other = ada.packages.create("other", template_type="lora", config={})

    assert ada.versions.create_draft(other.id, **snapshots).version_number == 1
    assert ada.versions.create_draft(package.id, **snapshots).version_number == 2


def test_a_default_name_is_cut_to_fit_a_long_package_name(ada: Any, snapshots: Any) -> None:
    long = ada.packages.create("n" * 255, template_type="t" * 100, config={})

    draft = ada.versions.create_draft(long.id, **snapshots)

    assert long.name == "n" * 255
    assert draft.name.startswith("nnn")
    assert draft.name.endswith(f"-v1-draft-{draft.created_at:%Y%m%d}")
    assert len(draft.name) <= 255


def test_a_draft_is_typed_by_identifiers_and_moments(draft: Version) -> None:
    assert isinstance(draft.id, UUID)
    assert draft.created_at.utcoffset() == timedelta(0)
