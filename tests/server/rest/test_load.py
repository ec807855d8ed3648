"""Ten thousand requests of a hundred users, over 32 connections at once.

Every reply holds its caller's rows alone, and the server's sockets and memory stay flat. The client
is as plain as it can be, since it shares the processors with what it measures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.server.rest.conftest import PREFIX, Person
from tests.server.rest.servers import Server, serve
from training_versions.local import LocalSupabase

REQUESTS = 10_000
USERS = 100
CONNECTIONS = 32
WARM = 2_000
"""Requests after which caches are full and every connection is open."""


class Connection:
    """A connection that is kept, on which one request at a time is sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, person: Person, method: str, path: str, body: bytes = b"") -> Any:
        head = f"{method} {PREFIX}{path} HTTP/1.1\r\nHost: api\r\n"
        head += f"Authorization: Bearer {person.token}\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        received = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = received.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        content = await self._reader.readexactly(int(headers["content-length"]))
        assert status.split()[1] in ("200", "201"), (status, content)
        return json.loads(content)

    def close(self) -> None:
        self._writer.close()


@dataclass
class Load:
    """What the users do, and what was seen of the server meanwhile."""

    server: Server
    people: list[Person]
    owned: dict[Person, dict[str, str]] = field(default_factory=dict)
    foreign: list[Any] = field(default_factory=list)
    done: int = 0
    sockets: list[int] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    async def prepare(self, connection: Connection, person: Person) -> None:
        new = {"name": "bot", "template_type": "lora", "config": {}}
        package = await connection.send(person, "POST", "/packages", json.dumps(new).encode())
        draft = {"package_id": package["id"], "config": {}, "model": {}, "dataset": []}
        version = await connection.send(person, "POST", "/versions", json.dumps(draft).encode())
        self.owned[person] = {"package": package["id"], "version": version["id"]}

    async def read(self, connection: Connection, person: Person, number: int) -> None:
        mine = self.owned[person]
        if number % 4 == 0:
            found = await connection.send(person, "GET", f"/versions/{mine['version']}")
            seen = {found["id"]: mine["version"], found["created_by"]: str(person.id)}
        elif number % 4 == 1:
            found = await connection.send(person, "GET", "/packages")
            seen = {each["id"]: mine["package"] for each in found["items"]}
        elif number % 4 == 2:
            found = await connection.send(person, "GET", "/versions")
            seen = {each["id"]: mine["version"] for each in found["items"]}
        else:
            found = await connection.send(person, "GET", "/history")
            seen = {each["version_id"]: mine["version"] for each in found["items"]}
        if not seen or any(left != right for left, right in seen.items()):
            self.foreign.append((person, found))

    def look(self) -> None:
        """Note what the server holds, every thousandth request."""
        self.done += 1
        if self.done % 1_000 == 0 and self.done >= WARM:
            self.sockets.append(len(self.server.process.net_connections("inet")))
            self.memory.append(self.server.process.memory_info().rss / 1024**2)

    async def run(self) -> None:
        streams = [
            await asyncio.open_connection("127.0.0.1", self.server.port) for _ in range(CONNECTIONS)
        ]
        connections = [Connection(*each) for each in streams]
        people = iter(self.people)
        numbers = iter(range(REQUESTS - 2 * USERS))

        async def prepare(connection: Connection) -> None:
            for person in people:
                await self.prepare(connection, person)
                self.look()
                self.look()

        async def read(connection: Connection) -> None:
            for number in numbers:
                await self.read(connection, self.people[number % USERS], number)
                self.look()

        try:
            # Whoever reads has something to read.
            await asyncio.gather(*map(prepare, connections))
            await asyncio.gather(*map(read, connections))
        finally:
            for connection in connections:
                connection.close()


def test_ten_thousand_requests_stay_apart_and_leave_nothing_behind(
    stack: LocalSupabase, person: Callable[[], Person], capsys: pytest.CaptureFixture[str]
) -> None:
    people = [person() for _ in range(USERS)]
    with serve(stack) as server:
        load = Load(server, people)
        began = time.perf_counter()

        asyncio.run(load.run())

        seconds = time.perf_counter() - began
    sockets, memory = load.sockets, load.memory
    with capsys.disabled():
        sys.stdout.write(
            f"\n{load.done:,} requests of {USERS} users over {CONNECTIONS} connections: "
            f"{load.done / seconds:.0f} a second; sockets {min(sockets)} to {max(sockets)}; "
            f"memory {memory[0]:.1f} to {memory[-1]:.1f} MB\n"
        )

    assert load.done == REQUESTS
    assert load.foreign == []
    assert len(load.owned) == USERS
    # One to each client, one or two to the project for each, and the one that listens.
    assert max(sockets) <= 2 * CONNECTIONS + 5
    assert max(memory) - memory[0] < 16
