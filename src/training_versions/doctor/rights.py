"""Test the rights of each role: try statements that should succeed, and some that should fail.

Two users are created. One owns rows. The other, a caller who has not signed in, and the service
role try to read and change them. All attempts run in one block of plpgsql, each in a
subtransaction, so they take one round trip. Nothing is committed. Only the sequences of events and
deletions advance by a few numbers, as in every rolled back transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg

from training_versions.doctor.attempts import ATTEMPTS, CALLERS, SETUP, Attempt, Ids
from training_versions.doctor.database import Connection
from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding

_RECURSION = "42P17"

_ROLES = {
    "owner": "authenticated",
    "stranger": "authenticated",
    "anon": "anon",
    "service": "service_role",
}
_NAMES = {
    "owner": "owner",
    "stranger": "stranger",
    "anon": "caller who has not signed in",
    "service": "service role",
}
# The statements that a stranger may run are those of an owner: on rows of their own.
_CANNOT = {"owner": "owner-cannot", "stranger": "owner-cannot", "service": "service-cannot"}
_CAN = {
    "owner": "owner-can",
    "stranger": "stranger-can",
    "anon": "anon-can",
    "service": "service-can",
}
_FIX_OF_UID = """-- As the owner of the function, which is a role of Supabase Auth:
create or replace function auth.uid() returns uuid stable security invoker language sql as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
    )::uuid
$$;"""
_FIX = (
    "-- Mend the other findings first: policies, triggers, grants and functions.\n"
    "-- If there are none, a trigger, policy or column of the app causes this. They are:\n"
    "select tgrelid::regclass, tgname from pg_trigger\n"
    "where tgrelid in (\n"
    "    'public.training_configs'::regclass, 'public.training_package_versions'::regclass\n"
    ")\n"
    "    and not tgisinternal and tgfoid::regproc::text !~ '^training_versions_internal';\n"
    "select policyname, cmd, qual, with_check from pg_policies\n"
    "where tablename = 'training_configs';"
)

_RUN = """
do $doctor$
declare
    step pg_catalog.jsonb;
    results pg_catalog.jsonb := '[]';
    refusal pg_catalog.text;
    message pg_catalog.text;
    found_rows pg_catalog.int8;
begin
    for step in
        select s from jsonb_array_elements(
            current_setting('training_versions.doctor_steps')::pg_catalog.jsonb
        ) as s
    loop
        refusal := null;
        message := null;
        found_rows := 0;
        begin
            perform set_config('request.jwt.claims', step ->> 'claims', true);
            execute format('set local role %I', step ->> 'role');
            execute step ->> 'sql';
            get diagnostics found_rows = row_count;
            if not (step -> 'keep')::pg_catalog.bool then
                raise exception using errcode = 'TVUND';
            end if;
        exception when others then
            get stacked diagnostics refusal = returned_sqlstate, message = message_text;
        end;
        set local role none;
        results := results || jsonb_build_object(
            'refusal', nullif(refusal, 'TVUND'), 'message', message, 'rows', found_rows
        );
        exit when (step -> 'keep')::pg_catalog.bool and refusal is not null;
    end loop;
    perform set_config('training_versions.doctor_results', results::pg_catalog.text, true);
end
$doctor$
"""
_BECOME_ALL = """
    set local role anon;
    set local role authenticated;
    set local role service_role;
    set local role none;
"""
_TWO_USERS = "select id from auth.users order by created_at limit 2"
_POLICIES = """
    select quote_ident(p.polname)
    from pg_policy p
    where p.polrelid = 'public.training_configs'::regclass
        and concat(
            pg_get_expr(p.polqual, p.polrelid), ' ', pg_get_expr(p.polwithcheck, p.polrelid)
        ) like '%training\\_%'
    order by 1
"""


class CannotTryError(Exception):
    """The attempts cannot be made here; the message says why."""


def examine_rights(connection: Connection) -> Iterator[Finding]:
    """Try all statements, and report each one with an unexpected outcome.

    The caller rolls the transaction back.

    Raises:
        CannotTryError: There are no users to act as, or the role of this connection may not act as
            them, or its sessions start with triggers off.
    """
    _check_session(connection)
    ids = _users(connection)
    attempts = (*CALLERS, *SETUP, *ATTEMPTS)
    results = _run(connection, attempts, ids)
    if not all(_succeeded(result) for result in results[: len(CALLERS)]):
        what = "auth.uid() does not return the user of a request."
        yield finding("caller-not-known", "function auth.uid()", what, _FIX_OF_UID)
        return
    if any(result["refusal"] == _RECURSION for result in results):
        yield _recursion(connection, results)
        return
    # After a failed preparation there are fewer results than attempts.
    for attempt, result in zip(attempts, results, strict=False):
        if _succeeded(result) != attempt.allowed:
            yield _describe(attempt, result)


def _check_session(connection: Connection) -> None:
    """Raise an error if attempts in this session would not tell anything about the project."""
    row = connection.execute("select current_setting('session_replication_role'), current_user")
    ((triggers, user),) = row.fetchall()
    if triggers == "replica":
        raise CannotTryError(f"sessions of {user} start with triggers off")
    try:
        with connection.transaction():
            connection.execute(_BECOME_ALL)
    except psycopg.Error as exc:
        message = f"it needs the role postgres: {exc.diag.message_primary}"
        raise CannotTryError(message) from exc


def _users(connection: Connection) -> Ids:
    """Create two users to act as; return two existing ones if that fails."""
    owner, stranger = str(uuid4()), str(uuid4())
    try:
        with connection.transaction():
            connection.execute("insert into auth.users (id) values (%s), (%s)", [owner, stranger])
    except psycopg.Error as exc:
        # A trigger of the app may require more columns, or the role may not write to the table.
        users = [str(id) for (id,) in connection.execute(_TWO_USERS)]
        if len(users) < 2:
            message = f"it needs two users, and none can be made up: {exc.diag.message_primary}"
            raise CannotTryError(message) from exc
        owner, stranger = users
    return Ids(owner, stranger)


def _run(connection: Connection, attempts: tuple[Attempt, ...], ids: Ids) -> list[dict[str, Any]]:
    """Run the attempts and return their results; stop after a failed preparation."""
    steps = [
        {
            "role": _ROLES[attempt.who],
            "claims": _claims(attempt.who, ids),
            "sql": ids.fill_in(attempt.sql),
            "keep": attempt in SETUP,
        }
        for attempt in attempts
    ]
    connection.execute(
        "select set_config('training_versions.doctor_steps', %s, true)", [json.dumps(steps)]
    )
    connection.execute(_RUN)
    row = connection.execute("select current_setting('training_versions.doctor_results')")
    ((results,),) = row.fetchall()
    return json.loads(results)


def _claims(who: str, ids: Ids) -> str:
    claims = {"role": _ROLES[who]}
    if who == "owner":
        claims["sub"] = ids.owner
    if who == "stranger":
        claims["sub"] = ids.stranger
    return json.dumps(claims)


def _succeeded(result: dict[str, Any]) -> bool:
    return result["refusal"] is None and result["rows"] > 0


def _describe(attempt: Attempt, result: dict[str, Any]) -> Finding:
    """Return the finding for an attempt with an unexpected outcome."""
    label = f"{_NAMES[attempt.who]}: {attempt.what}"
    if not attempt.allowed:
        return finding(_CAN[attempt.who], label, "It succeeded.", _FIX)
    said = "no row was found"
    if result["refusal"] is not None:
        said = f"{result['message']} ({result['refusal']})"
    return finding(_CANNOT[attempt.who], label, f"Refused: {said}.", _FIX)


def _recursion(connection: Connection, results: list[dict[str, Any]]) -> Finding:
    message = next(result["message"] for result in results if result["refusal"] == _RECURSION)
    policies = [name for (name,) in connection.execute(_POLICIES)]
    return finding(
        "policy-recursion",
        "policies on public.training_configs",
        f"{message}. Policies there that read versions or packages: {', '.join(policies)}.",
        _fix_of_recursion(policies),
    )


def _fix_of_recursion(policies: list[str]) -> str:
    lines = [
        "-- Let a function that is security definer read the other table, in a schema that is",
        "-- not exposed, and call it in the policy instead. Until then:",
    ]
    lines += [f"drop policy {policy} on public.training_configs;" for policy in policies]
    return "\n".join(lines)
