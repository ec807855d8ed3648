"""What old rows, and clients that write columns directly, cannot do to the later life of a version."""

from typing import Any

import pytest

from training_versions import DatabaseError, NotFoundError, PermissionDeniedError


def published(versions: Any, packages: Any) -> Any:
    package = packages.create("bot", template_type="lora_finetuning", config={})
    return versions.publish(versions.create_draft(package.id, config={}, model={}, dataset=[]).id)


def test_archiving_a_live_version_ends_its_stay(versions: Any, packages: Any) -> None:
    version = published(versions, packages)
    versions.deploy(version.id, "local")

    archived = versions.archive(version.id)

    assert versions.live(version.package_id, "local") is None
    assert not versions.get(archived.id).is_deployed
    with pytest.raises(DatabaseError):
        versions.deploy(version.id, "local")


def test_a_version_that_only_its_columns_call_deployed_can_be_deployed(
    stack: Any, versions: Any, packages: Any
) -> None:
    version = published(versions, packages)
    stack.psql(
        "set session_replication_role = replica;"
        "update public.training_package_versions set is_deployed = true, deployment_target = 'local' where id = :'id';",
        admin=True,
        id=str(version.id),
    )

    assert versions.undeploy(version.id).is_deployed is False
    versions.deploy(version.id, "local")

    assert versions.live(version.package_id, "local").version_id == version.id


def test_a_cost_that_is_no_number_is_mended_by_the_service_role(
    stack: Any, versions: Any, packages: Any
) -> None:
    version = published(versions, packages)
    stack.psql(
        "set session_replication_role = replica;"
        "update public.training_package_versions set actual_cost = 'NaN' where id = :'id';",
        admin=True,
        id=str(version.id),
    )

    table = stack.service_client().table("training_package_versions")
    table.update({"actual_cost": 5}).eq("id", str(version.id)).execute()

    assert [entry.amount for entry in versions.iterate_costs(version.id)] == [5]
    assert versions.record_cost(version.id, 1).actual_cost == 6


def test_a_lineage_starts_only_from_what_the_caller_may_see(
    stack: Any, face: Any, versions: Any, packages: Any, stranger_email: str
) -> None:
    version = published(versions, packages)
    child = versions.restore(version.id).draft
    stack.psql(
        "set session_replication_role = replica;"
        "update public.training_package_versions set created_by = :'stranger' where id = :'id';",
        admin=True,
        id=str(child.id),
        stranger=str(stack.user_id(stranger_email)),
    )

    with pytest.raises(NotFoundError):
        face.versions(stranger_email).lineage(version.id)
    with pytest.raises(NotFoundError):
        versions.lineage(child.id)
    assert [node.id for node in versions.lineage(version.id).root.walk()] == [version.id]


def test_what_a_stranger_left_in_a_package_is_not_deployed_there(
    stack: Any, face: Any, versions: Any, packages: Any, stranger_email: str
) -> None:
    version, left = published(versions, packages), published(versions, packages)
    versions.deploy(version.id, "local")
    stack.psql(
        "set session_replication_role = replica;"
        "update public.training_package_versions"
        " set created_by = :'stranger', package_id = :'package', version_number = 77 where id = :'id';",
        admin=True,
        id=str(left.id),
        package=str(version.package_id),
        stranger=str(stack.user_id(stranger_email)),
    )

    with pytest.raises(PermissionDeniedError):
        face.versions(stranger_email).deploy(left.id, "local")

    assert versions.live(version.package_id, "local").version_id == version.id


def test_the_training_clock_is_the_databases(owner: Any, versions: Any, packages: Any) -> None:
    package = packages.create("bot", template_type="lora_finetuning", config={})
    draft = versions.create_draft(package.id, config={}, model={}, dataset=[])
    table = owner.table("training_package_versions")
    long_ago = {
        "training_started_at": "1999-01-01T00:00:00Z",
        "training_completed_at": "1999-01-02T00:00:00Z",
    }

    for status in ("pending", "running", "completed"):
        (row,) = (
            table.update({"training_status": status, **long_ago})
            .eq("id", str(draft.id))
            .execute()
            .data
        )

        assert "1999" not in str(row["training_started_at"])
        assert "1999" not in str(row["training_completed_at"])
