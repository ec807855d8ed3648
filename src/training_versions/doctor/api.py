"""What can be seen through the REST API, with an address and a key alone.

Functions are asked for with GET, which PostgREST answers in a transaction that is read-only: one
that would write is not carried out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import httpx

from training_versions import InvalidInputError
from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.shipped import INTERNAL, shipped
from training_versions.doctor.sql import listed
from training_versions.project import explain_bad_environment, is_service_key, takes_environment

_SECONDS = 5.0
_AT_ONCE = 8
_LEAST_ROWS = 100
_COMPUTED_COLUMNS = ("training_version_summary", "training_package_made_at")
_REQUIRED = re.compile(r"(?:^|, )(p_\w+) ([a-z ]+?)(?=, p_|$)")
_VALUES = {"uuid": "", "jsonb": "{}", "text": "doctor", "integer": "0", "numeric": "0"}
# PostgREST before 13 asks the database for a table that it does not know.
_NOT_IN_CACHE = ("PGRST202", "PGRST205", "42P01")
_BAD_KEY = ("PGRST300", "PGRST301", "PGRST302", "PGRST303")
_RELOAD = "notify pgrst, 'reload schema';"
_MIGRATE = (
    "training-versions migrations\nsupabase db push --remote\n"
    f"-- or, if they are applied:\n{_RELOAD}"
)
_KEYS = "Take a key of this project from the dashboard: Project Settings, API Keys."


@dataclass(frozen=True)
class _Answer:
    status: int
    rows: list[Any] | None
    """What a read found; None if it was refused."""
    refusal: dict[str, Any]
    """What a refusal says, or nothing."""

    @property
    def code(self) -> str | None:
        """The code of a refusal."""
        code = self.refusal.get("code")
        return code if isinstance(code, str) else None

    @property
    def knows_table(self) -> bool:
        """Whether the API knows the table that was read, though it may refuse its rows."""
        was_read = self.status == 200 and self.rows is not None
        return was_read or self.code == "42501"

    @property
    def message(self) -> str:
        """What a refusal says."""
        return str(self.refusal.get("message", ""))


class CannotCountError(Exception):
    """The row cap cannot be found; the message says why."""


class Api:
    """The REST API of a project, asked with one key.

    Args:
        url: The address of the project.
        key: A key of it.
        has_objects: Whether its database has the objects of this release, if that is known.
    """

    def __init__(self, url: str, key: str, *, has_objects: bool | None) -> None:
        self._url = _checked_url(url)
        self._is_secret = is_service_key(key)
        self._has_objects = has_objects
        self._is_there = False
        if re.fullmatch(r"[!-~]+", key) is None:
            raise InvalidInputError("key is no key of a project", field="key")
        headers = {"apikey": key, "Authorization": f"Bearer {key}", "Accept-Profile": "public"}
        with explain_bad_environment():
            self._http = httpx.Client(
                base_url=f"{self._url}/rest/v1/",
                headers=headers,
                timeout=_SECONDS,
                trust_env=takes_environment(self._url),
            )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()

    def examine(self) -> Iterator[Finding]:
        """Look at the API."""
        try:
            answer = self._get("training_package_versions", select="id", limit="1")
            self._is_there = answer.knows_table
            found = self._judge(answer)
            if found is not None:
                yield found
            if self._is_there:
                yield from self._functions()
                yield from self._internal_schema()
        except httpx.HTTPError as exc:
            self._is_there = False
            yield finding(
                "api-unreachable",
                self._url,
                f"{self._url} does not answer: {_said(exc)}.",
                f"curl -i {self._url}/rest/v1/",
            )

    def examine_row_cap(self) -> list[Finding]:
        """Count how many rows a reply has at most, after `examine`.

        Raises:
            CannotCountError: They cannot be counted.
        """
        if not self._is_there:
            raise CannotCountError("the API cannot be used")
        if not self._is_secret:
            raise CannotCountError("it needs a secret key: a publishable one reads no rows")
        try:
            answer = self._get("training_row_numbers", select="n")
        except httpx.HTTPError as exc:
            raise CannotCountError(f"{self._url} does not answer: {_said(exc)}") from exc
        if answer.rows is None:
            raise CannotCountError(f"training_row_numbers cannot be read: {answer.message}")
        if len(answer.rows) >= _LEAST_ROWS:
            return []
        return [
            finding(
                "row-cap-small",
                self._url,
                f"A reply has at most {len(answer.rows)} rows.",
                "Raise it in the dashboard: Project Settings, Data API, Max rows (1000).",
            )
        ]

    def _get(self, path: str, *, schema: str = "public", **query: str) -> _Answer:
        response = self._http.get(path, params=query, headers={"Accept-Profile": schema})
        try:
            body: Any = response.json()
        except ValueError:
            body = None
        rows = cast("list[Any]", body) if isinstance(body, list) else None
        refusal = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
        return _Answer(response.status_code, rows, refusal)

    def _call(self, function: str, arguments: dict[str, str]) -> _Answer:
        return self._get(f"rpc/{function}", **arguments)

    def _judge(self, answer: _Answer) -> Finding | None:
        """Judge the reply to a read of versions."""
        if answer.knows_table:
            return self._check_rights(answer)
        return self._explain_failure(answer)

    def _check_rights(self, answer: _Answer) -> Finding | None:
        """Check that a secret key reads versions, and a publishable one does not."""
        if answer.rows is not None and not self._is_secret:
            return finding(
                "api-open-to-anon",
                self._url,
                "The API answers who reads training_package_versions without signing in.",
                "revoke all on table public.training_package_versions from public, anon;",
            )
        if answer.rows is None and self._is_secret:
            return finding(
                "api-read-refused",
                self._url,
                f"The API refuses to read versions: {answer.message}.",
                "grant select, insert, update, delete on table"
                " public.training_package_versions to service_role;",
            )
        return None

    def _explain_failure(self, answer: _Answer) -> Finding | None:
        """Say why the API does not know the table of versions."""
        if answer.code in _NOT_IN_CACHE:
            return self._table_unknown()
        if answer.code == "PGRST106":
            return finding(
                "public-not-exposed",
                self._url,
                f"The API does not expose the schema public: {answer.message}.",
                "Expose it in the dashboard: Project Settings, Data API, Exposed schemas.",
            )
        if answer.status in (401, 403) or answer.code in _BAD_KEY:
            what = f"The API refuses the key: {answer.message or answer.status}."
            return finding("api-key-refused", self._url, what, _KEYS)
        if answer.code is not None and answer.status >= 500:
            what = f"{self._url} cannot answer now: {answer.message}."
            return finding("api-unreachable", self._url, what, f"curl -i {self._url}/rest/v1/")
        return finding(
            "api-not-supabase",
            self._url,
            f"{self._url}/rest/v1 answers with status {answer.status}, as no REST API does.",
            "Take the address from the dashboard: https://<project>.supabase.co",
        )

    def _table_unknown(self) -> Finding | None:
        if self._has_objects:
            return self._stale("the table training_package_versions")
        if self._has_objects is None:
            return finding(
                "migrations-not-applied",
                self._url,
                "The API does not know the table training_package_versions.",
                _MIGRATE,
            )
        # The checks of the database have said already that it is missing.
        return None

    def _functions(self) -> Iterator[Finding]:
        """Ask for every function, many at a time."""
        calls: dict[str, dict[str, str]] = {}
        for name, facts in shipped()["function"].items():
            schema, _, function = name.partition(".")
            if schema == "public" and function not in _COMPUTED_COLUMNS:
                calls[function] = _arguments(facts["arguments"])
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = pool.map(self._call, calls.keys(), calls.values())
            unknown = [
                name
                for name, answer in zip(calls, answers, strict=True)
                if answer.code in _NOT_IN_CACHE
            ]
        if not unknown:
            return
        if self._has_objects:
            yield self._stale(listed(unknown))
        else:
            yield finding(
                "api-function-missing",
                self._url,
                f"The API does not know {listed(unknown)}.",
                _MIGRATE,
            )

    def _stale(self, what: str) -> Finding:
        return finding(
            "schema-cache-stale",
            self._url,
            f"The database has {what}, and the API does not know it.",
            _RELOAD,
        )

    def _internal_schema(self) -> Iterator[Finding]:
        answer = self._get("package_numbers", schema=INTERNAL, limit="1")
        if answer.code != "PGRST106":
            yield finding(
                "internal-schema-exposed",
                self._url,
                f"The API exposes the schema {INTERNAL}.",
                f"Take {INTERNAL} out in the dashboard: Project Settings, Data API, Exposed"
                " schemas.",
            )


def _checked_url(url: str) -> str:
    trimmed = url.strip().rstrip("/").removesuffix("/rest/v1")
    is_address = re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", trimmed) is not None
    try:
        httpx.URL(trimmed)
    except httpx.InvalidURL:
        is_address = False
    if not is_address:
        raise InvalidInputError(
            "url is no address of a project",
            field="url",
            hint="It looks like https://<project>.supabase.co.",
        )
    return trimmed


def _arguments(declared: str) -> dict[str, str]:
    """Return a value for each argument of a function that must be given."""
    values: dict[str, str] = {}
    for name, type_name in _REQUIRED.findall(declared):
        values[name] = str(uuid4()) if type_name == "uuid" else _VALUES[type_name]
    return values


def _said(exc: httpx.HTTPError) -> str:
    return str(exc) or type(exc).__name__
