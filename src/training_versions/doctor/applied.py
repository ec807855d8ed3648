"""Check that the project's history has the migrations of this release, unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5

from training_versions.doctor.database import Connection
from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.shipped import INTERNAL, VERSIONS, Migration, migrations

ROLLBACK = "20250131000002"

_HISTORY = "supabase_migrations.schema_migrations"
# The CLI records the statements of a file, without the blanks and semicolons between them.
_APPLIED = rf"""
    select
        to_jsonb(m) ->> 'version',
        md5(regexp_replace(s.text, '[ \t\r\n;]+', '', 'g'))
    from {_HISTORY} m
    left join lateral (
        select nullif(string_agg(t, '' order by n), '') as text
        from jsonb_array_elements_text(
            coalesce(nullif(to_jsonb(m) -> 'statements', 'null'), '[]')
        ) with ordinality as s (t, n)
    ) as s on true
"""
_BLANK = re.compile(r"[ \t\r\n;]+")

_COPY = "training-versions migrations"
_PUSH = f"{_COPY}\nsupabase db push --remote"


@dataclass(frozen=True)
class History:
    """The migrations that a project has applied."""

    has_versions: bool
    has_internal: bool
    applied: dict[str, str | None]
    """Hashes of the applied migrations, by version; None where no text was recorded."""

    @property
    def missing(self) -> list[Migration]:
        """The migrations of this release that the history lacks."""
        return [migration for migration in migrations() if migration.version not in self.applied]

    @property
    def is_there(self) -> bool:
        """Whether the history has any migration of this release."""
        return len(self.missing) < len(migrations())


def read_history(connection: Connection) -> History:
    """Read the history of migrations, whose table may be missing."""
    row = connection.execute(
        "select to_regclass(%s) is not null, to_regnamespace(%s) is not null,"
        " to_regclass(%s) is not null",
        [VERSIONS, INTERNAL, _HISTORY],
    ).fetchone()
    assert row is not None
    has_versions, has_internal, has_history = row
    applied = dict(connection.execute(_APPLIED.encode()).fetchall()) if has_history else {}
    return History(has_versions, has_internal, applied)


def nothing_there(history: History) -> Finding | None:
    """Return a finding if the whole schema is missing, or all but the first release."""
    if not history.has_versions:
        return finding(
            "migrations-not-applied",
            "migrations",
            "There is no table public.training_package_versions.",
            _push_of(history),
        )
    if not history.has_internal:
        return finding(
            "first-release-only",
            "migrations",
            "There is public.training_package_versions, but no schema training_versions_internal.",
            _push_of(history),
        )
    return None


def examine_history(history: History, *, is_whole: bool) -> Iterator[Finding]:
    """Compare the history with the migrations of this release.

    Args:
        history: The history of the project.
        is_whole: Whether the database has every object.
    """
    if ROLLBACK in history.applied:
        yield finding(
            "rollback-pushed",
            f"migration {ROLLBACK}",
            "The history has the rollback, which does not belong into supabase/migrations.",
            f"rm supabase/migrations/{ROLLBACK}_*.sql\n"
            f"supabase migration repair --remote --status reverted {ROLLBACK}",
        )
    if not history.is_there:
        versions = " ".join(migration.version for migration in migrations())
        yield finding(
            "migration-history-missing",
            "migrations",
            "The objects are there, and the history has none of the files.",
            f"{_COPY}\nsupabase migration repair --remote --status applied {versions}",
        )
        return
    for migration in history.missing:
        fix = _push_of(history)
        if is_whole:
            fix = f"{_COPY}\nsupabase migration repair --remote --status applied "
            fix += migration.version
        yield finding(
            "migration-missing",
            f"migration {migration.file}",
            f"{migration.file} is not in the history.",
            fix,
        )
    yield from _changed(history)


def _changed(history: History) -> Iterator[Finding]:
    # The first file is not compared, because older projects applied the text of the first release.
    for migration in migrations()[1:]:
        applied = history.applied.get(migration.version)
        if applied is not None and applied != _hash(migration.text()):
            yield finding(
                "migration-changed",
                f"migration {migration.file}",
                f"{migration.file} was applied with another text than this release has.",
                f"{_COPY}\n"
                f"supabase migration repair --remote --status reverted {migration.version}\n"
                "supabase db push --remote --include-all",
            )


def _hash(text: str) -> str:
    return md5(_BLANK.sub("", text).encode(), usedforsecurity=False).hexdigest()


def _push_of(history: History) -> str:
    """Return the commands that apply the missing migrations."""
    missing = history.missing or list(migrations())
    if any(version > missing[0].version for version in history.applied):
        return f"{_PUSH} --include-all"
    return _PUSH
