"""The connection to the database: transactions, preconditions of the checks, and the catalog."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from training_versions import InvalidInputError
from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.shipped import (
    INTERNAL,
    VERSIONS,
    Catalog,
    names_in_public,
    query,
    shipped,
)

Connection = psycopg.Connection[Any]

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 30
# The doctor waits for a lock no longer than this, and neither do sessions queued behind it.
_LOCK_SECONDS = 2

_SESSION = f"""
    set local search_path = '';
    set local statement_timeout = '{_STATEMENT_SECONDS}s';
    set local lock_timeout = '{_LOCK_SECONDS}s';
    set local idle_in_transaction_session_timeout = '{_STATEMENT_SECONDS}s';
    set local timezone = 'UTC';
    -- Override the settings of the role or the database for the format of names, literals and
    -- text.
    set local quote_all_identifiers = off;
    set local standard_conforming_strings = on;
    set local client_encoding = 'UTF8';
    set local row_security = on;
    -- Compiling the checks of rows takes half a minute; running them takes much less.
    set local jit = off;
"""
_LOGIN_STATES = ("28000", "28P01", "3D000")
_LOGIN_WORDS = ("password", "authentication", "Tenant or user not found", "does not exist")
_HOW = (
    "Take the address from the dashboard (Connect), with the password of the database:\n"
    "export SUPABASE_DB_URL='postgresql://postgres.…:<password>@…pooler.supabase.com:5432/postgres'"
)

_ESSENTIALS = """
select w.what
from (
    values
        ('role anon', to_regrole('anon') is not null),
        ('role authenticated', to_regrole('authenticated') is not null),
        ('role service_role', to_regrole('service_role') is not null),
        ('table auth.users', exists (
            -- A lookup by name would fail if the role may not use the schema.
            select from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'auth' and c.relname = 'users'
        )),
        ('function auth.uid()', exists (
            select from pg_proc p
            join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'auth' and p.proname = 'uid'
        ))
) as w (what, is_there)
where not w.is_there
"""
_RIGHTS_OF_READING = f"""
select current_user, c.oid::regclass::text
from pg_class c
where c.relkind = 'r'
    and (
        c.oid in (to_regclass('{VERSIONS}'), to_regclass('public.training_configs'))
        or c.relnamespace = to_regnamespace('{INTERNAL}')
    )
    and not (
        has_table_privilege(c.oid, 'select')
        and (not row_security_active(c.oid))
    )
order by 2
limit 1
"""


def connect(db_url: str) -> Connection:
    """Connect to the database.

    Raises:
        InvalidInputError: The address is malformed.
        psycopg.OperationalError: The database does not answer, or refuses the login.
    """
    if not _is_address(db_url):
        raise InvalidInputError(
            "db_url is no address of a database",
            field="db_url",
            hint="It looks like postgresql://postgres:<password>@<host>:5432/postgres; special "
            "characters of the password are written as %40 and the like.",
        )
    return psycopg.connect(
        db_url,
        autocommit=True,
        connect_timeout=_CONNECT_SECONDS,
        # A pooler in transaction mode does not keep prepared statements.
        prepare_threshold=None,
        application_name="training-versions doctor",
    )


def _is_address(db_url: str) -> bool:
    """Return whether the address is valid, and the special characters of its password escaped."""
    try:
        parts = conninfo_to_dict(db_url)
    except psycopg.ProgrammingError:
        return False
    # After an unescaped @, / or ?, the rest of the password is parsed as the host, the port or
    # another part, and messages would show it.
    return not any(
        "@" in str(value) for name, value in parts.items() if name not in ("user", "password")
    )


def connection_refused(exc: psycopg.Error, db_url: str) -> Finding:
    """Return the finding for a failed connection, without the password."""
    parts = conninfo_to_dict(db_url)
    said = " ".join(_without_password(str(exc), parts.get("password")).split())
    where = f"{parts.get('host', 'the local socket')}:{parts.get('port', 5432)}"
    is_login = exc.sqlstate in _LOGIN_STATES or any(word in said for word in _LOGIN_WORDS)
    if is_login and "translate host name" not in said:
        return finding(
            "database-login",
            f"database at {where}",
            f"The database at {where} refuses the login of {parts.get('user', 'nobody')}: {said}.",
            _HOW,
        )
    return finding(
        "database-unreachable",
        f"database at {where}",
        f"The database at {where} does not answer: {said}.",
        _HOW,
    )


def _without_password(text: str, password: object) -> str:
    if not isinstance(password, str) or not password:
        return text
    return text.replace(password, "…").replace(quote(password, safe=""), "…")


@contextmanager
def read_only(connection: Connection) -> Generator[None]:
    """Open a read-only transaction with one snapshot of the database."""
    with _transaction(connection, "isolation level repeatable read, read only"):
        yield


@contextmanager
def rolled_back(connection: Connection) -> Generator[None]:
    """Open a transaction that may write, and roll it back at the end."""
    with _transaction(connection, "read write"):
        yield


@contextmanager
def _transaction(connection: Connection, mode: LiteralString) -> Generator[None]:
    with connection.transaction(force_rollback=True):
        connection.execute("set transaction " + mode)
        # Bytes, here and below, because psycopg accepts only literal strings as `str` queries.
        connection.execute(_SESSION.encode())
        yield


def missing_essentials(connection: Connection) -> list[str]:
    """Return the parts of every Supabase project that this database lacks."""
    return [what for (what,) in connection.execute(_ESSENTIALS)]


def unreadable(connection: Connection) -> Finding | None:
    """Return a finding if the user of the connection may not read every row."""
    row = connection.execute(_RIGHTS_OF_READING.encode()).fetchone()
    if row is None:
        return None
    user, table = row
    return finding(
        "database-rights",
        f"role {user}",
        f"{user} may not read every row of {table}.",
        "Connect as the role that applied the migrations, which is `postgres`.\n" + _HOW,
    )


def read_catalog(connection: Connection) -> Catalog:
    """Return the objects of the SDK in the database, by kind and name.

    Of functions with the same name, the shipped one is included. All their signatures are listed
    under `overloaded`.
    """
    names = {"relations": names_in_public("relation"), "functions": names_in_public("function")}
    found: Catalog = {kind: {} for kind in (*shipped(), "overloaded")}
    signatures: dict[str, list[str]] = {}
    for kind, name, facts in connection.execute(query().encode(), names):
        if kind == "function":
            signatures.setdefault(name, []).append(facts["signature"])
            if len(signatures[name]) > 1 and not _is_shipped(name, facts):
                continue
        found[kind][name] = facts
    for name, of_one_name in signatures.items():
        if len(of_one_name) > 1 and name.startswith("public."):
            found["overloaded"][name] = {"signatures": sorted(of_one_name)}
    return found


def _is_shipped(name: str, facts: dict[str, Any]) -> bool:
    wanted = shipped()["function"].get(name)
    return wanted is not None and wanted["signature"] == facts["signature"]
