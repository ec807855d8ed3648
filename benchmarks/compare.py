"""How long comparing two versions takes, as a ratio to what json and jsonpatch take in the same run."""

import copy
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jsonpatch

from training_versions.diff import compare_versions, document
from training_versions.models import Version


def version(entries: int) -> Version[Any, Any, Any]:
    """Make a version with that many data sets of about 150 bytes each."""
    row: dict[str, Any] = {name: None for name in Version.model_fields}
    row |= {
        "id": uuid4(),
        "package_id": uuid4(),
        "version_number": 1,
        "name": "bot-v1",
        "status": "published",
    }
    row |= {"created_at": datetime.now(UTC), "updated_at": datetime.now(UTC), "is_deployed": False}
    row |= {
        "config_snapshot": {
            "lora": {"r": 8, "target_modules": ["q_proj", "v_proj"]},
            "learning_rate": 2e-4,
        }
    }
    row |= {"model_snapshot": {"repo": "mistralai/Mistral-7B-v0.3", "revision": "main"}}
    row["dataset_snapshot"] = [
        {
            "datasetId": f"tickets-{n:06}",
            "split": "train",
            "weight": 1.0,
            "rows": n,
            "note": "Lorem ipsum dolor " * 3,
        }
        for n in range(entries)
    ]
    return Version.model_validate(row)


def edited(left: Version[Any, Any, Any]) -> Version[Any, Any, Any]:
    """Do to it what people do: a higher rank, a data set in front, every tenth weighed anew."""
    right = left.model_copy(deep=True)
    right.config_snapshot["lora"] = {"r": 16, "target_modules": ["q_proj", "k_proj", "v_proj"]}
    for entry in right.dataset_snapshot[::10]:
        entry["weight"] = 0.5
    right.dataset_snapshot.insert(0, {"datasetId": "faq", "split": "train"})
    return right


def dense() -> dict[str, tuple[Any, Any]]:
    """Make pairs of about 8 KB that differ nearly everywhere, as tensors and tables of numbers do."""
    return {
        "1,100 floats, all changed": (
            [n / 7 for n in range(1100)],
            [n / 9 + 1 for n in range(1100)],
        ),
        "500 triples, one number each": (
            [[n, n + 1, n] for n in range(500)],
            [[n, n + 1, -1] for n in range(500)],
        ),
        "1,200 arrays of one number": ([[n] for n in range(1200)], [[-n - 1] for n in range(1200)]),
        "2,700 digits, all moved": (
            [n % 10 for n in range(2700)],
            [(n + 3) % 10 for n in range(2700)],
        ),
        "2,700 digits, all changed": ([1] * 2700, [2] * 2700),
        "2,000 objects, now arrays": ([{} for _ in range(2000)], [[] for _ in range(2000)]),
        "700 keys, all renamed": (
            {f"key-{n}": 1 for n in range(700)},
            {f"name-{n}": 1 for n in range(700)},
        ),
    }


def seconds(call: Callable[[], object], rounds: int) -> float:
    """Take the median of several calls."""
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Compare small and large versions; `make_patch` only small ones, as an entry in front costs it all the others."""
    for entries, rounds in ((50, 50), (33_000, 3)):
        left = version(entries)
        right = edited(left)
        plain = [copy.deepcopy(document(each)) for each in (left, right)]
        ours = seconds(lambda: compare_versions(left, right), rounds)  # noqa: B023  # called at once
        written = seconds(lambda: [json.dumps(each) for each in plain], rounds)  # noqa: B023  # called at once
        print(
            f"2 x {len(json.dumps(plain[0])) / 1000:,.0f} KB, {len(compare_versions(left, right))} changes"
        )
        print(f"  compare_versions       {ours * 1000:9.1f} ms")
        print(f"  json.dumps of both     {written * 1000:9.1f} ms   ratio {ours / written:6.2f}")
        if entries < 1000:
            theirs = seconds(lambda: jsonpatch.make_patch(*plain), rounds)  # noqa: B023  # called at once
            print(f"  jsonpatch.make_patch   {theirs * 1000:9.1f} ms   ratio {ours / theirs:6.2f}")

    print("2 x 8 KB with many differences; ratio to json.loads(json.dumps(...)) of both")
    for name, (old, new) in dense().items():
        left, right = (
            version(0).model_copy(update={"config_snapshot": {"at": each}}) for each in (old, new)
        )
        ours = seconds(lambda: compare_versions(left, right), 50)  # noqa: B023  # called at once
        copied = seconds(lambda: [json.loads(json.dumps(each)) for each in (old, new)], 50)  # noqa: B023  # called at once
        print(f"  {name:30} {ours * 1000:9.1f} ms   ratio {ours / copied:6.2f}")


if __name__ == "__main__":
    main()
