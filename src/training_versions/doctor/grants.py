"""Compare the grants on the objects with the shipped grants: none missing, none added."""

from __future__ import annotations

from collections.abc import Iterator

from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.shipped import INTERNAL, PACKAGES, Facts, shipped
from training_versions.doctor.sql import in_lower_case

API_ROLES = ("anon", "authenticated", "service_role")
_USERS = ("authenticated", "service_role")
_ROLES = ("public", *API_ROLES)


def granted_again(name: str, expected: Facts, role: str) -> list[str]:
    """Return the statement that restores the shipped grants of a role that owned a table."""
    privileges = expected["grants"].get(role)
    if not privileges:
        return []
    return [f"grant {in_lower_case(privileges)} on table {name} to {role};"]


def schema_grants(actual: dict[str, Facts], owner: str) -> Iterator[Finding]:
    """Compare the grants on the schemas. The internal schema should belong to `owner`."""
    owner_of_internal = actual[INTERNAL]["owner"]
    for name in (INTERNAL, "public"):
        granted = actual[name]["grants"]
        for role in _USERS:
            if "USAGE" not in (*granted.get(role, []), *granted.get("public", [])):
                yield finding(
                    "schema-closed",
                    f"schema {name}",
                    f"{role} may not use the schema {name}.",
                    f"grant usage on schema {name} to {role};",
                )
    expected = shipped()["schema"][INTERNAL]["grants"]
    for role in _ROLES:
        if role == owner_of_internal != owner:
            continue  # the wrong owner is reported, and not the rights that come with it
        extra = _beyond(actual[INTERNAL], expected, role)
        if extra:
            yield finding(
                "schema-open",
                f"schema {INTERNAL}",
                f"{role} has {in_lower_case(extra)} on the schema {INTERNAL}.",
                f"revoke {in_lower_case(extra)} on schema {INTERNAL} from {role};",
            )


def relation_grants(name: str, label: str, expected: Facts, actual: Facts) -> Iterator[Finding]:
    """Compare the grants on a table, a view or a sequence."""
    kind = "sequence" if expected["kind"] == "S" else "table"
    for role in _ROLES:
        if role == actual["owner"]:
            continue  # the wrong owner is reported, and not the rights that come with it
        lacking = _beyond(expected, actual["grants"], role)
        if lacking:
            yield finding(
                "table-grant-missing",
                label,
                f"{role} lacks {in_lower_case(lacking)} on {name}.",
                f"grant {in_lower_case(lacking)} on {kind} {name} to {role};",
            )
        extra = _beyond(actual, expected["grants"], role)
        # The table of packages may belong to the app, which then decides who may use it.
        if extra and name != PACKAGES:
            yield finding(
                _OPEN[role],
                label,
                f"{role} has {in_lower_case(extra)} on {name}.",
                f"revoke {in_lower_case(extra)} on {kind} {name} from {role};",
            )


_OPEN = {
    "public": "table-open-to-anon",
    "anon": "table-open-to-anon",
    "authenticated": "table-open-to-users",
    "service_role": "table-open-to-service",
}


def function_grants(actual: dict[str, Facts]) -> Iterator[Finding]:
    """Compare the grants on the functions."""
    for name, expected in shipped()["function"].items():
        facts = actual.get(name)
        # A function with other arguments is reported elsewhere, and has to be replaced.
        if facts is None or facts["arguments"] != expected["arguments"]:
            continue
        label = f"function {facts['signature']}"
        for role in _ROLES:
            may = role in facts["grants"]
            should = role in expected["grants"]
            if may and not should:
                kind = "function-open-to-users" if role in _USERS else "function-open-to-anon"
                yield finding(
                    kind,
                    label,
                    f"{role} may execute {name}.",
                    f"revoke execute on function {facts['signature']} from {role};",
                )
            elif should and not may:
                yield finding(
                    "execute-missing",
                    label,
                    f"{role} may not execute {name}.",
                    f"grant execute on function {facts['signature']} to {role};",
                )


def _beyond(facts: Facts, other: dict[str, list[str]] | Facts, role: str) -> list[str]:
    """Return the privileges that a role has in `facts` and not in `other`."""
    others = other.get(role, [])
    return [privilege for privilege in facts["grants"].get(role, []) if privilege not in others]
