"""Checks of the REST API, which need only the address of the project and a key.

Functions are called with GET. PostgREST runs these calls in a read-only transaction, so a function
cannot write.
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
# PostgREST before 13 sends queries for unknown tables to the database, which answers 42P01.
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
    """The rows of a read; None if it was refused."""
    refusal: dict[str, Any]
    """The body of a refusal, or an empty dict."""

    @property
    def code(self) -> str | None:
        """The code of a refusal."""
        code = self.refusal.get("code")
        return code if isinstance(code, str) else None

    @property
    def knows_table(self) -> bool:
        """Whether the API knows the table, even if it refuses to read the rows."""
        was_read = self.status == 200 and self.rows is not None
        return was_read or self.code == "42501"

    @property
    def message(self) -> str:
        """The message of a refusal."""
        return str(self.refusal.get("message", ""))


class CannotCountError(Exception):
    """The row cap cannot be determined; the message says why."""


class Api:
    """A client for the REST API of a project.

    Args:
        url: The address of the project.
        key: A key of the project.
        has_objects: Whether the database has the objects of this release; None if unknown.
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
        """Check that the API answers, knows every object, and shows nothing to the public."""
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
        """Check the most rows of a reply. Call `examine` first, and exhaust its findings.

        Raises:
            CannotCountError: The row cap cannot be determined.
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
        """Return the finding for a reply to a read of versions, if there is one."""
        if answer.knows_table:
            return self._check_rights(answer)
        return self._explain_failure(answer)

    def _check_rights(self, answer: _Answer) -> Finding | None:
        """Check that a secret key can read versions, and a publishable key cannot."""
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
        """Return the finding for an API that does not know the table of versions."""
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
        # The checks of the database have already reported the missing table.
        return None

    def _functions(self) -> Iterator[Finding]:
        """Call every function, several at a time, and report those that the API does not know."""
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
    """Return a value for each required argument of a function."""
    values: dict[str, str] = {}
    for name, type_name in _REQUIRED.findall(declared):
        values[name] = str(uuid4()) if type_name == "uuid" else _VALUES[type_name]
    return values


def _said(exc: httpx.HTTPError) -> str:
    return str(exc) or type(exc).__name__
