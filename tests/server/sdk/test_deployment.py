"""Deployment: one version of a package is live per target, and history knows which one was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from postgrest.exceptions import APIError

from tests.data import SNAPSHOT_COLUMNS
from tests.faces import both_faces
from training_versions import ConflictError, Deployment, NotSignedInError, Version

FROZEN = (*SNAPSHOT_COLUMNS, "name", "published_at")


def live(ada: Any, package: Any, target: str = "local") -> int | None:
    """The number of the version that is live at the target."""
    deployment: Deployment | None = ada.versions.live(package.id, target)
    return deployment.version_number if deployment else None


@pytest.fixture
def pair(ada, package):
    """Two published versions of the package."""
    return ada.published(package), ada.published(package)


def test_a_deployed_version_is_live(ada, published):
    given = {"url": "https://ada-bot.hf.space", "deployment_id": "ada/bot"}
    ada.sent.clear()

    summary = ada.versions.deploy(published.id, "hf_space", **given)

    assert len(ada.sent) == 1
    assert (summary.is_deployed, summary.deployment_target) == (True, "hf_space")
    assert (summary.deployment_url, summary.deployment_id) == tuple(given.values())
    deployment = ada.versions.live(published.package_id, "hf_space")
    assert (deployment.version_id, deployment.version_number) == (published.id, 1)
    assert (deployment.url, deployment.deployment_id) == tuple(given.values())
    assert (deployment.started_by, deployment.ended_at) == (ada.id, None)
    assert ada.versions.live(published.package_id, "local") is None
    version = ada.versions.get(published.id)
    assert [getattr(version, n) for n in FROZEN] == [getattr(published, n) for n in FROZEN]


def test_deploying_another_version_ends_the_stay_of_the_first(ada, package, pair):
    first, second = pair
    ada.versions.deploy(first.id, "local")
    ada.versions.deploy(first.id, "hf_space")

    ada.versions.deploy(second.id, "local")

    assert (live(ada, package), live(ada, package, "hf_space")) == (2, 1)
    left = ada.versions.get(first.id)
    assert (left.is_deployed, left.deployment_target) == (True, "hf_space")
    kinds = ada.kinds(package_id=package.id)
    assert kinds[-4:] == ["deployed", "deployed", "undeployed", "deployed"]


def test_live_at_answers_across_three_deployments_without_a_moment_between_them(ada, package):
    stays: list[Deployment] = []
    for _ in range(3):
        version = ada.published(package)
        ada.versions.deploy(version.id, "local")
        stays.append(ada.versions.live(package.id, "local"))
    ada.versions.undeploy(version.id)
    ended = ada.versions.get(version.id).updated_at

    def live_at(moment: datetime, target: str = "local") -> int | None:
        deployment = ada.versions.live_at(package.id, target, moment)
        return deployment.version_number if deployment else None

    instant = timedelta(microseconds=1)
    assert [live_at(stay.started_at) for stay in stays] == [1, 2, 3]
    assert [live_at(stay.started_at - instant) for stay in stays] == [None, 1, 2]
    assert live_at(ended + timedelta(seconds=1)) is None
    assert live_at(datetime(1, 1, 1, tzinfo=UTC)) is None
    assert live_at(stays[0].started_at, "hf_space") is None
    assert live(ada, package) is None
    first = ada.versions.live_at(package.id, "local", stays[0].started_at)
    assert first.ended_at == stays[1].started_at


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_only_published_versions_are_deployed(ada, published, package, refused, status):
    ada.versions.deploy(published.id, "local")
    other = ada.draft(package)
    if status == "archived":
        ada.versions.archive(ada.versions.publish(other.id).id)

    error = refused("TV206", ada.versions.deploy, other.id, "local")

    assert error.details["status"] == status
    assert live(ada, package) == published.version_number


def test_deploying_and_undeploying_can_be_repeated(ada, published):
    given: dict[str, Any] = {"url": "http://localhost:8000", "deployment_id": "x"}

    first = ada.versions.deploy(published.id, "local", **given)
    stay = ada.versions.live(published.package_id, "local")
    assert ada.versions.deploy(published.id, "local", **given) == first
    assert ada.versions.live(published.package_id, "local") == stay
    ended = ada.versions.undeploy(published.id, target="local")

    assert ada.versions.undeploy(published.id, target="local") == ended
    assert ada.versions.undeploy(published.id) == ended
    assert (ended.is_deployed, ended.deployment_url) == (False, None)
    kinds = ada.kinds(version_id=published.id)
    assert kinds == ["created", "published", "deployed", "undeployed"]


def test_a_new_address_is_a_new_stay(ada, published):
    package_id = published.package_id
    ada.versions.deploy(published.id, "local", url="http://localhost:1")
    began = ada.versions.live(package_id, "local").started_at
    ada.versions.deploy(published.id, "local", url="http://localhost:2")

    assert ada.versions.live(package_id, "local").url == "http://localhost:2"
    assert ada.versions.live_at(package_id, "local", began).url == "http://localhost:1"
    assert ada.kinds(version_id=published.id)[-3:] == ["deployed", "undeployed", "deployed"]


def test_undeploying_one_target_leaves_the_other(ada, package, published):
    ada.versions.deploy(published.id, "local", url="http://localhost:1")
    ada.versions.deploy(published.id, "hf_space", url="https://x.hf.space")

    left = ada.versions.undeploy(published.id, target="hf_space")

    assert (left.is_deployed, left.deployment_target) == (True, "local")
    assert left.deployment_url == "http://localhost:1"
    assert (live(ada, package), live(ada, package, "hf_space")) == (1, None)
    assert ada.versions.undeploy(published.id).is_deployed is False
    assert live(ada, package) is None


# --- many at once


def test_many_deployments_at_once_leave_one_version_live(ada, package, at_once):
    keys = [ada.published(package).id for _ in range(6)]

    outcomes = at_once([lambda key=key: ada.versions.deploy(key, "local") for key in keys])

    assert [outcome.id for outcome in outcomes] == keys
    deployed = [version.id for version in ada.versions.iterate(package.id, deployed=True)]
    assert deployed == [ada.versions.live(package.id, "local").version_id]


def test_archiving_and_deploying_at_once_do_not_stand_in_each_others_way(ada, package, at_once):
    for _ in range(6):
        first, second, third = ada.published(package), ada.published(package), ada.draft(package)
        ada.versions.deploy(first.id, "local")

        outcomes = at_once(
            [
                lambda v=first: ada.versions.archive(v.id),
                lambda v=second: ada.versions.deploy(v.id, "local"),
                lambda v=second: ada.versions.deploy(v.id, "hf_space"),
                lambda v=third: ada.versions.publish(v.id),
                lambda v=third: ada.draft(package, parent_version_id=v.id),
            ]
        )

        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert live(ada, package) == second.version_number


# --- identifiers by which a repeat is known


def test_a_deployment_that_is_repeated_does_not_displace_one_made_since(
    ada, package, pair, refused
):
    (first, second), stay_id = pair, uuid4()
    ada.versions.deploy(first.id, "local", stay_id=stay_id)
    ada.versions.deploy(second.id, "local")

    again = ada.versions.deploy(first.id, "local", stay_id=str(stay_id))

    assert again.is_deployed is False
    assert live(ada, package) == 2
    refused("TV204", ada.versions.deploy, second.id, "local", stay_id=stay_id)
    refused("TV204", ada.versions.deploy, first.id, "hf_space", stay_id=stay_id)


def test_one_identifier_for_several_versions_at_once_is_one_deployment(ada, package, at_once):
    keys, stay_id = [ada.published(package).id for _ in range(4)], uuid4()

    outcomes = at_once(
        [lambda key=key: ada.versions.deploy(key, "local", stay_id=stay_id) for key in keys]
    )

    codes = sorted(getattr(outcome, "code", "") for outcome in outcomes)
    assert codes == ["", "TV204", "TV204", "TV204"]


class Functions:
    """The functions of the database, called by ada past the SDK, which makes up an id for each
    call.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, name: str, version: Version, **given: Any) -> Any:
        params = {f"p_{key}": str(value) for key, value in given.items()}
        return self._client.rpc(name, {"p_version_id": str(version.id), **params}).execute()

    def refused(self, name: str, version: Version, **given: Any) -> str | None:
        """The code with which a call is refused."""
        with pytest.raises(APIError) as caught:
            self(name, version, **given)
        return caught.value.code


@pytest.fixture
def functions(ada):
    return Functions(ada.client)


def test_a_target_that_is_none_is_refused_by_the_database_too(functions, published):
    for name in ("deploy_training_version", "undeploy_training_version"):
        assert functions.refused(name, published, target="mars") == "TV306"


def test_a_repeat_of_a_call_that_had_nothing_to_do_changes_nothing_either(
    ada, functions, package, pair
):
    (first, second), one, two, three = pair, uuid4(), uuid4(), uuid4()
    ada.versions.deploy(first.id, "local")
    # It is live already.
    functions("deploy_training_version", first, target="local", stay_id=one)
    ada.versions.deploy(second.id, "local")
    functions("deploy_training_version", first, target="local", stay_id=one)
    assert live(ada, package) == second.version_number

    # It is not live.
    functions("undeploy_training_version", first, call_id=two)
    ada.versions.deploy(first.id, "local")
    functions("undeploy_training_version", first, call_id=two)
    assert live(ada, package) == first.version_number

    ada.versions.start_training(first.id)
    ada.versions.cancel_training(first.id)
    # It is cancelled already.
    functions("cancel_version_training", first, call_id=three)
    ada.versions.start_training(first.id)
    functions("cancel_version_training", first, call_id=three)
    assert ada.versions.get(first.id).training_status == "running"


def test_an_id_that_was_given_to_another_call_is_refused_and_not_taken_for_a_repeat(
    ada, functions, published
):
    one = uuid4()
    ada.versions.start_training(published.id)
    ada.versions.deploy(published.id, "local", url="http://a")
    stay = ada.versions.live(published.package_id, "local").id
    ada.versions.undeploy(published.id)
    functions("cancel_version_training", published, call_id=one)

    for name, given in (
        ("complete_version_training", {"call_id": one}),
        ("undeploy_training_version", {"call_id": one}),
        ("deploy_training_version", {"stay_id": one, "target": "local"}),
        ("deploy_training_version", {"stay_id": stay, "target": "hf_space"}),
    ):
        assert functions.refused(name, published, **given) == "TV204"


# --- lists of stays


@pytest.fixture
def stays(ada, package, pair):
    """Four stays of two versions, of which the last two are live."""
    first, second = pair
    for version, target in ((first, "local"), (second, "local"), (first, "hf_space")):
        ada.versions.deploy(version.id, target)
    ada.versions.deploy(first.id, "local", url="http://again")
    return list(ada.versions.iterate_deployments(package_id=package.id, order="oldest"))


@both_faces
def test_the_stays_of_a_package_are_listed_newest_first(ada, package, stays):
    shown = [(stay.version_number, str(stay.target), stay.ended_at is None) for stay in stays]
    assert shown == [
        (1, "local", False),
        (2, "local", False),
        (1, "hf_space", True),
        (1, "local", True),
    ]
    assert {stay.started_by for stay in stays} == {ada.id}
    which = {"package_id": package.id}
    assert list(ada.versions.iterate_deployments(**which, page_size=1)) == stays[::-1]

    page = ada.versions.deployments(**which, limit=3)
    rest = ada.versions.deployments(**which, limit=3, cursor=page.next_cursor)

    assert [*page, *rest] == stays[::-1]
    assert rest.next_cursor is None


def test_stays_are_filtered_by_version_target_and_whether_they_are_live(ada, package, pair, stays):
    one, two, three, four = stays
    listed = ada.versions.deployments

    assert listed(version_id=pair[1].id).items == [two]
    assert listed(package_id=package.id, target="hf_space").items == [three]
    assert listed(package_id=package.id, live=True).items == [four, three]
    assert listed(live=False, version_id=pair[0].id).items == [one]
    assert listed(order="oldest").items == stays
    assert listed(package_id=package.id, at=two.started_at).items == [two]
    assert listed(at=three.started_at).items == [three, two]
    assert listed(at=one.started_at - timedelta(seconds=1)).items == []


def test_nobody_sees_the_stays_of_another(ada, bob, nobody, admin, package, stays):
    assert bob.versions.deployments(package_id=package.id).items == []
    assert bob.versions.deployments().items == []
    assert admin.versions.deployments(package_id=package.id).items == stays[::-1]
    with pytest.raises(NotSignedInError):
        nobody.versions.deployments(package_id=package.id)


# --- other people, and clients that write the columns


def test_nobody_else_deploys_or_sees_what_is_live(ada, bob, admin, published, refused):
    ada.versions.deploy(published.id, "local")
    where = (published.package_id, "local")
    moment = ada.versions.live(*where).started_at

    refused("TV101", bob.versions.deploy, published.id, "local")
    refused("TV101", bob.versions.undeploy, published.id)
    refused("TV101", ada.versions.deploy, uuid4(), "local")
    refused("TV101", ada.versions.undeploy, uuid4())
    assert bob.versions.live(*where) is None
    assert bob.versions.live_at(*where, moment) is None
    assert admin.versions.live(*where).version_id == published.id
    assert admin.versions.undeploy(published.id).is_deployed is False


def test_what_the_service_role_writes_to_the_columns_is_live_too_and_keeps_its_id(
    ada, service_table, published, refused
):
    columns = {"is_deployed": True, "deployment_target": "local", "deployment_url": "http://direct"}

    service_table().update(columns).eq("id", str(published.id)).execute()

    stay = ada.versions.live(published.package_id, "local")
    assert stay.url == "http://direct"
    refused("TV204", ada.versions.deploy, published.id, "hf_space", stay_id=stay.id)


def test_a_target_that_the_service_role_writes_is_where_the_version_is_now(
    ada, service_table, published
):
    ada.versions.deploy(published.id, "local", url="http://localhost:1")

    changes = {"deployment_target": "hf_space"}
    service_table().update(changes).eq("id", str(published.id)).execute()

    assert ada.versions.live(published.package_id, "local") is None
    assert ada.versions.live(published.package_id, "hf_space").version_id == published.id
    events = ada.versions.iterate_history(
        version_id=published.id, kind=["deployed", "undeployed"], order="oldest"
    )
    assert [(event.kind, event.details["target"]) for event in events] == [
        ("deployed", "local"),
        ("undeployed", "local"),
        ("deployed", "hf_space"),
    ]


def test_a_client_may_write_where_a_version_goes_before_it_deploys_it(
    ada, service_table, published
):
    def write(**columns: Any) -> None:
        service_table().update(columns).eq("id", str(published.id)).execute()

    write(deployment_target="hf_space", deployment_url="http://later")
    write(is_deployed=True)

    assert ada.versions.live(published.package_id, "hf_space").url == "http://later"
    write(is_deployed=False)
    assert ada.versions.live(published.package_id, "hf_space") is None
    assert ada.versions.get(published.id).deployment_target is None


def test_deploying_again_where_a_version_is_live_already_shows_that_place(ada, published):
    for target in ("local", "hf_space", "local"):
        summary = ada.versions.deploy(published.id, target)

        assert (summary.is_deployed, summary.deployment_target) == (True, target)
    kinds = [event.kind for event in ada.versions.iterate_history(version_id=published.id)]
    assert kinds == ["deployed", "deployed", "published", "created"]


def test_a_deployment_without_a_target_is_refused(service_table, published):
    with pytest.raises(APIError, match="deployed_has_target") as caught:
        service_table().update({"is_deployed": True}).eq("id", str(published.id)).execute()

    assert caught.value.code == "23514"


# --- what older rows and archiving make of it


def test_archiving_a_live_version_ends_its_stay(ada, package, published):
    ada.versions.deploy(published.id, "local")

    ada.versions.archive(published.id)

    assert live(ada, package) is None
    assert not ada.versions.get(published.id).is_deployed
    with pytest.raises(ConflictError):
        ada.versions.deploy(published.id, "local")


def test_a_version_that_only_its_columns_call_deployed_can_be_deployed(
    ada, package, published, sql
):
    sql.change(published.id, is_deployed=True, deployment_target="local")

    assert ada.versions.undeploy(published.id).is_deployed is False
    ada.versions.deploy(published.id, "local")

    assert live(ada, package) == published.version_number


def test_what_a_stranger_left_in_a_package_is_not_deployed_there(
    ada, bob, package, published, sql, refused
):
    left = ada.published(ada.package())
    ada.versions.deploy(published.id, "local")
    sql.change(left.id, created_by=bob.id, package_id=package.id, version_number=77)

    refused("42501", bob.versions.deploy, left.id, "local")

    assert live(ada, package) == published.version_number
