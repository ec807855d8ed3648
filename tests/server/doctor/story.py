"""What people do with a project: something of every kind that the doctor looks at."""

from __future__ import annotations

import io
from uuid import uuid4

from supabase import Client

from training_versions import ConflictError, PackageRepository, VersionRepository
from training_versions.local import LocalSupabase

CONTENT = {
    "config": {"r": 16},
    "model": {"id": "base"},
    "dataset": [{"datasetId": "123"}, {"datasetId": "456"}],
}
TABLE = "training_package_versions"


def play(stack: LocalSupabase) -> None:
    """Two owners work through the SDK, an older app writes the tables, a backend does both."""
    ada, bo = stack.sign_in("ada@example.com"), stack.sign_in("bo@example.com")
    backend = stack.service_client()
    package = _work(ada, "support-bot")
    _work(bo, "summariser")
    _share_a_bundle(ada, bo, package)
    _write_directly(ada, as_backend=False)
    _write_directly(backend, as_backend=True, user_id=stack.user_id("ada@example.com"))


def _work(client: Client, name: str) -> str:
    """Do everything that the SDK can do, and return the package."""
    packages, versions = PackageRepository(client), VersionRepository(client)
    package = packages.get_or_create(name, template_type="lora_finetuning", config={"r": 8})
    packages.update(package.id, config={"r": 16})

    first = versions.create_draft(package.id, **CONTENT, budget_limit=10, estimated_cost="2.50")
    versions.update_draft(first.id, config={"r": 32}, change_summary="a higher rank")
    versions.update_draft(first.id, name="first", budget_limit=4)
    _train(versions, first.id)
    versions.publish(first.id)

    second = versions.restore(first.id).draft
    versions.publish(second.id, name="second")
    for version in (first, second, first):
        versions.deploy(version.id, "hf_space", url=f"https://example.com/{version.id}")
    versions.deploy(first.id, "local")
    versions.undeploy(first.id, target="local")
    versions.deploy(second.id, "local", deployment_id="container-1")

    third = versions.fork(first.id, into=package.id).draft
    versions.publish(third.id)
    versions.deploy(third.id, "local")
    versions.archive(third.id)
    versions.archive(second.id)

    abandoned = versions.create_draft(package.id, **CONTENT)
    versions.delete_draft(abandoned.id)
    pending = versions.create_draft(package.id, **CONTENT, parent_version_id=first.id)
    versions.start_training(pending.id)
    versions.record_metrics(pending.id, {"loss": 3.5}, step=1)

    dropped = packages.create("dropped", template_type="lora_finetuning", config={})
    versions.create_draft(dropped.id, **CONTENT)
    packages.delete(dropped.id)
    return str(package.id)


def _train(versions: VersionRepository, version_id: object) -> None:
    versions.start_training(version_id)
    versions.fail_training(version_id, "out of memory")
    versions.start_training(version_id)
    versions.cancel_training(version_id, reason="a typo")
    run = versions.start_training(version_id)
    for step in range(5):
        versions.record_metrics(version_id, {"loss": 1 / (step + 1)}, step=step, run_id=run.id)
    versions.complete_training(version_id, run_id=run.id)
    for _ in range(3):
        versions.record_cost(version_id, "1.75", note="an hour")
    versions.record_cost(version_id, 1, key="storage")
    versions.record_cost(version_id, 1, key="storage")


def _share_a_bundle(ada: Client, bo: Client, package_id: str) -> None:
    bundle = io.BytesIO()
    PackageRepository(ada).export(package_id, bundle)
    for client in (bo, ada):
        bundle.seek(0)
        packages = PackageRepository(client)
        made = packages.create("copy", template_type="lora_finetuning", config={})
        copy = packages.import_(bundle, package_id=made.id)
        bundle.seek(0)
        packages.import_(bundle, package_id=copy.package_id)
        versions = VersionRepository(client)
        newest = versions.latest(copy.package_id)
        assert newest is not None
        versions.record_cost(newest.id, 2)
        if newest.training_status != "running":
            versions.start_training(newest.id)
        versions.complete_training(newest.id)
        versions.publish(newest.id)
        versions.deploy(newest.id, "hf_space")


def _write_directly(client: Client, *, as_backend: bool, user_id: object = None) -> None:
    """Do what clients do that know nothing of the functions."""
    packages = PackageRepository(client)
    package = packages.create(
        "by hand", template_type="lora_finetuning", config={}, user_id=user_id
    )
    table = client.table(TABLE)
    content = {"config_snapshot": {}, "model_snapshot": {}, "dataset_snapshot": []}
    ids = [str(uuid4()) for _ in range(3)]
    for id in ids:
        row = {"id": id, "package_id": str(package.id), "status": "draft", **content}
        table.insert(row).execute()
    outcomes = zip(ids, ("completed", "failed", "pending"), strict=True)
    for id, status in outcomes:
        client.table(TABLE).update({"training_status": status, "actual_cost": 3}).eq(
            "id", id
        ).execute()
    client.table(TABLE).update({"training_status": "cancelled"}).eq("id", ids[2]).execute()
    client.table(TABLE).update({"actual_cost": 1}).eq("id", ids[2]).execute()
    client.table(TABLE).update({"status": "published"}).eq("id", ids[0]).execute()
    client.table(TABLE).delete().eq("id", ids[1]).execute()
    again = {"id": ids[1], "package_id": str(package.id), "status": "draft", **content}
    client.table(TABLE).insert(again).execute()
    if as_backend:
        live = {"is_deployed": True, "deployment_target": "local", "deployment_url": "http://a"}
        client.table(TABLE).update(live).eq("id", ids[0]).execute()
        client.table(TABLE).update({"deployment_target": "hf_space"}).eq("id", ids[0]).execute()
        client.table(TABLE).update({"is_deployed": False}).eq("id", ids[0]).execute()
        again = {"training_status": "running", "training_started_at": "2026-01-01T00:00:00Z"}
        client.table(TABLE).update(again).eq("id", ids[2]).execute()
        client.table(TABLE).update({"actual_cost": None}).eq("id", ids[2]).execute()
    versions = VersionRepository(client)
    try:
        versions.archive(ids[2])
    except ConflictError:
        versions.archive(ids[0])
