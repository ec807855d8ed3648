"""How much time the SDK adds to a write.

A draft is created by the SDK and by the same request sent by hand, on the embedded stack. The two
take turns, so that a busy machine slows both alike, and the medians are compared.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from supabase import Client

from training_versions import PackageRepository, VersionRepository
from training_versions.local import LocalSupabase

ROUNDS = 200
CONFIG: dict[str, Any] = {
    "r": 16,
    "lora_alpha": 32,
    "target_modules": ["q_proj", "v_proj"],
    "notes": "x" * 4000,
}


def create_by_sdk(versions: VersionRepository, package_id: UUID) -> None:
    """Create a draft as users of the SDK do."""
    versions.create_draft(package_id, config=CONFIG, model={}, dataset=[])


def create_by_hand(client: Client, package_id: UUID) -> None:
    """Send the request that the SDK sends, and leave the reply unread."""
    params: dict[str, Any] = {
        "p_package_id": str(package_id),
        "p_fields": {
            "config_snapshot": CONFIG,
            "model_snapshot": {},
            "dataset_snapshot": [],
        },
        "p_version_id": str(uuid4()),
    }
    client.rpc("create_training_draft", params).execute()


def measure(call: Callable[[], None]) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Measure both, and print the medians and their ratio."""
    sdk_times: list[float] = []
    hand_times: list[float] = []
    with LocalSupabase() as stack:
        client = stack.sign_in("ada@example.com")
        versions = VersionRepository(client)
        package = PackageRepository(client).create(
            "benchmark", template_type="lora_finetuning", config={}
        )

        # The first calls open the connections, and are not measured.
        create_by_sdk(versions, package.id)
        create_by_hand(client, package.id)
        for _ in range(ROUNDS):
            sdk_times.append(measure(lambda: create_by_sdk(versions, package.id)))
            hand_times.append(measure(lambda: create_by_hand(client, package.id)))

    by_sdk = statistics.median(sdk_times)
    by_hand = statistics.median(hand_times)
    print(f"create_draft by the SDK       {by_sdk * 1000:6.2f} ms")
    print(f"the same request by hand      {by_hand * 1000:6.2f} ms")
    print(f"ratio                         {by_sdk / by_hand:6.2f}")


if __name__ == "__main__":
    main()
