"""MLflow's own client, in an environment of its own: does what `mlflow_peer.py` asks on its input.

Each line is a JSON array: `["fill"]`, `["prepare", operation]` or `["call"]`. Each answer is a line
of JSON; that of a call has its seconds, on the clock and of this process.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric

from snapshots import SMALL, make_snapshots

SOURCE = "s3://bench/model"  # nothing is stored there
NEWEST = ["version_number DESC"]
PUBLISHED = 90

Call = Callable[[], Any]


class Worker:
    """The operations in MLflow's words: a version is a model version, its content are tags."""

    def __init__(self, url: str) -> None:
        self.client = MlflowClient(tracking_uri=url, registry_uri=url)
        self.editions = itertools.count(1)

    def fill(self) -> None:
        for name, count in (("five", 5), ("hundred", 100), ("package", 1)):
            self.client.create_registered_model(name)
            for _ in range(count):
                self._new(name)()
        self.client.set_registered_model_alias("hundred", "published", str(PUBLISHED))
        experiment = self.client.create_experiment("bench")
        self.run_id = self.client.create_run(experiment).info.run_id

    def get_by_number(self) -> Call:
        return partial(self.client.get_model_version, "hundred", "50")

    def latest(self) -> Call:
        return self._search("hundred", 1)

    def latest_published(self) -> Call:
        return partial(self.client.get_model_version_by_alias, "hundred", "published")

    def list_5(self) -> Call:
        return self._search("five", 50)

    def list_100_whole(self) -> Call:
        return self._search("hundred", 100)

    def create(self) -> Call:
        return self._new("package")

    def publish(self) -> Call:
        version = self._new("package")().version
        return partial(self.client.set_registered_model_alias, "package", "published", version)

    def update(self) -> Call:
        tags = self._tags()

        def update() -> None:
            for key, value in tags.items():
                self.client.set_model_version_tag("package", "1", key, value)

        return update

    def archive(self) -> Call:
        self.publish()()
        return partial(self.client.delete_registered_model_alias, "package", "published")

    def delete(self) -> Call:
        version = self._new("package")().version
        return partial(self.client.delete_model_version, "package", version)

    def record_metrics(self) -> Call:
        step = next(self.editions)
        metrics = [Metric(name, step / 1000, 0, step) for name in ("loss", "acc", "ppl", "lr")]
        return partial(self.client.log_batch, self.run_id, metrics=metrics)

    def record_cost(self) -> Call:
        cost = str(next(self.editions) / 100)
        return partial(self.client.set_model_version_tag, "package", "1", "actual_cost", cost)

    def deploy(self) -> Call:
        version = self._new("package")().version
        return partial(self.client.set_registered_model_alias, "package", "hf_space", version)

    def restore(self) -> Call:
        def restore() -> None:
            source = self.client.get_model_version("hundred", "50")
            self._new("package", source.tags)()

        return restore

    def _search(self, name: str, limit: int) -> Call:
        where = f"name='{name}'"
        search = self.client.search_model_versions
        return partial(search, where, max_results=limit, order_by=NEWEST)

    def _new(self, name: str, tags: dict[str, str] | None = None) -> Call:
        create = self.client.create_model_version
        return partial(create, name, SOURCE, tags=tags or self._tags(), await_creation_for=0)

    def _tags(self) -> dict[str, str]:
        columns = make_snapshots(SMALL, next(self.editions)).columns
        return {name: json.dumps(value) for name, value in columns.items()}


def main() -> None:
    """Answer until the input ends."""
    worker = Worker(sys.argv[1])
    call: Call = worker.fill
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        answer = {"wall": 0.0, "processor": 0.0}
        if command == "prepare":
            call = getattr(worker, arguments[0])()
        elif command == "fill":
            worker.fill()
        else:
            start, before = time.perf_counter(), time.process_time()
            call()
            wall, processor = time.perf_counter() - start, time.process_time() - before
            answer = {"wall": wall, "processor": processor}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
