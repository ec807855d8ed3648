"""Compare two versions, restore the old one, and fork the new one into another package.

    .venv/bin/python examples/compare_and_restore.py

Shows a diff as text and a part of it, a restored draft whose content equals that of the old
version, and the ancestors of a fork. Runs on the embedded stack, or on your own project: see
connect.py.
"""

from typing import Any

from connect import connect
from training_versions import PackageRepository, VersionRepository

CONFIG: dict[str, Any] = {
    "r": 8,
    "lora_alpha": 16,
    "optimizer": {"name": "adamw", "lr": 2e-4},
}
CHANGED_CONFIG = CONFIG | {"r": 16, "optimizer": {"name": "adamw", "lr": 1e-4}}
MODEL = {"repo": "mistralai/Mistral-7B-v0.3"}


def main() -> None:
    """Compare, restore and fork."""
    with connect() as (client, _):
        packages = PackageRepository(client)
        versions = VersionRepository(client)
        package = packages.create("support-bot", template_type="lora_finetuning", config={})

        draft = versions.create_draft(
            package.id, config=CONFIG, model=MODEL, dataset=[{"datasetId": "tickets"}]
        )
        first = versions.publish(draft.id)
        draft = versions.create_draft(
            package.id,
            config=CHANGED_CONFIG,
            model=MODEL,
            dataset=[{"datasetId": "faq"}, {"datasetId": "tickets"}],
            parent_version_id=first.id,
        )
        second = versions.publish(draft.id)

        diff = versions.compare(first, second)
        print(f"{first.name} and {second.name} differ in {len(diff)} places:")
        print(diff)
        print("\nof these in the config:")
        print(diff.filter("/config_snapshot"))

        restored = versions.restore(first.id).draft
        diff = versions.compare(first.id, restored.id).filter("/config_snapshot")
        print(f"\nrestored {first.name} as {restored.name}: {restored.change_summary}")
        print(f"their content differs in {len(diff)} places")

        other = packages.create("sales-bot", template_type="lora_finetuning", config={})
        forked = versions.fork(second.id, into=other.id).draft
        lineage = versions.lineage(forked.id)
        ancestors = ", ".join(node.name for node in lineage.ancestors)
        print(f"\n{forked.name} descends from {ancestors}")


if __name__ == "__main__":
    main()
