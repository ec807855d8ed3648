"""What pyright strict must accept, with the types that it must find; `make lint` checks it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_type

import httpx
import postgrest
import supabase
from pydantic import BaseModel, JsonValue

from training_versions import (
    AsyncVersionRepository,
    Change,
    CopiedDraft,
    CostEntry,
    Deployment,
    Event,
    EventKind,
    JsonObject,
    Lineage,
    MetricPoint,
    Package,
    PackageRepository,
    Page,
    RecordedCost,
    RecordedMetrics,
    TrainingRun,
    Version,
    VersionDiff,
    VersionRepository,
    VersionStatus,
    VersionSummary,
)


class LoraConfig(BaseModel):
    r: int


class BaseModelRef(BaseModel):
    name: str


class DatasetRef(BaseModel):
    dataset_id: str


def sync(client: supabase.Client, bare: postgrest.SyncPostgrestClient) -> None:
    package = PackageRepository(bare).create("bot", template_type="lora", config={"r": 8})
    assert_type(package.config_json, JsonObject)
    packages = PackageRepository(client)
    assert_type(packages.find_by_name("bot"), Package | None)
    assert_type(packages.get_or_create("bot", template_type="lora", config={}), Package)
    assert_type(packages.list(order="oldest")[0].name, str)

    with httpx.Client() as http:
        mine = VersionRepository.for_token("https://x", "key", "token", http_client=http)
        assert_type(mine, VersionRepository[JsonObject, JsonObject, list[JsonObject]])
        typed_mine = VersionRepository.for_token(
            "https://x", "key", "token", http_client=http, config=LoraConfig
        )
        assert_type(typed_mine.get(package.id).config_snapshot, LoraConfig)

    plain = VersionRepository(client)
    assert_type(plain, VersionRepository[JsonObject, JsonObject, list[JsonObject]])
    assert_type(plain.get(package.id).config_snapshot["r"], JsonValue)
    plain.create_draft(
        package.id, config={"r": 8}, model={"name": "m"}, dataset=[{"id": 1}], estimated_cost="0.10"
    )

    typed = VersionRepository(
        client, config=LoraConfig, model=BaseModelRef, dataset=list[DatasetRef]
    )
    version = typed.create_draft(
        str(package.id),
        config=LoraConfig(r=8),
        model=BaseModelRef(name="m"),
        dataset=[DatasetRef(dataset_id="1")],
    )
    assert_type(version, Version[LoraConfig, BaseModelRef, list[DatasetRef]])
    assert_type(version.config_snapshot.r, int)
    assert_type(version.dataset_snapshot[0].dataset_id, str)
    assert_type(version.estimated_cost, Decimal | None)
    typed.update_draft(
        version.id, change_summary=None, config=LoraConfig(r=9), budget_limit=Decimal(3)
    )

    partly = VersionRepository(client, model=BaseModelRef)
    assert_type(partly, VersionRepository[JsonObject, BaseModelRef, list[JsonObject]])

    assert_type(typed.list(package.id, status="published", text="a"), Page[VersionSummary])
    whole = typed.list(
        snapshots=True, order="oldest", config_contains={"r": 8}, dataset_contains=[{"a": 1}]
    )
    assert_type(whole.items[0].config_snapshot, LoraConfig)
    assert_type(whole[0].config_snapshot, LoraConfig)
    assert_type([each.name for each in whole[1:] if each in whole], list[str])
    as_sequence: Sequence[VersionSummary] = typed.list()
    assert_type([each.status for each in as_sequence], list[VersionStatus])
    for summary in typed.iterate(package.id, status=["draft"]):
        assert_type(summary, VersionSummary)
    for each in typed.iterate(snapshots=True):
        assert_type(each.model_snapshot.name, str)

    assert_type(typed.compare(version.id, version), VersionDiff)
    assert_type(typed.compare(typed.list().items[0], plain.get(version.id)), VersionDiff)
    assert_type(typed.compare_numbers(package.id, 1, 2)[0], Change)
    assert_type(typed.restore(version.id), CopiedDraft)
    assert_type(typed.fork(version.id, into=package.id).misfits[0].path, str)
    assert_type(typed.lineage(version.id), Lineage)
    assert_type(typed.start_training(version.id), TrainingRun)
    assert_type(
        typed.record_metrics(version.id, {"loss": 0.5, "best": True}, step=1), RecordedMetrics
    )
    assert_type(typed.runs(version.id)[0], TrainingRun)
    assert_type(typed.metric_names(version.id), list[str])
    assert_type(typed.metric_history(version.id, "loss"), list[MetricPoint])
    assert_type(typed.live(package.id, "local"), Deployment | None)
    assert_type(typed.record_cost(version.id, "0.10", alert_at=[90]), RecordedCost)
    assert_type([entry.amount for entry in typed.iterate_costs(version.id)], list[Decimal])
    assert_type(
        typed.history(version_id=version.id, kind=["created", EventKind.EDITED]), Page[Event]
    )


async def asynchronous(client: supabase.AsyncClient, bare: postgrest.AsyncPostgrestClient) -> None:
    typed = AsyncVersionRepository(client, config=LoraConfig, dataset=list[DatasetRef])
    found = await typed.latest_published("11111111-1111-4111-8111-111111111111")
    if found is not None:
        assert_type(found.config_snapshot.r, int)
        assert_type(found.model_snapshot, JsonObject)
    async for summary in AsyncVersionRepository(bare).iterate():
        assert_type(summary, VersionSummary)
        assert_type(await typed.compare(summary.id, summary), VersionDiff)
    async for entry in typed.iterate_costs("11111111-1111-4111-8111-111111111111"):
        assert_type(entry, CostEntry)
    async for event in typed.iterate_history(order="oldest"):
        assert_type(event.details, JsonObject)
