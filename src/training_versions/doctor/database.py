"""The connection to the database, and what every check of it relies on."""

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
# Nobody waits for the doctor for longer than this, nor the doctor for them.
_LOCK_SECONDS = 2

_SESSION = f"""
    set local search_path = '';
    set local statement_timeout = '{_STATEMENT_SECONDS}s';
    set local lock_timeout = '{_LOCK_SECONDS}s';
    set local idle_in_transaction_session_timeout = '{_STATEMENT_SECONDS}s';
    set local timezone = 'UTC';
    -- Whatever the role or the database starts its sessions with: how names and literals are
    -- written, and how texts arrive.
    set local quote_all_identifiers = off;
    set local standard_conforming_strings = on;
    set local client_encoding = 'UTF8';
    set local row_security = on;
    -- To compile the checks of rows takes half a minute; to carry them out, much less than one.
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
            -- Looked up by a name, what a role may not use is an error.
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
        InvalidInputError: The address is not one.
        psycopg.OperationalError: It does not answer, or refuses the login.
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
        # A pooler in transaction mode keeps no prepared statements.
        prepare_threshold=None,
        application_name="training-versions doctor",
    )


def _is_address(db_url: str) -> bool:
    """Return whether this is an address, and all of its password is read as the password."""
    try:
        parts = conninfo_to_dict(db_url)
    except psycopg.ProgrammingError:
        return False
    # Behind an @ or a / that is not escaped, the rest of a password passes for host, port or
    # database, which messages name.
    read = [str(parts.get(name, "")) for name in ("host", "port", "dbname")]
    return not any("@" in part for part in read)


def connection_refused(exc: psycopg.Error, db_url: str) -> Finding:
    """Return why there is no connection, without the password."""
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
    """Open a transaction that sees one state of the database, and can write nothing."""
    with _transaction(connection, "isolation level repeatable read, read only"):
        yield


@contextmanager
def rolled_back(connection: Connection) -> Generator[None]:
    """Open a transaction that may write, and is rolled back at its end."""
    with _transaction(connection, "read write"):
        yield


@contextmanager
def _transaction(connection: Connection, mode: LiteralString) -> Generator[None]:
    with connection.transaction(force_rollback=True):
        connection.execute("set transaction " + mode)
        # As bytes, here and below: psycopg types a query as a literal, which these are not.
        connection.execute(_SESSION.encode())
        yield


def missing_essentials(connection: Connection) -> list[str]:
    """Return what every Supabase project has, and this database does not."""
    return [what for (what,) in connection.execute(_ESSENTIALS)]


def unreadable(connection: Connection) -> Finding | None:
    """Return that the user of the connection may not read every row, if that is so."""
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
    """Return what the database holds of our objects, by kind and name.

    Of functions of one name it has the shipped one, and all signatures under `overloaded`.
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
