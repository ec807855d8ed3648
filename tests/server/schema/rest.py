"""Callers who speak plain REST, as a browser app does: the database is tested, not the SDK."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any, TypeVar

import httpx
import jwt

from tests.server.schema.databases import Database
from training_versions.local import LocalSupabase

PACKAGES = "training_configs"
VERSIONS = "training_package_versions"
SNAPSHOTS: dict[str, Any] = {
    "config_snapshot": {"r": 16},
    "model_snapshot": {"id": "base"},
    "dataset_snapshot": [{"datasetId": "123"}],
}
RETURN_ROWS = "return=representation"

Row = dict[str, Any]
Result = TypeVar("Result")

_names = (f"bot-{number}" for number in itertools.count(1))


@dataclass(frozen=True)
class Answer:
    """What REST answered."""

    status: int
    body: Any

    @property
    def code(self) -> str | None:
        """The SQLSTATE or PostgREST code of a refusal, None for a success."""
        if self.status < 400 or not isinstance(self.body, dict):
            return None
        return self.body.get("code")

    @property
    def refusal(self) -> tuple[int, str | None]:
        """Status and code together."""
        return self.status, self.code

    @property
    def detail(self) -> Row:
        """The detail of a refusal of ours, which is a JSON object."""
        return json.loads(self.body["details"])

    @property
    def rows(self) -> Any:
        """The body of a success."""
        assert self.status < 300, (self.status, self.body)
        return self.body

    @property
    def row(self) -> Row:
        """The only row of a success."""
        if isinstance(self.rows, dict):
            return self.rows
        (row,) = self.rows
        return row


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, or without one, who speaks plain REST."""

    http: httpx.Client = field(repr=False)
    key: str = field(repr=False)
    token: str = field(repr=False)
    id: str | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: dict[str, str] | None = None,
        prefer: str = RETURN_ROWS,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        own = {"apikey": self.key, "Authorization": f"Bearer {self.token}", "Prefer": prefer}
        reply = self.http.request(
            method, path, headers={**own, **(headers or {})}, json=json, params=params
        )
        return Answer(reply.status_code, reply.json() if reply.content else None)

    def send_text(
        self, method: str, path: str, text: str, *, params: dict[str, str] | None = None
    ) -> Answer:
        """Send JSON that Python would not write."""
        own = {"apikey": self.key, "Authorization": f"Bearer {self.token}", "Prefer": RETURN_ROWS}
        own["Content-Type"] = "application/json"
        reply = self.http.request(method, path, headers=own, content=text, params=params)
        return Answer(reply.status_code, reply.json() if reply.content else None)

    # Tables.

    def select(self, table: str, **filters: str) -> Any:
        return self.send("GET", table, params=filters).rows

    def insert(self, table: str, rows: Any, *, prefer: str = RETURN_ROWS) -> Answer:
        return self.send("POST", table, json=rows, prefer=prefer)

    def update(self, table: str, changes: Row, **filters: str) -> Answer:
        return self.send("PATCH", table, json=changes, params=filters)

    def delete(self, table: str, **filters: str) -> Answer:
        return self.send("DELETE", table, params=filters)

    # Functions.

    def rpc(self, function: str, **arguments: Any) -> Answer:
        parameters = {f"p_{name}": value for name, value in arguments.items()}
        return self.send("POST", f"rpc/{function}", json=parameters)

    def create_package(self, **arguments: Any) -> Answer:
        usual = {"name": "bot", "template_type": "lora_finetuning", "config_json": {"a": 1}}
        return self.rpc("create_training_package", **{**usual, **arguments})

    def update_package(self, package: Row, changes: Any) -> Answer:
        return self.rpc("update_training_package", package_id=package["id"], changes=changes)

    def delete_package(self, package: Row) -> Answer:
        return self.rpc("delete_training_package", package_id=package["id"])

    def next_number(self, package: Row) -> Answer:
        return self.rpc("get_next_version_number", package_id=package["id"])

    def create_draft(self, package: Row, *, version_id: str | None = None, **fields: Any) -> Answer:
        return self.rpc(
            "create_training_draft",
            package_id=package["id"],
            fields={**SNAPSHOTS, **fields},
            version_id=version_id,
        )

    def update_draft(self, draft: Row, changes: Any, **arguments: Any) -> Answer:
        return self.rpc(
            "update_training_draft", version_id=draft["id"], changes=changes, **arguments
        )

    def delete_draft(self, draft: Row, **arguments: Any) -> Answer:
        return self.rpc("delete_training_draft", version_id=draft["id"], **arguments)

    def publish(self, version: Row, **arguments: Any) -> Answer:
        return self.rpc("publish_training_version", version_id=version["id"], **arguments)

    def archive(self, version: Row) -> Answer:
        return self.rpc("archive_training_version", version_id=version["id"])

    # Rows that a story begins with, written to the tables as the first clients do.

    def try_package(self, **columns: Any) -> Answer:
        usual = {"name": next(_names), "template_type": "lora_finetuning", "config_json": {}}
        return self.insert(PACKAGES, {**usual, "user_id": self.id, **columns})

    def package(self, **columns: Any) -> Row:
        return self.try_package(**columns).row

    def try_draft(self, package: Row, **columns: Any) -> Answer:
        usual = {"package_id": package["id"], "status": "draft", **SNAPSHOTS}
        return self.insert(VERSIONS, {**usual, **columns})

    def draft(self, package: Row, **columns: Any) -> Row:
        return self.try_draft(package, **columns).row

    def published(self, package: Row, **columns: Any) -> Row:
        return self.patch(self.draft(package, **columns), status="published").row

    def archived(self, package: Row, **columns: Any) -> Row:
        return self.archive(self.published(package, **columns)).row

    # One row, as it is written and seen by this caller.

    def patch(self, version: Row, **changes: Any) -> Answer:
        return self.update(VERSIONS, changes, id=f"eq.{version['id']}")

    def patch_package(self, package: Row, **changes: Any) -> Answer:
        return self.update(PACKAGES, changes, id=f"eq.{package['id']}")

    def remove(self, version: Row) -> Answer:
        return self.delete(VERSIONS, id=f"eq.{version['id']}")

    def remove_package(self, package: Row) -> Answer:
        return self.delete(PACKAGES, id=f"eq.{package['id']}")

    def see(self, version: Row) -> Row | None:
        """The version as it is now, or None when this caller sees none."""
        rows = self.select(VERSIONS, id=f"eq.{version['id']}")
        return rows[0] if rows else None

    def see_package(self, package: Row) -> Row | None:
        """The package as it is now, or None when this caller sees none."""
        rows = self.select(PACKAGES, id=f"eq.{package['id']}")
        return rows[0] if rows else None

    def numbers(self, package: Row) -> list[int]:
        """The numbers of the package's versions that this caller sees, in order."""
        rows = self.select(
            VERSIONS,
            package_id=f"eq.{package['id']}",
            order="version_number",
            select="version_number",
        )
        return [row["version_number"] for row in rows]


def blurred(answer: Answer, *ids: str) -> str:
    """The whole answer as text, without the ids that were asked for."""
    text = repr((answer.status, answer.body))
    for asked in ids:
        text = text.replace(asked, "…")
    return text


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Make all calls at the same moment, each on its own thread; return the results in order."""
    start = Barrier(len(calls))

    def wait_and_make(call: Callable[[], Result]) -> Result:
        start.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(wait_and_make, calls))


class Callers:
    """Everybody who calls one stack."""

    def __init__(self, stack: LocalSupabase, database: Database) -> None:
        self.stack = stack
        self.database = database
        self.http = httpx.Client(
            base_url=stack.rest_url, timeout=60, limits=httpx.Limits(max_connections=64)
        )
        self.anon = Caller(self.http, stack.anon_key, stack.anon_key)
        self.backend = Caller(self.http, stack.anon_key, stack.service_key)

    def new_user(self) -> Caller:
        return self._sign_in(self.database.new_user())

    def user(self, email: str) -> Caller:
        """The caller who is known by this address."""
        return self._sign_in(
            self.database.value(f"select id from auth.users where email = '{email}'")
        )

    def _sign_in(self, user_id: str) -> Caller:
        claims = {
            "sub": user_id,
            "role": "authenticated",
            "aud": "authenticated",
            "exp": int(time.time()) + 3600,
        }
        token = jwt.encode(claims, self.stack.jwt_secret, algorithm="HS256")
        return Caller(self.http, self.stack.anon_key, token, user_id)
