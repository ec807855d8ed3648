"""What a request through the REST endpoints costs over the same call of the SDK.

    python benchmarks/endpoints.py --page docs/performance.md

The endpoints are served by uvicorn in a process of its own, and called with the standard library's
client over a connection that is kept. The SDK is called from here, by its async face, which the
endpoints use. Both take turns in an order that is drawn anew for every round, so that a busy
machine slows both alike. What is compared are the medians: on the clock, and of the processor time
of the two programs, the server and its client, which a busy machine hardly moves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx

from report import write_into
from snapshots import SMALL, make_snapshots
from training_versions import AsyncPackageRepository, AsyncVersionRepository
from training_versions.local import LocalSupabase

GOAL = 3.0
"""Milliseconds at the median."""
Call = Callable[[], object]


@contextmanager
def serve(stack: LocalSupabase) -> Iterator[tuple[str, int]]:
    """Serve the endpoints until the block ends; yield their address and the process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keys = {"SUPABASE_URL": stack.url, "SUPABASE_PUBLISHABLE_KEY": stack.publishable_key}
    command = [sys.executable, "-m", "uvicorn", "--factory", "training_versions.rest:create_app"]
    options = ["--port", str(port), "--log-level", "warning", "--no-access-log"]
    process = subprocess.Popen([*command, *options], env=os.environ | keys)
    try:
        address = f"http://127.0.0.1:{port}/api/training"
        wait_for(f"{address}/health")
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str) -> None:
    """Wait until something answers."""
    until = time.monotonic() + 20
    while True:
        try:
            httpx.get(url)
        except httpx.ConnectError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


class Pair:
    """The same calls, of the SDK and through the endpoints."""

    def __init__(self, stack: LocalSupabase, address: str) -> None:
        token = stack.token("bench@example.com")
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient()
        given = (stack.url, stack.publishable_key, token)
        self._versions = AsyncVersionRepository.for_token(*given, http_client=self._http)
        packages = AsyncPackageRepository.for_token(*given, http_client=self._http)
        self._address = httpx.URL(address)
        self._api = HTTPConnection(str(self._address.host), self._address.port, timeout=30)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "If-Match": "*",
        }
        made = make_snapshots(SMALL)
        self._snapshots = {"config": made.config, "model": made.model, "dataset": made.dataset}
        self._edits = 0
        self._package = self._run(packages.create("bench", template_type="lora", config={})).id
        for _ in range(20):
            draft = self._run(self._versions.create_draft(self._package, **self._snapshots))
            self._first = self._run(self._versions.publish(draft.id)).id
        self._draft = self._run(self._versions.create_draft(self._package, **self._snapshots)).id

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._run(self._http.aclose())
        self._runner.close()

    def _run(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(call)

    def _ask(self, method: str, path: str, body: object = None) -> None:
        content = None if body is None else json.dumps(body)
        self._api.request(method, self._address.path + path, content, self._headers)
        answer = self._api.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content!r}")

    def calls(self) -> dict[str, tuple[Call, Call]]:
        """Return each operation, of the SDK and through the endpoints."""
        versions, package = self._versions, self._package
        first, draft = self._first, self._draft
        metrics = {"loss": 0.41}
        return {
            "get": (
                lambda: self._run(versions.get(first)),
                lambda: self._ask("GET", f"/versions/{first}"),
            ),
            "list, 20 summaries": (
                lambda: self._run(versions.list(package, limit=20)),
                lambda: self._ask("GET", f"/versions?package_id={package}&limit=20"),
            ),
            "compare": (
                lambda: self._run(versions.compare(first, draft)),
                lambda: self._ask("GET", f"/versions/{first}/compare/{draft}"),
            ),
            "create a draft": (
                lambda: self._run(versions.create_draft(package, **self._snapshots)),
                lambda: self._ask(
                    "POST", "/versions", {"package_id": str(package), **self._snapshots}
                ),
            ),
            "update": (
                lambda: self._run(versions.update_draft(draft, config=self._edit())),
                lambda: self._ask("PUT", f"/versions/{draft}", {"config": self._edit()}),
            ),
            "record metrics": (
                lambda: self._run(versions.record_metrics(first, metrics)),
                lambda: self._ask(
                    "POST", f"/versions/{first}/training/metrics", {"metrics": metrics}
                ),
            ),
        }

    def _edit(self) -> dict[str, Any]:
        self._edits += 1
        return {**self._snapshots["config"], "edit": self._edits}


def processor_time(pid: int) -> float:
    """Return the milliseconds that the first thread of a process has worked."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def measure(call: Call, server: int) -> tuple[float, float]:
    """Return the milliseconds of a call: on the clock, and of both processors."""
    before = processor_time(server) + time.process_time() * 1000
    began = time.perf_counter()
    call()
    clock = time.perf_counter() - began
    time.sleep(0.001)  # what the server still does after its reply belongs to this call
    return clock * 1000, processor_time(server) + time.process_time() * 1000 - before


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--page", type=Path, help="put the table into this page of the docs")
    options = parser.parse_args()

    lines = [
        "| operation | SDK, ms | endpoint, ms | more, ms | more, processor ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    worst = [0.0, 0.0]
    with LocalSupabase() as stack, serve(stack) as (address, server):
        pair = Pair(stack, address)
        for name, calls in pair.calls().items():
            for call in calls:
                for _ in range(10):
                    call()
            samples: tuple[list[tuple[float, float]], ...] = ([], [])
            for _ in range(options.rounds):
                for side in random.sample((0, 1), 2):
                    samples[side].append(measure(calls[side], server))
            direct, through = (
                [statistics.median(each[figure] for each in side) for figure in (0, 1)]
                for side in samples
            )
            more = [through[figure] - direct[figure] for figure in (0, 1)]
            worst = [max(pair) for pair in zip(worst, more, strict=True)]
            cells = (direct[0], through[0], *more)
            lines.append(f"| {name} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
        pair.close()
    clock, processor = worst
    lines += [
        "",
        f"At most {clock:.2f} ms more at the median (goal {GOAL:g}), and {processor:.2f} ms of the "
        "processors.",
    ]
    table = "\n".join(lines)
    if options.page is not None:
        write_into(options.page, "endpoints", table)
    print(table)


if __name__ == "__main__":
    main()
