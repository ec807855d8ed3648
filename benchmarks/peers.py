"""The peers of the benchmark: the same work, done by this SDK and by what one would write by hand.

A peer has a method for each operation. It prepares, which is not timed, and returns the call to
time: `peer.publish()` makes a draft and returns what publishes it.

- The *floor* is bare httpx on a plain table (`plain_table.sql`), one request an operation; the
  async face has a floor of its own, since httpx's async client costs more than the other.
- *By hand* is supabase-py on that same table, as a user would write it: an RPC for the number, then
  an insert; `select("*")`.
- The SDK runs on its own table, on both faces.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeAlias, cast
from uuid import UUID, uuid4

import httpx
from supabase import AsyncClientOptions, Client, create_async_client

from snapshots import SMALL, make_snapshots
from training_versions import (
    AsyncPackageRepository,
    AsyncVersionRepository,
    PackageRepository,
    VersionRepository,
)
from training_versions.local import LocalSupabase

Call: TypeAlias = Callable[[], Any]
EMAIL = "bench@example.com"
PUBLISHED = 90
"""How many of the hundred versions that are read are published: the oldest ones."""
METRICS = {"loss": 0.25, "accuracy": 0.9, "perplexity": 1.28, "lr": 1e-4}
DEPLOYED_AT = "https://huggingface.co/spaces/ada/bot"

OPERATIONS = (
    "get_by_number",
    "get_by_id",
    "latest",
    "latest_published",
    "list_5",
    "list_100",
    "list_100_whole",
    "create",
    "publish",
    "update",
    "archive",
    "delete",
    "record_metrics",
    "record_cost",
    "deploy",
    "restore",
)


class Peer(Protocol):
    """Somebody who can do every operation of the benchmark."""

    name: str

    def fill(self) -> None:
        """Make a package of five versions, one of a hundred, and one to write into."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class Floor:
    """Bare httpx on the plain table: one request an operation, and no promise kept."""

    def __init__(self, stack: LocalSupabase, name: str = "floor", size: int = SMALL) -> None:
        self.name = name
        self.size = size
        self.user_id = str(stack.user_id(EMAIL))
        self.http = httpx.Client(
            base_url=stack.rest_url,
            headers={"apikey": stack.anon_key, "Authorization": f"Bearer {stack.token(EMAIL)}"},
            verify=False,
            trust_env=False,
            timeout=120,
        )
        self.numbers = itertools.count(1)
        self.editions = itertools.count(1)

    def close(self) -> None:
        self.http.close()

    def new_package(self) -> str:
        package_id = str(uuid4())
        self._send("POST", "/plain_packages", {}, {"id": package_id, "name": "bench"})
        return package_id

    def fill(self) -> None:
        self.five, self.hundred, self.package = (self.new_package() for _ in range(3))
        for package_id, count in ((self.five, 5), (self.hundred, 100)):
            rows = [self._row(package_id, number) for number in range(1, count + 1)]
            for row in rows[:PUBLISHED]:
                row |= self._published()
            for row in rows[PUBLISHED:]:
                row |= {"published_at": None, "published_by": None}
            made = self._send("POST", "/plain_versions", {}, rows)
        self.id_in_hundred = made[49]["id"]
        self.draft_id = self.new_draft()["id"]

    def new_draft(self) -> dict[str, Any]:
        return self.insert(self._row(self.package, next(self.numbers)))

    def insert(self, row: dict[str, Any]) -> dict[str, Any]:
        return self._send("POST", "/plain_versions", {}, row)[0]

    # --- reads

    def get_by_number(self) -> Call:
        return self._read("plain_versions", package_id=self.hundred, version_number="50")

    def get_by_id(self) -> Call:
        return self._read("plain_versions", id=self.id_in_hundred)

    def latest(self) -> Call:
        newest = {"order": "version_number.desc", "limit": "1"}
        return self._read("plain_versions", newest, package_id=self.hundred)

    def latest_published(self) -> Call:
        newest = {"order": "version_number.desc", "limit": "1"}
        return self._read("plain_versions", newest, package_id=self.hundred, status="published")

    def list_5(self) -> Call:
        return self._list("plain_version_summaries", self.five, 50)

    def list_100(self) -> Call:
        return self._list("plain_version_summaries", self.hundred, 100)

    def list_100_whole(self) -> Call:
        return self._list("plain_versions", self.hundred, 100)

    # --- writes

    def create(self) -> Call:
        return partial(self.insert, self._row(self.package, next(self.numbers)))

    def publish(self) -> Call:
        return self._change(self.new_draft()["id"], self._published())

    def update(self) -> Call:
        return self._change(self.draft_id, self._edition().columns)

    def archive(self) -> Call:
        version_id = self.new_draft()["id"]
        self._change(version_id, self._published())()
        return self._change(version_id, {"status": "archived"})

    def delete(self) -> Call:
        where = {"id": f"eq.{self.new_draft()['id']}"}
        return partial(self._send, "DELETE", "/plain_versions", where, prefer="return=minimal")

    def record_metrics(self) -> Call:
        metrics = METRICS | {"loss": next(self.editions) / 1000}
        return self._change(self.draft_id, {"training_metrics": metrics})

    def record_cost(self) -> Call:
        return self._change(self.draft_id, {"actual_cost": next(self.editions) / 100})

    def deploy(self) -> Call:
        version_id = self.new_draft()["id"]
        self._change(version_id, self._published())()
        deployed = {"is_deployed": True, "deployment_target": "hf_space"}
        return self._change(version_id, deployed | {"deployment_url": DEPLOYED_AT})

    def restore(self) -> Call:
        return self.create()  # it holds the content already, and inserts it once more

    # --- what they are made of

    def _row(self, package_id: str, number: int) -> dict[str, Any]:
        row = {"package_id": package_id, "version_number": number, "name": f"bench-v{number}"}
        return row | {"status": "draft"} | make_snapshots(self.size, number).columns

    def _edition(self) -> Any:
        return make_snapshots(self.size, next(self.editions))

    def _published(self) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat()
        return {"status": "published", "published_at": now, "published_by": self.user_id}

    def _read(self, table: str, also: dict[str, str] | None = None, **where: str) -> Call:
        params = {column: f"eq.{value}" for column, value in where.items()}
        return partial(self._send, "GET", f"/{table}", {"select": "*"} | params | (also or {}))

    def _list(self, table: str, package_id: str, limit: int) -> Call:
        newest = {"order": "version_number.desc", "limit": str(limit)}
        return self._read(table, newest, package_id=package_id)

    def _change(self, version_id: str, columns: dict[str, Any]) -> Call:
        where = {"id": f"eq.{version_id}"}
        return partial(self._send, "PATCH", "/plain_versions", where, columns)

    def _send(
        self,
        method: str,
        path: str,
        params: dict[str, str],
        body: object = None,
        prefer: str = "return=representation",
    ) -> Any:
        headers = {} if method == "GET" else {"Prefer": prefer}
        reply = self._request(method, path, params=params, json=body, headers=headers)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, path, **options)


class AsyncFloor(Floor):
    """The floor of the async face: the same requests, by httpx's async client."""

    def __init__(self, stack: LocalSupabase, name: str = "floor, async", size: int = SMALL) -> None:
        super().__init__(stack, name, size)
        self.loop = asyncio.new_event_loop()
        self.async_http = httpx.AsyncClient(
            base_url=self.http.base_url,
            headers=self.http.headers,
            verify=False,
            trust_env=False,
            timeout=120,
        )

    def close(self) -> None:
        self.loop.run_until_complete(self.async_http.aclose())
        self.loop.close()
        super().close()

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.loop.run_until_complete(self.async_http.request(method, path, **options))


class ByHand(Floor):
    """supabase-py on the plain table, as a user would write it."""

    def __init__(self, stack: LocalSupabase, name: str = "by hand", size: int = SMALL) -> None:
        super().__init__(stack, name, size)
        self.client: Client = stack.sign_in(EMAIL)

    def create(self) -> Call:
        row = self._row(self.package, 0)
        return lambda: self.insert_next(self.package, row)

    def insert_next(self, package_id: str, row: dict[str, Any]) -> Any:
        """Ask for the number, then insert."""
        number = self.client.rpc("plain_next_number", {"p_package_id": package_id}).execute().data
        named = {"version_number": number, "name": f"bench-v{number}"}
        return self.client.table("plain_versions").insert(row | named).execute().data[0]

    def new_draft(self) -> dict[str, Any]:
        return self.insert_next(self.package, self._row(self.package, 0))

    def delete(self) -> Call:
        query = self.client.table("plain_versions").delete().eq("id", self.new_draft()["id"])
        return lambda: query.execute().data

    def restore(self) -> Call:
        return self._restore

    def _restore(self) -> Any:
        table = self.client.table("plain_versions")
        source = table.select("*").eq("id", self.id_in_hundred).execute().data[0]
        columns = make_snapshots(self.size).columns
        row = {name: source[name] for name in columns} | {"parent_version_id": source["id"]}
        return self.insert_next(self.package, row | {"package_id": self.package, "status": "draft"})

    def _read(self, table: str, also: dict[str, str] | None = None, **where: str) -> Call:
        def read() -> Any:
            query = self.client.table(table).select("*")
            for column, value in where.items():
                query = query.eq(column, value)
            if also is not None:
                query = query.order("version_number", desc=True).limit(int(also["limit"]))
            return query.execute().data

        return read

    def _change(self, version_id: str, columns: dict[str, Any]) -> Call:
        return lambda: (
            self.client.table("plain_versions").update(columns).eq("id", version_id).execute().data
        )


class Sdk:
    """This SDK, on the face that `run` drives: it gets what a method returned, and finishes it."""

    def __init__(
        self,
        name: str,
        packages: Any,
        versions: Any,
        run: Callable[[Any], Any] = lambda result: result,
        close: Callable[[], None] = lambda: None,
        size: int = SMALL,
    ) -> None:
        self.name = name
        self.packages = packages
        self.versions = versions
        self.size = size
        self._run = run
        self.close = close
        self.editions = itertools.count(1)

    @classmethod
    def sync(cls, stack: LocalSupabase, name: str = "SDK", size: int = SMALL) -> Sdk:
        client = stack.sign_in(EMAIL)
        return cls(name, PackageRepository(client), VersionRepository(client), size=size)

    @classmethod
    def async_(cls, stack: LocalSupabase, name: str = "SDK, async", size: int = SMALL) -> Sdk:
        loop = asyncio.new_event_loop()
        http = httpx.AsyncClient(verify=False, trust_env=False, timeout=120)
        options = AsyncClientOptions(
            auto_refresh_token=False, persist_session=False, httpx_client=http
        )
        options.headers["Authorization"] = f"Bearer {stack.token(EMAIL)}"
        client = loop.run_until_complete(create_async_client(stack.url, stack.anon_key, options))

        def run(result: Any) -> Any:
            return loop.run_until_complete(cast("Awaitable[Any]", result))

        def close() -> None:
            loop.run_until_complete(http.aclose())
            loop.close()

        versions = AsyncVersionRepository(client)
        return cls(name, AsyncPackageRepository(client), versions, run, close, size)

    def new_package(self) -> UUID:
        create = self._call(self.packages.create, "bench", template_type="lora", config={})
        return create().id

    def fill(self) -> None:
        self.five, self.hundred, self.package = (self.new_package() for _ in range(3))
        for package_id, count in ((self.five, 5), (self.hundred, 100)):
            made = [self.new_draft(package_id) for _ in range(count)]
            for draft in made[:PUBLISHED]:
                self._call(self.versions.publish, draft.id)()
        self.id_in_hundred = made[49].id
        self.draft_id = self.new_draft().id

    def new_draft(self, package_id: UUID | None = None) -> Any:
        return self.create(package_id)()

    # --- reads

    def get_by_number(self) -> Call:
        return self._call(self.versions.get_by_number, self.hundred, 50)

    def get_by_id(self) -> Call:
        return self._call(self.versions.get, self.id_in_hundred)

    def latest(self) -> Call:
        return self._call(self.versions.latest, self.hundred)

    def latest_published(self) -> Call:
        return self._call(self.versions.latest_published, self.hundred)

    def list_5(self) -> Call:
        return self._call(self.versions.list, self.five)

    def list_100(self) -> Call:
        return self._call(self.versions.list, self.hundred, limit=100)

    def list_100_whole(self) -> Call:
        return self._call(self.versions.list, self.hundred, limit=100, snapshots=True)

    # --- writes

    def create(self, package_id: UUID | None = None) -> Call:
        content = make_snapshots(self.size, next(self.editions))
        return self._call(
            self.versions.create_draft,
            package_id or self.package,
            config=content.config,
            model=content.model,
            dataset=content.dataset,
        )

    def publish(self) -> Call:
        return self._call(self.versions.publish, self.new_draft().id)

    def update(self) -> Call:
        content = make_snapshots(self.size, next(self.editions))
        return self._call(
            self.versions.update_draft,
            self.draft_id,
            config=content.config,
            model=content.model,
            dataset=content.dataset,
        )

    def archive(self) -> Call:
        return self._call(self.versions.archive, self._new_published())

    def delete(self) -> Call:
        return self._call(self.versions.delete_draft, self.new_draft().id)

    def record_metrics(self) -> Call:
        metrics = METRICS | {"loss": next(self.editions) / 1000}
        return self._call(self.versions.record_metrics, self.draft_id, metrics)

    def record_cost(self) -> Call:
        return self._call(self.versions.record_cost, self.draft_id, "0.01")

    def deploy(self) -> Call:
        return self._call(self.versions.deploy, self._new_published(), "hf_space", url=DEPLOYED_AT)

    def restore(self) -> Call:
        return self._call(self.versions.restore, self.id_in_hundred)

    def _new_published(self) -> UUID:
        return self.publish()().id

    def _call(self, method: Callable[..., Any], *args: Any, **options: Any) -> Call:
        return lambda: self._run(method(*args, **options))
