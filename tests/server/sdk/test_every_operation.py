"""Every operation: it works on both faces, and says why it is refused to who may not call it.

One life uses all operations of the first release; one that is newer may have its test elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.data import CALLS, public_operations
from tests.faces import both_faces
from training_versions import PermissionDeniedError, SchemaMismatchError
from training_versions.local import LocalSupabase

SIGN_IN = "Sign in first: client.auth.sign_in_with_password({'email': …, 'password': …})."
REFRESH = "Sign in again, or call client.auth.refresh_session()."


def called_on_both_faces(file: Path) -> set[str]:
    """Return the operations that the tests of a file call, as far as they run on both faces."""
    found: set[str] = set()
    for test in ast.parse(file.read_text(encoding="utf-8")).body:
        decorators = [ast.unparse(each) for each in getattr(test, "decorator_list", [])]
        if "both_faces" in decorators:
            found |= set(re.findall(r"\b((?:packages|versions)\.\w+)\(", ast.unparse(test)))
    return found


def test_every_operation_is_called_on_both_faces():
    called: set[str] = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        called |= called_on_both_faces(file)

    assert public_operations() <= called


@both_faces
def test_a_life_from_the_first_draft_to_somebody_elses_copy(ada, bob, tmp_path):
    packages, versions = ada.packages, ada.versions

    package = packages.create("bot", template_type="lora", config={"r": 8}, package_id=uuid4())
    renamed = packages.update(package.id, name="support-bot")
    assert packages.get(package.id) == packages.find(package.id) == renamed
    assert list(packages.iterate()) == packages.list().items == [renamed]

    first = versions.create_draft(package.id, config={"r": 8}, model={}, dataset=[])
    edited = versions.update_draft(first.id, budget_limit=1)
    assert versions.get(first.id) == versions.find(first.id) == edited
    assert versions.latest_published(package.id) is None
    published = versions.publish(first.id, expected_updated_at=edited.updated_at)
    assert versions.latest_published(package.id) == versions.latest(package.id) == published
    assert versions.get_by_number(package.id, 1) == published

    run = versions.start_training(first.id)
    versions.record_metrics(first.id, {"loss": 0.5}, step=1, run_id=run.id)
    assert [point.value for point in versions.metric_history(first.id, "loss")] == [0.5]
    assert versions.fail_training(first.id, "no memory").status == "failed"
    versions.start_training(first.id)
    assert versions.cancel_training(first.id).status == "cancelled"
    versions.start_training(first.id)
    assert versions.complete_training(first.id).status == "completed"

    assert versions.record_cost(first.id, "0.60").alerts == (50,)
    assert [entry.amount for entry in versions.iterate_costs(first.id)] == [
        versions.package_cost(package.id).actual_cost
    ]

    versions.deploy(first.id, "local")
    moment = versions.live(package.id, "local").started_at
    assert versions.live_at(package.id, "local", moment).version_id == first.id
    (overview,) = packages.overviews()
    assert overview.live == (versions.live(package.id, "local"),)
    assert list(packages.iterate_overviews()) == [overview]
    assert versions.deployments(live=True).items == [versions.live(package.id, "local")]
    assert not versions.undeploy(first.id).is_deployed
    (stay,) = versions.iterate_deployments(package_id=package.id)
    assert (stay.version_id, stay.started_at) == (first.id, moment)

    second = versions.restore(first.id).draft
    fork = versions.fork(first.id, into=packages.create("x", template_type="y", config={}).id)
    assert {node.id for node in versions.lineage(first.id).descendants} == {
        second.id,
        fork.draft.id,
    }
    assert not versions.compare(first.id, second.id).filter("/config_snapshot")
    assert [version.id for version in versions.iterate(package.id)] == [second.id, first.id]
    assert versions.list(package.id, snapshots=True).items == [
        versions.get(second.id),
        versions.get(first.id),
    ]
    assert versions.count(package.id) == 2
    versions.delete_draft(second.id)
    assert versions.next_version_number(package.id) == 3
    assert versions.archive(first.id).status == "archived"
    history = list(versions.iterate_history(package_id=package.id))
    assert versions.history(package_id=package.id).items == history
    assert (history[0].kind, history[-1].kind) == ("archived", "created")

    exported = packages.export(package.id, tmp_path / "bundle.jsonl")
    copy = bob.packages.import_(tmp_path / "bundle.jsonl")
    assert exported.versions == copy.versions_created == 1
    assert bob.versions.latest(copy.package_id).config_snapshot == {"r": 8}
    packages.delete(fork.draft.package_id)
    assert packages.find(fork.draft.package_id) is None


# --- who may not call it

every_operation = pytest.mark.parametrize("operation", CALLS)


def call(who: Any, operation: str) -> None:
    repository, method = operation.split(".")
    result = getattr(getattr(who, repository), method)(**CALLS[operation].arguments)
    if isinstance(result, Iterator):
        next(result)


@pytest.fixture(scope="session")
def late(connect, stack):
    """Somebody whose token has expired."""
    return connect(stack.token("late-sdk@example.com", expires_in=-60))


@pytest.fixture(scope="session")
def early(connect):
    """Somebody whose project is as it was before its first migration."""
    with LocalSupabase(migrations=None) as bare:
        yield connect(bare.token("ada@example.com"), stack=bare)


@both_faces
@every_operation
def test_someone_not_signed_in_is_refused_and_shown_how_to_sign_in(
    nobody, operation, survives_pickle
):
    with pytest.raises(PermissionDeniedError) as caught:
        call(nobody, operation)

    error = caught.value
    assert error.message.startswith(
        f"You are not signed in, so {error.operation} was refused: permission denied for "
    )
    assert (error.code, error.hint) == ("42501", SIGN_IN)
    assert error.operation == operation
    assert len(nobody.sent) == 1
    survives_pickle(error)


@every_operation
def test_an_expired_token_is_an_error_of_its_own(late, operation):
    late.sent.clear()

    with pytest.raises(PermissionDeniedError) as caught:
        call(late, operation)

    error = caught.value
    assert error.message == "The access token has expired or is not valid: JWT expired."
    assert (error.code, error.hint, error.operation) == ("PGRST301", REFRESH, operation)
    assert len(late.sent) == 1


@every_operation
def test_a_project_without_the_migrations_is_named_as_the_cause(early, operation):
    early.sent.clear()

    with pytest.raises(SchemaMismatchError) as caught:
        call(early, operation)

    error = caught.value
    assert error.message.startswith(f"The database lacks something that {operation} needs: ")
    assert "`supabase db push`" in error.hint
    assert "training-versions migrations" in error.hint
    assert error.operation == operation
    assert len(early.sent) == 1
