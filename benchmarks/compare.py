"""How long the comparison of two versions takes.

Times depend on the machine, so each is also given as a ratio to something well known that is timed
in the same run: `json.dumps`, `json.loads` and `jsonpatch.make_patch` on the same documents.
"""

import copy
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias
from uuid import uuid4

import jsonpatch

from training_versions.diff import compare_versions, document
from training_versions.models import Version

AnyVersion: TypeAlias = Version[Any, Any, Any]


def make_version(config: object, dataset: list[dict[str, Any]]) -> AnyVersion:
    """Make a version with the given content."""
    row: dict[str, Any] = dict.fromkeys(Version.model_fields)
    now = datetime.now(UTC)
    row |= {
        "id": uuid4(),
        "package_id": uuid4(),
        "version_number": 1,
        "name": "bot-v1",
        "status": "published",
        "created_at": now,
        "updated_at": now,
        "is_deployed": False,
        "config_snapshot": config,
        "model_snapshot": {"repo": "mistralai/Mistral-7B-v0.3", "revision": "main"},
        "dataset_snapshot": dataset,
    }
    return Version.model_validate(row)


def make_datasets(count: int) -> list[dict[str, Any]]:
    """Make data set entries of about 150 bytes each."""
    return [
        {
            "datasetId": f"tickets-{number:06}",
            "split": "train",
            "weight": 1.0,
            "rows": number,
            "note": "Lorem ipsum dolor " * 3,
        }
        for number in range(count)
    ]


def edit(version: AnyVersion) -> AnyVersion:
    """Make typical edits: a higher rank, a data set in front, a new weight for every tenth."""
    edited = version.model_copy(deep=True)
    edited.config_snapshot["lora"] = {"r": 16, "target_modules": ["q_proj", "k_proj", "v_proj"]}
    for entry in edited.dataset_snapshot[::10]:
        entry["weight"] = 0.5
    edited.dataset_snapshot.insert(0, {"datasetId": "faq", "split": "train"})
    return edited


def make_dense_pairs() -> dict[str, tuple[object, object]]:
    """Make pairs of about 8 KB that differ nearly everywhere, as tensors and tables do."""
    return {
        "1,100 floats, all changed": (
            [n / 7 for n in range(1100)],
            [n / 9 + 1 for n in range(1100)],
        ),
        "500 triples, one number each": (
            [[n, n + 1, n] for n in range(500)],
            [[n, n + 1, -1] for n in range(500)],
        ),
        "1,200 arrays of one number": (
            [[n] for n in range(1200)],
            [[-n - 1] for n in range(1200)],
        ),
        "2,700 digits, all moved": (
            [n % 10 for n in range(2700)],
            [(n + 3) % 10 for n in range(2700)],
        ),
        "2,700 digits, all changed": ([1] * 2700, [2] * 2700),
        "2,000 objects, now arrays": (
            [{} for _ in range(2000)],
            [[] for _ in range(2000)],
        ),
        "700 keys, all renamed": (
            {f"key-{n}": 1 for n in range(700)},
            {f"name-{n}": 1 for n in range(700)},
        ),
    }


def measure(call: Callable[[], object], rounds: int) -> float:
    """Return the median of the seconds that several calls take."""
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def dump(*values: object) -> None:
    """Write values as JSON."""
    for value in values:
        json.dumps(value)


def copy_by_json(*values: object) -> None:
    """Write values as JSON, and read them back."""
    for value in values:
        json.loads(json.dumps(value))


def compare_typical_edits(entries: int, rounds: int) -> None:
    """Compare versions with a few differences, and print the times."""
    config = {
        "lora": {"r": 8, "target_modules": ["q_proj", "v_proj"]},
        "learning_rate": 2e-4,
    }
    left = make_version(config, make_datasets(entries))
    right = edit(left)
    left_json = copy.deepcopy(document(left))
    right_json = copy.deepcopy(document(right))
    size = len(json.dumps(left_json)) / 1000
    changes = len(compare_versions(left, right))
    print(f"2 x {size:,.0f} KB, {changes} changes")

    ours = measure(partial(compare_versions, left, right), rounds)
    print(f"  compare_versions       {ours * 1000:9.1f} ms")
    dumps = measure(partial(dump, left_json, right_json), rounds)
    print(f"  json.dumps of both     {dumps * 1000:9.1f} ms   ratio {ours / dumps:6.2f}")

    # make_patch is left out for long arrays: the new entry in front makes it very slow there.
    if entries < 1000:
        patch = measure(partial(jsonpatch.make_patch, left_json, right_json), rounds)
        print(f"  jsonpatch.make_patch   {patch * 1000:9.1f} ms   ratio {ours / patch:6.2f}")


def compare_dense_pairs() -> None:
    """Compare small versions that differ nearly everywhere, and print the times."""
    print("2 x 8 KB with many differences; ratio to json.loads(json.dumps(...)) of both")
    for name, (old, new) in make_dense_pairs().items():
        left = make_version({"at": old}, [])
        right = make_version({"at": new}, [])
        ours = measure(partial(compare_versions, left, right), 50)
        theirs = measure(partial(copy_by_json, old, new), 50)
        print(f"  {name:30} {ours * 1000:9.1f} ms   ratio {ours / theirs:6.2f}")


def main() -> None:
    """Compare small and large versions, and small ones with many differences."""
    compare_typical_edits(entries=50, rounds=50)
    compare_typical_edits(entries=33_000, rounds=3)
    compare_dense_pairs()


if __name__ == "__main__":
    main()
