"""History: everything leaves an event, the right ones are found, and nobody can change one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from postgrest.exceptions import APIError

from training_versions import InvalidInputError, PermissionDeniedError, Version

TABLES = (
    "training_version_events",
    "training_runs",
    "training_metric_points",
    "training_deployments",
    "training_costs",
)


def kinds(ada: Any, **given: Any) -> list[str]:
    return [str(event.kind) for event in ada.versions.iterate_history(order="oldest", **given)]


def test_a_whole_life_leaves_its_events_in_order(ada: Any, package: Any, snapshots: Any) -> None:
    draft = ada.versions.create_draft(package.id, **snapshots, budget_limit=1)
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

    events = list(ada.versions.iterate_history(version_id=draft.id, order="oldest"))

    assert [event.kind for event in events] == [
        *(
            "created",
            "edited",
            "training_started",
            "training_failed",
            "training_started",
            "cost_recorded",
        ),
        *("cost_alert", "training_completed", "published", "deployed", "undeployed", "archived"),
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


def test_an_event_tells_what_changed_but_not_the_content(ada: Any, draft: Version) -> None:
    secret = "wherever it may be"
    ada.versions.update_draft(
        draft.id, config={"r": {"deep": secret}}, change_summary=secret, name=f"v {secret}"
    )

    (event,) = ada.versions.iterate_history(version_id=draft.id, kind="edited")

    assert {"/name", "/change_summary", "/config_snapshot/r"} <= set(event.details["paths"])
    assert secret not in event.model_dump_json()


def test_an_edit_that_publishes_at_once_leaves_both(ada: Any, stack: Any, draft: Version) -> None:
    table = stack.client(ada.token).table("training_package_versions")
    changes = {"status": "published", "change_summary": "all new", "name": "two"}
    table.update(changes).eq("id", str(draft.id)).execute()

    events = list(ada.versions.iterate_history(version_id=draft.id, order="oldest"))

    assert [event.kind for event in events] == ["created", "edited", "published"]
    assert events[1].details["paths"] == ["/change_summary"]
    assert events[2].details == {"name": "two"}


def test_a_budget_that_the_service_role_changes_after_publishing_leaves_an_event(
    ada: Any, stack: Any, published: Version
) -> None:
    table = stack.service_client().table("training_package_versions")
    table.update({"budget_limit": 7, "estimated_cost": 1}).eq("id", str(published.id)).execute()

    newest = next(iter(ada.versions.iterate_history(version_id=published.id)))

    assert (newest.kind, newest.actor_id) == ("edited", None)
    assert sorted(newest.details["paths"]) == ["/budget_limit", "/estimated_cost"]


def test_training_that_a_wizard_queues_leaves_an_event(
    ada: Any, stack: Any, draft: Version
) -> None:
    table = stack.client(ada.token).table("training_package_versions")
    table.update({"training_status": "pending"}).eq("id", str(draft.id)).execute()
    ada.versions.start_training(draft.id)

    assert kinds(ada, version_id=draft.id) == ["created", "training_pending", "training_started"]


def test_a_burst_of_edits_is_one_event(ada: Any, draft: Version) -> None:
    for number in range(30):
        ada.versions.update_draft(draft.id, config={"r": number, f"k{number % 2}": 1})
    ada.versions.update_draft(draft.id, config={"r": 29, "k1": 1})  # which changes nothing

    events = list(ada.versions.iterate_history(version_id=draft.id))

    assert [event.kind for event in events] == ["edited", "created"]
    assert events[0].details["edits"] == 30
    assert {"/config_snapshot/r", "/config_snapshot/k0", "/config_snapshot/k1"} <= set(
        events[0].details["paths"]
    )


def test_edits_by_somebody_else_are_events_of_their_own(
    ada: Any, admin: Any, draft: Version
) -> None:
    ada.versions.update_draft(draft.id, config={"r": 1})
    admin.versions.update_draft(draft.id, config={"r": 2})
    ada.versions.update_draft(draft.id, config={"r": 3})

    events = list(ada.versions.iterate_history(version_id=draft.id, order="oldest"))

    assert [(event.kind, event.actor_id, event.details.get("edits")) for event in events] == [
        ("created", ada.id, None),
        ("edited", ada.id, 2),
        ("edited", None, 1),
    ]


def test_an_autosaver_beside_a_training_loop_does_not_flood_history(
    ada: Any, draft: Version
) -> None:
    for number in range(10):
        ada.versions.update_draft(draft.id, config={"r": number})
        ada.versions.record_cost(draft.id, "0.01")

    found = [event.kind for event in ada.versions.iterate_history(version_id=draft.id)]

    assert found.count("edited") == 1
    assert found.count("cost_recorded") == 10


def test_edits_that_are_one_event_are_found_by_the_last_of_them(ada: Any, draft: Version) -> None:
    ada.versions.update_draft(draft.id, config={"r": 1})
    first = next(iter(ada.versions.iterate_history(version_id=draft.id)))
    read_at = ada.versions.update_draft(draft.id, name="b").updated_at
    ada.versions.update_draft(draft.id, config={"r": 2})

    (event,) = ada.versions.iterate_history(version_id=draft.id, since=read_at)

    assert (event.id, event.occurred_at, event.details["edits"]) == (first.id, first.occurred_at, 3)
    assert first.last_at is None
    assert event.last_at > read_at > event.occurred_at
    assert (
        list(
            ada.versions.iterate_history(
                version_id=draft.id, since=event.last_at + timedelta(seconds=1)
            )
        )
        == []
    )


def test_an_edit_of_many_places_says_that_there_are_more_than_it_names(
    ada: Any, draft: Version
) -> None:
    ada.versions.update_draft(draft.id, config={f"k{number:03}": number for number in range(90)})
    (few,) = ada.versions.iterate_history(version_id=draft.id, kind="edited")
    ada.versions.update_draft(draft.id, config={f"n{number:03}": number for number in range(90)})

    (many,) = ada.versions.iterate_history(version_id=draft.id, kind="edited")

    assert "more" not in few.details
    assert (len(many.details["paths"]), many.details["more"], many.details["edits"]) == (
        100,
        True,
        2,
    )


def test_what_one_write_did_is_told_in_the_order_of_a_life(
    ada: Any, stack: Any, package: Any, snapshots: Any
) -> None:
    table = stack.client(ada.token).table("training_package_versions")
    row = {
        "package_id": str(package.id),
        "status": "draft",
        "config_snapshot": {},
        "model_snapshot": {},
        "dataset_snapshot": [],
    }
    made = table.insert({**row, "training_status": "running", "actual_cost": 5}).execute().data[0]
    assert kinds(ada, version_id=made["id"]) == ["created", "cost_recorded", "training_started"]

    changes = {
        "status": "published",
        "is_deployed": True,
        "deployment_target": "local",
        "training_status": "completed",
    }
    table.update(changes).eq("id", made["id"]).execute()

    assert kinds(ada, version_id=made["id"])[3:] == ["published", "deployed", "training_completed"]


def test_history_is_found_by_version_package_kind_and_time(
    ada: Any, package: Any, snapshots: Any
) -> None:
    first = ada.versions.create_draft(package.id, **snapshots)
    second = ada.versions.publish(ada.versions.create_draft(package.id, **snapshots).id)
    other = ada.packages.create("other", template_type="lora", config={})
    ada.versions.restore(second.id)
    ada.versions.fork(second.id, into=other.id)
    everything = list(ada.versions.iterate_history(order="oldest"))
    published = next(event for event in everything if event.kind == "published")

    assert [event.kind for event in everything] == [
        "created",
        "created",
        "published",
        "restored",
        "forked",
    ]
    assert kinds(ada, package_id=package.id) == ["created", "created", "published", "restored"]
    assert kinds(ada, version_id=first.id) == ["created"]
    assert kinds(ada, kind=["published", "forked"]) == ["published", "forked"]
    assert kinds(ada, since=published.occurred_at) == ["published", "restored", "forked"]
    assert kinds(ada, until=published.occurred_at) == ["created", "created"]
    later = published.occurred_at + timedelta(days=1)
    assert kinds(ada, since=later) == kinds(ada, version_id=uuid4()) == []
    with pytest.raises(InvalidInputError):
        ada.versions.history(package_id=package.id, version_id=first.id)
    with pytest.raises(InvalidInputError, match="since must not be after until"):
        ada.versions.history(since=later, until=published.occurred_at)


def test_a_deleted_draft_leaves_its_history(ada: Any, draft: Version) -> None:
    ada.versions.delete_draft(draft.id)

    assert kinds(ada, version_id=draft.id) == ["created", "deleted"]
    assert kinds(ada, package_id=draft.package_id) == ["created", "deleted"]


def test_history_goes_with_its_whole_package(ada: Any, admin: Any, draft: Version) -> None:
    ada.versions.update_draft(draft.id, name="b")

    ada.packages.delete(draft.package_id)

    assert kinds(admin, package_id=draft.package_id) == []


def test_history_is_paged_by_key_also_while_more_happens(ada: Any, package: Any) -> None:
    for _ in range(7):
        ada.versions.create_draft(package.id, config={}, model={}, dataset=[])
    first = ada.versions.history(package_id=package.id, limit=3)
    ada.versions.create_draft(package.id, config={}, model={}, dataset=[])

    second = ada.versions.history(package_id=package.id, limit=3, cursor=first.next_cursor)
    third = ada.versions.history(package_id=package.id, limit=3, cursor=second.next_cursor)

    pages = [[event.version_number for event in page.items] for page in (first, second, third)]
    assert pages == [[7, 6, 5], [4, 3, 2], [1]]
    assert third.next_cursor is None
    with pytest.raises(InvalidInputError, match="cursor does not belong"):
        ada.versions.history(
            package_id=package.id, limit=3, order="oldest", cursor=first.next_cursor
        )


def test_history_is_walked_to_its_end_where_replies_are_capped(carol: Any, snapshots: Any) -> None:
    package = carol.packages.create("busy", template_type="lora", config={})
    draft = carol.versions.create_draft(package.id, **snapshots)
    for number in range(120):
        carol.versions.record_cost(draft.id, "0.01", key=str(number))

    events = list(
        carol.versions.iterate_history(version_id=draft.id, page_size=1000, order="oldest")
    )
    page = carol.versions.history(version_id=draft.id, limit=1000)

    assert [event.details.get("key") for event in events] == [None, *map(str, range(120))]
    assert len(page.items) == 100
    assert (
        len(carol.versions.history(version_id=draft.id, limit=1000, cursor=page.next_cursor).items)
        == 21
    )


def test_only_the_owner_and_the_service_role_read_history(
    ada: Any, bob: Any, admin: Any, draft: Version
) -> None:
    assert (
        kinds(bob)
        == kinds(bob, version_id=draft.id)
        == kinds(bob, package_id=draft.package_id)
        == []
    )
    assert kinds(admin, version_id=draft.id) == kinds(ada) == ["created"]


def test_who_is_not_signed_in_is_told_so_by_every_operation(
    nobody: Any, published: Version
) -> None:
    versions, moment = nobody.versions, published.created_at
    for attempt in (
        lambda: versions.compare(published.id, published.id),
        lambda: versions.restore(published.id),
        lambda: versions.fork(published.id, into=published.package_id),
        lambda: versions.lineage(published.id),
        lambda: versions.start_training(published.id),
        lambda: versions.record_metrics(published.id, {"loss": 1}),
        lambda: versions.complete_training(published.id),
        lambda: versions.fail_training(published.id, "x"),
        lambda: versions.cancel_training(published.id),
        lambda: versions.metric_history(published.id, "loss"),
        lambda: versions.deploy(published.id, "local"),
        lambda: versions.undeploy(published.id),
        lambda: versions.live(published.package_id, "local"),
        lambda: versions.live_at(published.package_id, "local", moment),
        lambda: versions.record_cost(published.id, 1),
        lambda: versions.package_cost(published.package_id),
        lambda: list(versions.iterate_costs(published.id)),
        lambda: versions.history(),
        lambda: list(versions.iterate_history()),
    ):
        with pytest.raises(PermissionDeniedError, match="You are not signed in"):
            attempt()


@pytest.mark.parametrize("who", ["owner", "stranger", "service"])
@pytest.mark.parametrize("table", TABLES)
def test_nobody_writes_changes_or_deletes_what_the_database_remembers(
    ada: Any, bob: Any, stack: Any, published: Version, who: str, table: str
) -> None:
    ada.versions.start_training(published.id)
    ada.versions.record_metrics(published.id, {"loss": 1}, step=1)
    ada.versions.deploy(published.id, "local")
    ada.versions.record_cost(published.id, 1)
    service = stack.service_client()
    client = service if who == "service" else stack.client((ada if who == "owner" else bob).token)
    rows = service.table(table).select("*").eq("owner_id", str(ada.id)).execute().data
    assert rows
    new = {
        name: value
        for name, value in rows[0].items()
        if table != "training_version_events" or name != "id"
    }
    column = {"training_version_events": "kind", "training_metric_points": "value"}.get(
        table, "owner_id"
    )

    for attempt in (
        lambda: (
            client.table(table)
            .update({column: rows[0][column]})
            .eq("owner_id", str(ada.id))
            .execute()
        ),
        lambda: client.table(table).delete().eq("owner_id", str(ada.id)).execute(),
        lambda: client.table(table).insert(new).execute(),
        lambda: client.table(table).upsert(new).execute(),
    ):
        with pytest.raises(APIError) as caught:
            attempt()
        assert caught.value.code == "42501"
    assert service.table(table).select("*").eq("owner_id", str(ada.id)).execute().data == rows


def test_not_even_the_databases_owner_changes_an_event_by_hand(
    stack: Any, ada: Any, draft: Version
) -> None:
    for statement in (
        "update public.training_version_events set kind = 'edited'",
        "delete from public.training_version_events",
    ):
        with pytest.raises(Exception, match="the history of versions cannot be changed"):
            stack.psql(f"{statement} where version_id = :'id'::uuid;", id=str(draft.id))
    with pytest.raises(Exception, match="the history of versions cannot be changed"):
        stack.psql("truncate public.training_version_events;")
