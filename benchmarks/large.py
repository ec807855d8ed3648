"""Snapshots of a megabyte: what they cost the database, and the client that turns them to JSON."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from peers import Floor, Sdk
from processors import Processors
from snapshots import LARGE, SMALL, Snapshots, make_snapshots
from training_versions.local import LocalSupabase
from training_versions.operations.rows import SnapshotCodecs

OPERATIONS = ("create", "publish", "record_metrics", "deploy")
ROUNDS = 9
WARM_UP = 5
"""Calls before those that count, so that the connections have plans of the statements."""


def measure_large(stack: LocalSupabase, processors: Processors) -> dict[str, dict[str, float]]:
    """Return the processor milliseconds of the database, by operation and peer."""
    peers = [Floor(stack, size=LARGE), Sdk.sync(stack, size=LARGE)]
    for peer in peers:
        peer.package = peer.new_package()
        peer.draft_id = _id_of(peer.new_draft())
    figures: dict[str, dict[str, float]] = {}
    for operation in OPERATIONS:
        figures[operation] = {}
        for peer in peers:
            for _ in range(WARM_UP):
                getattr(peer, operation)()()
            processors.find_backends()
            times: list[float] = []
            for _ in range(ROUNDS):
                call = getattr(peer, operation)()
                before = processors.read().database
                call()
                times.append(processors.read().database - before)
            figures[operation][peer.name] = statistics.median(times) * 1000
    for peer in peers:
        peer.close()
    return figures


def _id_of(draft: Any) -> Any:
    return draft["id"] if isinstance(draft, dict) else draft.id


def measure_encoding() -> dict[str, dict[str, float]]:
    """Return the milliseconds that it takes to turn snapshots into JSON values, and into text."""
    figures: dict[str, dict[str, float]] = {}
    for name, size in (("8 KB", SMALL), ("1 MB", LARGE)):
        content = make_snapshots(size)
        figures[name] = {
            "SDK": _median_of_calls(lambda content=content: _encode(content)),
            "json.dumps": _median_of_calls(lambda content=content: json.dumps(content.columns)),
        }
    return figures


def _encode(content: Snapshots) -> None:
    """Do what `create_draft` does with the snapshots before it sends them."""
    codecs = SnapshotCodecs.of(None, None, None)
    for codec, value in zip(codecs.as_tuple(), content.columns.values(), strict=True):
        codec.write(value)


def _median_of_calls(call: Callable[[], Any], rounds: int = 30) -> float:
    times: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times) * 1000
