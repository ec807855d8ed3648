"""What tests make versions of, and what a server sends: one factory for each kind of row."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from training_versions import Version

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


# How each operation is called when nothing is wrong; those of bundles need a file.
CALLS: dict[str, dict[str, Any]] = {
    "packages.create": {"name": "n", "template_type": "t", "config": {}},
    "packages.get": {"package_id": PACKAGE},
    "packages.find": {"package_id": PACKAGE},
    "packages.update": {"package_id": PACKAGE, "name": "n"},
    "packages.delete": {"package_id": PACKAGE},
    "packages.list": {},
    "packages.iterate": {},
    "versions.next_version_number": {"package_id": PACKAGE},
    "versions.create_draft": {"package_id": PACKAGE, **EMPTY},
    "versions.update_draft": {"version_id": VERSION, "name": "n"},
    "versions.delete_draft": {"version_id": VERSION},
    "versions.publish": {"version_id": VERSION},
    "versions.archive": {"version_id": VERSION},
    "versions.get": {"version_id": VERSION},
    "versions.find": {"version_id": VERSION},
    "versions.get_by_number": {"package_id": PACKAGE, "version_number": 1},
    "versions.latest_published": {"package_id": PACKAGE},
    "versions.latest": {"package_id": PACKAGE},
    "versions.list": {},
    "versions.iterate": {},
    "versions.count": {},
    "versions.compare": {"left": VERSION, "right": VERSION},
    "versions.restore": {"version_id": VERSION},
    "versions.fork": {"version_id": VERSION, "into": PACKAGE},
    "versions.lineage": {"version_id": VERSION},
    "versions.start_training": {"version_id": VERSION},
    "versions.record_metrics": {"version_id": VERSION, "metrics": {"loss": 1}},
    "versions.complete_training": {"version_id": VERSION},
    "versions.fail_training": {"version_id": VERSION, "reason": "x"},
    "versions.cancel_training": {"version_id": VERSION},
    "versions.metric_history": {"version_id": VERSION, "name": "loss"},
    "versions.deploy": {"version_id": VERSION, "target": "local"},
    "versions.undeploy": {"version_id": VERSION},
    "versions.live": {"package_id": PACKAGE, "target": "local"},
    "versions.live_at": {"package_id": PACKAGE, "target": "local", "moment": datetime.now(UTC)},
    "versions.record_cost": {"version_id": VERSION, "amount": 1},
    "versions.package_cost": {"package_id": PACKAGE},
    "versions.iterate_costs": {"version_id": VERSION},
    "versions.history": {"package_id": PACKAGE},
    "versions.iterate_history": {},
}


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
    row = {"id": RUN, "version_id": VERSION, "amount": 0.1, "note": None, "key": "k"}
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
