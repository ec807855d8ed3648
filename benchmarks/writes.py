"""What the SDK adds to a write, as a ratio to the same request sent by hand, in the same run on the embedded stack."""

import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

from training_versions import PackageRepository, VersionRepository
from training_versions.local import LocalSupabase

ROUNDS = 200
CONTENT: dict[str, Any] = {
    "r": 16,
    "lora_alpha": 32,
    "target_modules": ["q_proj", "v_proj"],
    "notes": "x" * 4000,
}


def seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Take turns, so that a busy machine slows both alike, and print the ratio of the medians."""
    with LocalSupabase() as stack:
        client = stack.sign_in("ada@example.com")
        package = PackageRepository(client).create(
            "benchmark", template_type="lora_finetuning", config={}
        )
        versions = VersionRepository(client)

        def sdk() -> object:
            return versions.create_draft(package.id, config=CONTENT, model={}, dataset=[])

        def by_hand() -> object:
            arguments: dict[str, Any] = {
                "p_package_id": str(package.id),
                "p_config_snapshot": CONTENT,
                "p_model_snapshot": {},
                "p_dataset_snapshot": [],
                "p_version_id": str(uuid.uuid4()),
            }
            return client.rpc("create_training_draft", arguments).execute()

        for call in (sdk, by_hand):
            call()
        rounds = [(seconds(sdk), seconds(by_hand)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"create_draft by the SDK       {ours * 1000:6.2f} ms")
    print(f"the same request by hand      {theirs * 1000:6.2f} ms")
    print(f"ratio                         {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()
