"""From a package to its second published version, with typed snapshots.

    .venv/bin/python examples/quickstart.py

Creates, edits and publishes drafts, reads the versions, and shows two things that the database
refuses: editing a published version, and seeing the versions of another user. Runs on the embedded
stack, or on your own project: see connect.py.
"""

from pydantic import BaseModel

from connect import connect
from training_versions import ConflictError, PackageRepository, VersionRepository


class LoraConfig(BaseModel):
    """How the adapter is trained."""

    r: int
    lora_alpha: int
    target_modules: list[str]
    learning_rate: float = 2e-4


class BaseModelRef(BaseModel):
    """The model that the adapter is trained for."""

    repo: str
    revision: str = "main"


class DatasetRef(BaseModel):
    """A data set that the adapter is trained on."""

    datasetId: str
    split: str = "train"


def main() -> None:
    """Create, edit and publish two versions, and read them."""
    with connect() as (client, other_client):
        packages = PackageRepository(client)
        versions = VersionRepository(
            client, config=LoraConfig, model=BaseModelRef, dataset=list[DatasetRef]
        )

        package = packages.create(
            "support-bot", template_type="lora_finetuning", config={"task": "chat"}
        )
        print(f"package        {package.name}")

        draft = versions.create_draft(
            package.id,
            config=LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]),
            model=BaseModelRef(repo="mistralai/Mistral-7B-v0.3"),
            dataset=[DatasetRef(datasetId="tickets-2025"), DatasetRef(datasetId="faq")],
            estimated_cost="4.20",
        )
        print(f"draft          {draft.name}")
        print(f"  rank         {draft.config_snapshot.r}")
        print(f"  data sets    {len(draft.dataset_snapshot)}")

        # Refused if somebody else has edited the draft since it was read.
        draft = versions.update_draft(
            draft.id,
            config=LoraConfig(r=16, lora_alpha=32, target_modules=["q_proj", "v_proj"]),
            change_summary="a higher rank",
            expected_updated_at=draft.updated_at,
        )
        print(f"edited         rank {draft.config_snapshot.r}: {draft.change_summary}")

        first = versions.publish(draft.id)
        print(f"published      {first.name}")

        second = versions.create_draft(
            package.id,
            config=first.config_snapshot.model_copy(update={"learning_rate": 1e-4}),
            model=first.model_snapshot,
            dataset=[*first.dataset_snapshot, DatasetRef(datasetId="chats-2026")],
            change_summary="half the learning rate, one more data set",
            parent_version_id=first.id,
        )
        second = versions.publish(second.id)
        print(f"published      {second.name}, made from version {first.version_number}")

        latest = versions.latest_published(package.id)
        assert latest is not None
        print(f"latest         {latest.name}, learning rate {latest.config_snapshot.learning_rate}")
        for summary in versions.iterate(package.id):
            print(f"  {summary.status:<11}  {summary.name}: {summary.change_summary}")

        try:
            versions.update_draft(first.id, change_summary="a second thought")
        except ConflictError as error:
            print(f"refused        {type(error).__name__}: {error}")

        if other_client is not None:
            other_versions = VersionRepository(other_client)
            count = other_versions.count(package.id)
            found = other_versions.find(first.id)
            print(f"another user   finds {count} versions, and {found} by its id")


if __name__ == "__main__":
    main()
