"""The objects that the migrations of this release create: the reference for comparisons.

`scripts/dump_catalog.py` writes `shipped.json`, which is the result of `catalog.sql` in a new
database; a test compares the two. It has only hashes of the bodies of functions. Fixes take their
text from the migrations.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from training_versions.migrations import migrations_dir

INTERNAL = "training_versions_internal"
VERSIONS = "public.training_package_versions"
PACKAGES = "public.training_configs"

Facts = dict[str, Any]
Catalog = dict[str, dict[str, Facts]]
"""Facts by kind of object and name."""

_HERE = Path(__file__).parent
_FUNCTION = re.compile(
    r"^create or replace function ([\w.]+)\(.*?^\$\$;$", re.MULTILINE | re.DOTALL
)
_COMMENT = re.compile(
    r"^comment on (?:table|view|function) ([\w.]+)(?:\([^)]*\))? is\n(?: +'(?:[^']|'')*'\s*)+;",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Migration:
    """A migration of this release."""

    version: str
    name: str
    path: Path

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.path.name

    def text(self) -> str:
        """The SQL."""
        return self.path.read_text(encoding="utf-8")


@cache
def shipped() -> Catalog:
    """Return the catalog of a new database after all migrations."""
    return json.loads((_HERE / "shipped.json").read_text(encoding="utf-8"))


def query() -> str:
    """Return the query that reads the catalog."""
    return (_HERE / "catalog.sql").read_text(encoding="utf-8")


def names_in_public(kind: str) -> list[str]:
    """Return the names of the shipped objects of a kind in the schema public."""
    return [name.partition(".")[2] for name in shipped()[kind] if name.startswith("public.")]


@cache
def migrations() -> tuple[Migration, ...]:
    """Return the migrations of this release, in order."""
    found: list[Migration] = []
    for path in sorted(migrations_dir().glob("*.sql")):
        version, _, name = path.stem.partition("_")
        found.append(Migration(version, name, path))
    return tuple(found)


@cache
def function_sources() -> dict[str, str]:
    """Return the statement that creates each function, by its qualified name."""
    return _last_statements(_FUNCTION)


def comments(name: str) -> list[str]:
    """Return the `comment on` statement of a table, view or function, if there is one."""
    statement = _comments().get(name)
    return [] if statement is None else [statement]


@cache
def _comments() -> dict[str, str]:
    return _last_statements(_COMMENT)


def _last_statements(pattern: re.Pattern[str]) -> dict[str, str]:
    """Return the last matching statement for each name, which replaces the earlier ones."""
    text = "\n".join(migration.text() for migration in migrations())
    return {found[1]: found[0] for found in pattern.finditer(text)}
