"""What pyright strict must refuse, in each line that ends with `# wrong`; `tests/unit/test_house.py` runs it."""

import supabase
from pydantic import BaseModel

from training_versions import AsyncVersionRepository, VersionRepository


class LoraConfig(BaseModel):
    r: int


def sync(client: supabase.Client) -> None:
    versions = VersionRepository(client, config=LoraConfig)
    version = versions.get("11111111-1111-4111-8111-111111111111")
    _ = version.config_snapshot.r
    _ = version.config_snapshot.rank  # wrong
    _ = version.publishd_at  # wrong
    _ = versions.list().items[0].config_snapshot  # wrong
    versions.update_draft(version.id, nme="x")  # wrong
    versions.update_draft(version.id, name=None)  # wrong
    versions.list(state="draft")  # wrong
    versions.publish(version.id, "name")  # wrong
    versions.record_metrics(version.id, 3)  # wrong
    versions.history(order="up")  # wrong
    versions.fork(version.id)  # wrong
    AsyncVersionRepository(client)  # wrong
