"""What differs between two versions, and an old one back as a new draft.

    python examples/compare_and_restore.py

Runs on the embedded stack, or on your own project: see connect.py.
"""

from typing import Any

from connect import connect
from training_versions import PackageRepository, VersionRepository


def main() -> None:
    """Compare two versions, restore the first, fork it, and show how they descend from each other."""
    with connect() as (client, _):
        packages, versions = PackageRepository(client), VersionRepository(client)
        package = packages.create("support-bot", template_type="lora_finetuning", config={})
        config: dict[str, Any] = {
            "r": 8,
            "lora_alpha": 16,
            "optimizer": {"name": "adamw", "lr": 2e-4},
        }
        model = {"repo": "mistralai/Mistral-7B-v0.3"}

        first = versions.publish(
            versions.create_draft(
                package.id, config=config, model=model, dataset=[{"datasetId": "tickets"}]
            ).id
        )
        second = versions.publish(
            versions.create_draft(
                package.id,
                config=config | {"r": 16, "optimizer": {"name": "adamw", "lr": 1e-4}},
                model=model,
                dataset=[{"datasetId": "faq"}, {"datasetId": "tickets"}],
                parent_version_id=first.id,
            ).id
        )

        diff = versions.compare(first, second)
        print(f"{first.name} and {second.name} differ in {len(diff)} places:")
        print(diff)
        print("\nof these in the config:")
        print(diff.filter("/config_snapshot"))

        restored = versions.restore(first.id).draft
        again = versions.compare(first.id, restored.id)
        print(f"\nrestored {first.name} as {restored.name}: {restored.change_summary}")
        print(f"their content differs in {len(again.filter('/config_snapshot'))} places")

        other = packages.create("sales-bot", template_type="lora_finetuning", config={})
        forked = versions.fork(second.id, into=other.id).draft
        lineage = versions.lineage(forked.id)
        print(
            f"\n{forked.name} descends from " + ", ".join(node.name for node in lineage.ancestors)
        )


if __name__ == "__main__":
    main()
