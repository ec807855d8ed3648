"""Write what the doctor compares projects with, and its table of findings in the docs.

`src/training_versions/doctor/shipped.json` is the catalog of a new database after all migrations.
With `--check`, only say whether the files are fresh.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import psycopg

from training_versions.doctor.kinds import KINDS
from training_versions.doctor.shipped import PACKAGES, query
from training_versions.local import LocalSupabase

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "src" / "training_versions" / "doctor" / "shipped.json"
PAGE = ROOT / "docs" / "doctor.md"
TABLE = re.compile(r"(?<=<!-- findings -->\n).*(?=<!-- end of findings -->)", re.DOTALL)
# Of training_configs only what the migrations add: the rest may be the app's.
OURS_IN_PACKAGES = re.compile(
    r"version_count|latest_published_version|current_version_id|current_version_id_fkey"
    r"|rule_\d\d_\w+|record_\d\d_\w+|idx_training_configs_current_version"
)


def catalog() -> dict[str, dict[str, Any]]:
    """Return what a new database holds of ours, by kind and name."""
    with LocalSupabase() as stack, psycopg.connect(stack.db_url) as connection:
        connection.execute("set search_path = ''")
        relations = connection.execute(
            "select relname from pg_class"
            " where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S')"
        )
        functions = connection.execute(
            "select proname from pg_proc where pronamespace = 'public'::regnamespace"
        )
        names = {
            "relations": [name for (name,) in relations],
            "functions": [name for (name,) in functions],
        }
        found: dict[str, dict[str, Any]] = {}
        for kind, name, facts in connection.execute(query().encode(), names):
            if is_ours(kind, name, facts):
                facts.pop("owner", None)
                found.setdefault(kind, {})[name] = facts
    return found


def is_ours(kind: str, name: str, facts: dict[str, Any]) -> bool:
    """Return whether the migrations make this in every project."""
    table = facts.get("table", name.rpartition(".")[0])
    if kind not in ("column", "constraint", "index", "trigger", "policy") or table != PACKAGES:
        return True
    last = name.rpartition(".")[2].removeprefix("training_configs_")
    return OURS_IN_PACKAGES.fullmatch(last) is not None


def as_lines(found: dict[str, dict[str, Any]]) -> str:
    """Write JSON with an object a line, so that a change is a line."""
    kinds: list[str] = []
    for kind, objects in sorted(found.items()):
        lines = [
            f"{json.dumps(name)}: {json.dumps(facts, sort_keys=True)}"
            for name, facts in sorted(objects.items())
        ]
        kinds.append(f'"{kind}": {{\n' + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(kinds) + "\n}\n"


def findings_table() -> str:
    """Return the table of findings for the docs."""
    lines = ["| id | level | what it means | why it matters |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{id}` | {kind.level} | {kind.means} | {kind.why} |" for id, kind in KINDS.items()
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the files, or say whether they are fresh."""
    if arguments not in ([], ["--check"]):
        print("usage: dump_catalog.py [--check]", file=sys.stderr)
        return 2
    page = PAGE.read_text(encoding="utf-8")
    fresh = {
        SHIPPED: as_lines(catalog()),
        PAGE: TABLE.sub(lambda _: findings_table(), page),
    }
    stale = [
        path
        for path, text in fresh.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if arguments:
            print(f"{path.relative_to(ROOT)} is stale: run `make schema`", file=sys.stderr)
        else:
            path.write_text(fresh[path], encoding="utf-8")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
