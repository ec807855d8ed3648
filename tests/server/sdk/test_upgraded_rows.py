"""What old rows and clients that write columns cannot do to costs, lineages and training.

What they cannot do to deployments is in `test_deployment.py`.
"""

from __future__ import annotations


def test_a_cost_that_is_no_number_is_mended_by_the_service_role(ada, service_table, published, sql):
    sql.change(published.id, actual_cost="NaN")

    service_table().update({"actual_cost": 5}).eq("id", str(published.id)).execute()

    assert [entry.amount for entry in ada.versions.iterate_costs(published.id)] == [5]
    assert ada.versions.record_cost(published.id, 1).actual_cost == 6


def test_a_lineage_starts_only_from_what_the_caller_may_see(ada, bob, published, sql, refused):
    child = ada.versions.restore(published.id).draft
    sql.change(child.id, created_by=bob.id)

    refused("TV101", bob.versions.lineage, published.id)
    refused("TV101", ada.versions.lineage, child.id)

    seen = [node.id for node in ada.versions.lineage(published.id).root.walk()]
    assert seen == [published.id]


def test_the_training_clock_is_the_databases(table, draft):
    long_ago = {
        "training_started_at": "1999-01-01T00:00:00Z",
        "training_completed_at": "1999-01-02T00:00:00Z",
    }

    for status in ("pending", "running", "completed"):
        changes = {"training_status": status, **long_ago}
        (row,) = table().update(changes).eq("id", str(draft.id)).execute().data

        assert "1999" not in str(row["training_started_at"])
        assert "1999" not in str(row["training_completed_at"])
