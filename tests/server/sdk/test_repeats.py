"""Calls that create something with an identifier of the caller's, made again: with the same, which
finds what is there and says so, and with something else, which is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.data import SNAPSHOTS
from tests.faces import both_faces


@dataclass
class Repeatable:
    """A call that creates, what it is given besides its identifier, and what else to give."""

    operation: str
    key: str
    given: dict[str, Any] = field(default_factory=dict)
    others: tuple[dict[str, Any], ...] = ()


CALLS = [
    Repeatable(
        "packages.create",
        "package_id",
        {"name": "bot", "template_type": "lora", "config": {"r": 8}},
        ({"name": "b"}, {"template_type": "dpo"}, {"config": {"r": 8.0}}),
    ),
    Repeatable(
        "versions.create_draft",
        "version_id",
        SNAPSHOTS | {"name": "first"},
        ({"config": {"r": 9}}, {"name": "second"}, {"budget_limit": 5}),
    ),
    Repeatable(
        "versions.restore", "new_version_id", {"name": "again"}, ({"name": "b"}, {"name": None})
    ),
    Repeatable("versions.fork", "new_version_id", {}, ({"name": "b"}, {"change_summary": "c"})),
    Repeatable("versions.start_training", "run_id"),
    Repeatable(
        "versions.deploy",
        "stay_id",
        {"target": "local", "url": "http://a"},
        ({"url": "http://b"}, {"url": None}, {"target": "hf_space"}, {"deployment_id": "x"}),
    ),
    Repeatable(
        "versions.record_cost",
        "entry_id",
        {"amount": "1.20", "note": "gpu"},
        ({"amount": "1.30"}, {"note": "cpu"}, {"note": None}, {"key": "k"}, {"alert_at": [70]}),
    ),
]
every_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.operation)


@pytest.fixture
def arguments(ada, package):
    """Completes the arguments of a call, with an identifier that is new."""
    published = ada.published(package)

    def complete(call: Repeatable) -> dict[str, Any]:
        where: dict[str, Any] = {"version_id": published.id}
        if call.operation == "packages.create":
            where = {}
        elif call.operation == "versions.create_draft":
            where = {"package_id": package.id}
        elif call.operation == "versions.fork":
            where |= {"into": ada.package("fork").id}
        return where | call.given | {call.key: uuid4()}

    return complete


def method_of(who: Any, call: Repeatable) -> Any:
    repository, name = call.operation.split(".")
    return getattr(getattr(who, repository), name)


@both_faces
@every_call
def test_a_repeat_says_that_it_found_what_was_there(ada, admin, arguments, call):
    given = arguments(call)

    first, second = method_of(ada, call)(**given), method_of(ada, call)(**given)

    assert (first.replayed, second.replayed) == (False, True)
    assert second == first
    assert second.model_dump() == first.model_dump()
    owned = {"user_id": ada.id} if call.operation == "packages.create" else {}
    assert method_of(admin, call)(**given, **owned).replayed


@every_call
def test_an_identifier_that_was_given_for_something_else_is_refused(ada, arguments, call, refused):
    given = arguments(call)
    method_of(ada, call)(**given)

    for other in call.others:
        error = refused("TV204", method_of(ada, call), **given | other)
        assert str(given[call.key]) in error.message


def test_the_same_shares_of_the_budget_in_another_order_are_a_repeat(ada, published):
    given = {"version_id": published.id, "amount": 1, "entry_id": uuid4()}
    ada.versions.record_cost(**given, alert_at=[50, 80])

    assert ada.versions.record_cost(**given, alert_at=[80, 50, 50]).replayed


def test_an_amount_that_is_written_with_other_zeros_is_a_repeat(ada, published, sql):
    entry = f"'{published.id}', %(amount)s::numeric, p_entry_id => '{uuid4()}'"
    first, second = (
        sql(f"select public.record_training_cost({entry}) -> 'id'", amount=amount)
        for amount in ("1.5", "1.50")
    )

    assert second == first
    assert ada.versions.get(published.id).actual_cost == Decimal("1.50")


def test_a_package_that_was_handed_over_since_is_not_created_again(ada, bob, admin, sql, refused):
    given = {"name": "bot", "template_type": "lora", "config": {}, "package_id": uuid4()}
    ada.packages.create(**given)
    sql(
        "update public.training_configs set user_id = %(bob)s where id = %(id)s",
        admin=True,
        bob=bob.id,
        id=given["package_id"],
    )

    refused("TV204", ada.packages.create, **given)
    refused("TV204", admin.packages.create, **given, user_id=ada.id)


@pytest.mark.parametrize("call", CALLS[:2], ids=lambda call: call.operation)
def test_a_repeat_is_one_also_after_the_row_was_edited(ada, arguments, call, refused):
    given = arguments(call)
    made = method_of(ada, call)(**given)
    if call.operation == "packages.create":
        edited = ada.packages.update(made.id, name="renamed", config={})
    else:
        ada.versions.update_draft(made.id, name="renamed", config={})
        edited = ada.versions.publish(made.id)

    again = method_of(ada, call)(**given)

    assert (again, again.replayed) == (edited, True)
    for other in call.others:
        refused("TV204", method_of(ada, call), **given | other)


@every_call
def test_a_stranger_cannot_use_the_identifier_of_another(ada, bob, arguments, call, refused):
    given = arguments(call)
    made = method_of(ada, call)(**given)
    elsewhere = bob.package()
    theirs = {"version_id": bob.published(elsewhere).id, "into": elsewhere.id}
    theirs |= {"package_id": elsewhere.id, call.key: given[call.key]}

    refused("TV204", method_of(bob, call), **given | {k: theirs[k] for k in given if k in theirs})

    again = method_of(ada, call)(**given)
    assert (again, again.replayed) == (made, True)


@both_faces
def test_a_call_whose_own_reply_was_lost_is_no_replay(far, cutter, ada, package):
    cutter.cut("lost")

    made = far.draft(package, version_id=uuid4())

    assert not made.replayed
    assert ada.versions.count(package.id) == 1


def test_a_package_that_is_found_by_its_name_was_there(ada):
    given = {"template_type": "lora", "config": {}}

    made, found = (ada.packages.get_or_create("bot", **given) for _ in range(2))

    assert (made.replayed, found.replayed) == (False, True)


def test_what_is_read_or_edited_is_no_replay(ada, package, draft):
    assert not ada.packages.get(package.id).replayed
    assert not ada.versions.update_draft(draft.id, name="x").replayed
    assert not ada.versions.list(package.id)[0].replayed


def test_a_draft_from_before_there_were_claims_is_found_as_it_was(ada, package, sql, refused):
    given = SNAPSHOTS | {"version_id": uuid4()}
    made = ada.versions.create_draft(package.id, **given)
    forget = "delete from training_versions_internal.claims where id = %(id)s"
    sql(forget, admin=True, id=made.id)

    refused("TV204", ada.versions.create_draft, package.id, **given | {"config": {}})
    assert ada.versions.create_draft(package.id, **given).replayed

    edited = ada.versions.update_draft(made.id, name="edited")
    sql(forget, admin=True, id=made.id)
    assert ada.versions.create_draft(package.id, **given) == edited


def test_an_identifier_that_is_free_again_is_claimed_anew(ada, package, published, sql):
    drafts = [ada.draft(ada.package("old")) for _ in range(2)]
    for draft in drafts:
        ada.packages.delete(draft.package_id)
    claims = "select count(*) from training_versions_internal.claims where id = any(%(ids)s)"
    ids = [each for draft in drafts for each in (draft.id, draft.package_id)]

    assert sql(claims, ids=ids) == [(0,)]
    given = SNAPSHOTS | {"version_id": drafts[0].id}
    ada.versions.create_draft(package.id, **given)
    ada.versions.update_draft(drafts[0].id, config={"edited": True})
    assert ada.versions.create_draft(package.id, **given).replayed
    assert not ada.versions.restore(published.id, new_version_id=drafts[1].id).replayed


def test_a_copy_without_an_identifier_claims_none(package, draft, sql):
    count = "select count(*) from training_versions_internal.claims"
    before = sql(count)

    sql("select public.restore_training_version(%(id)s)", id=draft.id)

    assert sql(count) == before
