"""Deployment: one version of a package is live per target, and history tells which one was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from postgrest.exceptions import APIError

from training_versions import ConflictError, Deployment, NotFoundError, Version

CONTENT = ("config_snapshot", "model_snapshot", "dataset_snapshot", "name", "published_at")


def live_number(ada: Any, package: Any, target: str = "local") -> int | None:
    deployment = ada.versions.live(package.id, target)
    return None if deployment is None else deployment.version_number


def test_a_deployed_version_is_live(ada: Any, published: Version) -> None:
    before = len(ada.sent)
    summary = ada.versions.deploy(
        published.id, "hf_space", url="https://ada-bot.hf.space", deployment_id="ada/bot"
    )
    assert len(ada.sent) == before + 1

    deployment = ada.versions.live(published.package_id, "hf_space")

    assert (summary.is_deployed, summary.deployment_target) == (True, "hf_space")
    assert (summary.deployment_url, summary.deployment_id) == (
        "https://ada-bot.hf.space",
        "ada/bot",
    )
    assert (deployment.version_id, deployment.version_number) == (published.id, 1)
    assert (deployment.url, deployment.deployment_id) == ("https://ada-bot.hf.space", "ada/bot")
    assert (deployment.started_by, deployment.ended_at) == (ada.id, None)
    assert ada.versions.live(published.package_id, "local") is None
    version = ada.versions.get(published.id)
    assert [getattr(version, name) for name in CONTENT] == [
        getattr(published, name) for name in CONTENT
    ]


def test_deploying_another_version_ends_the_stay_of_the_first(
    ada: Any, package: Any, publish: Callable[..., Version]
) -> None:
    first, second = publish(), publish()
    ada.versions.deploy(first.id, "local")
    ada.versions.deploy(first.id, "hf_space")

    ada.versions.deploy(second.id, "local")

    assert (live_number(ada, package, "local"), live_number(ada, package, "hf_space")) == (2, 1)
    left = ada.versions.get(first.id)
    assert (left.is_deployed, left.deployment_target) == (True, "hf_space")
    kinds = [
        event.kind for event in ada.versions.iterate_history(package_id=package.id, order="oldest")
    ]
    assert kinds[-4:] == ["deployed", "deployed", "undeployed", "deployed"]


def test_live_at_answers_across_three_deployments(
    ada: Any, package: Any, publish: Callable[..., Version]
) -> None:
    versions = [publish(), publish(), publish()]
    stays: list[Deployment] = []
    for version in versions:
        ada.versions.deploy(
            version.id, "local", url=f"http://127.0.0.1:{8000 + version.version_number}"
        )
        stays.append(ada.versions.live(package.id, "local"))
    ada.versions.undeploy(versions[2].id)
    ended = ada.versions.get(versions[2].id).updated_at

    def number_at(moment: datetime) -> int | None:
        deployment = ada.versions.live_at(package.id, "local", moment)
        return None if deployment is None else deployment.version_number

    assert [number_at(stay.started_at) for stay in stays] == [1, 2, 3]
    between = stays[1].started_at + (stays[2].started_at - stays[1].started_at) / 2
    assert number_at(between) == 2
    assert number_at(stays[0].started_at - timedelta(microseconds=1)) is None
    assert number_at(ended + timedelta(seconds=1)) is None
    assert number_at(datetime(1, 1, 1, tzinfo=UTC)) is None
    assert live_number(ada, package) is None
    assert ada.versions.live_at(package.id, "hf_space", stays[0].started_at) is None


def test_a_change_of_versions_leaves_no_moment_without_one(
    ada: Any, package: Any, publish: Callable[..., Version]
) -> None:
    first, second = publish(), publish()
    ada.versions.deploy(first.id, "local")
    ada.versions.deploy(second.id, "local")
    began = ada.versions.live(package.id, "local").started_at

    before = ada.versions.live_at(package.id, "local", began - timedelta(microseconds=1))

    assert before is not None
    assert before.version_id == first.id
    assert before.ended_at == began


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_only_published_versions_are_deployed(
    ada: Any, published: Version, package: Any, status: str
) -> None:
    ada.versions.deploy(published.id, "local")
    other = ada.versions.create_draft(package.id, config={}, model={}, dataset=[])
    if status == "archived":
        ada.versions.archive(ada.versions.publish(other.id).id)

    with pytest.raises(ConflictError) as caught:
        ada.versions.deploy(other.id, "local")

    assert (caught.value.code, caught.value.details["status"]) == ("TV206", status)
    assert live_number(ada, package) == published.version_number


def test_deploying_and_undeploying_can_be_repeated(ada: Any, published: Version) -> None:
    given: dict[str, Any] = {"url": "http://localhost:8000", "deployment_id": "x"}

    first = ada.versions.deploy(published.id, "local", **given)
    stay = ada.versions.live(published.package_id, "local")
    second = ada.versions.deploy(published.id, "local", **given)
    again = ada.versions.live(published.package_id, "local")
    ended = ada.versions.undeploy(published.id, target="local")

    assert (first, stay) == (second, again)
    assert ada.versions.undeploy(published.id, target="local") == ended
    assert ada.versions.undeploy(published.id) == ended
    assert (ended.is_deployed, ended.deployment_url) == (False, None)
    kinds = [event.kind for event in ada.versions.iterate_history(version_id=published.id)]
    assert kinds == ["undeployed", "deployed", "published", "created"]


def test_a_new_address_is_a_new_stay(ada: Any, published: Version) -> None:
    ada.versions.deploy(published.id, "local", url="http://localhost:1")
    first = ada.versions.live(published.package_id, "local")
    ada.versions.deploy(published.id, "local", url="http://localhost:2")

    assert ada.versions.live(published.package_id, "local").url == "http://localhost:2"
    assert (
        ada.versions.live_at(published.package_id, "local", first.started_at).url
        == "http://localhost:1"
    )
    kinds = [event.kind for event in ada.versions.iterate_history(version_id=published.id)]
    assert kinds[:3] == ["deployed", "undeployed", "deployed"]


def test_undeploying_one_target_leaves_the_other(
    ada: Any, package: Any, published: Version
) -> None:
    ada.versions.deploy(published.id, "local", url="http://localhost:1")
    ada.versions.deploy(published.id, "hf_space", url="https://x.hf.space")

    left = ada.versions.undeploy(published.id, target="hf_space")

    assert (left.is_deployed, left.deployment_target, left.deployment_url) == (
        True,
        "local",
        "http://localhost:1",
    )
    assert (live_number(ada, package, "local"), live_number(ada, package, "hf_space")) == (1, None)
    assert ada.versions.undeploy(published.id).is_deployed is False
    assert live_number(ada, package) is None


def test_many_deployments_at_once_leave_one_version_live(
    ada: Any, package: Any, publish: Callable[..., Version], at_once: Callable[..., list[Any]]
) -> None:
    versions = [publish() for _ in range(6)]

    outcomes = at_once(
        [lambda v=version: ada.versions.deploy(v.id, "local") for version in versions]
    )

    assert [outcome.id for outcome in outcomes] == [version.id for version in versions]
    deployed = [version.id for version in ada.versions.iterate(package.id, deployed=True)]
    assert deployed == [ada.versions.live(package.id, "local").version_id]


def test_a_deployment_that_is_repeated_does_not_displace_one_made_since(
    ada: Any, package: Any, publish: Callable[..., Version]
) -> None:
    first, second, stay_id = publish(), publish(), uuid4()
    ada.versions.deploy(first.id, "local", stay_id=stay_id)
    ada.versions.deploy(second.id, "local")

    again = ada.versions.deploy(first.id, "local", stay_id=str(stay_id))

    assert again.is_deployed is False
    assert live_number(ada, package) == 2
    for version, target in ((second, "local"), (first, "hf_space")):
        with pytest.raises(ConflictError) as caught:
            ada.versions.deploy(version.id, target, stay_id=stay_id)
        assert caught.value.code == "TV204"


def test_a_target_that_is_none_is_refused_by_the_database_too(
    stack: Any, ada: Any, published: Version
) -> None:
    client = stack.client(ada.token)
    for function in ("deploy_training_version", "undeploy_training_version"):
        with pytest.raises(APIError) as caught:
            client.rpc(function, {"p_version_id": str(published.id), "p_target": "mars"}).execute()
        assert caught.value.code == "TV306"


def test_a_repeat_of_a_call_that_had_nothing_to_do_changes_nothing_either(
    ada: Any, stack: Any, package: Any, publish: Callable[..., Version]
) -> None:
    first, second = publish(), publish()
    rpc = stack.client(ada.token).rpc
    again = {"p_version_id": str(first.id), "p_target": "local", "p_stay_id": str(uuid4())}
    ada.versions.deploy(first.id, "local")
    rpc("deploy_training_version", again).execute()  # it is live already
    ada.versions.deploy(second.id, "local")
    rpc("deploy_training_version", again).execute()
    assert live_number(ada, package) == second.version_number

    undeploy = {"p_version_id": str(first.id), "p_call_id": str(uuid4())}
    rpc("undeploy_training_version", undeploy).execute()  # it is not live
    ada.versions.deploy(first.id, "local")
    rpc("undeploy_training_version", undeploy).execute()
    assert live_number(ada, package) == first.version_number

    cancel = {"p_version_id": str(first.id), "p_call_id": str(uuid4())}
    ada.versions.start_training(first.id)
    ada.versions.cancel_training(first.id)
    rpc("cancel_version_training", cancel).execute()  # it is cancelled already
    ada.versions.start_training(first.id)
    rpc("cancel_version_training", cancel).execute()
    assert ada.versions.get(first.id).training_status == "running"


def test_an_id_that_was_given_to_another_call_is_refused_and_not_taken_for_a_repeat(
    ada: Any, stack: Any, published: Version
) -> None:
    rpc, one = stack.client(ada.token).rpc, str(uuid4())
    ada.versions.start_training(published.id)
    ada.versions.deploy(published.id, "local", url="http://a")
    stay = ada.versions.live(published.package_id, "local").id
    ada.versions.undeploy(published.id)
    about = {"p_version_id": str(published.id)}
    rpc("cancel_version_training", {**about, "p_call_id": one}).execute()

    for function, given in (
        ("complete_version_training", {"p_call_id": one}),
        ("undeploy_training_version", {"p_call_id": one}),
        ("deploy_training_version", {"p_stay_id": one, "p_target": "local"}),
        ("deploy_training_version", {"p_stay_id": str(stay), "p_target": "hf_space"}),
    ):
        with pytest.raises(APIError) as caught:
            rpc(function, about | given).execute()
        assert caught.value.code == "TV204"


def test_a_stay_that_a_client_made_by_the_columns_keeps_its_id(
    ada: Any, stack: Any, published: Version
) -> None:
    columns = {"is_deployed": True, "deployment_target": "local"}
    stack.service_client().table("training_package_versions").update(columns).eq(
        "id", str(published.id)
    ).execute()
    stay = ada.versions.live(published.package_id, "local")

    with pytest.raises(ConflictError) as caught:
        ada.versions.deploy(published.id, "hf_space", stay_id=stay.id)

    assert caught.value.code == "TV204"


def test_the_identifier_of_a_call_about_another_version_is_refused(
    ada: Any, publish: Callable[..., Version], at_once: Callable[..., list[Any]]
) -> None:
    versions, stay_id = [publish() for _ in range(4)], uuid4()

    outcomes = at_once(
        [lambda v=v: ada.versions.deploy(v.id, "local", stay_id=stay_id) for v in versions]
    )

    assert sorted(getattr(outcome, "code", "") for outcome in outcomes) == [
        "",
        "TV204",
        "TV204",
        "TV204",
    ]


def test_archiving_and_deploying_at_once_do_not_stand_in_each_others_way(
    ada: Any, package: Any, publish: Callable[..., Version], at_once: Callable[..., list[Any]]
) -> None:
    for _ in range(6):
        first, second, third = (
            publish(),
            publish(),
            ada.versions.create_draft(package.id, config={}, model={}, dataset=[]),
        )
        ada.versions.deploy(first.id, "local")

        outcomes = at_once(
            [
                lambda v=first: ada.versions.archive(v.id),
                lambda v=second: ada.versions.deploy(v.id, "local"),
                lambda v=second: ada.versions.deploy(v.id, "hf_space"),
                lambda v=third: ada.versions.publish(v.id),
                lambda v=third: ada.versions.create_draft(
                    package.id, config={}, model={}, dataset=[], parent_version_id=v.id
                ),
            ]
        )

        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert live_number(ada, package) == second.version_number


def test_nobody_else_deploys_or_sees_what_is_live(
    ada: Any, bob: Any, admin: Any, published: Version
) -> None:
    ada.versions.deploy(published.id, "local")
    moment = ada.versions.live(published.package_id, "local").started_at

    for attempt in (
        lambda: bob.versions.deploy(published.id, "local"),
        lambda: bob.versions.undeploy(published.id),
        lambda: ada.versions.deploy(uuid4(), "local"),
        lambda: ada.versions.undeploy(uuid4()),
    ):
        with pytest.raises(NotFoundError) as caught:
            attempt()
        assert caught.value.code == "TV101"
    assert bob.versions.live(published.package_id, "local") is None
    assert bob.versions.live_at(published.package_id, "local", moment) is None
    assert admin.versions.live(published.package_id, "local").version_id == published.id
    assert admin.versions.undeploy(published.id).is_deployed is False


def test_what_the_service_role_writes_to_the_columns_is_live_too(
    ada: Any, stack: Any, published: Version
) -> None:
    columns = {"is_deployed": True, "deployment_target": "local", "deployment_url": "http://direct"}
    table = stack.service_client().table("training_package_versions")

    table.update(columns).eq("id", str(published.id)).execute()

    assert ada.versions.live(published.package_id, "local").url == "http://direct"


def test_a_target_that_the_service_role_writes_is_where_the_version_is_now(
    ada: Any, stack: Any, published: Version
) -> None:
    ada.versions.deploy(published.id, "local", url="http://localhost:1")
    table = stack.service_client().table("training_package_versions")

    table.update({"deployment_target": "hf_space"}).eq("id", str(published.id)).execute()

    assert ada.versions.live(published.package_id, "local") is None
    assert ada.versions.live(published.package_id, "hf_space").version_id == published.id
    events = [
        (event.kind, event.details["target"])
        for event in ada.versions.iterate_history(
            version_id=published.id, kind=["deployed", "undeployed"]
        )
    ]
    assert events == [("deployed", "hf_space"), ("undeployed", "local"), ("deployed", "local")]


def test_a_deployment_without_a_target_is_refused(stack: Any, published: Version) -> None:
    table = stack.service_client().table("training_package_versions")

    with pytest.raises(APIError) as caught:
        table.update({"is_deployed": True}).eq("id", str(published.id)).execute()

    assert caught.value.code == "23514"
    assert "deployed_has_target" in caught.value.message
