"""Compare the objects of a project with the shipped ones: schemas, tables, views and columns.

Objects that the app added are ignored, unless they break a rule. In a project that began with the
first release, constraints have other names, so they are matched by their columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from training_versions.doctor.constraints import constraints, create_index, indexes
from training_versions.doctor.grants import (
    API_ROLES,
    function_grants,
    granted_again,
    relation_grants,
    schema_grants,
)
from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.rules import functions, policies, triggers
from training_versions.doctor.shipped import (
    INTERNAL,
    PACKAGES,
    VERSIONS,
    Catalog,
    Facts,
    comments,
    shipped,
)
from training_versions.doctor.sql import identifier, transaction


def compare(actual: Catalog) -> Iterator[Finding]:
    """Compare the catalog of a project with the catalog of this release."""
    owner = _owner_of_most(actual)
    missing = [name for name in shipped()["relation"] if name not in actual["relation"]]
    if actual["schema"][INTERNAL]["owner"] != owner:
        yield finding(
            "owner-changed",
            f"schema {INTERNAL}",
            f"{INTERNAL} belongs to {actual['schema'][INTERNAL]['owner']}, not to {owner}.",
            transaction(
                f"alter schema {INTERNAL} owner to {identifier(owner)};",
                f"grant usage on schema {INTERNAL} to authenticated, service_role;",
            ),
        )
    yield from schema_grants(actual["schema"], owner)
    for name, expected in shipped()["relation"].items():
        facts = actual["relation"].get(name)
        if facts is not None:
            yield from _relation(name, expected, facts, owner)
        elif expected["kind"] != "S":
            yield _relation_missing(name, expected)
    present = _shipped_without(missing)
    yield from _columns(present, actual["column"])
    yield from _added_columns(actual["column"])
    yield from constraints(present["constraint"], actual["constraint"])
    yield from indexes(present["index"], actual["index"])
    yield from triggers(present["trigger"], actual["trigger"])
    yield from policies(present["policy"], actual["policy"])
    yield from functions(actual, owner)
    yield from function_grants(actual["function"])


def _owner_of_most(actual: Catalog) -> str:
    """Return the role that applied the migrations, which is the owner of most objects."""
    owners = Counter(
        actual[kind][name]["owner"]
        for kind in ("relation", "function")
        for name in shipped()[kind]
        if name in actual[kind] and name != PACKAGES
    )
    for role in API_ROLES:
        # A role of the API must not own objects, even if it owns most of them.
        owners.pop(role, None)
    return owners.most_common(1)[0][0] if owners else "postgres"


def _shipped_without(missing: list[str]) -> Catalog:
    """Return the shipped objects without those of missing tables."""
    kept: Catalog = {}
    for kind in ("column", "constraint", "index", "trigger", "policy"):
        kept[kind] = {
            name: facts
            for name, facts in shipped()[kind].items()
            if facts.get("table", name.rpartition(".")[0]) not in missing
        }
    return kept


# --- tables and views


def _relation_missing(name: str, expected: Facts) -> Finding:
    if expected["kind"] == "v":
        fix = transaction(
            f"create view {name} with (security_invoker = true) as",
            expected["definition"],
            f"grant select on {name} to authenticated, service_role;",
            *comments(name),
            "notify pgrst, 'reload schema';",
        )
        return finding("view-missing", f"view {name}", f"The view {name} is missing.", fix)
    return finding(
        "table-missing",
        f"table {name}",
        f"The table {name} is missing.",
        "training-versions migrations\n"
        'for file in supabase/migrations/*.sql; do psql --file "$file" "$SUPABASE_DB_URL"; done',
    )


def _relation(name: str, expected: Facts, facts: Facts, owner: str) -> Iterator[Finding]:
    if expected["kind"] == "v":
        yield from _view(name, expected, facts)
    elif expected["kind"] == "r":
        yield from _table(name, facts)
    label = f"{_KIND_NAMES[expected['kind']]} {name}"
    if name != PACKAGES:
        if facts["owner"] != owner:
            yield finding(
                "owner-changed",
                label,
                f"{name} belongs to {facts['owner']}, not to {owner}.",
                transaction(
                    f"alter table {name} owner to {identifier(owner)};",
                    # The former owner has lost the grants that it had before it owned the table.
                    *granted_again(name, expected, facts["owner"]),
                ),
            )
        if expected["marked"] and not facts["marked"]:
            what = f"The comment of {name} does not begin with `training-versions: `."
            yield finding("mark-missing", label, what, "\n".join(comments(name)))
    yield from relation_grants(name, label, expected, facts)


_KIND_NAMES = {"r": "table", "v": "view", "S": "sequence"}


def _table(name: str, facts: Facts) -> Iterator[Finding]:
    label = f"table {name}"
    if not facts["row_security"]:
        kind = "row-security-off"
        if name == PACKAGES:
            kind = "package-row-security-off"
        yield finding(
            kind,
            label,
            f"Row level security is off for {name}.",
            f"alter table {name} enable row level security;",
        )
    if name == PACKAGES:
        return
    if facts["forced"]:
        yield finding(
            "row-security-forced",
            label,
            f"Row level security is forced upon the owner of {name}.",
            f"alter table {name} no force row level security;",
        )
    if facts["persistence"] != "p":
        yield finding(
            "table-unlogged",
            label,
            f"{name} is unlogged.",
            f"alter table {name} set logged;",
        )
    for rule in facts["rules"]:
        yield finding(
            "table-rule",
            label,
            f"The rule {rule} rewrites what is written to {name}.",
            f"drop rule {identifier(rule)} on {name};",
        )


def _view(name: str, expected: Facts, facts: Facts) -> Iterator[Finding]:
    label = f"view {name}"
    if not facts["security_invoker"]:
        yield finding(
            "view-not-invoker",
            label,
            f"{name} is not security_invoker.",
            f"alter view {name} set (security_invoker = true);",
        )
    if _view_text(expected) != _view_text(facts):
        fix = transaction(
            f"create or replace view {name} with (security_invoker = true) as",
            expected["definition"],
        )
        yield finding("view-changed", label, f"{name} has another definition.", fix)


def _view_text(facts: Facts) -> str:
    """Return the definition without the differences between PostgreSQL versions.

    Older versions print the alias of a table before each column. In our views an alias is one
    letter.
    """
    return re.sub(r"\b[a-z]\.|\s", "", facts["definition"] or "")


# --- columns


def _columns(expected: Catalog, actual: dict[str, Facts]) -> Iterator[Finding]:
    for name, wanted in expected["column"].items():
        table = name.rpartition(".")[0]
        if shipped()["relation"][table]["kind"] != "r":
            continue  # views are compared by their definition
        facts = actual.get(name)
        if facts is None:
            yield _column_missing(name, wanted)
        else:
            yield from _column(name, wanted, facts)


def _column_missing(name: str, wanted: Facts) -> Finding:
    table, _, column = name.rpartition(".")
    definition = [f"alter table {table} add column {column} {wanted['type']}"]
    if wanted["generated"]:
        definition.append(f"generated always as ({wanted['default']}) stored")
    elif wanted["default"] is not None:
        definition.append(f"default {wanted['default']}")
    if wanted["not_null"]:
        definition.append("not null")
    return finding(
        "column-missing",
        f"column {name}",
        f"The column {column} of {table} is missing.",
        " ".join(definition) + ";",
    )


def _column(name: str, wanted: Facts, facts: Facts) -> Iterator[Finding]:
    table, _, column = name.rpartition(".")
    label = f"column {name}"
    alter = f"alter table {table} alter column {column}"
    if facts["type"] != wanted["type"]:
        yield finding(
            "column-type",
            label,
            f"{column} of {table} is {facts['type']}, not {wanted['type']}.",
            f"{alter} type {wanted['type']} using {column}::{wanted['type']};",
        )
    if wanted["not_null"] and not facts["not_null"]:
        yield finding(
            "column-nullable",
            label,
            f"{column} of {table} may be null.",
            f"{alter} set not null;",
        )
    yield from _column_default(name, wanted, facts)


def _column_default(name: str, wanted: Facts, facts: Facts) -> Iterator[Finding]:
    """Compare the value that the database generates: identity, expression or default."""
    table, _, column = name.rpartition(".")
    label = f"column {name}"
    alter = f"alter table {table} alter column {column}"
    if not _is_generated_alike(wanted, facts):
        yield finding(
            "column-generated",
            label,
            f"{column} of {table} is not filled in by the database as shipped.",
            _generate_again(table, column, wanted, facts),
        )
    elif wanted["default"] is not None and facts["default"] is None:
        yield finding(
            "column-default-missing",
            label,
            f"{column} of {table} has no default.",
            f"{alter} set default {wanted['default']};",
        )
    # These two tables may have had other defaults before the first release.
    elif facts["default"] != wanted["default"] and table not in (VERSIONS, PACKAGES):
        yield finding(
            "column-default-changed",
            label,
            f"The default of {column} of {table} is {facts['default']}, not {wanted['default']}.",
            _set_default(alter, wanted),
        )


def _is_generated_alike(wanted: Facts, facts: Facts) -> bool:
    if facts["identity"] != wanted["identity"] or facts["generated"] != wanted["generated"]:
        return False
    # The catalog stores the expression of a generated column as its default.
    return not wanted["generated"] or facts["default"] == wanted["default"]


def _set_default(alter: str, wanted: Facts) -> str:
    if wanted["default"] is None:
        return f"{alter} drop default;"
    return f"{alter} set default {wanted['default']};"


def _generate_again(table: str, column: str, wanted: Facts, facts: Facts) -> str:
    alter = f"alter table {table}"
    if not wanted["identity"]:
        return transaction(
            f"{alter} drop column {column};",
            f"{alter} add column {column} {wanted['type']}"
            f" generated always as ({wanted['default']}) stored;",
            *[
                create_index(index)
                for index in shipped()["index"].values()
                if index["table"] == table and f"({column})" in index["definition"]
            ],
        )
    if facts["identity"]:
        return f"{alter} alter column {column} set generated always;"
    return transaction(
        f"{alter} alter column {column} drop default;",
        f"{alter} alter column {column} add generated always as identity;",
        f"select setval(pg_get_serial_sequence('{table}', '{column}'), max({column}))"
        f" from {table};",
    )


def _added_columns(actual: dict[str, Facts]) -> Iterator[Finding]:
    """Check the columns that the app added to the two tables that it may extend."""
    given = ("id", "name", "template_type", "config_json", "user_id")
    known = {f"{PACKAGES}.{column}" for column in given} | shipped()["column"].keys()
    for name, facts in actual.items():
        table, _, column = name.rpartition(".")
        is_given = facts["default"] is not None or facts["identity"] or facts["generated"]
        if table not in (VERSIONS, PACKAGES) or name in known or is_given:
            continue
        if facts["not_null"]:
            blocked = "packages" if table == PACKAGES else "versions"
            alter = f"alter table {table} alter column {identifier(column)}"
            yield finding(
                f"column-blocks-{blocked}",
                f"column {name}",
                f"{column} of {table} must be given, and has no default.",
                f"{alter} drop not null;",
            )
