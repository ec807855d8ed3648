"""Autosaving: save a draft while it is being edited, and never over somebody else's edit.

Read `savers.py` first: what an autosaver offers. `threads.py` and `tasks.py` are its two forms.
What to send and what a reply means is decided in `state.py`, without any IO; `content.py`,
`conflicts.py` and `merging.py` are what it works with; `merge_edits` in the last is public, too,
for callers that hold no state.
"""

from training_versions.autosave.conflicts import AutosaveConflictError
from training_versions.autosave.merging import DraftContent, EditChange, EditMerge, merge_edits
from training_versions.autosave.savers import DEFAULT_INTERVAL
from training_versions.autosave.tasks import AsyncDraftAutosaver
from training_versions.autosave.threads import DraftAutosaver

__all__ = [
    "DEFAULT_INTERVAL",
    "AsyncDraftAutosaver",
    "AutosaveConflictError",
    "DraftAutosaver",
    "DraftContent",
    "EditChange",
    "EditMerge",
    "merge_edits",
]
