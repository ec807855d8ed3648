"""History: everything leaves an event, the right ones are found, and nobody can change one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from postgrest.exceptions import APIError

from tests.data import EMPTY
from training_versions import Event, InvalidInputError, Version


def events_of(ada: Any, version: Version, **which: Any) -> list[Event]:
    return list(ada.versions.iterate_history(version_id=version.id, order="oldest", **which))


def patch(table: Any, version: Version, **changes: Any) -> None:
    """Change columns as a client does that does not use the functions."""
    table().update(changes).eq("id", str(version.id)).execute()


# --- what leaves which events


def test_a_whole_life_leaves_its_events_in_order(ada, package):
    draft = ada.draft(package, budget_limit=1)
    ada.versions.update_draft(draft.id, config={"r": 16})
    ada.versions.start_training(draft.id)
    ada.versions.fail_training(draft.id, "no memory")
    ada.versions.start_training(draft.id)
    ada.versions.record_cost(draft.id, "0.60", note="hours")
    ada.versions.complete_training(draft.id)
    ada.versions.publish(draft.id)
    ada.versions.deploy(draft.id, "local", url="http://localhost")
    ada.versions.undeploy(draft.id)
    ada.versions.archive(draft.id)

    events = events_of(ada, draft)

    assert [event.kind for event in events] == [
        *("created", "edited", "training_started", "training_failed", "training_started"),
        *("cost_recorded", "cost_alert", "training_completed", "published", "deployed"),
        *("undeployed", "archived"),
    ]
    assert {event.actor_id for event in events} == {ada.id}
    assert {(event.package_id, event.version_number) for event in events} == {(package.id, 1)}
    moments = [event.occurred_at for event in events]
    assert moments == sorted(moments)
    details = {event.kind: event.details for event in events}
    assert details["edited"]["paths"] == [
        "/config_snapshot/lora_alpha",
        "/config_snapshot/r",
        "/config_snapshot/target_modules",
    ]
    assert details["training_failed"]["reason"] == "no memory"
    assert (details["cost_recorded"]["amount"], details["cost_recorded"]["note"]) == (0.6, "hours")
    assert details["cost_alert"]["share"] == 50
    assert details["deployed"] == {"target": "local", "url": "http://localhost"}


def test_an_event_names_what_changed_but_not_the_content(ada, draft):
    secret = "wherever it may be"
    named = {"config": {"r": {"deep": secret}}, "change_summary": secret, "name": f"v {secret}"}
    ada.versions.update_draft(draft.id, **named)

    (event,) = events_of(ada, draft, kind="edited")

    assert {"/name", "/change_summary", "/config_snapshot/r"} <= set(event.details["paths"])
    assert secret not in event.model_dump_json()


def test_an_edit_that_publishes_at_once_leaves_both(ada, table, draft):
    patch(table, draft, status="published", change_summary="all new", name="two")

    created, edited, published = events_of(ada, draft)

    assert (created.kind, edited.kind, published.kind) == ("created", "edited", "published")
    assert edited.details["paths"] == ["/change_summary"]
    assert published.details == {"name": "two"}


def test_a_budget_that_the_service_role_changes_after_publishing_leaves_an_event(
    ada, service_table, published
):
    patch(service_table, published, budget_limit=7, estimated_cost=1)

    newest = events_of(ada, published)[-1]

    assert (newest.kind, newest.actor_id) == ("edited", None)
    assert sorted(newest.details["paths"]) == ["/budget_limit", "/estimated_cost"]


def test_training_that_a_wizard_queues_leaves_an_event(ada, table, draft):
    patch(table, draft, training_status="pending")
    ada.versions.start_training(draft.id)

    assert ada.kinds(version_id=draft.id) == ["created", "training_pending", "training_started"]


def test_the_events_of_one_write_are_in_the_order_of_a_life(ada, table, package):
    row = {f"{name}_snapshot": value for name, value in EMPTY.items()}
    row |= {"package_id": str(package.id), "status": "draft"}
    row |= {"training_status": "running", "actual_cost": 5}
    made = table().insert(row).execute().data[0]["id"]
    assert ada.kinds(version_id=made) == ["created", "cost_recorded", "training_started"]

    changes = {"status": "published", "training_status": "completed"}
    changes |= {"is_deployed": True, "deployment_target": "local"}
    table().update(changes).eq("id", made).execute()

    assert ada.kinds(version_id=made)[3:] == ["published", "deployed", "training_completed"]


# --- edits that are one event


def test_a_burst_of_edits_is_one_event_that_what_happens_beside_it_does_not_end(ada, draft):
    for number in range(20):
        ada.versions.update_draft(draft.id, config={"r": number, f"k{number % 2}": 1})
        if number % 4 == 0:  # as a training loop beside an autosaver
            ada.versions.record_cost(draft.id, "0.01")
    ada.versions.update_draft(draft.id, config={"r": 19, "k1": 1})  # which changes nothing

    kinds = ada.kinds(version_id=draft.id)
    (edited,) = events_of(ada, draft, kind="edited")

    assert (kinds.count("edited"), kinds.count("cost_recorded")) == (1, 5)
    assert edited.details["edits"] == 20
    paths = {"/config_snapshot/r", "/config_snapshot/k0", "/config_snapshot/k1"}
    assert paths <= set(edited.details["paths"])


def test_edits_by_somebody_else_are_events_of_their_own(ada, admin, draft):
    for who, r in ((ada, 1), (admin, 2), (ada, 3)):
        who.versions.update_draft(draft.id, config={"r": r})

    events = events_of(ada, draft)

    assert [(event.kind, event.actor_id, event.details.get("edits")) for event in events] == [
        ("created", ada.id, None),
        ("edited", ada.id, 2),
        ("edited", None, 1),
    ]


def test_edits_that_are_one_event_are_found_by_the_last_of_them(ada, draft):
    ada.versions.update_draft(draft.id, config={"r": 1})
    first = events_of(ada, draft)[-1]
    read_at = ada.versions.update_draft(draft.id, name="b").updated_at
    ada.versions.update_draft(draft.id, config={"r": 2})

    (event,) = events_of(ada, draft, since=read_at)

    assert (event.id, event.occurred_at, event.details["edits"]) == (first.id, first.occurred_at, 3)
    assert first.last_at is None
    assert event.last_at is not None
    assert event.last_at > read_at > event.occurred_at
    assert events_of(ada, draft, since=event.last_at + timedelta(seconds=1)) == []


def test_an_edit_of_many_places_says_that_there_are_more_than_it_names(ada, draft):
    def edit(prefix: str) -> dict[str, Any]:
        config = {f"{prefix}{number:03}": number for number in range(90)}
        ada.versions.update_draft(draft.id, config=config)
        (event,) = events_of(ada, draft, kind="edited")
        return event.details

    few, many = edit("k"), edit("n")

    assert "more" not in few
    assert (len(many["paths"]), many["more"], many["edits"]) == (100, True, 2)


# --- what is found


def test_history_is_found_by_version_package_kind_and_time(ada, package):
    first, second = ada.draft(package), ada.published(package)
    ada.versions.restore(second.id)
    ada.versions.fork(second.id, into=ada.package().id)
    everything = list(ada.versions.iterate_history(order="oldest"))
    moment = next(event for event in everything if event.kind == "published").occurred_at
    later = moment + timedelta(days=1)

    for which, expected in (
        ({}, ["created", "created", "published", "restored", "forked"]),
        ({"package_id": package.id}, ["created", "created", "published", "restored"]),
        ({"version_id": first.id}, ["created"]),
        ({"kind": ["published", "forked"]}, ["published", "forked"]),
        ({"since": moment}, ["published", "restored", "forked"]),
        ({"until": moment}, ["created", "created"]),
        ({"since": later}, []),
        ({"version_id": uuid4()}, []),
    ):
        assert ada.kinds(**which) == expected


def test_a_deleted_draft_leaves_its_history_and_a_deleted_package_none(ada, admin, draft):
    ada.versions.delete_draft(draft.id)

    assert ada.kinds(version_id=draft.id) == ["created", "deleted"]
    assert ada.kinds(package_id=draft.package_id) == ["created", "deleted"]
    ada.packages.delete(draft.package_id)
    assert admin.kinds(package_id=draft.package_id) == []


def test_history_is_paged_by_key_also_while_more_happens(ada, package):
    for _ in range(7):
        ada.draft(package)
    which: dict[str, Any] = {"package_id": package.id, "limit": 3}
    first = ada.versions.history(**which)
    ada.draft(package)

    second = ada.versions.history(**which, cursor=first.next_cursor)
    third = ada.versions.history(**which, cursor=second.next_cursor)

    pages = [[event.version_number for event in page.items] for page in (first, second, third)]
    assert pages == [[7, 6, 5], [4, 3, 2], [1]]
    assert third.next_cursor is None
    with pytest.raises(InvalidInputError, match="cursor does not belong"):
        ada.versions.history(**which, order="oldest", cursor=first.next_cursor)


def test_only_the_owner_and_the_service_role_read_history(ada, bob, admin, draft):
    for which in ({}, {"version_id": draft.id}, {"package_id": draft.package_id}):
        assert bob.kinds(**which) == []
    assert admin.kinds(version_id=draft.id) == ada.kinds() == ["created"]


# --- nobody changes it

COLUMNS = {
    "training_version_events": "kind",
    "training_runs": "owner_id",
    "training_metric_points": "value",
    "training_deployments": "owner_id",
    "training_costs": "owner_id",
}


@pytest.fixture(scope="module")
def remembered(connect, person):
    """Somebody of whom every table remembers something."""
    ada = connect(person())
    version = ada.published(ada.package())
    ada.versions.start_training(version.id)
    ada.versions.record_metrics(version.id, {"loss": 1}, step=1)
    ada.versions.deploy(version.id, "local")
    ada.versions.record_cost(version.id, 1)
    return ada


@pytest.mark.parametrize("who", ["owner", "stranger", "service"])
@pytest.mark.parametrize("name", COLUMNS)
def test_nobody_writes_changes_or_deletes_what_the_database_remembers(
    remembered, bob, admin, who, name
):
    client = {"owner": remembered, "stranger": bob, "service": admin}[who].client
    service, owner_id = admin.client, str(remembered.id)
    rows = service.table(name).select("*").eq("owner_id", owner_id).execute().data
    new = dict(rows[0])
    if name == "training_version_events":
        del new["id"], new["imported_from"]  # which are generated
    column = COLUMNS[name]

    for attempt in (
        client.table(name).update({column: rows[0][column]}).eq("owner_id", owner_id),
        client.table(name).delete().eq("owner_id", owner_id),
        client.table(name).insert(new),
        client.table(name).upsert(new),
    ):
        with pytest.raises(APIError) as caught:
            attempt.execute()
        assert caught.value.code == "42501"
    assert service.table(name).select("*").eq("owner_id", owner_id).execute().data == rows


@pytest.mark.parametrize(
    "statement",
    [
        "update public.training_version_events set kind = 'edited' where version_id = %(id)s",
        "delete from public.training_version_events where version_id = %(id)s",
        "truncate public.training_version_events",
    ],
    ids=["update", "delete", "truncate"],
)
def test_not_even_the_databases_owner_changes_an_event_by_hand(sql, draft, statement):
    with pytest.raises(psycopg.Error, match="the history of versions cannot be changed"):
        sql(statement, id=draft.id)
