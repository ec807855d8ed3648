"""Check roles, settings of roles and of the database, and views of the app that bypass policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from training_versions.doctor.database import Connection
from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.shipped import INTERNAL, names_in_public
from training_versions.doctor.sql import identifier

_LEAST_ROWS = 100
_LEAST_MS = 1000
_UNITS = {"": 1, "us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_USERS = ("anon", "authenticated")

_ROLES = """
    select r.rolname, r.rolsuper, r.rolbypassrls
    from pg_roles r
    where r.rolname in ('anon', 'authenticated', 'service_role')
"""
_MEMBERS = f"""
    with ours (acl) as (
        select c.relacl from pg_class c
        where c.relnamespace = to_regnamespace('{INTERNAL}')
            or c.relnamespace = 'public'::regnamespace
            and c.relname = any (%s) and c.relname <> 'training_configs'
        union all
        select p.proacl from pg_proc p where p.pronamespace = to_regnamespace('{INTERNAL}')
    )
    select r.rolname, o.rolname
    from pg_roles r
    join pg_roles o on o.oid <> r.oid and pg_has_role(r.oid, o.oid, 'member')
    where r.rolname in ('anon', 'authenticated') and not r.rolsuper
        and (
            o.rolsuper or o.rolbypassrls
            or o.rolname in ('pg_read_all_data', 'pg_write_all_data')
            or r.rolname = 'anon' and o.rolname = 'authenticated'
            or o.oid = (select n.nspowner from pg_namespace n where n.nspname = '{INTERNAL}')
            or o.rolname <> all (array['anon', 'authenticated']) and exists (
                -- A right on our objects that the group has, and the role itself does not.
                select from ours
                cross join aclexplode(ours.acl) as x
                where x.grantee = o.oid and not exists (
                    select from aclexplode(ours.acl) as own
                    where own.grantee in (0, r.oid) and own.privilege_type = x.privilege_type
                )
            )
        )
    order by 1, 2
"""
_SWITCHES = """
    select r.rolname
    from pg_roles a
    cross join pg_roles r
    where a.rolname = 'authenticator'
        and r.rolname in ('anon', 'authenticated', 'service_role')
        and not pg_has_role(a.oid, r.oid, 'member')
"""
_SETTINGS = """
    select
        coalesce(r.rolname, ''), coalesce(d.datname, ''),
        split_part(c.setting, '=', 1), substr(c.setting, strpos(c.setting, '=') + 1)
    from pg_db_role_setting s
    left join pg_roles r on r.oid = s.setrole
    left join pg_database d on d.oid = s.setdatabase
    cross join unnest(s.setconfig) as c (setting)
    where (s.setdatabase = 0 or d.datname = current_database())
        and (
            s.setrole = 0
            or r.rolname in ('anon', 'authenticated', 'service_role', 'authenticator')
            -- The triggers of the owner would be off when it repairs or migrates rows.
            or c.setting like 'session_replication_role=%'
            and r.oid = (
                select n.nspowner from pg_namespace n
                where n.nspname = 'training_versions_internal'
            )
        )
    order by 1, 2, 3
"""
# A view reads with the rights of its owner unless it is `security_invoker`. If row level security
# applied to the owner, the view would show no rows; usually the owner of the view owns the tables.
_VIEWS = f"""
    select distinct c.oid::regclass::text, c.relkind
    from pg_depend d
    join pg_rewrite w on w.oid = d.objid and d.classid = 'pg_rewrite'::regclass
    join pg_class c on c.oid = w.ev_class and c.relkind in ('v', 'm')
    join pg_class t on t.oid = d.refobjid and d.refclassid = 'pg_class'::regclass
    where t.relkind = 'r'
        and (
            t.relnamespace = to_regnamespace('{INTERNAL}')
            or t.relnamespace = 'public'::regnamespace
            and t.relname = any (%s) and t.relname <> 'training_configs'
        )
        and c.relname <> all (%s)
        and not coalesce(
            (
                select o.option_value::boolean
                from pg_options_to_table(c.reloptions) as o
                where o.option_name = 'security_invoker'
            ),
            false
        )
        and exists (
            select from (values ('anon'), ('authenticated')) as r (name)
            where has_table_privilege(r.name, c.oid, 'select')
                and has_schema_privilege(r.name, c.relnamespace, 'usage')
        )
    order by 1
"""


def examine_settings(connection: Connection) -> Iterator[Finding]:
    """Check roles, settings, and views of the app."""
    yield from _roles(connection)
    for role, database, name, value in connection.execute(_SETTINGS):
        yield from _setting(_Setting(role, database, name, value))
    yield from _views(connection)


def _roles(connection: Connection) -> Iterator[Finding]:
    for role, is_super, bypasses in connection.execute(_ROLES):
        if role in _USERS and (is_super or bypasses):
            yield finding(
                "role-skips-policies",
                f"role {role}",
                f"{role} {'is a superuser' if is_super else 'bypasses row level security'}.",
                f"alter role {role} {'nosuperuser ' if is_super else ''}nobypassrls;",
            )
        if role == "service_role" and not (is_super or bypasses):
            yield finding(
                "service-role-bound",
                f"role {role}",
                f"{role} does not bypass row level security.",
                f"alter role {role} bypassrls;",
            )
    for role, other in connection.execute(_MEMBERS.encode(), [names_in_public("relation")]):
        yield finding(
            "role-member",
            f"role {role}",
            f"{role} is a member of {other}.",
            f"revoke {identifier(other)} from {role};",
        )
    for (role,) in connection.execute(_SWITCHES):
        yield finding(
            "authenticator-cannot-switch",
            "role authenticator",
            f"authenticator may not become {role}.",
            f"grant {role} to authenticator;",
        )


@dataclass(frozen=True)
class _Setting:
    role: str
    database: str
    name: str
    value: str

    @property
    def alter(self) -> str:
        """The beginning of the statement that changes the setting."""
        if self.database and not self.role:
            return f"alter database {identifier(self.database)}"
        role = identifier(self.role) if self.role else "all"
        if self.database:
            return f"alter role {role} in database {identifier(self.database)}"
        return f"alter role {role}"

    @property
    def label(self) -> str:
        """The role or database that has the setting."""
        return self.alter.removeprefix("alter ").replace("role all", "all roles")


def _setting(setting: _Setting) -> Iterator[Finding]:
    value = setting.value
    reset = f"{setting.alter} reset {setting.name};"
    label = f"{setting.name} of {setting.label}"
    what = f"{setting.name} of {setting.label} is {value}."
    if setting.name == "session_replication_role" and value.lower() == "replica":
        yield finding("triggers-off", label, what, reset)
    elif setting.name == "default_transaction_read_only" and _is_on(value):
        fix = f"set default_transaction_read_only = off;\n{reset}"
        yield finding("read-only", label, what, fix)
    elif setting.name == "row_security" and not _is_on(value):
        yield finding("row-security-setting", label, what, reset)
    elif setting.name in _TIMEOUTS and 0 < _milliseconds(value) < _LEAST_MS:
        fix = f"{setting.alter} set {setting.name} = '8s';"
        yield finding("statement-timeout-short", label, what, fix)
    elif setting.name == "pgrst.db_schemas":
        yield from _exposed(setting)
    elif setting.name == "pgrst.db_tx_end" and value.startswith("rollback"):
        yield finding("api-takes-back", label, what, f"{reset}\n{_RELOAD}")
    elif setting.name == "pgrst.db_anon_role" and value not in ("", "anon"):
        yield finding("anon-acts-as-another", label, what, f"{reset}\n{_RELOAD}")
    elif setting.name == "pgrst.db_max_rows" and value.isdecimal() and int(value) < _LEAST_ROWS:
        fix = f"{setting.alter} set pgrst.db_max_rows = 1000;\n{_RELOAD}"
        yield finding("row-cap-small", label, what, fix)


_TIMEOUTS = ("statement_timeout", "transaction_timeout")
_RELOAD = "notify pgrst, 'reload config';"


def _exposed(setting: _Setting) -> Iterator[Finding]:
    schemas = [part.strip() for part in setting.value.split(",") if part.strip()]
    label = f"{setting.name} of {setting.label}"
    wanted = [schema for schema in schemas if schema != INTERNAL]
    if "public" not in wanted:
        wanted.insert(0, "public")
    fix = f"{setting.alter} set pgrst.db_schemas = '{', '.join(wanted)}';\n{_RELOAD}"
    if INTERNAL in schemas:
        yield finding(
            "internal-schema-exposed",
            label,
            f"{setting.name} of {setting.label} names {INTERNAL}.",
            fix,
        )
    if "public" not in schemas:
        yield finding(
            "public-not-exposed",
            label,
            f"{setting.name} of {setting.label} does not name public.",
            fix,
        )


def _is_on(value: str) -> bool:
    return value.lower() in ("on", "true", "yes", "1", "t", "y")


def _milliseconds(value: str) -> float:
    parts = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d|)\s*", value)
    if parts is None:
        return 0
    return float(parts[1]) * _UNITS[parts[2]]


def _views(connection: Connection) -> Iterator[Finding]:
    ours = names_in_public("relation")
    for name, kind in connection.execute(_VIEWS.encode(), [ours, ours]):
        if kind == "v":
            fix = f"alter view {name} set (security_invoker = true);"
        else:
            fix = f"revoke all on {name} from public, {', '.join(_USERS)};"
        yield finding(
            "view-shows-all",
            f"view {name}",
            f"{name} reads versions with the rights of its owner, and users may read it.",
            fix,
        )
