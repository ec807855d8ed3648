"""Pieces of SQL that fixes are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def identifier(name: str) -> str:
    """Quote a name where it needs it."""
    if _PLAIN.fullmatch(name):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(text: str) -> str:
    """Write a text as a literal."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def transaction(*statements: str) -> str:
    """Return statements that are carried out together or not at all."""
    return "\n".join(["begin;", *statements, "commit;"])


def listed(names: Iterable[str]) -> str:
    """Join names as people do: `a, b and c`."""
    *first, last = names
    if not first:
        return last
    return f"{', '.join(first)} and {last}"


def in_lower_case(privileges: Iterable[str]) -> str:
    """Write privileges as this project writes SQL."""
    return ", ".join(privilege.lower() for privilege in privileges)
