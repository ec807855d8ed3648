"""Projects to examine, which no other tests write to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.doctor.story import play
from tests.server.schema.databases import RELEASED_FILES
from training_versions.local import LocalSupabase
from training_versions.migrations import migrations_dir

RECORD_PUSH = """
    insert into supabase_migrations.schema_migrations (version, name, statements)
    values (:'version', :'name', array[:'text'])
    on conflict (version) do nothing;
"""


def upgrade(stack: LocalSupabase, *, until: str = "9") -> None:
    """Make an empty project one of the first release, used for a year, and push to it.

    Called again, it goes on.
    """
    if "t" not in stack.psql("select to_regclass('public.training_configs') is not null"):
        for file in RELEASED_FILES:
            stack.psql(file.read_text())
    applied = stack.psql("select version from supabase_migrations.schema_migrations").split()
    for file in sorted(migrations_dir().glob("*.sql")):
        version = file.stem.partition("_")[0]
        if version not in applied and version <= until:
            push(stack, file)
    stack.reload_schema()


def push(stack: LocalSupabase, file: Path) -> None:
    """Apply a migration as a push does."""
    version, _, name = file.stem.partition("_")
    stack.psql(file.read_text())
    stack.psql(RECORD_PUSH, version=version, name=name, text=file.read_text())


@pytest.fixture(scope="session")
def project() -> Iterator[LocalSupabase]:
    """A project with rows of every kind."""
    with LocalSupabase() as stack:
        play(stack)
        yield stack
