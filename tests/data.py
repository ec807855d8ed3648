"""What tests share: a factory for each kind of row, and every operation with a valid call.

A new operation gets one row in `CALLS`. From there the tests that must leave no operation and no
function out take it: `http/test_operations.py`, `http/test_bad_input.py`,
`server/sdk/test_every_operation.py` and `server/schema/test_access.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from training_versions import PackageRepository, Version, VersionRepository

URL = "http://project.test/rest/v1"
PACKAGE = str(UUID(int=1))
VERSION = str(UUID(int=2))
RUN = str(UUID(int=3))
MOMENT = "2025-01-31T12:00:00.123456+00:00"

# The three snapshots, as arguments of `create_draft`.
SNAPSHOTS: dict[str, Any] = {
    "config": {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]},
    "model": {"id": "meta-llama/Llama-3.1-8B", "revision": "main"},
    "dataset": [{"id": "tickets", "rows": 12_000}, {"id": "manuals", "rows": 300}],
}
EMPTY: dict[str, Any] = {"config": {}, "model": {}, "dataset": []}
SNAPSHOT_COLUMNS = ("config_snapshot", "model_snapshot", "dataset_snapshot")


def version_row(number: int = 1, **changed: Any) -> dict[str, Any]:
    """Make a version as PostgREST sends it."""
    row: dict[str, Any] = dict.fromkeys(Version.model_fields)
    row |= {"id": str(UUID(int=number)), "package_id": PACKAGE, "version_number": number}
    row |= {"name": f"bot-v{number}", "status": "draft", "is_deployed": False}
    row |= {"created_at": MOMENT, "updated_at": MOMENT}
    row |= {"config_snapshot": {}, "model_snapshot": {}, "dataset_snapshot": []}
    return row | changed


def package_row(**changed: Any) -> dict[str, Any]:
    """Make a package as PostgREST sends it, from a table without `created_at`."""
    row = {"id": PACKAGE, "name": "bot", "template_type": "lora", "config_json": {"r": 8}}
    row |= {"user_id": VERSION, "current_version_id": None}
    return row | {"version_count": 0, "latest_published_version": 0} | changed


def overview_row(**changed: Any) -> dict[str, Any]:
    """Make an overview of a package, after the reply was read."""
    row = package_row() | {"training_package_made_at": "1970-01-01T00:00:00+00:00"}
    row |= {"drafts": 0, "live": [], "latest_published_at": None, "last_change_at": None}
    return row | dict.fromkeys(("estimated_cost", "actual_cost", "budget_limit")) | changed


def event_row(number: int, **changed: Any) -> dict[str, Any]:
    """Make an entry of the history as PostgREST sends it."""
    row = {"id": number, "package_id": PACKAGE, "version_id": VERSION, "version_number": 1}
    row |= {"kind": "edited", "actor_id": None, "occurred_at": MOMENT, "details": {"paths": []}}
    return row | {"source": None} | changed


def run_row(**changed: Any) -> dict[str, Any]:
    """Make a training run as PostgREST sends it."""
    row = {"id": RUN, "version_id": VERSION, "owner_id": VERSION, "status": "running"}
    row |= {"started_at": MOMENT, "ended_at": None, "started_by": None, "reason": None}
    return row | changed


def cost_row(**changed: Any) -> dict[str, Any]:
    """Make what recording a cost returns."""
    row = {"id": RUN, "package_id": PACKAGE, "version_id": VERSION, "version_number": 1}
    row |= {"amount": 0.1, "note": None, "key": "k"}
    row |= {"alerts": [50], "recorded_at": MOMENT, "recorded_by": None}
    return row | {"actual_cost": 0.5, "budget_limit": 1} | changed


def lineage_row(number: int, parent: int | None = None) -> dict[str, Any]:
    """Make a node of a lineage as its function sends it."""
    names = ("id", "package_id", "version_number", "name", "status", "created_at", "change_summary")
    row = version_row(number)
    known = {name: row[name] for name in names}
    return known | {"parent_version_id": None if parent is None else str(UUID(int=parent))}


def body(request: httpx.Request) -> Any:
    """Read the JSON that was sent."""
    return json.loads(request.content)


# --- operations


@dataclass(frozen=True)
class Call:
    """A valid call of an operation; for one that calls a database function, the request as well."""

    arguments: dict[str, Any]
    function: str | None = None
    sent: dict[str, Any] = field(default_factory=dict)
    """The parameters of the function, as JSON."""
    is_write: bool = True
    """Only of one that calls a function: selects write nothing."""
    reply: Any = field(default_factory=version_row)
    """What the server sends; `None` stands for a reply without a body."""
    columns: str | None = None
    """What the reply of the function is limited to."""
    idempotency_key: str | None = None
    """The argument that makes a repeat have the effect of one; the SDK makes it up if left out."""
    has_call_id: bool = False
    """The SDK sends an idempotency key that callers cannot give."""


SUMMARY = "training_version_summary"
"""The column that a copy's reply is limited to: all but the snapshots."""
OF_PACKAGE: dict[str, Any] = {"package_id": PACKAGE}
OF_VERSION: dict[str, Any] = {"version_id": VERSION}
P_PACKAGE: dict[str, Any] = {"p_package_id": PACKAGE}
P_VERSION: dict[str, Any] = {"p_version_id": VERSION}

# Identifiers of what is there already are `PACKAGE` and `VERSION`; one of what the call creates,
# or of a training run, is `RUN`.
CALLS: dict[str, Call] = {
    "packages.create": Call(
        {"name": "bot", "template_type": "lora", "config": {"r": 8}, "package_id": RUN},
        "create_training_package",
        {
            "p_name": "bot",
            "p_template_type": "lora",
            "p_config_json": {"r": 8},
            "p_package_id": RUN,
        },
        reply=package_row(),
        idempotency_key="package_id",
    ),
    "packages.get": Call(OF_PACKAGE),
    "packages.find": Call(OF_PACKAGE),
    "packages.find_by_name": Call({"name": "bot"}),
    "packages.get_or_create": Call(
        {"name": "bot", "template_type": "lora", "config": {"r": 8}},
        "get_or_create_training_package",
        {"p_name": "bot", "p_template_type": "lora", "p_config_json": {"r": 8}},
        reply=package_row(),
    ),
    "packages.update": Call(
        OF_PACKAGE | {"name": "b", "config": {}},
        "update_training_package",
        P_PACKAGE | {"p_changes": {"name": "b", "config_json": {}}},
        reply=package_row(),
    ),
    "packages.delete": Call(OF_PACKAGE, "delete_training_package", P_PACKAGE, reply=None),
    "packages.list": Call({}),
    "packages.iterate": Call({}),
    "packages.overviews": Call({}),
    "packages.iterate_overviews": Call({}),
    "versions.next_version_number": Call(
        OF_PACKAGE, "get_next_version_number", P_PACKAGE, is_write=False
    ),
    "versions.create_draft": Call(
        {
            "package_id": UUID(PACKAGE),
            "config": {"r": 8},
            "model": {"id": "m"},
            "dataset": [{"id": "a"}],
            "estimated_cost": Decimal("0.10"),
            "parent_version_id": VERSION,
            "version_id": UUID(RUN),
        },
        "create_training_draft",
        {
            "p_package_id": PACKAGE,
            "p_version_id": RUN,
            "p_fields": {
                "parent_version_id": VERSION,
                "config_snapshot": {"r": 8},
                "model_snapshot": {"id": "m"},
                "dataset_snapshot": [{"id": "a"}],
                "estimated_cost": 0.1,
            },
        },
        idempotency_key="version_id",
    ),
    "versions.update_draft": Call(
        OF_VERSION | {"name": "b", "budget_limit": None},
        "update_training_draft",
        P_VERSION | {"p_changes": {"name": "b", "budget_limit": None}},
    ),
    "versions.delete_draft": Call(OF_VERSION, "delete_training_draft", P_VERSION, reply=None),
    "versions.publish": Call(
        OF_VERSION | {"name": "b"}, "publish_training_version", P_VERSION | {"p_name": "b"}
    ),
    "versions.archive": Call(OF_VERSION, "archive_training_version", P_VERSION),
    "versions.get": Call(OF_VERSION),
    "versions.find": Call(OF_VERSION),
    "versions.get_by_number": Call(OF_PACKAGE | {"version_number": 1}),
    "versions.latest_published": Call(OF_PACKAGE),
    "versions.latest": Call(OF_PACKAGE),
    "versions.list": Call({}),
    "versions.iterate": Call({}),
    "versions.count": Call({}),
    "versions.compare": Call({"left": VERSION, "right": VERSION}),
    "versions.compare_numbers": Call(OF_PACKAGE | {"left": 1, "right": 2}),
    "versions.restore": Call(
        OF_VERSION | {"name": "n", "new_version_id": RUN},
        "restore_training_version",
        P_VERSION | {"p_name": "n", "p_new_version_id": RUN},
        columns=SUMMARY,
        reply={SUMMARY: version_row()},
        idempotency_key="new_version_id",
    ),
    "versions.fork": Call(
        OF_VERSION | {"into": UUID(PACKAGE), "change_summary": "", "new_version_id": UUID(RUN)},
        "fork_training_version",
        P_VERSION | {"p_into_package_id": PACKAGE, "p_change_summary": "", "p_new_version_id": RUN},
        columns=SUMMARY,
        reply={SUMMARY: version_row()},
        idempotency_key="new_version_id",
    ),
    "versions.lineage": Call(OF_VERSION, "get_version_lineage", P_VERSION, is_write=False),
    "versions.start_training": Call(
        OF_VERSION | {"run_id": RUN},
        "start_version_training",
        P_VERSION | {"p_run_id": RUN},
        reply=run_row(),
        idempotency_key="run_id",
    ),
    "versions.record_metrics": Call(
        OF_VERSION | {"metrics": {"loss": 0.5}, "step": 3, "run_id": RUN},
        "record_version_metrics",
        P_VERSION | {"p_metrics": {"loss": 0.5}, "p_step": 3, "p_run_id": RUN},
    ),
    "versions.complete_training": Call(
        OF_VERSION | {"run_id": RUN},
        "complete_version_training",
        P_VERSION | {"p_run_id": RUN},
        reply=run_row(),
        has_call_id=True,
    ),
    "versions.fail_training": Call(
        OF_VERSION | {"reason": "no memory"},
        "fail_version_training",
        P_VERSION | {"p_reason": "no memory"},
        reply=run_row(),
        has_call_id=True,
    ),
    "versions.cancel_training": Call(
        OF_VERSION, "cancel_version_training", P_VERSION, reply=run_row(), has_call_id=True
    ),
    "versions.runs": Call(OF_VERSION),
    "versions.iterate_runs": Call(OF_VERSION),
    "versions.metric_names": Call(OF_VERSION, "get_metric_names", P_VERSION, is_write=False),
    "versions.metric_history": Call(
        OF_VERSION | {"name": "loss"},
        "get_metric_history",
        P_VERSION | {"p_name": "loss"},
        is_write=False,
    ),
    "versions.deploy": Call(
        OF_VERSION
        | {
            "target": "hf_space",
            "url": "https://x.hf.space",
            "deployment_id": "x",
            "stay_id": RUN,
        },
        "deploy_training_version",
        P_VERSION
        | {
            "p_target": "hf_space",
            "p_url": "https://x.hf.space",
            "p_deployment_id": "x",
            "p_stay_id": RUN,
        },
        idempotency_key="stay_id",
    ),
    "versions.undeploy": Call(OF_VERSION, "undeploy_training_version", P_VERSION, has_call_id=True),
    "versions.live": Call(OF_PACKAGE | {"target": "local"}),
    "versions.live_at": Call(OF_PACKAGE | {"target": "local", "moment": datetime.now(UTC)}),
    "versions.deployments": Call(OF_PACKAGE),
    "versions.iterate_deployments": Call({}),
    "versions.record_cost": Call(
        OF_VERSION | {"amount": Decimal("0.10"), "key": "k", "alert_at": (90, 50), "entry_id": RUN},
        "record_training_cost",
        P_VERSION | {"p_amount": 0.1, "p_key": "k", "p_alert_at": [90, 50], "p_entry_id": RUN},
        reply=cost_row(),
        idempotency_key="entry_id",
    ),
    "versions.package_cost": Call(OF_PACKAGE, "get_package_cost", P_PACKAGE, is_write=False),
    "versions.costs": Call(OF_VERSION),
    "versions.iterate_costs": Call(OF_VERSION),
    "versions.history": Call(OF_PACKAGE),
    "versions.iterate_history": Call({}),
}

# The other two read and write a file, and call these.
BUNDLES = {"packages.export", "packages.import_"}
BUNDLE_FUNCTIONS: dict[str, dict[str, Any]] = {
    "export_training_versions": P_PACKAGE | {"p_after": 0, "p_newest": 9, "p_bytes": 1},
    "import_training_versions": P_PACKAGE | {"p_versions": []},
    "import_training_events": P_PACKAGE | {"p_events": []},
}


def public_operations() -> set[str]:
    """Return the operations that callers find on the two repositories."""
    kinds = {"packages": PackageRepository, "versions": VersionRepository}
    return {
        f"{kind}.{name}"
        for kind, repository in kinds.items()
        for name in dir(repository)
        if not name.startswith("_") and name != "for_token"
    }
