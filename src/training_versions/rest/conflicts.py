"""Edit conflicts: the details for a client whose draft was edited since it was read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from training_versions import (
    AsyncVersionRepository,
    ConflictError,
    TrainingVersionsError,
    Version,
    compare_versions,
)
from training_versions.rest.etags import MATCHES_NO_DRAFT
from training_versions.rest.problems import EDITED_SINCE, Problem

_COLUMNS: Final = {
    "config": "config_snapshot",
    "model": "model_snapshot",
    "dataset": "dataset_snapshot",
}


async def edited_since(
    exc: ConflictError,
    versions: AsyncVersionRepository,
    version_id: UUID,
    changes: Mapping[str, Any] | None = None,
) -> Exception:
    """Convert the conflict of a write to a problem with both timestamps and the changed paths.

    Any other kind of conflict is returned unchanged.
    """
    if exc.code != "TV201":
        return exc
    details = exc.details if isinstance(exc.details, dict) else {}
    expected = datetime.fromisoformat(str(details["expected_updated_at"]))
    names_a_state = expected != MATCHES_NO_DRAFT
    there = here = None
    try:
        if names_a_state:
            there = await _paths_edited_since(versions, version_id, expected)
        here = await _paths_that_differ(versions, version_id, changes)
    except TrainingVersionsError:
        # The draft was deleted meanwhile, or the database is down. The conflict still holds, so it
        # is reported without the paths.
        pass
    return Problem(
        EDITED_SINCE,
        exc.message,
        hint=exc.hint,
        code=exc.code,
        expected_updated_at=expected if names_a_state else None,
        updated_at=details.get("updated_at"),
        changed_there=there,
        changed_here=here,
    )


async def _paths_edited_since(
    versions: AsyncVersionRepository, version_id: UUID, since: datetime
) -> list[str]:
    """Return the paths of edits from the history, which records at most a hundred an edit."""
    paths: set[str] = set()
    async for event in versions.iterate_history(version_id=version_id, kind="edited", since=since):
        paths.update(cast("list[str]", event.details.get("paths", [])))
    return sorted(paths)


async def _paths_that_differ(
    versions: AsyncVersionRepository, version_id: UUID, changes: Mapping[str, Any] | None
) -> list[str] | None:
    """Return the paths at which the request differs from the current draft."""
    if changes is None:
        return None
    current: Version = await versions.get(version_id)
    columns = {_COLUMNS.get(name, name): value for name, value in changes.items()}
    wanted = current.model_copy(update=columns)
    return [change.path for change in compare_versions(current, wanted)]
