"""How long it takes to turn snapshots into JSON that can be stored, with all that is checked.

Beside it stands `json.dumps`, which checks nothing, and writes text where the SDK makes a copy.
Processor time, since a busy machine hardly moves it.
"""

import json
import time
from collections.abc import Callable

from pydantic import BaseModel

from snapshots import LARGE, SMALL, Snapshots, make_snapshots
from training_versions.operations.rows import SnapshotCodecs
from training_versions.snapshots import Codec

ROUNDS = 25


class Row(BaseModel):
    """An entry of the data set, for a typed repository, which also reads back what it writes."""

    datasetId: str
    split: str
    weight: float
    rows: int
    columns: dict[str, str]
    note: str


def measure(call: Callable[[], object]) -> float:
    """Return the shortest of several calls in milliseconds of processor time."""
    times: list[float] = []
    for _ in range(ROUNDS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times) * 1000


def main() -> None:
    """Print milliseconds, and their ratio to `json.dumps`."""
    codecs = SnapshotCodecs.of(None, None, None)
    typed = Codec("dataset", "dataset_snapshot", list[Row], many=True)
    for size in (SMALL, LARGE):
        snapshots = make_snapshots(size)
        rows = [Row.model_validate(entry) for entry in snapshots.dataset]

        def write(given: Snapshots = snapshots) -> None:
            codecs.config.write(given.config)
            codecs.model.write(given.model)
            codecs.dataset.write(given.dataset)

        by_hand = measure(lambda given=snapshots: json.dumps(given.columns))
        print(f"{size:>9,} bytes of JSON")
        print(f"  json.dumps               {by_hand:8.3f} ms")
        for name, took in (
            ("plain snapshots", measure(write)),
            ("a typed data set", measure(lambda given=rows: typed.write(given))),
        ):
            print(f"  {name:<24} {took:8.3f} ms  {took / by_hand:5.2f} of json.dumps")


if __name__ == "__main__":
    main()
