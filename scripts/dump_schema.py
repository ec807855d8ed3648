"""Write `supabase/schema.sql`, the whole schema as it stands after all migrations, for readers.

The migrations say how the schema came to be; this file says what it is. With `--check`, only say
whether it is fresh. What is written, and in which order, is the query in `scripts/schema.sql`. What
the database does not keep is added here: the comments that stand above functions in the migrations,
and the table of contents.
"""

import re
import sys
import textwrap
from pathlib import Path

from training_versions.local import LocalSupabase

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "supabase" / "schema.sql"
QUERY = ROOT / "scripts" / "schema.sql"
MIGRATIONS = ROOT / "supabase" / "migrations"
KEPT = re.compile(r"(\$\$.*?\$\$|^ *--.*?$|'[^']*')", re.DOTALL | re.MULTILINE)
FUNCTION = re.compile(r"((?:^--.*\n)*)^create or replace function ([\w.]+)", re.MULTILINE)
OBJECT = re.compile(r"((?:^--.*\n)*)^create (table|view|function) (\w+)\.(\w+)", re.MULTILINE)
# The longest names but one; that one pushes its line to the right.
NAME_WIDTH = 28
HEADER = """\
-- The whole schema as it stands after all migrations. For reading only: `make schema` writes it
-- from the migrations, a test compares, and nobody applies it.
--
-- What clients use comes first, then training_versions_internal, which keeps the rules. A table is
-- followed by its indexes, policies, triggers and grants. Its triggers are in the order in which
-- they fire, which 20261122000020_version_rules.sql explains. Nobody may execute a function except
-- the roles in the grant below it.
"""


def schema() -> str:
    """Return the schema of a new database after all migrations."""
    with LocalSupabase() as stack:
        written = stack.psql(QUERY.read_text(encoding="utf-8"))
    parts = KEPT.split(written.strip())
    parts[::2] = [tidy(part) for part in parts[::2]]
    parts[1::2] = [wrap(part) for part in parts[1::2]]
    objects = add_comments("".join(parts))
    return HEADER + contents(objects) + "\n" + objects + "\n"


def add_comments(objects: str) -> str:
    """Put above each function the last comment that stands above it in the migrations."""
    comments: dict[str, str] = {}
    for migration in sorted(MIGRATIONS.glob("*.sql")):
        for found in FUNCTION.finditer(migration.read_text(encoding="utf-8")):
            comment, name = found.groups()
            comments[name] = comment or comments.get(name, "")
    return re.sub(
        r"^create function ([\w.]+)",
        lambda found: comments.get(found[1], "") + found[0],
        objects,
        flags=re.MULTILINE,
    )


def contents(objects: str) -> str:
    """Return a table of contents: a line for each object, with its first sentence."""
    lines: list[str] = []
    group = ("", "")
    for found in OBJECT.finditer(objects):
        comment, kind, schema_name, name = found.groups()
        if (schema_name, kind) != group:
            group = (schema_name, kind)
            lines += ["--", f"-- {schema_name}: {kind}s", "--"]
        entry = f"--   {name:<{NAME_WIDTH}}  "
        lines.append((entry + summary(comment, 100 - len(entry))).rstrip())
    return "\n".join(lines) + "\n"


def summary(comment: str, width: int) -> str:
    """Return the first sentence of a comment, or as many of its clauses or words as fit."""
    text = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
    sentence = re.split(r"(?<=[.?]) ", text)[0]
    if len(sentence) <= width:
        return sentence
    clauses = re.match(rf".{{25,{width - 2}}}(?=[:;,] )", sentence)
    if clauses:
        return clauses[0] + " …"
    return textwrap.shorten(sentence, width, placeholder=" …")


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
