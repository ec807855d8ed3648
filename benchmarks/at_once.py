"""Many callers at once: sixteen writers in threads, and a hundred readers in one event loop."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from supabase import AsyncClientOptions, create_async_client

from peers import EMAIL, ByHand, Floor, Sdk
from snapshots import make_snapshots
from training_versions import AsyncVersionRepository
from training_versions.local import LocalSupabase

WRITERS = 16
DRAFTS = 20
READERS = 100
READS = 4
ROUNDS = 5


def measure_writers(stack: LocalSupabase) -> dict[str, dict[str, float]]:
    """Return drafts per second by peer and number of packages, and how many creations failed."""
    makers: dict[str, Callable[[], Any]] = {
        "floor": lambda: Floor(stack),
        "by hand": lambda: ByHand(stack),
        "SDK": lambda: Sdk.sync(stack),
    }
    figures: dict[str, dict[str, float]] = {}
    for name, make in makers.items():
        figures[name] = {}
        for packages in (1, WRITERS):
            speed, failed = _write_at_once([make() for _ in range(WRITERS)], packages)
            figures[name][f"per second, {packages} packages"] = speed
            figures[name][f"failed, {packages} packages"] = failed
    return figures


def _write_at_once(writers: list[Any], packages: int) -> tuple[float, int]:
    targets = [writers[0].new_package() for _ in range(packages)]
    for place, writer in enumerate(writers):
        writer.package = targets[place % packages]
        # Numbers that no other writer of the floor takes; the others ask the database for theirs.
        writer.numbers = iter(range(place * 1000 + 1, place * 1000 + 999))
        writer.create()()  # opens the connection

    def write(writer: Any) -> int:
        failed = 0
        for _ in range(DRAFTS):
            try:
                writer.create()()
            except Exception:  # whatever a peer raises for a number that is taken
                failed += 1
        return failed

    start = time.perf_counter()
    with ThreadPoolExecutor(len(writers)) as threads:
        failed = sum(threads.map(write, writers))
    seconds = time.perf_counter() - start
    for writer in writers:
        writer.close()
    return (len(writers) * DRAFTS - failed) / seconds, failed


def measure_readers(stack: LocalSupabase) -> dict[str, float]:
    """Return reads per second of a hundred tasks, by peer."""
    floor = Floor(stack)
    floor.fill()
    sdk = Sdk.sync(stack)
    sdk.package = sdk.new_package()
    content = make_snapshots(sdk.size)
    draft = sdk.versions.create_draft(
        sdk.package, config=content.config, model=content.model, dataset=content.dataset
    )
    figures = asyncio.run(_read_at_once(stack, floor.id_in_hundred, draft.id))
    floor.close()
    return figures


async def _read_at_once(stack: LocalSupabase, plain_id: str, version_id: Any) -> dict[str, float]:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    headers = {"apikey": stack.anon_key, "Authorization": f"Bearer {stack.token(EMAIL)}"}
    async with httpx.AsyncClient(limits=limits, verify=False, trust_env=False, timeout=120) as http:
        options = AsyncClientOptions(
            auto_refresh_token=False, persist_session=False, httpx_client=http
        )
        options.headers["Authorization"] = headers["Authorization"]
        client = await create_async_client(stack.url, stack.anon_key, options)
        versions = AsyncVersionRepository(client)
        url = f"{stack.rest_url}/plain_versions"
        params = {"select": "*", "id": f"eq.{plain_id}"}

        async def by_floor() -> None:
            reply = await http.get(url, params=params, headers=headers)
            reply.json()

        async def by_hand() -> None:
            await client.table("plain_versions").select("*").eq("id", plain_id).execute()

        async def by_sdk() -> None:
            await versions.get(version_id)

        peers = {
            "floor": by_floor,
            "floor again": by_floor,
            "by hand": by_hand,
            "SDK, async": by_sdk,
        }
        for read in peers.values():  # opens the connections
            await _time_of_readers(read)
        speeds: dict[str, list[float]] = {name: [] for name in peers}
        for _ in range(ROUNDS):
            for name in random.sample(list(peers), len(peers)):
                speeds[name].append(READERS * READS / await _time_of_readers(peers[name]))
        return {name: statistics.median(each) for name, each in speeds.items()}


async def _time_of_readers(read: Callable[[], Awaitable[None]]) -> float:
    async def reader() -> None:
        for _ in range(READS):
            await read()

    start = time.perf_counter()
    await asyncio.gather(*(reader() for _ in range(READERS)))
    return time.perf_counter() - start
