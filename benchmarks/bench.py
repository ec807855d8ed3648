"""`make bench`: what every operation costs, beside what one would write by hand.

    python benchmarks/bench.py --json docs/performance.json

Each of three runs starts a stack of its own. The order of the peers is drawn anew for every round
of every operation, so that neither a warm cache nor a busy neighbour favours anybody. A run's
figure is the median of its rounds; what is reported is the median of the runs. One peer, the floor,
runs twice: whatever differs by less than those two is a tie.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from at_once import measure_readers, measure_writers
from large import measure_encoding, measure_large
from mlflow_peer import Mlflow, is_installed
from peers import OPERATIONS, AsyncFloor, ByHand, Floor, Peer, Sdk
from processors import Processors, ProcessorTime
from report import write_into, write_table
from training_versions.local import LocalSupabase

HERE = Path(__file__).parent
CONTROL = "floor again"


@dataclass(frozen=True)
class Sample:
    """What one call cost."""

    wall: float
    processor: ProcessorTime


def start_peers(stack: LocalSupabase, processors: Processors) -> list[Peer]:
    """Make the peers, each with packages of its own; MLflow where it is installed."""
    peers: list[Peer] = [
        Floor(stack),
        Floor(stack, CONTROL),
        ByHand(stack),
        Sdk.sync(stack),
        AsyncFloor(stack),
        Sdk.async_(stack),
    ]
    if is_installed():
        mlflow = Mlflow(stack)
        processors.mlflow = mlflow.pids
        peers.append(mlflow)
    for peer in peers:
        peer.fill()
    return peers


def measure(call: Any, processors: Processors) -> Sample:
    """Make one call."""
    before = processors.read()
    start = time.perf_counter()
    call()
    wall = time.perf_counter() - start
    time.sleep(0.001)  # what the server still does after its reply belongs to this call
    return Sample(wall, processors.read() - before)


def measure_operation(
    operation: str, peers: Sequence[Peer], processors: Processors, rounds: int
) -> dict[str, dict[str, float]]:
    """Return the milliseconds of an operation by peer: on the wall, and of each program."""
    peers = [peer for peer in peers if hasattr(peer, operation)]
    for peer in peers:  # twice, so that statements are prepared and lists have been seen
        for _ in range(2):
            getattr(peer, operation)()()
    processors.find_backends()
    samples: dict[str, list[Sample]] = {peer.name: [] for peer in peers}
    for _ in range(rounds):
        for peer in random.sample(peers, len(peers)):
            call = getattr(peer, operation)()
            samples[peer.name].append(measure(call, processors))
    return {name: _medians(each) for name, each in samples.items()}


def _medians(samples: list[Sample]) -> dict[str, float]:
    rows = [{"wall": s.wall, "total": s.processor.total, **asdict(s.processor)} for s in samples]
    return {name: statistics.median(row[name] for row in rows) * 1000 for name in rows[0]}


def run_once(rounds: int, operations: Iterable[str], *, everything: bool) -> dict[str, Any]:
    """Measure everything once, on a new stack."""
    with LocalSupabase() as stack:
        stack.psql((HERE / "plain_table.sql").read_text())
        stack.reload_schema()
        processors = Processors(stack)
        peers = start_peers(stack, processors)
        figures: dict[str, Any] = {"operations": {}}
        for operation in operations:
            print(f"  {operation}", file=sys.stderr, flush=True)
            measured = measure_operation(operation, peers, processors, rounds)
            figures["operations"][operation] = measured
        if everything:
            figures["writers"] = measure_writers(stack)
            figures["readers"] = measure_readers(stack)
            figures["large"] = measure_large(stack, processors)
            figures["encoding"] = measure_encoding()
        for peer in peers:
            peer.close()
        processors.close()
    return figures


def median_of(runs: list[Any]) -> Any:
    """Return the median of every figure in equally shaped runs."""
    first = runs[0]
    if isinstance(first, dict):
        return {key: median_of([run[key] for run in runs]) for key in first}
    return statistics.median(runs)


def main() -> None:
    """Measure, and write the figures and the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=40, help="calls of an operation in a run")
    parser.add_argument("--only", nargs="*", default=[], metavar="OPERATION", choices=OPERATIONS)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--page", type=Path, help="put the tables into this page of the docs")
    options = parser.parse_args()

    runs: list[Any] = []
    for number in range(options.runs):
        print(f"run {number + 1} of {options.runs}", file=sys.stderr)
        operations = options.only or OPERATIONS
        runs.append(run_once(options.rounds, operations, everything=not options.only))

    figures = {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {sys.version.split()[0]}",
        "runs": options.runs,
        "rounds": options.rounds,
        "unit": "milliseconds, unless a name says otherwise",
        **median_of(runs),
    }
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    table = f"Measured {figures['made']} on {figures['machine']}.\n\n{write_table(figures)}"
    if options.page is not None:
        write_into(options.page, "operations", table)
    print(table)


if __name__ == "__main__":
    main()
