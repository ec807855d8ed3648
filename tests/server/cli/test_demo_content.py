"""What the demo shows: the same each time, in the past, and true to the rules."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from training_versions import PackageRepository, VersionRepository
from training_versions.cli.demo import DemoAccounts, DemoUser, fill
from training_versions.doctor import examine
from training_versions.local import LocalSupabase


@pytest.fixture(scope="module")
def project() -> Iterator[LocalSupabase]:
    with LocalSupabase() as running:
        yield running


@pytest.fixture(scope="module")
def accounts(project: LocalSupabase) -> DemoAccounts:
    return fill(project)


def sign_in(project: LocalSupabase, user: DemoUser) -> tuple[PackageRepository, VersionRepository]:
    client = project.client()
    session = client.auth.sign_in_with_password({"email": user.email, "password": user.password})
    assert session.user is not None
    token = project.client(session.session.access_token)  # type: ignore[union-attr]
    return PackageRepository(token), VersionRepository(token)


def test_each_user_signs_in_by_password_and_sees_only_their_own(
    project: LocalSupabase, accounts: DemoAccounts
) -> None:
    ada, _ = sign_in(project, accounts.ada)
    grace, _ = sign_in(project, accounts.grace)

    assert [package.name for package in ada.list()] == ["sales-assistant", "support-bot"]
    assert [package.name for package in grace.list()] == ["meeting-notes"]


def test_it_has_every_state_that_a_person_should_see(
    project: LocalSupabase, accounts: DemoAccounts
) -> None:
    packages, versions = sign_in(project, accounts.ada)
    package = packages.find_by_name("support-bot")
    assert package is not None
    of_package = [*versions.iterate(package.id)]

    statuses = {str(version.status) for version in of_package}
    kinds = {str(event.kind) for event in versions.iterate_history()}
    trained = [version for version in of_package if version.training_status]
    (draft,) = [version for version in of_package if version.status == "draft"]
    live = versions.live(package.id, "hf_space")
    earlier = versions.live_at(package.id, "hf_space", datetime.now(UTC) - timedelta(days=25))

    assert statuses == {"draft", "published", "archived"}
    assert draft.change_summary
    assert {
        *("created", "restored", "forked", "edited", "published", "archived", "deleted"),
        *("training_started", "training_completed", "training_failed"),
        *("deployed", "undeployed", "cost_recorded", "cost_alert"),
    } <= kinds
    assert live is not None
    assert earlier is not None
    assert live.version_number > earlier.version_number
    for version in trained:
        names = versions.metric_names(version.id)
        assert names == ["eval_loss", "learning_rate", "loss"]
        assert len(versions.metric_history(version.id, "loss")) >= 30


def test_it_happened_over_weeks_and_in_order(
    project: LocalSupabase, accounts: DemoAccounts
) -> None:
    _, versions = sign_in(project, accounts.ada)

    events = [*versions.iterate_history(order="oldest")]
    moments = [event.occurred_at for event in events]

    assert moments == sorted(moments)
    assert timedelta(days=40) < moments[-1] - moments[0] < timedelta(days=50)
    assert moments[-1] < datetime.now(UTC)
    for version in versions.iterate():
        assert version.created_at <= version.updated_at
        if version.training_completed_at is not None:
            assert version.training_started_at is not None
            assert version.training_started_at < version.training_completed_at


def test_a_draft_can_still_be_edited_with_its_edit_token(
    project: LocalSupabase, accounts: DemoAccounts
) -> None:
    _, versions = sign_in(project, accounts.grace)
    (draft,) = versions.list(status="draft")

    edited = versions.update_draft(
        draft.id, change_summary="Ten lines.", expected_updated_at=draft.updated_at
    )

    assert edited.change_summary == "Ten lines."


def test_identifiers_are_the_same_each_time(accounts: DemoAccounts, project: LocalSupabase) -> None:
    packages, versions = sign_in(project, accounts.ada)
    package = packages.find_by_name("support-bot")
    assert package is not None

    first = versions.get_by_number(package.id, 1)

    assert str(package.id) == "b3d76dad-1b64-59ba-80e2-3f83e724f909"
    assert str(first.id) == "998b49e3-5df1-5d0c-b427-ece37437b35a"


def test_the_doctor_finds_nothing_in_it(accounts: DemoAccounts, project: LocalSupabase) -> None:
    report = examine(db_url=project.db_url, url=project.url, key=project.secret_key)

    assert report.findings == ()
    assert report.not_done == ()
