"""Write `supabase/schema.sql`, the whole schema as it stands after all migrations, for readers.

The migrations say how the schema came to be; this file says what it is. With `--check`, only say
whether it is fresh. What is written, and in which order, is the query in `scripts/schema.sql`.
"""

import re
import sys
import textwrap
from pathlib import Path

from training_versions.local import LocalSupabase

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "supabase" / "schema.sql"
QUERY = ROOT / "scripts" / "schema.sql"
KEPT = re.compile(r"(\$\$.*?\$\$|^ *--.*?$|'[^']*')", re.DOTALL | re.MULTILINE)
HEADER = """\
-- The whole schema as it stands after all migrations: tables, then functions; first what clients
-- use, then training_versions_internal, which keeps the rules. For reading only: `make schema`
-- writes it from the migrations, a test compares, and nobody applies it.
--
-- In which order triggers fire, and why, is explained in 20261122000020_version_rules.sql.

"""


def schema() -> str:
    """Return the schema of a new database after all migrations."""
    with LocalSupabase() as stack:
        written = stack.psql(QUERY.read_text(encoding="utf-8"))
    parts = KEPT.split(written.strip())
    parts[::2] = [tidy(part) for part in parts[::2]]
    parts[1::2] = [wrap(part) for part in parts[1::2]]
    return HEADER + "".join(parts) + "\n"


def tidy(definition: str) -> str:
    """Drop casts of literals and lower keywords: PostgreSQL writes what this project does not."""
    # A literal before a cast is a part of its own.
    without_casts = re.sub(r"^::\w+(?:\[\])?|(?<=NULL)::[a-z ]+", "", definition)
    return re.sub(r"\b[A-Z]{2,}\b", lambda word: word[0].lower(), without_casts)


def wrap(kept: str) -> str:
    """Wrap a comment that is too long; a body or a literal stays."""
    indent, dashes, text = kept.partition("-- ")
    if not dashes or indent.strip() or "\n" in kept:
        return kept
    return textwrap.fill(
        text, 100, initial_indent=indent + dashes, subsequent_indent=indent + dashes
    )


def main(arguments: list[str]) -> int:
    """Write the file, or say whether it is fresh."""
    if arguments not in ([], ["--check"]):
        print("usage: dump_schema.py [--check]", file=sys.stderr)
        return 2
    fresh = schema()
    if not arguments:
        SCHEMA.write_text(fresh, encoding="utf-8")
        return 0
    if SCHEMA.read_text(encoding="utf-8") != fresh:
        print("supabase/schema.sql is stale: run `make schema`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
