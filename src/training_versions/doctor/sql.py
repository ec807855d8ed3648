"""Helpers to build the SQL of fixes."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def identifier(name: str) -> str:
    """Quote a name if necessary."""
    if _PLAIN.fullmatch(name):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(text: str) -> str:
    """Return text as an SQL literal."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def transaction(*statements: str) -> str:
    """Return the statements as one transaction."""
    return "\n".join(["begin;", *statements, "commit;"])


def listed(names: Iterable[str]) -> str:
    """Join names for a sentence: `a, b and c`."""
    *first, last = names
    if not first:
        return last
    return f"{', '.join(first)} and {last}"


def in_lower_case(privileges: Iterable[str]) -> str:
    """Join privileges in lower case, like all SQL of this project."""
    return ", ".join(privilege.lower() for privilege in privileges)
