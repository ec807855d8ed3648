"""Follows the history: returns each event once, and leaves none out.

Events are in the order of time, and one whose transaction ends late takes its place in time, before
events that were read already. So each look goes back a little, and what was returned is remembered
for as long. No transaction that writes an event is as long as that: a project ends a statement
after some seconds.

Edits of a draft within a minute are folded into one event, which moves on with each of them. It is
returned again when it has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, TypeAlias

from training_versions import Event, EventKind, HistoryFilters, VersionRepository

OVERLAP: Final = timedelta(seconds=120)
"""How far each look goes back."""

_Seen: TypeAlias = tuple[int, datetime]
"""An event, and when it last moved on."""


class Follower:
    """Knows which events were seen.

    Args:
        versions: Where to look.
        filters: Whose events; without `since` and `until`.
    """

    def __init__(self, versions: VersionRepository, filters: HistoryFilters) -> None:
        self._versions = versions
        self._filters = filters
        self._newest: datetime | None = None
        self._seen: set[_Seen] = set()

    def begin(self, first: int) -> list[Event]:
        """Note what is there, and return the newest of it, the oldest first."""
        page = self._versions.history(limit=1, **self._filters)
        if not page:
            return []
        base = page[0].occurred_at
        since = base - OVERLAP
        self._note_long_edits(since)
        shown: list[Event] = []
        for count, event in enumerate(self._versions.iterate_history(**self._filters)):
            if count >= first and event.occurred_at < since:
                break
            self._note(event)
            if count < first or event.occurred_at > base:
                shown.append(event)
        return shown[::-1]

    def _note_long_edits(self, since: datetime) -> None:
        """Note events of edits that began before this moment and have moved on since."""
        if self._filters.get("kind") not in (None, EventKind.EDITED):
            return
        filters = self._filters.copy()
        filters["kind"] = EventKind.EDITED
        filters["since"] = since
        for event in self._versions.iterate_history(**filters):
            if event.occurred_at < since:
                self._note(event)

    def again(self) -> list[Event]:
        """Return what is new, the oldest first.

        Raises:
            TrainingVersionsError: The look failed; the next one returns what this one would have.
        """
        filters = self._filters.copy()
        if self._newest is not None:
            filters["since"] = self._since()
        found = list(self._versions.iterate_history(order="oldest", **filters))
        new = [event for event in found if (event.id, _moved_at(event)) not in self._seen]
        for event in found:
            self._note(event)
        self._forget()
        return new

    def _since(self) -> datetime:
        assert self._newest is not None
        return self._newest - OVERLAP

    def _note(self, event: Event) -> None:
        moved_at = _moved_at(event)
        self._seen.add((event.id, moved_at))
        if self._newest is None or moved_at > self._newest:
            self._newest = moved_at

    def _forget(self) -> None:
        if self._newest is not None:
            since = self._since()
            self._seen = {seen for seen in self._seen if seen[1] >= since}


def _moved_at(event: Event) -> datetime:
    return event.last_at or event.occurred_at
