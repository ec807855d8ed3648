"""Move the timestamps of rows that were just written into the past.

While the content is written, `Past.at` notes when each part should have happened. `rewrite` then
maps every timestamp in the database from real time to story time. The map is monotonic, so the
order of timestamps stays the same, and equal ones (such as the edit token of a draft) stay equal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from training_versions.local import LocalSupabase

# Triggers do not let users change timestamps. This runs as a superuser, in a database that is
# thrown away.
_REWRITE = """
set local session_replication_role = replica;

create temporary table spans on commit drop as
select *
from jsonb_to_recordset(:'spans')
    as span (
        real_start timestamptz,
        real_end timestamptz,
        told_start timestamptz,
        told_end timestamptz
    );

create function pg_temp.told(moment timestamptz)
returns timestamptz
language sql
as $$
    select coalesce(
        (
            select told_start
                + (told_end - told_start)
                * (extract(epoch from moment - real_start)
                    / extract(epoch from real_end - real_start))::double precision
            from spans
            where moment >= real_start
                and moment < real_end
        ),
        moment
    );
$$;

do $$
declare
    found record;
begin
    for found in
        select
            format('%I.%I', table_schema, table_name) as name,
            string_agg(format('%1$I = pg_temp.told(%1$I)', column_name), ', ') as moments
        from information_schema.columns
        join information_schema.tables using (table_schema, table_name)
        where table_type = 'BASE TABLE'
            and table_schema in ('public', 'training_versions_internal')
            and data_type = 'timestamp with time zone'
        group by table_schema, table_name
    loop
        execute format('update %s set %s', found.name, found.moments);
    end loop;
end;
$$;
"""


@dataclass
class _Span:
    """A span of real time, and the span of story time that it is mapped to."""

    real_start: datetime
    told_start: datetime
    told_end: datetime | None = None
    """The end in story time. Without it, the span takes as long as in real time."""

    def to_row(self, real_end: datetime) -> dict[str, str]:
        """Return the row of this span for `_REWRITE`."""
        told_end = self.told_end
        if told_end is None:
            told_end = self.told_start + (real_end - self.real_start)
        return {
            "real_start": self.real_start.isoformat(),
            "real_end": real_end.isoformat(),
            "told_start": self.told_start.isoformat(),
            "told_end": told_end.isoformat(),
        }


class Past:
    """Notes when rows should have been written, and rewrites their timestamps."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime.now(UTC)
        self._spans: list[_Span] = []

    def at(self, days_ago: int, clock: str) -> None:
        """Date the following rows to a day and time (UTC)."""
        self._begin(self._moment(days_ago, clock))

    def hours_ago(self, hours: float) -> None:
        """Date the following rows to this many hours ago."""
        self._begin(self._now - timedelta(hours=hours))

    def spread_until(self, days_ago: int, clock: str) -> None:
        """Spread the following rows evenly, from the present story time to a day and time (UTC)."""
        self._spread(self._moment(days_ago, clock))

    def spread_until_hours_ago(self, hours: float) -> None:
        """Spread the following rows evenly until this many hours ago."""
        self._spread(self._now - timedelta(hours=hours))

    def rewrite(self, supabase: LocalSupabase) -> None:
        """Map every timestamp in the database to story time."""
        ends = [span.real_start for span in self._spans[1:]] + [datetime.now(UTC)]
        rows = [span.to_row(real_end) for span, real_end in zip(self._spans, ends, strict=True)]
        supabase.psql(_REWRITE, admin=True, spans=json.dumps(rows))

    def _moment(self, days_ago: int, clock: str) -> datetime:
        day = self._now.date() - timedelta(days=days_ago)
        return datetime.combine(day, time.fromisoformat(clock), UTC)

    def _begin(self, told: datetime) -> None:
        real = datetime.now(UTC)
        if self._spans and told < self._told_at(real):
            raise ValueError(f"the story goes back to {told}")
        self._spans.append(_Span(real, told))

    def _spread(self, told_end: datetime) -> None:
        real = datetime.now(UTC)
        self._spans.append(_Span(real, self._told_at(real), told_end))

    def _told_at(self, real: datetime) -> datetime:
        """Return the present story time."""
        last = self._spans[-1]
        if last.told_end is not None:
            return last.told_end
        return last.told_start + (real - last.real_start)
