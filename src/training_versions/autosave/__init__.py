"""Saves a draft while it is being edited: at most once an interval, never over others' edits."""

from training_versions.autosave._savers import AsyncDraftAutosaver, DraftAutosaver
from training_versions.autosave._state import AutosaveConflictError

__all__ = ["AsyncDraftAutosaver", "AutosaveConflictError", "DraftAutosaver"]
