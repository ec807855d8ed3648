"""What pyright strict must refuse: one expected error a line.

`make lint` checks it: an error that does not come makes its `ignore` unnecessary, and that is an
error.
"""

# A name that is not there has no type either; that would be a second error on the same line.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import supabase
from pydantic import BaseModel

from training_versions import AsyncVersionRepository, InvalidInputError, VersionRepository


class LoraConfig(BaseModel):
    r: int


def sync(client: supabase.Client) -> None:
    versions = VersionRepository(client, config=LoraConfig)
    version = versions.get("11111111-1111-4111-8111-111111111111")
    _ = version.config_snapshot.r
    _ = version.config_snapshot.rank  # pyright: ignore[reportAttributeAccessIssue]
    _ = version.publishd_at  # pyright: ignore[reportAttributeAccessIssue]
    _ = versions.list().items[0].config_snapshot  # pyright: ignore[reportAttributeAccessIssue]
    _ = versions.list()[0].config_snapshot  # pyright: ignore[reportAttributeAccessIssue]
    _ = versions.restore(version.id).id  # pyright: ignore[reportAttributeAccessIssue]
    versions.update_draft(version.id, nme="x")  # pyright: ignore[reportCallIssue]
    versions.update_draft(version.id, chnge_summary="x")  # pyright: ignore[reportCallIssue]
    versions.update_draft(version.id, name=None)  # pyright: ignore[reportArgumentType]
    versions.list(state="draft")  # pyright: ignore[reportCallIssue]
    versions.publish(version.id, "name")  # pyright: ignore[reportCallIssue]
    versions.record_metrics(version.id, 3)  # pyright: ignore[reportArgumentType]
    versions.history(package=version.package_id)  # pyright: ignore[reportCallIssue]
    versions.history(order="up")  # pyright: ignore[reportArgumentType]
    versions.fork(version.id)  # pyright: ignore[reportCallIssue]
    InvalidInputError("No.", feild="name")  # pyright: ignore[reportCallIssue]
    AsyncVersionRepository(client)  # pyright: ignore[reportArgumentType]
