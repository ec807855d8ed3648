"""Follow the history by polling: return each event once, and miss none.

Events are ordered by time. The event of a transaction that commits late may be ordered before
events that were read already. So each poll reads an overlap again, and events in the overlap are
remembered. No transaction that writes an event takes longer than the overlap, as a project cancels
a statement after some seconds.

Edits of a draft within a minute are merged into one event, whose `last_at` is the time of the last
edit. The event is returned again when this time has changed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, TypeAlias

from training_versions import Event, EventKind, HistoryFilters, VersionRepository

OVERLAP: Final = timedelta(seconds=120)
"""The time that each poll reads again."""

_Seen: TypeAlias = tuple[int, datetime]
"""The id of an event, and the time of its last edit."""


class Follower:
    """Polls for events, and remembers the events that it returned.

    Args:
        versions: The repository to read from.
        filters: The filters for events, without `since` and `until`.
    """

    def __init__(self, versions: VersionRepository, filters: HistoryFilters) -> None:
        self._versions = versions
        self._filters = filters
        self._newest: datetime | None = None
        self._seen: set[_Seen] = set()

    def begin(self, first: int) -> list[Event]:
        """Remember the present events, and return the newest of them, oldest first."""
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
        """Remember events of edits that began before this moment and continued after it."""
        if self._filters.get("kind") not in (None, EventKind.EDITED):
            return
        filters = self._filters.copy()
        filters["kind"] = EventKind.EDITED
        filters["since"] = since
        for event in self._versions.iterate_history(**filters):
            if event.occurred_at < since:
                self._note(event)

    def again(self) -> list[Event]:
        """Return the new events, oldest first.

        Raises:
            TrainingVersionsError: The poll failed. The next one returns its events, too.
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
